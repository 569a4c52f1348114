"""The networks that faults are put into, each with PyTorch's of the same weights.

SimpleConvNet, LeNet and LeNet-5 as they are, AlexNet with all its layers on small images, and four of
our own: one with branches and a shortcut, and three for what only `scratchcnn.fast` does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import nn

import scratchcnn as sc
from parity.reference.layer_modules import NetworkTwin
from parity.reference.networks import TORCH_NETWORKS
from parity.reference.weights import copy_to_torch
from scratchcnn.networks import NETWORKS, Network
from scratchcnn.networks.base import Builder
from scratchcnn.typing import Array

SMALL_ALEXNET = {"input_size": 67, "hidden_size": 64, "output_size": 10}


class Drawn(Builder):
    """Layers of random weights and biases (zeros would hide faults)."""

    def __init__(self, input_dim: tuple[int, int, int], rng: int, dtype: Any):
        super().__init__(input_dim, dtype)
        self.draw = np.random.default_rng(rng)

    def array(self, scale: float, *shape: int) -> Array:
        return self.draw.normal(0, scale, shape).astype(self.dtype)

    def conv(self, FN: int, FS: int, scale: float = 0.4, groups: int = 1, **options: Any) -> sc.Convolution:
        W, b = self.array(scale, FN, self.channels // groups, FS, FS), self.array(0.2, FN)
        return sc.Convolution(W, b, groups=groups, **options)

    def batch_norm(self, C: int) -> sc.BatchNormalization:
        mean, var = self.array(0.3, C), self.draw.uniform(0.5, 2, C)
        return sc.BatchNormalization(self.draw.uniform(0.5, 2, C), self.array(0.3, C), 0.9, mean, var)

    def affine(self, size: int, scale: float = 0.3) -> sc.Affine:
        return sc.Affine(self.array(scale, self.size, size), self.array(0.2, size))


class Branched(Network):
    """A shortcut, branches, batch normalization and two square Affines, on 2x10x9 images."""

    def __init__(self, rng: int = 0, dtype: Any = np.float64):
        build = Drawn((2, 10, 9), rng, dtype)
        build.add("conv1", build.conv(4, 3, pad=1))
        build.add("bn1", build.batch_norm(4))
        build.add("relu1", sc.Relu())
        body = sc.Sequential({"conv": build.conv(4, 3, pad=1), "bn": build.batch_norm(4)})
        build.add("block", sc.Residual(body))
        build.add("relu2", sc.Relu())
        a, b = build.conv(3, 1), build.conv(2, 1)
        branches = {"a": a, "b": sc.Sequential({"pool": sc.Pooling(3, 3, 1, 1), "conv": b})}
        build.add("inception", sc.Concat(branches))
        build.add("lrn", sc.LocalResponseNormalization(3, 0.2, 0.75, 1.0))
        build.add("pool", sc.Pooling(3, 2, stride=2, mode="average"))
        build.add("flatten", sc.Flatten())
        build.add("affine1", build.affine(12))
        build.add("sigmoid1", sc.Sigmoid())
        build.add("affine2", build.affine(12))
        build.add("sigmoid2", sc.Sigmoid())
        build.add("affine3", build.affine(12))
        build.add("tanh", sc.Tanh())
        build.add("dropout", sc.Dropout(0.3))
        build.add("affine4", build.affine(5))
        super().__init__((2, 10, 9), 5, build.layers)


class FastLayers(Network):
    """What the files of `scratchcnn/fast` treat in their own ways, on 2x14x13 images.

    Up to the batch normalization a batch is split over the threads: a Relu before a pooling that is not max,
    groups, a stride, windows that overlap, padding. After it the batch is whole, and from a hundred images on
    a convolution and a fully connected layer are large enough to be shared among the threads.
    """

    def __init__(self, rng: int = 0, dtype: Any = np.float64):
        build = Drawn((2, 14, 13), rng, dtype)
        build.add("conv1", build.conv(6, 5, pad=2))
        build.add("relu1", sc.Relu())
        build.add("pool1", sc.Pooling(2, 2, stride=2, mode="average"))
        build.add("lrn", sc.LocalResponseNormalization(3, 0.2, 0.75, 1.0))
        build.add("conv2", build.conv(8, 3, groups=2, stride=2, pad=1))
        build.add("sigmoid", sc.Sigmoid())
        build.add("pool2", sc.Pooling(3, 3, stride=1, pad=1))
        build.add("bn", build.batch_norm(8))
        build.add("relu2", sc.Relu())
        build.add("conv3", build.conv(256, 3, scale=0.1, pad=1))
        build.add("tanh", sc.Tanh())
        build.add("flatten", sc.Flatten())
        build.add("affine1", build.affine(64, scale=0.03))
        build.add("relu3", sc.Relu())
        build.add("affine2", build.affine(5))
        super().__init__((2, 14, 13), 5, build.layers)


class ManyChannels(Network):
    """A 3x3 convolution of so many channels and filters that `scratchcnn/fast` makes fewer products."""

    def __init__(self, rng: int = 0, dtype: Any = np.float64):
        build = Drawn((12, 4, 4), rng, dtype)
        build.add("conv1", build.conv(96, 3, pad=1))
        build.add("relu1", sc.Relu())
        build.add("conv2", build.conv(160, 3, scale=0.05, pad=1))
        build.add("relu2", sc.Relu())
        build.add("flatten", sc.Flatten())
        build.add("affine", build.affine(5, scale=0.03))
        super().__init__((12, 4, 4), 5, build.layers)


class ManyBranches(Network):
    """Three branches that `scratchcnn/fast` gives to the threads side by side, since batch normalization in
    one of them keeps the batch whole. The heaviest is not the first, and two of the three share a thread.
    """

    def __init__(self, rng: int = 0, dtype: Any = np.float64):
        build = Drawn((3, 8, 7), rng, dtype)
        build.add("conv1", build.conv(6, 3, pad=1))
        build.add("relu1", sc.Relu())
        one = build.conv(4, 3, pad=1)
        two = sc.Sequential({"conv": build.conv(4, 5, pad=2), "bn": build.batch_norm(4)})
        three = sc.Sequential({"conv": build.conv(4, 3, pad=1), "relu": sc.Relu()})
        build.add("branches", sc.Concat({"one": one, "two": two, "three": three}))
        build.add("relu2", sc.Relu())
        build.add("flatten", sc.Flatten())
        build.add("affine", build.affine(5, scale=0.1))
        super().__init__((3, 8, 7), 5, build.layers)


class Activations(Network):
    """The activations after the book's, a convolution before each, and dropout, on 2x13x12 images."""

    def __init__(self, rng: int = 0, dtype: Any = np.float64):
        build = Drawn((2, 13, 12), rng, dtype)
        layers = (
            sc.LeakyRelu(0.2),
            sc.ELU(),
            sc.SELU(),
            sc.Softplus(),
            sc.GELU(),
            sc.GELU("tanh"),
            sc.SiLU(),
        )
        for i, layer in enumerate((*layers, sc.Relu6()), start=1):
            build.add(f"conv{i}", build.conv(5, 1, scale=5 if isinstance(layer, sc.Relu6) else 0.8))
            build.add(f"activation{i}", layer)
        build.add("dropout", sc.Dropout(0.3))
        build.add("flatten", sc.Flatten())
        build.add("affine", build.affine(5, scale=0.1))
        super().__init__((2, 13, 12), 5, build.layers)


OWN: dict[str, Callable[[int], Network]] = {
    "activations": Activations,
    "branched": Branched,
    "fast_layers": FastLayers,
    "many_channels": ManyChannels,
    "many_branches": ManyBranches,
}


def pair(name: str, seed: int, rng: np.random.Generator) -> tuple[Network, nn.Module]:
    """One of the networks by name, in float64 and with random biases, and PyTorch's."""
    if name in OWN:
        network: Network = OWN[name](seed)
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
