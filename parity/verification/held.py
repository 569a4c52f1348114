"""Functions that a file keeps in its classes and dicts, each with the name by which a target finds it.

class Activations: @staticmethod def relu(x)      Activations.relu
ACTIVATIONS = {"relu": (lambda x: ..., ...)}      ACTIVATIONS["relu"]
ACTIVATIONS = {"relu": ..., "relu_prime": ...}    ACTIVATIONS["relu"],ACTIVATIONS["relu_prime"]
"""

from __future__ import annotations

import ast
import copy
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from parity.adapters.engine import ARITHMETIC
from parity.adapters.engine_backward import backward_in
from parity.adapters.engine_sources import is_dual
from parity.adapters.members import SELF, WORDS, is_derivative

KEY = re.compile(r"[\w .+-]+")  # what can be written in a target


@dataclass(frozen=True)
class Held:
    """A function in a class or dict.

    target  how a target names it, with its derivative where the two lie apart
    node    its code, under the name that it has there and without self
    method  whether it takes self
    engine  whether it is a method of a class with a backward and arithmetic, which an autograd engine has
    other   the function of the module that it is, where that has a name of its own
    private  whether its name begins with _, so that it is its class's own affair
    """

    target: str
    node: ast.FunctionDef
    method: bool = False
    engine: bool = False
    other: str = ""
    private: bool = False


def of_class(cls: ast.ClassDef) -> list[Held]:
    """Its functions, and those in its dicts."""
    found, engine, public = [], is_engine(cls), _made_public(cls)
    for node in cls.body:
        if not isinstance(node, ast.FunctionDef):
            continue
        decorators = {ast.unparse(one) for one in node.decorator_list}
        first = next((one.arg for one in node.args.args), "")
        method = first in SELF and "staticmethod" not in decorators
        if decorators <= {"staticmethod", "classmethod"}:
            bare = method or "classmethod" in decorators
            own = _without_first(node) if bare else node
            private = node.name.startswith("_") and node.name not in public
            found.append(Held(f"{cls.name}.{node.name}", own, method, engine, private=private))
    return found + list(of_dicts(cls.body, {}, f"{cls.name}."))


def _made_public(cls: ast.ClassDef) -> set[str]:
    """Its methods that the constructor keeps in attributes for others: `self.f = self.__tanh`."""
    constructor = next((node for node in cls.body if getattr(node, "name", "") == "__init__"), cls)
    found = set()
    for node in (part for part in ast.walk(constructor) if isinstance(part, ast.Assign)):
        for target, value in zip(_parts(node.targets[0]), _parts(node.value), strict=False):
            match target, value:
                case ast.Attribute(attr=public), ast.Attribute(value=ast.Name(id="self"), attr=name):
                    found |= set() if public.startswith("_") else {name}
    return found


def _parts(one: ast.expr) -> list[ast.expr]:
    return one.elts if isinstance(one, ast.Tuple) else [one]


def is_engine(cls: ast.ClassDef) -> bool:
    """Whether it has a backward and arithmetic of its own, or is a dual number."""
    names = {node.name for node in cls.body if isinstance(node, ast.FunctionDef)}
    return (bool(backward_in(names)) and bool(names & {*ARITHMETIC})) or is_dual(cls)


def _without_first(node: ast.FunctionDef) -> ast.FunctionDef:
    node = copy.copy(node)
    node.args = copy.copy(node.args)
    node.args.args = node.args.args[1:]
    return node


def of_dicts(
    body: Sequence[ast.stmt], functions: Mapping[str, ast.FunctionDef], before: str = ""
) -> Iterator[Held]:
    """The functions in dicts; `functions` are those of the module, by name."""
    dicts = {name: items for node in body for name, items in _dict(node)}
    for name, items in dicts.items():
        for key, value in items.items():
            node = _function(key, value, functions)
            if node is None or is_derivative(key) or is_derivative(name):
                continue
            target = f'{before}{name}["{key}"]'
            if not isinstance(value, (ast.Tuple, ast.List, ast.Dict)):
                others = [f'{before}{other}["{at}"]' for other, at in _derivatives(name, key, dicts)]
                target = ",".join([target, *others[:1]])
            other = value.id if isinstance(value, ast.Name) else _first_name(value)
            yield Held(target, node, other=other, private=key.startswith("_"))


def _dict(node: ast.stmt) -> Iterator[tuple[str, dict[str, ast.expr]]]:
    """The name of a dict and its items, where the statement makes one."""
    match node:
        case ast.Assign(targets=[ast.Name(id=name)], value=value):
            pass
        case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
            pass
        case _:
            return
    if isinstance(value, ast.Dict):
        pairs = zip(value.keys, value.values, strict=True)
        keyed = [(key.value, v) for key, v in pairs if isinstance(key, ast.Constant)]
        yield name, {key: v for key, v in keyed if isinstance(key, str) and KEY.fullmatch(key)}
    elif isinstance(value, ast.Call) and ast.unparse(value.func) == "dict":
        yield name, {k.arg: k.value for k in value.keywords if k.arg}


def _function(key: str, value: ast.expr, functions: Mapping[str, ast.FunctionDef]) -> ast.FunctionDef | None:
    """The code of an item, of a pair that of its first; None where it is no function that is known here."""
    match value:
        case ast.Lambda(args=args, body=body) if args.args:
            return _named(key, args, body)
        case ast.Name(id=name):
            return functions.get(name)
        case ast.Attribute(value=ast.Name(id="np" | "numpy")):
            return _named(key, ast.parse("lambda x: 0", mode="eval").body.args, value)  # type: ignore[attr-defined]
        case ast.Tuple(elts=[first, second]) | ast.List(elts=[first, second]):
            return _function(key, first, functions) if _function(key, second, functions) else None
        case ast.Dict(values=[first, second], keys=[ast.Constant(value=str() as one), ast.Constant()]):
            first, second = (second, first) if is_derivative(one) else (first, second)
            return _function(key, first, functions) if _function(key, second, functions) else None
    return None


def _named(name: str, args: ast.arguments, body: ast.expr) -> ast.FunctionDef:
    function = ast.parse("def f(): pass").body[0]
    assert isinstance(function, ast.FunctionDef)
    function.name, function.args, function.body = name, args, [ast.Return(body)]
    return function


def _first_name(value: ast.expr) -> str:
    """The function of the module that comes first in a pair; "" for a lambda."""
    match value:
        case ast.Tuple(elts=[ast.Name(id=name), _]) | ast.List(elts=[ast.Name(id=name), _]):
            return name
    return ""


def _derivatives(
    name: str, key: str, dicts: Mapping[str, Mapping[str, ast.expr]]
) -> Iterator[tuple[str, str]]:
    """Where a derivative of that key lies: in the same dict by another key, or in a dict of derivatives."""
    for at in dicts[name]:
        if at != key and is_derivative(at) and _words(at) - WORDS == _words(key):
            yield name, at
    for other, items in dicts.items():
        if is_derivative(other) and key in items:
            yield other, key


def _words(name: str) -> set[str]:
    return set(re.findall(r"[a-z0-9]+", name.lower()))
