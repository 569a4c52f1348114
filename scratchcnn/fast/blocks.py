"""A batch split over the threads: each part of the images goes through the layers by itself.

The leading layers of a network (convolution, activation, pooling, ...) treat every image alone, so a part
of the batch can go through all of them on one thread, and its intermediate results stay in that thread's
cache. Weight gradients are sums over the images: each part makes its own, and they are added in the order
of the parts, so results are the same every time for a given number of threads.

A layer that looks at the whole batch (batch normalization, dropout's mask) ends the part of the network
that is split, and so does a fully connected layer, whose weights each part would have to fetch again; from
there on the batch is whole. A layer whose class does not declare `by_image` is never split, nor one whose
`forward` or `backward` was replaced on the object (as the parity harness does to look inside).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from scratchcnn import fast
from scratchcnn.fast import memory, threads

if TYPE_CHECKING:
    from scratchcnn.layers.base import Layer

IMAGES = 128  # the most that a part holds
LEAST = 1 << 14  # numbers in a batch below which threads cost more than they bring


def by_image(layer: Layer) -> bool:
    """Whether the layer, as it is, may be run on a part of the batch."""
    replaced = vars(layer).keys() & {"forward", "backward"}
    if replaced or not type(layer).__dict__.get("by_image", False):
        return False
    return all(by_image(child) for _, child in layer.children())


def leading(layers: Sequence[Layer]) -> int:
    """How many of the leading layers are by image; 0 where none of them has weights to work with."""
    count = next((i for i, layer in enumerate(layers) if not by_image(layer)), len(layers))
    alone = len(set(map(id, layers))) == len(layers)  # a layer that is there twice has one memory
    return count if alone and any(layer.params for layer in layers[:count]) else 0


def makes_dx_later(layers: Sequence[Layer]) -> bool:
    """Whether the first layer can leave dx, which a network's first layer makes for nobody, until it is
    asked for. As above, only what its own class declares counts."""
    return (
        bool(layers) and "backward_weights" in type(layers[0]).__dict__ and "backward" not in vars(layers[0])
    )


def weights_first(layer: Layer, dout: NDArray) -> Callable[[], NDArray]:
    """The layer's backward, dx only when what is returned is called, where the layer can do so."""
    if makes_dx_later([layer]):
        return layer.backward_weights(dout)  # type: ignore[attr-defined]
    dx = layer.backward(dout)
    return lambda: dx


class Run:
    """The leading layers on the parts of one batch, from forward to backward; the caller has the team."""

    def __init__(self, layers: Sequence[Layer], slices: list[slice]):
        self.layers, self.slices = _in_order(layers), slices
        self.replicas = [[layer.replica() for layer in self.layers] for _ in slices]
        for _, *others in self.replicas:  # the first one's input is the caller's
            for layer in others:
                layer.private = True

    def forward(self, x: NDArray) -> NDArray:
        """As the layers one after another would."""

        def run(part: int) -> NDArray:
            a = x[self.slices[part]]
            for layer in self.replicas[part]:
                a = layer.forward(a)
            return a

        return _joined(threads.each(run, range(len(self.slices))))

    def backward(self, dout: NDArray, want_dx: bool = True) -> Callable[[], NDArray]:
        """Leaves the summed gradients in the layers; dx comes from calling what is returned."""
        later = not want_dx and makes_dx_later(self.layers)

        def run(part: int) -> NDArray | Callable[[], NDArray]:
            a = dout[self.slices[part]]
            for layer in self.replicas[part][: 0 if later else None : -1]:
                a = layer.backward(a)
            return self.replicas[part][0].backward_weights(a) if later else a  # type: ignore[attr-defined]

        dxs = threads.each(run, range(len(self.slices)))
        for layer, *copies in zip(self.layers, *self.replicas, strict=True):
            layer.add_gradients(copies)
        if later:
            return lambda: _joined([dx() for dx in dxs])  # type: ignore[operator]
        return lambda: _joined(dxs)  # type: ignore[arg-type]


def split(layers: Sequence[Layer], x: NDArray) -> Run | None:
    """The run of the leading layers on parts of x, or None where there is nothing to split."""
    if not fast.enabled() or len(x) < 2 or x.size < LEAST:
        return None
    size = threads.count()
    pieces = size * -(-len(x) // (size * IMAGES))
    if pieces == 1 or not (length := leading(layers)):
        return None
    return Run(layers[:length], threads.parts(len(x), pieces))


def _joined(parts: Sequence[NDArray]) -> NDArray:
    """The parts one after another, (N, ...), in their memory order: the layers behind take it as it is."""
    out = memory.empty_like(parts[0], length=sum(map(len, parts)))
    return np.concatenate(parts, out=out)


def _in_order(layers: Sequence[Layer]) -> list[Layer]:
    """The layers as they are run: a Relu changes places with a max pooling behind it.

    The largest of positive parts is the positive part of the largest, and the same cell gets the gradient,
    unless none is positive, and then Relu lets nothing through. But there is less for Relu to do.
    """
    order = list(layers)
    for i, (layer, behind) in enumerate(itertools.pairwise(layers)):
        if type(layer).__dict__.get("commutes_with_max") and getattr(behind, "takes_max", False):
            order[i : i + 2] = behind, layer
    return order
