"""Whole formulas that people write for another: tried as they stand."""

# A probe holds arrays as Any, and lambdas keep loop variables as defaults.
# mypy: disable-error-code="no-any-return, misc"

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from itertools import chain, pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from parity.explain import losses
from parity.explain.borders import borders
from parity.explain.elementwise_losses import LOSSES as LOSSES_OF_OUTPUTS
from parity.explain.elementwise_losses import losses_of_outputs
from parity.explain.functions import log_softmax, sigmoid, softmax
from parity.explain.last_axis import last_axis
from parity.explain.multiclass_hinge import multiclass_hinges
from parity.explain.newer_activations import ALL_FUNCTIONS, newer_activations
from parity.explain.normalization import batch_norm_candidates, lrn_candidates
from parity.explain.softmax_axis import softmax_axis
from parity.kinds import Probe, kind_of
from scratchcnn.typing import Array

if TYPE_CHECKING:
    from parity.explain.search import Candidate

Formula = Callable[[Probe], "Array | None"]


def candidates_of_formula(name: str, probe: Probe) -> Iterator[Candidate]:
    """The formulas of this kind for this result, of which one may be what was written."""
    from parity.explain.search import Candidate

    makers: dict[str, Callable[[str], Iterator[tuple[str, Formula]]]] = {
        "sigmoid": lambda n: _elementwise("sigmoid", n),
        "tanh": lambda n: _elementwise("tanh", n),
        "silu": lambda n: _elementwise("silu", n),
        **{kind: partial(newer_activations, kind) for kind in ALL_FUNCTIONS},
        "softmax": _softmaxes,
        "softmax_with_loss": lambda n: chain(losses.of_logarithms(n), _losses(n)),
        "penalty_loss": losses.penalties,
        "weighted_cross_entropy": losses.weighted,
        "multiclass_hinge_loss": multiclass_hinges,
        **{kind: partial(losses_of_outputs, kind) for kind in LOSSES_OF_OUTPUTS},
        "adaptive_average_pooling": _adaptive,
        "image_padding": borders,
        "affine_last_axis": last_axis,
        "softmax_axis": softmax_axis,
        "batch_norm": lambda n: batch_norm_candidates(n, False),
        "lrn": lrn_candidates,
        "subsampling": _subsamplings,
        "convolution": _groups,
        "partial_convolution": _connections,
        "numerical_gradient": _numerical,
    }
    maker = makers.get(probe.kind)
    if maker is not None:
        for says, compute in maker(name):
            yield Candidate(says, compute, "formula")


# -- one number in, one number out -----------------------------------------------------------------
Slope = Callable[[Array, Array], Array]  # (x, y) -> dy/dx


