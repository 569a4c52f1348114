"""Reversed operators of an autograd engine have verdicts of their own; numbers and axes are asked for."""

import re

import pytest
from engines import ARRAYS, NUMBERS, WALK

from parity.verification.listing import listed
from parity.verification.verify import verify
from parity.verification.whole import verify_all

OF_NUMBERS = [
    *("__add__", "__sub__", "__neg__", "__mul__", "__truediv__", "__pow__", "__rsub__", "__rtruediv__"),
    *("__rpow__", "__iadd__"),
]
OF_ARRAYS = ["__add__", "__mul__", "__matmul__", "sum", "mean", "__radd__", "__rmul__", "__rmatmul__"]


def verdicts(tmp_path, source, names):
    path = tmp_path / f"engine_{len(list(tmp_path.iterdir()))}.py"  # a file is imported once
    path.write_text(source)
    kinds = {one.name: one.kind for one in listed(path)}
    cls = "Value" if "class Value" in source else "Tensor"
    return {n: verify(f"{path}:{cls}.{n}", kinds[f"{cls}.{n}"], isolated=False) for n in names}


def test_reversed_operators_are_right_and_second_names_are_not_listed_twice(tmp_path):
    path = tmp_path / "engine.py"
    path.write_text(NUMBERS)
    sheet = verify_all(path, isolated=False)
    found = {v.name.rpartition(".")[2]: v for v in sheet.verdicts}
    assert sorted(found) == sorted(OF_NUMBERS)
    assert {v.outcome for v in found.values()} == {"right"} and not any(v.not_checked for v in found.values())
    assert sheet.left_out["Value.__radd__"] == sheet.left_out["Value.__rmul__"] == "checked with its function"
    assert sheet.left_out["Value.__isub__"] == "not checked: an operator that has no verdict of its own"
    assert "c - A, with a plain number c" in found["__rsub__"].called


def test_those_of_arrays_are_right(tmp_path):
    found = verdicts(tmp_path, ARRAYS, OF_ARRAYS)
    assert {n: (v.outcome, v.not_checked) for n, v in found.items()} == dict.fromkeys(
        OF_ARRAYS, ("right", [])
    )


# What is written instead -> the operator, and what is said of it.
WRONG = {
    "1 - x is 1 + x": (
        NUMBERS,
        r"return -self \+ other",
        "return self + other",
        "__rsub__",
        "wrong: out, dx, dW",
    ),
    "1 - x is x - 1": (NUMBERS, r"def __rsub__.*\n.*\n", "__rsub__ = __sub__\n", "__rsub__", "wrong: out"),
    "2 / x is x / 2": (NUMBERS, r"return self\*\*-1 \* other", "return self / other", "__rtruediv__", ""),
    "2 ** x without log": (NUMBERS, r"math.log\(base\) \* out", "out", "__rpow__", "right: out"),
    "2 ** x is x ** 2": (NUMBERS, r"return Value\(out, .*", "return self**base", "__rpow__", ""),
    "2 * x": (ARRAYS, r"return self \* other\n", "return self + other\n", "__rmul__", ""),
    "2 + x": (ARRAYS, r"return self \+ other\n", "return Tensor(self.data + other)\n", "__radd__", ""),
    "array @ x": (ARRAYS, r"Tensor\(other\) @ self", "self @ Tensor(other)", "__rmatmul__", ""),
    "x += y": (
        NUMBERS,
        r"__iadd__\(self, other\):\n        return self \+",
        "__iadd__(self, other):\n        return self -",
        "__iadd__",
        "",
    ),
    "x - 3": (
        NUMBERS,
        r"self \+ -other",
        "self + (-other if isinstance(other, Value) else other)",
        "__sub__",
        "out of x - 3",
    ),
    "x * 3": (ARRAYS, r"(__mul__.*\n.*else Tensor\()other", r"\1-other", "__mul__", "out of x * 3"),
    "3 + x": (
        ARRAYS.replace("__add__ = __add__", ""),
        r"(__add__.*\n.*else Tensor\()other",
        r"\1-other",
        "__add__",
        "out of x + 3",
    ),
    "x ** 3": (NUMBERS, r"k \* self.data \*\* \(k - 1\)", "2 * self.data", "__pow__", "dx of x ** 3"),
    "x ** 2 used twice": (
        NUMBERS,
        r"return Value\(self.data\*\*k.*",
        "out = Value(self.data**k, (self,))\n"
        "        out.push = lambda g: setattr(self, 'grad', k * self.data ** (k - 1) * g)\n"
        "        return out",
        "__pow__",
        "dx of x ** 2 + x ** 2",
    ),
    "x.sum(axis=1)": (ARRAYS, r"np.expand_dims\(g, axis\)", "g", "sum", "dx of x.sum(axis=1)"),
    "x.mean(axis=0)": (ARRAYS, r"self.data.size if .*", "self.data.size", "mean", "out of x.mean(axis=0)"),
}


