"""Sizes of names that say nothing are those of the arrays that a constructor makes of them."""

import textwrap

import numpy as np
import pytest

from parity.adapters.sizes_by_shape import shapes_in, sizes_by_shape, unknown_sizes
from parity.verification.verify import verify


class Dense:
    def __init__(self, vin, vout):
        self.W = np.zeros((vout, vin))
        self.b = np.zeros((vout, 1))


class Convolution:
    def __init__(self, many, across, thick):
        self.across = across
        self.many = many
        self.thick = thick
        self.b = np.zeros(many)
        self.reset()

    def reset(self):
        self.W = np.full((self.many, self.across, self.across, self.thick), 0.5)


class Norm:
    def __init__(self, long):
        self.gamma, self.beta = np.ones((1, long)), np.zeros((1, long))


@pytest.mark.parametrize(
    ("cls", "kind", "found"),
    [
        (Dense, "affine", {"vin": "I", "vout": "O"}),
        (Convolution, "convolution", {"across": "kernel", "many": "FN", "thick": "C"}),
        (Norm, "batch_norm", {"long": "C"}),
        (Dense, "convolution", {}),
        (Dense, "batch_norm", {}),
    ],
)
def test_what_each_is_the_size_of(cls, kind, found):
    assert sizes_by_shape(shapes_in(cls), kind) == found


@pytest.mark.parametrize(
    "shapes",
    [
        [("a", "b")],  # no bias says which of them comes out
        [("a", "b"), ("a",), ("b",)],
        [("a", "b"), ("b", "c"), ("c",)],
        [("a", "a"), ("a",)],
    ],
)
def test_shapes_that_leave_more_than_one_reading_say_nothing(shapes):
    assert sizes_by_shape(shapes, "affine") == {}


def test_names_that_say_something_are_left_to_say_it():
    shapes = [("vout", "vin"), ("vout", "1")]
    assert unknown_sizes(shapes, "affine", {"vin": (), "vout": ()}) == {"vin": "I", "vout": "O"}
    assert unknown_sizes(shapes, "affine", {"vin": ("I",), "vout": ()}) == {"vout": "O"}
    assert unknown_sizes(shapes, "affine", {"vin": ("O",), "vout": ()}) == {}


CONVOLUTION = """
import numpy as np

class Convolution:
    def __init__(self, many, across, thick):
        self.across = across
        self.W = np.zeros((many, across, across, thick))
        self.b = np.zeros(many)

    def forward(self, x):
        self.x, k = x, self.across
        H, W = x.shape[0] - k + 1, x.shape[1] - k + 1
        out = np.zeros((H, W, len(self.W)))
        for i in range(H):
            for j in range(W):
                out[i, j] = np.sum(x[i : i + k, j : j + k] * self.W, axis=(1, 2, 3)) + self.b
        return out

    def backward(self, dout, lr):
        k, dx, dW = self.across, np.zeros(self.x.shape), np.zeros(self.W.shape)
        for i in range(dout.shape[0]):
            for j in range(dout.shape[1]):
                d = dout[i, j].reshape(-1, 1, 1, 1)
                dW += d * self.x[i : i + k, j : j + k]
                dx[i : i + k, j : j + k] += np.sum(d * self.W, axis=0)
        self.W -= lr * dW
        self.b -= lr * dout.sum(axis=(0, 1))
        return dx
"""
DENSE = """
import numpy as np

class Dense:
    def __init__(self, in_dim, out_dim, activation, activation_deriv):
        self.w, self.b = np.zeros((out_dim, in_dim)), np.zeros((1, out_dim))
        self.activation, self.activation_deriv = activation, activation_deriv
        self.grad_w_accum, self.grad_b_accum = np.zeros(self.w.shape), np.zeros(self.b.shape)

    def forward(self, x):
        self.x, self.z = x, x @ self.w.T + self.b
        return self.activation(self.z)

    def backward(self, grad_output):
        delta = grad_output * self.activation_deriv(self.z)
        self.grad_w_accum += delta.T @ self.x
        self.grad_b_accum += np.sum(delta, axis=0, keepdims=True)
        return delta @ self.w

    def apply_gradients(self, lr):
        self.w -= lr * self.grad_w_accum
        self.b -= lr * self.grad_b_accum
        self.grad_w_accum.fill(0)
        self.grad_b_accum.fill(0)
"""


def verdict(tmp_path, text, kind):
    path = tmp_path / "mine.py"
    path.write_text(textwrap.dedent(text))
    name = text.split("class ")[1].split(":")[0]
    return verify(f"{path}:{name}", kind, isolated=False)


@pytest.mark.parametrize(
    ("old", "new", "outcomes"),
    [
        ("", "", ("right", "right_but")),
        ("self.b -= lr * dout.sum(axis=(0, 1))", "self.b -= lr * dout.mean(axis=(0, 1))", ("wrong",)),
        ("np.sum(d * self.W, axis=0)", "np.sum(self.W, axis=0)", ("wrong",)),
    ],
)
def test_a_convolution_whose_sizes_have_odd_names(tmp_path, old, new, outcomes):
    found = verdict(tmp_path, CONVOLUTION.replace(old, new) if old else CONVOLUTION, "convolution")
    assert found.outcome in outcomes and "Convolution(many, across, thick)" in found.called, str(found)


@pytest.mark.parametrize(
    ("old", "new", "outcomes"),
    [
        ("", "", ("right", "right_but")),
        (".fill(0)", "[...] = 0", ("right", "right_but")),
        ("self.grad_w_accum.fill(0)", "pass", ("wrong",)),
        ("delta.T @ self.x", "grad_output.T @ self.x / len(self.x)", ("wrong",)),
    ],
)
def test_gradients_that_add_up_until_a_step_fills_them_with_zeros(tmp_path, old, new, outcomes):
    found = verdict(tmp_path, DENSE.replace(old, new) if old else DENSE, "affine")
    assert found.outcome in outcomes, str(found)
