"""What a network is made of: a row a layer, with output shapes, parameters and multiplications."""

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
    """One layer as a batch of zeros meets it."""

    name: str  # its path from the network
    layer: str  # its repr
    output: tuple[int, ...]
    params: int  # trained numbers
    multiply_adds: int  # of its matrix products; elementwise work is not counted


def summarize(network: Network, batch_size: int = 1) -> list[LayerSummary]:
    """The layers in the order in which they run, those inside containers too, by one forward on zeros.

    Raises ValueError when batch_size is below 1.
    """
    if batch_size < 1:
        raise ValueError(f"batch_size must be at least 1, got {batch_size}")
    rows: list[LayerSummary] = []
    leaves = list(network.layers.leaves())
    for name, layer in leaves:
        vars(layer)["forward"] = _watched(name, layer, rows)
    try:
        network.predict(np.zeros((batch_size, *network.input_dim), network.dtype))
    finally:
        for _, layer in leaves:
            del vars(layer)["forward"]
    return rows


def _watched(name: str, layer: Layer, rows: list[LayerSummary]) -> Callable[[Array], Array]:
    """The layer's forward, which also adds its row."""
    run = layer.forward

    def forward(x: Array) -> Array:
        out = run(x)
        rows.append(LayerSummary(name, repr(layer), out.shape, layer.num_params, _multiply_adds(layer, out)))
        return out

    return forward


def _multiply_adds(layer: Layer, out: Array) -> int:
    """Every weight of a matrix or a filter is used once for each image and each output position."""
    W = layer.params.get("W", layer.buffers.get("W"))
    if W is None or W.ndim < 2:
        return 0
    biases = sum(p.size for key, p in layer.params.items() if key != "W")
    weights = layer.num_params - biases if "W" in layer.params else W.size  # without a table's gaps
    return weights * len(out) * math.prod(out.shape[2:])
