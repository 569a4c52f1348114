"""Step functions: whatever they give at 0 and as what; a step of -1 and 1, and `step` of an optimizer."""

import pytest

from parity.verification.listing import listed
from parity.verification.verify import verify

KIND = "step_function"
RIGHT = {
    "whole numbers": ("step_function", "def step_function(x):\n    return np.array(x > 0, dtype=int)", ""),
    "truth values": ("binary_step", "def binary_step(x):\n    return x > 0", ""),
    "1 at 0": ("heaviside", "def heaviside(x):\n    return np.where(x >= 0, 1.0, 0.0)", "1 at x = 0"),
    "0.5 at 0": ("heaviside", "def heaviside(x):\n    return np.heaviside(x, 0.5)", "0.5 at x = 0"),
    "one number": ("unit_step", "def unit_step(x):\n    return 1 if x > 0 else 0", "one number at a time"),
    "of that name": ("step", "def step(x):\n    return np.where(x > 0, 1, 0)", ""),
}


def ask(tmp_path, source, name):
    file = tmp_path / "mine.py"
    file.write_text(f"import numpy as np\n\n{source}\n")
    return verify(f"{file}:{name}", KIND)


@pytest.mark.parametrize(("name", "source", "says"), RIGHT.values(), ids=RIGHT)
def test_right_ones(tmp_path, name, source, says):
    verdict = ask(tmp_path, source, name)
    assert verdict.outcome in ("right", "right_but"), str(verdict)
    assert not verdict.buts or verdict.buts == ["float64 comes out of float32 (out)"]
    assert says in verdict.called
    assert {one.name: one.kind for one in listed(tmp_path / "mine.py")} == {name: KIND}


STEP = """class Step:
    def forward(self, x):
        self.x = x
        return np.heaviside(x, x.dtype.type(0))

    def backward(self, dout):
        return {dx}
"""


@pytest.mark.parametrize(
    ("dx", "outcome"),
    [
        ("0 * dout", "right"),
        ("dout * (self.x == 0)", "right_but"),
        ("dout * (self.x > 0)", "wrong"),
        ("dout", "wrong"),
    ],
)
def test_its_derivative_is_0_where_it_has_one(tmp_path, dx, outcome):
    verdict = ask(tmp_path, STEP.format(dx=dx), "Step")
    assert verdict.outcome == outcome, str(verdict)
    assert [one.kind for one in listed(tmp_path / "mine.py")] == [KIND]


@pytest.mark.parametrize("out", ["x * (x > 0)", "np.where(x > 0.5, 1, 0)", "np.where(x > 0, 0, 1)"])
def test_wrong_ones(tmp_path, out):
    source = f"def step_function(x):\n    return {out}"
    assert ask(tmp_path, source, "step_function").outcome == "wrong"


@pytest.mark.parametrize(
    "source",
    [
        "def step_function(x):\n    return np.where(x >= 0, 1, -1)",
        "def step(x):\n    return np.sign(x)",
        "def step(self):\n    return self.x > 0",
        "def step(x):\n    return x + 1",
        "def Heaviside(x, a):\n    return (x > a) * 1.0",
    ],
)
def test_what_is_none(tmp_path, source):
    file = tmp_path / "mine.py"
    file.write_text(source)
    assert not listed(file)
