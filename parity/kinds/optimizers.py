"""The optimizers as kinds: a few steps on fixed gradients, against torch.optim.

One step shows the formula, the second how state is carried on, the later ones what bias correction and
accumulation do. Results are the parameters after each step: `W step 1`, `b step 1`, ...
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from parity.comparison.gates import UNIT, largest
from parity.kinds.kind import Probe, Tensors

STEPS = 5
Build = Callable[[list[torch.Tensor], dict[str, Any]], torch.optim.Optimizer]


def _common(o: dict[str, Any]) -> dict[str, Any]:
    """What the probe gives, PyTorch's default for the rest."""
    return {name: o[name] for name in ("lr", "weight_decay") if name in o}


def _sgd(nesterov: bool = False) -> Build:
    return lambda params, o: torch.optim.SGD(
        params, momentum=o.get("momentum", 0), nesterov=nesterov, **_common(o)
    )


def _betas(o: dict[str, Any]) -> tuple[float, float]:
    return o.get("beta1", 0.9), o.get("beta2", 0.999)


TORCH: dict[str, Build] = {
    "sgd": _sgd(),
    "momentum": _sgd(),
    "nesterov": _sgd(nesterov=True),
    "adagrad": lambda params, o: torch.optim.Adagrad(params, **_common(o)),
    "rmsprop": lambda params, o: torch.optim.RMSprop(params, alpha=o.get("decay_rate", 0.99), **_common(o)),
    "adam": lambda params, o: torch.optim.Adam(params, betas=_betas(o), **_common(o)),
    "adamw": lambda params, o: torch.optim.AdamW(params, betas=_betas(o), **_common(o)),
}


@dataclass(frozen=True)
class OptimizerKind:
    """A rule of torch.optim; the counterpart of `Kind` for `update(params, grads)`."""

    name: str
    out: str = "params"

    def reference(self, probe: Probe, dtype: Any = np.float64, device: str = "cpu") -> Tensors:
        probe = probe.cast(dtype)
        params = {k: torch.from_numpy(v).to(device) for k, v in probe.inputs["params"].items()}
        optimizer = TORCH[self.name](list(params.values()), probe.args)
        found: Tensors = {}
        for step, grads in enumerate(probe.inputs["grads"], start=1):
            for name, p in params.items():
                p.grad = torch.from_numpy(grads[name]).to(device)
            optimizer.step()
            found |= {f"{name} step {step}": p.detach().cpu().numpy().copy() for name, p in params.items()}
        return found

    def floors(self, probe: Probe, exact: Tensors, dtype: str = "float32") -> dict[str, float]:
        """Each step rounds once at the parameter's size, and the step itself a few times at its own."""
        first = {k: largest(v) for k, v in probe.inputs["params"].items()}
        return {
            name: math.sqrt(STEPS) * UNIT[dtype] * (largest(a) + first[name.split(" ")[0]])
            for name, a in exact.items()
        }


def run_optimizer(optimizer: Any, probe: Probe) -> Tensors:
    """The parameters after each step of any object with `update(params, grads)`."""
    params = {k: v.copy() for k, v in probe.inputs["params"].items()}
    found: Tensors = {}
    for step, grads in enumerate(probe.inputs["grads"], start=1):
        optimizer.update(params, {k: v.copy() for k, v in grads.items()})
        found |= {f"{name} step {step}": np.array(p) for name, p in params.items()}
    return found


def optimizer_probes(name: str) -> Callable[[np.random.Generator], Iterator[Probe]]:
    extra: dict[str, dict[str, float]] = {
        "momentum": {"momentum": 0.8},
        "nesterov": {"momentum": 0.8},
        "rmsprop": {"decay_rate": 0.9},
        "adam": {"beta1": 0.8, "beta2": 0.95},
    }
    own = extra.get("adam" if name == "adamw" else name, {})
    lr = 0.125 if name != "adamw" else 0.0625

    def build(rng: np.random.Generator) -> Iterator[Probe]:
        def values(scale: float = 1.0) -> dict[str, NDArray]:
            shapes = {"W": (2, 3), "V": (2, 3), "b": (3,)}  # two of one shape: each has a state of its own
            return {name: scale * rng.standard_normal(shape) for name, shape in shapes.items()}

        def probe(case: str, scale: float = 1.0, steps: int = STEPS, **args: float) -> Probe:
            grads = [values(scale) for _ in range(steps)]
            needs = frozenset({"weight_decay"} if args else set())
            return Probe(name, case, {"lr": lr, **own, **args}, {"params": values(), "grads": grads}, needs)

        yield probe("one step", steps=1)
        yield probe(f"{STEPS} steps")
        yield probe("gradients near epsilon", scale=2.0**-26)
        yield probe("large gradients", scale=2.0**10)
        still = probe("no gradient at some steps")
        for grads in still.inputs["grads"][1::2]:
            grads["W"][...] = 0
        yield still
        yield probe("weight decay", weight_decay=0.25)

    return build


OPTIMIZER_KINDS = {name: OptimizerKind(name) for name in TORCH}
