"""A network's `gradient` and `predict`, with the batch split over the threads.

The leading layers of a network (convolution, activation, pooling, ...) process images independently, so a
part of the batch can go through all of them on one thread, and its intermediate results stay in that
thread's cache. Weight gradients are sums over the images: each part makes its own, and they are added in the
order of the parts, so results are the same every time for a given number of threads.

Each part goes through replicas of the layers, which hold its memory between forward and backward. That is
safe where one call owns both directions, and only there: `gradient` and `predict` run the code of the class
on a copy of the network whose `layers` is the `SplitSequential` below. Everything else, `loss` first of all,
runs the network's own layers, which a backward written by hand then finds as their forward left them.

What ends the split part: a layer that looks at the whole batch (batch normalization in training, dropout's
mask), and a fully connected layer, whose weights each part would have to fetch again. From there on the batch
is whole.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import numpy as np

from scratchcnn.fast import inference, memory, threads
from scratchcnn.fast.branches import side_by_side
from scratchcnn.fast.dispatch import Lazy, backward_lazy_dx, faster, is_replaced
from scratchcnn.layers import (
    ELU,
    GELU,
    SELU,
    BatchNormalization,
    Concat,
    Container,
    Convolution,
    Flatten,
    Identity,
    Layer,
    LeakyRelu,
    LocalResponseNormalization,
    PartialConvolution,
    Pooling,
    Relu,
    Relu6,
    Residual,
    Sequential,
    Sigmoid,
    SiLU,
    Softplus,
    Softsign,
    Subsampling,
    Tanh,
)
from scratchcnn.typing import Array

if TYPE_CHECKING:
    from scratchcnn.networks.base import Network

N = TypeVar("N", bound="type[Network]")

MAX_PART_IMAGES = 128  # images per part, at most
MIN_SPLIT_ELEMENTS = 1 << 14  # numbers in a batch; below, threading costs more than it saves

# The classes that process images independently, containers if their layers do. A subclass may do anything.
BY_IMAGE = frozenset(
    {
        Concat,
        Convolution,
        ELU,
        Flatten,
        GELU,
        Identity,
        LeakyRelu,
        LocalResponseNormalization,
        PartialConvolution,
        Pooling,
        Relu,
        Relu6,
        Residual,
        SELU,
        Sequential,
        SiLU,
        Sigmoid,
        Softplus,
        Softsign,
        Subsampling,
        Tanh,
    }
)


# -- the network ------------------------------------------------------------------------------------
def split_over_threads(cls: N) -> N:
    """Class decorator: `gradient` and `predict` of this class, and of its subclasses, split their batch."""
    own_loss, own_gradient, own_predict = cls.loss, cls.gradient, cls.predict
    own_dx: Any = vars(cls)["dx"]

    def loss(network: Network, x: Array, t: Array) -> Any:
        with threads.team():  # nothing is split: a backward may follow
            return own_loss(network, x, t)

    def gradient(network: Network, x: Array, t: Array) -> Any:
        try:
            with threads.team():
                return on_split_layers(own_gradient, network, x, t)
        finally:  # also if it failed: no layer is left with another batch than the others
            forget_memory(network.layers)
            forget_memory(network.last_layer)

    def predict(network: Network, x: Array, train_flg: bool = False) -> Any:
        with threads.team():
            # a backward may follow, or it is not worth splitting
            if train_flg or np.asarray(x).size < MIN_SPLIT_ELEMENTS:
                return own_predict(network, x, train_flg)
            return on_split_layers(own_predict, network, x)

    def dx(network: Network) -> Any:
        if isinstance(network._dx, LazyDx):
            network._dx = network._dx.compute()
        return own_dx.__get__(network)

    cls.loss = faster(own_loss, loss)  # type: ignore[method-assign]
    cls.gradient = faster(own_gradient, gradient)  # type: ignore[method-assign]
    cls.predict = faster(own_predict, predict)  # type: ignore[method-assign]
    cls.dx = property(dx, doc=own_dx.__doc__)  # type: ignore[assignment,method-assign]
    return cls


def on_split_layers(method: Callable[..., Any], network: Network, *args: Any) -> Any:
    """method(network, ...), with the network's layers split for the time of the call, where they may be."""
    if type(network.layers) is not Sequential or is_replaced(network.layers) or is_replaced(network):
        return method(network, *args)
    copied = object.__new__(type(network))
    vars(copied).update(vars(network), layers=SplitSequential(network.layers))
    result = method(copied, *args)
    vars(network).update(vars(copied), layers=network.layers)
    return result


def forget_memory(layer: Layer) -> None:
    """What any forward left for a backward; the gradients stay."""
    layer._memory = None
    for _, child in layer.children():
        forget_memory(child)


# -- its layers -------------------------------------------------------------------------------------
class LazyDx(NamedTuple):
    """dx of the parts, still to be computed."""

    parts: list[Lazy]

    def compute(self) -> Array:
        return joined([part() for part in self.parts])


