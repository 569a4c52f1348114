"""How an optimizer is built of its constants. Needs NumPy alone."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection
from functools import partial
from typing import Any

import numpy as np

from parity.adapters.arguments import plain, signature, under_its_names
from parity.adapters.optimizer_names import RATES


def is_free(built: Any, attribute: str, constants: Collection[str]) -> bool:
    """Whether that is a number of which the constructor has made no other, as a power to begin with.

    `constants` are the kind's own, of which none is made of another.
    """
    own: Any = getattr(built, attribute, None)
    if type(own) not in (int, float) or not own > 0:
        return False
    numbers = [v for k, v in vars(built).items() if type(v) in (int, float) and k not in constants]
    return not any(np.isclose(v, (own, 1 - own)).any() for v in numbers)


def _is_pair(name: str, default: Any) -> bool:
    """Whether it is beta1 and beta2 in one."""
    return plain(name) == "betas" or (plain(name) == "beta" and isinstance(default, (tuple, list)))


def takes_any_name(function: Any) -> bool:
    """Whether a method takes `**kwargs`: what it has returned in a dict is handed to it again."""
    try:
        found = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return False
    return any(p.kind is p.VAR_KEYWORD for p in found)


def _whatever(value: Any, *_: Any) -> Any:
    return value


def builder(factory: Any, held: dict[str, Any]) -> Callable[..., Any]:
    """The constructor without what is `held` already, and with beta1 and beta2 where it takes a pair."""
    found = signature(factory)
    pair = next((name for name, p in (found or {}).items() if _is_pair(name, p.default)), None)
    if found is None and held:  # it takes any name
        return lambda **given: factory(**held, **under_its_names(factory, given))
    functions = [name for name, p in (found or {}).items() if inspect.isfunction(p.default)]
    rates = [name for name in functions if plain(name) in RATES]
    if found is None or not (held or pair or rates):
        return factory  # type: ignore[no-any-return]

    def build(**given: Any) -> Any:
        for name in rates:  # a function of the step
            if name in given:
                given[name] = partial(_whatever, given[name])
        if pair is not None:
            usual = found[pair].default
            usual = usual if isinstance(usual, (tuple, list)) else (0.9, 0.999)
            betas = [given.pop("beta1", None), given.pop("beta2", None)]
            given[pair] = tuple(u if b is None else b for b, u in zip(betas, usual, strict=True))
        return factory(**held, **given)

    keyword = inspect.Parameter.KEYWORD_ONLY
    left = [p.replace(kind=keyword) for name, p in found.items() if name not in (*held, pair)]
    left += [inspect.Parameter(b, keyword, default=None) for b in ("beta1", "beta2") if pair is not None]
    build.__signature__ = inspect.Signature(left)  # type: ignore[attr-defined]
    return build
