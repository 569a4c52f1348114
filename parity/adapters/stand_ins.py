"""Layers, a loss and an optimizer for a container whose file has none: right ones, under the usual names.

Of a loss and its derivative the target is whichever of two arrays holds labels, so that the order in which a
container gives them says nothing. Needs NumPy alone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

RATE = 0.25


Method = TypeVar("Method", bound=Callable[..., Any])
Class = TypeVar("Class", bound=type)


def _named(*names: str) -> Callable[[Method], Method]:
    """The same method under further names."""

    def give(method: Method) -> Method:
        vars(method)["names"] = names
        return method

    return give


def _spread(cls: Class) -> Class:
    for method in list(vars(cls).values()):
        for name in getattr(method, "names", ()):
            setattr(cls, name, method)
    return cls


class _Layer:
    trainable = True
    updates = False  # whether its backward takes the step

    def set_input_shape(self, shape: Any) -> None:
        """Nothing: it has its sizes."""

    def initialize(self, *args: Any, **kwargs: Any) -> None:
        """Nothing: it has its weights."""

    def parameters(self) -> list[Any]:
        return []


@_spread
class Dense(_Layer):
    """x W + b, with its gradients in dW and db; it takes the step where backward is given a rate."""

    def __init__(self, inputs: int, outputs: int):
        self.W, self.b = np.random.standard_normal((inputs, outputs)), np.zeros(outputs)  # noqa: NPY002
        self.dW, self.db = np.zeros_like(self.W), np.zeros_like(self.b)
        self.x = np.zeros((1, inputs))

    def get_output_shape(self) -> tuple[int, ...]:
        return (len(self.b),)

    @_named("__call__", "forward_pass", "forward_prop", "forward_propagation", "feedforward", "feed_forward")
    def forward(self, x: Any, *args: Any, **kwargs: Any) -> Any:
        self.x = x
        return x @ self.W + self.b

    @_named(
        "backward_pass",
        "backward_prop",
        "backward_propagation",
        "backprop",
        "back_propagation",
        "backpropagate",
    )
    def backward(self, dout: Any, *rate: Any, **kwargs: Any) -> Any:
        x, d = np.atleast_2d(self.x), np.atleast_2d(dout)
        self.dW, self.db = x.T @ d, d.sum(axis=0)
        dx = dout @ self.W.T
        for lr in [one for one in [*rate, *kwargs.values()] if isinstance(one, float)][:1]:
            self.update(lr)
        return dx

    @_named("update_params", "update_weights", "update_parameters", "step", "optimize")
    def update(self, lr: Any = RATE, *args: Any, **kwargs: Any) -> None:
        self.W -= lr * self.dW
        self.b -= lr * self.db

    def zero_grad(self) -> None:
        self.dW, self.db = np.zeros_like(self.W), np.zeros_like(self.b)


@_spread
class Tanh(_Layer):
    """tanh(x)"""

    trainable = False
    y: Any = None

    def get_output_shape(self) -> tuple[int, ...]:
        return tuple(np.shape(self.y)[1:])

    @_named("__call__", "forward_pass", "forward_prop", "forward_propagation", "feedforward", "feed_forward")
    def forward(self, x: Any, *args: Any, **kwargs: Any) -> Any:
        self.y = np.tanh(x)
        return self.y

    @_named(
        "backward_pass",
        "backward_prop",
        "backward_propagation",
        "backprop",
        "back_propagation",
        "backpropagate",
    )
    def backward(self, dout: Any, *args: Any, **kwargs: Any) -> Any:
        return dout * (1 - self.y**2)

    @_named("update_params", "update_weights", "update_parameters", "step", "optimize", "zero_grad")
    def update(self, *args: Any, **kwargs: Any) -> None:
        """Nothing: it has no weights."""


@_spread
class HalfSquares:
    """Half the sum of squares, and its derivative by the output."""

    both: tuple[Any, Any] = (0.0, 0.0)

    @_named(
        "__call__", "loss", "calculate", "compute", "compute_loss", "value", "cost", "calc", "calculate_loss"
    )
    def forward(self, one: Any, other: Any) -> Any:
        self.both = _ordered(one, other)
        out, t = self.both
        return 0.5 * float(((out - t) ** 2).sum())

    @_named(
        "gradient",
        "derivative",
        "prime",
        "grad",
        "backward_pass",
        "loss_grad",
        "loss_gradient",
        "backprop",
        "delta",
    )
    def backward(self, *both: Any) -> Any:
        if len(both) == 2:
            self.both = _ordered(*both)
        out, t = self.both
        return out - t


def _ordered(one: Any, other: Any) -> tuple[Any, Any]:
    """The outputs, and the labels in their shape."""
    out, t = (one, other) if _is_of_labels(other) or not _is_of_labels(one) else (other, one)
    out, t = np.asarray(out, np.float64), np.asarray(t)
    if t.ndim < out.ndim and t.dtype.kind in "iu":
        t = np.eye(out.shape[-1])[t]
    return out, np.asarray(t, np.float64).reshape(out.shape)


def _is_of_labels(value: Any) -> bool:
    array = np.asarray(value)
    return array.dtype.kind in "iu" or bool(np.isin(array, (0.0, 1.0)).all())


@_spread
class Descent:
    """Plain gradient descent, of a layer or of an array and its gradient."""

    def __init__(self) -> None:
        self.learning_rate = RATE

    @_named("update_params", "update_weights", "update_parameters", "step", "apply")
    def update(self, *args: Any, **kwargs: Any) -> Any:
        if len(args) == 1 and isinstance(args[0], _Layer):
            args[0].update(self.learning_rate)  # type: ignore[attr-defined]
        if len(args) == 2 and all(isinstance(one, np.ndarray) for one in args):
            return args[0] - self.learning_rate * args[1]
        return None

    @_named("post_update_params", "zero_grad")
    def pre_update_params(self) -> None:
        """Nothing."""
