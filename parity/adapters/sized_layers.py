"""A network that is told to make its layers one by one, by their sizes: `add_layer(4, 5)`.

Needs NumPy alone.
"""

from __future__ import annotations

import inspect
from typing import Any

from parity.adapters.container_parts import methods_of
from parity.adapters.handed_layers import adds_layers
from parity.adapters.network_builds import H, I, O
from parity.adapters.network_words import meaning_of_built

WORD = "sigmoid"


def add_sized(network: Any, outputs: int | None) -> str:
    """Add two layers, in words; "" where no method adds layers of sizes."""
    last = outputs or O
    for name in methods_of(type(network)):
        if not adds_layers(name):
            continue
        first, second = (_arguments(getattr(network, name), *sizes) for sizes in ((I, H), (H, last)))
        if first and second:
            getattr(network, name)(**first)
            getattr(network, name)(**second)
            return f"{name}({_said(first)}), {name}({_said(second)})"
    return ""


def _arguments(function: Any, inputs: int, outputs: int) -> dict[str, Any]:
    """What it is given for a layer of those sizes; {} where it asks for something else."""
    found: dict[str, Any] = {}
    sizes = set[str]()
    for p in inspect.signature(function).parameters.values():
        meaning, asked = meaning_of_built(p.name), p.default is p.empty
        if p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD):
            continue
        if meaning in ("I", "O", "H", "sizes") and (asked or meaning == "I"):
            found[p.name] = inputs if meaning == "I" else outputs
            sizes.add("I" if meaning == "I" else "O")
        elif "activation" in p.name.lower() and (asked or isinstance(p.default, str)):
            found[p.name] = WORD
        elif asked:
            return {}
    return found if "O" in sizes else {}


def _said(given: dict[str, Any]) -> str:
    return ", ".join(repr(value) for value in given.values())
