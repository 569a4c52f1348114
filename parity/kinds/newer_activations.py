"""The activations that came after the book's, from LeakyReLU, whose negative side has a constant, to GELU."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

import scratchcnn as sc
from parity.kinds.activations import LARGE, elementwise, timed
from parity.kinds.kind import LAYER, Operation, Options
from parity.kinds.probe import Array, Probe, Rng, integers, needs, normal
from parity.kinds.shapes import IMAGES, of_shapes
from parity.kinds.torch_when_used import F, torch

if TYPE_CHECKING:
    from torch import Tensor

Inputs = Callable[[Rng], dict[str, Array]]  # further x by name


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


def step_function(a: dict[str, Tensor], o: Options) -> Tensor:
    """Of which autograd knows no derivative: it is 0."""
    x = a["x"]
    return torch.heaviside(x.detach(), x.new_tensor(float(o.get("at_zero", 0.0)))) + 0 * x


def identity(a: dict[str, Tensor], o: Options) -> Tensor:
    return a["x"] * 1


def rounded_at_one(probe: Probe) -> dict[str, float]:
    """exp(x) - 1 is rounded as 1 is, also where x is far smaller."""
    return {"out": float(np.abs(probe.inputs["x"]).max(initial=1.0))}


# -- inputs to try ---------------------------------------------------------------------------------
def tried_with(
    kind: str, constant: str, values: tuple[Any, ...], more: Inputs
) -> Callable[[Rng], Iterator[Probe]]:
    """The inputs of every elementwise function, zeros among them, some with other constants, and more."""

    def build(rng: Rng) -> Iterator[Probe]:
        for probe in elementwise(kind, kinks=True)(rng):
            if probe.id == LARGE:
                probe.inputs["x"][0, 1:3] = 800, -800  # exp(800) is infinite
            yield probe
        for value in values:
            asked = needs(**{constant: True})
            x = normal(rng, 3, 4)
            x[1, 2] = 0  # the slope there is the constant's too
            yield Probe(kind, f"{constant} {value}", {constant: value}, {"x": x}, asked)
        for name, x in more(rng).items():
            yield Probe(kind, name, {}, {"x": x})

    return build


# -- kinds -----------------------------------------------------------------------------------------
def _activation(
    formula: Any,
    ours: Any,
    aliases: tuple[str, ...],
    more: Inputs = lambda rng: {},
    sizes: Callable[[Probe], dict[str, float]] | None = None,
    zero: tuple[str, ...] = (),
    **constant: tuple[Any, ...],
) -> Operation:
    """A kind of the formula's name. `constant` is the argument that it has, if any: its default, and the
    other values that are tried."""
    name = formula.__name__
    argument, (default, *others) = next(iter(constant.items()), ("", ("",)))
    return Operation(
        name=name,
        formula=formula,
        ours=ours,
        probes=tried_with(name, argument, tuple(others), more),
        real=of_shapes(name, *IMAGES, asked=True),
        timed=timed,
        call=f"cls({f'{argument}={default!r}' if argument else ''}){LAYER}",
        aliases=aliases,
        optional={argument: default} if argument else {},
        sizes=sizes,
        zero=zero,
    )


KINDS = (
    _activation(
        leaky_relu,
        sc.LeakyRelu,
        ("lrelu", "leakyrelulayer", "leakyrectifier", "leakyrectifiedlinear", "leakyrectifiedlinearunit"),
        negative_slope=(0.01, 0.2, 0.75),
    ),
    _activation(
        elu,
        sc.ELU,
        ("elulayer", "exponentiallinearunit", "exponentiallinear"),
        sizes=rounded_at_one,
        alpha=(1.0, 0.5, 1.75),
    ),
    _activation(
        selu,
        sc.SELU,
        ("selulayer", "scaledexponentiallinearunit", "scaledelu"),
        sizes=rounded_at_one,
    ),
    _activation(softplus, sc.Softplus, ("softpluslayer", "smoothrelu", "softrelu")),
    _activation(
        gelu,
        sc.GELU,
        ("gelulayer", "gaussianerrorlinearunit", "gelutanh", "newgelu", "geluactivation", "fastgelu"),
        approximate=("none", "tanh"),
    ),
    _activation(
        relu6,
        sc.Relu6,
        ("relu6layer",),
        more=lambda rng: {"at and above 6": integers(rng, 4, 9, 4, 5)},
    ),
    _activation(softsign, sc.Softsign, ("softsignlayer",)),
    _activation(
        step_function,
        sc.Step,
        (
            *("binarystep", "binarystepfunction", "binarystepactivation", "heaviside", "heavisidestep"),
            *("heavisidefunction", "heavisidestepfunction", "unitstep", "unitstepfunction", "stepfunc"),
            *("stepactivation", "stepactivationfunction", "stepfn", "steplayer", "stepfunctionlayer"),
            *("hardlimit", "hardlim", "hardlimiter"),
        ),
        zero=("dx",),
    ),
    _activation(identity, sc.Identity, ("identitylayer", "linearactivation", "noactivation")),
)
