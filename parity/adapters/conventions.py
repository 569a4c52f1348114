"""Implementations in other styles, each brought to the book's in a few lines. Needs NumPy alone.

    book            cls(W, b, stride, pad), forward(x), backward(dout) -> dx, then .dW and .db
    cs231n          functions forward(x, w, b, ...) -> out, cache and backward(dout, cache) -> dx, dw, db;
                    options by keyword, or in a dict called ..._param (conv_param, pool_param, bn_param);
                    a loss is one function (x, t) -> loss, dx, an optimizer one (w, dw, config) -> w, config
    channels_last   x, out, dout and dx are (N, H, W, C); W as in the book
    hwio            the same, and W and dW are (FH, FW, C, FN)
    params_grads    gradients in a dict: layer.grads["W"], layer.grads["b"]
    forward_only    no backward: a class with forward(x), or a function f(x, W, b, stride, pad)
    one_array       an optimizer of one array: update(w, dw) -> w

Write your own as a subclass of `BookAdapter` that overrides what differs, and name it by
`--adapter file.py:Name` or pass an instance.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from parity.adapters.arguments import call, misfit
from parity.adapters.axis_names import against
from parity.adapters.book import Adapter, BookAdapter
from parity.adapters.cs231n import Cs231n
from parity.adapters.load import TargetError
from parity.adapters.own_weights import shown
from parity.adapters.recipe import Recipe, recipe
from parity.adapters.sure_errors import MARKED
from parity.kinds.probe import Probe


class NotCallable(TargetError):
    """No way was found to call an implementation, so that nothing could be compared.

    name       what it is called
    signature  its parameters, as text
    tried      (how it was called, what it raised), in the order in which it was tried
    reason     all that in a sentence
    error      the implementation's own exception under the likeliest of them, with its file and line
    axes       how its source names the axes of images and kernels
    stubs      those of its methods that are still to be written
    raises     what it raises whatever it is given, where its source shows that; else ""
    suggestion an adapter to be filled in
    """

    def __init__(
        self,
        name: str,
        kind: str,
        signature: str,
        tried: Sequence[tuple[str, str]],
        stubs: Sequence[str] = (),
        axes: Mapping[str, str] | None = None,
    ):
        self.name, self.kind, self.signature, self.stubs = name, kind, signature, stubs
        order = ("result", "backward", "forward", "build", "weights")
        numbered = any("KeyError: 'dW" in why for _, why in tried)  # it got as far as the gradients
        self.tried = sorted(
            dict.fromkeys(tried),
            key=lambda t: (
                order.index(t[1].partition(":")[0]),
                not (INDEX.match(t[1]) and MARKED.search(t[1])),  # it has got as far as that line
                against(axes or {}, t[0]),
                "values to unpack (expected" in t[1],
                numbered and OTHER_NAMES in t[1],
            ),
        )
        self.error = next((why.partition(": ")[2] for _, why in self.tried), "")
        self.raises = f"raised {self.error}" if MARKED.search(self.error) else ""
        self.suggestion = suggestion(kind)
        self.reason = self._reason()
        super().__init__(f"{name} could not be called as {kind}: {self.reason}")

    def _reason(self) -> str:
        takes = f"it takes ({self.signature}), "
        if not self.tried and self.stubs:
            return f"its {self.stubs[0]} is still to be written"
        if not self.tried and recipe(self.kind).role == "optimizer":
            return f"{takes}and none of its methods is known for an update (update, step, ...)"
        if not self.tried and not self.signature:
            return "none of its methods has a name that is known for a forward"
        if not self.tried and recipe(self.kind).role == "loss":
            return f"{takes}and no reading of these names gives it output and target"
        if not self.tried:
            return f"{takes}and no reading of these names builds it"
        at, _, why = self.tried[0][1].partition(": ")
        if at == "result" and recipe(self.kind).role == "optimizer":
            if why == "not finite":
                return f"{takes}and a step gives arrays that are not finite ({self.tried[0][0]})"
            return f"{takes}and a step changes {why} of the arrays that it is handed ({self.tried[0][0]})"
        if at == "result" and why.startswith("a gradient"):
            return f"{takes}and returns {why}"
        if at == "result":
            return f"{takes}and its forward returns None where its result should be (still to be written?)"
        others = len(self.tried) - 1
        more = f", and {others} other way{'s' * (others > 1)} failed too" if others else ""
        if others > MOST_WAYS:
            more = ", and every other way that was tried failed too"
        if at == "weights":
            return f"{takes}and keeps {why}" + (" after it was built" if why.startswith("no array") else "")
        if why.startswith("TypeError: it takes no ") and "(" not in why:  # said by us: the code did not raise
            return f"{takes}and {why.removeprefix('TypeError: it takes ')}"
        return f"{takes}and {self._step(at, why)} {_raised(why)}{more}"

    def _step(self, at: str, why: str) -> str:
        """Which step it was that raised."""
        if at == "build" or why.endswith(" while it was built"):
            return "its constructor"
        return "a step" if recipe(self.kind).role == "optimizer" else f"its {at}"


INDEX = re.compile("forward: IndexError")
MOST_WAYS = 20  # that are counted
OTHER_NAMES = "KeyError: 'W1'"  # what code of numbered names raises where it is handed others


def _raised(why: str) -> str:
    return (
        f"raised {why.removesuffix(' while it was built')}" if why else "gives no result of the right shape"
    )


def suggestion(kind: str) -> str:
    """An adapter of a few lines, to be filled in."""
    how = recipe(kind)
    weights = "".join(f"\n        layer.{name} = probe.args[{name!r}].copy()" for name in how.params)
    grads = ", ".join(f'"d{name}": layer.d{name}' for name in how.params)
    build = "    def build(self, factory, probe, copy=True):\n"
    lines = {
        "optimizer": f"{build}        return factory(...)  # probe.args: {', '.join(how.order)}\n"
        "    def update(self, optimizer, params, grads):  # dicts of arrays; params change in place\n"
        "        optimizer.update(params, grads)",
        "loss": f"{build}        return factory(...)\n"
        "    def forward(self, layer, probe): return layer.forward(probe.inputs['x'], probe.inputs['t'])\n"
        "    def backward(self, layer, probe): return layer.backward()  # dx",
        "function": f"    def forward(self, function, probe): return function(...)  # {how.out}",
        "layer": f"{build}        layer = factory(...){weights}\n"
        "        return layer\n"
        "    def forward(self, layer, probe): return layer.forward(probe.inputs['x'])\n"
        "    def backward(self, layer, probe): return layer.backward(probe.inputs['dout'])\n"
        f"    def state(self, layer, probe): return {{{grads}}}",
    }
    return f"from parity.adapters import BookAdapter\nclass Mine(BookAdapter):\n{lines[how.role]}"


class OneArray(BookAdapter):
    """An optimizer that knows one array: update(w, dw) -> w, or w changed in place."""

    def build(self, factory: Any, probe: Probe, copy: bool = True) -> Any:
        return {name: super(OneArray, self).build(factory, probe, copy) for name in probe.inputs["params"]}

    def update(self, optimizer: Any, params: dict[str, Any], grads: dict[str, Any]) -> None:
        for name, w in params.items():
            new = optimizer[name].update(w, grads[name])
            w[...] = w if new is None else new


class ChannelsLast(BookAdapter):
    """x, out, dout and dx are (N, H, W, C); W as in the book."""

    def forward(self, layer: Any, probe: Probe) -> Any:
        return _channels(super().forward(layer, _swapped(probe, "x", 1, -1)), -1, 1)

    def backward(self, layer: Any, probe: Probe) -> Any:
        return _channels(super().backward(layer, _swapped(probe, "dout", 1, -1)), -1, 1)


class Hwio(ChannelsLast):
    """Channels last, and W and dW are (FH, FW, C, FN)."""

    def build(self, factory: Any, probe: Probe, copy: bool = True) -> Any:
        return super().build(factory, replace(probe, args=_filters_last(probe.args)), copy)

    def change(self, layer: Any, probe: Probe, new: dict[str, Any]) -> list[str]:
        laid = _filters_last(probe.args)  # it was given copies, so that only what it shows can be changed
        names = [name for name in new if shown(layer, name, laid[name])]
        shows = _filters_last({name: new[name] for name in names})
        return super().change(layer, replace(probe, args=laid), shows)

    def state(self, layer: Any, probe: Probe) -> dict[str, Any]:
        return {
            k: _weights(v, "FN first") if k == "dW" else v for k, v in super().state(layer, probe).items()
        }


def _filters_last(args: dict[str, Any]) -> dict[str, Any]:
    return {k: _weights(v, "FN last") if k == "W" else v for k, v in args.items()}


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

    def misfit(self, factory: Any, how: Recipe) -> str:
        if inspect.isfunction(factory) and how.role != "function":
            return misfit(factory, how, ("x", "t") if how.role == "loss" else ("x",))
        return super().misfit(factory, how)

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
    "one_array": OneArray(),
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
