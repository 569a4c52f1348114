"""What one reading explains in every result: a small constant inside a logarithm, another eps, the batches'
own variance, a velocity that averages, the other slope at a kink, shares of equal maxima, a turned kernel,
an input that is cut off.

A reading must give all results that it speaks of, the right ones too; else it explains none of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from parity.checks.changed_rate import IGNORED
from parity.checks.layer import judge
from parity.comparison.records import Record
from parity.faults.diagnose import PLAIN, Observation
from parity.faults.diagnose_dtypes import NAME as WIDENED_NAME
from parity.faults.diagnose_dtypes import WIDENED
from parity.kinds import Probe, kind_of
from parity.kinds.kinks import OF_KIND, as_pytorch
from parity.verification import (
    at_kinks,
    averaged_velocity,
    beside_sum,
    beside_sum_of_loss,
    clipped_input,
    clipped_labels,
    inside_binary_log,
    inside_log,
    other_eps,
    own_variance,
    published_forms,
    rounded_constants,
    shared_ties,
    turned_kernel,
)
from parity.verification.slight_names import (
    AT_KINK,
    AVERAGES,
    CLIPS,
    INSIDE_LOG,
    OTHER_EPS,
    OWN_VARIANCE,
    PUBLISHED,
    ROUNDS,
    TURNED,
)
from scratchcnn.typing import Array

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


def with_a_constant(seen: Observation, by_id: Mapping[str, Probe], done: set[int]) -> list[Slight]:
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
        return [Slight(row, INSIDE_LOG, exact_of(by_id[row.case], row), says) for row in wrong if says]

    if (found := read(rows)) or seen.kind not in inside_log.KINDS:
        return found
    apart: tuple[list[tuple[Record, Array]], ...] = ([], [])  # code has a branch for each form of labels
    for row, value in rows:
        apart[np.ndim(by_id[row.case].inputs["t"]) == 1].append((row, value))
    return [one for some in apart if all(apart) for one in read(some)]


def with_another_eps(seen: Observation, by_id: Mapping[str, Probe], done: set[int]) -> list[Slight]:
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
    return [Slight(row, OTHER_EPS, exact_of(by_id[row.case], row), says, eps) for row in wrong]


def own_eps(ones: Iterable[Slight]) -> float | None:
    """The eps of its own that some of these have where PyTorch has its own; None without one."""
    found = next((one.eps for one in ones if one.eps is not None), None)
    return found.value if found is not None and not found.place else None


def but_eps(ones: Iterable[Slight]) -> list[Slight]:
    """Those that are no matter of another eps."""
    return [one for one in ones if one.name != OTHER_EPS]


def with_own_variance(seen: Observation, by_id: Mapping[str, Probe], done: set[int]) -> list[Slight]:
    """The running variances that average the batches' own alone, which must be so in every one."""
    if seen.kind not in own_variance.KINDS:
        return []
    rows = [
        (row, narrow(value) if is_widened(row) else value)
        for row in seen.records
        if row.tensor == own_variance.TENSOR and row.phase in PLAIN and id(row) not in done
        if row.case in by_id and (value := _value(seen, row)) is not None
    ]
    wrong = [row for row, _ in rows if not row.ok]
    if not wrong or not all(own_variance.gives(by_id[row.case], row.dtype, value) for row, value in rows):
        return []
    exact = (exact_of(by_id[row.case], row) for row in wrong)
    return [Slight(row, OWN_VARIANCE, a, own_variance.SAYS) for row, a in zip(wrong, exact, strict=True)]


def widened_too(seen: Observation, ones: Iterable[Slight]) -> list[Slight]:
    """Those of the results that are float64 out of float32 besides."""
    widened = [(one.row, _value(seen, one.row)) for one in ones if is_widened(one.row)]
    return [Slight(row, WIDENED_NAME, narrow(a)) for row, a in widened if a is not None]


def _value(seen: Observation, row: Record) -> Array | None:
    return seen.values.get(row.dtype, {}).get(row.case, {}).get(row.tensor)


