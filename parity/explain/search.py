"""Which small change of the reference gives the numbers seen: a search over maps, not over a catalogue.

A `Candidate` computes one result of a probe with one thing changed. Each wrong result is searched for
by itself: first the candidates that reproduce it on one input, of those the first that reproduces it on every
input, right ones included; and at last on inputs that were drawn afterwards. What does not reproduce every
number is not printed.
"""

# A probe holds arrays as Any, and lambdas keep loop variables as defaults.
# mypy: disable-error-code="no-any-return, misc"

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain, combinations
from typing import Any

import numpy as np

from parity.explain import windows
from parity.explain.axes import sizes, views
from parity.explain.losses import rounding
from parity.explain.maps import Map, factor, listed, maps_of
from parity.kinds import OPTIMIZER_KINDS, Operation, Probe, Tensors, kind_of
from scratchcnn.typing import Array

SAME = 1e-9
EXACTLY = 1e-12  # of the largest number, on whole numbers (quotients are rounded); and of terms that cancel
TINY = 1e-300
# What a change raises that makes no sense for an input.
FAILS = (ValueError, IndexError, RuntimeError, TypeError, ZeroDivisionError, KeyError, AttributeError)


@dataclass(frozen=True)
class Candidate:
    """One result with one thing changed.

    says  completes "dW is ..."; by is the sort of change
    """

    says: str
    compute: Callable[[Probe], Array | None]
    by: str = "map"


