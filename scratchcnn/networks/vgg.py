"""VGG with 11, 13, 16 and 19 layers of weights (book, section 8.2.2; Simonyan and Zisserman 2014)."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from scratchcnn.arrays import at_least
from scratchcnn.init import he, normal
from scratchcnn.layers import (
    AdaptiveAveragePooling,
    Affine,
    BatchNormalization,
    Convolution,
    Dropout,
    Flatten,
    Pooling,
    Relu,
)
from scratchcnn.networks.base import Builder, Network

# 3x3 convolutions in each of the five stages (the paper's table 1: columns A, B, D and E).
STAGES = {11: (1, 1, 2, 2, 2), 13: (2, 2, 2, 2, 2), 16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)}
CHANNELS = (64, 128, 256, 512, 512)


class VGG(Network):
    """3x3 convolutions only, a pooling after each stage: 138,357,544 parameters with 16 layers.

    depth             11, 13, 16 or 19
    batch_norm        batch normalization after every convolution (not in the paper; torchvision's vgg16_bn)
    width             filters in the first stage; the later ones have 2, 4, 8 and 8 times as many

    Convolutions by He's initialisation from the number of outputs, biases 0, fully connected layers from
    N(0, 0.01), as torchvision. Other image sizes than 224 are averaged to the paper's 7x7 before fc1;
    at 224 that layer changes nothing.
    """

    def __init__(
        self,
        depth: int = 16,
        batch_norm: bool = False,
        input_dim: tuple[int, int, int] = (3, 224, 224),
        output_size: int = 1000,
        dropout_ratio: float = 0.5,
        width: int = 64,
        hidden_size: int = 4096,
        *,
        rng: np.random.Generator | int | None = None,
        dtype: Any = np.float32,
    ):
        if depth not in STAGES:
            raise ValueError(f"VGG: depth must be one of {', '.join(map(str, STAGES))}, got {depth}")
        rng = np.random.default_rng(rng)
        dropout_rngs = rng.spawn(2)
        output_size = at_least(1, output_size, "output_size")
        build = Builder(input_dim, dtype)  # (3, 224, 224)
        self._torch_paths: dict[str, str] = {}

        def feature(name: str, layer: Any) -> None:
            # torchvision numbers the layers before fc1: features.0, features.1, ...
            self._torch_paths[name] = f"features.{len(self._torch_paths)}"
            build.add(name, layer)

        def stage(number: int) -> None:
            """Convolutions and their ReLUs, then a pooling that halves the size."""
            FN = width * CHANNELS[number - 1] // CHANNELS[0]
            for i in range(1, STAGES[depth][number - 1] + 1):
                W = he((FN, build.channels, 3, 3), rng, dtype, mode="fan_out")
                feature(f"conv{number}_{i}", Convolution(W, np.zeros(FN, dtype), pad=1))
                if batch_norm:
                    feature(f"bn{number}_{i}", BatchNormalization(np.ones(FN, dtype), np.zeros(FN, dtype)))
                feature(f"relu{number}_{i}", Relu())
            feature(f"pool{number}", Pooling(2, 2, stride=2))

        def affine(size: int) -> Affine:
            return Affine(normal((build.size, size), 0.01, rng, dtype), np.zeros(size, dtype))

        stage(1)  # (64, 112, 112)
        stage(2)  # (128, 56, 56)
        stage(3)  # (256, 28, 28)
        stage(4)  # (512, 14, 14)
        stage(5)  # (512, 7, 7)
        build.add("avgpool", AdaptiveAveragePooling(7, 7))  # (512, 7, 7)
        build.add("flatten", Flatten())  # (25088,)
        build.add("fc1", affine(hidden_size))  # (4096,)
        build.add("fc1_relu", Relu())
        build.add("fc1_dropout", Dropout(dropout_ratio, dropout_rngs[0]))
        build.add("fc2", affine(hidden_size))  # (4096,)
        build.add("fc2_relu", Relu())
        build.add("fc2_dropout", Dropout(dropout_ratio, dropout_rngs[1]))
        build.add("fc3", affine(output_size))  # (1000,)
        tail = ("fc1", "fc1_relu", "fc1_dropout", "fc2", "fc2_relu", "fc2_dropout", "fc3")
        self._torch_paths |= {name: f"classifier.{i}" for i, name in enumerate(tail)}
        super().__init__(input_dim, output_size, build.layers)

    def torch_path(self, path: str) -> str:
        return self._torch_paths.get(path, path)


class PublishedVGG(VGG):
    """VGG with the depth of its class: the base of those below."""

    depth: ClassVar[int]
    batch_norm: ClassVar[bool] = False

    def __init__(
        self,
        *,
        input_dim: tuple[int, int, int] = (3, 224, 224),
        output_size: int = 1000,
        dropout_ratio: float = 0.5,
        width: int = 64,
        hidden_size: int = 4096,
        rng: np.random.Generator | int | None = None,
        dtype: Any = np.float32,
    ):
        super().__init__(
            self.depth,
            self.batch_norm,
            input_dim,
            output_size,
            dropout_ratio,
            width,
            hidden_size,
            rng=rng,
            dtype=dtype,
        )


class VGG11(PublishedVGG):
    """VGG with 11 layers of weights, column A of the paper's table 1: 132,863,336 parameters."""

    depth = 11


class VGG13(PublishedVGG):
    """VGG with 13 layers of weights, column B of the paper's table 1: 133,047,848 parameters."""

    depth = 13


class VGG16(PublishedVGG):
    """VGG with 16 layers of weights, column D of the paper's table 1: 138,357,544 parameters."""

    depth = 16


class VGG19(PublishedVGG):
    """VGG with 19 layers of weights, column E of the paper's table 1: 143,667,240 parameters."""

    depth = 19


class VGG11BN(PublishedVGG):
    """VGG11 with batch normalization after every convolution (torchvision's vgg11_bn)."""

    depth, batch_norm = 11, True


class VGG13BN(PublishedVGG):
    """VGG13 with batch normalization after every convolution (torchvision's vgg13_bn)."""

    depth, batch_norm = 13, True


class VGG16BN(PublishedVGG):
    """VGG16 with batch normalization after every convolution (torchvision's vgg16_bn)."""

    depth, batch_norm = 16, True


class VGG19BN(PublishedVGG):
    """VGG19 with batch normalization after every convolution (torchvision's vgg19_bn)."""

    depth, batch_norm = 19, True
