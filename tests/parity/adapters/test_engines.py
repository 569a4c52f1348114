"""Each operator of an autograd engine has a verdict of its own, in the ways in which people write engines."""

import re

import pytest

from parity.verification.listing import listed
from parity.verification.verify import verify
from parity.verification.whole import verify_all

WALK = """
        order, seen = [], set()

        def visit(node):
            if id(node) not in seen:
                seen.add(id(node))
                for parent, _ in node.parents:
                    visit(parent)
                order.append(node)

        visit(self)
        self.grad = SEED
        for node in reversed(order):
            for parent, back in node.parents:
                grad = back(node.grad)
                parent.grad = grad if parent.grad is None else parent.grad + grad
"""
NUMBERS = """
import math


class Value:
    def __init__(self, data, parents=()):
        self.data, self.parents, self.grad = data, parents, None

    def __add__(self, other):
        return Value(self.data + other.data, [(self, lambda g: g), (other, lambda g: g)])

    def __mul__(self, other):
        back = [(self, lambda g: g * other.data), (other, lambda g: g * self.data)]
        return Value(self.data * other.data, back)

    def __sub__(self, other):
        return self + other * Value(-1.0)

    def __pow__(self, k):
        return Value(self.data**k, [(self, lambda g: g * k * self.data ** (k - 1))])

    def exp(self):
        e = math.exp(self.data)
        return Value(e, [(self, lambda g: g * e)])

    def relu(self):
        return Value(max(self.data, 0.0), [(self, lambda g: g * (self.data > 0))])

    def backward(self):""" + WALK.replace("SEED", "1.0")
ARRAYS = """
import numpy as np


def fit(grad, like):
    while grad.ndim > like.ndim:
        grad = grad.sum(axis=0)
    return grad.sum(axis=tuple(i for i, n in enumerate(like.shape) if n == 1), keepdims=True)


class Tensor:
    def __init__(self, data, parents=()):
        self.data, self.parents, self.grad = np.asarray(data), parents, None

    def of(self, other, data, back, other_back):
        one = lambda g: fit(back(g), self.data)
        return Tensor(data, [(self, one), (other, lambda g: fit(other_back(g), other.data))])

    def __add__(self, other):
        return self.of(other, self.data + other.data, lambda g: g, lambda g: g)

    def __sub__(self, other):
        return self.of(other, self.data - other.data, lambda g: g, lambda g: -g)

    def __mul__(self, other):
        return self.of(other, self.data * other.data, lambda g: g * other.data, lambda g: g * self.data)

    def __truediv__(self, other):
        slope = lambda g: -g * self.data / other.data**2
        return self.of(other, self.data / other.data, lambda g: g / other.data, slope)

    def __neg__(self):
        return Tensor(-self.data, [(self, lambda g: -g)])

    def __matmul__(self, other):
        back = [(self, lambda g: g @ other.data.T), (other, lambda g: self.data.T @ g)]
        return Tensor(self.data @ other.data, back)

    def __pow__(self, k):
        return Tensor(self.data**k, [(self, lambda g: g * k * self.data ** (k - 1))])

    def sum(self):
        return Tensor(self.data.sum(), [(self, lambda g: g * np.ones_like(self.data))])

    def mean(self):
        return Tensor(self.data.mean(), [(self, lambda g: g * np.ones_like(self.data) / self.data.size)])

    def exp(self):
        return Tensor(np.exp(self.data), [(self, lambda g: g * np.exp(self.data))])

    def relu(self):
        return Tensor(np.maximum(self.data, 0), [(self, lambda g: g * (self.data > 0))])

    def backward(self):""" + WALK.replace("SEED", "np.ones_like(self.data)")


def taking_numbers(source, name):
    """The engine with plain numbers on the right of its operators."""
    made = f"other if isinstance(other, {name}) else {name}(other)"
    return re.sub(r"(def __\w+__\(self, other\):\n)", rf"\1        other = {made}\n", source)


