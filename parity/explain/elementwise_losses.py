"""Losses per output that people write for another, other slopes, and what their sums are divided by."""

# A probe holds arrays as Any, and lambdas keep loop variables as defaults.
# mypy: disable-error-code="no-any-return, misc"

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from parity.explain.functions import sigmoid
from parity.kinds import Probe
from parity.kinds.elementwise_losses import divisor
from scratchcnn.typing import Array

OfOutputs = Callable[..., Array]  # (x, t) -> a loss, or a slope, of each; (x, t, delta) of Huber's


CLIPS = (0.1, 0.01, 0.001)  # smaller ones lie beyond the probabilities that are tried


def _bce(x: Array, t: Array) -> Array:
    return -t * np.log(x) - (1 - t) * np.log1p(-x)


def _bce_slope(x: Array, t: Array) -> Array:
    return (x - t) / (x * (1 - x))


def _bent(within: OfOutputs, beyond: OfOutputs, at: OfOutputs = lambda d, c: np.abs(d) <= c) -> OfOutputs:
    """Two branches of the difference d and delta, of which `at` chooses the first."""

    def of(x: Array, t: Array, c: float) -> Array:
        d = x - t
        return np.where(at(d, c), within(d, c), beyond(d, c))

    return of


def _square(d: Array, c: float) -> Array:
    return d**2 / 2


def _line(d: Array, c: float) -> Array:
    return c * (np.abs(d) - c / 2)


def _mean_of_each(x: Array, t: Array, c: float) -> Array:
    d = x - t
    within = np.abs(d) <= c
    shares = np.where(within, within.sum(), (~within).sum()) / d.size
    return np.where(within, _square(d, c), _line(d, c)) / shares


