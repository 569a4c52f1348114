"""Which known bugs a person's tests would have noticed, and the one test that notices most of the others."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from parity.adapters.convention import Convention
from parity.adapters.isolate import Limits, Outcome, run_isolated
from parity.adapters.load import TargetError, definitions_of, import_file, split
from parity.adapters.reach import got
from parity.adapters.subject import subject_here
from parity.adapters.wire import clean
from parity.audit.faulty import UNCHANGED, put_in, reason_not
from parity.audit.faulty_network import faulty_network, layer_classes, network_faults
from parity.audit.run_tests import Change, of_file, run_tests
from parity.audit.style import in_style
from parity.audit.suggest import Suggestion, checks_of, joined, suggestions, with_checks
from parity.audit.suggest_network import Build, builds_in, network_suggestions, watch
from parity.cores import cores
from parity.faults import faults_of
from parity.faults.catalogue.networks import NetworkFault
from parity.faults.diagnose import REMARKED
from parity.faults.fault import Fault
from parity.kinds.probes import probes
from parity.verification.observe import Request, observe_target

KILLED, SURVIVED, NOT_APPLIED, EQUIVALENT = "killed", "survived", "could not be applied", "changes nothing"
CATALOGUE, SOURCE = "known bug", "change of its source"
PARTS = 3  # inputs of the test to add, at most
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

    def row(self, name: str) -> dict[str, Any]:
        """A row of the table of audits: the tests' name, the kind, counts, and the rates before and after."""
        counts = {
            "killed": len(self.of(KILLED)),
            "survived": len(self.of(SURVIVED)),
            "equivalent": len(self.of(EQUIVALENT)),
            "not_applied": len(self.of(NOT_APPLIED)),
        }
        rates = {"before": self.rate, "after": self.rate_after}
        return {"tests": name, "kind": self.kind, **counts, **rates, "idle": len(self.idle)}

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
    only: str = "",
) -> Audit:
    """Run the tests once on the code as it is and once per bug.

    target  path/to/file.py:Class, or file.py:forward,backward of two functions
    kind    "network" for a whole network: bugs between its layers, and `most` of those of its layers' classes
    source  whether changes of its own source are tried too, `most` of them, spread over all places
    only    pytest's expression for the tests that are meant

    Raises TargetError for a file or class that is not there, TestsFail where the tests do not pass as they
    are, and ValueError where nothing could be tried.
    """
    _import_once()

    tests, (where, name) = Path(tests).resolve(), split(target)
    path = Path(where).resolve()
    for file in (of_file(tests)[0], path):
        if not file.is_file():
            raise TargetError(f"no file {file}")
    if path.suffix == ".ipynb" and of_file(tests)[0] != path:
        raise TargetError(
            f"{path.name} is a notebook, which {clean(of_file(tests)[0].name, 80)} does not import; audit "
            f"the notebook's own asserting cells (parity audit {path.name} --of {path.name}:{name}), or move "
            "the code to a .py file"
        )
    start, notes = time.monotonic(), list[str]()
    network = kind == "network"
    watched = (lambda module: watch(_named(module, name), notes)) if network else None
    outcome = run_tests(tests, path, 600.0, watched, problems=notes, only=only, name=name)
    first = _results(outcome)
    own = time.monotonic() - start
    if wrong := [f"{test}: {why}" for test, (passed, why) in first.items() if not passed]:
        raise TestsFail(f"the tests do not pass on the code as it is: {clean(wrong[0], 300)}")
    if not first:
        raise TestsFail(f"{tests} has no tests that ran")
    convention = None if network else _convention(path, name, kind)
    found = Audit(target, kind, list(first), convention=str(convention or ""))
    run = _Run(tests, path, name, kind, convention, max(LEAST, TIMES * own), only)
    if network:
        run.builds = builds_in([message[1] for message in outcome.messages if message[0] == "odd"])
        bugs = run.network_bugs(most)
    else:
        bugs = [run.known_bug(fault) for fault in faults_of(kind) if not fault.equivalent]
    if source:
        from parity.audit.source import source_mutants

        bugs += [run.change_of_source(one.name, one.source) for one in source_mutants(path, name, most)]
    found.mutants = [bug.mutant for bug in bugs]
    for count, bug in enumerate(_at_once(run.try_on, bugs), 1):
        progress(f"{count} of {len(bugs)}: {bug.mutant.name}: {bug.mutant.outcome}")
    run.look_at_survivors(found, bugs, progress)
    if not found.of(KILLED, SURVIVED):
        whys = sorted({m.why for m in found.mutants})
        raise ValueError(f"no bug could be put into {clean(target)}: {'; '.join(whys)}")
    found.idle = [test for test in first if test not in run.killers]
    found.seconds = round(time.monotonic() - start, 1)
    return found


