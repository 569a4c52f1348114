"""What people write for SELU, Softplus, GELU, ReLU6 and softsign: terms, and other functions."""

# A probe holds arrays as Any.
# mypy: disable-error-code="no-any-return, misc"

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from parity.explain.functions import sigmoid
from parity.kinds import Probe
from scratchcnn.layers import SELU
from scratchcnn.typing import Array

Terms = dict[str, Array]
Function = Callable[[Array, Probe], Array]  # of x, and of x and y in backward
ALPHA, SCALE, TANH = SELU.alpha, SELU.scale, math.sqrt(2 / math.pi)


def gelu_parts(x: Array, p: Probe, other: bool = False) -> tuple[Array, Array]:
    """P(a normal number is below x) and its derivative, in the form that the probe asks for, or the other."""
    if (p.args.get("approximate", "none") == "tanh") != other:
        t = np.tanh(TANH * (x + 0.044715 * x**3))
        return 0.5 * (1 + t), 0.5 * (1 - t * t) * TANH * (1 + 3 * 0.044715 * x * x)
    erf = np.vectorize(math.erf, otypes=[np.float64])
    return 0.5 * (1 + erf(x / math.sqrt(2))), np.exp(-0.5 * x * x) / math.sqrt(2 * math.pi)


def _selu(name: str, p: Probe) -> Terms:
    x = p.inputs["x"]
    above, e = x > 0, np.exp(np.minimum(x, 0))
    if name == "out":
        return {
            "scale*x where x > 0": SCALE * x * above,
            "scale*alpha*(exp(x) - 1) where x < 0": SCALE * ALPHA * np.expm1(np.minimum(x, 0)),
            "x where x > 0": x * above,
            "alpha*(exp(x) - 1) where x < 0": ALPHA * np.expm1(np.minimum(x, 0)),
            "alpha*x where x > 0": ALPHA * x * above,
            "exp(x) - 1 where x < 0": np.expm1(np.minimum(x, 0)),
        }
    d = p.inputs["dout"]
    return {
        "scale*dout where x > 0": SCALE * d * above,
        "scale*alpha*dout*exp(x) where x <= 0": SCALE * ALPHA * d * e * ~above,
        "dout where x > 0": d * above,
        "alpha*dout*exp(x) where x <= 0": ALPHA * d * e * ~above,
        "scale*dout*exp(x) where x <= 0": SCALE * d * e * ~above,
        "alpha*dout where x > 0": ALPHA * d * above,
        "alpha*dout where x <= 0": ALPHA * d * ~above,
        "scale*alpha*dout where x <= 0": SCALE * ALPHA * d * ~above,
        "dout where x <= 0": d * ~above,
        "scale*dout where x >= 0": SCALE * d * (x >= 0),
        "scale*alpha*dout*exp(x) where x < 0": SCALE * ALPHA * d * e * (x < 0),
        "dout*x where x > 0": d * x * above,
    }


def _softplus(name: str, p: Probe) -> Terms:
    x = p.inputs["x"]
    if name == "out":
        return {
            "log(1 + exp(x))": np.logaddexp(x, 0),
            "x": x,
            "max(x, 0)": np.maximum(x, 0),
            "log(2)": np.full_like(x, math.log(2)),
            "1": np.ones_like(x),
        }
    d, s = p.inputs["dout"], sigmoid(x)
    return {
        "dout*s": d * s,
        "dout": d,
        "dout*s**2": d * s * s,
        "dout where x > 0": d * (x > 0),
        "dout*y": d * np.logaddexp(x, 0),
        "dout*x": d * x,
        "s": s,
    }


def _gelu(name: str, p: Probe) -> Terms:
    x = p.inputs["x"]
    P, q = gelu_parts(x, p)
    if name == "out":
        return {"x*P": x * P, "P": P, "x": x}
    d = p.inputs["dout"]
    return {
        "dout*P": d * P,
        "dout*x*p": d * x * q,
        "dout*p": d * q,
        "dout": d,
        "dout*x*P": d * x * P,
        "dout where x > 0": d * (x > 0),
    }


def _relu6(name: str, p: Probe) -> Terms:
    x = p.inputs["x"]
    inside, over = (x > 0) & (x < 6), x >= 6
    if name == "out":
        return {
            "x where 0 < x < 6": x * inside,
            "6 where x >= 6": 6.0 * over,
            "x where x >= 6": x * over,
            "x where x < 0": x * (x < 0),
        }
    d = p.inputs["dout"]
    return {
        "dout where 0 < x < 6": d * inside,
        "dout where x > 6": d * (x > 6),
        "dout where x <= 0": d * (x <= 0),
        "dout where x = 0": d * (x == 0),
        "dout where x = 6": d * (x == 6),
        "dout*x where 0 < x < 6": d * x * inside,
        "dout where x >= 6": d * over,
    }


