"""Of which arguments a docstring or comment says that they are (N,).

A loss that makes its labels (N,) and leaves its outputs alone is right for outputs (N,), and stretches
outputs (N, 1) to (N, N): whose outputs are (N,) by its own words is not asked for the others. It is read,
not tried. Needs Python alone.
"""

from __future__ import annotations

import ast
import inspect
import io
import re
import textwrap
import tokenize
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from parity.adapters.sources import source_of, tree_of_text

FLATTENS = {"ravel", "flatten", "reshape", "squeeze"}
SHAPE = re.compile(r"\(\s*\w+\s*,\s*\)|\b(?:1-?d|one-dimensional|flat)\b", re.IGNORECASE)


def said_to_be_flat(factory: Any, functions: Mapping[str, Any]) -> list[str]:
    """Those parameters of these functions or methods; a line that names several has to say it of each."""
    sources = [factory] if isinstance(factory, type) else functions.values()
    lines = [line for one in sources for line in _words(one)]
    names = {name for function in functions.values() for name in _parameters(function)}
    return sorted(name for name in names if any(_says(line, name, names) for line in lines))


def _says(line: str, name: str, names: Iterable[str]) -> bool:
    there = {one for one in names if re.search(rf"\b{re.escape(one)}\b", line)}
    return name in there and len(SHAPE.findall(line)) >= len(there)


def _parameters(function: Any) -> Iterator[str]:
    try:
        yield from (name for name in inspect.signature(function).parameters if name not in ("self", "cls"))
    except (TypeError, ValueError):
        return


def _words(one: Any) -> Iterator[str]:
    """The lines of its docstrings, and those that end in a comment, with the code before that."""
    try:
        source = textwrap.dedent(source_of(one))
        tree = tree_of_text(source)
        tokens = list(tokenize.generate_tokens(io.StringIO(source).readline))
    except (OSError, TypeError, SyntaxError, ValueError, tokenize.TokenError):
        return
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            yield from (ast.get_docstring(node) or "").splitlines()
    yield from (token.line for token in tokens if token.type == tokenize.COMMENT)
