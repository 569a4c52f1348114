"""The ways in which people call optimizers; `Rule` calls them so. Needs NumPy alone.

dicts    update(params, grads), dicts of arrays by name
lists    the same with lists
arrays   update(w, dw) -> w, or w changed in place; an optimizer for each array
layer    update_params(layer), with .weights, .biases, .dweights, .dbiases
params   cls(params, lr), then step(); each parameter has .data and .grad; params of pairs: each is a pair of
         an array and its gradient; params of dicts: a dict of both
         params of variables: each has .grad.data; params of weights: .w and .dw; params by name: a dict
objects  step(params); each parameter has .data and .grad, or one of these; object: step(param), one by one
in dicts  update(params, grads), lists of dicts, one dict per layer; by layer name: dicts of dicts
layers   cls(layers, lr), then step(); or step(layers), update(layer), step(model): see `layers_given`; with
         gradients beside them, update(model, grads)
held     cls(params, lr), then step(grads), lists of arrays
both     cls(params, grads, lr), then step(), lists of arrays; both dicts: dicts of them
held two lists  cls(weights, biases, lr), then step(dw, db), lists of arrays; two lists: update(weights,
         biases, dw, db)
pairs    apply_gradients([(dw, w), ...])
by name  step({name: (w, dw)})
state    update(w, dw, state) -> w, state; the state is None at first
config   a function (w, dw, config) -> w, config
in order  update(name, w, dw) or update(w, dw, name), and update(w, b, dw, db); names tell which is which,
         and may ask for the number of the step, t, from 0 or 1, or for moments, update(w, dw, m, v) -> w,
         m, v; where no name of the array is asked for, there is an optimizer for each
given layer  update(layer, grads) or update(layer, dw, db), with .weights and .bias; an optimizer for each
numbered  update(params, grads), dicts of W1, b1, W2, b2 and of dW1, db1, ...: also a function with the rate
held dicts  cls(params, lr), then step(grads), dicts of arrays; held numbered: of W1, b1, W2, b2
chained  cls(sizes, lr), then update(params, grads), dicts of W1, b1, ...: see `chained`
step of slope  update(grad) -> the step; step of list, step of dict: of all gradients (`returned_steps`)
layers, a model and the learning rate: the ways of `layers_given` for a function
arrays+lr, lists+lr, dicts+lr  a function of those and the learning rate: plain gradient descent

The method may be given the rate and other constants at each call, update(params, grads, lr), and the number
of the step; and it may take gradients first. A constructor may take beta1 and beta2 as a pair. Its small
constant (eps) is given PyTorch's value, and so is a weight decay whose default is another. Plain gradient
descent is given a momentum of 0. A decay of the rate by its own code is turned off, and a batch has 1 sample.
A method like `setup(params)` is called before the first step.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from parity.adapters.arguments import plain, room, spellings
from parity.adapters.convention import Convention
from parity.adapters.layers_given import LAYER, LAYERS, MODEL, WEIGHTS, ways_for
from parity.adapters.optimizer_names import (
    BATCH,
    COUNTS,
    DECAYS,
    EPSILON,
    MOMENTS,
    ONE,
    RATES,
    SLOPE,
    SLOPES,
    TOGETHER,
    decay_of,
    rate_of,
)
from parity.adapters.recipe import recipe
from parity.adapters.stateful import CONSTANTS, KINDS, averaged, forms_of

STEP = (
    *("update", "step", "updateparams", "updateweights", "updateparameters", "apply", "applygradients"),
    *("optimize", "applygradient", "__call__", "call", "updates", "fit", "get_updates", "applygrads"),
    *("updateparam", "updateweight", "updatelayer", "updatelayers", "applyupdate", "applyupdates"),
    *("optimise", "optimizestep", "optimizerstep", "takestep", "gradientstep", "performupdate", "minimize"),
)
VERBS, THINGS = (  # of other names: update_parms, apply_to_layer
    "update|updates|apply|step|optimi[sz]e|adjust|perform|take|make|run|descend",
    "params?|parms?|parameters?|weights?|bias|biases|grads?|gradients?|layers?|model|network|net|variables?|vars?|"
    "steps?|updates?|all|to|on|with|by|the|of|and|one|single|descent|optimizer|optimizing|rule",
)
OTHER_STEP = re.compile(f"({VERBS})({THINGS})*")
HANDED = (*TOGETHER, "layers")
PAIRS = ("gradsandvars", "gradsandparams", "paramsandgrads", "varsandgrads", "paramsgrads", "paramgrads")
NAMED = ("namedparamsandgrads", "paramsandgradsbyname", "namedpairs")
STATES = ("state", "momentum", "memory", "config", *MOMENTS)
KEYS = (
    *("name", "key", "k", "paramname", "layername", "id", "paramid", "index", "idx", "i"),
    *("layerid", "layeridx", "layerindex", "layernum", "layernumber", "layerno", "layerkey", "layeri"),
    *("paramkey", "paramidx", "paramindex", "varname", "weightname", "pid", "uid", "layern"),
)
ITS_MOMENTS = ("momentum", *MOMENTS)  # of one array, in a method's parameters
DESCENTS = ("arrays+lr", "lists+lr", "dicts+lr", "numbered")  # of arrays under one name, likeliest first
ONLY = {"by name": NAMED, "pairs": PAIRS, "objects": HANDED}  # by the name of the only parameter
MOMENTUM = (
    *("momentum", "mu", "mom", "momentumrate", "momentumcoefficient", "momentumcoeff", "momentumfactor"),
    "beta",
)
VELOCITIES = ("v", "velocity", "velocities", "vel", "vs", "vt")  # attributes
BY_VELOCITY = ("gamma", "rho", "alpha")  # momentum's constant where there is a velocity
NESTEROV = ("nesterov", "usenesterov", "isnesterov")
SCHEDULE = (
    "decay",
    "lrdecay",
    "learningratedecay",
    "decayrate",
    "lrdecayrate",
)  # of the rate, by its own code
FACTOR = 0.3  # the least default of such a decay that multiplies the rate, and is 1 where it is off
OTHER_KIND = {"sgd": "momentum", "momentum": "sgd"}  # with a momentum, or without one
OF_PARAMS = (
    *("params", "params of pairs", "params of dicts", "params of variables", "params of weights"),
    *("params by name", "params by name of variables", "params by name of weights"),
)
OF_OBJECTS = (
    *("objects", "pairs", "objects of variables", "objects of weights", "objects of dicts"),
    *("objects by name", "objects by name of variables", "objects by name of weights"),
)
OF_ONE = ("object", "object of variables", "object of weights", "object of dicts")  # at a time
OBJECT = (*ONE, "variable", "var", "tensor", "parm")  # the name of the only parameter, which may be an object
EPS = {"adam": 1e-8, "adamw": 1e-8, "rmsprop": 1e-8, "adagrad": 1e-10}  # PyTorch's
WRITTEN = {kind: {"beta1": 0.9, "beta2": 0.999} for kind in ("adam", "adamw")}  # PyTorch's
WEIGHTS_OF_ALL, BIASES_OF_ALL = ("weights", "w", "ws", "weight"), ("biases", "b", "bs", "bias")
FOUR_LISTS = (["w", "b", "dw", "db"], ["w", "dw", "b", "db"])
LEAST = 0.5  # of what may be one of these
BEFORE = ("preupdate", "prestep", "beforeupdate", "beforestep")  # how names of methods begin
AFTER = ("postupdate", "poststep", "afterupdate", "afterstep")
EMPTY = ("zerograd", "resetgrad", "cleargrad", "zerodelta", "resetdelta")
SIZES = {  # what a constructor may ask for beside its constants
    "batch_size": BATCH,
    "sizes": (
        *("layersdim", "layersdims", "layerdims", "layerdim", "dims", "layersizes", "layerssizes", "sizes"),
        *("layersize", "networksizes", "networkdims", "nnlayers"),
    ),
    "shape": ("shape", "paramshape", "gradshape", "size"),
    "shape of W": ("wshape", "weightshape", "weightsshape", "shapew"),
    "shape of b": ("bshape", "biasshape", "biasesshape", "shapeb"),
}
PREPARE = (
    *(
        "setup",
        "initialize",
        "initialise",
        "init",
        "build",
        "register",
        "prepare",
        "compile",
        "attach",
        "bind",
    ),
    *("setparams", "setparameters", "registerparams", "registerparameters", "addparams", "initparams"),
    *("initializeparams", "initializeparameters", "initstate", "initializestate", "initmoments", "link"),
    *(
        "setlayers",
        "setmodel",
        "setnetwork",
        "settarget",
        "addparameters",
        "initializemoments",
        "initializer",
    ),
)
TARGETS = ("target", "link", "block")  # of such a method, a model
OF_STEP = re.compile(  # methods that return the step; they get gradients alone
    "(get|compute|calc|calculate|find|make)?_?(the)?_?(updates?|steps?|deltas?|changes?|direction|gradients?)"
    "(_?(values?|steps?|updates?))?"
)


def rules(about: dict[str, Any], kind: str) -> Iterator[Convention]:
    """The ways in which it may be called, by names and number of parameters; the likeliest first."""
    yield from _rules(about, kind, kept(about, kind), {})
    if numbers := written(about, kind):
        own = {name: attribute for name, attribute in kept(about, kind).items() if name not in numbers}
        yield from _rules(about, kind, own, numbers)


def _rules(
    about: dict[str, Any], kind: str, own: Mapping[str, str], numbers_written: Mapping[str, float]
) -> Iterator[Convention]:
    """The same with these constants kept in attributes, and these written in its code."""
    signature = about["signature"] or []
    base = Convention(kind, about["name"], eps=other_eps(about, kind), decay=other_decay(about, kind))
    base = replace(base, rate=odd_rate(about, kind), average=odd_momentum(about, kind))
    holds_these = holders(about)
    prepare, shown = ("", "") if holds_these else preparing(about)
    base = replace(base, switched=switched(about, kind), off=off(about, kind), sized=sized(signature))
    base = replace(base, kept=own, written=numbers_written, held=holds_these)
    if about["what"] == "function":
        rate, rest = rate_of(p["name"] for p in signature), _beside_numbers(signature)
        order = _by_name(rest, signature) if len(rest) <= 2 else ()
        if kind == "sgd" and rate and len(rest) >= 2:
            one = plain((order or rest)[0]) in ONE
            for style in DESCENTS if one else reversed(DESCENTS):
                yield replace(_with(base, style, about["names"][0]), order=order)
        elif kind == "sgd" and rate and len(rest) == 1:
            for style in ways_for(plain(rest[0])):
                yield replace(_with(base, style, about["names"][0]), order=order)
        elif forms := forms_of(signature, kind):
            for style in forms:
                yield _with(base, style, about["names"][0])
        elif len(signature) >= 2:
            yield _with(base, "config", about["names"][0])
        return
    first = [plain(name) for name in holds_these or ([shown] if shown else [])]
    first = ["model" if word in TARGETS else word for word in first]
    holds = ways_for(first[0], held=True) if first else []
    handed = bool(first) and first[0] in HANDED
    both = handed and len(first) > 1 and first[1] in SLOPES
    two_lists = len(first) > 1 and not both
    taken = {*_taken(about, kind), *base.kept}
    for name in steps_of(about["methods"]):
        params = [p for p in about["methods"][name] or () if p is not None]
        numbers = numbers_of(params, taken, kind)
        required = [p for p in params if p["required"] and p["name"] not in numbers]
        order = _by_name(_names(required), params)
        required.sort(key=lambda p: order.index(p["name"]) if order else 0)
        only = plain(required[0]["name"]) if len(required) == 1 else ""
        given = next((way for way, names in ONLY.items() if only in names), "layer")
        alone = list(OF_OBJECTS) if given == "objects" else [given] if only != "layers" else []
        styles = {
            0: ["both", "both dicts"] if both else [*holds, *(OF_PARAMS if handed else ())],
            1: ["held", "held dicts", "held numbered"]
            if handed and not holds
            else [f"{way}, by layer" for way in holds]
            if holds
            else [*alone, *ways_for(only), *(OF_ONE if only in OBJECT else ())],
            2: [
                *["held two lists"] * two_lists,
                *(f"{way}, two lists" for way in holds),
                *["given layer"] * bool(of_layer(required)),
                *_with_slopes(required),
                *("dicts", "arrays", "lists", "in dicts", "by layer name", "numbered"),
            ],
            3: [
                *["given layer"] * bool(of_layer(required)),
                *_with_slopes(required),
                *["state"] * any(plain(p["name"]) in STATES for p in required[2:]),
            ],
        }
        if "sizes" in base.sized.values():
            styles = {2: ["chained"]}
        given_alone = len(required) == 1 and _is_slope(required[0]["name"]) and not first
        keyed = [p for p in required if plain(p["name"]) in KEYS]
        if (given_alone or _is_slope_and_key(required, keyed)) and not holds_these:
            slopes = {**numbers, **{p["name"]: "key" for p in keyed}}
            order = _by_name([p["name"] for p in required if p not in keyed], params)
            by_rate = "lr" not in {*taken, *numbers.values()} and not base.rate
            way = replace(base, forward=name, numbers=slopes, order=order, by_rate=by_rate)
            one = plain(required[0]["name"]) in SLOPE or bool(keyed)
            several = [] if keyed else ["step of list", "step of dict"]
            for style in ["step of slope", *several] if one else [*several, "step of slope"]:
                yield replace(way, rule=style)
        if len(required) > 2 and in_order(required):
            two = ["two lists"] * (in_order(required) in FOUR_LISTS)
            styles[len(required)] = [*styles.get(len(required), ()), "in order", *two]
        for style in styles.get(len(required), ()):
            way = replace(_with(base, style, name), numbers=numbers, order=order)
            if not prepare or not style.startswith(("held", "params")):
                yield way
            if prepare:
                yield replace(way, prepare=prepare)
        if holds_these and required and _are_slopes(required):
            yield from _in_two_calls(base, name, numbers, styles.get(len(required), ()), about)
        for meaning, words in (("key", KEYS), ("t", COUNTS)):
            if (numbered := _layer_beside(required, words)) is not None:
                order = _by_name([numbered[0]], params)
                for style in ways_for(plain(numbered[0])):
                    more = {**numbers, numbered[1]: meaning}
                    yield replace(_with(base, style, name), numbers=more, order=order)
        if counted := _counter(required):
            counts = {**numbers, counted: "t"}
            order = _by_name([name for name in _names(required) if name != counted], [])
            for style in ("dicts", "lists", "in dicts", "by layer name", "numbered"):
                yield replace(_with(base, style, name), numbers=counts, order=order)


def preparing(about: dict[str, Any]) -> tuple[str, str]:
    """The method that is shown the arrays before the first step, and its parameter; "" for none."""
    for name, params in about["methods"].items():
        required = [p["name"] for p in params or () if p is not None and p["required"]]
        known = (*TOGETHER, *MODEL, *LAYERS, *TARGETS)
        if plain(name) in PREPARE and len(required) == 1 and plain(required[0]) in known:
            return name, required[0]
    return "", ""


def _is_slope_and_key(required: list[dict[str, Any]], keyed: list[dict[str, Any]]) -> bool:
    rest = [p for p in required if p not in keyed]
    return len(keyed) == 1 and len(rest) == 1 and _is_slope(rest[0]["name"])


def _in_two_calls(
    base: Convention, name: str, numbers: dict[str, str], styles: Sequence[str], about: dict[str, Any]
) -> Iterator[Convention]:
    """Gradients are given by one method, and the step is made by another one without parameters."""
    for other in steps_of(about["methods"]):
        params = [p for p in about["methods"][other] or () if p is not None and p["required"]]
        for style in styles if not params and other != name else ():
            yield replace(_with(base, style, name), numbers=numbers, then=other)


def sized(signature: Iterable[dict[str, Any]]) -> dict[str, str]:
    """The parameters that get sizes: by which gradients are divided that are sums over a batch, those of the
    layers, and shapes of arrays."""
    found = {}
    for p in signature:
        what = next((what for what, words in SIZES.items() if plain(p["name"]) in words), "")
        if what and (what == "batch_size" or p["required"]):
            found[p["name"]] = what
    return found


def _with_slopes(required: list[dict[str, Any]]) -> list[str]:
    """How a model or layers are handed over with gradients beside them."""
    words = [plain(p["name"]) for p in required]
    if not words or words[0] not in (*MODEL, *LAYERS) or not _are_slopes(required[1:]):
        return []
    beside = "by layer" if len(words) == 2 else "two lists"
    return [f"{way}, {beside}" for way in ways_for(words[0])]


def is_of_one_layer(way: Convention, about: dict[str, Any]) -> bool:
    """Whether its step gets one layer after another, and nothing says which, or when all have had theirs."""
    around = any(plain(name).startswith((*BEFORE, *AFTER)) for name in about["methods"])
    one = way.rule == "layer" or way.rule.startswith("layer, ")
    return about["what"] == "class" and one and not around and not {"key", "t"} & {*way.numbers.values()}


def _layer_beside(required: list[dict[str, Any]], words: Collection[str]) -> tuple[str, str] | None:
    """Of two parameters the layer, layers or model, and the one that has one of these names; else None."""
    names = _names(required)
    first = [name for name in names if plain(name) in (*LAYER, *LAYERS, *MODEL)]
    other = [name for name in names if plain(name) in words]
    return (first[0], other[0]) if len(names) == 2 and len(first) == len(other) == 1 else None


def steps_of(methods: Iterable[str]) -> list[str]:
    """The methods whose names say that they make a step, the likeliest first."""
    known = [
        name for word in STEP for name in methods if name == word or (plain(name) == word and name[0] != "_")
    ]
    other = [
        name
        for name in methods
        if name[0] != "_" and (OTHER_STEP.fullmatch(plain(name)) or OF_STEP.fullmatch(plain(name)))
    ]
    return list(dict.fromkeys([*known, *other]))


def updates_by_book(about: dict[str, Any]) -> bool:
    """Whether it may be called as `update(params, grads)`."""
    if about["what"] != "class":
        return True
    params = about["methods"].get("update", ())
    return params is None or (len(params) >= 2 and sum(p["required"] for p in params) <= 2)


def numbers_of(params: list[dict[str, Any]], taken: Collection[str], kind: str) -> dict[str, str]:
    """The constants that a method is given at each call: its parameter -> the argument.

    `taken` are those that the constructor takes or keeps: of these only a rate is one that has to be given.
    """
    own = {name: CONSTANTS[name] for name in KINDS.get(kind, ())}
    tables: dict[str, Sequence[str]] = {"lr": RATES, **own}
    tables |= {"weight_decay": DECAYS} | ({"eps": EPSILON} if kind in EPS else {})
    tables |= {"betas": ("betas",)} if "beta1" in tables else {}
    tables |= {"batch_size": BATCH}
    found: dict[str, str] = {}
    for p in params:
        word = plain(p["name"])
        argument = next((a for a, words in tables.items() if word in words and a not in found.values()), "")
        moment = p["required"] and word in ITS_MOMENTS and "lr" in taken  # an array that the caller keeps
        if argument and not moment and (argument not in taken or (p["required"] and argument == "lr")):
            found[p["name"]] = argument
    return found


def _names(params: Iterable[dict[str, Any]]) -> list[str]:
    return [p["name"] for p in params]


def _beside_numbers(signature: list[dict[str, Any]]) -> list[str]:
    """What a function of gradient descent takes beside its rate and its weight decay."""
    names = _names(signature)
    numbers = {rate_of(names), decay_of(names)}
    return [p["name"] for p in signature if p["required"] and p["name"] not in numbers]


def _by_name(rest: list[str], params: list[dict[str, Any]]) -> tuple[str, ...]:
    """Those parameters with gradients after their arrays, where they are not the first ones in this order;
    nothing where they can go by their places."""
    turned = len(rest) == 2 and _is_slope(rest[0]) and plain(rest[1]) in (*TOGETHER, *ONE, *WEIGHTS, *LAYER)
    order = rest[::-1] if turned else rest
    if any(name.startswith("*") for name in order) or order == _names(params)[: len(order)]:
        return ()
    return tuple(order)


def _are_slopes(params: Iterable[dict[str, Any]]) -> bool:
    """Whether all that is handed over beside a model or its layers are gradients: dW, delta_w, b_grads."""
    words = [plain(name) for name in _names(params)]
    return all(w.startswith(("d", "g", "nabla")) or w.endswith(("grad", "grads", "gradients")) for w in words)


def _is_slope(name: str) -> bool:
    word = plain(name)
    return word in (*SLOPES, *SLOPE) or word.startswith("grad") or word.endswith(("grad", "grads"))


def _counter(required: list[dict[str, Any]]) -> str:
    """The number of the step among two that are arrays and their gradients; "" where there is none."""
    found = [p["name"] for p in required if plain(p["name"]) in COUNTS]
    return found[0] if len(required) == 3 and len(found) == 1 else ""


def odd_rate(about: dict[str, Any], kind: str) -> str:
    """What the constructor calls the rate, where that is eps and the kind has no small constant."""
    if about["what"] == "function" or kind in EPS:
        return ""
    found = rate_of([p["name"] for p in about["signature"] or ()])
    return found if plain(found) in EPSILON else ""


def odd_momentum(about: dict[str, Any], kind: str) -> str:
    """What the constructor calls momentum's constant, where that is no name of it alone; "" for none."""
    found = averaged(about["signature"] or (), kind)
    return found or (momentum_by_velocity(about) if kind in ("momentum", "nesterov") else "")


