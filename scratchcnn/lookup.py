"""Tables of names: forgiving about hyphens and capitals, and helpful about names that are not there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeVar

T = TypeVar("T")


class UnknownName(KeyError):
    """A KeyError whose text is a sentence."""

    def __str__(self) -> str:
        return str(self.args[0])


class Table(dict[str, T]):
    """A dict by name; a missing key raises UnknownName, which names the nearest key.

    what   what the entries are: "network"
    """

    def __init__(self, what: str, entries: Mapping[str, T]):
        super().__init__(entries)
        self.what = what

    def __missing__(self, name: str) -> T:
        raise UnknownName(unknown(self.what, name, self))


def lookup(what: str, name: str, among: Mapping[str, T]) -> T:
    """The entry of that name; hyphens and capitals are allowed.

    Raises ValueError, listing the names, if there is none.
    """
    key = key_of(name)
    if key not in among:
        raise ValueError(unknown(what, name, among))
    return among[key]


def key_of(name: str) -> str:
    """A name as the tables have it: "VGG11-BN" becomes "vgg11_bn"."""
    return name.replace("-", "_").lower()


def unknown(what: str, name: object, among: Iterable[str]) -> str:
    """The sentence about a name that is not there: all that are, and the nearest."""
    names = list(among)
    return f"there is no {what} {name!r}; there are {', '.join(names)}{nearest(name, names)}"


def nearest(name: object, among: Iterable[str]) -> str:
    """`; did you mean relu?`, the end of a sentence about a name that is not there; empty if none is near."""
    import difflib

    plain = {key_of(key).replace("_", ""): key for key in among}
    near = difflib.get_close_matches(key_of(str(name)).replace("_", ""), plain, n=1)
    return f"; did you mean {plain[near[0]]}?" if near else ""
