"""Lines that raise whatever sizes they are given: an index as large as its axis, weights for an index, a size
for a dtype, a stride that no line sets."""

import pytest

from parity.verification.verify import verify

POOL = """
def pool_forward(A_prev, f, stride):
    m, high, wide, n_C = A_prev.shape
    n_H, n_W = (high - f) // stride + 1, (wide - f) // stride + 1
    A = np.zeros((m, n_H, n_W, n_C))
    for i, h, w, c in np.ndindex(A.shape):
        part = A_prev[i, h * stride : h * stride + f, w * stride : w * stride + f, c]
        A[INDEX] = part.max()
    return A
"""
CONV = """
def conv_forward(A_prev, W, b, stride, pad):
    x, f = np.pad(A_prev, ((0, 0), (pad, pad), (pad, pad), (0, 0))), len(W)
    Z = np.zeros((len(x), (x.shape[1] - f) // stride + 1, (x.shape[2] - f) // stride + 1, W.shape[3]))
    for i, h, w, c in np.ndindex(Z.shape):
        part = x[i, h * stride : h * stride + f, w * stride : w * stride + f]
        Z[INDEX] = np.sum(part * W[:, :, :, c]) + np.squeeze(b[:, :, :, c])
    return Z
"""
DENSE = """
class Dense:
    def __init__(self, n_in, n_out):
        self.weights, self.biases = np.zeros(INDEX), np.zeros(n_out)

    def forward(self, x):
        return x @ self.weights + self.biases
"""
STRIDE = """
class Other:
    def __init__(self, strides):
        self.strides = strides

class MaxPool(INDEX):
    def __init__(self, pool_size):
        self.pool_size = pool_size

    def forward(self, x):
        s = self.strides
        high, wide = ((n - self.pool_size) // s + 1 for n in x.shape[2:])
        out = np.zeros((*x.shape[:2], high, wide), x.dtype)
        for n, c, i, j in np.ndindex(out.shape):
            out[n, c, i, j] = x[n, c, i * s :, j * s :][: self.pool_size, : self.pool_size].max()
        return out
"""
CASES = {
    "as large as its axis": ("pool_forward", "max_pooling", POOL, "i, n_H, n_W, n_C", "i, h, w, c"),
    "weights": ("conv_forward", "convolution", CONV, "i, h, W, c", "i, h, w, c"),
    "a dtype": ("Dense", "affine", DENSE, "n_in, n_out", "(n_in, n_out)"),
}


def judged(tmp_path, name, kind, source, index):
    file = tmp_path / "layers.py"
    file.write_text(f"import numpy as np\n{source.replace('INDEX', index)}")
    return verify(f"{file}:{name}", kind)


@pytest.mark.parametrize("case", CASES)
def test_it_is_wrong_whatever_it_is_given(tmp_path, case):
    name, kind, source, wrong, right = CASES[case]
    verdict = judged(tmp_path, name, kind, source, wrong)
    assert verdict.outcome == "wrong" and "whatever it is given" in verdict.headline, str(verdict)
    assert judged(tmp_path, name, kind, source, right).ok


def test_a_stride_that_only_another_class_has(tmp_path):
    verdict = judged(tmp_path, "MaxPool", "max_pooling", STRIDE, "")
    assert verdict.outcome == "wrong" and "'strides'" in verdict.always, str(verdict)


@pytest.mark.parametrize("base", ["Other", "__import__('argparse').Namespace"])
def test_what_may_come_of_its_base_is_not_held_against_it(tmp_path, base):
    verdict = judged(tmp_path, "MaxPool", "max_pooling", STRIDE, base)
    assert verdict.outcome == "not_checked" and not verdict.always, str(verdict)


def test_an_index_that_is_set_again_is_not_held_against_it(tmp_path):
    source = POOL.replace("        A[INDEX]", "        n_H = h\n        A[INDEX]")
    verdict = judged(tmp_path, "pool_forward", "max_pooling", source, "i, h, n_W, c")
    assert verdict.outcome == "wrong" and verdict.always
    verdict = judged(tmp_path, "pool_forward", "max_pooling", source, "i, n_H, w, c")
    assert verdict.ok, str(verdict)
