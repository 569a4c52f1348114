"""The activations that came after the book's, from LeakyReLU, whose negative side has a constant, to GELU."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

import scratchcnn as sc
from parity.kinds.activations import LARGE, elementwise, timed
from parity.kinds.kind import LAYER, Operation, Options
from parity.kinds.probe import Probe, Rng, integers, needs, normal
from parity.kinds.shapes import IMAGES, of_shapes
from parity.kinds.torch_when_used import F, torch

if TYPE_CHECKING:
    from torch import Tensor


# -- PyTorch's functions ---------------------------------------------------------------------------
def leaky_relu(a: dict[str, Tensor], o: Options) -> Tensor:
    return F.leaky_relu(a["x"], float(o.get("negative_slope", 0.01)))


def elu(a: dict[str, Tensor], o: Options) -> Tensor:
    return F.elu(a["x"], float(o.get("alpha", 1.0)))


def selu(a: dict[str, Tensor], o: Options) -> Tensor:
    return F.selu(a["x"])


def softplus(a: dict[str, Tensor], o: Options) -> Tensor:
    """Without PyTorch's threshold, above which it returns x: log(1 + exp(20)) is 2e-9 more than 20."""
    return torch.logaddexp(a["x"], torch.zeros_like(a["x"]))


def gelu(a: dict[str, Tensor], o: Options) -> Tensor:
    return F.gelu(a["x"], approximate=o.get("approximate", "none"))


def relu6(a: dict[str, Tensor], o: Options) -> Tensor:
    return F.relu6(a["x"])


def softsign(a: dict[str, Tensor], o: Options) -> Tensor:
    return F.softsign(a["x"])


def identity(a: dict[str, Tensor], o: Options) -> Tensor:
    return a["x"] * 1


def rounded_at_one(probe: Probe) -> dict[str, float]:
    """exp(x) - 1 is rounded as 1 is, also where x is far smaller."""
    return {"out": float(np.abs(probe.inputs["x"]).max(initial=1.0))}


# -- inputs to try ---------------------------------------------------------------------------------
def tried_with(kind: str, name: str = "", *values: Any) -> Callable[[Rng], Iterator[Probe]]:
    """The inputs of every elementwise function, zeros among them, and some with other constants."""

    def build(rng: Rng) -> Iterator[Probe]:
        for probe in elementwise(kind, kinks=True)(rng):
            if probe.id == LARGE:
                probe.inputs["x"][0, 1:3] = 800, -800  # exp(800) is infinite
            yield probe
        for value in values:
            asked = needs(**{name: True})
            yield Probe(kind, f"{name} {value}", {name: value}, {"x": normal(rng, 3, 4)}, asked)
        if kind == "relu6":
            yield Probe(kind, "at and above 6", {}, {"x": integers(rng, 4, 9, 4, 5)})

    return build


# -- kinds -----------------------------------------------------------------------------------------
def _activation(name: str, formula: Any, ours: Any, **fields: Any) -> Operation:
    """What these kinds have in common."""
    real = of_shapes(name, *IMAGES, asked=True)
    return Operation(name=name, formula=formula, ours=ours, real=real, timed=timed, **fields)


LEAKY_RELU = _activation(
    "leaky_relu",
    leaky_relu,
    sc.LeakyRelu,
    probes=tried_with("leaky_relu", "negative_slope", 0.2, 0.75),
    call=f"cls(negative_slope=0.01){LAYER}",
    aliases=("lrelu", "leakyrelulayer", "leakyrectifier", "leakyrectifiedlinear", "leakyrectifiedlinearunit"),
    optional={"negative_slope": 0.01},
    kinks=(0.0,),
)
ELU = _activation(
    "elu",
    elu,
    sc.ELU,
    probes=tried_with("elu", "alpha", 0.5, 1.75),
    sizes=rounded_at_one,
    call=f"cls(alpha=1.0){LAYER}",
    aliases=("elulayer", "exponentiallinearunit", "exponentiallinear"),
    optional={"alpha": 1.0},
    kinks=(0.0,),
)
SELU = _activation(
    "selu",
    selu,
    sc.SELU,
    probes=tried_with("selu"),
    sizes=rounded_at_one,
    call=f"cls(){LAYER}",
    aliases=("selulayer", "scaledexponentiallinearunit", "scaledelu"),
    kinks=(0.0,),
)
SOFTPLUS = _activation(
    "softplus",
    softplus,
    sc.Softplus,
    probes=tried_with("softplus"),
    call=f"cls(){LAYER}",
    aliases=("softpluslayer", "smoothrelu", "softrelu"),
)
GELU = _activation(
    "gelu",
    gelu,
    sc.GELU,
    probes=tried_with("gelu", "approximate", "tanh"),
    call=f"cls(approximate='none'){LAYER}",
    aliases=("gelulayer", "gaussianerrorlinearunit", "gelutanh", "newgelu", "geluactivation", "fastgelu"),
    optional={"approximate": "none"},
)
RELU6 = _activation(
    "relu6",
    relu6,
    sc.Relu6,
    probes=tried_with("relu6"),
    call=f"cls(){LAYER}",
    aliases=("relu6layer",),
    kinks=(0.0, 6.0),
)
SOFTSIGN = _activation(
    "softsign",
    softsign,
    sc.Softsign,
    probes=tried_with("softsign"),
    call=f"cls(){LAYER}",
    aliases=("softsignlayer",),
)
IDENTITY = _activation(
    "identity",
    identity,
    sc.Identity,
    probes=tried_with("identity"),
    call=f"cls(){LAYER}",
    aliases=("identitylayer", "linearactivation", "noactivation"),
)

KINDS = (LEAKY_RELU, ELU, SELU, SOFTPLUS, GELU, RELU6, SOFTSIGN, IDENTITY)