def _softsign(name: str, p: Probe) -> Terms:
    x = p.inputs["x"]
    if name == "out":
        return {"x/(1 + |x|)": x / (1 + np.abs(x)), "x": x}
    d, a, y = p.inputs["dout"], np.abs(x), x / (1 + np.abs(x))
    return {
        "dout/(1 + |x|)**2": d / (1 + a) ** 2,
        "dout/(1 + |x|)": d / (1 + a),
        "dout": d,
        "dout*y**2": d * y * y,
        "dout*y": d * y,
    }


def _step(name: str, p: Probe) -> Terms:
    x = p.inputs["x"]
    above, below = x > 0, x < 0
    if name == "out":
        return {
            "1 where x > 0": 1.0 * above,
            "1 where x < 0": 1.0 * below,
            "1 where x = 0": 1.0 * (x == 0),
            "x where x > 0": x * above,
            "1 where x > 0.5": 1.0 * (x > 0.5),
            "1 where any x > 0": np.full_like(x, above.any()),
        }
    d, s = p.inputs["dout"], sigmoid(x)
    return {
        "dout": d,
        "dout where x > 0": d * above,
        "dout*s*(1 - s)": d * s * sigmoid(-x),
        "1": np.ones_like(x),
        "1 where x > 0": 1.0 * above,
    }


def _identity(name: str, p: Probe) -> Terms:
    x = p.inputs["x"]
    if name == "out":
        return {"x": x, "|x|": np.abs(x), "1": np.ones_like(x)}
    d = p.inputs["dout"]
    return {"dout": d, "dout*x": d * x, "1": np.ones_like(x)}


OF_KINDS: dict[str, Callable[[str, Probe], Terms]] = {
    "selu": _selu,
    "softplus": _softplus,
    "gelu": _gelu,
    "relu6": _relu6,
    "softsign": _softsign,
    "step_function": _step,
    "identity": _identity,
}
RIGHT: dict[tuple[str, str], dict[str, float]] = {
    ("selu", "out"): {"scale*x where x > 0": 1, "scale*alpha*(exp(x) - 1) where x < 0": 1},
    ("selu", "dx"): {"scale*dout where x > 0": 1, "scale*alpha*dout*exp(x) where x <= 0": 1},
    ("softplus", "out"): {"log(1 + exp(x))": 1},
    ("softplus", "dx"): {"dout*s": 1},
    ("gelu", "out"): {"x*P": 1},
    ("gelu", "dx"): {"dout*P": 1, "dout*x*p": 1},
    ("relu6", "out"): {"x where 0 < x < 6": 1, "6 where x >= 6": 1},
    ("relu6", "dx"): {"dout where 0 < x < 6": 1},
    ("softsign", "out"): {"x/(1 + |x|)": 1},
    ("softsign", "dx"): {"dout/(1 + |x|)**2": 1},
    ("step_function", "out"): {"1 where x > 0": 1},
    ("step_function", "dx"): {},
    ("identity", "out"): {"x": 1},
    ("identity", "dx"): {"dout": 1},
}


# -- whole formulas: a function, and its derivative where people have that too ----------------------------
def _gelu_by(x: Array, constant: float, factor: float) -> Array:
    """The tanh form with another constant; in its derivative another factor of x**2."""
    return TANH * (x + constant * x**3) if not factor else TANH * (1 + factor * x * x)


def _gelu_slope(x: Array, p: Probe, constant: float, factor: float) -> Array:
    if p.args.get("approximate") != "tanh":
        P, q = gelu_parts(x, p)
        return P + x * q
    t = np.tanh(_gelu_by(x, constant, 0))
    return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * _gelu_by(x, constant, factor)


def _gelu_with(x: Array, p: Probe, constant: float) -> Array:
    if p.args.get("approximate") != "tanh":
        return x * gelu_parts(x, p)[0]
    return 0.5 * x * (1 + np.tanh(_gelu_by(x, constant, 0)))


def _coarse_slope(x: Array) -> Array:
    s = sigmoid(1.702 * x)
    return s + 1.702 * x * s * (1 - s)


def _selu_of(x: Array, alpha: float, scale: float) -> Array:
    return scale * np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


def _selu_slope(x: Array, alpha: float, scale: float) -> Array:
    return scale * np.where(x > 0, 1, alpha * np.exp(np.minimum(x, 0)))


