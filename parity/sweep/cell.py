"""One cell, from what it names to its rows. The same rows wherever it runs: one thread, its own seed.

A row is a tensor that was compared, or a known bug that had to be caught, or the reason why a cell came to
no end: `status` says which.
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

from parity.comparison.records import Record
from parity.sweep.cells import UNREAD, Cell, version_of

Row = dict[str, Any]
Found = tuple[list[Record], dict[str, str]]  # the records, and what else every one of their rows says

NOTHING: Row = {
    "network": "", "layer": "", "case": "", "phase": "", "tensor": "", "dtype": "", "device": "", "shape": "",
    "max_abs": float("nan"), "max_rel": float("nan"), "allowed": float("nan"), "margin": float("nan"),
    "exact": False, "ok": False, "proves": True, "why": "",
}  # fmt: skip


class CannotRun(RuntimeError):
    """This machine cannot run the cell (no such file, no such device): no finding, so the sweep stops."""


def run_cell(cell: Cell) -> list[Row]:
    """The cell's rows; an exception is a row too. Raises CannotRun where the machine is at fault."""
    start = time.perf_counter()
    try:
        records, more = RUN[cell.what](cell)
        rows = [_row(cell, record, more) for record in records]
        if not rows:
            rows = ended(cell, "nothing was compared")
    except CannotRun:
        raise
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
    told = {name: more.get(name, "") for name in ("lacks", *([] if record.ok else ["culprit", "diagnosis"]))}
    return _about(cell, status) | found | told


def ended(cell: Cell, why: str) -> list[Row]:
    """The row of a cell that came to no end of its own."""
    place = {"dtype": cell.dtype, "case": cell.case}
    named = {"network" if cell.what == "network" else "layer": cell.name}
    return [_about(cell, _status(why)) | NOTHING | place | {"device": cell.device, "why": why} | named]


def timed(rows: list[Row], seconds: float) -> list[Row]:
    finished = datetime.now(UTC).isoformat(timespec="milliseconds")
    here = {"seconds": seconds, "worker": f"{_host()}:{os.getppid()}", "finished": finished}
    return [row | here for row in rows]


@cache
def _host() -> str:
    return socket.gethostname()


def _about(cell: Cell, status: str) -> Row:
    told = {name: getattr(cell, name) for name in ("what", "seed", "fault", "target", "version")}
    return {"cell": cell.id, **told, "status": status, "culprit": "", "diagnosis": "", "lacks": ""}


def _status(why: str) -> str:
    """hung, crashed, memory or raised, by the words in which `isolate` tells how a process ended."""
    if "MemoryError" in why or "of memory" in why:
        return "memory"
    if why.startswith(("hung", "was not done")):
        return "hung"
    return "crashed" if why.startswith(("crashed", "left the process", "called sys.exit")) else "raised"


# -- what a cell runs -----------------------------------------------------------------------------
def _probe(cell: Cell) -> Found:
    return _check_layer(cell, [p for p in _probes(cell.name, cell.seed, cell.device) if p.id == cell.case])


@lru_cache(maxsize=2)
def _probes(kind: str, seed: int, device: str) -> list[Any]:
    """Shared by the cells that follow each other: a probe is only read, and its reference stays with it."""
    from parity.kinds.probes import probes

    return probes(kind, seed)


def _geometry(cell: Cell) -> Found:
    from parity.kinds.random_geometry import draw

    return _check_layer(cell, [draw(cell.name, cell.seed * 100_000 + int(cell.case))])


def _check_layer(cell: Cell, cases: list[Any]) -> Found:
    from parity.checks.layer import check_kind

    device = _prepared(cell)
    records = list(check_kind(cell.name, cell.dtype, device, cell.seed, cases=cases, contracts=False))
    return records, _why_layer(cell, records)


def _contracts(cell: Cell) -> Found:
    from parity.checks.layer import check_kind, contract_cases
    from parity.faults.diagnose import PLAIN

    device, cases = _prepared(cell), contract_cases(_probes(cell.name, cell.seed, cell.device))
    found = check_kind(cell.name, cell.dtype, device, cell.seed, cases=cases)
    records = [record for record in found if record.phase not in PLAIN]
    return records, _why_layer(cell, records)


