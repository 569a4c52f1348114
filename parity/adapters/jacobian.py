"""A derivative that is written as a matrix: of every output by every input. Needs NumPy alone.

A softmax has one for each of its samples. That of a function of single numbers is a diagonal, `np.diag(s * (1
- s))`, of one row, of each row, of each column, or of all numbers of the array together.
"""

from __future__ import annotations

from typing import Any

import numpy as np

ROW, ROWS, COLUMNS, COLUMNS_LAST, WHOLE = "row", "rows", "columns", "columns last", "whole"
PRODUCTS = {ROWS: "ab,abc->ac", COLUMNS: "ab,bac->cb", COLUMNS_LAST: "ab,acb->cb"}  # as they lie


def times_jacobian(dout: Any, matrix: Any, which: str) -> Any:
    """dx of dout and those matrices, d out[i] / d x[j] in row i; in the shape of dout."""
    matrix, given = np.asarray(matrix), np.asarray(dout)
    if which in PRODUCTS:
        return np.einsum(PRODUCTS[which], given, matrix)
    return (given.reshape(-1) @ matrix.reshape(given.size, given.size)).reshape(given.shape)
