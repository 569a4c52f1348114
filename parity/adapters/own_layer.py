"""Somebody's layer, loss or function that is none of the kinds: how it is called, its results and gradients.

What is tried is names and shapes: forms of the input until a forward runs, and for a backward each role that
its parameters may have. Each call is made on a copy with the same random numbers, so that what drops at
random drops the same each time. Its loss is the sum of its outputs times fixed numbers. Needs NumPy alone.
"""

from __future__ import annotations

import ast
import copy
import inspect
import itertools
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.adapters.arguments import plain
from parity.adapters.bench import words_of
from parity.adapters.logarithms import definition_of
from parity.adapters.loss_arguments import meanings_of
from parity.adapters.members import is_bare
from parity.adapters.network_arrays import Place, exchanged, inside, put, shown, taken
from parity.adapters.network_builds import RATE
from parity.adapters.network_calls import names_returned
from parity.adapters.network_data import filled
from parity.adapters.network_gradients import Arrays, of_attributes, of_changes, of_returned, shape_fits
from parity.adapters.network_lines import line_of
from parity.adapters.network_random import fresh, seed
from parity.adapters.optimizer_names import RATES
from parity.adapters.own_layer_builds import NUMBER, built_with, hands_one_function, other_numbers, unknown
from parity.adapters.own_layer_inputs import ANY, BETWEEN, FORMS, POSITIVE, ROWS, Form, drawn
from parity.adapters.own_layer_parts import (
    asked_of,
    gradients_beside,
    is_number_or_array,
    is_usable,
    method_names,
    methods_of,
    names_in,
    names_in_class,
    weights_of,
    what_it_is,
    with_gradients_beside,
)
from parity.adapters.own_layer_ways import (
    INPUT,
    JACOBIAN,
    SLOPE,
    TIMES_DOUT,
    WEIGHT,
    Inputs,
    Results,
    Said,
    Way,
)
from parity.adapters.own_layer_words import (
    BACKWARDS,
    CHANNELS,
    DICTS,
    FORWARDS,
    NUMBERS,
    WHOLE,
    base_of_gradient,
    role_in_backward,
)
from parity.adapters.training_flag import meaning_of

Array = NDArray[Any]
PATIENCE = 2.5  # seconds in which the ways have to be found
MOST_WAYS = 12
SUREST = 9  # so many of the names of a forward leave no doubt, whatever other methods there are
LOGARITHMS = {"log", "log2", "log10"}
KEPT_OUT = ("output", "out", "outputs", "y", "a")
KEPT_DX = ("dx", "dinputs", "dinput", "gradinput", "inputgradient", "inputgrad", "gradinputs", "dvalues")


