"""Run somebody's implementation through the checks of its kind: it answers elsewhere, it is judged here."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from parity.adapters.arguments import MAY_BE_NONE, plain
from parity.adapters.bench import Raised
from parity.adapters.connection import Ended, Unfinished
from parity.adapters.constants import NAMES
from parity.adapters.convention import Convention
from parity.adapters.conventions import NotCallable
from parity.adapters.features import (
    STRIDED,
    after_inference,
    claims,
    fits,
    is_inference,
    is_refused,
    lacking,
    shown_lacking,
)
from parity.adapters.isolate import Limits
from parity.adapters.meanings import INITIALIZERS, MODE_NAMES
from parity.adapters.recipe import is_reduced
from parity.adapters.stateful import CONSTANTS_OF
from parity.adapters.subject import Subject, place_apart, place_here
from parity.adapters.training_flag import INFERS, TRAINS
from parity.adapters.updates import REGULAR
from parity.checks.layer import check_kind, check_sizes
from parity.comparison.gates import refused
from parity.comparison.records import Place, Record, record
from parity.explain.exact import Certificate, certify
from parity.faults.diagnose import DTYPES, PLAIN, REMARKED, Observation
from parity.kinds import ELEMENTWISE, Probe, Tensors, kind_of
from parity.kinds.random_geometry import WINDOWS
from parity.kinds.real_sizes import in_browser, products_of, size_of
from parity.kinds.real_sizes import shared_real_sizes as real_sizes
from parity.verification.fitted_sizes import extra_probes, fitting
from parity.verification.slight import slight_ones
from parity.verification.slight_names import SINGLE
from parity.verification.verdict import OPTION

LEAST_SECONDS = 0.05  # for one input of a network's size, whatever the clock says
TOO_SLOW = 50  # times as long as the size before it, at least: it hangs
SIZES_SECONDS = 2.5  # of the code's processor time for inputs of real size; what is left is reported
OF_NUMBERS, OF_ARRAYS = 10_000, 300_000  # products of an input for an engine's operator, at most
GRADIENTS = ("dx", "dW", "db", "dcoefficient", "dbias")
FLOAT32_SECONDS = 0.5  # of it that an input may have taken which is tried in float32 too
ONE_CLASS = "rows of one class"
OTHERWISE = {  # parameters that are no part of what a kind computes, as plain names
    *("eps", "epsilon", "seed", "lr", "learningrate", "learnrate", "eta", "stepsize", "index", "idx", "id"),
    *("units", "size", "inputsize", "outputsize", "nin", "nout", "batchsize", "name", "layername", "label"),
    *("dtype", "rng", "random", "randomstate", "verbose", "debug", "device", "trainable", "requiresgrad"),
    *map(plain, (*TRAINS, *INFERS)),
    *("isdrop", "isfirst", "first", "last", "optimizer", "copy", "inplace"),
}
CHOICES = (*MODE_NAMES, *MAY_BE_NONE, "dataformat")  # what is given one of its values alone
OF_WEIGHTS = {"std", "sigma", "scale", "weightscale", "weightstd", "wscale", "gain"}  # at the beginning
OF_ACTIVATIONS = {"axis"}  # what an activation of single numbers does not read
KEEPS = "keeps x or dout without a copy, as PyTorch does; overwriting it changes"


@dataclass
class Seen:
    """An observation, what was left out of it, and how the process ended where it did not end by itself.

    misfit        why it cannot be called at all, so that nothing was tried
    raises        what it raises whatever it is given, if its source shows that
    former        sentences on names that Python or NumPy once had and that its code used
    nothing       whether its source shows that forward neither returns nor keeps anything
    lacking       features that it has not
    defaults      what its stride and pad are where they are not given
    options       its parameters beside the kind's own that have a default, and that default
    random        probes of random geometry on which it is wrong, or ended
    sized         probes of real size that were tried
    sized32       that of them which was also tried in float32
    beyond        the first real size that was not tried, since the code is too slow for it
    tried         how many random geometries were tried
    unfinished    why not everything was tried, where the code is not to blame
    backward_too  whether the adapter shows gradients
    where         the code ran
    after_inference  what is to be said of gradients after an inference call, where they do not count
    extra         inputs of sizes that it takes, where it takes few
    unasked       what the checks could not ask it for, in words
    engine        of an operator or method of an autograd engine, what of it is the engine's
    certificate   what the comparison by == on whole numbers came to, where it was made
    suggestion    an adapter to be filled in, where it could not be called
    convention    how it is called, where that was found by trial
    """

    observation: Observation
    misfit: str = ""
    raises: str = ""
    former: list[str] = field(default_factory=list)
    nothing: bool = False
    lacking: set[str] = field(default_factory=set)
    defaults: dict[str, str] = field(default_factory=dict)
    options: dict[str, str] = field(default_factory=dict)
    ending: str = ""
    unfinished: str = ""
    output: str = ""
    remarks: list[str] = field(default_factory=list)
    random: list[Probe] = field(default_factory=list)
    sized: list[Probe] = field(default_factory=list)
    sized32: Probe | None = None
    beyond: str = ""
    tried: int = 0
    backward_too: bool = True
    where: str = ""
    convention: Convention | None = None
    suggestion: str = ""
    after_inference: str = ""
    extra: list[Probe] = field(default_factory=list)
    unasked: list[str] = field(default_factory=list)
    engine: str = ""
    certificate: Certificate | None = None

    @property
    def limits(self) -> list[str]:
        """What the convention leaves out, in words."""
        return self.convention.limits_in_words() if self.convention else []

    @property
    def constants(self) -> list[str]:
        """Its own options that nothing gave it: that it is right with others is not known."""
        kind, c = self.observation.kind, self.convention
        pairs = {name: m for name, m in [*(c.constructor or ()), *c.forward_args]} if c else {}
        flags = {name for name, m in c.backward_args if m == "=True"} if c else set()  # of its derivative
        known = {*NAMES.get(kind, ()), *CONSTANTS_OF.get(kind, ()), *OTHERWISE}
        known |= OF_ACTIVATIONS if kind in ELEMENTWISE else OF_WEIGHTS
        given = {*pairs, *flags, *((*c.switched, *c.eps[:1], *c.numbers) if c else ())}
        held = {name: value for name, value in self.options.items() if name not in given}
        held |= {n: m[1:] for n, m in pairs.items() if m.startswith("=") and plain(n) in CHOICES}
        held |= {n: "the identity" for n, m in pairs.items() if m == "straight"}
        penalties = [n for n, m in (c.backward_args if c else ()) if m == "=0.0" and plain(n) in REGULAR]
        held |= {name: str(value) for name, value in c.off.items()} if c else {}
        sums = [n for n, m in {**c.sized, **c.numbers}.items() if m == "batch_size"] if c else []
        batches = [f"{name}{OPTION}1" for name in sums]
        batches += [f"{name}{OPTION}0" for name, m in (c.numbers.items() if c else ()) if m == "zero"]
        return (
            [f"{name}{OPTION}0" for name in penalties]
            + batches
            + [
                f"{name}{OPTION}{value.removesuffix('.0')}"
                for name, value in held.items()
                if plain(name) not in known and not plain(name).endswith(INITIALIZERS)
            ]
        )

    @property
    def read_off(self) -> set[str]:
        """Features that nothing asks for, since the convention says how they are."""
        return {"reduction", "factor"} if self.convention and self.convention.reduction else set()

    @property
    def unseen(self) -> list[str]:
        """Results that the convention does not have."""
        return list(self.convention.unseen) if self.convention else []

    def counts(self, row: Record) -> bool:
        """Whether the row is of a result that can be had."""
        gradient = row.tensor.startswith("d") and row.phase in PLAIN
        silent = not self.backward_too or (bool(self.after_inference) and is_inference(row.case))
        return row.tensor not in self.unseen and not (gradient and silent)

    @property
    def by_crash(self) -> tuple[str, ...]:
        """Features that a function which reads sizes off its arrays refuses by a crash."""
        functions = self.convention is not None and self.convention.constructor is None
        return ("rectangular", "pixels_over") if functions else ()

    def takes(self, probe: Probe) -> bool:
        """Whether nothing that the probe asks for is known to be lacking."""
        return fits(self.fitted(probe), self.lacking) and (
            self.convention is None or self.convention.takes(probe)
        )

    def taken(self, cases: Sequence[Probe]) -> list[Probe]:
        """The probes that ask for nothing that is known to be lacking."""
        return [self.fitted(probe) for probe in cases if self.takes(probe)]

    def tried_of(self, cases: Sequence[Probe]) -> list[Probe]:
        """Those, and the inputs of sizes that it takes."""
        return self.taken([*cases, *self.extra])

    def fitted(self, probe: Probe) -> Probe:
        """The probe as the implementation is given it."""
        return self.convention.fitted(probe) if self.convention else probe


@dataclass(frozen=True)
class Request:
    """What is to be observed: a factory or a target, its kind and adapter, on these probes.

    sizes  whether random geometries and inputs of real size are tried as well, where all of these are right
    """

    factory: Any
    kind: str
    adapter: Any
    cases: Sequence[Probe]
    supports: Iterable[str] | None = None
    contracts: bool = True
    dtypes: Sequence[str] = DTYPES
    sizes: bool = True


def observe_target(request: Request, limits: Limits, isolated: bool) -> Seen:
    """Raises TargetError or ValueError where the request cannot be carried out at all."""
    seen = Seen(Observation(request.kind, [], {dtype: {} for dtype in request.dtypes}))
    if request.supports is not None:
        claims(request.kind, request.cases, request.supports)
    if isolated:
        subject = place_apart(request.factory, request.adapter, limits)
    else:
        subject = place_here(request.factory, request.adapter)
    seen.where = subject.where
    try:
        observe_subject(request, subject, seen)
    finally:
        seen.output = subject.close()
    return seen


def observe_subject(request: Request, subject: Subject, seen: Seen) -> None:
    """Open it and try all of the request; it stays open. An end of the process is noted in `seen`."""
    try:
        subject.open(request.kind)
        seen.backward_too, seen.convention = subject.backward_too, subject.convention
        silent = [] if seen.backward_too else ["dx", *(f"d{name}" for name in kind_of(request.kind).params)]
        seen.observation.unseen = [*seen.unseen, *silent]
        seen.engine = subject.engine
        forward = subject.about["name"] if subject.about.get("what") == "function" else "forward"
        seen.nothing = subject.convention is None and forward in subject.about.get("nothing", ())
        seen.misfit, seen.defaults, seen.options = subject.misfit, subject.defaults, subject.options
        if seen.misfit:
            return
        seen.lacking = lacking(request.kind, subject.names, request.cases, request.supports)
        if subject.convention is not None and request.contracts:
            seen.extra = extra_probes(request.kind, subject.convention, seen.lacking)
        _observe(request, subject, seen)
        with suppress(Raised, Ended):
            seen.former = subject.former_names()
    except NotCallable as error:
        seen.misfit, seen.suggestion, seen.raises = error.reason, error.suggestion, error.raises
    except Raised as error:
        _end(seen, Ended(f"raised {error}"))
    except Ended as error:
        _end(seen, error, step=subject.step)
    seen.unasked = subject.unasked
    seen.remarks += subject.remarks
    _set_remarks_apart(seen)


def _observe(request: Request, subject: Subject, seen: Seen) -> None:
    """Probe after probe, then the contracts, random sizes and real ones, as far as the process lasts."""
    kind, cases = request.kind, seen.tried_of(request.cases)
    for dtype in request.dtypes:
        rows: list[Record] = []
        values = seen.observation.values[dtype]
        try:
            for row in check_kind(kind, dtype, factory=subject, cases=cases, keep=values, contracts=False):
                rows.append(row)
                seen.observation.records.append(row)
            counted = [row for row in seen.observation.records if seen.counts(row)]
            seen.lacking |= shown_lacking(counted, cases, request.supports, seen.by_crash)
            seen.lacking -= {"one_hot"} if takes_one_hot(subject) else set()
            if request.supports is None and not seen.after_inference:
                now = seen.tried_of(request.cases)
                seen.after_inference = after_inference(_but_slight(counted, seen, now), now)
            if request.contracts:
                _hold(subject, kind, dtype, seen.taken(cases), rows, seen)
        except Ended as error:
            _end(seen, error, dtype, subject.probe)
            return
    if not request.contracts or "float64" not in request.dtypes:
        return
    if _right_so_far(request, seen):
        _certify(request, subject, seen)
    if request.sizes and request.kind in WINDOWS and _right_so_far(request, seen):
        _try_random_geometry(request, subject, seen)
    if request.sizes and _right_so_far(request, seen):
        _try_real_sizes(request, subject, seen)


def takes_one_hot(subject: Subject) -> bool:
    """Whether its code makes numbers of one-hot labels: then it takes them, and may be wrong there."""
    return subject.has_argument_in("t", "argmaxed")


def _but_slight(rows: Sequence[Record], seen: Seen, cases: Sequence[Probe]) -> list[Record]:
    """The rows of a kind that switches, without those whose numbers are right."""
    if not kind_of(seen.observation.kind).switches:
        return [*rows]
    slight = {id(one.row) for one in slight_ones(seen.observation, cases)}
    return [row for row in rows if id(row) not in slight]


def _hold(
    subject: Subject, kind: str, dtype: str, cases: Sequence[Probe], rows: Sequence[Record], seen: Seen
) -> None:
    """The contracts, on what it has; a scenario that stops at what a single call has shown is no news."""
    raised = {row.case for row in rows if row.why.startswith(("raised", "expected an array"))}
    single = any(one.name == SINGLE for one in slight_ones(seen.observation, cases))
    lives_in = "float32" if single else "float64"
    for row in check_kind(kind, dtype, factory=subject, cases=[], held=cases, lives=True, lives_in=lives_in):
        if row.phase != "contracts" or row.case not in raised:
            seen.observation.records.append(row)


def _right_so_far(request: Request, seen: Seen) -> bool:
    """Whether the numbers of every single call so far were right, on what it has."""
    if seen.ending or seen.unfinished:
        return False
    cases = [*seen.tried_of(request.cases), *seen.random]
    ids = {probe.id for probe in cases}
    rows = [row for row in seen.observation.records if row.case in ids and row.phase in PLAIN]
    rows = [row for row in rows if seen.counts(row)]
    slight = {id(one.row) for one in slight_ones(seen.observation, cases)}
    return bool(rows) and all(row.ok or id(row) in slight for row in rows)


def _certify(request: Request, subject: Subject, seen: Seen) -> None:
    """Compare by == on whole numbers; what rounding does not explain is a failed record."""
    unseen = seen.unseen if seen.backward_too else [*seen.unseen, *GRADIENTS]
    try:
        seen.certificate, wrong = certify(subject, request.kind, seen.tried_of(request.cases), 0, unseen)
    except Ended as error:
        _end(seen, error, "float64", subject.probe)
        return
    seen.observation.records += wrong


def _try_real_sizes(request: Request, subject: Subject, seen: Seen) -> None:
    """Inputs as large as a network's, the cheapest first, as long as there is time; then one in float32."""
    start, longest, quick = subject.busy(), LEAST_SECONDS, None
    pace = 0.0  # seconds for each of its products, of the last one
    for probe in _affordable(subject, seen.taken(real_sizes(request.kind))):
        begun, busy = subject.waited(), subject.busy()
        if busy - start + pace * _work(probe) > SIZES_SECONDS:
            seen.beyond = size_of(probe)
            break
        try:
            right = _try_real_size(request, subject, seen, probe, "float64")
        except Ended as error:
            slow = isinstance(error, Unfinished) or str(error).startswith(("hung", "used more than"))
            if not slow:
                seen.sized.append(probe)
                _end(seen, error, "float64", subject.probe)
            elif (
                str(error).startswith("hung")
                and subject.waited() - begun > times_as_long(seen, probe) * longest
            ):
                seen.unfinished = f"{error} on inputs of {size_of(probe)}"
            else:
                seen.beyond = size_of(probe)
            return
        longest = max(longest, subject.waited() - begun)
        pace = (subject.busy() - busy) / max(_work(probe), 1)
        seen.sized.append(probe)
        if not right:
            return
        quick = probe if subject.busy() - busy <= FLOAT32_SECONDS else quick
    ids = {probe.id for probe in seen.tried_of(request.cases)}
    small = [row for row in seen.observation.records if row.dtype == "float32" and row.case in ids]
    if quick is not None and small and all(row.ok for row in small if seen.counts(row)):
        try:
            _try_real_size(request, subject, seen, quick, "float32")
            seen.sized32 = quick
        except Ended as error:
            _end(seen, error, "float32", subject.probe)


