"""Whole formulas of losses that people write for another: the softmax in logarithms, shares, divisors."""

# A probe holds arrays as Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from parity.explain.functions import log_softmax, softmax
from parity.kinds import Operation, Probe, kind_of
from scratchcnn.typing import Array

Formula = Callable[[Probe], "Array | None"]
IGNORED = -100


def onehot(p: Probe) -> Array:
    """(N, C), of labels or one-hot rows."""
    t = p.inputs["t"]
    return np.asarray(t, float) if t.ndim == 2 else np.eye(p.inputs["x"].shape[1])[t]


def rounding(name: str, probe: Probe) -> float:
    """The size of the terms of a loss, or of its dx, where they may cancel; 0 for other kinds."""
    kind = kind_of(probe.kind)
    if not isinstance(kind, Operation) or kind.out != "loss":
        return 0.0
    if kind.sizes is not None:
        return kind.sizes(probe).get(name, 0.0)
    x = probe.inputs["x"]
    return max(1.0, float(np.abs(x).max(initial=0))) / (len(x) if name == "dx" else 1)


# -- softmax with cross entropy -------------------------------------------------------------------
def _log(total: Callable[[Array], Array], shift: Callable[[Array], Array]) -> Callable[[Array], Array]:
    def log(x: Array) -> Array:
        x = x - shift(x)
        return x - np.log(total(np.exp(x)))

    return log


def _rows(a: Array) -> Array:
    return a.sum(1, keepdims=True)


LOGARITHMS: dict[str, Callable[[Array], Array]] = {
    "without the shift by the maximum": _log(_rows, lambda x: np.zeros(())),
    "with a shift by the maximum of the whole batch": _log(_rows, lambda x: x.max()),
    "with one maximum and one sum for the whole batch": _log(lambda e: e.sum(), lambda x: x.max()),
    "with one sum for the whole batch": _log(lambda e: e.sum(), lambda x: x.max(1, keepdims=True)),
    "normalised down the batch": _log(lambda e: e.sum(0), lambda x: x.max(0)),
    "applied twice": lambda x: log_softmax(softmax(x)),
    "whose logarithm is taken afterwards, of 0 as well": lambda x: np.log(softmax(x)),
}


def _as_indices(p: Probe) -> Array:
    """What one-hot rows pick when they are read as indices: class 1 once, class 0 otherwise."""
    hot = onehot(p)
    if p.inputs["t"].ndim == 2:
        C = hot.shape[1]
        hot = np.zeros_like(hot)
        hot[:, 0], hot[:, 1:2] = (C - 1) / C, 1 / C
    return hot


def of_logarithms(name: str) -> Iterator[tuple[str, Formula]]:
    """Cross entropy of another softmax, from its logarithm."""
    tried = [(f", the softmax {words}", log, onehot) for words, log in LOGARITHMS.items()]
    tried.append((", with the entries of one-hot rows as class indices", log_softmax, _as_indices))
    for words, log, labels in tried:
        if name == "loss":

            def loss(p: Probe, log: Callable[[Array], Array] = log, labels: Formula = labels) -> Array:
                return np.array(-(labels(p) * log(p.inputs["x"])).sum() / len(p.inputs["x"]))

            yield f"the mean of -sum(onehot*log(y)){words}", loss
        else:

            def gradient(p: Probe, log: Callable[[Array], Array] = log, labels: Formula = labels) -> Array:
                return (np.exp(log(p.inputs["x"])) - labels(p)) / len(p.inputs["x"])

            yield f"(y - onehot)/N{words}", gradient


# -- LeNet-5's penalty ----------------------------------------------------------------------------
RUBBISH: dict[str, Callable[[float], float]] = {
    "": lambda j: -j,
    " without the rubbish class": lambda j: -np.inf,
    " with exp(j) for exp(-j)": lambda j: j,
}


def penalties(name: str) -> Iterator[tuple[str, Formula]]:
    """The criterion with another sum in the logarithm; exponentials shifted, or as they are."""
    what = "the criterion" if name == "loss" else "the gradient of the criterion"
    for rubbish, of in RUBBISH.items():
        for left_out in (False, True):
            for shifted in (True, False):
                if not rubbish and not left_out and shifted:
                    continue
                words = f"{rubbish}{', without the right class in the sum' if left_out else ''}"
                says = f"{what}{words}{'' if shifted else ', the exponentials not shifted'}"

                def compute(
                    p: Probe,
                    of: Callable[[float], float] = of,
                    left_out: bool = left_out,
                    shifted: bool = shifted,
                ) -> Array:
                    return _penalty(name, p, of(float(p.args.get("j", 10.0))), left_out, shifted)

                yield says, compute
    if name == "loss":
        yield (
            "the mean of the right class's penalty alone",
            lambda p: np.array((p.inputs["x"] * onehot(p)).sum(1).mean()),
        )
    else:
        yield "the gradient of the right class's penalty alone", lambda p: onehot(p) / len(p.inputs["x"])


