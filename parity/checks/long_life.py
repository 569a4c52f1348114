"""What a layer owes over a longer life: many calls, batches of other sizes, a second instance, odd memory.

Like the contracts, each is a scenario on one probe, in float64. A single call cannot show these bugs: a
counter that runs out, a buffer of the first batch's size, state on the class, strides taken for granted.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from parity.adapters.bench import Raised
from parity.adapters.recipe import recipe
from parity.adapters.subject import Arrays, Subject
from parity.checks.other_operands import OTHER_OPERANDS, other_operands
from parity.checks.used_twice import USED_TWICE, used_twice
from parity.comparison.gates import Comparison, logic_gate
from parity.kinds import kind_of
from parity.kinds.kinks import as_pytorch, kinks_of
from parity.kinds.probe import Probe
from scratchcnn.typing import Array

Judge = Callable[[Probe, dict[str, Any]], dict[str, Comparison]]
Found = Iterator[tuple[str, Comparison]]
Scenario = Callable[[Subject, Probe, Judge], Found]
OF_EXTREMES = ("max_pooling", "max_pooling_options", "min_pooling")
OTHER_BATCHES = "batches of another size than it was built for"
CALLS = 100  # forward and backward calls of one instance
CHANGED = "another answer"  # to a call that was answered rightly before


def many_calls(subject: Subject, probe: Probe, judge: Judge) -> Found:
    """A hundred calls of one instance, on batches of several sizes in turn, all give the right results."""
    layer, turns = subject.build(probe), [probe, *other_batches(probe)]
    if subject.convention is not None and subject.convention.built_for_batch:
        subject.leave_unasked(OTHER_BATCHES)
        turns = [probe]
    known: list[Arrays] = []
    for call in range(CALLS):
        turn = turns[call % len(turns)]
        found = layer.results(turn.inputs)
        if call < len(turns):
            known.append(found)
        elif same_results(found, known[call % len(turns)]):
            continue
        judged = dict(but_running(judge(turn, found)))
        if call >= len(turns):
            judged = {name: _changed(c, call) for name, c in judged.items()}
        if call == len(turns) - 1 or not all(c.ok for c in judged.values()):
            yield from judged.items()
        if not all(c.ok for c in judged.values()):
            return


def _changed(found: Comparison, call: int) -> Comparison:
    if found.ok or found.why:
        return found
    return replace(found, why=f"{CHANGED}: wrong at call {call + 1}, and right at the same call before")


def two_instances(subject: Subject, probe: Probe, judge: Judge) -> Found:
    """Forward of two objects, then backward of both: neither knows of the other."""
    if recipe(probe.kind).role == "function":
        return
    turned = {k: _turned(v) for k, v in probe.inputs.items() if k in ("x", "dout")}
    alike = replace(probe, inputs={**probe.inputs, **turned}, id=f"{probe.id}, another")
    name = recipe(probe.kind).out
    for other in {turn.id: turn for turn in (alike, [alike, *other_batches(alike)][-1])}.values():
        first, second = subject.build(probe), subject.build(other)  # of one size, then of two
        out, out_of_other = first.forward(), second.forward()
        dx, dx_of_other = first.backward(), second.backward()
        found = dict(but_running(judge(probe, {name: out, "dx": dx, **first.state()})))
        yield from found.items()
        if all(c.ok for c in found.values()):
            found = dict(but_running(judge(other, {name: out_of_other, "dx": dx_of_other, **second.state()})))
            yield from found.items()
        if not all(c.ok for c in found.values()):
            return


def memory_layouts(subject: Subject, probe: Probe, judge: Judge) -> Found:
    """x and dout may lie in memory in any way: as columns, with gaps, backwards; and be read-only.

    What a call may borrow to work in (`Kind.borrows`) is never read-only.
    """
    borrowed = kind_of(probe.kind).borrows
    for lay in LAYOUTS:
        inputs = {
            k: v if not isinstance(v, np.ndarray) or (lay is read_only and k in borrowed) else lay(v)
            for k, v in probe.inputs.items()
        }
        judged = dict(but_running(judge(probe, subject.build(probe).results(inputs))))
        yield from judged.items()
        if not all(c.ok for c in judged.values()):
            return


def one_sign(subject: Subject, probe: Probe, judge: Judge) -> Found:
    """x of pixels (none negative), x of zeros, dout of ones: nothing may hold for mixed signs only."""
    for change in ONE_SIGN if kind_of(probe.kind).within is None else ():
        inputs = {k: change[k](v) if k in change else v for k, v in probe.inputs.items()}
        turn = replace(probe, inputs=inputs, id=f"{probe.id}, of one sign")
        if not subject.takes(turn):  # equal scores, say, where it takes probabilities
            continue
        found = subject.build(turn).results(turn.inputs)
        if isinstance(dx := found.get("dx"), np.ndarray) and kinks_of(turn):  # many x are at the kink
            found["dx"] = as_pytorch(turn, dx, kind_of(turn.kind).reference(turn)["dx"])
        judged = dict(but_running(judge(turn, found)))
        if turn.kind in OF_EXTREMES and not np.any(turn.inputs["x"]):
            judged.pop("dx")  # whose gradient equal pixels get is judged on inputs of their own
        yield from judged.items()
        if not all(c.ok for c in judged.values()):
            return


def odd_numbers(subject: Subject, probe: Probe, judge: Judge) -> Found:
    """An image of NaN and one of infinities among the others: the others' results stay right.

    What becomes of the odd image itself is not judged, and code may refuse it.
    """
    kind, x = kind_of(probe.kind), probe.inputs.get("x")
    if x is None or len(x) < 2 or not by_image(probe.kind) or down_the_batch(probe):
        return
    for value in (np.nan, np.inf):
        odd = x.copy()
        odd[0] = value
        turn = replace(probe, inputs={**probe.inputs, "x": odd}, id=f"{probe.id}, an image of {value}")
        try:
            with np.errstate(all="ignore"), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                theirs = kind.reference(turn)
                found = subject.build(turn).results(turn.inputs)
        except Raised:
            continue
        for name in (recipe(probe.kind).out, "dx"):
            mine, right = found.get(name), theirs.get(name)
            if isinstance(mine, np.ndarray) and right is not None and mine.shape == right.shape:
                yield name, logic_gate(mine[1:], right[1:], kind.rtol)


def by_image(kind: str) -> bool:
    """Whether a layer of the kind processes images independently."""
    return recipe(kind).role == "layer" and not kind.startswith("batch_norm")


def down_the_batch(probe: Probe) -> bool:
    """Whether it is asked for along the first axis, where each image meets the others."""
    x = probe.inputs.get("x")
    return x is not None and probe.args.get("axis") in (0, -x.ndim)


# -- inputs ----------------------------------------------------------------------------------------
def other_batches(probe: Probe) -> list[Probe]:
    """The probe with one of its images, and with all of them twice."""
    first = next((v for k, v in probe.inputs.items() if k in ("x", "input_data")), None)
    if first is None or first.ndim < 2:
        return []
    N = len(first)

    def batch(name: str, take: Callable[[Array], Array]) -> Probe:
        inputs = {
            k: take(v) if isinstance(v, np.ndarray) and v.ndim and len(v) == N else v
            for k, v in probe.inputs.items()
        }
        return replace(probe, inputs=inputs, id=f"{probe.id}, {name}")

    twice = batch("twice", lambda a: np.concatenate([a, a[::-1]]))
    return (
        [twice]
        if probe.kind.startswith("batch_norm")
        else [batch("one image", lambda a: a[:1].copy()), twice]
    )


def _turned(a: Array) -> Array:
    """The numbers in another order, so that two objects do not get the same ones."""
    return np.ascontiguousarray(a.ravel()[::-1].reshape(a.shape))


def as_columns(a: Array) -> Array:
    """Column by column, as Fortran and MATLAB keep it."""
    return np.asfortranarray(a)


def with_gaps(a: Array) -> Array:
    """Every second number of a larger array."""
    if a.ndim == 0:
        return a
    wide = np.full((*a.shape[:-1], 2 * a.shape[-1]), 7, dtype=a.dtype)
    wide[..., ::2] = a
    return wide[..., ::2]


def backwards(a: Array) -> Array:
    """With negative strides."""
    return np.ascontiguousarray(a[::-1])[::-1] if a.ndim else a


def read_only(a: Array) -> Array:
    """As memory-mapped files and broadcast arrays are."""
    fixed = a.copy()
    fixed.flags.writeable = False
    return fixed


def above_zero(a: Array) -> Array:
    positive: Array = np.abs(a) + a.dtype.type(0.25)
    return positive


ONE_SIGN: tuple[dict[str, Callable[[Array], Array]], ...] = (
    {"x": above_zero, "input_data": above_zero, "col": above_zero, "dout": np.ones_like},
    {"x": np.zeros_like, "input_data": np.zeros_like, "col": np.zeros_like},
)
LAYOUTS = (as_columns, with_gaps, backwards, read_only)


def same_results(a: Arrays, b: Arrays) -> bool:
    """Whether every result but the running statistics has the same bits."""
    names = [name for name in b if not name.startswith("running")]
    return all(
        isinstance(a.get(n), np.ndarray) and isinstance(b[n], np.ndarray) and np.array_equal(a[n], b[n])
        for n in names
    )


def but_running(judged: dict[str, Comparison]) -> Found:
    """Running statistics move with every forward, so only single calls are judged on them."""
    return ((tensor, c) for tensor, c in judged.items() if not tensor.startswith("running"))


LIVES: dict[str, Scenario] = {
    "a hundred calls": many_calls,
    "two instances at once": two_instances,
    "memory layouts": memory_layouts,
    "one sign": one_sign,
    "NaN and infinity": odd_numbers,
    USED_TWICE: used_twice,
    OTHER_OPERANDS: other_operands,
}
FLOAT64_ALONE = ("NaN and infinity",)  # judged by its measure
