"""Layers made of layers: one after another, side by side, and around a shortcut.

A container is a layer itself, so a network with branches needs no graph engine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from scratchcnn.fast import blocks, threads
from scratchcnn.layers.base import Layer


class Container(Layer):
    """Named children; parameters, gradients and buffers are the children's, as `child.key`.

    Reads like the book's `layers` dict: `net.layers["Conv1"]`, `.values()`, `.items()`.
    """

    def __init__(self, layers: Mapping[str, Layer] | None = None):
        super().__init__()
        self._children: dict[str, Layer] = {}
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
        return self._name if hasattr(self, "_name") else ""

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

    def _merged(self, what: str) -> dict[str, NDArray]:
        return {f"{k}.{p}": a for k, layer in self.children() for p, a in getattr(layer, what).items()}

    @property
    def params(self) -> dict[str, NDArray]:
        return self._merged("params")

    @property
    def buffers(self) -> dict[str, NDArray]:
        return self._merged("buffers")

    @property
    def grads(self) -> dict[str, NDArray]:
        return self._merged("grads")

    def replica(self) -> Self:
        other = super().replica()
        other._children = {key: layer.replica() for key, layer in self.children()}
        return other

    def add_gradients(self, replicas: Sequence[Layer]) -> None:
        self._memory = None
        for key, layer in self.children():
            layer.add_gradients([other._children[key] for other in replicas])  # type: ignore[attr-defined]

    @property
    def num_params(self) -> int:
        return sum(layer.num_params for _, layer in self.children())

    def cast(self, dtype: Any) -> None:
        for _, layer in self.children():
            layer.cast(dtype)

    # -- the face of the book's OrderedDict ------------------------------------------------------
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

    Also takes the layers alone, `Sequential(conv, relu)`, and numbers them, as PyTorch's does.
    """

    by_image = True  # if its layers are

    def __init__(self, *layers: Any):
        if len(layers) == 1 and isinstance(layers[0], Mapping):
            super().__init__(layers[0])
        else:
            super().__init__({str(i): layer for i, layer in enumerate(layers)})
        self._run: blocks.Run | None = None

    def forward(self, x: NDArray) -> NDArray:
        with threads.team():
            return self._forward(x)

    def _forward(self, x: NDArray) -> NDArray:
        layers = list(self._children.values())
        run = blocks.split(layers, x)  # the leading layers on parts of the batch, where that pays
        if self.recording:
            self._run = run
        if run is not None:
            x, layers = run.forward(x), layers[len(run.layers) :]
        for layer in layers:
            x = layer.forward(x)
        return x

    def backward(self, dout: NDArray) -> NDArray:
        return self.backward_weights(dout, want_dx=True)()

    def forget(self) -> None:
        super().forget()
        self._run = None

    def backward_weights(self, dout: NDArray, want_dx: bool = False) -> Callable[[], NDArray]:
        """As backward, but dx, which a network's first layer makes for nobody, only when it is called for."""
        with threads.team():
            return self._backward(dout, want_dx)

    def _backward(self, dout: NDArray, want_dx: bool) -> Callable[[], NDArray]:
        layers = list(self._children.values())
        run = self._run
        rest = layers if run is None else layers[len(run.layers) :]
        later = run is None and not want_dx and blocks.makes_dx_later(layers)
        for layer in reversed(rest[1:] if later else rest):
            dout = layer.backward(dout)
        if run is not None:
            return run.backward(dout, want_dx)
        return layers[0].backward_weights(dout) if later else lambda: dout  # type: ignore[attr-defined]


class Concat(Container):
    """Branches over the same input, joined along the channels: (N, C, H, W) -> (N, sum of C_i, H, W).

    GoogLeNet's inception module: `Concat({"branch1": ..., "branch2": ...})`. dx is the branches' sum.
    """

    by_image = True  # if its layers are

    def __init__(self, branches: Mapping[str, Layer]):
        if not branches:
            raise ValueError("Concat: expected at least one branch, got none")
        super().__init__(branches)

    def forward(self, x: NDArray) -> NDArray:
        outs = [layer.forward(x) for layer in self._children.values()]
        for key, out in zip(self._children, outs, strict=True):
            if out.shape[:1] + out.shape[2:] != outs[0].shape[:1] + outs[0].shape[2:]:
                raise ValueError(
                    f"{self.label}: branches must agree in all but the channels; the first gives "
                    f"{outs[0].shape}, {key} gives {out.shape}"
                )
        self.remember([out.shape[1] for out in outs])
        return np.concatenate(outs, axis=1)

    def backward(self, dout: NDArray) -> NDArray:
        (channels,) = self.recall()
        if dout.shape[1] != sum(channels):
            raise ValueError(f"{self.label}: expected dout with {sum(channels)} channels, got {dout.shape}")
        parts = np.split(dout, np.cumsum(channels)[:-1], axis=1)
        dxs = [layer.backward(part) for layer, part in zip(self._children.values(), parts, strict=True)]
        dx = dxs[0].copy()
        for other in dxs[1:]:
            dx += other
        return dx


class Residual(Container):
    """body(x) + shortcut(x), the shortcut the identity unless a layer is given (He et al. 2015, eq. 1)."""

    by_image = True  # if its layers are

    def __init__(self, body: Layer, shortcut: Layer | None = None):
        super().__init__({"body": body} if shortcut is None else {"body": body, "shortcut": shortcut})

    def forward(self, x: NDArray) -> NDArray:
        out = self["body"].forward(x)
        side = self["shortcut"].forward(x) if "shortcut" in self else x
        if out.shape != side.shape:
            raise ValueError(
                f"{self.label}: body gives {out.shape}, the shortcut {side.shape}; "
                "a shortcut layer must match them"
            )
        return out + side

    def backward(self, dout: NDArray) -> NDArray:
        """dx = body's dx + shortcut's dx: the gradient takes both ways."""
        side = self["shortcut"].backward(dout) if "shortcut" in self else dout
        return self["body"].backward(dout) + side