def _at_once(work: Callable[[Bug], None], bugs: Sequence[Bug]) -> Iterable[Bug]:
    """Each bug after work(bug), as they are done, as many at a time as there are cores; each forks a process
    and waits for it."""
    pool = ThreadPoolExecutor(cores())
    try:
        futures = {pool.submit(work, bug): bug for bug in bugs}
        for future in as_completed(futures):
            future.result()
            yield futures[future]
    finally:
        pool.shutdown(cancel_futures=True)


def _import_once() -> None:
    """What every run needs is imported before all forks: Hypothesis too, whose plugin does so at each end."""
    import pytest  # noqa: F401
    import torch  # noqa: F401

    for plugin in entry_points(group="pytest11"):
        with suppress(Exception):
            plugin.load()
    with suppress(ImportError):
        import hypothesis  # noqa: F401


def _results(outcome: Outcome) -> dict[str, tuple[bool, str]]:
    """Test -> whether it passed, and why not."""
    found: dict[str, tuple[bool, str]] = {}
    for message in outcome.messages:
        if message[0] == "test":
            _, test, passed, why = message
            found[test] = (passed and found.get(test, (True, ""))[0], why or found.get(test, (True, ""))[1])
        elif message[0] == "problem":
            found["pytest"] = (False, message[1])
        elif message[0] == "ended":
            found["the run"] = (False, message[1])
    if outcome.ending:
        found.setdefault("the run", (False, outcome.ending))
    return found


def _convention(path: Path, name: str, kind: str) -> Convention | None:
    """How the class is called, found in a process of its own; None for the book's way."""

    def work(send: Callable[[Any], None]) -> None:
        subject = subject_here(_named(_loaded(path), name), kind, "auto")
        send(None if subject.convention is None else subject.convention.data())

    outcome = run_isolated(work, Limits(silence=60.0))
    if outcome.ending:
        why = outcome.messages[-1][1] if outcome.messages else outcome.ending
        raise ValueError(f"{path.name}:{name} cannot be called as {kind}: it {clean(why, 300)}")
    data = outcome.messages[0]
    return None if data is None else Convention.of(data)


def _layers(path: Path, network: str) -> list[tuple[str, str, Convention | None]]:
    """The classes of layers that a network's file knows: name, kind, and how it is called."""

    def work(send: Callable[[Any], None]) -> None:
        module = _loaded(path)
        for name, kind in layer_classes(module, network).items():
            with suppress(Exception):  # a class that is no such layer after all
                convention = subject_here(_named(module, name), kind, "auto").convention
                send((name, kind, None if convention is None else convention.data()))

    found = [m for m in run_isolated(work, Limits(silence=60.0)).messages if len(m) == 3]
    return [(name, kind, None if data is None else Convention.of(data)) for name, kind, data in found]


def _loaded(path: Path) -> ModuleType:
    """The file; of a notebook what it defines."""
    return definitions_of(path) if path.suffix == ".ipynb" else import_file(path)


def _named(module: ModuleType, name: str) -> Any:
    """The class or function; of two names with a comma a tuple of both."""
    found = []
    for part in name.split(","):
        found.append(got(module, [(".", step) for step in part.strip().split(".")]))
        if found[-1] is None:
            raise TargetError(f"{module.__file__} has no {part.strip()!r}")
    return tuple(found) if len(found) > 1 else found[0]


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
class Bug:
    """One bug and how it is put in: a change of the imported module or a source of its own."""

    mutant: Mutant
    change: Change | None = None
    source: str | None = None
    watched: Callable[[ModuleType, list[str]], None] | None = None  # the change, which notes UNCHANGED
    problems: list[str] = field(default_factory=list)  # filled in the process that runs the tests
    seen: list[bool] = field(default_factory=list)  # by each of the tests that could be added


def _bug(fault: Fault | NetworkFault, where: str, why: str) -> Bug:
    """A known bug; `why` it cannot be put in, if so."""
    bug = Bug(Mutant(f"{fault.name}{where}", CATALOGUE, f"{fault.says}: {fault.story}"))
    if why:
        bug.mutant.outcome, bug.mutant.why = NOT_APPLIED, why
    return bug


