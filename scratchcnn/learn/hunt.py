"""The bug hunt: a small file with one known bug and the tests that most people would write, which pass.

right/KIND.py    a right implementation in the book's style, NumPy alone
bugs.json        {kind: {name in the catalogue: [[old, new], ...]}}, what is replaced to get the bug
"""

from __future__ import annotations

import json
import textwrap
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from scratchcnn.learn.texts import messages
from scratchcnn.lookup import nearest

HERE = Path(__file__).parent
WIDTH = 96
MOST_TESTS = 2  # so that a file has at most 80 lines

LAYER = """
def test_shapes():
    layer = {make}
    x = {x}
    out = layer.forward(x)
    assert out.shape == {shape}
    layer.backward(np.ones_like(out))
"""
GRADIENT = """
def test_gradient():
    layer = {make}
    x, h = {x}, 1e-4
    dx = layer.backward(np.ones_like(layer.forward(x)))
    for index in np.ndindex(x.shape):
        step = np.zeros_like(x)
        step[index] = h
        slope = (layer.forward(x + step).sum() - layer.forward(x - step).sum()) / (2 * h)
        assert abs(dx[index] - slope) < 1e-3
"""
VALUE = """
def test_value():
    layer = {make}
    assert np.allclose(layer.forward({x}), {value})
"""
MASK = """
def test_value():
    layer = {make}
    out = layer.forward({x})
    assert np.allclose(out, {value})
"""
LOSS = (
    """
def test_it_is_log_10_for_equal_scores():
    layer = SoftmaxWithLoss()
    loss = layer.forward(np.zeros((1, 10)), np.array([3]))
    assert abs(loss - np.log(10)) < 1e-4
""",
    """
def test_it_is_a_number():
    layer = SoftmaxWithLoss()
    loss = layer.forward(np.zeros((2, 10)), np.array([3, 4]))
    assert np.isfinite(loss) and layer.backward().shape == (2, 10)
""",
)
OPTIMIZER = (
    """
def test_it_goes_downhill():
    optimizer, params = {make}, {{"x": np.array([3.0, -2.0])}}
    for _ in range(30):
        optimizer.update(params, {{"x": 2 * params["x"]}})
    assert np.sum(params["x"] ** 2) < 13
""",
    """
def test_it_moves():
    optimizer, params = {make}, {{"x": np.array([3.0, -2.0])}}
    optimizer.update(params, {{"x": 2 * params["x"]}})
    assert not np.array_equal(params["x"], [3.0, -2.0])
""",
)
FUNCTIONS = {
    "im2col": (
        "\ndef test_shape():\n    assert im2col(np.ones((1, 3, 7, 7)), 5, 5).shape == (9, 75)\n",
        "\ndef test_one_channel():\n    assert im2col(np.ones((1, 1, 4, 4)), 2, 2).shape == (9, 4)\n",
    ),
    "col2im": (
        "\ndef test_shape():\n    img = col2im(np.ones((9, 75)), (1, 3, 7, 7), 5, 5)\n"
        "    assert img.shape == (1, 3, 7, 7)\n",
        "\ndef test_shape_with_padding():\n    img = col2im(np.ones((16, 9)), (1, 1, 4, 4), 3, 3, 1, 1)\n"
        "    assert img.shape == (1, 1, 4, 4)\n",
    ),
    "numerical_gradient": (
        "\ndef test_a_line():\n    grad = numerical_gradient(lambda x: x.sum(), np.array([3.0, 4.0]))\n"
        "    assert np.allclose(grad, [1, 1])\n",
        "\ndef test_shape():\n    x = np.array([3.0, 4.0])\n"
        "    assert numerical_gradient(lambda x: x.sum(), x).shape == x.shape\n",
    ),
}
# class and arguments, x, the shape of out, what out is
LAYERS = {
    "convolution": (
        "Convolution(np.ones((1, 1, 3, 3)), np.zeros(1))",
        "np.ones((1, 1, 5, 5))",
        "(1, 1, 3, 3)",
        "9",
    ),
    "affine": ("Affine(np.eye(2), np.zeros(2))", "np.ones((2, 2))", "(2, 2)", "1"),
    "relu": ("Relu()", "np.array([[1.0, -2.0]])", "(1, 2)", "[[1, 0]]"),
    "sigmoid": ("Sigmoid()", "np.zeros((1, 2))", "(1, 2)", "0.5"),
    "tanh": ("Tanh()", "np.zeros((1, 2))", "(1, 2)", "0"),
    "silu": ("SiLU()", "np.zeros((1, 2))", "(1, 2)", "0"),
    "softmax": ("Softmax()", "np.zeros((1, 4))", "(1, 4)", "0.25"),
    "max_pooling": (
        "Pooling(2, 2, 2)",
        "np.arange(16.0).reshape(1, 1, 4, 4)",
        "(1, 1, 2, 2)",
        "[[[[5, 7], [13, 15]]]]",
    ),
    "min_pooling": (
        "Pooling(2, 2, 2)",
        "np.arange(16.0).reshape(1, 1, 4, 4)",
        "(1, 1, 2, 2)",
        "[[[[0, 2], [8, 10]]]]",
    ),
    "average_pooling": ("AveragePooling(2, 2, 2)", "np.ones((1, 1, 4, 4))", "(1, 1, 2, 2)", "1"),
    "global_average_pooling": ("GlobalAveragePooling()", "np.ones((1, 1, 2, 2))", "(1, 1)", "1"),
    "flatten": ("Flatten()", "np.ones((2, 1, 2, 2))", "(2, 4)", "1"),
    "lrn": ("LocalResponseNormalization()", "np.zeros((1, 4, 2, 2))", "(1, 4, 2, 2)", "0"),
    "batch_norm": (
        "BatchNormalization(np.ones(2), np.zeros(2))",
        "np.array([[1.0, 2.0], [3.0, 5.0]])",
        "(2, 2)",
        "[[-1, -1], [1, 1]]",
    ),
    "dropout": ("Dropout(0.5)", "np.ones((4, 4))", "(4, 4)", "(layer.mask * 2)"),
}
OPTIMIZERS = {
    "sgd": "SGD(0.1)",
    "momentum": "Momentum(0.1)",
    "nesterov": "Nesterov(0.1)",
    "adagrad": "AdaGrad(0.1)",
    "rmsprop": "RMSProp(0.1)",
    "adam": "Adam(0.1)",
    "adamw": "AdamW(0.1)",
}


