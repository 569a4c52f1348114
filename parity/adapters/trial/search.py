"""The search: conventions one after another, and the first that gives every result in its right shape."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from parity.adapters.arguments import plain
from parity.adapters.convention import Convention, Place
from parity.adapters.conventions import NotCallable
from parity.adapters.gradients import COMPLETE
from parity.adapters.layouts import KEEPS_AXES, one_at_a_time
from parity.adapters.recipe import is_reduced
from parity.adapters.signatures import BACKWARD, FORWARD
from parity.adapters.sure_errors import MARKED
from parity.adapters.trial import hinge_divisors
from parity.adapters.trial.attempt import Trial
from parity.adapters.trial.backward import RAISED, backwards
from parity.adapters.trial.forward import forwards, one_forward
from parity.adapters.trial.gradient_alone import gradient_alone, gradient_of_labels, is_alone
from parity.adapters.trial.hints import may_pad_always, may_stride_always
from parity.adapters.trial.one_output import of_one_output
from parity.adapters.trial.one_sample import other_rows, refuses_numbers
from parity.adapters.trial.one_slope import by_first_slope
from parity.adapters.trial.probabilities import as_of_probabilities, loss_of_each, with_its_constant
from parity.adapters.trial.probes import trial_probes
from parity.adapters.trial.reductions import (
    columns_of_samples,
    columns_of_scores,
    mean_of_numbers,
    per_value,
    sum_of_rows,
    through_sigmoid,
    with_choices,
)
from parity.adapters.trial.refinement import refined
from parity.adapters.trial.scale import LAYER_NORM
from parity.kinds.probe import Probe

LACKS = re.compile(r"backward: (KeyError|AttributeError|TypeError: .*NoneType)")
HANDED_OVER = 5  # times as many trials
COLOURS = {"C": 3}
OF_IMAGES = re.compile("2d|spatial", re.IGNORECASE)  # in the name of what has images alone
FEW = 8  # of one that is called as the book's, and keeps the size of an image
MORE = 120  # of what keeps the size of an image, after the others


def find(
    ask: Callable[[Convention, Probe], dict[str, Any]],
    about: dict[str, Any],
    kind: str,
    fits: bool,
    in_columns: Callable[[], str | None] = lambda: "",
    classes: int = 0,
    own: Sequence[tuple[Probe, dict[str, Any]]] = (),
) -> Convention | None:
    """The convention of an implementation; None where it is only known to have the book's signature.

    Raises NotCallable where none is found. `in_columns` names the layers of its file that take columns,
    `classes` is the number of classes that its source has, `own` are inputs in the place of the usual ones.
    """
    trial = Trial(ask, about, kind, fits, in_columns=in_columns, classes=classes, own=own)
    if is_alone(trial) and (alone := gradient_alone(trial)) is not None:
        return alone
    if (alone := gradient_of_labels(trial)) is not None:
        return alone
    if kind == "convolution" and about["what"] != "class":  # weights handed over have many layouts
        trial.most *= HANDED_OVER
    book = fits and _has_the_book_s_methods(about)
    most = trial.most
    whole = False  # whether a batch of the first probe went through as it is
    unread: tuple[Convention, Probe] | None = None  # a loss that no reading gives, if nothing else fits
    for number, (probe, limits) in enumerate(trial.probes()):
        before = trial.count
        if whole and "I" in limits.get("sizes", ()):
            break
        if "stride" in limits and not may_stride_always(trial):
            continue
        if kind == "batch_norm" and probe.inputs["x"].ndim == 2 and OF_IMAGES.search(about["name"]):
            continue
        if limits.get("sizes") == COLOURS and about["what"] != "class":
            continue  # three channels and a window of three tell no layout of weights that are handed over
        if "pad" in limits:
            if not may_pad_always(trial):
                continue
            trial.most = max(trial.most, most + MORE)
        best: tuple[int, Convention] | None = None
        lacking = False  # whether its backward asked for what no forward has left
        for convention in forwards(trial, probe, limits):
            whole = whole or convention.rows == "NF"
            score, found = backwards(trial, convention, probe)
            if _is_the_book_s_with_another_bias(found):
                continue
            lacks = score == RAISED and bool(LACKS.match(trial.errors[-1][1]))
            called = lacking and not lacks and score == RAISED and found.forward == "__call__"
            if best is None or score > best[0] or called:
                best, lacking = (score, found), lacks
            if score == COMPLETE:
                break
        if best is not None and best[0] == RAISED and kind == "affine":
            best = _of_square_weights(trial, best, probe)
        if best is not None and is_reduced(kind):
            found = through_sigmoid(trial, per_value(trial, best[1], probe), probe)
            best = (best[0], of_one_output(trial, with_choices(trial, found, probe)))
        if best is not None and kind == hinge_divisors.KIND:
            best = (best[0], hinge_divisors.by_rows(trial, best[1], probe))
        if best is not None and kind == "softmax_with_loss":
            best = _of_one_sample(trial, best, probe)
            found = as_of_probabilities(trial, refuses_numbers(trial, best[1], probe), probe)
            found = columns_of_scores(trial, columns_of_samples(trial, found, probe), probe)
            found = loss_of_each(trial, found, probe)
            found = sum_of_rows(trial, mean_of_numbers(trial, found, probe), probe)
            best = (best[0], with_its_constant(trial, found, probe))
        if best is not None and kind == LAYER_NORM and number == 0:
            again = best[0] < COMPLETE or about["sums_over_two"]
            best = of_sequences(trial, best) if again else best
        accepted = best is not None and (
            best[0] == COMPLETE or _is_left_behind(best[1]) or not (book and _is_built(trial))
        )
        if best is not None and best[0] > 0 and accepted:
            of_first = _goes_by_first_numbers(trial, best[1], probe)
            whole = whole and not of_first
            if not of_first and (whole or not _is_unread(best[1])):
                found = by_first_slope(trial, best[1], probe)
                return refined(trial, found, probe)  # other sizes would not help
            unread = unread or (best[1], probe)
            continue
        if best is not None and best[1].rows_out in KEEPS_AXES.values():
            return replace(best[1], dx=Place(((".", "back"),)), unseen=())  # dx has no shape of its own
        if "stride" in limits:  # at no cost of those after it
            most, trial.most = (n + trial.count - before for n in (most, trial.most))
        if number == 0 and book and (padded := _that_pads_always(trial)) is not None:
            return padded
        if trial.count > most + MORE:
            break
    if unread is not None:
        return refined(trial, *unread)
    sure = about["what"] != "class" and any(MARKED.search(why) for _, why in trial.errors)
    if book and _is_built(trial) and not sure:
        return None
    names = ", ".join(p["name"] for p in trial.about["signature"] or ())
    stubs = [name for name in trial.about.get("stubs", ()) if plain(name) in FORWARD]
    raise NotCallable(trial.about["name"], kind, names, trial.errors, stubs, trial.about.get("axes"))


def _that_pads_always(trial: Trial) -> Convention | None:
    """The book's way where nothing asks for padding and an image keeps its size; None where it does not."""
    if not may_pad_always(trial):
        return None
    count, most, found = trial.count, trial.most, None
    for probe, limits in trial_probes(trial.kind):
        if limits.keys() == {"pad"} and found is None:
            trial.count, trial.most = 0, FEW
            found = next(forwards(trial, probe, limits), None)
            trial.count, trial.most = 0, most
            score, found = backwards(trial, found, probe) if found is not None else (0, None)
            found = refined(trial, found, probe) if found is not None and score == COMPLETE else None
    trial.count = count  # at no cost of the others
    return found