@pytest.mark.parametrize("bug", WRONG)
def test_a_bug_is_found_in_the_operator_that_has_it(tmp_path, bug):
    source, right, wrong, name, said = WRONG[bug]
    written = re.sub(right, wrong, source, count=1)
    assert written != source
    others = ["__add__"] if name not in ("__add__",) else ["__mul__"]
    found = verdicts(tmp_path, written, [name, *others])
    assert {n for n, v in found.items() if v.outcome == "wrong"} == {name}, [*map(str, found.values())]
    assert said in str(found[name])


def test_what_an_operator_refuses_is_named(tmp_path):
    source = ARRAYS.replace("other if isinstance(other, Tensor) else Tensor(other)", "other")
    found = verdicts(tmp_path, source, ["__add__", "__mul__"])
    assert {v.outcome for v in found.values()} == {"right"}
    assert "x * 3 (raised AttributeError" in str(found["__mul__"])


def test_operators_given_outside_of_the_class_are_seen_once(tmp_path):
    path = tmp_path / "engine.py"
    given = (
        "\nTensor.__radd__ = Tensor.__add__\nTensor.__rsub__ = Tensor.__sub__ = lambda a, b: a + b * -1.0\n"
    )
    path.write_text(re.sub(r"    def __radd__.*\n.*\n", "", ARRAYS) + given)
    names = [one.name.rpartition(".")[2] for one in listed(path) if one.kind]
    assert "__radd__" not in names and {"__rsub__", "__sub__"} <= {*names}


@pytest.mark.parametrize("name", ["__add__", "__mul__"])
def test_the_left_operand_may_be_stretched(tmp_path, name):
    source = re.sub(r"self\.take\(g( \* other\.data)?\),", r"self.put(g\1),", ARRAYS).replace(
        "    def take(", "    def put(self, grad):\n        self.grad = self.grad + grad\n\n    def take("
    )
    found = verdicts(tmp_path, source, [name])[name]
    assert found.outcome == "wrong" and re.search(r"dx of x [+*] rows", str(found)), str(found)


def test_a_backward_that_crashes_where_forward_broadcasts_is_wrong(tmp_path):
    source = ARRAYS.replace("self.grad = self.grad + fit(grad, self.data.shape)", "self.grad += grad")
    found = verdicts(tmp_path, source, ["__add__", "__matmul__"])
    assert found["__add__"].outcome == "wrong" and found["__matmul__"].outcome == "right"
    assert "its forward gives a result, and its backward raised ValueError" in str(found["__add__"])
    on_purpose = source.replace(
        "self.grad += grad", "assert grad.shape == self.grad.shape; self.grad += grad"
    )
    found = verdicts(tmp_path, on_purpose, ["__add__"])["__add__"]
    assert found.outcome == "right" and "broadcasting in x + rows (raised AssertionError" in str(found)


def test_a_row_that_is_taken_as_a_matrix_alone_is_named_and_the_matrix_is_judged(tmp_path):
    one = ARRAYS.replace("grad.ndim > len(shape)", "False").replace(
        "self.grad = self.grad + fit", "self.grad += fit"
    )
    found = verdicts(tmp_path, one, ["__add__", "__mul__"])
    assert {v.outcome for v in found.values()} == {"right"}, [*map(str, found.values())]
    assert "a row (D,) in x + rows, for which it takes (1, D) alone (raised ValueError" in str(
        found["__add__"]
    )
    wrong = one.replace("n == 1), keepdims=True)", "n == 1), keepdims=True) / (1 + (shape[0] == 1))")
    assert verdicts(tmp_path, wrong, ["__add__"])["__add__"].outcome == "wrong"
    refuses = ARRAYS.replace(
        "        return Tensor(self.data + ",
        "        assert self.data.ndim == other.data.ndim\n        return Tensor(self.data + ",
    )
    found = verdicts(tmp_path, refuses, ["__add__"])["__add__"]
    assert found.outcome == "right" and "a row (D,) in rows + x" in str(found)


