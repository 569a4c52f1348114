"""The words among which code chooses by itself: `Dense(3, 4, activation="relu")`, `activate(x, "tanh")`.

They are those that its own code compares a parameter with, or looks up in a dict: each can be named in a
target, `layers.py:Dense(activation="relu")`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence

from parity.adapters.choice import WORD

Dicts = Mapping[str, Sequence[str]]  # the keys of the dicts of a module, by name


def words_of_function(node: ast.FunctionDef, dicts: Dicts) -> dict[str, list[str]]:
    """Parameter -> the words that it is compared with, in the order of the code."""
    names = {arg.arg: arg.arg for arg in _parameters(node)}
    return _grouped(_compared([node], names, dicts))


def words_of_class(methods: Mapping[str, ast.FunctionDef], dicts: Dicts) -> dict[str, list[str]]:
    """The same of what a constructor takes, also where it keeps that in an attribute."""
    constructor = methods.get("__init__")
    if constructor is None:
        return {}
    names = {arg.arg: arg.arg for arg in _parameters(constructor)}
    kept = dict(_kept_as(constructor, names))
    own = _compared([constructor], names | kept, dicts)
    others = [method for name, method in methods.items() if name != "__init__"]
    return _grouped([*own, *_compared(others, kept, dicts)])


def default_word(node: ast.FunctionDef, parameter: str) -> list[str]:
    """The word that a parameter has by default, in a list; an empty one where it has none."""
    args = [*node.args.posonlyargs, *node.args.args]
    placed = zip(args[len(args) - len(node.args.defaults) :], node.args.defaults, strict=True)
    pairs = [*placed, *zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True)]
    return _texts([value for arg, value in pairs if arg.arg == parameter])


def keys_of_dicts(body: Iterable[ast.AST]) -> dict[str, Sequence[str]]:
    """The keys of the dicts that are made there, by name."""
    found: dict[str, Sequence[str]] = {}
    for node in body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Dict(keys=keys)):
                found[name] = _texts(keys)
            case ast.Assign(
                targets=[ast.Attribute(value=ast.Name(id="self"), attr=attr)], value=ast.Dict(keys=keys)
            ):
                found[f"self.{attr}"] = _texts(keys)
    return found


def _parameters(node: ast.FunctionDef) -> list[ast.arg]:
    return [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]


def _kept_as(constructor: ast.FunctionDef, names: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """`self.act` -> the parameter that is kept there, as it is or in lower case."""
    for node in ast.walk(constructor):
        match node:
            case ast.Assign(targets=[ast.Attribute(value=ast.Name(id="self"), attr=attr)], value=value):
                if (name := _name(value)) in names:
                    yield f"self.{attr}", name
            case ast.Assign(targets=[ast.Tuple(elts=targets)], value=ast.Tuple(elts=values)):
                for target, value in zip(targets, values, strict=False):
                    if _name(target).startswith("self.") and (name := _name(value)) in names:
                        yield _name(target), name


def _name(node: ast.expr) -> str:
    """`act` of act, `self.act` of self.act, and either of itself in lower case."""
    match node:
        case ast.Call(func=ast.Attribute(value=inner, attr="lower" | "strip" | "upper" | "casefold")):
            return _name(inner)
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=ast.Name(id="self"), attr=attr):
            return f"self.{attr}"
    return ""


def _compared(
    nodes: Sequence[ast.AST], names: Mapping[str, str], dicts: Dicts
) -> Iterator[tuple[str, Sequence[str]]]:
    """Each parameter and the words that one place of the code has for it."""
    dicts = {**dicts, **keys_of_dicts(part for one in nodes for part in ast.walk(one))}
    for node in (part for one in nodes for part in ast.walk(one)):
        match node:
            case ast.Compare(left=left, ops=[ast.Eq() | ast.In() | ast.Is()], comparators=[right]):
                yield _parameter(left, names), _texts([right])
                yield _parameter(right, names), _texts([left])
            case ast.Match(subject=subject, cases=cases):
                yield (
                    _parameter(subject, names),
                    [text for case in cases for text in _of_pattern(case.pattern)],
                )
            case ast.Subscript(value=table, slice=key):
                yield _parameter(key, names), _keys(table, dicts)
            case ast.Call(func=ast.Attribute(value=table, attr="get"), args=[key, *_]):
                yield _parameter(key, names), _keys(table, dicts)


def _parameter(node: ast.expr, names: Mapping[str, str]) -> str:
    return names.get(_name(node), "")


def _keys(table: ast.expr, dicts: Dicts) -> Sequence[str]:
    if isinstance(table, ast.Dict):
        return _texts(table.keys)
    return dicts.get(_name(table), [])


def _texts(nodes: Iterable[ast.expr | None]) -> list[str]:
    """The texts among them, and in tuples, lists and sets of them."""
    found: list[str] = []
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.append(node.value)
        elif isinstance(node, (ast.Tuple, ast.List, ast.Set)):
            found += _texts(node.elts)
    return found


def _of_pattern(pattern: ast.pattern) -> list[str]:
    match pattern:
        case ast.MatchValue(value=value):
            return _texts([value])
        case ast.MatchOr(patterns=patterns):
            return [text for one in patterns for text in _of_pattern(one)]
    return []


def _grouped(pairs: Iterable[tuple[str, Sequence[str]]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for parameter, words in pairs:
        fitting = [word for word in words if WORD.fullmatch(word)]
        if parameter and fitting:
            found[parameter] = list(dict.fromkeys([*found.get(parameter, []), *fitting]))
    return found
