"""The form of each layer in ONNX: one rule per layer, which adds nodes and returns the name of their output.

    RULES[Relu](graph, layer, "relu1", "x", (6, 28, 28))  ->  "relu1"

A rule gets the shape of one image: sizes are fixed in the file, and only the number of images is free.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from scratchcnn import layers as sc
from scratchcnn.layers import Layer
from scratchcnn.typing import Array

Shape = tuple[int, ...]
PORTS = ("x", "t", "scores", "loss")  # inputs and outputs of the file


class Graph:
    """Nodes and weights of a file in the making.

    dtype   of all floating-point numbers in it
    names   our path of an array ("Conv1.W") -> the network's name for it ("W1")
    """

    def __init__(self, dtype: Any, names: Mapping[str, str]):
        self.dtype, self.names = np.dtype(dtype), names
        self.nodes: list[Any] = []
        self.weights: list[Any] = []
        self.used = set(PORTS)

    def node(self, op: str, inputs: Sequence[str], path: str, output: str = "", **attributes: Any) -> str:
        """Append a node; its output is named after the layer, followed by a number if that name is taken."""
        from onnx import helper

        output = output or self._new(path)
        self.nodes.append(helper.make_node(op, inputs, [output], name=f"{output} {op}", **attributes))
        return output

    def array(self, layer: Layer, path: str, key: str) -> str:
        """Add the current value of a layer's parameter or buffer, under the network's name for it."""
        full = f"{path}.{key}"
        return self.constant(self.names.get(full, full), {**layer.params, **layer.buffers}[key])

    def constant(self, name: str, value: Array) -> str:
        """Add an array; floating-point numbers are converted to the file's dtype."""
        from onnx import numpy_helper

        name = self._new(name)
        array = value.astype(self.dtype) if value.dtype.kind == "f" else value
        self.weights.append(numpy_helper.from_array(np.asarray(array, order="C"), name))
        return name

    def _new(self, name: str) -> str:
        count, wanted = 1, name
        while name in self.used:
            count += 1
            name = f"{wanted} {count}"
        self.used.add(name)
        return name


Rule = Callable[[Graph, Any, str, str, Shape], str]


def node(op: str, **attributes: Any) -> Rule:
    """The rule for a layer that is one ONNX operator without weights."""
    return lambda graph, layer, path, x, shape: graph.node(op, [x], path, **attributes)


def convolution(graph: Graph, layer: sc.Convolution, path: str, x: str, shape: Shape) -> str:
    arrays = [graph.array(layer, path, key) for key in ("W", "b") if key in layer.params]
    (ph, pw), (_, _, FH, FW) = layer.pad, layer.W.shape
    return graph.node(
        "Conv",
        [x, *arrays],
        path,
        kernel_shape=[FH, FW],
        strides=list(layer.stride),
        pads=[ph, pw, ph, pw],
        dilations=list(layer.dilation),
        group=layer.groups,
    )


def affine(graph: Graph, layer: sc.Affine, path: str, x: str, shape: Shape) -> str:
    if len(shape) > 1:
        x = graph.node("Flatten", [x], f"{path}.flat", axis=1)
    arrays = [graph.array(layer, path, key) for key in ("W", "b") if key in layer.params]
    return graph.node("Gemm", [x, *arrays], path)


