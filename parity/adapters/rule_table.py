"""The constants of an optimizer in a dict, where its step or its function is handed one: `f(w, dw, config)`.

It keeps the state too. Needs NumPy alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from parity.adapters.arguments import plain, signature, spellings
from parity.adapters.code_objects import codes_of, constants_in
from parity.adapters.optimizer_names import EPSILON, RATES
from parity.adapters.options import Renamed
from parity.adapters.recipe import recipe

if TYPE_CHECKING:
    from parity.adapters.rule import Rule

CONFIG = "config"


def table(args: Mapping[str, Any], eps: float | None) -> Renamed:
    """These constants, each under whatever name it is asked for."""
    start = {"learning_rate" if name == "lr" else name: value for name, value in args.items()}
    names = {key: spellings("lr" if key == "learning_rate" else key) for key in start}
    if eps is not None:
        start["epsilon"], names["epsilon"] = eps, EPSILON
    return Renamed(start, names)


def config(rule: Rule, params: dict[str, Any], grads: dict[str, Any]) -> None:
    """A step of a function (w, dw, config) -> w, config: a config per array."""
    optional = recipe(rule.kind).optional
    asked = [
        name for name in rule.args if name != "lr" or "lr" not in optional or asks_for(rule.factory, name)
    ]
    start = {name: rule.args[name] for name in asked}
    for name, w in params.items():
        own = rule.made.get(name) or table(start, None)  # its own eps is judged
        new, rule.made[name] = rule.function(w, grads[name], own)
        w[...] = w if new is None else new


def asks_for(function: Any, argument: str) -> bool:
    """Whether a function of an optimizer has a parameter for the argument, or names it in its code."""
    known = {*map(plain, spellings(argument)), *(RATES if argument == "lr" else ())}
    words = (word for word in constants_in(codes_of(function)) if isinstance(word, str))
    return any(plain(name) in known for name in (*(signature(function) or ()), *words))
