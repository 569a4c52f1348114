"""The process in which batches run: it stays alive, and each batch runs in a child that it forks.

The sweep, or a Dask worker, starts it as a new program, so it has none of their threads and sockets when it
forks; PyTorch is imported once. A child that crashes, hangs or uses too much memory ends alone. The cell that
it was running is tried again in a fresh child, since an earlier cell may have caused the failure; if it ends
in the same way again, that becomes its row. The other cells continue.

    stdin   pickled requests: (cells, silence in seconds, MiB, target)   until it ends
    stdout  pickled answers: ("rows", a Parquet file's bytes, the number of rows) or ("cannot", why)
"""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

from parity.adapters.isolate import Limits, Outcome, Send, can_isolate, run_here, run_isolated
from parity.adapters.pickled import read_message, write_message
from parity.sweep.cell import CannotRun, Row, ended, run_cell, timed
from parity.sweep.cells import Cell

RunCell = Callable[[Cell], list[Row]]
FILE_SILENCE = 30  # times longer: `verify` enforces its own limits, so such a cell is only waited for


@dataclass(frozen=True)
class BatchLimits(Limits):
    """Limits for a number of cells."""

    cells: int = 1

    @property
    def total(self) -> float:
        return self.silence * (self.cells + 1)


def run_cells(
    cells: Sequence[Cell], silence: float, memory: int, run: RunCell = run_cell, close: Sequence[int] = ()
) -> list[Row]:
    """The rows of all cells. `close` lists files of this process that a child must not keep open."""
    rows: list[Row] = []
    left = list(cells)
    while left:
        limits = _limits(left, silence, memory)
        work = partial(_work, left, run, close, limits.total)
        outcome = run_isolated(work, limits) if can_isolate() else run_here(work)
        done, why = _read(outcome)
        for found in done:
            rows += found
        left = left[len(done) :]
        if left and not done:  # the first cell of a fresh process: no earlier cell can have caused it
            rows += timed(ended(left[0], why), 0.0)
            left = left[1:]
    return rows


def _limits(cells: Sequence[Cell], silence: float, memory: int) -> BatchLimits:
    if any(cell.what == "file" for cell in cells):
        silence *= FILE_SILENCE
    if cells[0].device.startswith("cuda"):
        memory = 1 << 26  # CUDA reserves a larger address space than any machine has memory
    return BatchLimits(silence, memory, cells=len(cells))


def _read(outcome: Outcome) -> tuple[list[list[Row]], str]:
    """The rows of each finished cell, and why the others are missing."""
    done, why = [], outcome.ending or "left the process without a word"
    for what, found in outcome.messages:
        if what == "cannot":
            raise CannotRun(found)
        if what == "cell":
            done.append(found)
        else:
            why = found
    return done, why


def _work(cells: Sequence[Cell], run: RunCell, close: Sequence[int], total: float, send: Send) -> None:
    for number in close:
        os.close(number)
    if hasattr(signal, "alarm") and can_isolate():
        signal.alarm(int(total) + 5)  # it ends even if the watching process is gone
    for cell in cells:
        try:
            send(("cell", run(cell)))
        except CannotRun as error:
            send(("cannot", str(error)))
            return


# -- the process ----------------------------------------------------------------------------------
def main() -> None:
    """Answer requests until stdin ends."""
    from parity.sweep.cell import uses_optimizers, warm_up
    from parity.sweep.store import encode

    requests, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # so that prints do not mix with the answers
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    threading.Thread(target=_end_after, args=(os.getppid(),), daemon=True).start()
    _one_thread()
    while True:
        try:
            cells, silence, memory, target = read_message(requests)
        except EOFError:
            return
        for what, optimizers in {(cell.what, uses_optimizers(cell)) for cell in cells}:
            warm_up(what, optimizers)
        gc.freeze()  # so that a child's collector neither scans nor copies what existed before it
        try:
            rows = run_cells(cells, silence, memory, _run_of(target), (answers.fileno(),))
            answer: Any = ("rows", encode(rows), len(rows))
        except CannotRun as error:
            answer = ("cannot", str(error), 0)
        write_message(answers, answer)


def _end_after(parent: int) -> None:
    """End when the sweep has ended in whatever way; the child that runs a cell ends with this process.

    Asked for every second: the signal that Linux sends comes when the *thread* that started this ends.
    """
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


@cache
def _run_of(target: str) -> RunCell:
    """`run_cell`, or the function that a target, file.py:Name, names in its place."""
    if not target:
        return run_cell
    from parity.adapters.load import load

    function: RunCell = load(target)
    return function


def _one_thread() -> None:
    import torch
    from threadpoolctl import threadpool_limits

    torch.set_num_threads(1)
    threadpool_limits(1)


if __name__ == "__main__":
    with suppress(SystemExit, BrokenPipeError):  # the answer is no longer waited for
        main()
    os._exit(0)  # an orderly exit of PyTorch takes longer than a batch