class SplitSequential(Sequential):
    """The layers of a `Sequential` for one forward and backward, the leading ones on parts of the batch."""

    def __init__(self, layers: Sequential):
        vars(self).update(vars(layers))
        self.split: list[Layer] = []
        self.parts: list[tuple[slice, list[Layer]]] = []  # images, and the replicas of `split` for them
        self.whole: list[Layer] = []

    def forward(self, x: Array) -> Array:
        self.split, self.parts, self.whole = [], [], list(self._children.values())
        slices = parts_of(x)
        if slices and (count := leading(self.whole)):
            self.split, self.whole = in_order(self.whole[:count]), self.whole[count:]
            for images in slices:
                self.parts.append((images, replicas(self.split)))
            x = joined(threads.each(lambda part: run_forward(part[1], x[part[0]]), self.parts))
        if self.recording or self.training:
            self.whole = list(map(side_by_side, self.whole))
        return run_forward(self.whole, x)

    def backward(self, dout: Array) -> Any:
        """The gradients are summed up in the layers; dx is lazy: a network's is rarely needed."""
        if not self.parts:
            return LazyDx([run_backward(self.whole, dout)])
        for layer in reversed(self.whole):
            dout = layer.backward(dout)
        dxs = threads.each(lambda part: run_backward(part[1], dout[part[0]]), self.parts)
        for i, layer in enumerate(self.split):
            add_gradients(layer, [copies[i] for _, copies in self.parts])
        return LazyDx(dxs)


def run_forward(layers: Sequence[Layer], x: Array) -> Array:
    if layers and not (layers[0].recording or layers[0].training):  # within `predict`
        return inference.run(layers, x)
    for layer in layers:
        x = layer.forward(x)
    return x


def run_backward(layers: Sequence[Layer], dout: Array) -> Lazy:
    """Backward through all layers; dx when the result is called."""
    first, *others = layers
    for layer in reversed(others):
        dout = layer.backward(dout)
    if type(first) is Sequential and len(first) and not is_replaced(first):
        return run_backward(list(first.values()), dout)
    return backward_lazy_dx(first, dout)


# -- the parts ---------------------------------------------------------------------------------------
def parts_of(x: Array) -> list[slice]:
    """The parts of the batch, or none where splitting it is not worth it."""
    if len(x) < 2 or x.size < MIN_SPLIT_ELEMENTS:
        return []
    size = threads.count()
    pieces = size * -(-len(x) // (size * MAX_PART_IMAGES))
    return threads.parts(len(x), pieces) if pieces > 1 else []


def leading(layers: Sequence[Layer]) -> int:
    """How many of the leading layers are by image; 0 where none of them has weights to work with."""
    if len(set(map(id, layers))) < len(layers):  # a layer that is there twice has one memory
        return 0
    count = weights = 0
    for layer in layers:
        if not by_image(layer):
            break
        count, weights = count + 1, weights + len(layer.params)
    return count if weights else 0


def by_image(layer: Layer) -> bool:
    """Whether the layer, as it is, processes images independently."""
    if is_replaced(layer):
        return False
    if type(layer) is BatchNormalization:  # its gradients in inference are no concern here
        return not (layer.training or layer.recording)
    if type(layer) not in BY_IMAGE:
        return False
    return all(map(by_image, layer._children.values())) if isinstance(layer, Container) else True


def in_order(layers: Sequence[Layer]) -> list[Layer]:
    """The layers as they are run: a Relu changes places with a max pooling that follows it.

    The largest of positive parts is the positive part of the largest, and the same cell gets the gradient,
    unless none is positive, and then Relu lets nothing through. But there is less for Relu to do.
    """
    order = list(layers)
    for i, (layer, following) in enumerate(itertools.pairwise(layers)):
        if type(layer) is Relu and isinstance(following, Pooling) and following.mode == "max":
            order[i : i + 2] = following, layer
    return order


def replicas(layers: Sequence[Layer]) -> list[Layer]:
    """Replicas one after another: only the first one's input is the caller's, so the others need not copy."""
    copies = list(map(replica, layers))
    for layer in copies[1:]:
        vars(layer)["_private"] = True
    return copies


def replica(layer: Layer) -> Layer:
    """A layer with the same arrays, but gradients and memory of its own."""
    copied = object.__new__(type(layer))
    vars(copied).update(vars(layer), _memory=None)
    if isinstance(layer, Container):
        vars(copied)["_children"] = {key: replica(child) for key, child in layer.children()}
    else:
        vars(copied)["grads"] = {}
    return copied


def add_gradients(layer: Layer, copies: Sequence[Layer]) -> None:
    """The sum of the replicas' gradients, in order, becomes the layer's."""
    for key, child in layer.children():
        add_gradients(child, [copied._children[key] for copied in copies])  # type: ignore[attr-defined]
    if isinstance(layer, Container):
        return
    for key, total in copies[0].grads.items():
        for other in copies[1:]:
            total += other.grads[key]
        layer.grads[key] = total


def joined(parts: Sequence[Array]) -> Array:
    """The parts one after another, (N, ...), in their memory order, which the layers after them keep."""
    if len(parts) == 1:
        return parts[0]
    out = memory.empty_like(parts[0], length=sum(map(len, parts)))
    return np.concatenate(parts, out=out)
