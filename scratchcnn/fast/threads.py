"""A small thread pool; BLAS is limited to one thread while it runs.

NumPy computes outside Python's lock, so plain threads run it in parallel. Two pools would fight for the
cores, so BLAS (whose threads wait for each other at every product) is set to one thread meanwhile.

`count()` is the number that BLAS is allowed: OPENBLAS_NUM_THREADS or `threadpoolctl.threadpool_limits` set
it for both. The OpenBLAS inside NumPy's wheel is asked by ctypes, another BLAS by threadpoolctl where that is
installed. Where neither finds a BLAS to control, there is one thread of ours and BLAS keeps its own.
"""

from __future__ import annotations

import ctypes
import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np

MIN_BLAS_PRODUCTS = 1 << 18  # multiplications; OpenBLAS makes a smaller matrix product on one thread anyway
MIN_SHARED_PASSES = 1 << 21  # numbers passed over; below, waking a thread takes longer than that

T = TypeVar("T")
R = TypeVar("R")


class Blas(NamedTuple):
    """NumPy's BLAS: how many threads it may use."""

    get: Callable[[], int]
    set: Callable[[int], Any]


OPENBLAS_FUNCTIONS = (
    "scipy_openblas_{}_num_threads64_",
    "openblas_{}_num_threads64_",
    "scipy_openblas_{}_num_threads",
    "openblas_{}_num_threads",
)


@lru_cache
def blas() -> Blas | None:
    """NumPy's BLAS, or None where none is found that can be controlled."""
    return _openblas() or _by_threadpoolctl()


def _by_threadpoolctl() -> Blas | None:
    try:
        from threadpoolctl import ThreadpoolController
    except ImportError:
        return None
    for library in ThreadpoolController().select(user_api="blas").lib_controllers:
        if "numpy" in library.filepath:
            return Blas(library.get_num_threads, library.set_num_threads)
    return None


def _openblas() -> Blas | None:
    """The OpenBLAS that NumPy's wheel brings: its file is already loaded, its functions have suffixes."""
    package = Path(np.__file__).parent
    for folder in (package.parent / "numpy.libs", package / ".dylibs"):
        for file in folder.glob("*openblas*") if folder.is_dir() else ():
            library = ctypes.CDLL(str(file))
            for name in OPENBLAS_FUNCTIONS:
                if hasattr(library, name.format("set")):
                    return Blas(getattr(library, name.format("get")), getattr(library, name.format("set")))
    return None


_busy = threading.Lock()
_pool: tuple[int, ThreadPoolExecutor] | None = None
_local = threading.local()


def count() -> int:
    """How many threads there are to use here and now: 1 inside a worker and while another team works."""
    mine = _local.__dict__
    if size := mine.get("size"):
        return int(size)
    library = None if is_worker() else blas()
    return 1 if library is None else max(1, library.get())


def is_worker() -> bool:
    """Whether this thread works on its part of something: then there is nobody to share with."""
    return bool(_local.__dict__.get("worker"))


class team:
    """BLAS at one thread inside the `with`, and `each` over this many threads, which it gives.

    1, and nothing changed, where there is one thread, where a team is at work already (in another thread of
    the program), or inside a worker.
    """

    library: Blas | None = None  # to be given its threads back

    def __enter__(self) -> int:
        if size := _local.__dict__.get("size", 0):  # a team of this very thread: the outer one goes on
            return int(size)
        size = count()
        if size == 1 or not _busy.acquire(blocking=False):
            return 1
        self.library, _local.size = blas(), size
        assert self.library is not None  # count() found it
        self.library.set(1)
        return size

    def __exit__(self, *_: object) -> None:
        if self.library is not None:
            self.library.set(_local.size)
            _local.size = 0
            _busy.release()


def each(call: Callable[[T], R], items: Sequence[T]) -> list[R]:
    """[call(item) for item in items], shared by the threads of the team; in this thread if there is none."""
    if len(items) < 2 or _local.__dict__.get("size", 0) < 2:
        return list(map(call, items))
    size = _local.size

    def run(part: slice) -> list[R]:
        return list(map(call, items[part]))

    mine, *others = parts(len(items), size)
    futures = [_workers(size).submit(run, part) for part in others]
    _local.size, _local.worker = 0, True  # this thread works too
    try:
        results = run(mine)
    finally:
        _local.size, _local.worker = size, False
        for future in futures:
            future.exception()  # all have ended before anything is raised or returned
    for future in futures:
        results += future.result()
    return results


def each_part(call: Callable[[slice], R], length: int, passes: int) -> list[R]:
    """[call(part)] for 0..length in a part per thread, or in one part if there is too little to do: `passes`
    is how many numbers are read or written, in the time of a simple loop over an array."""
    if passes < MIN_SHARED_PASSES or is_worker():
        return [call(slice(0, length))]
    with team() as size:
        return each(call, parts(length, size))


def _workers(size: int) -> ThreadPoolExecutor:
    """The pool, made at the first use."""
    global _pool
    if _pool is None or _pool[0] != size - 1:
        if _pool is not None:
            _pool[1].shutdown(wait=False)
        _pool = size - 1, ThreadPoolExecutor(size - 1, "scratchcnn", _mark_worker)
    return _pool[1]


def _mark_worker() -> None:
    _local.worker = True


def _forget() -> None:
    """After a fork: the parent's threads are not here, nor is its team."""
    global _pool, _busy
    _pool, _busy = None, threading.Lock()
    _local.__dict__.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)


def parts(size: int, pieces: int) -> list[slice]:
    """0..size cut into at most `pieces` slices of nearly the same length, none empty."""
    pieces = max(1, min(pieces, size))
    edges = [size * i // pieces for i in range(pieces + 1)]
    return list(map(slice, edges, edges[1:]))
