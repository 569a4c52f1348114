"""Matrix products as stacks of small ones.

BLAS copies both factors of a product into an order of its own before it multiplies. That pays for large
square matrices; a convolution's are flat (6 filters, 25 weights each, 39,200 columns), and there the
copying takes longer than the multiplying. OpenBLAS multiplies a product of up to a million multiplications
without it. So a flat product is made as a stack of such small ones: `np.matmul` goes through the whole
stack in one call.

Measured on one core, float32, in GFLOP/s, the stack against one product: 6 filters of 26 weights 79 against
35, 30 of 26 85 against 59, 64 of 289 105 against 94; for dW 72 against 24, 76 against 34. Longer columns than
MAX_LENGTH do not gain for dW.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from scratchcnn.typing import Array

MAX_SMALL_PRODUCT = 1_000_000  # multiplications of one product of a stack
VECTOR = 16  # the width of a small product is a multiple of it
MIN_WIDTH = 64  # columns of a small product; below, a stack costs more than it saves
MAX_LENGTH, MAX_FILTERS = 96, 32  # of a stack for dW
MIN_LARGE_RESULT = 256  # rows of dW; from here on, turning it round costs more than it saves


def product(A: Array, B: Array, out: Array) -> None:
    """out = A @ B, A (M, K) having few numbers, B (K, columns) many."""
    columns = B.shape[1]
    width = _width(A.size, columns)
    if not width:
        np.matmul(A, B, out=out)
        return
    whole = columns - columns % width
    np.matmul(A, _stack(B[:, :whole], width), out=_stack(out[:, :whole], width))
    if whole < columns:
        np.matmul(A, B[:, whole:], out=out[:, whole:])


def product_over_columns(D: Array, B: Array, out: Array | None = None) -> Array:
    """D @ B^T, D (M, columns) and B (K, columns): the sum over many columns of small outer products."""
    (M, columns), K = D.shape, len(B)
    width = _width(M * K, columns)
    if width and K <= MAX_LENGTH and M <= MAX_FILTERS:
        total = _sum_of_products(D, B, width)
    elif min(K, MIN_LARGE_RESULT) > M:
        total = (B @ D.T).T  # few rows against many: BLAS is faster with the longer side first
    else:
        return np.matmul(D, B.T, out=out)
    if out is not None:
        np.copyto(out, total)
    return total


def _sum_of_products(D: Array, B: Array, width: int) -> Array:
    """D @ B^T as the sum of a stack of products over `width` columns each."""
    columns = D.shape[1]
    whole = columns - columns % width
    parts = np.matmul(_stack(D[:, :whole], width), _stack(B[:, :whole], width).transpose(0, 2, 1))
    total: Array = parts.sum(axis=0)
    if whole < columns:
        total += D[:, whole:] @ B[:, whole:].T
    return total


@lru_cache
def _width(size: int, columns: int) -> int:
    """How many columns each product of a stack has, by a matrix of `size` numbers: all the same if that can
    be; 0 where one product is as good."""
    most = MAX_SMALL_PRODUCT // max(1, size)
    if most < MIN_WIDTH or columns <= most:
        return 0
    least = -(-columns // most)
    even = next((n for n in range(least, 2 * least) if columns % n == 0), 0)
    return columns // even if even else most // VECTOR * VECTOR


def _stack(a: Array, width: int) -> Array:
    """(M, n*width) -> (n, M, width), a view."""
    return a.reshape(len(a), -1, width).transpose(1, 0, 2)