def pooling(graph: Graph, layer: sc.Pooling, path: str, x: str, shape: Shape) -> str:
    window, stride = [layer.pool_h, layer.pool_w], list(layer.stride)
    options: dict[str, Any] = {"kernel_shape": window, "strides": stride}
    beyond = [0, 0]  # by how many cells the last window exceeds the padding
    for axis, size in enumerate(shape[1:]):
        out = layer._output_size((1, *shape))[axis]
        padded = size + 2 * layer.pad[axis]
        beyond[axis] = max(0, (out - 1) * stride[axis] + layer._window[axis] - padded)
    (ph, pw), (eh, ew) = layer.pad, beyond
    pads = [ph, pw, ph + eh, pw + ew]
    if layer.dilation != (1, 1):
        options["dilations"] = list(layer.dilation)
    if layer.mode == "max":
        return graph.node("MaxPool", [x], path, pads=pads, **options)
    if layer.mode == "min":
        negative = graph.node("Neg", [x], f"{path}.negative")
        return graph.node("Neg", [graph.node("MaxPool", [negative], path, pads=pads, **options)], path)
    if layer.divisor_override is not None:
        # The average over all cells of a padded image, times their number, is the sum to divide.
        widths = graph.constant(f"{path}.pad", np.array([0, 0, *pads[:2], 0, 0, *pads[2:]]))
        x = graph.node("Pad", [x, widths], f"{path}.padded")
        average = graph.node("AveragePool", [x], f"{path}.average", **options)
        share = graph.constant(f"{path}.share", np.array(math.prod(window) / layer.divisor_override))
        return graph.node("Mul", [average, share], path)
    if layer.count_include_pad and any(layer.pad):
        # The divisor counts padding but not the cells beyond it, so the padding becomes part of the image.
        widths = graph.constant(f"{path}.pad", np.array([0, 0, ph, pw, 0, 0, ph, pw]))
        x, pads = graph.node("Pad", [x, widths], f"{path}.padded"), [0, 0, eh, ew]
    return graph.node("AveragePool", [x], path, pads=pads, count_include_pad=0, **options)


