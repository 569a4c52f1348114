"""The derivative of a softmax as a matrix: of every output of a row by every input. Needs NumPy alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from parity.adapters.convention import Place
from parity.adapters.gradients import place_of
from parity.kinds.probe import Probe

KINDS = ("softmax", "log_softmax")


def matrix_of(kind: str, report: Mapping[str, Any], probe: Probe) -> Place | None:
    """Where backward gives a matrix (F, F) of one row, or (N, F, F) of all rows; None where it does not."""
    if kind not in KINDS:
        return None
    rows, columns = probe.inputs["x"].shape
    shapes = ([columns, columns], [1, columns, columns], [rows, columns, columns])
    found = [e for e in report["backward"] if e["path"][0][1] == "back" and e["shape"] in shapes]
    return place_of(found[0]) if len(found) == 1 else None


def times_jacobian(dout: Any, matrix: Any) -> Any:
    """dx of dout and that matrix, d out[i] / d x[j] in row i; in the shape of dout."""
    matrix, given = np.asarray(matrix), np.asarray(dout)
    classes = matrix.shape[-1]
    if matrix.ndim == 3 and len(matrix) > 1:
        return np.einsum("ni,nij->nj", given.reshape(-1, classes), matrix).reshape(given.shape)
    return (given.reshape(classes) @ matrix.reshape(classes, classes)).reshape(given.shape)