Both = tuple[Function, Function | None]
FUNCTIONS: dict[str, dict[str, Both]] = {
    "selu": {
        "SELU with alpha 1.6733 and scale 1.0507": (
            lambda x, p: _selu_of(x, 1.6733, 1.0507),
            lambda x, p: _selu_slope(x, 1.6733, 1.0507),
        ),
        "SELU with alpha and scale exchanged": (
            lambda x, p: _selu_of(x, SCALE, ALPHA),
            lambda x, p: _selu_slope(x, SCALE, ALPHA),
        ),
        "scale*((x > 0)*x + (x <= 0)*alpha*(exp(x) - 1)), which overflows": (
            lambda x, p: SCALE * ((x > 0) * x + (x <= 0) * ALPHA * np.expm1(x)),
            None,
        ),
    },
    "softplus": {
        "log(1 + exp(x)), which overflows": (
            lambda x, p: np.log(1 + np.exp(x)),
            lambda x, p: np.exp(x) / (1 + np.exp(x)),
        ),
        "log2(1 + exp(x))": (lambda x, p: np.logaddexp(x, 0) / math.log(2), None),
        "log(1 + exp(-|x|))": (lambda x, p: np.log1p(np.exp(-np.abs(x))), None),
        "the sigmoid": (lambda x, p: sigmoid(x), lambda x, p: sigmoid(x) * (1 - sigmoid(x))),
    },
    "gelu": {
        "GELU's other form": (
            lambda x, p: x * gelu_parts(x, p, True)[0],
            lambda x, p: gelu_parts(x, p, True)[0] + x * gelu_parts(x, p, True)[1],
        ),
        "x*sigmoid(1.702*x)": (lambda x, p: x * sigmoid(1.702 * x), lambda x, p: _coarse_slope(x)),
        "x*(1 + erf(x))/2": (lambda x, p: x * gelu_parts(math.sqrt(2) * x, Probe("gelu", ""))[0], None),
        "the tanh form with 0.44715 for 0.044715": (
            lambda x, p: _gelu_with(x, p, 0.44715),
            lambda x, p: _gelu_slope(x, p, 0.44715, 3 * 0.44715),
        ),
        "the tanh form, x**3 differentiated to x**2": (
            lambda x, p: _gelu_with(x, p, 0.044715),
            lambda x, p: _gelu_slope(x, p, 0.044715, 0.044715),
        ),
    },
    "identity": {"the ReLU": (lambda x, p: np.maximum(x, 0), lambda x, p: 1.0 * (x > 0))},
    "relu6": {"the ReLU": (lambda x, p: np.maximum(x, 0), lambda x, p: 1.0 * (x > 0))},
    "step_function": {"the sign of x": (lambda x, p: np.sign(x), None)},
    "softsign": {
        "x/(1 + x*x)": (lambda x, p: x / (1 + x * x), None),
        "x/sqrt(1 + x*x)": (lambda x, p: x / np.sqrt(1 + x * x), None),
        "x/(1 + x)": (lambda x, p: x / (1 + x), None),
    },
}
Slope = Callable[[Array, Array, Probe], Array]  # of x and y
OF_OUTPUT: dict[str, dict[str, Slope]] = {
    "selu": {
        "scale*dout where x > 0, else dout*(y + alpha)": lambda x, y, p: np.where(x > 0, SCALE, y + ALPHA),
        "scale*dout where x > 0, else dout*(y + scale*alpha)": lambda x, y, p: np.where(
            x > 0, SCALE, y + SCALE * ALPHA
        ),
        "the derivative at y": lambda x, y, p: _selu_slope(y, ALPHA, SCALE),
        "dout*y": lambda x, y, p: y,
    },
    "softplus": {
        "dout*sigmoid(y)": lambda x, y, p: sigmoid(y),
        "dout*(1 - exp(-y))": lambda x, y, p: 1 - np.exp(-y),
        "dout*y": lambda x, y, p: y,
    },
    "gelu": {
        "the derivative at y": lambda x, y, p: gelu_parts(y, p)[0] + y * gelu_parts(y, p)[1],
        "dout*y": lambda x, y, p: y,
    },
    "relu6": {"dout*y": lambda x, y, p: y},
    "step_function": {},
    "identity": {},
    "softsign": {
        "dout/(1 + |y|)**2": lambda x, y, p: 1 / (1 + np.abs(y)) ** 2,
        "dout*(1 - y)**2": lambda x, y, p: (1 - y) ** 2,
        "dout*(1 - y*y)": lambda x, y, p: 1 - y * y,
        "dout*y": lambda x, y, p: y,
    },
}
