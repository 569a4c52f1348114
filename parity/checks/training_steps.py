"""K training steps of both frameworks in lockstep: the same batches, the same masks, the same optimizer.

One step can hide an error that a second one shows: a gradient that accumulates, a state that is
initialised differently, running statistics that drift. After every step the loss, every parameter, every
buffer and the optimizer's state are compared.

In float32 two correct trajectories part, so ours is held against the float64 one, and may be as far from
it as C times the farthest of several float32 runs of PyTorch: the plain one, and some whose weights were
moved by an ulp at the start, one of them by enough to cross a kink where the network has any.

A deep network with batch normalization parts in float64 too. Two runs of PyTorch's ResNet-50 on two images,
whose weights start one ulp apart, differ in the second step by 3e-13 of scale behind the first stage, by
3e-11 behind the last, and by 6e-10 in the gradient of conv1, though no ReLU has switched: each normalization
divides by a spread that carries the error of all before it. The logic gate is 1e-9. So behind batch
normalization ours is granted, where that is more, C times the farthest of PyTorch's own float64 runs whose
weights start one ulp away.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from parity.checks.zero_gradients import Cancelled, zero_gate
from parity.comparison.gates import UNIT, difference, largest, logic_gate, precision_gate
from parity.comparison.records import Record, record
from parity.kinds.kind import to_numpy
from parity.kinds.optimizers import TORCH
from parity.reference.model_pair import ONE_ULP, OVER_KINKS, Images, has_kinks, torch_like, ulp_runs
from parity.reference.trace import DropoutShapes, Masks, draw_masks, injected, torch_injected
from parity.reference.weights import links, named_tensors
from scratchcnn.layers import BatchNormalization
from scratchcnn.networks import Network
from scratchcnn.optim import OPTIMIZERS

if TYPE_CHECKING:
    from parity.checks.network import Case

Tensors = dict[tuple[str, str], NDArray]  # (parameter, "param" | "buffer" | a state's name) -> array

# The settings of a trajectory, ours and PyTorch's alike, and where torch keeps each of our states.
SETTINGS: dict[str, dict[str, float]] = {
    "sgd": {"lr": 0.01},
    "momentum": {"lr": 0.01, "momentum": 0.9},
    "nesterov": {"lr": 0.01, "momentum": 0.9},
    "adagrad": {"lr": 0.01},
    "rmsprop": {"lr": 0.001},
    "adam": {"lr": 0.001},
    "adamw": {"lr": 0.001},
}
STATES: dict[str, dict[str, str]] = {
    "momentum": {"v": "momentum_buffer"},
    "nesterov": {"v": "momentum_buffer"},
    "adagrad": {"h": "sum"},
    "rmsprop": {"h": "square_avg"},
    "adam": {"m": "exp_avg", "v": "exp_avg_sq"},
    "adamw": {"m": "exp_avg", "v": "exp_avg_sq"},
}


class Ours:
    """Our side: a network and its optimizer."""

    def __init__(self, network: Network, rule: str):
        self.network, self.rule = network, rule
        self.optimizer = OPTIMIZERS[rule](**SETTINGS[rule])

    def step(self, x: NDArray, t: NDArray, masks: Masks) -> None:
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
    """PyTorch's side, told in our names."""

    def __init__(self, module: torch.nn.Module, network: Network, rule: str):
        self.module, self.pairs = module, links(network)
        self.trained = set(network.params)
        self.dtype = next(module.parameters()).dtype
        self.device = next(module.parameters()).device
        self.rule, self.optimizer = rule, TORCH[rule](list(module.parameters()), SETTINGS[rule])

    def step(self, x: NDArray, t: NDArray, masks: Masks) -> None:
        inputs = torch.from_numpy(x).to(self.device, self.dtype)
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
    rule = case.optimizer
    exact = Theirs(torch_like(case.network, network64, case.device), network64, rule)
    if case.dtype == "float64":
        ours, runs = Ours(network64, rule), []
        if any(isinstance(layer, BatchNormalization) for _, layer in network64.layers.leaves()):
            others = ulp_runs(case.network, network64, case.device)[1:]
            runs = [Theirs(module, network64, rule) for module in others]
    else:
        network = network64.astype(np.float32)
        ours = Ours(network, rule)
        moved = OVER_KINKS if has_kinks(network) else ONE_ULP
        modules = ulp_runs(case.network, network, case.device, moved)
        runs = [Theirs(module, network, rule) for module in modules]
    rng = np.random.default_rng([case.seed, 3])
    for step in range(1, case.steps + 1):
        x, t = images.batch()
        masks = draw_masks(dropouts, len(x), rng)
        ours.step(x, t, masks)
        for side in (exact, *runs):
            side.step(x, t, masks)
        yield from _compare(case, f"step {step}", ours, exact, runs, zeros)


def _compare(
    case: Case, phase: str, ours: Ours, exact: Theirs, runs: list[Theirs], zeros: Cancelled
) -> Iterator[Record]:
    wanted, found = exact.tensors(), ours.tensors()
    if surplus := sorted(set(found) - set(wanted)):
        raise AssertionError(f"ours has tensors that PyTorch lacks: {surplus}")
    others = [run.tensors() for run in runs]
    rows: list[tuple[str, str, NDArray | None, NDArray, list[NDArray]]]
    rows = [("loss", "loss", ours.loss, exact.loss, [run.loss for run in runs])]
    rows += [
        (n, kind, found.get((n, kind)), a, [o[n, kind] for o in others]) for (n, kind), a in wanted.items()
    ]
    for name, kind, mine, reference, theirs in rows:
        if name in zeros:
            comparison = zero_gate(mine, reference.shape, case.dtype, zeros[name])
        elif case.dtype == "float64":
            spread = max((difference(run, reference) for run in theirs), default=0.0)
            comparison = logic_gate(mine, reference, floor=spread)
        else:
            error = max(difference(run, reference) for run in theirs)
            floor = UNIT["float32"] * largest(reference)
            comparison = precision_gate(mine, theirs[0], reference, floor, error)
        yield record(case.place, name, phase, kind, comparison)
