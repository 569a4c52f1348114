"""K training steps of both frameworks in lockstep: the same batches, the same masks, the same optimizer.

One step can hide an error that a second one shows: a gradient that accumulates, a state that is
initialised differently, running statistics that drift. After every step the loss, every parameter, every
buffer and the optimizer's state are compared.

In float32 two correct trajectories part, so ours is held against the float64 one, and may be as far from
it as C times the farthest of several float32 runs of PyTorch: the plain one, and some whose weights were
moved by an ulp at the start, one of them by enough to cross a kink where the network has any. Where that
run crossed other kinks than ours did, which a step on one image shows, further ones say how far a kink goes.

A deep network with batch normalization parts in float64 too. Two runs of PyTorch's ResNet-50 on two images,
whose weights start one ulp apart, differ in the second step by 3e-13 of scale after the first stage, by
3e-11 after the last, and by 6e-10 in the gradient of conv1, though no ReLU has switched: each normalization
divides by a spread that carries the error of all before it. The logic gate is 1e-9. So with batch
normalization ours is granted, where that is more, C times the farthest of PyTorch's own float64 runs whose
weights start one ulp away.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import torch

from parity.adapters.bench import Raised
from parity.adapters.connection import Ended
from parity.checks.gate import gate
from parity.checks.zero_gradients import Cancelled
from parity.comparison.gates import UNIT, largest, refused
from parity.comparison.records import Place, Record, record
from parity.kinds import OPTIMIZER_KINDS
from parity.kinds.kind import to_numpy
from parity.kinds.tensors import place
from parity.reference.model_pair import Images, moves, torch_like, ulp_runs
from parity.reference.trace import DropoutShapes, Masks, draw_masks, injected, torch_injected
from parity.reference.weights import links, named_tensors
from scratchcnn.layers import BatchNormalization
from scratchcnn.networks import Network
from scratchcnn.optim import OPTIMIZERS
from scratchcnn.typing import Array

if TYPE_CHECKING:
    from parity.checks.network import Case

Tensors = dict[tuple[str, str], Array]  # (parameter, "param" | "buffer" | a state's name) -> array
Batch = tuple[Array, Array, Masks]  # x, t, and the masks of the dropout layers

# The settings of the steps, the same for ours and PyTorch's, and where torch keeps each of our states.
SETTINGS: dict[str, dict[str, float]] = {
    "sgd": {"lr": 0.01},
    "momentum": {"lr": 0.01, "momentum": 0.9},
    "nesterov": {"lr": 0.01, "momentum": 0.9},
    "adagrad": {"lr": 0.01},
    "rmsprop": {"lr": 0.001},
    "adadelta": {"lr": 1.0},
    "adam": {"lr": 0.001},
    "adamw": {"lr": 0.001},
    "adamax": {"lr": 0.002},
    "nadam": {"lr": 0.002},
}
STATES: dict[str, dict[str, str]] = {
    "momentum": {"v": "momentum_buffer"},
    "nesterov": {"v": "momentum_buffer"},
    "adagrad": {"h": "sum"},
    "rmsprop": {"h": "square_avg"},
    "adadelta": {"h": "square_avg", "d": "acc_delta"},
    "adam": {"m": "exp_avg", "v": "exp_avg_sq"},
    "adamw": {"m": "exp_avg", "v": "exp_avg_sq"},
    "adamax": {"m": "exp_avg", "u": "exp_inf"},
    "nadam": {"m": "exp_avg", "v": "exp_avg_sq"},
}


class Side(Protocol):
    """A network and its optimizer: the loss of the last step, and all that the step changes."""

    loss: Array

    def step(self, x: Array, t: Array, masks: Masks) -> None: ...

    def tensors(self) -> Tensors: ...


class Ours:
    """Our side."""

    def __init__(self, network: Network, rule: str):
        self.network, self.rule = network, rule
        self.optimizer = OPTIMIZERS[rule](**SETTINGS[rule])

    def step(self, x: Array, t: Array, masks: Masks) -> None:
        with injected(self.network, masks):
            grads = self.network.gradient(x, t)
        self.loss = np.asarray(self.network.last_loss)
        self.optimizer.update(self.network.params, grads)

    def tensors(self) -> Tensors:
        slots = STATES.get(self.rule, {})
        state = {(k, slot): v for slot in slots for k, v in getattr(self.optimizer, slot).items()}
        params = {(k, "param"): p for k, p in self.network.params.items()}
        return {**params, **state, **{(k, "buffer"): b for k, b in self.network.buffers.items()}}


class Theirs:
    """PyTorch's side, under our names."""

    def __init__(self, module: torch.nn.Module, network: Network, rule: str):
        self.module, self.pairs = module, links(network)
        self.trained = set(network.params)
        self.dtype = next(module.parameters()).dtype
        self.device = next(module.parameters()).device
        self.rule = rule
        self.optimizer = OPTIMIZER_KINDS[rule].rule(list(module.parameters()), SETTINGS[rule])

    def step(self, x: Array, t: Array, masks: Masks) -> None:
        inputs = place(x, self.device, self.dtype)
        with torch_injected(self.module, masks):
            self.optimizer.zero_grad()
            loss = self.module.loss(self.module(inputs), torch.from_numpy(t).to(self.device))  # type: ignore[operator]
            loss.backward()
        self.optimizer.step()
        self.loss = to_numpy(loss)

    def tensors(self) -> Tensors:
        named, found = named_tensors(self.module), {}
        for link in self.pairs:
            tensor = named[link.theirs]
            kinds: dict[str, Any] = {"param" if link.ours in self.trained else "buffer": tensor}
            if link.ours in self.trained:
                state = self.optimizer.state[tensor]
                kinds |= {slot: state[key] for slot, key in STATES.get(self.rule, {}).items()}
            for kind, value in kinds.items():
                array = to_numpy(value)
                found[link.ours, kind] = array.T if link.transposed else array
        return found


