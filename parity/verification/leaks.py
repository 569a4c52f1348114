"""Whether what is called a ReLU asks for a slope: `ReLu(leak)` is a leaky one."""

from __future__ import annotations

import ast

from parity.adapters.arguments import plain

SLOPES = {"leak", "leakage", "leakiness", "slope", "negativeslope", "negslope", "leakyslope", "alpha"}


def leaks(node: ast.stmt) -> bool:
    """Whether a function, or the constructor of a class, has to be given the slope of what is below 0."""
    parts = node.body if isinstance(node, ast.ClassDef) else [node]
    for part in parts:
        if isinstance(part, ast.FunctionDef) and (part is node or part.name == "__init__"):
            required = part.args.args[: len(part.args.args) - len(part.args.defaults)]
            return any(plain(arg.arg) in SLOPES for arg in required[1:])
    return False
