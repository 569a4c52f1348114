"""Which code runs: that of the class, or its fast implementation.

`@accelerated` on a class of `scratchcnn.layers` gives it the implementation that the table below names. A
forward of exactly that class runs it, except within `textbook()`; a subclass, which may change
anything, runs the code of its class.

What a fast forward remembers is tagged with its implementation, and backward runs the implementation that did
the forward, also where `textbook()` begins or ends between the two: neither ever meets the other's memory.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from scratchcnn.fast import activations, affine, batch_norm, convolution, dropout, elementwise, lrn, pooling
from scratchcnn.typing import Array

if TYPE_CHECKING:
    from scratchcnn.layers.base import Layer

C = TypeVar("C", bound="type[Layer]")
Lazy = Callable[[], Array]


class Implementation(NamedTuple):
    """How a layer is computed.

    forward           (layer, x, ...) -> its output and what backward needs; None if the class has to run its
                      own code, for a rare case or for the error message
    backward          (layer, dout, what forward left) -> dx, with the gradients in layer.grads
    backward_lazy_dx  the same, but dx only when the result is called, if the layer can do so
    """

    forward: Callable[..., tuple[Array, Any] | None]
    backward: Callable[[Any, Array, Any], Array]
    backward_lazy_dx: Callable[[Any, Array, Any], Lazy] | None = None


IMPLEMENTATIONS = {
    "Affine": Implementation(affine.forward, affine.backward),
    "BatchNormalization": Implementation(batch_norm.forward, batch_norm.backward),
    "Convolution": Implementation(convolution.forward, convolution.backward, convolution.backward_lazy_dx),
    "Dropout": Implementation(dropout.forward, dropout.backward),
    "ELU": Implementation(activations.elu_forward, activations.times_slope),
    "Flatten": Implementation(affine.flatten_forward, affine.flatten_backward),
    "GELU": Implementation(activations.gelu_forward, activations.times_slope),
    "LeakyRelu": Implementation(activations.leaky_relu_forward, activations.times_slope),
    "LocalResponseNormalization": Implementation(lrn.forward, lrn.backward),
    "PartialConvolution": Implementation(
        convolution.forward, convolution.partial_backward, convolution.partial_backward_lazy_dx
    ),
    "Pooling": Implementation(pooling.forward, pooling.backward),
    "RBF": Implementation(affine.rbf_forward, affine.rbf_backward),
    "Relu": Implementation(elementwise.relu_forward, elementwise.relu_backward),
    "Relu6": Implementation(activations.relu6_forward, elementwise.relu_backward),
    "SELU": Implementation(activations.selu_forward, activations.times_slope),
    "Sigmoid": Implementation(elementwise.sigmoid_forward, elementwise.sigmoid_backward),
    "Subsampling": Implementation(pooling.subsampling_forward, pooling.subsampling_backward),
    "Tanh": Implementation(elementwise.tanh_forward, elementwise.tanh_backward),
}


@dataclass(slots=True)
class FastMemory:
    """What a fast forward left in its layer, for the backward of the same implementation."""

    implementation: Implementation
    values: Any


# Methods that run a layer or a network; the parity harness replaces them on objects to record what passes.
METHODS = frozenset({"forward", "backward", "loss", "scores", "check_images"})

_enabled = os.environ.get("SCRATCHCNN_TEXTBOOK", "") in ("", "0")


def enabled() -> bool:
    """Whether layers take their fast rung; the environment variable SCRATCHCNN_TEXTBOOK=1 turns it off."""
    return _enabled


@contextmanager
def textbook() -> Iterator[None]:
    """Inside the `with`, every layer runs the code of its class. For the whole process, not one thread."""
    global _enabled
    before, _enabled = _enabled, False
    try:
        yield
    finally:
        _enabled = before


def faster(own: Callable[..., Any], fast: Callable[..., Any]) -> Callable[..., Any]:
    """The method `own`, but it asks `fast` for its result first, and computes it only if that gives None or
    inside `textbook()`."""

    @wraps(own)
    def method(self: Any, *args: Any, **options: Any) -> Any:
        if _enabled and (result := fast(self, *args, **options)) is not None:
            return result
        return own(self, *args, **options)

    return method


def accelerated(cls: C) -> C:
    """Class decorator: layers of this very class use the fast implementation of that name."""
    implementation = IMPLEMENTATIONS[cls.__name__]
    own_backward = cls.backward

    def fast_forward(layer: Layer, x: Array, *args: Any, **options: Any) -> Array | None:
        if type(layer) is not cls or (result := implementation.forward(layer, x, *args, **options)) is None:
            return None
        out, values = result
        if layer.recording:
            layer._memory = FastMemory(implementation, values)
        return out

    @wraps(own_backward)
    def backward(self: Layer, dout: Array) -> Array:
        memory = self._memory
        if isinstance(memory, FastMemory):
            return memory.implementation.backward(self, dout, memory.values)
        return own_backward(self, dout)

    backward.implementation = implementation  # type: ignore[attr-defined]
    cls.forward = faster(cls.forward, fast_forward)  # type: ignore[method-assign]
    cls.backward = backward  # type: ignore[method-assign]
    return cls


def backward_lazy_dx(layer: Layer, dout: Array) -> Lazy:
    """The layer's backward; dx, which a network's first layer rarely needs, when the result is called."""
    memory = layer._memory
    if isinstance(memory, FastMemory) and "backward" not in vars(layer):
        lazy = memory.implementation.backward_lazy_dx
        declared = getattr(type(layer).backward, "implementation", None)
        if lazy and declared is memory.implementation:  # not those of a class that was assigned since
            return lazy(layer, dout, memory.values)
    dx = layer.backward(dout)
    return lambda: dx


def is_replaced(target: Any) -> bool:
    """Whether a method was replaced on the object itself."""
    return not vars(target).keys().isdisjoint(METHODS)