@dataclass
class _Run:
    """The same tests on one bug after the other."""

    tests: Path
    path: Path
    name: str
    kind: str
    convention: Convention | None
    seconds: float
    only: str = ""
    killers: list[str] = field(default_factory=list)
    builds: list[Build] = field(default_factory=list)  # of a network, in its tests

    def known_bug(self, fault: Fault) -> Bug:
        bug = _bug(fault, "", reason_not(fault, self.convention))
        if not bug.mutant.outcome:
            bug.change = lambda module: put_in(module, self.name, fault, self.convention, bug.problems)
            bug.watched = lambda module, problems: put_in(
                module, self.name, fault, self.convention, problems, watched=True
            )
        return bug

    def network_bugs(self, most: int) -> list[Bug]:
        """Bugs between the layers, and an even choice of those of its layers' classes."""
        bugs = [self._between_layers(fault, why) for fault, why in network_faults()]
        inside = [
            self._in_a_layer(fault, name, convention)
            for name, kind, convention in _layers(self.path, self.name)
            for fault in faults_of(kind)
            if not fault.equivalent and not reason_not(fault, convention)
        ]
        return bugs + inside[:: max(1, -(-len(inside) // most))]

    def _between_layers(self, fault: NetworkFault, why: str) -> Bug:
        bug = _bug(fault, "", why)
        if not why:

            def change(module: ModuleType) -> None:
                person = _named(module, self.name)
                setattr(module, self.name, faulty_network(person, fault, bug.problems))

            bug.change = change
        return bug

    def _in_a_layer(self, fault: Fault, name: str, convention: Convention | None) -> Bug:
        bug = _bug(fault, f" in {name}", "")
        bug.change = lambda module: put_in(module, name, fault, convention, bug.problems, watched=True)
        return bug

    def change_of_source(self, name: str, source: str) -> Bug:
        return Bug(Mutant(name, SOURCE, name), source=source)

    def try_on(self, bug: Bug) -> None:
        """Run the tests on it."""
        mutant = bug.mutant
        if mutant.outcome:
            return
        outcome = run_tests(
            self.tests,
            self.path,
            self.seconds,
            bug.change,
            bug.source,
            self.killers,
            bug.problems,
            self.only,
            self.name,
        )
        odd = [message[1] for message in outcome.messages if message[0] == "odd"]
        failed = {test: why for test, (passed, why) in _results(outcome).items() if not passed}
        mutant.outcome = KILLED if failed else SURVIVED
        if failed:
            mutant.by, why = next(iter(failed.items()))
            mutant.why = clean(why, 200)
        elif odd:
            mutant.outcome = EQUIVALENT if odd == [UNCHANGED] else NOT_APPLIED
            mutant.why = clean(next((text for text in odd if text != UNCHANGED), UNCHANGED), 200)
        self.killers += [test for test in failed if test not in self.killers]

    # -- what survived ------------------------------------------------------------------------------------
    def look_at_survivors(self, found: Audit, bugs: Sequence[Bug], progress: Progress) -> None:
        """Leave out what changes nothing, and find the test to add."""
        survivors = [bug for bug in bugs if bug.mutant.outcome == SURVIVED]
        if not survivors:
            return
        candidates = self._suggestions()
        as_it_is = Bug(Mutant("", "", ""))
        good = self._passing(candidates, as_it_is)
        own = self._failures(as_it_is)  # what is not right about the class as it is

        def look(bug: Bug) -> None:
            bug.seen = self._fails(good, bug)
            if any(bug.seen):
                return
            if self._shows_nowhere(bug, own):
                bug.mutant.outcome, bug.mutant.why = EQUIVALENT, "it shows on no input that the class takes"

        for count, bug in enumerate(_at_once(look, survivors), 1):
            progress(f"survivors, {count} of {len(survivors)}: {bug.mutant.name}: {bug.mutant.outcome}")
        survivors = [bug for bug in survivors if bug.mutant.outcome == SURVIVED]
        for bug in survivors:
            seen = [one for one, failed in zip(good, bug.seen, strict=True) if failed]
            bug.mutant.seen_by = min(seen, key=lambda one: one.numbers).text if seen else ""
        chosen = _most(good, survivors)
        if chosen:
            text = joined([good[i] for i in chosen])
            found.suggestion = in_style(text, self.tests, self.path, self.name)
            found.killed_by_it = [bug.mutant.name for bug in survivors if any(bug.seen[i] for i in chosen)]

    def _suggestions(self) -> list[Suggestion]:
        """Made in a process of its own, like everything that PyTorch computes here."""

        def work(send: Callable[[Any], None]) -> None:
            if self.kind == "network":
                module, first = _loaded(self.path), self.name.partition(".")[0]
                person, names = _named(module, self.name), {first: getattr(module, first)}
                found = network_suggestions(self.name, person, names, self.builds)
            else:
                found = suggestions(self.name, self.kind, self.convention)
            send([asdict(one) for one in found])

        outcome = run_isolated(work, Limits(silence=60.0))
        return [Suggestion(**one) for one in outcome.messages[0]] if outcome.messages else []

    def _passing(self, candidates: Sequence[Suggestion], as_it_is: Bug) -> list[Suggestion]:
        """These tests without the checks that fail on the code as it is; one that only lost its dtype is
        another one again, and left out."""
        fails = self._fails(candidates, as_it_is)
        good = [one for one, failed in zip(candidates, fails, strict=True) if not failed]
        if self.kind == "network":
            return good
        rest = [one for one, failed in zip(candidates, fails, strict=True) if failed]
        single = [(one, at) for one in rest for at in checks_of(one)]
        fails = self._fails([with_checks(one, [at]) for one, at in single], as_it_is)
        for one in rest:
            held = zip(single, fails, strict=True)
            lost = {at: failed for (of, at), failed in held if of is one}
            numbers = [at for at in lost if "assert_allclose" in one.text.splitlines()[at]]
            if any(lost[at] for at in numbers) and not all(lost.values()):
                good.append(with_checks(one, [at for at in lost if not lost[at]]))
        return good

    def _shows_nowhere(self, bug: Bug, own: set[tuple[str, ...]] | None) -> bool:
        """Whether the bug changes no number on any input, or leaves right and wrong as they are."""
        failures = self._failures(bug)
        return UNCHANGED in bug.problems or (failures is not None and failures == own)

    def _failures(self, bug: Bug) -> set[tuple[str, ...]] | None:
        """What is not right about the class with the bug; None where that cannot be seen."""

        if self.kind == "network":
            return None

        def work(send: Callable[[Any], None]) -> None:
            module, noted = self._module(bug, as_it_is=bug.watched is not None), list[str]()
            if bug.watched is not None:
                bug.watched(module, noted)
            send((failures(_named(module, self.name), self.kind, self.convention), noted))

        outcome = run_isolated(work, Limits(silence=60.0))
        if outcome.ending or not outcome.messages:
            return None
        found: set[tuple[str, ...]] | None
        found, bug.problems[:] = outcome.messages[0]
        return found

    def _fails(self, candidates: Sequence[Suggestion], bug: Bug) -> list[bool]:
        """Which of these tests fail; all of them where the code cannot be imported."""
        if not candidates:
            return []

        def work(send: Callable[[Any], None]) -> None:
            module = self._module(bug)
            for one in candidates:
                space: dict[str, Any] = {"np": np}
                for name in (part.strip() for part in self.name.split(",")):
                    space[name.partition(".")[0]] = getattr(module, name.partition(".")[0])
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

    def _module(self, bug: Bug, as_it_is: bool = False) -> ModuleType:
        """The module under test with the bug, unless as it is; in a process of its own."""
        if bug.source is None:
            module = _loaded(self.path)
        elif self.path.suffix == ".ipynb":
            module = definitions_of(self.path, bug.source)
        else:
            module = ModuleType("audited")
            module.__file__ = str(self.path)
            exec(compile(bug.source, str(self.path), "exec"), module.__dict__)
        if bug.change is not None and not as_it_is:
            bug.change(module)
        return module


def _most(good: Sequence[Suggestion], survivors: Sequence[Bug]) -> list[int]:
    """The candidates of the test to add: the one that notices most, then what notices most of the rest."""
    chosen: list[int] = []
    rest = list(survivors)
    while len(chosen) < PARTS and rest and good:
        counts = [sum(bug.seen[i] for bug in rest) for i in range(len(good))]
        best = max(range(len(good)), key=lambda i: (counts[i], -good[i].numbers))
        if not counts[best]:
            break
        chosen.append(best)
        rest = [bug for bug in rest if not bug.seen[best]]
    return chosen
