"""A plan's cells, each with an id that depends only on what it checks, and batches of them.

The seeds are the outer loop, so that a sweep that is stopped has covered a little of everything. Only one
cell at a time is in memory: a plan of a million cells is expanded while it runs.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, fields
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from parity.sweep.plan import Part, Plan

if TYPE_CHECKING:
    from parity.verification.listed_names import Listed

# The cost of a cell relative to one probe of one layer; a batch costs about BATCH.
WEIGHT = {"probe": 1, "geometry": 1, "contracts": 8, "fault": 60, "network": 60, "file": 120}
BATCH = 240
UNREAD = "unread"  # the version of a file that could not be read


@dataclass(frozen=True)
class Cell:
    """One independent check.

    what     probe, geometry, contracts, fault, network or file
    name     the kind or the network
    case     the probe's id, or the number of the random geometry
    fault    the known bug that must be caught
    target   for a file: its path below the folder, a colon, the name in it; `version` hashes its content
    options  steps, optimizer and batch size of a network; a file's adapter
    base     where the folder is; not part of the id
    """

    part: str
    what: str
    name: str
    case: str = ""
    dtype: str = ""
    device: str = "cpu"
    seed: int = 0
    fault: str = ""
    target: str = ""
    version: str = ""
    options: tuple[tuple[str, Any], ...] = ()
    base: str = ""

    @cached_property
    def id(self) -> str:
        return _hash({name: getattr(self, name) for name in IDENTITY})

    def __str__(self) -> str:
        words = [self.name or self.target, self.fault or self.case, self.dtype, self.device]
        return ", ".join([*filter(None, words), f"seed {self.seed}"])


IDENTITY = tuple(field.name for field in fields(Cell) if field.name != "base")


@dataclass(frozen=True)
class Batch:
    """Cells that are run one after another and written together."""

    part: str
    device: str
    cells: tuple[Cell, ...]

    @cached_property
    def id(self) -> str:
        return _hash([cell.id for cell in self.cells])

    @property
    def needs_gpu(self) -> bool:
        return self.device.startswith("cuda")


def _hash(content: Any) -> str:
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.blake2b(text.encode(), digest_size=10).hexdigest()


def expand(plan: Plan) -> Iterator[Cell]:
    """Every cell of the plan, in the plan's order."""
    makers = {"layers": _layer_cells, "networks": _network_cells, "folder": _file_cells}
    for part in plan.parts:
        yield from makers[part.subject](part, plan.base)


def _layer_cells(part: Part, base: Path) -> Iterator[Cell]:
    from parity.kinds import kind_of
    from parity.kinds.random_geometry import WINDOWS

    for device, seed in ((d, s) for d in part.devices for s in part.seeds):
        dtypes = [d for d in part.dtypes if d == "float32" or "tf32" not in device]
        for kind in part.names:
            for dtype in [d for d in dtypes if d in kind_of(kind).dtypes]:
                for case in _probe_ids(kind):
                    yield Cell(part.name, "probe", kind, case, dtype, device, seed)
                for i in range(part.geometry if kind in WINDOWS else 0):
                    yield Cell(part.name, "geometry", kind, str(i), dtype, device, seed)
                if part.contracts:
                    yield Cell(part.name, "contracts", kind, "", dtype, device, seed)
        if device == "cpu":
            for fault in part.faults:
                yield Cell(part.name, "fault", _fault_kind(fault), seed=seed, fault=fault)


@cache
def _probe_ids(kind: str) -> tuple[str, ...]:
    from parity.kinds.probes import probes

    return tuple(probe.id for probe in probes(kind))


def _fault_kind(fault: str) -> str:
    from parity.faults import FAULTS

    return FAULTS[fault].kind


def _network_cells(part: Part, base: Path) -> Iterator[Cell]:
    options = (("batch_size", part.batch_size), ("optimizer", part.optimizer), ("steps", part.steps))
    for device, seed in ((d, s) for d in part.devices for s in part.seeds):
        for network in part.names:
            for dtype in part.dtypes:
                if dtype == "float32" or "tf32" not in device:
                    yield Cell(part.name, "network", network, "", dtype, device, seed, options=options)


# -- other people's files -------------------------------------------------------------------------
def _file_cells(part: Part, base: Path) -> Iterator[Cell]:
    """Each class and function whose name shows what it is meant to be, in every file below the folder."""
    folder = (base / part.folder).resolve()
    found = [target for path in _files(folder) for target in _targets(path, part.names)]
    options = (("adapter", part.adapter),)
    for seed in part.seeds:
        for path, name, kind, version in found:
            target = f"{printable(path.relative_to(folder).as_posix())}:{name}"
            file = {"target": target, "version": version, "base": str(folder)}
            yield Cell(part.name, "file", kind, seed=seed, options=options, **file)


def _files(folder: Path) -> list[Path]:
    """Everything named *.py below the folder, including pipes and dangling links: none is skipped."""
    return [p for p in sorted(folder.rglob("*.py")) if not p.name.startswith((".", "_")) and not p.is_dir()]


def _targets(path: Path, names: Collection[str]) -> Iterator[tuple[Path, str, str, str]]:
    """(file, name, kind, version); a file without a target also becomes a cell, so none is skipped."""
    try:
        str(path).encode()  # a name that is not UTF-8 cannot be written into the tables
        source = path.read_bytes() if path.is_file() else None
    except (OSError, UnicodeEncodeError):
        source = None
    if source is None:
        yield path, "", "", UNREAD
        return
    version = version_of(source)
    wanted = [one for one in _listed(path) if not names or one.name in names]
    if not wanted:
        yield path, "", "", version
    for one in wanted:
        yield path, one.name, one.kind, version


def _listed(path: Path) -> list[Listed]:
    """What the file defines and can be checked as it is; none if it cannot be parsed."""
    from parity.verification.listing import NETWORK, listed
    from parity.verification.own_listed import OWN_LAYER

    try:
        return [one for one in listed(path) if one.kind not in ("", NETWORK, OWN_LAYER)]
    except (SyntaxError, ValueError, RecursionError, MemoryError, OSError):
        return []


def printable(text: str) -> str:
    """The text with control characters, and what cannot be written as UTF-8, as escapes."""
    plain = text.encode("utf-8", "backslashreplace").decode("utf-8")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in plain)


def version_of(source: bytes) -> str:
    return hashlib.blake2b(source, digest_size=6).hexdigest()


# -- batches --------------------------------------------------------------------------------------
def batches(cells: Iterable[Cell], weight: int = BATCH) -> Iterator[Batch]:
    """The cells in order, in batches of about that weight, each of one part and one device."""
    held: list[Cell] = []
    total = 0
    for cell in cells:
        cost = WEIGHT[cell.what]
        other = held and (held[0].part, held[0].device) != (cell.part, cell.device)
        if other or (held and total + cost > weight):
            yield Batch(held[0].part, held[0].device, tuple(held))
            held, total = [], 0
        held.append(cell)
        total += cost
    if held:
        yield Batch(held[0].part, held[0].device, tuple(held))
