"""What a loss per output divides its sum by: read off the loss that forward returns, and off nothing else.

A mean over all outputs, over the rows or over the columns, a sum, the half of any of these, and the loss of
each output are conventions. One of them must give the loss of every trial exactly; backward is then held to
the gradient of that very loss.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from parity.adapters.arguments import plain
from parity.adapters.convention import Convention, Pairs
from parity.adapters.layouts import one_at_a_time
from parity.adapters.trial.attempt import Trial
from parity.adapters.trial.own_constants import DELTA, HUBER, own_delta
from parity.adapters.trial.probabilities import of_probabilities
from parity.adapters.trial.results import dx_at, out_at
from parity.adapters.trial.stretched import takes_flat_labels
from parity.kinds import kind_of
from parity.kinds.probe import Array, Probe

OF_SCORES = ("sigmoid", "logit")  # in the name of a loss
SCORES = {"z", "zs", "logit", "logits", "score", "scores"}  # what its backward may take
REDUCTION, MEAN = "reduction", "='mean'"
FACTORS = (1.0, 0.5)
ASKED = 1.25  # a delta at which no divisor and no factor is another
CLOSE = 1e-3  # the factors are far apart; log(x + 1e-7) is near enough to log(x)


def read_off(trial: Trial, c: Convention, probe: Probe) -> Convention:
    """The convention with what its forward divides by; as it is where no reading gives every loss."""
    c = _own_sigmoid(trial, own_delta(trial, c, probe), probe)
    probe = replace(probe, args={**probe.args, DELTA: ASKED}) if asks_for_delta(c) else probe
    probes = [c.fitted(one) for one in (probe, *_others(probe, bool(trial.classes)))]
    losses = [out_at(trial, c, as_handed_over(c, one)) for one in probes]
    each = c.reduction == "none"
    for reading in _readings(c):
        exact = [_loss(reading, one) for one in probes]
        if np.allclose(losses, exact, rtol=CLOSE, atol=0) and not (each and reading.reduction != "none"):
            return reading
    if c.rows != "NF" or c.limits.get("flat_labels") or not takes_flat_labels(trial, c, _thin(probe)):
        return c
    flat = replace(c, limits={**c.limits, "flat_labels": True})
    return found if (found := read_off(trial, flat, probe)).reduction not in ("", "none") else c


def _thin(probe: Probe) -> Probe:
    """The same numbers with the first column alone."""
    return replace(probe, inputs={name: a[:, :1] for name, a in probe.inputs.items()})


def _readings(c: Convention) -> Iterator[Convention]:
    names = ("none",) if c.reduction == "none" else ("mean", "batchmean", "sum")
    for one in _scaled(c):
        for name in names:
            yield replace(one, reduction=name)
        if c.rows == "NF" and not c.mean and "none" not in names:  # over x.shape[1]: columns are the samples
            yield replace(one, reduction="batchmean", rows="FN", rows_out="FN")


def _scaled(c: Convention) -> Iterator[Convention]:
    """The same, its half, and of a Huber loss its double and what is divided by delta."""
    for factor in FACTORS:
        yield replace(c, factor=factor)
    if asks_for_delta(c) or DELTA in c.own:
        yield replace(c, by_delta=True)
    if c.kind == HUBER:
        yield replace(c, factor=2.0)


def asks_for_delta(c: Convention) -> bool:
    """Whether it is a Huber loss that is given delta."""
    return c.kind == HUBER and (DELTA in c.given or c.as_in_the_book)


def _loss(reading: Convention, probe: Probe) -> float:
    """What that reading gives for a call on the probe's numbers as they lie, or its mean."""
    args = {**reading.own, **probe.args, "reduction": reading.reduction, "factor": reading.factor}
    args["factor"] /= args[DELTA] if reading.by_delta else 1
    probe = replace(probe, args=args)
    if reading.rows == "FN" and not reading.limits.get("rows_of_targets"):  # x was handed over as it is
        inputs = {name: a.T for name, a in probe.inputs.items()}
        probe = replace(probe, inputs=inputs)
    elif one_at_a_time(reading.rows):  # it was handed the first row, or number
        first = np.s_[:1, :1] if reading.by_number else np.s_[:1]
        inputs = {name: a[first] for name, a in probe.inputs.items()}
        probe = replace(probe, inputs=inputs)
    return float(np.mean(kind_of(probe.kind).reference(probe)["loss"]))


