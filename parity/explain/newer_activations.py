"""What people write for the newer activations: terms of their formulas, and other functions."""

# A probe holds arrays as Any, and lambdas keep loop variables as defaults.
# mypy: disable-error-code="no-any-return, misc"

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from parity.explain import smooth_activations as smooth
from parity.kinds import Probe, kind_of
from scratchcnn.typing import Array

Terms = dict[str, Array]
Formula = Callable[[Probe], "Array | None"]


def constant(p: Probe) -> float:
    """The one argument of the kind: negative_slope of leaky_relu, alpha of elu."""
    name, default = next(iter(kind_of(p.kind).optional.items()))
    return float(p.args.get(name, default))


def leaky_relu_terms(name: str, p: Probe) -> Terms:
    x, s = p.inputs["x"], constant(p)
    above, below = x > 0, x < 0
    if name == "out":
        return {
            "x where x > 0": x * above,
            "negative_slope*x where x < 0": s * x * below,
            "x where x < 0": x * below,
            "negative_slope*x where x > 0": s * x * above,
            "negative_slope**2*x where x < 0": s * s * x * below,
            "negative_slope where x <= 0": s * ~above,
            "x/negative_slope where x < 0": x / s * below,
            "1 where x <= 0": 1.0 * ~above,
        }
    d, y = p.inputs["dout"], np.where(above, x, s * x)
    return {
        "dout where x > 0": d * above,
        "negative_slope*dout where x <= 0": s * d * ~above,
        "dout where x <= 0": d * ~above,
        "negative_slope*dout where x > 0": s * d * above,
        "negative_slope**2*dout where x <= 0": s * s * d * ~above,
        "dout/negative_slope where x <= 0": d / s * ~above,
        "negative_slope where x <= 0": s * ~above,
        "dout where x >= 0": d * ~below,
        "negative_slope*dout where x < 0": s * d * below,
        "dout where dout > 0": d * (d > 0),
        "negative_slope*dout where dout < 0": s * d * (d < 0),
        "dout*y": d * y,
        "dout*x": d * x,
        "1 where x > 0": 1.0 * above,
    }


def elu_terms(name: str, p: Probe) -> Terms:
    x, a = p.inputs["x"], constant(p)
    above, below = x > 0, x < 0
    e = np.exp(np.minimum(x, 0))
    if name == "out":
        return {
            "x where x > 0": x * above,
            "alpha*exp(x) where x <= 0": a * e * ~above,
            "alpha where x <= 0": a * ~above,
            "exp(x) where x <= 0": e * ~above,
            "1 where x <= 0": 1.0 * ~above,
            "alpha*x where x < 0": a * x * below,
            "x where x < 0": x * below,
        }
    d = p.inputs["dout"]
    return {
        "dout where x > 0": d * above,
        "alpha*dout*exp(x) where x <= 0": a * d * e * ~above,
        "alpha*dout where x <= 0": a * d * ~above,
        "dout*exp(x) where x <= 0": d * e * ~above,
        "dout where x <= 0": d * ~above,
        "dout*x where x <= 0": d * x * ~above,
        "dout*x where x > 0": d * x * above,
        "dout where x >= 0": d * ~below,
        "alpha*dout*exp(x) where x < 0": a * d * e * below,
        "alpha**2*dout where x <= 0": a * a * d * ~above,
        "alpha**2*dout*exp(x) where x <= 0": a * a * d * e * ~above,
    }


OF_KINDS: dict[str, Callable[[str, Probe], Terms]] = {
    "leaky_relu": leaky_relu_terms,
    "elu": elu_terms,
    **smooth.OF_KINDS,
}
RIGHT: dict[tuple[str, str], dict[str, float]] = {
    ("leaky_relu", "out"): {"x where x > 0": 1, "negative_slope*x where x < 0": 1},
    ("leaky_relu", "dx"): {"dout where x > 0": 1, "negative_slope*dout where x <= 0": 1},
    ("elu", "out"): {"x where x > 0": 1, "alpha*exp(x) where x <= 0": 1, "alpha where x <= 0": -1},
    ("elu", "dx"): {"dout where x > 0": 1, "alpha*dout*exp(x) where x <= 0": 1},
    **smooth.RIGHT,
}


# -- whole formulas --------------------------------------------------------------------------------
def _elu(x: Array, a: float, inner: float) -> Array:
    return np.where(x > 0, x, a * np.expm1(inner * np.minimum(x, 0)))


ALL_FUNCTIONS: dict[str, dict[str, smooth.Both]] = {
    "leaky_relu": {},
    "elu": {
        "exp(alpha*x) - 1 where x < 0": (
            lambda x, p: _elu(x, 1.0, constant(p)),
            lambda x, p: np.where(x > 0, 1, constant(p) * np.exp(constant(p) * np.minimum(x, 0))),
        ),
        "alpha*(exp(x) - 1) where x > 0, and x below": (
            lambda x, p: np.where(x > 0, constant(p) * np.expm1(x), x),
            None,
        ),
        "(x > 0)*x + (x <= 0)*alpha*(exp(x) - 1), which overflows": (
            lambda x, p: (x > 0) * x + (x <= 0) * constant(p) * np.expm1(x),
            lambda x, p: (x > 0) + (x <= 0) * constant(p) * np.exp(x),
        ),
    },
    **smooth.FUNCTIONS,
}
ALL_OF_OUTPUT: dict[str, dict[str, smooth.Slope]] = {
    "leaky_relu": {},
    "elu": {
        "dout where x > 0, else dout*(y + alpha)": lambda x, y, p: np.where(x > 0, 1, y + constant(p)),
        "dout where x > 0, else dout*(y + 1)": lambda x, y, p: np.where(x > 0, 1, y + 1),
        "dout where y > 0, else dout*(y + alpha)": lambda x, y, p: np.where(y > 0, 1, y + constant(p)),
        "dout where x > 0, else alpha*dout*exp(y)": lambda x, y, p: np.where(
            x > 0, 1, constant(p) * np.exp(y)
        ),
        "dout*y": lambda x, y, p: y,
    },
    **smooth.OF_OUTPUT,
}


def newer_activations(kind: str, name: str) -> Iterator[tuple[str, Formula]]:
    """(what is different, the result) for out or dx."""
    for words, (f, slope) in ALL_FUNCTIONS[kind].items():
        if name == "out":
            yield words, lambda p, f=f: f(p.inputs["x"], p)
        elif slope is not None:
            yield (
                f"the derivative of {words}, times dout",
                lambda p, s=slope: p.inputs["dout"] * s(p.inputs["x"], p),
            )
    if name == "out":
        return
    for words, g in ALL_OF_OUTPUT[kind].items():
        yield (
            f"what follows from its own out: {words}",
            lambda p, g=g: p.inputs["dout"] * g(p.inputs["x"], p.known["found"]["out"], p),
        )
    yield "the derivative, not times dout", _slope
    yield "PyTorch's with the side chosen by dout's sign", _by_dout


def _slope(p: Probe) -> Array:
    """The derivative at x: dx for a dout of ones."""
    ones: Any = {**p.inputs, "dout": np.ones_like(p.inputs["dout"])}
    return kind_of(p.kind).reference(Probe(p.kind, p.id, p.args, ones))["dx"]


def _by_dout(p: Probe) -> Array:
    dout = p.inputs["dout"]
    below = Probe(p.kind, p.id, p.args, {**p.inputs, "x": np.minimum(p.inputs["x"], 0)})
    return np.where(dout > 0, dout, dout * _slope(below))
