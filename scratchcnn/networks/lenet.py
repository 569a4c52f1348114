"""LeNet twice: as the book describes it today (section 7.6.1), and as it was published in 1998."""

from __future__ import annotations

from typing import Any

import numpy as np

from scratchcnn.arrays import at_least
from scratchcnn.init import xavier
from scratchcnn.layers import (
    RBF,
    Affine,
    Convolution,
    Flatten,
    PartialConvolution,
    PenaltyLoss,
    Pooling,
    Sigmoid,
    Subsampling,
    Tanh,
)
from scratchcnn.networks.base import Builder, Network
from scratchcnn.networks.lenet_codes import CODES
from scratchcnn.typing import Array


class LeNet(Network):
    """Convolutions, sigmoids and subsampling by average pooling, followed by softmax: 61,706 parameters.

    The shape of LeNet as textbooks teach it; Xavier initialisation.
    """

    def __init__(
        self,
        input_dim: tuple[int, int, int] = (1, 28, 28),
        output_size: int = 10,
        *,
        rng: np.random.Generator | int | None = None,
        dtype: Any = np.float32,
    ):
        rng = np.random.default_rng(rng)
        output_size = at_least(1, output_size, "output_size")
        build = Builder(input_dim, dtype)  # (1, 28, 28)

        def conv(FN: int, FS: int, pad: int = 0) -> Convolution:
            return Convolution(xavier((FN, build.channels, FS, FS), rng, dtype), np.zeros(FN, dtype), pad=pad)

        def affine(size: int) -> Affine:
            return Affine(xavier((build.size, size), rng, dtype), np.zeros(size, dtype))

        build.add("conv1", conv(6, 5, pad=2))  # (6, 28, 28)
        build.add("sigmoid1", Sigmoid())
        build.add("pool1", Pooling(2, 2, stride=2, mode="average"))  # (6, 14, 14)
        build.add("conv2", conv(16, 5))  # (16, 10, 10)
        build.add("sigmoid2", Sigmoid())
        build.add("pool2", Pooling(2, 2, stride=2, mode="average"))  # (16, 5, 5)
        build.add("flatten", Flatten())  # (400,)
        build.add("affine1", affine(120))  # (120,)
        build.add("sigmoid3", Sigmoid())
        build.add("affine2", affine(84))  # (84,)
        build.add("sigmoid4", Sigmoid())
        build.add("affine3", affine(output_size))  # (10,)
        super().__init__(input_dim, output_size, build.layers)


# Which of S2's 6 maps each of C3's 16 maps sees (LeCun et al. 1998, table I).
C3_TABLE = (
    (0, 1, 2),
    (1, 2, 3),
    (2, 3, 4),
    (3, 4, 5),
    (0, 4, 5),
    (0, 1, 5),
    (0, 1, 2, 3),
    (1, 2, 3, 4),
    (2, 3, 4, 5),
    (0, 3, 4, 5),
    (0, 1, 4, 5),
    (0, 1, 2, 5),
    (0, 1, 3, 4),
    (1, 2, 4, 5),
    (0, 2, 3, 5),
    (0, 1, 2, 3, 4, 5),
)


class LeNet5(Network):
    """LeNet-5 as published: 60,000 trained parameters (LeCun et al. 1998, section II.B).

    Trainable subsampling, the scaled tanh, C3's partial connections, and RBF outputs against fixed
    7x12 codes with the criterion of eq. 9. Images are 28x28; C1 pads them to the paper's 32x32.
    Weights start uniform within +-2.4 / fan-in (appendix A), subsampling at the mean of its window.
    `predict` returns scores, the RBF penalties with their sign turned.
    """

    def __init__(
        self,
        input_dim: tuple[int, int, int] = (1, 28, 28),
        output_size: int = 10,
        *,
        rng: np.random.Generator | int | None = None,
        dtype: Any = np.float32,
    ):
        if not 1 <= at_least(0, output_size, "output_size") <= len(CODES):
            raise ValueError(
                f"LeNet5: output_size must lie in 1..{len(CODES)}, for which there are codes; "
                f"got {output_size}"
            )
        generator = np.random.default_rng(rng)
        build = Builder(input_dim, dtype)  # (1, 28, 28)

        def uniform(shape: tuple[int, ...], fan_in: Array | int) -> Array:
            return (generator.uniform(-2.4, 2.4, shape) / fan_in).astype(dtype)

        def conv(FN: int, FS: int, pad: int = 0) -> Convolution:
            C = build.channels
            return Convolution(uniform((FN, C, FS, FS), C * FS * FS), np.zeros(FN, dtype), pad=pad)

        def subsampling() -> Subsampling:
            C = build.channels
            return Subsampling(np.full(C, 0.25, dtype), np.zeros(C, dtype), size=2)

        def squash() -> Tanh:
            return Tanh(amplitude=1.7159, slope=2 / 3)

        table = np.array([[c in row for c in range(6)] for row in C3_TABLE])  # (16, 6)
        fan_in = table.sum(axis=1)[:, None, None, None] * 25

        build.add("c1", conv(6, 5, pad=2))  # (6, 28, 28)
        build.add("squash1", squash())
        build.add("s2", subsampling())  # (6, 14, 14)
        build.add("squash2", squash())
        build.add(
            "c3", PartialConvolution(uniform((16, 6, 5, 5), fan_in), np.zeros(16, dtype), table)
        )  # (16, 10, 10)
        build.add("squash3", squash())
        build.add("s4", subsampling())  # (16, 5, 5)
        build.add("squash4", squash())
        build.add("c5", conv(120, 5))  # (120, 1, 1)
        build.add("squash5", squash())
        build.add("flatten", Flatten())  # (120,)
        build.add("f6", Affine(uniform((build.size, 84), build.size), np.zeros(84, dtype)))  # (84,)
        build.add("squash6", squash())
        build.add("rbf", RBF(CODES[:output_size].astype(dtype)))  # (10,)
        super().__init__(input_dim, output_size, build.layers, PenaltyLoss())

    def scores(self, out: Array) -> Array:
        return -out
