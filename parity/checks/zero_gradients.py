"""Gradients that are 0 by construction: of a bias that batch normalization takes out again.

Adding a constant to a channel changes nothing after a batch normalization that trains, so the gradient
of a convolution's bias there is 0, and what both frameworks compute is the rounding of a sum that cancels.
No relative gate can judge that. It is judged by the size of what was summed: a bias whose gradient is
anything like its terms fails.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from parity.comparison.gates import LOGIC, UNIT, C, Comparison, difference, refusal, refused
from parity.reference.trace import Trace
from scratchcnn.layers import BatchNormalization, Convolution
from scratchcnn.networks import Network

ADAPTIVE = (
    "adagrad",
    "rmsprop",
    "adadelta",
    "adam",
    "adamw",
    "adamax",
    "nadam",
)  # divide a gradient by its own size


class Sum(NamedTuple):
    """Of a gradient that cancels: the largest sum of |terms|, and how many terms there are."""

    size: float
    terms: int

    def allowed(self, dtype: str) -> float:
        return self.size * (LOGIC if dtype == "float64" else C * math.sqrt(self.terms) * UNIT[dtype])


Cancelled = Mapping[str, Sum]


def cancelled(network: Network, exact: Trace) -> dict[str, Sum]:
    """The parameters whose gradient is 0 in training, by name, with the size of its terms."""
    found = {}
    for (path, layer), (_, following) in pairwise(network.layers.leaves()):
        if (
            isinstance(layer, Convolution)
            and layer.b is not None
            and isinstance(following, BatchNormalization)
        ):
            dout = np.abs(exact.douts[path])
            terms = dout.size // dout.shape[1]
            found[f"{path}.b"] = Sum(float(dout.sum(axis=(0, 2, 3)).max()), terms)
    return found


def zero_gate(ours: object, shape: tuple[int, ...], dtype: str, terms: Sum) -> Comparison:
    """What is 0 but for the rounding of a sum: it passes when it is small against the sum's terms."""
    zeros = np.zeros(shape)
    if why := refusal(ours, zeros, dtype):
        return refused(zeros, why)
    assert isinstance(ours, (np.ndarray, np.generic))
    worst, allowed = difference(np.asarray(ours), zeros), terms.allowed(dtype)
    ok = math.isfinite(worst) and worst <= allowed
    relative, margin = worst / terms.size, worst / allowed if ok else math.inf
    why = "" if math.isfinite(worst) else "not finite"
    return Comparison(shape, worst, relative, allowed, margin, False, ok, why, allowed < terms.size)


def refuse_adaptive(network: str, rule: str, found: Cancelled) -> None:
    """Such a rule makes whole steps of the rounding: two right implementations part at once."""
    if found and rule in ADAPTIVE:
        raise ValueError(
            f"{network}: the biases before its batch normalizations have gradient 0, and {rule} divides what "
            "is left, rounding, by its own size; check its steps with sgd, momentum or nesterov"
        )
