"""Bring your own: is somebody's layer, function, optimizer or network the same as PyTorch's?

    verdict = parity.verify(MyConvolution, "convolution")        # a class, a function, or "layers.py:Name"
    print(verdict)
    parity.assert_parity(MyConvolution, "convolution")           # in a test

The code under test imports nothing of ours and is not changed; it runs in a process of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, TypedDict, Unpack

from parity.adapters.book import Adapter
from parity.adapters.children import warm_up
from parity.adapters.conventions import ADAPTERS
from parity.adapters.features import (
    TOLD,
    asked,
    in_words,
    is_inference,
)
from parity.adapters.flat_order import PYTORCH
from parity.adapters.isolate import Limits, can_isolate
from parity.adapters.subject import AUTO, Subject, place_apart, place_here
from parity.checks.contracts import SCENARIOS
from parity.checks.culprit import Culprit
from parity.checks.long_life import by_image
from parity.comparison.records import Record
from parity.faults import faults_of
from parity.faults.diagnose import PLAIN, UNKNOWN, Diagnosis, Observation, diagnose, diagnose_as
from parity.faults.diagnose_dtypes import diagnose_apart
from parity.kinds import ALL_KINDS, Probe, kind_of
from parity.kinds.followed import parts_of
from parity.kinds.numpy_reference import judged_by
from parity.kinds.probes import shared_probes
from parity.kinds.real_sizes import MOST_PRODUCTS, in_browser, size_of
from parity.reference.threads import one_thread
from parity.verification.always import always, that_always
from parity.verification.built_in import (
    goes_on_to_a_loss,
    gradients_of,
    may_start_before,
    starts_before,
    takes_labels,
    with_built_in,
    without_gradients,
)
from parity.verification.declared import Declared, declared_faults, explained
from parity.verification.declared_sizes import as_declared, faults_in, on_own_inputs
from parity.verification.hints import mean_of_batch
from parity.verification.observe import Request, Seen, observe_target
from parity.verification.other_eps import given_eps
from parity.verification.own_listed import OWN_LAYER
from parity.verification.pairs import blame_backward, functions_of, may_be_right_alone, wrong_one
from parity.verification.profiles import BOOK, NETWORK_HABITS, habits_of, profile_of
from parity.verification.reproduction import import_line, name_of, reproduction, simpler, size
from parity.verification.slight import removable, sentences, slight_ones, without_slight
from parity.verification.slight_names import (
    AVERAGES,
    NAMES,
    OTHER_EPS,
    OWN_VARIANCE,
    SINGLE,
    besides_names,
    names_of,
)
from parity.verification.slight_readings import but_eps, own_eps
from parity.verification.unchecked import ENDED, TAKES_NO, compared, why_unchecked
from parity.verification.verdict import RIGHT, First, Verdict
from parity.verification.why import explanation_of
from parity.verification.with_momentum import joined, kind_after, split
from scratchcnn.lookup import nearest

MEAN_OF_ALL = "multiclass_hinge_loss"  # PyTorch's own is the mean over all numbers
NETWORK = "network"
# Known differences that are choices: the numbers are right in another way that is as good.
BY_CHOICE = {
    "dropout-not-inverted": "it scales in inference instead of in training, as the first dropout did",
    "loss-clamped-logarithm": "the loss is -log(y + 1e-07), which caps it",
    "loss-sum-for-mean": "the loss is the sum over the batch and its gradient that sum's, as with PyTorch's "
    'reduction="sum"',
    "max-pool-rounds-up": "it rounds its output size up, as PyTorch's ceil_mode=True and Caffe do",
    "min-pool-rounds-up": "it rounds its output size up, as PyTorch's ceil_mode=True and Caffe do",
}
TRIED_IN_FLOAT64 = "NaN and infinity among its images, which are tried in float64"
FIRST_SLOPE = (
    "its backward goes by the first number of dout that is not 0, and by no other: that is right for a loss "
    "of one class per row"
)
FORMER = "it takes an array of one number for a number, which NumPy refuses since 2.4"
BEFORE_IT = "its backward takes the gradient before the activation"
OWN_STEPS = "its backward changes its weights, which were put back after each call"
UNREACHED = "gradients where its output has another size than PyTorch's"


class NetworkOptions(TypedDict, total=False):
    """What a network takes besides; see `parity.verification.network.verify_network`."""

    twin: Any
    names: Any
    input_shape: Iterable[int] | None


def verify(
    factory: Any,
    kind: str,
    *,
    adapter: str | Adapter | type[Adapter] | None = None,
    supports: Iterable[str] | None = None,
    allow: Iterable[str] = (),
    strict: bool = False,
    profile: str | None = None,
    seed: int = 0,
    timeout: float = 10.0,
    memory: int = 1024,
    isolated: bool | None = None,
    judge: str = "torch",
    **network: Unpack[NetworkOptions],
) -> Verdict:
    """Check an implementation against PyTorch and say what is wrong first, where and why.

    The verdict's `outcome` is one of four: "right"; "right_but", where all numbers are right and something
    else is not (float64 out of float32, a write into dout, an overflow); "wrong"; "not_checked", where
    the code could not be imported, built or called.

    factory   a class or function in the book's protocol or in the adapter's, or "path/to/file.py:Name"
    adapter   how it is called; found by trial when left out
    kind      what it is meant to be: "convolution", "max_pooling", "adam", ...; "network" takes `twin` and
              `names` besides, see `parity.verification.network`; "own_layer" is none of the kinds, whose
              backward is held to its own forward
    supports  the optional features it has, to be held to them; read off its signature when left out
    allow     declared differences, names of the fault catalogue: it must differ exactly so
    strict    whether "right_but" is not ok
    profile   "book": the book's habits are listed as differences by design, and what remains is judged;
              "none"; left out, "book" where name and signature are the book's (see `profiles.py`)
    timeout   seconds without an answer before it counts as hung; six times as long in all
    memory    MiB that it may use; `isolated=False` runs it in this process, without limits
    judge     "torch", or "numpy": `scratchcnn.naive` and the textbook's layers in float64, without PyTorch

    Raises ValueError for a request that cannot be carried out: an unknown kind, adapter, feature or
    difference, and a target that does not exist.
    """
    kind = kind.replace("-", "_").lower()
    limits = Limits(timeout, memory)
    isolated = can_isolate() if isolated is None else isolated
    if kind == NETWORK:
        if judge != "torch":
            raise ValueError("a network is compared with a module of PyTorch; judge 'numpy' has none")
        book = profile_of(factory, profile) == BOOK
        verdict = _network(factory, network, tuple(allow), book, seed, limits, isolated)
        return strictly(verdict, strict)
    if kind == OWN_LAYER:
        return strictly(_own_layer(factory, seed, limits, isolated), strict)
    known_kind(kind)
    if network:
        raise TypeError(f"{kind} takes no {', '.join(network)}; only a network does")
    if isolated:
        warm_up()
    with judged_by(judge), one_thread():
        habits = habits_of(kind, profile_of(factory, profile))
        verdict = _verify(factory, kind, adapter, supports, tuple(allow), habits, seed, limits, isolated)
        verdict.judge = judge
        return strictly(verdict, strict)


def _own_layer(factory: Any, seed: int, limits: Limits, isolated: bool) -> Verdict:
    """The verdict on what is none of the kinds, by its own forward."""
    from parity.verification.own_layer import verify_own_layer

    return verify_own_layer(factory, seed=seed, limits=limits, isolated=isolated)


def known_kind(kind: str) -> str:
    """The kind as it is named here. Raises ValueError, with the nearest name, where there is none such."""
    plain = kind.replace("-", "_").lower()
    if plain not in (*ALL_KINDS, NETWORK, OWN_LAYER) and not parts_of(plain)[1]:
        near = nearest(plain, (*ALL_KINDS, NETWORK))
        there = f"here are {', '.join(ALL_KINDS)}, {NETWORK}"
        raise ValueError(f"no kind named {kind!r}" + (f"{near} T{there}" if near else f"; t{there}"))
    return plain


def _network(
    factory: Any,
    options: NetworkOptions,
    allow: Sequence[str],
    book: bool,
    seed: int,
    limits: Limits,
    isolated: bool,
) -> Verdict:
    """The verdict on a network; `book` says whether the book's habits are differences by design.

    Without a twin its gradients are held to its own loss.
    """
    from parity.verification.network import verify_network
    from parity.verification.own_loss import verify_own_loss
    from parity.verification.twin import A_TWIN, NetworkMisuse

    if options.get("twin") is None:
        if options or allow:
            what = ", ".join(name for name, value in {**options, "allow": allow}.items() if value)
            raise NetworkMisuse(f"without a twin a network takes no {what}: {A_TWIN}")
        return verify_own_loss(factory, seed=seed, limits=limits, isolated=isolated)

    def run(twin: Any) -> Verdict:
        own: NetworkOptions = {**options, "twin": twin}
        found = verify_network(factory, seed=seed, limits=limits, isolated=isolated, **own)
        if not any(compared(row) for row in found.records if row.phase not in ENDED):
            found.unchecked = found.ending or found.unfinished
        return found

    from parity.verification.network_declared import declared_names, with_declared, with_habits

    twin, names = options.get("twin"), declared_names(allow)
    if names:
        return with_declared(run(twin), run, twin, names, list(NETWORK_HABITS) if book else ())
    return with_habits(run(twin), run, twin) if book else run(twin)


def strictly(verdict: Verdict, strict: bool) -> Verdict:
    """The verdict with `ok` as its outcome means, and without marks of ours in what was raised."""
    verdict.ok = verdict.outcome == "right" or (verdict.outcome == "right_but" and not strict)
    return verdict.unmark()


def _verify(
    factory: Any,
    kind: str,
    adapter: Any,
    supports: Iterable[str] | None,
    allow: Sequence[str],
    habits: dict[str, str],
    seed: int,
    limits: Limits,
    isolated: bool,
) -> Verdict:
    """The verdict on a layer, function, loss or optimizer; on one with a momentum, as both of its kinds."""
    own, later = split(kind, allow)
    verdict, parameters, switched = _verify_as(
        factory, kind, adapter, supports, own, habits, seed, limits, isolated
    )
    by_trial = adapter is None or (isinstance(adapter, str) and adapter.lower() == AUTO)
    further, names = kind_after(kind, parameters, switched) if by_trial else ("", [])
    if not further:
        declared_faults(kind, [name for name in later if name not in own], names_of(kind))
        return verdict

    def ask() -> Verdict:
        return _verify(factory, further, adapter, supports, later, {}, seed, limits, isolated)

    return joined(verdict, names, ask)


def _verify_as(
    factory: Any,
    kind: str,
    adapter: Any,
    supports: Iterable[str] | None,
    allow: Iterable[str],
    habits: dict[str, str],
    seed: int,
    limits: Limits,
    isolated: bool,
    of_layer: bool = False,
) -> tuple[Verdict, list[str], list[str]]:
    """The verdict on it as one kind, the parameters that its constructor has besides, and those of them that
    were given a value for the kind's sake.

    `of_layer` says that it was tried as its layer alone, before this kind of both.
    """
    declared, adapter = declared_faults(kind, allow), AUTO if adapter is None else adapter
    cases = shared_probes(kind, seed)
    seen = observe_target(Request(factory, kind, adapter, cases, supports), limits, isolated)
    if seen.misfit and seen.raises:
        return that_always(Verdict(kind, _name(factory), False, []), seen.raises), [], []
    if seen.misfit:
        why = seen.misfit if seen.misfit.startswith("its ") else f"it cannot be called: {seen.misfit}"
        return Verdict(kind, _name(factory), False, [], unchecked=why, suggestion=seen.suggestion), [], []
    adapter = _settled(adapter, seen)
    cases = seen.tried_of(cases)
    no_part = {"weight_decay"} if kind_of(kind).role == "optimizer" and supports is None else set()
    unseen = [  # an optimizer without a parameter for weight decay is whole
        *in_words(seen.lacking - seen.read_off - no_part),
        *seen.limits,
        *seen.constants,
        *seen.unasked,
        *([] if seen.backward_too else ["gradients"]),
    ]
    if seen.backward_too:
        unseen += seen.unseen
    unseen += [seen.after_inference] if seen.after_inference else []
    if seen.beyond:
        why = "too slow, too much memory, or it hangs"
        unseen.append(f"inputs as large as {seen.beyond}, which it did not finish within the limits ({why})")
    if in_browser():
        unseen.append(f"inputs that take more than {MOST_PRODUCTS:,} multiplications, too many for a browser")
    fixed, cases = cases, [*cases, *seen.sized, *seen.random]
    _leave_out(seen, cases, bool(seen.after_inference))
    ok = bool(seen.observation.records) and seen.observation.ok and not seen.unfinished
    verdict = Verdict(kind, _name(factory), ok, seen.observation.records, not_checked=unseen)
    verdict.output, verdict.ending = seen.output, seen.ending
    verdict.certificate = seen.certificate
    if seen.convention is not None:
        verdict.called, verdict.adapter = str(seen.convention), seen.convention.source()
        verdict.functions = functions_of(seen.convention)
    elif seen.engine:
        verdict.called = seen.engine
    verdict.remarks = [*seen.remarks, *(f"{name} {why}" for name, why in _own_defaults(kind, seen).items())]
    if seen.convention is not None and seen.convention.updates_itself:
        verdict.remarks.append(OWN_STEPS)
    verdict.sizes, verdict.where, verdict.unfinished = seen.tried, seen.where, seen.unfinished
    verdict.largest = _largest(seen)
    if seen.ending or seen.unfinished:
        verdict.not_checked = [*unseen, "everything after it stopped"]
    asker = _Asker(factory, kind, adapter, seed, limits, isolated)
    _judge_declared(verdict, declared, seen, (fixed, cases), asker)
    if habits and not (verdict.declared or seen.ending or seen.unfinished or seen.observation.ok):
        _judge_habits(verdict, habits, seen, (fixed, cases), asker)
    right = verdict.outcome in RIGHT
    if right:
        verdict.buts = [*verdict.buts, *_read_off(seen)]
    else:
        verdict.remarks = [*verdict.remarks, *seen.former, *_former_array(seen)]
    if not verdict.diagnosis.fault:  # a known bug that leaves nothing to compare is a bug
        if comes_to := always(verdict.records, seen.nothing):
            return that_always(verdict, comes_to), [], []
        verdict.unchecked = why_unchecked(
            verdict.records, seen.ending or (seen.unfinished and f"it {seen.unfinished}")
        )
    ended = bool(declared or seen.ending or seen.unfinished)
    c = seen.convention
    if verdict.outcome == "wrong" and not ended and c is not None and goes_on_to_a_loss(c, verdict.records):
        own = without_gradients(c)
        return _verify_as(factory, kind, own, supports, allow, {}, seed, limits, isolated)
    if verdict.outcome == "wrong" and not ended and (both := with_built_in(seen.observation, fixed)):
        rows = verdict.records
        before, own = starts_before(c, rows, both), replace(c, kind=both) if c is not None else adapter
        own = without_gradients(own) if c is not None and (before or takes_labels(c)) else own
        found = _verify_as(factory, both, own, supports, allow, {}, seed, limits, isolated, of_layer=True)
        return (_with_gradients_before(found[0], rows, seen.unseen), *found[1:]) if before else found
    layer, activation = parts_of(kind)
    before = bool(activation) and not of_layer and may_start_before(seen.convention, kind)
    if verdict.outcome == "wrong" and not ended and before:
        own = replace(seen.convention, kind=layer) if seen.convention is not None else adapter
        found = _verify_as(factory, layer, own, supports, allow, {}, seed, limits, isolated)
        if found[0].outcome == "right_but" and found[0].kind == kind:
            return found
    if c is not None and not ended and may_be_right_alone(verdict):
        own = without_gradients(c)
        alone, *_ = _verify_as(factory, kind, own, supports, allow, {}, seed, limits, isolated)
        blame_backward(verdict, alone)
    if (not verdict.ok or verdict.declared) and not verdict.unchecked.startswith(TAKES_NO):
        _explain(verdict, asker, seen, cases)
        if meant := mean_of_batch(verdict.diagnosis.fault):
            verdict.remarks = [*verdict.remarks, meant]
        if verdict.outcome == "wrong" and not seen.ending:
            verdict.explanation = explanation_of(asker.place(), verdict, seen, cases)
    switched = seen.convention.switched if seen.convention is not None else {}
    return verdict, list(dict.fromkeys([*seen.options, *switched])), list(switched)


def _with_gradients_before(verdict: Verdict, rows: Sequence[Record], unseen: Sequence[str]) -> Verdict:
    """The verdict on a layer with its activation, and the gradients, which are those of the layer alone.

    `unseen` are those of them that cannot be had.
    """
    if verdict.outcome in RIGHT:
        verdict.records = [*verdict.records, *gradients_of(rows)]
        verdict.not_checked = [*(text for text in verdict.not_checked if text != "gradients"), *unseen]
        verdict.buts = [*verdict.buts, BEFORE_IT]
    return verdict


def _read_off(seen: Seen) -> list[str]:
    """What the convention knows already of how it differs, in sentences."""
    c, found = seen.convention, [*seen.former]
    if c is not None and c.inside_log:
        found.append(f"the loss is -log(y + {c.inside_log:.3g})")
    if c is not None and c.ignored:
        found.append(f"its constructor ignores the {' and '.join(c.ignored)} that it may be given")
    if c is not None and c.limits.get("first_slope"):
        found.append(FIRST_SLOPE)
    found += _former_array(seen)
    if c is not None and c.per_class and c.kind != MEAN_OF_ALL:
        gradient = "its gradient that loss's, " * (c.dx is not None)
        found.append(f"its loss is the mean over all numbers, {gradient}1/C of PyTorch's")
    if c is not None and c.named_otherwise:
        found.append(
            f"its arguments are named the other way round: {c.logged} is what the logarithm is taken of"
        )
    if c is not None and c.each:
        found.append(
            "one optimizer for several layers mixes their steps or moments; it is right with one for each"
        )
    if c is not None and c.other_order:
        own, usual = ", ".join(c.other_order), ", ".join(PYTORCH)
        found.append(f"it flattens an image in the order ({own}), PyTorch in ({usual})")
    return found


def _former_array(seen: Seen) -> list[str]:
    """That NumPy of today refuses an array of one number, and where; nothing where it does not."""
    line = seen.convention.limits.get("former") if seen.convention is not None else ""
    return [f"{FORMER} ({line})"] if line else []


def _largest(seen: Seen) -> str:
    """The largest input of real size that was tried, and in which floating-point types."""
    if not seen.sized:
        return ""
    largest, single = seen.sized[-1], seen.sized32
    if single is None:
        return f"{size_of(largest)} in float64"
    if single is largest:
        return f"{size_of(largest)} in float64 and float32"
    return f"{size_of(largest)} in float64, {size_of(single)} in float32"


def _settled(adapter: Any, seen: Seen) -> Any:
    """The adapter for whatever is asked next: what was found by trial, so that it is found once."""
    if not (isinstance(adapter, str) and adapter.lower() == AUTO):
        return adapter
    return seen.convention or "book"


def assert_parity(factory: Any, kind: str, *, complete: bool = False, **options: Any) -> Verdict:
    """`verify`, raising AssertionError with the whole report when it is wrong.

    With `complete` it also fails when something was not checked (groups, dilation, ...).
    """
    __tracebackhide__ = True  # pytest shows the report, not this function
    verdict = verify(factory, kind, **options)
    if not verdict.ok or (complete and verdict.not_checked):
        raise AssertionError(str(verdict))
    return verdict


def _name(factory: Any) -> str:
    return factory if isinstance(factory, str) else name_of(factory)


def _own_defaults(kind: str, seen: Seen) -> dict[str, str]:
    """Stride, pad and weight decay where the class has a default of its own: name -> what is to be said."""
    optional = kind_of(kind).optional
    if seen.convention is not None and seen.convention.decay:
        name, value = seen.convention.decay
        usual = optional["weight_decay"]
        return {name: f"defaults to {value}, PyTorch's to {usual}; it was given in every call"}
    return {
        name: f"defaults to {value}, the book's to {optional[name]!r}; it was given in every call"
        for name, value in seen.defaults.items()
        if name in optional and value != repr(optional[name])
    }


def _leave_out(seen: Seen, cases: Sequence[Probe], training_only: bool) -> None:
    """Drop what was tried and does not count: features it has not, gradients where there are none."""
    ids, observation = {probe.id for probe in cases} | {""}, seen.observation
    observation.unseen = seen.unseen

    def counts(row: Record) -> bool:
        gradient = row.tensor.startswith("d")
        silent = gradient and (not seen.backward_too or (training_only and is_inference(row.case)))
        return row.case in ids and not silent and row.tensor not in seen.unseen

    dropped = [row for row in observation.records if not counts(row)]
    observation.records[:] = [row for row in observation.records if counts(row)]
    if training_only:
        observation.hidden |= {
            (row.case, row.tensor) for row in dropped if row.phase in PLAIN and row.case in ids
        }
    for values in observation.values.values():
        for case in values.keys() - ids:
            del values[case]
    _hide_unreachable(seen)


def _hide_unreachable(seen: Seen) -> None:
    """Gradients that raised because out already had the wrong shape, and no dout fits it."""
    observation = seen.observation
    misshapen = {r.case for r in observation.records if r.phase == "forward" and r.why.startswith("shape")}
    observation.hidden |= {
        (row.case, row.tensor)
        for row in observation.records
        if row.phase == "backward" and row.case in misshapen and row.why.startswith("raised")
    }


def _judge_declared(
    verdict: Verdict,
    declared: Declared,
    seen: Seen,
    tried: tuple[Sequence[Probe], Sequence[Probe]],
    asker: _Asker,
) -> None:
    """The diagnosis, what it means for differences that were declared, and what only the numbers have right.

    `tried` are the kind's own probes, and all that were tried.
    """
    adapter = ADAPTERS["book" if seen.backward_too else "forward_only"]  # a fault is to show no more
    (cases, every), seed = tried, asker.seed
    found: Diagnosis = UNKNOWN
    stopped = bool(verdict.ending or verdict.unfinished)
    if declared and not stopped and not verdict.ok:
        own = on_own_inputs(seen.observation, cases)
        by = explained(declared, own, cases, every, seed, adapter)
        whose = str(declared)
        if by.names and _holds_at_other_sizes(verdict, whose, by.all, asker, seen, adapter, by.eps):
            verdict.ok, verdict.declared, found = True, " + ".join(by.names), by.diagnosis
            verdict.buts = sentences(by.others, every)
        elif not by.names:
            verdict.complaint = f"{declared}: what it computes is not exactly that"
    elif declared and verdict.ok:
        verdict.ok = False
        verdict.complaint = f"{declared}: nothing differs from PyTorch; take the declaration away"
    if not found.fault and not seen.observation.ok and not stopped:
        found = _diagnosed(verdict, seen.observation, cases, every, seed, adapter)
        if said := BY_CHOICE.get(found.fault):
            _judge_choice(verdict, said, found, seen, asker, adapter)
        found = found if found.fault else _but_for_contracts(seen.observation, cases, seed, adapter)
    elif not found.fault and verdict.unfinished and not verdict.ending and not seen.observation.ok:
        ones = removable(seen.observation, every)
        if without_slight(seen.observation, ones, every).ok:
            verdict.buts = sentences(ones, every)
    verdict.diagnosis = found


def _but_for_contracts(seen: Observation, cases: Sequence[Probe], seed: int, adapter: Adapter) -> Diagnosis:
    """The one known bug of the numbers, where contracts are broken besides; it says what they are."""
    broken = list(dict.fromkeys(r.phase for r in seen.records if r.phase in SCENARIOS and not r.ok))
    rest = replace(seen, records=[row for row in seen.records if row.phase not in broken])
    if not broken or rest.ok:
        return UNKNOWN
    found = [diagnose_as(fault, rest, cases, seed, adapter) for fault in faults_of(seen.kind)]
    found = [one for one in found if one.fault]
    if len({one.says for one in found}) != 1:
        return UNKNOWN
    return replace(found[0], besides=_contracts_in_words(broken))


def _contracts_in_words(names: Sequence[str]) -> str:
    """`the contract "dout of a loss" is broken`"""
    quoted = ", ".join(f'"{name}"' for name in names)
    return f"the contracts {quoted} are broken" if len(names) > 1 else f"the contract {quoted} is broken"


def _judge_choice(
    verdict: Verdict, said: str, found: Diagnosis, seen: Seen, asker: _Asker, adapter: Adapter
) -> None:
    """What is done in two ways in books and papers, where it is that other way and nothing else."""
    whose = f"but for {found.says}"
    if _holds_at_other_sizes(verdict, whose, [found.fault], asker, seen, adapter):
        verdict.buts = [said, *([f"there is {found.besides}"] if found.besides else [])]
        if any(not is_inference(case) for case, _ in seen.observation.hidden):
            verdict.not_checked = [*verdict.not_checked, UNREACHED]


def _judge_habits(
    verdict: Verdict,
    habits: dict[str, str],
    seen: Seen,
    tried: tuple[Sequence[Probe], Sequence[Probe]],
    asker: _Asker,
) -> None:
    """Take the profile's habits away: all that is not right may be they, or a part of it."""
    adapter, (cases, every) = ADAPTERS["book" if seen.backward_too else "forward_only"], tried
    known = declared_faults(verdict.kind, habits)
    by = explained(known, on_own_inputs(seen.observation, cases), cases, every, asker.seed, adapter)
    whose = "but for the book's habits"
    if by.names and _holds_at_other_sizes(verdict, whose, by.all, asker, seen, adapter, by.eps):
        names = [part for name in by.names for part in name.split(" + ")]
        verdict.diagnosis = by.diagnosis
        verdict.buts = [*dict.fromkeys(habits[name] for name in names), *sentences(by.others, every)]
    else:  # not these alone: those that the diagnosis has are no news, the rest is
        printed = [*verdict.diagnosis.fault.split(" + "), *besides_names(verdict.diagnosis.besides)]
        names = [name for name in printed if name in habits]
    verdict.habits = list(dict.fromkeys(habits[name] for name in names))


