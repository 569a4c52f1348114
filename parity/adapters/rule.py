"""One optimizer, called in one of the ways of `rules`. Needs NumPy alone."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy as np

from parity.adapters.arguments import Misfit, call, plain, room, signature
from parity.adapters.array_letters import letters_in, names_asked_for
from parity.adapters.array_lists import (
    are_like,
    attribute_of,
    both_like,
    from_two_lists,
    in_layers,
    taken_over,
    two_lists,
)
from parity.adapters.chained import chains, zeros_of
from parity.adapters.code_objects import codes_of, constants_in
from parity.adapters.convention import Convention
from parity.adapters.laid_out import laid_out
from parity.adapters.layers_as_items import LayerOfItems, LayerOfNone, LayerOfOne
from parity.adapters.layers_given import (
    MODEL,
    PARAMETERS,
    ByNumber,
    Layer,
    Model,
    NumberedSlopes,
    Parameter,
    SlopesByName,
    TwoLists,
    nobodys,
)
from parity.adapters.names_in_steps import names_of_one, pairs_in
from parity.adapters.optimizer_built import builder, is_free, takes_any_name
from parity.adapters.optimizer_names import decay_of, first_step, rate_of
from parity.adapters.parameter_uses import is_key
from parity.adapters.posing import posing_as
from parity.adapters.recipe import recipe
from parity.adapters.returned_steps import IGNORED, Steps, ignoring
from parity.adapters.rule_ahead import step_ahead
from parity.adapters.rule_constants import EPS, NOTHING
from parity.adapters.rule_forms import FORMS, RUN
from parity.adapters.rule_names import AFTER, BEFORE, EMPTY, NUMBER_KEYS, in_order, numbered_words, of_layer
from parity.adapters.rule_table import CONFIG, asks_for, table
from parity.adapters.stateful import AVERAGED, TWO, Stateful, reading
from parity.kinds.probe import Probe

INPUT = "the input"  # the name of a layer that has no arrays


class Rule:
    """An optimizer under such a convention."""

    def __init__(self, convention: Convention, factory: Any, probe: Probe):
        self.how, self.factory, self.kind, self.args = convention, factory, probe.kind, dict(probe.args)
        self.probe = probe
        self.first: int | None = None  # the number of the first step, where it asks for it
        self.made: dict[str, Any] = {}
        self.handed: list[Any] = []
        self.kept: list[str] = []
        self.parameters: list[Any] = []
        self.states: dict[str, Any] = {}
        self.steps = 0
        self.layers: list[Any] = []  # of `layers_given`
        self.key: Any = None  # of the layer or the array that is next
        self.shapes: dict[str, Any] = {}  # of the arrays that an optimizer is made for
        self.prepared: set[int] = set()
        self.partners: dict[str, Any] = {}  # arrays that are nobody's, of `laid_out`
        self.parts: dict[str, Rule] = {}  # one for each array, where they are apart
        self.tables: dict[str, Any] = {}  # dicts of constants and state, by optimizer
        self.returned = Steps(convention.returns)
        self.stateful: Stateful | None = None

    def new(self, *first: Any) -> Any:
        held = dict(zip(self.how.held or signature(self.factory) or (), first, strict=False))
        args, how = self.args, recipe(self.kind)
        held |= {name: self.shapes.get(what, 1) for name, what in self.how.sized.items()}
        if self.how.eps:
            held[self.how.eps[0]] = EPS[self.kind]
        held |= {**self.how.switched, **self.how.off}
        if self.how.rate:
            held[self.how.rate] = args["lr"]
            args = {name: value for name, value in args.items() if name != "lr"}
        if self.how.average:
            constant = AVERAGED[self.kind][0]
            held[self.how.average] = args[constant]
            args = {name: value for name, value in args.items() if name != constant}
        if self.how.decay:
            args = {"weight_decay": how.optional["weight_decay"], **args}
        if self.how.numbers:
            taken = room([n for n in signature(self.factory) or () if n not in held], how)
            later = [name for name in args if name not in taken and self._at_each_call(name)]
            args = {name: value for name, value in args.items() if name not in later}
        if self.how.by_rate:
            self.returned.rate = args["lr"]
            args = {name: value for name, value in args.items() if name != "lr"}
        if "table" in self.how.numbers.values():
            taken = room([n for n in signature(self.factory) or () if n not in held], how)
            args = {name: value for name, value in args.items() if name in taken}
        args = {name: value for name, value in args.items() if name not in self.how.written}
        kept = {name: args[name] for name in self.how.kept if name in args}
        args = {name: value for name, value in args.items() if name not in kept}
        built = call(builder(self.factory, held), args, how)
        self._count_up(built)
        for name, value in kept.items():
            if not is_free(built, self.how.kept[name], self.how.kept.values()):
                raise Misfit(f"it takes no {', '.join(kept)}")
            setattr(built, self.how.kept[name], value)
        return built

    def _count_up(self, optimizer: Any) -> None:
        """The number of the next step, where something else than the step sets it."""
        if self.how.count:
            setattr(optimizer, self.how.count, getattr(optimizer, self.how.count) + 1)

    @property
    def function(self) -> Any:
        """A function that is an optimizer, as if it returned no array where that is not looked at."""
        return ignoring(self.factory) if self.how.returns == IGNORED else self.factory

    @property
    def eps(self) -> float | None:
        """PyTorch's small constant of the kind."""
        return EPS.get(self.kind)

    def one(self, name: str) -> Any:
        if name not in self.made:
            self.made[name] = self.new()
        return self.made[name]

    def _step(self, name: str) -> Callable[..., Any]:
        """The method of the optimizer of that name; of a function, itself at its rate."""
        if isinstance(self.factory, type):
            return self.method_of(self.one(name))
        return self._by_parameter(self.factory, self.numbers_given())

    def method(self, name: str, *held: Any) -> Callable[..., Any]:
        """The step of the optimizer of that name, which was built of what it holds, if anything."""
        return self.method_of(self._holding(name, held[0]) if held else self.one(name))

    def method_of(self, optimizer: Any) -> Callable[..., Any]:
        """Its step, which is given the numbers that it asks for at each call; before the first one what it
        is handed is shown to its `setup`, after each the step is made of what it was given."""
        prepare, then = self.how.prepare, self.how.then
        step = self._plain_method(optimizer)
        if not prepare and not then:
            return step

        def around(*arrays: Any, **state: Any) -> Any:
            if prepare and arrays and id(optimizer) not in self.prepared:
                self.prepared.add(id(optimizer))
                getattr(optimizer, prepare)(self._shown(arrays[0]))
            if not then:
                return step(*arrays, **state)
            _all_of(optimizer, EMPTY)
            step(*arrays, **state)
            return getattr(optimizer, then)()

        return around

    def _shown(self, array: Any) -> Any:
        """What a method is shown before the first step: an array, or what it holds, or the size of it."""
        sizes = {"count": np.size(array), "shape": np.shape(array)}
        return sizes.get(self.how.prepared_by, array)

    def _plain_method(self, optimizer: Any) -> Callable[..., Any]:
        usual = recipe(self.kind).optional["weight_decay"]
        known = {"weight_decay": usual, **self.args, "eps": self.eps}
        known["betas"] = (known.get("beta1"), known.get("beta2"))
        known |= {"t": self.steps - 1 + (self.first or 0), "key": self.key, "batch_size": 1}
        known |= {
            NOTHING: None,
            "zero": 0.0,
            "table": self.tables.setdefault(self.named(optimizer), table(self.args, self.eps)),
        }
        given = {name: known[argument] for name, argument in self.how.numbers.items()}
        return self._by_parameter(getattr(optimizer, self.how.forward), given)

    def named(self, optimizer: Any) -> str:
        """The name under which it was made."""
        return next((name for name, one in self.made.items() if one is optimizer), "")

    def _by_parameter(self, function: Callable[..., Any], numbers: dict[str, Any]) -> Callable[..., Any]:
        """The function of arrays alone, in the order of the rule."""
        names = self.how.order
        if self.how.returns == IGNORED:
            function = ignoring(function)

        def step(*arrays: Any, **state: Any) -> Any:
            if names:
                return function(**dict(zip(names, arrays, strict=True)), **numbers, **state)
            return function(*arrays, **numbers, **state)

        return step if names or numbers else function

    def _at_each_call(self, argument: str) -> bool:
        """Whether each call is given that argument of the kind."""
        pair = "betas" if argument in ("beta1", "beta2") else argument
        return bool({argument, pair} & {*self.how.numbers.values()})

    def _first_step(self, params: dict[str, Any], grads: dict[str, Any]) -> int:
        """The number of the first step, tried on copies by a new optimizer."""

        def step(number: int) -> dict[str, Any]:
            other = Rule(self.how, self.factory, self.probe)
            other.first = number
            copies = {name: p.copy() for name, p in params.items()}
            other.update(copies, {name: g.copy() for name, g in grads.items()})
            return copies

        return first_step(step)

    def numbers_given(self) -> dict[str, float]:
        """The learning rate of a function of plain gradient descent, and its weight decay if it takes one."""
        names = signature(self.factory) or ()
        usual = recipe(self.kind).optional["weight_decay"]
        given = {rate_of(names): self.args["lr"], decay_of(names): self.args.get("weight_decay", usual)}
        return {name: value for name, value in given.items() if name}

    def hand_another_rate(self, rate: float) -> bool:
        """Give each call another learning rate from now on; whether the calls are given one."""
        if self.parts:
            return all([part.hand_another_rate(rate) for part in self.parts.values()])
        if self.how.by_rate:
            self.returned.rate = rate
            return True
        keeps_it = self.how.rule in (CONFIG, RUN)  # in a dict, or in a run from the beginning
        by_function = not isinstance(self.factory, type) and not keeps_it
        by_function &= "lr" not in recipe(self.kind).optional or asks_for(self.factory, "lr")
        if not by_function and not self._at_each_call("lr"):
            return False
        self.args["lr"] = rate
        if self.stateful is not None:
            self.stateful.given["lr"] = rate
            self.stateful.returned.rate = rate if "lr" not in self.stateful.meanings.values() else 1.0
        return True

    def update(self, params: dict[str, Any], grads: dict[str, Any]) -> None:
        """One step: the arrays of params are changed."""
        if self.how.apart:
            self._apart(params, grads)
        elif self.how.gives_steps:
            self.returned.in_places(self._update, params, grads)
        else:
            self._update(params, grads)

    def _update(self, params: dict[str, Any], grads: dict[str, Any]) -> None:
        if self.how.laid:
            params, grads = self._laid(params, grads)
        self.shapes["shapes"] = [np.shape(array) for array in params.values()]
        for optimizer in self.made.values():
            self._count_up(optimizer)
        if "t" in self.how.numbers.values() and self.first is None:
            self.first = self._first_step(params, grads)
        self.steps += 1
        if self.how.ahead:
            step_ahead(self, params, grads)
        elif self.how.rule in FORMS:
            FORMS[self.how.rule](self, params, grads)
        elif self.how.rule.endswith("+lr"):
            self._function(params, grads)
        elif self.how.rule.endswith("state") and "+" in self.how.rule:
            self._with_state(params, grads)
        elif "," in self.how.rule:
            self._layers(params, grads, *self.how.rule.split(", "))
        elif self.how.rule.startswith(("params", "object")):
            self._parameters(params, grads)
        else:
            getattr(self, f"_{self.how.rule.replace(' ', '_')}")(params, grads)

    def _laid(self, params: dict[str, Any], grads: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """The same arrays in the shapes that are asked for."""
        nobodys_slopes: dict[str, Any] = {}
        arrays = laid_out(self.how.laid, params, self.partners)
        return arrays, laid_out(self.how.laid, grads, nobodys_slopes)

    def _apart(self, params: dict[str, Any], grads: dict[str, Any]) -> None:
        """An optimizer for each array."""
        for name, array in params.items():
            if name not in self.parts:
                self.parts[name] = Rule(replace(self.how, apart=False), self.factory, self.probe)
                self.parts[name].args = self.args
                self.made[name] = self.parts[name].made
            self.parts[name].update({name: array}, {name: grads[name]})

    def _layers(
        self, params: dict[str, Any], grads: dict[str, Any], way: str, form: str, beside: str = ""
    ) -> None:
        """Layers, one after another or together, or the model that they are in, and gradients beside them."""
        self.layers = self.layers or self._new_layers(params, way, form)
        arrays, slopes = self.lasting(params, grads) if self.how.stays else (params, grads)
        for layer in self.layers:
            layer.give(arrays, slopes)
        handed = [*self._head(), *(layer.handed for layer in self.layers)]
        given: Any = Model(handed, posing_as(self.factory, MODEL)) if way.endswith("model") else handed
        again = [given[0] if way.endswith("whole") else given]
        more = again if beside == "again" else self._beside(beside, slopes)
        if way == "held layer":
            for layer in self.layers:
                self.method_of(self._holding(layer.name, layer.handed))(*more)
        elif way.startswith("held"):
            self.method_of(self._holding("", given[0] if way.endswith("whole") else given))(*more)
        else:
            names = [layer.name for layer in self.layers] if way in ("layer", "whole") else [""]
            self._step_of_layers(handed if way in ("layer", "whole") else [given], names, more)
        for layer in self.layers:
            taken_over({n: params[n] for n in layer.keys}, layer.taken(arrays))

    def _head(self) -> list[Any]:
        """The layer of the input, where the list of layers begins with it."""
        return [self.made.setdefault(INPUT, LayerOfNone())] if self.how.head else []

    def _new_layers(self, params: dict[str, Any], way: str, form: str) -> list[Any]:
        if way.endswith("whole"):
            own = (
                TwoLists(in_layers(params)) if form == "two lists" else Layer([*params], form, 0, whole=True)
            )
            return [own]
        if form == "single":
            of_one = names_of_one(pairs_in(self.factory))
            return [LayerOfOne([name], i, of_one) for i, name in enumerate(params)]
        pairs = [[n for n in names if n] for names in in_layers(params)]
        if form == "items":
            return [
                LayerOfItems(names, i, pairs_in(self.factory, items=True)) for i, names in enumerate(pairs)
            ]
        asked = {*constants_in(codes_of(self.factory))}  # as in `hasattr(layer, "weight_cache")`
        called = pairs_in(self.factory)
        posing = posing_as(self.factory, MODEL, others=True)
        return [
            Layer(names, form, i, asked=asked, called=called, posing=posing) for i, names in enumerate(pairs)
        ]

    def _holding(self, name: str, *given: Any) -> Any:
        """The optimizer of that name, which was built of what it holds, or shown it."""
        if name not in self.made:
            self.made[name] = self.new(*([] if self.how.prepare else given))
            if self.how.prepare:
                self.prepared.add(id(self.made[name]))
                getattr(self.made[name], self.how.prepare)(*given)
        return self.made[name]

    def _step_of_layers(self, given: Sequence[Any], names: Sequence[str], more: Sequence[Any]) -> None:
        """The step of what is given one by one, by one optimizer or by one for each."""
        made = [""] if not self.how.each else names
        built = [self.one(name) for name in made] if isinstance(self.factory, type) else []
        for optimizer in built:
            _all_of(optimizer, BEFORE)
        for number, one in enumerate(given):
            self.key = number
            self._step(names[number] if self.how.each else "")(one, *more)
        for optimizer in built:
            _all_of(optimizer, AFTER)

    def _beside(self, form: str, grads: dict[str, Any]) -> list[Any]:
        """The gradients that are handed over by themselves."""
        if form == "two lists":
            return self._two_slopes(grads)
        if form == "in pairs":
            return [[*zip(*two_lists(grads), strict=True)]]
        if form == "in a row":
            return [[grads[name] for layer in self.layers for name in layer.keys]]
        return [ByNumber(layer.slopes(grads) for layer in self.layers)] if form else []

    def lasting(self, params: dict[str, Any], grads: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """Arrays that stay the same ones, into which those of each step are written."""
        if not self.handed:
            self.handed = [{n: a.copy() for n, a in side.items()} for side in (params, grads)]
        for own, new in zip(self.handed, (params, grads), strict=True):
            for name, array in new.items():
                own[name][...] = array
        return self.handed[0], self.handed[1]

    def _numbered(self, params: dict[str, Any], grads: dict[str, Any], held: bool = False) -> None:
        """W1, b1, W2, b2 and their gradients dW1, db1, ...: two layers at a time, as many have no more."""
        layers = in_layers(params)
        w, b = numbered_words(self.factory)
        for first in range(0, len(layers), 2):
            given: dict[str, Any] = {}
            slopes = NumberedSlopes()
            own: dict[str, str] = {}
            for i, (weights, bias) in enumerate([*layers[first : first + 2], ("", "")][:2], start=1):
                own |= {f"{key}{i}": name for key, name in ((w, weights), (b, bias)) if name}
                nobody = nobodys(params[weights]) if weights else np.zeros(1)
                for key, name in ((f"{w}{i}", weights), (f"{b}{i}", bias)):
                    given[key] = params[name] if name else nobody
                    slopes[f"d{key}"] = grads[name] if name else np.zeros_like(nobody)
            at = f"layers from {first}"
            if held:
                self.states.setdefault(at, {}).update(given)
                found = self.method_of(self._holding(at, self.states[at]))(slopes)
            else:
                found = self._step(at)(given, slopes)
            new = self.states[at] if held else given
            new = found if isinstance(found, dict) and own.keys() <= found.keys() else new
            taken_over({n: params[n] for n in own.values()}, {n: new[key] for key, n in own.items()})

    def _chained(self, params: dict[str, Any], grads: dict[str, Any]) -> None:
        """The same of an optimizer that asks for the sizes of the layers: an array may have any two sizes, so
        two of them are layers of sizes (n, 1, m), and a bias is that of a layer of sizes (1, n)."""
        for at, sizes, own in chains(params):
            self.shapes = {"sizes": sizes}
            given = zeros_of(sizes)
            slopes = {f"d{key}": array for key, array in zeros_of(sizes).items()}
            for key, name in own.items():
                given[key][...] = params[name].reshape(given[key].shape)
                slopes[f"d{key}"][...] = grads[name].reshape(given[key].shape)
            found = self._step(at)(given, slopes)
            new = found if isinstance(found, dict) and given.keys() <= found.keys() else given
            for key, name in own.items():
                params[name][...] = np.reshape(new[key], params[name].shape)

    def _held_numbered(self, params: dict[str, Any], grads: dict[str, Any]) -> None:
        """The same dicts of arrays, which come to the constructor; an optimizer for each two layers."""
        self._numbered(params, grads, held=True)

    def _in_dicts(self, params: dict[str, Any], grads: dict[str, Any], by_name: bool = False) -> None:
        """A dict per layer, in a list or by the layer's name."""
        layers = [[n for n in names if n] for names in in_layers(params)]
        keys = [dict(zip(names, ("W", "b"), strict=False)) for names in layers]
        names = [f"layer{number}" for number in range(1, 1 + len(keys))]
        lists: list[list[Any]] = [[{k: params[n] for n, k in own.items()} for own in keys]]
        lists += [[SlopesByName({k: grads[n] for n, k in own.items()}) for own in keys]]
        given: list[Any] = [dict(zip(names, one, strict=True)) for one in lists] if by_name else lists
        found = self.method_of(self.one(""))(*given)
        alike = isinstance(found, dict if by_name else (list, tuple)) and len(found) == len(keys)
        new = found if alike else given[0]
        for own, arrays in zip(keys, new.values() if by_name else new, strict=True):
            taken_over({n: params[n] for n in own}, {n: arrays[k] for n, k in own.items()})

    def _by_layer_name(self, params: dict[str, Any], grads: dict[str, Any]) -> None:
        self._in_dicts(params, grads, by_name=True)

    def _dicts(self, params: dict[str, Any], grads: dict[str, Any]) -> None:
        arrays = dict(params)
        found = self.method_of(self.one(""))(params, grads)
        taken_over(arrays, found if isinstance(found, dict) and found.keys() == arrays.keys() else params)

    def _dicts_by_letter(self, params: dict[str, Any], grads: dict[str, Any]) -> None:
        """The same under names with the letters that its code asks for."""
        names = names_asked_for(letters_in(codes_of(self.factory)), params)
        given, slopes = ({names[n]: array for n, array in side.items()} for side in (params, grads))
        found = self.method_of(self.one(""))(given, slopes)
        new = found if isinstance(found, dict) and found.keys() == given.keys() else given
        taken_over(params, {n: new[name] for n, name in names.items()})

    def _lists(self, params: dict[str, Any], grads: dict[str, Any]) -> None:
        given = list(params.values())
        found = self.method_of(self.one(""))(given, list(grads.values()))
        new = found if isinstance(found, (list, tuple)) and len(found) == len(params) else given
        taken_over(params, dict(zip(params, new, strict=True)))

    def _step_of_slope(self, params: dict[str, Any], grads: dict[str, Any]) -> None:
        """One gradient after another; an optimizer for each that comes without a name."""
        keys = [plain(name) for name, what in self.how.numbers.items() if what == "key"]
        by_number, keyed = any(key in NUMBER_KEYS for key in keys), bool(keys)
        steps = {}
        for number, (name, g) in enumerate(grads.items()):
            self.key = number if by_number else name
            self.shapes |= {"shape": g.shape, "shape of W": g.shape, "count": g.size}
            steps[name] = self.method_of(self.one("" if keyed else name))(g)
        self.returned.taken(params, grads, steps)

    def _step_of_dict(self, params: dict[str, Any], grads: dict[str, Any]) -> None:
        self.returned.taken(params, grads, self.method_of(self.one(""))(dict(grads)))

    def _step_of_list(self, params: dict[str, Any], grads: dict[str, Any]) -> None:
        found = self.method_of(self.one(""))(list(grads.values()))
        self.returned.taken(params, grads, dict(zip(params, found, strict=True)))

    def _arrays(self, params: dict[str, Any], grads: dict[str, Any]) -> None:
        keyed = "key" in self.how.numbers.values()
        for number, (name, w) in enumerate(params.items()):
            self.key = number
            self.shapes |= {"shape": w.shape, "shape of W": w.shape, "count": w.size}
            state = self.states.get(name, {})
            new = self._array_in(self.method_of(self.one("" if keyed else name))(w, grads[name], **state), w)
            if isinstance(new, dict) and takes_any_name(getattr(self.factory, self.how.forward)):
                self.states[name] = new  # w is changed in place
            elif new is not None:
                w[...] = new

    def _array_in(self, found: Any, array: Any) -> Any:
        """What was returned, without what is no array beside one."""
        if isinstance(found, tuple) and any(isinstance(one, (dict, type(None))) for one in found):
            return next((one for one in found if np.shape(one) == np.shape(array)), None)
        return found

    def _layer(self, params: dict[str, Any], grads: dict[str, Any]) -> None:
        optimizer = self.one("")
        _all_of(optimizer, BEFORE)
        for number, (weights, biases) in enumerate(in_layers(params)):
            layer = self.made.setdefault(f"layer {number}", SimpleNamespace())
            shown = {"weights": weights, "biases": biases}
            for attribute, name in shown.items():
                setattr(layer, attribute, params[name] if name else nobodys(params[weights]))
                setattr(layer, f"d{attribute}", grads[name] if name else nobodys(params[weights]))
            self.method_of(self.one(f"of layer {number}") if self.how.each else optimizer)(layer)
            for attribute, name in shown.items():
                if name:
                    taken_over({name: params[name]}, {name: getattr(layer, attribute)})
        _all_of(optimizer, AFTER)

    def _parameters(self, params: dict[str, Any], grads: dict[str, Any]) -> None:
        """Objects that have an array and its gradient, the same ones at each step: in a list, by name or one
        by one; or held by the optimizer, which may take arrays and gradients out of them for good."""
        first, _, form = self.how.rule.partition(" of ")
        held = first.startswith("params")
        arrays, slopes = self.lasting(params, grads) if held and form else (params, grads)
        if not self.parameters:
            called = names_of_one(pairs_in(self.factory))
            self.parameters = [PARAMETERS[form]() for _ in params]
            for one in self.parameters:
                if isinstance(one, Parameter):
                    one.called(called)
        _give(self.parameters, arrays, slopes)
        given: Any = self.parameters
        if first.endswith("by name"):
            given = dict(zip(params, self.parameters, strict=True))
        if first.endswith("by layer"):
            by_name = dict(zip(params, self.parameters, strict=True))
            given = [[by_name[name] for name in pair if name] for pair in in_layers(params)]
        if held:
            self.method_of(self._holding("", given))()
        elif first == "object":
            for one in self.parameters:
                self.method_of(self.one(""))(one)
        else:
            self.method_of(self.one(""))(given)
        _take(self.parameters, params, arrays)

    def _held(self, params: dict[str, Any], grads: dict[str, Any]) -> None:
        self._on_lists(params, grads, list(grads.values()))

    def _held_dicts(self, params: dict[str, Any], grads: dict[str, Any]) -> None:
        """The optimizer keeps the dict of the arrays, and may put new ones into it."""
        if not self.made:
            self.handed = [dict(params)]
            self._holding("", self.handed[0])
        held = self.handed[0]
        held.update(params)
        found = self.method_of(self.made[""])(dict(grads))
        taken_over(params, found if isinstance(found, dict) and found.keys() == params.keys() else held)

    def _in_order(self, params: dict[str, Any], grads: dict[str, Any]) -> None:
        """Arrays one by one, or a weight with its bias; an optimizer for each that comes without a name."""
        order = in_order(self.asked())
        layers = in_layers(params) if "b" in order else [(name, "") for name in params]
        moments = [what for what in order if what.startswith("moment")]
        for name, bias in layers:
            about_b = params[bias] if bias else nobodys(params[name])
            self.shapes |= {"shape": params[name].shape, "shape of W": params[name].shape}
            self.shapes["shape of b"] = about_b.shape
            method = self.method_of(self.one("" if "key" in order else name))
            given = {"key": name, "w": params[name], "dw": grads[name]}
            given |= {"b": about_b, "db": grads[bias] if bias else about_b.copy()}
            if moments:
                held = self.states.setdefault(name, [np.zeros_like(params[name]) for _ in moments])
                given |= dict(zip(moments, held, strict=True))
            if "t" in order:
                tried = partial(self._tried_at, order, given)
                given["t"] = self.steps - (1 - first_step(tried))
            found = method(*(given[what] for what in order))
            new = found if isinstance(found, tuple) else (found,)
            new = tuple(one for one in new if not isinstance(one, dict))
            if moments and len(new) == 1 + len(moments):
                at = self._place_of_the_array(order, given)
                self.states[name] = [*new[:at], *new[at + 1 :]]
                new = new[at : at + 1]
            old = [name, bias] if "b" in order else [name]
            for one, array in zip(old, new, strict=False):
                if one and array is not None:
                    taken_over({one: params[one]}, {one: array})

    def asked(self) -> list[dict[str, Any]]:
        """The parameters of its method that get arrays, or a name or a number of such."""
        if self.how.order:
            return [{"name": name} for name in self.how.order]
        found = inspect.signature(getattr(self.factory, self.how.forward)).parameters.items()
        loose = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
        asked = [name for name, p in list(found)[1:] if p.default is p.empty and p.kind not in loose]
        return [{"name": name} for name in asked if name not in self.how.numbers]

    def _tried_at(self, order: list[str], given: dict[str, Any], t: int) -> list[Any]:
        return self._tried(order, {**given, "t": t})

    def _tried(self, order: list[str], given: dict[str, Any]) -> list[Any]:
        """What a new optimizer gives for copies of these arrays, or makes of them."""
        given = {
            what: value.copy() if isinstance(value, np.ndarray) else value for what, value in given.items()
        }
        found = self.method_of(self.new())(*(given[what] for what in order))
        return list(found) if isinstance(found, tuple) else [given["w"] if found is None else found]

    def _place_of_the_array(self, order: list[str], given: dict[str, Any]) -> int:
        """Which of the returned arrays is the parameter: without gradient and moments, the one that stays."""
        if self.how.returns == IGNORED:
            return 0
        nothing = {w: np.zeros_like(a) for w, a in given.items() if w == "dw" or w.startswith("moment")}
        found = self._tried(order, {**given, **nothing, "w": np.ones_like(given["w"])})
        return int(np.argmax([np.mean(array) for array in found]))

    def _given_layer(self, params: dict[str, Any], grads: dict[str, Any]) -> None:
        """Layers one by one with their gradients beside them, and an optimizer for each."""
        asked, lists = of_layer(self.asked()), self.how.rule.endswith("lists")
        self.layers = self.layers or self._new_layers(params, "layer", "lists" if lists else "state")
        for layer in self.layers:
            layer.give(params, grads if lists else None)
        asks = self.asked()
        by_layer = is_key(getattr(self.factory, self.how.forward), asks[0]["name"] if asks else "")
        for layer in self.layers:
            slopes = layer.slopes(grads)
            given = {"layer": layer, "grads": slopes, "dw": slopes["W"], "db": slopes["b"]}
            one = "" if by_layer and not self.how.each else layer.name
            optimizer = self._holding_layers() if self.how.held else self.one(one)
            self.method_of(optimizer)(*(given[what] for what in asked))
            taken_over({n: params[n] for n in layer.keys}, layer.taken(params))

    def _holding_layers(self) -> Any:
        handed = [layer.handed for layer in self.layers]
        by_model = plain(self.how.held[0]) in MODEL
        return self._holding("", Model(handed) if by_model else handed)

    _given_layer_of_lists = _given_layer

    def _both_dicts(self, params: dict[str, Any], grads: dict[str, Any]) -> None:
        """The optimizer keeps both dicts, and may put new arrays into that of the arrays."""
        both = self.lasting(params, grads)
        if not self.made:
            self.made[""] = self.new(*both)
        self.method_of(self.made[""])()
        taken_over(params, both[0])

    def _both(self, params: dict[str, Any], grads: dict[str, Any]) -> None:
        self._on_lists(params, grads)

    def _on_lists(self, params: dict[str, Any], grads: dict[str, Any], *given: Any) -> None:
        """The optimizer keeps a list of the arrays, and may put new ones into it."""
        if not self.handed:
            self.handed = [[p.copy() for p in params.values()], [np.zeros_like(g) for g in grads.values()]]
            self._holding("", *self.handed[: 1 + (self.how.rule == "both")])
        arrays, slopes = self.handed
        for i, (p, g) in enumerate(zip(params.values(), grads.values(), strict=True)):
            arrays[i][...], slopes[i][...] = p, g
        found = self.method_of(self.made[""])(*given)
        own = [v for v in vars(self.made[""]).values() if isinstance(v, list) and are_like(v, arrays)]
        own = [] if self.how.prepare and self.how.returns else own  # those are its state
        kept = next((v for v in own if v is arrays), own[0] if own else arrays)
        new = found if isinstance(found, (list, tuple)) and are_like(found, arrays) else kept
        taken_over(params, dict(zip(params, new, strict=True)))

    def _held_two_lists(self, params: dict[str, Any], grads: dict[str, Any]) -> None:
        """The optimizer keeps a list of weights and one of biases, and may put new arrays into them."""
        if not self.handed:
            self.handed = [[a.copy() for a in one] for one in two_lists(params)]
            self.made[""] = self.new(*self.handed)
            self.kept = [attribute_of(self.made[""], own) for own in self.handed]
        for own, now in zip(self.handed, two_lists(params), strict=True):
            for mine, array in zip(own, now, strict=True):
                mine[...] = array
        found = self.method_of(self.made[""])(*self._two_slopes(grads))
        now = [getattr(self.made[""], name, own) for name, own in zip(self.kept, self.handed, strict=True)]
        new = next((one for one in (found, now) if both_like(one, self.handed)), self.handed)
        from_two_lists(params, new)

    def _two_slopes(self, grads: dict[str, Any]) -> list[list[Any]]:
        """The lists of the gradients of weights and of biases, in the order in which they are asked for."""
        words = [plain(p["name"]) for p in self.asked()][-2:]
        biases_first = bool(words) and (
            words[0].endswith(("b", "bias", "biases")) or words[0].startswith(("b", "db", "deltab"))
        )
        slopes = two_lists(grads)
        return slopes[::-1] if biases_first else slopes

    def _two_lists(self, params: dict[str, Any], grads: dict[str, Any]) -> None:
        """Lists of weights and of biases, and of the gradients of both."""
        given = dict(zip(("w", "b"), two_lists(params), strict=True))
        given |= dict(zip(("dw", "db"), two_lists(grads), strict=True))
        found = self.method_of(self.one(""))(*(given[what] for what in in_order(self.asked())))
        own = [given["w"], given["b"]]
        from_two_lists(params, found if both_like(found, own) else own)

    def _pairs(self, params: dict[str, Any], grads: dict[str, Any]) -> None:
        method = getattr(self.one(""), self.how.forward)
        first = plain(next(iter(self.how.order or signature(method) or ("",))))
        pairs = [(grads[name], w) for name, w in params.items()]
        if not first.startswith("grad"):
            pairs = [(w, g) for g, w in pairs]
        self.method_of(self.one(""))(pairs)

    def _by_name(self, params: dict[str, Any], grads: dict[str, Any]) -> None:
        self.method_of(self.one(""))({name: (w, grads[name]) for name, w in params.items()})

    def _state(self, params: dict[str, Any], grads: dict[str, Any]) -> None:
        for name, w in params.items():
            step = self.method_of(self.one(name))
            new, self.states[name] = step(w, grads[name], self.states.get(name))
            w[...] = w if new is None else new

    def _function(self, params: dict[str, Any], grads: dict[str, Any]) -> None:
        step = self._by_parameter(self.factory, self.numbers_given())
        if self.how.rule == "dicts+lr":
            arrays = dict(params)
            found = step(params, grads)
            taken_over(arrays, found if isinstance(found, dict) and found.keys() == arrays.keys() else params)
        elif self.how.rule == "lists+lr":
            arrays_in = list(params.values())
            found = step(arrays_in, list(grads.values()))
            new = found if isinstance(found, (list, tuple)) and len(found) == len(params) else arrays_in
            taken_over(params, dict(zip(params, new, strict=True)))
        else:
            for name, w in params.items():
                found = step(w, grads[name])
                taken_over({name: w}, {name: w if found is None else found})

    def _with_state(self, params: dict[str, Any], grads: dict[str, Any]) -> None:
        if self.stateful is None:
            asked = [
                {"name": name, "required": p.default is p.empty}
                for name, p in (signature(self.factory) or {}).items()
            ]
            usual = recipe(self.kind).optional["weight_decay"]
            given = {"weight_decay": usual, **self.args, "eps": self.eps}
            self.stateful = Stateful(
                self.function, reading(asked, self.kind), given, self.how.rule, self.kind in TWO
            )
        self.stateful.update(params, grads, in_layers(params))


def _give(parameters: list[Any], params: dict[str, Any], grads: dict[str, Any]) -> None:
    for parameter, name in zip(parameters, params, strict=True):
        parameter.give(params[name], grads[name])


def _take(parameters: list[Any], params: dict[str, Any], given: dict[str, Any]) -> None:
    """Write into params what became of the arrays that the parameters were given."""
    for parameter, name in zip(parameters, params, strict=True):
        taken_over({name: params[name]}, {name: parameter.taken(given[name])})


def _all_of(optimizer: Any, beginnings: tuple[str, ...]) -> None:
    """Call its methods without arguments whose names begin so."""
    for name in dir(optimizer):
        method = getattr(optimizer, name, None) if plain(name).startswith(beginnings) else None
        if callable(method) and not any(p.default is p.empty for p in (signature(method) or {}).values()):
            method()
