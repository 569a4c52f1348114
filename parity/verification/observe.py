"""Run somebody's implementation through the checks of its kind, in a process of its own."""

from __future__ import annotations

import os
import site
import traceback
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np

from parity.adapters.book import Book
from parity.adapters.conventions import adapter_of
from parity.adapters.features import lacking, shown_lacking, without
from parity.adapters.isolate import Limits, Outcome, Send, run_here, run_isolated
from parity.adapters.load import TargetError, load
from parity.checks.layer import check_kind
from parity.comparison.gates import refused
from parity.comparison.records import Place, Record, record
from parity.faults.diagnose import DTYPES, PLAIN, REMARKED, Observation
from parity.kinds import KINDS, Probe, Tensors, kind_of
from parity.kinds.random_geometry import WINDOWS

RAISED = "raised"
SECONDS = 3.0  # of random geometry
KEEPS = "keeps x or dout without a copy, as PyTorch does; overwriting it changes"
PACKAGE = str(Path(__file__).parents[1])


@dataclass
class Seen:
    """An observation, what was left out of it, and how the process ended where it did not end by itself."""

    observation: Observation
    lacking: set[str] = field(default_factory=set)
    ending: str = ""
    output: str = ""
    remarks: list[str] = field(default_factory=list)
    random: list[Probe] = field(default_factory=list)  # of random geometry, on which it is wrong


@dataclass(frozen=True)
class Request:
    """What is to be observed: a factory or a target, its kind and adapter, on these probes."""

    factory: Any
    kind: str
    adapter: Any
    cases: Sequence[Probe]
    supports: Iterable[str] | None = None
    contracts: bool = True
    dtypes: Sequence[str] = DTYPES


def observe_target(request: Request, limits: Limits, isolated: bool) -> Seen:
    """Raises TargetError or ValueError where the request cannot be carried out at all."""
    work = partial(work_kind, request)
    outcome = run_isolated(work, limits) if isolated else run_here(work)
    return gather(request, outcome)


# -- in the child ---------------------------------------------------------------------------------
def work_kind(request: Request, send: Send) -> None:
    """Import, then probe after probe; everything is sent as it is found."""
    try:
        with _placed():
            factory = load(request.factory) if isinstance(request.factory, str) else request.factory
            adapter = adapter_of(request.adapter)
        missing = lacking(factory, adapter, request.cases, request.supports)
    except (TargetError, ValueError) as error:
        if isinstance(error, TargetError) or "has no feature" in str(error) or "no adapter" in str(error):
            send(("misuse", type(error), str(error)))
            return
        raise
    send(("lacking", missing))
    rows: list[Record] = []
    for dtype in request.dtypes:
        values: dict[str, Tensors] = {}
        watched = cast(Book, Watched(adapter, lambda case, dtype=dtype: send(("at", dtype, case))))
        cases, raised = without(request.cases, missing), set()
        for row in check_kind(
            request.kind, dtype, "cpu", 0, factory, watched, cases, values, request.contracts
        ):
            for case in list(values):
                send(("values", dtype, case, _plain(values.pop(case))))
            row = (
                replace(row, why=row.why.removeprefix("expected an array, got "))
                if RAISED in row.why
                else row
            )
            if row.phase == "contracts" and row.case in raised:
                continue  # the scenario stopped at what a plain call has shown already
            raised |= {row.case} if row.why.startswith((RAISED, "expected an array")) else set()
            send(("record", row))
            rows.append(row)
    if request.contracts and request.kind in WINDOWS:
        _try_random_geometry(request, factory, adapter, missing, rows, send)


def _try_random_geometry(
    request: Request, factory: Any, adapter: Book, missing: set[str], rows: list[Record], send: Send
) -> None:
    """What is right on all fixed inputs is tried on random ones; the smallest wrong one is sent."""
    from parity.checks.random_search import search

    if request.supports is None:
        missing = missing | shown_lacking(rows, without(request.cases, missing))
    ids = {probe.id for probe in without(request.cases, missing)}
    if not ids or any(not row.ok for row in rows if row.case in ids and row.phase in PLAIN):
        return
    watched = cast(Book, Watched(adapter, lambda case: send(("at", "float64", case))))
    probe = search(request.kind, factory, watched, lambda probe: not probe.needs & missing, seconds=SECONDS)
    if probe is None:
        return
    values: dict[str, Tensors] = {}
    found = list(check_kind(request.kind, "float64", "cpu", 0, factory, watched, [probe], values, False))
    send(("probe", probe))
    send(("values", "float64", probe.id, _plain(values[probe.id])))
    for row in found:
        send(("record", row))


