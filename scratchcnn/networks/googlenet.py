"""GoogLeNet (book, section 8.2.3; Szegedy et al. 2014), as published and as torchvision has it."""

from __future__ import annotations

from typing import Any

import numpy as np

from scratchcnn.arrays import at_least
from scratchcnn.init import he, normal
from scratchcnn.layers import (
    AdaptiveAveragePooling,
    Affine,
    BatchNormalization,
    Concat,
    Convolution,
    Dropout,
    Flatten,
    GlobalAveragePooling,
    LocalResponseNormalization,
    Pooling,
    Relu,
    Sequential,
    SideHead,
)
from scratchcnn.networks.base import Builder, Network
from scratchcnn.typing import Array

# Table 1 of the paper: #1x1, #3x3 reduce, #3x3, #5x5 reduce, #5x5, pool proj of every inception module.
INCEPTIONS = {
    "3a": (64, 96, 128, 16, 32, 32),
    "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 32, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}
AUX_WEIGHT = 0.3  # section 5: the share of an auxiliary classifier's loss


class GoogLeNet(Network):
    """Inception modules, 22 layers of weights: 6,998,552 parameters, 13,378,280 with the auxiliary heads.

    batch_norm  False: as published, convolutions with biases, two local response normalizations. True:
                torchvision's (and its weights'), batch normalization after every convolution instead,
                no biases, 3x3 filters where the paper has 5x5, a 2x2 fourth pooling: 6,624,904 and
                13,004,888
    dropout_ratio   None: 0.4 as published, 0.2 with batch normalization as in torchvision
    aux         the auxiliary classifiers after 4a and 4d. They count in training only, where
                loss = main + 0.3 * (aux1 + aux2), and are not run in inference

    The paper leaves the constants of the normalization open; they are Caffe's: 5 channels, alpha 1e-4
    (divided by 5), beta 0.75, k = 1. `width` is the number of filters of conv1, the others in proportion.
    Convolutions by He's initialisation, fully connected layers from N(0, 0.01), biases 0.
    """

    def __init__(
        self,
        batch_norm: bool = False,
        aux: bool = True,
        input_dim: tuple[int, int, int] = (3, 224, 224),
        output_size: int = 1000,
        width: int = 64,
        hidden_size: int = 1024,
        dropout_ratio: float | None = None,
        aux_dropout_ratio: float = 0.7,
        *,
        rng: np.random.Generator | int | None = None,
        dtype: Any = np.float32,
    ):
        rng = np.random.default_rng(rng)
        dropout_rngs = rng.spawn(3)
        if dropout_ratio is None:
            dropout_ratio = 0.2 if batch_norm else 0.4
        output_size = at_least(1, output_size, "output_size")
        build = Builder(input_dim, dtype)  # (3, 224, 224)

        def size(filters: int) -> int:
            return filters * width // 64

        def conv(C: int, FN: int, FS: int, stride: int = 1) -> Sequential:
            """Convolution, normalization if any, ReLU; the size is kept at stride 1."""
            W = he((FN, C, FS, FS), rng, dtype)
            if not batch_norm:
                convolution = Convolution(W, np.zeros(FN, dtype), stride, FS // 2)
                return Sequential({"conv": convolution, "relu": Relu()})
            bn = BatchNormalization(np.ones(FN, dtype), np.zeros(FN, dtype), eps=1e-3)
            return Sequential({"conv": Convolution(W, None, stride, FS // 2), "bn": bn, "relu": Relu()})

        def affine(inputs: int, outputs: int) -> Affine:
            return Affine(normal((inputs, outputs), 0.01, rng, dtype), np.zeros(outputs, dtype))

        def inception(name: str) -> Concat:
            C = build.channels
            one, reduce3, three, reduce5, five, projection = map(size, INCEPTIONS[name])
            return Concat(
                {
                    "branch1": conv(C, one, 1),
                    "branch2": Sequential(conv(C, reduce3, 1), conv(reduce3, three, 3)),
                    "branch3": Sequential(conv(C, reduce5, 1), conv(reduce5, five, 3 if batch_norm else 5)),
                    "branch4": Sequential(Pooling(3, 3, pad=1), conv(C, projection, 1)),
                }
            )

        def head(rng: np.random.Generator) -> SideHead:
            """An auxiliary classifier; the paper's 5x5 average at stride 3 gives 4x4 of 14x14."""
            average = Pooling(5, 5, stride=3, mode="average")
            H, W = (4, 4) if batch_norm else (max(1, (length - 5) // 3 + 1) for length in build.shape[1:])
            return SideHead(
                {
                    "pool": AdaptiveAveragePooling(4, 4) if batch_norm else average,  # (512, 4, 4)
                    "conv": conv(build.channels, size(128), 1),  # (128, 4, 4)
                    "flatten": Flatten(),  # (2048,)
                    "fc1": affine(size(128) * H * W, hidden_size),  # (1024,)
                    "relu": Relu(),
                    "dropout": Dropout(aux_dropout_ratio, rng),
                    "fc2": affine(hidden_size, output_size),  # (1000,)
                },
                AUX_WEIGHT,
            )

        def pool(window: int) -> Pooling:
            return Pooling(window, window, stride=2, ceil_mode=True)

        def lrn() -> LocalResponseNormalization:
            return LocalResponseNormalization(5, alpha=1e-4, beta=0.75, k=1)

        build.add("conv1", conv(build.channels, size(64), 7, stride=2))  # (64, 112, 112)
        build.add("maxpool1", pool(3))  # (64, 56, 56)
        if not batch_norm:
            build.add("norm1", lrn())
        build.add("conv2", conv(build.channels, size(64), 1))  # (64, 56, 56)
        build.add("conv3", conv(build.channels, size(192), 3))  # (192, 56, 56)
        if not batch_norm:
            build.add("norm2", lrn())
        build.add("maxpool2", pool(3))  # (192, 28, 28)
        build.add("inception3a", inception("3a"))  # (256, 28, 28)
        build.add("inception3b", inception("3b"))  # (480, 28, 28)
        build.add("maxpool3", pool(3))  # (480, 14, 14)
        build.add("inception4a", inception("4a"))  # (512, 14, 14)
        if aux:
            build.add("aux1", head(dropout_rngs[1]))  # beside it; x passes
        build.add("inception4b", inception("4b"))  # (512, 14, 14)
        build.add("inception4c", inception("4c"))  # (512, 14, 14)
        build.add("inception4d", inception("4d"))  # (528, 14, 14)
        if aux:
            build.add("aux2", head(dropout_rngs[2]))
        build.add("inception4e", inception("4e"))  # (832, 14, 14)
        build.add("maxpool4", pool(2 if batch_norm else 3))  # (832, 7, 7)
        build.add("inception5a", inception("5a"))  # (832, 7, 7)
        build.add("inception5b", inception("5b"))  # (1024, 7, 7)
        build.add("avgpool", GlobalAveragePooling())  # (1024,)
        build.add("dropout", Dropout(dropout_ratio, dropout_rngs[0]))
        build.add("fc", affine(build.size, output_size))  # (1000,)
        super().__init__(input_dim, output_size, build.layers)

    @property
    def heads(self) -> list[SideHead]:
        return [layer for layer in self.layers.values() if isinstance(layer, SideHead)]

    def loss(self, x: Array, t: Array) -> Any:
        """The mean loss of the batch, in training with 0.3 times that of each auxiliary head."""
        total = super().loss(x, t)
        if self.layers.training:
            for head in self.heads:
                total = total + head.loss(t)
        return total


class GoogLeNetBN(GoogLeNet):
    """torchvision's GoogLeNet, with batch normalization: `GoogLeNet(batch_norm=True)`."""

    def __init__(
        self,
        *,
        aux: bool = True,
        input_dim: tuple[int, int, int] = (3, 224, 224),
        output_size: int = 1000,
        width: int = 64,
        hidden_size: int = 1024,
        dropout_ratio: float = 0.2,
        aux_dropout_ratio: float = 0.7,
        rng: np.random.Generator | int | None = None,
        dtype: Any = np.float32,
    ):
        super().__init__(
            True,
            aux,
            input_dim,
            output_size,
            width,
            hidden_size,
            dropout_ratio,
            aux_dropout_ratio,
            rng=rng,
            dtype=dtype,
        )
