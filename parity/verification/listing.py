"""What a file, a notebook or a folder holds that can be checked: read, not imported.

A class is a layer or a loss by its name and by the methods that it has, an optimizer by its name and an
`update` or `step`, a network by `loss` and `gradient`. Two functions `..._forward` and `..._backward` are
one layer. Adapters (subclasses of ours) are none.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from parity.adapters.definitions import defined, parsed
from parity.kinds import kind_of
from parity.kinds.names import kind_by_name, kind_by_words

NETWORK = "network"
CALLED = ("forward", "__call__", "fprop", "forward_pass", "forward_prop", "feedforward", "predict", "call")
UPDATED = ("update", "step", "update_params", "apply", "apply_gradients", "optimize", *CALLED)
SKIPPED = ("test_", "Test", "_")
SUFFIXES = (".py", ".ipynb")
FORWARD, BACKWARD = "forward", "backward"


@dataclass(frozen=True)
class Listed:
    """One thing of a file that can be named in a target, and its kind; "" where its name does not show it."""

    name: str
    kind: str


def listed(path: Path) -> list[Listed]:
    """What the file defines, in its order. Raises SyntaxError or ValueError where it cannot be read."""
    nodes = [node for _, tree in parsed(path) for node in defined(tree.body)]
    by_name = {node.name: node for node in nodes}  # the last definition counts, as in Python
    classes = {name: node for name, node in by_name.items() if isinstance(node, ast.ClassDef)}
    functions = [name for name, node in by_name.items() if isinstance(node, ast.FunctionDef)]
    found = [
        Listed(name, _kind_of_class(node, classes))
        for name, node in classes.items()
        if not name.startswith(SKIPPED) and not _is_adapter(node)
    ]
    return [*found, *_functions(functions)]


def _kind_of_class(node: ast.ClassDef, classes: dict[str, ast.ClassDef]) -> str:
    methods = set(_methods(node, classes))
    if {"loss", "gradient"} <= methods:
        return NETWORK
    known = kind_by_name(node.name)
    if known and kind_of(known).role == "optimizer":
        return known if methods & set(UPDATED) or _has_foreign_base(node, classes) else ""
    if not methods & set(CALLED) and not _has_foreign_base(node, classes):
        return ""
    return kind_by_words(node.name) or ""


def _is_adapter(node: ast.ClassDef) -> bool:
    return any("Adapter" in ast.unparse(base) for base in node.bases)


def _methods(node: ast.ClassDef, classes: dict[str, ast.ClassDef], depth: int = 8) -> Iterator[str]:
    """Its methods and those of its bases in the same file."""
    yield from (part.name for part in node.body if isinstance(part, ast.FunctionDef))
    for base in node.bases:
        if depth and isinstance(base, ast.Name) and base.id in classes and base.id != node.name:
            yield from _methods(classes[base.id], classes, depth - 1)


def _has_foreign_base(node: ast.ClassDef, classes: dict[str, ast.ClassDef]) -> bool:
    """Whether it inherits from a class that is not in the file, so that its methods are not all known."""
    names = [base.id if isinstance(base, ast.Name) else "" for base in node.bases]
    return any(name not in classes and name not in ("object", "ABC", "Enum") for name in names)


def _functions(names: Iterable[str]) -> Iterator[Listed]:
    """Functions that are a kind of their own, and pairs of forward and backward."""
    names = [name for name in names if not name.startswith(SKIPPED)]
    for name in names:
        known = kind_by_name(name)
        if known and kind_of(known).role == "function":
            yield Listed(name, known)
        elif FORWARD in name and (other := name.replace(FORWARD, BACKWARD)) in names:
            words = re.sub(r"_+", "_", name.replace(FORWARD, "")).strip("_")
            kind = kind_by_words(words)
            if kind:
                yield Listed(f"{name},{other}", kind)


def files_of(folder: Path) -> list[Path]:
    """The files below a folder in which something may be defined."""
    return [
        path
        for path in sorted(folder.rglob("*"))
        if path.suffix in SUFFIXES
        and path.is_file()
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    ]