NUMBERS, ARRAYS = taking_numbers(NUMBERS, "Value"), taking_numbers(ARRAYS, "Tensor")
SCALARS_ALONE = ARRAYS.replace("order, seen", "assert self.data.size == 1\n        order, seen")
BY_CALLS = re.sub(
    r"def backward.*",
    """def backward(self, grad=None):
        grad = np.ones_like(self.data) if grad is None else grad
        self.grad = grad if self.grad is None else self.grad + grad
        for parent, back in self.parents:
            parent.backward(back(grad))
""",
    ARRAYS,
    flags=re.DOTALL,
)
FLAGGED = (
    BY_CALLS.replace("grad=None):", "gradient=None, retain_graph=False):\n        grad = gradient", 1)
    .replace(
        "parents=()):", "parents=(), requires_grad=False):\n        self.flag = requires_grad or parents"
    )
    .replace(
        "        for parent, back",
        "        for parent, back in self.parents if self.flag else ():\n            assert parent.flag\n"
        "        for parent, back",
    )
)
REFUSES = ARRAYS.replace("    def of(self", "    def of(self", 1).replace(
    "        one = lambda",
    "        assert self.data.shape == other.data.shape, 'other shapes'\n        one = lambda",
)
FUNCTIONS = """
import numpy as np


class Variable:
    def __init__(self, data):
        if not isinstance(data, np.ndarray):
            raise TypeError(f"{type(data)} is not supported")
        self.data, self.grad, self.creator, self.level = data, None, None, 0

    def backward(self, retain_grad=False):
        if self.grad is None:
            self.grad = np.ones_like(self.data)
        left = [self.creator]
        while left:
            left.sort(key=lambda f: f.level)
            function = left.pop()
            grads = function.backward(function.output.grad)
            for x, grad in zip(function.inputs, grads if isinstance(grads, tuple) else (grads,)):
                x.grad = grad if x.grad is None else x.grad + grad
                if x.creator is not None and x.creator not in left:
                    left.append(x.creator)


class Function:
    def __call__(self, *inputs):
        self.inputs, self.level = inputs, max(x.level for x in inputs)
        self.output = Variable(np.asarray(self.forward(*(x.data for x in inputs))))
        self.output.creator, self.output.level = self, self.level + 1
        return self.output


class Add(Function):
    def forward(self, a, b):
        return a + b

    def backward(self, gy):
        return gy, gy


class Mul(Function):
    def forward(self, a, b):
        return a * b

    def backward(self, gy):
        return gy * self.inputs[1].data, gy * self.inputs[0].data


class Sigmoid(Function):
    def forward(self, x):
        return 0.5 + 0.5 * np.tanh(0.5 * x)

    def backward(self, gy):
        y = self.output.data
        return gy * y * (1 - y)


def add(a, b):
    return Add()(a, b)


def mul(a, b):
    return Mul()(a, b)


Variable.__add__ = add
Variable.__mul__ = mul
"""
LINEAR = (
    FUNCTIONS
    + """

class MatMul(Function):
    def forward(self, a, b):
        return a @ b

    def backward(self, gy):
        a, b = self.inputs
        return gy @ b.data.T, a.data.T @ gy


class Linear(Function):
    def forward(self, x, W, b):
        return x @ W + b

    def backward(self, gy):
        x, W, b = self.inputs
        return gy @ W.data.T, x.data.T @ gy, gy.sum(axis=0)


def linear(x, W, b):
    return Linear()(x, W, b)
"""
)
OF_NUMBERS = ["__add__", "__sub__", "__mul__", "__pow__", "exp", "relu"]
OF_ARRAYS = [
    *("__add__", "__sub__", "__neg__", "__mul__", "__truediv__", "__matmul__", "sum", "mean", "__pow__"),
    *("exp", "relu"),
]
FEW = ["__add__", "__mul__", "__matmul__", "sum"]
RIGHT = {  # source, what has a verdict
    "numbers": (NUMBERS, OF_NUMBERS),
    "arrays": (ARRAYS, OF_ARRAYS),
    "scalars alone": (SCALARS_ALONE, FEW),
    "by calls": (BY_CALLS, FEW),
    "flagged": (FLAGGED, FEW),
}


def verdicts(tmp_path, source, names=()):
    """Of what the file defines; or of these operators alone."""
    path = tmp_path / "engine.py"
    path.write_text(source)
    if not names:
        return {v.name.rpartition(".")[2]: v for v in verify_all(path, isolated=False).verdicts}
    cls = "Value" if "class Value" in source else "Tensor"
    kinds = {one.name: one.kind for one in listed(path)}
    return {n: verify(f"{path}:{cls}.{n}", kinds[f"{cls}.{n}"], isolated=False) for n in names}


@pytest.mark.parametrize("style", RIGHT)
def test_a_right_engine_is_right_in_every_operator(tmp_path, style):
    source, names = RIGHT[style]
    found = verdicts(tmp_path, source, FEW if names == FEW else ())
    assert {n: v.outcome for n, v in found.items()} == dict.fromkeys(names, "right"), [
        *map(str, found.values())
    ]
    if style != "flagged":  # it refuses to go back to a plain number
        assert not any(v.not_checked for v in found.values() if v.kind == "affine")