def momentum_by_velocity(about: dict[str, Any]) -> str:
    """Momentum's constant under a name that others have too, beside a rate and a velocity; "" for none."""
    words = {plain(name): name for name in _names(about["signature"] or ())}
    velocity = any(plain(name) in VELOCITIES for name in about["kept"])
    named = {*words} & {*MOMENTUM, *BY_VELOCITY}
    if about["what"] != "class" or not velocity or len(named) != 1 or not {*words} & {*RATES} - named:
        return ""
    return next((words[word] for word in named if word in BY_VELOCITY), "")


def holders(about: dict[str, Any]) -> tuple[str, ...]:
    """The parameters of the constructor that get the arrays: params or params and grads, weights and biases,
    layers or a model; they are required or None where they are not given."""
    if about["what"] == "function":
        return ()
    asked = [p["name"] for p in about["signature"] or () if p["required"] or p["default"] == "None"]
    for name, after in zip(asked, [*asked[1:], ""], strict=False):
        word, beside = plain(name), plain(after)
        if beside in (SLOPES if word in HANDED else ()):
            return name, after
        if word in WEIGHTS_OF_ALL and beside in BIASES_OF_ALL:
            return name, after
        if word in HANDED or ways_for(word, held=True):
            return (name,)
    return ()


def _constants_taken(about: dict[str, Any]) -> list[str]:
    """The parameters of the constructor without what holds the arrays."""
    held = holders(about)
    return [name for name in _names(about["signature"] or ()) if name not in held]


