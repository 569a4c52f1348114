"""Every layer in JAX, as a JAX user writes it: forward only, since JAX differentiates automatically.

    forward(network.layers, arrays, x, Mode(training=True, masks={...}, t=t))  ->  the last layer's output

None of our arithmetic is used. Only the arguments of our layers are read (stride, pad, eps, ...), as
`parity.reference.layer_modules` does for PyTorch; their arrays come from `arrays`, by path ("conv1.W"), so
that they can be differentiated.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

import scratchcnn as sc
from parity.referees.base import NoAnswer
from scratchcnn.layers import Container, Layer

IMAGES = ("NCHW", "OIHW", "NCHW")


@dataclass
class Mode:
    """How a network is mode.

    masks       by dropout layer, True where a value is kept; used in training
    t           labels, for the losses of auxiliary heads
    side_loss   what these heads add to the network's loss in training
    """

    training: bool
    t: jax.Array
    masks: Mapping[str, Any] = field(default_factory=dict)
    side_loss: Any = 0.0


Arrays = Mapping[str, jax.Array]  # of one layer: {"W": ..., "b": ...}
JaxRule = Callable[[Any, Arrays, jax.Array, "Mode"], jax.Array]


# -- windows --------------------------------------------------------------------------------------
def convolution(layer: sc.Convolution, a: Arrays, x: jax.Array, mode: Mode) -> jax.Array:
    W = a["W"]
    if isinstance(layer, sc.PartialConvolution):
        W = W * layer.connections[:, :, None, None]
    out = lax.conv_general_dilated(
        x,
        W,
        window_strides=layer.stride,
        padding=[(p, p) for p in layer.pad],
        rhs_dilation=layer.dilation,
        dimension_numbers=IMAGES,
        feature_group_count=layer.groups,
    )
    return out if layer.b is None else out + a["b"][:, None, None]


def pooling(layer: sc.Pooling, a: Arrays, x: jax.Array, mode: Mode) -> jax.Array:
    window, stride = (1, 1, layer.pool_h, layer.pool_w), (1, 1, *layer.stride)
    apart = (1, 1, *layer.dilation)
    spans = [d * (size - 1) + 1 for d, size in zip(layer.dilation, window[2:], strict=True)]
    sizes = zip(x.shape[2:], spans, layer.stride, layer.pad, strict=True)
    ends = [end_padding(*one, layer.ceil_mode) for one in sizes]
    frame = [(0, 0), (0, 0), *zip(layer.pad, ends, strict=True)]
    if layer.mode == "max":
        return lax.reduce_window(x, -jnp.inf, lax.max, window, stride, frame, window_dilation=apart)
    if layer.mode == "min":
        return lax.reduce_window(x, jnp.inf, lax.min, window, stride, frame, window_dilation=apart)
    total = lax.reduce_window(x, 0.0, lax.add, window, stride, frame)
    if layer.divisor_override is not None:
        return total / layer.divisor_override
    counted = jnp.ones_like(x[:1, :1])
    if layer.count_include_pad:  # padding counts, cells beyond it do not
        counted = jnp.pad(counted, [(0, 0), (0, 0), *((p, p) for p in layer.pad)], constant_values=1)
        edge = [(0, 0), (0, 0), *((0, e - p) for p, e in zip(layer.pad, ends, strict=True))]
    else:
        edge = frame
    cells = lax.reduce_window(counted, 0.0, lax.add, window, stride, edge)
    return total / cells


def end_padding(size: int, window: int, stride: int, pad: int, ceil_mode: bool) -> int:
    """How many cells beyond the image's end the last window reaches, at least `pad`."""
    steps = (size + 2 * pad - window) / stride
    last = math.ceil(steps) if ceil_mode else math.floor(steps)
    if ceil_mode and last * stride >= size + pad:  # it would start beyond the image
        last -= 1
    return max(pad, last * stride + window - size - pad)