LOSSES: dict[str, dict[str, OfOutputs]] = {
    "mean_squared_error": {
        "(x - t)**2": lambda x, t: (x - t) ** 2,
        "|x - t|": lambda x, t: np.abs(x - t),
        "x**2 - t**2": lambda x, t: x**2 - t**2,
        "2*(x - t)": lambda x, t: 2 * (x - t),
        "x - t": lambda x, t: x - t,
        "(x + t)**2": lambda x, t: (x + t) ** 2,
        "(x - t)**4": lambda x, t: (x - t) ** 4,
        "(x - t)**3": lambda x, t: (x - t) ** 3,
        "(x - t)**2 of each row of x with every row of t": lambda x, t: ((x[:, None] - t[None]) ** 2).mean(1),
    },
    "mean_absolute_error": {
        "|x - t|": lambda x, t: np.abs(x - t),
        "x - t": lambda x, t: x - t,
        "(x - t)**2": lambda x, t: (x - t) ** 2,
        "|x + t|": lambda x, t: np.abs(x + t),
        "|x| - |t|": lambda x, t: np.abs(x) - np.abs(t),
    },
    "huber_loss": {
        "Huber's loss": _bent(_square, _line),
        "delta*|x - t| beyond delta": _bent(_square, lambda d, c: c * np.abs(d)),
        "delta*(|x - t| - delta) beyond delta": _bent(_square, lambda d, c: c * (np.abs(d) - c)),
        "delta*|x - t| - delta/2 beyond delta": _bent(_square, lambda d, c: c * np.abs(d) - c / 2),
        "|x - t| - delta/2 beyond delta": _bent(_square, lambda d, c: np.abs(d) - c / 2),
        "|x - t| - 1/2 beyond delta": _bent(_square, lambda d, c: np.abs(d) - 0.5),
        "delta*(|x - t| - 1/2) beyond delta": _bent(_square, lambda d, c: c * (np.abs(d) - 0.5)),
        "|x - t| beyond delta": _bent(_square, lambda d, c: np.abs(d)),
        "delta*(x - t - delta/2) beyond delta": _bent(_square, lambda d, c: c * (d - c / 2)),
        "(x - t)**2 within delta": _bent(lambda d, c: d**2, _line),
        "|x - t| within delta": _bent(lambda d, c: np.abs(d), _line),
        "(x - t)**2/2 where x - t <= delta": _bent(_square, _line, lambda d, c: d <= c),
        "the square beyond delta and the line within it": _bent(_line, _square),
        "(x - t)**2/2": _bent(_square, _square),
        "delta*(|x - t| - delta/2)": _bent(_line, _line),
        "|x - t|": lambda x, t, c: np.abs(x - t),
        "the loss for delta = 1": lambda x, t, c: _bent(_square, _line)(x, t, 1.0),
        "one branch for all by the mean of |x - t|": _bent(
            _square, _line, lambda d, c: np.abs(d).mean() <= c
        ),
        "one branch for all by the largest |x - t|": _bent(_square, _line, lambda d, c: np.abs(d).max() <= c),
        "the mean of each branch over its own outputs": _mean_of_each,
    },
    "hinge_loss": {
        "max(0, 1 - t*x)": lambda x, t: np.maximum(0, 1 - t * x),
        "max(0, -t*x)": lambda x, t: np.maximum(0, -t * x),
        "max(0, 1 + t*x)": lambda x, t: np.maximum(0, 1 + t * x),
        "1 - t*x": lambda x, t: 1 - t * x,
        "max(0, 1 - t*x)**2": lambda x, t: np.maximum(0, 1 - t * x) ** 2,
        "max(0, 1 - (t - x))": lambda x, t: np.maximum(0, 1 - (t - x)),
        "max(0, 1 - x)": lambda x, t: np.maximum(0, 1 - x),
        "max(0, the mean of 1 - t*x)": lambda x, t: np.full_like(x, np.maximum(0, (1 - t * x).mean())),
    },
    "binary_cross_entropy": {
        "-t*log(x) - (1 - t)*log(1 - x)": lambda x, t: _bce(x, t),
        "t*log(x) + (1 - t)*log(1 - x)": lambda x, t: -_bce(x, t),
        "-t*log(x)": lambda x, t: -t * np.log(x),
        "-(1 - t)*log(1 - x)": lambda x, t: -(1 - t) * np.log1p(-x),
        "-t*log(x) + (1 - t)*log(1 - x)": lambda x, t: -t * np.log(x) + (1 - t) * np.log1p(-x),
        "-t*log(1 - x) - (1 - t)*log(x)": lambda x, t: _bce(x, 1 - t),
        "-log(x)": lambda x, t: -np.log(x),
        "-t*log2(x) - (1 - t)*log2(1 - x)": lambda x, t: _bce(x, t) / np.log(2),
        "-t*log10(x) - (1 - t)*log10(1 - x)": lambda x, t: _bce(x, t) / np.log(10),
        **{
            f"the cross entropy of x clipped to [{at}, {1 - at:g}]": lambda x, t, at=at: _bce(
                x.clip(at, 1 - at), t
            )
            for at in CLIPS
        },
        "the cross entropy of the sigmoid of x": lambda x, t: _bce(sigmoid(x), t),
        "-t*log(x + 0.01) - (1 - t)*log(1 - x + 0.01)": lambda x, t: (
            -t * np.log(x + 0.01) - (1 - t) * np.log(1.01 - x)
        ),
        "-t*log(x + 0.001) - (1 - t)*log(1 - x + 0.001)": lambda x, t: (
            -t * np.log(x + 0.001) - (1 - t) * np.log(1.001 - x)
        ),
        "(x - t)**2": lambda x, t: (x - t) ** 2,
        "|x - t|": lambda x, t: np.abs(x - t),
    },
}
SLOPES: dict[str, dict[str, OfOutputs]] = {
    "mean_squared_error": {
        "2*(x - t)": lambda x, t: 2 * (x - t),
        "x - t": lambda x, t: x - t,
        "(x - t)/2": lambda x, t: (x - t) / 2,
        "t - x": lambda x, t: t - x,
        "2*(t - x)": lambda x, t: 2 * (t - x),
        "4*(x - t)": lambda x, t: 4 * (x - t),
        "the sign of x - t": lambda x, t: np.sign(x - t),
        "2*(x - t)**2": lambda x, t: 2 * (x - t) ** 2,
        "(x - t)**2": lambda x, t: (x - t) ** 2,
        "2*(x - t)*x": lambda x, t: 2 * (x - t) * x,
        "(x - t)*x": lambda x, t: (x - t) * x,
        "2*x": lambda x, t: 2 * x,
        "2*(x + t)": lambda x, t: 2 * (x + t),
    },
    "mean_absolute_error": {
        "the sign of x - t": lambda x, t: np.sign(x - t),
        "2*(x - t)": lambda x, t: 2 * (x - t),
        "x - t": lambda x, t: x - t,
        "1 where x >= t and -1 elsewhere": lambda x, t: np.where(x >= t, 1.0, -1.0),
        "-1 where x <= t and 1 elsewhere": lambda x, t: np.where(x > t, 1.0, -1.0),
        "1 where x > t and 0 elsewhere": lambda x, t: 1.0 * (x > t),
        "|x - t|": lambda x, t: np.abs(x - t),
    },
    "huber_loss": {
        "x - t clipped to [-delta, delta]": lambda x, t, c: np.clip(x - t, -c, c),
        "x - t": lambda x, t, c: x - t,
        "t - x": lambda x, t, c: t - x,
        "t - x clipped to [-delta, delta]": lambda x, t, c: np.clip(t - x, -c, c),
        "delta*the sign of x - t": lambda x, t, c: c * np.sign(x - t),
        "the sign of x - t beyond delta": _bent(lambda d, c: d, lambda d, c: np.sign(d)),
        "delta beyond delta": _bent(lambda d, c: d, lambda d, c: c),
        "x - t where x - t <= delta": _bent(lambda d, c: d, lambda d, c: c * np.sign(d), lambda d, c: d <= c),
        "2*(x - t) within delta": _bent(lambda d, c: 2 * d, lambda d, c: c * np.sign(d)),
        "each branch on the other side of delta": _bent(lambda d, c: c * np.sign(d), lambda d, c: d),
        "0 beyond delta": _bent(lambda d, c: d, lambda d, c: 0 * d),
        "the line itself beyond delta": _bent(lambda d, c: d, lambda d, c: _line(d, c) * np.sign(d)),
        "x - t clipped to [-1, 1]": lambda x, t, c: np.clip(x - t, -1, 1),
        "|x - t| up to delta": lambda x, t, c: np.minimum(np.abs(x - t), c),
        "x - t clipped and multiplied by delta": lambda x, t, c: c * np.clip(x - t, -c, c),
        "x - t clipped and divided by delta": lambda x, t, c: np.clip(x - t, -c, c) / c,
    },
    "hinge_loss": {
        "-t where t*x < 1": lambda x, t: np.where(t * x < 1, -t, 0.0),
        "-t": lambda x, t: -t,
        "t where t*x < 1": lambda x, t: np.where(t * x < 1, t, 0.0),
        "-t where t*x >= 1": lambda x, t: np.where(t * x < 1, 0.0, -t),
        "-t where t*x < 0": lambda x, t: np.where(t * x < 0, -t, 0.0),
        "-t*x where t*x < 1": lambda x, t: np.where(t * x < 1, -t * x, 0.0),
        "-1 where t*x < 1": lambda x, t: np.where(t * x < 1, -1.0, 0.0),
        "-x where t*x < 1": lambda x, t: np.where(t * x < 1, -x, 0.0),
        "t - x": lambda x, t: t - x,
    },
    "binary_cross_entropy": {
        "(x - t)/(x*(1 - x))": lambda x, t: _bce_slope(x, t),
        "-(x - t)/(x*(1 - x))": lambda x, t: (t - x) / (x * (1 - x)),
        "-t/x": lambda x, t: -t / x,
        "-t/x - (1 - t)/(1 - x)": lambda x, t: -t / x - (1 - t) / (1 - x),
        "-t/(1 - x) + (1 - t)/x": lambda x, t: -t / (1 - x) + (1 - t) / x,
        "(x - t)*x*(1 - x)": lambda x, t: (x - t) * x * (1 - x),
        "(x - t)/x": lambda x, t: (x - t) / x,
        "(x - t)/(1 - x)": lambda x, t: (x - t) / (1 - x),
        "(x - t)/x*(1 - x)": lambda x, t: (x - t) / x * (1 - x),
        "x - t (the gradient of the scores before the sigmoid, not of the probabilities that it takes)": (
            lambda x, t: x - t
        ),
        "t - x": lambda x, t: t - x,
        "2*(x - t)": lambda x, t: 2 * (x - t),
        **{
            f"that of x clipped to [{at}, {1 - at:g}]": lambda x, t, at=at: _bce_slope(x.clip(at, 1 - at), t)
            for at in CLIPS
        },
    },
}
PARTS: dict[str, Callable[[Array], Array]] = {
    "": lambda a: a,
    " of the last row alone": lambda a: np.where(np.arange(len(a))[:, None] == len(a) - 1, a, 0),
    " of the first row alone": lambda a: np.where(np.arange(len(a))[:, None] == 0, a, 0),
    " of the first column alone": lambda a: np.where(np.arange(a.shape[1]) == 0, a, 0),
}
SPREAD: dict[str, Callable[[Array], Array]] = {
    "": lambda a: a,
    ", its mean over the batch in every row": lambda a: np.broadcast_to(a.mean(0), a.shape),
    ", that of the first column in every column": lambda a: np.broadcast_to(a[:, :1], a.shape),
}
DIVISORS: dict[str, Callable[[Probe], float]] = {
    "": lambda p: divisor(p.inputs["x"], p.args),
    ", not divided": lambda p: 1,
    ", divided by N alone": lambda p: len(p.inputs["x"]),
    ", divided by x.shape[1]": lambda p: p.inputs["x"].shape[1],
    ", divided by the number of outputs": lambda p: p.inputs["x"].size,
    ", divided twice": lambda p: divisor(p.inputs["x"], p.args) ** 2,
}


