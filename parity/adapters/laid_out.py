"""Arrays in the shapes that an optimizer asks for: biases that are rows or columns, weights that are
(outputs, inputs), arrays that are flat; or their numbers, each by itself.

What an optimizer does to a number does not depend on where in its array it is, so an array may be given any
shape: each is one of a layer of its own, whose other array is nobody's. Needs NumPy alone.
"""

from __future__ import annotations

from typing import Any

import numpy as np

LAYOUTS = {
    "row": "biases are (1, n)",
    "turned": "weights are (outputs, inputs)",
    "column": "biases are (n, 1), weights (n, m)",
    "flat": "arrays are flat",
    "numbers": "one number at a time, an optimizer for each",
}
NUMBERS = "numbers"
OF_LAYERS = ("row", "turned", "column")
Arrays = dict[str, Any]


class Laid(dict[str, Any]):
    """Arrays by name, and which of them is the bias of which.

    pairs  (weight, bias) of each layer
    """

    def __init__(self, arrays: Arrays, pairs: list[tuple[str, str]]):
        super().__init__(arrays)
        self.pairs = pairs


def laid_out(layout: str, arrays: Arrays, partners: Arrays) -> Laid:
    """Views of these arrays in that layout; `partners` keeps those that are nobody's, 0 at first."""
    if layout == NUMBERS:
        numbers = {
            f"{name}[{at}]": array.reshape(-1)[at : at + 1].reshape(())
            for name, array in arrays.items()
            for at in range(array.size)
        }
        return Laid(numbers, [(name, "") for name in numbers])
    found: Arrays = {}
    pairs = []
    for name, array in arrays.items():
        if layout == "flat":
            found[name] = array.reshape(-1)
            pairs.append((name, ""))
            continue
        bias = array.ndim == 1
        rows, columns = (array.size, 1) if bias else (array.shape[0], array.size // array.shape[0])
        if layout == "row":
            rows, columns = (1, array.size) if bias else (rows, columns)
        of_bias = {"row": (1, columns), "turned": (rows,), "column": (rows, 1)}[layout]
        shapes = {"W": (rows, columns), "b": of_bias}
        own, other = ("b", "W") if bias else ("W", "b")
        partner = f"{name} {other}"
        found[name] = array.reshape(shapes[own])
        found[partner] = partners.setdefault(partner, np.zeros(shapes[other], array.dtype))
        pairs.append((partner, name) if bias else (name, partner))
    return Laid(found, pairs)
