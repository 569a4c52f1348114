"""What is not right although the numbers are: float64 out of float32, a write into dout, an overflow, a
small constant inside a logarithm, another eps, the batches' own variance in the running one, the other slope
at a kink, float32 whatever comes in, a second backward that raises, new arrays from an optimizer, a velocity
that averages.

Such a result is a difference of its own sort. Its mathematics is right, which is what a learner has
to read first; it is named, so that it can be declared and taken away, and everything else is judged as ever.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from parity.checks.contracts import AFTER_ANOTHER, KEPT
from parity.checks.layer import judge
from parity.comparison.records import Place, Record, record
from parity.faults.diagnose import PLAIN, Observation
from parity.faults.diagnose_dtypes import NAME as WIDENED_NAME
from parity.faults.diagnose_dtypes import WIDENED
from parity.kinds import Probe, kind_of
from parity.kinds.kinks import OF_KIND, as_pytorch
from parity.verification import (
    at_kinks,
    averaged_velocity,
    inside_binary_log,
    inside_log,
    other_eps,
    own_variance,
    shared_ties,
    single_precision,
)
from scratchcnn.typing import Array

UNCHANGED, AGAIN, IN_PLACE = "arguments unchanged", "backward twice", "updated in place"  # contracts
OVERFLOW = "overflow-at-large-inputs"
INSIDE_LOG = "small-constant-inside-the-logarithm"
OTHER_EPS = "another-eps"
OWN_VARIANCE = own_variance.NAME
HIDING = (OVERFLOW, INSIDE_LOG, OTHER_EPS)  # what it would have been is not known: it speaks for no bug
WRITES = {"dout": "writes-into-dout", "x": "writes-into-x", "t": "writes-into-t"}
WRITES_GRADIENTS = "writes-into-grads"
RAISES_AGAIN = "second-backward-raises"
NEW_ARRAYS = "new-arrays-in-params"
AT_KINK = "other-slope-at-the-kink"
SINGLE = "float32-from-float64"
AVERAGES = "velocity-averages"
REUSES = "reuses-its-results"
NAMES = {  # as `--allow` takes them -> what a diagnosis calls each
    WIDENED_NAME: "float64 from float32",
    **{name: f"a write into {what}" for what, name in WRITES.items()},
    WRITES_GRADIENTS: "a write into the gradients",
    REUSES: "results that are written over by its own next call",
    OVERFLOW: "an overflow at large inputs",
    INSIDE_LOG: "a small constant inside the logarithm",
    OTHER_EPS: "another eps",
    OWN_VARIANCE: "the biased variance in the running one",
    RAISES_AGAIN: "a second backward that raises",
    NEW_ARRAYS: "new arrays in params",
    AT_KINK: "the other slope at the kink",
    SINGLE: "float32 from float64",
    AVERAGES: "a velocity that averages the gradients",
}
LOSSES = ("softmax_with_loss", "weighted_cross_entropy")
SATURATING = (
    "sigmoid",
    "tanh",
    "silu",
    "elu",
    "selu",
    "softplus",
    "softmax",
    *LOSSES,
)  # kinds with an exponential
LARGE = 50.0  # of two such logits, of both signs, one has the probability 0 in float32
RAISES_OVERFLOW = "raised OverflowError"
Reading = Callable[
    [Iterable[tuple[Probe, str, Array]]], str
]  # what gives all of these results; "" if nothing


@dataclass(frozen=True)
class Slight:
    """One result whose numbers are right: the record, its name in NAMES, what it should have been, what it is
    in its own words, and the eps that gives it."""

    row: Record
    name: str
    value: Array | None = None
    says: str = ""
    eps: other_eps.Eps | None = None


def names_of(kind: str) -> dict[str, str]:
    """Those of NAMES that an implementation of the kind can have."""
    known = kind_of(kind)
    there = dict.fromkeys((WIDENED_NAME, SINGLE), "float32" in known.dtypes)
    there[OVERFLOW] = kind in SATURATING
    there[SINGLE] &= known.role != "optimizer"
    there[INSIDE_LOG] = kind in (*inside_log.KINDS, inside_binary_log.KIND)
    there[OTHER_EPS] = kind in other_eps.KINDS
    there[AVERAGES] = kind in averaged_velocity.KINDS
    there[OWN_VARIANCE] = kind in own_variance.KINDS
    there[AT_KINK] = kind in (*OF_KIND, *shared_ties.KINDS)
    there |= dict.fromkeys(WRITES.values(), known.role in ("layer", "loss"))
    there |= {WRITES["t"]: known.role == "loss", WRITES["dout"]: known.role == "layer"}
    there[RAISES_AGAIN] = known.role in ("layer", "loss")
    there |= dict.fromkeys((WRITES_GRADIENTS, NEW_ARRAYS), known.role == "optimizer")
    there[REUSES] = known.role in ("layer", "loss")
    return {name: says for name, says in NAMES.items() if there[name]}


def besides_names(text: str) -> list[str]:
    """The names of what a diagnosis says besides."""
    return [name for name, says in NAMES.items() if says in text]


def slight_ones(seen: Observation, cases: Iterable[Probe]) -> list[Slight]:
    """Those of the failed records that say nothing against the numbers."""
    by_id = {probe.id: probe for probe in cases}
    found = (_slight(row, seen, by_id) for row in seen.records if not row.ok)
    ones = [one for one in found if one is not None]
    ones += _with_a_constant(seen, by_id, {id(one.row) for one in ones})
    choices = _with_another_eps(seen, by_id, {id(one.row) for one in ones})
    choices += _with_own_variance(seen, by_id, {id(one.row) for one in (*ones, *choices)})
    ones += [*_widened_too(seen, choices), *choices]
    ones += _averaged(seen, by_id, {id(one.row) for one in ones})
    ones += _at_kinks(seen, by_id, {id(one.row) for one in ones})
    ones += _with_shared_ties(seen, by_id, {id(one.row) for one in ones})
    rounded = single_precision.rounded_to_float32(seen, by_id, {id(one.row) for one in ones})
    ones += [Slight(row, SINGLE, _exact(by_id[row.case], row)) for row in rounded]
    writes = [one.name for one in ones if one.row.phase == UNCHANGED]
    if writes:  # the same write raises where the array is read-only
        ones += [Slight(row, writes[0]) for row in seen.records if not row.ok and _read_only(row)]
    return ones


def _with_a_constant(seen: Observation, by_id: Mapping[str, Probe], done: set[int]) -> list[Slight]:
    """What differs by a small constant inside the logarithm alone: losses, and dx of a binary one."""
    readings: dict[str, Reading] = {}
    if seen.kind in inside_log.KINDS:
        readings = {"loss": inside_log.constant_inside}
    elif seen.kind == inside_binary_log.KIND:
        readings = {
            tensor: partial(inside_binary_log.constant_in, tensor) for tensor in inside_binary_log.FORMS
        }
    return [one for name, reading in readings.items() for one in _read_as(seen, by_id, done, name, reading)]


def _read_as(
    seen: Observation, by_id: Mapping[str, Probe], done: set[int], tensor: str, reading: Reading
) -> list[Slight]:
    """The rows of that tensor that are wrong, where one reading gives all that is finite, right or wrong."""
    rows = [
        (row, value)
        for row in seen.records
        if row.tensor == tensor and row.phase in PLAIN and id(row) not in done and row.case in by_id
        if (value := seen.values.get(row.dtype, {}).get(row.case, {}).get(tensor)) is not None
        if np.isfinite(value).all() and (seen.kind not in inside_log.KINDS or np.shape(value) == ())
    ]

    def read(some: Sequence[tuple[Record, Array]]) -> list[Slight]:
        wrong = [row for row, _ in some if not row.ok]
        says = reading((by_id[row.case], row.dtype, value) for row, value in some) if wrong else ""
        return [Slight(row, INSIDE_LOG, _exact(by_id[row.case], row), says) for row in wrong if says]

    if (found := read(rows)) or seen.kind not in inside_log.KINDS:
        return found
    apart: tuple[list[tuple[Record, Array]], ...] = ([], [])  # code has a branch for each form of labels
    for row, value in rows:
        apart[np.ndim(by_id[row.case].inputs["t"]) == 1].append((row, value))
    return [one for some in apart if all(apart) for one in read(some)]


def _with_another_eps(seen: Observation, by_id: Mapping[str, Probe], done: set[int]) -> list[Slight]:
    """The results that differ by another eps alone, which must give all others that have one."""
    if seen.kind not in other_eps.KINDS:
        return []
    wrong, values, there = _of_single_calls(seen, by_id, done, other_eps.WITHOUT)
    given = [(by_id[case], dtype, found) for (case, dtype), found in values.items()]
    eps = other_eps.eps_of(seen.kind, given) if there and wrong else None
    if eps is None and any(row.tensor == "out" for row in wrong):  # where forward shows it, gradients may be
        outs = [(p, d, {"out": found["out"]}) for p, d, found in given if "out" in found]  # wrong besides
        eps = other_eps.eps_of(seen.kind, outs) if outs else None
        wrong = [row for row in wrong if eps and _is_given(eps, by_id[row.case], row, values)]
    if eps is None:
        return []
    says = eps.says(seen.kind)
    return [Slight(row, OTHER_EPS, _exact(by_id[row.case], row), says, eps) for row in wrong]


def own_eps(ones: Iterable[Slight]) -> float | None:
    """The eps of its own that some of these have where PyTorch has its own; None without one."""
    found = next((one.eps for one in ones if one.eps is not None), None)
    return found.value if found is not None and not found.place else None


def but_eps(ones: Iterable[Slight]) -> list[Slight]:
    """Those that are no matter of another eps."""
    return [one for one in ones if one.name != OTHER_EPS]


def _with_own_variance(seen: Observation, by_id: Mapping[str, Probe], done: set[int]) -> list[Slight]:
    """The running variances that average the batches' own alone, which must be so in every one."""
    if seen.kind not in own_variance.KINDS:
        return []
    rows = [
        (row, _narrow(value) if _is_widened(row) else value)
        for row in seen.records
        if row.tensor == own_variance.TENSOR and row.phase in PLAIN and id(row) not in done
        if row.case in by_id and (value := _value(seen, row)) is not None
    ]
    wrong = [row for row, _ in rows if not row.ok]
    if not wrong or not all(own_variance.gives(by_id[row.case], row.dtype, value) for row, value in rows):
        return []
    exact = (_exact(by_id[row.case], row) for row in wrong)
    return [Slight(row, OWN_VARIANCE, a, own_variance.SAYS) for row, a in zip(wrong, exact, strict=True)]