def averaged(seen: Observation, by_id: Mapping[str, Probe], done: set[int]) -> list[Slight]:
    """The results that differ by an averaging velocity alone, which must give all others too."""
    if seen.kind not in averaged_velocity.KINDS:
        return []
    wrong, values, there = _of_single_calls(seen, by_id, done)
    given = ((by_id[case], dtype, found) for (case, dtype), found in values.items())
    if not (wrong and there and averaged_velocity.averages(given)):
        return []
    widened = [row for row in wrong if is_widened(row)]
    ones = [Slight(row, WIDENED_NAME, values[row.case, row.dtype][row.tensor]) for row in widened]
    says = averaged_velocity.SAYS
    return [*ones, *(Slight(row, AVERAGES, exact_of(by_id[row.case], row), says) for row in wrong)]


def with_published_form(seen: Observation, by_id: Mapping[str, Probe], done: set[int]) -> list[Slight]:
    """The results that differ by another published form of the rule alone, which must give all others too."""
    if seen.kind not in published_forms.KINDS:
        return []
    wrong, values, there = _of_single_calls(seen, by_id, done)
    given = [(by_id[case], dtype, found) for (case, dtype), found in values.items()]
    says = published_forms.form_of(seen.kind, given) if wrong and there else ""
    if not says:
        return []
    widened = [row for row in wrong if is_widened(row)]
    ones = [Slight(row, WIDENED_NAME, values[row.case, row.dtype][row.tensor]) for row in widened]
    if says.startswith(published_forms.UNRATED):  # nor does one that is set between two steps
        ignored = (row for row in seen.records if not row.ok and row.why == IGNORED)
        ones += [Slight(row, PUBLISHED, says=says) for row in ignored]
    return [*ones, *(Slight(row, PUBLISHED, exact_of(by_id[row.case], row), says) for row in wrong)]


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
            value = narrow(value) if is_widened(row) else value
            values.setdefault((row.case, row.dtype), {})[row.tensor] = value
    wrong = [row for row in plain if not row.ok]
    there = all(row.tensor in values.get((row.case, row.dtype), ()) for row in wrong)
    return wrong, values, there


def with_other_slopes(seen: Observation, by_id: Mapping[str, Probe], done: set[int]) -> list[Slight]:
    """What differs by the slope at a kink alone, which must be the same in every dx."""
    if seen.kind not in OF_KIND:
        return []
    rows = [
        (row, by_id[row.case], narrow(value) if is_widened(row) else value)
        for row in seen.records
        if row.tensor == "dx" and row.phase in PLAIN and id(row) not in done and row.case in by_id
        if (value := seen.values.get(row.dtype, {}).get(row.case, {}).get("dx")) is not None
    ]
    if all(row.ok for row, _, _ in rows) or any(dx.shape != p.inputs["x"].shape for _, p, dx in rows):
        return []
    says = at_kinks.other_slopes((probe, dx) for _, probe, dx in rows)
    mended = [(row, probe, as_pytorch(probe, dx, exact_of(probe, row))) for row, probe, dx in rows]
    if not says or not all(is_right(probe, row, dx) for row, probe, dx in mended):
        return []
    return [Slight(row, AT_KINK, dx, says) for row, _, dx in mended if not row.ok]


def _all_as(
    seen: Observation,
    by_id: Mapping[str, Probe],
    done: set[int],
    name: str,
    reading: Callable[[Iterable[other_eps.Results]], str],
) -> list[Slight]:
    """What is wrong of single calls under that name, where the reading gives all of their results."""
    wrong, values, there = _of_single_calls(seen, by_id, done)
    given = ((by_id[case], dtype, found) for (case, dtype), found in values.items())
    says = reading(given) if wrong and there else ""
    return [Slight(row, name, exact_of(by_id[row.case], row), says) for row in wrong] if says else []


def with_clipped_input(seen: Observation, by_id: Mapping[str, Probe], done: set[int]) -> list[Slight]:
    """The results of a sigmoid that differ by a cut-off input alone, or of a binary cross entropy by cut-off
    labels, which must give all others too."""
    if seen.kind == clipped_labels.KIND:
        return _all_as(seen, by_id, done, CLIPS, clipped_labels.says)
    if seen.kind not in clipped_input.KINDS:
        return []
    return _all_as(seen, by_id, done, CLIPS, clipped_input.says)


