"""One row by itself, as an array of one axis, where code asks how many axes it has.

The book's softmax and cross entropy have a way of their own for it, which no batch ever takes. Code that
never asks is not tried: what it makes of one axis is an accident. So is a loss that asks for its labels' axes
alone, to tell numbers of classes from one-hot rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from parity.adapters.bench import Raised
from parity.adapters.convention import Convention
from parity.adapters.recipe import recipe
from parity.adapters.subject import Subject
from parity.checks.long_life import Judge
from parity.comparison.gates import Comparison
from parity.kinds import Probe, kind_of

ONE_ROW = "one row by itself"
KINDS = ("softmax", "softmax_with_loss")
UNASKED = "one row by itself, as an array of one axis"
REFUSES = ("ValueError", "TypeError", "NotImplementedError", "AssertionError")


def one_row(subject: Subject, probe: Probe, judge: Judge) -> Iterator[tuple[str, Comparison]]:
    """The result of the first row, given as (C,), is that of a batch of it alone."""
    x, out = probe.inputs.get("x"), kind_of(probe.kind).out
    if probe.kind not in KINDS or not isinstance(x, np.ndarray) or x.ndim != 2 or x.shape[1] < 2:
        return
    if not takes_rows(subject.convention) or not asks_for_rows(subject, probe.kind):
        return
    first = {k: a[:1] if isinstance(a, np.ndarray) and a.ndim else a for k, a in probe.inputs.items()}
    alone = {k: a[0] if isinstance(a, np.ndarray) and a.ndim else a for k, a in first.items()}
    turn = replace(probe, inputs=first, id=f"{probe.id}, the first row by itself")
    found: Any = None
    try:
        found = subject.build(turn).forward({k: np.asarray(a) for k, a in alone.items()})
    except Raised as error:
        if str(error).startswith(REFUSES):  # it says that it takes rows alone
            return
    expected = kind_of(probe.kind).reference(turn)[out]
    if not isinstance(found, np.ndarray) or found.size != expected.size:
        subject.leave_unasked(UNASKED)
        return
    yield out, judge(turn, {out: found.reshape(expected.shape)})[out]


def asks_for_rows(subject: Subject, kind: str) -> bool:
    """Whether its code asks how many axes its input has; of a loss its output, not its labels."""
    asks = subject.about.get("asks_for_axes") is True
    return asks and (recipe(kind).role != "loss" or subject.has_argument_in("x", "counted"))


def takes_rows(convention: Convention | None) -> bool:
    """Whether it is handed batches as they are, and its results mean what they say."""
    c = convention
    if c is None:
        return True
    plain = c.x_layouts.get(2, "NF") in ("", "NF") and c.out_layouts.get(2, "NF") in ("", "NF")
    return plain and not (c.total or c.per_class or c.reduction or c.tensor or c.probabilities == "logits")
