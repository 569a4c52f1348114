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

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from parity.adapters.arguments import plain
from parity.adapters.convention import Convention
from parity.adapters.laid_out import NUMBERS, OF_LAYERS
from parity.adapters.layers_given import LAYER, LAYERS, MODEL, WEIGHTS, ways_for
from parity.adapters.numbered_arguments import ARGUMENTS, is_descent_of_arguments
from parity.adapters.optimizer_names import (
    COUNTS,
    DECAYS,
    MOMENTS,
    ONE,
    SLOPE,
    SLOPES,
    TOGETHER,
    decay_of,
    rate_of,
)
from parity.adapters.recipe import recipe
from parity.adapters.rule_ahead import STYLES, method_ahead
from parity.adapters.rule_asked import ASKED
from parity.adapters.rule_constants import (
    BIASES_OF_ALL,
    HANDED,
    SIZES,
    WEIGHTS_OF_ALL,
    has_moments,
    holders,
    kept,
    numbers_of,
    odd_constant,
    odd_rate,
    off,
    other_decay,
    other_eps,
    parameter_names,
    size_of,
    sized,
    switched,
    taken_by_constructor,
    written,
)
from parity.adapters.rule_forms import RUN
from parity.adapters.rule_names import AFTER, BEFORE, KEYS, in_order, is_slope, of_layer, steps_of
from parity.adapters.rule_others import others_of
from parity.adapters.rule_runs import WORDS, roles_of
from parity.adapters.stateful import forms_of

BY_LETTER = "dicts by letter"
PAIRS = ("gradsandvars", "gradsandparams", "paramsandgrads", "varsandgrads", "paramsgrads", "paramgrads")
NAMED = ("namedparamsandgrads", "paramsandgradsbyname", "namedpairs")
STATES = ("state", "momentum", "memory", "config", *MOMENTS)
DESCENTS = ("arrays+lr", "lists+lr", "dicts+lr", "numbered")  # of arrays under one name, likeliest first
OF_ALL = ("dicts+lr", "numbered", "lists+lr", "arrays+lr")  # the same of all arrays
ONLY = {"by name": NAMED, "pairs": PAIRS, "objects": HANDED}  # by the name of the only parameter
IN_LISTS = ("layers", "model", "held layers", "held model")  # ways of `layers_given`
PARTLY_IN_LAYERS = "result: not every"  # array was changed
OF_NUMBERS = "to python scalars"  # what an error says of `math.sqrt` of an array
SHAPED = ("broadcast", "shape", "dimension", "unpack", "aligned", "index out of range", "out of bounds")
WITH_BIASES = (
    "in order",
    "given layer",
    "layer",
    "two lists",
    "held two lists",
    "lists and pairs",
    "in dicts",
)
OTHER_KIND = {"sgd": "momentum", "momentum": "sgd"}  # with a momentum, or without one
OF_PARAMS = (
    *("params", "params of pairs", "params of dicts", "params of variables", "params of weights"),
    *("params by name", "params by name of variables", "params by name of weights"),
    *("params by layer", "params by layer of variables", "params by layer of weights", "params of moments"),
)
LAYERS_AFTER_ALL = ("held layers, attributes", "held layers, dicts")  # under the name of parameters
OF_OBJECTS = (
    *("objects", "pairs", "objects of variables", "objects of weights", "objects of dicts"),
    *("objects by name", "objects by name of variables", "objects by name of weights"),
    *("objects by layer", "objects by layer of variables", "objects by layer of weights"),
    "objects of moments",
)
OF_ONE = ("object", "object of variables", "object of weights", "object of dicts")  # at a time
OBJECT = (*ONE, "variable", "var", "tensor", "parm")  # the name of the only parameter, which may be an object
OF_LAYER = ("given layer", "given layer of lists")
FOUR_LISTS = (["w", "b", "dw", "db"], ["w", "dw", "b", "db"])
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


def rules(about: dict[str, Any], kind: str) -> Iterator[Convention]:
    """The ways in which it may be called, by names and number of parameters; the likeliest first."""
    about = {**about, "signature": [*(about["signature"] or ()), *about["loose"]]}
    ways = _rules(about, kind, kept(about, kind), {})
    ahead = method_ahead(about["methods"]) if kind == "nesterov" else ""
    for way in ways:
        if not ahead or way.rule == ASKED:
            yield way
        elif way.rule in STYLES:
            yield replace(way, ahead=ahead)
    if numbers := written(about, kind):
        own = {name: attribute for name, attribute in kept(about, kind).items() if name not in numbers}
        yield from _rules(about, kind, own, numbers)