def _elementwise(kind: str, name: str) -> Iterator[tuple[str, Formula]]:
    """Another function in forward, or its derivative in backward."""
    e = np.exp
    functions: dict[str, tuple[Callable[[Array], Array], Slope | None]] = {
        "clip(0.2*x + 0.5, 0, 1), the hard sigmoid": (
            lambda x: np.clip(0.2 * x + 0.5, 0, 1),
            lambda x, y: 0.2 * ((y > 0) & (y < 1)),
        ),
        "clip(x/6 + 0.5, 0, 1), the hard sigmoid": (
            lambda x: np.clip(x / 6 + 0.5, 0, 1),
            lambda x, y: ((y > 0) & (y < 1)) / 6,
        ),
        "x*clip(x/6 + 0.5, 0, 1), the hard swish": (
            lambda x: x * np.clip(x / 6 + 0.5, 0, 1),
            lambda x, y: np.where(x >= 3, 1.0, np.where(x <= -3, 0.0, x / 3 + 0.5)),
        ),
        "exp(x) / (1 + exp(x)), which overflows": (lambda x: e(x) / (1 + e(x)), lambda x, y: y * (1 - y)),
        "x*exp(x) / (1 + exp(x)), which overflows": (lambda x: x * e(x) / (1 + e(x)), None),
        "(exp(x) - exp(-x)) / (exp(x) + exp(-x)), which overflows": (
            lambda x: (e(x) - e(-x)) / (e(x) + e(-x)),
            lambda x, y: 1 - y * y,
        ),
        "the sigmoid": (sigmoid, lambda x, y: y * (1 - y)),
        "the tanh": (np.tanh, lambda x, y: 1 - y * y),
        "the ReLU": (lambda x: np.maximum(x, 0), lambda x, y: 1.0 * (x > 0)),
        "x*sigmoid(1.702*x)": (
            lambda x: x * sigmoid(1.702 * x),
            lambda x, y: sigmoid(1.702 * x) + 1.702 * x * sigmoid(1.702 * x) * (1 - sigmoid(1.702 * x)),
        ),
        "sigmoid(-x)": (lambda x: sigmoid(-x), lambda x, y: -y * (1 - y)),
    }
    for words, (f, slope) in functions.items():
        if name == "out":
            yield words, lambda p, f=f: _of_scaled(p, f)
        elif slope is not None:
            yield (
                f"the derivative of {words}, times dout",
                lambda p, f=f, s=slope: p.inputs["dout"] * s(p.inputs["x"], f(p.inputs["x"])),
            )
    if name == "dx":
        yield (
            "what follows from its own out: dout*y*(1 - y)",
            lambda p: p.inputs["dout"] * _own(p) * (1 - _own(p)),
        )
        yield (
            "what follows from its own out: dout*(1 - y**2)",
            lambda p: p.inputs["dout"] * (1 - _own(p) ** 2),
        )

        def silu(p: Probe) -> Array:
            x = p.inputs["x"]
            s = e(x) / (1 + e(x))
            return p.inputs["dout"] * (s + x * s * (1 - s))

        yield "what follows from exp(x) / (1 + exp(x)), which overflows", silu

        def silu_own(p: Probe) -> Array:
            y, x = _own(p), p.inputs["x"]
            s = e(x) / (1 + e(x))
            return p.inputs["dout"] * (y + s * (1 - y))

        yield "what follows from exp(x) / (1 + exp(x)), which overflows: y + s*(1 - y)", silu_own


def _of_scaled(p: Probe, f: Callable[[Array], Array]) -> Array:
    a, s = float(p.args.get("amplitude", 1)), float(p.args.get("slope", 1))
    return a * f(s * p.inputs["x"])


def _own(p: Probe) -> Array:
    """What the code under test gave as its out."""
    found: Array = p.known["found"]["out"]
    return found


# -- softmax --------------------------------------------------------------------------------------
def _distributions() -> dict[str, Callable[[Array], Array]]:
    e = np.exp

    def rows(x: Array) -> Array:
        return x - x.max(1, keepdims=True)

    return {
        "without the shift by the maximum": lambda x: e(x) / e(x).sum(1, keepdims=True),
        "with a shift by the maximum of the whole batch": lambda x: (
            e(x - x.max()) / e(x - x.max()).sum(1, keepdims=True)
        ),
        "normalised down the batch": lambda x: e(x - x.max(0)) / e(x - x.max(0)).sum(0),
        "with one sum for the whole batch": lambda x: e(rows(x)) / e(rows(x)).sum(),
        "with one maximum and one sum for the whole batch": lambda x: e(x - x.max()) / e(x - x.max()).sum(),
        "with 1e-7 added to the sum": lambda x: e(rows(x)) / (e(rows(x)).sum(1, keepdims=True) + 1e-7),
        "applied twice": lambda x: softmax(softmax(x)),
    }


