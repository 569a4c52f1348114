"""What a known bug is: a name, a story, and a small class or function that has it.

A bug is written as a subclass of the right layer that gets one thing wrong. Its docstring is its story,
so that the sentence and the code stand together:

    fault = Family()

    @fault("relu-leaky", "relu", "a leaky slope of 0.01 below zero")
    class Leaky(Relu):
        \"""Copied from a model that used LeakyReLU.\"""
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

import numpy as np

from scratchcnn.typing import Array

Shows = Literal["values", "precision", "contract"]
# The families of faults that are put into whole networks: their place is their name.
OF_NETWORKS = ("weights", "wiring", "fast")
T = TypeVar("T", bound=Callable[..., Any])


@dataclass(frozen=True)
class Fault:
    """One bug that people write.

    name        kebab-case, unique
    kind        a key of `parity.kinds.kind.KINDS`, or an optimizer's name
    story       one sentence: how people come to write it
    make        builds the broken thing, in the book's protocol for that kind
    says        how a diagnosis names it: "equals the reference with <says>"
    equivalent  why it does not differ from the right thing, if so
    needs       probe features without which it is right anyway
    shows       where it shows: in the values, only in float32 (or its dtype), or only in a contract
    """

    name: str
    kind: str
    story: str
    make: Callable[..., Any]
    says: str
    equivalent: str = ""
    needs: frozenset[str] = frozenset()
    shows: Shows = "values"


class Family(list[Fault]):
    """The faults of one module, in the order they are written; calling it registers the next one.

    `fixed` are constructor arguments that belong to a kind: `max_pooling={"mode": "max"}`.
    """

    def __init__(self, **fixed: dict[str, Any]):
        super().__init__()
        self.fixed = fixed

    def __call__(
        self,
        name: str,
        kind: str,
        says: str,
        *,
        equivalent: str = "",
        needs: Iterable[str] = (),
        shows: Shows = "values",
    ) -> Callable[[T], T]:
        def register(broken: T) -> T:
            story = " ".join((broken.__doc__ or "").split())
            fixed = self.fixed.get(kind)
            make = functools.partial(broken, **fixed) if fixed else broken
            self.append(Fault(name, kind, story, make, says, equivalent, frozenset(needs), shows))
            return broken

        return register


Entry = tuple[str, str, type, str]  # name, kind, layer, story


def before(shape: type, layer: type, story: str, **methods: Any) -> type:
    """A class that puts `shape`, a bug that many layers can have, in front of one of them."""
    return type(shape.__name__, (shape, layer), {"__doc__": story, "__module__": shape.__module__, **methods})


def fit(a: Array, shape: tuple[int, ...]) -> Array:
    """`a` cut or filled up with zeros to `shape`: a layer of the wrong output size still gets a dout."""
    if a.shape == shape:
        return a
    out = np.zeros(shape, dtype=a.dtype)
    common = tuple(slice(min(m, n)) for m, n in zip(a.shape, shape, strict=True))
    out[common] = a[common]
    return out
