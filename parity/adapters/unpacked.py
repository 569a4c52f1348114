"""What a backward takes apart: `dx, *rest = grads` has to be handed a list. Needs nothing but Python."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Sequence
from typing import Any


def unpacks(function: Any, name: str) -> bool:
    """Whether a function or method takes the first of what that parameter holds, and the rest as a list."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError):
        return False
    for node in ast.walk(tree):
        match node:
            case ast.Assign(targets=[ast.Tuple(elts=[ast.Name(), ast.Starred()])], value=ast.Name(id=own)):
                if own == name:
                    return True
    return False


def as_taken_apart(function: Any, pairs: Sequence[Sequence[str]], dout: Any) -> Any:
    """That gradient, in a list where the function takes it apart."""
    names = [name.lstrip("*") for name, meaning in pairs if meaning == "dout"]
    return [dout] if any(unpacks(function, name) for name in names) else dout
