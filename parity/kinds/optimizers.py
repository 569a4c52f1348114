"""The optimizers: a few steps on fixed gradients, against torch.optim.

One step shows the formula, the second how state is carried on, the later ones what bias correction and
accumulation do. Results are the parameters after each step: `W step 1`, `b step 1`, ...
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

import scratchcnn as sc
from parity.comparison.gates import UNIT, largest
from parity.kinds import numpy_reference
from parity.kinds.kind import UPDATE, Kind, to_numpy
from parity.kinds.probe import Array, Probe, Rng, Tensors, quarters
from parity.kinds.torch_when_used import torch

if TYPE_CHECKING:
    from torch.optim import Optimizer

STEPS = 5
EPSILON = 2.0**-26  # about 1e-8
Options = tuple[tuple[str, dict[str, float]], ...]
Build = Callable[[list[Any], dict[str, Any]], "Optimizer"]


@dataclass(frozen=True, kw_only=True, eq=False)
class OptimizerKind(Kind):
    """A rule of torch.optim, for `update(params, grads)`.

    rule  (parameters, arguments) -> the optimizer of PyTorch
    """

    rule: Build

    def reference(self, probe: Probe, dtype: Any = np.float64, device: str = "cpu") -> Tensors:
        if numpy_reference.judge() == "numpy":
            return numpy_reference.results(self, probe, dtype)
        probe = probe.cast(dtype)
        params = {k: torch.from_numpy(v).to(device) for k, v in probe.inputs["params"].items()}
        optimizer = self.rule(list(params.values()), probe.args)
        found: Tensors = {}
        for step, grads in enumerate(probe.inputs["grads"], start=1):
            for name, p in params.items():
                p.grad = torch.from_numpy(grads[name]).to(device)
            optimizer.step()
            found |= {f"{name} step {step}": to_numpy(p).copy() for name, p in params.items()}
        return found

    def floors(self, probe: Probe, exact: Tensors, dtype: str = "float32") -> dict[str, float]:
        """Each step rounds once at the parameter's size, and the step itself a few times at its own."""
        first = {k: largest(v) for k, v in probe.inputs["params"].items()}
        return {
            name: math.sqrt(STEPS) * UNIT[dtype] * (largest(a) + first[name.split(" ")[0]])
            for name, a in exact.items()
        }


# -- PyTorch's rules -------------------------------------------------------------------------------
def _common(o: dict[str, Any]) -> dict[str, Any]:
    """What the probe gives, PyTorch's default for the rest."""
    return {name: o[name] for name in ("lr", "weight_decay") if name in o}


def _betas(o: dict[str, Any]) -> tuple[float, float]:
    return o.get("beta1", 0.9), o.get("beta2", 0.999)


def _sgd(params: list[Any], o: dict[str, Any], nesterov: bool = False) -> Optimizer:
    return torch.optim.SGD(params, momentum=o.get("momentum", 0), nesterov=nesterov, **_common(o))


def _adagrad(params: list[Any], o: dict[str, Any]) -> Optimizer:
    return torch.optim.Adagrad(params, **_common(o))


def _rmsprop(params: list[Any], o: dict[str, Any]) -> Optimizer:
    return torch.optim.RMSprop(params, alpha=o.get("decay_rate", 0.99), **_common(o))


def _adadelta(params: list[Any], o: dict[str, Any]) -> Optimizer:
    return torch.optim.Adadelta(params, rho=o.get("decay_rate", 0.9), **_common(o))


def _adam(params: list[Any], o: dict[str, Any]) -> Optimizer:
    return torch.optim.Adam(params, betas=_betas(o), **_common(o))


def _adamw(params: list[Any], o: dict[str, Any]) -> Optimizer:
    return torch.optim.AdamW(params, betas=_betas(o), **_common(o))


def _adamax(params: list[Any], o: dict[str, Any]) -> Optimizer:
    return torch.optim.Adamax(params, betas=_betas(o), **_common(o))


def _nadam(params: list[Any], o: dict[str, Any]) -> Optimizer:
    """PyTorch's, with the product of the momenta in float64: its own is in float32, which shows."""
    optimizer = torch.optim.NAdam(
        params, betas=_betas(o), momentum_decay=o.get("momentum_decay", 0.004), **_common(o)
    )
    for p in params:
        optimizer.state[p] = {
            "step": torch.zeros((), dtype=torch.float64),
            "mu_product": torch.ones((), dtype=torch.float64),
            "exp_avg": torch.zeros_like(p),
            "exp_avg_sq": torch.zeros_like(p),
        }
    return optimizer


