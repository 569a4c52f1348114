"""Is our network the same function as PyTorch's, forward, backward and over training steps?

`check_network` runs in this order, so that the first line that fails is nearest the cause:

    forward   every layer's output, each side running freely on the same images
    loss
    backward  every layer's dx and every parameter's gradient (float64)
              both once more in inference, where the network has batch normalization or heads
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
from numpy.typing import NDArray
from torch import nn

from parity.checks.layer_in_network import check_alone
from parity.checks.network_outputs import compare_float32, compare_float64, run_float32
from parity.checks.training_steps import check_steps
from parity.checks.zero_gradients import cancelled, refuse_adaptive
from parity.comparison.records import Place, Record
from parity.reference import trace as tr
from parity.reference.model_pair import Images, build_pair, ulp_runs
from scratchcnn.layers import BatchNormalization, SideHead
from scratchcnn.networks import CHAPTER, NETWORKS, Network

# Images in a batch and training steps, where not 8 and 10.
LARGE = {name: (2, 2) for name in NETWORKS if name not in CHAPTER} | {"alexnet": (2, 10)}
INFERENCE = "inference"  # the case of the records of a network that infers


def batch_size_of(network: str) -> int:
    return LARGE.get(network, (8, 10))[0]


def steps_of(network: str) -> int:
    return LARGE.get(network, (8, 10))[1]


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
    """Yield a record a tensor, in the order of the module docstring; where one fails in float64, put the
    traces into `keep`.

    `build` gives another pair of the same name than `build_pair` does: a network to be judged as ours.
    """
    batch_size = case.batch_size or batch_size_of(case.network)
    ours64, theirs64 = (build or build_pair)(case.network, np.float64, case.device, case.seed)
    images = Images(ours64, batch_size, case.seed)
    (x, t), rng = images.batch(), np.random.default_rng([case.seed, 2])
    dropouts = tr.dropout_shapes(ours64)
    masks = tr.draw_masks(dropouts, batch_size, rng)
    exact = tr.trace_torch(theirs64, ours64, x.astype(np.float64), t, masks)
    zeros = cancelled(ours64, exact)
    if case.steps:
        refuse_adaptive(case.network, case.optimizer, zeros)

    if case.dtype == "float64":
        ours, trace = ours64, tr.trace_ours(ours64, x, t, masks)
        failed = False
        for row in compare_float64(case.place, trace, exact, ours64, zeros):
            failed |= not row.ok
            yield row
        if keep is not None and failed:
            keep.update(ours=trace, exact=exact)
        del trace  # VGG's is a gigabyte
        if infers_otherwise(ours64):
            inferred = infer_torch(theirs64, ours64, x.astype(np.float64), t)
            yield from compare_float64(case.place, infer_ours(ours, x, t), inferred, ours, {}, INFERENCE)
            del inferred
    else:
        ours = ours64.astype(np.float32)
        inferred32 = (
            infer_torch(theirs64, ours64, x.astype(np.float64), t) if infers_otherwise(ours) else None
        )
        modules = ulp_runs(case.network, ours, case.device)
        training, inference = run_float32(modules, ours, x, t, masks, exact, inferred32)
        yield from compare_float32(case.place, tr.trace_ours(ours, x, t, masks), training, ours)
        if inference is not None:
            yield from compare_float32(case.place, infer_ours(ours, x, t), inference, ours, INFERENCE)
        del training, inference, inferred32
    yield from check_alone(case.place, ours, exact, t, masks, zeros)
    if case.steps:
        del theirs64, exact  # AlexNet's are large
        yield from check_steps(case, ours64, images, dropouts, zeros)


def infers_otherwise(network: Network) -> bool:
    """Whether the network computes something else in inference than in training without dropout."""
    layers = [*network.layers.values(), *(layer for _, layer in network.layers.leaves())]
    return any(isinstance(layer, (BatchNormalization, SideHead)) for layer in layers)


def infer_ours(network: Network, x: NDArray, t: NDArray) -> tr.Trace:
    """The trace of a network that infers; it trains again afterwards."""
    try:
        return tr.trace_ours(network.eval(), x, t)
    finally:
        network.train()


def infer_torch(module: nn.Module, network: Network, x: NDArray, t: NDArray) -> tr.Trace:
    try:
        return tr.trace_torch(module.eval(), network, x, t)
    finally:
        module.train()
