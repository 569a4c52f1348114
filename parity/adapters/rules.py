"""The ways in which people call optimizers; `Rule` calls them so. Needs NumPy alone.

dicts    update(params, grads), dicts of arrays by name
lists    the same with lists
arrays   update(w, dw) -> w, or w changed in place; an optimizer for each array
layer    update_params(layer), with .weights, .biases, .dweights, .dbiases
params   cls(params, lr), then step(); each parameter has .data and .grad
objects  step(params); each parameter has .data and .grad
in dicts  update(params, grads), lists of dicts, one dict per layer
layers   cls(layers, lr), then step(); or step(layers), update(layer), step(model): see `layers_given`
held     cls(params, lr), then step(grads), lists of arrays
both     cls(params, grads, lr), then step(), lists of arrays
pairs    apply_gradients([(dw, w), ...])
by name  step({name: (w, dw)})
state    update(w, dw, state) -> w, state; the state is None at first
config   a function (w, dw, config) -> w, config
in order  update(name, w, dw) or update(w, dw, name), and update(w, b, dw, db); names tell which is which,
         and may ask for the number of the step, t, from 0 or 1, or for moments, update(w, dw, m, v) -> w,
         m, v; where no name of the array is asked for, there is an optimizer for each
given layer  update(layer, grads) or update(layer, dw, db), with .weights and .bias; an optimizer for each
numbered  update(params, grads), dicts of W1, b1, W2, b2 and of dW1, db1, ...: also a function with the rate
held dicts  cls(params, lr), then step(grads), dicts of arrays
layers, a model and the learning rate: the ways of `layers_given` for a function
arrays+lr, lists+lr, dicts+lr  a function of those and the learning rate: plain gradient descent

A constructor may take beta1 and beta2 as a pair. Its small constant (eps) is given PyTorch's value, and so is
a weight decay whose default is another. Plain gradient descent is given a momentum of 0.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from parity.adapters.arguments import plain, room, spellings
from parity.adapters.convention import Convention
from parity.adapters.layers_given import LAYER, ways_for
from parity.adapters.optimizer_names import (
    COUNTS,
    DECAYS,
    EPSILON,
    MOMENTS,
    ONE,
    SLOPE,
    SLOPES,
    TOGETHER,
    rate_of,
)
from parity.adapters.recipe import recipe
from parity.adapters.stateful import averaged, forms_of

STEP = (
    *("update", "step", "updateparams", "updateweights", "updateparameters", "apply", "applygradients"),
    *("optimize", "applygradient", "__call__", "call", "updates", "fit", "get_updates"),
)
HANDED = (*TOGETHER, "layers")
PAIRS = ("gradsandvars", "gradsandparams", "paramsandgrads", "varsandgrads", "paramsgrads", "paramgrads")
NAMED = ("namedparamsandgrads", "paramsandgradsbyname", "namedpairs")
STATES = ("state", "momentum", "memory", "config", *MOMENTS)
KEYS = ("name", "key", "k", "paramname", "layername", "id", "paramid", "index", "idx")
ITS_MOMENTS = ("momentum", *MOMENTS)  # of one array, in a method's parameters
DESCENTS = ("arrays+lr", "lists+lr", "dicts+lr", "numbered")  # of arrays under one name, likeliest first
ONLY = {"by name": NAMED, "pairs": PAIRS, "objects": HANDED}  # by the name of the only parameter
MOMENTUM = (
    *("momentum", "mu", "mom", "momentumrate", "momentumcoefficient", "momentumcoeff", "momentumfactor"),
    "beta",
)
NESTEROV = ("nesterov", "usenesterov", "isnesterov")
EPS = {"adam": 1e-8, "adamw": 1e-8, "rmsprop": 1e-8, "adagrad": 1e-10}  # PyTorch's
BEFORE, AFTER = ("pre_update_params",), ("post_update_params",)


def rules(about: dict[str, Any], kind: str) -> Iterator[Convention]:
    """The ways in which it may be called, by names and number of parameters; the likeliest first."""
    signature = about["signature"] or []
    base = Convention(kind, about["name"], eps=other_eps(about, kind), decay=other_decay(about, kind))
    base = replace(base, rate=odd_rate(about, kind), average=averaged(signature, kind))
    base = replace(base, switched=switched(about, kind), kept=kept(about, kind))
    if about["what"] == "function":
        names = [p["name"] for p in signature]
        if kind == "sgd" and rate_of(names[2:]):
            one = plain(names[0]) in ONE
            for style in DESCENTS if one else reversed(DESCENTS):
                yield _with(base, style, about["names"][0])
        elif kind == "sgd" and rate_of(names[1:]):
            for style in ways_for(plain(names[0])):
                yield _with(base, style, about["names"][0])
        elif forms := forms_of(signature, kind):
            for style in forms:
                yield _with(base, style, about["names"][0])
        elif len(signature) >= 2:
            yield _with(base, "config", about["names"][0])
        return
    first = [plain(p["name"]) for p in signature if p["required"]]
    holds = ways_for(first[0], held=True) if first else []
    handed = bool(first) and first[0] in HANDED
    both = handed and len(first) > 1 and first[1] in SLOPES
    for word in STEP:
        for name in [n for n in about["methods"] if n == word or (plain(n) == word and n[0] != "_")]:
            required = [p for p in about["methods"][name] or () if p is not None and p["required"]]
            only = plain(required[0]["name"]) if len(required) == 1 else ""
            given = next((way for way, names in ONLY.items() if only in names), "layer")
            styles = {
                0: ["both"] if both else [*holds, *["params"] * handed],
                1: ["held", "held dicts"]
                if handed and not holds
                else [*([given] if only != "layers" else ()), *ways_for(only)],
                2: [
                    *["given layer"] * bool(of_layer(required)),
                    *("dicts", "arrays", "lists", "in dicts", "numbered"),
                ],
                3: [
                    *["given layer"] * bool(of_layer(required)),
                    *["state"] * any(plain(p["name"]) in STATES for p in required[2:]),
                ],
            }
            if len(required) > 2 and in_order(required):
                styles[len(required)] = [*styles.get(len(required), ()), "in order"]
            for style in styles.get(len(required), ()):
                yield _with(base, style, name)


def odd_rate(about: dict[str, Any], kind: str) -> str:
    """What the constructor calls the rate, where that is eps and the kind has no small constant."""
    if about["what"] == "function" or kind in EPS:
        return ""
    found = rate_of([p["name"] for p in about["signature"] or ()])
    return found if plain(found) in EPSILON else ""


def kept(about: dict[str, Any], kind: str) -> dict[str, str]:
    """The kind's constants that the constructor sets itself and does not take: argument -> attribute."""
    names = [p["name"] for p in about["signature"] or ()]
    if about["what"] != "class" or "betas" in map(plain, names):
        return {}
    taken, found = room(names, recipe(kind)), {}
    for argument in recipe(kind).order:
        own = [name for name in about["kept"] if plain(name) in map(plain, spellings(argument))]
        if argument != "lr" and argument not in taken and len(own) == 1:
            found[argument] = own[0]
    return found


