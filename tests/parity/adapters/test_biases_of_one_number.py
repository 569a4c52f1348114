"""A bias (FN, 1), of which `out[f, i, j] = ... + b[f]` puts an array of one number into an element.

NumPy took it for a number until 2.4.
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


def judged(tmp_path, scale=1):
    file = tmp_path / "layers.py"
    file.write_text(SOURCE.format(scale=scale))
    return verify(f"{file}:Conv", "convolution")


def refuses():
    try:
        np.zeros(2)[0] = np.ones(1)
    except ValueError:
        return True
    return False


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_its_numbers_are_right_but_for_the_shape_of_its_bias(tmp_path):
    verdict = judged(tmp_path)
    assert verdict.ok, str(verdict)
    if refuses():
        assert verdict.outcome == "right_but" and "its bias (FN, 1) was set as (FN,)" in verdict.buts[0]
        assert "its bias (FN, 1) is set as (FN,)" in verdict.called


def test_a_bug_beside_it_is_wrong(tmp_path):
    verdict = judged(tmp_path, scale=2)
    assert verdict.outcome == "wrong", str(verdict)
