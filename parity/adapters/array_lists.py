"""The arrays that an optimizer is given, as layers and as lists, and what became of them.

Needs NumPy alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from parity.adapters.laid_out import Laid
from parity.adapters.layers_given import nobodys


def are_like(found: Any, arrays: list[Any]) -> bool:
    return [np.shape(a) for a in found] == [np.shape(a) for a in arrays]


def in_layers(params: dict[str, Any]) -> list[tuple[str, str]]:
    """Each array of weights with a bias, as long as there are any; biases alone are weights."""
    if isinstance(params, Laid):
        return params.pairs
    biases = [name for name, p in params.items() if p.ndim == 1]
    weights = [name for name in params if name not in biases]
    if not weights:
        return [(name, "") for name in params]
    return [(name, biases[i] if i < len(biases) else "") for i, name in enumerate(weights)]


def attribute_of(optimizer: Any, arrays: list[Any]) -> str:
    """In which attribute it keeps these arrays; "" for none."""
    for name, value in vars(optimizer).items():
        if isinstance(value, (list, tuple)) and [*map(id, value)] == [*map(id, arrays)]:
            return str(name)
    return ""


def two_lists(arrays: dict[str, Any]) -> list[list[Any]]:
    """The weights and the biases, one of each per layer; a layer without a bias has one that is nobody's."""
    layers = in_layers(arrays)
    return [[arrays[w] for w, _ in layers], [arrays[b] if b else nobodys(arrays[w]) for w, b in layers]]


def from_two_lists(params: dict[str, Any], new: Sequence[Sequence[Any]]) -> None:
    for names, *arrays in zip(in_layers(params), *new, strict=True):
        for name, array in zip(names, arrays, strict=True):
            if name:
                taken_over({name: params[name]}, {name: array})


def both_like(found: Any, lists: Sequence[list[Any]]) -> bool:
    """Whether it is such two lists."""
    pair = isinstance(found, (list, tuple)) and len(found) == len(lists)
    return pair and all(
        isinstance(one, (list, tuple)) and are_like(one, own) for one, own in zip(found, lists, strict=True)
    )


def taken_over(arrays: dict[str, Any], new: dict[str, Any]) -> None:
    """New arrays are written into those that were handed over."""
    for name, array in arrays.items():
        if new[name] is not array:
            array[...] = new[name]
