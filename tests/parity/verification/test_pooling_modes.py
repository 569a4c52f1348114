"""A pooling that chooses by a word what it takes of a window is checked under each of its words."""

import numpy as np
import pytest

from parity.verification.listing import listed
from parity.verification.pooling_modes import modes_among
from parity.verification.verify import verify

CODE = """
import numpy as np


class Pool:
    def __init__(self, size, stride, mode="max"):
        self.size, self.stride, self.mode = size, stride, mode

    def forward(self, x):
        self.x = x
        N, C, H, W = x.shape
        k, s = self.size, self.stride
        out = np.zeros((N, C, (H - k) // s + 1, (W - k) // s + 1), x.dtype)
        for i, j in np.ndindex(*out.shape[2:]):
            part = x[:, :, i * s : i * s + k, j * s : j * s + k]
            out[:, :, i, j] = part.max(axis=(2, 3)) if self.mode == "max" else part.mean(axis=(2, 3))
        return out

    def backward(self, dout):
        dx, k, s = np.zeros_like(self.x), self.size, self.stride
        for n, c, i, j in np.ndindex(*dout.shape):
            part = self.x[n, c, i * s : i * s + k, j * s : j * s + k]
            if self.mode == "max":
                a, b = np.unravel_index(part.argmax(), part.shape)
                dx[n, c, i * s + a, j * s + b] += dout[n, c, i, j]
            else:
                dx[n, c, i * s : i * s + k, j * s : j * s + k] += dout[n, c, i, j] / DIVISOR
        return dx


def pool_forward(x, hparameters, mode="max"):
    f, s = hparameters["f"], hparameters["stride"]
    N, H, W, C = x.shape
    out = np.zeros((N, 1 + (H - f) // s, 1 + (W - f) // s, C), x.dtype)
    for h, w in np.ndindex(*out.shape[1:3]):
        part = x[:, h * s : h * s + f, w * s : w * s + f]
        if mode == "max":
            out[:, h, w] = part.max(axis=(1, 2))
        elif mode == "average":
            out[:, h, w] = part.mean(axis=(1, 2))
    return out, (x, hparameters)


def pool_backward(dout, cache, mode="max"):
    x, hparameters = cache
    f, s, dx = hparameters["f"], hparameters["stride"], np.zeros_like(x)
    for n, h, w, c in np.ndindex(*dout.shape):
        part = np.s_[n, h * s : h * s + f, w * s : w * s + f, c]
        if mode == "max":
            dx[part] += (x[part] == x[part].max()) * dout[n, h, w, c]
        elif mode == "average":
            dx[part] += dout[n, h, w, c] / (f * f)
    return dx


def pool2d(X, pool_size, mode="max"):
    h, w = pool_size
    Y = np.zeros((X.shape[0] - h + 1, X.shape[1] - w + 1), X.dtype)
    for i, j in np.ndindex(*Y.shape):
        part = X[i : i + h, j : j + w]
        if mode == "max":
            Y[i, j] = part.max()
        elif mode == "avg":
            Y[i, j] = part.mean()
    return Y
"""
FORWARD, BACKWARD = "pool_forward", "pool_backward"
CASES = [
    ('Pool(mode="max")', "max_pooling", "right"),
    ('Pool(mode="average")', "average_pooling", "wrong"),
    (f'{FORWARD}(mode="max"),{BACKWARD}(mode="max")', "max_pooling", "wrong"),  # all of the ties
    (f'{FORWARD}(mode="average"),{BACKWARD}(mode="average")', "average_pooling", "right"),
    ('pool2d(mode="max")', "max_pooling", "right"),
    ('pool2d(mode="avg")', "average_pooling", "right"),
]


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    found = tmp_path_factory.mktemp("modes") / "pools.py"
    found.write_text(CODE.replace("DIVISOR", "k"))
    return found


def test_each_word_is_listed(path):
    assert [(one.name, one.kind) for one in listed(path)] == [case[:2] for case in CASES]


@pytest.mark.parametrize(("name", "kind", "outcome"), CASES, ids=[case[0] for case in CASES])
def test_each_word_has_a_verdict(path, name, kind, outcome):
    verdict = verify(f"{path}:{name}", kind)
    assert verdict.outcome == outcome, str(verdict)
    assert "mode other than" not in str(verdict)


def test_what_divides_by_its_window_is_right(tmp_path):
    (tmp_path / "pools.py").write_text(CODE.replace("DIVISOR", "(k * k)"))
    assert verify(f'{tmp_path}/pools.py:Pool(mode="average")', "average_pooling").outcome == "right"


def test_words_of_no_pooling_or_of_one_alone_are_no_modes():
    assert modes_among(["train", "test"], []) == {}
    assert modes_among(["max", "maximum"], []) == {}
    assert modes_among(["avg", "max", "l2"], []) == {"avg": "average_pooling", "max": "max_pooling"}
    assert np.all([not modes_among([word], []) for word in ("max", "avg", "min")])


class MeanOfItsShape:
    """Channels last, of the shape that its constructor is told: other images give it empty windows."""

    def __init__(self, input_shape, pool_size):
        H, W, C = input_shape[1:]
        self.k, self.shape = pool_size, (H // pool_size, W // pool_size, C)

    def forward(self, X):
        A, k = np.zeros((len(X), *self.shape), X.dtype), self.k
        for i, h, w, c in np.ndindex(*A.shape):
            A[i, h, w, c] = np.mean(X[i, h * k : h * k + k, w * k : w * k + k, c])
        return A


@pytest.mark.filterwarnings("ignore:Mean of empty slice", "ignore:invalid value")
def test_a_mean_of_empty_windows_is_no_result():
    verdict = verify(MeanOfItsShape, "average_pooling", isolated=False)
    assert verdict.outcome == "right" and "images (N, H, W, C)" in verdict.called, str(verdict)