def adaptive_average(layer: sc.AdaptiveAveragePooling, a: Arrays, x: jax.Array, mode: Mode) -> jax.Array:
    rows = [slice(*cut) for cut in bins(x.shape[2], layer.out_h)]
    columns = [slice(*cut) for cut in bins(x.shape[3], layer.out_w)]
    return jnp.stack([jnp.stack([x[:, :, r, c].mean((2, 3)) for c in columns], -1) for r in rows], -2)


def bins(size: int, count: int) -> list[tuple[int, int]]:
    """The bounds of `count` windows over `size` cells, as PyTorch's adaptive pooling places them."""
    return [(math.floor(i * size / count), math.ceil((i + 1) * size / count)) for i in range(count)]


def subsampling(layer: sc.Subsampling, a: Arrays, x: jax.Array, mode: Mode) -> jax.Array:
    window = (1, 1, layer.size, layer.size)
    total = lax.reduce_window(x, 0.0, lax.add, window, window, "VALID")
    return total * a["coefficient"][:, None, None] + a["bias"][:, None, None]


# -- dense ----------------------------------------------------------------------------------
def affine(layer: sc.Affine, a: Arrays, x: jax.Array, mode: Mode) -> jax.Array:
    out = jnp.einsum("ni,io->no", x.reshape(len(x), -1), a["W"])
    return out if layer.b is None else out + a["b"]


def rbf(layer: sc.RBF, a: Arrays, x: jax.Array, mode: Mode) -> jax.Array:
    return jax.vmap(lambda one: jnp.sum((one - a["W"]) ** 2, -1))(x)


# -- normalization --------------------------------------------------------------------------------
def lrn(layer: sc.LocalResponseNormalization, a: Arrays, x: jax.Array, mode: Mode) -> jax.Array:
    """Over `size` channels; an even window has one more before the channel than after it."""
    before, after = layer.size // 2, (layer.size - 1) // 2
    window, frame = [1, layer.size] + [1] * (x.ndim - 2), [(0, 0)] * x.ndim
    frame[1] = (before, after)
    energy = lax.reduce_window(x * x, 0.0, lax.add, window, [1] * x.ndim, frame)
    share = layer.alpha if layer.paper_alpha else layer.alpha / layer.size
    return x / (layer.k + share * energy) ** layer.beta


def batch_norm(layer: sc.BatchNormalization, a: Arrays, x: jax.Array, mode: Mode) -> jax.Array:
    others = tuple(axis for axis in range(x.ndim) if axis != 1)
    mean, var = a["running_mean"], a["running_var"]
    if mode.training:
        mean, var = x.mean(others), x.var(others)

    def beside(v: jax.Array) -> jax.Array:
        return v.reshape(-1, *[1] * (x.ndim - 2))

    return beside(a["gamma"]) * (x - beside(mean)) * lax.rsqrt(beside(var) + layer.eps) + beside(a["beta"])


def layer_norm(layer: sc.LayerNorm, a: Arrays, x: jax.Array, mode: Mode) -> jax.Array:
    axes = tuple(range(-len(layer.normalized_shape or (1,)), 0))
    mean, var = x.mean(axes, keepdims=True), x.var(axes, keepdims=True)
    return a.get("gamma", 1) * (x - mean) * lax.rsqrt(var + layer.eps) + a.get("beta", 0)


# -- losses: the mean over the images --------------------------------------------------------------
def softmax_with_loss(layer: Layer, y: jax.Array, t: jax.Array) -> jax.Array:
    return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(y), t[:, None], 1))


def penalty_loss(layer: sc.PenaltyLoss, y: jax.Array, t: jax.Array) -> jax.Array:
    right = jnp.take_along_axis(y, t[:, None], 1)[:, 0]
    return jnp.mean(right + jnp.logaddexp(-layer.j, jax.nn.logsumexp(-y, 1)))


