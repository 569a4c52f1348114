"""A number that an expression of an autograd engine uses twice gets both gradients, and not half of them."""

import re

import pytest

from parity.verification.verify import verify

VALUE = """
class Value:
    def __init__(self, data, children=()):
        self.data, self.grad, self.children, self.step = data, 0.0, children, lambda: None

    def __add__(self, other):
        out = Value(self.data + other.data, (self, other))

        def step():
            self.grad += out.grad
            other.grad += out.grad

        out.step = step
        return out

    def __mul__(self, other):
        out = Value(self.data * other.data, (self, other))

        def step():
            self.grad += other.data * out.grad
            other.grad += self.data * out.grad

        out.step = step
        return out

    def relu(self):
        out = Value(max(self.data, 0.0), (self,))

        def step():
            self.grad += (out.data > 0) * out.grad

        out.step = step
        return out

    def backward(self):
        order, seen = [], set()

        def visit(node):
            if node not in seen:
                seen.add(node)
                for child in node.children:
                    visit(child)
                order.append(node)

        visit(self)
        self.grad = 1.0
        for node in reversed(order):
            node.step()
"""
TENSOR = """
import numpy as np


class Tensor:
    def __init__(self, data, parents=(), back=None):
        self.data, self.parents, self.back, self.grad = np.asarray(data), parents, back, None

    def take(self, grad):
        while grad.ndim > self.data.ndim:
            grad = grad.sum(axis=0)
        self.grad = grad if self.grad is None else self.grad + grad

    def __add__(self, other):
        return Tensor(self.data + other.data, (self, other), lambda g: (self.take(g), other.take(g)))

    def __mul__(self, other):
        back = lambda g: (self.take(g * other.data), other.take(g * self.data))
        return Tensor(self.data * other.data, (self, other), back)

    def __matmul__(self, other):
        back = lambda g: (self.take(g @ other.data.T), other.take(self.data.T @ g))
        return Tensor(self.data @ other.data, (self, other), back)

    def sum(self):
        return Tensor(self.data.sum(), (self,), lambda g: self.take(np.ones_like(self.data) * g))

    def backward(self):
        order, seen = [], set()

        def visit(node):
            if id(node) not in seen:
                seen.add(id(node))
                for parent in node.parents:
                    visit(parent)
                order.append(node)

        visit(self)
        self.grad = np.ones_like(self.data)
        for node in reversed(order):
            if node.back is not None:
                node.back(node.grad)


class Linear:
    def __init__(self, in_features, out_features):
        self.W, self.b = Tensor(np.ones((in_features, out_features))), Tensor(np.zeros(out_features))

    def __call__(self, x):
        return x @ self.W + self.b
"""
WRONG = {  # what is written instead -> the expressions whose gradient is then wrong
    "relu": (VALUE, r"self\.grad \+= \(out", {"f(x) + f(x)"}),
    "tensor": (
        TENSOR,
        r"grad if self\.grad is None else self\.grad \+ grad",
        {"x + x", "x * x", "x * x + x", "f(x) + f(x)"},
    ),
}


def verified(tmp_path, source):
    file = tmp_path / "engine.py"
    file.write_text(source)
    name, kind = ("Linear", "affine") if "Linear" in source else ("Value.relu", "relu")
    return verify(f"{file}:{name}", kind)


@pytest.mark.parametrize("source", [VALUE, TENSOR], ids=["numbers", "tensors"])
def test_gradients_that_add_up_are_right(tmp_path, source):
    verdict = verified(tmp_path, source)
    assert verdict.outcome == "right", str(verdict)
    assert [row for row in verdict.records if row.phase == "a number used twice"]


@pytest.mark.parametrize("op", WRONG)
def test_a_gradient_that_is_written_over_is_wrong_and_named(tmp_path, op):
    source, line, expressions = WRONG[op]
    written = re.sub(line, lambda found: re.sub(r"grad if .*", "grad", found[0]).replace("+=", "="), source)
    assert written != source
    verdict = verified(tmp_path, written)
    wrong = [row for row in verdict.records if not row.ok]
    assert verdict.outcome == "wrong" and {row.phase for row in wrong} == {"a number used twice"}
    assert (
        expressions & {"x + x", "x * x"}
        <= {row.tensor.removeprefix("dx of ") for row in wrong}
        <= expressions
    )
    assert "it is written where it is to be added" in str(verdict)


@pytest.mark.parametrize(
    "line", [r"self\.grad \+= out\.grad\n            other\.grad \+= out", r"self\.grad \+= other\.data"]
)
def test_an_activation_is_not_accused_of_the_engine_s_sum_or_product(tmp_path, line):
    written = re.sub(line, lambda found: found[0].replace("+=", "="), VALUE)
    assert written != VALUE
    found = verified(tmp_path, written)
    assert found.outcome == "right", str(found)
    sums = any("x + x has another gradient than 2" in one for one in found.not_checked)
    assert sums == ("out" in line)
