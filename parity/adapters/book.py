"""How an implementation is built and called for a probe: what an adapter does, and the book's own way.

    convolution   cls(W, b, stride=1, pad=0), forward(x), backward(dout) -> dx, then .dW and .db
    pooling       cls(pool_h, pool_w, stride=1, pad=0)
    affine        cls(W, b)                     relu, sigmoid, tanh, softmax   cls()
    loss          cls(), forward(x, t) -> loss, backward(dout=1) -> dx
    ...

`parity kinds` lists them all. `BookAdapter` calls any class written so; one written in another way needs
another adapter, with the same methods. Needs NumPy alone: the process that runs foreign code has neither
PyTorch nor our other modules.
"""

from __future__ import annotations

import functools
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.adapters.arguments import call, misfit, parameters, plain, signature
from parity.adapters.loose_names import kwargs_read
from parity.adapters.masks import as_if_drawn
from parity.adapters.own_weights import change
from parity.adapters.rates import rates, set_rate
from parity.adapters.recipe import Recipe, recipe
from parity.adapters.training_flag import INFERS, TRAINS
from parity.kinds.probe import Probe, function
from parity.kinds.spelling import spelled

COTANGENTS = ("dout", "dloss", "dl", "grad", "gradient", "gradoutput", "gradout", "upstream", "g", "d")


class Adapter(ABC):
    """How implementations of one style are built and called; a style of your own is a subclass.

    A probe has `kind`, `args` (what the constructor or function gets), and `inputs` (what the calls get).
    `backward_too` is False where there are no gradients to look at.
    """

    backward_too = True

    @abstractmethod
    def build(self, factory: Any, probe: Probe, copy: bool = True) -> Any:
        """The object for this probe, on copies of its parameters unless a write into them is to be seen."""

    @abstractmethod
    def forward(self, layer: Any, probe: Probe) -> Any:
        """The result of the call: out, col, img or the loss."""

    @abstractmethod
    def backward(self, layer: Any, probe: Probe) -> Any:
        """dx, for the cotangent `probe.inputs["dout"]` (a loss has none)."""

    @abstractmethod
    def state(self, layer: Any, probe: Probe) -> dict[str, Any]:
        """What the calls left: gradients as dW, db, ...; running statistics under their names."""

    def parameters(self, factory: Any) -> list[str] | None:
        """The names of what the implementation takes, in order; None when they cannot be known."""
        return parameters(factory)

    def misfit(self, factory: Any, how: Recipe) -> str:
        """Why it cannot be called this way, as far as its signature shows; nothing if it can."""
        return ""

    def infer(self, layer: Any) -> None:
        """Switch to inference."""
        raise NotImplementedError(f"{type(self).__name__} has no infer(layer)")

    def learn(self, layer: Any) -> None:
        """Undo `infer`."""
        raise NotImplementedError(f"{type(self).__name__} has no learn(layer)")

    def draw(self, layer: Any, x: NDArray[Any]) -> Any:
        """The output of a dropout layer that draws its mask itself; None where an adapter cannot say."""
        return None

    def backward_of(self, layer: Any, probe: Probe, dout: float) -> Any:
        """dx of a loss for that dout; None where its backward takes none."""
        return None

    def used_twice(self, layer: Any, probe: Probe) -> dict[str, Any]:
        """Of an autograd engine: the gradients of expressions in which x is used twice, `x + x`, as text.

        The cotangent of `out` is the input dout, that of others the input "slope".
        """
        of_number = getattr(type(layer), "used_twice", None)
        return {} if of_number is None else dict(of_number(layer, probe.inputs["x"]))

    def change(self, layer: Any, probe: Probe, new: dict[str, NDArray[Any]]) -> list[str]:
        """Write other weights over those of the layer, as an optimizer does; the names of those that it can.

        The layer was built on the probe's own arrays.
        """
        return []

    def train(self, layer: Any, probe: Probe) -> dict[str, Any]:
        """The weights after a forward and a backward that change them; none where backward leaves them."""
        return {}

    def rates(self, optimizer: Any, value: float) -> list[str]:
        """The names under which an optimizer shows its learning rate, which is `value`."""
        return rates(optimizer, value)

    def set_rate(self, optimizer: Any, old: float, new: float, at: str = "") -> bool:
        """Set its learning rate, which was `old`, as a schedule does, everywhere or under one name alone;
        whether it shows one."""
        return set_rate(optimizer, old, new, at)

    def update(self, optimizer: Any, params: dict[str, NDArray[Any]], grads: dict[str, NDArray[Any]]) -> None:
        """One step of an optimizer: the arrays of params are changed in place."""
        optimizer.update(params, grads)

    def results(self, layer: Any, probe: Probe) -> dict[str, Any]:
        """Every result of one forward and one backward, under the kind's names."""
        found = self.attempt(layer, probe)
        for value in found.values():
            if isinstance(value, Exception):
                raise value
        return found

    def attempt(
        self, layer: Any, probe: Probe, taken: Callable[[Any], Any] = lambda result: result
    ) -> dict[str, Any]:
        """As `results`, but where backward or state raises, the exception stands for what it would give.

        `taken` is called with the result of forward before backward may write into it.
        """
        how = recipe(probe.kind)
        if how.role == "optimizer":
            params = {name: p.copy() for name, p in probe.inputs["params"].items()}
            steps = [{name: g.copy() for name, g in grads.items()} for grads in probe.inputs["grads"]]
            return self.steps(layer, params, steps)
        found = {how.out: taken(self.forward(layer, probe))}
        if how.role == "function":
            return found
        rest = [*(f"d{name}" for name in how.params if probe.args.get(name) is not None), *how.buffers]
        try:
            found["dx"] = self.backward(layer, probe)
            return found | self.state(layer, probe)
        except Exception as error:
            failed = dict.fromkeys(rest if "dx" in found else ["dx", *rest], error)
            return found | failed | self._attributes(layer, probe)

    def _attributes(self, layer: Any, probe: Probe) -> dict[str, Any]:
        """What forward left, after backward raised: its own error is not to be reported as that one."""
        try:
            names, left = recipe(probe.kind).buffers, self.state(layer, probe)
        except Exception:
            return {}
        return {name: left[name] for name in names if name in left}

    def steps(
        self, optimizer: Any, params: dict[str, NDArray[Any]], steps: Sequence[dict[str, NDArray[Any]]]
    ) -> dict[str, Any]:
        """The parameters after each update, as `W step 1`, `b step 1`, ..."""
        found: dict[str, Any] = {}
        for step, grads in enumerate(steps, start=1):
            self.update(optimizer, params, grads)
            found |= {f"{name} step {step}": np.array(p) for name, p in params.items()}
        return found