def _softmaxes(name: str) -> Iterator[tuple[str, Formula]]:
    if name == "out":
        for words, f in _distributions().items():
            yield f"the softmax {words}", lambda p, f=f: f(p.inputs["x"])
        yield "the logarithm of the softmax", lambda p: np.log(softmax(p.inputs["x"]))
        yield "the logarithm of the softmax", lambda p: log_softmax(p.inputs["x"])
    if name == "dx":
        sums: dict[str, Callable[[Array], Array]] = {
            "": lambda a: a.sum(1, keepdims=True),
            " with the sum down the batch": lambda a: a.sum(0),
            " with one sum for the whole batch": lambda a: a.sum(),
        }
        for words, total in sums.items():
            yield (
                f"what follows from its own out: y*(dout - sum(dout*y)){words}",
                lambda p, t=total: _own(p) * (p.inputs["dout"] - t(p.inputs["dout"] * _own(p))),
            )
        yield (
            "the gradient of the log-softmax",
            lambda p: p.inputs["dout"] - softmax(p.inputs["x"]) * p.inputs["dout"].sum(1, keepdims=True),
        )


# -- losses ---------------------------------------------------------------------------------------
def _labels(p: Probe) -> tuple[Array, Array]:
    """Labels and one-hot rows."""
    t = p.inputs["t"]
    return (t.argmax(1) if t.ndim == 2 else t), losses.onehot(p)


def _losses(name: str) -> Iterator[tuple[str, Formula]]:
    logs: dict[str, Callable[[Array], Array]] = {
        "log(y + 1e-7)": lambda y: np.log(y + 1e-7),
        "log(y + 1e-8)": lambda y: np.log(y + 1e-8),
        "log of y clipped to [1e-7, 1 - 1e-7]": lambda y: np.log(np.clip(y, 1e-7, 1 - 1e-7)),
        "log of y clipped to [1e-12, 1]": lambda y: np.log(np.clip(y, 1e-12, 1)),
        "log(y), where y may be 0": np.log,
        "log2(y)": np.log2,
    }
    soft = {"": softmax, **{f", the softmax {w}": f for w, f in _distributions().items()}}
    labels: dict[str, Callable[[Probe], Array]] = {
        "": lambda p: _labels(p)[0],
        ", with labels one too high": lambda p: (_labels(p)[0] + 1) % p.inputs["x"].shape[1],
        ", with labels one too low": lambda p: _labels(p)[0] - 1,
        ", with the class of the smallest entry for one-hot rows": lambda p: (
            p.inputs["t"].argmin(1) if p.inputs["t"].ndim == 2 else p.inputs["t"]
        ),
    }
    for words, t in labels.items():
        for soft_words, f in soft.items():
            if words and soft_words:
                continue
            if name == "dx":

                def gradient(p: Probe, f: Any = f, t: Any = t) -> Array:
                    y = f(p.inputs["x"])
                    return (y - np.eye(y.shape[1])[t(p)]) / len(y)

                yield f"(y - onehot)/N{soft_words}{words}", gradient
            else:
                for log_words, log in logs.items():

                    def loss(p: Probe, f: Any = f, log: Any = log, t: Any = t) -> Array:
                        y = f(p.inputs["x"])
                        return np.array(-log(y)[np.arange(len(y)), t(p)].mean())

                    yield f"the mean of -{log_words}{soft_words}{words}", loss
                if words:

                    def exact(p: Probe, t: Any = t) -> Array:
                        return np.array(
                            -log_softmax(p.inputs["x"])[np.arange(len(p.inputs["x"])), t(p)].mean()
                        )

                    yield f"the mean of -log y[t]{words}", exact
    if name == "loss":
        yield (
            "paired with every label: the mean over N*N pairs",
            lambda p: np.array(-log_softmax(p.inputs["x"])[:, _labels(p)[0]].sum() / len(p.inputs["x"])),
        )
        yield (
            "the mean over all pairs of an image and a label",
            lambda p: np.array(-log_softmax(p.inputs["x"])[:, _labels(p)[0]].mean()),
        )
        for share in (0.1, 0.05, 0.2):

            def smoothed(p: Probe, share: float = share) -> Array:
                hot = _labels(p)[1]
                hot = hot * (1 - share) + share / hot.shape[1]
                return np.array(-(hot * log_softmax(p.inputs["x"])).sum() / len(hot))

            yield f"the loss of labels smoothed by {share}", smoothed
        yield (
            "half the mean squared error of the softmax",
            lambda p: np.array(
                0.5 * ((softmax(p.inputs["x"]) - _labels(p)[1]) ** 2).sum() / len(p.inputs["x"])
            ),
        )


