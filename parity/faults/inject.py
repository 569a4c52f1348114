"""Faults put into whole networks: does the checker find them, and does it name the right place?

Every fault of the catalogue goes into every layer where it changes anything, of SimpleConvNet, LeNet,
LeNet-5, AlexNet (all its layers, on 67x67 images and with 64 hidden units, so that hundreds of
injections take seconds) and of a small network with a shortcut, branches and batch normalization. Faults
between layers go into each network that has what they need.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import numpy as np
import torch
from torch import nn

import scratchcnn as sc
from parity.adapters.process_pool import Spread
from parity.checks.culprit import Culprit, localize
from parity.checks.layer import judge
from parity.checks.layer_in_network import each_probe, run_alone
from parity.checks.network import Subject, check
from parity.checks.network_outputs import Reference, wanted
from parity.checks.zero_gradients import cancelled
from parity.comparison.records import Place, Record
from parity.faults import Fault, faults_of
from parity.faults.catalogue.networks import NETWORK_FAULTS
from parity.kinds import Probe, kind_of
from parity.kinds.kind import without_defaults
from parity.reference import trace as tr
from parity.reference.layer_modules import NetworkTwin
from parity.reference.networks import TORCH_NETWORKS
from parity.reference.weights import copy_to_torch
from scratchcnn.layers import Layer
from scratchcnn.networks import NETWORKS, Network
from scratchcnn.networks.base import Builder

SUBJECTS = ("alexnet", "simple_conv_net", "lenet", "lenet5", "branched")  # the longest first
INFERENCE, BETWEEN = "branched, inference", "between layers"
SMALL_ALEXNET = {"input_size": 67, "hidden_size": 64, "output_size": 10}


class Branched(Network):
    """A shortcut, branches, batch normalization and two square Affines, on 2x10x9 images."""

    def __init__(self, rng: int = 0, dtype: Any = np.float64):
        draw = np.random.default_rng(rng)
        build = Builder((2, 10, 9), dtype)

        def conv(FN: int, FS: int, pad: int = 0, C: int | None = None) -> sc.Convolution:
            C = build.channels if C is None else C
            return sc.Convolution(draw.normal(0, 0.4, (FN, C, FS, FS)), draw.normal(0, 0.2, FN), pad=pad)

        def batch_norm(C: int) -> sc.BatchNormalization:
            mean, var = draw.normal(0, 0.3, C), draw.uniform(0.5, 2, C)
            return sc.BatchNormalization(draw.uniform(0.5, 2, C), draw.normal(0, 0.3, C), 0.9, mean, var)

        def affine(size: int) -> sc.Affine:
            return sc.Affine(draw.normal(0, 0.3, (build.size, size)), draw.normal(0, 0.2, size))

        build.add("conv1", conv(4, 3, pad=1))
        build.add("bn1", batch_norm(4))
        build.add("relu1", sc.Relu())
        build.add("block", sc.Residual(sc.Sequential({"conv": conv(4, 3, pad=1), "bn": batch_norm(4)})))
        build.add("relu2", sc.Relu())
        branches = {"a": conv(3, 1), "b": sc.Sequential({"pool": sc.Pooling(3, 3, 1, 1), "conv": conv(2, 1)})}
        build.add("inception", sc.Concat(branches))
        build.add("lrn", sc.LocalResponseNormalization(3, 0.2, 0.75, 1.0))
        build.add("pool", sc.Pooling(3, 2, stride=2, mode="average"))
        build.add("flatten", sc.Flatten())
        build.add("affine1", affine(12))
        build.add("sigmoid1", sc.Sigmoid())
        build.add("affine2", affine(12))
        build.add("sigmoid2", sc.Sigmoid())
        build.add("affine3", affine(12))
        build.add("tanh", sc.Tanh())
        build.add("dropout", sc.Dropout(0.3))
        build.add("affine4", affine(5))
        super().__init__((2, 10, 9), 5, build.layers)


@dataclass
class Target:
    """A correct network and what it is held against: faults are put into copies of it."""

    name: str
    network: Network
    subject: Subject
    probes: dict[str, Probe]  # each layer's, of the correct network
    mode: str = "training"  # or "inference"


def target(name: str, seed: int = 0, training: bool = True) -> Target:
    """One of the networks by name, or "branched", in float64 with random biases (zeros would hide faults)."""
    rng = np.random.default_rng([seed, 6])
    network, module = _pair(name, seed, rng)
    network.train(training)
    module.train(training)
    N = 2 if name == "alexnet" else 3
    x, t = rng.random((N, *network.input_dim)), rng.integers(0, network.output_size, N)
    masks = tr.draw_masks(tr.dropout_shapes(network), N, rng) if training else {}
    exact = tr.trace_torch(module, network, x, t, masks)
    probes = dict(each_probe(network, exact, t, masks, training))
    zeros = cancelled(network, exact) if training else {}
    tensors = wanted(exact, network.params, list(exact.outputs), ("out", "loss", "dx", "grad"))
    place, reference = Place(name, "float64", "cpu"), Reference(tensors, zeros=zeros)
    subject = Subject(place, x, t, masks, reference, exact, zeros, probes=list(probes.items()))
    return Target(name, network, subject, probes, "training" if training else "inference")


def _pair(name: str, seed: int, rng: np.random.Generator) -> tuple[Network, nn.Module]:
    if name == "branched":
        network: Network = Branched(seed)
        module: nn.Module = NetworkTwin(network).to(torch.float64)
    elif name == "alexnet":
        size = SMALL_ALEXNET["input_size"]
        options = {k: v for k, v in SMALL_ALEXNET.items() if k != "input_size"}
        network = sc.AlexNet((3, size, size), rng=seed, dtype=np.float64, **options)
        module = TORCH_NETWORKS[name](**SMALL_ALEXNET).to(torch.float64)
    else:
        network = NETWORKS[name](rng=seed, dtype=np.float64)
        module = TORCH_NETWORKS[name]().to(torch.float64)
    for key, array in network.params.items():
        if array.ndim == 1:
            array += 0.1 * rng.standard_normal(array.shape)
        elif name == "alexnet" and key.endswith("W"):
            array *= 3  # the paper's 0.01 lets the signal die on so small an image
    copy_to_torch(network, module)
    return network, module


def examine(faulty: Network, on: Target) -> tuple[list[Record], Culprit | None]:
    """The float64 checks of a network against the target's reference, and the culprit they name."""
    traces: dict[str, tr.Trace] = {}
    records = list(check(faulty, on.subject, traces))
    return records, localize(records, traces.get("ours"), traces.get("exact"))


