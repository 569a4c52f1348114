"""Layers that torch.nn does not have: those of LeNet-5, and any that is given by a kind's formula."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from parity.kinds import Operation
from scratchcnn.layers import Layer


class ScaledTanh(nn.Module):
    """amplitude * tanh(slope * x), LeNet-5's squashing function."""

    def __init__(self, amplitude: float = 1.7159, slope: float = 2 / 3):
        super().__init__()
        self.amplitude, self.slope = amplitude, slope

    def forward(self, x: Tensor) -> Tensor:
        return self.amplitude * torch.tanh(self.slope * x)


class Subsampling(nn.Module):
    """A trainable coefficient times the window's sum, plus a bias: (N, C, H, W) -> (N, C, H/s, W/s)."""

    def __init__(self, channels: int, size: int = 2):
        super().__init__()
        self.size = size
        self.coefficient = nn.Parameter(torch.full((channels,), 1 / size**2))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        total = F.avg_pool2d(x, self.size, divisor_override=1)
        return total * self.coefficient[:, None, None] + self.bias[:, None, None]


class PartialConv2d(nn.Conv2d):
    """A convolution whose filters see only the channels that `connections` (out, in) allows."""

    connections: Tensor

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: Any, connections: Any, **options: Any
    ):
        super().__init__(in_channels, out_channels, kernel_size, **options)
        mask = torch.as_tensor(connections, dtype=torch.bool)[:, :, None, None]
        self.register_buffer("connections", mask, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        weight = self.weight * self.connections
        return F.conv2d(x, weight, self.bias, self.stride, self.padding, self.dilation, self.groups)


class RBF(nn.Module):
    """Squared distances to fixed codes: (N, in) -> (N, out)."""

    weight: Tensor

    def __init__(self, in_features: int, out_features: int):
        super().__init__()
        self.register_buffer("weight", torch.zeros(out_features, in_features))

    def forward(self, x: Tensor) -> Tensor:
        return ((x[:, None, :] - self.weight) ** 2).sum(2)


class PenaltyLoss(nn.Module):
    """LeNet-5's criterion: the label's penalty, plus log(exp(-j) + sum of exp(-penalties))."""

    def __init__(self, j: float = 10.0):
        super().__init__()
        self.j = j

    def forward(self, y: Tensor, t: Tensor) -> Tensor:
        if t.ndim == 2:
            right = (y * t).sum(1)
        else:
            right = y.gather(1, t[:, None])[:, 0]
        rubbish = torch.full_like(y[:, :1], -self.j)
        return (right + torch.logsumexp(torch.cat([-y, rubbish], 1), 1)).mean()


class MinPool2d(nn.MaxPool2d):
    """The smallest of each window: max pooling of -x, with its sign turned back."""

    def forward(self, x: Tensor) -> Tensor:
        return -super().forward(-x)


class FlatLinear(nn.Linear):
    """nn.Linear over everything after the first axis, as the book's Affine takes images."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.flatten(1))


class Concat(nn.Module):
    """Branches over the same input, joined along the channels."""

    def __init__(self, branches: dict[str, nn.Module]):
        super().__init__()
        for name, branch in branches.items():
            self.add_module(name, branch)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([branch(x) for branch in self.children()], dim=1)


class Residual(nn.Module):
    """body(x) + shortcut(x)."""

    def __init__(self, body: nn.Module, shortcut: nn.Module | None = None):
        super().__init__()
        self.body = body
        self.shortcut = nn.Identity() if shortcut is None else shortcut

    def forward(self, x: Tensor) -> Tensor:
        return self.body(x) + self.shortcut(x)


class Formula(nn.Module):
    """The formula of a kind as a module, with a layer's parameters and arguments under their own names.

    The parameters have the layer's shapes and hold zeros until weights are copied.
    """

    def __init__(self, kind: Operation, layer: Layer):
        super().__init__()
        self.name, self.formula, self.options = kind.name, kind.formula, dict[str, Any]()
        for name, value in kind.arguments(layer).items():
            if name in layer.params:
                self.register_parameter(name, nn.Parameter(torch.zeros(value.shape)))
            elif isinstance(value, np.ndarray):
                self.register_buffer(name, torch.from_numpy(value), persistent=name in layer.buffers)
            else:
                self.options[name] = value

    def forward(self, x: Tensor) -> Tensor:
        arrays = {**dict(self.named_parameters()), **dict(self.named_buffers())}
        return self.formula({"x": x, **arrays}, self.options)

    def extra_repr(self) -> str:
        return ", ".join([self.name, *(f"{name}={value}" for name, value in self.options.items())])