def with_rounded_constants(seen: Observation, by_id: Mapping[str, Probe], done: set[int]) -> list[Slight]:
    """The results of a SELU that differ by rounded constants alone, which must give all others too."""
    if seen.kind not in rounded_constants.KINDS:
        return []
    return _all_as(seen, by_id, done, ROUNDS, rounded_constants.says)


def with_shared_ties(seen: Observation, by_id: Mapping[str, Probe], done: set[int]) -> list[Slight]:
    """The dx that differ by shares of equal maxima alone, which must give all other results too."""
    if seen.kind not in shared_ties.KINDS:
        return []
    return _all_as(seen, by_id, done, AT_KINK, shared_ties.says)


def with_constant_in_sum(seen: Observation, by_id: Mapping[str, Probe], done: set[int]) -> list[Slight]:
    """The results of a softmax that differ by a constant beside its sum alone, which must give all others."""
    if seen.kind not in beside_sum.KINDS:
        return []
    wrong, values, there = _of_single_calls(seen, by_id, done)
    given = ((by_id[case], dtype, found) for (case, dtype), found in values.items())
    constant = beside_sum.constant_of(given) if wrong and there else 0.0
    if not constant:
        return []
    return _by_constants(seen, by_id, done, wrong, beside_sum.says(constant), constant)


def with_constants_of_loss(seen: Observation, by_id: Mapping[str, Probe], done: set[int]) -> list[Slight]:
    """The results of a loss that differ by constants in its softmax and logarithm alone, which must give all
    others."""
    if seen.kind not in beside_sum_of_loss.KINDS:
        return []
    wrong, values, there = _of_single_calls(seen, by_id, done)
    given = ((by_id[case], dtype, found) for (case, dtype), found in values.items())
    reading = beside_sum_of_loss.reading_of(given) if wrong and there else None
    if reading is None:
        return []
    return _by_constants(seen, by_id, done, wrong, reading.says(), reading.largest)


def _by_constants(
    seen: Observation,
    by_id: Mapping[str, Probe],
    done: set[int],
    wrong: Sequence[Record],
    says: str,
    constant: float,
) -> list[Slight]:
    """These results, and contracts that differ by no more than that constant, as of dx that should be 0."""
    contracts = (row for row in seen.records if not row.ok and not row.why and row.phase not in PLAIN)
    near = [row for row in contracts if row.max_abs <= constant]
    ones = [Slight(row, OTHER_EPS, says=says) for row in near if id(row) not in done]
    return [*ones, *(Slight(row, OTHER_EPS, exact_of(by_id[row.case], row), says) for row in wrong)]


def with_turned_kernel(seen: Observation, by_id: Mapping[str, Probe], done: set[int]) -> list[Slight]:
    """The outputs of a convolution of plain images that turns its kernel, which must give all of them."""
    if seen.kind not in turned_kernel.KINDS:
        return []
    rows = [row for row in seen.records if row.phase in PLAIN and row.case in by_id]
    if not all(turned_kernel.is_of_plain_images(by_id[row.case], row.tensor) for row in rows):
        return []
    return _all_as(seen, by_id, done, TURNED, turned_kernel.says)


def _is_given(
    eps: other_eps.Eps, probe: Probe, row: Record, values: Mapping[tuple[str, str], Mapping[str, Array]]
) -> bool:
    """Whether that eps alone gives this result."""
    value = values.get((row.case, row.dtype), {}).get(row.tensor)
    return value is not None and other_eps.gives(eps, probe, row.dtype, {row.tensor: value})


def exact_of(probe: Probe, row: Record) -> Array:
    key = f"exact {row.dtype}"
    if key not in probe.judged:
        probe.judged[key] = kind_of(probe.kind).reference(probe, row.dtype)
    found: Array = probe.judged[key][row.tensor]
    return found


def is_widened(row: Record) -> bool:
    return row.dtype == "float32" and row.why.startswith(WIDENED)


def narrow(value: Array) -> Array:
    with np.errstate(over="ignore"):
        return value.astype(np.float32)


def is_right(probe: Probe, row: Record, value: Array) -> bool:
    return judge(probe, {row.tensor: value}, row.dtype, keep=True)[row.tensor].ok