def _is_of_one_class(probe: Probe) -> bool:
    """Whether it has as many labels as scores: code that asks so for one-hot rows takes them for some.

    A one-hot row of one class is a column of numbers of classes as well.
    """
    if kind_of(probe.kind).role != "loss":
        return False
    x, t = probe.inputs["x"], probe.inputs["t"]
    of_classes = not is_reduced(probe.kind)
    return bool(x.shape[1:] == (1,) and (t.shape == x.shape[:1] or (of_classes and t.shape == x.shape)))


def times_as_long(seen: Seen, probe: Probe) -> float:
    """How many times as long as the size before it an input may take: a loop in a loop over its numbers, and
    over the pairs of a filter and a channel."""
    if not seen.sized or "x" not in probe.inputs:
        return TOO_SLOW
    before, now = (np.size(one.inputs["x"]) for one in (seen.sized[-1], probe))
    pairs = _pairs_of(probe) / max(_pairs_of(seen.sized[-1]), 1)
    return float(max(TOO_SLOW, (now / before) ** 2 if before else 0.0, TOO_SLOW * pairs))


def _work(probe: Probe) -> int:
    """What its time grows with: its products; without weights its numbers."""
    return products_of(probe) or max((np.size(one) for one in probe.inputs.values()), default=0)


def _pairs_of(probe: Probe) -> int:
    """How many pairs of a filter and a channel it has."""
    W = probe.args.get("W")
    return W.shape[0] * W.shape[1] if isinstance(W, np.ndarray) and W.ndim > 1 else 1


