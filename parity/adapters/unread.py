"""Parameters of a constructor that are put into an attribute which no code reads: they have no effect.

Needs nothing but Python.
"""

from __future__ import annotations

import dis
import inspect
from types import CodeType

from parity.adapters.code_objects import WRITES, attributes_read, codes_of

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
    return [name for name in names if (attribute := _only_kept(code, name)) and attribute not in read]


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