def _holds_at_other_sizes(
    verdict: Verdict,
    whose: str,
    names: Sequence[str],
    asker: _Asker,
    seen: Seen,
    adapter: Adapter,
    eps: float | None = None,
) -> bool:
    """Whether it differs in just that way on random geometries and real sizes too; else a complaint.

    `eps` is one of its own that it has beside the known bugs.
    """
    faults = faults_in(names)
    if not faults:  # these were tried as the numbers are right
        own = [probe for probe in shared_probes(verdict.kind, asker.seed) if seen.takes(probe)]
        every = [*map(seen.fitted, own), *seen.extra, *seen.sized, *seen.random]
        right = {id(one.row) for one in removable(seen.observation, every)}
        return all(row.ok or id(row) in right for row in _beyond(verdict, seen))
    sizes = as_declared(asker.place(), seen, faults, adapter, eps)
    verdict.sizes, verdict.largest = sizes.tried, sizes.largest
    verdict.not_checked = [*verdict.not_checked, *filter(None, (sizes.left_out, sizes.refused))]
    if sizes.wrong is not None:
        where = _inputs(sizes.wrong)
        verdict.complaint = f"{whose}: exactly that on the kind's own inputs, and not on {where}"
    return sizes.wrong is None


def _beyond(verdict: Verdict, seen: Seen) -> list[Record]:
    """The records of inputs of real size and of random ones."""
    ids = {probe.id for probe in [*seen.sized, *seen.random]}
    return [row for row in verdict.records if row.case in ids]


