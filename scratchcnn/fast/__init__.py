"""The fast rung: the same layers, written for the machine instead of for the reader.

Every hot operation is there three times, and tests and `parity check` hold the three together:

    scratchcnn.naive    nested loops, the specification                    seconds for one image
    scratchcnn.layers   the book's way: im2col and one matrix product      3 to 15 times PyTorch's time
    scratchcnn.fast     the same arithmetic in another order               PyTorch's time for a step, or less

A layer of `scratchcnn.layers` takes its fast rung by itself. `with fast.textbook():` makes it run the code
that one reads in its class instead. A subclass always runs what its class says: only the classes that name
a fast rung themselves have one.

What makes it fast, one file each:

    layout.py       images inside as (C, H, W, N): long contiguous runs wherever a window slides
    convolution.py  columns in a workspace that fits into the cache, made again in backward, not stored
    products.py     flat matrix products as stacks of small ones
    pooling.py      maxima and their places by copies of the windows' cells
    lrn.py          blocks that stay in the cache, beta = 0.75 by square roots
    dense.py        matrix products split over the threads
    memory.py       arrays from memory that was touched before
    threads.py      as many threads as NumPy's BLAS has
    blocks.py       a batch split over the threads, each part through all its layers
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

_enabled = os.environ.get("SCRATCHCNN_TEXTBOOK", "") in ("", "0")


def enabled() -> bool:
    """Whether layers take their fast rung; the environment variable SCRATCHCNN_TEXTBOOK=1 turns it off."""
    return _enabled


@contextmanager
def textbook() -> Iterator[None]:
    """Inside the `with`, every layer runs the code of its class. For the whole process, not one thread."""
    global _enabled
    before, _enabled = _enabled, False
    try:
        yield
    finally:
        _enabled = before
