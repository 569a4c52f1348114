"""An engine's backward under another name, and one whose caller sets the gradient of the result before."""

import pytest

from parity.verification.listing import listed
from parity.verification.verify import verify

ENGINE = """
import math


class Value:
    def __init__(self, data, parents=()):
        self.data, self.parents, self.grad = data, parents, 0.0

    def __add__(self, other):
        return Value(self.data + other.data, [(self, lambda g: g), (other, lambda g: g)])

    def __mul__(self, other):
        back = [(self, lambda g: g * other.data), (other, lambda g: g * self.data)]
        return Value(self.data * other.data, back)

    def tanh(self):
        y = math.tanh(self.data)
        return Value(y, [(self, lambda g: g * (1 - y**2))])

    def add_up(self, slope):
        self.grad += slope

    def NAME(self):
        order, seen = [], set()

        def visit(node):
            if id(node) not in seen:
                seen.add(id(node))
                for parent, _ in node.parents:
                    visit(parent)
                order.append(node)

        visit(self)
        SEED
        for node in reversed(order):
            for parent, back in node.parents:
                parent.add_up(back(node.grad))
"""
NAMES = ["backprop", "backward_all", "back_propagate", "compute_gradients"]
OWN, NONE = "self.grad = 1.0", "pass"


def ask(tmp_path, name, seed, of="Value.__mul__", kind="affine", old="", new=""):
    path = tmp_path / f"engine{len([*tmp_path.iterdir()])}.py"
    path.write_text(ENGINE.replace("NAME", name).replace("SEED", seed).replace(old, new))
    assert {"Value.__add__", "Value.__mul__", "Value.tanh"} <= {one.name for one in listed(path)}
    return verify(f"{path}:{of}", kind, isolated=False)


@pytest.mark.parametrize("name", NAMES)
def test_it_goes_back_by_another_name(tmp_path, name):
    assert ask(tmp_path, name, OWN).outcome == "right"


def test_it_is_said_under_its_name(tmp_path):
    verdict = ask(tmp_path, "backprop", OWN, "Value.tanh", "tanh")
    assert verdict.outcome in ("right", "right_but"), str(verdict)
    assert "Value(x).tanh() and backprop()" in str(verdict)


def test_a_wrong_one_by_another_name_is_wrong(tmp_path):
    assert ask(tmp_path, "backprop", OWN, old="g * other.data)", new="g * self.data)").outcome == "wrong"


def test_the_caller_sets_the_gradient_where_nothing_else_does(tmp_path):
    verdict = ask(tmp_path, "backward", NONE)
    assert verdict.outcome == "right" and "the result's .grad set before" in str(verdict), str(verdict)
    assert ask(tmp_path, "backward", NONE, old="g * other.data)", new="g * self.data)").outcome == "wrong"


def test_another_seed_of_its_own_is_still_wrong(tmp_path):
    assert ask(tmp_path, "backward", "self.grad = 0.5").outcome == "wrong"
    assert ask(tmp_path, "backward", "self.grad = 0.0").outcome == "wrong"
