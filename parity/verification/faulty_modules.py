"""A known bug of a layer put into a twin: that module gives the bug's numbers, forward and backward."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from torch import nn

from parity.faults import Fault
from parity.kinds import kind_of
from parity.kinds.kind import to_numpy, without_defaults

MOST = 12  # modules that are tried one after another
Change = Callable[[nn.Module], None]
MODULES: dict[str, type[nn.Module]] = {
    "convolution": nn.Conv2d,
    "affine": nn.Linear,
    "relu": nn.ReLU,
    "sigmoid": nn.Sigmoid,
    "tanh": nn.Tanh,
    "silu": nn.SiLU,
    "max_pooling": nn.MaxPool2d,
    "average_pooling": nn.AvgPool2d,
    "lrn": nn.LocalResponseNorm,
}


def changes_of_layers(fault: Fault, layer: str, module: nn.Module) -> Iterator[Change]:
    """What puts the bug into the module of that name; without one into all that have its kind, then into
    each alone. `layer` may be a layer of the network that the twin calls something else: then it is each."""
    wanted = MODULES.get(fault.kind)
    if wanted is None or fault.shows != "values":
        return
    paths = [path for path, part in module.named_modules() if type(part) is wanted and _takes(part)]
    if layer in paths:
        yield _change([layer], fault)
        return
    if not layer and len(paths) > 1:
        yield _change(paths, fault)
    for path in paths[:MOST]:
        yield _change([path], fault)


def _takes(module: nn.Module) -> bool:
    return not isinstance(getattr(module, "padding", None), str)


def _change(paths: list[str], fault: Fault) -> Change:
    def change(module: nn.Module) -> None:
        for path in paths:
            part: Any = module.get_submodule(path)
            if getattr(part, "inplace", False):  # its input is needed once more
                part.inplace = False
            part.register_forward_hook(_Faulty(fault))

    return change


class _Faulty:
    """A hook that gives the bug's output for the module's."""

    def __init__(self, fault: Fault):
        self.fault = fault

    def __call__(self, module: nn.Module, args: tuple[torch.Tensor, ...], out: torch.Tensor) -> torch.Tensor:
        weight, bias = (getattr(module, name, None) for name in ("weight", "bias"))
        found: torch.Tensor = _FaultyLayer.apply(args[0], weight, bias, self.fault, module)  # type: ignore[no-untyped-call]
        return found


class _FaultyLayer(torch.autograd.Function):
    """The layer of a known bug, as the catalogue has it in NumPy."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, weight: Any, bias: Any, fault: Fault, module: Any) -> torch.Tensor:
        args = without_defaults(_arguments(module, weight, bias), kind_of(fault.kind).optional)
        ctx.layer, ctx.turned, ctx.dtype = fault.make(**args), isinstance(module, nn.Linear), x.dtype
        ctx.has = weight is not None, bias is not None
        return torch.as_tensor(np.array(ctx.layer.forward(to_numpy(x).copy())), dtype=x.dtype)

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> Any:
        def tensor(a: Any) -> torch.Tensor:
            return torch.as_tensor(np.array(a), dtype=ctx.dtype)

        dx = tensor(ctx.layer.backward(to_numpy(grads[0]).copy()))
        dW = tensor(ctx.layer.dW.T if ctx.turned else ctx.layer.dW) if ctx.has[0] else None
        return dx, dW, tensor(ctx.layer.db) if ctx.has[1] else None, None, None


def _arguments(module: Any, weight: Any, bias: Any) -> dict[str, Any]:
    """What the layer of the kind is built with."""
    if weight is not None:
        W, b = to_numpy(weight).copy(), None if bias is None else to_numpy(bias).copy()
        if isinstance(module, nn.Linear):
            return {"W": W.T.copy(), "b": b}
        sizes = {"stride": module.stride, "pad": module.padding, "dilation": module.dilation}
        return {"W": W, "b": b, **sizes, "groups": module.groups}
    if isinstance(module, nn.LocalResponseNorm):
        return {"size": module.size, "alpha": module.alpha, "beta": module.beta, "k": module.k}
    if isinstance(module, (nn.MaxPool2d, nn.AvgPool2d)):
        window = module.kernel_size
        pool_h, pool_w = (window, window) if isinstance(window, int) else window
        sizes = {"stride": module.stride, "pad": module.padding, "ceil_mode": module.ceil_mode}
        return {"pool_h": pool_h, "pool_w": pool_w, **sizes}
    return {}