@dataclass
class Case:
    """One input: what was found there and what is right."""

    probe: Probe
    found: Tensors
    right: Tensors
    known: dict[Any, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Finding:
    """What is wrong with one result: the sentence, and the candidate that reproduces it."""

    tensor: str
    says: str
    compute: Callable[[Probe], Any]
    by: str = "map"
    size: Callable[[Probe], float] | None = None  # of the terms, where they may cancel


def same(found: Array | None, other: Array | None, tolerance: float = SAME, size: float = 0.0) -> bool:
    """Within the tolerance of the largest number; infinities and NaN in the same places.

    `size` is that of terms which may cancel: what is left of them is rounded at their size.
    """
    if found is None or other is None or found.shape != other.shape:
        return False
    if found.dtype.kind not in "fiub" or other.dtype.kind not in "fiub":
        return False
    finite = np.isfinite(other)
    if not finite.all():
        if not np.array_equal(np.isfinite(found), finite):
            return False
        found, other = np.where(finite, found, 0), np.where(finite, other, 0)
    if not found.size:
        return True
    allowed = max(tolerance * max(float(np.abs(other).max()), TINY), EXACTLY * size)
    return bool(np.abs(found - other).max() <= allowed)


# -- the search -----------------------------------------------------------------------------------
def findings(cases: Sequence[Case]) -> tuple[list[Finding], list[str]]:
    """What is wrong with each wrong result, and the results for which nothing reproduces the numbers."""
    if cases and cases[0].probe.kind in OPTIMIZER_KINDS:
        return _updates(cases)
    names = dict.fromkeys(name for case in cases for name in case.right)
    wrong = [name for name in names if any(_differs(case, name) for case in cases)]
    found: list[Finding] = []
    unexplained = []
    for name in wrong:
        finding = explain(name, cases)
        if finding is None:
            unexplained.append(name)
        else:
            found.append(finding)
    return found, unexplained


def _updates(cases: Sequence[Case]) -> tuple[list[Finding], list[str]]:
    """What is wrong with an optimizer: one finding for all parameters after all steps."""
    from parity.explain.updates import explain_updates, simulate

    if not any(_differs(case, name) for case in cases for name in case.right):
        return [], []
    kind = cases[0].probe.kind
    found = explain_updates(kind, [c.probe for c in cases], [c.found for c in cases])
    if found is None:
        return [], ["params"]
    says, rule = found
    return [Finding("params", f"PyTorch's with {says}", lambda p: simulate(kind, p, rule), "coefficient")], []


def _differs(case: Case, name: str) -> bool:
    return name in case.found and not same(
        case.found[name], case.right[name], size=rounding(name, case.probe)
    )


def explain(name: str, cases: Sequence[Case]) -> Finding | None:
    """The first candidate that reproduces this result in every case where it was computed."""
    seen = [case for case in cases if name in case.found]
    wrong = [case for case in seen if _differs(case, name)]
    size = partial(rounding, name) if rounding(name, seen[0].probe) else None
    ratio = factor(
        [_settled(c, name, c.found[name]) for c in seen],
        [_settled(c, name, c.right[name]) for c in seen],
        [sizes(c.probe) for c in seen],
    )
    if ratio:
        says = f"its right value {ratio}"
        return Finding(name, says, partial(_scaled, name=name, says=ratio), "factor", size)
    for case in seen:
        case.probe.known["found"] = case.found
    combined = _combined(name, wrong, seen)
    if combined is not None:
        return combined
    pivot = min(wrong, key=lambda c: _telling(c, name))
    for candidate in candidates(name, pivot):
        if _gives(candidate, pivot, name) and all(_gives(candidate, case, name) for case in [*wrong, *seen]):
            return Finding(name, candidate.says, candidate.compute, candidate.by, size)
    return None


def _settled(case: Case, name: str, a: Array) -> Array:
    """The array, all 0 where nothing is left of terms that cancel but their rounding."""
    size = rounding(name, case.probe)
    return np.zeros_like(a) if size and np.abs(a).max(initial=0) <= EXACTLY * size else a


def _combined(name: str, wrong: Sequence[Case], seen: Sequence[Case]) -> Finding | None:
    """The result as another sum of the terms that its formula consists of."""
    from parity.explain.terms import combination, terms

    if not terms(name, seen[0].probe):
        return None
    with np.errstate(all="ignore"):
        found = combination(name, [case.probe for case in seen], [case.found[name] for case in seen])
    return None if found is None else Finding(name, found.says, found.compute, "terms", found.size)


def _telling(case: Case, name: str) -> tuple[int, int, int]:
    """Small for an input that tells maps apart: many axes of several sizes, and not too many numbers."""
    shape = case.probe.inputs.get("x", case.right[name]).shape
    return -len(shape), -len({n for n in shape if n > 1}), case.right[name].size


def _gives(candidate: Candidate, case: Case, name: str) -> bool:
    try:
        with np.errstate(all="ignore"):
            return same(candidate.compute(case.probe), case.found[name], size=rounding(name, case.probe))
    except FAILS:
        return False


def _scaled(probe: Probe, name: str, says: str) -> Array | None:
    """The right result times the factor that `maps.factor` named."""
    right = reference(probe)[name]
    if says == "with the sign flipped":
        return -right
    how, by = says.split(" by ")
    value = sizes(probe).get(by)
    value = float(by) if value is None else value
    return right * value if how == "multiplied" else right / value


def reference(probe: Probe) -> Tensors:
    """PyTorch's results, kept with the probe."""
    if "explain" not in probe.judged:
        probe.judged["explain"] = kind_of(probe.kind).reference(probe)
    found: Tensors = probe.judged["explain"]
    return found


# -- candidates -----------------------------------------------------------------------------------
def candidates(name: str, case: Case) -> Iterator[Candidate]:
    """Every change that is tried for this result, the simplest first."""
    kind = case.probe.kind
    yield from _of_formulas(name, case.probe)
    yield from _of_sums(name, case.probe)
    if kind in windows.KINDS:
        yield from _of_the_windows(name, case.probe)
    yield from _of_the_arguments(name, case.probe)
    yield from _of_the_result(name, case)
    yield from _of_the_inputs(name, case)
    yield from _of_pairs(name, case)


def _of_formulas(name: str, probe: Probe) -> Iterator[Candidate]:
    from parity.explain.formulas import candidates_of_formula

    yield from candidates_of_formula(name, probe)


def _of_the_result(name: str, case: Case) -> Iterator[Candidate]:
    right = case.right[name]
    for view in views(case.probe, name, right):
        for change in maps_of(view.letters):

            def compute(probe: Probe, change: Map = change, letters: Any = view.letters) -> Array:
                return mapped(probe, name, reference(probe)[name], change, letters)

            yield Candidate(f"its right value {change.says}", compute)
    yield Candidate(
        "its right value, flat", lambda p: reference(p)[name].reshape(len(reference(p)[name]), -1)
    )
    yield Candidate("its right value with one more axis", lambda p: reference(p)[name][None])
    yield Candidate("its right value with one more axis", lambda p: reference(p)[name][..., None])
    yield Candidate("its right value with two more axes", lambda p: reference(p)[name][..., None, None])


def _of_the_inputs(name: str, case: Case) -> Iterator[Candidate]:
    """The reference on inputs of which one is changed by a map."""
    arrays = {**case.probe.args, **case.probe.inputs}
    for given, a in arrays.items():
        if (
            not isinstance(a, np.ndarray)
            or (given == "b" and name != "out")
            or (given == "dout" and name == "out")
        ):
            continue
        for view in views(case.probe, given, a):
            for change in maps_of(view.letters):
                if change.says.startswith("transposed"):
                    continue

                def compute(
                    probe: Probe, given: str = given, change: Map = change, letters: Any = view.letters
                ) -> Array | None:
                    return with_input(probe, given, change, letters).get(name)

                yield Candidate(f"PyTorch's for {given} {change.says}", compute)
        if given in ("b", "bias", "beta"):
            for size in sizes(case.probe):

                def times(probe: Probe, given: str = given, size: str = size) -> Array | None:
                    if probe.args.get(given) is None:
                        return reference(probe).get(name)
                    scaled = probe.args[given] * sizes(probe)[size]
                    return (
                        kind_of(probe.kind)
                        .reference(replace(probe, args=probe.args | {given: scaled}))
                        .get(name)
                    )

                yield Candidate(f"PyTorch's for {given} multiplied by {size}", times)


def mapped(probe: Probe, name: str, a: Array, change: Map, letters: tuple[str, ...]) -> Array:
    """The map of an array that has these axes; an array that has not is left as it is."""
    if a is None:
        return a
    view = next((v for v in views(probe, name, a) if v.letters == letters), None)
    return a if view is None else change.apply(a, view)


def with_input(probe: Probe, given: str, change: Map, letters: tuple[str, ...]) -> Tensors:
    """The reference's results with one array changed, kept with the probe."""
    key = f"explain {given} {change.says} {letters}"
    if key not in probe.known:
        where = "args" if given in probe.args else "inputs"
        values = getattr(probe, where)
        a = values[given]
        changed = mapped(probe, given, a, change, letters)
        if a is None:
            return reference(probe)
        if a.dtype.kind == "b":
            changed = changed.astype(bool)
        other = replace(probe, **{where: values | {given: np.ascontiguousarray(changed)}})
        probe.known[key] = kind_of(probe.kind).reference(other)
    found: Tensors = probe.known[key]
    return found


def _of_the_arguments(name: str, probe: Probe) -> Iterator[Candidate]:
    """The reference with another option: two of a kind exchanged, a default taken, one ignored."""
    kind, args = kind_of(probe.kind), probe.args
    numbers = [n for n, a in args.items() if isinstance(a, (int, float)) and not isinstance(a, bool)]

    def other(says: str, change: Callable[[Mapping[str, Any]], dict[str, Any]]) -> Candidate:
        def compute(probe: Probe) -> Array | None:
            changed = replace(probe, args=probe.args | change(probe.args))
            if "dout" in probe.inputs:
                blind = {k: v for k, v in changed.inputs.items() if k != "dout"}
                shape = _shape(replace(changed, inputs=blind))
                changed = replace(
                    changed, inputs=changed.inputs | {"dout": windows.fitted(probe.inputs["dout"], shape)}
                )
            return kind.reference(changed).get(name)

        return Candidate(f"PyTorch's with {says}", compute, "option")

    for a, b in combinations(numbers, 2):
        yield other(f"{a} and {b} exchanged", lambda o, a=a, b=b: {a: o[b], b: o[a]})
    optional = {k: v for k, v in kind.optional.items() if v is not None}
    for option, value in optional.items():
        yield other(f"{option} {value} whatever was given", lambda o, k=option, v=value: {k: v})
        if isinstance(value, bool):
            yield other(f"{option} {not value} whatever was given", lambda o, k=option, v=value: {k: not v})
    for option in numbers:
        for value in (0.0, 1.0, 1e-5, 1e-7, 1e-8):
            yield other(f"{option} {value:g} whatever was given", lambda o, k=option, v=value: {k: v})
        yield other(f"1 - {option} for {option}", lambda o, k=option: {k: 1 - o[k]})
        yield other(f"{option} squared", lambda o, k=option: {k: o[k] ** 2})
        yield other(f"{option} doubled", lambda o, k=option: {k: 2 * o[k]})
        yield other(f"{option} halved", lambda o, k=option: {k: o[k] / 2})
        yield other(f"{option} plus one", lambda o, k=option: {k: o[k] + 1})
        yield other(f"{option} minus one", lambda o, k=option: {k: o[k] - 1})


def _shape(probe: Probe) -> tuple[int, ...]:
    kind = kind_of(probe.kind)
    if isinstance(kind, Operation) and "x" in probe.inputs:
        return tuple(kind.reference(probe)[kind.out].shape)
    return ()


def _of_the_windows(name: str, probe: Probe) -> Iterator[Candidate]:
    """Windows with one thing changed, in the pass that gives this result."""
    passes = {"dx": ("backward", "both"), "out": ("both", "divided")}.get(name, ("both",))
    for number, (says, _) in enumerate(windows.changes(windows.geometry(probe))):
        for which in passes:
            for defaults in (False, True):
                if defaults and "of the window's size" not in says:
                    continue

                def compute(
                    probe: Probe, number: int = number, which: str = which, defaults: bool = defaults
                ) -> Array | None:
                    own = windows.geometry(probe)
                    made = [g for _, g in windows.changes(own)]
                    changed = made[number] if number < len(made) else own  # padding='same' has more
                    if defaults and "stride" in probe.args:
                        changed = own
                    return windowed(name, probe, changed, own, which)

                where = " where none is given" if defaults else ""
                yield Candidate(f"PyTorch's with {says}{where}", compute, "window")
    if name in ("out", "dx") and probe.kind == "average_pooling":
        yield from _of_window_sums(name, probe)


def _of_window_sums(name: str, probe: Probe) -> Iterator[Candidate]:
    """Maps of the sums of the windows, before they are divided by sizes that differ."""
    given = "out" if name == "out" else "dout"
    a = reference(probe)["out"]
    for view in views(probe, "out", a):
        for change in maps_of(view.letters):

            def compute(probe: Probe, change: Map = change, letters: Any = view.letters) -> Array:
                by = windows.divisors(probe, windows.geometry(probe))[..., 0]
                if name == "out":
                    return mapped(probe, "out", reference(probe)["out"] * by, change, letters) / by
                dout = mapped(probe, "dout", probe.inputs["dout"] / by, change, letters) * by
                changed = replace(probe, inputs=probe.inputs | {"dout": dout})
                return kind_of(probe.kind).reference(changed)["dx"]

            yield Candidate(f"PyTorch's with {given} {change.says}", compute)


def windowed(
    name: str, probe: Probe, g: windows.Geometry, own: windows.Geometry, which: str = "both"
) -> Array | None:
    """The result for these windows, changed in both passes or in the backward pass alone."""
    if name in ("out", "col"):
        return windows.forward(probe, g, own if which == "divided" else g)
    if name == "img" or (name == "dx" and which == "backward"):
        return windows.backward(probe, g, own)
    dout = windows.fitted(probe.inputs["dout"], (*probe.inputs["dout"].shape[:2], *g.out))
    if name == "dx":
        return windows.backward(replace(probe, inputs=probe.inputs | {"dout": dout}), g, g)
    if name == "dW":
        return windows.filter_gradient(probe, g)
    if name == "db" and probe.args.get("b") is not None:
        return dout.sum((0, 2, 3))
    return None


def _of_sums(name: str, probe: Probe) -> Iterator[Candidate]:
    """For a gradient that is a sum of dout: the sum or the mean over some of its axes."""
    dout = probe.inputs.get("dout")
    if dout is None or name in ("out", "dx"):
        return
    letters = views(probe, "dout", dout)
    if not letters:
        return
    axes = range(dout.ndim)
    for over in chain.from_iterable(combinations(axes, count) for count in range(1, dout.ndim + 1)):
        for averaged in chain.from_iterable(combinations(over, count) for count in range(len(over) + 1)):
            added = tuple(i for i in over if i not in averaged)
            for keep in (False, True):
                says = _says_sum(
                    [letters[0].letters[i] for i in added], [letters[0].letters[i] for i in averaged]
                )

                def compute(
                    probe: Probe, added: Any = added, averaged: Any = averaged, keep: bool = keep
                ) -> Array:
                    a = (
                        probe.inputs["dout"].mean(averaged, keepdims=True)
                        if averaged
                        else probe.inputs["dout"]
                    )
                    a = a.sum(added, keepdims=True) if added else a
                    return a if keep else np.squeeze(a, tuple(sorted((*added, *averaged))))

                yield Candidate(says + (", with the axes kept" if keep else ""), compute, "sum")


def _says_sum(added: list[str], averaged: list[str]) -> str:
    if not averaged:
        return f"the sum of dout over {listed(added)} alone"
    if not added:
        return f"the mean of dout over {listed(averaged)}"
    return f"dout averaged over {listed(averaged)} and summed over {listed(added)}"


def _of_pairs(name: str, case: Case) -> Iterator[Candidate]:
    """Two at once: something is changed, and the result is multiplied by a size besides."""
    if case.probe.kind not in windows.KINDS and case.probe.kind not in ("affine", "subsampling"):
        return
    singles = chain(
        _of_the_inputs(name, case),
        _of_the_windows(name, case.probe) if case.probe.kind in windows.KINDS else (),
    )
    found = case.found[name]
    named = sizes(case.probe)
    for single in singles:
        if "multiplied" in single.says:
            continue
        try:
            with np.errstate(all="ignore"):
                a = single.compute(case.probe)
        except FAILS:
            continue
        if a is None or a.shape != found.shape or not np.abs(a).max(initial=0):
            continue
        says = factor([found], [a], [named])
        if not says:
            continue
        for size in (*named, ""):
            for how in ("multiplied", "divided"):

                def compute(
                    probe: Probe, single: Candidate = single, size: str = size, how: str = how
                ) -> Array | None:
                    a = single.compute(probe)
                    by = sizes(probe)[size] if size else -1.0
                    return None if a is None else a * by if how == "multiplied" else a / by

                yield Candidate(f"{single.says}, {how} by {size or '-1'}", compute, "two")
