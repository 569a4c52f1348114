"""Is our network the same function as PyTorch's, forward, backward and over training steps?

`check_network` runs in this order, so that the first line that fails is nearest the cause:

    forward   every layer's output, each side running freely on the same images
    loss
    backward  every layer's dx and every parameter's gradient (float64)
    alone     every layer by itself, given the reference's input and cotangent: what it adds by itself
    step k    the loss, parameters and optimizer state of K training steps in lockstep

In float32 the free-running gradients are not judged: an input within rounding of a kink (ReLU's zero, a
pooling tie) may fall on either side of it in a correct implementation, and then gradients differ by more
than rounding. The same gradients are judged layer by layer (`alone`), where both sides see the same
kinks, and over the training steps, against the spread of PyTorch's own float32 runs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from parity import trace as tr
from parity.alone import check_alone
from parity.compare import UNIT, difference, logic_gate, precision_gate
from parity.pair import Images, build_pair, float32_runs
from parity.records import Place, Record, record
from parity.trajectory import check_steps
from scratchcnn.networks import Network

BATCH = {"alexnet": 2}  # images in a batch; 8 for the others


@dataclass(frozen=True)
class Case:
    """What is checked: which network, in which dtype, where, from which seed, over how many steps."""

    network: str
    dtype: str = "float64"
    device: str = "cpu"
    seed: int = 0
    steps: int = 10
    batch_size: int | None = None
    optimizer: str = "momentum"

    @property
    def place(self) -> Place:
        return Place(self.network, self.dtype, self.device)


def check_network(
    case: Case, keep: dict[str, tr.Trace] | None = None, build: Callable[..., Any] | None = None
) -> Iterator[Record]:
    """Yield a record a tensor, in the order of the module docstring; put the float64 traces into `keep`.

    `build` gives another pair of the same name than `build_pair` does: a network to be judged as ours.
    """
    batch_size = case.batch_size or BATCH.get(case.network, 8)
    ours64, theirs64 = (build or build_pair)(case.network, np.float64, case.device, case.seed)
    images = Images(ours64, batch_size, case.seed)
    (x, t), rng = images.batch(), np.random.default_rng([case.seed, 2])
    dropouts = tr.dropout_shapes(ours64)
    masks = tr.draw_masks(dropouts, batch_size, rng)
    exact = tr.trace_torch(theirs64, ours64, x.astype(np.float64), t, masks)

    if case.dtype == "float64":
        ours, trace = ours64, tr.trace_ours(ours64, x, t, masks)
        if keep is not None:
            keep.update(ours=trace, exact=exact)
        yield from _compare_float64(case, trace, exact, ours64)
    else:
        ours = ours64.astype(np.float32)
        modules = float32_runs(case.network, ours, case.device)
        runs = [tr.trace_torch(module, ours, x, t, masks) for module in modules]
        yield from _compare_float32(case, tr.trace_ours(ours, x, t, masks), runs, exact, ours)
    yield from check_alone(case.place, ours, exact, t, masks)
    if case.steps:
        del theirs64, exact  # AlexNet's are large
        yield from check_steps(case, ours64, images, dropouts)


def _compare_float64(case: Case, ours: tr.Trace, theirs: tr.Trace, network: Network) -> Iterator[Record]:
    paths = [path for path, _ in network.layers.leaves()]
    for path in paths:
        yield record(
            case.place, path, "forward", "out", logic_gate(ours.outputs.get(path), theirs.outputs[path])
        )
    yield record(case.place, "loss", "forward", "loss", logic_gate(np.asarray(ours.loss), theirs.loss))
    for path in reversed(paths):
        yield record(case.place, path, "backward", "dx", logic_gate(ours.dxs.get(path), theirs.dxs[path]))
    for name in network.params:
        yield record(
            case.place, name, "backward", "grad", logic_gate(ours.grads.get(name), theirs.grads[name])
        )


def _compare_float32(
    case: Case, ours: tr.Trace, runs: list[tr.Trace], exact: tr.Trace, network: Network
) -> Iterator[Record]:
    for path, _ in network.layers.leaves():
        error = max(difference(run.outputs[path], exact.outputs[path]) for run in runs)
        comparison = precision_gate(
            ours.outputs.get(path), runs[0].outputs[path], exact.outputs[path], error=error
        )
        yield record(case.place, path, "forward", "out", comparison)
    error = max(difference(run.loss, exact.loss) for run in runs)
    comparison = precision_gate(
        np.asarray(ours.loss), runs[0].loss, exact.loss, error=error, floor=UNIT["float32"]
    )
    yield record(case.place, "loss", "forward", "loss", comparison)
