"""Softmax along any axis: of rows, of the channels of images, of their pixels, down the batch."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

import scratchcnn as sc
from parity.kinds.activations import softmax, softmax_sizes
from parity.kinds.kind import LAYER, Operation
from parity.kinds.probe import Array, Probe, Rng, needs, normal, quarters

NAME = "softmax_axis"


def _probe(name: str, x: Array, axis: int) -> Probe:
    asked = needs(images=x.ndim > 2, negative_axis=axis < 0)
    return Probe(NAME, f"{name}, axis {axis}", {"axis": axis}, {"x": x}, asked)


def _probes(rng: Rng) -> Iterator[Probe]:
    for shape, axes in (
        ((2, 3), (0, 1, -1, -2)),
        ((2, 3, 4), (0, 1, 2, -1, -2)),
        ((3, 3, 3), (0, 1, 2)),
        ((2, 3, 4, 5), (1, 2, 3, -1)),
        ((2, 1, 4), (1, 2)),
    ):
        for axis in axes:
            yield _probe("x".join(map(str, shape)), normal(rng, *shape), axis)
    yield _probe("equal numbers", np.zeros((2, 3, 4)), 2)
    for axis in (0, 1, 2):
        yield _probe("+-1e3", 1e3 * np.sign(normal(rng, 2, 3, 4)), axis)
        height = np.moveaxis(np.array([[[0.0, 900.0, -900.0]]]), 2, (axis + 1) % 3)
        yield _probe("columns far apart", normal(rng, 3, 3, 3) + height, axis)


def _real(rng: Rng) -> Iterator[Probe]:
    for shape, axis in (
        ((7, 10, 6), 2),
        ((32, 8, 14, 14), 1),
        ((3, 21, 28, 20), 1),
        ((2, 512, 3, 4), 3),
        ((100, 4, 6, 5), 2),
        ((1, 1000, 2, 2), 1),
        ((32, 9, 64), 1),
    ):
        yield _probe("x".join(map(str, shape)), quarters(rng, *shape), axis)


SOFTMAX_AXIS = Operation(
    name=NAME,
    formula=softmax,
    probes=_probes,
    ours=sc.Softmax,
    sizes=softmax_sizes,
    call=f"cls(axis){LAYER}; x has two to four axes, and axis may count from the last one, -1",
    aliases=("softmaxalongaxis", "softmaxoveraxis"),
    order=("axis",),
    real=_real,
)

KINDS = (SOFTMAX_AXIS,)
