"""Independent pieces of work spread over processes, one thread each."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from typing import Any

from parity.adapters.serve import die_with_parent

Spread = Callable[[Callable[[Any], Any], Iterable[Any]], Iterator[Any]]  # like `map`: results in order


@contextmanager
def processes(count: int) -> Iterator[Spread]:
    """A `map` over that many processes inside the `with`; over none for 1.

    Small arrays are slower on two threads than on one, so each process computes on a single thread.
    """
    if count == 1:
        yield map
        return
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(count, mp_context=context, initializer=_settle, initargs=(os.getpid(),))
    before = multiprocessing.active_children()
    try:
        yield pool.map
    except BaseException:  # nobody waits for what they still have to do
        for process in multiprocessing.active_children():
            if process not in before:
                process.terminate()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def _settle(parent: int) -> None:
    """The end of the process that asked for this one, however it comes, is the end of this one."""
    die_with_parent(parent)
    single_thread()


def single_thread() -> None:
    """One thread for torch and BLAS from now on; Ctrl-C is for the parent, which ends this process."""
    import torch
    from threadpoolctl import threadpool_limits

    import scratchcnn  # noqa: F401  loads numpy's BLAS, so that it can be limited

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    torch.set_num_threads(1)
    threadpool_limits(1)