def check_steps(
    case: Case,
    network64: Network,
    images: Images,
    dropouts: DropoutShapes,
    zeros: Cancelled = MappingProxyType({}),
) -> Iterator[Record]:
    """A record for the loss and for every parameter, buffer and optimizer state, after each step."""
    rng = np.random.default_rng([case.seed, 3])
    batches = [
        (x, t, draw_masks(dropouts, len(x), rng)) for x, t in (images.batch() for _ in range(case.steps))
    ]
    if case.dtype == "float64":
        yield from lockstep(case.place, *_sides64(case, network64), batches, zeros)
        return
    for moved in moves(network64):
        records = list(lockstep(case.place, *_sides32(case, network64, moved), batches, zeros))
        if all(one.ok for one in records):
            break
    yield from records


def _sides64(case: Case, network64: Network) -> tuple[Side, Side, list[Side]]:
    """Ours, PyTorch's, and with batch normalization PyTorch's other runs."""
    runs: list[Side] = []
    exact = Theirs(torch_like(case.network, network64, case.device), network64, case.optimizer)
    if any(isinstance(layer, BatchNormalization) for _, layer in network64.layers.leaves()):
        others = ulp_runs(case.network, network64, case.device)[1:]
        runs = [Theirs(module, network64, case.optimizer) for module in others]
    return Ours(network64, case.optimizer), exact, runs


def _sides32(case: Case, network64: Network, moved: Sequence[int]) -> tuple[Side, Side, list[Side]]:
    """Ours in float32, PyTorch's in float64, and its float32 runs with weights `moved` by so many ulps."""
    network, rule = network64.astype(np.float32), case.optimizer
    exact = Theirs(torch_like(case.network, network64, case.device), network64, rule)
    modules = ulp_runs(case.network, network, case.device, moved)
    return Ours(network, rule), exact, [Theirs(module, network, rule) for module in modules]


def lockstep(
    place: Place,
    ours: Side,
    exact: Side,
    runs: Sequence[Side],
    batches: Iterable[Batch],
    zeros: Cancelled = MappingProxyType({}),
) -> Iterator[Record]:
    """A step of all sides with each of the batches; then a record per tensor.

    exact   PyTorch's side in float64
    runs    further ones of PyTorch's, for what is allowed: in the dtype of the place, the plain one first

    Raises what the connection does where ours runs elsewhere.
    """
    for number, (x, t, masks) in enumerate(batches, start=1):
        try:
            ours.step(x, t, masks)
        except (Ended, Raised):
            raise
        except Exception as error:
            why = refused(x, f"raised {type(error).__name__}: {error}")
            yield record(place, "network", f"step {number}", "the step", why)
            return
        for side in (exact, *runs):
            side.step(x, t, masks)
        yield from compare_step(place, f"step {number}", ours, exact, runs, zeros)


def compare_step(
    place: Place,
    phase: str,
    ours: Side,
    exact: Side,
    runs: Sequence[Side],
    zeros: Cancelled = MappingProxyType({}),
) -> Iterator[Record]:
    """A record for the loss and for each tensor that a step changes."""
    wanted: Tensors = {("loss", "loss"): exact.loss} | exact.tensors()
    found: Tensors = {("loss", "loss"): ours.loss} | ours.tensors()
    if surplus := sorted(set(found) - set(wanted)):
        raise AssertionError(f"ours has tensors that PyTorch lacks: {surplus}")
    others = [{("loss", "loss"): run.loss} | run.tensors() for run in runs]
    for (name, kind), reference in wanted.items():
        key, floor = (name, kind), UNIT["float32"] * largest(reference) if place.dtype == "float32" else 0.0
        theirs = [run[key] for run in others]
        zero = zeros.get(name)
        comparison = gate(found.get(key), reference, place.dtype, theirs, floor=floor, zero=zero)
        yield record(place, name, phase, kind, comparison)
