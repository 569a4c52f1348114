"""The recipes of all kinds, from the table of kinds."""

from __future__ import annotations

from parity.adapters.recipe import Recipe
from parity.kinds import kind_of


def recipe_of(name: str) -> Recipe:
    """How the kind of that name is called. Raises ValueError naming the kinds there are."""
    kind = kind_of(name)
    return Recipe(
        name,
        kind.role,
        kind.out,
        kind.order,
        dict(kind.optional),
        kind.params,
        kind.buffers,
        kind.functions,
    )