def adaptive_average(graph: Graph, layer: sc.AdaptiveAveragePooling, path: str, x: str, shape: Shape) -> str:
    """Windows of unequal size become two matrix products: averages over columns, then over rows."""
    (_, H, W), (OH, OW) = shape, (layer.out_h, layer.out_w)
    if H % OH == 0 and W % OW == 0:
        window = [H // OH, W // OW]
        return graph.node("AveragePool", [x], path, kernel_shape=window, strides=window)
    columns = graph.constant(f"{path}.columns", averages(W, layer._windows(W, OW)).T)  # (W, OW)
    rows = graph.constant(f"{path}.rows", averages(H, layer._windows(H, OH)))  # (OH, H)
    across = graph.node("MatMul", [x, columns], f"{path}.across")  # (N, C, H, OW)
    return graph.node("MatMul", [rows, across], path)  # (N, C, OH, OW)


def averages(size: int, windows: Sequence[slice]) -> Array:
    """(windows, size): row i averages the pixels of window i."""
    table = np.zeros((len(windows), size))
    for row, window in zip(table, windows, strict=True):
        row[window] = 1 / (window.stop - window.start)
    return table


def global_average(graph: Graph, layer: Layer, path: str, x: str, shape: Shape) -> str:
    average = graph.node("GlobalAveragePool", [x], f"{path}.average")
    return graph.node("Flatten", [average], path, axis=1)


def subsampling(graph: Graph, layer: sc.Subsampling, path: str, x: str, shape: Shape) -> str:
    """A convolution of each channel with its own window, filled with the coefficient."""
    C, s = len(layer.coefficient), layer.size
    W = np.broadcast_to(layer.coefficient[:, None, None, None], (C, 1, s, s))
    arrays = [graph.constant(f"{path}.coefficient", W), graph.array(layer, path, "bias")]
    return graph.node("Conv", [x, *arrays], path, kernel_shape=[s, s], strides=[s, s], group=C)


def rbf(graph: Graph, layer: sc.RBF, path: str, x: str, shape: Shape) -> str:
    middle, last = (graph.constant(f"{path}.axis", np.array([axis])) for axis in (1, 2))
    column = graph.node("Unsqueeze", [x, middle], f"{path}.column")  # (N, 1, in)
    difference = graph.node("Sub", [column, graph.array(layer, path, "W")], f"{path}.difference")
    return graph.node("ReduceSumSquare", [difference, last], path, keepdims=0)  # (N, out)


def tanh(graph: Graph, layer: sc.Tanh, path: str, x: str, shape: Shape) -> str:
    if layer.slope != 1:
        x = graph.node("Mul", [x, graph.constant(f"{path}.slope", np.asarray(layer.slope))], f"{path}.scaled")
    out = graph.node("Tanh", [x], path)
    if layer.amplitude == 1:
        return out
    return graph.node("Mul", [out, graph.constant(f"{path}.amplitude", np.asarray(layer.amplitude))], path)


def leaky_relu(graph: Graph, layer: sc.LeakyRelu, path: str, x: str, shape: Shape) -> str:
    """PRelu, whose slope is an array: LeakyRelu's is a float32, also in a network of float64."""
    return graph.node("PRelu", [x, graph.constant(f"{path}.slope", np.asarray(layer.negative_slope))], path)


def elu(graph: Graph, layer: sc.ELU, path: str, x: str, shape: Shape) -> str:
    """Elu where alpha is 1; else relu(x) + alpha * min(elu(x), 0), since Elu's alpha is a float32."""
    if layer.alpha == 1:
        return graph.node("Elu", [x], path)
    zero, alpha = (graph.constant(f"{path}.{k}", np.asarray(v)) for k, v in (("0", 0.0), ("a", layer.alpha)))
    below = graph.node("Min", [graph.node("Elu", [x], f"{path}.elu"), zero], f"{path}.below")
    scaled = graph.node("Mul", [below, alpha], f"{path}.scaled")
    return graph.node("Add", [graph.node("Relu", [x], f"{path}.above"), scaled], path)


def selu(graph: Graph, layer: sc.SELU, path: str, x: str, shape: Shape) -> str:
    """scale * ELU(alpha), since Selu's two constants are float32."""
    inner = elu(graph, sc.ELU(layer.alpha), f"{path}.inner", x, shape)
    return graph.node("Mul", [inner, graph.constant(f"{path}.scale", np.asarray(layer.scale))], path)


def gelu(graph: Graph, layer: sc.GELU, path: str, x: str, shape: Shape) -> str:
    """x * P, written out: ONNX has no Gelu before version 20."""

    def number(name: str, value: float) -> str:
        return graph.constant(f"{path}.{name}", np.asarray(value))

    if layer.approximate == "tanh":
        cube = graph.node("Mul", [graph.node("Mul", [x, x], f"{path}.square"), x], f"{path}.cube")
        added = graph.node("Mul", [cube, number("third", 0.044715)], f"{path}.added")
        inner = graph.node("Add", [x, added], f"{path}.inner")
        scaled = graph.node("Mul", [inner, number("slope", math.sqrt(2 / math.pi))], f"{path}.scaled")
        odd = graph.node("Tanh", [scaled], f"{path}.tanh")
    else:
        scaled = graph.node("Mul", [x, number("slope", math.sqrt(0.5))], f"{path}.scaled")
        odd = graph.node("Erf", [scaled], f"{path}.erf")
    above = graph.node("Add", [odd, number("one", 1.0)], f"{path}.above")
    return graph.node("Mul", [graph.node("Mul", [above, number("half", 0.5)], f"{path}.below"), x], path)


def relu6(graph: Graph, layer: sc.Relu6, path: str, x: str, shape: Shape) -> str:
    bounds = [graph.constant(f"{path}.{name}", np.asarray(v)) for name, v in (("low", 0.0), ("high", 6.0))]
    return graph.node("Clip", [x, *bounds], path)


def silu(graph: Graph, layer: sc.SiLU, path: str, x: str, shape: Shape) -> str:
    """ONNX has no operator for it before Swish of version 24: x times its sigmoid."""
    return graph.node("Mul", [x, graph.node("Sigmoid", [x], f"{path}.sigmoid")], path)


def lrn(graph: Graph, layer: sc.LocalResponseNormalization, path: str, x: str, shape: Shape) -> str:
    """ONNX's LRN if the window is odd; an even window it would shift to the other side."""
    alpha = layer.alpha * layer.size if layer.paper_alpha else layer.alpha
    if layer.size % 2:
        return graph.node("LRN", [x], path, size=layer.size, alpha=alpha, beta=layer.beta, bias=layer.k)
    C, before, after = shape[0], layer.size // 2, (layer.size - 1) // 2
    apart = np.arange(C) - np.arange(C)[:, None]  # column minus row
    window = ((apart >= -before) & (apart <= after)) * (alpha / layer.size)
    W = graph.constant(f"{path}.window", window[:, :, None, None])
    k = graph.constant(f"{path}.k", np.full(C, layer.k))
    scale = graph.node("Conv", [graph.node("Mul", [x, x], f"{path}.square"), W, k], f"{path}.scale")
    beta = graph.constant(f"{path}.beta", np.asarray(layer.beta))
    return graph.node("Div", [x, graph.node("Pow", [scale, beta], f"{path}.power")], path)


def batch_norm(graph: Graph, layer: sc.BatchNormalization, path: str, x: str, shape: Shape) -> str:
    keys = ("gamma", "beta", "running_mean", "running_var")
    arrays = [graph.array(layer, path, key) for key in keys]
    return graph.node("BatchNormalization", [x, *arrays], path, epsilon=layer.eps)


def layer_norm(graph: Graph, layer: sc.LayerNorm, path: str, x: str, shape: Shape) -> str:
    """ONNX's LayerNormalization, of version 17: of the last axes, and never without gamma."""
    last = layer.normalized_shape or shape[-1:]
    ones = np.ones(last, np.float32)
    gamma = graph.constant(f"{path}.ones", ones) if layer.gamma is None else graph.array(layer, path, "gamma")
    beta = [] if layer.beta is None else [graph.array(layer, path, "beta")]
    arrays = [x, gamma, *beta]
    return graph.node("LayerNormalization", arrays, path, axis=-len(last), epsilon=layer.eps)


def pad(graph: Graph, layer: sc.Pad, path: str, x: str, shape: Shape) -> str:
    """ONNX's Pad, which has `wrap` from version 19 on."""
    modes = {"zeros": "constant", "reflect": "reflect", "replicate": "edge"}
    if layer.mode not in modes:
        raise ValueError(f"{path}: a {layer.mode} border cannot be exported to this version of ONNX")
    (top, bottom), (left, right) = layer.pad
    pads = graph.constant(f"{path}.pads", np.array([0, 0, top, left, 0, 0, bottom, right]))
    return graph.node("Pad", [x, pads], path, mode=modes[layer.mode])


def linear(graph: Graph, layer: sc.Linear, path: str, x: str, shape: Shape) -> str:
    product = graph.node("MatMul", [x, graph.array(layer, path, "W")], f"{path}.product")
    if layer.b is None:
        return product
    return graph.node("Add", [product, graph.array(layer, path, "b")], path)


RULES: dict[type[Layer], Rule] = {
    sc.Pad: pad,
    sc.Convolution: convolution,
    sc.PartialConvolution: convolution,  # its W holds zeros where nothing is connected
    sc.Pooling: pooling,
    sc.AdaptiveAveragePooling: adaptive_average,
    sc.GlobalAveragePooling: global_average,
    sc.Subsampling: subsampling,
    sc.Affine: affine,
    sc.Linear: linear,
    sc.Flatten: node("Flatten", axis=1),
    sc.RBF: rbf,
    sc.Relu: node("Relu"),
    sc.LeakyRelu: leaky_relu,
    sc.ELU: elu,
    sc.SELU: selu,
    sc.Softplus: node("Softplus"),
    sc.GELU: gelu,
    sc.Relu6: relu6,
    sc.Softsign: node("Softsign"),
    sc.Identity: node("Identity"),
    sc.Sigmoid: node("Sigmoid"),
    sc.Tanh: tanh,
    sc.SiLU: silu,
    sc.Softmax: lambda graph, layer, path, x, shape: graph.node("Softmax", [x], path, axis=layer.axis),
    sc.LocalResponseNormalization: lrn,
    sc.BatchNormalization: batch_norm,
    sc.LayerNorm: layer_norm,
}