# -- inputs to try ---------------------------------------------------------------------------------
def steps_of(
    kind: str,
    lr: float = 0.125,
    near: float = EPSILON,
    start: float = 1.0,
    further: Options = (),
    **own: float,
) -> Callable[[Rng], Iterator[Probe]]:
    """A few runs of the optimizer with this rate and these constants of its own.

    `near` is the size of gradients beside which its eps is no little, `start` that of the parameters.
    `further` are arguments that an implementation may lack, with what a run is given for them.
    """

    def build(rng: Rng) -> Iterator[Probe]:
        def values(scale: float = 1.0) -> dict[str, Array]:
            shapes = {"W": (2, 3), "V": (2, 3), "b": (3,)}  # two of one shape: each has a state of its own
            return {name: scale * rng.standard_normal(shape) for name, shape in shapes.items()}

        def probe(
            case: str, scale: float = 1.0, steps: int = STEPS, args: Mapping[str, float] = NONE
        ) -> Probe:
            grads = [values(scale) for _ in range(steps)]
            inputs = {"params": values(start), "grads": grads}
            return Probe(kind, case, {"lr": lr, **own, **args}, inputs, frozenset(args))

        yield probe("one step", steps=1)
        yield probe(f"{STEPS} steps")
        yield probe("gradients near epsilon", scale=near)
        yield probe("large gradients", scale=2.0**10)
        still = probe("no gradient at some steps")
        for grads in still.inputs["grads"][1::2]:
            grads["W"][...] = 0
        yield still
        yield probe("weight decay", args={"weight_decay": 0.25})
        for case, args in further:
            yield probe(case, args=args)

    return build


def long_runs(kind: str, lr: float = 0.125, **own: float) -> Callable[[Rng], Iterator[Probe]]:
    """Two hundred steps of small arrays, as many arrays as a network has, a few of AlexNet's and ResNet's."""

    def build(rng: Rng) -> Iterator[Probe]:
        def probe(name: str, shapes: dict[str, tuple[int, ...]], steps: int) -> Probe:
            params = {key: quarters(rng, *shape) for key, shape in shapes.items()}
            grads = [{key: quarters(rng, *shape) for key, shape in shapes.items()} for _ in range(steps)]
            return Probe(kind, name, {"lr": lr, **own}, {"params": params, "grads": grads})

        yield probe("200 steps", {"W": (3, 2), "b": (4,)}, 200)
        yield probe("3 steps of 24 arrays", {f"W{i}": (3, 2) for i in range(1, 25)}, 3)
        large = {"W1": (96, 3, 11, 11), "W2": (256, 256, 3, 3), "b": (4096,)}
        yield probe("2 steps of large arrays", large, 2)

    return build


# -- kinds -----------------------------------------------------------------------------------------
NONE: Mapping[str, float] = MappingProxyType({})
ALIASES = {
    "sgd": ("gradientdescent", "stochasticgradientdescent", "gd"),
    "momentum": (
        "momentumsgd",
        "sgdmomentum",
        "sgdwithmomentum",
        "sgdm",
        "momentumgd",
        "gdmomentum",
        "momentgd",
        "msgd",
    ),
    "nesterov": (
        *("nag", "nesterovmomentum", "momentumnesterov", "nesterovsgd", "sgdnesterov", "sgdnesterovmomentum"),
        *("nesterovacceleratedgradient", "sgdwithnesterov", "nesterovmomentumsgd"),
        *("nagd", "nestrov", "nestrovmomentum", "nesterovaccelerated", "nesterovgradientdescent"),
    ),
}


def optimizer(
    name: str,
    rule: Build,
    ours: Callable[..., Any],
    constants: str = "",
    lr: float = 0.125,
    weight_decay: float = 0.0,
    near: float = EPSILON,
    start: float = 1.0,
    optional: Mapping[str, float] = NONE,
    further: Options = (),
    **own: float,
) -> OptimizerKind:
    """The kind of one rule; `constants` are its arguments after lr, `own` what the probes give for them.

    `weight_decay` is what holds where none is given, and so are the values of `optional`. `near`,
    `start` and `further` are those of `steps_of`.
    """
    call = f"cls(lr{constants}){UPDATE}"
    return OptimizerKind(
        name=name,
        rule=rule,
        probes=steps_of(name, lr, near, start, further, **own),
        real=long_runs(name, lr, **own),
        ours=ours,
        role="optimizer",
        out="params",
        call=call,
        order=("lr", *own),
        optional={**optional, "weight_decay": weight_decay},
        aliases=ALIASES.get(name, ()),
    )


KINDS = (
    optimizer("sgd", _sgd, sc.SGD),
    optimizer("momentum", _sgd, sc.Momentum, ", momentum", momentum=0.8),
    optimizer("nesterov", partial(_sgd, nesterov=True), sc.Nesterov, ", momentum", momentum=0.8),
    optimizer("adagrad", _adagrad, sc.AdaGrad),
    optimizer("rmsprop", _rmsprop, sc.RMSProp, ", decay_rate", decay_rate=0.9),
    optimizer(
        "adadelta",
        _adadelta,
        sc.Adadelta,
        ", decay_rate",
        lr=1.0,
        near=2.0**-10,  # the root of eps
        start=2.0**-10,  # as large as its steps
        optional={"lr": 1.0},  # the paper has none
        further=(("half the rate", {"lr": 0.5}),),
        decay_rate=0.8,
    ),
    optimizer("adam", _adam, sc.Adam, ", beta1, beta2", beta1=0.8, beta2=0.95),
    optimizer("adamw", _adamw, sc.AdamW, ", beta1, beta2", 0.0625, 0.01, beta1=0.8, beta2=0.95),
    optimizer("adamax", _adamax, sc.Adamax, ", beta1, beta2", beta1=0.8, beta2=0.75),
    optimizer(
        "nadam",
        _nadam,
        sc.NAdam,
        ", beta1, beta2",
        optional={"momentum_decay": 0.004},
        further=(("a momentum decay of 8", {"momentum_decay": 8.0}),),
        beta1=0.8,
        beta2=0.95,
    ),
)
