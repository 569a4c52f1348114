"""What an optimizer asks its layers and its model to be: `isinstance(layer, Linear)`.

It steps over what is none. What it is handed says that it is one, as `unittest.mock` does with a `spec`: the
class is read off its source, and has to be there. Needs nothing but Python.
"""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Collection, Iterator
from typing import Any

from parity.adapters.arguments import plain
from parity.adapters.names_in_steps import trees_of

DENSE = ("dense", "linear", "affine", "fullyconnected", "fc", "layer")  # words of the likeliest class


class Posing:
    """An object that says to be of the class `posing`, if it has one."""

    posing: type | None = None

    @property
    def __class__(self) -> type:
        return vars(self).get("posing") or type(self)

    @__class__.setter
    def __class__(self, new: type) -> None:
        object.__setattr__(self, "__class__", new)


def posing_as(factory: Any, names: Collection[str], others: bool = False) -> type | None:
    """The class that its source asks those to be which have one of these names, or `others` than those; of
    several the one whose name says that it is dense, else the first. None where it asks for none."""
    asked = [
        cls
        for tree in trees_of(factory)
        for name, test in _tests(tree)
        if (plain(name) in names) is not others
        for cls in _classes(test, factory)
    ]
    dense = (cls for cls in asked if any(word in plain(cls.__name__) for word in DENSE))
    return next(dense, next(iter(asked), None))


def _tests(tree: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    """The names that `isinstance` is called with, and what they are asked to be."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id="isinstance"), args=[ast.Name(id=name), test]):
                yield name, test
            case ast.Call(func=ast.Name(id="isinstance"), args=[ast.Attribute(attr=name), test]):
                yield name, test


def _classes(test: ast.expr, factory: Any) -> Iterator[type]:
    """Those classes that are no containers, numbers or arrays."""
    for one in test.elts if isinstance(test, ast.Tuple) else [test]:
        path = ast.unparse(one).split(".")
        found: Any = getattr(sys.modules.get(factory.__module__), path[0], None)
        for name in path[1:]:
            found = getattr(found, name, None)
        own = inspect.isclass(found) and found.__module__.partition(".")[0] not in (
            "builtins",
            "numpy",
            "abc",
        )
        if own and found.__module__ not in ("collections.abc", "numbers", "typing"):
            yield found
