"""Is our network the same function as PyTorch's, forward, backward and over training steps?

`check` reports in this order, so that the first line that fails is nearest the cause:

    forward   each layer's output, both sides running freely on the same images
    loss
    backward  each layer's dx and each parameter's gradient (float64)
              all of these also in inference, where the network has batch normalization or heads
    alone     each layer individually, given the reference's input and cotangent: the error that it adds
    as called what a user's own `predict` and `gradient` give, their batch split over the threads; the book's
              loop written by hand; and the textbook's code (see as_called.py)
    step k    the loss, parameters and optimizer state of K training steps in lockstep

In float32 the free-running gradients are not judged: an input within rounding of a kink (ReLU's zero, a
pooling tie) may fall on either side of it in a correct implementation, and then gradients differ by more
than rounding. The same gradients are judged layer by layer (`alone`), where both sides see the same
kinks, and over the training steps, against the spread of PyTorch's own float32 runs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from torch import nn

from parity.checks.as_called import Batches, Sides, calls, check_as_called
from parity.checks.layer_in_network import check_alone, each_probe
from parity.checks.network_outputs import Reference, results, wanted
from parity.checks.training_steps import check_steps
from parity.checks.zero_gradients import Cancelled, cancelled, refuse_adaptive
from parity.comparison.gates import refused
from parity.comparison.records import Place, Record, record
from parity.kinds import Probe
from parity.reference import trace as tr
from parity.reference.model_pair import (
    Images,
    build_pair,
    moves,
    torch_like,
    ulp_runs,
)
from scratchcnn.layers import BatchNormalization, SideHead
from scratchcnn.networks import CHAPTER, NETWORKS, Network
from scratchcnn.typing import Array

# Images in a batch and training steps, where not 8 and 10.
LARGE = {name: (2, 2) for name in NETWORKS if name not in CHAPTER} | {"alexnet": (2, 10)}
SPLIT, MANY, FEW = 107, 259, 8  # images: in parts of two sizes, in more parts than threads, for the textbook
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


@dataclass
class Subject:
    """What a network is held against: PyTorch's runs of the right one on a batch.

    place      what to call it in the records
    x, t       the batch; masks those of its dropout layers
    reference  PyTorch's run with that batch
    inference  and in inference, where that is anything else
    zeros      the gradients that are 0 by construction
    exact      the run in float64, layer by layer
    probes     each layer's kind, its arguments, input and cotangent in that run; of a network, if it is the
               one under test, read off itself
    later      checks that follow, on other batches
    """

    place: Place
    x: Array
    t: Array
    masks: tr.Masks
    reference: Reference | None
    exact: tr.Trace | None
    zeros: Cancelled = field(default_factory=dict)
    inference: Reference | None = None
    probes: Iterable[tuple[str, Probe]] | None = None
    later: tuple[Callable[[Network], Iterator[Record]], ...] = ()

    def forget(self) -> None:
        """Large networks' runs take gigabytes."""
        self.reference = self.inference = self.exact = self.probes = None


def check(network: Network, on: Subject, keep: dict[str, tr.Trace] | None = None) -> Iterator[Record]:
    """Yield a record per tensor, in the order of the module docstring; where one fails in float64, put the
    traces of both sides into `keep`. An exception is a record that fails."""
    assert on.reference is not None and on.exact is not None
    trace, failed = tr.Trace(), False
    buffers = {name: array.copy() for name, array in network.layers.buffers.items()}
    for row in traced(network, on, trace):
        failed |= not row.ok
        yield row
    if keep is not None and failed and on.place.dtype == "float64":
        keep.update(ours=trace, exact=on.exact)
    del trace  # VGG's is a gigabyte
    if on.inference is not None:
        yield from on.inference.compare(on.place, results(infer_ours(network, on.x, on.t)), case=INFERENCE)
    for name, array in buffers.items():  # each layer individually starts where the reference did
        network.layers.buffers[name][...] = array
    probes = each_probe(network, on.exact, on.t, on.masks) if on.probes is None else on.probes
    yield from check_alone(on.place, network, probes, on.zeros, keep=on.probes is not None)
    del probes
    if on.later:
        on.forget()
    for later in on.later:
        yield from later(network)


def traced(network: Network, on: Subject, trace: tr.Trace) -> Iterator[Record]:
    """Outputs, loss, every dx and every gradient of one `gradient` call, whose trace is put into `trace`."""
    assert on.reference is not None
    try:
        tr.trace_ours(network, on.x, on.t, on.masks, trace)
    except Exception as error:
        why = refused(on.x, f"raised {type(error).__name__}: {error}")
        yield record(on.place, "network", "crash", "gradient", why)
    yield from on.reference.compare(on.place, results(trace))


