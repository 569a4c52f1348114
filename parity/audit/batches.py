"""Batches between the book's layout and the one in which somebody's code takes and gives them."""

from __future__ import annotations

from typing import Any

import numpy as np

from parity.adapters.convention import Convention
from parity.adapters.layouts import BATCH, NUMBER, laid_out, tokens
from parity.audit.alike import to_book

IN, OUT = "in", "out"  # the side of x and dx, of the result and dout


def in_book(a: Any, c: Convention | None, side: str) -> Any:
    """What one call got, as (N, C, H, W) or (N, features); as it is where no layout has as many axes.

    Whole numbers become floats, which is what layers take.
    """
    if not isinstance(a, np.ndarray):
        return a
    a = a.astype(float) if a.dtype.kind in "biu" else a
    if c is None or c.by_number:
        return a
    for axes, layout in _layouts(c, side).items():
        if len(tokens(layout)) == a.ndim:
            return to_book(a, BATCH[axes], layout)
    return a


def as_called(a: Any, c: Convention | None, side: str) -> Any:
    """A result in the book's layout as the code gives it; its first row where one is taken at a time."""
    a = np.asarray(a)
    if c is None or a.ndim not in BATCH:
        return a
    letters, layout = BATCH[a.ndim], _layouts(c, side)[a.ndim]
    if layout == NUMBER:
        return a.ravel()[0]
    return laid_out(a, letters, layout) if "N" in layout else laid_out(a[0], letters[1:], layout)


def _layouts(c: Convention, side: str) -> dict[int, str]:
    return c.x_layouts if side == IN else c.out_layouts
