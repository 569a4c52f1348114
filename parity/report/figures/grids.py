"""Numbers in squares: images, filters and matrices small enough to read, drawn as in the book."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from markupsafe import Markup, escape

from scratchcnn.typing import Array

CELL = 26


def grid(
    values: Array, name: str = "", marks: Callable[[int, int], str] = lambda r, c: "", cell: int = CELL
) -> Markup:
    """A matrix as squares; `marks(row, column)` is the CSS class of a square: w0..w3 (windows), pad, ..."""
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
    spoken = "; ".join(" ".join(number(v) for v in row) for row in values)
    width, height = W * wide + 1, H * cell + 1
    caption = f'<span class="gridname">{escape(name)}</span>' if name else ""
    return Markup(
        f'<span class="grid"><svg width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        f'role="img" aria-label="{escape(name)}: {escape(spoken)}">{"".join(parts)}</svg>{caption}</span>'
    )


def number(value: float) -> str:
    value = float(value)
    return f"{value:.0f}" if value == round(value) else f"{value:.2f}".rstrip("0")


def equation(*parts: str | Markup) -> Markup:
    """Grids and signs in one row: x ⊛ W + b = out."""
    shown = [p if isinstance(p, Markup) else Markup('<span class="sign">{}</span>').format(p) for p in parts]
    return Markup('<div class="equation">{}</div>').format(Markup("").join(shown))


def window(rows: slice, columns: slice, css: str) -> Callable[[int, int], str]:
    """Marks that give the squares of one window the class."""
    return lambda r, c: css if rows.start <= r < rows.stop and columns.start <= c < columns.stop else ""


def stack(grids: Sequence[Markup]) -> Markup:
    """Grids stacked one after another: the channels of an image."""
    return Markup('<span class="stack">{}</span>').format(Markup("").join(grids))
