"""Activations: one number in, one number out; and softmax, which sees a whole row."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

import scratchcnn as sc
from parity.kinds.kind import LAYER, Operation, Options
from parity.kinds.probe import Array, Probe, Rng, integers, needs, normal, quarters
from parity.kinds.shapes import IMAGES, ROWS, logits, of_shapes
from parity.kinds.torch_when_used import F, torch
from parity.kinds.windows import images

if TYPE_CHECKING:
    from torch import Tensor


# -- PyTorch's functions ---------------------------------------------------------------------------
def relu(a: dict[str, Tensor], o: Options) -> Tensor:
    return F.relu(a["x"])


def sigmoid(a: dict[str, Tensor], o: Options) -> Tensor:
    return torch.sigmoid(a["x"])


def tanh(a: dict[str, Tensor], o: Options) -> Tensor:
    amplitude, slope = float(o.get("amplitude", 1)), float(o.get("slope", 1))
    return amplitude * torch.tanh(slope * a["x"])


def tanh_sizes(probe: Probe) -> dict[str, float]:
    """tanh(x) as 2 * sigmoid(2 * x) - 1 is rounded as 1 is, also where it is far smaller."""
    return {"out": abs(float(probe.args.get("amplitude", 1)))}


def silu(a: dict[str, Tensor], o: Options) -> Tensor:
    return F.silu(a["x"])


def softmax(a: dict[str, Tensor], o: Options) -> Tensor:
    return F.softmax(a["x"], dim=o.get("axis", 1))


def softmax_sizes(probe: Probe) -> dict[str, float]:
    """dx = y * (dout - sum of dout * y): near a certain row its two terms cancel, and dx is far smaller.

    exp(x - logsumexp(x)), a right form as well, is rounded where x is: by u times the largest score.
    """
    axis, x = probe.args.get("axis", 1), probe.inputs["x"]
    y = sc.softmax(x, axis)
    dout, size = np.abs(probe.inputs["dout"]), max(1.0, float(np.abs(x).max(initial=0)))
    dx = y * (dout + (dout * y).sum(axis=axis, keepdims=True))
    return {"out": size * float(y.max(initial=0)), "dx": size * float(dx.max())}


# -- inputs to try ---------------------------------------------------------------------------------
LARGE = "large values of both signs"
TAILS = "tails of both signs"
# Up to 20, where PyTorch's Softplus becomes linear, float64 shows a cut; exp(4 * 20) is finite in float32.
TAIL = (3.25, 3.75, 4.25, 5.25, 6.25, 7.5, 8.75, 10.25, 12, 14, 16.5, 19.5)


def elementwise(kind: str, kinks: bool = False, **args: Any) -> Callable[[Rng], Iterator[Probe]]:
    """Inputs for a function of single numbers, images among them, whole ones if it has a kink at zero."""

    def build(rng: Rng) -> Iterator[Probe]:
        yield Probe(kind, "2x3", args, {"x": normal(rng, 2, 3)})
        yield Probe(kind, "images", args, {"x": normal(rng, 2, 3, 4, 5)}, needs(images=True))
        if kinks:
            yield Probe(kind, "zeros at the kink", args, {"x": integers(rng, -1, 2, 3, 4)})
        yield Probe(kind, "tiny values", args, {"x": normal(rng, 3, 4, scale=2.0**-20)})
        large = normal(rng, 3, 4, scale=1e3)
        large[0, 0] = 0.5  # where all saturate, dx is nothing but rounding
        yield Probe(kind, LARGE, args, {"x": large})
        yield Probe(kind, TAILS, args, {"x": tails()})

    return build


def tails() -> Array:
    """(5, 8): two rows of small numbers, for the scale of dx, and TAIL with both signs."""
    sizes = np.array((*np.arange(1, 9) / 8, *TAIL))
    return np.stack((sizes, -sizes), axis=1).reshape(5, 8)


def _tanhs(rng: Rng) -> Iterator[Probe]:
    yield from elementwise("tanh")(rng)
    lenet = {"amplitude": 1.7159, "slope": 2 / 3}
    yield Probe("tanh", "LeNet's amplitude and slope", lenet, {"x": normal(rng, 3, 4)}, needs(amplitude=True))


def _softmaxes(rng: Rng) -> Iterator[Probe]:
    for name, x in logits(rng):
        yield Probe("softmax", name, {}, {"x": x})


def _real_softmaxes(rng: Rng) -> Iterator[Probe]:
    for shape in ROWS:
        yield Probe("softmax", f"{shape[0]} rows of {shape[1]}", {}, {"x": quarters(rng, *shape)})


def timed(rng: Rng, N: int, side: int) -> tuple[dict[str, Any], dict[str, Any]]:
    return {}, images(rng, N, side)


# -- kinds -----------------------------------------------------------------------------------------
RELU = Operation(
    name="relu",
    formula=relu,
    probes=elementwise("relu", kinks=True),
    ours=sc.Relu,
    call=f"cls(){LAYER}",
    aliases=("relulayer", "rectifier"),
    real=of_shapes("relu", *IMAGES, asked=True),
    timed=timed,
)
SIGMOID = Operation(
    name="sigmoid",
    formula=sigmoid,
    probes=elementwise("sigmoid"),
    ours=sc.Sigmoid,
    call=f"cls(){LAYER}",
    aliases=("sigmoidlayer", "logistic", "logisticsigmoid", "sigmoide", "sigm"),
    real=of_shapes("sigmoid", *IMAGES, asked=True),
    timed=timed,
)
TANH = Operation(
    name="tanh",
    formula=tanh,
    probes=_tanhs,
    ours=sc.Tanh,
    sizes=tanh_sizes,
    call=f"cls(){LAYER}",
    aliases=("hyperbolictangent", "hyperbolictan", "tanhyperbolic", "tangenthyperbolic"),
    optional={"amplitude": 1.0, "slope": 1.0},
    real=of_shapes("tanh", *IMAGES, asked=True),
    timed=timed,
)
SILU = Operation(
    name="silu",
    formula=silu,
    probes=elementwise("silu"),
    ours=sc.SiLU,
    call=f"cls(){LAYER}",
    aliases=("swish", "silulayer"),
    real=of_shapes("silu", *IMAGES, asked=True),
    timed=timed,
)
SOFTMAX = Operation(
    name="softmax",
    formula=softmax,
    probes=_softmaxes,
    ours=sc.Softmax,
    sizes=softmax_sizes,
    call=f"cls(){LAYER}",
    optional={"axis": 1},
    real=_real_softmaxes,
)

KINDS = (RELU, SIGMOID, TANH, SILU, SOFTMAX)
