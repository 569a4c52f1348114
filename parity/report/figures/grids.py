"""Numbers in squares: images, filters and matrices small enough to be read, as the book draws them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from markupsafe import Markup, escape
from numpy.typing import NDArray

CELL = 26


def grid(values: NDArray, name: str = "", marks: Callable[[int, int], str] = lambda r, c: "",
         cell: int = CELL) -> Markup:  # fmt: skip
    """A matrix as squares; `marks(row, column)` gives a square its class: w0..w5 (windows), pad, out."""
    values = np.atleast_2d(values)
    H, W = values.shape
    size = max(len(number(v)) for v in values.flat)
    wide = max(cell, 9 * size + 8)
    parts = []
    for r in range(H):
        for c in range(W):
            css, x, y = marks(r, c), c * wide, r * cell
            parts.append(
                f'<rect class="cell {css}" x="{x + 0.5}" y="{y + 0.5}" width="{wide}" height="{cell}"/>'
            )
            parts.append(
                f'<text class="num {css}" x="{x + wide / 2 + 0.5}" y="{y + cell / 2 + 5}">'
                f"{escape(number(values[r, c]))}</text>"
            )
    said = "; ".join(" ".join(number(v) for v in row) for row in values)
    width, height = W * wide + 1, H * cell + 1
    caption = f'<span class="gridname">{escape(name)}</span>' if name else ""
    return Markup(
        f'<span class="grid"><svg width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        f'role="img" '
        f'aria-label="{escape(name)}: {escape(said)}">{"".join(parts)}</svg>{caption}</span>'
    )


def number(value: float) -> str:
    value = float(value)
    return f"{value:.0f}" if value == round(value) else f"{value:.2f}".rstrip("0")


def equation(*parts: str | Markup) -> Markup:
    """Grids and signs in a row: x ⊛ W + b = out."""
    shown = [p if isinstance(p, Markup) else Markup('<span class="sign">{}</span>').format(p) for p in parts]
    return Markup('<div class="equation">{}</div>').format(Markup("").join(shown))


def window(rows: slice, columns: slice, css: str) -> Callable[[int, int], str]:
    """Marks one window."""
    return lambda r, c: css if rows.start <= r < rows.stop and columns.start <= c < columns.stop else ""


def stack(grids: Sequence[Markup]) -> Markup:
    """Grids one behind the other: the channels of an image."""
    return Markup('<span class="stack">{}</span>').format(Markup("").join(grids))