# -- windows --------------------------------------------------------------------------------------
def _adaptive(name: str) -> Iterator[tuple[str, Formula]]:
    def last(size: int, count: int) -> list[tuple[int, int]]:
        step = max(1, size // count)
        starts = [min(i * step, size - 1) for i in range(count)]
        return [(s, size if i == count - 1 else s + step) for i, s in enumerate(starts)]

    def fixed(size: int, count: int) -> list[tuple[int, int]]:
        step = max(1, size // count)
        return [(min(i * step, size - 1), min(min(i * step, size - 1) + step, size)) for i in range(count)]

    def floors(size: int, count: int) -> list[tuple[int, int]]:
        return [
            (i * size // count, max((i + 1) * size // count, i * size // count + 1)) for i in range(count)
        ]

    def ceils(size: int, count: int) -> list[tuple[int, int]]:
        edges = [-(-i * size // count) for i in range(count + 1)]
        return [(min(a, b - 1), b) for a, b in pairwise(edges)]

    def right(size: int, count: int) -> list[tuple[int, int]]:
        return [(i * size // count, -(-(i + 1) * size // count)) for i in range(count)]

    edges = {
        "": right,
        "windows of H // out_h at that stride": fixed,
        "windows whose end is rounded down": floors,
        "windows whose start is rounded up": ceils,
        "a last window that takes the rest": last,
    }
    divisors: dict[str, Callable[[int, Probe], float]] = {
        "": lambda n, p: n,
        "no division": lambda n, p: 1.0,
        "a division by out_h*out_w": lambda n, p: p.args["out_h"] * p.args["out_w"],
        "a division by H*W/(out_h*out_w) for every window": lambda n, p: (
            p.inputs["x"].shape[2] * p.inputs["x"].shape[3] / p.args["out_h"] / p.args["out_w"]
        ),
    }
    for words, cut in edges.items():
        for divided, by in divisors.items():
            for how in ("added", "overwritten", "max"):
                if [words, divided].count("") < 1 or (how != "added" and (words or divided)):
                    continue
                says = (
                    words
                    or divided
                    or {
                        "overwritten": "overlapping gradients overwritten",
                        "max": "the maximum of each window",
                    }.get(how, "")
                )
                if not says or (how == "max" and name == "dx"):
                    continue

                def compute(p: Probe, cut: Any = cut, by: Any = by, how: str = how) -> Array:
                    x, oh, ow = p.inputs["x"], p.args["out_h"], p.args["out_w"]
                    out, dx = np.zeros((*x.shape[:2], oh, ow)), np.zeros_like(x)
                    for i, (a, b) in enumerate(cut(x.shape[2], oh)):
                        for j, (c, d) in enumerate(cut(x.shape[3], ow)):
                            window = x[:, :, a:b, c:d]
                            n = by(window.shape[2] * window.shape[3], p)
                            out[:, :, i, j] = window.max((2, 3)) if how == "max" else window.sum((2, 3)) / n
                            share = (p.inputs["dout"][:, :, i, j] / n)[..., None, None]
                            dx[:, :, a:b, c:d] = share if how == "overwritten" else dx[:, :, a:b, c:d] + share
                    return out if name == "out" else dx

                yield f"PyTorch's with {says}", compute


def _subsamplings(name: str) -> Iterator[tuple[str, Formula]]:
    if name != "dcoefficient":
        return

    def total(p: Probe) -> Array:
        size, x = p.args.get("size", 2), p.inputs["x"]
        cut = x[:, :, : x.shape[2] // size * size, : x.shape[3] // size * size]
        return cut.reshape(*x.shape[:2], cut.shape[2] // size, size, -1, size).sum((3, 5))

    yield "the sum of dout, without the sums of the windows", lambda p: p.inputs["dout"].sum((0, 2, 3))
    yield (
        "the sum of dout times the windows' means",
        lambda p: (p.inputs["dout"] * total(p)).sum((0, 2, 3)) / p.args.get("size", 2) ** 2,
    )


def _groups(name: str) -> Iterator[tuple[str, Formula]]:
    def interleaved(p: Probe) -> Array | None:
        """Filter f belongs to group f % groups."""
        groups, W = p.args.get("groups", 1), p.args["W"]
        order = np.arange(len(W)).reshape(-1, groups).T.ravel()
        args = p.args | {"W": W[order]} | ({"b": p.args["b"][order]} if p.args.get("b") is not None else {})
        found = kind_of(p.kind).reference(
            replace(p, args=args, inputs=p.inputs | {"dout": p.inputs["dout"][:, order]})
        )
        back = np.argsort(order)
        a = found.get(name)
        return a if a is None or name == "dx" else a[:, back] if name == "out" else a[back]

    yield "PyTorch's with filter f in group f % groups", interleaved

    def first(p: Probe) -> Array | None:
        """Every group's dx written to the first group's channels."""
        groups, W = p.args.get("groups", 1), p.args["W"]
        if groups == 1:
            return kind_of(p.kind).reference(p).get(name)
        Cg = W.shape[1]
        x = np.tile(p.inputs["x"][:, :Cg], (1, groups, 1, 1))
        if name != "dx":
            return kind_of(p.kind).reference(replace(p, inputs=p.inputs | {"x": x})).get(name)
        dx = kind_of(p.kind).reference(p)["dx"]
        found = np.zeros_like(dx)
        found[:, :Cg] = dx[:, -Cg:]
        return found

    yield "PyTorch's with the first group's channels for every group", first

    def one(p: Probe) -> Array | None:
        """Only the first channel meets its weights."""
        W = p.args["W"].copy()
        if p.args.get("groups", 1) == 1:
            W[:, 1:] = 0
        x = p.inputs["x"].copy()
        x[:, 1:] = 0
        return (
            kind_of(p.kind)
            .reference(replace(p, args=p.args | {"W": W}, inputs=p.inputs | {"x": x}))
            .get(name)
        )

    yield "PyTorch's with the first channel alone", one


def _connections(name: str) -> Iterator[tuple[str, Formula]]:
    def inverted(p: Probe) -> Array | None:
        args = p.args | {"connections": ~p.args["connections"]}
        return kind_of(p.kind).reference(replace(p, args=args)).get(name)

    yield "PyTorch's with the table of connections inverted", inverted

    def rescaled(p: Probe) -> Array | None:
        table = p.args["connections"]
        scale = table.shape[1] / np.maximum(table.sum(1), 1)
        a, b = kind_of(p.kind).reference(p)["out"], p.args["b"][:, None, None]
        return (a - b) * scale[:, None, None] + b

    if name == "out":
        yield "PyTorch's with the sum scaled up for the missing connections", rescaled


def _numerical(name: str) -> Iterator[tuple[str, Formula]]:
    from parity.kinds.probe import function

    def differences(p: Probe, h: float, sides: str, halved: bool = True, restored: bool = True) -> Array:
        f, x = function(p.args["f"]), p.inputs["x"].astype(float).copy()
        found, flat = np.zeros_like(x), x.reshape(-1)
        for i in range(flat.size):
            own = flat[i]
            flat[i] = own + h
            above = f(x)
            flat[i] = own - h if sides == "both" else own
            below = f(x)
            found.reshape(-1)[i] = (above - below) / ((2 * h if sides == "both" else h) if halved else h)
            if restored:
                flat[i] = own
        return found

    for h in (1e-4, 1e-3, 1e-5, 1e-6):
        yield "the one-sided difference", lambda p, h=h: differences(p, h, "one")
    for h in (1.0, 100.0, 10.0, 0.1):
        yield f"the difference with a step of {h:g}", lambda p, h=h: differences(p, h, "both")
    yield "x left at x - h: it is not restored", lambda p: differences(p, 1e-4, "both", True, False)
