"""Methods by which a layer is handed its weights after it was built: `set_params(W, b)`, `load(params)`.

They are known by the name of the method and by those of its parameters. Needs nothing but Python.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

from parity.adapters.arguments import plain
from parity.adapters.meanings import meanings
from parity.adapters.weight_names import NAMES

BEGIN = ("set", "load", "assign", "put", "restore", "init")
TOGETHER = (  # what holds all weights of a layer at once
    *("params", "parameters", "param", "weights", "paramdict", "paramsdict", "weightsdict", "weightdict"),
    *("state", "statedict", "values", "arrays", "theta", "wb", "wandb"),
)
KEYS = {  # of weights in a dict, beside the kind's own names
    "W": ("w", "weights", "weight", "kernel"),
    "b": ("b", "bias", "bias", "bias"),
    "gamma": ("gamma", "scale", "weight", "weights"),
    "beta": ("beta", "shift", "bias", "bias"),
}
Call = tuple[str, tuple[tuple[str, str], ...]]  # a method, and what its parameters get
Methods = Mapping[str, Sequence[dict[str, Any] | None] | None]


def setters(methods: Methods, kind: str, missing: Sequence[str]) -> Iterator[tuple[Call, ...]]:
    """Calls that hand over all of the missing weights, the likeliest first."""
    named = {n: params for n, params in methods.items() if plain(n).startswith(BEGIN) and n[0] != "_"}
    known = [(n, one) for n, params in named.items() if (one := _by_name(params or (), kind, missing))]
    given = [({meaning for _, meaning in pairs}, (n, pairs)) for n, pairs in known]
    for size in (1, 2):
        for chosen in combinations(given, size):
            if sorted(weight for weights, _ in chosen for weight in weights) == sorted(missing):
                yield tuple(call for _, call in chosen)
    for name, params in named.items():
        required = [p for p in params or () if p is not None and p["required"]]
        if len(required) == 1 and holds_weights(required[0]["name"]):
            for form in together(missing):
                yield ((name, ((required[0]["name"], form),)),)


def holds_weights(name: str) -> bool:
    """Whether a parameter of that name may be all weights of a layer at once."""
    return plain(name.lstrip("*")) in TOGETHER


def together(weights: Sequence[str]) -> list[str]:
    """The forms in which they are handed over at once: `[W:W;b:b]` is a dict, `[W;b]` a tuple."""
    keys = [list(weights), *([KEYS.get(name, (name,) * 4)[i] for name in weights] for i in range(4))]
    forms = [f"[{';'.join(f'{k}:{name}' for k, name in zip(own, weights, strict=True))}]" for own in keys]
    return list(dict.fromkeys([*forms, f"[{';'.join(weights)}]"] if len(weights) > 1 else forms))


def weights_in(meaning: str) -> list[str]:
    """The weights that a parameter of that meaning is handed."""
    if not meaning.startswith("["):
        return [meaning]
    return [item.rpartition(":")[2] for item in meaning[1:-1].split(";")]


def _by_name(
    params: Sequence[dict[str, Any] | None], kind: str, missing: Sequence[str]
) -> tuple[tuple[str, str], ...]:
    """What each parameter gets, every one a weight of its own; nothing where one is something else."""
    found: list[tuple[str, str]] = []
    for p in params:
        if p is None:
            continue
        word, own = plain(p["name"].lstrip("*")), meanings(p["name"].lstrip("*"), kind)
        weight = next((w for w in missing if w in own or word in NAMES.get(w, ())), "")
        if weight and weight not in {meaning for _, meaning in found}:
            found.append((p["name"], weight))
        elif p["required"]:
            return ()
    return tuple(found)
