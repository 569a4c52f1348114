"""Losses: one number for a batch of scores and labels, the mean over the images."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

import scratchcnn as sc
from parity.kinds.kind import Operation, Options
from parity.kinds.probe import Probe, Rng, needs, normal, quarters
from parity.kinds.shapes import ROWS, logits
from parity.kinds.torch_when_used import F, torch

if TYPE_CHECKING:
    from torch import Tensor


HINGE = "multiclass_hinge_loss"
ONE_HOT = ("softmax_with_loss", HINGE)  # whose labels may be rows


def cross_entropy(a: dict[str, Tensor], o: Options) -> Tensor:
    return F.cross_entropy(a["x"], a["t"])


def penalty(a: dict[str, Tensor], o: Options) -> Tensor:
    """LeNet-5's (LeCun et al. 1998, equation 9), with a rubbish class at distance j."""
    rubbish = torch.full_like(a["x"][:, :1], -o.get("j", 10.0))
    right = a["x"].gather(1, a["t"][:, None])[:, 0]
    return (right + torch.logsumexp(torch.cat([-a["x"], rubbish], 1), 1)).mean()


def multiclass_hinge(a: dict[str, Tensor], o: Options) -> Tensor:
    """C times PyTorch's, which divides by the number of classes as well; none of one class."""
    x, t = a["x"], a["t"]
    t = t if t.ndim == 1 else t.argmax(dim=1)
    return F.multi_margin_loss(x, t) * x.shape[1]


def _hinge_sizes(probe: Probe) -> dict[str, float]:
    """The differences are rounded where the scores are, and C of them are added up."""
    x = probe.inputs["x"]
    return {"loss": x.shape[1] * (1 + 2 * float(np.abs(x).max(initial=0))), "dx": x.shape[1] / len(x)}


def _cross_entropy_sizes(probe: Probe) -> dict[str, float]:
    """x - logsumexp(x), a right form as well, is rounded where x is: by u times the largest logit."""
    x, N = probe.inputs["x"], len(probe.inputs["x"])
    size = max(1.0, float(np.abs(x).max(initial=0)))
    return {"loss": size, "dx": size / N}


def _losses(kind: str) -> Callable[[Rng], Iterator[Probe]]:
    def build(rng: Rng) -> Iterator[Probe]:
        for name, x in logits(rng):
            x = np.abs(x) if kind == "penalty_loss" else x
            t = rng.integers(0, x.shape[1], len(x))
            yield Probe(kind, name, {}, {"x": x, "t": t})
            if kind in ONE_HOT:
                onehot = np.eye(x.shape[1])[t]
                yield Probe(kind, f"{name}, one-hot", {}, {"x": x, "t": onehot}, needs(one_hot=True))
        x = normal(rng, 3, 4, scale=30.0)
        worst = x.argmax(axis=1) if kind == "penalty_loss" else x.argmin(axis=1)
        yield Probe(
            kind, "confident and wrong", {}, {"x": np.abs(x) if kind == "penalty_loss" else x, "t": worst}
        )
        if kind == "softmax_with_loss":  # log(0) where the probabilities are taken first
            x = np.array([[1e3, 0.0, -1e3], [-1e3, 1e3, 0.0]])
            yield Probe(kind, "certain and wrong", {}, {"x": x, "t": np.array([2, 0])})
        if kind == HINGE:
            x, t = normal(rng, 4, 5), np.array([2, 0, 4, 1])
            x[np.arange(4), t] += 9
            x = x * np.array([[1], [1], [1], [0.1]])
            yield Probe(kind, "beyond the margin but for one row", {}, {"x": x, "t": t})
        # N = C: labels read as rows, or rows as labels, stay in range here and nowhere else.
        x = np.abs(normal(rng, 4, 4))
        yield Probe(kind, "as many images as classes", {}, {"x": x, "t": np.array([2, 0, 0, 1])})

    return build


def _real_losses(kind: str) -> Callable[[Rng], Iterator[Probe]]:
    def build(rng: Rng) -> Iterator[Probe]:
        for N, classes in ROWS:
            x, t = np.abs(quarters(rng, N, classes)), rng.integers(0, classes, N)
            x = normal(rng, N, classes) if kind == HINGE else x  # no margin is exactly 0
            name = f"{N} rows of {classes}" if classes > 1 else f"{N} rows of 1 class"
            yield Probe(kind, name, {}, {"x": x, "t": t})
            if kind in ONE_HOT:
                asked = needs(one_hot=True)
                yield Probe(kind, f"{name}, one-hot", {}, {"x": x, "t": np.eye(classes)[t]}, asked)

    return build


def _timed(rng: Rng, N: int, side: int) -> tuple[dict[str, Any], dict[str, Any]]:
    return {}, {"x": normal(rng, N, 1000), "t": rng.integers(0, 1000, N)}


SOFTMAX_WITH_LOSS = Operation(
    name="softmax_with_loss",
    formula=cross_entropy,
    probes=_losses("softmax_with_loss"),
    ours=sc.SoftmaxWithLoss,
    role="loss",
    sizes=_cross_entropy_sizes,
    out="loss",
    call="cls(); forward(x, t) -> loss, backward(dout=1) -> dx; the loss is the mean",
    aliases=(
        "softmaxloss",
        "crossentropy",
        "crossentropyloss",
        "softmaxcrossentropy",
        "softmaxcrossentropyloss",
        "softmaxwithcrossentropy",
        *("crossentropywithlogits", "crossentropylogsoftmax", "logsoftmaxcrossentropy"),
        *("crossentropywithsoftmax", "softmaxcrossentropywithlogits", "crossentropylosswithlogits"),
    ),
    real=_real_losses("softmax_with_loss"),
    timed=_timed,
)
PENALTY_LOSS = Operation(
    name="penalty_loss",
    formula=penalty,
    probes=_losses("penalty_loss"),
    ours=sc.PenaltyLoss,
    role="loss",
    out="loss",
    optional={"j": 10.0},
    real=_real_losses("penalty_loss"),
)

MULTICLASS_HINGE_LOSS = Operation(
    name=HINGE,
    formula=multiclass_hinge,
    probes=_losses(HINGE),
    ours=sc.MultiClassHingeLoss,
    role="loss",
    sizes=_hinge_sizes,
    out="loss",
    call="cls(); forward(x, t) -> loss, backward(dout=1) -> dx; the sum over the wrong classes, mean over N",
    aliases=(
        *("svmloss", "svm", "multiclasshinge", "multiclasssvm", "multiclasssvmloss", "svmlosslayer"),
        *("multimarginloss", "multimargin", "multiclassmarginloss", "svmlossfunction"),
    ),
    real=_real_losses(HINGE),
)

KINDS = (SOFTMAX_WITH_LOSS, PENALTY_LOSS, MULTICLASS_HINGE_LOSS)
