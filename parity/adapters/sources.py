"""The source of an object, and the tree of a text, which is parsed once however much is asked of it.

Nothing is kept but by its text: a file may be written anew while it is in use. Needs Python alone.
"""

from __future__ import annotations

import ast
import inspect
import sys
import textwrap
from functools import lru_cache
from typing import Any


def source_of(one: Any) -> str:
    """What `inspect.getsource` gives. Raises OSError or TypeError where there is none."""
    if not isinstance(one, type):
        return inspect.getsource(one)
    module = sys.modules.get(one.__module__)
    lines = inspect.findsource(module)[0] if module is not None else []
    at = _classes("".join(lines)).get(one.__qualname__, [])
    return "".join(inspect.getblock(lines[at[0] - 1 :])) if len(at) == 1 else inspect.getsource(one)


def tree_of_source(one: Any) -> ast.Module | None:
    """The tree of its source, which is only to be read; None where there is none that can be parsed."""
    try:
        return tree_of_text(textwrap.dedent(source_of(one)))
    except (OSError, TypeError, SyntaxError, ValueError):
        return None


@lru_cache(maxsize=512)
def tree_of_text(text: str) -> ast.Module:
    """Its tree, which is only to be read. Raises SyntaxError, ValueError and RecursionError."""
    return ast.parse(text)


@lru_cache(maxsize=32)
def _classes(text: str) -> dict[str, list[int]]:
    """The lines at which classes of a file begin, by qualified name; `inspect` parses it anew for each."""
    found: dict[str, list[int]] = {}

    def note(node: ast.AST, inside: str) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.ClassDef):
                first = child.decorator_list[0] if child.decorator_list else child
                found.setdefault(inside + child.name, []).append(first.lineno)
                note(child, f"{inside}{child.name}.")
            elif isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)):
                note(child, f"{inside}{child.name}.<locals>.")
            else:
                note(child, inside)

    try:
        note(tree_of_text(text), "")
    except (SyntaxError, ValueError, RecursionError):
        found.clear()
    return found
