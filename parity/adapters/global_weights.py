"""Weights that functions read as names of their file: `W1 = ...` beside them, `global W1` where they change.

Needs nothing but Python.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence

from parity.adapters.arguments import plain

WEIGHT = re.compile("(w|weights?|thetas?)([0-9]*)")
BIAS = re.compile("(b|bias)([0-9]*)")


def weights_of_file(body: Sequence[ast.stmt], functions: Mapping[str, ast.FunctionDef]) -> list[str]:
    """The names of weights and biases that the file makes outside of its functions, and that these read; []
    where it is not at least one matrix."""
    made = {
        one.id
        for node in body
        if not isinstance(node, (ast.FunctionDef, ast.ClassDef))
        for one in ast.walk(node)
        if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)
    }
    read: dict[str, None] = {}
    for node in functions.values():
        own = {arg.arg for arg in ast.walk(node) if isinstance(arg, ast.arg)} - {*made_global(node)}
        names = [one for one in ast.walk(node) if isinstance(one, ast.Name)]
        own |= {one.id for one in names if isinstance(one.ctx, ast.Store)} - {*made_global(node)}
        read |= dict.fromkeys(one.id for one in names if one.id in made - own)
    found = [name for name in read if WEIGHT.fullmatch(plain(name)) or BIAS.fullmatch(plain(name))]
    return sorted(found) if any(WEIGHT.fullmatch(plain(name)) for name in found) else []


def made_global(node: ast.FunctionDef) -> tuple[str, ...]:
    """The names that a function declares to be those of its file."""
    return tuple(name for part in ast.walk(node) if isinstance(part, ast.Global) for name in part.names)
