"""The arrays that a network holds, wherever it keeps them: attributes, dicts, lists, layers in lists.

An array's place is the way to it, such as ("params", "W1") or ("layers", 0, "W"). Needs NumPy alone.
"""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from parity.adapters.arguments import MANGLED, plain
from parity.adapters.network_words import base_of

Place = tuple[str | int, ...]
DEEPEST, MOST = 5, 4000
CODE = (type, types.ModuleType, types.FunctionType, types.MethodType, types.BuiltinFunctionType, str, bytes)
BIAS = ("b", "b1", "b2", "b3", "bias", "bias1", "bias2", "bias3", "biashidden", "biasoutput")


def inside(held: Any) -> list[tuple[Place, Any]]:
    """Every array and number in it with its place, those that lie least deep first; each object once."""
    found: list[tuple[Place, Any]] = []
    level: list[tuple[Place, Any]] = [((), held)]
    seen = set[int]()
    for _ in range(DEEPEST):
        below: list[tuple[Place, Any]] = []
        for place, value in level:
            for step, part in parts_of(value):
                if isinstance(part, (np.ndarray, np.generic, int, float)) and not isinstance(part, bool):
                    if not isinstance(part, np.ndarray) or id(part) not in seen:
                        found.append(((*place, step), part))
                elif isinstance(part, CODE) or part is None or id(part) in seen:
                    continue
                else:
                    below.append(((*place, step), part))
                seen.add(id(part))
            if len(found) > MOST:
                return found
        level = below
    return found


def parts_of(value: Any) -> Iterator[tuple[str | int, Any]]:
    """What it holds, each with the key, index or name by which it is found there."""
    if isinstance(value, Mapping):
        for key, part in list(value.items()):
            yield key if isinstance(key, int) else str(key), part
    elif isinstance(value, (list, tuple)):
        yield from enumerate(value)
    elif isinstance(value, np.random.Generator | np.random.RandomState):
        return
    else:
        yield from list(getattr(value, "__dict__", {}).items())
        slots = [name for cls in type(value).__mro__ for name in getattr(cls, "__slots__", ())]
        yield from (
            (name, getattr(value, name)) for name in slots if isinstance(name, str) and hasattr(value, name)
        )


def taken(held: Any, place: Place) -> Any:
    """What lies there. Raises LookupError or AttributeError where there is nothing any more."""
    for step in place:
        if isinstance(held, Mapping):
            held = held[step] if step in held else next(v for k, v in held.items() if str(k) == step)
        elif isinstance(held, (list, tuple)):
            held = held[int(step)]
        else:
            held = held.__dict__[step] if step in getattr(held, "__dict__", {}) else getattr(held, str(step))
    return held


def put(held: Any, place: Place, value: Any) -> None:
    """Write it there: into the array that is there, else in its stead."""
    there = taken(held, place)
    if isinstance(there, np.ndarray) and there.dtype.kind == "f":
        there[...] = value
        return
    if isinstance(there, list):
        _fill(there, np.asarray(value).tolist())
        return
    owner, step = taken(held, place[:-1]), place[-1]
    value = float(value) if np.ndim(value) == 0 else value
    if isinstance(owner, (list, dict)):
        owner[step] = value  # type: ignore[index]
    else:
        setattr(owner, str(step), value)


def _fill(there: list[Any], numbers: list[Any]) -> None:
    """Write numbers into a list, or into its rows."""
    for i, one in enumerate(numbers):
        if isinstance(one, list):
            there[i][:] = one
        else:
            there[i] = one


def exchanged(held: Any, old: int, new: Any) -> None:
    """Put another array wherever the one with that id lies."""
    seen, left = set[int](), [held]
    while left and len(seen) < MOST:
        value = left.pop()
        if id(value) in seen or isinstance(value, (*CODE, np.ndarray)):
            continue
        seen.add(id(value))
        for step, part in parts_of(value):
            if id(part) != old:
                left.append(part)
            elif isinstance(value, (list, dict)):
                value[step] = new  # type: ignore[index]
            elif not isinstance(value, tuple):
                setattr(value, str(step), new)


def shown(place: Place) -> str:
    """`params["W1"]` is W1, `weights[0]`, `layers[0].W`; of a private attribute its own name."""
    text = ""
    for step in place:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            name = MANGLED.sub("", step) if step.startswith("_") else step
            text += f".{name}" if text else name
    for holder in ("params.", "parameters."):
        text = text.removeprefix(holder)
    return text


def key_of(place: Place) -> tuple[str | int, ...]:
    """What a parameter and its gradient have in common: the numbers on the way, and the last name's base."""
    names = [step for step in place if isinstance(step, str)]
    return (*(step for step in place if isinstance(step, int)), base_of(names[-1]) if names else "")


def is_bias(place: Place) -> bool:
    return isinstance(place[-1], str) and plain(place[-1]) in BIAS
