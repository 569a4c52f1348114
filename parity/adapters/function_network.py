"""Functions that together are a network, as a class with the methods of one: see `function_groups.py`.

The class holds what the function that makes the weights returned, under its names there. Where no function
makes them, their shapes are tried in turn. Needs NumPy alone.
"""

from __future__ import annotations

import ast
import copy
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FunctionType
from typing import Any

import numpy as np

from parity.adapters.arguments import plain
from parity.adapters.code_objects import constants_in
from parity.adapters.definitions import parsed
from parity.adapters.function_groups import (
    BIAS,
    WEIGHT,
    Group,
    Part,
    counts_of_rows,
    groups_of,
    roots_of,
)
from parity.adapters.function_steps import rate_of_file
from parity.adapters.network_arrays import Place
from parity.adapters.network_builds import RATE, WORDS, H, I, O
from parity.adapters.network_data import COLUMNS, NUMBERS, ROWS
from parity.adapters.network_lines import line_of
from parity.adapters.network_one_step import clips_in
from parity.adapters.network_results import number_of, output_of
from parity.adapters.network_words import is_loss, meaning_of_built
from parity.adapters.own_network import OwnNetwork, Way

COSTS = ("j", "jtheta")
BATCHES = (ROWS, COLUMNS, NUMBERS)


def functions_of(found: Any) -> tuple[Callable[..., Any], ...]:
    """The functions under test, where it is one or several; () for anything else."""
    functions = found if isinstance(found, tuple) else (found,)
    return functions if all(map(isfunction, functions)) else ()


class OwnFunctions(OwnNetwork):
    """The functions of one network under test."""

    by_functions = True

    def __init__(self, functions: Sequence[Callable[..., Any]]):
        self.functions = {one.__name__: one for one in functions}
        self.body = _body_of(functions[0])
        groups = groups_of(self.body, [*self.functions])
        self.group = groups[-1] if groups else None
        super().__init__(object)

    def search(self) -> list[Way]:
        """The ways of the first class that can be made of them and runs."""
        if self.group is None:
            self._note("it does not say what each of its functions is given")
            return []
        for forms in [BATCHES, ()] if self.group.takes_rows else [()]:
            for cls in _classes(self.group, self.functions, counts_of_rows(self.body), forms):
                self.found = cls
                if ways := [way for way in super().search() if self._counts(way)]:
                    self.ways = ways
                    return ways
        return []

    def _counts(self, way: Way) -> bool:
        """Whether that way says something: shapes that were tried fit all gradients."""
        assert self.group is not None
        return self.group.init is not None or not way.misshapen

    @property
    def unseen(self) -> tuple[str, ...]:  # type: ignore[override]
        """The weight decay of its gradients, where its loss takes none: it was 0."""
        group = self.group
        if group is None or group.loss is None or "decay" in dict(group.given[group.loss.name]).values():
            return ()
        named = [name for name, source in group.given[group.gradient.name] if source == "decay"]
        return tuple(f"{name} other than 0, which its loss does not take" for name in named)

    @property
    def clips(self) -> bool:
        assert self.group is not None
        return any(map(clips_in, self.group.nodes))

    @property
    def is_paired(self) -> bool:
        """Whether loss and gradients come of one function."""
        assert self.group is not None
        return self.group.loss is self.group.gradient

    @property
    def is_rated(self) -> bool:
        return True

    def labels(self, form: str, outputs: int, out: Any) -> list[tuple[str, Any]]:
        """Of weights in a vector one number per row comes first."""
        found = super().labels(form, outputs, out)
        flat = self.group is not None and self.group.init is None and out is None
        one = flat and all(np.ndim(value) < 2 for value in vars(self.found()).values())
        return sorted(found, key=lambda both: np.ndim(both[1])) if one else found

    def line(self, place: Place) -> str:
        """Where a parameter's gradient is computed: in the function that gives it or one that it calls."""
        assert self.group is not None
        name = next((step for step in reversed(place) if isinstance(step, str)), "")
        there = self.functions[self.group.gradient.name].__globals__
        found = (line_of(there.get(node.name), name) for node in self.group.nodes)
        return next(filter(None, found), "")

    def described(self) -> str:
        group, way = self.group, self.way
        assert group is not None and way is not None
        made = way.build.words(group.init.name) if group.init else f"with weights of {self._shapes()}"
        text = f"called as {made}; {way.data}"
        for part, what in ((group.forward, "outputs"), (group.loss, "loss"), (group.gradient, "gradients")):
            if part is not None and part is not (group.gradient if what == "loss" else None):
                text += f"; {what} by {part.name}({', '.join(name for name, _ in group.given[part.name])})"
        text = text.replace("; gradients by", "; loss and gradients by") if self.is_paired else text
        return f"{text}, read from the change of its weights at a rate of {RATE}" if group.steps else text

    def _shapes(self) -> str:
        return ", ".join(f"{name} {np.shape(value)}" for name, value in vars(self.base(0)).items())