def _widened_too(seen: Observation, ones: Iterable[Slight]) -> list[Slight]:
    """Those of the results that are float64 out of float32 besides."""
    widened = [(one.row, _value(seen, one.row)) for one in ones if _is_widened(one.row)]
    return [Slight(row, WIDENED_NAME, _narrow(a)) for row, a in widened if a is not None]


def _value(seen: Observation, row: Record) -> Array | None:
    return seen.values.get(row.dtype, {}).get(row.case, {}).get(row.tensor)


def _averaged(seen: Observation, by_id: Mapping[str, Probe], done: set[int]) -> list[Slight]:
    """The results that differ by an averaging velocity alone, which must give all others too."""
    if seen.kind not in averaged_velocity.KINDS:
        return []
    wrong, values, there = _of_single_calls(seen, by_id, done)
    given = ((by_id[case], dtype, found) for (case, dtype), found in values.items())
    if not (wrong and there and averaged_velocity.averages(given)):
        return []
    widened = [row for row in wrong if _is_widened(row)]
    ones = [Slight(row, WIDENED_NAME, values[row.case, row.dtype][row.tensor]) for row in widened]
    says = averaged_velocity.SAYS
    return [*ones, *(Slight(row, AVERAGES, _exact(by_id[row.case], row), says) for row in wrong)]