def test_an_engine_that_broadcasts_by_a_method_alone_is_not_asked_to_do_it_in_operators(tmp_path):
    source = ARRAYS.replace("fit(grad, self.data.shape)", "grad").replace(
        "    def sum(", "    def expand(self, shape):\n        return self\n\n    def sum("
    )
    found = verdicts(tmp_path, source, ["__add__", "__mul__"])
    assert {v.outcome for v in found.values()} == {"right"}
    assert "broadcasting, which it leaves to .expand()" in str(found["__add__"])
    one = source.replace("other.take(g))", "other.take(fit(g, other.data.shape)))")
    assert verdicts(tmp_path, one, ["__mul__"])["__mul__"].outcome == "wrong"


def test_nodes_whose_data_is_a_node_are_read_from_their_array(tmp_path):
    source = re.sub(r"self\.data\b", "self.cached_data", ARRAYS)
    source = re.sub(r"other\.data\b", "other.cached_data", source).replace(
        "    def take(",
        "    @property\n    def data(self):\n        return Tensor(self.cached_data)\n\n    def take(",
    )
    found = verdicts(tmp_path, source, ["__add__", "__matmul__"])
    assert {v.outcome for v in found.values()} == {"right"}


SOFTMAX = """
    def softmax(self):
        e = np.exp(self.data - self.data.max(axis=1, keepdims=True))
        y = e / e.sum(axis=1, keepdims=True)
        return Tensor(y, (self,), lambda g: self.take(y * (g - (g * y).sum(axis=1, keepdims=True))))
"""


def test_a_softmax_of_an_engine_is_asked_in_rows(tmp_path):
    source = ARRAYS.replace("\n    def sum(", SOFTMAX + "\n    def sum(")
    assert verdicts(tmp_path, source, ["softmax"])["softmax"].outcome == "right"
    wrong = source.replace("(g * y).sum(axis=1, keepdims=True)", "(g * y).sum()")
    assert verdicts(tmp_path, wrong, ["softmax"])["softmax"].outcome == "wrong"


OF_A_DIM = """    def sum(self, dim):
        push = lambda g: self.take(np.expand_dims(g, dim) * np.ones_like(self.data))
        return Tensor(self.data.sum(dim), (self,), push)
"""


def test_a_sum_that_asks_for_its_axis_is_checked_along_it(tmp_path):
    source = re.sub(r"    def sum.*(?=\n    def backward)", lambda _: OF_A_DIM, ARRAYS, flags=re.DOTALL)
    assert verdicts(tmp_path, source, ["sum"])["sum"].outcome == "right"
    wrong = verdicts(tmp_path, source.replace("np.expand_dims(g, dim)", "g"), ["sum"])["sum"]
    assert wrong.outcome == "wrong" and "dx of x.sum(axis=1)" in str(wrong)


def test_an_engine_in_single_precision_is_right_but_for_that(tmp_path):
    source = ARRAYS.replace("np.asarray(data)", "np.asarray(data, np.float32)").replace(
        "dtype=float)", "dtype=np.float32)"
    )
    found = verdicts(tmp_path, source, ["__add__", "__mul__", "mean", "__radd__"])
    assert {v.outcome for v in found.values()} == {"right_but"}, [*map(str, found.values())]
    bug = source.replace("other.take(g * self.data)", "other.take(g * self.data * 1.01)")
    assert verdicts(tmp_path, bug, ["__mul__"])["__mul__"].outcome == "wrong"


def test_a_graph_of_two_steps_that_cannot_go_back_is_wrong(tmp_path):
    source = ARRAYS.replace("in reversed(order)", "in order").replace(
        "self.grad = np.zeros_like(self.data, dtype=float)", "self.grad = None"
    )
    source = source.replace(
        "self.grad = self.grad + fit(grad, self.data.shape)",
        "self.grad = fit(grad, self.data.shape) + (0 if self.grad is None else self.grad)",
    ).replace(
        "self.grad = self.grad * 0 + 1", "self.grad = np.ones(self.data.shape) if grad is None else grad"
    )
    source = source.replace("def backward(self)", "def backward(self, grad=None)")
    found = verdicts(tmp_path, source, ["__add__"])["__add__"]
    assert found.outcome == "wrong" and "dx of y + y, y = x + x" in str(found)
    right = source.replace("in order:", "in reversed(order):")
    assert verdicts(tmp_path, right, ["__add__"])["__add__"].outcome == "right"