def _rules(
    about: dict[str, Any], kind: str, own: Mapping[str, str], numbers_written: Mapping[str, float]
) -> Iterator[Convention]:
    """The same with these constants kept in attributes, and these written in its code."""
    signature = about["signature"] or []
    base = Convention(kind, about["name"], eps=other_eps(about, kind), decay=other_decay(about, kind))
    base = replace(base, rate=odd_rate(about, kind), average=odd_constant(about, kind))
    holds_these = holders(about)
    prepare, shown = ("", "") if holds_these else preparing(about)
    base = replace(base, switched=switched(about, kind), off=off(about, kind), sized=sized(about, kind))
    base = replace(base, kept=own, written=numbers_written, held=holds_these)
    if about["what"] == "function" and (roles := roles_of(signature, kind)):
        yield _run(base, about["names"][0], roles)
    elif about["what"] == "function":
        rate, rest = rate_of(p["name"] for p in signature), _beside_numbers(signature)
        order = _by_name(rest, signature) if len(rest) <= 2 else ()
        if kind == "sgd" and is_descent_of_arguments([p["name"] for p in signature]):
            names = [p["name"] for p in signature if p["name"] != rate]
            yield replace(_with(base, ARGUMENTS, about["names"][0]), order=tuple(names))
        elif kind == "sgd" and rate and len(rest) >= 2:
            one = plain((order or rest)[0]) in ONE
            for style in DESCENTS if one else OF_ALL:
                yield replace(_with(base, style, about["names"][0]), order=order)
        elif kind == "sgd" and rate and len(rest) == 1:
            for style in ways_for(plain(rest[0])):
                yield replace(_with(base, style, about["names"][0]), order=order)
        elif forms := forms_of(signature, kind):
            for style in forms:
                yield _with(base, style, about["names"][0])
        elif len(signature) >= 2:
            yield _with(base, "config", about["names"][0])
    if about["what"] == "function":
        return
    first = [plain(name) for name in holds_these or ([shown] if shown and not size_of(shown) else [])]
    first = ["model" if word in TARGETS else word for word in first]
    holds = ways_for(first[0], held=True) if first else []
    handed = bool(first) and first[0] in HANDED
    of_params = [*OF_PARAMS, *([] if holds else LAYERS_AFTER_ALL)] if handed else []
    one_held = bool(holds_these) and first[0] in WORDS["start"] and not (holds or handed)
    both = handed and len(first) > 1 and first[1] in SLOPES
    two_lists = len(first) > 1 and not both
    counts = about["count"]
    taken, moments = {*taken_by_constructor(about, kind), *base.kept}, has_moments(about, kind)
    for name, parameters in about["methods"].items():
        roles = roles_of([p for p in parameters or () if p is not None], kind) if name[0] != "_" else {}
        if roles:
            yield _run(base, name, roles)
    for name in steps_of(about["methods"]):
        params = [p for p in about["methods"][name] or () if p is not None]
        numbers = numbers_of(params, taken, kind, moments)
        numbers |= others_of(params, numbers, about["uses"].get(name, {}))
        required = [p for p in params if p["required"] and p["name"] not in numbers]
        order = _by_name(parameter_names(required), params)
        required.sort(key=lambda p: order.index(p["name"]) if order else 0)
        only = plain(required[0]["name"]) if len(required) == 1 else ""
        given = next((way for way, names in ONLY.items() if only in names), "layer")
        alone = list(OF_OBJECTS) if given == "objects" else [given] if only != "layers" else []
        styles = {
            0: ["both", "both dicts"] if both else [*holds, *of_params],
            1: ["held", "held dicts", "held numbered"]
            if handed and not holds
            else [f"{way}, again" for way in holds]
            if holds and ways_for(only)
            else [
                *(f"{way}, by layer" for way in holds),
                *(f"{way}, in a row" for way in holds if way.endswith("lists")),
            ]
            if holds
            else [*alone, *ways_for(only), *(OF_ONE if only in OBJECT else ())],
            2: [
                *["held two lists"] * two_lists,
                *(f"{way}, two lists" for way in holds),
                *OF_LAYER * bool(of_layer(required)),
                *_with_slopes(required),
                *[BY_LETTER] * (bool(about["letters"]) and _decays(about)),
                *("dicts", "arrays", "lists", "in dicts", "by layer name", "numbered", "lists of pairs"),
                *["lists of numbers"],
                *[ASKED] * (len(required) == 2 and plain(required[1]["name"]) in WORDS["slope"]),
            ],
            3: [
                *["given layer"] * bool(of_layer(required)),
                *_with_slopes(required),
                *["state"] * any(plain(p["name"]) in STATES for p in required[2:]),
                *["lists and pairs"] * _are_lists_and_pairs(required),
            ],
        }
        if one_held:
            styles = {1: ["held array"] * _are_slopes(required)}
        if len(required) == 2 and any(plain(p["name"]) in COUNTS for p in required):
            styles[2] = []  # a number of the step is no array
        if len(required) == 2 and _is_slope(required[0]["name"]) and not _are_slopes(required):
            styles[2] = []  # a gradient beside what is no array: get_update(grad, cache)
        if "sizes" in base.sized.values():
            styles = {2: ["chained"]}
        given_alone = len(required) == 1 and _is_slope(required[0]["name"])
        given_alone &= not first or plain(prepare).startswith("set")  # which may be of options
        keyed = [p for p in required if plain(p["name"]) in KEYS]
        if given_alone and plain(prepare).startswith("set") and not size_of(shown):
            yield replace(_with(base, "held array", name), numbers=numbers, prepare=prepare)
        if (given_alone or _is_slope_and_key(required, keyed)) and not holds_these:
            slopes = {**numbers, **{p["name"]: "key" for p in keyed}}
            order = _by_name([p["name"] for p in required if p not in keyed], params)
            by_rate = "lr" not in {*taken, *numbers.values(), *recipe(kind).optional} and not base.rate
            way = replace(base, forward=name, numbers=slopes, order=order, by_rate=by_rate)
            one = plain(required[0]["name"]) in SLOPE or bool(keyed)
            several = [] if keyed else ["step of list", "step of dict"]
            for style in ["step of slope", *several] if one else [*several, "step of slope"]:
                yield replace(way, rule=style)
        if len(required) == 3 and _is_of_keyed_layers(required):
            styles[3] = ["dict of a layer", "list of a layer", *styles[3]]
        if len(required) > 2 and in_order(required):
            two = ["two lists"] * (in_order(required) in FOUR_LISTS)
            styles[len(required)] = [*styles.get(len(required), ()), "in order", *two]
        for style in styles.get(len(required), ()):
            way = replace(_with(base, style, name), numbers=numbers, order=order, count=counts.get(name, ""))
            if not prepare or not style.startswith(("held", "params")):
                yield way
            if prepare:
                yield replace(way, prepare=prepare, prepared_by=size_of(shown))
        if holds_these and required and _are_slopes(required):
            yield from _in_two_calls(base, name, numbers, styles.get(len(required), ()), about)
        for meaning, words in (("key", KEYS), ("t", COUNTS)):
            if (numbered := _layer_beside(required, words)) is not None:
                order = _by_name([numbered[0]], params)
                for style in ways_for(plain(numbered[0])):
                    more = {**numbers, numbered[1]: meaning}
                    yield replace(_with(base, style, name), numbers=more, order=order)
        if counted := _counter(required):
            with_t = {**numbers, counted: "t"}
            others = [p for p in required if p["name"] != counted]
            order = _by_name(parameter_names(others), [])
            of_one = ["given layer"] * bool(of_layer(others))
            for style in (*of_one, "dicts", "lists", "in dicts", "by layer name", "numbered"):
                yield replace(_with(base, style, name), numbers=with_t, order=order)


