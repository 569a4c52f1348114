"""What a container does with its layers in one call: which it calls, in which order, and what each is handed.

Each layer notes the calls that come from outside of it. What is said of a container is what these calls
show: a layer that is passed over, an order that is not the one of the layers, an array that is not handed on.
Needs NumPy alone.
"""

from __future__ import annotations

import copy
import functools
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np

from parity.adapters.arguments import plain
from parity.adapters.container_parts import methods_of
from parity.adapters.network_arrays import CODE
from parity.adapters.network_words import FORWARDS, gives_gradients

FORWARD, BACKWARD, OTHER = "forward", "backward", "other"
DEEPEST = 4
SLOPES = ("dinputs", "dvalues", "dx", "inputgradient", "dinput", "gradinput", "inputgrad", "delta")
STEP = 1e-6
MOST = 128  # numbers of an input whose slopes are asked for
CLOSE = 1e-5  # of the largest number, between a layer's backward and the slopes of its forward


@dataclass
class Event:
    """One call of a layer: which one, what it was given, what it gave, and where that call stands."""

    layer: int
    name: str
    what: str
    given: Any
    gave: Any
    line: int
    before: Any  # the layer as it was
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    raised: str = ""
    after: Any = None


@dataclass
class Log:
    """The calls of one run, in their order."""

    events: list[Event] = field(default_factory=list)
    depth: int = 0
    broken_off: bool = False  # an exception ended the run

    def close(self) -> None:
        """Note no more."""
        self.depth = 1

    def of(self, what: str) -> list[Event]:
        return [one for one in self.events if one.what == what]


def layers_in(network: Any, classes: Sequence[type]) -> list[Any]:
    """The layers of these classes that it holds, those that lie least deep first, each once."""
    found: list[Any] = []
    seen, level = {id(network)}, [network]
    for _ in range(DEEPEST):
        below: list[Any] = []
        for held in level:
            for part in _parts(held):
                if id(part) in seen or isinstance(part, (*CODE, np.ndarray, int, float)) or part is None:
                    continue
                seen.add(id(part))
                if type(part) in classes:
                    found.append(part)
                else:
                    below.append(part)
        if found:
            return found
        level = below
    return found


def _parts(held: Any) -> Iterator[Any]:
    if isinstance(held, Mapping):
        yield from held.values()
    elif isinstance(held, (list, tuple)):
        yield from held
    else:
        yield from getattr(held, "__dict__", {}).values()


def through(layers: Sequence[Any], x: Any) -> Any:
    """What the layers make of it one after another; of a batch of one row in a list, of that row."""
    x = x[0] if np.ndim(x) == 3 else x
    for layer in layers:
        names = [name for name in methods_of(type(layer)) if what_of(name) == FORWARD]
        out = getattr(layer, min(names, key=lambda name: (name == "__call__", len(name))))(x)
        x = getattr(layer, "output", None) if out is None else out
    return x


def watched(layers: Sequence[Any], source: str) -> Log:
    """From now on these layers note their calls; `source` is the file of the container."""
    log = Log()
    for number, layer in enumerate(layers):
        cls = type(layer)
        own = {
            name: _noting(name, getattr(cls, name), number, log, source)
            for name in methods_of(cls)
            if callable(getattr(cls, name, None))
            and not isinstance(_static(cls, name), (staticmethod, classmethod, property))
        }
        layer.__class__ = type(cls.__name__, (cls,), own | {"__module__": cls.__module__})
    return log


def _static(cls: type, name: str) -> Any:
    return next((vars(one)[name] for one in cls.__mro__ if name in vars(one)), None)


def what_of(name: str) -> str:
    """Whether a layer's method of that name goes forward or back."""
    word = plain(name)
    if word in FORWARDS or name == "__call__" or word.startswith("forward"):
        return FORWARD
    return BACKWARD if gives_gradients(name) and not word.startswith("update") else OTHER


