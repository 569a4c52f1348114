"""Run batches on this machine's cores: one thread per worker, each with a process of its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import islice

from parity.sweep.cells import Batch
from parity.sweep.worker import Result, Runners

AHEAD = 2  # batches per worker that are submitted at a time


def run_local(
    batches: Iterable[Batch], workers: int, timeout: float = 60.0, memory: int = 2048, target: str = ""
) -> Iterator[tuple[Batch, Result]]:
    """Each batch with its result, as they finish. Raises CannotRun when a cell cannot be run here."""
    runners, coming = Runners(), iter(batches)
    running: dict[Future[Result], Batch] = {}
    pool = ThreadPoolExecutor(workers, thread_name_prefix="sweep")
    try:
        while True:
            for batch in islice(coming, max(AHEAD * workers - len(running), 0)):
                running[pool.submit(runners.run, batch.cells, timeout, memory, target)] = batch
            if not running:
                return
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                yield running.pop(future), future.result()
    finally:
        runners.stop()
        pool.shutdown(cancel_futures=True)
        runners.close()
