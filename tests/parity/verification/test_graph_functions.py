"""Functions of a graph of variables, as in the first steps of the third book, by their own forward."""

from collections import Counter

import pytest

from parity.verification.listing import listed
from parity.verification.own_listed import OWN_LAYER
from parity.verification.whole import verify_all

CHAIN = """
import numpy as np

class Variable:
    def __init__(self, data):
        self.data, self.grad, self.creator = data, None, None

    def backward(self):
        if self.grad is None:
            self.grad = np.ones_like(self.data)
        left = [self.creator]
        while left:
            f = left.pop()
            f.input.grad = f.backward(f.output.grad)
            if f.input.creator is not None:
                left.append(f.input.creator)

class Function:
    def __call__(self, input):
        output = Variable(np.asarray(self.forward(input.data)))
        output.creator = self
        self.input, self.output = input, output
        return output

    def forward(self, x):
        raise NotImplementedError()

    def backward(self, gy):
        raise NotImplementedError()

class Square(Function):
    def forward(self, x):
        return x ** 2

    def backward(self, gy):
        return 2 * self.input.data * gy

class Exp(Function):
    def forward(self, x):
        return np.exp(x)

    def backward(self, gy):
        return np.exp(self.input.data) * gy

def square(x):
    f = Square()
    return f(x)

def exp(x):
    return Exp()(x)
"""
TREE = """
import numpy as np

class Variable:
    def __init__(self, data):
        if not isinstance(data, np.ndarray):
            raise TypeError(type(data))
        self.data, self.grad, self.creator, self.generation = data, None, None, 0

    def backward(self):
        if self.grad is None:
            self.grad = np.ones_like(self.data)
        left = [self.creator]
        while left:
            left.sort(key=lambda f: f.generation)
            f = left.pop()
            grads = f.backward(*[y.grad for y in f.outputs])
            for x, grad in zip(f.inputs, grads if isinstance(grads, tuple) else (grads,)):
                x.grad = grad if x.grad is None else x.grad + grad
                if x.creator is not None and x.creator not in left:
                    left.append(x.creator)

class Function:
    def __call__(self, *inputs):
        y = Variable(np.asarray(self.forward(*[x.data for x in inputs])))
        self.generation = max(x.generation for x in inputs)
        y.creator, y.generation = self, self.generation + 1
        self.inputs, self.outputs = inputs, [y]
        return y

    def forward(self, xs):
        raise NotImplementedError()

    def backward(self, gys):
        raise NotImplementedError()

class Mul(Function):
    def forward(self, x0, x1):
        return x0 * x1

    def backward(self, gy):
        x0, x1 = self.inputs[0].data, self.inputs[1].data
        return gy * x1, gy * x0

class Tanh(Function):
    def forward(self, x):
        return np.tanh(x)

    def backward(self, gy):
        return gy * (1 - self.outputs[0].data ** 2)

class Pow(Function):
    def __init__(self, c):
        self.c = c

    def forward(self, x):
        return x ** self.c

    def backward(self, gy):
        return self.c * self.inputs[0].data ** (self.c - 1) * gy

def mul(x0, x1):
    return Mul()(x0, x1)

def tanh(x):
    return Tanh()(x)

def sphere(x, y):
    return mul(x, x), mul(y, y)
"""
NAMES = {
    CHAIN: ["Variable", "Square", "Exp", "square", "exp"],
    TREE: ["Variable", "Mul", "Tanh", "Pow", "mul", "tanh"],
}
BUGS = [
    (CHAIN, "2 * self.input.data * gy", "2 * self.input.data", ["Square", "square"]),
    (CHAIN, "np.exp(self.input.data) * gy", "np.exp(self.input.data)", ["Exp", "exp"]),
    (CHAIN, "f.backward(f.output.grad)", "f.backward(self.grad)", ["Variable"]),
    (TREE, "grad if x.grad is None else x.grad + grad", "grad", ["Variable"]),
    (TREE, "gy * x1, gy * x0", "gy * x0, gy * x1", ["Mul", "mul"]),
    (TREE, "(1 - self.outputs[0].data ** 2)", "(1 - self.outputs[0].data)", ["Tanh", "tanh"]),
]


def checked(tmp_path, text):
    path = tmp_path / "steps.py"
    path.write_text(text)
    return verify_all(path, isolated=False)


@pytest.mark.parametrize("text", NAMES, ids=["chain", "tree"])
def test_each_function_and_the_variable_are_right(tmp_path, text):
    sheet = checked(tmp_path, text)

    assert {v.name: (v.kind, v.outcome) for v in sheet.verdicts} == {
        name: (OWN_LAYER, "right") for name in NAMES[text]
    }
    assert "Function" not in sheet.unknown


@pytest.mark.parametrize("text, old, new, wrong", BUGS, ids=[bug[2] for bug in BUGS])
def test_what_has_the_bug_is_wrong_and_nothing_else(tmp_path, text, old, new, wrong):
    assert text.count(old) == 1
    sheet = checked(tmp_path, text.replace(old, new))

    assert [v.name for v in sheet.verdicts if v.outcome == "wrong"] == wrong
    if new == "grad":
        assert "a variable that is used twice keeps the gradient that comes last" in str(sheet)


def test_without_a_backward_of_the_variable_the_functions_are_asked_for_theirs(tmp_path):
    before, _, after = CHAIN.partition("    def backward(self):\n        if self.grad")
    sheet = checked(tmp_path, before + after[after.index("class Function") :])

    assert Counter(v.outcome for v in sheet.verdicts) == {"right": 2}
    assert "Square()(x) of nodes, then its backward(gy)" in str(sheet)


def test_of_an_engine_with_operators_the_other_functions_are_listed(tmp_path):
    path = tmp_path / "steps.py"
    path.write_text(TREE + "\nVariable.__mul__ = mul\n")
    kinds = {one.name: one.kind for one in listed(path)}

    assert "Variable" not in kinds or kinds["Variable"] != OWN_LAYER
    assert kinds.get("Mul", "") == kinds.get("mul", "") == ""
    assert (kinds["Pow"], kinds["Tanh"]) == (OWN_LAYER, "tanh")  # which an engine is asked for as that kind
