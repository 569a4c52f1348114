"""The activations after the book's, in blocks that stay in the cache from pass to pass, without branches.

Forward leaves the slope at x, or Relu6's mask, and backward is one product. Where the sign of x decides, both
sides are computed for all numbers, and one of them is 0, or the larger one is taken: `np.where` takes a
branch per number, which costs 4 ns, and a pass over a block 0.1 ns.

Infinities and NaN come out as the textbook's code has them. Constants for which these ways are not exact, and
other dtypes than float32 and float64, are left to it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from scratchcnn.fast import memory, normal
from scratchcnn.fast.layout import constant, each_block, flat_like, flat_view, workspace
from scratchcnn.typing import Array

if TYPE_CHECKING:
    from scratchcnn.layers.activations import ELU, GELU, SELU, LeakyRelu, Relu6
    from scratchcnn.layers.base import Layer

Found = tuple[Array, Any] | None
MIN_SLOPE = 1e-30  # a smaller one could be 0 in float32
CUBE = 0.044715  # of GELU by tanh
ROOT = float(np.sqrt(2 / np.pi))


def _forward(compute: Callable[..., None], layer: Layer, x: Array, kept: Any = None) -> Found:
    """The output and what a backward needs, both by compute(x, out, kept); without a backward by
    compute(x, out). What is kept is of x's dtype unless `kept` is another."""
    x = layer.check_input(x)
    if x.dtype.char not in "fd":
        return None
    out = memory.empty_like(x)
    arrays = [flat_like(x, out), flat_view(out)]
    left = memory.empty_like(out, kept) if layer.recording else None
    each_block(compute, *arrays, *([] if left is None else [flat_view(left)]))
    return out, left


def times_slope(layer: Layer, dout: Array, slope: Array) -> Array:
    """dout times the derivative."""
    dout = layer.check_dout(dout, slope.shape)
    dx = memory.empty_like(slope, np.result_type(dout, slope))
    each_block(np.multiply, flat_like(dout, dx), flat_view(slope), flat_view(dx))
    return dx


def leaky_relu_forward(layer: LeakyRelu, x: Array) -> Found:
    """max(x, negative_slope * x), for slopes from 0 to 1."""
    if not MIN_SLOPE <= layer.negative_slope <= 1:
        return None
    return _forward(partial(_leaky_relu, layer.negative_slope), layer, x)


def _leaky_relu(negative: float, x: Array, out: Array, slope: Array | None = None) -> None:
    np.multiply(x, negative, out=out)
    np.maximum(x, out, out=out)
    if slope is not None:
        np.greater(x, constant(0, x), out=slope)
        np.maximum(slope, constant(negative, x), out=slope)


def elu_forward(layer: ELU, x: Array) -> Found:
    """max(x, 0) + alpha * (exp(min(x, 0)) - 1)"""
    if not 0.5 <= layer.alpha <= 2:  # 1 - alpha would be rounded
        return None
    return _forward(partial(_elu, layer.alpha, 1.0), layer, x)


def selu_forward(layer: SELU, x: Array) -> Found:
    """The same, times the scale."""
    return _forward(partial(_elu, layer.alpha, layer.scale), layer, x)


def _elu(alpha: float, scale: float, x: Array, out: Array, slope: Array | None = None) -> None:
    zeros = constant(0, x)
    np.minimum(x, zeros, out=out)
    np.expm1(out, out=out)
    for factor in (alpha, scale):
        if factor != 1:
            out *= factor
    if slope is not None:
        _slope_of_elu(alpha, scale, x, out, slope)
    positive = workspace("positive", x.shape, x.dtype)
    np.maximum(x, zeros, out=positive)
    if scale != 1:
        positive *= scale
    out += positive


def _slope_of_elu(alpha: float, scale: float, x: Array, negative: Array, slope: Array) -> None:
    """y + scale * alpha for y below 0, scale above: exactly, as the step between the two is."""
    left = x.dtype.type(scale * alpha)
    step = x.dtype.type(scale) - left
    if step == 0:
        np.add(negative, left, out=slope)
        return
    np.greater(x, constant(0, x), out=slope)
    slope *= step
    slope += left
    slope += negative


def gelu_forward(layer: GELU, x: Array) -> Found:
    """x * P(x), with P by `normal.py` or by the paper's tanh."""
    return _forward(_gelu_by_tanh if layer.approximate == "tanh" else _gelu, layer, x)


def _gelu(x: Array, out: Array, slope: Array | None = None) -> None:
    below = workspace("below", x.shape, x.dtype)
    normal.distribution(x, below, slope)
    np.multiply(x, below, out=out)
    if slope is not None:  # P + x * P'
        slope *= x
        slope += below


def _gelu_by_tanh(x: Array, out: Array, slope: Array | None = None) -> None:
    below, inner = workspace("below", x.shape, x.dtype), workspace("inner", x.shape, x.dtype)
    np.multiply(x, x, out=inner)
    inner *= CUBE
    np.add(inner, 1, out=below)
    below *= x
    below *= ROOT
    np.tanh(below, out=below)
    if slope is not None:  # P' = (1 - t**2) / 2 * ROOT * (1 + 3 * CUBE * x**2)
        np.multiply(below, below, out=slope)
        np.subtract(constant(1, x), slope, out=slope)
        inner *= 3
        inner += 1
        slope *= inner
        slope *= 0.5 * ROOT
    below += 1
    below *= 0.5
    np.multiply(x, below, out=out)
    if slope is not None:
        slope *= x
        slope += below


def relu6_forward(layer: Relu6, x: Array) -> Found:
    """min(max(x, 0), 6) and, for a backward, where x is between them."""
    return _forward(_relu6, layer, x, kept=bool)


def _relu6(x: Array, out: Array, mask: Array | None = None) -> None:
    zeros, sixes = constant(0, x), constant(6, x)
    np.maximum(x, zeros, out=out)
    np.minimum(out, sixes, out=out)
    if mask is not None:
        below = workspace("below", x.shape, mask.dtype)
        np.greater(x, zeros, out=mask)
        np.less(x, sixes, out=below)
        mask &= below