def _affordable(subject: Subject, cases: Sequence[Probe]) -> list[Probe]:
    """Of an operator of an engine those with few products: each may be a node, which takes long."""
    most = (OF_NUMBERS if subject.numbers else OF_ARRAYS) if subject.engine else math.inf
    return [probe for probe in cases if products_of(probe) <= most]


def _try_real_size(request: Request, subject: Subject, seen: Seen, probe: Probe, dtype: str) -> bool:
    """Whether what it gives is right; what is not is kept, and all where a choice must give every result."""
    values: dict[str, Tensors] = {}
    cases = [*seen.tried_of(request.cases), *seen.sized, probe]
    chosen = any(one.says for one in slight_ones(seen.observation, cases))
    rows = list(check_sizes(request.kind, subject, [probe], values, dtype))
    if _is_of_one_class(probe) and any(row.why.startswith("raised") for row in rows):
        subject.leave_unasked(ONE_CLASS)
        return True
    seen.observation.records += rows
    wrong = [row for row in rows if seen.counts(row) and not row.ok]
    if wrong or chosen:
        seen.observation.values[dtype] |= values
    if wrong:
        slight = slight_ones(seen.observation, cases)
        return {id(row) for row in wrong} <= {id(one.row) for one in slight}
    return True


def _try_random_geometry(request: Request, subject: Subject, seen: Seen) -> None:
    """What is right on all fixed inputs is tried on random ones; the smallest wrong one is kept.

    Where it refuses, on purpose, windows that are not square at a stride, it is tried on all others.
    """
    from parity.checks.random_search import EXAMPLES, EXAMPLES_IN_BROWSER, search

    found = search(
        request.kind,
        subject,
        supports=seen.takes,
        examples=EXAMPLES_IN_BROWSER if in_browser() else EXAMPLES,
        fit=fitting(seen.convention, seen.lacking),
        prepare=seen.fitted,
    )
    seen.tried, probe, ended = found.tried, found.probe, found.ended
    if probe is not None and ended is None:
        values: dict[str, Tensors] = {}
        rows: list[Record] = []
        try:
            rows += check_kind(request.kind, factory=subject, cases=[probe], keep=values, contracts=False)
        except Ended as error:
            ended = error
        if is_refused(probe, rows, STRIDED) and STRIDED not in {*seen.lacking, *_claimed(request)}:
            seen.lacking.add(STRIDED)
            _try_random_geometry(request, subject, seen)
            return
        seen.observation.records += rows
        seen.random.append(probe)
        seen.observation.values["float64"] |= values
    if ended is not None:
        seen.random += [subject.probe] if subject.probe not in seen.random and subject.probe else []
        _end(seen, ended, "float64", subject.probe)


