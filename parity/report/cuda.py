"""One GPU and a few minutes: the CUDA tests, the checks in every mode and the times, as a report of its own.

    tests      every test that is marked `cuda`, in a process of its own beside the first checks
    accuracy   layers, losses, optimizers and networks; then the same with TF32, in channels last, and with
               cuDNN's search, see parity.reference.devices; and PyTorch's own results on the card
    speed      ours on the CPU beside PyTorch's on the card, the way of a batch to it and back apart

The run is cut into steps. Each is written when it is through, so that a kill loses the one under way. Where
the time would not do for a step, or a package is missing, the step is skipped and the report says so.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import tempfile
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree import ElementTree

import pandas as pd

from parity.checks.layer import check_kind
from parity.checks.network import Case, check_network
from parity.checks.reference_error import check_reference
from parity.comparison.records import Record, frame, unproven
from parity.kinds import ALL_KINDS, KINDS
from parity.kinds.probes import probes
from parity.reference import devices, machine
from parity.reference.environment import environment
from parity.report.findings import Findings
from parity.report.headline import headline_table, headlines
from parity.report.request import DTYPES, Timed
from parity.report.schema import conform
from parity.report.write import write
from parity.timing.measure import Setup, time_network
from scratchcnn.files import atomic_write
from scratchcnn.networks import CHAPTER

TIMED = tuple(
    Timed(name, n, rounds=5, baselines=False, memory=False)
    for name, n in (
        ("simple_conv_net", 100),
        ("lenet", 100),
        ("resnet18", 8),
        ("alexnet", 8),
        ("simple_conv_net", 1),
        ("lenet", 1),
        ("resnet18", 1),
        ("alexnet", 1),
    )
)
SLOW = ("alexnet", "resnet18")  # tens of megabytes of weights: their further modes come last
STEPS = {"alexnet": 2, "resnet18": 2}  # training steps in lockstep; of the others 10, in further modes 1
PAGE_NEEDS = ("jinja2", "markupsafe", "pygments")
TESTS_NEED = ("pytest", "hypothesis", "psutil", "typer", "rich")
SECONDS = 15.0  # what a step is taken to need before one like it has run
PAGE_EVERY = 30.0  # seconds
SHOWN = 8  # wrong tensors that are printed of a step


# For a rehearsal.
TINY: dict[str, Any] = {
    "networks": ("simple_conv_net", "lenet"),
    "kinds": ("convolution", "max_pooling", "momentum"),
    "timed": (Timed("lenet", 2, rounds=1, baselines=False, memory=False),),
}


def _judged_by_a_right_reference(
    ours: Iterable[Record], theirs: Iterable[Record], kind: str, dtype: str, seed: int
) -> Iterator[Record]:
    """Our records; where PyTorch's own result on the card is wrong, by its result on the CPU instead.

    The wrong result stays in the table as a record of the phase `reference`, which fails.
    """
    wrong = {(row.case, row.tensor) for row in theirs if not row.ok}
    on_cpu: dict[tuple[str, str, str], Record] = {}
    if wrong:
        cases = [probe for probe in probes(kind, seed) if probe.id in {case for case, _ in wrong}]
        found = check_kind(kind, dtype, "cpu", seed, cases=cases, contracts=False)
        on_cpu = {(row.phase, row.case, row.tensor): row for row in found}
    for row in ours:
        by_cpu = on_cpu.get((row.phase, row.case, row.tensor))
        yield by_cpu if by_cpu is not None and (row.case, row.tensor) in wrong else row


class Skip(Exception):
    """A step cannot be run here; the message says why."""


@dataclass(frozen=True)
class Plan:
    """What is run: `budget` is in seconds, `root` the folder that holds tests/."""

    out: Path
    root: Path
    device: str = "cuda"
    budget: float = 330.0
    networks: tuple[str, ...] = (*CHAPTER, "resnet18")
    kinds: tuple[str, ...] = tuple(ALL_KINDS)
    timed: tuple[Timed, ...] = TIMED
    threads: int = 1
    seed: int = 0
    pack: Path | None = None
    command: str = "make cuda"


class Step(NamedTuple):
    """part: of the report; like: steps of the same name here take about as long."""

    part: str
    name: str
    like: str
    run: Callable[[], list[str]]


@dataclass
class Run:
    """A plan under way: what was found, and which step ended how."""

    plan: Plan
    say: Callable[[str], None] = print
    clock: Callable[[], float] = time.monotonic
    found: Findings = field(default_factory=Findings)
    records: list[Record] = field(default_factory=list)
    times: list[pd.DataFrame] = field(default_factory=list)
    ended: list[dict[str, object]] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    tests: CudaTests | None = None
    page_at: float = 0.0

    def go(self) -> Findings:
        """Run every step that there is time for. Ctrl-C ends the run and keeps what is done."""
        start, plan = self.clock(), self.plan
        devices.prepare(plan.device)
        about = {"command": plan.command, "seed": plan.seed, "budget_s": plan.budget, "threads": plan.threads}
        self.found.environment = environment(plan.device, **about)
        self.say(
            f"{self.found.environment.get('gpu', 'no GPU: a rehearsal on the CPU')}; {plan.budget:.0f} s"
        )
        self.tests, part = CudaTests(plan), ""
        try:
            for step in self.steps():
                part, left = step.part, plan.budget - (self.clock() - start)
                self._step(step, left)
        except KeyboardInterrupt:
            self.found.interrupted = part
        finally:
            self.tests.stop()
            devices.prepare(plan.device)
        for name in unproven(self.records):
            self.found.failures.setdefault("accuracy", []).append(f"proves nothing: {name}")
        self.save(done=True)
        return self.found

    def steps(self) -> Iterator[Step]:
        """In order of weight: what a shorter run leaves out stands last."""
        plan = self.plan
        assert self.tests is not None
        first, *others = [
            (place.replace("cuda", plan.device), dtypes) for place, dtypes in devices.modes("cuda", DTYPES)
        ]
        small = tuple(name for name in plan.networks if name not in SLOW)
        slow = tuple(name for name in plan.networks if name in SLOW)
        kinds = tuple(kind for kind in plan.kinds if kind in KINDS)  # an optimizer knows no mode
        yield from self._checks(*first, plan.kinds, (*small, *slow))
        yield Step("tests", "the CUDA tests", "tests", self.tests.result)  # before times are measured
        yield from self._timings(small)
        for place, dtypes in others:
            yield from self._checks(place, dtypes, kinds, small)
        yield from self._timings(slow)
        for place, dtypes in others:
            yield from self._checks(place, dtypes, (), slow)

    def _timings(self, networks: tuple[str, ...]) -> Iterator[Step]:
        for timed in self.plan.timed:
            if timed.network in networks:
                yield Step("speed", f"timing {timed}", f"{timed}", partial(self._time, timed))

    def _checks(
        self, place: str, dtypes: list[str], kinds: tuple[str, ...], networks: tuple[str, ...]
    ) -> Iterator[Step]:
        for name in (*(["layers"] if kinds else []), *networks):
            for dtype in dtypes:
                run = partial(self._check, name, dtype, place, kinds)
                yield Step("accuracy", f"{name} {dtype} {place}", f"{name} {dtype}", run)

    def _step(self, step: Step, left: float) -> None:
        """Run one, or skip it; note how it ended, print that, write everything."""
        wanted, start = self.seconds.get(step.like, SECONDS), self.clock()
        why = ""
        try:
            if left < wanted and step.part != "tests":
                raise Skip(f"{max(left, 0):.0f} s were left, about {wanted:.0f} are needed")
            failed = step.run()
        except Skip as reason:
            failed, why = [], str(reason)
            self.found.skipped.append(f"{step.name}: {why}")
        except Exception as error:
            self.say(traceback.format_exc())
            failed = [f"{step.name} broke down: {type(error).__name__}: {error}".splitlines()[0]]
        if not why:
            self.found.failures.setdefault(step.part, []).extend(failed)
            self.seconds[step.like] = self.clock() - start
        outcome = "skipped" if why else "FAIL" if failed else "ok"
        row = {"step": step.name, "part": step.part, "outcome": outcome, "seconds": self.clock() - start}
        self.ended.append(row | {"why": why or "; ".join(failed[:1])})
        self.say(f"{outcome:7} {self.clock() - start:6.1f} s  {step.name}{f': {why}' if why else ''}")
        for text in failed[:SHOWN]:
            self.say(f"          {text}")
        if step.part == "tests" and failed and self.tests is not None:
            self.say(self.tests.tail())
        if why:  # nothing new but the reason, which the next step or the end writes
            return
        try:
            self.save()
        except (OSError, ValueError):  # the next step may write it; the end of the run must
            self.say(traceback.format_exc())

    def _check(self, name: str, dtype: str, place: str, kinds: tuple[str, ...]) -> list[str]:
        """Layers by themselves, or one network, in one dtype and place."""
        plan = self.plan
        rows: list[Record] = []
        broke: list[str] = []
        device, _, mode = place.partition(" ")
        devices.prepare(place)
        try:
            if name == "layers":
                for kind in kinds:
                    broke += self._check_layer(kind, dtype, device, mode, rows)
            else:
                steps = 1 if mode else STEPS.get(name, 10)
                rows.extend(check_network(Case(name, dtype, device, plan.seed, steps)))
        finally:  # what was compared until then is kept
            rows = [replace(row, device=place) for row in rows]
            self.records += rows
            devices.prepare(device)
        wrong = [row for row in rows if not row.ok]
        return broke + [
            " ".join(filter(None, [r.network, r.layer, r.case, r.phase, r.tensor, r.dtype, place]))
            + f": {r.why or f'off by {r.max_abs:.2g}, allowed {r.allowed:.2g}'}"
            for r in wrong
        ]

    def _check_layer(self, kind: str, dtype: str, device: str, mode: str, rows: list[Record]) -> list[str]:
        """Ours, and PyTorch's own; one that breaks down does not keep the next from being checked."""
        try:
            seed, tf32 = self.plan.seed, mode == devices.TF32
            theirs = list(check_reference(kind, dtype, device, seed, tf32=tf32))
            ours = check_kind(kind, dtype, device, seed, contracts=not mode)
            rows.extend(_judged_by_a_right_reference(ours, theirs, kind, dtype, seed))
            rows.extend(theirs)
        except Exception as error:
            self.say(traceback.format_exc())
            return [f"{kind} {dtype} {device} {mode} broke down: {type(error).__name__}: {error}"]
        return []

    def _time(self, timed: Timed) -> list[str]:
        """One network at one batch size."""
        plan, about = self.plan, self.found.environment
        with machine.equal_threads(plan.threads):
            if "gemm_gflops" not in about:
                about |= machine.measured_peaks(plan.threads)._asdict()
            peaks = machine.Peaks(about["gemm_gflops"], about["copy_gbytes_per_s"])
            setup = Setup(
                "float32",
                plan.device,
                plan.threads,
                timed.rounds,
                plan.seed,
                peaks,
                timed.baselines,
                timed.layers,
                timed.memory,
                transfers=True,
            )
            table = time_network(timed.network, timed.batch_size, setup)
        self.times.append(table)
        for row in table[table["phase"] == "step"].to_dict("records"):
            self.say(
                f"          {row['implementation']:6} on {row['device']}: {row['median_ms']:.3g} ms a step"
            )
        wrong = table[(table["ok"] == False).fillna(False)]["implementation"].unique()  # noqa: E712
        return [f"{timed} {name} is timed but wrong" for name in wrong]

    def save(self, done: bool = False) -> None:
        """The report as it stands, and packed; the page, which takes a second, every now and then."""
        found = self.found
        with_page = not missing(PAGE_NEEDS) and (done or self.clock() - self.page_at > PAGE_EVERY)
        self.page_at = self.clock() if with_page else self.page_at
        tables = {"accuracy": frame(self.records), "cuda_steps": pd.DataFrame(self.ended)}
        if self.times:
            tables["speed"] = pd.concat(self.times, ignore_index=True)
        if self.tests is not None and self.tests.rows:
            tables["cuda_tests"] = pd.DataFrame(self.tests.rows)
        found.tables = {name: conform(name, table) for name, table in tables.items() if len(table)}
        if opening := headlines(found):
            found.tables = {"headlines": conform("headlines", headline_table(opening))} | found.tables
        write(found, self.plan.out, with_page)
        if self.plan.pack is not None:
            pack(self.plan.out, self.plan.pack)