def _why_layer(cell: Cell, records: list[Record]) -> dict[str, str]:
    """Culprit and diagnosis: of a mismatch the whole kind is looked at, on the CPU."""
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


def _fault(cell: Cell) -> Found:
    """One record: was the known bug caught, and by its right name if by any?"""
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
    caught = replace(
        first, phase=phase, ok=not why, why=why, margin=float("nan"), exact=False, proves=True,
        dtype=first.dtype if wrong else "",
    )  # fmt: skip
    return [caught], {"culprit": f"the checker, on {fault.kind}", "diagnosis": cell.fault}


def _network(cell: Cell) -> Found:
    from parity.checks.culprit import localize
    from parity.checks.network import Case, check_network
    from parity.reference.trace import Trace

    traces: dict[str, Trace] = {}
    case = Case(cell.name, cell.dtype, _prepared(cell), cell.seed, **dict(cell.options))
    records = list(check_network(case, traces))
    culprit = localize(records, traces.get("ours"), traces.get("exact"))
    return records, {"culprit": f"{cell.name}, {culprit}", "diagnosis": "unknown"} if culprit else {}


def _file(cell: Cell) -> Found:
    """Somebody else's class; `verify` runs it in a process of its own."""
    from parity.verification.verify import verify

    if cell.version == UNREAD:
        raise OSError("it cannot be read: a broken link, a pipe, no permission, or a name that is not UTF-8")
    path = Path(cell.base) / cell.target.rpartition(":")[0]
    if not path.is_file():
        raise CannotRun(
            f"there is no file {path} on {socket.gethostname()}; put the folder on a shared drive"
        )
    if version_of(path.read_bytes()) != cell.version:
        raise CannotRun(f"{path} on {socket.gethostname()} is not the file that the sweep was started with")
    if not cell.name:
        return _unreadable(path)
    verdict = verify(f"{cell.base}/{cell.target}", cell.name, seed=cell.seed, **dict(cell.options))
    more = {"lacks": ", ".join(verdict.not_checked), "ending": verdict.ending or verdict.unfinished}
    if verdict.unfinished:
        from parity.comparison.gates import refused
        from parity.comparison.records import Place, record

        why = refused(np.empty(0), verdict.unfinished)
        verdict.records.append(record(Place("", "float64", "cpu"), cell.name, "calls", "the call", why))
    if not verdict.ok:
        culprit = str(verdict.culprit) if verdict.culprit else verdict.complaint
        more |= {"culprit": culprit, "diagnosis": verdict.diagnosis.fault or "unknown"}
    return verdict.records, more


def _unreadable(path: Path) -> Found:
    try:
        compile(path.read_bytes(), path.name, "exec")
    except (SyntaxError, ValueError) as error:
        raise type(error)(f"{error}") from None
    raise LookupError("no class or function in it has a name that says what it is meant to be")


def _prepared(cell: Cell) -> str:
    """PyTorch's name of the cell's device, with its modes set."""
    from parity.reference import devices

    try:
        return devices.prepare(cell.device)
    except RuntimeError as error:
        raise CannotRun(f"{socket.gethostname()}: {error}") from None


RUN: dict[str, Callable[[Cell], Found]] = {
    "probe": _probe, "geometry": _geometry, "contracts": _contracts,
    "fault": _fault, "network": _network, "file": _file,
}  # fmt: skip


MODULES = {
    "geometry": ["kinds.random_geometry"], "contracts": ["faults.diagnose"],
    "fault": ["faults.diagnose", "faults.kill_matrix"],
    "network": ["checks.network", "checks.culprit"], "file": ["verification.verify"],
}  # fmt: skip


@cache
def warm_up(what: str, optimizers: bool) -> None:
    """What cells import, and PyTorch when it is first used, before any process is forked from this one."""
    from parity.checks.layer import check_kind
    from parity.kinds.probes import probes

    for name in MODULES.get(what, []):
        import_module(f"parity.{name}")
    for kind in ("convolution", *(["adam"] if optimizers else [])):
        list(check_kind(kind, cases=probes(kind, 0, (0).__eq__), contracts=False))


def uses_optimizers(cell: Cell) -> bool:
    """Importing PyTorch's takes as long as hundreds of cells that need none."""
    from parity.kinds import OPTIMIZER_KINDS

    return cell.what == "network" or cell.name in OPTIMIZER_KINDS