def _taken(about: dict[str, Any], kind: str) -> list[str]:
    """The arguments of the kind that the constructor takes, under whatever name."""
    odd = {"lr": odd_rate(about, kind), "momentum": odd_momentum(about, kind)}
    return [*room(_constants_taken(about), recipe(kind)), *(name for name, word in odd.items() if word)]


def kept(about: dict[str, Any], kind: str) -> dict[str, str]:
    """The kind's constants that its code sets in an attribute and nothing takes: argument -> attribute."""
    names = _constants_taken(about)
    if about["what"] != "class" or "betas" in map(plain, names):
        return {}
    taken = _taken(about, kind)
    found: dict[str, str] = {}
    for argument in recipe(kind).order:
        further = RATES if argument == "lr" else CONSTANTS.get(argument, ())
        for known in ([*map(plain, spellings(argument))], further):
            own = [name for name in about["kept"] if plain(name) in known]
            if argument not in (*taken, *found) and len(own) == 1:
                found[argument] = own[0]
    return found


def written(about: dict[str, Any], kind: str) -> dict[str, float]:
    """The kind's constants that its code has as numbers, which are PyTorch's defaults and the only ones of
    their size; nothing where something takes one of them."""
    usual = WRITTEN.get(kind, {})
    names = [
        *_constants_taken(about),
        *(n for m in about["methods"].values() for n in _names(filter(None, m or ()))),
    ]
    taken = {plain(name) for name in names}
    words = {word for argument in usual for word in CONSTANTS[argument]} | {"betas"}
    large = {number for number in about["literals"] if number >= LEAST}
    return dict(usual) if usual and large == {*usual.values()} and not taken & words else {}


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
    by_velocity = momentum_by_velocity(about)
    for p in about["signature"] or ():
        momentum = plain(p["name"]) in MOMENTUM or p["name"] == by_velocity
        if momentum and kind == "sgd" and p["default"] not in ("0", "0.0", "None"):
            found[p["name"]] = 0.0
        elif plain(p["name"]) in NESTEROV and p["default"] != repr(kind == "nesterov"):
            found[p["name"]] = kind == "nesterov"
    return found


