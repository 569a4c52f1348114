"""Arrays that two programs saved: the same gates for implementations in any language.

Float64 on both sides goes through the logic gate. Float32 of ours is judged against float64 of theirs by the
precision gate; with float32 on both sides that needs the reference in float64 besides (`exact`), because two
float32 results cannot judge each other. Integers must be equal. What has no partner fails.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.comparison.gates import Comparison, difference, largest, logic_gate, precision_gate, refused
from parity.comparison.records import Place, Record, record
from parity.verification.names_map import Entry, Names, read_names

Arrays = dict[str, NDArray]


def compare_files(
    ours: str | Path,
    theirs: str | Path,
    names: str | Path | Mapping[str, Any] | None = None,
    exact: str | Path | None = None,
) -> list[Record]:
    """One record an array, in our file's order, then what only they have.

    Raises ValueError for a file that is no .npz of numbers, or a map that does not fit the files.
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


def read_arrays(path: str | Path) -> Arrays:
    """Every array of an .npz file; nothing in it is executed."""
    if not zipfile.is_zipfile(path):
        raise ValueError(f"{path} is no .npz file; save the arrays by name with np.savez")
    try:
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, KeyError, ValueError) as error:
        if "allow_pickle" in str(error):
            error = ValueError("it holds Python objects, which are not loaded; save arrays of numbers")
        raise ValueError(f"{path} cannot be read as .npz: {error}") from None


def _record(name: str, array: NDArray, comparison: Comparison) -> Record:
    return record(Place("", array.dtype.name, "file"), name, "saved", name, comparison)


def _judged(name: str, ours: NDArray, table: Names, theirs: Arrays, exact: Arrays) -> Comparison:
    if name not in table:
        return refused(ours, "only ours has it")
    entry = table[name]
    if entry.theirs not in theirs:
        return refused(ours, f"theirs has no {entry.theirs}")
    other, sure = _oriented(theirs[entry.theirs], entry), exact.get(entry.theirs)
    compared = gate(ours, other, None if sure is None else _oriented(sure, entry))
    if compared.ok or (compared.why and not compared.why.startswith("shape")):
        return compared
    known = relation(ours, other)
    return replace(compared, why=", ".join(filter(None, [compared.why, known]))) if known else compared


def _oriented(a: NDArray, entry: Entry) -> NDArray:
    return a.T if entry.transposed else a


def gate(ours: NDArray, theirs: NDArray, exact: NDArray | None) -> Comparison:
    """The gate that the dtypes call for."""
    if ours.size == 0 and ours.shape == theirs.shape:
        return refused(ours, "an empty array shows nothing")
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
            return refused(ours, f"theirs is {theirs.dtype}: save it in float64")
        return logic_gate(ours, theirs)
    if ours.dtype != np.float32:
        return refused(ours, f"{ours.dtype}: save float64 or float32")
    if exact is None and theirs.dtype == np.float64:
        return precision_gate(ours, theirs.astype(np.float32), theirs)
    if exact is None:
        if ours.shape == theirs.shape and theirs.dtype == ours.dtype and np.array_equal(ours, theirs):
            return logic_gate(ours, theirs)
        return refused(ours, "float32 on both sides: give the reference in float64 too, by --exact")
    return precision_gate(ours, theirs.astype(np.float32), exact)


def _first_different(ours: NDArray, theirs: NDArray) -> str:
    at = tuple(int(i) for i in np.argwhere(ours != theirs)[0])
    return f"integers differ: at {at} {ours[at]}, expected {theirs[at]}"


def relation(ours: NDArray, theirs: NDArray) -> str:
    """In what simple way the two are the same after all, or an empty string."""
    if ours.dtype.kind != "f" or not ours.size or not np.isfinite(ours).all():
        return ""
    tolerance = 1e-5 if ours.dtype == np.float32 else 1e-9
    for axes in (
        (1, 0),
        (1, 0, 2),
        (0, 2, 1),
        (0, 1, 3, 2),
        (0, 3, 1, 2),
        (0, 2, 3, 1),
        (1, 0, 2, 3),
        (2, 3, 1, 0),
        (3, 2, 0, 1),
    ):
        if (
            ours.ndim == len(axes)
            and ours.transpose(axes).shape == theirs.shape
            and _close(ours.transpose(axes), theirs, tolerance)
        ):
            return f"equal to theirs with its axes in the order {axes}"
    if ours.shape != theirs.shape:
        same = ours.size == theirs.size and _close(ours.reshape(theirs.shape), theirs, tolerance)
        return "equal to theirs in another shape" if same else ""
    factor = float(
        (ours * theirs).sum(dtype=np.float64) / max(float((theirs * theirs).sum(dtype=np.float64)), 1e-300)
    )
    if factor and _close(ours / factor, theirs, tolerance):
        return f"equal to theirs times {factor:.6g}"
    return ""


def _close(a: NDArray, b: NDArray, tolerance: float) -> bool:
    return a.shape == b.shape and difference(a, b) <= tolerance * largest(b)