def check_network(
    case: Case, keep: dict[str, tr.Trace] | None = None, build: Callable[..., Any] | None = None
) -> Iterator[Record]:
    """`check` of a case.

    `build` gives another pair of the same name than `build_pair` does: a network to be judged as ours.
    """
    yield from check(*subject_of(case, build or build_pair), keep)


def subject_of(case: Case, build: Callable[..., Any] = build_pair) -> tuple[Network, Subject]:
    """The case's network, ours, in its dtype, and what it is held against."""
    batch_size = case.batch_size or batch_size_of(case.network)
    ours64, theirs64 = build(case.network, np.float64, case.device, case.seed)
    images = Images(ours64, batch_size, case.seed)
    (x, t), rng = images.batch(), np.random.default_rng([case.seed, 2])
    dropouts = tr.dropout_shapes(ours64)
    masks = tr.draw_masks(dropouts, batch_size, rng)
    exact = tr.trace_torch(theirs64, ours64, x.astype(np.float64), t, masks)
    zeros = cancelled(ours64, exact)
    if case.steps:
        refuse_adaptive(case.network, case.optimizer, zeros)
    inferred = infer_torch(theirs64, ours64, x.astype(np.float64), t) if infers_otherwise(ours64) else None
    network: Network = ours64
    tensors: tuple[str, ...] = ("out", "loss", "dx", "grad")
    if case.dtype == "float32":
        network, tensors = ours64.astype(np.float32), ("out", "loss")
    paths = [path for path, _ in network.layers.leaves()]
    reference = Reference(wanted(exact, network.params, paths, tensors), case.dtype, zeros)
    inference = None
    if inferred is not None:
        inference = Reference(wanted(inferred, network.params, list(inferred.outputs), tensors), case.dtype)
    if case.dtype == "float32":
        _add_runs(ulp_runs(case.network, network, case.device), network, x, t, masks, reference, inference)
    batches = batches_of(case, network, Batches(x, t, masks, x, 1, exact))
    later = [lambda _: as_called(case, network, batches, shown=build is build_pair)]
    if case.steps:
        later.append(lambda _: check_steps(case, ours64, images, dropouts, zeros))
    return network, Subject(case.place, x, t, masks, reference, exact, zeros, inference, later=tuple(later))


def as_called(case: Case, network: Network, batches: Batches, shown: bool) -> Iterator[Record]:
    """The network as a user calls it; `shown` where it is the library's own, which has to be split."""
    wide = network.astype(np.float64) if network.dtype != np.float64 else network
    exact = torch_like(case.network, wide, case.device)
    del wide
    runs: list[nn.Module] = []
    if case.dtype == "float32":
        runs = ulp_runs(case.network, network, case.device, moves(network)[0])
    on_cpu = case.device == "cpu"  # the textbook's code runs there, and is held against PyTorch there
    made = calls(Sides(network, exact, runs), batches, shown, textbook=on_cpu)
    yield from check_as_called(case.place, network, made)


def batches_of(case: Case, network: Network, checked: Batches) -> Batches:
    """What the network is called with: a hundred images, as in training; of a large network the batch that
    was `checked` before, if that can be split."""
    large, least = case.network in LARGE, 2
    if large and len(checked.x) >= least:
        return checked
    rng = np.random.default_rng([case.seed, 5])
    count = least if large else SPLIT
    x, t = Images(network, count, case.seed).batch()
    masks = tr.draw_masks(tr.dropout_shapes(network), count, rng)
    many = x if large else Images(network, MANY, case.seed).batch()[0]
    return Batches(x, t, masks, many, 1 if large else FEW)


def _add_runs(
    modules: list[nn.Module],
    network: Network,
    x: Array,
    t: Array,
    masks: tr.Masks,
    training: Reference,
    inference: Reference | None,
) -> None:
    """PyTorch's float32 runs one after another, in training and, where that is asked for, in inference."""
    for module in modules:
        training.add(results(tr.trace_torch(module, network, x, t, masks)))
        if inference is not None:
            inference.add(results(infer_torch(module, network, x, t)))
        module.zero_grad()


def infers_otherwise(network: Network) -> bool:
    """Whether the network computes something else in inference than in training without dropout."""
    layers = [*network.layers.values(), *(layer for _, layer in network.layers.leaves())]
    return any(isinstance(layer, (BatchNormalization, SideHead)) for layer in layers)


def infer_ours(network: Network, x: Array, t: Array) -> tr.Trace:
    """The trace of a network that infers; it trains again afterwards."""
    try:
        return tr.trace_ours(network.eval(), x, t)
    finally:
        network.train()


def infer_torch(module: nn.Module, network: Network, x: Array, t: Array) -> tr.Trace:
    try:
        return tr.trace_torch(module.eval(), network, x, t)
    finally:
        module.train()
