"""Losses of each output on its own: squared and absolute errors, Huber's, binary cross entropy; divisors."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

import scratchcnn as sc
from parity.kinds.kind import Operation, Options
from parity.kinds.probe import Array, Probe, Rng, normal, quarters
from parity.kinds.torch_when_used import F

if TYPE_CHECKING:
    from torch import Tensor

Pairs = Callable[[Rng], Iterator[tuple[str, Array, Array]]]  # name, outputs x and targets t
Draw = Callable[[Rng, int, int], tuple[Array, Array]]
OTHER_OPTIONS: tuple[dict[str, Any], ...] = (
    {"reduction": "sum"},
    {"reduction": "batchmean"},
    {"reduction": "none"},
    {"factor": 0.5},
)
OPTIONS: dict[str, Any] = {"reduction": "mean", "factor": 1.0}
SHAPES = ((2, 3), (1, 3), (4, 1), (1, 1), (5, 4), (3, 7))
ROWS = ((3, 1), (1, 6), (4, 2), (7, 5), (32, 10), (100, 1), (7, 100), (32, 1000))


def divisor(x: Any, options: Options) -> float:
    """What the sum over all outputs is divided by."""
    return {"mean": np.size(x), "batchmean": len(x)}.get(options.get("reduction", "mean"), 1)


def reduced(losses: Tensor, options: Options) -> Tensor:
    """The losses of all outputs (N, ...) as `reduction` and `factor` say."""
    losses = options.get("factor", 1.0) * losses
    reduction = options.get("reduction", "mean")
    if reduction == "none":
        return losses
    return losses.mean() if reduction == "mean" else losses.sum() / divisor(losses, options)


def mean_squared_error(a: dict[str, Tensor], o: Options) -> Tensor:
    return reduced(F.mse_loss(a["x"], a["t"], reduction="none"), o)


def mean_absolute_error(a: dict[str, Tensor], o: Options) -> Tensor:
    return reduced(F.l1_loss(a["x"], a["t"], reduction="none"), o)


def huber_loss(a: dict[str, Tensor], o: Options) -> Tensor:
    return reduced(F.huber_loss(a["x"], a["t"], reduction="none", delta=float(o.get("delta", 1.0))), o)


def hinge_loss(a: dict[str, Tensor], o: Options) -> Tensor:
    return reduced(F.relu(1 - a["t"] * a["x"]), o)


def binary_cross_entropy(a: dict[str, Tensor], o: Options) -> Tensor:
    return reduced(F.binary_cross_entropy(a["x"], a["t"], reduction="none"), o)


def _probes(
    kind: str, pairs: Pairs, constants: tuple[dict[str, Any], ...]
) -> Callable[[Rng], Iterator[Probe]]:
    def build(rng: Rng) -> Iterator[Probe]:
        for name, x, t in pairs(rng):
            yield Probe(kind, name, {}, {"x": x, "t": t})
        for args in (*OTHER_OPTIONS, *constants):
            name, x, t = list(pairs(rng))[4]
            says = ", ".join(f"{key} {value}" for key, value in args.items())
            yield Probe(kind, f"{name}, {says}", args, {"x": x, "t": t}, frozenset(args))

    return build


def _real(kind: str, draw: Draw) -> Callable[[Rng], Iterator[Probe]]:
    def build(rng: Rng) -> Iterator[Probe]:
        for N, C in ROWS:
            x, t = draw(rng, N, C)
            yield Probe(kind, f"{N} rows of {C}", {}, {"x": x, "t": t})

    return build


def _loss(
    formula: Any,
    ours: Any,
    pairs: Pairs,
    draw: Draw,
    sizes: Callable[[Probe], dict[str, float]],
    says: str,
    aliases: tuple[str, ...],
    within: tuple[float, float] | None = None,
    **constant: tuple[float, ...],
) -> Operation:
    """A kind of the formula's name. `draw` gives x and t of real sizes, `says` what they are; `constant` is
    the argument that it has beside the divisor, if any: its default, and the other values that are tried."""
    name = formula.__name__
    default = {argument: values[0] for argument, values in constant.items()}
    others = tuple({argument: value} for argument, values in constant.items() for value in values[1:])
    words = "".join(f", {argument}={value}" for argument, value in default.items())
    return Operation(
        name=name,
        formula=formula,
        probes=_probes(name, pairs, others),
        ours=ours,
        role="loss",
        sizes=sizes,
        out="loss",
        call=f"cls(reduction='mean', factor=1.0{words}); forward(x, t) -> loss, "
        f"backward(dout=1) -> dx; {says}",
        aliases=aliases,
        optional=OPTIONS | default,
        within=within,
        real=_real(name, draw),
    )


# -- the squared error ------------------------------------------------------------------------------
def _real_valued(rng: Rng) -> Iterator[tuple[str, Array, Array]]:
    for shape in SHAPES:
        yield "x".join(map(str, shape)), normal(rng, *shape), normal(rng, *shape)
    yield "all met", np.ones((2, 3)), np.ones((2, 3))
    yield "far off", normal(rng, 3, 4, scale=1e3), normal(rng, 3, 4)
    yield "near", np.round(normal(rng, 4, 3), 1), np.round(normal(rng, 4, 3), 1)
    yield "one-hot targets", normal(rng, 4, 3), np.eye(3)[[2, 0, 0, 1]]


def _sizes_of_squares(probe: Probe) -> dict[str, float]:
    """x - t is rounded where x and t are."""
    x, t = np.abs(probe.inputs["x"]), np.abs(probe.inputs["t"])
    by, largest = divisor(x, probe.args) / probe.args.get("factor", 1.0), float((x + t).max(initial=0))
    of_loss = largest**2 if probe.args.get("reduction") == "none" else ((x + t) ** 2).sum()
    return {"loss": float(of_loss / by), "dx": 2 * largest / by}


def _quarters(rng: Rng, N: int, C: int) -> tuple[Array, Array]:
    return quarters(rng, N, C), quarters(rng, N, C)


MEAN_SQUARED_ERROR = _loss(
    mean_squared_error,
    sc.MeanSquaredError,
    _real_valued,
    _quarters,
    _sizes_of_squares,
    says="x and t have one "
    "shape, and the loss is the mean over all numbers, or what its forward shows: the mean over the rows, "
    "the sum, half of these",
    aliases=(
        "mse",
        "mseloss",
        "msecost",
        "msefunction",
        "msecriterion",
        "meansquarederrorloss",
        "meansquareloss",
        "meansquareerror",
        "meansquarederrors",
        "meansquarecost",
        "squarederror",
        "squareerror",
        "squaredloss",
        "squareloss",
        "squarederrorloss",
        "sumsquarederror",
        "sumsquarederrors",
        "sumofsquares",
        "sumofsquarederrors",
        "sse",
        "halfmse",
        "quadraticcost",
        "quadraticloss",
        "l2loss",
    ),
)


# -- the absolute error -----------------------------------------------------------------------------
def _sizes_of_distances(probe: Probe) -> dict[str, float]:
    x, t = np.abs(probe.inputs["x"]), np.abs(probe.inputs["t"])
    by = divisor(x, probe.args) / probe.args.get("factor", 1.0)
    each = (x + t).max(initial=0) if probe.args.get("reduction") == "none" else (x + t).sum()
    return {"loss": float(each / by), "dx": 1 / by}


MEAN_ABSOLUTE_ERROR = _loss(
    mean_absolute_error,
    sc.MeanAbsoluteError,
    _real_valued,
    _quarters,
    _sizes_of_distances,
    says="the divisor as of mean_squared_error",
    aliases=(
        *("mae", "maeloss", "l1", "l1loss", "l1error", "absoluteerror", "absoluteloss", "absoluteerrorloss"),
        *("meanabsoluteerrorloss", "meanabserror", "absloss"),
    ),
)


# -- Huber's loss -----------------------------------------------------------------------------------
def _beside_delta(rng: Rng) -> Iterator[tuple[str, Array, Array]]:
    """Differences of both branches, and of one of them alone, on both sides."""
    yield from _real_valued(rng)
    t = normal(rng, 3, 4)
    signs = np.where(rng.random((3, 4)) < 0.5, -1, 1)
    within, beyond = 0.05 + 0.15 * rng.random((3, 4)), 3 + 3 * rng.random((3, 4))
    yield "within delta", t + signs * within, t
    yield "beyond delta", t + signs * beyond, t
    yield "beyond delta, above", t + beyond, t
    yield "beyond delta, below", t - beyond, t


def _sizes_of_bent(probe: Probe) -> dict[str, float]:
    """As of squares up to delta, of delta times the distance beyond it."""
    x, t = np.abs(probe.inputs["x"]), np.abs(probe.inputs["t"])
    by, delta = divisor(x, probe.args) / probe.args.get("factor", 1.0), probe.args.get("delta", 1.0)
    each = delta * (x + t + delta)
    of_loss = each.max(initial=0) if probe.args.get("reduction") == "none" else each.sum()
    return {"loss": float(of_loss / by), "dx": float((x + t).max(initial=delta) / by)}


HUBER_LOSS = _loss(
    huber_loss,
    sc.HuberLoss,
    _beside_delta,
    _quarters,
    _sizes_of_bent,
    says="half the square up to delta, delta * (|x - t| - delta / 2) beyond it; the divisor as of "
    "mean_squared_error",
    aliases=(
        *("huber", "hubererror", "hubercost", "huberlossfunction", "huberfunction", "hubercriterion"),
        *("smoothl1", "smoothl1loss", "smoothl1error", "smoothl1losslayer", "smoothl1cost"),
        *("smoothmae", "smoothmeanabsoluteerror", "smoothabsoluteerror", "smoothabsoluteloss"),
    ),
    delta=(1.0, 0.25, 2.5),
)


# -- the hinge loss of two classes ------------------------------------------------------------------
def _signs(rng: Rng, *shape: int) -> Array:
    """Labels of both classes, -1 and 1."""
    return np.where(_classes(rng, *shape) > 0, 1.0, -1.0)


def _beside_the_margin(rng: Rng) -> Iterator[tuple[str, Array, Array]]:
    """Scores on both sides of the margin, where the loss has its kink, and none on it."""
    for shape in SHAPES:
        yield "x".join(map(str, shape)), normal(rng, *shape, scale=1.5), _signs(rng, *shape)
    yield "all -1", normal(rng, 3, 4), -np.ones((3, 4))
    yield "all 1", normal(rng, 3, 4), np.ones((3, 4))
    yield "undecided", np.zeros((2, 3)), _signs(rng, 2, 3)
    for name, low, high in (("within the margin", 0.1, 0.8), ("beyond the margin", 1.2, 5.0)):
        t = _signs(rng, 3, 4)
        yield name, t * (low + (high - low) * rng.random((3, 4))), t
    t = _signs(rng, 3, 4)
    yield "on the wrong side", -t * (0.1 + 4 * rng.random((3, 4))), t


def _sizes_of_margins(probe: Probe) -> dict[str, float]:
    """1 - t * x is rounded where 1 and x are."""
    x = 1 + np.abs(probe.inputs["x"])
    by = divisor(x, probe.args) / probe.args.get("factor", 1.0)
    return {
        "loss": float((x.max() if probe.args.get("reduction") == "none" else x.sum()) / by),
        "dx": 1 / by,
    }


def _of_two_signs(rng: Rng, N: int, C: int) -> tuple[Array, Array]:
    return normal(rng, N, C), _signs(rng, N, C)


HINGE_LOSS = _loss(
    hinge_loss,
    sc.HingeLoss,
    _beside_the_margin,
    _of_two_signs,
    _sizes_of_margins,
    says="x holds scores and t labels that are -1 or 1, in one shape; the divisor as of mean_squared_error",
    aliases=(
        *("hinge", "hingecost", "hingeerror", "hingelossfunction", "binaryhinge", "binaryhingeloss"),
        *("hingecriterion", "meanhingeloss", "hingelosslayer", "svmhingeloss"),
    ),
)


# -- binary cross entropy ---------------------------------------------------------------------------
def _share(rng: Rng, *shape: int) -> Array:
    """Probabilities from 0.02 to 0.98; `NEAR` has some that are nearer to 0 and 1."""
    return 0.02 + 0.96 * rng.random(shape)


CONFIDENT = np.array([[0.03, 0.97], [0.98, 0.02]])
# Nearer than people have to cut off: a clip at 1e-2, 1e-3 or 1e-4 shows, one at 1e-5 or below does not.
NEAR = np.array([[2.0**-10, 1 - 2.0**-10], [1 - 2.0**-14, 2.0**-14]])


def _classes(rng: Rng, *shape: int) -> Array:
    return (rng.random(shape) < 0.5).astype(np.float64)


def _probabilities(rng: Rng) -> Iterator[tuple[str, Array, Array]]:
    for shape in SHAPES:
        yield "x".join(map(str, shape)), _share(rng, *shape), _classes(rng, *shape)
    yield "all 0", _share(rng, 3, 4), np.zeros((3, 4))
    yield "all 1", _share(rng, 3, 4), np.ones((3, 4))
    yield "undecided", np.full((2, 3), 0.5), _classes(rng, 2, 3)
    yield "confident and wrong", CONFIDENT, np.array([[1.0, 0.0], [0.0, 1.0]])
    yield "confident and right", CONFIDENT, np.array([[0.0, 1.0], [1.0, 0.0]])
    yield "nearly certain and wrong", NEAR, np.array([[1.0, 0.0], [0.0, 1.0]])
    yield "nearly certain and right", NEAR, np.array([[0.0, 1.0], [1.0, 0.0]])


def _sizes_of_logarithms(probe: Probe) -> dict[str, float]:
    """1 - x is rounded where 1 is, and so are its logarithm and what is divided by it."""
    x, t = probe.inputs["x"], probe.inputs["t"]
    by = divisor(x, probe.args) / probe.args.get("factor", 1.0)
    room = np.maximum(np.minimum(x, 1 - x), 1e-12)
    each = np.abs(t * np.log(np.maximum(x, 1e-12))) + (1 - t) * np.abs(np.log(np.maximum(1 - x, 1e-12)))
    each = each + 1 / (1 - np.minimum(x, 1 - 1e-12))
    of_loss = each.max() if probe.args.get("reduction") == "none" else each.sum()
    return {"loss": float(of_loss / by), "dx": float((1 / room**2).max() / by)}


def _shares(rng: Rng, N: int, C: int) -> tuple[Array, Array]:
    return np.round(64 * _share(rng, N, C)).clip(1, 63) / 64, _classes(rng, N, C)


BINARY_CROSS_ENTROPY = _loss(
    binary_cross_entropy,
    sc.BinaryCrossEntropy,
    _probabilities,
    _shares,
    _sizes_of_logarithms,
    says="x holds probabilities and t 0 or 1, in one shape; the divisor as of mean_squared_error",
    aliases=(
        *("bce", "bceloss", "bcecost", "binarycrossentropyloss", "binarycrossentropycost", "logloss"),
        *("binaryentropy", "binarycrossentropyerror", "binaryce", "binarylogloss", "logisticloss"),
        *("binarycrossentropyfunction", "bcecriterion", "sigmoidlogloss"),
        *("bcewithlogits", "bcewithlogitsloss", "bcelogits", "bcelogitsloss", "bcelosswithlogits"),
        *("binarycrossentropywithlogits", "binarycrossentropywithlogitsloss"),
    ),
    within=(0.02, 0.98),
)

KINDS = (MEAN_SQUARED_ERROR, MEAN_ABSOLUTE_ERROR, HUBER_LOSS, HINGE_LOSS, BINARY_CROSS_ENTROPY)