def isfunction(held: Any) -> bool:
    return isinstance(held, FunctionType)


def _body_of(function: Callable[..., Any]) -> list[ast.stmt]:
    """The statements of the file that it is written in."""
    path = function.__globals__.get("__file__", "")
    return [node for _, tree in parsed(Path(path)) for node in tree.body] if path else []


# -- the class ----------------------------------------------------------------------------------------
def _classes(
    group: Group, functions: Mapping[str, Callable[..., Any]], counts: Sequence[str], forms: Sequence[str]
) -> Iterator[type]:
    """The classes that can be made of them, the likeliest first; `forms` of the data, where not all."""
    caller = _Caller(group, functions, counts)
    outputs = (O, 1) if group.several else (1, O)
    if group.init is None:
        for shapes, own_forms in _guesses(group, outputs):
            yield _class(caller, _holding(shapes), None, outputs, own_forms or forms)
        return
    init = functions[group.init.name]
    own, fixed = inspect.signature(init), _fixed(init)
    own = own.replace(parameters=[p for name, p in own.parameters.items() if name not in fixed])
    names = [*own.parameters]

    def made(*args: Any, **kwargs: Any) -> dict[str, Any]:
        return _named(init(**own.bind(*args, **kwargs).arguments, **fixed), group)

    yield _class(caller, made, own, outputs, forms)
    if len(names) == 1 and own.parameters[names[0]].default is inspect.Parameter.empty:

        def of_one(n_features: int) -> dict[str, Any]:
            return _named(init(**{names[0]: n_features}, **fixed), group)

        yield _class(caller, of_one, inspect.signature(of_one), outputs, forms)


def _fixed(init: Callable[..., Any]) -> dict[str, Any]:
    """The constants of its file that have the names of its parameters, where these mean nothing else."""
    there = {
        plain(name): value for name, value in init.__globals__.items() if isinstance(value, (list, tuple))
    }
    return {
        name: there[plain(name)]
        for name, p in inspect.signature(init).parameters.items()
        if p.default is p.empty and not meaning_of_built(name) and plain(name) in there
    }


def _class(
    caller: _Caller,
    made: Callable[..., dict[str, Any]],
    signature: inspect.Signature | None,
    outputs: Sequence[int],
    forms: Sequence[str],
) -> type:
    group = caller.group

    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        vars(self).update(made(*args, **kwargs))

    def forward(self: Any, x: Any) -> Any:
        return caller.outputs(self, x)

    def loss(self: Any, x: Any, t: Any) -> Any:
        return caller.loss(self, x, t, 0.0)

    def gradient(self: Any, x: Any, t: Any) -> Any:
        return caller.gradients(self, x, t, 0.0)

    def loss_decayed(self: Any, x: Any, t: Any, weight_decay: float = 0.0) -> Any:
        return caller.loss(self, x, t, weight_decay)

    def gradient_decayed(self: Any, x: Any, t: Any, weight_decay: float = 0.0) -> Any:
        return caller.gradients(self, x, t, weight_decay)

    body: dict[str, Any] = {"__init__": __init__, "outputs_tried": tuple(outputs)}
    body["__module__"] = caller.functions[group.gradient.name].__module__
    body["__signature__"] = inspect.Signature() if signature is None else signature
    body |= {"forms_tried": tuple(forms)} if forms else {}
    body["gradient"] = gradient_decayed if caller.decays else gradient
    if group.loss is not None:
        body["loss"] = loss_decayed if caller.decays else loss
    if group.forward is not None:
        body["forward"] = forward
    return type(group.gradient.name, (), body)


def _named(result: Any, group: Group) -> dict[str, Any]:
    """What the function returned that makes the weights, by its names there."""
    init = group.init
    assert init is not None
    names = roots_of(init, group.calls)
    parts = list(result) if len(names) > 1 and isinstance(result, tuple) else [result]
    if len(parts) != len(names):
        raise ValueError(f"{init.name} returned {len(parts)} values")
    return {name: _as_floats(part) for name, part in zip(names, parts, strict=True)}


def _as_floats(value: Any) -> Any:
    """A number of its own as a floating-point one, which can be moved a little."""
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


