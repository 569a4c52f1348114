"""Derivatives that are matrices, found by their shapes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from parity.adapters.convention import Convention, Place
from parity.adapters.gradients import place_of
from parity.adapters.jacobian import COLUMNS, COLUMNS_LAST, ROW, ROWS, WHOLE
from parity.adapters.layouts import batch_shape, one_at_a_time
from parity.kinds import ELEMENTWISE
from parity.kinds.probe import Probe

OF_SAMPLES = ("softmax", "log_softmax")
KINDS = (*OF_SAMPLES, *ELEMENTWISE)


def matrix_of(c: Convention, report: Mapping[str, Any], probe: Probe) -> tuple[Place, str] | None:
    """Where backward gives such matrices, and which ones; None where it does not."""
    if c.kind not in KINDS:
        return None
    of_shape = {shape: which for which, shape in reversed([*_shapes(c, probe)])}
    back = [e for e in report["backward"] if e["path"][0][1] == "back" and e["shape"] is not None]
    found = [e for e in back if tuple(e["shape"]) in of_shape]
    return (place_of(found[0]), of_shape[tuple(found[0]["shape"])]) if len(found) == 1 else None


def _shapes(c: Convention, probe: Probe) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Each of the matrices that there may be, and its shape for what one call is handed."""
    shape = batch_shape(probe.inputs["x"].shape, c.rows)
    if shape is None or probe.inputs["x"].ndim != 2:
        return
    numbers = math.prod(shape)
    if one_at_a_time(c.rows):
        yield ROW, (numbers, numbers)
        yield ROW, (1, numbers, numbers)
        return
    a, b = shape
    yield from ((ROWS, (a, b, b)), (COLUMNS, (b, a, a)), (COLUMNS_LAST, (a, a, b)))
    if c.kind not in OF_SAMPLES:
        yield WHOLE, (numbers, numbers)


def with_matrix(c: Convention, place: Place, which: str, unseen: Sequence[str]) -> Convention:
    """The convention with that matrix; those of rows and columns are of no images."""
    limits = c.limits if which in (ROW, WHOLE) or c.kind in OF_SAMPLES else {**c.limits, "rows_only": True}
    return replace(c, jacobian=which, dx=place, unseen=unseen, limits=limits)
