"""The single layers that `parity time` can be asked for, at a size where time is spent in the layer.

Each is a probe of its kind (see parity.kinds.kind), shaped as in the middle of a small network; the
batch size is the command's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from parity.kinds.kind import Probe
from parity.kinds.probes import Rng, normal, with_cotangent

SIDE = 28  # height and width of the images, unless another is asked for


def _images(rng: Rng, N: int, side: int) -> dict[str, Any]:
    return {"x": normal(rng, N, 64, side, side)}


def _convolution(rng: Rng, N: int, side: int) -> tuple[dict[str, Any], dict[str, Any]]:
    args = {"W": normal(rng, 64, 64, 3, 3, scale=0.04), "b": normal(rng, 64), "pad": 1}
    return args, _images(rng, N, side)


def _affine(rng: Rng, N: int, side: int) -> tuple[dict[str, Any], dict[str, Any]]:
    return {"W": normal(rng, 1024, 1024, scale=0.03), "b": normal(rng, 1024)}, {"x": normal(rng, N, 1024)}


def _pooling(rng: Rng, N: int, side: int) -> tuple[dict[str, Any], dict[str, Any]]:
    return {"pool_h": 3, "pool_w": 3, "stride": 2}, _images(rng, N, side)


def _lrn(rng: Rng, N: int, side: int) -> tuple[dict[str, Any], dict[str, Any]]:
    return {"size": 5, "alpha": 1e-4, "beta": 0.75, "k": 2.0}, _images(rng, N, side)


def _batch_norm(rng: Rng, N: int, side: int) -> tuple[dict[str, Any], dict[str, Any]]:
    arrays = {"gamma": normal(rng, 64), "beta": normal(rng, 64)}
    return arrays | {"running_mean": np.zeros(64), "running_var": np.ones(64)}, _images(rng, N, side)


def _dropout(rng: Rng, N: int, side: int) -> tuple[dict[str, Any], dict[str, Any]]:
    images = _images(rng, N, side)
    return {"dropout_ratio": 0.5}, images | {"mask": rng.random(images["x"].shape) >= 0.5}


def _loss(rng: Rng, N: int, side: int) -> tuple[dict[str, Any], dict[str, Any]]:
    return {}, {"x": normal(rng, N, 1000), "t": rng.integers(0, 1000, N)}


def _plain(rng: Rng, N: int, side: int) -> tuple[dict[str, Any], dict[str, Any]]:
    return {}, _images(rng, N, side)


LAYERS: dict[str, Callable[[Rng, int, int], tuple[dict[str, Any], dict[str, Any]]]] = {
    "convolution": _convolution,
    "max_pooling": _pooling,
    "average_pooling": _pooling,
    "affine": _affine,
    "relu": _plain,
    "sigmoid": _plain,
    "tanh": _plain,
    "lrn": _lrn,
    "batch_norm": _batch_norm,
    "dropout": _dropout,
    "softmax_with_loss": _loss,
}


def layer_probe(kind: str, batch_size: int, seed: int, side: int = SIDE) -> Probe:
    """The probe of that kind. Raises ValueError naming the kinds that can be timed."""
    if kind not in LAYERS:
        raise ValueError(f"{kind} cannot be timed by itself; layers that can: {', '.join(LAYERS)}")
    args, inputs = LAYERS[kind](np.random.default_rng([seed, *kind.encode()]), batch_size, side)
    return with_cotangent(Probe(kind, f"{batch_size} images", args, inputs), seed)