def _of_single_calls(
    seen: Observation, by_id: Mapping[str, Probe], done: set[int], without: Sequence[str] = ()
) -> tuple[list[Record], dict[tuple[str, str], dict[str, Array]], bool]:
    """What is wrong of single calls, all that they gave by input and dtype, and whether all of it is there.

    The numbers of a result that is wrong by its dtype too are in the dtype that it should have.
    """
    plain = [row for row in seen.records if row.phase in PLAIN and id(row) not in done and row.case in by_id]
    plain = [row for row in plain if row.tensor not in without]
    values: dict[tuple[str, str], dict[str, Array]] = {}
    for row in plain:
        value = seen.values.get(row.dtype, {}).get(row.case, {}).get(row.tensor)
        if value is not None:
            narrow = _narrow(value) if _is_widened(row) else value
            values.setdefault((row.case, row.dtype), {})[row.tensor] = narrow
    wrong = [row for row in plain if not row.ok]
    there = all(row.tensor in values.get((row.case, row.dtype), ()) for row in wrong)
    return wrong, values, there


def _at_kinks(seen: Observation, by_id: Mapping[str, Probe], done: set[int]) -> list[Slight]:
    """What differs by the slope at a kink alone, which must be the same in every dx."""
    if seen.kind not in OF_KIND:
        return []
    rows = [
        (row, by_id[row.case], _narrow(value) if _is_widened(row) else value)
        for row in seen.records
        if row.tensor == "dx" and row.phase in PLAIN and id(row) not in done and row.case in by_id
        if (value := seen.values.get(row.dtype, {}).get(row.case, {}).get("dx")) is not None
    ]
    if all(row.ok for row, _, _ in rows) or any(dx.shape != p.inputs["x"].shape for _, p, dx in rows):
        return []
    says = at_kinks.other_slopes((probe, dx) for _, probe, dx in rows)
    mended = [(row, probe, as_pytorch(probe, dx, _exact(probe, row))) for row, probe, dx in rows]
    if not says or not all(_right(probe, row, dx) for row, probe, dx in mended):
        return []
    return [Slight(row, AT_KINK, dx, says) for row, _, dx in mended if not row.ok]