def test_a_product_of_matrices_hands_a_gradient_over_where_nothing_else_does(tmp_path):
    source = re.sub(
        r"    def (__mul__|sum|mean|__rmul__|__rmatmul__).*?(?=\n    def )", "", ARRAYS, flags=re.DOTALL
    )
    source = source.replace("__matmul__", "matmul")
    found = verdicts(tmp_path, source, ["matmul", "__add__"])
    assert {v.outcome for v in found.values()} == {"right"}, [*map(str, found.values())]
    wrong = source.replace("g @ other.data.T", "g @ other.data")
    assert verdicts(tmp_path, wrong, ["matmul"])["matmul"].outcome == "wrong"


ARRAYS_OF_NUMBERS = (
    """
import numpy as np


class Node:
    def __init__(self, data, parents=(), push=lambda g: None):
        self.data, self.parents, self.push = np.array(data, dtype=float), parents, push
        self.grad = np.zeros_like(self.data)

    def add_up(self, g):
        self.grad += g

    def __add__(self, other):
        return Node(self.data + other.data, (self, other), lambda g: (self.add_up(g), other.add_up(g)))

    def __truediv__(self, other):
        if other.data == 0:
            raise ZeroDivisionError("division by zero")
        push = lambda g: (self.add_up(g / other.data), other.add_up(-g * self.data / other.data**2))
        return Node(self.data / other.data, (self, other), push)

    def relu(self):
        out = Node(0 if self.data < 0 else self.data, (self,))
        out.push = lambda g: self.add_up((out.data > 0) * g)
        return out
"""
    + WALK
)


def test_an_operator_that_takes_no_arrays_is_asked_for_single_numbers(tmp_path):
    path = tmp_path / "node.py"
    path.write_text(ARRAYS_OF_NUMBERS)
    for name, kind in (("__truediv__", "affine"), ("relu", "relu")):
        found = verify(f"{path}:Node.{name}", kind, isolated=False)
        assert found.outcome == "right" and "for one number after another" in found.called, str(found)
    added = verify(f"{path}:Node.__add__", "affine", isolated=False)  # equal shapes alone, which is said
    assert added.outcome == "right" and "broadcasting in rows + x (raised ValueError" in str(added)
    wrong = tmp_path / "wrong.py"
    wrong.write_text(ARRAYS_OF_NUMBERS.replace("(-g *", "(g *"))
    assert verify(f"{wrong}:Node.__truediv__", "affine", isolated=False).outcome == "wrong"
    arrays = tmp_path / "arrays.py"  # what is made for arrays is to take them
    arrays.write_text(
        ARRAYS_OF_NUMBERS.replace("    def relu", "    def sum(self):\n        pass\n\n    def relu")
    )
    assert verify(f"{arrays}:Node.relu", "relu", isolated=False).outcome == "not_checked"


CROSS_ENTROPY = """

def cross_entropy(logits, labels):
    picked = logits.softmax()[np.arange(len(labels)), labels]
    return picked.log().mean() * -1.0
"""
PICKED = """
    def log(self):
        return Tensor(np.log(self.data), (self,), lambda g: self.take(g / self.data))

    def __getitem__(self, at):
        def push(g):
            full = np.zeros(self.data.shape)
            np.add.at(full, at, g)
            self.take(full)

        return Tensor(self.data[at], (self,), push)
"""


def test_a_loss_that_calls_a_method_of_the_node_is_handed_a_node(tmp_path):
    source = ARRAYS.replace("\n    def sum(", SOFTMAX + PICKED + "\n    def sum(") + CROSS_ENTROPY
    for name, written, outcome in (
        ("right", source, "right_but"),  # it overflows
        ("wrong", source.replace("* -1.0", "* -2.0"), "wrong"),
    ):
        (tmp_path / f"{name}.py").write_text(written)
        found = verify(f"{tmp_path}/{name}.py:cross_entropy", "softmax_with_loss", isolated=False)
        assert found.outcome == outcome and "in Tensor" in found.called, str(found)
