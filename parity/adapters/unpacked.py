"""What a backward takes apart: `dx, *rest = grads` has to be handed a list. Needs nothing but Python."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from parity.adapters.sources import tree_of_source


@lru_cache(maxsize=256)
def unpacks(function: Any, name: str) -> bool:
    """Whether a function or method takes the first of what that parameter holds, and the rest as a list."""
    tree = tree_of_source(function)
    for node in ast.walk(tree) if tree is not None else ():
        match node:
            case ast.Assign(targets=[ast.Tuple(elts=[ast.Name(), ast.Starred()])], value=ast.Name(id=own)):
                if own == name:
                    return True
    return False


def as_taken_apart(function: Any, pairs: Sequence[Sequence[str]], dout: Any) -> Any:
    """That gradient, in a list where the function takes it apart."""
    function = getattr(function, "__func__", function)  # whose layer is not to be kept with the answer
    if not (inspect.isfunction(function) or isinstance(function, type)):
        return dout
    names = [name.lstrip("*") for name, meaning in pairs if meaning == "dout"]
    return [dout] if any(unpacks(function, name) for name in names) else dout
