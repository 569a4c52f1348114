"""Affine, flatten before it, and radial basis functions: every output sees the whole row."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

import scratchcnn as sc
from parity.kinds.kind import LAYER, Operation, Options
from parity.kinds.probe import Probe, Rng, needs, normal, quarters
from parity.kinds.shapes import IMAGES, of_shapes
from parity.kinds.torch_when_used import F

if TYPE_CHECKING:
    from torch import Tensor


def affine(a: dict[str, Tensor], o: Options) -> Tensor:
    out = a["x"].flatten(1) @ a["W"]
    return out + a["b"] if "b" in a else out


def affine_last_axis(a: dict[str, Tensor], o: Options) -> Tensor:
    return F.linear(a["x"], a["W"].T, a.get("b"))


def flatten(a: dict[str, Tensor], o: Options) -> Tensor:
    return a["x"].flatten(1) * 1


def rbf(a: dict[str, Tensor], o: Options) -> Tensor:
    return ((a["x"][:, None] - a["W"]) ** 2).sum(2)


def _affines(rng: Rng) -> Iterator[Probe]:
    for name, shape, out in (
        ("one number", (1, 1), 1),
        ("3 to 2", (2, 3), 2),
        ("square W", (2, 3), 3),
        ("one image", (1, 4), 3),
        ("images", (2, 2, 3, 2), 4),
    ):
        size = int(np.prod(shape[1:]))
        args = {"W": normal(rng, size, out), "b": normal(rng, out)}
        yield Probe("affine", name, args, {"x": normal(rng, *shape)}, needs(images=len(shape) > 2))


def _last_axes(rng: Rng) -> Iterator[Probe]:
    for name, shape, out in (
        ("rows", (2, 3), 4),
        ("2x3 rows", (2, 3, 4), 3),
        ("as many rows as numbers", (2, 3, 3), 3),
        ("four axes", (2, 3, 2, 4), 5),
    ):
        args = {"W": normal(rng, shape[-1], out), "b": normal(rng, out)}
        yield Probe("affine_last_axis", name, args, {"x": normal(rng, *shape)}, needs(images=len(shape) > 2))
    W = normal(rng, 4, 3)
    yield Probe(
        "affine_last_axis", "no bias", {"W": W, "b": None}, {"x": normal(rng, 2, 3, 4)}, needs(no_bias=True)
    )


def _real_last_axes(rng: Rng) -> Iterator[Probe]:
    for shape, out in (
        ((3, 5, 13), 7),
        ((7, 4, 84), 10),
        ((32, 9, 64), 128),
        ((100, 2, 10), 5),
        ((2, 3, 4096), 16),
    ):
        args = {"W": quarters(rng, shape[-1], out), "b": quarters(rng, out)}
        name = f"{shape[-1]:,} to {out:,}, {shape[0]} x {shape[1]} rows"
        yield Probe("affine_last_axis", name, args, {"x": quarters(rng, *shape)}, needs(images=True))


def _flattens(rng: Rng) -> Iterator[Probe]:
    yield Probe("flatten", "images", {}, {"x": normal(rng, 2, 3, 4, 5)}, needs(images=True))
    yield Probe("flatten", "rows", {}, {"x": normal(rng, 3, 4)})


def _rbfs(rng: Rng) -> Iterator[Probe]:
    for name, shape, out in (("one code", (1, 2), 1), ("3 codes", (2, 4), 3)):
        yield Probe("rbf", name, {"W": np.sign(normal(rng, out, shape[1]))}, {"x": normal(rng, *shape)})
    code = np.sign(normal(rng, 1, 4))
    yield Probe("rbf", "near the code", {"W": code}, {"x": code + normal(rng, 2, 4, scale=2.0**-10)})


def _real_affines(rng: Rng) -> Iterator[Probe]:
    for shape, out in (
        ((3, 13), 7),
        ((7, 84), 10),
        ((100, 120), 84),
        ((32, 400), 120),
        ((2, 512), 1000),
        ((7, 16, 5, 5), 120),
        ((1, 9216), 64),
        ((1, 64), 4096),
        ((2, 25088), 16),
        ((100, 4320), 100),
    ):
        size = int(np.prod(shape[1:]))
        args = {"W": quarters(rng, size, out), "b": quarters(rng, out)}
        name = f"{size:,} to {out:,}, N={shape[0]}"
        yield Probe("affine", name, args, {"x": quarters(rng, *shape)}, needs(images=len(shape) > 2))


def _real_rbfs(rng: Rng) -> Iterator[Probe]:
    for N in (1, 7, 100):
        args = {"W": np.sign(normal(rng, 10, 84))}
        yield Probe("rbf", f"LeNet-5's output, N={N}", args, {"x": quarters(rng, N, 84)})


def _timed_affine(rng: Rng, N: int, side: int) -> tuple[dict[str, Any], dict[str, Any]]:
    return {"W": normal(rng, 1024, 1024, scale=0.03), "b": normal(rng, 1024)}, {"x": normal(rng, N, 1024)}


AFFINE = Operation(
    name="affine",
    formula=affine,
    probes=_affines,
    ours=sc.Affine,
    linear=True,
    call=f"cls(W, b){LAYER}; then .dW, .db; W is (in, out)",
    aliases=("linear", "dense", "fullyconnected", "fc", "linearlayer", "denselayer", "affinelayer"),
    order=("W", "b"),
    optional={"b": None},
    params=("W", "b"),
    real=_real_affines,
    timed=_timed_affine,
)
AFFINE_LAST_AXIS = Operation(
    name="affine_last_axis",
    formula=affine_last_axis,
    probes=_last_axes,
    ours=sc.Linear,
    linear=True,
    call=f"cls(W, b){LAYER}; then .dW, .db; x is (..., in), W is (in, out)",
    aliases=("linearlastaxis", "timedistributedlinear"),
    order=("W", "b"),
    optional={"b": None},
    params=("W", "b"),
    real=_real_last_axes,
)
FLATTEN = Operation(
    name="flatten",
    formula=flatten,
    probes=_flattens,
    ours=sc.Flatten,
    call=f"cls(){LAYER}; out is (N, C*H*W)",
    aliases=("flattenlayer", "flat", "flattening", "flatteninglayer"),
    real=of_shapes("flatten", *IMAGES, asked=True),
)
RBF = Operation(name="rbf", formula=rbf, probes=_rbfs, ours=sc.RBF, order=("W",), real=_real_rbfs)

KINDS = (AFFINE, AFFINE_LAST_AXIS, FLATTEN, RBF)
