"""A class whose softmax adds up to 1 down each column, in a file whose dense layers take samples as columns.

With samples as rows it is a softmax over the batch, a known bug. What tells the two apart is none of its
numbers: it is how the dense layers of the same file are called, which their shapes show. Without any, nothing
says what its samples are: where its backward goes down the columns too, they are taken for the samples.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from parity.adapters.convention import Convention
from parity.adapters.trial.attempt import Trial
from parity.adapters.trial.results import dx_at, out_at
from parity.kinds.names import kind_by_words
from parity.kinds.probe import Probe

MOST = 3  # layers that are asked


def dense_beside(about: dict[str, Any]) -> list[str]:
    """The dense layers among the classes of its file, by their names."""
    return [name for name in about.get("classes", ()) if kind_by_words(name) == "affine"][:MOST]


def as_in_its_file(trial: Trial, c: Convention, probe: Probe) -> Convention:
    """The convention with samples as columns, where its file has them and its sums over rows are 1."""
    if not np.isclose(out_at(trial, c, probe), 1 / len(probe.inputs["x"])):
        return c
    layers = trial.in_columns()
    columns = replace(c, rows="FN", rows_out="FN", as_of=layers or "")
    if layers is None and abs(dx_at(trial, c, probe)) < 1e-12:  # what goes down a column adds up to 0 there
        return replace(columns, limits={**c.limits, "assumed": "columns"})
    return columns if layers else c


def take_columns(found: dict[str, Convention]) -> str | None:
    """Their names, where all of them take samples as columns, of several or of one; else "".

    None where there are no layers.
    """
    if not found:
        return None
    columns = all(c.rows == c.rows_out and c.rows in ("FN", "F1") for c in found.values())
    return ", ".join(found) if columns else ""
