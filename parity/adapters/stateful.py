"""Optimizers that are functions and are handed their state: `f(params, grads, v, s, t, lr, beta1, beta2)`.

The state begins with zeros, and the new one is what is returned after the arrays, or what lies in the old
one's place. One that is handed no arrays returns the step in their stead (`returned_steps`). Steps are
counted from 1, or from 0 where nothing is divided by zero then: it adds the one itself. Needs NumPy alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from typing import Any

import numpy as np

from parity.adapters.arguments import plain
from parity.adapters.optimizer_names import (
    COUNTS,
    DECAYS,
    EPSILON,
    MOMENTS,
    ONE,
    RATES,
    SLOPE,
    SLOPES,
    TOGETHER,
    first_step,
)
from parity.adapters.returned_steps import Steps

Arrays = dict[str, Any]
OF_ONE = (*ONE, "x")  # its array, of a function
OF_SLOPE = (*SLOPE, "gradx")
HANDED = (*TOGETHER, *OF_ONE)
STATES = ("state", *MOMENTS, "movingavg", "movingaverage", "runningavg", "runningaverage", "avg")
CHANGES = (  # of Adadelta, the average of the squared changes
    *("delta", "deltas", "d", "accdelta", "deltaacc", "accumdelta", "deltaaccum", "accupdate", "updates"),
    *(
        "update",
        "accupdates",
        "edx",
        "edx2",
        "ex",
        "ex2",
        "edelta",
        "egrad",
        "eg",
        "eg2",
        "accgrad",
        "squareavg",
    ),
    *("deltasq", "sqdelta", "gradsq", "sqgrad", "deltacache", "cachedelta", "deltax", "xs", "gs"),
)
TWO = ("adam", "adamw", "adamax", "nadam", "adadelta")  # kinds that keep two arrays for each
TOGETHER_AS = (
    "param",
    "params",
    "state",
    "states",
    "cache",
    "moments",
)  # after the kind's name: all in a tuple
NUMBERS = (*COUNTS, "i")  # of the step; of a class's method i may be the array's
CONSTANTS = {  # each may go by another's name where that is not there
    "momentum": ("momentum", "mu", "beta", "beta1", "gamma", "rho", "momentumrate", "momentumcoefficient"),
    "decay_rate": ("decayrate", "decay", "rho", "beta", "beta2", "gamma"),
    "beta1": ("beta1", "b1"),
    "beta2": ("beta2", "b2"),
}
KINDS: dict[str, tuple[str, ...]] = {
    "momentum": ("momentum",),
    "nesterov": ("momentum",),
    "adagrad": (),
    "rmsprop": ("decay_rate",),
    "adadelta": ("decay_rate",),
    "adam": ("beta1", "beta2"),
    "adamw": ("beta1", "beta2"),
    "adamax": ("beta1", "beta2"),
    "nadam": ("beta1", "beta2"),
}
CONSTANTS_OF = {  # every name that the kind's constants may have
    kind: ("betas", *DECAYS, *(word for name in names for word in CONSTANTS[name]))
    for kind, names in KINDS.items()
}
FORMS = ("numbered+state", "numbered+own state", "dicts+state", "lists+state", "arrays+state")
IN_DICT, IN_PAIR = "arrays+dict state", "arrays+pair state"  # of one array, both moments in one


def reading(params: Sequence[Mapping[str, Any]], kind: str) -> dict[str, str]:
    """Parameter -> "params", "grads", "state", "states", "t", "eps", "lr" or the constant, "weight_decay".

    Nothing where one is unknown or one is missing; what has a default and no meaning here is left alone.
    """
    found: dict[str, str] = {}
    tables: dict[str, Sequence[str]] = {"params": HANDED, "grads": (*SLOPES, *OF_SLOPE), "lr": RATES}
    tables |= {name: CONSTANTS[name] for name in KINDS.get(kind, ())}
    tables |= {"t": NUMBERS, "eps": EPSILON, "weight_decay": DECAYS}
    for p in params:
        word = plain(p["name"])
        history = p["name"] == "G" and any(plain(q["name"]) in OF_SLOPE for q in params if q is not p)
        known = [] if history else tables.items()
        names = (name for name, words in known if word in words and name not in found.values())
        together = [f"{kind}{word}" for word in TOGETHER_AS]
        is_state = word in STATES or history or (kind == "adadelta" and word in CHANGES)
        meaning = next(names, "state" if is_state else "states" if word in together else "")
        if meaning:
            found[p["name"]] = meaning
        elif p["required"]:
            return {}
    needed = {"grads", "states" if "states" in found.values() else "state", *KINDS.get(kind, ())}
    if "params" in found.values():
        needed |= {"params"} if kind == "adadelta" else {"params", "lr"}
    return found if kind in KINDS and needed <= set(found.values()) else {}


def forms_of(params: Sequence[Mapping[str, Any]], kind: str) -> tuple[str, ...]:
    """The forms in which such a function may take its arrays, the likeliest first; none for another."""
    found = reading(params, kind)
    arrays = "params" if "params" in found.values() else "grads"
    one = any(meaning == arrays and plain(name) in (*OF_ONE, *OF_SLOPE) for name, meaning in found.items())
    if one and [*found.values()].count("state") == 1:
        both = kind in TWO  # one array holds no two moments
        return (IN_PAIR, IN_DICT) if both else (*reversed(FORMS), IN_DICT)
    return () if not found else tuple(reversed(FORMS)) if one else FORMS


AVERAGED = {  # the kind's constant, its own names, and names that other constants have too
    **dict.fromkeys(("momentum", "nesterov"), ("momentum", ("momentum", "mu"), ("beta", "beta1", "b1"))),
    "rmsprop": ("decay_rate", ("decayrate", "rho", "decay"), ("beta", "beta2", "b2", "gamma")),
    "adadelta": (
        "decay_rate",
        ("decayrate", "rho", "decay"),
        ("gamma", "beta", "momentum", "mu", "beta1", "b1"),
    ),
}


def averaged(params: Sequence[Mapping[str, Any]], kind: str) -> str:
    """Which parameter is the constant of momentum or RMSProp under the name of an average's, `beta`; "" for
    none."""
    _, own, other = AVERAGED.get(kind, ("", (), ()))
    words = {plain(p["name"]): p["name"] for p in params}
    second = "alpha" in words and words.keys() & {*RATES} - {"alpha"}  # of two it may be the other one
    found = [name for word, name in words.items() if word in other]
    return found[0] if found and not words.keys() & {*own} and not second else ""


class ZeroState(dict[str, Any]):
    """A state that is empty at first, and 0 under every name that is asked for."""

    def __init__(self, zeros: Any):
        super().__init__()
        self.zeros = zeros

    def __missing__(self, name: str) -> Any:
        self[name] = 0 if plain(name) in COUNTS else self.zeros.copy()
        return self[name]


class Stateful:
    """Such a function with its state.

    meanings  what each parameter gets, as `reading` says
    given     its constants by name, `lr` and `eps` among them
    form      one of FORMS
    two       whether it keeps two arrays for each, as Adam does
    """

    def __init__(
        self,
        function: Callable[..., Any],
        meanings: Mapping[str, str],
        given: Arrays,
        form: str,
        two: bool = False,
    ):
        self.function, self.meanings, self.given, self.form = function, meanings, given, form
        self.two = two
        self.states: dict[str, list[Any]] = {}
        self.count: dict[str, int] = {}
        self.returned = Steps()
        if "lr" not in meanings.values():
            self.returned.rate = given["lr"]

    def update(self, params: Arrays, grads: Arrays, layers: Sequence[tuple[str, str]]) -> None:
        """One step: the arrays of params are changed."""
        for keys in self._groups(params, layers):
            self._step(keys, params, grads)

    def _groups(self, params: Arrays, layers: Sequence[tuple[str, str]]) -> list[dict[str, str]]:
        """What is handed over together: key -> the array's name, "" for one that is nobody's."""
        if self.form.startswith("arrays"):
            return [{name: name} for name in params]
        if not self.form.startswith("numbered"):
            return [{name: name for name in params}]
        pairs = [[*layers[at : at + 2], ("", "")][:2] for at in range(0, len(layers), 2)]
        return [
            {
                f"{letter}{i}": name
                for i, pair in enumerate(two, 1)
                for letter, name in zip("Wb", pair, strict=True)
            }
            for two in pairs
        ]

    def _step(self, keys: dict[str, str], params: Arrays, grads: Arrays) -> None:
        at = next(iter(filter(None, keys.values())))
        arrays = {key: params[name] if name else np.zeros(1) for key, name in keys.items()}
        slopes = {key: grads[name] if name else np.zeros(1) for key, name in keys.items()}
        if at not in self.states:
            self.states[at] = self._begun({key: np.zeros_like(a) for key, a in arrays.items()})
            self.count[at] = self._first_count(arrays, slopes, self.states[at])
        given = self._packed(arrays)
        found = self._call(given, slopes, self.states[at], self.count[at])
        self.count[at] += 1
        parts = list(found) if isinstance(found, tuple) else [found]
        if "params" not in self.meanings.values():
            self._take_step(keys, params, grads, parts[0])
        with_arrays = "params" in self.meanings.values()
        new = parts[0] if parts and with_arrays and _alike(parts[0], given) else given
        for i, state in enumerate(self.states[at]):
            if len(parts) > i + 1 and _alike(parts[i + 1], state):
                self.states[at][i] = parts[i + 1]
        for key, name in keys.items() if with_arrays else ():
            now = self._unpacked(new, key, list(keys))
            if name and now is not params[name]:
                params[name][...] = now

    def _begun(self, zeros: Arrays) -> list[Any]:
        """What it is handed as its state at first."""
        one = next(iter(zeros.values()))
        if self.form == IN_DICT:
            return [ZeroState(one)]
        if self.form == IN_PAIR:
            return [(one, one.copy())]
        return [_copied(self._packed(zeros, self.form == "numbered+state")) for _ in range(self._moments())]

    def _moments(self) -> int:
        """How many moments it is handed."""
        if "states" in self.meanings.values():
            return 2 if self.two else 1
        return [*self.meanings.values()].count("state")

    def _take_step(self, keys: dict[str, str], params: Arrays, grads: Arrays, step: Any) -> None:
        """Change the arrays by what was returned for their gradients, under their names or those of these."""
        own = {key: name for key, name in keys.items() if name}
        if self.form.startswith("numbered") and not own.keys() <= step.keys():
            step = {key: step[f"d{key}"] for key in own}
        steps = {name: self._unpacked(step, key, list(keys)) for key, name in own.items()}
        self.returned.taken({n: params[n] for n in steps}, grads, steps)

    def _call(self, given: Any, slopes: Arrays, states: Sequence[Any], count: int) -> Any:
        left = iter(states)
        values = {"params": given, "grads": self._packed(slopes, True), "t": count, **self.given}
        values["states"] = tuple(states)
        return self.function(
            **{
                name: next(left) if meaning == "state" else values[meaning]
                for name, meaning in self.meanings.items()
                if meaning == "state" or meaning in values
            }
        )

    def _first_count(self, arrays: Arrays, slopes: Arrays, states: Sequence[Any]) -> int:
        """0 where that gives numbers, tried on copies; else 1."""
        if "t" not in self.meanings.values():
            return 1

        def step(count: int) -> Any:
            given, own = self._packed(_copied(arrays)), [_copied(state) for state in states]
            return self._call(given, slopes, own, count), given

        return first_step(step)

    def _packed(self, arrays: Arrays, slopes: bool = False) -> Any:
        """The arrays as the form has them; gradients of numbered ones, and their state, are dW1, db1, ..."""
        if self.form.startswith("arrays"):
            return next(iter(arrays.values()))
        if self.form == "lists+state":
            return list(arrays.values())
        prefix = "d" if slopes and self.form.startswith("numbered") else ""
        return {f"{prefix}{key}": a for key, a in arrays.items()}

    def _unpacked(self, found: Any, key: str, keys: list[str]) -> Any:
        if self.form.startswith("arrays"):
            return found
        return found[keys.index(key) if self.form == "lists+state" else key]


def _alike(found: Any, given: Any) -> bool:
    """Whether it may take its place: arrays of the same shapes under the same keys."""
    if isinstance(given, dict):
        return (
            isinstance(found, dict)
            and given.keys() <= found.keys()
            and all(np.shape(found[k]) == np.shape(a) for k, a in given.items())
        )
    if isinstance(given, (list, tuple)):
        return isinstance(found, (list, tuple)) and [np.shape(a) for a in found] == [a.shape for a in given]
    return isinstance(found, np.ndarray) and found.shape == given.shape


def _copied(state: Any) -> Any:
    if isinstance(state, (dict, list, tuple)):
        return deepcopy(state)
    return state.copy()
