"""The classes and functions of a file without the rest of it: no training, no plots, no missing packages.

A notebook is always loaded so. Imports are carried out, and what cannot be imported is replaced by something
that raises when it is used; constants are kept. Needs nothing but Python.
"""

from __future__ import annotations

import ast
import importlib.util
import json
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

NUMPY = ("np", "numpy")
LOADERS = ("load", "loadtxt", "genfromtxt", "fromfile", "memmap", "save", "savetxt", "savez")
FAILED = "__parity_failed__"  # of a module: name -> the exception with which its definition ended
Part = tuple[str, ast.Module]  # where it stands, as a traceback shows it, and its code


class Missing(ModuleType):
    """A module that could not be imported; using it raises what the import raised."""

    def __init__(self, name: str, error: BaseException):
        super().__init__(name)
        self.__dict__["error"] = error

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise self.__dict__["error"]

    def __call__(self, *_: Any, **__: Any) -> Any:
        raise self.__dict__["error"]


def parsed(path: Path) -> list[Part]:
    """The code of a file: one part, or one per cell of a notebook. Raises SyntaxError and ValueError."""
    if path.suffix != ".ipynb":
        return [(str(path), ast.parse(path.read_bytes(), str(path)))]
    return [(where, tree) for where, tree, _ in _cells(path)]


def code_of(path: Path) -> str:
    """The text of a Python file; of a notebook that of its cells, without magic commands.

    Raises SyntaxError and ValueError.
    """
    if path.suffix != ".ipynb":
        with tokenize.open(path) as file:
            return file.read()
    return "\n\n".join(text for _, _, text in _cells(path))


def _cells(path: Path) -> Iterator[tuple[str, ast.Module, str]]:
    """Where each cell of code is, its tree and its text."""
    cells = json.loads(path.read_bytes().decode("utf-8")).get("cells", [])
    for number, cell in enumerate(cells, 1):
        if cell.get("cell_type") == "code":
            where, text = f"{path}, cell {number}", _plain(cell.get("source", ""))
            try:
                tree = ast.parse(text, where)
            except SyntaxError:
                continue  # a cell of shell commands, or one that never ran
            yield where, tree, text


def _plain(source: str | list[str]) -> str:
    """A cell without its magic commands."""
    text = source if isinstance(source, str) else "".join(source)
    if text.lstrip().startswith("%%"):
        return ""
    return "\n".join("" if line.lstrip().startswith(("%", "!", "?")) else line for line in text.split("\n"))


def defined(body: list[ast.stmt]) -> Iterator[ast.ClassDef | ast.FunctionDef]:
    """Classes and functions of a module, also inside `if`, `try` and `with`."""
    for node in body:
        if isinstance(node, (ast.ClassDef, ast.FunctionDef)):
            yield node
            continue
        for name in ("body", "orelse", "finalbody"):
            yield from defined(getattr(node, name, []))
        for handler in getattr(node, "handlers", []):
            yield from defined(handler.body)


def with_lambdas(body: list[ast.stmt]) -> Iterator[ast.ClassDef | ast.FunctionDef]:
    """Those, and each `name = lambda x: ...` and `name = np.vectorize(f)` of the module as the function that
    it is."""
    there = {node.name: node for node in body if isinstance(node, ast.FunctionDef)}
    for node in body:
        match node:
            case ast.Assign(
                targets=[ast.Name(id=name)],
                value=ast.Lambda(args=args, body=result)
                | ast.Call(func=ast.Attribute(attr="vectorize"), args=[ast.Lambda(args=args, body=result)]),
            ):
                yield _function(name, args, [ast.Return(result)])
            case ast.Assign(
                targets=[ast.Name(id=name)],
                value=ast.Call(func=ast.Attribute(attr="vectorize"), args=[ast.Name(id=of)]),
            ) if of in there:
                yield _function(name, there[of].args, [ast.Expr(ast.Name(of, ast.Load())), *there[of].body])
            case _:
                yield from defined([node])


def _function(name: str, args: ast.arguments, body: list[ast.stmt]) -> ast.FunctionDef:
    function = ast.parse(f"def {name}(): pass").body[0]
    assert isinstance(function, ast.FunctionDef)
    function.args, function.body = args, body
    return function


def load_definitions(path: Path, source: str | None = None) -> ModuleType:
    """A module with the classes, functions, imports and constants of the file, or of another text for it."""
    spec = importlib.util.spec_from_loader(path.stem, loader=None)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    module.__dict__.update({"__file__": str(path), FAILED: {}})
    sys.modules.setdefault(path.stem, module)
    parts = parsed(path) if source is None else [(str(path), ast.parse(source))]
    for where, tree in parts:
        for node in tree.body:
            if kept(node):
                _run(node, where, module)
    return module


def kept(node: ast.stmt) -> bool:
    """Whether the statement defines something and does nothing."""
    if isinstance(node, (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return True
    if isinstance(node, (ast.Assign, ast.AnnAssign)):
        return node.value is not None and _is_constant(node.value)
    if isinstance(node, (ast.Try, ast.If)):
        if isinstance(node, ast.If) and "__name__" in ast.dump(node.test):
            return False
        nested = [*node.body, *node.orelse, *getattr(node, "finalbody", [])]
        nested += [line for handler in getattr(node, "handlers", []) for line in handler.body]
        return all(kept(line) or isinstance(line, ast.Pass) for line in nested)
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def does_nothing(node: ast.stmt) -> bool:
    """Whether nothing is lost where only definitions are loaded: it is one, or no import runs it."""
    return kept(node) or (isinstance(node, ast.If) and "__name__" in ast.dump(node.test))


def _is_constant(value: ast.expr) -> bool:
    """Whether working it out calls nothing but NumPy, and reads no file; what a lambda calls is for later."""
    return all(_is_numpy(node.func) for node in _carried_out(value) if isinstance(node, ast.Call))


def _carried_out(value: ast.AST) -> Iterator[ast.AST]:
    """The parts of an expression without the bodies of its lambdas."""
    yield value
    for part in () if isinstance(value, ast.Lambda) else ast.iter_child_nodes(value):
        yield from _carried_out(part)


def _is_numpy(call: ast.expr) -> bool:
    names = [node.attr for node in ast.walk(call) if isinstance(node, ast.Attribute)]
    root = next((node.id for node in ast.walk(call) if isinstance(node, ast.Name)), "")
    return root in NUMPY and not set(names) & set(LOADERS)


def _run(node: ast.stmt, where: str, module: ModuleType) -> None:
    """Carry it out; what it would have defined, had it not raised, is noted with the exception."""
    try:
        exec(compile(ast.Module([node], []), where, "exec"), module.__dict__)
    except Exception as error:
        names = []
        for part in ast.walk(node):
            if isinstance(part, (ast.Import, ast.ImportFrom)):
                for alias in part.names:
                    name = alias.asname or alias.name.partition(".")[0]
                    module.__dict__.setdefault(name, Missing(name, error))
            elif isinstance(part, (ast.ClassDef, ast.FunctionDef)):
                names.append(part.name)
            elif isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
                names.append(part.id)
        module.__dict__[FAILED].update(dict.fromkeys(names, error))
