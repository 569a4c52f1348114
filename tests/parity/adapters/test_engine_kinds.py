"""Engines without a backward: dual numbers, and nodes whose gradients a function gives in a dict."""

import re

import pytest
from engines import NUMBERS

from parity.verification.listing import listed
from parity.verification.verify import verify

DUALS = """
class Dual:
    def __init__(self, real, eps=0.0):
        self.real, self.eps = real, eps

    def __add__(self, other):
        other = other if isinstance(other, Dual) else Dual(other)
        return Dual(self.real + other.real, self.eps + other.eps)

    def __mul__(self, other):
        other = other if isinstance(other, Dual) else Dual(other)
        return Dual(self.real * other.real, self.real * other.eps + self.eps * other.real)

    def __rsub__(self, other):
        return Dual(other - self.real, -self.eps)
"""
COMPLEX = """
class Complex:
    def __init__(self, re, im):
        self.re, self.im = re, im

    def __add__(self, other):
        return Complex(self.re + other.re, self.im + other.im)
"""
RECORDED = """
from collections import defaultdict

class Var:
    def __init__(self, value, local_gradients=()):
        self.value, self.local_gradients = value, local_gradients

    def __add__(self, other):
        return Var(self.value + other.value, ((self, 1), (other, 1)))

    def __mul__(self, other):
        return Var(self.value * other.value, ((self, other.value), (other, self.value)))

def get_gradients(variable):
    gradients = defaultdict(lambda: 0)

    def walk(node, path):
        for child, slope in node.local_gradients:
            gradients[child] += path * slope
            walk(child, path * slope)

    walk(variable, 1)
    return gradients
"""


def outcomes(tmp_path, source):
    path = tmp_path / f"engine_{len(list(tmp_path.iterdir()))}.py"  # a file is imported once
    path.write_text(source)
    kinds = {one.name: one.kind for one in listed(path) if one.kind}
    return {
        name.rpartition(".")[2]: verify(f"{path}:{name}", kind, isolated=False).outcome
        for name, kind in kinds.items()
    }


def test_dual_numbers_are_judged_by_the_derivative_that_they_carry(tmp_path):
    assert outcomes(tmp_path, DUALS) == dict.fromkeys(("__add__", "__mul__", "__rsub__"), "right")


@pytest.mark.parametrize(
    ("right", "wrong", "name"),
    [
        ("+ self.eps * other.real", "+ self.eps * other.eps", "__mul__"),
        ("self.eps + other.eps)", "self.eps)", "__add__"),
        ("-self.eps)", "self.eps)", "__rsub__"),
    ],
)
def test_a_wrong_rule_of_theirs_is_found(tmp_path, right, wrong, name):
    source = DUALS.replace(right, wrong)
    assert source != DUALS
    found = outcomes(tmp_path, source)
    assert [one for one, outcome in found.items() if outcome == "wrong"] == [name], found


def test_other_pairs_of_numbers_are_no_engine(tmp_path):
    assert outcomes(tmp_path, COMPLEX) == {}


def test_gradients_that_a_function_gives_are_judged(tmp_path):
    assert outcomes(tmp_path, RECORDED) == {"__add__": "right", "__mul__": "right"}
    wrong = RECORDED.replace("(other, self.value)", "(other, other.value)")
    assert outcomes(tmp_path, wrong)["__mul__"] == "wrong"
    overwritten = RECORDED.replace("gradients[child] +=", "gradients[child] =")
    assert outcomes(tmp_path, overwritten)["__add__"] == "wrong"


@pytest.mark.parametrize("names", [("v", "slope_of_loss"), ("tensor", "derivative")])
def test_what_a_node_holds_is_found_whatever_it_is_called(tmp_path, names):
    value, grad = names
    source = re.sub(r"\bdata\b", value, NUMBERS)
    source = re.sub(r"\bgrad\b", grad, source)
    found = outcomes(tmp_path, source)
    assert {found[name] for name in ("__add__", "__mul__", "__pow__", "__rsub__")} == {"right"}, found
    wrong = source.replace("return -self + other", "return self + other")
    assert wrong != source and outcomes(tmp_path, wrong)["__rsub__"] == "wrong"
