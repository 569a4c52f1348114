"""A known bug put into somebody's optimizer, in the way in which it is called (see `parity.adapters.rules`).

The optimizer makes its own step. Beside it stand the right one and the one with the bug, which make theirs
from the same arrays; where those two differ, the arrays get what the bug makes of them.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from parity.adapters.arguments import plain
from parity.adapters.convention import Convention
from parity.adapters.optimizer_names import EPSILON, RATES
from parity.adapters.recipe import recipe
from parity.adapters.rule_constants import EPS
from parity.audit.alike import NotApplied, alike, book_name
from parity.faults.fault import Fault
from parity.kinds import kind_of

STATE = {"velocity": "v", "cache": "h", "m": "m", "v": "v", "h": "h", "t": "iter"}  # of a dict of options
VELOCITY = ("momentum", "nesterov")
SHOWN = ("weights", "biases")
Arrays = dict[Any, Any]


def faulty_optimizer(person: Any, fault: Fault, convention: Convention | None, problems: list[str]) -> Any:
    """The person's class, or function, with the bug; what cannot be done while it runs goes to `problems`."""
    rule = convention.rule if convention else "dicts"
    unusual = convention is not None and bool(convention.numbers or convention.order)
    if unusual or HANDLED.get(rule, rule) not in HANDS:
        how = f"{rule}, numbers at each call" if unusual else rule
        problems.append(f"bugs are not put into an optimizer that is called in this way ({how})")
        return person
    if rule in HANDLED:
        return _function(person, fault, rule, problems)
    method = convention.forward if convention else "update"
    hands = HANDS[rule]
    own_init, own = person.__init__, getattr(person, method)

    @functools.wraps(own_init)
    def __init__(self: Any, *args: Any, **given: Any) -> None:
        if rule in ("params", "held", "both") and args and inspect.isgenerator(args[0]):
            args = (list(args[0]), *args[1:])
        own_init(self, *args, **given)
        self.__dict__["_given"], self.__dict__["_beside"] = (args, given), {}

    @functools.wraps(own)
    def update(self: Any, *args: Any, **given: Any) -> Any:
        try:
            held = hands(self, [*args, *given.values()])
            before, grads = _copied(held.params()), _copied(held.grads())
        except Exception:
            problems.append("what the optimizer is handed cannot be read")
            return own(self, *args, **given)
        back = own(self, *args, **given)
        beside = self.__dict__["_beside"].setdefault(held.of, [])
        try:
            if not beside:
                beside.append(_Beside.of(fault, _options(person, self._given, fault.kind)))
            beside[0].follow_rate(self)
            wrong = beside[0].step(before, grads, _copied(held.now(back)))
            return held.put(back, wrong) if wrong else back
        except NotApplied as why:
            problems.append(str(why))
            return back

    space = {"__init__": __init__, method: update, "__module__": person.__module__}
    return type(person.__name__, (person,), space)


def _copied(arrays: Arrays) -> dict[str, Any]:
    """Copies under texts; numbers stay numbers of one element."""
    return {str(key): np.array(array) for key, array in arrays.items() if array is not None}


def _options(person: Any, given: tuple[Any, Any], kind: str) -> dict[str, Any]:
    """The settings that the constructor was given, or has as defaults."""
    how = recipe(kind)
    try:
        bound = inspect.signature(person).bind(*given[0], **given[1])
    except (TypeError, ValueError):
        raise NotApplied("its constructor has no signature") from None
    bound.apply_defaults()
    known = (*how.order, *how.optional)
    found = {book_name(name, known): value for name, value in bound.arguments.items()}
    rate = next((v for name, v in bound.arguments.items() if plain(name) in RATES), None)
    found |= {"lr": rate} if rate is not None else {}
    eps = next((v for name, v in bound.arguments.items() if plain(name) in EPSILON), None)
    for name, value in bound.arguments.items():
        if plain(name) == "betas":
            found |= dict(zip(("beta1", "beta2"), value, strict=True))
    found = {k: v for k, v in found.items() if k in known and v is not None}
    return found if eps is None or kind not in EPS else found | {"eps": eps}


