"""The style of the course CS231n: functions, and what backward needs in a cache. Needs NumPy alone.

Options come by keyword, or in one dict called `..._param` (conv_param, pool_param, bn_param, dropout_param,
where p is the share that is kept). A loss is one function (x, t) -> loss, dx; an optimizer is one function
(w, dw, config) -> w, config.
"""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np

from parity.adapters.arguments import parameters
from parity.adapters.book import Adapter
from parity.adapters.masks import as_if_drawn
from parity.adapters.options import Options, all_read
from parity.adapters.recipe import Recipe, recipe
from parity.kinds.probe import Probe


class Cs231n(Adapter):
    """Two functions, forward(x, w, b, ...) -> out, cache and backward(dout, cache) -> dx, dw, db."""

    def build(self, factory: Any, probe: Probe, copy: bool = True) -> Any:
        return SimpleNamespace(pair=factory, args=_own(probe.args, copy), grads=(), configs={})

    def forward(self, layer: Any, probe: Probe) -> Any:
        how = recipe(probe.kind)
        if how.role == "loss":
            return _remember(layer, layer.pair(probe.inputs["x"], probe.inputs["t"]))
        if probe.kind == "dropout":
            return self._drop(layer, probe.inputs["x"], probe.inputs.get("mask"))
        layer.options = _options(layer.pair[0], {k: v for k, v in layer.args.items() if k not in how.params})
        arrays = [layer.args[name] for name in how.params]
        out = _remember(layer, layer.pair[0](probe.inputs["x"], *arrays, **layer.options))
        all_read(layer.options.values(), layer.args)
        return out

    def _drop(self, layer: Any, x: Any, wanted: Any) -> Any:
        """The output as if `wanted` had been drawn; the mask is found in the cache."""
        if wanted is None:
            return _remember(layer, layer.pair[0](x, {"p": _keep(layer), "mode": "test"}))
        found, scale = as_if_drawn(*self._drawn(layer, x), wanted, lambda: self._drawn(layer, x))
        _mask(layer.cache, x.shape)[...] = np.where(wanted, scale, 0)
        return found

    def _drawn(self, layer: Any, x: Any) -> tuple[Any, Any]:
        out = self.draw(layer, x.copy())
        mask = _mask(layer.cache, x.shape)
        if mask is None:
            raise AttributeError("expected the mask, of x's shape, in the cache")
        return out, mask

    def draw(self, layer: Any, x: Any) -> Any:
        return _remember(layer, layer.pair[0](x, {"p": _keep(layer), "mode": "train"}))

    def backward(self, layer: Any, probe: Probe) -> Any:
        loss = recipe(probe.kind).role == "loss"
        found = layer.cache if loss else layer.pair[1](probe.inputs["dout"], layer.cache)
        dx, *layer.grads = found if isinstance(found, tuple) else (found,)
        return dx

    def state(self, layer: Any, probe: Probe) -> dict[str, Any]:
        names = [f"d{name}" for name in recipe(probe.kind).params]
        running = {
            k: v
            for group in getattr(layer, "options", {}).values()
            if isinstance(group, dict)
            for k, v in group.items()
            if k.startswith("running")
        }
        return dict(zip(names, layer.grads, strict=False)) | running

    def update(self, optimizer: Any, params: dict[str, Any], grads: dict[str, Any]) -> None:
        """f(w, dw, config) -> w, config: a config per array, with lr as learning_rate."""
        start = {"learning_rate" if k == "lr" else k: v for k, v in optimizer.args.items()}
        for name, w in params.items():
            config = optimizer.configs.get(name, dict(start))
            w[...], optimizer.configs[name] = optimizer.pair(w, grads[name], config)

    def rates(self, optimizer: Any, value: float) -> list[str]:
        return super().rates(optimizer.configs, value)

    def set_rate(self, optimizer: Any, old: float, new: float, at: str = "") -> bool:
        return super().set_rate(optimizer.configs, old, new, at)

    def change(self, layer: Any, probe: Probe, new: dict[str, Any]) -> list[str]:
        for name, array in new.items():  # they are handed over at each call
            layer.args[name][...] = array
        return list(new)

    def infer(self, layer: Any) -> None:
        layer.args["training"] = False

    def learn(self, layer: Any) -> None:
        layer.args.pop("training", None)

    def parameters(self, factory: Any) -> list[str] | None:
        names = parameters(factory[0] if isinstance(factory, tuple) else factory)
        grouped = names is not None and any(name.endswith("_param") for name in names)
        return [*names, "stride", "pad"] if names is not None and grouped else names

    def misfit(self, factory: Any, how: Recipe) -> str:
        one = how.role in ("loss", "optimizer")
        if callable(factory) if one else isinstance(factory, tuple) and len(factory) == 2:
            return ""
        return f"cs231n takes {'one function' if one else 'two functions, forward,backward'}"


def _keep(layer: Any) -> float:
    """The share that is kept, which the course calls p."""
    return 1 - float(layer.args["dropout_ratio"])


def _own(args: dict[str, Any], copy: bool) -> dict[str, Any]:
    return {k: v.copy() if copy and isinstance(v, np.ndarray) else v for k, v in args.items()}


def _options(forward: Callable[..., Any], options: dict[str, Any]) -> dict[str, Any]:
    """By keyword, or all in the one dict that the function's `..._param` asks for."""
    grouped = [name for name in parameters(forward) or () if name.endswith("_param")]
    if not grouped:
        return options
    full = {"stride": 1, "pad": 0, "mode": "train" if options.get("training", True) else "test", **options}
    renamed = {"pool_h": "pool_height", "pool_w": "pool_width"}
    return {grouped[0]: Options(full | {new: full[old] for old, new in renamed.items() if old in full})}


def _mask(cache: Any, shape: tuple[int, ...]) -> Any:
    """The array of that shape in the cache, however it is wrapped."""
    if isinstance(cache, np.ndarray) and cache.shape == shape:
        return cache
    parts = cache.values() if isinstance(cache, dict) else cache if isinstance(cache, (tuple, list)) else ()
    return next((mask for part in reversed([*parts]) if (mask := _mask(part, shape)) is not None), None)


def _remember(layer: Any, result: Any) -> Any:
    if not (isinstance(result, tuple) and len(result) == 2):
        raise TypeError(f"forward: expected the pair (out, cache), got {type(result).__name__}")
    out, layer.cache = result
    return out
