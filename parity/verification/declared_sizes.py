"""Random geometries and real sizes for code that differs as declared: the reference there is the known bug.

What has a known bug is wrong on its kind's own inputs, so nothing else is compared with PyTorch there. With
the bug taken away it is: on each random geometry and each real size it must give the bug's numbers. What
raises by the bug gives none, and is not compared.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from parity.adapters.bench import Raised
from parity.adapters.book import Adapter
from parity.adapters.connection import Ended
from parity.adapters.features import is_inference
from parity.adapters.recipe import recipe
from parity.adapters.subject import Arrays, Subject, subject_here
from parity.adapters.wire import Odd
from parity.checks.layer import REFUSALS, exact_results
from parity.checks.random_search import search
from parity.comparison.gates import logic_gate
from parity.faults import FAULTS, Fault
from parity.faults.diagnose import Observation
from parity.kinds import Probe, kind_of
from parity.kinds.random_geometry import WINDOWS
from parity.kinds.real_sizes import shared_real_sizes, size_of
from parity.kinds.windows import pair as as_pair
from parity.verification.fitted_sizes import fitting
from parity.verification.observe import SIZES_SECONDS, Seen
from parity.verification.other_eps import given_eps
from parity.verification.slight_names import NAMES

ROUNDING = 1e-12  # of numbers that the bug leaves where PyTorch has 0
ROUNDS_UP = ("max-pool-rounds-up", "min-pool-rounds-up")
EMPTY = "strides larger than the window where that leaves the last one without a pixel"
PARTS = " + "  # between the names in a diagnosis


@dataclass
class Sizes:
    """How many random sizes were tried, the largest real one, the first input that is not as declared, what
    was not tried, and what it refused as its choice may."""

    tried: int = 0
    largest: str = ""
    wrong: Probe | None = None
    left_out: str = ""
    refused: str = ""


class _OneClass(Exception):
    """It raises where there is one class alone."""


class _EmptyWindow(Exception):
    """It raises where a window, of those that rounding up adds, has no pixel."""


@dataclass(frozen=True)
class _Bugs:
    """The bugs that it has, how they are run, and an eps of its own that it has besides."""

    faults: Sequence[Fault]
    adapter: Adapter
    eps: float | None = None
    subjects: dict[tuple[Fault, str], Subject] = field(default_factory=dict)

    def opened(self, fault: Fault, kind: str) -> Subject:
        """The bug, ready to be asked; it is opened once."""
        if (fault, kind) not in self.subjects:
            self.subjects[fault, kind] = subject_here(fault.make, kind, self.adapter)
        return self.subjects[fault, kind]


def on_own_inputs(seen: Observation, cases: Sequence[Probe]) -> Observation:
    """What was seen on the kind's own inputs, on which a known bug can be run as a whole."""
    ids = {probe.id for probe in cases} | {""}
    values = {d: {k: v for k, v in found.items() if k in ids} for d, found in seen.values.items()}
    return replace(seen, records=[row for row in seen.records if row.case in ids], values=values)


def faults_in(names: Sequence[str]) -> list[Fault]:
    """The bugs of the catalogue among names of a diagnosis that change a number.

    There are none where all of them leave the numbers right: with those alone all sizes are tried as ever.
    """
    parts = dict.fromkeys(part for name in names for part in name.split(PARTS))
    found = [FAULTS[part] for part in parts if part in FAULTS and FAULTS[part].shows == "values"]
    return found if any(fault.name not in NAMES for fault in found) else []


