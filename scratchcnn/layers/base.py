"""What every layer is, and one layer after another.

    layer.forward(x) -> out          layer.params   {"W": ..., "b": ...}, what is trained
    layer.backward(dout) -> dx       layer.grads    the same keys, after backward
    layer.train() / layer.eval()     layer.buffers  what is kept but not trained (running statistics)

`forward` never writes into `x`, `backward` never writes into `dout`, and both keep what they need in
copies of their own, so that a caller may overwrite either array after the call. Containers, networks,
optimizers and the harness rely on this protocol. A container is a layer itself, so a network with
branches needs no graph engine.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from scratchcnn.arrays import require_array
from scratchcnn.typing import Array


class Arrays(dict[str, Array]):
    """A dict of arrays that other objects share: setting an entry writes *into* the array.

    A layer and its network hold the same arrays, as in the book, so `network.params["W1"] = W` has
    to change the layer too. Raises ValueError when the new value has another shape.
    """

    def __setitem__(self, key: str, value: Array) -> None:
        if key not in self:
            raise KeyError(f"no array named {key!r}; there are {', '.join(self) or 'none'}")
        current = self[key]
        if value is current:
            return
        value = np.asarray(value)
        if value.shape != current.shape:
            raise ValueError(f"{key}: expected shape {current.shape}, got {value.shape}")
        current[...] = value

    def update(self, other: Any = (), /, **more: Array) -> None:
        for key, value in dict(other, **more).items():
            self[key] = value

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (dict(self),)


def floating(array: Any, name: str) -> Array:
    """Return the array if it holds floating-point numbers; integers are refused, not converted."""
    numbers: Array = np.asarray(array)
    if numbers.dtype.kind != "f":
        raise TypeError(f"{name} must be floating-point (float32 or float64), got {numbers.dtype}")
    return numbers


class Layer:
    """The base class: names, modes and the memory between forward and backward."""

    name: str = ""
    training: bool = True
    recording: bool = True
    _memory: Any = None  # what forward leaves for backward

    params: dict[str, Array]
    grads: dict[str, Array]
    buffers: dict[str, Array]

    def __init__(
        self, params: Mapping[str, Any] | None = None, buffers: Mapping[str, Any] | None = None
    ) -> None:
        """Of arrays by name; None stands for an array that this layer does without.

        Raises TypeError for what is not an array, for integers and for mixed dtypes.
        """
        self.params, self.grads, self.buffers = Arrays(), {}, Arrays()
        for arrays, given in ((self.params, params or {}), (self.buffers, buffers or {})):
            for key, array in given.items():
                if array is not None:
                    require_array(array, f"{self.kind}: {key}")
                    dict.__setitem__(arrays, key, floating(array, f"{self.kind} {key}"))
                vars(self)[key] = arrays.get(key)
        self._refuse_mixed_dtypes()

    def _refuse_mixed_dtypes(self) -> None:
        (first, array), *others = [*self.params.items(), *self.buffers.items()] or [("", np.empty(0))]
        for key, other in others:
            if other.dtype != array.dtype:
                raise TypeError(
                    f"{self.kind}: {first} is {array.dtype} but {key} is {other.dtype}; cast one of them"
                )

    # -- to be written by each layer -------------------------------------------------------------
    def forward(self, x: Array) -> Array:
        raise NotImplementedError

    def backward(self, dout: Array) -> Array:
        raise NotImplementedError

    def arguments(self) -> str:
        """The constructor's arguments as `repr` shows them."""
        return ""

    # -- arrays ----------------------------------------------------------------------------------
    @property
    def num_params(self) -> int:
        """How many numbers are trained."""
        return sum(p.size for p in self.params.values())

    def cast(self, dtype: Any) -> None:
        """Convert every parameter and buffer; what forward remembered is forgotten."""
        for arrays in (self.params, self.buffers):
            for key, value in arrays.items():
                vars(self)[key] = value.astype(dtype)
                dict.__setitem__(arrays, key, vars(self)[key])
        self.grads = {}
        self._memory = None

    # -- modes -----------------------------------------------------------------------------------
    def children(self) -> Iterator[tuple[str, Layer]]:
        """(name, layer) of the layers in this one; only containers have any."""
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

    def recall(self) -> tuple[Any, ...]:
        if not isinstance(self._memory, tuple):
            raise RuntimeError(f"{self.label}: backward needs a forward before it")
        return self._memory

    def forget(self) -> None:
        """Let go of what forward remembered and of the gradients: the memory of a step."""
        self._memory, self.grads = None, {}
        for _, child in self.children():
            child.forget()

    # -- errors ----------------------------------------------------------------------------------
    @property
    def kind(self) -> str:
        return type(self).__name__

    @property
    def label(self) -> str:
        """`conv1 (Convolution)`, for messages."""
        return f"{self.name} ({self.kind})" if self.name else self.kind

    def check_input(self, x: Array, like: Array | None = None) -> Array:
        """Return x unchanged if it is floating-point and of the parameters' dtype (that of `like`);
        raise TypeError otherwise."""
        x = np.asarray(x)
        if x.dtype.kind != "f":
            floating(x, f"{self.label}: x")  # raises
        if like is not None and x.dtype != like.dtype:
            raise TypeError(
                f"{self.label}: x is {x.dtype} but the parameters are {like.dtype}; cast one of them"
            )
        return x

    def check_dout(self, dout: Array, shape: tuple[int, ...]) -> Array:
        """Return dout unchanged if it is floating-point and has the shape of the output; raise TypeError
        or ValueError otherwise."""
        dout = np.asarray(dout)
        if dout.dtype.kind != "f":
            floating(dout, f"{self.label}: dout")  # raises
        if dout.shape != tuple(shape):
            raise ValueError(
                f"{self.label}: expected dout of the output's shape {tuple(shape)}, got {dout.shape}"
            )
        return dout

    def __repr__(self) -> str:
        return f"{self.kind}({self.arguments()})"