class CudaTests:
    """pytest on the files with tests marked `cuda`, begun at once and waited for later."""

    def __init__(self, plan: Plan):
        self.rows: list[dict[str, object]] = []
        self.process: subprocess.Popen[str] | None = None
        self.why = ""
        files = marked(plan.root)
        if lacking := missing(TESTS_NEED):
            self.why = f"{', '.join(lacking)} cannot be imported by {sys.executable}"
        elif not files:
            self.why = f"no test below {plan.root / 'tests'} is marked cuda"
        if self.why:
            return
        self.folder = tempfile.TemporaryDirectory(prefix="cuda-tests-")
        self.deadline = time.monotonic() + 0.7 * plan.budget
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-m",
            "cuda",
            "-q",
            "-p",
            "no:cacheprovider",
            "-W",
            "default",  # another version of a package may warn; here that is no error
            f"--junitxml={self.folder.name}/junit.xml",
            *map(str, files),
        ]
        path = os.pathsep.join(filter(None, [str(plan.root), os.environ.get("PYTHONPATH")]))
        more = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONPATH": path}
        with open(f"{self.folder.name}/output", "w") as output:
            self.process = subprocess.Popen(
                command, cwd=plan.root, env=os.environ | more, text=True, stdout=output, stderr=output
            )

    def result(self) -> list[str]:
        """Wait for the end; what failed. Raises Skip where nothing was tested."""
        if self.process is None:
            raise Skip(self.why)
        try:
            status = self.process.wait(max(1.0, self.deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            self.kill()
            return ["the tests did not end in time and were stopped"]
        junit = Path(self.folder.name) / "junit.xml"
        if not junit.exists():
            return [f"pytest ended with status {status}"]
        rows = [outcome_row(case) for case in ElementTree.parse(junit).iter("testcase")]
        self.rows = list({row["test"]: row for row in rows}.values())  # one that fails twice has two elements
        failed = [row for row in self.rows if row["outcome"] == "failed"]
        if status and not failed:
            return [f"pytest ended with status {status}"]
        if not failed and all(row["outcome"] == "skipped" for row in self.rows):
            raise Skip(f"of {len(self.rows)} tests none could run here")
        return [f"{row['test']}: {row['why']}" for row in failed]

    def tail(self) -> str:
        """The end of what pytest printed."""
        if self.process is None:
            return ""
        return "\n".join((Path(self.folder.name) / "output").read_text().splitlines()[-80:])

    def kill(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def stop(self) -> None:
        """End it, if it still runs, and remove what it wrote."""
        self.kill()
        if self.process is not None:
            self.folder.cleanup()


def outcome_row(case: ElementTree.Element) -> dict[str, object]:
    """A row of the table cuda_tests, of pytest's own."""
    outcome, why = "passed", ""
    for child in case:
        if child.tag in ("failure", "error", "skipped"):
            outcome = "skipped" if child.tag == "skipped" else "failed"
            why = (child.get("message") or "").strip().splitlines()[0] if child.get("message") else child.tag
    name = f"{case.get('classname', '')}::{case.get('name', '')}"
    return {"test": name, "outcome": outcome, "seconds": float(case.get("time") or 0), "why": why}


def marked(root: Path) -> list[Path]:
    """The test files that mention the mark: others may import what this machine lacks."""
    return [path for path in sorted((root / "tests").rglob("test_*.py")) if "mark.cuda" in path.read_text()]


def missing(names: tuple[str, ...]) -> list[str]:
    """Those of the packages that cannot be imported."""
    return [name for name in names if find_spec(name) is None]


def pack(folder: Path, path: Path) -> None:
    """The folder as one tar.gz, written whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(path) as temporary, tarfile.open(temporary, "w:gz") as archive:
        archive.add(folder, arcname=folder.name)


def closing(found: Findings) -> list[str]:
    """The last lines of a run: what failed, what was not run, and the verdict."""
    failed = [text for texts in found.failures.values() for text in texts]
    lines = [f"{h.name}: {h.figure} {h.sentence}" for h in headlines(found)]
    lines += [f"not run: {text}" for text in found.skipped]
    if found.interrupted:
        lines.append(f"interrupted during {found.interrupted}")
    if failed:
        return [*lines, f"MISMATCH: {len(failed)} failures, the first: {failed[0]}"]
    if found.skipped or found.interrupted:
        return [*lines, "OPEN: all that was compared matches, but not everything was run"]
    return [*lines, "MATCH: everything was run and matches"]


def status(found: Findings) -> int:
    """0 all matched, 1 something did not, 2 a step was skipped, 130 after Ctrl-C."""
    if found.interrupted:
        return 130
    if any(found.failures.values()):
        return 1
    return 2 if found.skipped or not found.failures else 0