@dataclass(frozen=True)
class Bug:
    """A bug that can be hunted: its number, its kind and its name in the catalogue."""

    number: int
    kind: str
    fault: str
    changes: tuple[tuple[str, str], ...]

    @property
    def source(self) -> str:
        """The implementation with the bug."""
        text = right_source(self.kind)
        for old, new in self.changes:
            if old not in text:
                raise ValueError(f"{self.fault}: {old!r} is not in right/{self.kind}.py")
            text = text.replace(old, new, 1)
        return text

    @property
    def story(self) -> str:
        """What is wrong, and how people come to write it."""
        from parity.faults import FAULTS

        fault = FAULTS[self.fault]
        return f"{fault.says}. {fault.story}"


def right_source(kind: str) -> str:
    """The right implementation of a kind."""
    return (HERE / "right" / f"{kind}.py").read_text(encoding="utf-8")


@cache
def bugs() -> tuple[Bug, ...]:
    """Every bug that can be hunted, numbered from 1."""
    table = json.loads((HERE / "bugs.json").read_text(encoding="utf-8"))
    rows = [(kind, name, changes) for kind, found in table.items() for name, changes in found.items()]
    return tuple(
        Bug(i, kind, name, tuple((old, new) for old, new in changes))
        for i, (kind, name, changes) in enumerate(rows, 1)
    )


def choose(kind: str = "", seed: int | None = None) -> Bug:
    """One of the bugs, of a kind if one is named. Raises ValueError for a kind without bugs."""
    kind = kind.replace("-", "_").lower()
    found = [bug for bug in bugs() if kind in ("", bug.kind)]
    if not found:
        kinds = list(dict.fromkeys(bug.kind for bug in bugs()))
        near = nearest(kind, kinds)
        raise ValueError(f"there are no bugs of {kind!r} to hunt; there are some of {', '.join(kinds)}{near}")
    return found[int(np.random.default_rng(seed).integers(len(found)))]


def usual_tests(kind: str) -> list[str]:
    """The tests that people write for this kind, the most telling first."""
    if kind in FUNCTIONS:
        return list(FUNCTIONS[kind])
    if kind == "softmax_with_loss":
        return list(LOSS)
    if kind in OPTIMIZERS:
        return [test.format(make=OPTIMIZERS[kind]) for test in OPTIMIZER]
    make, x, shape, value = LAYERS[kind]
    tests = (MASK, LAYER) if kind == "dropout" else (GRADIENT, VALUE, LAYER)
    return [test.format(make=make, x=x, shape=shape, value=value) for test in tests]


def passing_tests(bug: Bug) -> list[str]:
    """Those of the usual tests that the bug passes."""
    return [test for test in usual_tests(bug.kind) if _passes(bug.source, test)]


def _passes(source: str, test: str) -> bool:
    room: dict[str, Any] = {"np": np}
    exec(source + test, room)
    name = test.split("def ", 1)[1].split("(", 1)[0]
    try:
        with np.errstate(all="ignore"):
            room[name]()
    except Exception:
        return False
    return True


def hunt_file(bug: Bug, language: str = "en") -> str:
    """The file to hunt in: the code with the bug, and the tests that pass."""
    tests = passing_tests(bug)[:MOST_TESTS]
    words = textwrap.fill(messages(language)["hunt_intro"].format(number=bug.number), WIDTH)
    calls = "".join(f"    {test.split('def ', 1)[1].split('(', 1)[0]}()\n" for test in tests)
    body = "".join(f"\n{test}" for test in tests)
    main = f'\n\nif __name__ == "__main__":\n{calls}    print("ok")\n'
    return f'"""{words}\n"""\n\nimport numpy as np\n\n\n{bug.source}{body}{main}'


def bug_numbered(number: int) -> Bug:
    """The bug of that number. Raises ValueError if there is none."""
    if not 1 <= number <= len(bugs()):
        raise ValueError(f"there is no bug {number}; there are 1 to {len(bugs())}")
    return bugs()[number - 1]


def target_of(bug: Bug) -> str:
    """The class or function that is judged."""
    return right_source(bug.kind).split("(", 1)[0].split(":", 1)[0].split()[1]


def still_wrong(bug: Bug, path: Path, isolated: bool | None = None) -> tuple[bool, str]:
    """(whether anything is wrong, the bug's name if it is still there, else what is wrong in words)."""
    import importlib.util

    from parity.verification.verify import verify

    judge = "torch" if importlib.util.find_spec("torch") else "numpy"
    target = f"{path}:{target_of(bug)}"
    verdict = verify(target, bug.kind, isolated=isolated, judge=judge, profile="none")
    if verdict.outcome == "right":
        return False, ""
    if verdict.diagnosis.fault == bug.fault:
        return True, bug.fault
    said = verdict.diagnosis.says or "; ".join(verdict.buts) or verdict.unchecked
    return True, said or (verdict.culprit.sentence if verdict.culprit else "")