class _Array:
    """See `param`. There is no `__get__`, so that reading finds the attribute of the layer itself."""

    def __init__(self, where: str):
        self.where = where

    def __set_name__(self, owner: type, name: str) -> None:
        self.key = name

    def __set__(self, layer: Layer, value: Array) -> None:
        getattr(layer, self.where)[self.key] = value


def param(where: str = "params") -> Any:
    """`W = param()`: `layer.W` is the array `layer.params["W"]`, None if the layer has no such parameter.
    Assigning to it writes into the array, which the network holds too."""
    return _Array(where)


def grad(key: str) -> Any:
    """`dW = grad("W")`: `layer.dW` is `layer.grads["W"]`, None before the first backward."""

    def get(layer: Layer) -> Array | None:
        return layer.grads.get(key)

    def put(layer: Layer, value: Array) -> None:
        layer.grads[key] = value

    return property(get, put)


class Container(Layer):
    """Named children; parameters, gradients and buffers are the children's, as `child.key`.

    Reads like the book's `layers` dict: `net.layers["Conv1"]`, `.values()`, `.items()`.
    """

    def __init__(self, layers: Mapping[str, Layer] | None = None):
        self._children: dict[str, Layer] = {}
        self._name = ""
        for name, layer in (layers or {}).items():
            self.add(name, layer)

    def add(self, name: str, layer: Layer) -> None:
        """Append a layer under a new name."""
        if not isinstance(layer, Layer):
            raise TypeError(f"{self.kind}: {name!r} must be a Layer, got {type(layer).__name__}")
        if name in self._children or "." in name or not name:
            raise ValueError(
                f"{self.kind}: a layer's name must be new, not empty and without dots, got {name!r}"
            )
        self._children[name] = layer
        self._name_children()

    # A layer's name is its path from the network, for messages: "inception3a.branch2.conv".
    @property
    def name(self) -> str:
        return self._name

    @name.setter
    def name(self, value: str) -> None:
        self._name = value
        self._name_children()

    def _name_children(self) -> None:
        for key, layer in self._children.items():
            layer.name = f"{self.name}.{key}" if self.name else key

    def children(self) -> Iterator[tuple[str, Layer]]:
        return iter(self._children.items())

    def leaves(self, prefix: str = "") -> Iterator[tuple[str, Layer]]:
        """(path, layer) of every layer that is not a container, in order."""
        for key, layer in self._children.items():
            if isinstance(layer, Container):
                yield from layer.leaves(f"{prefix}{key}.")
            else:
                yield prefix + key, layer

    def _merged(self, what: str) -> dict[str, Array]:
        return {f"{k}.{p}": a for k, layer in self.children() for p, a in getattr(layer, what).items()}

    @property
    def params(self) -> dict[str, Array]:  # type: ignore[override]
        return self._merged("params")

    @property
    def buffers(self) -> dict[str, Array]:  # type: ignore[override]
        return self._merged("buffers")

    @property
    def grads(self) -> dict[str, Array]:  # type: ignore[override]
        return self._merged("grads")

    @property
    def num_params(self) -> int:
        return sum(layer.num_params for _, layer in self.children())

    def cast(self, dtype: Any) -> None:
        for _, layer in self.children():
            layer.cast(dtype)

    def forget(self) -> None:
        self._memory = None
        for _, child in self.children():
            child.forget()

    # -- what the book's OrderedDict offers ------------------------------------------------------
    def __getitem__(self, key: str) -> Layer:
        if key not in self._children:
            raise KeyError(f"no layer named {key!r}; there are {', '.join(self._children)}")
        return self._children[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._children)

    def __len__(self) -> int:
        return len(self._children)

    def __contains__(self, key: object) -> bool:
        return key in self._children

    def keys(self) -> Any:
        return self._children.keys()

    def values(self) -> Any:
        return self._children.values()

    def items(self) -> Any:
        return self._children.items()

    def __repr__(self) -> str:
        inner = "".join(f"  {k}: {layer!r}".replace("\n", "\n  ") + "\n" for k, layer in self.children())
        return f"{self.kind}(\n{inner})"


class Sequential(Container):
    """One layer after another: `Sequential({"conv1": Convolution(W, b), "relu1": Relu()})`.

    Layers without names, `Sequential(conv, relu)`, are numbered, as PyTorch's are.
    """

    def __init__(self, *layers: Any):
        if len(layers) == 1 and isinstance(layers[0], Mapping):
            super().__init__(layers[0])
        else:
            super().__init__({str(i): layer for i, layer in enumerate(layers)})

    def forward(self, x: Array) -> Array:
        for layer in self._children.values():
            x = layer.forward(x)
        return x

    def backward(self, dout: Array) -> Array:
        for layer in reversed(self._children.values()):
            dout = layer.backward(dout)
        return dout