def _diagnosed(
    verdict: Verdict,
    seen: Observation,
    cases: Sequence[Probe],
    every: Sequence[Probe],
    seed: int,
    adapter: Adapter,
) -> Diagnosis:
    """The known bug of all that is seen, or of what is left when the right numbers are taken away."""
    ones = removable(seen, every)
    found = diagnose(seen, cases, seed, adapter)
    if not ones:
        return found
    rest = without_slight(seen, ones, every)
    if rest.ok:
        verdict.buts = sentences(ones, every)
    names = list(dict.fromkeys(one.name for one in ones))
    if any(one.name == SINGLE and one.row.phase in PLAIN for one in ones) and by_image(seen.kind):
        verdict.not_checked = [*verdict.not_checked, TRIED_IN_FLOAT64]
    if found.fault:
        return found
    says = ", and ".join(NAMES[name] for name in names)
    if rest.ok:
        choices = {OTHER_EPS, OWN_VARIANCE, AVERAGES} & {*names}
        named = diagnose(on_own_inputs(seen, cases), cases, seed, adapter) if choices else UNKNOWN
        return named if named.fault else Diagnosis(" + ".join(names), says, 0.0)
    found = diagnose(rest, cases, seed, adapter)
    eps = own_eps(ones)
    if not found.fault and eps is not None:
        found = diagnose(without_slight(seen, but_eps(ones), every), given_eps(cases, eps), seed, adapter)
    return replace(found, besides=says) if found.fault else diagnose_apart(seen, cases, seed, adapter)


