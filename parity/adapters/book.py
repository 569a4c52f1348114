"""How an implementation is built and called for a probe, in the book's protocol.

    convolution   cls(W, b, stride=1, pad=0), forward(x), backward(dout) -> dx, then .dW and .db
    pooling       cls(pool_h, pool_w, stride=1, pad=0)
    affine        cls(W, b)                     relu, sigmoid, tanh, softmax   cls()
    loss          cls(), forward(x, t) -> loss, backward(dout=1) -> dx
    ...

`parity kinds` lists them all; each kind's line, and the order of its arguments, are in `parity.kinds`.
`Book` runs any class of that protocol; a protocol of another shape is another adapter with the same methods.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from types import FunctionType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.kinds import Kind, Probe, Tensors, kind_of
from parity.kinds.optimizers import run_optimizer

FLAGS = ("train_flg", "training", "is_training", "train")  # what forward may call the book's train_flg
DRAWS = 400  # random masks looked at until each number has been dropped or kept as the probe wants it


def parameters(call: Callable[..., Any]) -> list[str] | None:
    """The names of what it takes, in order; None where any name goes or nothing can be known."""
    lasting = isinstance(call, (type, FunctionType, functools.partial))  # not a layer's method
    return _signature(call) if lasting else _signature.__wrapped__(call)


@lru_cache(maxsize=4096)
def _signature(call: Callable[..., Any]) -> list[str] | None:
    try:
        found = inspect.signature(call).parameters.values()
    except (TypeError, ValueError):
        return None
    return None if any(p.kind is p.VAR_KEYWORD for p in found) else [p.name for p in found]


def _without_default(call: Callable[..., Any]) -> int:
    """How many arguments it insists on."""
    found = inspect.signature(call).parameters.values()
    return sum(p.default is p.empty and p.kind is not p.VAR_POSITIONAL for p in found)


def call(factory: Callable[..., Any], args: Mapping[str, Any], kind: Kind, first: Sequence[str] = ()) -> Any:
    """`factory(**args)`, or by position where it has other names for the arguments of the kind.

    Those of `first` come before the kind's own.
    """
    names = parameters(factory)
    if names is None or args.keys() <= set(names):
        return factory(**args)
    order = (*first, *kind.order)
    given = max((i for i, name in enumerate(order, start=1) if name in args), default=0)
    last = max(given, min(_without_default(factory), len(order)))
    leading = [args.get(name, kind.optional.get(name)) for name in order[:last]]
    return factory(*leading, **{k: v for k, v in args.items() if k not in order})


class Book:
    """A class (or function) in the book's protocol, as listed above.

    `backward_too` is False where an adapter has no gradients to show.
    """

    backward_too = True

    def parameters(self, factory: Callable[..., Any]) -> list[str] | None:
        """What the implementation can be given, by name; None when that cannot be known."""
        return parameters(factory)

    def build(self, factory: Callable[..., Any], probe: Probe, copy: bool = True) -> Any:
        """The layer for this probe, on copies of its parameters unless a write into them is to be seen."""
        kind = kind_of(probe.kind)
        if kind.role == "function":
            return factory
        args = {k: v.copy() if copy and isinstance(v, np.ndarray) else v for k, v in probe.args.items()}
        training = args.pop("training", True)
        layer = call(factory, args, kind)
        if not training:
            self.infer(layer)
        return layer

    def infer(self, layer: Any) -> None:
        """Switch to inference, by `eval()` where there is one; else by the book's train_flg."""
        if callable(getattr(layer, "eval", None)):
            layer.eval()
        else:
            names = parameters(layer.forward) or ()
            flag = next((name for name in FLAGS if name in names), FLAGS[0])
            layer.forward = functools.partial(layer.forward, **{flag: False})

    def learn(self, layer: Any) -> None:
        """Undo `infer`."""
        if callable(getattr(layer, "train", None)):
            layer.train()
        else:
            vars(layer).pop("forward", None)

    def forward(self, layer: Any, probe: Probe) -> Any:
        kind = kind_of(probe.kind)
        if kind.role == "function":
            return call(layer, {**probe.inputs, **probe.args}, kind)
        x = probe.inputs["x"]
        if kind.role == "loss":
            loss = layer.forward(x, probe.inputs["t"])
            return np.asarray(loss, dtype=x.dtype) if type(loss) is float else loss
        if probe.kind == "dropout":
            if "mask" not in probe.inputs:
                self.infer(layer)
            elif hasattr(layer, "inject"):
                layer.inject(probe.inputs["mask"])
            else:
                return self.drop(layer, x, probe.inputs["mask"])
        return layer.forward(x)

    def drop(self, layer: Any, x: NDArray, wanted: NDArray) -> NDArray:
        """The output of a dropout layer that draws its own `.mask`, as if it had drawn `wanted`.

        A layer that keeps a mask set before the call is done at once. Any other is called until each
        number was seen dropped or kept as wanted; then `wanted` is set for backward, in the mask's own
        dtype and scale.
        """
        layer.mask = wanted.copy()
        out = np.asarray(layer.forward(x))
        if getattr(layer, "mask", x) is None:  # the mask was used up
            return out
        if not isinstance(getattr(layer, "mask", None), np.ndarray) or out.shape != layer.mask.shape:
            raise AttributeError("expected the mask, of x's shape, in .mask after forward")
        found, scale = out.copy(), layer.mask.max()
        missing = (layer.mask != 0) != wanted
        for _ in range(DRAWS):
            if not missing.any():
                break
            again = layer.forward(x.copy())
            seen = missing & ((layer.mask != 0) == wanted)
            found[seen], missing, scale = again[seen], missing & ~seen, max(scale, layer.mask.max())
        layer.mask = np.where(wanted, scale, 0).astype(layer.mask.dtype)
        return found

    def backward(self, layer: Any, probe: Probe) -> Any:
        loss = kind_of(probe.kind).role == "loss"
        return layer.backward() if loss else layer.backward(probe.inputs["dout"])

    def results(self, layer: Any, probe: Probe) -> Tensors:
        """Every result of one forward and one backward, under the kind's names."""
        kind = kind_of(probe.kind)
        if kind.role == "optimizer":
            return run_optimizer(layer, probe)
        out = self.forward(layer, probe)
        if kind.role == "function":
            return {kind.out: out}
        found = {kind.out: out, "dx": self.backward(layer, probe)}
        return found | self.state(layer, probe)

    def state(self, layer: Any, probe: Probe) -> Tensors:
        """What backward (or forward) left in attributes: .dW, .db, running statistics."""
        kind = kind_of(probe.kind)
        names = [*(f"d{name}" for name in kind.params), *kind.buffers]
        found: dict[str, Any] = {name: getattr(layer, name, None) for name in names}
        return found
