"""What a network computed, held against PyTorch's run: outputs, loss, every dx and every gradient.

Float64 results are compared with each other. Float32 ones are held against the float64 run, by the largest
error of several of PyTorch's own.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from types import MappingProxyType

import numpy as np

from parity.checks.gate import gate, largest_error
from parity.checks.zero_gradients import Cancelled
from parity.comparison.gates import UNIT, Comparison, difference
from parity.comparison.records import Place, Record, record
from parity.reference.trace import Trace
from scratchcnn.typing import Array

Key = tuple[str, str]  # out, loss, dx or grad; and of which layer or parameter
LOSS = ("loss", "loss")
FORWARD = ("out", "loss")  # the tensors of the forward phase


def results(trace: Trace) -> dict[Key, Array]:
    """Everything of a trace that is compared: outputs, the loss, dx from the end, gradients."""
    found: dict[Key, Array] = {("out", path): out for path, out in trace.outputs.items()}
    if trace.loss is not None:
        found[LOSS] = np.asarray(trace.loss)
    found |= {("dx", path): dx for path, dx in trace.dxs.items()}
    return found | {("grad", name): grad for name, grad in trace.grads.items()}


def wanted(
    exact: Trace, params: Mapping[str, Array], paths: Collection[str], tensors: Collection[str]
) -> dict[Key, Array]:
    """What ours must have, in the order of the computation: these tensors of PyTorch's float64 run.

    PyTorch has no gradient for a parameter that the loss does not reach: it is 0.
    """
    keys: list[Key] = [*(("out", path) for path in paths), LOSS]
    keys += [("dx", path) for path in reversed(list(paths))]
    found = results(exact)
    found |= {k: np.zeros_like(a, np.float64) for n, a in params.items() if (k := ("grad", n)) not in found}
    keys += [("grad", name) for name in params]
    return {key: found[key] for key in keys if key[0] in tensors}


class Reference:
    """PyTorch's float64 results, and in float32 how far any of several of its runs was from them.

    zeros    the gradients that are 0 by construction
    """

    def __init__(
        self, exact: Mapping[Key, Array], dtype: str = "float64", zeros: Cancelled = MappingProxyType({})
    ):
        self.exact, self.dtype, self.zeros = dict(exact), dtype, zeros
        self.plain: dict[Key, Array] = {}
        self.errors: dict[Key, float] = {}

    def add(self, run: Mapping[Key, Array]) -> None:
        """One of PyTorch's runs in the dtype under test, the plain one first."""
        found = {key: run[key] for key in self.exact}
        self.plain = self.plain or found
        for key, array in found.items():
            error = difference(array, self.exact[key])
            self.errors[key] = largest_error((error, self.errors.get(key, 0.0)))

    def judge(self, key: Key, ours: object) -> Comparison:
        """One tensor of ours: an array, None, or an `Odd`."""
        tensor, name = key
        return gate(
            ours,
            self.exact[key],
            self.dtype,
            [self.plain[key]] if self.plain else [],
            self.errors.get(key, 0.0),
            UNIT["float32"] if self.dtype == "float32" and tensor == "loss" else 0.0,
            self.zeros.get(name) if tensor == "grad" else None,
        )

    def compare(
        self, place: Place, ours: Mapping[Key, object], phase: str = "", case: str = ""
    ) -> Iterator[Record]:
        """A record per tensor; the phase is forward or backward unless given."""
        for tensor, name in self.exact:
            direction = "forward" if tensor in FORWARD else "backward"
            comparison = self.judge((tensor, name), ours.get((tensor, name)))
            yield record(place, name, phase or direction, tensor, comparison, case)
