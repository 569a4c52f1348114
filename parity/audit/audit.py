"""Which known bugs a person's tests would have noticed, and the one test that notices most of the others."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from parity.adapters.convention import Convention
from parity.adapters.isolate import Limits, Outcome, run_isolated
from parity.adapters.load import TargetError, import_file, split
from parity.adapters.subject import subject_here
from parity.adapters.wire import clean
from parity.audit.faulty import faulty, reason_not
from parity.audit.run_tests import Change, run_tests
from parity.audit.suggest import Suggestion, suggestions
from parity.faults import faults_of
from parity.faults.diagnose import REMARKED
from parity.faults.fault import Fault
from parity.kinds.probes import probes
from parity.verification.observe import Request, observe_target

KILLED, SURVIVED, NOT_APPLIED, EQUIVALENT = "killed", "survived", "could not be applied", "changes nothing"
CATALOGUE, SOURCE = "known bug", "change of its source"
LEAST, TIMES = 10.0, 5.0  # seconds that tests may take, at least; times their own run
Progress = Callable[[str], None]


@dataclass
class Mutant:
    """One bug in the class under test: `by` the test that failed, `seen_by` the smallest one that would."""

    name: str
    of: str
    story: str
    outcome: str = ""
    by: str = ""
    why: str = ""
    seen_by: str = ""


@dataclass
class Audit:
    """What became of every bug, tests that failed for none, and the test to add with what it changes."""

    target: str
    kind: str
    tests: list[str]
    mutants: list[Mutant] = field(default_factory=list)
    idle: list[str] = field(default_factory=list)
    suggestion: str = ""
    killed_by_it: list[str] = field(default_factory=list)
    convention: str = ""
    seconds: float = 0.0

    def of(self, *outcomes: str) -> list[Mutant]:
        return [m for m in self.mutants if m.outcome in outcomes]

    @property
    def rate(self) -> float:
        """The share of the bugs that the tests notice, of all that could be put in and change something."""
        counted = len(self.of(KILLED, SURVIVED))
        return len(self.of(KILLED)) / counted if counted else float("nan")

    @property
    def rate_after(self) -> float:
        """The same with the suggested test added."""
        counted = len(self.of(KILLED, SURVIVED))
        return (len(self.of(KILLED)) + len(self.killed_by_it)) / counted if counted else float("nan")

    def data(self) -> dict[str, Any]:
        """As plain data."""
        return {"schema": 1, **asdict(self), "rate": self.rate, "rate_after": self.rate_after}


class TestsFail(ValueError):
    """The tests do not pass on the code as it is."""

    __test__ = False


def audit(
    tests: str | Path,
    target: str,
    kind: str,
    progress: Progress = lambda text: None,
    source: bool = True,
    most: int = 40,
) -> Audit:
    """Run the tests once on the code as it is and once per bug.

    target  path/to/file.py:Class; source: whether changes of its own source are tried
    too, `most` of them at the most, spread over all places

    Raises TargetError for a file or class that is not there, TestsFail where the tests do not pass as they
    are, and ValueError where nothing could be tried.
    """
    _import_once()

    tests, (where, name) = Path(tests).resolve(), split(target)
    path = Path(where).resolve()
    for file in (tests, path):
        if not file.is_file():
            raise TargetError(f"no file {file}")
    start = time.monotonic()
    first = _results(run_tests(tests, path, 600.0))
    own = time.monotonic() - start
    if wrong := [f"{test}: {why}" for test, (passed, why) in first.items() if not passed]:
        raise TestsFail(f"the tests do not pass on the code as it is: {clean(wrong[0], 300)}")
    if not first:
        raise TestsFail(f"{tests} has no tests that ran")
    convention = _convention(path, name, kind)
    found = Audit(target, kind, list(first), convention=str(convention or ""))
    run = _Run(tests, path, name, kind, convention, max(LEAST, TIMES * own))
    for fault in faults_of(kind):
        if not fault.equivalent:
            run.catalogue(found, fault)
            progress(_line(found))
    if source:
        from parity.audit.source import source_mutants

        for one in source_mutants(path, name, most):
            run.source(found, one.name, one.source)
            progress(_line(found))
    if not found.of(KILLED, SURVIVED):
        whys = sorted({m.why for m in found.mutants})
        raise ValueError(f"no bug could be put into {clean(target)}: {'; '.join(whys)}")
    found.idle = [test for test in first if test not in run.killers]
    run.suggest(found)
    found.seconds = round(time.monotonic() - start, 1)
    return found


def _import_once() -> None:
    """What every run needs is imported before all forks."""
    import pytest  # noqa: F401
    import torch  # noqa: F401

    for plugin in entry_points(group="pytest11"):
        with suppress(Exception):
            plugin.load()


def _line(found: Audit) -> str:
    last = found.mutants[-1]
    return f"{len(found.mutants)}: {last.name}: {last.outcome}"


def _results(outcome: Outcome) -> dict[str, tuple[bool, str]]:
    """Test -> whether it passed, and why not."""
    found: dict[str, tuple[bool, str]] = {}
    for message in outcome.messages:
        if message[0] == "test":
            _, test, passed, why = message
            found[test] = (passed and found.get(test, (True, ""))[0], why or found.get(test, (True, ""))[1])
        elif message[0] == "problem":
            found["pytest"] = (False, message[1])
    if outcome.ending:
        found["the run"] = (False, outcome.ending)
    return found


def _convention(path: Path, name: str, kind: str) -> Convention | None:
    """How the class is called, found in a process of its own; None for the book's way."""

    def work(send: Callable[[Any], None]) -> None:
        subject = subject_here(_named(import_file(path), name), kind, "auto")
        send(None if subject.convention is None else subject.convention.data())

    outcome = run_isolated(work, Limits(silence=60.0))
    if outcome.ending:
        why = outcome.messages[-1][1] if outcome.messages else outcome.ending
        raise ValueError(f"{path.name}:{name} cannot be called as {kind}: it {clean(why, 300)}")
    data = outcome.messages[0]
    return None if data is None else Convention.of(data)


