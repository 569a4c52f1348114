"""Run the parts of a report, and keep what each found: `collect(request)` gives one `Findings`.

    accuracy   every layer, loss and optimizer by itself, and every network, against PyTorch
    faults     every known bug put in: is it caught, and is correct code left alone?
    training   both frameworks trained from the same weights on the same batches
    speed      both timed, interleaved, on equal threads

Ctrl-C ends the run. What was done until then is kept: whole parts, and of training and speed the networks
that were through. A part that breaks down fails with the reason, and the next ones are run.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from parity.reference.environment import environment
from parity.report import parts
from parity.report.findings import Findings, Nobody, Told
from parity.report.headline import headline_table, headlines
from parity.report.request import Request
from parity.report.schema import conform
from scratchcnn import fast

NOBODY = Nobody()
Runner = Callable[[Request, Findings, Told], list[str]]


def collect(request: Request, told: Told = NOBODY) -> Findings:
    """Run the parts that were asked for, in order."""
    found = Findings()
    runners: dict[str, Runner] = {
        "accuracy": parts.accuracy,
        "faults": parts.faults,
        "training": parts.training,
        "speed": parts.speed,
    }
    for number, part in enumerate(request.parts, 1):
        then, start = request.parts[number:], time.perf_counter()
        told.begins(part, then)
        try:
            failed = runners[part](request, found, told)
        except KeyboardInterrupt:
            found.interrupted = part
            found.left = [f"{part} ({', '.join(found.left)})" if found.left else part, *then]
            break
        except Exception as error:
            failed = [f"broke down: {type(error).__name__}: {error}"]
        found.failures[part], found.left = failed + _conformed(found), []
        told.over(part, time.perf_counter() - start, found.failures[part])
    _conformed(found)  # what an interrupted part left
    asked = {"seed": request.seed, "quick": request.quick, "parts": list(found.parts)}
    ran = {"threads": request.threads, "textbook": not fast.enabled()}
    ended = {"interrupted": found.interrupted} if found.interrupted else {}
    found.environment = environment(request.device, **ran, **asked) | ended | found.environment
    if opening := headlines(found):
        found.tables = {"headlines": conform("headlines", headline_table(opening))} | found.tables
    return found


def _conformed(found: Findings) -> list[str]:
    """Give the tables their schemas; one that does not fit is left out, and the reason told."""
    wrong = []
    for name, table in list(found.tables.items()):
        del found.tables[name]
        try:
            if not table.empty:
                found.tables[name] = conform(name, table)
        except ValueError as error:
            wrong.append(str(error))
    return wrong
