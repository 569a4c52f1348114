"""What every layer is: the protocol that containers, networks, optimizers and the harness rely on.

    layer.forward(x) -> out          layer.params   {"W": ..., "b": ...}, what is trained
    layer.backward(dout) -> dx       layer.grads    the same keys, after backward
    layer.train() / layer.eval()     layer.buffers  what is kept but not trained (running statistics)

`forward` never writes into `x`, `backward` never writes into `dout`, and both keep what they need in
copies of their own, so that a caller may overwrite either array after the call.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from scratchcnn import fast


class Arrays(dict[str, NDArray]):
    """A dict of arrays that other objects share: setting an entry writes *into* the array.

    A layer and its network hold the same arrays, as in the book, so `network.params["W1"] = W` has
    to change the layer too. Raises ValueError when the new value has another shape.
    """

    def __setitem__(self, key: str, value: NDArray) -> None:
        if key not in self:
            raise KeyError(f"no array named {key!r}; there are {', '.join(self) or 'none'}")
        current = self[key]
        if value is current:
            return
        value = np.asarray(value)
        if value.shape != current.shape:
            raise ValueError(f"{key}: expected shape {current.shape}, got {value.shape}")
        current[...] = value

    def update(self, other: Any = (), /, **more: NDArray) -> None:
        for key, value in dict(other, **more).items():
            self[key] = value

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (dict(self),)


def floating(array: Any, name: str) -> NDArray:
    """The array itself when it holds floating-point numbers; integers are refused, not converted."""
    array = np.asarray(array)
    if array.dtype.kind != "f":
        raise TypeError(f"{name} must be floating-point (float32 or float64), got {array.dtype}")
    return array


class Layer:
    """The base class: names, modes and the memory between forward and backward."""

    name: str = ""
    # Set by a class that has a fast rung; a subclass, which may change anything, does not inherit it.
    has_fast: bool = False
    # Set by a class whose images do not see each other, so that a batch may be split; not inherited either.
    by_image: bool = False
    # Set on a layer whose input and output nobody sees but its neighbours (see scratchcnn.fast.blocks).
    private: bool = False

    def __init__(self, params: dict[str, Any] | None = None, buffers: dict[str, Any] | None = None):
        self._params = Arrays({k: floating(v, f"{self.kind} {k}") for k, v in (params or {}).items()})
        self._buffers = Arrays({k: floating(v, f"{self.kind} {k}") for k, v in (buffers or {}).items()})
        self._grads: dict[str, NDArray] = {}
        self._memory: tuple[Any, ...] | None = None
        self.training = True
        self.recording = True

    # -- to be written by each layer -------------------------------------------------------------
    def forward(self, x: NDArray) -> NDArray:
        raise NotImplementedError

    def backward(self, dout: NDArray) -> NDArray:
        raise NotImplementedError

    def arguments(self) -> str:
        """The constructor's arguments as `repr` shows them."""
        return ""

    # -- arrays ----------------------------------------------------------------------------------
    @property
    def params(self) -> dict[str, NDArray]:
        return self._params

    @property
    def buffers(self) -> dict[str, NDArray]:
        return self._buffers

    @property
    def grads(self) -> dict[str, NDArray]:
        return self._grads

    @property
    def num_params(self) -> int:
        """How many numbers are trained."""
        return sum(p.size for p in self.params.values())

    def cast(self, dtype: Any) -> None:
        """Convert every parameter and buffer; what forward remembered is forgotten."""
        for arrays in (self._params, self._buffers):
            for key, value in arrays.items():
                dict.__setitem__(arrays, key, value.astype(dtype))
        self._grads = {}
        self._memory = None

    # -- modes -----------------------------------------------------------------------------------
    def children(self) -> Iterator[tuple[str, Layer]]:
        """(name, layer) of the layers inside; only containers have any."""
        return iter(())

    def train(self, mode: bool = True) -> Layer:
        """Switch to training behaviour (dropout drops, batch normalization uses the batch)."""
        self.training = mode
        for _, child in self.children():
            child.train(mode)
        return self

    def eval(self) -> Layer:
        """Switch to inference behaviour."""
        return self.train(False)

    def record(self, mode: bool = True) -> Layer:
        """Whether forward remembers what backward needs; prediction switches it off.

        What an earlier forward remembered stays, so a prediction between forward and backward does no harm.
        """
        self.recording = mode
        for _, child in self.children():
            child.record(mode)
        return self

    # -- memory between forward and backward -----------------------------------------------------
    def remember(self, *values: Any) -> None:
        if self.recording:
            self._memory = values

    def owned(self, array: NDArray) -> NDArray:
        """The array for `remember`: a copy, in its memory order, where a caller might overwrite it."""
        return array if self.private else array.copy("K")

    def recall(self) -> tuple[Any, ...]:
        if self._memory is None:
            raise RuntimeError(f"{self.label}: backward needs a forward before it")
        return self._memory

    def forget(self) -> None:
        """Let go of what forward remembered and of the gradients: the memory of a step."""
        self._memory, self._grads = None, {}
        for _, child in self.children():
            child.forget()

    def is_fast(self) -> bool:
        """Whether the fast rung does the work (see scratchcnn.fast), not the code that this class shows."""
        return fast.enabled() and type(self).__dict__.get("has_fast", False)

    # -- parts of a batch (see scratchcnn.fast.blocks) ----------------------------------------------
    def replica(self) -> Self:
        """The same layer with the same arrays, but gradients and memory of its own."""
        other = object.__new__(type(self))
        other.__dict__.update(self.__dict__, _grads={}, _memory=None)
        return other

    def add_gradients(self, replicas: Sequence[Layer]) -> None:
        """Take over the gradients of replicas, each of which saw a part of the batch: their sum, in order."""
        self._memory = None
        for key in replicas[0]._grads:
            total = replicas[0]._grads[key]
            for other in replicas[1:]:
                total += other._grads[key]
            self._grads[key] = total

    # -- errors ----------------------------------------------------------------------------------
    @property
    def kind(self) -> str:
        return type(self).__name__

    @property
    def label(self) -> str:
        """`conv1 (Convolution)`, for messages."""
        return f"{self.name} ({self.kind})" if self.name else self.kind

    def check_input(self, x: NDArray, like: NDArray | None = None) -> NDArray:
        """x as it came, once it is floating-point and of the parameters' dtype (that of `like`)."""
        x = np.asarray(x)
        if x.dtype.kind != "f":
            floating(x, f"{self.label}: x")  # says so
        if like is not None and x.dtype != like.dtype:
            raise TypeError(
                f"{self.label}: x is {x.dtype} but the parameters are {like.dtype}; cast one of them"
            )
        return x

    def check_dout(self, dout: NDArray, shape: tuple[int, ...]) -> NDArray:
        """dout as it came, once it is floating-point and has the shape of the output."""
        dout = np.asarray(dout)
        if dout.dtype.kind != "f":
            floating(dout, f"{self.label}: dout")  # says so
        if np.shape(dout) != tuple(shape):
            raise ValueError(
                f"{self.label}: expected dout of the output's shape {tuple(shape)}, got {np.shape(dout)}"
            )
        return dout

    def __repr__(self) -> str:
        return f"{self.kind}({self.arguments()})"


class param:
    """An attribute that is an entry of `params`, `grads` or `buffers`: `layer.W`, `layer.dW`."""

    def __init__(self, where: str, key: str):
        self.where, self.key = where, key

    def __get__(self, layer: Layer | None, owner: type) -> Any:
        if layer is None:
            return self
        return getattr(layer, self.where).get(self.key)

    def __set__(self, layer: Layer, value: NDArray) -> None:
        getattr(layer, self.where)[self.key] = value
