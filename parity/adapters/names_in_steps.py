"""What the source of an optimizer calls the arrays of a layer or parameter, and their gradients.

An array is what it assigns to, as in `layer.kernel -= self.lr * layer.kernel_grad`; its gradient is what it
only reads, and has the array's name beside a word for a gradient, or no other name at all: `.grad`. They are
read, never tried. Needs nothing but Python.
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import Any

from parity.adapters.arguments import plain
from parity.adapters.logarithms import definition_of

GRADIENT = {  # words of a name
    *("grad", "grads", "gradient", "gradients", "derivative", "derivatives", "deriv", "prime", "delta"),
    *("deltas", "nabla", "d", "dl", "de", "dj", "dloss", "dcost", "g", "dc"),
}
JOINED = re.compile("(grads?|gradients?|nabla|delta|dl|d|g)(?=[a-z])")  # before the array's name
AFTER = re.compile("(?<=[a-z])(grads?|gradients?|prime|deltas?)$")
MODULES = ("np", "numpy", "jnp", "math", "cp", "self")
Pairs = list[tuple[str, str]]  # an array and its gradient


def pairs_in(factory: Any, items: bool = False) -> dict[str, Pairs]:
    """The names of weights and their gradients, "W", and of biases and theirs, "b", that its source shows as
    attributes, or as items of a dict.

    Several of a kind are none: it may be asked for layers of several kinds.
    """
    found: dict[str, Pairs] = {"W": [], "b": []}
    for array, slope in _pairs(factory, _item if items else _attribute):
        found["b" if plain(array).startswith("b") else "W"].append((array, slope))
    return {key: pairs if len(pairs) == 1 else [] for key, pairs in found.items()}


def names_of_one(pairs: dict[str, Pairs]) -> dict[str, Pairs]:
    """The same for what has one array; nothing where weights and biases are told apart."""
    return {} if all(pairs.values()) else pairs


def _pairs(factory: Any, name_of: Callable[[ast.AST], str]) -> Pairs:
    nodes = [node for tree in trees_of(factory) for node in ast.walk(tree)]
    written = dict.fromkeys(name for node in nodes for name in _written(node, name_of))
    read = dict.fromkeys(name for node in nodes if (name := name_of(node)))
    stems = {name: stem for name in read if name not in written and (stem := stem_of(name)) is not None}
    found: dict[str, str] = {}
    for slope, stem in stems.items():
        known = [name for name in read if name not in stems and stem and is_of(stem, name)]
        ranks = {name: (name not in written, plain(name) != stem, len(name)) for name in known}
        if ranks:
            found.setdefault(min(ranks, key=lambda name: ranks[name]), slope)
    if not found:  # one gradient for whatever is written
        alone = [name for name, stem in stems.items() if not stem]
        found = dict(zip(written, alone, strict=True)) if len(written) == len(alone) == 1 else {}
    return [*found.items()]


def stem_of(name: str) -> str | None:
    """What is left of a gradient's name without the words for it; None where it has none."""
    words = [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+", name)]
    rest = [word for word in words if word not in GRADIENT]
    if len(rest) < len(words):
        return "".join(rest)
    joined = "".join(words)
    for pattern in (JOINED, AFTER):
        if (cut := pattern.sub("", joined, count=1)) != joined and pattern.search(joined):
            return cut if pattern is AFTER or JOINED.match(joined) else None
    return None


def is_of(stem: str, array: str) -> bool:
    """Whether that is what is left of the name of this array's gradient: `w` and `weights`."""
    name = plain(array)
    return stem == name or name.startswith(stem) or stem.startswith(name)


def trees_of(factory: Any) -> list[ast.AST]:
    """The definitions of a class's methods, or of a function, and of what they call beside it."""
    return list(_trees_of(factory)) if isinstance(factory, type) or inspect.isfunction(factory) else []


@lru_cache(maxsize=256)
def _trees_of(factory: Any) -> tuple[ast.AST, ...]:
    classes = factory.__mro__[:-1] if isinstance(factory, type) else ()
    own = [value for cls in classes for value in vars(cls).values()]
    functions = [getattr(value, "__func__", value) for value in own] or [factory]
    functions = [one for one in functions if inspect.isfunction(one)]
    beside = {
        name: value
        for one in functions
        for name in one.__code__.co_names
        if inspect.isfunction(value := one.__globals__.get(name)) and value.__module__ == one.__module__
    }
    found = (definition_of(one) for one in dict.fromkeys([*functions, *beside.values()]))
    return tuple(node for node in found if node is not None)


def begins_at_second(factory: Any) -> bool:
    """Whether it goes through a list from the second on: `range(1, len(layers))`, `layers[1:]`."""
    return any(_begins_at_second(node) for tree in trees_of(factory) for node in ast.walk(tree))


def _begins_at_second(node: ast.AST) -> bool:
    match node:
        case ast.Call(func=ast.Name(id="range"), args=[ast.Constant(value=1), stop, *_]):
            return any(isinstance(part, ast.Name) and part.id == "len" for part in ast.walk(stop))
        case ast.Subscript(slice=ast.Slice(lower=ast.Constant(value=1), upper=None, step=None)):
            return True
    return False


def _attribute(node: ast.AST) -> str:
    """The name of an attribute of something else than the optimizer itself or a module."""
    if not isinstance(node, ast.Attribute):
        return ""
    return "" if isinstance(node.value, ast.Name) and node.value.id in MODULES else node.attr


def _item(node: ast.AST) -> str:
    """The key of an item, where it is written out."""
    key = node.slice if isinstance(node, ast.Subscript) else None
    return key.value if isinstance(key, ast.Constant) and isinstance(key.value, str) else ""


def _written(node: ast.AST, name_of: Callable[[ast.AST], str]) -> Iterator[str]:
    targets: Iterable[ast.AST] = ()
    if isinstance(node, ast.Assign):
        targets = node.targets
    elif isinstance(node, (ast.AugAssign, ast.AnnAssign)):
        targets = [node.target]
    for target in targets:
        for one in ast.walk(target) if isinstance(target, (ast.Tuple, ast.List)) else [target]:
            inner = one
            while isinstance(inner, ast.Subscript) and not name_of(inner):
                inner = inner.value
            if name := name_of(inner):
                yield name
