"""Whether a class is a network that makes its layers itself: `self.conv = Conv(8)`, `self.pool = Pool()`.

Read off its source: it makes objects of classes of its file that go both ways, and calls them forward and
back. Needs nothing but Python.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping

from parity.adapters.arguments import plain
from parity.adapters.handed_layers import FORWARD_WORDS
from parity.adapters.network_words import FORWARDS, gives_gradients, is_step

NO_NETWORKS = re.compile("layer$|trainer|optimi[sz]er|dataset|loader|base$|abstract|loss|test|cell$|block$")
FEWEST = 2  # layers that it makes


def is_composed(node: ast.ClassDef, classes: Mapping[str, ast.ClassDef]) -> bool:
    """Whether it makes layers of its file itself, goes forward through them, and back or trains."""
    if NO_NETWORKS.search(plain(node.name)):
        return False
    methods = _methods(node, classes)
    calls = [part for part in ast.walk(node) if isinstance(part, ast.Call)]
    made = [c.func.id for c in calls if isinstance(c.func, ast.Name) and c.func.id != node.name]
    layers = [name for name in made if name in classes and _goes_both_ways(classes[name], classes)]
    in_loop = bool(layers) and any(isinstance(part, (ast.For, ast.ListComp)) for part in ast.walk(node))
    if len(layers) < FEWEST and not in_loop:
        return False
    learns = any(gives_gradients(name) or is_step(name) for name in methods)
    called = [c.func for c in calls if isinstance(c.func, ast.Attribute)]
    of_layers = [f.attr for f in called if not (isinstance(f.value, ast.Name) and f.value.id == "self")]
    forward = any(plain(name) in FORWARD_WORDS or plain(name).startswith("forward") for name in of_layers)
    return learns and forward and any(map(gives_gradients, of_layers))


def _goes_both_ways(node: ast.ClassDef, classes: Mapping[str, ast.ClassDef]) -> bool:
    names = _methods(node, classes)
    forward = any(plain(name) in FORWARDS or plain(name).startswith("forward") for name in names)
    return forward and any(map(gives_gradients, names)) and "loss" not in plain(node.name)


def _methods(node: ast.ClassDef, classes: Mapping[str, ast.ClassDef]) -> set[str]:
    """Its methods and those of its bases in the file."""
    found, left, seen = set[str](), [node], set[str]()
    while left:
        one = left.pop()
        seen.add(one.name)
        found |= {part.name for part in one.body if isinstance(part, ast.FunctionDef)}
        bases = [base.id for base in one.bases if isinstance(base, ast.Name)]
        left += [classes[base] for base in bases if base in classes and base not in seen]
    return found
