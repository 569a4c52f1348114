"""Parameters that have no effect: put into an attribute that no code reads, or never named.

Needs nothing but Python.
"""

from __future__ import annotations

import ast
import dis
import inspect
from types import CodeType
from typing import TypeGuard

from parity.adapters.code_objects import WRITES, attributes_read, codes_of, with_inner
from parity.adapters.logarithms import definition_of

ANY = {"getattr", "vars", "__dict__", "locals"}  # may read an attribute under any name


def unread(cls: type) -> list[str]:
    """Those of the constructor's parameters that are only kept, each in one attribute that is never read."""
    constructor = inspect.getattr_static(cls, "__init__", None)
    if not inspect.isfunction(constructor):
        return []
    codes = codes_of(cls)
    if ANY & {name for code in codes for name in code.co_names}:
        return []
    read = {name for code in codes for name in attributes_read(code)}
    code = constructor.__code__
    names = code.co_varnames[1 : code.co_argcount + code.co_kwonlyargcount]
    kept = {name: _only_kept(code, name) or _kept_by_base(cls, name) for name in names}
    return [name for name, attribute in kept.items() if attribute and attribute not in read]


def never_used(call: object) -> set[str]:
    """The parameters of a function, or of a class's constructor, that its code never names."""
    function = inspect.getattr_static(call, "__init__", None) if isinstance(call, type) else call
    code = getattr(function, "__code__", None)
    if not isinstance(code, CodeType) or ANY & {name for one in with_inner(code) for name in one.co_names}:
        return set()
    used = {
        name
        for inner in with_inner(code)
        for one in dis.get_instructions(inner)
        if "FAST" in one.opname or "DEREF" in one.opname or "CLOSURE" in one.opname
        for name in (one.argval if isinstance(one.argval, tuple) else (one.argval,))
    }
    return {*code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]} - used


def _kept_by_base(cls: type, name: str) -> str:
    """The attribute that the next constructor puts it into, where it is only handed on; else ""."""
    owner = next((c for c in cls.__mro__ if "__init__" in vars(c)), object)
    later = cls.__mro__[cls.__mro__.index(owner) + 1 : -1]
    base = next((c for c in later if inspect.isfunction(vars(c).get("__init__"))), None)
    node = definition_of(vars(owner)["__init__"]) if base is not None else None
    calls = [part for part in ast.walk(node) if _is_base_s(part)] if node is not None else []
    if base is None or node is None or len(calls) != 1:
        return ""
    call = calls[0]
    loads = [part for part in ast.walk(node) if isinstance(part, ast.Name) and part.id == name]
    inner = vars(base)["__init__"].__code__
    given = dict(zip(inner.co_varnames[1 : inner.co_argcount], call.args, strict=False))
    given |= {one.arg: one.value for one in call.keywords if one.arg}
    names = [parameter for parameter, value in given.items() if value is loads[0]] if len(loads) == 1 else []
    return _only_kept(inner, names[0]) if names else ""


def _is_base_s(node: ast.AST) -> TypeGuard[ast.Call]:
    """Whether it is `super().__init__(...)`."""
    match node:
        case ast.Call(func=ast.Attribute(attr="__init__", value=ast.Call(func=ast.Name(id="super")))):
            return True
    return False


def _only_kept(code: CodeType, name: str) -> str:
    """The attribute that a parameter is put into, where that is all that is done with it; else ""."""
    steps = [one for one in dis.get_instructions(code) if one.opname not in ("CACHE", "EXTENDED_ARG")]
    found = ""
    for at, one in enumerate(steps):
        names = one.argval if isinstance(one.argval, tuple) else (one.argval,)
        if name not in names or not ("FAST" in one.opname or "DEREF" in one.opname):
            continue
        stored = next((after for after in steps[at + 1 : at + 3] if after.opname == WRITES), None)
        if found or stored is None or not one.opname.startswith("LOAD"):
            return ""
        found = str(stored.argval)
    return found
