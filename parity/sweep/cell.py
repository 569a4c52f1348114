"""Run one cell and return its rows. They are the same wherever it runs: one thread, its own seed.

A row is a tensor that was compared, or a known bug that had to be caught, or the reason why a cell was cut
short: its `status` distinguishes them.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache, lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from parity.comparison.records import CATEGORIES, NUMBERS, Record
from parity.sweep.cells import UNREAD, Cell, version_of

Row = dict[str, Any]
CellResult = tuple[list[Record], dict[str, str]]  # the records, and extra columns, the same in every row

UNCHECKED, RIGHT_BUT = "unchecked", "right_but"  # statuses of rows of somebody's code
NOTHING: Row = (
    dict.fromkeys([*CATEGORIES, "shape", "why"], "")
    | dict.fromkeys(NUMBERS, float("nan"))
    | {"exact": False, "ok": False, "proves": True}
)


class NotChecked(Exception):
    """Nothing of somebody's code could be compared; the message says why."""


class CannotRun(RuntimeError):
    """This machine cannot run the cell (no such file, no such device), so the sweep stops."""


def run_cell(cell: Cell) -> list[Row]:
    """The cell's rows; an exception also becomes a row. Raises CannotRun where the machine is at fault."""
    start = time.perf_counter()
    try:
        records, more = RUN[cell.what](cell)
        rows = [_row(cell, record, more) for record in records]
        if not rows:
            rows = ended(cell, "nothing was compared")
    except CannotRun:
        raise
    except NotChecked as error:
        rows = ended(cell, str(error), UNCHECKED)
    except MemoryError as error:
        rows = ended(cell, f"raised MemoryError: {error}")
    except Exception as error:
        rows = ended(cell, f"raised {type(error).__name__}: {error}")
    return timed(rows, time.perf_counter() - start)


def _row(cell: Cell, record: Record, more: dict[str, str]) -> Row:
    shape = "x".join(map(str, record.shape)) or "scalar"
    found = vars(record) | {"shape": shape, "device": cell.device}
    status = "match" if record.ok else "mismatch"
    if not record.ok and record.why and record.why == more.get("ending"):
        status = _status(record.why)
    elif not record.ok and more.get("unchecked"):
        status = UNCHECKED
    elif record.ok and record.why:
        status = RIGHT_BUT
    extra = ["lacks"] if record.ok else ["lacks", "culprit", "diagnosis"]
    return _about(cell, status) | found | {name: more.get(name, "") for name in extra}


def ended(cell: Cell, why: str, status: str = "") -> list[Row]:
    """The row of a cell that was cut short."""
    place = {"dtype": cell.dtype, "case": cell.case}
    named = {"network" if cell.what == "network" else "layer": cell.name}
    return [
        _about(cell, status or _status(why)) | NOTHING | place | {"device": cell.device, "why": why} | named
    ]


def timed(rows: list[Row], seconds: float) -> list[Row]:
    finished = datetime.now(UTC).isoformat(timespec="milliseconds")
    here = {"seconds": seconds, "worker": f"{_host()}:{os.getppid()}", "finished": finished}
    return [row | here for row in rows]


@cache
def _host() -> str:
    return socket.gethostname()


def _about(cell: Cell, status: str) -> Row:
    facts = {name: getattr(cell, name) for name in ("what", "seed", "fault", "target", "version")}
    return {"cell": cell.id, **facts, "status": status, "culprit": "", "diagnosis": "", "lacks": ""}


def _status(why: str) -> str:
    """hung, crashed, memory or raised, from the words with which `isolate` describes how a process ended."""
    if "MemoryError" in why or "of memory" in why:
        return "memory"
    if why.startswith(("hung", "was not done")):
        return "hung"
    return "crashed" if why.startswith(("crashed", "left the process", "called sys.exit")) else "raised"


# -- what a cell runs -----------------------------------------------------------------------------
def _probe(cell: Cell) -> CellResult:
    return _check_layer(cell, [p for p in _probes(cell.name, cell.seed, cell.device) if p.id == cell.case])


@lru_cache(maxsize=2)
def _probes(kind: str, seed: int, device: str) -> list[Any]:
    """Shared by consecutive cells: a probe is only read, and keeps its reference."""
    from parity.kinds.probes import probes

    return probes(kind, seed)


def _geometry(cell: Cell) -> CellResult:
    from parity.kinds.random_geometry import draw

    return _check_layer(cell, [draw(cell.name, cell.seed * 100_000 + int(cell.case))])


def _check_layer(cell: Cell, cases: list[Any]) -> CellResult:
    from parity.checks.layer import check_kind

    device = _prepared(cell)
    records = list(check_kind(cell.name, cell.dtype, device, cell.seed, cases=cases, contracts=False))
    return records, _why_layer(cell, records)


def _contracts(cell: Cell) -> CellResult:
    from parity.checks.layer import check_kind, contract_cases
    from parity.faults.diagnose import PLAIN

    device, cases = _prepared(cell), contract_cases(_probes(cell.name, cell.seed, cell.device))
    found = check_kind(cell.name, cell.dtype, device, cell.seed, cases=cases)
    records = [record for record in found if record.phase not in PLAIN]
    return records, _why_layer(cell, records)


def _why_layer(cell: Cell, records: list[Record]) -> dict[str, str]:
    """Culprit and diagnosis of a mismatch, found by checking the whole kind on the CPU."""
    wrong = [record for record in records if not record.ok]
    if not wrong:
        return {}
    from parity.faults.diagnose import diagnose, observe
    from parity.kinds import kind_of

    seen = observe(cell.name, kind_of(cell.name).ours, seed=cell.seed)
    first = wrong[0]
    diagnosis = diagnose(seen, seed=cell.seed)
    return {
        "culprit": f"{cell.name}, {first.phase}, {first.tensor}",
        "diagnosis": diagnosis.fault or "unknown",
    }


