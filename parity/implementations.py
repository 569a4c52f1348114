"""How an implementation is built and called for a probe, in the book's protocol.

    convolution   cls(W, b, stride=1, pad=0), forward(x), backward(dout) -> dx, then .dW and .db
    pooling       cls(pool_h, pool_w, stride=1, pad=0)
    affine        cls(W, b)                     relu, sigmoid, tanh, softmax   cls()
    loss          cls(), forward(x, t) -> loss, backward(dout=1) -> dx
    ...

`OURS` names the class of ours behind each kind. `Book` runs any class of that protocol; a protocol of
another shape is another adapter with the same two methods.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

import scratchcnn as sc
from parity.kinds import KINDS, Probe, Tensors
from parity.optimizers import OPTIMIZER_KINDS, run_optimizer

LOSSES = ("softmax_with_loss", "penalty_loss")
FUNCTIONS = ("im2col", "col2im")
GRADIENTS = {"convolution": ("W", "b"), "partial_convolution": ("W", "b"), "affine": ("W", "b"), "subsampling": ("coefficient", "bias"),
             "batch_norm": ("gamma", "beta")}  # fmt: skip


class Book:
    """Runs a class (or function) that follows the book's protocol."""

    def build(self, factory: Callable[..., Any], probe: Probe, copy: bool = True) -> Any:
        """The layer for this probe, on copies of its parameters unless a write into them is to be seen."""
        if probe.kind in FUNCTIONS:
            return factory
        args = {k: v.copy() if copy and isinstance(v, np.ndarray) else v for k, v in probe.args.items()}
        training = args.pop("training", True)
        layer = factory(**args)
        if not training:
            self.infer(layer)
        return layer

    def infer(self, layer: Any) -> None:
        """Switch to inference, by `eval()` where there is one; else by the book's train_flg."""
        if hasattr(layer, "eval"):
            layer.eval()
        else:
            layer.forward = functools.partial(layer.forward, train_flg=False)

    def learn(self, layer: Any) -> None:
        """Undo `infer`."""
        if hasattr(layer, "train"):
            layer.train()
        else:
            vars(layer).pop("forward", None)

    def forward(self, layer: Any, probe: Probe) -> Any:
        if probe.kind in FUNCTIONS:
            return layer(**probe.inputs, **probe.args)
        x = probe.inputs["x"]
        if probe.kind in LOSSES:
            return layer.forward(x, probe.inputs["t"])
        if probe.kind == "dropout":
            if "mask" not in probe.inputs:
                self.infer(layer)
            elif hasattr(layer, "inject"):
                layer.inject(probe.inputs["mask"])
        return layer.forward(x)

    def backward(self, layer: Any, probe: Probe) -> Any:
        return layer.backward() if probe.kind in LOSSES else layer.backward(probe.inputs["dout"])

    def results(self, layer: Any, probe: Probe) -> Tensors:
        """Every result of one forward and one backward, under the kind's names."""
        if probe.kind in OPTIMIZER_KINDS:
            return run_optimizer(layer, probe)
        kind = KINDS[probe.kind]
        out = self.forward(layer, probe)
        if probe.kind in FUNCTIONS:
            return {kind.out: out}
        found = {kind.out: out, "dx": self.backward(layer, probe)}
        return found | self.state(layer, probe)

    def state(self, layer: Any, probe: Probe) -> Tensors:
        """What backward (or forward) left in attributes: .dW, .db, running statistics."""
        names = [f"d{name}" for name in GRADIENTS.get(probe.kind, ())]
        names += ["running_mean", "running_var"] if probe.kind == "batch_norm" else []
        return {name: getattr(layer, name, None) for name in names}


def _pooling(mode: str) -> Callable[..., sc.Pooling]:
    return functools.partial(sc.Pooling, mode=mode)


OURS: dict[str, Callable[..., Any]] = {
    "im2col": sc.im2col,
    "col2im": sc.col2im,
    "convolution": sc.Convolution,
    "partial_convolution": sc.PartialConvolution,
    "max_pooling": _pooling("max"),
    "average_pooling": _pooling("average"),
    "min_pooling": _pooling("min"),
    "subsampling": sc.Subsampling,
    "affine": sc.Affine,
    "flatten": sc.Flatten,
    "rbf": sc.RBF,
    "relu": sc.Relu,
    "sigmoid": sc.Sigmoid,
    "tanh": sc.Tanh,
    "softmax": sc.Softmax,
    "softmax_with_loss": sc.SoftmaxWithLoss,
    "penalty_loss": sc.PenaltyLoss,
    "lrn": sc.LocalResponseNormalization,
    "dropout": sc.Dropout,
    "batch_norm": sc.BatchNormalization,
    "sgd": sc.SGD,
    "momentum": sc.Momentum,
    "nesterov": sc.Nesterov,
    "adagrad": sc.AdaGrad,
    "rmsprop": sc.RMSProp,
    "adam": sc.Adam,
    "adamw": sc.AdamW,
}
