"""Activations and losses with one constant, and the names that people give it. Needs nothing but Python.

A constant that can be given is given, in the constructor or with each call. Two functions, the activation and
its derivative, are given it where both take it and have the same default; else it is what the forward has.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from typing import Any

from parity.adapters.arguments import plain
from parity.adapters.recipe import recipe

STEP = "step_function"
CONSTANTS = {
    "leaky_relu": "negative_slope",
    "elu": "alpha",
    "gelu": "approximate",
    "huber_loss": "delta",
    STEP: "at_zero",
}
NAMES = {  # in lower case and without underscores
    "leaky_relu": (
        *(
            "alpha",
            "negativeslope",
            "slope",
            "leak",
            "leakage",
            "a",
            "alfa",
            "leakyslope",
            "leakrate",
            "leaky",
        ),
        *("negslope", "leakyalpha", "coef", "coefficient", "factor", "leakfactor", "leakcoef", "k", "scale"),
        *("leakyrate", "leakyfactor", "leakyreluslope", "leakyreluparam", "leakyrelualpha", "param", "lam"),
        *("slopeneg", "eps", "epsilon", "beta", "gamma", "p", "m", "c"),
    ),
    "huber_loss": (
        *("delta", "d", "dl", "threshold", "thresh", "beta", "epsilon", "eps", "k", "c", "cutoff", "clip"),
        *(
            "transition",
            "huberdelta",
            "deltavalue",
            "alpha",
            "gamma",
            "tau",
            "kappa",
            "huberthreshold",
            "lim",
        ),
        *("clipdelta", "cliperror", "maxgrad", "limit", "bound", "margin", "hubertau", "huberk", "deltaval"),
    ),
    "step_function": (),
    "gelu": (),  # its form is read off in any case: people call it what they like
    "elu": ("alpha", "a", "alfa", "scale", "k", "elualpha", "coef", "coefficient", "param", "lam", "p", "c"),
}


def constant_of(kind: str, p: Mapping[str, Any]) -> str:
    """The kind's constant where a parameter is it, by its name; "a" may be x unless it has a default."""
    word = plain(p["name"])
    if word not in NAMES.get(kind, ()) or (p["required"] and word in ("a", "p")):
        return ""
    return CONSTANTS[kind]


def is_not_pytorch_s(signature: Sequence[Mapping[str, Any]], kind: str) -> bool:
    """Whether an activation with a constant does not take it under PyTorch's name and with its default."""
    if kind not in CONSTANTS:
        return False
    name = CONSTANTS[kind]
    own = [p["default"] for p in signature if plain(p["name"]) == plain(name) and not p["required"]]
    return not own or _literal(own[0]) != recipe(kind).optional[name]


def same_default(kind: str, mine: Sequence[Mapping[str, Any]], others: Sequence[Mapping[str, Any]]) -> bool:
    """Whether both functions take the kind's constant, with one default or with none."""
    given = [{p["default"] for p in params if constant_of(kind, p)} for params in (mine, others)]
    return given[0] == given[1] and bool(given[0])


def _literal(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return None
