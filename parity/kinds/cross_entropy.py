"""Cross entropy with class weights, labels that do not count, label smoothing, and scores of images."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

import scratchcnn as sc
from parity.kinds.kind import Operation, Options
from parity.kinds.probe import Array, Probe, Rng, needs, normal, quarters
from parity.kinds.torch_when_used import F

if TYPE_CHECKING:
    from torch import Tensor

NAME = "weighted_cross_entropy"
IGNORED = -100


def cross_entropy(a: dict[str, Tensor], o: Options) -> Tensor:
    return F.cross_entropy(
        a["x"],
        a["t"],
        weight=a.get("weight"),
        ignore_index=o.get("ignore_index", IGNORED),
        label_smoothing=o.get("label_smoothing", 0.0),
        reduction=o.get("reduction", "mean"),
    )


def _sizes(probe: Probe) -> dict[str, float]:
    """x - logsumexp(x) is rounded where x is, and counts as often as the weights and shares say."""
    x, t, args = probe.inputs["x"], probe.inputs["t"], probe.args
    C, e = x.shape[1], args.get("label_smoothing", 0.0)
    weight = args.get("weight", np.ones(C))
    if t.shape == x.shape:
        shares, counts = t, np.ones((len(t), *t.shape[2:]))
        total = counts.sum()
    else:
        counts = (t != args.get("ignore_index", IGNORED)) * 1.0
        label = np.where(counts > 0, t, 0)
        shares = np.moveaxis(np.eye(C)[label], -1, 1)
        total = (weight[label] * counts).sum()
    column = (C, *(1,) * (x.ndim - 2))
    parts = (weight.reshape(column) * ((1 - e) * shares + e / C)).sum(axis=1) * counts  # (N, ...)
    reduction = args.get("reduction", "mean")
    divisor = total if reduction == "mean" else 1.0
    size = max(1.0, float(np.abs(x).max(initial=0)))
    of_loss = parts.max() if reduction == "none" else parts.sum() / divisor
    return {"loss": float(size * of_loss), "dx": float(parts.max() / divisor)}


def _case(name: str, args: dict[str, Any], x: Array, t: Array) -> Probe:
    asked = needs(one_hot=t.shape == x.shape, images=x.ndim > 2)
    ignores = {"ignore_index"} if (t == IGNORED).any() else set()
    return Probe(NAME, name, args, {"x": x, "t": t}, asked | args.keys() | ignores)


def _probes(rng: Rng) -> Iterator[Probe]:
    weight = 0.25 + np.abs(normal(rng, 4))
    t = np.array([2, 0, 3, 1, 2])
    some, none = np.array([2, IGNORED, 3, IGNORED, 0]), {"reduction": "none"}
    smooth, second = {"label_smoothing": 0.25}, {"ignore_index": 1}
    yield _case("plain", {}, normal(rng, 2, 3), np.array([2, 0]))
    for name, args, labels in (
        ("class weights", {"weight": weight}, t),
        ("some labels ignored", {}, some),
        ("a class ignored", second, t),
        ("smoothed", smooth, t),
        ("the sum", {"reduction": "sum"}, t),
        ("the loss of each label", none, t),
        ("weights, smoothed", {"weight": weight, **smooth}, t),
        ("weights, some ignored", {"weight": weight}, some),
        ("smoothed, a class ignored", {**smooth, **second}, t),
        ("everything", {"weight": weight, **second, **smooth}, t),
        ("everything, the sum", {"weight": weight, **second, **smooth, "reduction": "sum"}, t),
        ("everything of each label", {"weight": weight, **second, **smooth, **none}, t),
    ):
        yield _case(name, args, normal(rng, 5, 4), labels)
    shares = rng.dirichlet(np.ones(4), 5)
    yield _case("shares", {}, normal(rng, 5, 4), shares)
    yield _case("shares, weights, smoothed", {"weight": weight, **smooth}, normal(rng, 5, 4), shares)
    pixels = rng.integers(0, 4, (2, 3, 2))
    yield _case("images", {}, normal(rng, 2, 4, 3, 2), pixels)
    mixed = {"weight": weight, **second, **smooth}
    yield _case("images, everything", mixed, normal(rng, 2, 4, 3, 2), pixels)
    yield _case("images, each label", none, normal(rng, 2, 4, 3, 2), pixels)
    yield _case("large", {"weight": weight, **second}, normal(rng, 5, 4, scale=1e3), t)


def _real(rng: Rng) -> Iterator[Probe]:
    for N, C in ((6, 5), (32, 10), (100, 10), (7, 1000)):
        args = {"weight": 0.25 + np.abs(quarters(rng, C)), "ignore_index": 1, "label_smoothing": 0.125}
        yield _case(f"{N} rows of {C}", args, quarters(rng, N, C), rng.integers(0, C, N))
    x, t = quarters(rng, 2, 21, 16, 20), rng.integers(0, 21, (2, 16, 20))
    yield _case("images of 16x20, 21 classes", {"ignore_index": 0}, x, t)


WEIGHTED_CROSS_ENTROPY = Operation(
    name=NAME,
    formula=cross_entropy,
    probes=_probes,
    ours=sc.CrossEntropy,
    role="loss",
    sizes=_sizes,
    out="loss",
    call="cls(weight=None, ignore_index=-100, label_smoothing=0.0, reduction='mean'); forward(x, t) -> loss, "
    "backward(dout=1) -> dx; the options of torch.nn.CrossEntropyLoss",
    aliases=("labelsmoothingcrossentropy", "labelsmoothingloss", "crossentropywithoptions"),
    optional={"weight": None, "ignore_index": IGNORED, "label_smoothing": 0.0, "reduction": "mean"},
    real=_real,
)

KINDS = (WEIGHTED_CROSS_ENTROPY,)
