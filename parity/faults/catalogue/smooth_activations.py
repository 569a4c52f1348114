"""Bugs of SELU, Softplus, GELU, ReLU6 and softsign: another function, another derivative, an overflow.

A row has the name, what a diagnosis says, the story, and what replaces forward, backward or both.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from parity.faults.catalogue.contracts import callers_arrays
from parity.faults.fault import Family
from scratchcnn.layers import GELU, SELU, Identity, Layer, Relu6, Softplus, Softsign
from scratchcnn.typing import Array

fault = Family()
ALPHA, SCALE = SELU.alpha, SELU.scale
TANH = math.sqrt(2 / math.pi)


@dataclass
class Numbers:
    """What a row's functions see: x, and in backward dout and y; for GELU its form."""

    x: Array
    y: Array
    dout: Array
    form: str = "none"

    @cached_property
    def s(self) -> Array:
        """The sigmoid of x."""
        small = np.exp(-np.abs(self.x))
        return np.where(self.x < 0, small, 1) / (1 + small)

    @cached_property
    def P(self) -> Array:
        """The probability that a normal number is below x."""
        return gelu_parts(self.x, self.form)[0]

    @cached_property
    def p(self) -> Array:
        """Its derivative."""
        return gelu_parts(self.x, self.form)[1]


def gelu_parts(x: Array, form: str) -> tuple[Array, Array]:
    if form == "tanh":
        t = np.tanh(TANH * (x + 0.044715 * x**3))
        return 0.5 * (1 + t), 0.5 * (1 - t * t) * TANH * (1 + 3 * 0.044715 * x * x)
    erf = np.vectorize(math.erf, otypes=[np.float64])
    return 0.5 * (1 + erf(x / math.sqrt(2))), np.exp(-0.5 * x * x) / math.sqrt(2 * math.pi)


Part = Callable[[Numbers], Array]
Row = tuple[str, str, str, Part | None, Part | None]


def _register(kind: str, ours: type[Layer], rows: tuple[Row, ...]) -> None:
    for name, says, story, forward, backward in rows:
        made = type("Broken", (ours,), {"__doc__": story, **_methods(ours, forward, backward)})
        needs = {"approximate"} if "in the tanh form" in says else set()
        fault(f"{kind}-{name}", kind, says, needs=needs)(made)
    if ours is not Identity:  # which computes nothing
        callers_arrays(
            fault,
            kind,
            kind,
            ours,
            "The output is computed in place, to save an array.",
            "dout *= the derivative needs no second array.",
            "The backward needs x, and a reference to it is what self.x = x keeps.",
        )


def _methods(ours: type[Layer], first: Part | None, second: Part | None) -> dict[str, object]:
    def forward(self: Layer, x: Array) -> Array:
        y = ours.forward(self, x)
        if second is not None:
            self.remember(x.copy(), y.copy())
        with np.errstate(all="ignore"):
            out = y if first is None else first(Numbers(x, y, x, getattr(self, "approximate", "")))
        return np.asarray(out).astype(x.dtype)

    def backward(self: Layer, dout: Array) -> Array:
        if second is None:
            return ours.backward(self, dout)
        x, y = self.recall()
        with np.errstate(all="ignore"):
            dx = second(Numbers(x, y, self.check_dout(dout, x.shape), getattr(self, "approximate", "")))
        return np.asarray(dx).astype(dout.dtype)

    return {"forward": forward, "backward": backward}


def _ordinary(right: Part) -> tuple[Row, ...]:
    """The mistakes that have nothing to do with the function; `right` is its derivative."""
    return (
        (
            "straight-through",
            "dout passed through",
            "Backward hands dout on, since the layer has no parameters.",
            None,
            lambda o: o.dout,
        ),
        (
            "without-dout",
            "the derivative, not times dout",
            "The derivative is returned, and the product with dout is left to the caller, who forgets it.",
            None,
            right,
        ),
        (
            "multiplies-by-output",
            "dout multiplied by the output for the derivative",
            "dout * out is written where the derivative belongs.",
            None,
            lambda o: o.dout * o.y,
        ),
    )


def _mask_of_relu(name: str = "backward-of-relu") -> Row:
    says = "the mask of ReLU for the derivative"
    return name, says, "Only the forward of a ReLU was changed.", None, lambda o: o.dout * (o.x > 0)


# -- selu ------------------------------------------------------------------------------------------
def _selu(x: Array, alpha: float, above: float, under: float) -> Array:
    return np.where(x > 0, above * x, under * alpha * np.expm1(np.minimum(x, 0)))


