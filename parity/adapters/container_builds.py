"""A container put together of the layers, a loss and an optimizer of its own module, small.

Needs NumPy alone.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np

from parity.adapters.arguments import plain
from parity.adapters.bench import words_of
from parity.adapters.container_parts import Loss, Made, Parts, asked_of, methods_of
from parity.adapters.handed_layers import adds_layers
from parity.adapters.members import is_derivative
from parity.adapters.network_arrays import CODE, exchanged, inside
from parity.adapters.network_builds import RATE, H, I, N, O
from parity.adapters.network_random import seed
from parity.adapters.network_words import BATCHES, LASTS, PRINTS, is_loss, meaning_of_built
from parity.adapters.optimizer_names import RATES

H2 = 6  # the width of the second hidden layer
LAYERS = re.compile(
    "layers?|(layer|module)s?list|listof(layers|modules)|modules|blocks|network|net|model|args|"
    "architecture|structure|sequence|stack|ops|components|steps"
)
LOSSES = re.compile(
    "(the)?(loss|cost|criterion|objective|error)(fn|f|func|function|class|object|obj|layer|type)?"
)
OPTIMIZERS = re.compile("optimi[sz]ers?|optim|opt|updater")
SETS = re.compile(
    "use|compile|configure|prepare|(set|use|add|with)(the)?(loss|cost|optimi[sz]er|optim|params|"
    "parameters|hyperparams|items)?(function|fn)?(and(loss|optimi[sz]er))?"
)
FINISHES = re.compile(
    "build|finali[sz]e|init|initiali[sz]e|setup|link(layers)?|connect(layers)?|"
    "init(iali[sz]e)?(weights|params|parameters|layers)"
)
MOST_STACKS = 6


@dataclass
class Assembled:
    """A container with its layers: the object, what was typed, the layers in their order, and its loss."""

    found: Any
    words: str
    layers: list[Any]
    loss: Loss | None
    handed: dict[str, Any]  # what a method may ask for: "loss", "prime", "optimizer"
    rated: bool  # a rate that is ours is kept in it


class CannotBuild(Exception):
    """Why a container cannot be put together."""


def stacks(parts: Parts, without: Collection[str] = ()) -> Iterator[list[Made]]:
    """Layers in a row, each of another width; without layers of those classes."""
    curves, ends = _without(parts.activations, without), _without(parts.softmax, without)
    found = 0
    for dense in parts.dense:
        one, two = (curves[0], curves[min(1, len(curves) - 1)]) if curves else (None, None)
        rows = [dense(I, H), one, dense(H, H2), two, dense(H2, O)]
        row = [made for made in rows if made is not None]
        if _class(row[0]) in without:
            continue
        yield row
        for end in [*ends[:1], *(made for made in curves if "igmoid" in made.words)][:2]:
            yield [*row, end]
        found += 1
        if found == MOST_STACKS:
            return


def short_stacks(parts: Parts, wrong: Collection[str]) -> Iterator[list[Made]]:
    """A layer of a wrong class behind an activation: what it hands back then reaches no weights."""
    for curve in _without(parts.activations, wrong)[:1]:
        yield from ([curve, row] for dense in parts.dense if (row := dense(I, O)) and _class(row) in wrong)


def _without(made: Sequence[Made], classes: Collection[str]) -> list[Made]:
    return [one for one in made if _class(one) not in classes]


def _class(made: Made) -> str:
    return made.words.partition("(")[0]


def assembled(
    cls: type, parts: Parts, row: Sequence[Made], loss: Loss | None, note: Callable[[str], None]
) -> Iterator[Assembled]:
    """The ways to put it together of these layers and that loss."""
    for optimizer in [*parts.optimizers[:2], None] if parts.optimizers else [None]:
        try:
            yield _assembled(cls, row, loss, optimizer)
            return
        except CannotBuild as error:
            note(str(error))
        except Exception as error:
            note(f"putting it together raised {words_of(error)}")


def _assembled(cls: type, row: Sequence[Made], loss: Loss | None, optimizer: Made | None) -> Assembled:
    seed(0)
    layers = [made.make() for made in row]
    values: dict[str, Any] = {
        "layers": layers,
        "lr": RATE,
        "I": I,
        "O": O,
        "N": N,
        "epochs": 1,
        "quiet": False,
    }
    if loss is not None:
        values |= {"loss": loss.value} | ({"prime": loss.prime} if loss.prime is not None else {})
    if optimizer is not None:
        values["optimizer"] = optimizer.make()
    shown = "[" + ", ".join(made.words for made in row) + "]"
    texts = {
        "layers": shown,
        "loss": loss.words if loss else "",
        "prime": "its derivative",
        "optimizer": optimizer.words if optimizer else "",
    }
    args, kwargs, said = _given(cls, values, texts, layers)
    network = cls(*args, **kwargs)
    words = f"{cls.__name__}({said})"
    used = said
    if shown not in said:
        words += f" with {shown}"
        _add(network, layers)
    for name in methods_of(cls):
        if adds_layers(name) or not (SETS.fullmatch(plain(name)) or FINISHES.fullmatch(plain(name))):
            continue
        if FINISHES.fullmatch(plain(name)) and asked_of(getattr(network, name)):
            continue
        asked = asked_of(getattr(network, name))
        if asked is None or not (asked or FINISHES.fullmatch(plain(name))):
            continue
        with suppress(CannotBuild):
            args, kwargs, said = _given(getattr(network, name), values, texts, layers)
            getattr(network, name)(*args, **kwargs)
            words += f", {name}({said})"
            used += said
    rated = rates_in(network, 4)
    _unset(network)
    for _, value in inside(network):
        if isinstance(value, np.ndarray) and value.dtype == np.float32:
            exchanged(network, id(value), value.astype(np.float64))
    handed = {key: value for key, value in values.items() if key in NAMES}
    return Assembled(network, words, layers, loss, handed, rated)


def _add(network: Any, layers: Sequence[Any]) -> None:
    """Add the layers one by one. Raises CannotBuild where no method does that."""
    adders = [name for name in methods_of(type(network)) if adds_layers(name)]
    for name in adders:
        asked = asked_of(getattr(network, name)) or []
        variadic = any(
            p.kind is p.VAR_POSITIONAL for p in inspect.signature(getattr(network, name)).parameters.values()
        )
        if not asked and variadic:
            getattr(network, name)(*layers)
            return
        if len(asked) > 2 or not asked:
            continue
        for number, layer in enumerate(layers):
            values = [
                f"layer{number}" if plain(p.name) in ("name", "key", "label", "id") else layer for p in asked
            ]
            if len(asked) == 1 and "layers" in plain(asked[0].name):
                getattr(network, name)(list(layers))
                return
            if len(asked) == 2 and sum(value is layer for value in values) != 1:
                raise CannotBuild(f"{name} asks for {asked[0].name} and {asked[1].name}")
            getattr(network, name)(*values)
        return
    raise CannotBuild("no way was found to hand it layers")


def meaning_of(name: str) -> str:
    """What a container asks for by that name; "" where the name does not tell."""
    word = plain(name)
    if LAYERS.fullmatch(word):
        return "layers"
    if OPTIMIZERS.fullmatch(word):
        return "optimizer"
    loss = LOSSES.fullmatch(word) or is_loss(name)
    if (loss and not is_derivative(name)) or word in ("crossentropy",):
        return "loss"
    if is_derivative(name) and (
        is_loss(re.sub("(?i)[_]?(prime|deriv(ative)?|grad(ient)?|der|d|back(ward)?)$", "", name))
        or "loss" in word
        or "cost" in word
        or "error" in word
    ):
        return "prime"
    if word in RATES:
        return "lr"
    if word in LASTS:
        return "epochs"
    if word in BATCHES:
        return "N"
    if word in PRINTS:
        return "quiet"
    meaning = meaning_of_built(name)
    return meaning if meaning in ("I", "O") else ""


def _given(
    function: Any, values: dict[str, Any], texts: dict[str, str], layers: Sequence[Any]
) -> tuple[list[Any], dict[str, Any], str]:
    """Arguments, named ones, and how they are shown. Raises CannotBuild where one is lacking."""
    args: list[Any] = []
    kwargs: dict[str, Any] = {}
    said: list[str] = []
    for p in inspect.signature(function).parameters.values():
        meaning = meaning_of(p.name)
        if p.kind is p.VAR_POSITIONAL:
            if meaning == "layers":
                args, said = [*kwargs.values(), *layers], [*said, texts["layers"]]  # those before them
                kwargs = {}
            continue
        if p.kind is p.VAR_KEYWORD:
            continue
        asked = p.default is p.empty
        if meaning in values and (asked or meaning in texts or meaning == "lr"):
            kwargs[p.name] = list(layers) if meaning == "layers" else values[meaning]
            said.append(texts.get(meaning) or f"{p.name}={values[meaning]}")
        elif asked:
            raise CannotBuild(
                f"it is given {p.name}, of which its file has none"
                if meaning
                else f"it is given {p.name}, whose name says nothing"
            )
    return args, kwargs, ", ".join(said)


def _unset(network: Any) -> None:
    """Set what its user is to set as an attribute: its epochs, its rate, how many rows a step takes."""
    for name, value in list(getattr(network, "__dict__", {}).items()):
        known = [
            number for number, words in ((1, LASTS), (RATE, RATES), (N, BATCHES)) if plain(name) in words
        ]
        if value is None and known:
            setattr(network, name, known[0])


def rates_in(held: Any, depth: int = 4) -> bool:
    """Our rate wherever a rate is kept: in the container, its layers and its optimizer; whether one is."""
    if isinstance(held, (dict, list, tuple)):
        return any([rates_in(one, depth) for one in (held.values() if isinstance(held, dict) else held)])
    own, found = getattr(held, "__dict__", None), False
    if not depth or not isinstance(own, dict) or isinstance(held, CODE):
        return False
    for name, value in list(own.items()):
        if plain(name) in (*RATES, "currentlearningrate") and isinstance(value, float):
            with suppress(Exception):
                setattr(held, name, RATE)
                found = True
        elif value is not None and not isinstance(value, (*CODE, int, float, np.ndarray)):
            found = rates_in(value, depth - 1) or found
    return found


NAMES = {
    "loss": (
        "loss",
        "lossfn",
        "lossf",
        "lossfunc",
        "lossfunction",
        "cost",
        "costfunction",
        "criterion",
        "objective",
        "error",
        "errorfunction",
        "costfn",
        "losslayer",
    ),
    "prime": (
        "lossprime",
        "lossderivative",
        "lossgrad",
        "lossgradient",
        "dloss",
        "costprime",
        "errorprime",
        "costderivative",
        "lossfunctionderivative",
        "lossfunctionprime",
        "lossfprime",
    ),
    "optimizer": ("optimizer", "optimiser", "opt", "optim"),
}


def synonyms(key: str) -> tuple[str, ...]:
    """The names under which a method asks for a loss, its derivative or an optimizer."""
    return NAMES[key]
