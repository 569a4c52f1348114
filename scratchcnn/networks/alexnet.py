"""AlexNet as published in 2012 (book, section 7.6.2; Krizhevsky, Sutskever and Hinton)."""

from __future__ import annotations

from typing import Any

import numpy as np

from scratchcnn.arrays import at_least
from scratchcnn.init import normal
from scratchcnn.layers import (
    Affine,
    Convolution,
    Dropout,
    Flatten,
    LocalResponseNormalization,
    Pooling,
    Relu,
)
from scratchcnn.networks.base import Builder, Network


class AlexNet(Network):
    """Five convolutions, three fully connected layers: 60,965,224 parameters with 1000 classes.

    `groups=2` is the paper's: conv2, conv4 and conv5 were split over two GPUs. `groups=1` joins them.
    Initialised as the paper (section 5): weights from N(0, 0.01), biases of conv2, conv4, conv5 and the
    hidden fully connected layers 1, the others 0. The paper says 224x224, its arithmetic needs 227x227.
    """

    def __init__(
        self,
        input_dim: tuple[int, int, int] = (3, 227, 227),
        output_size: int = 1000,
        groups: int = 2,
        dropout_ratio: float = 0.5,
        hidden_size: int = 4096,
        *,
        rng: np.random.Generator | int | None = None,
        dtype: Any = np.float32,
    ):
        rng = np.random.default_rng(rng)
        dropout_rngs = rng.spawn(2)
        output_size = at_least(1, output_size, "output_size")
        build = Builder(input_dim, dtype)  # (3, 227, 227)

        def conv(
            FN: int, FS: int, stride: int = 1, pad: int = 0, groups: int = 1, bias: int = 0
        ) -> Convolution:
            W = normal((FN, build.channels // groups, FS, FS), 0.01, rng, dtype)
            return Convolution(W, np.full(FN, bias, dtype), stride, pad, groups=groups)

        def affine(size: int, bias: int = 0) -> Affine:
            return Affine(normal((build.size, size), 0.01, rng, dtype), np.full(size, bias, dtype))

        def lrn() -> LocalResponseNormalization:
            # The paper's alpha: the sum over 5 channels is multiplied by 1e-4, not by 1e-4 / 5.
            return LocalResponseNormalization(5, alpha=1e-4, beta=0.75, k=2, paper_alpha=True)

        build.add("conv1", conv(96, 11, stride=4))  # (96, 55, 55)
        build.add("relu1", Relu())
        build.add("lrn1", lrn())
        build.add("pool1", Pooling(3, 3, stride=2))  # (96, 27, 27)
        build.add("conv2", conv(256, 5, pad=2, groups=groups, bias=1))  # (256, 27, 27)
        build.add("relu2", Relu())
        build.add("lrn2", lrn())
        build.add("pool2", Pooling(3, 3, stride=2))  # (256, 13, 13)
        build.add("conv3", conv(384, 3, pad=1))  # (384, 13, 13)
        build.add("relu3", Relu())
        build.add("conv4", conv(384, 3, pad=1, groups=groups, bias=1))  # (384, 13, 13)
        build.add("relu4", Relu())
        build.add("conv5", conv(256, 3, pad=1, groups=groups, bias=1))  # (256, 13, 13)
        build.add("relu5", Relu())
        build.add("pool5", Pooling(3, 3, stride=2))  # (256, 6, 6)
        build.add("flatten", Flatten())  # (9216,)
        build.add("fc6", affine(hidden_size, bias=1))  # (4096,)
        build.add("relu6", Relu())
        build.add("dropout6", Dropout(dropout_ratio, dropout_rngs[0]))
        build.add("fc7", affine(hidden_size, bias=1))  # (4096,)
        build.add("relu7", Relu())
        build.add("dropout7", Dropout(dropout_ratio, dropout_rngs[1]))
        build.add("fc8", affine(output_size))  # (1000,)
        super().__init__(input_dim, output_size, build.layers)