def _with_shared_ties(seen: Observation, by_id: Mapping[str, Probe], done: set[int]) -> list[Slight]:
    """The dx that differ by shares of equal maxima alone, which must give all other results too."""
    if seen.kind not in shared_ties.KINDS:
        return []
    wrong, values, there = _of_single_calls(seen, by_id, done)
    given = ((by_id[case], dtype, found) for (case, dtype), found in values.items())
    if not (wrong and there and shared_ties.shares(given)):
        return []
    return [Slight(row, AT_KINK, _exact(by_id[row.case], row), shared_ties.SAYS) for row in wrong]


def _is_given(
    eps: other_eps.Eps, probe: Probe, row: Record, values: Mapping[tuple[str, str], Mapping[str, Array]]
) -> bool:
    """Whether that eps alone gives this result."""
    value = values.get((row.case, row.dtype), {}).get(row.tensor)
    return value is not None and other_eps.gives(eps, probe, row.dtype, {row.tensor: value})


def _exact(probe: Probe, row: Record) -> Array:
    key = f"exact {row.dtype}"
    if key not in probe.judged:
        probe.judged[key] = kind_of(probe.kind).reference(probe, row.dtype)
    found: Array = probe.judged[key][row.tensor]
    return found


def removable(seen: Observation, cases: Sequence[Probe]) -> list[Slight]:
    """What can be taken away before the rest is judged: the slight ones, and the dtype of wrong numbers."""
    ones = slight_ones(seen, cases)
    done = {id(one.row) for one in ones}
    for row in seen.records:
        value = seen.values.get(row.dtype, {}).get(row.case, {}).get(row.tensor)
        if id(row) not in done and value is not None and row.phase in PLAIN and _is_widened(row):
            ones.append(Slight(row, WIDENED_NAME, _narrow(value)))
    return ones


def _is_widened(row: Record) -> bool:
    return row.dtype == "float32" and row.why.startswith(WIDENED)


def _narrow(value: Array) -> Array:
    with np.errstate(over="ignore"):
        return value.astype(np.float32)