def _selu_slope(o: Numbers) -> Array:
    return np.where(o.x > 0, SCALE, SCALE * ALPHA * np.exp(np.minimum(o.x, 0)))


_register(
    "selu",
    SELU,
    (
        (
            "rounded-constants",
            "alpha and scale rounded to 1.6733 and 1.0507",
            "The two constants are typed as the paper's abstract of them has it.",
            lambda o: _selu(o.x, 1.6733, 1.0507, 1.0507),
            lambda o: o.dout * np.where(o.x > 0, 1.0507, 1.0507 * 1.6733 * np.exp(np.minimum(o.x, 0))),
        ),
        (
            "constants-exchanged",
            "alpha and scale exchanged",
            "The two constants come in the other order in other libraries.",
            lambda o: _selu(o.x, SCALE, ALPHA, ALPHA),
            lambda o: o.dout * np.where(o.x > 0, ALPHA, ALPHA * SCALE * np.exp(np.minimum(o.x, 0))),
        ),
        (
            "scale-above-only",
            "no scale where x < 0",
            "The scale is multiplied into the first branch of np.where alone.",
            lambda o: _selu(o.x, ALPHA, SCALE, 1),
            lambda o: o.dout * np.where(o.x > 0, SCALE, ALPHA * np.exp(np.minimum(o.x, 0))),
        ),
        (
            "scale-below-only",
            "no scale where x > 0",
            "The scale is multiplied into the second branch of np.where alone.",
            lambda o: _selu(o.x, ALPHA, 1, SCALE),
            lambda o: o.dout * np.where(o.x > 0, 1, SCALE * ALPHA * np.exp(np.minimum(o.x, 0))),
        ),
        (
            "derivative-without-scale",
            "the derivative without the scale",
            "The backward is ELU's.",
            None,
            lambda o: o.dout * np.where(o.x > 0, 1, ALPHA * np.exp(np.minimum(o.x, 0))),
        ),
        (
            "derivative-without-alpha",
            "the derivative without alpha where x < 0",
            "exp(x) is differentiated, and one of its two factors is forgotten.",
            None,
            lambda o: o.dout * np.where(o.x > 0, SCALE, SCALE * np.exp(np.minimum(o.x, 0))),
        ),
        (
            "derivative-plus-alpha",
            "y + alpha for y + scale * alpha in the derivative",
            "ELU's y + alpha is kept, though y holds the scale.",
            None,
            lambda o: o.dout * np.where(o.x > 0, SCALE, o.y + ALPHA),
        ),
        (
            "derivative-of-output",
            "the derivative at y instead of x",
            "A function d_selu(x) is handed the output.",
            None,
            lambda o: o.dout * np.where(o.x > 0, SCALE, SCALE * ALPHA * np.exp(np.minimum(o.y, 0))),
        ),
        (
            "overflow",
            "a product of a mask and exp(x), which overflows",
            "(x <= 0) * alpha * (exp(x) - 1) is 0 * inf for a large x.",
            lambda o: SCALE * ((o.x > 0) * o.x + (o.x <= 0) * (ALPHA * np.expm1(o.x))),
            None,
        ),
        _mask_of_relu(),
        *_ordinary(_selu_slope),
    ),
)

# -- softplus --------------------------------------------------------------------------------------
_register(
    "softplus",
    Softplus,
    (
        (
            "overflow",
            "log(1 + exp(x)), which overflows",
            "The definition is typed in, and exp overflows from 710 on.",
            lambda o: np.log(1 + np.exp(o.x)),
            None,
        ),
        (
            "derivative-overflow",
            "exp(x) / (1 + exp(x)) in the derivative, which overflows",
            "The chain rule is written down as it is derived, and is inf / inf for a large x.",
            None,
            lambda o: o.dout * (np.exp(o.x) / (1 + np.exp(o.x))),
        ),
        (
            "derivative-of-output",
            "the derivative at y instead of x",
            "A function that applies the sigmoid itself is handed the output.",
            None,
            lambda o: o.dout / (1 + np.exp(-o.y)),
        ),
        (
            "derivative-of-minus-x",
            "sigmoid(-x) for sigmoid(x) in the derivative",
            "1 / (1 + exp(x)) lacks its minus sign.",
            None,
            lambda o: o.dout * (1 - o.s),
        ),
        (
            "derivative-of-sigmoid",
            "s(1 - s) for s in the derivative",
            "The derivative of softplus is the sigmoid, and is differentiated once more.",
            None,
            lambda o: o.dout * o.s * (1 - o.s),
        ),
        (
            "log2",
            "the logarithm to base 2",
            "np.log2 is written for np.log.",
            lambda o: o.y / math.log(2),
            lambda o: o.dout * o.s / math.log(2),
        ),
        (
            "of-minus-x",
            "log(1 + exp(-x))",
            "The stable form max(x, 0) + log(1 + exp(-|x|)) lacks its first term and the absolute value.",
            lambda o: o.y - o.x,
            lambda o: -o.dout * (1 - o.s),
        ),
        (
            "without-maximum",
            "log(1 + exp(-|x|)), without max(x, 0)",
            "Only the second term of the stable form is copied.",
            lambda o: np.log1p(np.exp(-np.abs(o.x))),
            None,
        ),
        (
            "minus-log-two",
            "log(2) subtracted",
            "Shifted softplus, which is 0 at 0, is taken for softplus.",
            lambda o: o.y - math.log(2),
            None,
        ),
        _mask_of_relu(),
        *_ordinary(lambda o: o.s),
    ),
)


