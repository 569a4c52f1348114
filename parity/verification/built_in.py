"""An activation that is built into a dense layer or a convolution: it is neither checked nor held against it.

The output is then that of PyTorch's layer followed by the activation, on every input. Whether the gradients
are right cannot be said by comparing with the layer alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from parity.comparison.gates import logic_gate
from parity.faults.diagnose import Observation
from parity.kinds import Probe, kind_of
from scratchcnn.layers import softmax
from scratchcnn.typing import Array

KINDS = {"affine": "a dense layer", "affine_last_axis": "a dense layer", "convolution": "a convolution"}

ACTIVATIONS: dict[str, Callable[[Array], Array]] = {
    "ReLU": lambda y: np.maximum(y, 0),
    "sigmoid": lambda y: 1 / (1 + np.exp(-y)),
    "tanh": np.tanh,
    "softmax": softmax,  # along the axis of the classes, or of the channels
}


def built_in(seen: Observation, cases: Sequence[Probe]) -> str:
    """Why it could not be checked, where an activation explains every output that differs; else ""."""
    if seen.kind not in KINDS:
        return ""
    values = seen.values.get("float64", {})
    found = [(values[p.id]["out"], p) for p in cases if "out" in values.get(p.id, ())]
    if len(found) < 2:
        return ""
    pairs = [(out, kind_of(p.kind).reference(p)["out"]) for out, p in found]
    if all(logic_gate(out, right).ok for out, right in pairs):
        return ""
    with np.errstate(over="ignore"):
        for name, activation in ACTIVATIONS.items():
            if all(out.shape == y.shape and logic_gate(out, activation(y)).ok for out, y in pairs):
                return (
                    f"its output is that of {KINDS[seen.kind]} followed by {name}, which is built in and "
                    "could not be switched off; the gradients were not compared"
                )
    return ""
