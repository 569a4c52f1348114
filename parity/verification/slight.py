"""What is not right although the numbers are (`slight_names`).

Such a result is a difference of its own sort. Its mathematics is right, which is what a learner has
to read first; it is named, so that it can be declared and taken away, and everything else is judged as ever.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from parity.checks.contracts import AFTER_ANOTHER, KEPT
from parity.checks.layer import judge
from parity.checks.rounded_inputs import ROUNDED
from parity.comparison.records import Place, Record, record
from parity.faults.diagnose import PLAIN, Observation
from parity.faults.diagnose_dtypes import NAME as WIDENED_NAME
from parity.kinds import Probe, kind_of
from parity.kinds.followed import parts_of
from parity.verification import flat_dx, kept_axis, single_precision
from parity.verification.slight_names import (
    AGAIN,
    AT_KINK,
    AVERAGES,
    CLIPS,
    FLAT,
    HIDING,
    IN_PLACE,
    INSIDE_LOG,
    KEEPS_AXIS,
    NAMES,
    NEW_ARRAYS,
    OTHER_EPS,
    OVERFLOW,
    OWN_VARIANCE,
    PUBLISHED,
    RAISES_AGAIN,
    REUSES,
    ROUNDS,
    SATURATING,
    SINGLE,
    SPOILS,
    TURNED,
    UNCHANGED,
    UNDECAYED,
    WRITES,
    WRITES_GRADIENTS,
)
from parity.verification.slight_readings import (
    Slight,
    averaged,
    exact_of,
    is_right,
    is_widened,
    narrow,
    widened_too,
    with_a_constant,
    with_another_eps,
    with_clipped_input,
    with_constant_in_sum,
    with_constants_of_loss,
    with_other_slopes,
    with_own_variance,
    with_published_form,
    with_rounded_constants,
    with_shared_ties,
    with_turned_kernel,
)
from parity.verification.undecayed_biases import with_undecayed_biases

OF_ONE_READING = (
    OTHER_EPS,
    OWN_VARIANCE,
    AT_KINK,
    AVERAGES,
    PUBLISHED,
    UNDECAYED,
    TURNED,
    KEEPS_AXIS,
    CLIPS,
    FLAT,
    ROUNDS,
)
LARGE = 50.0  # of two such logits, of both signs, one has the probability 0 in float32
RAISES_OVERFLOW = re.compile(r"raised (\w+)(?:(?<=OverflowError)|: .*overflow)", re.IGNORECASE)


def slight_ones(seen: Observation, cases: Iterable[Probe]) -> list[Slight]:
    """Those of the failed records that say nothing against the numbers."""
    if all(row.ok for row in seen.records):
        return []
    by_id = {probe.id: probe for probe in cases}
    ones = _ones(seen, by_id)
    return with_undecayed_biases(seen, by_id, {id(one.row) for one in ones}, _ones) or ones


def _ones(seen: Observation, by_id: Mapping[str, Probe]) -> list[Slight]:
    found = (_looked_at(row, seen, by_id) for row in seen.records if not row.ok)
    ones = _kept_in_all([one for one in found if one is not None], seen)
    ones += with_a_constant(seen, by_id, {id(one.row) for one in ones})
    choices = with_another_eps(seen, by_id, {id(one.row) for one in ones})
    choices += with_own_variance(seen, by_id, {id(one.row) for one in (*ones, *choices)})
    ones += [*widened_too(seen, choices), *choices]
    ones += averaged(seen, by_id, {id(one.row) for one in ones})
    ones += with_published_form(seen, by_id, {id(one.row) for one in ones})
    ones += with_other_slopes(seen, by_id, {id(one.row) for one in ones})
    ones += with_constant_in_sum(seen, by_id, {id(one.row) for one in ones})
    ones += with_constants_of_loss(seen, by_id, {id(one.row) for one in ones})
    ones += with_clipped_input(seen, by_id, {id(one.row) for one in ones})
    ones += with_rounded_constants(seen, by_id, {id(one.row) for one in ones})
    ones += with_shared_ties(seen, by_id, {id(one.row) for one in ones})
    turned = with_turned_kernel(seen, by_id, {id(one.row) for one in ones})
    ones += [*widened_too(seen, turned), *turned]
    rounded = single_precision.rounded_to_float32(seen, by_id, {id(one.row) for one in ones})
    ones += [Slight(row, SINGLE, exact_of(by_id[row.case], row)) for row in rounded]
    writes = [one.name for one in ones if one.row.phase == UNCHANGED]
    raised = [
        row for row in seen.records if not row.ok and _read_only(row)
    ]  # by the same write, or `dout *= 1`
    names = writes[:1] or [_write_that_raised(row, seen.kind) for row in raised[:1]]
    return ones + [Slight(row, name) for name in names if name for row in raised]


def _kept_in_all(ones: list[Slight], seen: Observation) -> list[Slight]:
    """Without gradients that keep an axis on some inputs alone: of one sample (1, out) shows nothing."""
    kept = {id(one.row) for one in ones if one.name == KEEPS_AXIS}
    others = {row.tensor for row in seen.records if not row.ok and row.phase in PLAIN and id(row) not in kept}
    return [one for one in ones if id(one.row) not in kept or one.row.tensor not in others]


def removable(seen: Observation, cases: Sequence[Probe]) -> list[Slight]:
    """What can be taken away before the rest is judged: the slight ones, and the dtype of wrong numbers."""
    ones = slight_ones(seen, cases)
    done = {id(one.row) for one in ones}
    for row in seen.records:
        value = seen.values.get(row.dtype, {}).get(row.case, {}).get(row.tensor)
        if id(row) not in done and value is not None and row.phase in PLAIN and is_widened(row):
            ones.append(Slight(row, WIDENED_NAME, narrow(value)))
    return ones


def _looked_at(row: Record, seen: Observation, by_id: Mapping[str, Probe]) -> Slight | None:
    """`_slight`, once for a record as long as its input and its number are the same."""
    of = row, by_id.get(row.case), seen.values.get(row.dtype, {}).get(row.case, {}).get(row.tensor)
    before = seen.looked_at.get(id(row))
    if before is None or any(a is not b for a, b in zip(before[0], of, strict=True)):
        before = seen.looked_at[id(row)] = of, _slight(row, seen, by_id)
    found: Slight | None = before[1]
    return found


def _slight(row: Record, seen: Observation, by_id: Mapping[str, Probe]) -> Slight | None:
    probe = by_id.get(row.case)
    if row.phase == UNCHANGED and row.why == "was written into":
        name = _written(row, seen.kind)
        return Slight(row, name) if name else None
    if row.phase == AGAIN and row.why.startswith("raised"):  # it frees what forward kept, as PyTorch does
        return Slight(row, RAISES_AGAIN)
    if row.why == ROUNDED:
        return Slight(row, SINGLE) if kind_of(seen.kind).role != "optimizer" else None
    if row.phase == AGAIN and row.tensor == "dx" and not row.why:  # it works in what forward kept
        return Slight(row, SPOILS) if kind_of(seen.kind).role == "loss" else None
    if row.phase == IN_PLACE:
        return Slight(row, NEW_ARRAYS)
    if row.phase == KEPT and not row.tensor.endswith(AFTER_ANOTHER):
        return Slight(row, REUSES) if kind_of(seen.kind).role in ("layer", "loss") else None
    if probe is None or row.phase not in PLAIN:
        return None
    if RAISES_OVERFLOW.match(row.why):  # as math.exp does, and whoever looks for an infinity
        return Slight(row, OVERFLOW) if _saturates(seen.kind, probe) else None
    value = seen.values.get(row.dtype, {}).get(row.case, {}).get(row.tensor)
    if value is None:
        return None
    if row.tensor == "dx" and parts_of(seen.kind)[0] in flat_dx.KINDS:
        exact = exact_of(probe, row)
        if flat_dx.is_flat(value, exact):
            shaped = value.reshape(exact.shape).astype(exact.dtype)
            return Slight(row, FLAT, shaped, flat_dx.SAYS) if is_right(probe, row, shaped) else None
    if row.tensor in kept_axis.KINDS.get(parts_of(seen.kind)[0], ()):
        exact = exact_of(probe, row)
        if says := kept_axis.says(row.tensor, value, exact):
            summed = value.reshape(exact.shape).astype(exact.dtype)
            return Slight(row, KEEPS_AXIS, summed, says) if is_right(probe, row, summed) else None
    widened = is_widened(row)
    if not (widened or row.why == "not finite"):
        return None
    name, value = WIDENED_NAME, narrow(value) if widened else value
    if not np.isfinite(value).all():
        if not _saturates(seen.kind, probe):
            return None
        name, value = OVERFLOW, np.where(np.isfinite(value), value, exact_of(probe, row))
    return Slight(row, name, value) if is_right(probe, row, value) else None


def _saturates(kind: str, probe: Probe) -> bool:
    """Whether an exponential in it may overflow on that input."""
    return (parts_of(kind)[1] or kind) in SATURATING and _largest(probe) >= LARGE


def _read_only(row: Record) -> bool:
    return row.phase in ("memory layouts", "contracts") and "read-only" in row.why


def _write_that_raised(row: Record, kind: str) -> str:
    """The name of a write that changed no number: into dout where a gradient lacks by it, else into x."""
    name = WRITES["dout" if row.tensor.startswith("d") else "x"]
    return name if kind_of(kind).role in ("layer", "loss") else ""


def _written(row: Record, kind: str) -> str:
    """The name of a write into what the caller still needs; nothing for weights or a function's input."""
    what, role = row.tensor.removesuffix(" unchanged"), kind_of(kind).role
    if role == "optimizer":
        return WRITES_GRADIENTS if what.startswith("gradient ") else ""
    return WRITES.get(what, "") if role in ("layer", "loss") else ""


