"""PyTorch on one thread for a while.

Two threads take longer over small arrays. And in a process that was forked after PyTorch had used its
threads, whatever needs more than one waits for ever: they were not forked along.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from parity.kinds import torch_ahead
from parity.kinds.numpy_reference import judge


@contextmanager
def one_thread() -> Iterator[None]:
    """Inside the block PyTorch computes on one thread; where NumPy is the judge, nothing changes."""
    if judge() == "numpy":
        yield
        return
    if ahead := torch_ahead.under_way():  # it will begin on one thread
        ahead.single = True
        try:
            yield
        finally:
            ahead.give_back()
        return
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
