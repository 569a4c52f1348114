"""A layer, loss or function that is none of the kinds: is its backward the gradient of its own forward?

There is no reference: its own forward is differentiated by central differences at random inputs and weights,
and each of its gradients is held to that. What its forward computes is compared with nothing, which the
verdict says. Where its names leave open what its backward is given, each reading is tried: it is wrong only
where none of them is right.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from parity.adapters.isolate import Limits
from parity.adapters.own_layer_subject import LayerWay, OwnLayerSubject, layer_apart, layer_here
from parity.adapters.sure_errors import MARKED
from parity.checks.culprit import Culprit
from parity.comparison.records import Place, Record, record
from parity.verification.always import that_raises
from parity.verification.own_listed import ON_PURPOSE, OWN_LAYER, is_on_purpose, with_partner
from parity.verification.own_relations import factor_of, of_times
from parity.verification.own_runs import asked, load
from parity.verification.own_slopes import NEARLY, Slopes, slopes_of
from parity.verification.reproduction import name_of
from parity.verification.verdict import OF_OWN_FORWARD, OF_ROWS, OWN_LOSS, RIGHT, First, Verdict

FORWARD = "what its forward computes (it is none of the kinds)"
OUTSIDE = "indices that are no rows of its weights, or that pad"
DRAWS = "its forward gives other numbers from call to call, for the same input and the same random numbers"
FLAT = "its outputs do not change with its inputs: what its backward gives is chosen, and not their gradient"
NO_WAY = "no way was found to call its forward and its backward"
BEFORE_SOFTMAX = (
    "its gradient is output less target, which is that by what a softmax or sigmoid before it is given: "
    "whether there is one is not known"
)
FIRST_SLOPE = (
    "its backward goes by one number of dout that is not 0, and by no other: that is right for a loss of one "
    "class per row"
)
FEW = "too few of its gradients could be measured"
OPEN = "its backward is not the gradient of its forward in any way that was tried, and its names leave others"
NUMBER = "a number"
MANY = 12  # cases, where most of dout is 0
BATCHES = {"a row (1, D)": "rows (N, D)", "a column (D, 1)": "columns (D, N)"}
FEWEST = 0.5  # of the numbers that were asked for, which have to be measured


@dataclass(frozen=True)
class Tried:
    """One way, with what was measured of each input and weight in each case."""

    number: int
    way: LayerWay
    rows: list[tuple[int, Slopes]]
    missing: list[str]

    @property
    def ok(self) -> bool:
        return bool(self.rows) and all(one.ok for _, one in self.rows)

    @property
    def close(self) -> bool:
        """Whether what differs does so by little of its size alone, as by a small constant."""
        return all(one.ok or one.comparison.max_rel <= NEARLY for _, one in self.rows)

    @property
    def measured(self) -> bool:
        """Whether enough of its numbers were, and not all of them are 0."""
        asked = sum(len(one.at) for _, one in self.rows)
        sure = sum(int(one.sure.sum()) for _, one in self.rows)
        return bool(asked) and sure >= FEWEST * asked

    @property
    def flat(self) -> bool:
        """Whether no output changes with any of its inputs."""
        if not self.way.inputs:
            return False  # an embedding
        return not any(np.any(one.numeric[one.sure]) for _, one in self.rows if one.name in self.way.inputs)


def verify_own_layer(
    factory: Any, *, seed: int = 0, limits: Limits | None = None, isolated: bool = True
) -> Verdict:
    """The verdict on a class, a function and its derivative, or "file.py:Name"."""
    factory = with_partner(factory) if isinstance(factory, str) else factory
    layer = layer_apart(factory, limits or Limits()) if isolated else layer_here(factory)
    name = factory if isinstance(factory, str) else name_of(factory)
    verdict = Verdict(OWN_LAYER, name, False, [], where=layer.where, judge=OWN_LOSS, claim=OF_OWN_FORWARD)
    function, _, backward = name.rpartition(":")[2].partition(",")
    verdict.functions = (function, backward) if backward else ("", "")
    with asked(layer, verdict):
        load(layer, verdict)
        if not verdict.unchecked:
            _check(layer, verdict, seed)
    if verdict.unchecked:
        verdict.records = [row for row in verdict.records if row.phase == "import"]
    verdict.ok = verdict.outcome in RIGHT
    if verdict.outcome == "wrong":
        verdict.reproduction = _reproduction(factory, seed)
    return verdict


def _check(layer: OwnLayerSubject, verdict: Verdict, seed: int) -> None:
    if not layer.ways:
        bug = next((text for text in layer.tried if MARKED.search(text)), "")
        tried = "; ".join(layer.tried[:2])
        verdict.unchecked = f"{NO_WAY}{f' ({tried})' if tried else ''}"
        if bug:
            verdict.unchecked = ""
            that_raises(verdict, bug)
        return
    if is_on_purpose(layer.name):
        verdict.unchecked = ON_PURPOSE
        return
    found: list[Tried] = []
    for number in range(layer.ways):
        way = layer.use_layer(number)
        if not way.params:
            continue
        if why := _draws(layer, way, seed):
            verdict.unchecked = why
            return
        found.append(one := _tried(layer, number, way, seed))
        if one.ok and one.measured and not one.flat and not one.missing and not way.every:
            break
    _judge(layer, verdict, found, seed)


def _draws(layer: OwnLayerSubject, way: LayerWay, seed: int) -> str:
    first = next(iter(way.params))
    twice = layer.losses(seed, False, [(first, 0, 0.0), (first, 0, 0.0)])
    return DRAWS if np.isfinite(twice).all() and twice[0] != twice[1] else ""


def _tried(layer: OwnLayerSubject, number: int, way: LayerWay, seed: int) -> Tried:
    """What it gives in that way against its own slopes."""
    rows: list[tuple[int, Slopes]] = []
    given: set[str] = set()
    for case in range(seed, seed + way.cases):
        grads = layer.gradients(case, False)
        given |= grads.keys()
        rows += [(case, one) for one in slopes_of(layer, case, False, way.params, grads)]
    return Tried(number, way, rows, [name for name in way.params if name not in given])


def _judge(layer: OwnLayerSubject, verdict: Verdict, found: Sequence[Tried], seed: int) -> None:
    """Right where a reading is; wrong where none is and no other is left."""
    usable = [one for one in found if one.measured and one.rows]
    fit = [one for one in usable if one.ok and not one.flat]
    fit = fit or [one for one in usable if one.close and not one.flat]
    right = min(fit, key=lambda one: len(one.missing), default=None)
    wrong = [one for one in usable if not one.ok and not one.close]
    if not usable:
        verdict.unchecked = FEW
    elif all(one.flat for one in usable):
        verdict.unchecked = FLAT
    elif right is None:
        if (first := _by_one_slope(layer, wrong, seed)) is not None:
            _right(verdict, first)
            verdict.buts = [FIRST_SLOPE]
        elif all(one.way.sure for one in wrong):
            _wrong(layer, verdict, wrong[0])
        else:
            verdict.unchecked = OPEN
    else:
        others = [one for one in wrong if one.way.form != right.way.form and not one.way.single]
        others = [one for one in others if one.way.form not in {each.way.form for each in fit}]
        more = next((one for one in others if {*right.missing} - {*one.missing}), None)
        batch = BATCHES.get(right.way.form, "")
        several = next((one for one in others if one.way.form == batch and one.way.sure), None)
        if several is not None and all(one.way.sure for one in others):
            _wrong(layer, verdict, several)  # one row shows no mean over rows
        elif more is not None and more.way.sure and not right.way.single:
            _wrong(layer, verdict, more)  # of a gradient that the right ones lack
        elif right.way.every:
            _right(verdict, right)
            forms = [one.way.form for one in fit if one is not right]
            verdict.called += "".join(f"; also {form}" for form in forms)
            verdict.buts = [*verdict.buts, *(f"for {one.way.form} {_not_its_own(one)}" for one in others)]
        elif others:
            verdict.unchecked = (
                f"its gradients are those of its forward for {right.way.form} and not for "
                f"{others[0].way.form}: which of them it is meant for is not known"
            )
        else:
            _right(verdict, right)


def _by_one_slope(layer: OwnLayerSubject, wrong: Sequence[Tried], seed: int) -> Tried | None:
    """The first of the ways that is right where one number of dout alone is not 0."""
    layer.one_slope(True)
    for one in [each for each in wrong if each.way.looks_for_one]:
        way = replace(layer.use_layer(one.number), cases=MANY)
        again = _tried(layer, one.number, way, seed)
        if again.ok and again.measured and not again.flat:
            return again
    layer.one_slope(False)
    return None


def _right(verdict: Verdict, tried: Tried) -> None:
    verdict.called, without = tried.way.called, tried.way.without
    verdict.claim = OF_ROWS if tried.way.rows else verdict.claim
    verdict.records = _records(tried)
    if not tried.ok:
        worst = max(one.comparison.max_rel for _, one in tried.rows if not one.ok)
        verdict.buts = [f"its gradients are those of its forward only up to {worst:.0e} of their size"]
    verdict.not_checked = [
        OUTSIDE if tried.way.rows else FORWARD,
        *(["several rows at once"] if tried.way.single and tried.way.form != NUMBER else []),
        *([f"the gradient of {', '.join(without)}, which it does not give"] if without else []),
        *([f"gradients of {', '.join(tried.missing)}, which were not found"] if tried.missing else []),
    ]


def _not_its_own(tried: Tried) -> str:
    names = list(dict.fromkeys(one.name for _, one in tried.rows if not one.ok))
    return f"the gradient of {', '.join(names)} is not that of its forward"


def _records(tried: Tried) -> list[Record]:
    place = Place("", "float64", "cpu")
    return [
        record(place, OWN_LAYER, "backward", f"d{one.name}", one.comparison, f"random numbers {case + 1}")
        for case, one in tried.rows
    ]


def _wrong(layer: OwnLayerSubject, verdict: Verdict, tried: Tried) -> None:
    """Which gradients are not those of its forward, at which place, and what they are instead."""
    if tried.way.before_softmax and factor_of(next(one for _, one in tried.rows if not one.ok)) is None:
        verdict.unchecked = BEFORE_SOFTMAX
        return
    verdict.called, verdict.records = tried.way.called, _records(tried)
    verdict.wrong_function = verdict.name.rpartition(":")[2].partition(",")[2]
    verdict.not_checked = [OUTSIDE if tried.way.rows else FORWARD]
    verdict.claim = OF_ROWS if tried.way.rows else verdict.claim
    layer.use_layer(tried.number)
    wrong = [one for _, one in tried.rows if not one.ok]
    first = wrong[0]
    row = next(r for r in verdict.records if not r.ok)
    if first.given is not None:
        at = int(np.argmax(np.where(first.sure, np.abs(first.given - first.numeric), -1)))
        where = tuple(map(int, np.unravel_index(int(first.at[at]), first.comparison.shape)))
        shown = f"shown at {where}" if where else ""
        verdict.first = First(row, np.asarray(first.given[at]), np.asarray(first.numeric[at]), shown)
    else:
        verdict.first = First(row)
    names = list(dict.fromkeys(one.name for one in wrong))
    rights = [name for name in dict.fromkeys(one.name for _, one in tried.rows) if name not in names]
    said = f"the gradient of {', '.join(names)} is not that of its own forward"
    said += f"; right: that of {', '.join(rights)}" if rights else ""
    firsts = {one.name: one for one in reversed(wrong)}
    for name in names:
        times = factor_of(firsts[name])
        if times is not None and times != 0:
            shapes = [tried.way.params[one] for one in tried.way.inputs]
            rows = max(shapes[0][:1], default=1) if shapes else 1  # an embedding has no such input
            said += f"; that of {name} is {of_times(times, rows, 1)} that of its forward"
        elif firsts[name].given is not None and not np.any(firsts[name].given):
            said += f"; that of {name} is zero everywhere"
    line = layer.line(first.name)
    verdict.culprit = Culprit(OWN_LAYER, "backward", f"d{first.name}", said + (f" ({line})" if line else ""))


def _reproduction(factory: Any, seed: int) -> str:
    target = repr(factory) if isinstance(factory, str) else name_of(factory)
    return "\n".join(
        [
            "import parity",
            f"verdict = parity.verify({target}, {OWN_LAYER!r}, seed={seed})",
            'print(verdict.wrong[["case", "tensor", "max_abs", "allowed", "why"]].to_string())',
        ]
    )
