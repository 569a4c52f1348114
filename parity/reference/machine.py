"""What the times were measured on: the machine, its threads, and how fast it can go at all.

Both frameworks get the same number of threads: PyTorch by `torch.set_num_threads`, NumPy's BLAS by
threadpoolctl. `measured_peaks` says how fast this machine multiplies matrices and copies memory with that
many, so that a time can be read as a share of what is possible.
"""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from threadpoolctl import threadpool_info, threadpool_limits

from parity.cores import cores

GEMM = 2048  # rows and columns of the matrices that are multiplied
COPY_MB = 256


class Peaks(NamedTuple):
    """The most that was measured, with the threads of the day."""

    gemm_gflops: float
    copy_gbytes_per_s: float


UNKNOWN = Peaks(float("nan"), float("nan"))


def check_threads(count: int) -> None:
    """Raise ValueError for more threads than cores."""
    if not 1 <= count <= cores():
        raise ValueError(f"--threads must lie in 1..{cores()}, the cores of this machine; got {count}")


@contextmanager
def equal_threads(count: int) -> Iterator[None]:
    """The same number of threads for PyTorch and for NumPy's BLAS, inside the `with`.

    Raises RuntimeError when one of them does not take it, ValueError for more threads than cores.
    """
    check_threads(count)
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        with threadpool_limits(count):
            found = {pool["internal_api"]: pool["num_threads"] for pool in threadpool_info()}
            found["torch"] = torch.get_num_threads()
            if uneven := {name: n for name, n in found.items() if n != count}:
                raise RuntimeError(f"asked for {count} threads; got {uneven}. Is BLAS built for one thread?")
            yield
    finally:
        torch.set_num_threads(before)


def describe(threads: int) -> dict[str, Any]:
    """Names and versions, for the head of a report."""
    blas = [pool for pool in threadpool_info() if pool["user_api"] == "blas" and "numpy" in pool["filepath"]]
    name = (
        f"{blas[0]['internal_api']} {blas[0]['version']} ({blas[0].get('architecture', '?')})"
        if blas
        else "?"
    )
    return {
        "cpu": _cpu(),
        "cores": cores(),
        "threads": threads,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "blas": name,
        "torch": torch.__version__,
        "torch_simd": torch.backends.cpu.get_cpu_capability(),
        "system": f"{platform.system()} {platform.machine()}",
    }


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "?")


def measured_peaks(threads: int, tries: int = 7) -> Peaks:
    """The best of some tries: one large float32 product, and one large copy split over the threads."""
    rng = np.random.default_rng(0)
    a, b = (rng.random((GEMM, GEMM), dtype=np.float32) for _ in range(2))
    out = np.empty_like(a)
    seconds = _best(lambda: np.matmul(a, b, out=out), tries)
    source = np.ones(COPY_MB * 2**20 // 4, dtype=np.float32)
    target = np.zeros_like(source)
    parts = list(zip(np.array_split(target, threads), np.array_split(source, threads), strict=True))
    with ThreadPoolExecutor(threads) as pool:
        copying = _best(lambda: list(pool.map(lambda part: np.copyto(*part), parts)), tries)
    return Peaks(2 * GEMM**3 / seconds / 1e9, 2 * source.nbytes / copying / 1e9)  # read and written


def _best(call: Callable[[], object], tries: int) -> float:
    times = []
    for _ in range(tries):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return min(times)