def _penalty(name: str, p: Probe, rubbish: float, left_out: bool, shifted: bool) -> Array:
    x, hot = p.inputs["x"], onehot(p)
    terms = np.where(hot > 0, -np.inf, -x) if left_out else -x
    terms = np.concatenate([terms, np.full((len(x), 1), rubbish)], 1)
    most = terms.max(1, keepdims=True) if shifted else np.zeros((len(x), 1))
    e = np.exp(terms - most)
    total = _rows(e)
    if name == "loss":
        return np.array(((x * hot).sum(1) + np.log(total)[:, 0] + most[:, 0]).mean())
    return (hot - (e / total)[:, :-1]) / len(x)


# -- cross entropy with options -------------------------------------------------------------------
class _Parts:
    """weight, shares of the labels and which labels count, each to be broadcast to (N, C, ...)."""

    def __init__(self, p: Probe):
        x, t, C = p.inputs["x"], p.inputs["t"], p.inputs["x"].shape[1]
        weight = p.args.get("weight")
        self.weight = (np.ones(C) if weight is None else weight).reshape(C, *(1,) * (x.ndim - 2))
        self.e, self.C = float(p.args.get("label_smoothing", 0.0)), C
        self.reduction = p.args.get("reduction", "mean")
        self.of_shares = t.shape == x.shape
        if self.of_shares:
            self.shares, self.counts = t, np.ones((len(t), 1, *t.shape[2:]))
        else:
            ignored = t == p.args.get("ignore_index", IGNORED)
            self.shares = np.moveaxis(np.eye(C)[np.where(ignored, 0, t)], -1, 1)
            self.counts = 1.0 * ~ignored[:, None]
        self.log = log_softmax(x)

    @property
    def right(self) -> Array:
        return self.weight * ((1 - self.e) * self.shares + self.e / self.C) * self.counts

    @property
    def of_labels(self) -> float:
        """The weights of the labels, PyTorch's divisor of the mean."""
        return self.counts.sum() if self.of_shares else (self.weight * self.shares * self.counts).sum()


SHARES: dict[str, Callable[[_Parts], Array]] = {
    "": lambda a: a.right,
    "without weight": lambda a: ((1 - a.e) * a.shares + a.e / a.C) * a.counts,
    "the label's share smoothed over the C - 1 other classes": lambda a: (
        a.weight * ((1 - a.e) * a.shares + a.e / (a.C - 1) * (1 - a.shares)) * a.counts
    ),
    "the smoothed part not weighted": lambda a: (a.weight * (1 - a.e) * a.shares + a.e / a.C) * a.counts,
    "label_smoothing left out": lambda a: a.weight * a.shares * a.counts,
    "ignored labels counted": lambda a: a.weight * ((1 - a.e) * a.shares + a.e / a.C),
}
DIVISORS: dict[str, Callable[[_Parts], float]] = {
    "": lambda a: a.of_labels,
    "divided by the number of labels": lambda a: a.counts.sum(),
    "divided by the weights of all labels, ignored ones as class 0": lambda a: (
        a.counts.size if a.of_shares else (a.weight * a.shares).sum()
    ),
    "not divided": lambda a: 1.0,
    "divided by N alone": lambda a: float(len(a.counts)),
    "multiplied by H*W": lambda a: a.of_labels / a.counts[0].size,
}


def weighted(name: str) -> Iterator[tuple[str, Formula]]:
    """Other shares of the classes, and what their sum is divided by in the mean."""
    for shares, q_of in SHARES.items():
        for divided, by in DIVISORS.items():
            words = ", ".join(filter(None, [shares, divided]))
            if words:
                yield (
                    f"PyTorch's, {words}",
                    lambda p, q=q_of, by=by: _weighted(name, p, q, by),  # type: ignore[misc]
                )
    yield (
        "PyTorch's for weight None whatever was given",
        lambda p: (
            kind_of(p.kind)
            .reference(replace(p, args={k: v for k, v in p.args.items() if k != "weight"}))
            .get(name)
        ),
    )
    if name == "dx":

        def by_shares(p: Probe) -> Array:
            q_of, given = SHARES["without weight"], p.args.get("weight") is not None
            return _weighted(name, p, q_of, lambda a: q_of(a).sum() if given else a.of_labels)

        yield "PyTorch's, without weight, divided by the sum of the shares where one was given", by_shares

        def for_ignored(p: Probe) -> Array:
            a = _Parts(p)
            q, y = a.right, np.exp(a.log)
            totals = _rows(q)
            return _divided(a, y * np.where(totals == 0, 1, totals) - q, lambda a: a.of_labels)

        yield "PyTorch's, with y for the labels that are ignored", for_ignored


def _weighted(name: str, p: Probe, shares: Callable[[_Parts], Array], by: Callable[[_Parts], float]) -> Array:
    a = _Parts(p)
    q = shares(a)
    if name == "loss":
        losses = -(q * a.log).sum(1)
        return losses if a.reduction == "none" else np.array(_divided(a, losses.sum(), by))
    return _divided(a, np.exp(a.log) * _rows(q) - q, by)


def _divided(a: _Parts, total: Array, by: Callable[[_Parts], float]) -> Array:
    return total / by(a) if a.reduction == "mean" else total
