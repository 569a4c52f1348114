"""The process in which batches run: it stays, and each batch runs in a child that it forks.

It is started afresh by whoever needs it (the sweep, or a Dask worker), so there are no threads and no
sockets of theirs in it when it forks; PyTorch is imported once. A child that crashes, hangs or eats memory
ends alone. The cell that it was at is tried once more in a fresh child, so that nobody else's leftovers
are held against it, and if it ends so again, that is its row; the others go on.

    stdin   pickled requests: (cells, silence in seconds, MiB, target)   until it ends
    stdout  pickled answers: ("rows", a Parquet file's bytes, the number of rows) or ("cannot", why)
"""

from __future__ import annotations

import gc
import os
import pickle
import signal
import struct
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, BinaryIO

from parity.adapters.isolate import Limits, Outcome, Send, can_isolate, run_here, run_isolated
from parity.sweep.cell import CannotRun, Row, ended, run_cell, timed
from parity.sweep.cells import Cell

HEADER = struct.Struct("<Q")
Run = Callable[[Cell], list[Row]]
FILE_SILENCE = 30  # `verify` limits what it runs itself, so a cell that verifies is only waited for


@dataclass(frozen=True)
class BatchLimits(Limits):
    """As Limits, for as many cells."""

    cells: int = 1

    @property
    def total(self) -> float:
        return self.silence * (self.cells + 1)


def run_cells(
    cells: Sequence[Cell], silence: float, memory: int, run: Run = run_cell, close: Sequence[int] = ()
) -> list[Row]:
    """The rows of all cells. `close` are files of this process that a child must not hold open."""
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
        if left and not done:  # the first cell of a fresh process: nobody else can be to blame
            rows += timed(ended(left[0], why), 0.0)
            left = left[1:]
    return rows


def _limits(cells: Sequence[Cell], silence: float, memory: int) -> BatchLimits:
    if any(cell.what == "file" for cell in cells):
        silence *= FILE_SILENCE
    if cells[0].device.startswith("cuda"):
        memory = 1 << 26  # CUDA reserves more addresses than any machine has memory
    return BatchLimits(silence, memory, cells=len(cells))


def _read(outcome: Outcome) -> tuple[list[list[Row]], str]:
    """What each finished cell found, and why there are no more of them."""
    done, why = [], outcome.ending or "left the process without a word"
    for what, found in outcome.messages:
        if what == "cannot":
            raise CannotRun(found)
        if what == "cell":
            done.append(found)
        else:
            why = found
    return done, why


def _work(cells: Sequence[Cell], run: Run, close: Sequence[int], total: float, send: Send) -> None:
    for number in close:
        os.close(number)
    if hasattr(signal, "alarm") and can_isolate():
        signal.alarm(int(total) + 5)  # should whoever watches be gone, it still ends
    for cell in cells:
        try:
            send(("cell", run(cell)))
        except CannotRun as error:
            send(("cannot", str(error)))
            return


# -- the process ----------------------------------------------------------------------------------
def write_message(to: BinaryIO, message: Any) -> None:
    data = pickle.dumps(message)
    to.write(HEADER.pack(len(data)) + data)
    to.flush()


def read_message(source: BinaryIO) -> Any:
    """Raises EOFError when the other side is gone."""
    header = source.read(HEADER.size)
    if len(header) < HEADER.size:
        raise EOFError
    (length,) = HEADER.unpack(header)
    data = source.read(length)
    if len(data) < length:
        raise EOFError
    return pickle.loads(data)


def main() -> None:
    """Answer requests until stdin ends."""
    from parity.sweep.cell import uses_optimizers, warm_up
    from parity.sweep.store import encode

    requests, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever prints does not print among the answers
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    _one_thread()
    while True:
        try:
            cells, silence, memory, target = read_message(requests)
        except EOFError:
            return
        for what, optimizers in {(cell.what, uses_optimizers(cell)) for cell in cells}:
            warm_up(what, optimizers)
        gc.freeze()  # so that a child's collector leaves alone, and need not copy, what was there before it
        try:
            rows = run_cells(cells, silence, memory, _run_of(target), (answers.fileno(),))
            answer: Any = ("rows", encode(rows), len(rows))
        except CannotRun as error:
            answer = ("cannot", str(error), 0)
        write_message(answers, answer)


@cache
def _run_of(target: str) -> Run:
    """`run_cell`, or what a target, file.py:Name, names to be run in its place."""
    if not target:
        return run_cell
    from parity.adapters.load import load

    return load(target)


def _one_thread() -> None:
    import torch
    from threadpoolctl import threadpool_limits

    torch.set_num_threads(1)
    threadpool_limits(1)


if __name__ == "__main__":
    with suppress(SystemExit, BrokenPipeError):  # nobody waits for the answer any more
        main()
    os._exit(0)  # taking PyTorch down in order takes longer than a batch