@dataclass
class _Beside:
    """The right optimizer and the one with the bug, in the book's way."""

    right: Any
    bad: Any
    lost: bool = False

    @classmethod
    def of(cls, fault: Fault, options: dict[str, Any]) -> _Beside:
        try:
            return cls(kind_of(fault.kind).ours(**options), fault.make(**options))
        except Exception as error:
            raise NotApplied(f"its settings are not those of the right one: {error}") from None

    def follow_rate(self, thing: Any) -> None:
        """The learning rate may be set between steps."""
        for name, value in vars(thing).items():
            if plain(name) in RATES and isinstance(value, float):
                self.right.lr = self.bad.lr = value

    def step(self, before: dict[str, Any], grads: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
        """What the bug makes of the arrays; {} where that is what the right one makes of them."""
        if self.lost:
            return {}
        good, wrong = ({k: v.copy() for k, v in before.items() if k in grads} for _ in range(2))
        grads = {k: g.reshape(good[k].shape).astype(good[k].dtype) for k, g in grads.items()}
        try:
            self.right.update(good, grads)
        except Exception as error:
            self.lost = True
            raise NotApplied(f"the right one raised {type(error).__name__} on what the tests call") from None
        if not all(alike(good[k], own[k]) for k in good):
            self.lost = True
            raise NotApplied("it makes other steps than the right one on what the tests call")
        self.bad.update(wrong, grads)
        return wrong if any(not np.array_equal(good[k], wrong[k]) for k in good) else {}


# -- what it is handed, by rule ----------------------------------------------------------------------
@dataclass
class _Hands:
    """The arrays and gradients of one step; `now` where they lie after it, `put` writes others there."""

    params: Callable[[], Arrays]
    grads: Callable[[], Arrays]
    now: Callable[[Any], Arrays]
    of: Any = ""  # what the state belongs to
    returned: bool = False  # whether the new array is what the method returns

    def put(self, back: Any, wrong: dict[str, Any]) -> Any:
        if self.returned and back is not None:
            (value,) = wrong.values()
            return value.astype(np.asarray(back).dtype)
        for key, array in self.now(back).items():
            array[...] = wrong[str(key)]
        return back


def _dicts(thing: Any, args: list[Any]) -> _Hands:
    def now(back: Any) -> Arrays:
        return back if isinstance(back, dict) and back.keys() == args[0].keys() else args[0]

    return _Hands(lambda: args[0], lambda: args[1], now)


def _lists(thing: Any, args: list[Any]) -> _Hands:
    def now(back: Any) -> Arrays:
        new = back if isinstance(back, (list, tuple)) and len(back) == len(args[0]) else args[0]
        return dict(enumerate(new))

    return _Hands(lambda: dict(enumerate(args[0])), lambda: dict(enumerate(args[1])), now)


def _arrays(thing: Any, args: list[Any]) -> _Hands:
    def now(back: Any) -> Arrays:
        return {"w": args[0] if back is None else back}

    return _Hands(lambda: {"w": args[0]}, lambda: {"w": args[1]}, now, returned=True)


def _layer(thing: Any, args: list[Any]) -> _Hands:
    layer = args[0]
    thing.__dict__.setdefault("_seen", []).append(layer)  # so that no other layer gets its number

    def params(_: Any = None) -> Arrays:
        return {name: getattr(layer, name) for name in SHOWN}

    def grads() -> Arrays:
        return {name: getattr(layer, f"d{name}") for name in SHOWN}

    return _Hands(params, grads, params, id(layer))


def _params(thing: Any, args: list[Any]) -> _Hands:
    given = thing._given
    handed = list(given[0][0] if given[0] else next(iter(given[1].values())))

    def params(_: Any = None) -> Arrays:
        return {i: p.data for i, p in enumerate(handed) if p.grad is not None}

    def grads() -> Arrays:
        found = {i: p.grad for i, p in enumerate(handed) if p.grad is not None}
        return {i: g if isinstance(g, (np.ndarray, float)) else g.data for i, g in found.items()}

    return _Hands(params, grads, params)


def _on_lists(thing: Any, args: list[Any]) -> _Hands:
    given = [*thing._given[0], *thing._given[1].values()]
    arrays, slopes = given[0], args[0] if args else given[1]

    def now(back: Any) -> Arrays:
        shapes = [np.shape(a) for a in arrays]
        own = [back, *vars(thing).values()]
        like = [v for v in own if isinstance(v, list) and [np.shape(a) for a in v] == shapes]
        return dict(enumerate(next((v for v in like if v is arrays), like[0] if like else arrays)))

    return _Hands(lambda: dict(enumerate(arrays)), lambda: dict(enumerate(slopes)), now)


def _pairs(thing: Any, args: list[Any]) -> _Hands:
    method = next(name for name in ("apply_gradients", "step", "update") if hasattr(thing, name))
    names = list(inspect.signature(getattr(thing, method)).parameters)
    first = plain(names[0] if names else "").startswith("grad")
    pairs = [(w, g) if not first else (g, w) for w, g in args[0]]  # as (array, gradient)

    def params(_: Any = None) -> Arrays:
        return {i: w for i, (w, _) in enumerate(pairs)}

    return _Hands(params, lambda: {i: g for i, (_, g) in enumerate(pairs)}, params)


HANDS: dict[str, Callable[[Any, list[Any]], _Hands]] = {
    "dicts": _dicts,
    "lists": _lists,
    "arrays": _arrays,
    "layer": _layer,
    "params": _params,
    "held": _on_lists,
    "both": _on_lists,
    "pairs": _pairs,
}
HANDLED = {"config": "arrays", "arrays+lr": "arrays", "lists+lr": "lists", "dicts+lr": "dicts"}  # functions


# -- functions ---------------------------------------------------------------------------------------
@dataclass
class _Kept:
    """The two optimizers that go with one dict of options."""

    config: Any
    beside: _Beside = field(repr=False)


def _function(person: Any, fault: Fault, rule: str, problems: list[str]) -> Any:
    """w, config = rule(w, dw, config), or plain gradient descent of arrays, lists or dicts."""
    kept: list[_Kept] = []

    @functools.wraps(person)
    def call(*args: Any, **given: Any) -> Any:
        bound = inspect.signature(person).bind(*args, **given)
        bound.apply_defaults()
        values = list(bound.arguments.values())
        held = HANDS[HANDLED[rule]](None, values)
        before, grads = _copied(held.params()), _copied(held.grads())
        config = values[2] if rule == "config" else None
        start = dict(config or {})
        back = person(*args, **given)
        new, after = back if rule == "config" else (back, None)
        try:
            beside = next((k.beside for k in kept if k.config is config and config is not None), None)
            if beside is None:
                if rule == "config":
                    beside = _of_config(fault, start, before, after)
                else:
                    rates = [v for n, v in bound.arguments.items() if plain(n) in RATES]
                    beside = _Beside.of(fault, {"lr": rates[0]} if rates else {})
            if rule == "config":
                kept.append(_Kept(after, beside))
            wrong = beside.step(before, grads, _copied(held.now(new)))
        except NotApplied as why:
            problems.append(str(why))
            return back
        if not wrong:
            return back
        new = held.put(new, wrong)
        return (new, after) if rule == "config" else new

    return call


def _of_config(fault: Fault, start: dict[str, Any], before: dict[str, Any], after: Any) -> _Beside:
    """With the settings that the dict has after the call, and the state that it had before it."""
    known = {*recipe(fault.kind).order, *recipe(fault.kind).optional}
    named = {("lr" if plain(k) in RATES else book_name(k, known)): v for k, v in dict(after or {}).items()}
    found = _Beside.of(fault, {k: float(v) for k, v in named.items() if k in known and np.ndim(v) == 0})
    for one in (found.right, found.bad):
        for name, value in start.items():
            slot = STATE.get(name, "")
            if slot == "iter":
                one.iter = int(value)
            elif fault.kind in VELOCITY and slot == "v" and one.lr:
                setattr(one, slot, {"w": -np.array(value) / one.lr})  # people keep the step itself
            elif slot in one.slots and np.shape(value) == before["w"].shape:
                setattr(one, slot, {"w": np.array(value)})
        missing = [slot for slot in one.slots if not getattr(one, slot)]
        if any(getattr(one, slot) for slot in one.slots):
            for slot in missing:
                setattr(one, slot, {"w": np.zeros_like(before["w"])})
    return found
