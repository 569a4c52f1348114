"""Arrays as the layers of small networks, for an optimizer that is built of the sizes of its layers.

What an optimizer does to a number does not depend on where in its array it is, so an array may be given any
shape. Needs NumPy alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np

Sizes = list[int]


def chains(params: dict[str, Any]) -> Iterator[tuple[str, Sizes, dict[str, str]]]:
    """The name of each network, the sizes of its layers, and which of its arrays are whose: `W1` -> name."""
    weights = [name for name, p in params.items() if p.ndim > 1]
    for first, second in zip(weights[::2], [*weights[1::2], ""], strict=False):
        own = {"W1": first, "W2": second} if second else {"W1": first}
        yield first, [params[first].size, 1, params[second].size if second else 1], own
    for name, p in params.items():
        if p.ndim <= 1:
            yield name, [1, p.size, 1], {"b1": name}


def zeros_of(sizes: Sizes) -> dict[str, Any]:
    """W1 (n1, n0), b1 (n1, 1), W2 (n2, n1), b2 (n2, 1), ..."""
    found: dict[str, Any] = {}
    for i, (before, after) in enumerate(pairwise(sizes), start=1):
        found |= {f"W{i}": np.zeros((after, before)), f"b{i}": np.zeros((after, 1))}
    return found
