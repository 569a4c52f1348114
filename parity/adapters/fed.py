"""Layers that a method of its own hands their input: `feed(x)`, then `forward()`. Needs Python alone."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

from parity.adapters.arguments import plain

FEEDS = (
    *("feed", "feedinput", "feeddata", "setinput", "setinputs", "setx", "setinputdata", "receive", "input"),
    *("receiveinput", "takeinput", "putinput", "addinput", "loadinput", "setdata"),
)
THEN = ", then "  # between the names of the two methods
Methods = Mapping[str, Sequence[dict[str, Any] | None] | None]


def fed_calls(
    methods: Methods, words: Mapping[str, str], forward: Collection[str]
) -> Iterator[tuple[str, str]]:
    """Both methods as one name, and the parameter that gets the input.

    `words` are the plain names of the methods, `forward` those of a forward, the likeliest first.
    """
    feeds = [(name, one) for name in methods if plain(name) in FEEDS and (one := _only(methods[name]))]
    for name in [n for word in forward for n, w in words.items() if w == word and n[0] != "_"]:
        if not _required(methods[name]):
            for feed, parameter in feeds:
                if feed != name:
                    yield f"{feed}{THEN}{name}", parameter


def fed(found: Callable[[str], Any], name: str) -> Callable[..., Any]:
    """Both methods as one function of the input; `found` gives each by its name."""
    feed, _, forward = name.partition(THEN)

    def both(*args: Any, **named: Any) -> Any:
        found(feed)(*args, **named)
        return found(forward)()

    return both


def call_in_words(name: str, pairs: Sequence[Sequence[str]]) -> str:
    """`forward(x, train)`, and `feed(x), then forward()`."""
    feed, then, forward = name.removeprefix("function ").partition(THEN)
    return f"{feed}({', '.join(parameter for parameter, _ in pairs)})" + (
        f"{then}{forward}()" if then else ""
    )


def _required(params: Sequence[dict[str, Any] | None] | None) -> list[dict[str, Any]]:
    return [p for p in params or () if p is not None and p["required"]]


def _only(params: Sequence[dict[str, Any] | None] | None) -> str:
    """The name of the one parameter that a method must be given; "" where there are others or none."""
    required = _required(params)
    return str(required[0]["name"]) if len(required) == 1 else ""
