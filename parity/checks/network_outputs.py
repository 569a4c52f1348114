"""Each side runs by itself on the same images: every layer's output, the loss, dx and every gradient.

Float64 runs are compared with each other. Float32 ones are held against the float64 run, by the largest
error of several of PyTorch's own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import numpy as np
from torch import nn

from parity.checks.zero_gradients import Cancelled, zero_gate
from parity.comparison.gates import UNIT, difference, logic_gate, precision_gate
from parity.comparison.records import Place, Record, record
from parity.reference import trace as tr
from scratchcnn.networks import Network


def compare_float64(
    place: Place, ours: tr.Trace, theirs: tr.Trace, network: Network, zeros: Cancelled, case: str = ""
) -> Iterator[Record]:
    """A record for every output, the loss, every dx and every gradient."""
    paths = list(theirs.outputs) if case else [path for path, _ in network.layers.leaves()]
    for path in paths:
        comparison = logic_gate(ours.outputs.get(path), theirs.outputs[path])
        yield record(place, path, "forward", "out", comparison, case)
    yield record(place, "loss", "forward", "loss", logic_gate(np.asarray(ours.loss), theirs.loss), case)
    for path in reversed(paths):
        comparison = logic_gate(ours.dxs.get(path), theirs.dxs[path])
        yield record(place, path, "backward", "dx", comparison, case)
    for name, array in network.params.items():
        mine = ours.grads.get(name)
        if name in zeros:
            comparison = zero_gate(mine, array.shape, "float64", zeros[name])
        else:  # PyTorch has no gradient for what the loss does not reach
            comparison = logic_gate(mine, theirs.grads.get(name, np.zeros_like(array)))
        yield record(place, name, "backward", "grad", comparison, case)


class Spread:
    """The outputs of PyTorch's plain float32 run, and how far any of several runs is from the exact one."""

    def __init__(self, exact: tr.Trace):
        self.exact = exact
        self.outputs: Mapping[str, np.ndarray] = {}
        self.errors: dict[str, float] = {}

    def add(self, run: tr.Trace) -> None:
        found = {**run.outputs, "loss": run.loss}
        self.outputs = self.outputs or found
        for path, out in found.items():
            error = difference(out, self.wanted(path))
            self.errors[path] = max(error, self.errors.get(path, 0.0))

    def wanted(self, path: str) -> np.ndarray:
        return self.exact.loss if path == "loss" else self.exact.outputs[path]


def compare_float32(
    place: Place, ours: tr.Trace, spread: Spread, network: Network, case: str = ""
) -> Iterator[Record]:
    """A record for every output and the loss."""
    paths = list(spread.exact.outputs) if case else [path for path, _ in network.layers.leaves()]
    for path in (*paths, "loss"):
        mine = np.asarray(ours.loss) if path == "loss" else ours.outputs.get(path)
        floor = UNIT["float32"] if path == "loss" else 0.0
        comparison = precision_gate(
            mine, spread.outputs[path], spread.wanted(path), floor, spread.errors[path]
        )
        yield record(place, path, "forward", "loss" if path == "loss" else "out", comparison, case)


def run_float32(
    modules: Iterable[nn.Module],
    network: Network,
    x: np.ndarray,
    t: np.ndarray,
    masks: tr.Masks,
    exact: tr.Trace,
    inferred: tr.Trace | None,
) -> tuple[Spread, Spread | None]:
    """PyTorch's float32 runs one after another, in training and, where `inferred` is given, in inference."""
    training = Spread(exact)
    inference = None if inferred is None else Spread(inferred)
    for module in modules:
        training.add(tr.trace_torch(module, network, x, t, masks))
        if inference is not None:
            inference.add(tr.trace_torch(module.eval(), network, x, t))
        module.zero_grad()
    return training, inference