def _others(probe: Probe, rows_alone: bool) -> list[Probe]:
    """The same numbers with fewer rows, with fewer columns where any number of them goes, and other ones."""
    several = probe.inputs["x"].shape[1] > 1 and not rows_alone
    cuts = (np.s_[:3], *((np.s_[:, :1], np.s_[::-1, 1:]) if several else (np.s_[2:],)))
    return [replace(probe, inputs={name: a[cut] for name, a in probe.inputs.items()}) for cut in cuts]


def _own_sigmoid(trial: Trial, c: Convention, probe: Probe) -> Convention:
    """Whether a loss of binary probabilities takes scores: at 0 both classes are equally likely then.

    One that is named for a sigmoid takes them, unless its argument is named for probabilities.
    """
    if kind_of(probe.kind).within is None:
        return c
    words, name = {meaning: plain(p) for p, meaning in c.forward_args}, plain(trial.about["name"])
    free = of_probabilities(words.get("x", ""), words.get("t") == "t")
    if any(word in name for word in OF_SCORES) and not free:
        return replace(c, probabilities="logits")
    x = np.zeros_like(probe.inputs["x"])
    zero, one = (
        out_at(trial, c, replace(probe, inputs={"x": x, "t": np.full_like(x, t)})) for t in (0.0, 1.0)
    )
    return replace(c, probabilities="logits") if zero and np.isclose(zero, one, rtol=1e-6) else c


def as_handed_over(c: Convention, probe: Probe) -> Probe:
    """The probe with scores for probabilities, where the loss takes them."""
    if c.probabilities != "logits":
        return probe
    x = probe.inputs["x"]
    return replace(probe, inputs={**probe.inputs, "x": np.log(x) - np.log1p(-x)})


def through_sigmoid(trial: Trial, c: Convention, probe: Probe) -> Convention:
    """Whether the gradient of a loss of binary probabilities is that of the scores before a sigmoid.

    Its names have to say so; without them it is held to the gradient of the probabilities that it takes.
    That grows as 1 / x towards 0; the other, x - t, does not.
    """
    if kind_of(probe.kind).within is None or c.dx is None or c.probabilities or not _names_scores(trial, c):
        return c
    t = np.ones_like(probe.inputs["x"])
    half, low = (
        dx_at(trial, c, replace(probe, inputs={"x": np.full_like(t, x), "t": t})) for x in (0.5, 0.01)
    )
    return replace(c, probabilities="scores") if np.isclose(low / half, 0.99 / 0.5, rtol=1e-3) else c


def _names_scores(trial: Trial, c: Convention) -> bool:
    """Whether the loss's name has a sigmoid or logits in it, or its backward is one of scores by its names:
    `backward(logits, t)`, or `delta`, which in backpropagation is the gradient of what goes into the sigmoid.
    """
    name, backward = plain(trial.about["name"]), plain(c.backward.removeprefix("function "))
    taken = {plain(parameter) for parameter, _ in c.backward_args}
    return any(w in name or w in backward for w in OF_SCORES) or "delta" in backward or bool(taken & SCORES)


def with_choices(trial: Trial, c: Convention, probe: Probe) -> Convention:
    """With the values of its own `reduction` to which it is held: "mean" and, where that is another number,
    "sum". None of them where it is not handed over, and keeps its default.
    """
    ways = [trial.about.get("signature"), trial.about.get("methods", {}).get(c.forward)]
    own = [p for way in ways for p in way or () if p is not None and p["name"] == REDUCTION]
    if not own:
        return c
    if c.as_in_the_book and own[0]["default"] == repr("mean"):
        c = replace(c, constructor=((REDUCTION, REDUCTION),))
    built = REDUCTION in {meaning for _, meaning in c.constructor or ()}
    called = [c.forward_args, *([c.backward_args] if c.backward else [])]
    if not (built or all(REDUCTION in {meaning for _, meaning in pairs} for pairs in called)):
        return replace(c, limits={**c.limits, "reductions": ()})
    if not c.reduction:
        return c
    chosen: tuple[str, ...] = ("mean",)
    if c.reduction != "mean":  # what it calls the mean is another
        c = replace(
            c,
            constructor=_as_mean(c.constructor),
            forward_args=_as_mean(c.forward_args) or (),
            backward_args=_as_mean(c.backward_args) or (),
        )
    elif not c.mean and not one_at_a_time(c.rows):
        probe = as_handed_over(c, probe)
        asked = replace(probe, args={**probe.args, REDUCTION: "sum"})
        mean, total = (out_at(trial, c, one) for one in (probe, asked))
        chosen = ("mean", "sum") if np.isfinite(total) and not np.isclose(mean, total) else chosen
    return replace(c, limits={**c.limits, "reductions": chosen})


