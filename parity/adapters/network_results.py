"""What a network's methods returned: the outputs of a forward, a loss alone or beside something else.

Needs NumPy alone.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from parity.adapters.arguments import plain
from parity.adapters.network_calls import Call, names_returned
from parity.adapters.network_lists import is_numbers
from parity.adapters.network_words import OUTS, is_loss

CACHES = ("cache", "caches", "memory", "store", "intermediates", "activations", "values", "cached", "saved")


def with_returned(forward: Call, network: Any, values: dict[str, Any]) -> dict[str, Any]:
    """The values, what forward gave under the names that it has there, and the output."""
    result = forward(network, values)
    names = names_returned(forward.of(network))
    parts = result if isinstance(result, tuple) else (result,)
    found = dict(values)
    if len(names) == len(parts):
        found |= {f"kept:{plain(name)}": part for name, part in zip(names, parts, strict=True) if name}
    held = [part for part in parts if isinstance(part, (dict, list, tuple))]
    if len(parts) > 1 and len(held) == 1:
        found |= {f"kept:{word}": held[0] for word in CACHES if f"kept:{word}" not in found}
    if (out := output_of(result, names, network)) is not None:
        found["out"] = result if is_numbers(result) else out
    return found


def output_of(result: Any, names: list[str], network: Any) -> Any:
    """The outputs among what a forward returned, or kept where it returned nothing."""
    if isinstance(result, np.ndarray):
        return result
    if is_numbers(result):
        return np.array(result)
    if isinstance(result, list) and result and isinstance(result[-1], np.ndarray):
        return result[-1]
    if isinstance(result, dict):
        named = [v for k, v in result.items() if isinstance(k, str) and plain(k) in OUTS]
        return next((v for v in reversed(named) if isinstance(v, np.ndarray)), None)
    if isinstance(result, tuple):
        arrays = [i for i, part in enumerate(result) if isinstance(part, np.ndarray)]
        named = [i for i in arrays if len(names) == len(result) and plain(names[i]) in OUTS]
        if named:
            return result[max(named, key=lambda i: names[i][-1:].isdigit() and names[i])]
        lists = [
            part for part in result if isinstance(part, list) and part and isinstance(part[-1], np.ndarray)
        ]
        return result[arrays[0 if len(arrays) == 1 else -1]] if arrays else lists[-1][-1] if lists else None
    if result is None:
        kept = [v for k, v in getattr(network, "__dict__", {}).items() if plain(k) in OUTS]
        return next((v for v in kept if isinstance(v, np.ndarray)), None)
    return None


def number_of(value: Any) -> float | None:
    """One real number, alone or first of what was returned."""
    if isinstance(value, tuple) and value:
        value = value[0]
    if isinstance(value, bool) or not isinstance(value, (int, float, np.generic, np.ndarray)):
        return None
    array = np.asarray(value)
    return float(array.reshape(())) if array.size == 1 and array.dtype.kind in "fiu" else None


def loss_returned(result: Any, names: list[str]) -> float | None:
    """The loss among what a method returned: its first part, or the one that is called so."""
    if isinstance(result, tuple):
        named = [i for i, name in enumerate(names) if len(names) == len(result) and is_loss(name)]
        return number_of(result[named[0] if named else 0]) if result else None
    if isinstance(result, (int, float, np.generic)) or (isinstance(result, np.ndarray) and result.size == 1):
        return number_of(result) if names and is_loss(names[0]) else None
    if isinstance(result, list) and len(result) == 1 and names and "loss" in names[0].lower() + "cost":
        return number_of(result[0])
    return None
