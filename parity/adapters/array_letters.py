"""What code asks of the names of its arrays, as in `if "W" in key`: then they are called W1, W2 and b1.

Needs nothing but Python.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import CodeType
from typing import Any

from parity.adapters.code_objects import constants_in

WEIGHTS, BIASES = ("W", "w", "weight", "weights", "kernel"), ("b", "bias", "biases")


def letters_in(codes: Iterable[CodeType]) -> list[str]:
    """The names of weights and of biases that stand in code as texts."""
    found = {one for one in constants_in(codes) if isinstance(one, str)}
    return [word for word in (*WEIGHTS, *BIASES) if word in found]


def names_asked_for(letters: Sequence[str], arrays: Mapping[str, Any]) -> dict[str, str]:
    """What each array is called where code asks for these: weights `W1`, `W2`, biases `b1`."""
    stems = [next((word for word in words if word in letters), words[0]) for words in (WEIGHTS, BIASES)]
    numbers = [0, 0]
    found = {}
    for name, array in arrays.items():
        bias = array.ndim == 1
        numbers[bias] += 1
        found[name] = f"{stems[bias]}{numbers[bias]}"
    return found
