"""Arrays that two programs saved: the same gates for implementations in any language.

Float64 on both sides goes through the logic gate. Float32 of ours is judged against float64 of theirs by the
precision gate. With float32 on both sides that also needs the reference in float64 (`exact`), because two
float32 results cannot judge each other. Integers must be equal. What has no partner fails.

One float64 file does not show how long the sums were, and so not how much rounding is due. Errors above a
few units in the last place therefore pass only up to those of sums of 4,096 terms, and only if they look like
rounding: spread over all entries, around 0, unrelated to the values.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from parity.comparison.gates import UNIT, C, Comparison, largest, logic_gate, precision_gate, refused
from parity.comparison.records import Place, Record, record
from parity.verification.names_map import Entry, Names, read_names
from parity.verification.read_arrays import Arrays, read_arrays
from parity.verification.relations import FEWEST, is_noise, relation, rounding_of_sums
from scratchcnn.typing import Array

UNDECIDED = "cannot be decided: "  # how `why` begins where the files do not suffice for a verdict
ASK = "give the reference's float32 as THEIRS and its float64 as --exact"
TERMS = 4096  # of the sums that float32 results are granted where nothing shows their length


def compare_files(
    ours: str | Path,
    theirs: str | Path,
    names: str | Path | Mapping[str, Any] | None = None,
    exact: str | Path | None = None,
) -> list[Record]:
    """One record an array, in our file's order, then what only they have.

    Raises ValueError for a file without arrays of numbers, or a map that does not fit the files.
    """
    mine, other = read_arrays(ours), read_arrays(theirs)
    reference = read_arrays(exact) if exact is not None else {}
    table = read_names(names) or {name: Entry(name, False) for name in mine}
    if unknown := [name for name in table if name not in mine]:
        raise ValueError(
            f"the map names {', '.join(unknown)}, which {ours} does not have; it has {', '.join(mine)}"
        )
    targets = [entry.theirs for entry in table.values()]
    if twice := sorted({name for name in targets if targets.count(name) > 1}):
        raise ValueError(f"the map gives {', '.join(twice)} to more than one of ours")
    rows = []
    for name, array in mine.items():
        rows.append(_record(name, array, _judged(name, array, table, other, reference)))
    for name, array in other.items():
        if name not in targets:
            rows.append(_record(name, array, refused(array, "only theirs has it")))
    return rows


def _record(name: str, array: Array, comparison: Comparison) -> Record:
    return record(Place("", array.dtype.name, "file"), name, "saved", name, comparison)


def _judged(name: str, ours: Array, table: Names, theirs: Arrays, exact: Arrays) -> Comparison:
    if name not in table:
        return refused(ours, "only ours has it")
    entry = table[name]
    if entry.theirs not in theirs:
        return refused(ours, f"theirs has no {entry.theirs}")
    other, sure = _oriented(theirs[entry.theirs], entry), exact.get(entry.theirs)
    compared = gate(ours, other, None if sure is None else _oriented(sure, entry))
    if compared.ok or (compared.why and not compared.why.startswith(("shape", UNDECIDED))):
        return compared
    known = relation(ours, other)
    if known and compared.why.startswith(UNDECIDED):  # what is found out is decided
        return replace(compared, why=known)
    return replace(compared, why=", ".join(filter(None, [compared.why, known]))) if known else compared


def _oriented(a: Array, entry: Entry) -> Array:
    return a.T if entry.transposed else a


def gate(ours: Array, theirs: Array, exact: Array | None) -> Comparison:
    """The gate that the dtypes call for."""
    if ours.size == 0 and ours.shape == theirs.shape:
        return refused(ours, "an empty array shows nothing")
    if {ours.dtype.kind, theirs.dtype.kind} - set("iubf"):
        return refused(ours, f"{ours.dtype} and {theirs.dtype}: save real numbers")
    if ours.dtype.kind in "iub" or theirs.dtype.kind in "iub":
        if ours.shape == theirs.shape and ours.dtype.kind == theirs.dtype.kind:
            same = bool(np.array_equal(ours, theirs))
            return (
                Comparison(ours.shape, 0.0, 0.0, 0.0, 0.0, True, True)
                if same
                else refused(ours, _first_different(ours, theirs))
            )
        return refused(ours, f"{ours.dtype} {ours.shape}, expected {theirs.dtype} {theirs.shape}")
    if ours.dtype == np.float64:
        if theirs.dtype != np.float64:
            return refused(ours, f"{UNDECIDED}theirs is {theirs.dtype}; save it in float64")
        return logic_gate(ours, theirs)
    if ours.dtype != np.float32:
        return refused(ours, f"{ours.dtype}: save float64 or float32")
    if exact is None and theirs.dtype == np.float64:
        return _float32_alone(ours, theirs)
    if exact is None:
        if ours.shape == theirs.shape and theirs.dtype == ours.dtype and np.array_equal(ours, theirs):
            return logic_gate(ours, theirs)
        return refused(
            ours, UNDECIDED + "float32 on both sides; give the reference in float64 too, by --exact"
        )
    return precision_gate(ours, theirs.astype(np.float32), exact)


def _float32_alone(ours: Array, theirs: Array) -> Comparison:
    """Float32 against float64 where sums of unknown length were rounded on the way."""
    short = precision_gate(ours, theirs.astype(np.float32), theirs)
    if short.ok or short.why:
        return short
    floor = rounding_of_sums(TERMS) * largest(theirs)
    long = precision_gate(ours, theirs.astype(np.float32), theirs, floor)
    if long.ok and ours.size < FEWEST:
        why = f"off by {short.max_abs:.2g}, which may be a bug or the rounding of a long sum; {ASK}"
        return replace(short, why=UNDECIDED + why)
    return long if is_noise(ours, theirs) else short


def is_undecided(row: Record) -> bool:
    """Whether these files cannot say if the array is right."""
    return not row.ok and row.why.startswith(UNDECIDED)


def granted_as_sums(row: Record) -> bool:
    """Whether this array passed only as the sums that its file does not show."""
    return row.ok and row.dtype == "float32" and row.max_rel > C * UNIT["float32"]


def _first_different(ours: Array, theirs: Array) -> str:
    different = ours != theirs
    at = tuple(int(i) for i in np.argwhere(different)[0])
    share = f"{different.sum():,} of {different.size:,}"
    return f"integers differ: at {at} {ours[at]}, expected {theirs[at]}; {share} differ"