def _noting(name: str, method: Callable[..., Any], number: int, log: Log, source: str) -> Callable[..., Any]:
    @functools.wraps(method)
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        if log.depth:
            return method(self, *args, **kwargs)
        given = next((a for a in [*args, *kwargs.values()] if isinstance(a, np.ndarray)), None)
        event = Event(
            number,
            name,
            what_of(name),
            _kept(given),
            None,
            _line(source),
            _copied(self),
            tuple(map(_kept, args)),
            {k: _kept(v) for k, v in kwargs.items()},
        )
        log.events.append(event)
        log.depth += 1
        try:
            result = method(self, *args, **kwargs)
        except Exception as error:
            event.raised = f"{type(error).__name__}: {error}"
            raise
        finally:
            log.depth -= 1
        event.gave, event.after = _kept(result), _copied(self)
        return result

    return call


def _kept(value: Any) -> Any:
    return value.copy() if isinstance(value, np.ndarray) else value


def _copied(layer: Any) -> Any:
    with suppress(Exception):
        return copy.deepcopy(layer)
    return None


def _line(source: str) -> int:
    """The line of the container's file from which it is called."""
    frame: Any = sys._getframe(2)
    while frame is not None:
        if frame.f_code.co_filename == source:
            return int(frame.f_lineno)
        frame = frame.f_back
    return 0


# -- what the calls show ----------------------------------------------------------------------------
@dataclass(frozen=True)
class Broken:
    """What a container does wrong with its layers, and in which line."""

    says: str
    line: int = 0


def same(one: Any, other: Any) -> bool:
    """Whether two arrays hold the same numbers, be it in another shape."""
    if not isinstance(one, np.ndarray) or not isinstance(other, np.ndarray) or one.size != other.size:
        return False
    return bool(np.array_equal(one.ravel(), other.ravel()))


def forward_broken(log: Log, names: Sequence[str], start: int = 0) -> Broken | None:
    """Whether in its calls forward a layer is passed over, out of order, or is not given what the one
    before it gave."""
    events = log.of(FORWARD)[start:]
    order = [event.layer for event in events]
    if not events or (order == sorted(order) and len(order) > len(names)):  # each layer on each row
        return None
    passed: Event | None = None
    for at, event in enumerate(events):
        expected = at % len(names)
        if expected == len(names) - 1 and event.layer == 0:
            return None  # the last one may be its loss
        if event.layer != expected:
            called = ", ".join(names[one.layer] for one in events[at - expected : at + 1])
            return Broken(f"going forward it calls {called}: its layers are {', '.join(names)}", event.line)
        gave = passed.gave if expected and passed is not None else None
        lost = passed is not None and isinstance(gave, np.ndarray) and same(event.given, passed.given)
        if lost and not same(event.given, gave):
            says = f"going forward {names[event.layer]}, layer {event.layer + 1}, is given what layer "
            return Broken(f"{says}{event.layer} was given and not what it gave", event.line)
        passed = event
    last = len(events) % len(names)
    if 0 < last < len(names) - 1 and not log.broken_off:  # the last one may be its loss
        return Broken(f"going forward it never calls {names[last]}, layer {last + 1}", events[-1].line)
    return None


def leaves_the_last(log: Log, count: int) -> bool:
    """Whether it goes forward through all of its layers but the last."""
    events = log.of(FORWARD)
    return bool(events) and all(event.layer < count - 1 for event in events) and not events[-1].raised


