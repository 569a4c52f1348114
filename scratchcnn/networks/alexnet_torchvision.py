"""AlexNet as torchvision has it: one tower, no LRN, adaptive pooling (Krizhevsky 2014, section 5)."""

from __future__ import annotations

from typing import Any

import numpy as np

from scratchcnn.arrays import at_least
from scratchcnn.init import he, normal
from scratchcnn.layers import (
    AdaptiveAveragePooling,
    Affine,
    Convolution,
    Dropout,
    Flatten,
    Pooling,
    Relu,
)
from scratchcnn.networks.base import Builder, Network

TORCH_PATHS = {
    "conv1": "features.0",
    "relu1": "features.1",
    "pool1": "features.2",
    "conv2": "features.3",
    "relu2": "features.4",
    "pool2": "features.5",
    "conv3": "features.6",
    "relu3": "features.7",
    "conv4": "features.8",
    "relu4": "features.9",
    "conv5": "features.10",
    "relu5": "features.11",
    "pool5": "features.12",
    "dropout6": "classifier.0",
    "fc6": "classifier.1",
    "relu6": "classifier.2",
    "dropout7": "classifier.3",
    "fc7": "classifier.4",
    "relu7": "classifier.5",
    "fc8": "classifier.6",
}


class TorchvisionAlexNet(Network):
    """The "one weird trick" AlexNet: 61,100,840 parameters with 1000 classes.

    Unlike the 2012 network: 224x224 images with padding 2, 64 to 384 filters in one tower, no local response
    normalization, dropout before fc6 and fc7 instead of after them, biases 0. Convolutions by He's
    initialisation, fully connected layers from N(0, 0.01).
    """

    def __init__(
        self,
        input_dim: tuple[int, int, int] = (3, 224, 224),
        output_size: int = 1000,
        dropout_ratio: float = 0.5,
        hidden_size: int = 4096,
        *,
        rng: np.random.Generator | int | None = None,
        dtype: Any = np.float32,
    ):
        rng = np.random.default_rng(rng)
        dropout_rngs = rng.spawn(2)
        output_size = at_least(1, output_size, "output_size")
        build = Builder(input_dim, dtype)  # (3, 224, 224)

        def conv(FN: int, FS: int, stride: int = 1, pad: int = 0) -> Convolution:
            W = he((FN, build.channels, FS, FS), rng, dtype)
            return Convolution(W, np.zeros(FN, dtype), stride, pad)

        def affine(size: int) -> Affine:
            return Affine(normal((build.size, size), 0.01, rng, dtype), np.zeros(size, dtype))

        build.add("conv1", conv(64, 11, stride=4, pad=2))  # (64, 55, 55)
        build.add("relu1", Relu())
        build.add("pool1", Pooling(3, 3, stride=2))  # (64, 27, 27)
        build.add("conv2", conv(192, 5, pad=2))  # (192, 27, 27)
        build.add("relu2", Relu())
        build.add("pool2", Pooling(3, 3, stride=2))  # (192, 13, 13)
        build.add("conv3", conv(384, 3, pad=1))  # (384, 13, 13)
        build.add("relu3", Relu())
        build.add("conv4", conv(256, 3, pad=1))  # (256, 13, 13)
        build.add("relu4", Relu())
        build.add("conv5", conv(256, 3, pad=1))  # (256, 13, 13)
        build.add("relu5", Relu())
        build.add("pool5", Pooling(3, 3, stride=2))  # (256, 6, 6)
        build.add("avgpool", AdaptiveAveragePooling(6, 6))  # (256, 6, 6)
        build.add("flatten", Flatten())  # (9216,)
        build.add("dropout6", Dropout(dropout_ratio, dropout_rngs[0]))
        build.add("fc6", affine(hidden_size))  # (4096,)
        build.add("relu6", Relu())
        build.add("dropout7", Dropout(dropout_ratio, dropout_rngs[1]))
        build.add("fc7", affine(hidden_size))  # (4096,)
        build.add("relu7", Relu())
        build.add("fc8", affine(output_size))  # (1000,)
        super().__init__(input_dim, output_size, build.layers)

    def torch_path(self, path: str) -> str:
        return TORCH_PATHS.get(path, path)
