"""Bugs between the layers: weights copied wrongly, layers wired wrongly, gradients handed out wrongly.

Each fault changes a network of ours in place and says where the checker has to find it; it returns None
where the network has nothing of the kind.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

import scratchcnn as sc
from scratchcnn.layers import Container, Layer
from scratchcnn.networks import Network
from scratchcnn.typing import Array

Place = tuple[str, str]  # layer and phase, as `Culprit` has them


@dataclass(frozen=True)
class NetworkFault:
    """A named bug of a whole network. `apply` returns the places where naming it counts as right."""

    name: str
    family: str  # "weights" or "wiring"
    story: str
    says: str
    apply: Callable[[Network], set[Place] | None]


def _leaves(network: Network, *classes: type[Layer]) -> list[tuple[str, Any]]:
    return [(path, layer) for path, layer in network.layers.leaves() if isinstance(layer, classes)]


# -- weights --------------------------------------------------------------------------------------
def _reweighted(
    classes: type[Layer] | tuple[type[Layer], ...], fits: Callable[[Any], bool], change: Callable[[Any], None]
) -> Callable[[Network], set[Place] | None]:
    """Change the weights of the last layer of a class that fits."""

    def apply(network: Network) -> set[Place] | None:
        for path, layer in reversed(
            _leaves(network, *(classes if isinstance(classes, tuple) else (classes,)))
        ):
            if fits(layer):
                change(layer)
                return {(path, "weights")}
        return None

    return apply


def _set(key: str, value: Callable[[Array], Array]) -> Callable[[Any], None]:
    def change(layer: Any) -> None:
        array = {**layer.params, **layer.buffers}[key]
        array[...] = value(array).copy()

    return change


def _as_channels_last(network: Network) -> set[Place] | None:
    """The first Affine after images, its rows ordered as (H, W, C)."""
    shapes = _shapes(network)
    for path, layer in network.layers.leaves():
        shape = shapes.get(path, ())
        if isinstance(layer, sc.Flatten) and len(shape) == 3:
            following = next(p for p in list(shapes)[list(shapes).index(path) + 1 :])
            affine = dict(network.layers.leaves())[following]
        elif isinstance(layer, sc.Affine) and len(shape) == 3:
            following, affine = path, layer
        else:
            continue
        if not isinstance(affine, sc.Affine) or shape[0] == 1 or shape[1] * shape[2] == 1:
            return None
        rows = np.arange(affine.W.shape[0]).reshape(shape).transpose(1, 2, 0).ravel()
        affine.W[...] = affine.W[rows]
        return {(following, "weights")}
    return None


def _shapes(network: Network) -> dict[str, tuple[int, ...]]:
    """The shape of one image's input to each layer, by path in order."""
    from parity.reference.trace import Trace, recording

    trace = Trace()
    with recording(network, trace):
        network.predict(np.zeros((2, *network.input_dim), dtype=network.dtype))
    return {path: x.shape[1:] for path, x in trace.inputs.items()}


def _exchange_weights(network: Network) -> set[Place] | None:
    seen: dict[tuple[int, ...], tuple[str, Any]] = {}
    for path, layer in _leaves(network, sc.Convolution, sc.Affine):
        if layer.W.shape in seen:
            first, other = seen[layer.W.shape]
            layer.W[...], other.W[...] = other.W.copy(), layer.W.copy()
            return {(first, "weights")}
        seen[layer.W.shape] = path, layer
    return None


# -- wiring ---------------------------------------------------------------------------------------
def _passing(network: Network, skip_forward: str | None = None, skip_backward: str | None = None) -> None:
    """The network's row of layers, with one left out going forward or coming back."""
    row = network.layers

    def forward(x: Array) -> Array:
        for name, layer in row.items():
            if name != skip_forward:
                x = layer.forward(x)
        return x

    def backward(dout: Array) -> Array:
        for name, layer in reversed(list(row.items())):
            if name != skip_backward:
                dout = layer.backward(dout)
        return dout

    row.forward, row.backward = forward, backward  # type: ignore[method-assign]


