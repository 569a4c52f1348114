"""The dout that backward of a loss takes: twice as large, the gradient is too.

Many take it for the sake of one signature and ignore it, as the book's do. That is said and is no error: a
loss comes last, where dout is 1.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from parity.adapters.subject import Subject
from parity.checks.long_life import Judge
from parity.comparison.gates import Comparison
from parity.kinds import Probe, kind_of

DOUT = "dout of a loss"
UNASKED = "a dout other than 1, which backward takes and ignores"


def loss_cotangent(subject: Subject, probe: Probe, judge: Judge) -> Iterator[tuple[str, Comparison]]:
    """A loss's backward(dout) gives dout times the gradient, where it does not ignore it."""
    if kind_of(probe.kind).role != "loss" or not subject.backward_too:
        return
    layer = subject.build(probe)
    layer.forward()
    dx: Any = layer.backward_of(2.0)
    if not isinstance(dx, np.ndarray) or dx.dtype.kind != "f":
        return
    if judge(probe, {"dx": dx})["dx"].ok and dx.any():
        subject.leave_unasked(UNASKED)
        return
    yield "dx", judge(probe, {"dx": dx * dx.dtype.type(0.5)})["dx"]