def test_what_it_refuses_is_not_checked(tmp_path):
    found = verdicts(tmp_path, REFUSES, ["__add__", "__sub__", "__mul__", "__matmul__"])
    assert {v.outcome for v in found.values()} == {"right"}
    for name, sign in (("__add__", "+"), ("__sub__", "-"), ("__mul__", "*")):
        assert f"broadcasting in rows {sign} x (raised AssertionError: other shapes" in str(found[name])
    assert "not checked" not in str(found["__matmul__"])


def test_operators_that_a_class_is_given_later_are_its_own(tmp_path):
    path = tmp_path / "functions.py"
    path.write_text(FUNCTIONS)
    assert [one.name for one in listed(path) if one.kind] == [
        *("Variable.__add__", "Variable.__mul__", "Sigmoid")
    ]
    found = verdicts(tmp_path, FUNCTIONS)
    assert found["Sigmoid"].outcome == "right" and "in Variable; __call__(*inputs)" in found["Sigmoid"].called
    # gy is handed on as it is, whatever the shapes
    assert {found[name].outcome for name in ("__add__", "__mul__")} == {"wrong"}
    assert "shape (3, 12), expected" in str(found["__add__"]) or "broadcast" in str(found["__add__"])


# What is written instead -> the operators that are then wrong, and what is said.
WRONG = {
    "one operand": (NUMBERS, "(self, lambda g: g), (other", "(other", {"__add__", "__sub__"}, ""),
    "no chain": (NUMBERS, "lambda g: g * other.data", "lambda g: other.data", {"__mul__", "__sub__"}, ""),
    "power": (NUMBERS, "(k - 1)", "k", {"__pow__"}, "wrong: dx; right: loss"),
    "exponential": (NUMBERS, "lambda g: g * e", "lambda g: g * self.data", {"exp"}, ""),
    "activation": (NUMBERS, "g * (self.data > 0)", "(self.data > 0)", {"relu"}, "wrong: dx; right: out"),
    "division": (ARRAYS, "-g * self.data", "g * self.data", {"__truediv__"}, "wrong: dW"),
    "second operand": (ARRAYS, "lambda g: -g)", "lambda g: g)", {"__sub__"}, "wrong: db"),
    "matrices": (ARRAYS, "self.data.T @ g", "self.data.T @ g / len(g)", {"__matmul__"}, "wrong: dW"),
    "sum": (
        ARRAYS,
        "g * np.ones_like(self.data))])\n\n    def mean",
        "np.ones_like(self.data))])\n\n    def mean",
        {"sum"},
        "",
    ),
    "mean": (ARRAYS, " / self.data.size", "", {"mean"}, "wrong: dx, dW"),
}


@pytest.mark.parametrize("bug", WRONG)
def test_a_bug_is_found_in_the_operator_that_has_it(tmp_path, bug):
    source, right, wrong, names, said = WRONG[bug]
    assert right in source
    others = OF_NUMBERS if bug == "one operand" else [*names, "__add__"]
    found = verdicts(tmp_path, source.replace(right, wrong, 1), others)
    assert {n for n, v in found.items() if v.outcome == "wrong"} == names, {
        n: v.headline for n, v in found.items()
    }
    assert all(said in str(found[name]) for name in names)


STRETCHED = {
    "a row": (r"while grad.ndim > like.ndim", "while False", "rows"),
    "a column": (r"if n == 1", "if False", "columns"),
}


@pytest.mark.parametrize("what", STRETCHED)
def test_a_gradient_that_is_not_summed_over_copies_is_wrong(tmp_path, what):
    right, wrong, name = STRETCHED[what]
    found = verdicts(tmp_path, ARRAYS.replace(right, wrong), ["__add__", "__sub__", "__mul__", "__matmul__"])
    wrong = {n for n, v in found.items() if v.outcome == "wrong"}
    assert wrong == {"__add__", "__sub__", "__mul__"}
    text = str(found["__add__"])
    assert (
        f"dx of {name} + x" in text
        and "the gradient of what is broadcast is the sum over all its copies" in text
    )


WALKS = {  # how the graph is walked instead
    "no order": (
        "order.append(node)\n\n        visit",
        "pass\n\n        visit",
        "seen.add(id(node))",
        "seen.add(id(node)); order.insert(0, node)",
    ),
    "every time": ("if id(node) not in seen:", "if True:", "", ""),
}


