"""How a network may be built: small, by the names of its constructor's parameters. Needs NumPy alone."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from parity.adapters.network_words import meaning_of_built

I, H, O, N = 4, 5, 3, 7  # widths of input, hidden layer and output, and rows: told apart by their sizes
RATE = 0.25
DECAY = 0.125
WORDS = ("sigmoid", "relu", "tanh")


@dataclass(frozen=True)
class Build:
    """Arguments of the constructor, how many numbers come out, and the arguments of its weight decays."""

    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = field(default_factory=dict)
    outputs: int | None = None
    decays: tuple[str, ...] = ()
    rated: bool = False
    data: tuple[str, ...] = ()  # "x" and "t", where it is built with them

    def words(self, name: str) -> str:
        given = [*map(_short, self.args), *(f"{key}={_short(value)}" for key, value in self.kwargs.items())]
        return f"{name}({', '.join(given)})"


def _short(value: Any) -> str:
    return f"array {value.shape}" if hasattr(value, "shape") else repr(value)


def builds(cls: Any, x: Any, t: Any) -> Iterator[Build]:
    """Ways to build it, the likeliest first; `x` and `t` are for a constructor that takes the data itself.

    A class may say how many outputs it is tried with, and in which order.
    """
    try:
        parameters = [*inspect.signature(cls).parameters.values()]
    except (TypeError, ValueError):
        return
    for outputs in getattr(cls, "outputs_tried", (O, 1)):
        for hidden in (H, [H], 1):
            for word in WORDS:
                if found := _build(parameters, outputs, hidden, word, x, t[outputs]):
                    yield found
                if not any("activation" in p.name.lower() and p.default is p.empty for p in parameters):
                    break
            if not any(meaning_of_built(p.name) in ("H", "sizes") for p in parameters):
                break
    least = [
        p for p in parameters if p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
    ]
    if not least:
        yield Build()


def unknown(cls: Any) -> list[str]:
    """The parameters that it asks for and whose names say nothing."""
    try:
        parameters = inspect.signature(cls).parameters.values()
    except (TypeError, ValueError):
        return []
    asked = [
        p.name for p in parameters if p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
    ]
    return [name for name in asked if not meaning_of_built(name) and "activation" not in name.lower()]


def _build(
    parameters: list[inspect.Parameter], outputs: int, hidden: Any, word: str, x: Any, t: Any
) -> Build | None:
    values = {
        "sizes": [I, H, outputs],
        "I": I,
        "H": hidden,
        "O": outputs,
        "lr": RATE,
        "epochs": 1,
        "quiet": False,
        "x": x,
        "t": t,
        "batch": N,
    }
    args: list[Any] = []
    kwargs: dict[str, Any] = {}
    decays, rated = [], False
    meanings = {p.name: meaning_of_built(p.name) for p in parameters}
    if "I" in meanings.values():  # MLP(nin, nouts): the widths of the rest
        values["sizes"] = hidden if "O" in meanings.values() or isinstance(hidden, int) else [H, outputs]
    for p in parameters:
        meaning, asked = meanings[p.name], p.default is p.empty
        if p.kind is p.VAR_POSITIONAL:
            args += [I, H, outputs] if meaning == "sizes" else []
            continue
        if p.kind is p.VAR_KEYWORD:
            continue
        if meaning == "decay":
            decays.append(p.name)
            value: Any = 0.0
        elif meaning in values:
            value = values[meaning]
            rated = rated or meaning == "lr"
            if not asked and not _like(value, p.default):
                continue
        elif asked and "activation" in p.name.lower():
            value = [word, word] if p.name.lower().endswith("s") else word
        elif asked:
            return None
        else:
            continue
        if asked and p.kind is p.POSITIONAL_ONLY:
            args.append(value)
        elif asked or meaning != "decay":
            kwargs[p.name] = value
    known = any(meaning_of_built(p.name) in ("O", "sizes") for p in parameters)
    data = tuple(sorted({meaning_of_built(name) for name in kwargs} & {"x", "t"}))
    return Build(tuple(args), kwargs, outputs if known else None, tuple(decays), rated, data)


def _like(value: Any, default: Any) -> bool:
    """Whether it can stand for the default: a number for a number, a list of them for a list."""
    if isinstance(default, bool) or default is None:
        return default is None or isinstance(value, bool)
    if isinstance(value, list):
        return isinstance(default, (list, tuple)) and all(isinstance(one, int) for one in default)
    return isinstance(default, (int, float)) and isinstance(value, (int, float))
