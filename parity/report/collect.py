"""Run the parts of a report and gather their results: `collect(request)` returns `Findings`.

    accuracy   every layer, loss and optimizer individually, and every network, against PyTorch
    faults     every known bug injected: is it caught, and does correct code pass?
    training   both frameworks trained from the same weights on the same batches
    speed      both timed, interleaved, on equal threads

Ctrl-C ends the run. What was completed is kept: whole parts, and in training and speed the networks that
were finished. A part that raises fails with the reason, and the next ones are still run.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from parity.reference.environment import environment, load_average
from parity.report import parts
from parity.report.findings import Findings, NoProgress, Progress
from parity.report.headline import headline_table, headlines
from parity.report.request import ReportRequest
from parity.report.schema import conform
from scratchcnn import fast

Runner = Callable[[ReportRequest, Findings, Progress], list[str]]


def collect(request: ReportRequest, progress: Progress | None = None) -> Findings:
    """Run the requested parts in order."""
    found, progress, load = Findings(), progress or NoProgress(), load_average()
    runners: dict[str, Runner] = {
        "accuracy": parts.accuracy,
        "faults": parts.faults,
        "training": parts.training,
        "speed": parts.speed,
    }
    for number, part in enumerate(request.parts, 1):
        remaining, start = request.parts[number:], time.perf_counter()
        progress.part_started(part, remaining)
        try:
            failed = runners[part](request, found, progress)
        except KeyboardInterrupt:
            found.interrupted = part
            found.left = [f"{part} ({', '.join(found.left)})" if found.left else part, *remaining]
            break
        except Exception as error:
            failed = [f"failed with {type(error).__name__}: {error}"]
        found.failures[part], found.left = failed + _conform_tables(found), []
        progress.part_finished(part, time.perf_counter() - start, found.failures[part])
    _conform_tables(found)  # those of an interrupted part
    requested = {"seed": request.seed, "quick": request.quick, "parts": list(found.parts)}
    setting = {"threads": request.threads, "textbook": not fast.enabled(), "load_at_start": load}
    ended = {"interrupted": found.interrupted} if found.interrupted else {}
    found.environment = environment(request.device, **setting, **requested) | ended | found.environment
    if opening := headlines(found):
        found.tables = {"headlines": conform("headlines", headline_table(opening))} | found.tables
    return found


def _conform_tables(found: Findings) -> list[str]:
    """Give the tables their schemas; drop each that does not fit, and return the reasons."""
    wrong = []
    for name, table in list(found.tables.items()):
        del found.tables[name]
        try:
            if not table.empty:
                found.tables[name] = conform(name, table)
        except ValueError as error:
            wrong.append(str(error))
    return wrong