# -- weights that nothing makes -----------------------------------------------------------------------
def _guesses(
    group: Group, outputs: Sequence[int]
) -> Iterator[tuple[dict[str, tuple[int, ...]], Sequence[str] | None]]:
    """Shapes of its weights and biases, and the forms of the data where the shapes say it."""
    layers = _layers(group.guessed)
    if len(layers) == 1 and (layer := next(iter(layers.values()))):
        yield from _of_one_layer(layer, group.several and outputs[0] == O)
    elif len(layers) > 1:
        for out in outputs:
            yield from _of_layers(list(layers.values()), [I, *range(H, H + len(layers) - 1), out])


def _layers(names: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Number -> weight and bias ("" for none), in order; {} where it is not one weight per layer."""
    found: dict[str, tuple[str, str]] = {}
    for name in names:
        if match := WEIGHT.fullmatch(plain(name)):
            if match[2] in found:
                return {}
            found[match[2]] = (name, "")
    for name in names:
        if match := BIAS.fullmatch(plain(name)):
            if found.get(match[2], ("", name))[1]:
                return {}
            found[match[2]] = (found[match[2]][0], name)
    return dict(sorted(found.items()))


def _of_one_layer(
    layer: tuple[str, str], classes: bool
) -> Iterator[tuple[dict[str, tuple[int, ...]], Sequence[str] | None]]:
    w, b = layer
    shapes = [(I,), (I, 1), (I, O), (O, I), (1, I), ()]
    for shape in sorted(shapes, key=lambda s: (O in s) != classes):
        for bias in [(O,), (1, O), (O, 1)] if O in shape and b else [()]:
            found: dict[str, tuple[int, ...]] = {w: shape}
            yield found | ({b: bias} if b else {}), (NUMBERS,) if shape == () else None


def _of_layers(
    layers: Sequence[tuple[str, str]], sizes: Sequence[int]
) -> Iterator[tuple[dict[str, tuple[int, ...]], Sequence[str] | None]]:
    for turned in (False, True):
        for bias in (lambda n: (n,), lambda n: (n, 1)) if turned else (lambda n: (n,), lambda n: (1, n)):
            found: dict[str, tuple[int, ...]] = {}
            for (w, b), before, after in zip(layers, sizes, sizes[1:], strict=False):
                found[w] = (after, before) if turned else (before, after)
                found |= {b: bias(after)} if b else {}
            yield found, None


def _holding(shapes: Mapping[str, tuple[int, ...]]) -> Callable[[], dict[str, Any]]:
    def made() -> dict[str, Any]:
        return {name: np.zeros(shape) for name, shape in shapes.items()}

    return made


# -- calling ------------------------------------------------------------------------------------------
class _Caller:
    """Calls the functions of a group in order, each with what it is given."""

    def __init__(
        self, group: Group, functions: Mapping[str, Callable[..., Any]], counts: Sequence[str]
    ) -> None:
        self.group, self.functions, self.counts = group, functions, counts
        both = [part for part in (group.loss, group.gradient) if part is not None]
        self.decays = all("decay" in dict(group.given[part.name]).values() for part in both)

    def outputs(self, network: Any, x: Any) -> Any:
        part = self.group.forward
        assert part is not None
        kept: dict[str, Any] = {}
        self._call(network, part, x, None, 0.0, kept)
        return kept.get("out:")

    def loss(self, network: Any, x: Any, t: Any, decay: float) -> float | None:
        """The cost, which one of the parts returns; the weights are as before, also where it makes a step."""
        network, kept = copy.deepcopy(network), dict[str, Any]()
        last = self.group.loss
        assert last is not None
        for part in self.group.chain:
            result = self._call(network, part, x, t, decay, kept)
            if part is last:
                return _loss_in(result, part)
        return None

    def gradients(self, network: Any, x: Any, t: Any, decay: float) -> dict[str, Any]:
        """The gradients by the names under which they are returned, or what a step takes away."""
        kept: dict[str, Any] = {}
        before = copy.deepcopy(vars(network))
        for part in self.group.chain:
            result = self._call(network, part, x, t, decay, kept)
        names = self._names(self.group.gradient)
        if self.group.steps:
            after = vars(network) if self.group.in_globals else {name: kept[plain(name)] for name in before}
            return {name: _change(value, after[name]) for name, value in before.items()}
        parts = result if isinstance(result, (tuple, list)) and len(result) == len(names) else [result]
        named = zip(names if len(parts) == len(names) else [""], parts, strict=True)
        return {name or f"part{i}": value for i, (name, value) in enumerate(named) if not _is_cost(name)}

    def _names(self, part: Part) -> list[str]:
        """The names of what it returns, there or where it is called."""
        elsewhere = self.group.calls.targets(part.name, len(part.returned))
        return [name or next(iter(elsewhere.get(i, ())), "") for i, name in enumerate(part.returned)]

    def _call(self, network: Any, part: Part, x: Any, t: Any, decay: float, kept: dict[str, Any]) -> Any:
        """The result of one function; what it returned is then kept."""
        given = {}
        for name, source in self.group.given[part.name]:
            if t is None and source == "t":
                continue  # of one that gives outputs without labels
            given[name] = self._value(network, part, source, x, t, decay, kept)
        function = self.functions[part.name]
        with self._counting(function, x, t), self._weights_as_names(function, network):
            result = function(**given)
        parts = result if isinstance(result, tuple) and len(result) == len(part.returned) else (result,)
        for i, (name, one) in enumerate(zip(part.returned, parts, strict=False)):
            kept[plain(name) or f"part{i}{plain(part.name)}"] = one
        for one in parts:
            if isinstance(one, dict):
                kept.update({plain(key): v for key, v in one.items() if isinstance(key, str)})
        if (out := output_of(result, list(part.returned), None)) is not None and "out:" not in kept:
            kept["out:"] = out
        return result

    def _value(
        self, network: Any, part: Part, source: str, x: Any, t: Any, decay: float, kept: Mapping[str, Any]
    ) -> Any:
        how, _, name = source.partition(":")
        if how == "root":
            return vars(network)[name]
        if how == "leaf":
            return next(held[name] for held in vars(network).values() if isinstance(held, dict))
        if how == "kept":
            return kept[name]
        if how == "word":
            own = list(constants_in([self.functions[part.name].__code__]))
            return next((word for word in WORDS if word in own), WORDS[0])
        if how in ("constant", "function"):
            return self.functions[part.name].__globals__[name]
        values = {
            "x": _copied(x),
            "t": _copied(t),
            "out": kept.get("out:"),
            "lr": RATE,
            "decay": decay,
            "rows": rows_of(x, t),
            "batch": rows_of(x, t),
            "epochs": 1,
            "quiet": False,
            "training": True,
            "inference": False,
            "one": 1.0,
        }
        return values[how]

    @contextmanager
    def _weights_as_names(self, function: Callable[..., Any], network: Any) -> Iterator[None]:
        """While it runs, the names of its file that are its weights are those of the network."""
        names, there = self.group.guessed if self.group.in_globals else (), function.__globals__
        before = {name: there[name] for name in names if name in there}
        there.update({name: vars(network)[name] for name in names})
        rate = rate_of_file(self.group.gradient.node) if names else ""
        kept = there.get(rate)
        if rate:
            there[rate] = RATE
        try:
            yield
        finally:
            vars(network).update({name: there.pop(name) for name in names})
            there.update(before | ({rate: kept} if rate else {}))

    @contextmanager
    def _counting(self, function: Callable[..., Any], x: Any, t: Any) -> Iterator[None]:
        """While it runs, the numbers of rows that its file keeps are that of these rows."""
        there = function.__globals__
        before = {name: there[name] for name in self.counts if name in there}
        there.update(dict.fromkeys(self.counts, rows_of(x, t)))
        try:
            yield
        finally:
            for name in self.counts:
                there.pop(name, None)
            there.update(before)


def _change(before: Any, after: Any) -> Any:
    """What a step took away, divided by the rate; of a dict or list of arrays, of each."""
    if isinstance(before, Mapping):
        return {key: _change(value, after[key]) for key, value in before.items()}
    if isinstance(before, (list, tuple)):
        return [_change(value, other) for value, other in zip(before, after, strict=True)]
    return (np.asarray(before, float) - np.asarray(after, float)) / RATE


def rows_of(x: Any, t: Any) -> int:
    """How many rows there are: the length that inputs and labels have in common."""
    one, two = np.shape(x), np.shape(t)
    if len(one) == 1:
        return int(one[0]) if one == two else 1
    if len(two) == 1:
        return int(two[0])
    if len(one) == len(two) == 2:
        return int(next((a for a, b in zip(one, two, strict=True) if a == b), one[0]))
    return int(one[0]) if one else 1


def _loss_in(result: Any, part: Part) -> float | None:
    if isinstance(result, dict):
        result = next((value for key, value in result.items() if _is_cost(str(key))), None)
    if not isinstance(result, tuple):
        return number_of(result)
    names = part.returned
    named = [i for i, name in enumerate(names) if len(names) == len(result) and _is_cost(name)]
    return number_of(result[named[0] if named else 0])


def _is_cost(name: str) -> bool:
    return bool(name) and (is_loss(name) or plain(name) in COSTS)


def _copied(value: Any) -> Any:
    return value.copy() if isinstance(value, np.ndarray) else value