def _plain(found: Tensors) -> Tensors:
    """Only arrays of numbers are worth keeping (and safe to unpickle)."""
    return {name: np.asarray(a) for name, a in found.items() if a.dtype.kind in "fiub"}


class Watched:
    """An adapter that says which probe is on, and where in the user's code an exception came from."""

    def __init__(self, adapter: Book, tell: Any):
        self.adapter, self.tell = adapter, tell
        self.factory: Any = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self.adapter, name)

    def build(self, factory: Any, probe: Probe, copy: bool = True) -> Any:
        self.tell(probe.id)
        self.factory = factory
        with _placed():
            return self.adapter.build(factory, probe, copy)

    def results(self, layer: Any, probe: Probe) -> Tensors:
        """Every result; where backward raises, what forward gave is kept."""
        try:
            with _placed():
                found = self.adapter.results(layer, probe)
        except Exception as error:
            if kind_of(probe.kind).role in ("optimizer", "function"):
                raise
            again = probe.cast(probe.dtype)
            with _placed():
                out = self.adapter.forward(self.adapter.build(self.factory, again), again)
            kind = KINDS[probe.kind]
            missing = [f"d{name}" for name in kind.wrt if name == "x" or probe.args.get(name) is not None]
            found = {
                kind.out: out,
                **dict.fromkeys(missing, _named(f"{RAISED} {type(error).__name__}: {error}")),
            }
            found |= {k: v for k, v in self.adapter.state(layer, probe).items() if k.startswith("running")}
        return {name: _array_or_its_type(a) for name, a in found.items()}

    def backward(self, layer: Any, probe: Probe) -> Any:
        try:
            return self.adapter.backward(layer, probe)
        except Exception as error:
            return _named(f"{RAISED} {type(error).__name__}: {error}")


def _array_or_its_type(a: Any) -> Any:
    """What is not an array is replaced by an object that only has the type's name, for the message."""
    return a if a is None or isinstance(a, (np.ndarray, np.generic)) else _named(type(a).__name__)


def _named(text: str) -> Any:
    """An object that is no array, of a type of this name."""
    return type(text, (), {})()


@contextmanager
def _placed() -> Iterator[None]:
    """An exception's message ends with the line of the user's code that it came from."""
    try:
        yield
    except TargetError:
        raise
    except Exception as error:
        if (line := _line(error)) and len(error.args) == 1 and isinstance(error.args[0], str):
            error.args = (f"{error.args[0]} ({line})",)
        raise


def _line(error: Exception) -> str:
    installed = (PACKAGE, os.path.dirname(os.__file__), *site.getsitepackages())
    frames = [
        f for f in traceback.extract_tb(error.__traceback__) if not f.filename.startswith((*installed, "<"))
    ]
    return f"{Path(frames[-1].filename).name}, line {frames[-1].lineno}" if frames else ""


# -- in the parent --------------------------------------------------------------------------------
def gather(request: Request, outcome: Outcome) -> Seen:
    observation = Observation(request.kind, [], {dtype: {} for dtype in request.dtypes})
    seen = Seen(observation, set(), outcome.ending, outcome.output)
    at = "float64", ""
    for what, *rest in outcome.messages:
        if what == "misuse":
            raise rest[0](rest[1])
        if what == "lacking":
            seen.lacking = rest[0]
        elif what == "at":
            at = rest[0], rest[1]
        elif what == "values":
            seen.observation.values[rest[0]][rest[1]] = rest[2]
        elif what == "probe":
            seen.random.append(rest[0])
        elif what == "record":
            seen.observation.records.append(rest[0])
        elif what == "ended":
            seen.ending = rest[0]
    if seen.ending:
        observation.records.append(_ending_record(request.kind, at, seen.ending))
    _set_remarks_apart(seen)
    return seen


def _set_remarks_apart(seen: Seen) -> None:
    """The contracts that nobody is held to leave the records; those that were broken become remarks."""
    observation = seen.observation
    apart = [row for row in observation.records if row.phase in REMARKED]
    observation.records[:] = [row for row in observation.records if row.phase not in REMARKED]
    broken = [row for row in apart if not row.ok]
    observation.remarked = {(row.phase, row.tensor, row.case) for row in broken}
    if broken:
        seen.remarks.append(f"{KEEPS} {', '.join(dict.fromkeys(row.tensor for row in broken))}")


def _ending_record(kind: str, at: tuple[str, str], ending: str) -> Record:
    dtype, case = at
    phase, tensor = ("calls", "the call") if case else ("import", "the module")
    return record(Place("", dtype, "cpu"), kind, phase, tensor, refused(np.empty(0), ending), case)