def losses_of_outputs(kind: str, name: str) -> Iterator[tuple[str, Callable[[Probe], Array | None]]]:
    """(what is different, the result) for the loss or dx."""
    right = next(iter((LOSSES if name == "loss" else SLOPES)[kind]))
    if name == "loss":
        for words, of in LOSSES[kind].items():
            for part, keep in PARTS.items():
                for by, count in DIVISORS.items():
                    if (words, part, by) != (right, "", ""):
                        says = f"{words}{part} in place of {right}" if words != right else f"{words}{part}"
                        yield f"{says}{by}", lambda p, o=of, k=keep, c=count: _loss(p, o, k, c)
        square = LOSSES[kind][right]
        yield "the square root of PyTorch's", lambda p: np.sqrt(_loss(p, square, PARTS[""], DIVISORS[""]))
        if kind == "mean_squared_error":
            yield "the square of the sum of x - t for the sum of squares", _square_of_sum
        return
    for words, of in SLOPES[kind].items():
        for spread, make in SPREAD.items():
            for by, count in DIVISORS.items():
                if (words, spread, by) != (right, "", ""):
                    yield f"{words}{spread}{by}", lambda p, o=of, m=make, c=count: _dx(p, o, m, c)
                    says = f"{words}{spread}{by}, without the factor"
                    yield says, lambda p, o=of, m=make, c=count: _dx(p, o, m, c) / p.args.get("factor", 1.0)
    of = SLOPES[kind][right]
    yield (
        f"{right}, without the factor",
        lambda p: _dx(p, of, SPREAD[""], DIVISORS[""]) / p.args.get("factor", 1.0),
    )


def _loss(p: Probe, of: OfOutputs, keep: Callable[[Array], Array], by: Callable[[Probe], float]) -> Array:
    losses = p.args.get("factor", 1.0) * keep(of(*_given(p)))
    return losses if p.args.get("reduction") == "none" else np.array(losses.sum() / by(p))


def _dx(p: Probe, of: OfOutputs, make: Callable[[Array], Array], by: Callable[[Probe], float]) -> Array:
    return p.args.get("factor", 1.0) * make(of(*_given(p))) / by(p)


def _given(p: Probe) -> tuple[Any, ...]:
    """x and t, and delta where the kind has one."""
    constant = (p.args.get("delta", 1.0),) if p.kind == "huber_loss" else ()
    return p.inputs["x"], p.inputs["t"], *constant


def _square_of_sum(p: Probe) -> Array:
    d = p.inputs["x"] - p.inputs["t"]
    if p.args.get("reduction") == "none":
        return p.args.get("factor", 1.0) * d * d.mean()
    return np.array(p.args.get("factor", 1.0) * d.sum() ** 2 / d.size / divisor(d, p.args))