NUMPY_MODES = {"zeros": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}
RULES: dict[type[Layer], JaxRule] = {
    sc.Convolution: convolution,
    sc.Pooling: pooling,
    sc.Pad: lambda l, a, x, mode: jnp.pad(x, ((0, 0), (0, 0), *l.pad), mode=NUMPY_MODES[l.mode]),
    sc.AdaptiveAveragePooling: adaptive_average,
    sc.GlobalAveragePooling: lambda l, a, x, mode: x.mean((2, 3)),
    sc.Subsampling: subsampling,
    sc.Affine: affine,
    sc.Linear: lambda l, a, x, mode: x @ a["W"] + a.get("b", 0),
    sc.Flatten: lambda l, a, x, mode: x.reshape(len(x), -1),
    sc.RBF: rbf,
    sc.Relu: lambda l, a, x, mode: jax.nn.relu(x),
    sc.LeakyRelu: lambda l, a, x, mode: jax.nn.leaky_relu(x, l.negative_slope),
    sc.ELU: lambda l, a, x, mode: jax.nn.elu(x, l.alpha),
    sc.SELU: lambda l, a, x, mode: jax.nn.selu(x),
    sc.Softplus: lambda l, a, x, mode: jax.nn.softplus(x),
    sc.GELU: lambda l, a, x, mode: jax.nn.gelu(x, approximate=l.approximate == "tanh"),
    sc.Relu6: lambda l, a, x, mode: jax.nn.relu6(x),
    sc.Identity: lambda l, a, x, mode: x,
    sc.Softsign: lambda l, a, x, mode: jax.nn.soft_sign(x),
    sc.Sigmoid: lambda l, a, x, mode: jax.nn.sigmoid(x),
    sc.Tanh: lambda l, a, x, mode: l.amplitude * jnp.tanh(l.slope * x),
    sc.SiLU: lambda l, a, x, mode: jax.nn.silu(x),
    sc.Softmax: lambda l, a, x, mode: jax.nn.softmax(x, l.axis),
    sc.LocalResponseNormalization: lrn,
    sc.BatchNormalization: batch_norm,
    sc.LayerNorm: layer_norm,
}
LOSSES: dict[type[Layer], Callable[[Any, jax.Array, jax.Array], jax.Array]] = {
    sc.SoftmaxWithLoss: softmax_with_loss,
    sc.PenaltyLoss: penalty_loss,
}


# -- the tree -------------------------------------------------------------------------------------
def forward(layer: Layer, arrays: Arrays, x: jax.Array, mode: Mode, path: str = "") -> jax.Array:
    """The output of a layer or container, whose arrays are those of `arrays` under its path."""
    if isinstance(layer, sc.Dropout):
        if not mode.training:
            return x
        return jnp.where(mode.masks[path], x / (1 - layer.dropout_ratio), 0)
    if not isinstance(layer, Container):
        own = {key: arrays[f"{path}.{key}"] for key in (*layer.params, *layer.buffers)}
        return rule_for(RULES, layer)(layer, own, x, mode)

    def child(key: str, inner: Layer, x: jax.Array) -> jax.Array:
        return forward(inner, arrays, x, mode, f"{path}.{key}" if path else key)

    if isinstance(layer, sc.SideHead) and not mode.training:
        return x
    if isinstance(layer, sc.Concat):
        return jnp.concatenate([child(key, inner, x) for key, inner in layer.children()], 1)
    if isinstance(layer, sc.Residual):
        parts = {key: child(key, inner, x) for key, inner in layer.children()}
        return parts["body"] + parts.get("shortcut", x)
    out = x
    for key, inner in layer.children():
        out = child(key, inner, out)
    if isinstance(layer, sc.SideHead):
        mode.side_loss = mode.side_loss + layer.weight * softmax_with_loss(layer, out, mode.t)
        return x
    return out


def rule_for(rules: Mapping[type[Layer], Any], layer: Layer) -> Any:
    """The rule of the layer's class or its nearest base. Raises NoAnswer naming a class without one."""
    for cls in type(layer).__mro__:
        if cls in rules:
            return rules[cls]
    raise NoAnswer(
        f"no JAX form is known for {type(layer).__name__}; add a rule to parity.referees.jax_layers"
    )
