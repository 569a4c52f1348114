"""The book's common/multi_layer_net_extend.py (chapter 6): a fully connected network to experiment with."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from scratchcnn.book.common.layers import (
    Affine,
    BatchNormalization,
    Dropout,
    Relu,
    Sigmoid,
    SoftmaxWithLoss,
)
from scratchcnn.book.seeded import generator
from scratchcnn.gradient_check import numerical_gradient
from scratchcnn.labels import class_numbers
from scratchcnn.typing import Array


class MultiLayerNetExtend:
    """affine - [batch normalization] - activation - [dropout], once per hidden layer, affine, softmax.

    hidden_size_list     the size of each hidden layer
    activation           "relu" or "sigmoid"
    weight_init_std      a number, "relu" or "he" (sqrt(2 / n)), "sigmoid" or "xavier" (sqrt(1 / n))
    weight_decay_lambda  the penalty lambda / 2 * sum of W**2, added to the loss

    `params` are float64, as in the book: W1 b1 ..., with batch normalization gamma1 beta1 ...
    """

    def __init__(
        self,
        input_size: int,
        hidden_size_list: Sequence[int],
        output_size: int,
        activation: str = "relu",
        weight_init_std: float | str = "relu",
        weight_decay_lambda: float = 0,
        use_dropout: bool = False,
        dropout_ration: float = 0.5,
        use_batchnorm: bool = False,
    ):
        activations = {"sigmoid": Sigmoid, "relu": Relu}
        if activation not in activations:
            raise ValueError(f'activation must be "relu" or "sigmoid", got {activation!r}')
        self.weight_decay_lambda = weight_decay_lambda
        self.hidden_layer_num = len(hidden_size_list)
        self.params: dict[str, Array] = {}
        self.layers: dict[str, Any] = {}
        self._draw_weights([input_size, *hidden_size_list, output_size], weight_init_std)
        for i, size in enumerate(hidden_size_list, 1):
            self.layers[f"Affine{i}"] = Affine(self.params[f"W{i}"], self.params[f"b{i}"])
            if use_batchnorm:
                gamma = self.params[f"gamma{i}"] = np.ones(size)
                beta = self.params[f"beta{i}"] = np.zeros(size)
                self.layers[f"BatchNorm{i}"] = BatchNormalization(gamma, beta)
            self.layers[f"Activation_function{i}"] = activations[activation]()
            if use_dropout:
                self.layers[f"Dropout{i}"] = Dropout(dropout_ration)
        last = self.hidden_layer_num + 1
        self.layers[f"Affine{last}"] = Affine(self.params[f"W{last}"], self.params[f"b{last}"])
        self.last_layer = SoftmaxWithLoss()

    def _draw_weights(self, sizes: Sequence[int], weight_init_std: float | str) -> None:
        rng = generator()
        for i, (inputs, outputs) in enumerate(pairwise(sizes), 1):
            rule = str(weight_init_std).lower()
            gain = {"relu": 2.0, "he": 2.0, "sigmoid": 1.0, "xavier": 1.0}.get(rule)
            scale = float(weight_init_std) if gain is None else np.sqrt(gain / inputs)
            self.params[f"W{i}"] = scale * rng.standard_normal((inputs, outputs))
            self.params[f"b{i}"] = np.zeros(outputs)

    def predict(self, x: Array, train_flg: bool = False) -> Array:
        """Scores (N, output_size)."""
        for layer in self.layers.values():
            switched = isinstance(layer, (Dropout, BatchNormalization))
            x = layer.forward(x, train_flg) if switched else layer.forward(x)
        return x

    def loss(self, x: Array, t: Array, train_flg: bool = False) -> Any:
        """The mean loss of the batch and the weight decay's penalty."""
        penalty = sum(0.5 * self.weight_decay_lambda * (W**2).sum() for W in self._weights().values())
        return self.last_layer.forward(self.predict(x, train_flg), t) + penalty

    def accuracy(self, x: Array, t: Array) -> float:
        """The share of images whose largest score is the label's."""
        y = self.predict(x)
        return float((y.argmax(axis=1) == class_numbers(t, y.shape[1])).mean())

    def numerical_gradient(self, x: Array, t: Array) -> dict[str, Array]:
        """The gradient by central differences."""
        return {
            key: numerical_gradient(lambda _: float(self.loss(x, t, True)), p)
            for key, p in self.params.items()
        }

    def gradient(self, x: Array, t: Array) -> dict[str, Array]:
        """d loss / d params by backpropagation."""
        self.loss(x, t, True)
        dout = self.last_layer.backward(1)
        for layer in reversed(self.layers.values()):
            dout = layer.backward(dout)
        grads: dict[str, Array] = {}
        for i in range(1, self.hidden_layer_num + 2):
            affine = self.layers[f"Affine{i}"]
            grads[f"W{i}"] = affine.dW + self.weight_decay_lambda * affine.W
            grads[f"b{i}"] = affine.db
            if f"gamma{i}" in self.params:
                norm = self.layers[f"BatchNorm{i}"]
                grads[f"gamma{i}"], grads[f"beta{i}"] = norm.dgamma, norm.dbeta
        return grads

    def _weights(self) -> dict[str, Array]:
        return {key: p for key, p in self.params.items() if key.startswith("W")}
