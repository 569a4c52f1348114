"""Code that computes in float32 although float64 came in: a cast in the constructor, an np.zeros of float32.

Its results are right to float32's rounding, and what it returns shows where they come from: forward's numbers
are those of float32, whatever their dtype, or all of the result itself are, as of a gradient that is added up
in an array of float32. What is judged is then float32 alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from parity.checks.layer import judge
from parity.comparison.records import Record
from parity.faults.diagnose import PLAIN, Observation
from parity.kinds import Probe, kind_of
from scratchcnn.typing import Array


def rounded_to_float32(seen: Observation, by_id: Mapping[str, Probe], done: set[int]) -> list[Record]:
    """The results in float64 that differ by float32's rounding; none where anything else is wrong.

    That is where forward gives numbers of float32 on every input, or each result that is wrong does, and all
    results in float64 are right by float32's measure. `done` are records that something else explains.
    """
    plain = [row for row in seen.records if row.phase in PLAIN and row.case in by_id and not row.ok]
    wrong = [row for row in plain if row.dtype == "float64" and id(row) not in done]
    wrong = [row for row in wrong if row.tensor not in seen.unseen]
    out, values = kind_of(seen.kind).out, seen.values.get("float64", {})
    if not wrong or kind_of(seen.kind).role == "optimizer" or "float32" not in kind_of(seen.kind).dtypes:
        return []
    given = {
        tensor: [found[tensor] for case, found in values.items() if tensor in found and case in by_id]
        for tensor in {out, *(row.tensor for row in wrong)}
    }
    single = {tensor for tensor, arrays in given.items() if _are_single(arrays)}
    if out not in single and not {row.tensor for row in wrong} <= single:
        return []
    for row in wrong:
        value = values.get(row.case, {}).get(row.tensor)
        if value is None or not _is_right(by_id[row.case], row.tensor, value):
            return []
    return wrong


def _are_single(arrays: Sequence[Array]) -> bool:
    """Whether all of them are of float32's numbers, and not by chance."""
    return all(_is_single(array) for array in arrays) and any(_has_digits(array) for array in arrays)


def _is_single(array: Array) -> bool:
    """Whether all of its numbers are numbers of float32."""
    if array.dtype == np.float32:
        return True
    with np.errstate(over="ignore", invalid="ignore"):
        return array.dtype == np.float64 and np.array_equal(array.astype(np.float32), array, equal_nan=True)


def _has_digits(array: Array) -> bool:
    """Whether there are numbers that float32 does not have by chance: no whole ones, no halves."""
    return bool(np.any(array[np.isfinite(array)] * 2**12 % 1))


def _is_right(probe: Probe, tensor: str, value: Array) -> bool:
    with np.errstate(over="ignore"):
        return judge(probe, {tensor: value.astype(np.float32)}, "float32", keep=True)[tensor].ok
