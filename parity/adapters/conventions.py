"""Implementations in other styles, each brought to the book's in a few lines. Needs NumPy alone.

    book            cls(W, b, stride, pad), forward(x), backward(dout) -> dx, then .dW and .db
    cs231n          functions forward(x, w, b, ...) -> out, cache and backward(dout, cache) -> dx, dw, db;
                    options by keyword, or in a dict called ..._param (conv_param, pool_param, bn_param);
                    a loss is one function (x, t) -> loss, dx (dropout needs a class: its mask must be seen)
    channels_last   x, out, dout and dx are (N, H, W, C); W as in the book
    hwio            the same, and W and dW are (FH, FW, C, FN)
    params_grads    gradients in a dict: layer.grads["W"], layer.grads["b"]
    forward_only    no backward: a class with forward(x), or a function f(x, W, b, stride, pad)

Write your own as a subclass of `BookAdapter` that overrides what differs, and name it by
`--adapter file.py:Name` or pass an instance.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np

from parity.adapters.book import Adapter, BookAdapter, call, parameters
from parity.adapters.recipe import recipe
from parity.kinds.probe import Probe


class Cs231n(Adapter):
    """Two functions, forward(x, w, b, ...) -> out, cache and backward(dout, cache) -> dx, dw, db."""

    def build(self, factory: Any, probe: Probe, copy: bool = True) -> Any:
        return SimpleNamespace(pair=factory, args=_own(probe.args, copy), grads=())

    def forward(self, layer: Any, probe: Probe) -> Any:
        how = recipe(probe.kind)
        if how.role == "loss":
            return _remember(layer, layer.pair(probe.inputs["x"], probe.inputs["t"]))
        trained = how.params
        layer.options = _options(layer.pair[0], {k: v for k, v in layer.args.items() if k not in trained})
        arrays = [layer.args[name] for name in trained]
        return _remember(layer, layer.pair[0](probe.inputs["x"], *arrays, **layer.options))

    def backward(self, layer: Any, probe: Probe) -> Any:
        loss = recipe(probe.kind).role == "loss"
        found = layer.cache if loss else layer.pair[1](probe.inputs["dout"], layer.cache)
        dx, *layer.grads = found if isinstance(found, tuple) else (found,)
        return dx

    def state(self, layer: Any, probe: Probe) -> dict[str, Any]:
        names = [f"d{name}" for name in recipe(probe.kind).params]
        running = {k: v for group in getattr(layer, "options", {}).values() if isinstance(group, dict)
                   for k, v in group.items() if k.startswith("running")}  # fmt: skip
        return dict(zip(names, layer.grads, strict=False)) | running

    def infer(self, layer: Any) -> None:
        layer.args["training"] = False

    def learn(self, layer: Any) -> None:
        layer.args.pop("training", None)

    def parameters(self, factory: Any) -> list[str] | None:
        names = parameters(factory[0] if isinstance(factory, tuple) else factory)
        grouped = names is not None and any(name.endswith("_param") for name in names)
        return [*names, "stride", "pad"] if names is not None and grouped else names


def _own(args: dict[str, Any], copy: bool) -> dict[str, Any]:
    return {k: v.copy() if copy and isinstance(v, np.ndarray) else v for k, v in args.items()}


def _options(forward: Callable[..., Any], options: dict[str, Any]) -> dict[str, Any]:
    """By keyword, or all in the one dict that the function's `..._param` asks for."""
    grouped = [name for name in parameters(forward) or () if name.endswith("_param")]
    if not grouped:
        return options
    full = {"stride": 1, "pad": 0, "mode": "train" if options.get("training", True) else "test", **options}
    renamed = {"pool_h": "pool_height", "pool_w": "pool_width"}
    return {grouped[0]: full | {new: full[old] for old, new in renamed.items() if old in full}}


def _remember(layer: Any, result: Any) -> Any:
    if not (isinstance(result, tuple) and len(result) == 2):
        raise TypeError(f"forward: expected the pair (out, cache), got {type(result).__name__}")
    out, layer.cache = result
    return out


