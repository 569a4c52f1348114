"""The layers of a prediction: what follows a convolution is done to its output while that lies in the cache.

In inference batch normalization is a scale and a shift per channel:

    gamma * (x - mean) / sqrt(var + eps) + beta  =  scale * x + shift

The textbook makes four passes over the whole image for it, one more for the shortcut of a residual block and
one more for Relu. Here a convolution's output is finished block by block (`convolution.Finish`): all passes
are made over a block before the next one. No backward will follow, so nothing in between has to be kept.

The scale is applied to the output and not to the filters: those would have to be copied for it at every
call, or kept, and an array of NumPy does not say whether somebody has written into it since.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from scratchcnn.fast import convolution
from scratchcnn.fast.branches import each_branch, may_run_side_by_side
from scratchcnn.fast.dispatch import is_replaced
from scratchcnn.fast.elementwise import rectified
from scratchcnn.layers import BatchNormalization, Concat, Convolution, Layer, Relu, Residual, Sequential
from scratchcnn.typing import Array

# The forward of these classes as it was written; a layer with another one, for whatever reason, runs that.
OWN: dict[type[Layer], Callable[..., Any]] = {
    cls: cls.forward for cls in (BatchNormalization, Concat, Convolution, Relu, Residual, Sequential)
}


class After(NamedTuple):
    """What follows a layer, in this order: batch normalization, the addition of a shortcut, Relu."""

    norm: BatchNormalization | None = None
    side: Array | None = None
    relu: bool = False


class MisfitError(Exception):
    """Body and shortcut of a residual block differ in shape."""


NOTHING = After()


def run(layers: Sequence[Any], x: Array, after: After = NOTHING) -> Array:
    """The layers one after another, in inference, and what comes after the last of them (no norm)."""
    i = 0
    while i < len(layers):
        layer, norm, relu, i = layers[i], None, False, i + 1
        if i < len(layers) and is_own(layer, Convolution) and fits(layers[i], layer):
            norm, i = layers[i], i + 1
        if i < len(layers) and type(layer) in (Convolution, Residual) and is_own(layers[i], Relu):
            relu, i = True, i + 1
        if i == len(layers) and not (relu and after.side is not None):
            x, after = run_one(layer, x, After(norm, after.side, relu or after.relu)), NOTHING
        else:
            x = run_one(layer, x, After(norm, None, relu))
    return finished(x, after)


def run_one(layer: Any, x: Array, after: After) -> Array:
    if is_own(layer, Convolution):
        return convolved(layer, x, after)
    if is_own(layer, Sequential):
        return run(list(layer.values()), x, after)
    if is_own(layer, Residual):
        return finished(*residual(layer, x, after))
    if is_own(layer, Concat):
        return finished(concatenated(layer, x), after)
    return finished(layer.forward(x), after)


def convolved(layer: Convolution, x: Array, after: After) -> Array:
    if after.norm is None and after.side is None and not after.relu:
        out: Array = layer.forward(x)
        return out
    if after.side is not None and after.side.shape != layer._output_shape(x.shape):
        raise MisfitError
    scale, shift = None, layer.b
    if after.norm is not None:
        scale, shift = scale_and_shift(after.norm, layer.b)
    return convolution.forward_finished(layer, x, scale, shift, after.side, after.relu)


def scale_and_shift(norm: BatchNormalization, b: Array | None) -> tuple[Array, Array]:
    """Inference's batch normalization of x + b as scale * x + shift, from float64."""
    scale = norm.gamma / np.sqrt(norm.running_var.astype(np.float64) + norm.eps)
    shift = norm.beta - scale * (norm.running_mean - (0 if b is None else b.astype(np.float64)))
    return scale.astype(norm.gamma.dtype), shift.astype(norm.gamma.dtype)


def residual(layer: Residual, x: Array, after: After) -> tuple[Array, After]:
    """Body and shortcut added, and what is still to be done after them."""
    if after.side is not None:
        return layer.forward(x), after
    side = run([layer["shortcut"]], x) if "shortcut" in layer else x
    try:
        return run([layer["body"]], x, After(None, side, after.relu)), NOTHING
    except MisfitError:
        return layer.forward(x), after  # which says what is wrong


def concatenated(layer: Concat, x: Array) -> Array:
    outs = None
    if may_run_side_by_side(layer):
        outs = each_branch(layer, lambda branch: run([branch], x), x)
    if outs is None:
        outs = [run([branch], x) for branch in layer.values()]
    if len({out.shape[:1] + out.shape[2:] for out in outs}) > 1:
        return layer.forward(x)  # which says what is wrong
    return np.concatenate(outs, axis=1)


def finished(x: Array, after: After) -> Array:
    """The same for a layer that cannot do it itself."""
    if after.side is not None:
        if x.shape != after.side.shape:
            raise MisfitError
        x = x + after.side
    return rectified(x) if after.relu else x


def fits(norm: Layer, layer: Layer) -> bool:
    """Whether `norm` is batch normalization in inference, of as many channels as the convolution gives."""
    if not is_own(norm, BatchNormalization) or norm.training:
        return False
    gamma, W = norm.params["gamma"], layer.params["W"]
    return len(gamma) == len(W) and gamma.dtype == W.dtype


def is_own(layer: Layer, cls: type[Layer]) -> bool:
    """Whether the layer is of that very class, and the class's forward the one that was written for it."""
    return type(layer) is cls and cls.forward is OWN[cls] and not is_replaced(layer)