def _slight(row: Record, seen: Observation, by_id: Mapping[str, Probe]) -> Slight | None:
    probe = by_id.get(row.case)
    if row.phase == UNCHANGED and row.why == "was written into":
        name = _written(row, seen.kind)
        return Slight(row, name) if name else None
    if row.phase == AGAIN and row.why.startswith("raised"):  # it frees what forward kept, as PyTorch does
        return Slight(row, RAISES_AGAIN)
    if row.phase == IN_PLACE:
        return Slight(row, NEW_ARRAYS)
    if row.phase == KEPT and not row.tensor.endswith(AFTER_ANOTHER):
        return Slight(row, REUSES) if kind_of(seen.kind).role in ("layer", "loss") else None
    if probe is None or row.phase not in PLAIN:
        return None
    if row.why.startswith(RAISES_OVERFLOW):  # as math.exp does
        return Slight(row, OVERFLOW) if _saturates(seen.kind, probe) else None
    value = seen.values.get(row.dtype, {}).get(row.case, {}).get(row.tensor)
    if value is None:
        return None
    widened = _is_widened(row)
    if not (widened or row.why == "not finite"):
        return None
    name, value = WIDENED_NAME, _narrow(value) if widened else value
    if not np.isfinite(value).all():
        if not _saturates(seen.kind, probe):
            return None
        name, value = OVERFLOW, np.where(np.isfinite(value), value, _exact(probe, row))
    return Slight(row, name, value) if _right(probe, row, value) else None


def _saturates(kind: str, probe: Probe) -> bool:
    """Whether an exponential in it may overflow on that input."""
    return kind in SATURATING and _largest(probe) >= LARGE


def _read_only(row: Record) -> bool:
    return row.phase in ("memory layouts", "contracts") and "read-only" in row.why


def _written(row: Record, kind: str) -> str:
    """The name of a write into what the caller still needs; nothing for weights or a function's input."""
    what, role = row.tensor.removesuffix(" unchanged"), kind_of(kind).role
    if role == "optimizer":
        return WRITES_GRADIENTS if what.startswith("gradient ") else ""
    return WRITES.get(what, "") if role in ("layer", "loss") else ""


def _right(probe: Probe, row: Record, value: Array) -> bool:
    return judge(probe, {row.tensor: value}, row.dtype, keep=True)[row.tensor].ok


def _largest(probe: Probe) -> float:
    return float(np.abs(probe.inputs["x"]).max(initial=0))


def sentences(ones: Sequence[Slight], cases: Iterable[Probe]) -> list[str]:
    """A sentence per name: what differs, and in which results."""
    by_id = {probe.id: probe for probe in cases}
    lines = []
    for name in dict.fromkeys(one.name for one in ones):
        rows = [one.row for one in ones if one.name == name]
        tensors = ", ".join(dict.fromkeys(row.tensor for row in rows if row.phase in PLAIN))
        if name == WIDENED_NAME:
            lines.append(f"float64 comes out of float32 ({tensors})")
        elif name == SINGLE:
            lines.append(f"it computes in float32 although float64 comes in ({tensors})")
        elif name == INSIDE_LOG:
            says = {one.row.tensor: one.says for one in ones if one.name == name}
            lines += [f"the loss is {says['loss']}, which caps it"] if "loss" in says else []
            lines += [f"dx is {says['dx']}, which keeps a division by 0 away"] if "dx" in says else []
        elif name in (OTHER_EPS, OWN_VARIANCE, AT_KINK, AVERAGES):
            lines.append(next(one.says for one in ones if one.name == name))
        elif name == REUSES:
            which = dict.fromkeys(row.tensor for row in rows)
            lines.append(f"its own next call writes into the array that it returned ({', '.join(which)})")
        elif name == OVERFLOW:
            size = min(_largest(by_id[row.case]) for row in rows)
            raised = all(row.why.startswith(RAISES_OVERFLOW) for row in rows)
            how = "it raises OverflowError" if raised else f"{tensors} not finite"
            lines.append(f"it overflows at inputs of {size:.0f} ({how})")
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
