"""Poolings that choose by a word what they take of a window: `Pool(2, 2, mode="average")`."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from parity.adapters.arguments import plain

WORDS = {
    "max_pooling": ("max", "maximum", "maxpool", "maxpooling"),
    "average_pooling": ("avg", "average", "mean", "avgpool", "averagepool", "avgpooling", "averagepooling"),
    "min_pooling": ("min", "minimum", "minpool", "minpooling"),
}


SHOWN = {"average_pooling": {"mean", "average"}, "max_pooling": {"max", "amax", "argmax"}}
ELSE = {"average_pooling": "average", "max_pooling": "max"}  # the word for what comes after `else`


def modes_among(words: Iterable[str], nodes: Iterable[ast.AST]) -> dict[str, str]:
    """Word -> the pooling that it stands for, where there are several; the first word of each.

    Code that asks for one of two words alone has the other one behind its `else`: `nodes` show it.
    """
    found: dict[str, str] = {}
    for word in words:
        kind = next((kind for kind, own in WORDS.items() if plain(word) in own), "")
        if kind and kind not in found.values():
            found[word] = kind
    if [*found.values()] in (["max_pooling"], ["average_pooling"]):
        names = {n.attr for one in nodes for n in ast.walk(one) if isinstance(n, ast.Attribute)}
        other = next(kind for kind in SHOWN if kind not in found.values())
        found |= {ELSE[other]: other} if names & SHOWN[other] else {}
    return found if len(found) > 1 else {}