# -- gelu ------------------------------------------------------------------------------------------
def _other_form(o: Numbers) -> tuple[Array, Array]:
    return gelu_parts(o.x, "none" if o.form == "tanh" else "tanh")


def _coefficient(o: Numbers) -> Array:
    if o.form != "tanh":
        return o.dout * (o.P + o.x * o.p)
    t = np.tanh(TANH * (o.x + 0.044715 * o.x**3))
    return o.dout * (o.P + o.x * 0.5 * (1 - t * t) * TANH * (1 + 0.044715 * o.x * o.x))


def _constant(o: Numbers) -> Array:
    if o.form != "tanh":
        return o.y
    return 0.5 * o.x * (1 + np.tanh(TANH * (o.x + 0.44715 * o.x**3)))


def _coarse(x: Array) -> tuple[Array, Array]:
    s = Numbers(1.702 * x, x, x).s
    return s, 1.702 * s * (1 - s)


_register(
    "gelu",
    GELU,
    (
        (
            "derivative-p-alone",
            "P without x * p in the derivative",
            "P is taken for a mask, and the product rule's second term is lost.",
            None,
            lambda o: o.dout * o.P,
        ),
        (
            "derivative-second-term-alone",
            "x * p without P in the derivative",
            "x is taken for a constant factor, and the first term is lost.",
            None,
            lambda o: o.dout * o.x * o.p,
        ),
        (
            "derivative-sign",
            "P - x * p in the derivative",
            "The density's own derivative, -x * p, is put in.",
            None,
            lambda o: o.dout * (o.P - o.x * o.p),
        ),
        (
            "derivative-without-x",
            "P + p for P + x * p in the derivative",
            "The factor x of the second term is lost.",
            None,
            lambda o: o.dout * (o.P + o.p),
        ),
        (
            "derivative-of-the-other-form",
            "the derivative of GELU's other form",
            "Forward is the tanh form and backward the exact one, or the other way round.",
            None,
            lambda o: o.dout * (_other_form(o)[0] + o.x * _other_form(o)[1]),
        ),
        (
            "derivative-of-output",
            "the derivative at y instead of x",
            "The layer kept its output, as Sigmoid does.",
            None,
            lambda o: o.dout * (Numbers(o.y, o.y, o.y, o.form).P + o.y * Numbers(o.y, o.y, o.y, o.form).p),
        ),
        (
            "without-half",
            "no factor 0.5",
            "x * (1 + erf(x / sqrt(2))) lacks its 0.5.",
            lambda o: 2 * o.y,
            lambda o: 2 * o.dout * (o.P + o.x * o.p),
        ),
        (
            "without-x",
            "P alone",
            "Only the probability is returned.",
            lambda o: o.P,
            None,
        ),
        (
            "of-x-not-divided",
            "erf(x) for erf(x / sqrt(2))",
            "The error function is taken for the normal distribution's.",
            lambda o: o.x * gelu_parts(math.sqrt(2) * o.x, "none")[0],
            None,
        ),
        (
            "of-sigmoid",
            "x * sigmoid(1.702 * x)",
            "The paper's coarse approximation is taken for GELU.",
            lambda o: o.x * _coarse(o.x)[0],
            lambda o: o.dout * (_coarse(o.x)[0] + o.x * _coarse(o.x)[1]),
        ),
        (
            "tanh-constant",
            "0.44715 for 0.044715 in the tanh form",
            "A zero is lost on the way from the paper.",
            _constant,
            None,
        ),
        (
            "tanh-coefficient",
            "no factor 3 in the derivative in the tanh form",
            "x**3 is differentiated to x**2.",
            None,
            _coefficient,
        ),
        _mask_of_relu(),
        *_ordinary(lambda o: o.P + o.x * o.p),
    ),
)

