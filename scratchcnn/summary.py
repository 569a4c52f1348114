"""A network layer by layer: output shapes, parameters and multiply-adds."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from scratchcnn.layers import Layer
from scratchcnn.networks import Network
from scratchcnn.typing import Array

__all__ = ["LayerSummary", "summarize"]


class LayerSummary(NamedTuple):
    """One layer, and its output for a batch of zeros."""

    name: str  # its path in the network
    layer: str  # its repr
    output: tuple[int, ...]
    params: int  # number of trained parameters
    multiply_adds: int  # of its matrix products, without elementwise work


def summarize(network: Network, batch_size: int = 1) -> list[LayerSummary]:
    """One row per layer in the order in which they run, also within containers, by one forward on zeros.

    Raises ValueError if batch_size is below 1.
    """
    if batch_size < 1:
        raise ValueError(f"batch_size must be at least 1, got {batch_size}")
    rows: list[LayerSummary] = []
    leaves = list(network.layers.leaves())
    for name, layer in leaves:
        vars(layer)["forward"] = _recording(name, layer, rows)
    try:
        network.predict(np.zeros((batch_size, *network.input_dim), network.dtype))
    finally:
        for _, layer in leaves:
            del vars(layer)["forward"]
    return rows


def _recording(name: str, layer: Layer, rows: list[LayerSummary]) -> Callable[[Array], Array]:
    """The layer's forward, which also appends a row."""
    run = layer.forward

    def forward(x: Array) -> Array:
        out = run(x)
        rows.append(LayerSummary(name, repr(layer), out.shape, layer.num_params, _multiply_adds(layer, out)))
        return out

    return forward


def _multiply_adds(layer: Layer, out: Array) -> int:
    """Each weight of a matrix or a filter, without a table's gaps, is used per image and output position."""
    W = layer.params.get("W", layer.buffers.get("W"))
    if W is None or W.ndim < 2:
        return 0
    biases = sum(p.size for key, p in layer.params.items() if key != "W")
    weights = layer.num_params - biases if "W" in layer.params else W.size
    return weights * len(out) * math.prod(out.shape[2:])
