"""The book's ch08/deep_convnet.py (section 8.1): six convolutions of 3x3, 99 % of MNIST."""

from __future__ import annotations

from typing import Any

import numpy as np

from scratchcnn import Affine, Convolution, Dropout, Pooling, Relu, normal
from scratchcnn.book.seeded import generator
from scratchcnn.networks.base import Builder, Network

FILTERS = ((16, 1), (16, 1), (32, 1), (32, 2), (64, 1), (64, 1))  # number of filters, pad


class DeepConvNet(Network):
    """(conv - relu - conv - relu - pool) x 3 - affine - relu - dropout - affine - dropout - softmax.

    conv_param_1 ... conv_param_6   {"filter_num", "filter_size", "pad", "stride"}

    `params` are W1 b1 ... W8 b8, float32, drawn by He's rule from a generator that follows
    `np.random.seed`. Dropout scales in training (the book's when testing).
    """

    param_names = {  # noqa: RUF012  (read only)
        f"{key}{i}": f"{layer}.{key}"
        for i, layer in enumerate(
            ("Conv1", "Conv2", "Conv3", "Conv4", "Conv5", "Conv6", "Affine1", "Affine2"), 1
        )
        for key in ("W", "b")
    }

    def __init__(
        self,
        input_dim: tuple[int, int, int] = (1, 28, 28),
        conv_param_1: Any = None,
        conv_param_2: Any = None,
        conv_param_3: Any = None,
        conv_param_4: Any = None,
        conv_param_5: Any = None,
        conv_param_6: Any = None,
        hidden_size: int = 50,
        output_size: int = 10,
    ):
        given = (conv_param_1, conv_param_2, conv_param_3, conv_param_4, conv_param_5, conv_param_6)
        rng, build = generator(), Builder(input_dim, np.float32)
        for i, ((FN, pad), own) in enumerate(zip(FILTERS, given, strict=True), 1):
            conv = {"filter_num": FN, "filter_size": 3, "pad": pad, "stride": 1} | (own or {})
            size = conv["filter_size"]
            W = _he((conv["filter_num"], build.channels, size, size), build.channels * size * size, rng)
            b = np.zeros(conv["filter_num"], np.float32)
            build.add(f"Conv{i}", Convolution(W, b, conv["stride"], conv["pad"]))
            build.add(f"Relu{i}", Relu())
            if i % 2 == 0:
                build.add(f"Pool{i // 2}", Pooling(2, 2, stride=2))
        build.add("Affine1", _affine(build.size, hidden_size, rng))
        build.add("Relu7", Relu())
        build.add("Dropout1", Dropout(0.5, rng))
        build.add("Affine2", _affine(hidden_size, output_size, rng))
        build.add("Dropout2", Dropout(0.5, rng))
        super().__init__(input_dim, output_size, build.layers)


def _he(shape: tuple[int, ...], inputs: int, rng: np.random.Generator) -> Any:
    return normal(shape, float(np.sqrt(2 / inputs)), rng, np.float32)


def _affine(inputs: int, outputs: int, rng: np.random.Generator) -> Affine:
    return Affine(_he((inputs, outputs), inputs, rng), np.zeros(outputs, np.float32))