@dataclass(frozen=True)
class Injection:
    """One fault in one place, and what the checker said."""

    network: str
    mode: str  # training or inference
    layer: str
    fault: str
    family: str
    caught: bool
    culprit: Culprit | None
    right: bool


def layer_injections(
    on: Target, kinds: Collection[str] = (), paths: Collection[str] = ()
) -> Iterator[Injection]:
    """Every fault of every layer's kind, where it changes that layer's results at all.

    Of these kinds and layers only, where some are named.
    """
    layers = dict(on.network.layers.leaves()) | {"loss": on.network.last_layer}
    for path, probe in on.probes.items():
        if (kinds and probe.kind not in kinds) or (paths and path not in paths):
            continue
        for fault in faults_of(probe.kind):
            if fault.equivalent or harmless(fault, layers[path], probe):
                continue
            faulty = copy.deepcopy(on.network)
            put(faulty, path, mutant(fault, layers[path], probe))
            _, culprit = examine(faulty, on)
            right = culprit is not None and culprit.layer == path and culprit.phase in ("forward", "backward")
            yield Injection(
                on.name, on.mode, path, fault.name, probe.kind, culprit is not None, culprit, right
            )


def mutant(fault: Fault, layer: Layer, probe: Probe) -> Layer:
    """The fault in the layer's place: with its arguments, weights and mode."""
    made = fault.make(**_factory_arguments(fault, probe))
    made.name = layer.name
    made.train(layer.training)
    for key, array in {**layer.params, **layer.buffers}.items():
        {**made.params, **made.buffers}[key][...] = array
    return made


def harmless(fault: Fault, layer: Layer, probe: Probe) -> bool:
    """Whether the fault gives the right results on what this layer gets."""
    try:
        found = run_alone(mutant(fault, layer, probe), probe.cast(np.float64))
    except Exception:
        return False
    return all(comparison.ok for comparison in judge(probe, found, keep=True).values())


def put(network: Network, path: str, layer: Layer) -> None:
    """Replace the layer at `path` by another one."""
    if path == "loss":
        network.last_layer = layer  # type: ignore[assignment]
        return
    *parents, name = path.split(".")
    box: Any = network.layers
    for parent in parents:
        box = box[parent]
    box._children[name] = layer
    network._collect()


def _factory_arguments(fault: Fault, probe: Probe) -> dict[str, Any]:
    """The probe's arguments as the book's protocol hands them over: copies, without the defaults."""
    given = without_defaults(probe.args, kind_of(fault.kind).optional)
    given.pop("training", None)  # a mode, and no argument
    if given.pop("paper_alpha", False):
        given["alpha"] = given["alpha"] * given["size"]
    return {k: v.copy() if isinstance(v, np.ndarray) else v for k, v in given.items()}


def network_injections(on: Target) -> Iterator[Injection]:
    """Every fault between layers that the network has room for."""
    for fault in NETWORK_FAULTS.values():
        faulty = copy.deepcopy(on.network)
        places = fault.apply(faulty)
        if places is None:
            continue
        _, culprit = examine(faulty, on)
        right = culprit is not None and (culprit.layer, culprit.phase) in places
        yield Injection(on.name, on.mode, "", fault.name, fault.family, culprit is not None, culprit, right)


Task = tuple[str, str, tuple[str, ...]]  # network, layer, kinds


def all_injections(
    progress: Callable[[str], None] = lambda text: None,
    seed: int = 0,
    kinds: Collection[str] = (),
    spread: Spread = map,
) -> list[Injection]:
    """Every fault in every layer of every network, and every fault between layers.

    Of these kinds only, where some are named; then the faults between layers are left out.
    """
    tasks: list[Task] = []
    for name in SUBJECTS:
        of = {path: probe.kind for path, probe in _target(name, seed).probes.items()}
        tasks += [(name, path, tuple(kinds)) for path, kind in of.items() if not kinds or kind in kinds]
        tasks += [] if kinds else [(name, BETWEEN, ())]
    tasks += [] if kinds else [(INFERENCE, BETWEEN, ())]
    found: list[Injection] = []
    for (name, path, _), injections in zip(tasks, spread(partial(_inject, seed), tasks), strict=True):
        found += injections
        progress(f"injections: {len(found)}, {name} {path}")
    return found


def _inject(seed: int, task: Task) -> list[Injection]:
    name, path, kinds = task
    on = _target(name, seed)
    return list(network_injections(on) if path == BETWEEN else layer_injections(on, kinds, (path,)))


@cache
def _target(name: str, seed: int) -> Target:
    return target("branched", seed, training=False) if name == INFERENCE else target(name, seed)