# -- the first thing that is wrong ----------------------------------------------------------------
class _Asker:
    """Whoever asks again on a simpler input, with the same settings."""

    def __init__(self, factory: Any, kind: str, adapter: Any, seed: int, limits: Limits, isolated: bool):
        self.factory, self.kind, self.adapter = factory, kind, adapter
        self.seed, self.limits, self.isolated = seed, limits, isolated

    def place(self) -> Subject:
        """The code once more, still to be opened."""
        if self.isolated:
            return place_apart(self.factory, self.adapter, self.limits)
        return place_here(self.factory, self.adapter)

    def same_failure(self, row: Record, probes: Sequence[Probe]) -> tuple[Record, Seen, Probe, int] | None:
        """The first of these probes on which it fails in the same way, and its number, or None."""
        contract = row.phase not in PLAIN
        tried = [replace(probes[-1], id=row.case)] if contract else probes
        request = Request(self.factory, self.kind, self.adapter, tried, None, contract, (row.dtype,), False)
        seen = observe_target(request, self.limits, self.isolated)
        for number, probe in enumerate(tried, start=len(probes) - len(tried)):
            for found in seen.observation.records:
                if found.case == probe.id and not found.ok and _alike(found, row):
                    return replace(found, case=row.case), seen, probe, number
        return None