def backward_broken(log: Log, names: Sequence[str]) -> Broken | None:
    """The same of its calls backward; the last layer may be passed over, as a softmax is before its loss."""
    events = log.of(BACKWARD)
    if not events:
        return None
    count = len(names)
    order = [event.layer for event in events][:count]
    wanted = list(range(count))[::-1]
    if order == list(range(len(order))) and count > 1:
        return Broken("going back it goes through its layers from the first to the last", events[0].line)
    if order and order[0] == count - 2:
        wanted = wanted[1:]
    if order[: len(wanted)] != wanted[: len(order)]:
        missing = [names[one] for one in wanted if one not in order]
        if missing:
            return Broken(f"going back it never calls {', '.join(missing)}", events[0].line)
        return Broken(f"going back it calls {', '.join(names[one] for one in order[:count])}", events[0].line)
    if len(order) < len(wanted) and not log.broken_off:
        missing = [names[one] for one in wanted if one not in order]
        return Broken(f"going back it never calls {', '.join(missing)}", events[-1].line)
    for earlier, event in pairwise(events):
        gave, dout = earlier.gave, earlier.given
        if event.layer == earlier.layer - 1 and isinstance(gave, np.ndarray) and not same(event.given, gave):
            if same(event.given, dout):
                return Broken(
                    f"going back {names[event.layer]}, layer {event.layer + 1}, is given what layer "
                    f"{event.layer + 2} was given and not what it gave",
                    event.line,
                )
            if same(event.given, -gave):
                return Broken(
                    f"going back the gradient changes its sign on the way to {names[event.layer]}, "
                    f"layer {event.layer + 1}",
                    event.line,
                )
    return None


# -- whether a layer is right on what it was given ----------------------------------------------------
def slopes_of_forward(event: Event, dout: Any) -> Any:
    """The gradient of its input by central differences of its forward, with dout: of a large input some
    numbers, and NaN for the others; None where it has none."""
    x = event.given
    if not isinstance(x, np.ndarray) or x.dtype.kind != "f" or event.before is None:
        return None
    found = np.full(x.size, np.nan)
    for i in np.random.default_rng(x.size).permutation(x.size)[:MOST]:
        outs = []
        for sign in (1, -1):
            moved = x.copy()
            moved.flat[i] += sign * STEP
            outs.append(_again(event, moved))
        if any(not isinstance(out, np.ndarray) or out.size != np.size(dout) for out in outs):
            return None
        found[i] = ((outs[0] - outs[1]).ravel() @ np.ravel(dout)) / (2 * STEP)
    return found.reshape(x.shape)


def _again(event: Event, x: Any) -> Any:
    """The output of that forward for another input."""
    layer = copy.deepcopy(event.before)
    args = [x if same(a, event.given) else _kept(a) for a in event.args]
    kwargs = {k: x if same(v, event.given) else _kept(v) for k, v in event.kwargs.items()}
    with suppress(Exception):
        out = getattr(layer, event.name)(*args, **kwargs)
        return getattr(layer, "output", None) if out is None else out
    return None


def dx_of(event: Event) -> Any:
    """The gradient that a layer's backward gave, or keeps."""
    if isinstance(event.gave, np.ndarray):
        return event.gave
    own = getattr(event.after, "__dict__", {})
    return next((v for k, v in own.items() if plain(k) in SLOPES and isinstance(v, np.ndarray)), None)


def pair_of(log: Log, number: int) -> tuple[Event | None, Event | None]:
    """The first backward of a layer, and the forward before it."""
    forward: Event | None = None
    for event in log.events:
        if event.layer == number and event.what == BACKWARD:
            return forward, event
        if event.layer == number and event.what == FORWARD:
            forward = event
    return forward, None


def wrong_layers(log: Log, count: int) -> tuple[list[int], list[int]]:
    """The layers whose backward gives another gradient than their forward has, and those not known."""
    wrong, unknown = [], []
    for number in range(count):
        forward, backward = pair_of(log, number)
        if forward is None or backward is None or backward.raised:
            unknown.append(number)
            continue
        numeric, dx = slopes_of_forward(forward, backward.given), dx_of(backward)
        if numeric is None or not isinstance(dx, np.ndarray) or dx.size != numeric.size:
            unknown.append(number)
        elif _off(dx, numeric) > CLOSE * max(1e-3, float(np.nanmax(np.abs(numeric)))):
            wrong.append(number)
    return wrong, unknown


def _off(dx: Any, numeric: Any) -> float:
    """How far a gradient is from the slopes that are known."""
    return float(np.nanmax(np.abs(dx.ravel() - numeric.ravel())))