def in_other_shapes(
    tried: Iterable[tuple[Convention, str]], from_second: bool = False
) -> Iterator[Convention]:
    """The ways of these that refused an array for its shape, with arrays in those of `laid_out`, or with an
    optimizer for each layer or array; those that leave the first layer alone with one that has no arrays."""
    for way, error in tried:
        if "inhomogeneous" in error:
            yield replace(way, apart=True)
        elif error == PARTLY_IN_LAYERS and from_second and way.rule.split(", ")[0] in IN_LISTS:
            yield replace(way, head=True)
        elif OF_NUMBERS in error.lower() and way.rule in ("arrays", "step of slope"):
            yield replace(way, laid=NUMBERS)
        elif any(word in error for word in SHAPED):
            flat = way.prepared_by == "count" or "count" in way.sized.values()
            layouts = ["flat"] if flat else OF_LAYERS if _has_biases(way) else []
            one = way.rule.startswith("layer, ")
            yield from (replace(way, each=True) for _ in range(one))
            yield from (replace(way, laid=layout, each=one) for layout in layouts)


def _has_biases(way: Convention) -> bool:
    """Whether weights and biases are handed over together."""
    return way.rule in WITH_BIASES or ("," in way.rule and not way.rule.endswith("single"))


def _run(base: Convention, name: str, roles: Mapping[str, str]) -> Convention:
    """All steps in one call; how many are asked for is given."""
    return replace(_with(base, RUN, name), numbers={n: role for n, role in roles.items() if role == "steps"})