# -- relu6 -----------------------------------------------------------------------------------------
_register(
    "relu6",
    Relu6,
    (
        (
            "without-cap",
            "no cap at 6",
            "The layer is a ReLU.",
            lambda o: np.maximum(o.x, 0),
            lambda o: o.dout * (o.x > 0),
        ),
        (
            "gradient-above-six",
            "a gradient of 1 above 6",
            "Backward is that of a ReLU.",
            None,
            lambda o: o.dout * (o.x > 0),
        ),
        (
            "gradient-below-zero",
            "a gradient of 1 below 0",
            "Only the cap is masked.",
            None,
            lambda o: o.dout * (o.x < 6),
        ),
        (
            "forward-without-cap",
            "no cap at 6 in forward",
            "np.clip(x, 0, None) is left over.",
            lambda o: np.maximum(o.x, 0),
            None,
        ),
        (
            "folded-to-zero",
            "0 above 6",
            "x * (x > 0) * (x < 6) cuts off what it should hold at 6.",
            lambda o: o.x * ((o.x > 0) & (o.x < 6)),
            None,
        ),
        (
            "divided-by-six",
            "a division by 6",
            "The layer is copied out of a hard sigmoid.",
            lambda o: o.y / 6,
            lambda o: o.dout * ((o.x > 0) & (o.x < 6)) / 6,
        ),
        (
            "masks-by-dout",
            "dout masked by its own size",
            "The clip of forward is used for backward.",
            None,
            lambda o: np.clip(o.dout, 0, 6),
        ),
        *_ordinary(lambda o: 1.0 * ((o.x > 0) & (o.x < 6))),
    ),
)

# -- softsign --------------------------------------------------------------------------------------
_register(
    "softsign",
    Softsign,
    (
        (
            "derivative-not-squared",
            "1 / (1 + |x|) for its square in the derivative",
            "The square is lost on the way from the formula.",
            None,
            lambda o: o.dout / (1 + np.abs(o.x)),
        ),
        (
            "derivative-of-output",
            "the derivative at y instead of x",
            "The layer kept its output, as Tanh does.",
            None,
            lambda o: o.dout / (1 + np.abs(o.y)) ** 2,
        ),
        (
            "derivative-of-tanh",
            "1 - y*y for (1 - |y|)**2 in the derivative",
            "Forward was changed from tanh, and backward was not.",
            None,
            lambda o: o.dout * (1 - o.y * o.y),
        ),
        (
            "derivative-of-one-minus-y",
            "(1 - y)**2 for (1 - |y|)**2 in the derivative",
            "The absolute value of the output is forgotten, and positive x do not show it.",
            None,
            lambda o: o.dout * (1 - o.y) ** 2,
        ),
        (
            "square-for-absolute-value",
            "x / (1 + x*x)",
            "x*x is written for |x|.",
            lambda o: o.x / (1 + o.x * o.x),
            None,
        ),
        (
            "root-of-square",
            "x / sqrt(1 + x*x)",
            "Another function of this shape is taken for softsign.",
            lambda o: o.x / np.sqrt(1 + o.x * o.x),
            None,
        ),
        (
            "without-absolute-value",
            "x / (1 + x)",
            "The absolute value is forgotten.",
            lambda o: o.x / (1 + o.x),
            None,
        ),
        *_ordinary(lambda o: (1 + np.abs(o.x)) ** -2.0),
    ),
)

# -- identity --------------------------------------------------------------------------------------
_register(
    "identity",
    Identity,
    (
        (
            "gradient-zero",
            "a gradient of 0",
            "x is taken for a constant.",
            None,
            lambda o: 0 * o.dout,
        ),
        (
            "gradient-of-relu",
            "the mask of ReLU for the derivative",
            "A ReLU was switched off in forward alone.",
            None,
            lambda o: o.dout * (o.x > 0),
        ),
        (
            "still-a-relu",
            "the ReLU",
            "activation=None falls back to ReLU.",
            lambda o: np.maximum(o.x, 0),
            lambda o: o.dout * (o.x > 0),
        ),
        *_ordinary(lambda o: np.ones_like(o.x))[1:],  # to hand dout on is right
    ),
)
