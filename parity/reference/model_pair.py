"""The two sides of a comparison: the same weights in both frameworks, and the same real images."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import torch
from torch import nn

from parity.kinds import tensors
from parity.reference.networks import TORCH_NETWORKS
from parity.reference.weights import copy_to_torch
from scratchcnn.data import load
from scratchcnn.images import resize
from scratchcnn.layers import Pooling, Relu
from scratchcnn.networks import CHAPTER, NETWORKS, Network
from scratchcnn.typing import Array

# The float32 runs of PyTorch beside the plain one: by how many units in the last place their weights are
# moved. One ulp shows how rounding spreads. A network with kinks (ReLU's zero, a maximum's ties) needs a
# wider run too: once in a few runs a correct one falls on the other side of a kink, which moves a gradient
# by a thousand roundings, and three runs seldom show it; 64 ulps cross a kink for certain.
ONE_ULP = (1, 1, 1)
OVER_KINKS = (1, 1, 64)
OVER_MORE_KINKS = (*OVER_KINKS, *(64, 128, 256) * 2)  # a step on one image hangs on single kinks
FEW = 50_000_000  # parameters of which four more copies fit


class Images:
    """Real images for one network: resized to its input, dequantised, in fixed random batches.

    Pixels are 8-bit; uniform noise of one grey level makes them continuous, so that no two windows
    of a flat background tie by accident (ties are probed on purpose elsewhere).
    """

    def __init__(self, network: Network, batch_size: int, seed: int):
        data = load("fashion-mnist-sample")
        self.network, self.batch_size = network, batch_size
        self.rng = np.random.default_rng([seed, 1])
        self.x, self.t = data.x_train, data.t_train

    def batch(self) -> tuple[Array, Array]:
        """The next batch, float32 (N, C, H, W) and int64 (N,)."""
        rows = self.rng.choice(len(self.x), self.batch_size, replace=False)
        x = resize(self.x[rows], self.network.input_dim)
        noise = self.rng.random(x.shape, dtype=np.float32)
        return (x * np.float32(255) + noise) / np.float32(256), self.t[rows]


def build_pair(name: str, dtype: Any, device: str, seed: int) -> tuple[Network, nn.Module]:
    """Our network and PyTorch's with the same weights, drawn in float32 so that every dtype starts alike."""
    network = NETWORKS[name](rng=seed)
    if network.dtype != dtype:
        network = network.astype(dtype)
    return network, torch_like(name, network, device)


def torch_like(name: str, network: Network, device: str) -> nn.Module:
    """The hand-written PyTorch network, holding `network`'s weights."""
    with torch.device(device):
        module = TORCH_NETWORKS[name]().to(getattr(torch, network.dtype.name))
    if tensors.channels_last():
        module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    paths = {path: network.torch_path(path) for path, _ in network.layers.leaves()}
    module.our_paths = paths  # type: ignore[assignment]
    copy_to_torch(network, module)
    return module.train()


def nudge(tensors: Iterable[torch.Tensor], seed: int, ulps: int = 1) -> None:
    """Move every number by so many units in the last place, up or down at random."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for p in tensors:
            up = torch.randint(0, 2, p.shape, generator=generator, dtype=torch.bool).to(p.device)
            away = torch.nextafter(p, torch.where(up, math.inf, -math.inf).to(p.dtype))
            p.add_(away - p, alpha=ulps)


def ulp_runs(name: str, network: Network, device: str, moved: Sequence[int] = ONE_ULP) -> list[nn.Module]:
    """PyTorch's network, and others that start a few ulps away: the spread of correct runs.

    Of a network of hundreds of megabytes beyond the chapter only the last of the others: memory.
    """
    moved = moved if name in CHAPTER or network.num_params < FEW else moved[-1:]
    return nudged([torch_like(name, network, device) for _ in (0, *moved)], moved)


def nudged(modules: list[nn.Module], moved: Sequence[int]) -> list[nn.Module]:
    """The modules, all but the first moved by as many ulps."""
    for k, (module, ulps) in enumerate(zip(modules[1:], moved, strict=True), start=1):
        nudge(module.parameters(), k, ulps)
    return modules


def moves(network: Network) -> tuple[tuple[int, ...], ...]:
    """By how many ulps the weights of PyTorch's float32 runs are moved; of a network with kinks also those of
    further runs, for where the first ones crossed other kinks than ours."""
    return (OVER_KINKS, OVER_MORE_KINKS) if has_kinks(network) else (ONE_ULP,)


def has_kinks(network: Network) -> bool:
    """Whether gradients jump somewhere: at ReLU, maximum and minimum pooling."""
    layers = [layer for _, layer in network.layers.leaves()]
    return any(isinstance(l, Relu) or (isinstance(l, Pooling) and l.mode != "average") for l in layers)