def _decays(about: dict[str, Any]) -> bool:
    """Whether it knows a weight decay, which it may give to arrays of some names alone."""
    names = [*parameter_names(about["signature"] or ()), *about["kept"]]
    return any(plain(name) in DECAYS for name in names)


def preparing(about: dict[str, Any]) -> tuple[str, str]:
    """The method that is shown the arrays before the first step, and its parameter; "" for none."""
    for name, params in about["methods"].items():
        required = [p["name"] for p in params or () if p is not None and p["required"]]
        known = (*TOGETHER, *MODEL, *LAYERS, *TARGETS, *SIZES["count"], *SIZES["shape"])
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


def _is_of_keyed_layers(required: list[dict[str, Any]]) -> bool:
    """Whether arrays, their gradients and a key are handed over, layer by layer: params, grads, layer_id."""
    words = [plain(p["name"]) for p in required]
    keys, slopes = [w for w in words if w in KEYS], [w for w in words if is_slope(w)]
    return len(keys) == len(slopes) == 1 and any(w in TOGETHER for w in words)


def _are_lists_and_pairs(required: list[dict[str, Any]]) -> bool:
    """Whether they are the weights, the biases, and the gradients of both."""
    words = [plain(p["name"]) for p in required]
    known = (WEIGHTS_OF_ALL, BIASES_OF_ALL, SLOPES)
    return len(words) == 3 and all(word in names for word, names in zip(words, known, strict=True))


def _with_slopes(required: list[dict[str, Any]]) -> list[str]:
    """How a model or layers are handed over with gradients beside them."""
    words = [plain(p["name"]) for p in required]
    if not words or words[0] not in (*MODEL, *LAYERS) or not _are_slopes(required[1:]):
        return []
    forms = ["by layer", "in pairs"] if len(words) == 2 else ["two lists"]
    return [f"{way}, {beside}" for beside in forms for way in ways_for(words[0])]


def is_of_one_layer(way: Convention, about: dict[str, Any]) -> bool:
    """Whether its step gets one layer after another, and nothing says which, or when all have had theirs."""
    around = any(plain(name).startswith((*BEFORE, *AFTER)) for name in about["methods"])
    one = way.rule in ("layer", "given layer") or way.rule.startswith("layer, ")
    return about["what"] == "class" and one and not around and not {"key", "t"} & {*way.numbers.values()}


def _layer_beside(required: list[dict[str, Any]], words: Collection[str]) -> tuple[str, str] | None:
    """Of two parameters the layer, layers or model, and the one that has one of these names; else None."""
    names = parameter_names(required)
    first = [name for name in names if plain(name) in (*LAYER, *LAYERS, *MODEL)]
    other = [name for name in names if plain(name) in words]
    return (first[0], other[0]) if len(names) == 2 and len(first) == len(other) == 1 else None


def updates_by_book(about: dict[str, Any]) -> bool:
    """Whether it may be called as `update(params, grads)`."""
    if about["what"] != "class":
        return True
    params = about["methods"].get("update", ())
    return params is None or (len(params) >= 2 and sum(p["required"] for p in params) <= 2)


def _beside_numbers(signature: list[dict[str, Any]]) -> list[str]:
    """What a function of gradient descent takes beside its rate and its weight decay."""
    names = parameter_names(signature)
    numbers = {rate_of(names), decay_of(names)}
    return [p["name"] for p in signature if p["required"] and p["name"] not in numbers]


def _by_name(rest: list[str], params: list[dict[str, Any]]) -> tuple[str, ...]:
    """Those parameters with gradients after their arrays, where they are not the first ones in this order;
    nothing where they can go by their places."""
    turned = len(rest) == 2 and _is_slope(rest[0]) and plain(rest[1]) in (*TOGETHER, *ONE, *WEIGHTS, *LAYER)
    order = rest[::-1] if turned else rest
    if any(name.startswith("*") for name in order) or order == parameter_names(params)[: len(order)]:
        return ()
    return tuple(order)


def _are_slopes(params: Iterable[dict[str, Any]]) -> bool:
    """Whether all that is handed over beside a model or its layers are gradients: dW, delta_w, b_grads."""
    words = [plain(name) for name in parameter_names(params)]
    return all(w.startswith(("d", "g", "nabla")) or w.endswith(("grad", "grads", "gradients")) for w in words)


def _is_slope(name: str) -> bool:
    return is_slope(plain(name))


def _counter(required: list[dict[str, Any]]) -> str:
    """The number of the step among two that are arrays and their gradients; "" where there is none."""
    found = [p["name"] for p in required if plain(p["name"]) in COUNTS]
    return found[0] if len(required) in (3, 4) and len(found) == 1 else ""


def _with(base: Convention, style: str, method: str) -> Convention:
    return replace(base, rule=style, forward=method)