def _claimed(request: Request) -> set[str]:
    """The features that `supports` names."""
    return claims(request.kind, request.cases, request.supports or ())


def _end(
    seen: Seen, ended: Ended, dtype: str = "float64", probe: Probe | None = None, step: str = ""
) -> None:
    """Note how the process ended, and at what."""
    if isinstance(ended, Unfinished):
        seen.unfinished = str(ended)
        return
    seen.ending = str(ended)
    phase, tensor = ("calls", step or "the call") if probe or step else ("import", "the module")
    place, why = Place("", dtype, "cpu"), refused(np.empty(0), seen.ending)
    kind, case = seen.observation.kind, probe.id if probe else ""
    seen.observation.records.append(record(place, kind, phase, tensor, why, case))


def _set_remarks_apart(seen: Seen) -> None:
    """The contracts that nobody is held to leave the records; those that were broken become remarks."""
    observation = seen.observation
    apart = [row for row in observation.records if row.phase in REMARKED]
    observation.records[:] = [row for row in observation.records if row.phase not in REMARKED]
    broken = [row for row in apart if not row.ok]
    observation.remarked = {(row.phase, row.tensor, row.case) for row in broken}
    if broken:
        seen.remarks.append(f"{KEEPS} {', '.join(dict.fromkeys(row.tensor for row in broken))}")