def as_declared(
    subject: Subject, seen: Seen, faults: Sequence[Fault], adapter: Adapter, eps: float | None = None
) -> Sizes:
    """Try them on a subject that is not open yet, and close it; `eps` is one that it has besides."""
    kind, sizes, bugs = seen.observation.kind, Sizes(), _Bugs(faults, adapter, eps)

    def same(probe: Probe) -> bool:
        try:
            return _same(subject, probe, seen, bugs)
        except _EmptyWindow:
            sizes.refused = EMPTY
            return True

    try:
        subject.open(kind)
        if kind in WINDOWS:
            found = search(
                kind,
                subject,
                supports=seen.takes,
                fit=fitting(seen.convention, seen.lacking),
                prepare=seen.fitted,
                right=same,
            )
            sizes.tried, sizes.wrong = found.tried, found.probe
            if found.ended is not None:
                raise found.ended
        start = subject.busy()
        for probe in seen.taken(shared_real_sizes(kind)) if sizes.wrong is None else []:
            if subject.busy() - start > SIZES_SECONDS:
                sizes.left_out = f"inputs as large as {size_of(probe)} with the declared difference"
                break
            try:
                if not same(probe):
                    sizes.wrong = probe
                    break
            except _OneClass:
                sizes.left_out = (
                    "a single class, where it raises"  # t.size == y.size is taken for one-hot rows
                )
                continue
            sizes.largest = size_of(probe)
    except Ended as error:
        sizes.left_out = f"other sizes with the declared difference: it {error}"
    finally:
        subject.close()
    return sizes


def _same(subject: Subject, probe: Probe, seen: Seen, bugs: _Bugs) -> bool:
    """Whether it gives the numbers of the known bugs there; nothing is compared where they raise."""
    kind = kind_of(probe.kind)
    own = probe if bugs.eps is None else given_eps([probe], bugs.eps)[0]
    theirs = _expected(own, bugs)
    if theirs is None:
        return True
    try:
        found = subject.results(probe.cast("float64"))
    except Raised as error:
        if kind.role == "loss" and probe.inputs["x"].shape[-1] == 1:
            raise _OneClass from None
        if {fault.name for fault in bugs.faults} & {*ROUNDS_UP} and _has_an_empty_window(probe, theirs):
            raise _EmptyWindow from None
        return bool(probe.needs & kind.may_refuse) and f"raised {error}".startswith(REFUSALS)
    out = recipe(probe.kind).out
    if out in theirs and np.shape(theirs[out]) != exact_results(probe)[out].shape:  # no dout fits both
        found = {name: array for name, array in found.items() if not isinstance(array, Odd)}
        theirs = {name: array for name, array in theirs.items() if name in found or name == out}
    floors = kind.floors(own, {n: a for n, a in theirs.items() if isinstance(a, np.ndarray)}, "float64")
    return all(
        logic_gate(found.get(name), array, kind.rtol, max(floors.get(name, 0.0), ROUNDING)).ok
        for name, array in theirs.items()
        if isinstance(array, np.ndarray) and _shown(name, probe, seen)
    )


def _has_an_empty_window(probe: Probe, theirs: Arrays) -> bool:
    """Whether rounding up alone, without the rule that a window starts inside the image, adds one more."""
    stride, pad = (as_pair(probe.args.get(name, default)) for name, default in (("stride", 1), ("pad", 0)))
    window = probe.args["pool_h"], probe.args["pool_w"]
    sides = zip(probe.inputs["x"].shape[2:], pad, window, stride, strict=True)
    counts = [-(-(n + 2 * p - k) // s) + 1 for n, p, k, s in sides]
    return counts != list(np.shape(theirs["out"])[2:])


def _shown(name: str, probe: Probe, seen: Seen) -> bool:
    """Whether that result can be had there, as for the kind's own inputs (`Seen.counts`)."""
    silent = not seen.backward_too or (bool(seen.after_inference) and is_inference(probe.id))
    return name not in seen.unseen and not (silent and name.startswith("d"))


def _expected(probe: Probe, bugs: _Bugs) -> Arrays | None:
    """What the bugs give together: of each result that of the bug which changes it; None where one raises."""
    exact = exact_results(probe)
    expected: Arrays = dict(exact)
    for fault in bugs.faults:
        try:
            found = bugs.opened(fault, probe.kind).results(probe.cast("float64"))
        except Raised:
            return None
        for name, array in exact.items():
            mine = found.get(name)
            if isinstance(mine, np.ndarray) and not logic_gate(mine, array, kind_of(probe.kind).rtol).ok:
                expected[name] = mine
    return expected