class OwnLayer(Said):
    """A class, or a function and its derivative."""

    def __init__(self, found: Any):
        self.found = found
        self.forward_name, self.backward_name = "", ""
        self.is_class = isinstance(found, type)
        if self.is_class:
            self.forward_name, self.backward_name = methods_of(found)
        elif isinstance(found, tuple) and len(found) == 2:
            self.forward_name, self.backward_name = (getattr(one, "__name__", "") for one in found)
        elif inspect.isfunction(found):  # which returns a loss and its gradient
            self.found = (found, found)
            self.forward_name = self.backward_name = found.__name__
        self.name = found.__name__ if self.is_class else self.forward_name
        self.ways: list[Way] = []
        self.tried: list[str] = []
        self.way: Way | None = None
        self._bases: dict[int, Any] = {}
        self.other: dict[str, float] = {}  # arguments of the second case beside its defaults
        self.one_slope = False  # whether all but one of the numbers of dout are 0
        self._lazy = False
        self._gave = False  # its backward gave something for arrays, of whatever shape
        self._joint = False  # an output depends on several inputs
        self.ran = False  # a forward

    @property
    def gives_both(self) -> bool:
        """Whether one function returns its value and the gradient."""
        return not self.is_class and self.found[0] is self.found[1]

    @property
    def gives_slopes(self) -> bool:
        """Whether its backward is named as one that may give slopes alone."""
        word = plain(self.backward_name)
        return not self.is_class or word not in BACKWARDS

    # -- calling -----------------------------------------------------------------------------------
    def built(self, kwargs: dict[str, Any]) -> Any:
        if not self.is_class:
            return None
        seed(0)
        if is_bare(self.found):
            return self.found
        layer = self.found(**copy.deepcopy(kwargs))
        for _, value in inside(layer):
            if isinstance(value, np.ndarray) and value.dtype == np.float32:
                exchanged(layer, id(value), value.astype(np.float64))
        for name, value in list(getattr(layer, "__dict__", {}).items()):
            if plain(name) in RATES and plain(name) != "alpha" and isinstance(value, float):
                setattr(layer, name, RATE)
        return layer

    def _copy(self, base: Any) -> Any:
        if isinstance(base, type) or base is None:
            seed(0)
            return base
        return fresh(base)

    def function(self, held: Any, forward: bool) -> Any:
        if not self.is_class:
            return self.found[0 if forward else 1]
        return getattr(held, self.forward_name if forward else self.backward_name)

    def run(self, held: Any, values: dict[str, Any], other: dict[str, float] | None = None) -> Results:
        """One forward on that object; of a function with those arguments besides."""
        given = [copy.deepcopy(value) for value in values.values()]
        result = self.function(held, True)(*given, **(other or {}))
        out, cache = result, None
        if isinstance(result, (tuple, list)) and len(result) > 1 and is_number_or_array(result[0]):
            out, cache = result[0], result[1] if len(result) == 2 else tuple(result[1:])
        elif result is None:
            own = getattr(held, "__dict__", {})
            out = next((own[name] for name in own if plain(name) in KEPT_OUT), None)
        return Results(out, held, cache, values)

    def back(self, way: Way, results: Results, dout: Any, other: dict[str, float] | None = None) -> Any:
        """What its backward returns after that forward."""
        if self.gives_both:
            return results.cache
        known = {"dout": dout, "out": results.out, "cache": results.cache, "rate": RATE}
        given = []
        for _, role in way.roles:
            if role.startswith("in:"):
                value = results.values[role[3:]]
            else:
                value = True if role == "flag" else known[role]
            given.append(value if role == "cache" else copy.deepcopy(value))
        seed(0)
        return self.function(results.held, False)(*given, **(other or {}))

    # -- finding the ways --------------------------------------------------------------------------
    def search(self) -> list[Way]:
        """The ways that run, those of the first form first; [] where none does."""
        start = time.process_time()
        forms = 0
        for form in FORMS:
            found: list[Way] = []
            if not form.shape and (self._joint or self._gave):
                break
            for kwargs, words in built_with(self.found, form) if self.is_class else [({}, "")]:
                try:
                    base = self.built(kwargs)
                except Exception as error:
                    self._note(f"{self.name}({words}) raised {words_of(error)}")
                    continue
                for inputs in self._inputs(form, base):
                    for domain in self._domains(inputs):
                        found = self._with(base, kwargs, words, form, domain, inputs)
                        if found or self._runs(base, form, domain, inputs):
                            break
                    if found:
                        break
                if found:
                    break
            self.ways += found
            forms += bool(found)
            if forms == 3 or time.process_time() - start > PATIENCE:
                break
        self.ways = self.ways[:MOST_WAYS]
        if self.is_class and not self.ways and (names := unknown(self.found)):
            self._note(f"it is built with {', '.join(names)}, whose names say nothing")
        return self.ways

    def _inputs(self, form: Form, base: Any) -> Iterator[Inputs]:
        """What the parameters that its forward asks for may be given."""
        asked, several = asked_of(self.function(base, True))
        if not asked and several:
            yield Inputs({"x": form.shape, "y": form.shape}, {})
            return
        if not asked:
            return
        choices: list[list[Any]] = []
        for i, name in enumerate(asked):
            word = plain(name)
            if i == 0:
                choices.append([form.shape])
            elif meaning_of(word):
                choices.append([True])
            elif DICTS.fullmatch(word) and word not in NUMBERS:
                choices.append([{}])
            else:
                numbers: list[float] = [2] if word in WHOLE else []
                numbers += [NUMBER] if word in NUMBERS or word == "a" else []
                several = len(asked) > 2 or word in ("b", "bias")
                channels = list(form.channels) if word in CHANNELS and several and form.shape else []
                choices.append([*channels, *numbers, form.shape, *([] if numbers else [0.5])])
        for chosen in itertools.islice(itertools.product(*choices), 12):
            given = dict(zip(asked, chosen, strict=True))
            shapes = {name: value for name, value in given.items() if isinstance(value, tuple)}
            shapes |= {name: () for name, value in given.items() if isinstance(value, float)}
            fixed = {name: value for name, value in given.items() if name not in shapes}
            yield Inputs(shapes, fixed, tuple(asked))

    @property
    def before_softmax(self) -> bool:
        """Whether a loss with logarithms gives output less target: the gradient by what a softmax takes."""
        way = self.way
        if (
            way is None
            or len(way.by) != 1
            or len(way.inputs.shapes) < 2
            or not self._names_used() & LOGARITHMS
        ):
            return False
        other = next(name for name in way.inputs.shapes if name not in way.by)
        for case in (0, 1):
            values = self.values_of(case)
            if np.shape(values[way.by[0]]) != np.shape(values[other]):
                return False
            less = np.ravel(values[way.by[0]] - values[other])
            given = np.ravel(self.gradients(case, False)[INPUT, way.by[0]])
            times = (given @ less) / (less @ less)
            if not times or not np.allclose(given, times * less, rtol=1e-6, atol=1e-9):
                return False
        return True

    @property
    def looks_for_one(self) -> bool:
        """Whether its backward takes a gradient of outputs and asks which of its numbers are not 0."""
        if self.way is None or not any(role == "dout" for _, role in self.way.roles):
            return False
        node = definition_of(self.function(self.base(0), False))
        if node is None:
            return False
        zeros = (
            one
            for part in ast.walk(node)
            if isinstance(part, ast.Compare) and isinstance(part.ops[0], (ast.Eq, ast.NotEq))
            for one in part.comparators
        )
        named = {"nonzero", "argwhere", "flatnonzero", "argmax"}
        return bool(names_in(node) & named) or any(
            isinstance(one, ast.Constant) and one.value == 0 for one in zeros
        )

    def _names_used(self) -> set[str]:
        """The names of functions in its source."""
        if self.is_class:
            return names_in_class(self.found)
        node = definition_of(self.function(self.found, True))
        return names_in(node) if node is not None else set()

    def _domains(self, inputs: Inputs) -> list[str]:
        """Which values are tried; of a loss that takes logarithms those for which there are any first."""
        arrays = [shape for shape in inputs.shapes.values() if shape]
        if len(arrays) > 1 and self._names_used() & {"clip", *LOGARITHMS}:
            return [ROWS, BETWEEN, ANY, POSITIVE]
        return [ANY, POSITIVE, BETWEEN, ROWS]

    def _values(self, inputs: Inputs, domain: str, case: int, steady: bool = False) -> dict[str, Any]:
        """What forward is given, in the order of its parameters."""
        asked = [*inputs.shapes, *inputs.fixed]
        if self.is_class or isinstance(self.found, tuple):
            own, _ = asked_of(self.function(self.found, True))
            asked = [name for name in own if name in asked] or asked
        found = {}
        for i, name in enumerate(asked):
            if name in inputs.fixed:
                found[name] = inputs.fixed[name]
            elif inputs.shapes[name] == () and i:
                found[name] = float(NUMBER + 0.1 * (case % 3))
            else:
                found[name] = drawn(inputs.shapes[name], domain, case, i, steady)
        return found

    def _runs(self, base: Any, form: Form, domain: str, inputs: Inputs) -> bool:
        with suppress(Exception), np.errstate(all="ignore"):
            out = self.run(self._copy(base), self._values(inputs, domain, 0)).out
            return is_usable(out)
        return False

    def _with(
        self, base: Any, kwargs: dict[str, Any], words: str, form: Form, domain: str, inputs: Inputs
    ) -> list[Way]:
        """The ways for these inputs: of one forward each role that its backward's parameters may have."""
        values = self._values(inputs, domain, 0)
        try:
            with np.errstate(all="ignore"):
                results = self.run(self._copy(base), values)
        except Exception as error:
            self._note(f"{self.forward_name}({self._shapes(inputs)}) raised {words_of(error)}")
            return []
        if not is_usable(results.out):
            self._note(f"{self.forward_name}({self._shapes(inputs)}) gave {what_it_is(results.out)}")
            return []
        self.ran = True
        found: list[Way] = []
        for roles, sure in self._roles(inputs, results):
            way = Way(kwargs, words, form, domain, inputs, roles, "", (), sure)
            try:
                with np.errstate(all="ignore"):
                    again = self.run(self._copy(base), values)
                    result = self.back(way, again, self._dout(again.out, 0))
            except Exception as error:
                self._note(f"{self._call(way)} raised {words_of(error)}")
                continue
            self._gave = True
            found += self._read(way, base, again, result)
        return found

    def _roles(self, inputs: Inputs, results: Results) -> Iterator[tuple[tuple[tuple[str, str], ...], bool]]:
        """Each way to give the backward what it asks for, the likeliest first; whether no name is open."""
        if self.gives_both:
            yield (), True
            return
        asked, _ = asked_of(self.function(results.held, False))
        names = list(inputs.shapes) + list(inputs.fixed)
        first = f"in:{names[0]}"
        scalar = np.ndim(results.out) == 0
        known = [role_in_backward(name, names) for name in asked]
        choices = []
        for role in known:
            options = [role] if role else []
            if role == "cache" and results.cache is None:
                options = []
            if not role or (len(asked) == 1 and role not in ("cache", "rate", "flag")):
                free = ["dout", first, "out"]
                if self.gives_slopes and not (role == "dout" and self.is_class):
                    free = [first, "out", *(["dout"] if self.is_class or len(asked) > 1 else [])]
                if results.cache is not None:
                    free.append("cache")
                options += [one for one in free if one not in options]
                if self.is_class and not self.gives_slopes and role == "dout":
                    options = ["dout"]
            elif role == first and self.gives_slopes and not scalar:
                options.append("out")
            elif role == "out":
                options.append(first)
            elif role == "cache" and not options:
                options = [first, "out"]
            choices.append(options)
        rest = [role for role in known if role not in ("rate", "flag")]
        sure = (all(known) or len(rest) <= 1) and self._is_plain(asked)
        for roles in itertools.islice(itertools.product(*choices), 16):
            single = [role for role in roles if role not in ("flag",)]
            if len(set(single)) == len(single):
                yield tuple(zip(asked, roles, strict=True)), sure

    def _is_plain(self, asked: list[str]) -> bool:
        """Whether its methods are what their names say, and nothing else sets what they use."""
        if not self.is_class:
            return True
        if (self.gives_slopes and not asked) or hands_one_function(self.found):
            return False
        names = method_names(self.found)
        forwards = {plain(name.strip("_")) for name in names} & {*FORWARDS} - {"call"}
        return plain(self.forward_name.strip("_")) in FORWARDS[:SUREST] or len(forwards) <= 1

    def _read(self, way: Way, base: Any, results: Results, result: Any) -> list[Way]:
        """What may lie in what it returned: gradients of its inputs by their shapes."""
        parts = self._parts(result, results)
        if not parts:
            self._note(f"{self._call(way)} gave {what_it_is(result)}")
            return []
        has_dout = any(role == "dout" for _, role in way.roles)
        out = np.asarray(results.out)
        shapes = way.inputs.shapes
        names = self._names(result)
        first = next(iter(shapes))
        found = []
        for by in self._by(parts, names, shapes, np.ndim(out) == 0):
            if has_dout or out.ndim == 0:
                if all(np.shape(p) == shapes[n] for p, n in zip(parts, by, strict=False)):
                    found.append(replace(way, gives=TIMES_DOUT, by=by))
                continue
            if all(np.shape(p) in ((), shapes[n]) for p, n in zip(parts, by, strict=False)):
                if not self._joint and all(self._row_by_row(way, base, results, n) for n in by):
                    found.append(replace(way, gives=SLOPE, by=by))
                else:
                    self._joint = True
                    self._note(
                        f"{self._call(way)} gives one number per input, where an output depends on several"
                    )
            elif len(by) == 1 and out.ndim == 1 and np.shape(parts[0]) == (*out.shape, *shapes[first]):
                found.append(replace(way, gives=JACOBIAN, by=by))
        if not found:
            given = ", ".join(str(np.shape(p)) for p in parts)
            self._note(f"{self._call(way)} gave {given} for an input of {shapes[first]}")
        return found

    def _by(
        self, parts: list[Any], names: list[str], shapes: dict[str, tuple[int, ...]], scalar: bool
    ) -> list[tuple[str, ...]]:
        """Which inputs the gradients may be of: by name, else in their order."""
        varied = list(shapes)
        bases = [base_of_gradient(name) for name in names]
        named = [next((v for v in varied if plain(v) == b), "") for b in bases]
        if len(parts) == len(named) and all(named) and len(set(named)) == len(named):
            return [tuple(named)]
        if len(parts) > len(varied):
            parts = parts[: len(varied)]
        if len(parts) > 1:
            return [tuple(varied[: len(parts)])]
        if len(varied) >= 2:
            meant = meanings_of(varied[:2])
            if "x" in meant and (scalar or "t" in meant):
                return [(varied[meant.index("x")],)]
            return [(varied[0],), (varied[1],)]
        return [(varied[0],)]

    def _names(self, result: Any) -> list[str]:
        if isinstance(result, dict):
            return [str(key) for key in result]
        held = self.found if self.is_class else None
        names = names_returned(self.function(held, False))
        return names[1:] if self.gives_both else names

    def _parts(self, result: Any, results: Results) -> list[Any]:
        """The arrays that came back, those of the inputs first."""
        if result is None:
            own = getattr(results.held, "__dict__", {})
            result = next((own[name] for name in own if plain(name) in KEPT_DX), None)
        parts = list(result.values()) if isinstance(result, dict) else result
        parts = list(parts) if isinstance(parts, (tuple, list)) else [parts]
        found = []
        for part in parts:
            if not is_number_or_array(part):
                break
            found.append(np.asarray(part, np.float64))
        return found

    def _row_by_row(self, way: Way, base: Any, results: Results, name: str) -> bool:
        """Whether each output depends on the input at its own place alone, or on its own row."""
        shape, out = way.inputs.shapes[name], np.asarray(results.out, np.float64)
        if out.shape != shape and out.shape not in (shape[:1], (*shape[:1], 1)):
            return False
        if not shape:
            return out.shape == ()
        for at in {0, int(np.prod(shape)) // 2}:
            values = dict(results.values)
            moved = np.array(values[name])
            moved.flat[at] += 1e-3
            values[name] = moved
            with np.errstate(all="ignore"):
                other = np.asarray(self.run(self._copy(base), values).out, np.float64)
            changed = np.argwhere(other != out)
            place = np.unravel_index(at, shape)
            own = place if out.shape == shape else (place[0], 0)[: out.ndim]
            if len(changed) > 1 or any(tuple(one) != tuple(own) for one in changed):
                return False
        return True

    # -- for the checker ---------------------------------------------------------------------------
    def use(self, way: Way) -> None:
        """From now on it is called in that way."""
        self.way, self._bases = way, {}
        self.places: list[Place] = [(INPUT, name) for name in way.by]
        self._fill = self._trained(self.built(way.kwargs)) if self.is_class else {}
        self.other = {}
        self.other = self._others()
        self._bases = {}
        self.places += [(WEIGHT, *place) for place in self._fill]

    def _others(self) -> dict[str, float]:
        """Arguments other than its defaults, with which it runs as well."""
        assert self.way is not None
        if self.is_class:
            found = {} if is_bare(self.found) else other_numbers(self.found)
            found = {name: value for name, value in found.items() if name not in self.way.kwargs}
        else:
            both = [other_numbers(one) for one in self.found]
            found = {name: value for name, value in both[0].items() if name in both[1]}
        values = self._values(self.way.inputs, self.way.domain, 1)
        with suppress(Exception), np.errstate(all="ignore"):
            if self.is_class:
                out = self.run(self.built({**self.way.kwargs, **found}), values).out
            else:
                out = self.run(None, values, found).out
            return found if is_usable(out) else {}
        return {}

    def _other_of(self, case: int) -> dict[str, float]:
        return self.other if case % 3 == 1 else {}

    def _besides(self, case: int) -> dict[str, float]:
        """Of functions what both are given besides in that case."""
        return {} if self.is_class else self._other_of(case)

    def _trained(self, layer: Any) -> dict[Place, Any]:
        """The arrays that its outputs depend on, which may be its weights; also those of a first forward."""
        assert self.way is not None
        if isinstance(layer, type):
            return {}
        found = weights_of(layer)
        self._lazy = not found
        values = self._values(self.way.inputs, self.way.domain, 0, steady=True)
        after = self._copy(layer)
        out = np.asarray(self.run(after, values).out, np.float64)
        with suppress(Exception), np.errstate(all="ignore"):
            later = self._copy(after)
            self.back(self.way, self.run(later, values), self._dout(out, 0))
            found |= {place: value for place, value in with_gradients_beside(layer, later).items()}
        if self._lazy:
            found |= weights_of(after)
        kept = {}
        for place, value in found.items():
            moved = self._copy(after if self._lazy else layer)
            with suppress(Exception), np.errstate(all="ignore"):
                put(moved, place, np.asarray(taken(moved, place), np.float64) + 0.01)
                other = np.asarray(self.run(moved, values).out, np.float64)
                if other.shape == out.shape and not np.array_equal(other, out, equal_nan=True):
                    kept[place] = value
        return kept

    def base(self, case: int, decays: bool = False) -> Any:
        """The layer of that case: its weights are random numbers of its own."""
        assert self.way is not None
        if case not in self._bases:
            layer = self.built({**self.way.kwargs, **self._other_of(case)})
            if self._fill:
                if self._lazy:
                    self.run(layer, self._values(self.way.inputs, self.way.domain, 0, steady=True))
                filled(layer, self._fill, case)
            self._bases[case] = layer
        return self._bases[case]

    def at(self, held: Any, place: Place) -> Any:
        if place[0] == INPUT:
            return 0.0
        return taken(held, place[1:])

    def values_of(self, case: int) -> dict[str, Any]:
        assert self.way is not None
        steady = bool(self._fill) or len(self.way.inputs.shapes) > 1
        return self._values(self.way.inputs, self.way.domain, case, steady)

    def _dout(self, out: Any, case: int) -> Any:
        """What each output is multiplied by; 1 for a single number of a loss."""
        if np.ndim(out) == 0:
            return 1.0
        rng = np.random.default_rng([case, 23])
        found = rng.standard_normal(np.shape(out))
        if self.one_slope:
            found.flat[np.arange(found.size) != rng.integers(found.size)] = 0
        return found

    def losses(self, case: int, decays: bool, moves: list[tuple[Place, int, float]]) -> Array:
        """The sum of its outputs times `dout` after each move; NaN where it cannot be had."""
        base, found = self.base(case), np.full(len(moves), np.nan)
        for i, (place, at, by) in enumerate(moves):
            layer, values = self._copy(base), self.values_of(case)
            if place[0] == INPUT:
                name = str(place[1])
                moved = np.array(values[name], np.float64)
                moved.flat[at] += by
                values[name] = moved if moved.ndim else float(moved)
            else:
                value = np.array(taken(layer, place[1:]), np.float64)
                value.flat[at] += by
                put(layer, place[1:], value)
            with np.errstate(all="ignore"):
                out = np.asarray(self.run(layer, values, self._besides(case)).out, np.float64)
            found[i] = float((out * self._dout(out, case)).sum())
        return found

    def gradients(self, case: int, decays: bool) -> Arrays:
        """Place -> gradient, of its inputs and weights."""
        assert self.way is not None
        way, layer, values = self.way, self._copy(self.base(case)), self.values_of(case)
        before = {place: np.array(taken(layer, place)) for place in self._fill}
        with np.errstate(all="ignore"):
            results = self.run(layer, values, other := self._besides(case))
            dout = self._dout(results.out, case)
            result = self.back(way, results, dout, other)
        found: Arrays = {}
        parts = self._parts(result, results)
        for name, part in zip(way.by, parts, strict=False):
            if way.gives == SLOPE:
                times = np.asarray(dout)
                while times.ndim < part.ndim:
                    times = times[..., None]
                part = part * times
            elif way.gives == JACOBIAN:
                part = np.asarray(dout) @ part
            found[INPUT, name] = part
        if self._fill:
            found |= {(WEIGHT, *p): g for p, g in self._of_weights(layer, before, result).items()}
        return found

    def _of_weights(self, layer: Any, before: Arrays, result: Any) -> Arrays:
        """The gradients of its weights: returned beside those of its inputs, kept, or seen as a change."""
        names = self._names(result)
        rest = result
        if isinstance(result, (tuple, list)):
            inputs = len(self.way.by) if self.way is not None else 1
            rest, names = tuple(result[inputs:]), names[inputs:]
        found = {**of_attributes(layer, before), **gradients_beside(layer, before)}
        if isinstance(rest, (tuple, dict)) and len(rest):
            found = {**of_returned(rest, names, before), **found}
        rated = any(role == "rate" for _, role in self.way.roles) if self.way is not None else False
        rated = rated or any(plain(name) in RATES for name in getattr(layer, "__dict__", {}))
        if len(found) < len(before) and rated:
            changed = of_changes(layer, before, RATE)
            found = {**{p: g for p, g in changed.items() if np.any(g)}, **found}
        return {p: g for p, g in found.items() if shape_fits(np.shape(g), np.shape(before[p]))}

    def line(self, place: Place) -> str:
        """`layers.py, line 31`: where the gradient at that place is computed."""
        held = self.built(self.way.kwargs) if self.way is not None else None
        name = str([step for step in place if isinstance(step, str)][-1])
        return line_of(self.function(held, False), name)

    def shown(self, place: Place) -> str:
        return str(place[1]) if place[0] == INPUT else shown(place[1:])

    def every_form(self) -> bool:
        """Whether each form of its input that runs is one that it is meant for."""
        return False

    def gives_rows(self) -> bool:
        """Whether its forward is known to give rows of its weights."""
        return False

    def without_gradient(self) -> list[str]:
        """The inputs of a layer whose gradient its backward does not give; a loss's target needs none."""
        way = self.way
        assert way is not None
        outs = self.run(self._copy(self.base(0)), self.values_of(0)).out
        names = list(way.inputs.shapes)
        targets = [name for name, meant in zip(names, meanings_of(names[:2]), strict=False) if meant == "t"]
        return [name for name in names if name not in (*way.by, *targets)] if np.ndim(outs) else []
