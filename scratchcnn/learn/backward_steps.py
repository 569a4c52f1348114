"""Convolution's backward pass, one step at a time, on numbers small enough to check by hand.

The book's section 7.4.3: dout becomes one row per window; dW, db and dcol are products and sums of those
rows; col2im adds each row of dcol to the pixels that it came from. The page of the course shows the steps.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from scratchcnn.im2col import col2im, im2col
from scratchcnn.typing import Array

X = np.array([[[[1, 2, 0, 3], [0, 1, 2, 1], [2, 0, 1, 0]]]], dtype=float)  # (N, C, H, W) = (1, 1, 3, 4)
W = np.array([[[[1, 0], [2, -1]]], [[[0, 1], [1, 2]]]], dtype=float)  # (FN, C, FH, FW) = (2, 1, 2, 2)
B = np.array([1, -1], dtype=float)  # (FN,)
DOUT = np.array([[[[1, -1, 2], [0, 2, 1]], [[2, 1, 0], [-1, 1, 3]]]], dtype=float)  # (N, FN, OH, OW)
PARTS = ("dout", "dW", "db", "dcol", "dx")

Cell = tuple[int, int]
Grid = list[list[int | None]]


@dataclass(frozen=True)
class Step:
    """One step of the backward pass.

    part    what it belongs to: "dout", "dW", "db", "dcol" or "dx"
    grids   by name, what is on the table, as rows of numbers; None where a number is not known yet
    lit     by name, the cells (row, column) that take part
    says    the calculation with its numbers
    """

    part: str
    grids: dict[str, Grid]
    lit: dict[str, list[Cell]] = field(default_factory=dict)
    says: str = ""


def backward_steps() -> list[Step]:
    """The steps from dout to dW, db and dx for X, W and DOUT, with stride 1 and no padding."""
    FN, _, FH, FW = W.shape
    rows = DOUT.transpose(0, 2, 3, 1).reshape(-1, FN)  # (N, FN, OH, OW) -> (N*OH*OW, FN)
    col = im2col(X, FH, FW)  # (N*OH*OW, C*FH*FW)
    return [
        *_rows(rows),
        *_dW(rows, col),
        *_db(rows),
        *_dcol(rows),
        *_dx(rows @ W.reshape(FN, -1)),
    ]


def _rows(rows: Array) -> Iterator[Step]:
    """Row k of the matrix: dout at window k, one number per filter."""
    _, FN, OH, OW = DOUT.shape
    maps = DOUT[0].reshape(FN * OH, OW)  # one filter's map below the other's
    for k in range(len(rows)):
        y, x = divmod(k, OW)
        yield Step(
            "dout",
            {"dout": _whole(maps), "rows": _known(rows, k + 1)},
            {"dout": [(f * OH + y, x) for f in range(FN)], "rows": [(k, f) for f in range(FN)]},
            f"dout[0, :, {y}, {x}] = {_vector(rows[k])}",
        )


def _dW(rows: Array, col: Array) -> Iterator[Step]:
    """dW[f, j]: column f of dout's rows times column j of col."""
    K, FN = rows.shape
    dW = np.full((FN, col.shape[1]), np.nan)
    for f, j in np.ndindex(dW.shape):
        dW[f, j] = rows[:, f] @ col[:, j]
        lit = {"rows": [(k, f) for k in range(K)], "col": [(k, j) for k in range(K)], "dW": [(f, j)]}
        says = f"dW[{f}, {j}] = {_products(rows[:, f], col[:, j])} = {dW[f, j]:g}"
        yield Step("dW", {"rows": _whole(rows), "col": _whole(col), "dW": _whole(dW)}, lit, says)


def _db(rows: Array) -> Iterator[Step]:
    """db[f]: the sum of column f of dout's rows."""
    K, FN = rows.shape
    db = np.full((1, FN), np.nan)
    for f in range(FN):
        db[0, f] = rows[:, f].sum()
        lit = {"rows": [(k, f) for k in range(K)], "db": [(0, f)]}
        says = f"db[{f}] = {' + '.join(map(_factor, rows[:, f]))} = {db[0, f]:g}"
        yield Step("db", {"rows": _whole(rows), "db": _whole(db)}, lit, says)


def _dcol(rows: Array) -> Iterator[Step]:
    """Row k of dcol: each filter's weights times dout of that filter at window k, added up."""
    FN = len(W)
    filters = W.reshape(FN, -1)
    dcol = rows @ filters
    width = range(dcol.shape[1])
    for k, row in enumerate(rows):
        lit = {
            "rows": [(k, f) for f in range(FN)],
            "W": [(f, j) for f in range(FN) for j in width],
            "dcol": [(k, j) for j in width],
        }
        terms = " + ".join(f"{_factor(d)}·{_vector(w)}" for d, w in zip(row, filters, strict=True))
        grids = {"rows": _whole(rows), "W": _whole(filters), "dcol": _known(dcol, k + 1)}
        yield Step("dcol", grids, lit, f"dcol[{k}] = {terms} = {_vector(dcol[k])}")


def _dx(dcol: Array) -> Iterator[Step]:
    """Row k of dcol is added to the pixels of window k."""
    _, _, FH, FW = W.shape
    OW = DOUT.shape[3]
    for k in range(len(dcol)):
        y, x = divmod(k, OW)
        so_far = np.zeros_like(dcol)
        so_far[: k + 1] = dcol[: k + 1]
        dx = col2im(so_far, X.shape, FH, FW)[0, 0]
        window = [(y + i, x + j) for i in range(FH) for j in range(FW)]
        lit = {"dcol": [(k, j) for j in range(FH * FW)], "dx": window}
        says = f"dx[0, 0, {y}:{y + FH}, {x}:{x + FW}] += {_vector(dcol[k])}"
        yield Step("dx", {"dcol": _whole(dcol), "dx": _whole(dx)}, lit, says)


# -- how numbers are written ------------------------------------------------------------------------
def _whole(array: Any) -> Grid:
    """Rows of whole numbers; None for NaN."""
    return [[None if value != value else int(value) for value in row] for row in np.asarray(array)]


def _known(array: Array, count: int) -> Grid:
    """The first `count` rows; the others are not known yet."""
    shown = array.copy()
    shown[count:] = np.nan
    return _whole(shown)


def _factor(value: float) -> str:
    return f"({value:g})" if value < 0 else f"{value:g}"


def _products(a: Array, b: Array) -> str:
    return " + ".join(f"{_factor(p)}·{_factor(q)}" for p, q in zip(a, b, strict=True))


def _vector(values: Array) -> str:
    return f"({', '.join(f'{value:g}' for value in values)})"
