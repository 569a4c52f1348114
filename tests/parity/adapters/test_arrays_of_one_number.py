"""An array of one number that is taken for a number, as NumPy did until 2.4.

So it is in `out[f, i, j] = ... + b[f]` of a bias (FN, 1), and in `float(b)`.
"""

import numpy as np
import pytest

from parity.verification.verify import verify

SOURCE = """import numpy as np

class Conv:
    def __init__(self, in_channels, out_channels, kernel_size, stride=1):
        self.k, self.stride = kernel_size, stride
        self.weights = np.random.randn(out_channels, in_channels, kernel_size, kernel_size)
        self.bias = np.zeros((out_channels, 1))

    def forward(self, x):
        self.x = x
        high = (x.shape[2] - self.k) // self.stride + 1
        wide = (x.shape[3] - self.k) // self.stride + 1
        out = np.zeros((len(x), len(self.weights), high, wide), x.dtype)
        for n, f, i, j in np.ndindex(out.shape):
            out[n, f, i, j] = np.sum(self.part(n, i, j) * self.weights[f]) + {scale} * self.bias[f]
        return out

    def part(self, n, i, j):
        i, j = i * self.stride, j * self.stride
        return self.x[n, :, i : i + self.k, j : j + self.k]

    def backward(self, dout):
        self.dW, self.db = np.zeros_like(self.weights), np.zeros_like(self.bias)
        dx = np.zeros_like(self.x)
        for n, f, i, j in np.ndindex(dout.shape):
            self.dW[f] += dout[n, f, i, j] * self.part(n, i, j)
            self.db[f] += dout[n, f, i, j]
            top, left = i * self.stride, j * self.stride
            dx[n, :, top : top + self.k, left : left + self.k] += dout[n, f, i, j] * self.weights[f]
        return dx
"""


FUNCTION = """import numpy as np

def conv_forward(A_prev, W, b, hparameters):
    stride, pad, f = hparameters["stride"], hparameters["pad"], len(W)
    padded = np.pad(A_prev, ((0, 0), (pad, pad), (pad, pad), (0, 0)))
    high, wide = ((n - f) // stride + 1 for n in padded.shape[1:3])
    out = np.zeros((len(A_prev), high, wide, W.shape[3]), A_prev.dtype)
    for n, i, j, c in np.ndindex(out.shape):
        part = padded[n, i * stride : i * stride + f, j * stride : j * stride + f]
        out[n, i, j, c] = np.sum(part * W[..., c]) + {scale} * float(b[:, :, :, c])
    return out, (A_prev, W, b, hparameters)
"""

GRADIENT = """import numpy as np

class Linear:
    def __init__(self, in_features, out_features):
        self.W, self.b = np.random.randn(in_features, out_features), np.zeros(out_features)

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, dout):
        self.dW, self.db = {scale} * self.x.T @ dout, np.zeros_like(self.b)
        for o in range(len(self.b)):
            self.db[o] = np.ones((1, len(dout)), dout.dtype) @ dout[:, o : o + 1]
        return dout @ self.W.T
"""
REFUSES = np.lib.NumpyVersion(np.__version__) >= "2.4.0"
CASES = [
    (SOURCE, "Conv", "convolution", 15),
    (FUNCTION, "conv_forward", "convolution", 10),
    (GRADIENT, "Linear", "affine", 14),
]
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def judged(tmp_path, source, name, kind, scale=1):
    file = tmp_path / "layers.py"
    file.write_text(source.format(scale=scale))
    return verify(f"{file}:{name}", kind)


@pytest.mark.parametrize(("source", "name", "kind", "line"), CASES, ids=[name for _, name, *_ in CASES])
def test_its_numbers_are_right_but_for_what_numpy_refuses(tmp_path, source, name, kind, line):
    verdict = judged(tmp_path, source, name, kind)
    assert verdict.ok, str(verdict)
    if REFUSES:
        says = "it takes an array of one number for a number, which NumPy refuses since 2.4"
        assert verdict.outcome == "right_but", str(verdict)
        assert f"{says} (layers.py, line {line})" in verdict.buts


@pytest.mark.parametrize(("source", "name", "kind", "line"), CASES, ids=[name for _, name, *_ in CASES])
def test_a_bug_beside_it_is_wrong(tmp_path, source, name, kind, line):
    verdict = judged(tmp_path, source, name, kind, scale=2)
    assert verdict.outcome == "wrong", str(verdict)
    assert not REFUSES or f"line {line}" in verdict.remarks[-1]
