"""Plain functions that make a step of gradient descent themselves: `gradient_descent(X, y, theta, alpha, n)`.

Such a function is told how often, and asked for one step: what that takes away from the weights is their
gradient times the rate. What is no plain step, or takes rows in turn or at random, is none. Needs nothing
but Python.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Sequence

from parity.adapters.arguments import plain
from parity.adapters.network_one_step import OTHER_RULES
from parity.adapters.network_words import meanings_of_call
from parity.adapters.optimizer_names import RATES

OTHERS = re.compile("momentum|velocity|permutation|shuffle|choice|randint|^beta|plt|^decay|clip|normali[sz]e")


def makes_a_step(node: ast.FunctionDef, returned: Sequence[str], giving: Collection[str]) -> bool:
    """Whether it is one; `giving` are the functions that give gradients, which are checked themselves."""
    names = [arg.arg for arg in (*node.args.args, *node.args.kwonlyargs)]
    meanings = meanings_of_call(names)
    by_meaning = {meaning: name for name, meaning in zip(names, meanings, strict=True)}
    if "lr" not in by_meaning and (rate := rate_of_file(node)):
        by_meaning["lr"] = rate
    if not {"x", "t", "lr"} <= by_meaning.keys() or "batch" in by_meaning or not returned:
        return False
    data = {by_meaning["x"], by_meaning["t"]}
    for part in ast.walk(node):
        if isinstance(part, (ast.While, ast.Yield)):
            return False
        if isinstance(part, ast.For) and not _is_plain(part, by_meaning):
            return False
        if isinstance(part, ast.Name) and (
            part.id in giving or _is_other(part.id) or (isinstance(part.ctx, ast.Store) and part.id in data)
        ):
            return False
        if isinstance(part, ast.Attribute) and _is_other(part.attr):
            return False
    return True


def rate_of_file(node: ast.FunctionDef) -> str:
    """The rate that a function which changes names of its file reads as one of them; "" where it does not."""
    if not any(isinstance(part, ast.Global) for part in ast.walk(node)):
        return ""
    own = {arg.arg for arg in ast.walk(node) if isinstance(arg, ast.arg)}
    names = [part for part in ast.walk(node) if isinstance(part, ast.Name)]
    own |= {one.id for one in names if isinstance(one.ctx, ast.Store)}
    return next((one.id for one in names if plain(one.id) in RATES and one.id not in own), "")


def _is_other(name: str) -> bool:
    return bool(OTHER_RULES.search(plain(name)) or OTHERS.search(plain(name)))


def _is_plain(loop: ast.For, by_meaning: dict[str, str]) -> bool:
    """Whether a loop goes on as often as it is told, or takes no step in it."""
    match loop.iter:
        case ast.Call(func=ast.Name(id="range"), args=[ast.Name(id=name)]):
            if name == by_meaning.get("epochs"):
                return True
        case ast.Call(func=ast.Name(id="range"), args=[ast.Constant(), ast.Name(id=name)]):
            if name == by_meaning.get("epochs"):
                return True
    return not any(isinstance(one, ast.Name) and one.id == by_meaning["lr"] for one in ast.walk(loop))
