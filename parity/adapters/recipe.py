"""What an adapter must know of a kind to build and call it. Needs nothing but Python.

The process that runs foreign code has no table of kinds: it is sent the recipe of the kind that it is to run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Role = Literal["layer", "loss", "function", "optimizer"]


@dataclass(frozen=True)
class Recipe:
    """How one kind is called; the fields are those of `Kind` of the same names.

    role      how it is used: a layer, a loss (its forward takes t too), a function or an optimizer
    out       what its result is called
    order     the leading arguments, in the book's order
    optional  the arguments that may be left out, with what holds then
    params    the trained arrays; their gradients are read as d<name>
    buffers   what else is read after the call (batch normalization's running statistics)
    functions  the arguments that are functions, which arrive as texts
    """

    kind: str
    role: Role = "layer"
    out: str = "out"
    order: tuple[str, ...] = ()
    optional: Mapping[str, Any] = field(default_factory=dict)
    params: tuple[str, ...] = ()
    buffers: tuple[str, ...] = ()
    functions: tuple[str, ...] = ()


RECIPES: dict[str, Recipe] = {}


def recipe(kind: str) -> Recipe:
    """The recipe of that kind. Raises ValueError naming the kinds there are."""
    if kind not in RECIPES:
        from parity.adapters.recipes import recipe_of  # not in that process, which has been sent its own

        RECIPES[kind] = recipe_of(kind)
    return RECIPES[kind]


def is_reduced(kind: str) -> bool:
    """Whether the kind has a loss per output, whose sum people divide in several ways."""
    return {"reduction", "factor"} <= set(recipe(kind).optional)
