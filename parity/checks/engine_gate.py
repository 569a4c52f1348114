"""How a number of an autograd engine is compared where it may be in single precision, which others judge."""

from __future__ import annotations

from typing import Any

import numpy as np

from parity.comparison.gates import Comparison, logic_gate
from scratchcnn.typing import Array

ROUNDINGS = 100  # of the type in which it was computed


def engine_gate(found: Any, right: Any, rtol: float) -> Comparison:
    """As `logic_gate`, with the accuracy of the floating-point type that the engine computed in."""
    right64: Array = np.asarray(right, float)
    if not isinstance(found, np.ndarray) or found.dtype.kind != "f":
        return logic_gate(found, right64, rtol)
    return logic_gate(found.astype(float), right64, max(rtol, ROUNDINGS * float(np.finfo(found.dtype).eps)))
