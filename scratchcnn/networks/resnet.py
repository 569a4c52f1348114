"""ResNet with 18, 34, 50 and 101 layers of weights (book, section 8.2.4; He et al. 2015)."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np

from scratchcnn.arrays import at_least
from scratchcnn.init import he
from scratchcnn.layers import (
    Affine,
    BatchNormalization,
    Convolution,
    GlobalAveragePooling,
    Pooling,
    Relu,
    Residual,
    Sequential,
)
from scratchcnn.networks.base import Builder, Network

# Blocks in each of the four stages (the paper's table 1), and whether they are bottlenecks.
STAGES = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3), 101: (3, 4, 23, 3)}
BOTTLENECK = {18: False, 34: False, 50: True, 101: True}
EXPANSION = 4  # a bottleneck's output has four times the channels of its 3x3 convolution


class ResNet(Network):
    """Blocks that learn what to add to their input: 25,557,032 parameters with 50 layers.

    depth      18 and 34 have blocks of two 3x3 convolutions, 50 and 101 bottlenecks of 1x1, 3x3, 1x1
    stride_in  which convolution of a bottleneck halves the size: "3x3" as torchvision (and its weights),
               "1x1", the first one, as the paper
    width      filters in the first stage; the later ones have 2, 4 and 8 times as many

    Where a block changes the shape, the shortcut is a 1x1 convolution and a batch normalization (the
    paper's option B). Convolutions by He's initialisation from the number of outputs, and the last
    layer uniform within 1 / sqrt(inputs), as torchvision.
    """

    def __init__(
        self,
        depth: int = 50,
        input_dim: tuple[int, int, int] = (3, 224, 224),
        output_size: int = 1000,
        stride_in: Literal["3x3", "1x1"] = "3x3",
        width: int = 64,
        *,
        rng: np.random.Generator | int | None = None,
        dtype: Any = np.float32,
    ):
        if depth not in STAGES:
            raise ValueError(f"ResNet: depth must be one of {', '.join(map(str, STAGES))}, got {depth}")
        if stride_in not in ("3x3", "1x1"):
            raise ValueError(f'ResNet: stride_in must be "3x3" or "1x1", got {stride_in!r}')
        rng = np.random.default_rng(rng)
        output_size = at_least(1, output_size, "output_size")
        build = Builder(input_dim, dtype)  # (3, 224, 224)

        def conv(FN: int, C: int, FS: int, stride: int = 1, pad: int = 0) -> Convolution:
            return Convolution(he((FN, C, FS, FS), rng, dtype, mode="fan_out"), None, stride, pad)

        def bn(C: int) -> BatchNormalization:
            return BatchNormalization(np.ones(C, dtype), np.zeros(C, dtype))

        def basic(C: int, FN: int, stride: int) -> Sequential:
            return Sequential(
                {
                    "conv1": conv(FN, C, 3, stride, pad=1),
                    "bn1": bn(FN),
                    "relu1": Relu(),
                    "conv2": conv(FN, FN, 3, pad=1),
                    "bn2": bn(FN),
                }
            )

        def bottleneck(C: int, FN: int, stride: int) -> Sequential:
            first, second = (stride, 1) if stride_in == "1x1" else (1, stride)
            return Sequential(
                {
                    "conv1": conv(FN, C, 1, first),
                    "bn1": bn(FN),
                    "relu1": Relu(),
                    "conv2": conv(FN, FN, 3, second, pad=1),
                    "bn2": bn(FN),
                    "relu2": Relu(),
                    "conv3": conv(EXPANSION * FN, FN, 1),
                    "bn3": bn(EXPANSION * FN),
                }
            )

        def block(FN: int, stride: int) -> Sequential:
            C, out = build.channels, FN * (EXPANSION if BOTTLENECK[depth] else 1)
            body = (bottleneck if BOTTLENECK[depth] else basic)(C, FN, stride)
            shortcut = None
            if stride > 1 or out != C:
                shortcut = Sequential({"0": conv(out, C, 1, stride), "1": bn(out)})
            return Sequential({"add": Residual(body, shortcut), "relu": Relu()})

        def stage(number: int, FN: int, stride: int) -> None:
            """Blocks layer1.0, layer1.1, ...; the first of them halves the size, if any does."""
            for i in range(STAGES[depth][number - 1]):
                build.add_to(f"layer{number}", str(i), block(FN, stride if i == 0 else 1))

        build.add("conv1", conv(width, build.channels, 7, stride=2, pad=3))  # (64, 112, 112)
        build.add("bn1", bn(width))
        build.add("relu", Relu())
        build.add("maxpool", Pooling(3, 3, stride=2, pad=1))  # (64, 56, 56)
        stage(1, width, stride=1)  # (256, 56, 56), of 18 and 34 layers (64, 56, 56)
        stage(2, 2 * width, stride=2)  # (512, 28, 28), (128, 28, 28)
        stage(3, 4 * width, stride=2)  # (1024, 14, 14), (256, 14, 14)
        stage(4, 8 * width, stride=2)  # (2048, 7, 7), (512, 7, 7)
        build.add("avgpool", GlobalAveragePooling())  # (2048,), (512,)
        limit = 1 / np.sqrt(build.size)
        W = rng.uniform(-limit, limit, (build.size, output_size)).astype(dtype)
        build.add("fc", Affine(W, np.zeros(output_size, dtype)))  # (1000,)
        super().__init__(input_dim, output_size, build.layers)

    def torch_path(self, path: str) -> str:
        """torchvision keeps a block's layers in the block itself: layer2.0.conv1, layer2.0.downsample.0."""
        return path.replace(".add.body.", ".").replace(".add.shortcut.", ".downsample.")


class PublishedResNet(ResNet):
    """ResNet with the depth of its class: the base of those below."""

    depth: ClassVar[int]

    def __init__(
        self,
        *,
        input_dim: tuple[int, int, int] = (3, 224, 224),
        output_size: int = 1000,
        stride_in: Literal["3x3", "1x1"] = "3x3",
        width: int = 64,
        rng: np.random.Generator | int | None = None,
        dtype: Any = np.float32,
    ):
        super().__init__(self.depth, input_dim, output_size, stride_in, width, rng=rng, dtype=dtype)


class ResNet18(PublishedResNet):
    """ResNet with 18 layers of weights, a column of the paper's table 1: 11,689,512 parameters."""

    depth = 18


class ResNet34(PublishedResNet):
    """ResNet with 34 layers of weights, a column of the paper's table 1: 21,797,672 parameters."""

    depth = 34


class ResNet50(PublishedResNet):
    """ResNet with 50 layers of weights, a column of the paper's table 1: 25,557,032 parameters."""

    depth = 50


class ResNet101(PublishedResNet):
    """ResNet with 101 layers of weights, a column of the paper's table 1: 44,549,160 parameters."""

    depth = 101
