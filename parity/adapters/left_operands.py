"""Whether an operator of an engine raises for all that can be on its left, as in `3 - x`, and
whether it reads what no node has.

Python calls `__rsub__` only where the left operand is no node. So one that raises for every number and for
arrays has no use that it is right for, unless it refuses them on purpose. Needs NumPy alone.
"""

from __future__ import annotations

import ast
import inspect
import operator
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from parity.adapters.code_objects import with_inner
from parity.adapters.engine import Engine
from parity.adapters.file_trees import tree_of
from parity.adapters.logarithms import definition_of
from parity.adapters.sure_errors import ON_THE_LEFT, Sure

SIGNS: dict[str, tuple[str, Callable[[Any, Any], Any]]] = {
    "__radd__": ("+", operator.add),
    "__rsub__": ("-", operator.sub),
    "__rmul__": ("*", operator.mul),
    "__rtruediv__": ("/", operator.truediv),
    "__rpow__": ("**", operator.pow),
}
NUMBERS: tuple[Any, ...] = (2.0, 2, 0, 1, np.float64(2.0))
MOST_BASES = 2  # itself and object
OURS = str(Path(__file__).parent)


def unless_never(engine: Engine, name: str, of: Callable[..., Any]) -> Callable[..., Any]:
    """The operator, whose exceptions are `Sure` where it raises for all that may be on its left."""

    found: list[Sure | None] = []  # once it is known

    def asked(*operands: Any) -> Any:
        if found and found[0] is not None:
            raise found[0]
        try:
            return of(*operands)
        except Exception as error:
            if name not in SIGNS:
                raise (_lacks(engine, error) or error) from None
            found[:] = found or [_never(engine, name, error)]
            raise (found[0] or error) from None

    return asked


def _lacks(engine: Engine, error: Exception) -> Sure | None:
    """That it reads an attribute of a node that nothing in its file gives one; None for any other error."""
    frame = next(reversed(traceback.extract_tb(error.__traceback__)), None)
    if not isinstance(error, AttributeError) or type(error.obj) is not engine.cls or frame is None:
        return None
    tree = tree_of(frame.filename)
    nodes = [*ast.walk(tree)] if tree is not None else []
    known = {n.attr for n in nodes if isinstance(n, ast.Attribute) and not isinstance(n.ctx, ast.Load)}
    known |= {n.name for n in nodes if isinstance(n, (ast.FunctionDef, ast.ClassDef))}
    known |= {n.id for n in nodes if isinstance(n, ast.Name)}
    text = ast.unparse(tree) if tree is not None else ""
    open_ended = not nodes or any(word in text for word in ("setattr", "__dict__", "__slots__", "__getattr"))
    if open_ended or error.name in known or len(engine.cls.__mro__) > MOST_BASES:
        return None
    said = " ".join(str(error).split())
    return Sure(f"AttributeError: {said} ({Path(frame.filename).name}, line {frame.lineno}: bug)")


def _never(engine: Engine, name: str, error: Exception) -> Sure | None:
    """What to say of it; None where it may refuse, or has a result for something."""
    method = getattr(engine.cls, name)
    if _is_refused(error) or _returns_not_implemented(method):
        return None
    sign, of = SIGNS[name]
    for left in _lefts(engine):
        try:
            of(left, engine.node(np.full((2, 2), 1.5) if engine.of_arrays else 1.5))
            return None
        except Exception as other:
            if _is_refused(other):
                return None
    said = " ".join(str(error).split())
    return Sure(f"{type(error).__name__}: {said}, {ON_THE_LEFT} of {sign} ({_where(error, method)}: bug)")


def _lefts(engine: Engine) -> Iterator[Any]:
    yield from NUMBERS
    if engine.of_arrays:
        yield from (np.full((2, 2), 2.0), [[2.0, 2.0], [2.0, 2.0]])


def _is_refused(error: BaseException) -> bool:
    """Whether it is raised by a statement of its own: `raise` or `assert`."""
    frames = traceback.extract_tb(error.__traceback__)
    statement = (frames[-1].line or "").split(" ")[0] if frames else ""
    own = bool(frames) and not frames[-1].filename.startswith(OURS)
    return isinstance(error, NotImplementedError) or (own and statement in ("raise", "assert"))


def _returns_not_implemented(method: Any) -> bool:
    code = getattr(inspect.unwrap(method), "__code__", None)
    return code is None or any("NotImplemented" in one.co_names for one in with_inner(code))


def _where(error: BaseException, method: Any) -> str:
    """`tensor.py, line 69`: where it was raised, else the last line of the operator, which gave nothing."""
    code = inspect.unwrap(method).__code__
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if frame.filename == code.co_filename:
            return f"{Path(frame.filename).name}, line {frame.lineno}"
    node = definition_of(method)
    lines = [part.lineno for part in getattr(node, "body", ())] if isinstance(node, ast.FunctionDef) else []
    last = lines[-1] - node.lineno if node is not None and lines else 0
    return f"{Path(code.co_filename).name}, line {code.co_firstlineno + last}"