@pytest.mark.parametrize("walk", WALKS)
@pytest.mark.parametrize("source", [NUMBERS, ARRAYS], ids=["numbers", "arrays"])
def test_a_result_that_is_used_twice_passes_on_all_of_its_gradient(tmp_path, source, walk):
    right, wrong, also, instead = WALKS[walk]
    assert right in source
    written = source.replace(right, wrong)
    found = verdicts(tmp_path, written.replace(also, instead) if also else written, ["__mul__"])
    text = str(found["__mul__"])
    assert found["__mul__"].outcome == "wrong" and "y that is used twice passes on the whole" in text, text


def test_each_use_at_once_is_as_good_as_an_order(tmp_path):
    found = verdicts(tmp_path, BY_CALLS, ["__mul__"])
    rows = [row for row in found["__mul__"].records if "y = x + x" in row.tensor]
    assert len(rows) == 3 and all(row.ok for row in rows)


def test_the_verdict_says_what_of_it_is_the_engine_s(tmp_path):
    text = str(verdicts(tmp_path, NUMBERS, ["__mul__"])["__mul__"])
    assert (
        "A * B, with A of x and B of W; their sums and b by NumPy (Value's operator, for one number" in text
    )


SUMMED = """
class Value:
    def __init__(self, data, children=()):
        self.data, self.grad, self.children, self.slope = data, 0.0, children, lambda: None

    def __add__(self, other):
        out = Value(float(self.data) + float(other.data), (self, other))
        def slope():
            self.grad += out.grad
            other.grad += out.grad
        out.slope = slope
        return out

    def sum(self):
        return Value(sum(self.data), (self,))

    def backward(self):
        self.grad = 1.0
        left = [self]
        while left:
            node = left.pop(0)
            node.slope()
            left += node.children
"""


def test_what_an_engine_cannot_be_asked_is_said_in_words(tmp_path):
    file = tmp_path / "engine.py"
    file.write_text(SUMMED)
    verdict = verify(f"{file}:Value.sum", "affine")
    assert verdict.outcome == "not_checked"
    assert verdict.headline.endswith("checked: its nodes hold single numbers, of which there is no sum")
    assert "NoGradient" not in str(verdict)


def test_a_function_of_an_engine_that_is_called_with_its_weights_is_a_layer(tmp_path):
    file = tmp_path / "engine.py"
    file.write_text(LINEAR)
    for name in ("Linear", "linear"):
        assert verify(f"{file}:{name}", "affine").outcome == "right"
    file.write_text(LINEAR.replace("gy.sum(axis=0)", "gy.mean(axis=0)"))
    for name in ("Linear", "linear"):
        assert verify(f"{file}:{name}", "affine").outcome == "wrong"


OF_NODES = (
    LINEAR
    + """

class Exp(Function):
    def forward(self, x):
        return np.exp(x)

    def backward(self, gy):
        return gy * self.output.data


class Reshape(Function):
    def __init__(self, shape):
        self.shape = shape

    def forward(self, x):
        return x.reshape(self.shape)

    def backward(self, gy):
        return gy.reshape(self.inputs[0].data.shape)


def exp(x):
    return Exp()(x)


def matmul(a, b):
    return MatMul()(a, b)


def reshape(x, shape):
    return Reshape(shape)(x)
"""
)


def test_functions_of_nodes_are_operators(tmp_path):
    file = tmp_path / "engine.py"
    file.write_text(OF_NODES)
    sheet = verify_all(file, isolated=False)
    found = {v.name.rpartition(":")[2]: v for v in sheet.verdicts}
    assert {found[name].outcome for name in ("exp", "matmul", "reshape")} == {"right"}
    assert "by exp() of Variable" in found["exp"].called
    assert {sheet.left_out[name] for name in ("add", "Mul", "Exp")} == {"used by what was checked"}
    wrong = OF_NODES.replace("gy * self.output.data", "gy").replace(
        "return gy @ b.data.T,", "return gy @ b.data,", 1
    )
    other = tmp_path / "other.py"
    other.write_text(wrong)
    for name, kind in (("exp", "elu"), ("matmul", "affine")):
        assert verify(f"{other}:{name}", kind, isolated=False).outcome == "wrong"


def test_a_function_of_that_name_beside_no_engine_is_none(tmp_path):
    file = tmp_path / "arrays.py"
    file.write_text("import numpy as np\n\n\ndef exp(x):\n    return np.exp(x)\n")
    assert not listed(file)