def _middle_activation(network: Network) -> str | None:
    names = [n for n, layer in network.layers.items() if isinstance(layer, (sc.Relu, sc.Sigmoid, sc.Tanh))]
    return names[len(names) // 2] if names else None


def _skip(direction: str) -> Callable[[Network], set[Place] | None]:
    def apply(network: Network) -> set[Place] | None:
        name = _middle_activation(network)
        if name is None:
            return None
        _passing(network, **{f"skip_{direction}": name})
        return {(name, "wiring")}

    return apply


def _swap_neighbours(network: Network) -> set[Place] | None:
    """Pooling before instead of after LRN or a squashing activation (with ReLU and max it is the same)."""
    names, layers = list(network.layers), dict(network.layers.items())
    for a, b in pairwise(names):
        if isinstance(layers[b], (sc.Pooling, sc.Subsampling)) and not isinstance(
            layers[a], (sc.Relu, sc.Convolution, Container)
        ):
            i = names.index(a)
            order = [*names[:i], b, a, *names[i + 2 :]]
            network.layers._children = {name: layers[name] for name in order}
            return {(a, "wiring"), (b, "wiring")}
    return None


def _shared_instance(network: Network) -> set[Place] | None:
    """One activation object in two places: its memory is that of the last call."""
    shapes = _shapes(network)
    names = [n for n, layer in network.layers.items() if isinstance(layer, (sc.Relu, sc.Sigmoid, sc.Tanh))]
    for i, first in enumerate(names):
        for second in names[i + 1 :]:
            if shapes[first] == shapes[second]:
                network.layers._children[second] = network.layers[first]
                return {(first, "wiring"), (first, "backward"), (second, "wiring")}
    return None


Gradient = Callable[[Array, Array], dict[str, Array]]


def _exchanging(gradient: Gradient, a: str, b: str) -> Gradient:
    def exchanged(x: Array, t: Array) -> dict[str, Array]:
        grads = gradient(x, t)
        return grads | {a: grads[b], b: grads[a]}

    return exchanged


def _names_exchanged(network: Network) -> set[Place] | None:
    seen: dict[tuple[int, ...], str] = {}
    for name, array in network.params.items():
        if array.shape in seen:
            a, b, gradient = seen[array.shape], name, network.gradient

            network.gradient = _exchanging(gradient, a, b)  # type: ignore[method-assign, assignment]
            return {(a, "names"), (b, "names")}
        seen[array.shape] = name
    return None


def _left_in_eval(network: Network) -> set[Place] | None:
    if not network.layers.training:
        return None
    switching = _leaves(network, sc.Dropout, sc.BatchNormalization)
    for _, layer in switching:
        layer.training = False
        layer.train = lambda mode=True, layer=layer: layer
    return {(switching[0][0], "forward"), (switching[0][0], "mode")} if switching else None


def _residual_without(way: str) -> Callable[[Network], set[Place] | None]:
    def apply(network: Network) -> set[Place] | None:
        for name, block in network.layers.items():
            if isinstance(block, sc.Residual):
                before = list(network.layers)[list(network.layers).index(name) - 1]
                if way == "backward":
                    block.backward = block["body"].backward  # type: ignore[method-assign]
                    return {(before, "wiring")}
                block.forward = block["body"].forward  # type: ignore[method-assign]
                after = list(network.layers)[list(network.layers).index(name) + 1]
                return {(after, "wiring")}
        return None

    return apply


def _concat_reordered(network: Network) -> set[Place] | None:
    for name, block in network.layers.items():
        if isinstance(block, sc.Concat):
            block._children = dict(reversed(block._children.items()))
            after = list(network.layers)[list(network.layers).index(name) + 1]
            return {(after, "wiring")}
    return None


def _concat_last_branch_only(network: Network) -> set[Place] | None:
    for name, block in network.layers.items():
        if isinstance(block, sc.Concat):
            backward = block.backward

            def last_only(dout: Array, block: Any = block, backward: Any = backward) -> Array:
                backward(dout)
                (channels,) = block.recall()
                last = block[list(block)[-1]]
                dx: Array = last.backward(dout[:, sum(channels[:-1]) :])
                return dx

            block.backward = last_only  # type: ignore[method-assign]
            before = list(network.layers)[list(network.layers).index(name) - 1]
            return {(before, "wiring")}
    return None


def _square(layer: Any) -> bool:
    return bool(layer.W.shape[0] == layer.W.shape[1])


NETWORK_FAULTS: dict[str, NetworkFault] = {
    fault.name: fault
    for fault in (
        NetworkFault(
            "square-weight-transposed",
            "weights",
            "Affine keeps (in, out) and Linear (out, in); where the two are equal a forgotten .T still fits.",
            "a square fully connected weight copied without its transpose",
            _reweighted(sc.Affine, _square, _set("W", lambda W: W.T)),
        ),
        NetworkFault(
            "filters-and-channels-swapped",
            "weights",
            "A convolution's weight of another framework is (in, out, FH, FW); it fits if they are equal.",
            "filters and channels of a convolution's weight swapped on copy",
            _reweighted(sc.Convolution, _square, _set("W", lambda W: W.transpose(1, 0, 2, 3))),
        ),
        NetworkFault(
            "kernel-transposed-on-copy",
            "weights",
            "An (H, W) mix-up while copying; a square filter still fits.",
            "height and width of the filters swapped on copy",
            _reweighted(
                sc.Convolution,
                lambda c: c.W.shape[2] == c.W.shape[3] > 1,
                _set("W", lambda W: W.transpose(0, 1, 3, 2)),
            ),
        ),
        NetworkFault(
            "kernel-flipped-on-copy",
            "weights",
            "A true convolution flips its kernel, deep learning's does not; weights get flipped on the way.",
            "the filters flipped on copy",
            _reweighted(sc.Convolution, lambda c: c.W.shape[2] > 1, _set("W", lambda W: W[:, :, ::-1, ::-1])),
        ),
        NetworkFault(
            "bias-not-copied",
            "weights",
            "The loop over parameters matches names ending in weight and forgets the biases.",
            "a bias left at zero",
            _reweighted(
                (sc.Convolution, sc.Affine), lambda c: c.b is not None and c.b.any(), _set("b", np.zeros_like)
            ),
        ),
        NetworkFault(
            "flatten-channels-last",
            "weights",
            "A fully connected weight trained on (H, W, C) images is used after a (C, H, W) flatten.",
            "a fully connected weight whose rows are ordered (H, W, C)",
            _as_channels_last,
        ),
        NetworkFault(
            "equal-shapes-exchanged",
            "weights",
            "Weights are matched by shape or by order, and two layers have the same shape.",
            "the weights of two layers of the same shape exchanged",
            _exchange_weights,
        ),
        NetworkFault(
            "running-statistics-not-copied",
            "weights",
            "Parameters are copied and buffers forgotten.",
            "batch normalization's buffers left at their start",
            _reweighted(sc.BatchNormalization, lambda b: not b.training, _set("running_mean", np.zeros_like)),
        ),
        NetworkFault(
            "layer-skipped-forward",
            "wiring",
            "An activation is written in __init__ and forgotten in forward.",
            "a layer left out of the forward pass",
            _skip("forward"),
        ),
        NetworkFault(
            "layer-skipped-backward",
            "wiring",
            "The list of layers in backward is written out by hand and one is missing.",
            "a layer left out of the backward pass",
            _skip("backward"),
        ),
        NetworkFault(
            "neighbours-swapped",
            "wiring",
            "Pooling and the layer before it are written in the other order.",
            "two neighbouring layers swapped",
            _swap_neighbours,
        ),
        NetworkFault(
            "one-instance-twice",
            "wiring",
            "One relu object is used in several places; backward finds the mask of its last call.",
            "one stateful layer used in two places",
            _shared_instance,
        ),
        NetworkFault(
            "gradients-under-each-others-names",
            "wiring",
            "grads['b1'] = layers['Affine2'].db: a slip of the pen that fits when shapes are equal.",
            "two gradients of the same shape handed out under each other's names",
            _names_exchanged,
        ),
        NetworkFault(
            "left-in-eval",
            "wiring",
            "net.eval() for the validation pass, and no net.train() after it.",
            "training with the layers still in inference mode",
            _left_in_eval,
        ),
        NetworkFault(
            "residual-gradient-without-shortcut",
            "wiring",
            "The shortcut's gradient is forgotten: dx comes from the body alone.",
            "the shortcut left out of the backward pass",
            _residual_without("backward"),
        ),
        NetworkFault(
            "residual-without-shortcut",
            "wiring",
            "The sum with the shortcut is forgotten in forward.",
            "the shortcut left out of the forward pass",
            _residual_without("forward"),
        ),
        NetworkFault(
            "branches-in-another-order",
            "wiring",
            "A dict of branches is built in another order than the reference concatenates.",
            "the branches concatenated in another order",
            _concat_reordered,
        ),
        NetworkFault(
            "gradient-of-the-last-branch-only",
            "wiring",
            "dx is overwritten by each branch instead of added up.",
            "dx of the last branch instead of the branches' sum",
            _concat_last_branch_only,
        ),
    )
}