def of_sequences(trial: Trial, best: tuple[int, Convention]) -> tuple[int, Convention]:
    """The best reading of a layer normalization; that of sequences where it gives those all gradients."""
    for probe, limits in trial_probes(LAYER_NORM):
        for convention in forwards(trial, probe, limits) if limits else ():
            score, found = backwards(trial, convention, probe)
            if score == COMPLETE:
                return score, found
    return best


def _of_square_weights(trial: Trial, best: tuple[int, Convention], probe: Probe) -> tuple[int, Convention]:
    """The best reading; with the gradients where its backward, which raised, leaves them of a square W."""
    W, dout = probe.args["W"], probe.inputs["dout"]
    sides = len(W), len(W)
    args = {**probe.args, "W": np.resize(W, sides), "b": np.resize(probe.args["b"], sides[:1])}
    inputs = {**probe.inputs, "dout": np.resize(dout, (len(dout), len(W)))}
    score, found = backwards(trial, best[1], replace(probe, args=args, inputs=inputs))
    return (best[0], found) if score == COMPLETE else best


def _is_left_behind(c: Convention) -> bool:
    """Whether forward returns nothing and leaves its result in an attribute, as the book's never does."""
    return bool(c.out.path[0][1] == "object")


def _is_unread(c: Convention) -> bool:
    """Whether it is a loss of one row at a time that no reading gives: another shape of labels may."""
    return is_reduced(c.kind) and one_at_a_time(c.rows) and not c.reduction


def _goes_by_first_numbers(trial: Trial, c: Convention, probe: Probe) -> bool:
    """Whether no reading gives a loss of several outputs per row whose source takes the first of each row."""
    several = is_reduced(c.kind) and probe.inputs["x"].shape[1] > 1
    return several and not c.reduction and bool(trial.about.get("first_numbers"))


def _of_one_sample(trial: Trial, best: tuple[int, Convention], probe: Probe) -> tuple[int, Convention]:
    """The best reading of a loss; that of one sample where it made one softmax of the whole batch."""
    for reading in other_rows(trial, best[1], probe):
        found = one_forward(trial, reading, probe)
        again = backwards(trial, found, probe) if found is not None else (0, reading)
        if again[0] == best[0]:
            return again
    return best


def _is_built(trial: Trial) -> bool:
    """Whether the book's way builds it; there is nothing to build of a function."""
    return trial.about["what"] != "class" or True in trial.as_book


def _is_the_book_s_with_another_bias(c: Convention) -> bool:
    """Whether a bias that is a row fits what is the book's in every name: then db has lost its shape."""
    layout = c.passed.get("b", "")
    return layout == "1O" and c.grads.get("b") == Place(((".", "object"), (".", "db")), layout)


def _has_the_book_s_methods(about: dict[str, Any]) -> bool:
    methods = about["methods"]
    backward = "backward" in methods or not any(plain(name) in BACKWARD for name in methods)
    return about["what"] != "class" or ("forward" in methods and backward)