def _alike(a: Record, b: Record) -> bool:
    """The same result of the same phase is wrong, and for the same sort of reason."""
    return (a.phase, a.tensor, a.why.split(" ")[0]) == (b.phase, b.tensor, b.why.split(" ")[0])


def _explain(verdict: Verdict, asker: _Asker, seen: Seen, cases: Sequence[Probe]) -> None:
    """Culprit, first wrong result with both values, and the lines that reproduce it."""
    wrong = [row for row in verdict.records if not row.ok]
    if not wrong:
        return
    by_id = {probe.id: probe for probe in cases}
    slight = slight_ones(seen.observation, cases)  # these come first only where there is nothing else
    apart = {id(one.row) for one in slight}
    first = [r for r in wrong if id(r) not in apart]
    row = min(first or wrong, key=lambda r: _order(r, by_id))
    judged = [r for r in verdict.records if id(r) not in apart] if first else verdict.records
    besides = sentences(slight, cases) if first else []
    sentence = "; ".join([_sentence(row, judged, by_id), *(f"besides, {said}" for said in besides)])
    right, verdict.wrong_function = wrong_one(verdict.functions, judged)
    if right:
        of_forward = [one for one in slight if one.row.phase == "forward"]
        verdict.forward_buts = verdict.forward_buts or sentences(of_forward, cases)
        sentence += f"; the numbers of {right} are right, {verdict.wrong_function} is wrong"
    verdict.culprit = Culprit(asker.kind, row.phase, row.tensor, sentence)
    probe = by_id.get(row.case)
    if probe is None:
        verdict.first = First(row)
        if isinstance(asker.factory, str) or import_line(asker.factory):
            verdict.reproduction = _import_again(asker.factory)
        return
    cut: int | None = None
    if not (verdict.ending or verdict.unfinished) and (again := asker.same_failure(row, simpler(probe))):
        row, seen, probe, cut = again
    name = row.tensor.split(" ")[0] if row.phase not in PLAIN else row.tensor
    ours = seen.observation.values[row.dtype].get(probe.id, {}).get(name) if row.phase in PLAIN else None
    theirs = kind_of(asker.kind).reference(probe, row.dtype).get(name) if row.phase in PLAIN else None
    shown = _inputs(probe) if cut is None else f"cut down to {_inputs(probe)}"
    verdict.first = First(row, ours, theirs, shown)
    verdict.reproduction = reproduction(
        asker.factory,
        asker.adapter,
        replace(probe, id=row.case),
        row.dtype,
        row.phase,
        row.tensor,
        asker.seed,
        cut,
    )


