"""What stands in compiled code: its constants, the names of its attributes. Needs nothing but Python.

Functions, lambdas and comprehensions inside a function are code among its constants; they count with it.
"""

from __future__ import annotations

import dis
import inspect
from collections.abc import Iterable, Iterator
from types import CodeType
from typing import Any

READS = ("LOAD_ATTR", "LOAD_METHOD")
WRITES = "STORE_ATTR"


def defined_in(cls: type) -> dict[str, Any]:
    """What the class and its bases define, by name; of one name what is nearest counts."""
    return {name: value for c in reversed(cls.__mro__[:-1]) for name, value in vars(c).items()}


def codes_of(one: Any) -> list[CodeType]:
    """The code of a function, or of a class's methods and properties and those of its bases."""
    held = defined_in(one).values() if isinstance(one, type) else [one]
    functions = [getattr(item, "fget", getattr(item, "__func__", item)) for item in held]
    return [function.__code__ for function in functions if inspect.isfunction(function)]


def with_inner(code: CodeType) -> Iterator[CodeType]:
    """The code, and that of the functions inside it."""
    yield code
    for one in code.co_consts:
        if isinstance(one, CodeType):
            yield from with_inner(one)


def constants_in(codes: Iterable[CodeType]) -> Iterator[Any]:
    """The constants of code, one by one where they stand in a tuple or a set."""
    for code in codes:
        for inner in with_inner(code):
            yield from _flat(inner.co_consts)


def _flat(constants: Iterable[Any]) -> Iterator[Any]:
    for one in constants:
        if isinstance(one, (tuple, frozenset)):
            yield from _flat(one)
        else:
            yield one


def attributes_in(code: CodeType) -> set[tuple[str, str]]:
    """The name of each attribute, or other name, in code and the instruction that uses it."""
    return {
        (str(one.argval), one.opname) for inner in with_inner(code) for one in dis.get_instructions(inner)
    }


def attributes_read(code: CodeType) -> set[str]:
    """The names of the attributes that code reads."""
    return {name for name, how in attributes_in(code) if how in READS}


def attributes_written(code: CodeType) -> set[str]:
    """The names of the attributes that code sets."""
    return {name for name, how in attributes_in(code) if how == WRITES}


def padding_words_in(codes: Iterable[CodeType]) -> list[str]:
    """The words for padding that stand in code, in lower case."""
    words = {one.lower() for one in constants_in(codes) if isinstance(one, str)}
    return sorted(words & {"valid", "same", "full"})