def other_eps(about: dict[str, Any], kind: str) -> tuple[str, ...]:
    """The small constant of the constructor and its default, where that is another than PyTorch's."""
    named = (p for p in about["signature"] or () if plain(p["name"]) in EPSILON)
    found = next(named, None)
    if found is None or kind not in EPS or found["default"] == repr(EPS[kind]):
        return ()
    return found["name"], found["default"]


def other_decay(about: dict[str, Any], kind: str) -> tuple[str, ...]:
    """The weight decay of the constructor and its default, where that is another than PyTorch's."""
    usual = recipe(kind).optional.get("weight_decay")
    named = (p for p in about["signature"] or () if plain(p["name"]) in DECAYS and not p["required"])
    found = next(named, None)
    the_same = {repr(usual), "None", *(["0"] if usual == 0 else ())}
    return () if found is None or found["default"] in the_same else (found["name"], found["default"])


def switched(about: dict[str, Any], kind: str) -> dict[str, Any]:
    """The momentum of the constructor that plain gradient descent is given as 0, and the flag of Nesterov's,
    where their defaults are others."""
    if about["what"] == "function" or kind not in ("sgd", "momentum", "nesterov"):
        return {}
    found: dict[str, Any] = {}
    for p in about["signature"] or ():
        if plain(p["name"]) in MOMENTUM and kind == "sgd" and p["default"] not in ("0", "0.0", "None"):
            found[p["name"]] = 0.0
        elif plain(p["name"]) in NESTEROV and p["default"] != repr(kind == "nesterov"):
            found[p["name"]] = kind == "nesterov"
    return found


def in_order(params: list[dict[str, Any]]) -> list[str]:
    """What each parameter of an update of one array, or of a weight and its bias, gets; nothing if unknown.

    "key", "w" and "dw", or "w", "b", "dw" and "db"; beside them "t", the number of the step, and of one array
    also its moments, "moment 1" and "moment 2".
    """
    words = [plain(p["name"]) for p in params]
    keys = [word for word in words if word in KEYS]
    counters = [word for word in words if word in COUNTS and word not in keys]
    slopes = [word for word in words if word.startswith(("d", "g")) and word not in keys]
    arrays = [word for word in words if word not in (*keys, *counters, *slopes)]
    moments = [word for word in arrays[1:] if word in ITS_MOMENTS] if len(slopes) == 1 else []
    arrays = [word for word in arrays if word not in moments]
    counts = (len(keys), len(arrays), len(slopes))
    more = len(counters) == 1 or 0 < len(moments) < 3
    if counts not in ((1, 1, 1), (0, 2, 2), *[(0, 1, 1)] * more) or len(counters) > 1:
        return []
    given = dict(zip([*keys, *counters], [*["key"] * len(keys), *["t"] * len(counters)], strict=True))
    given |= {word: f"moment {i}" for i, word in enumerate(moments, start=1)}
    given |= dict(zip(arrays, ("w", "b"), strict=False)) | dict(zip(slopes, ("dw", "db"), strict=False))
    return [given[word] for word in words]


def of_layer(params: list[dict[str, Any]]) -> list[str]:
    """What an update of one layer is given, "layer" and "grads" or "dw" and "db"; nothing if unknown."""
    words = [plain(p["name"]) for p in params]
    if not words or words[0] not in LAYER:
        return []
    if len(words) == 2 and words[1] in (*SLOPES, *SLOPE):
        return ["layer", "grads"]
    slopes = len(words) == 3 and all(word.startswith(("d", "g")) for word in words[1:])
    return ["layer", "dw", "db"] if slopes else []


def _with(base: Convention, style: str, method: str) -> Convention:
    return replace(base, rule=style, forward=method)
