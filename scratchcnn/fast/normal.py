"""The normal distribution function, which GELU needs, many numbers at a time: NumPy has no erf.

    P(x) = (1 + erf(x / sqrt(2))) / 2,  the probability that a normal number is below x

In float64 by a rational function: with t = abs(x) is

    P(-t) = exp(-t**2 / 2) * R(t),  P(t) = 1 - P(-t)

where R is smooth and falls slowly, from 1/2 at 0, like 1 / (sqrt(2 pi) t). This is the way of W. J. Cody
("Rational Chebyshev approximations for the error function", 1969), but with one quotient for the whole axis:
a branch per number costs more than the terms of the polynomials. In float32 by a shorter formula,

    P(x) = (1 + tanh(x * A(x**2))) / 2

whose A is a polynomial too: GELU's own approximation has the same form with two terms. Both were fitted for
this file by least squares, whose weights were moved until the errors were level: before any rounding the
error of the quotient is 5e-17 of R, and that of P in float32 is 7e-8 / max(1, abs(x)).
"""

from __future__ import annotations

import math

import numpy as np

from scratchcnn.fast.layout import constant, workspace
from scratchcnn.typing import Array

FAR = 40.0  # here exp(-x**2 / 2) is 0 in float64
NUMERATOR = (  # of R in float64, the highest power first
    1.3966551595347444e-06,
    3.749996742432798e-05,
    0.0004931222346810748,
    0.004108007575641297,
    0.023710393282422502,
    0.09798713219981003,
    0.2899734693008082,
    0.5949429651740098,
    0.7754924475630168,
    0.5,
)
DENOMINATOR = (
    3.500895312808467e-06,
    9.399847864158835e-05,
    0.0012395750318000575,
    0.010391246409567007,
    0.06066221495596701,
    0.25572655583682674,
    0.78385193628832,
    1.717259801795274,
    2.5640126045754443,
    2.3488694559288885,
    1.0,
)
FLAT = 33.0  # in float32 P is 0 or 1 where x**2 is larger
TERMS = (  # of A in float32
    1.81750069e-09,
    -1.33973654e-07,
    3.97786471e-06,
    -5.53091355e-05,
    -3.28609648e-05,
    0.0363337968,
    0.797884531,
)
DENSITY = 1 / math.sqrt(2 * math.pi)


def distribution(x: Array, below: Array, density: Array | None = None) -> None:
    """P(x) into `below`; into `density`, if it is given, exp(-x**2 / 2) / sqrt(2 pi): 1-D, all of one dtype,
    float32 or float64, at most as long as a block of `each_block`."""
    bell = workspace("bell", x.shape, x.dtype) if density is None else density
    if x.dtype == np.float32:
        _by_tanh(x, below, bell, density is not None)
    else:
        _by_quotient(x, below, bell)
    if density is not None:
        bell *= DENSITY


def _by_quotient(x: Array, below: Array, bell: Array) -> None:
    """P(x), and exp(-x**2 / 2) into `bell`."""
    t, divisor = workspace("t", x.shape, x.dtype), workspace("divisor", x.shape, x.dtype)
    np.abs(x, out=t)
    np.minimum(t, constant(FAR, x), out=t)
    _polynomial(NUMERATOR, t, below)
    _polynomial(DENOMINATOR, t, divisor)
    below /= divisor
    _exp_of_square(t, bell)
    below *= bell
    positive = np.greater(x, constant(0, x), out=divisor)  # 1 or 0
    np.subtract(positive, below, out=below)
    np.abs(below, out=below)  # 1 - P(-t) for positive x, P(-t) for the others


def _by_tanh(x: Array, below: Array, bell: Array, with_bell: bool) -> None:
    """The same; exp only where it is asked for."""
    square = workspace("t", x.shape, x.dtype)
    with np.errstate(over="ignore"):
        np.multiply(x, x, out=square)
    if with_bell:
        np.multiply(square, -0.5, out=bell)
        np.exp(bell, out=bell)
    np.minimum(square, constant(FLAT, x), out=square)
    _polynomial(TERMS, square, below)
    with np.errstate(over="ignore"):
        below *= x
    np.tanh(below, out=below)
    below *= 0.5
    below += 0.5


def _exp_of_square(t: Array, bell: Array) -> None:
    """exp(-t**2 / 2)."""
    np.multiply(t, t, out=bell)
    bell *= -0.5
    np.exp(bell, out=bell)


def _polynomial(terms: tuple[float, ...], x: Array, out: Array) -> None:
    """By Horner's rule."""
    np.multiply(x, terms[0], out=out)
    for term in terms[1:-1]:
        out += term
        out *= x
    out += terms[-1]