def _fault(cell: Cell) -> CellResult:
    """One record: was the known bug caught, and if it was named, was the name right?"""
    from parity.faults import FAULTS
    from parity.faults.diagnose import diagnose, observe
    from parity.faults.kill_matrix import check_name

    fault = FAULTS[cell.fault]
    seen = observe(fault.kind, fault.make, seed=cell.seed)
    wrong = [record for record in seen.records if not record.ok]
    first, found = (wrong or seen.records)[0], diagnose(seen, seed=cell.seed)
    misnamed = bool(found.fault) and found.says != fault.says
    why = f"diagnosed as {found.fault}" if misnamed else ""
    if bool(wrong) == bool(fault.equivalent):
        why = "equivalent, and yet something failed" if wrong else "survived every check"
    phase = check_name(first) if wrong else "every check"
    dtype = first.dtype if wrong else ""
    caught = replace(first, phase=phase, dtype=dtype, ok=not why, why=why)
    caught = replace(caught, margin=float("nan"), exact=False, proves=True)
    return [caught], {"culprit": f"the checker, on {fault.kind}", "diagnosis": cell.fault}


def _network(cell: Cell) -> CellResult:
    from parity.checks.culprit import localize
    from parity.checks.network import Case, check_network
    from parity.reference.trace import Trace

    traces: dict[str, Trace] = {}
    case = Case(cell.name, cell.dtype, _prepared(cell), cell.seed, **dict(cell.options))
    records = list(check_network(case, traces))
    culprit = localize(records, traces.get("ours"), traces.get("exact"))
    return records, {"culprit": f"{cell.name}, {culprit}", "diagnosis": "unknown"} if culprit else {}


def _file(cell: Cell) -> CellResult:
    """Someone else's class; `verify` runs it in a process of its own."""
    from parity.verification.verify import verify

    if cell.version == UNREAD:
        raise OSError("it cannot be read: a broken link, a pipe, no permission, or a name that is not UTF-8")
    path = Path(cell.base) / cell.target.rpartition(":")[0]
    if not path.is_file():
        raise CannotRun(
            f"there is no file {path} on {socket.gethostname()}; put the folder on a shared drive"
        )
    if version_of(path.read_bytes()) != cell.version:
        raise CannotRun(f"{path} on {socket.gethostname()} has changed since the sweep was started")
    if not cell.name:
        return _unreadable(path)
    verdict = verify(f"{cell.base}/{cell.target}", cell.name, seed=cell.seed, **dict(cell.options))
    if verdict.unchecked and not (verdict.records or verdict.unfinished):
        raise NotChecked(f"it could not be checked: {verdict.unchecked}")
    more = {"lacks": ", ".join(verdict.not_checked), "ending": verdict.ending or verdict.unfinished}
    if verdict.unfinished:
        from parity.comparison.gates import refused
        from parity.comparison.records import Place, record

        why = refused(np.empty(0), verdict.unfinished)
        verdict.records.append(record(Place("", "float64", "cpu"), cell.name, "calls", "the call", why))
    if verdict.outcome == "not_checked":
        more |= {
            "unchecked": verdict.unchecked,
            "culprit": "could not be checked",
            "diagnosis": verdict.unchecked,
        }
    elif not verdict.ok:
        culprit = str(verdict.culprit) if verdict.culprit else verdict.complaint
        more |= {"culprit": culprit, "diagnosis": verdict.diagnosis.fault or "unknown"}
    elif verdict.buts:
        return [_as_right(row, "; ".join(verdict.buts)) for row in verdict.records], more
    return verdict.records, more


def _as_right(row: Record, but: str) -> Record:
    """A result whose numbers are right, with what is not."""
    return row if row.ok else replace(row, ok=True, margin=0.0, why=f"right, but {but}")


def _unreadable(path: Path) -> CellResult:
    try:
        compile(path.read_bytes(), path.name, "exec")
    except (SyntaxError, ValueError) as error:
        raise type(error)(f"{error}") from None
    raise LookupError("no class or function in it has a name that shows what it is meant to be")


def _prepared(cell: Cell) -> str:
    """PyTorch's name for the cell's device, after setting its modes."""
    from parity.reference import devices

    try:
        return devices.prepare(cell.device)
    except RuntimeError as error:
        raise CannotRun(f"{socket.gethostname()}: {error}") from None


RUN: dict[str, Callable[[Cell], CellResult]] = {
    "probe": _probe,
    "geometry": _geometry,
    "contracts": _contracts,
    "fault": _fault,
    "network": _network,
    "file": _file,
}
MODULES = {  # that each sort of cell imports
    "geometry": ["kinds.random_geometry"],
    "contracts": ["faults.diagnose"],
    "fault": ["faults.diagnose", "faults.kill_matrix"],
    "network": ["checks.network", "checks.culprit"],
    "file": ["verification.verify"],
}


@cache
def warm_up(what: str, optimizers: bool) -> None:
    """Import what the cells need, and use PyTorch once, before any process is forked from this one."""
    from parity.checks.layer import check_kind
    from parity.kinds.probes import probes

    for name in MODULES.get(what, []):
        import_module(f"parity.{name}")
    for kind in ("convolution", *(["adam"] if optimizers else [])):
        list(check_kind(kind, cases=probes(kind, 0, (0).__eq__), contracts=False))


def uses_optimizers(cell: Cell) -> bool:
    """Whether PyTorch's optimizers are needed: importing them takes as long as hundreds of other cells."""
    from parity.kinds import OPTIMIZER_KINDS

    return cell.what == "network" or cell.name in OPTIMIZER_KINDS
