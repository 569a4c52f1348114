"""Faults put into whole networks: does the checker find them, and does it name the right place?

Every fault of the catalogue goes into every layer where it changes anything, of SimpleConvNet, LeNet,
LeNet-5, AlexNet (all its layers, on 67x67 images and with 64 hidden units, so that hundreds of
injections take seconds) and of a small network with a shortcut, branches and batch normalization. Faults
between layers go into each network that has what they need. Faults of `scratchcnn.fast` go into that package
while a network is checked that uses the lines in question.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import numpy as np

from parity.adapters.process_pool import Spread
from parity.checks.as_called import Batches, Call, Sides, calls, check_as_called
from parity.checks.culprit import Culprit, localize
from parity.checks.layer import judge
from parity.checks.layer_in_network import each_probe, run_alone
from parity.checks.network import FEW, MANY, SPLIT, Subject, check
from parity.checks.network_outputs import Reference, wanted
from parity.checks.zero_gradients import cancelled
from parity.comparison.records import AS_CALLED, Place, Record
from parity.faults import Fault, faults_of
from parity.faults.catalogue.fast import FAST_FAULTS
from parity.faults.catalogue.networks import NETWORK_FAULTS
from parity.faults.injected_networks import pair
from parity.kinds import Probe, kind_of
from parity.kinds.kind import without_defaults
from parity.reference import trace as tr
from scratchcnn.fast.dispatch import IMPLEMENTATIONS
from scratchcnn.layers import Layer
from scratchcnn.networks import Network
from scratchcnn.typing import Array

SUBJECTS = ("alexnet", "simple_conv_net", "lenet", "lenet5", "branched")  # the longest first
INFERENCE, BETWEEN = "branched, inference", "between layers"
FAST = "fast"
FAST_SUBJECTS = ("fast_layers", "activations", "many_channels", "many_branches", "lenet", "simple_conv_net")


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
    network, module = pair(name, seed, rng)
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
    made: Layer = fault.make(**_factory_arguments(fault, probe))
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


# -- faults of scratchcnn.fast ------------------------------------------------------------------------
@dataclass
class CalledTarget:
    """A target, and its calls as users make them, with PyTorch's results."""

    target: Target
    calls: list[Call]


def called_target(name: str, seed: int = 0) -> CalledTarget:
    rng = np.random.default_rng([seed, 8])
    on = target(name, seed)
    _, module = pair(name, seed, np.random.default_rng([seed, 6]))
    network = on.network

    def draw(count: int) -> Array:
        return rng.random((count, *network.input_dim))

    x, t = draw(SPLIT), rng.integers(0, network.output_size, SPLIT)
    masks = tr.draw_masks(tr.dropout_shapes(network), SPLIT, rng)
    batches = Batches(x, t, masks, draw(MANY), FEW)
    return CalledTarget(on, list(calls(Sides(network, module), batches)))


def examine_calls(on: CalledTarget) -> tuple[list[Record], Culprit | None]:
    """`examine`, and after it the calls as users make them, each on a copy of the network."""
    subject, traces = on.target.subject, dict[str, tr.Trace]()
    records = list(check(copy.deepcopy(on.target.network), subject, traces))
    records += check_as_called(subject.place, copy.deepcopy(on.target.network), on.calls)
    return records, localize(records, traces.get("ours"), traces.get("exact"))


def fast_injections(on: CalledTarget) -> Iterator[Injection]:
    """Every fault of `scratchcnn.fast` that is meant for the network.

    It is caught where a record of the calls as users make them fails, and placed where the culprit is such a
    call or a layer that has a fast implementation.
    """
    layers = dict(on.target.network.layers.leaves())
    fast_layers = {path for path, layer in layers.items() if type(layer).__name__ in IMPLEMENTATIONS}
    for fault in FAST_FAULTS.values():
        if on.target.name not in fault.networks:
            continue
        with fault.put_in():
            records, culprit = examine_calls(on)
        caught = any(not row.ok for row in records if row.phase in AS_CALLED)
        right = caught and culprit is not None and culprit.layer in {"network", *fast_layers}
        yield Injection(on.target.name, "training", "", fault.name, FAST, caught, culprit, right)


Task = tuple[str, str, tuple[str, ...]]  # network, layer, kinds


def all_injections(
    progress: Callable[[str], None] = lambda text: None,
    seed: int = 0,
    kinds: Collection[str] = (),
    spread: Spread = map,
) -> list[Injection]:
    """Every fault in every layer of every network, between layers, and of `scratchcnn.fast`.

    Of these kinds only, where some are named; then those of networks as a whole are left out.
    """
    tasks: list[Task] = []
    for name in SUBJECTS:
        of = {path: probe.kind for path, probe in _target(name, seed).probes.items()}
        tasks += [(name, path, tuple(kinds)) for path, kind in of.items() if not kinds or kind in kinds]
        tasks += [] if kinds else [(name, BETWEEN, ())]
    tasks += [] if kinds else [(INFERENCE, BETWEEN, ()), *((name, FAST, ()) for name in FAST_SUBJECTS)]
    found: list[Injection] = []
    for (name, path, _), injections in zip(tasks, spread(partial(_inject, seed), tasks), strict=True):
        found += injections
        progress(f"injections: {len(found)}, {name} {path}")
    return found


def _inject(seed: int, task: Task) -> list[Injection]:
    name, path, kinds = task
    if path == FAST:
        return list(fast_injections(called_target(name, seed)))
    on = _target(name, seed)
    return list(network_injections(on) if path == BETWEEN else layer_injections(on, kinds, (path,)))


@cache
def _target(name: str, seed: int) -> Target:
    return target("branched", seed, training=False) if name == INFERENCE else target(name, seed)