def _named(module: ModuleType, name: str) -> Any:
    if not hasattr(module, name):
        raise TargetError(f"{module.__file__} has no {name!r}")
    return getattr(module, name)


def failures(cls: Any, kind: str, convention: Convention | None) -> set[tuple[str, ...]] | None:
    """(case, dtype, phase, tensor) of what is not right, on the inputs that it takes, contracts included."""
    request = Request(cls, kind, convention or "book", probes(kind))
    seen = observe_target(request, Limits(), isolated=False)
    if seen.misfit or seen.ending:
        return None
    ids = {p.id for p in [*seen.tried_of(request.cases), *seen.sized, *seen.random]} | {""}
    return {
        (row.case, row.dtype, row.phase, row.tensor)
        for row in seen.observation.records
        if not row.ok and row.case in ids and row.tensor not in seen.unseen and row.phase not in REMARKED
    }


@dataclass
class _Run:
    """The same tests on one bug after the other."""

    tests: Path
    path: Path
    name: str
    kind: str
    convention: Convention | None
    seconds: float
    killers: list[str] = field(default_factory=list)
    own: set[tuple[str, ...]] | None = None  # what is not right about the class as it is
    changes: dict[str, tuple[Change | None, str | None]] = field(default_factory=dict)

    def catalogue(self, found: Audit, fault: Fault) -> None:
        mutant = Mutant(fault.name, CATALOGUE, f"{fault.says}: {fault.story}")
        found.mutants.append(mutant)
        if why := reason_not(fault, self.convention):
            mutant.outcome, mutant.why = NOT_APPLIED, why
            return
        problems: list[str] = []  # filled in the process that runs the tests
        self._try(mutant, self._put(fault, problems), None, problems)
        self.changes[mutant.name] = (self._put(fault, []), None)

    def _put(self, fault: Fault, problems: list[str]) -> Change:
        def change(module: ModuleType) -> None:
            setattr(module, self.name, faulty(_named(module, self.name), fault, self.convention, problems))

        return change

    def source(self, found: Audit, name: str, source: str) -> None:
        mutant = Mutant(name, SOURCE, name)
        found.mutants.append(mutant)
        self._try(mutant, None, source)
        self.changes[mutant.name] = (None, source)

    def _try(
        self, mutant: Mutant, change: Change | None, source: str | None, problems: Sequence[str] = ()
    ) -> None:
        outcome = run_tests(self.tests, self.path, self.seconds, change, source, self.killers, problems)
        odd = [message[1] for message in outcome.messages if message[0] == "odd"]
        results = _results(outcome)
        failed = {test: why for test, (passed, why) in results.items() if not passed}
        mutant.outcome = KILLED if failed else SURVIVED
        if failed:
            mutant.by, why = next(iter(failed.items()))
            mutant.why = clean(why, 200)
        elif odd:
            mutant.outcome, mutant.why = NOT_APPLIED, clean(odd[0], 200)
        elif self._changes_nothing(change, source):
            mutant.outcome, mutant.why = EQUIVALENT, "it shows on no input that the class takes"
        self.killers += [test for test in failed if test not in self.killers]

    def _changes_nothing(self, change: Change | None, source: str | None) -> bool:
        """Whether the class gives what it gives without the bug, on every input that it takes."""
        if self.own is None:
            self.own = self._failures(None, None)
        found = self._failures(change, source)
        return found is not None and found == self.own

    def _failures(self, change: Change | None, source: str | None) -> set[tuple[str, ...]] | None:
        """What is not right about the class with the bug; None where that cannot be seen."""

        def work(send: Callable[[Any], None]) -> None:
            cls = _named(self._module(change, source), self.name)
            send(failures(cls, self.kind, self.convention))

        outcome = run_isolated(work, Limits(silence=60.0))
        return None if outcome.ending or not outcome.messages else outcome.messages[0]

    def _module(self, change: Change | None, source: str | None) -> ModuleType:
        """The module under test with the bug; in a process of its own."""
        if source is None:
            module = import_file(self.path)
        else:
            module = ModuleType("audited")
            module.__file__ = str(self.path)
            exec(compile(source, str(self.path), "exec"), module.__dict__)
        if change is not None:
            change(module)
        return module

    # -- the test to add ----------------------------------------------------------------------------------
    def suggest(self, found: Audit) -> None:
        """The candidate that notices most of the survivors."""
        survivors = found.of(SURVIVED)
        candidates = list(suggestions(self.name, self.kind, self.convention))
        if not survivors or not candidates:
            return
        good = [
            c for c, fails in zip(candidates, self._fails(candidates, None, None), strict=True) if not fails
        ]
        table = {m.name: self._fails(good, *self.changes[m.name]) for m in survivors}
        counts: list[int] = [sum(table[m.name][i] for m in survivors) for i in range(len(good))]
        for mutant in survivors:
            seen = [c for c, fails in zip(good, table[mutant.name], strict=True) if fails]
            mutant.seen_by = min(seen, key=lambda c: c.numbers).text if seen else ""
        if any(counts):
            best = counts.index(max(counts))
            found.suggestion = good[best].text
            found.killed_by_it = [m.name for m in survivors if table[m.name][best]]

    def _fails(
        self, candidates: Sequence[Suggestion], change: Change | None, source: str | None
    ) -> list[bool]:
        """Which of these tests fail; all of them where the code cannot be imported."""

        def work(send: Callable[[Any], None]) -> None:
            module = self._module(change, source)
            for one in candidates:
                space = {"np": np, self.name: _named(module, self.name)}
                try:
                    exec(one.text, space)
                    space[one.name]()
                except Exception:
                    send(True)
                else:
                    send(False)

        outcome = run_isolated(work, Limits(silence=60.0))
        found = [bool(message) for message in outcome.messages if isinstance(message, bool)]
        return found + [True] * (len(candidates) - len(found))
