"""Layer normalization, along the last axis and along several."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

import scratchcnn as sc
from parity.kinds.kind import LAYER, Operation, Options
from parity.kinds.probe import Array, Probe, Rng, needs, normal, quarters
from parity.kinds.torch_when_used import F

if TYPE_CHECKING:
    from torch import Tensor


# -- PyTorch's function ----------------------------------------------------------------------------
def layer_norm(a: dict[str, Tensor], o: Options) -> Tensor:
    """Over the axes of gamma; without one over those of normalized_shape, or over the last."""
    gamma, beta = a.get("gamma"), a.get("beta")
    shape = o.get("normalized_shape") or a["x"].shape[-1:]
    return F.layer_norm(a["x"], shape if gamma is None else gamma.shape, gamma, beta, o.get("eps", 1e-5))


def _sizes(probe: Probe) -> dict[str, float]:
    """out and dx go by sums over a row, one number after another where it is written as a loop.

    dx is a difference of terms as large as gamma / std * dout, and may be far smaller than they are. dgamma
    and dbeta are sums over the rows that may cancel; dgamma's terms are rounded as (x - mean) / std.
    """
    x, dout, args = probe.inputs["x"], np.abs(probe.inputs["dout"]), probe.args
    gamma, beta = args.get("gamma"), args.get("beta")
    shape = args.get("normalized_shape") or x.shape[-1:]
    last = len(shape) if gamma is None else gamma.ndim
    axes, rows = tuple(range(-last, 0)), tuple(range(x.ndim - last))
    mean = x.mean(axis=axes, keepdims=True, dtype=np.float64)
    std = np.sqrt(x.var(axis=axes, keepdims=True, dtype=np.float64) + args.get("eps", 1e-5))
    z, scale = (np.abs(x) + np.abs(mean)) / std, np.abs(1.0 if gamma is None else gamma)
    summed = float(np.sqrt(x.size / mean.size))
    found = {
        "out": summed * float((scale * z + np.abs(0.0 if beta is None else beta)).max()),
        "dx": summed * float((scale.max() / std).max() * dout.max()),
    }
    found |= {"dgamma": float((dout * z).sum(axis=rows).max())} if gamma is not None else {}
    return found | ({"dbeta": float(dout.sum(axis=rows).max())} if beta is not None else {})


# -- inputs to try ---------------------------------------------------------------------------------
def _scaled(draw: Any, rng: Rng, *shape: int) -> dict[str, Any]:
    return {"gamma": draw(rng, *shape), "beta": draw(rng, *shape)}


def _layer_norms(rng: Rng) -> Iterator[Probe]:
    for name, shape, shift, scale in (
        ("5x4", (5, 4), 1.0, 2.0),
        ("one row", (1, 5), 0.0, 1.0),
        ("as many rows as numbers", (3, 3), 0.5, 1.0),
        ("small values", (4, 3), 0.0, 2.0**-9),
        ("sequences", (2, 3, 4), 0.5, 1.0),
        ("as many steps as numbers", (2, 3, 3), 1.0, 2.0),
        ("one sequence", (1, 2, 5), 0.0, 1.0),
    ):
        x = normal(rng, *shape, scale=scale) + shift
        asked = needs(sequences=len(shape) > 2)
        yield Probe("layer_norm", name, _scaled(normal, rng, shape[-1]), {"x": x}, asked)
    x = normal(rng, 3, 4)
    x[1] = 0.75  # its mean and variance are exact
    yield Probe("layer_norm", "a row of equal numbers", _scaled(normal, rng, 4), {"x": x})


def _options(rng: Rng) -> Iterator[Probe]:
    def probe(name: str, x: Array, args: dict[str, Any], **asked: bool) -> Probe:
        return Probe("layer_norm_options", name, args, {"x": x}, needs(**asked))

    for shape in ((4, 3), (2, 3, 4)):
        x, D, kind = 2 * normal(rng, *shape) + 0.5, shape[-1], "rows" if len(shape) == 2 else "sequences"
        yield probe(f"{kind}", x, _scaled(normal, rng, D))
        yield probe(f"{kind}, no beta", x, {"gamma": normal(rng, D)})
        yield probe(f"{kind}, no gamma and beta", x, {})
        yield probe(f"{kind}, an eps of 1/8", x, {**_scaled(normal, rng, D), "eps": 0.125})
    cases: tuple[tuple[tuple[int, ...], int], ...] = (((2, 3, 4), 2), ((3, 2, 4, 5), 3), ((3, 2, 4, 5), 2))
    for sizes, axes in cases:
        x, last, name = 2 * normal(rng, *sizes) + 0.5, sizes[-axes:], f"the last {axes} of {len(sizes)} axes"
        yield probe(name, x, _scaled(normal, rng, *last))
        yield probe(f"{name}, no gamma and beta", x, {"normalized_shape": last, "eps": 1e-3})


def _real(rng: Rng) -> Iterator[Probe]:
    for shape in ((7, 100), (32, 256), (100, 8), (2, 4320), (1, 9, 768), (8, 13, 64), (32, 3, 128)):
        x = quarters(rng, *shape) + 0.5
        name, asked = "x".join(map(str, shape)), needs(sequences=len(shape) > 2)
        yield Probe("layer_norm", name, _scaled(quarters, rng, shape[-1]), {"x": x}, asked)


def _real_options(rng: Rng) -> Iterator[Probe]:
    cases: tuple[tuple[tuple[int, ...], int], ...] = (
        *(((7, 6, 28, 28), 3), ((32, 16, 10, 10), 3), ((2, 64, 28, 27), 3), ((100, 30, 12), 2)),
        ((4, 5, 300), 1),
    )
    for shape, last in cases:
        x, name = quarters(rng, *shape) + 0.5, f"{'x'.join(map(str, shape))}, {last} of them"
        yield Probe("layer_norm_options", name, _scaled(quarters, rng, *shape[-last:]), {"x": x})


def _timed(rng: Rng, N: int, side: int) -> tuple[dict[str, Any], dict[str, Any]]:
    return _scaled(normal, rng, 256), {"x": normal(rng, N, side, 256)}


# -- kinds -----------------------------------------------------------------------------------------
LAYER_NORM = Operation(
    name="layer_norm",
    formula=layer_norm,
    probes=_layer_norms,
    ours=sc.LayerNorm,
    sizes=_sizes,
    call=f"cls(gamma, beta){LAYER}; then .dgamma, .dbeta; x is (..., D), gamma and beta are (D,)",
    aliases=("layernormalization", "layernorm1d", "layernormalisation", "layernormalize", "lnorm"),
    order=("gamma", "beta"),
    optional={"gamma": None, "beta": None, "eps": 1e-5, "normalized_shape": None},
    params=("gamma", "beta"),
    real=_real,
    timed=_timed,
)
LAYER_NORM_OPTIONS = Operation(
    name="layer_norm_options",
    formula=layer_norm,
    probes=_options,
    ours=sc.LayerNorm,
    sizes=_sizes,
    call="cls(gamma=None, beta=None, eps=1e-5, normalized_shape=None); forward(x) -> out, backward(dout) -> "
    "dx; gamma's axes are the last ones of x",
    optional={"gamma": None, "beta": None, "eps": 1e-5, "normalized_shape": None},
    params=("gamma", "beta"),
    real=_real_options,
)

KINDS = (LAYER_NORM, LAYER_NORM_OPTIONS)