def off(about: dict[str, Any], kind: str) -> dict[str, float]:
    """The decay of the rate in the constructor, where its default is one, and what turns it off: 0, or 1 for
    a factor. A decay that may be the kind's own, or that of the weights, is left alone."""
    names = [plain(p["name"]) for p in about["signature"] or ()]
    own = kind == "rmsprop" and not {*names} & {*CONSTANTS["decay_rate"]} - {*SCHEDULE}
    if about["what"] != "class" or own or kind == "adamw":
        return {}
    found = {}
    for p in about["signature"] or ():
        number = _number(p["default"]) if plain(p["name"]) in SCHEDULE else 0.0
        if 0 < number < 1:
            found[p["name"]] = 1.0 if number >= FACTOR else 0.0
    return found


def _number(text: str) -> float:
    """The number that is written so; 0 for anything else."""
    try:
        return float(text)
    except ValueError:
        return 0.0


def in_order(params: list[dict[str, Any]]) -> list[str]:
    """What each parameter of an update of one array, or of a weight and its bias, gets; nothing if unknown.

    "key", "w" and "dw", or "w", "b", "dw" and "db"; beside them "t", the number of the step, and of one array
    also its moments, "moment 1" and "moment 2".
    """
    words = [plain(p["name"]) for p in params]
    keys = [word for word in words if word in KEYS]
    counters = [word for word in words if word in COUNTS and word not in keys]
    slopes = [word for word in words if word.startswith(("d", "g")) and word not in keys]
    slopes += [word for word in words if word.endswith(("grad", "grads", "gradient")) and word not in slopes]
    arrays = [word for word in words if word not in (*keys, *counters, *slopes)]
    moments = [word for word in arrays[1:] if word in ITS_MOMENTS] if len(slopes) == 1 else []
    arrays = [word for word in arrays if word not in moments]
    counts = (len(keys), len(arrays), len(slopes))
    more = len(counters) == 1 or 0 < len(moments) < 3
    if counts not in ((1, 1, 1), (0, 2, 2), (1, 2, 2), *[(0, 1, 1)] * more) or len(counters) > 1:
        return []
    given = dict(zip([*keys, *counters], [*["key"] * len(keys), *["t"] * len(counters)], strict=True))
    given |= {word: f"moment {i}" for i, word in enumerate(moments, start=1)}
    slopes.sort(key=words.index)
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
