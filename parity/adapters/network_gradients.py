"""Which gradient is which parameter's: by name where it has one, else by shape, else by order.

Needs NumPy alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from parity.adapters.network_arrays import Place, inside, key_of, taken
from parity.adapters.network_words import base_of, is_gradient

Arrays = dict[Place, Any]


def of_returned(result: Any, names: Sequence[str], params: Mapping[Place, Any]) -> Arrays:
    """The gradients in what a method returned, whose parts have these names in its source."""
    parts = result if isinstance(result, (tuple, list)) and len(result) == len(names) > 1 else [result]
    named = dict(zip(names, parts, strict=True)) if len(parts) == len(names) and all(names) else {}
    if len(named) < len(parts):
        named = {f"{i}": part for i, part in enumerate(parts)} if len(parts) > 1 else {"": result}
    leaves: list[tuple[Place, Any]] = []
    for name, part in named.items():
        if isinstance(part, (np.ndarray, np.generic, float)):
            leaves.append(((name,), part))
        else:
            leaves += [((name, *place), value) for place, value in inside(part)]
    return matched(leaves, params)


def of_attributes(network: Any, params: Mapping[Place, Any]) -> Arrays:
    """The gradients among its attributes: those whose names say that they are."""
    leaves = [
        (place, value)
        for place, value in inside(network)
        if place not in params and any(isinstance(step, str) and is_gradient(step) for step in place)
    ]
    return matched(leaves, params, beside=True)


def of_changes(network: Any, params: Mapping[Place, Any], rate: float) -> Arrays:
    """What its step took away from each parameter, divided by the rate; nothing where none has changed."""
    found: Arrays = {}
    for place, before in params.items():
        after = np.asarray(taken(network, place), np.float64)
        before = np.asarray(before, np.float64)
        if after.shape != before.shape and before.ndim == 0:
            found[place] = (before - after) / rate
        elif after.shape != before.shape:
            found[place] = after
        else:
            found[place] = (before - after) / rate
    return found if any(np.any(change) for change in found.values()) else {}


def matched(leaves: Sequence[tuple[Place, Any]], params: Mapping[Place, Any], beside: bool = False) -> Arrays:
    """Parameter -> gradient. One that has the name and not the shape counts, where no other has both.

    `beside`: gradients lie beside their parameters, in the same layer.
    """
    left = [(place, np.asarray(value)) for place, value in leaves if np.ndim(value) <= 4]
    found: Arrays = {}
    for same_shape in (True, False):
        for one in ("owner", "key", "shape"):
            for place, value in params.items():
                if place in found:
                    continue
                shape = np.shape(value)
                fits = [
                    leaf
                    for leaf in left
                    if (
                        (shape_fits(leaf[1].shape, shape) and bool(leaf[1].shape or not shape))
                        or not same_shape
                    )
                    and _is(one, leaf[0], place, beside)
                ]
                if one == "shape":
                    same = [p for p, v in params.items() if p not in found and np.shape(v) == shape]
                    fits = fits if same_shape and len(same) == 1 else []
                if len(fits) == 1:
                    found[place] = fits[0][1]
                    left = [leaf for leaf in left if leaf[0] != fits[0][0]]
        if same_shape and not found and len(left) == len(params):
            pairs = list(zip(params, left, strict=True))
            if all(np.shape(params[p]) == leaf[1].shape for p, leaf in pairs):
                return {p: leaf[1] for p, leaf in pairs}
    return found


def shape_fits(found: tuple[int, ...], asked: tuple[int, ...]) -> bool:
    """Whether a gradient of that shape is one of the parameter: a step takes it away without another shape,
    as (5,) of (1, 5); a single number may stand in a row of one."""
    if found == asked or (asked == () and found in ((1,), (1, 1))):
        return True
    return len(found) < len(asked) and (1,) * (len(asked) - len(found)) + found == asked


def _is(how: str, leaf: Place, place: Place, beside: bool) -> bool:
    if how == "shape":
        return not beside
    if how == "owner":
        return beside and leaf[:-1] == place[:-1] and _same(leaf[-1], place[-1])
    return key_of(leaf) == key_of(place)


def _same(one: str | int, other: str | int) -> bool:
    if isinstance(one, int) or isinstance(other, int):
        return one == other
    return base_of(one) == base_of(other)