def _largest(probe: Probe) -> float:
    return float(np.abs(probe.inputs["x"]).max(initial=0))


def sentences(ones: Sequence[Slight], cases: Iterable[Probe]) -> list[str]:
    """A sentence per name: what differs, and in which results."""
    by_id = {probe.id: probe for probe in cases}
    lines = []
    for name in dict.fromkeys(one.name for one in ones):
        rows = [one.row for one in ones if one.name == name]
        shown = [row.tensor for row in rows if row.phase in PLAIN or row.why == ROUNDED]
        tensors = ", ".join(dict.fromkeys(shown))
        if name == WIDENED_NAME:
            lines.append(f"float64 comes out of float32 ({tensors})")
        elif name == SINGLE:
            lines.append(f"it computes in float32 although float64 comes in ({tensors})")
        elif name == INSIDE_LOG:
            says = {one.row.tensor: one.says for one in ones if one.name == name}
            lines += [f"the loss is {says['loss']}, which caps it"] if "loss" in says else []
            lines += [f"dx is {says['dx']}, which keeps a division by 0 away"] if "dx" in says else []
        elif name in OF_ONE_READING:
            lines.append(next(one.says for one in ones if one.name == name))
        elif name == REUSES:
            which = dict.fromkeys(row.tensor for row in rows)
            lines.append(f"its own next call writes into the array that it returned ({', '.join(which)})")
        elif name == OVERFLOW:
            size = min(_largest(by_id[row.case]) for row in rows)
            raised = [found[1] for row in rows if (found := RAISES_OVERFLOW.match(row.why))]
            how = f"it raises {raised[0]}" if len(raised) == len(rows) else f"{tensors} not finite"
            lines.append(f"it overflows at inputs of {size:.0f} ({how})")
        elif name == SPOILS:
            lines.append("a second backward without a new forward gives another dx")
        elif name == RAISES_AGAIN:
            lines.append("a second backward without a new forward raises")
        elif name == NEW_ARRAYS:
            lines.append(
                "its update puts new arrays into params: a layer that holds the old ones keeps their values"
            )
        else:
            lines.append(f"it {NAMES[name].replace('a write', 'writes')}, which the caller may still need")
    return lines


def without_slight(seen: Observation, ones: Iterable[Slight], cases: Iterable[Probe]) -> Observation:
    """The observation as it would be if those were mended, for the judgement of everything else."""
    by_id = {probe.id: probe for probe in cases}
    mended = {id(one.row): one for one in ones}
    records, values = [], {dtype: dict(found) for dtype, found in seen.values.items()}
    hidden = set(seen.hidden)
    for row in seen.records:
        one = mended.get(id(row))
        if one is None:
            records.append(row)
            continue
        if one.value is None:
            records.append(replace(row, ok=True, why=""))
            hidden |= {(row.case, row.tensor)} if one.name == OVERFLOW else set()
            continue
        place = Place(row.network, row.dtype, row.device)
        found = judge(by_id[row.case], {row.tensor: one.value}, row.dtype, keep=True)[row.tensor]
        records.append(record(place, row.layer, row.phase, row.tensor, found, row.case))
        kept = dict(values[row.dtype][row.case])
        kept[row.tensor] = one.value
        if one.name in HIDING:
            del kept[row.tensor]
            hidden.add((row.case, row.tensor))
        values[row.dtype][row.case] = kept
    return replace(seen, records=records, values=values, hidden=hidden)
