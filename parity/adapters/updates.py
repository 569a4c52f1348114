"""Methods that change the weights by the gradients that backward left: `update(lr)`, `fit(lr, decay)`.

A layer that keeps its gradients to itself shows them there: the change of its weights is the rate times the
gradient. Needs nothing but Python.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

from parity.adapters.arguments import plain
from parity.adapters.meanings import meanings
from parity.adapters.name_parts import meanings_of_parts

UPDATE = (
    *("update", "updateparams", "updateparameters", "updateweights", "updateweight", "applygradients"),
    *("applygrads", "applygradient", "applyupdate", "step", "fit", "optimize", "learn", "gradientdescent"),
)
REGULAR = (  # their strength is 0
    *("weightdecay", "decay", "reg", "regularization", "l2", "l2reg", "l2penalty", "lam", "lambd", "lmbda"),
    *("lambda", "momentum", "l1", "regstrength", "wd", "reglambda", "lambdareg", "regparam", "l2lambda"),
)
Pairs = tuple[tuple[str, str], ...]


def updates(methods: dict[str, Any], kind: str) -> Iterator[tuple[str, Pairs]]:
    """Each method that takes a rate or an optimizer, and what its parameters get."""
    for word in UPDATE:
        for name in [n for n in methods if plain(n) == word and n[0] != "_"]:
            pairs = _pairs([p for p in methods[name] or () if p is not None], kind)
            if {"rate", "optimizer"} & {meaning for _, meaning in pairs}:
                yield name, pairs


def _pairs(params: list[dict[str, Any]], kind: str) -> Pairs:
    found = []
    for p in params:
        meaning = _meaning(p["name"], kind)
        if meaning:
            found.append((p["name"], meaning))
        elif p["required"]:
            return ()
    return tuple(found)


def _meaning(name: str, kind: str) -> str:
    if plain(name.lstrip("*")) in REGULAR:
        return "=0.0"
    known = meanings(name.lstrip("*"), kind)
    return next((meaning for meaning in known if meaning in ("rate", "optimizer")), "")


def prepared(params: list[dict[str, Any]], kind: str) -> list[Pairs]:
    """What the parameters of `compile(lr, reg)` or `init(n_in)` may get; nothing where one is unknown."""
    found: list[list[tuple[str, str]]] = []
    for p in params:
        word = plain(p["name"].lstrip("*"))
        name = p["name"].lstrip("*")
        known = meanings(name, kind) or meanings_of_parts(name, kind)
        if word in REGULAR:
            found.append([(p["name"], "=0.0")])
        elif known:
            found.append([(p["name"], meaning) for meaning in known])
        else:
            return []
    return list(itertools.islice(itertools.product(*found), 6))