def _order(row: Record, by_id: dict[str, Probe]) -> tuple[bool, bool, int]:
    """Single calls before contracts, float64 before float32, small inputs before large ones."""
    numbers = size(by_id[row.case]) if row.case in by_id else 0
    return row.phase not in PLAIN, row.dtype != "float64", numbers


def _import_again(factory: Any) -> str:
    if isinstance(factory, str):
        return f"from parity.adapters.load import load\nload({factory!r})"
    return import_line(factory)


def _inputs(probe: Probe) -> str:
    """`x (2, 1, 3, 3), W (1, 1, 2, 2), stride 2`"""
    texts = []
    for name, value in {**probe.inputs, **probe.args}.items():
        if name not in ("params", "grads"):
            texts.append(f"{name} {value.shape}" if hasattr(value, "shape") else f"{name} {value}")
    return ", ".join(texts)


def _sentence(row: Record, records: Sequence[Record], by_id: dict[str, Probe]) -> str:
    """Which results are wrong and which are right, and what all wrong inputs have in common."""
    if row.phase not in PLAIN:
        if scenario := SCENARIOS.get(row.phase):
            what = " ".join((scenario.__doc__ or "").split("\n")[0].split())
            return f'single calls are right, the contract "{row.phase}" is broken ({row.tensor}): {what}'
        return f"{row.phase}: {row.tensor} {row.why}"
    plain = [r for r in records if r.phase in PLAIN]
    wrong = list(dict.fromkeys(r.tensor for r in plain if not r.ok))
    right = [t for t in dict.fromkeys(r.tensor for r in plain) if t not in wrong]
    sentence = f"{row.phase}, {row.tensor}; wrong: {_listed(wrong)}; right: {_listed(right) or 'nothing'}"
    if all(r.dtype == "float32" for r in plain if not r.ok):
        sentence += "; only in float32"
    failing = {r.case for r in plain if not r.ok and r.case in by_id}
    passing = {r.case for r in plain} - failing
    common = frozenset.intersection(*(asked(by_id[case]) for case in failing)) if failing else frozenset()
    common -= {need for case in passing if case in by_id for need in asked(by_id[case])}
    if common and passing:
        sentence += f"; only with {_listed([TOLD.get(name, name) for name in sorted(common)])}"
    besides = [r for r in records if r.phase in SCENARIOS and not r.ok and r.tensor in right]
    if besides:
        tensors = _listed(list(dict.fromkeys(r.tensor for r in besides)))
        broken = list(dict.fromkeys(r.phase for r in besides))
        sentence += f"; besides, {_contracts_in_words(broken)} ({tensors})"
    return sentence


def _listed(names: Sequence[str], most: int = 6) -> str:
    return ", ".join(names[:most]) + (", ..." if len(names) > most else "")