def _as_mean(pairs: Pairs | None) -> Pairs | None:
    return pairs and tuple((name, MEAN if meaning == REDUCTION else meaning) for name, meaning in pairs)


def columns_of_samples(trial: Trial, c: Convention, probe: Probe) -> Convention:
    """A cross entropy of probabilities, in columns where its sum is divided by their number, or where it adds
    up the numbers of each column before their logarithm: -sum(log(sum(t * p, axis=0))).

    Of rows no divisor gives that one's loss, and of columns one does.
    """
    if not _of_rows(c) or c.rows == "FN" or probe.inputs["t"].ndim == 1:
        return c
    columns = replace(c, rows="FN", rows_out="FN")
    if _divides_by(trial, c, probe, lambda p: p.shape[1]):
        return columns
    for way in (c, columns):
        if any(_divides_by(trial, way, probe, divisor) for divisor in DIVISORS):
            return way
    return c


def columns_of_scores(trial: Trial, c: Convention, probe: Probe) -> Convention:
    """A cross entropy of scores, in columns where its softmax is taken down each of them.

    Equal amounts added to a column's scores then change nothing, and added to a row's they do; of rows it is
    the other way round.
    """
    if c.probabilities or c.rows != "NF" or probe.inputs["t"].ndim == 1:
        return c
    x = probe.inputs["x"]
    N, F = x.shape
    moved = (x, x + np.arange(F), x + np.arange(N)[:, None])
    here, column, row = (out_at(trial, c, replace(probe, inputs={**probe.inputs, "x": a})) for a in moved)
    down = np.isclose(here, column, rtol=CLOSE) and np.isfinite(row) and not np.isclose(here, row, rtol=CLOSE)
    return replace(c, rows="FN", rows_out="FN") if down else c


def sum_of_rows(trial: Trial, c: Convention, probe: Probe) -> Convention:
    """A cross entropy of probabilities whose forward divides its sum by nothing: -sum(t * log(p)).

    One of scores is held to the mean.
    """
    columns = bool(c.probabilities) and c.rows == "FN" and probe.inputs["t"].ndim == 2 and not c.mean
    whole = (_of_rows(c) or columns) and _divides_by(trial, c, probe, lambda p: 1)
    return replace(c, total=True) if whole else c


def mean_of_numbers(trial: Trial, c: Convention, probe: Probe) -> Convention:
    """A cross entropy of probabilities whose forward divides its sum by the number of all numbers, N * C."""
    if not c.probabilities or c.rows != "NF":
        return c
    return replace(c, per_class=True) if _divides_by(trial, c, probe, lambda p: p.size) else c


def _of_rows(c: Convention) -> bool:
    return bool(c.probabilities) and (c.rows == "NF" or "rows_of_targets" in c.limits) and not c.mean


DIVISORS: tuple[Callable[[Array], int], ...] = (lambda p: 1, lambda p: len(p), lambda p: p.size)


def _divides_by(trial: Trial, c: Convention, probe: Probe, divisor: Callable[[Array], int]) -> bool:
    """Whether the loss is the sum of -log of the right classes' probabilities divided by that."""
    fewer = replace(probe, inputs={name: a[:3] for name, a in probe.inputs.items()})
    for one in (probe, fewer):
        p, t = np.exp(one.inputs["x"]), one.inputs["t"]
        p = p / p.sum(axis=1, keepdims=True)
        hot = t if t.ndim == 2 else np.eye(p.shape[1])[t]
        handed = np.log(p) if c.probabilities == "logs" else p
        loss = out_at(trial, c, replace(one, inputs={**one.inputs, "x": handed}))
        if not np.isclose(loss, -(hot * np.log(p)).sum() / divisor(p), rtol=CLOSE):
            return False
    return True


def per_value(trial: Trial, c: Convention, probe: Probe) -> Convention:
    """Whether the gradient is that of the losses that forward gives, one per row or output, or of their mean.

    Twice the rows halve the gradient of a mean.
    """
    if not (c.mean or c.reduction == "none") or c.dx is None or one_at_a_time(c.rows):
        return c
    probe = as_handed_over(c, probe)
    both = replace(probe, inputs={name: np.concatenate([a, a]) for name, a in probe.inputs.items()})
    once, twice = (dx_at(trial, c, one) for one in (probe, both))
    if c.reduction == "none":
        return c if once == twice else replace(c, reduction="mean", mean=True)
    return replace(c, per_row=once == twice)
