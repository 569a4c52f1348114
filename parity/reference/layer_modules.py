"""A torch module for every layer of ours, so that any Sequential has a twin.

    twin(Convolution(W, b, stride=2, pad=1))  ->  nn.Conv2d(3, 96, (11, 11), stride=(2, 2), padding=(1, 1))

A rule per layer says which module of PyTorch it is. A layer without a rule gets a module made of its kind's
formula, so a new kind needs none. A twin has the structure only; parity.reference.weights copies the numbers.
`names(layer)` says how they map: for each parameter and buffer the torch name and whether the array is
transposed on copy.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from torch import Tensor, nn

import scratchcnn as sc
from parity.kinds import kind_of_layer
from parity.reference import modules as torch_modules
from scratchcnn.layers import Container, Layer
from scratchcnn.networks import Network


class Name(NamedTuple):
    """Where one of our arrays lives in torch."""

    theirs: str
    transposed: bool = False


class Rule(NamedTuple):
    build: Callable[[Any], nn.Module]
    names: dict[str, Name]


W_B = {"W": Name("weight"), "b": Name("bias")}


def _convolution(layer: sc.Convolution) -> nn.Module:
    FN, Cg, FH, FW = layer.W.shape
    options: dict[str, Any] = {
        "stride": layer.stride,
        "padding": layer.pad,
        "dilation": layer.dilation,
        "groups": layer.groups,
        "bias": layer.b is not None,
    }
    if isinstance(layer, sc.PartialConvolution):
        return torch_modules.PartialConv2d(Cg, FN, (FH, FW), layer.connections, **options)
    return nn.Conv2d(Cg * layer.groups, FN, (FH, FW), **options)


def _layer_norm(layer: sc.LayerNorm) -> nn.Module:
    """Without normalized_shape, which has no gamma either, it goes along the last axis, whatever its size."""
    if layer.normalized_shape is None:
        return torch_modules.Formula(kind_of_layer(layer), layer)
    options = {"elementwise_affine": layer.gamma is not None, "bias": layer.beta is not None}
    return nn.LayerNorm(layer.normalized_shape, layer.eps, **options)


def _pooling(layer: sc.Pooling) -> nn.Module:
    window = (layer.pool_h, layer.pool_w)
    if layer.mode == "average":
        return nn.AvgPool2d(
            window, layer.stride, layer.pad, layer.ceil_mode, layer.count_include_pad, layer.divisor_override
        )
    kind = nn.MaxPool2d if layer.mode == "max" else torch_modules.MinPool2d
    return kind(window, layer.stride, layer.pad, layer.dilation, ceil_mode=layer.ceil_mode)


PADS: dict[str, Callable[..., nn.Module]] = {
    "zeros": nn.ZeroPad2d,
    "reflect": nn.ReflectionPad2d,
    "replicate": nn.ReplicationPad2d,
    "circular": nn.CircularPad2d,
}


def _pad(layer: sc.Pad) -> nn.Module:
    (top, bottom), (left, right) = layer.pad
    return PADS[layer.mode]((left, right, top, bottom))


class _BatchNorm(nn.modules.batchnorm._BatchNorm):
    """nn.BatchNorm1d and 2d in one: the rule does not know which input will come."""

    def _check_input_dim(self, input: Any) -> None:
        if input.dim() not in (2, 4):
            raise ValueError(f"expected 2D or 4D input (got {input.dim()}D input)")


RULES: dict[type[Layer], Rule] = {
    sc.Convolution: Rule(_convolution, W_B),
    sc.PartialConvolution: Rule(_convolution, W_B),
    sc.Pooling: Rule(_pooling, {}),
    sc.Pad: Rule(_pad, {}),
    sc.AdaptiveAveragePooling: Rule(lambda l: nn.AdaptiveAvgPool2d((l.out_h, l.out_w)), {}),
    sc.GlobalAveragePooling: Rule(lambda l: nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten()), {}),
    sc.Subsampling: Rule(
        lambda l: torch_modules.Subsampling(len(l.coefficient), l.size),
        {"coefficient": Name("coefficient"), "bias": Name("bias")},
    ),
    sc.Affine: Rule(
        lambda l: torch_modules.FlatLinear(l.W.shape[0], l.W.shape[1], bias=l.b is not None),
        {"W": Name("weight", transposed=True), "b": Name("bias")},
    ),
    sc.Linear: Rule(
        lambda l: nn.Linear(l.W.shape[0], l.W.shape[1], bias=l.b is not None),
        {"W": Name("weight", transposed=True), "b": Name("bias")},
    ),
    sc.Flatten: Rule(lambda l: nn.Flatten(), {}),
    sc.RBF: Rule(lambda l: torch_modules.RBF(l.W.shape[1], l.W.shape[0]), {"W": Name("weight")}),
    sc.Relu: Rule(lambda l: nn.ReLU(), {}),
    sc.Sigmoid: Rule(lambda l: nn.Sigmoid(), {}),
    sc.Tanh: Rule(lambda l: torch_modules.ScaledTanh(l.amplitude, l.slope), {}),
    sc.Softmax: Rule(lambda l: nn.Softmax(dim=l.axis), {}),
    sc.LocalResponseNormalization: Rule(
        lambda l: nn.LocalResponseNorm(l.size, l.alpha * (l.size if l.paper_alpha else 1), l.beta, l.k), {}
    ),
    # Ours is the book's momentum, the share kept; PyTorch's is the share of the new.
    sc.BatchNormalization: Rule(
        lambda l: _BatchNorm(len(l.gamma), eps=l.eps, momentum=1 - l.momentum),
        {
            "gamma": Name("weight"),
            "beta": Name("bias"),
            "running_mean": Name("running_mean"),
            "running_var": Name("running_var"),
        },
    ),
    sc.LayerNorm: Rule(_layer_norm, {"gamma": Name("weight"), "beta": Name("bias")}),
    sc.Dropout: Rule(lambda l: nn.Dropout(l.dropout_ratio), {}),
    sc.SoftmaxWithLoss: Rule(lambda l: nn.CrossEntropyLoss(), {}),
    sc.PenaltyLoss: Rule(lambda l: torch_modules.PenaltyLoss(l.j), {}),
}


def rule_for(layer: Layer) -> Rule:
    """The rule of the layer's class or its nearest base; without one, its kind's formula.

    Raises TypeError for a layer that has neither.
    """
    for cls in type(layer).__mro__:
        if cls in RULES:
            return RULES[cls]
    wanted, its_name = "a rule to parity.reference.layer_modules.RULES", type(layer).__name__
    try:
        kind = kind_of_layer(layer)
    except TypeError:
        raise TypeError(
            f"no twin is known for {its_name}; add its kind to parity.kinds, or {wanted}"
        ) from None
    if kind.switches or kind.role != "layer":
        raise TypeError(f"no twin is known for {its_name}, which is more than a formula; add {wanted}")
    return Rule(
        partial(torch_modules.Formula, kind), {key: Name(key) for key in (*layer.params, *layer.buffers)}
    )


def names(layer: Layer) -> dict[str, Name]:
    """Our parameter and buffer names of one layer or container -> theirs."""
    if isinstance(layer, Container):
        return {
            f"{child}.{ours}": Name(f"{child}.{theirs}", transposed)
            for child, inner in layer.children()
            for ours, (theirs, transposed) in names(inner).items()
        }
    known = rule_for(layer).names
    return {key: known[key] for key in (*layer.params, *layer.buffers)}


def twin(layer: Layer) -> nn.Module:
    """The torch module of the same structure, for a layer or a container of any depth."""
    if isinstance(layer, Container):
        children = {name: twin(inner) for name, inner in layer.children()}
        if isinstance(layer, sc.Concat):
            return torch_modules.Concat(children)
        if isinstance(layer, sc.SideHead):
            raise TypeError("a SideHead adds to its network's loss, so it has no twin by itself")
        if isinstance(layer, sc.Residual):
            return torch_modules.Residual(**children)
        module = nn.Sequential()
        for name, child in children.items():
            module.add_module(name, child)
        return module
    return rule_for(layer).build(layer)


class NetworkTwin(nn.Module):
    """The twin of a whole network: its layers' twins in a row, and the loss beside them."""

    def __init__(self, network: Network):
        super().__init__()
        for name, layer in network.layers.items():
            self.add_module(name, twin(layer))
        self.loss = twin(network.last_layer)

    def forward(self, x: Tensor) -> Tensor:
        for module in self.children():
            if module is not self.loss:
                x = module(x)
        return x
