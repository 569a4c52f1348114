"""Bugs of the numerical gradient: the book's loop, with each of its numbers to be got wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from parity.faults.fault import Family
from scratchcnn.typing import Array

fault = Family()
Function = Callable[[Array], Any]
H = 1e-4


def differences(f: Function, x: Array, above: float, below: float, divisor: float) -> Array:
    """(f(x + above) - f(x - below)) / divisor, number by number."""
    grad = np.zeros_like(x)
    for index in np.ndindex(x.shape):
        value = x[index]
        x[index] = value + above
        high = f(x)
        x[index] = value - below
        grad[index] = (high - f(x)) / divisor
        x[index] = value
    return grad


def floating(x: Array) -> Array:
    """x itself, whole numbers as float64."""
    return x if x.dtype.kind == "f" else x.astype(np.float64)


@fault(
    "numerical-gradient-integers",
    "numerical_gradient",
    "x + h cut back to x, in an array of integers",
    needs={"integers"},
)
def in_integers(f: Function, x: Array) -> Array:
    """np.array([3, 4]) holds integers, which the book's code cannot move by 1e-4."""
    return differences(f, x, H, H, 2 * H)


@fault("numerical-gradient-not-halved", "numerical_gradient", "a division by h for 2h")
def not_halved(f: Function, x: Array) -> Array:
    """The two-sided difference is divided as the one-sided one is."""
    return differences(f, floating(x), H, H, H)


@fault("numerical-gradient-one-sided", "numerical_gradient", "the one-sided difference")
def one_sided(f: Function, x: Array) -> Array:
    """The definition of the derivative is typed in, and its error is a multiple of h."""
    return differences(f, floating(x), H, 0, H)


@fault("numerical-gradient-sign", "numerical_gradient", "the sign flipped")
def flipped(f: Function, x: Array) -> Array:
    """f(x - h) - f(x + h) is computed, since x - h is what the loop comes to first."""
    return differences(f, floating(x), H, H, -2 * H)


@fault("numerical-gradient-large-step", "numerical_gradient", "a step of 1")
def large_step(f: Function, x: Array) -> Array:
    """The first test is a quadratic, for which any step is right, and a step of 1 gives whole numbers."""
    return differences(f, floating(x), 1.0, 1.0, 2.0)


@fault("numerical-gradient-huge-step", "numerical_gradient", "a step of 100")
def huge_step(f: Function, x: Array) -> Array:
    """1e-2 is typed as 1e2."""
    return differences(f, floating(x), 100.0, 100.0, 200.0)


@fault("numerical-gradient-step-vanishes", "numerical_gradient", "a step that vanishes beside x")
def vanishing_step(f: Function, x: Array) -> Array:
    """The smaller the step the better, so it is 10e-50, and x + h is x."""
    return differences(f, floating(x), 10e-50, 10e-50, 20e-50)


@fault("numerical-gradient-not-restored", "numerical_gradient", "x left at x - h")
def not_restored(f: Function, x: Array) -> Array:
    """The line that puts the old value back is lost, and each further slope is taken beside x."""
    x = floating(x)
    grad = np.zeros_like(x)
    for index in np.ndindex(x.shape):
        x[index] += H
        high = f(x)
        x[index] -= 2 * H
        grad[index] = (high - f(x)) / (2 * H)
    return grad


@fault("numerical-gradient-first-axis", "numerical_gradient", "a loop over the first axis alone")
def first_axis(f: Function, x: Array) -> Array:
    """The loop is the one for vectors, and moves the rows of a matrix as a whole."""
    x = floating(x)
    grad = np.zeros_like(x)
    for i in range(len(x)):
        value = x[i].copy()
        x[i] = value + H
        high = f(x)
        x[i] = value - H
        grad[i] = (high - f(x)) / (2 * H)
        x[i] = value
    return grad


@fault("numerical-gradient-all-at-once", "numerical_gradient", "one slope for all of x at once")
def all_at_once(f: Function, x: Array) -> Any:
    """The difference for a single number is applied to an array, whose numbers then all move together."""
    return (f(x + H) - f(x - H)) / (2 * H)


@fault("numerical-gradient-changes-x", "numerical_gradient", "x left changed", shows="contract")
def changed(f: Function, x: Array) -> Array:
    """The caller's x is what the loop works on, and something else is in it afterwards."""
    grad = differences(f, floating(x), H, H, 2 * H)
    if x.dtype.kind == "f":
        x[...] = grad
    return grad
