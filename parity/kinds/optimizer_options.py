"""The optimizers with PyTorch's options: maximize, dampening, amsgrad, centered, RMSProp's momentum."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import scratchcnn as sc
from parity.kinds.kind import UPDATE
from parity.kinds.optimizers import STEPS, OptimizerKind
from parity.kinds.probe import Array, Probe, Rng, quarters
from parity.kinds.torch_when_used import torch

if TYPE_CHECKING:
    from torch.optim import Optimizer

Given = dict[str, Any]
DEFAULTS: Given = {
    "weight_decay": 0.0,
    "maximize": False,
    "dampening": 0.0,
    "momentum": 0.0,
    "centered": False,
    "amsgrad": False,
}


# -- PyTorch's rules -------------------------------------------------------------------------------
def _options(o: Given, *names: str) -> Given:
    return {name: o.get(name, DEFAULTS[name]) for name in (*names, "weight_decay", "maximize")}


def _sgd(params: list[Any], o: Given) -> Optimizer:
    return torch.optim.SGD(params, o["lr"], **_options(o, "momentum", "dampening"))


def _rmsprop(params: list[Any], o: Given) -> Optimizer:
    return torch.optim.RMSprop(params, o["lr"], o["decay_rate"], **_options(o, "momentum", "centered"))


def _adam(params: list[Any], o: Given) -> Optimizer:
    return torch.optim.Adam(params, o["lr"], (o["beta1"], o["beta2"]), **_options(o, "amsgrad"))


# -- inputs to try ---------------------------------------------------------------------------------
def _steps_of(kind: str, always: Given, options: tuple[Given, ...]) -> Callable[[Rng], Iterator[Probe]]:
    """A few runs with each of the options: alone, with weight decay, uphill, on gradients near epsilon."""

    def build(rng: Rng) -> Iterator[Probe]:
        def values(scale: float = 1.0) -> dict[str, Array]:
            shapes = {"W": (2, 3), "V": (2, 3), "b": (3,)}
            return {name: scale * rng.standard_normal(shape) for name, shape in shapes.items()}

        def probe(case: str, own: Given, steps: int = STEPS, scale: float = 1.0, fade: float = 1.0) -> Probe:
            grads = [values(scale * fade**i) for i in range(steps)]
            asked = frozenset(name for name in own if own[name] != always.get(name))
            return Probe(kind, case, {**always, **own}, {"params": values(), "grads": grads}, asked)

        yield probe("one step", {}, steps=1)
        yield probe(f"{STEPS} steps", {})
        for own in options:
            name = " and ".join(f"{k} {v}" if isinstance(v, float) else k for k, v in own.items())
            yield probe(name, own)
            yield probe(f"{name}, weight decay", {**own, "weight_decay": 0.25})
            yield probe(f"{name}, shrinking gradients", own, fade=0.125)
            yield probe(f"{name}, gradients near epsilon", own, scale=2.0**-26)
        yield probe("maximize", {"maximize": True})
        yield probe("maximize, weight decay", {"maximize": True, "weight_decay": 0.25})
        yield probe("everything", {**options[-1], "maximize": True, "weight_decay": 0.25})

    return build


def _long_runs(kind: str, always: Given, own: Given) -> Callable[[Rng], Iterator[Probe]]:
    """Two hundred steps of small arrays, many arrays, and a few steps of large ones, with every option."""

    def build(rng: Rng) -> Iterator[Probe]:
        for name, shapes, steps in (
            ("200 steps", {"W": (3, 2), "b": (4,)}, 200),
            ("3 steps of 24 arrays", {f"W{i}": (3, 2) for i in range(1, 25)}, 3),
            ("2 steps of large arrays", {"W1": (96, 3, 11, 11), "W2": (256, 256, 3, 3), "b": (4096,)}, 2),
        ):
            params = {key: quarters(rng, *shape) for key, shape in shapes.items()}
            grads = [{key: quarters(rng, *shape) for key, shape in shapes.items()} for _ in range(steps)]
            args = {**always, **own, "maximize": True}
            yield Probe(kind, name, args, {"params": params, "grads": grads}, frozenset({*own, "maximize"}))

    return build


# -- kinds -----------------------------------------------------------------------------------------
def _kind(
    name: str, rule: Callable[..., Optimizer], ours: type, always: Given, options: tuple[Given, ...]
) -> OptimizerKind:
    """The kind of one rule; `always` is what every probe gives, `options` what some of them do."""
    of_its_own = {option: DEFAULTS[option] for own in options for option in own if option not in always}
    optional = {**of_its_own, "weight_decay": 0.0, "maximize": False}
    words = ", ".join([*always, *(f"{key}={value}" for key, value in optional.items())])
    return OptimizerKind(
        name=name,
        rule=rule,
        probes=_steps_of(name, always, options),
        real=_long_runs(name, always, options[-1]),
        ours=ours,
        role="optimizer",
        out="params",
        call=f"cls({words}){UPDATE}",
        order=tuple(always),
        optional=optional,
    )


KINDS = (
    _kind(
        "momentum_options",
        _sgd,
        sc.Momentum,
        {"lr": 0.125, "momentum": 0.75},
        ({"momentum": 0.0, "dampening": 0.25}, {"dampening": 0.25}),
    ),
    _kind(
        "rmsprop_options",
        _rmsprop,
        sc.RMSProp,
        {"lr": 0.125, "decay_rate": 0.875},
        ({"centered": True}, {"momentum": 0.75}, {"centered": True, "momentum": 0.5}),
    ),
    _kind(
        "adam_options",
        _adam,
        sc.Adam,
        {"lr": 0.125, "beta1": 0.75, "beta2": 0.875},
        ({"amsgrad": True},),
    ),
)
