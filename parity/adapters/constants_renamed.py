"""Attributes that hold another constant than their names say: `self.lr = decay_rate`. Needs NumPy alone."""

from __future__ import annotations

import ast
from typing import Any

from parity.adapters.arguments import plain
from parity.adapters.logarithms import definition_of
from parity.adapters.optimizer_names import DECAYS, EPSILON, RATES
from parity.adapters.stateful import CONSTANTS

TABLES = (RATES, DECAYS, EPSILON, *CONSTANTS.values())


def renamed(constructor: Any) -> set[str]:
    """The attributes that a constructor sets to a parameter that is another constant by its name."""
    node = definition_of(constructor)
    asked = {arg.arg for arg in node.args.args} if node is not None else set()
    found = set()
    for part in ast.walk(node) if node is not None else ():
        match part:
            case ast.Assign(
                targets=[ast.Attribute(value=ast.Name(id="self"), attr=name)], value=ast.Name(id=given)
            ) if given in asked and _are_others(name, given):
                found.add(name)
    return found


def _are_others(name: str, given: str) -> bool:
    own, other = ({i for i, words in enumerate(TABLES) if plain(one) in words} for one in (name, given))
    return bool(own and other) and not own & other