class BookAdapter(Adapter):
    """A class (or function) in the book's style, as listed above."""

    def misfit(self, factory: Any, how: Recipe) -> str:
        return misfit(factory, how) if self._builds_as_here else ""  # a build of their own may know how

    def build(self, factory: Callable[..., Any], probe: Probe, copy: bool = True) -> Any:
        how = recipe(probe.kind)
        if how.role == "function":
            return factory
        args = {k: v.copy() if copy and isinstance(v, np.ndarray) else v for k, v in probe.args.items()}
        training = args.pop("training", True)
        layer = call(factory, args, how)
        if not training:
            self.infer(layer)
        return layer

    def change(self, layer: Any, probe: Probe, new: dict[str, NDArray[Any]]) -> list[str]:
        if not self._builds_as_here:  # what a build of their own makes of the arrays is theirs to know
            return []
        return [name for name, array in new.items() if change(layer, name, probe.args[name], array)]

    @property
    def _builds_as_here(self) -> bool:
        return type(self).build.__module__.startswith("parity.adapters.")

    def infer(self, layer: Any) -> None:
        """Switch to inference, by `eval()` where there is one; else by the argument of forward, or the
        attribute, that says whether it trains, of which the book's train_flg is one."""
        if callable(getattr(layer, "eval", None)):
            layer.eval()
            return
        names = parameters(_forward(layer)) or kwargs_read(_forward(layer))
        given = next(({name: False} for name in TRAINS if name in names), None)
        given = given or next(({name: True} for name in INFERS if name in names), None)
        if not given and (own := _own_flag(layer)):
            setattr(layer, own, False)
        else:
            layer.forward = functools.partial(_forward(layer), **(given or {TRAINS[0]: False}))

    def learn(self, layer: Any) -> None:
        if callable(getattr(layer, "train", None)):
            layer.train()
        elif own := _own_flag(layer):
            setattr(layer, own, True)
        else:
            vars(layer).pop("forward", None)

    def forward(self, layer: Any, probe: Probe) -> Any:
        how = recipe(probe.kind)
        if how.role == "function":
            given = {**probe.inputs, **probe.args}
            return call(layer, given | {name: function(given[name]) for name in how.functions}, how)
        x = probe.inputs["x"]
        if how.role == "loss":
            loss = _forward(layer)(x, probe.inputs["t"])
            return np.asarray(loss, dtype=x.dtype) if type(loss) is float else loss
        if probe.kind == "dropout":
            if "mask" not in probe.inputs:
                self.infer(layer)
            elif hasattr(layer, "inject"):
                layer.inject(probe.inputs["mask"])
            else:
                return self.drop(layer, x, probe.inputs["mask"])
        return _forward(layer)(x)

    def drop(self, layer: Any, x: NDArray[Any], wanted: NDArray[Any]) -> NDArray[Any]:
        """The output of a dropout layer that draws its own `.mask`, as if it had drawn `wanted`.

        A layer that keeps a mask set before the call is done at once. Any other is called until each
        number was seen dropped or kept as wanted; then `wanted` is set for backward, in the mask's own
        dtype and scale.
        """
        layer.mask = wanted.copy()
        out = np.asarray(_forward(layer)(x))
        if getattr(layer, "mask", x) is None:  # the mask was used up
            return out
        if not isinstance(getattr(layer, "mask", None), np.ndarray) or out.shape != layer.mask.shape:
            raise AttributeError("expected the mask, of x's shape, in .mask after forward")
        found, scale = as_if_drawn(out, layer.mask, wanted, lambda: (_forward(layer)(x.copy()), layer.mask))
        layer.mask = np.where(wanted, scale, 0).astype(layer.mask.dtype)
        return found

    def draw(self, layer: Any, x: NDArray[Any]) -> Any:
        return _forward(layer)(x)

    def backward(self, layer: Any, probe: Probe) -> Any:
        loss = recipe(probe.kind).role == "loss"
        backward = _backward(layer)
        return backward() if loss else backward(probe.inputs["dout"])

    def backward_of(self, layer: Any, probe: Probe, dout: float) -> Any:
        takes = [name for name in signature(layer.backward) or () if plain(name) in COTANGENTS]
        return layer.backward(**{takes[0]: dout}) if takes else None

    def state(self, layer: Any, probe: Probe) -> dict[str, Any]:
        """What backward (or forward) left in attributes: .dW, .db, running statistics."""
        how = recipe(probe.kind)
        names = [*(f"d{name}" for name in how.params), *how.buffers]
        return {name: getattr(layer, name, None) for name in names}


def _own_flag(layer: Any) -> str:
    """The attribute in which it keeps whether it trains; none where `forward` takes it."""
    switched = "forward" in getattr(layer, "__dict__", {})
    return next((n for n in TRAINS if not switched and type(getattr(layer, n, None)) is bool), "")


def _backward(layer: Any) -> Callable[..., Any]:
    """Its backward, also under a misspelt name."""
    others = [] if hasattr(layer, "backward") else [n for n in dir(layer) if spelled(n) == "backward"]
    method: Callable[..., Any] = getattr(layer, others[0] if others else "backward")
    return method


def _forward(layer: Any) -> Callable[..., Any]:
    """Its forward, or the layer itself where that is called."""
    forward: Callable[..., Any] = (
        layer if not hasattr(layer, "forward") and callable(layer) else layer.forward
    )
    return forward


Book = BookAdapter  # the name that adapters of earlier versions were written with
