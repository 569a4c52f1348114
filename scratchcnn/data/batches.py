"""Mini-batches: which images go into each batch (book, section 4.2.3)."""

from __future__ import annotations

import operator
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray


def minibatches(
    n: int, batch_size: int, rng: np.random.Generator, drop_last: bool = False
) -> Iterator[NDArray[np.int64]]:
    """One epoch: index arrays that visit each of n images once, in an order drawn from `rng`.

    The order is drawn at the call, as one permutation, so that a generator in the same state gives the
    same batches to two frameworks. The last batch is smaller if `batch_size` does not divide n, or is
    left out with `drop_last`. (The book draws each batch independently, so an epoch repeats some images
    and misses others.)

    Raises ValueError for sizes below 1, and if `drop_last` would leave no batch.
    """
    n, batch_size = operator.index(n), operator.index(batch_size)
    if n < 1 or batch_size < 1:
        raise ValueError(f"n and batch_size must be at least 1, got n={n} and batch_size={batch_size}")
    if drop_last and n < batch_size:
        raise ValueError(f"drop_last leaves no batch: there are {n} images and batch_size is {batch_size}")
    order = rng.permutation(n)
    end = n - n % batch_size if drop_last else n
    return (order[i : i + batch_size] for i in range(0, end, batch_size))
