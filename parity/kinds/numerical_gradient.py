"""The numerical gradient, with which people check their layers (book, section 4.4.1): is it right itself?

Its functions are texts that NumPy and PyTorch can both run, and autograd has the gradient. Of a quadratic,
central differences are exact but for rounding, whatever the step: what is wrong there is the loop. The
curved functions have derivatives of every order, but small ones: steps up to 0.01 are right to seven digits,
a step of 1 is not. In an array of whole numbers x + h is cut back to x; to refuse it is as good as a right
answer.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

import scratchcnn as sc
from parity.kinds.kind import Operation, Options
from parity.kinds.probe import Probe, Rng, function, needs, normal
from parity.kinds.torch_when_used import torch

if TYPE_CHECKING:
    from torch import Tensor

SQUARES = "lambda x: (x**2).sum()"
# In the slope of each number are all the others.
SUMS = "lambda x: (x**2).sum() + (x.reshape(-1).cumsum(0) ** 2).sum()"
CURVED = "lambda x: (x**2).sum() + (1 / (1 + x**2)).sum() / 1000"
RTOL = 5e-7  # a step down to 1e-9 of x leaves this much rounding


def numerical_gradient(a: dict[str, Tensor], o: Options) -> Tensor:
    x = a["x"].detach().double().requires_grad_()
    return torch.autograd.grad(function(o["f"])(x), x)[0]


def _functions(rng: Rng) -> Iterator[Probe]:
    for name, f, x in (
        ("two numbers", SQUARES, np.array([3.0, 4.0])),  # the book's
        ("two whole numbers, as integers", SQUARES, np.array([3, 4])),
        ("one number", SQUARES, normal(rng, 1)),
        ("a matrix", SUMS, normal(rng, 2, 3)),
        ("a 4-D array", SUMS, normal(rng, 2, 3, 2, 2)),
        ("a curved function", CURVED, normal(rng, 4)),
        ("a curved function of a matrix", CURVED, normal(rng, 3, 2)),
    ):
        yield Probe("numerical_gradient", name, {"f": f}, {"x": x}, needs(integers=x.dtype.kind == "i"))


NUMERICAL_GRADIENT = Operation(
    name="numerical_gradient",
    formula=numerical_gradient,
    probes=_functions,
    ours=sc.numerical_gradient,
    role="function",
    out="grad",
    call="numerical_gradient(f, x) -> df/dx, of x's shape",
    aliases=("numgrad",),
    order=("f", "x"),
    functions=("f",),
    borrows=("x",),
    may_refuse=needs(integers=True),
    dtypes=("float64",),
    rtol=RTOL,
)

KINDS = (NUMERICAL_GRADIENT,)