class ChannelsLast(BookAdapter):
    """x, out, dout and dx are (N, H, W, C); W as in the book."""

    def forward(self, layer: Any, probe: Probe) -> Any:
        return _channels(super().forward(layer, _swapped(probe, "x", 1, -1)), -1, 1)

    def backward(self, layer: Any, probe: Probe) -> Any:
        return _channels(super().backward(layer, _swapped(probe, "dout", 1, -1)), -1, 1)


class Hwio(ChannelsLast):
    """Channels last, and W and dW are (FH, FW, C, FN)."""

    def build(self, factory: Any, probe: Probe, copy: bool = True) -> Any:
        args = {k: _weights(v, "FN last") if k == "W" else v for k, v in probe.args.items()}
        return super().build(factory, replace(probe, args=args), copy)

    def state(self, layer: Any, probe: Probe) -> dict[str, Any]:
        return {
            k: _weights(v, "FN first") if k == "dW" else v for k, v in super().state(layer, probe).items()
        }


def _weights(W: Any, to: str) -> Any:
    """(FN, C, FH, FW) <-> (FH, FW, C, FN)."""
    if not isinstance(W, np.ndarray) or W.ndim != 4:
        return W
    return np.ascontiguousarray(W.transpose(2, 3, 1, 0) if to == "FN last" else W.transpose(3, 2, 0, 1))


def _channels(a: Any, source: int, target: int) -> Any:
    return np.moveaxis(a, source, target) if isinstance(a, np.ndarray) and a.ndim == 4 else a


def _swapped(probe: Probe, name: str, source: int, target: int) -> Probe:
    inputs = {k: _channels(v, source, target) if k == name else v for k, v in probe.inputs.items()}
    return replace(probe, inputs=inputs)


class ParamsGrads(BookAdapter):
    """Gradients in a dict: layer.grads["W"], layer.grads["b"]."""

    def state(self, layer: Any, probe: Probe) -> dict[str, Any]:
        grads = {key.lower(): value for key, value in layer.grads.items()}
        found = {f"d{name}": grads.get(name.lower()) for name in recipe(probe.kind).params}
        return super().state(layer, probe) | found


class ForwardOnly(BookAdapter):
    """A class with forward(x), or a function f(x, W, b, stride, pad); gradients are not checked."""

    backward_too = False

    def build(self, factory: Any, probe: Probe, copy: bool = True) -> Any:
        return factory if inspect.isfunction(factory) else super().build(factory, probe, copy)

    def forward(self, layer: Any, probe: Probe) -> Any:
        if not inspect.isfunction(layer) or recipe(probe.kind).role == "function":
            return super().forward(layer, probe)
        inputs = {k: v for k, v in probe.inputs.items() if k in ("x", "t")}
        return call(layer, {**inputs, **probe.args}, recipe(probe.kind), tuple(inputs))

    def backward(self, layer: Any, probe: Probe) -> Any:
        return None

    def state(self, layer: Any, probe: Probe) -> dict[str, Any]:
        return {k: v for k, v in super().state(layer, probe).items() if not k.startswith("d")}


ADAPTERS: dict[str, Adapter] = {
    "book": BookAdapter(),
    "cs231n": Cs231n(),
    "channels_last": ChannelsLast(),
    "hwio": Hwio(),
    "params_grads": ParamsGrads(),
    "forward_only": ForwardOnly(),
}


def adapter_of(given: str | Adapter | type[Adapter] | None) -> Adapter:
    """An adapter by name, by `file.py:Name`, or as it is. Raises ValueError naming those there are."""
    if given is None:
        return ADAPTERS["book"]
    if isinstance(given, str):
        name = given.replace("-", "_").lower()
        if name in ADAPTERS:
            return ADAPTERS[name]
        if ":" not in given:
            raise ValueError(f"no adapter named {given!r}; there are {', '.join(ADAPTERS)}, or file.py:Name")
        from parity.adapters.load import load

        return adapter_of(load(given))
    return given() if isinstance(given, type) else given
