"""What `path/to/layers.py:Convolution` or `package.module:Convolution` names.

A file is imported as Python would import it where it lies: with its siblings when it stands alone, as part
of its package when there is an `__init__.py` (or a relative import that asks for one). What it imports is
also looked for in the working directory and in the folders above the file.

    path/to/package:layers.Convolution   a name in a module of that folder
    layers.py:Activations.relu           a function of a class, static or not
    layers.py:ACTIVATIONS["relu"]        an item of a dict: a function, or a pair of one and its derivative
    layers.py:Dense(activation="relu")   one with a word among which its code chooses
    layers.py::Convolution               of the file only classes, functions and constants are loaded; so is
    notes.ipynb:Convolution              a notebook always
"""

from __future__ import annotations

import contextlib
import difflib
import importlib
import importlib.machinery
import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from parity.adapters.choice import chosen, parted
from parity.adapters.definitions import FAILED, load_definitions
from parity.adapters.members import of_object, of_vectorized, pair, steps, taken

DEPTH = 6  # folders above a file in which what it imports is looked for
MOST_FOLDERS = 8  # that one file may need


class TargetError(ValueError):
    """There is no such file, module or name."""


def load(target: str) -> Any:
    """The object a target names; two names after the colon, with a comma, give a tuple of both.

    Raises TargetError when there is none, and whatever the code raises while it is imported.
    """
    where, name = split(target)
    only, where = where.endswith(":"), where.removesuffix(":")
    if Path(where).is_dir():
        path, name = _in_folder(Path(where), name)
        where = str(path)
    with _without_bytecode():
        if only or where.endswith(".ipynb"):
            module = definitions_of(Path(where))
        else:
            module = import_file(Path(where)) if where.endswith(".py") else _import_module(where)
    found = tuple(_named(module, part.strip(), where) for part in name.split(","))
    return found[0] if len(found) == 1 else pair(*found) if len(found) == 2 else found


def split(target: str) -> tuple[str, str]:
    """`layers.py:Relu` -> ("layers.py", "Relu")."""
    where, colon, name = target.rpartition(":")
    if not colon or not where or not name:
        raise TargetError(f"expected path/to/layers.py:Name or module:Name, got {target!r}")
    return where, name


def only_definitions(target: str) -> str:
    """The target with only the definitions of its file loaded."""
    where, name = split(target)
    return f"{where.removesuffix(':')}::{name}"


def definitions_of(path: Path, source: str | None = None) -> ModuleType:
    """The classes and functions of a file or notebook, or of another text for it.

    Raises TargetError where there is no such file.
    """
    if not path.is_file():
        raise TargetError(f"no file {path}")
    path = path.resolve()
    for folder in (path.parent, *path.parents[1:DEPTH], Path.cwd()):
        _on_path(folder, first=folder == path.parent)
    return load_definitions(path, source)


def _in_folder(folder: Path, name: str) -> tuple[Path, str]:
    """The file that `layers.Conv2D` is in, and the rest of the name."""
    parts = name.split(",")[0].strip().split(".")
    for end in range(len(parts), -1, -1):
        for path in (
            folder.joinpath(*parts[:end], "__init__.py"),
            folder.joinpath(*parts[:end]).with_suffix(".py"),
        ):
            if path.is_file() and end < len(parts):
                inner = ".".join(parts[:end])
                names = [one.strip().removeprefix(f"{inner}.") for one in name.split(",")]
                return path, ",".join(names)
    raise TargetError(f"{folder} has no module {parts[0]}; write {folder}:module.Name")


def _named(module: ModuleType, name: str, where: str) -> Any:
    found: Any = module
    path = steps(name)
    first = parted(path[0][1])[0] if path else ""
    if first in (failed := vars(module).get(FAILED, {})) and not hasattr(module, first):
        raise failed[first]
    for how, part in path:
        part, parameter, word = parted(part)
        try:
            found = taken(found, how, part)
            found = chosen(found, parameter, word) if parameter else found
        except (AttributeError, LookupError, TypeError):
            raise TargetError(f"{where} has no {name!r}{_instead(module, found, how, part)}") from None
    if isinstance(found, np.vectorize):
        found = of_vectorized(found, parted(path[-1][1])[0])
    found = of_object(found, path[-1][1]) if len(path) == 1 else found
    if getattr(found, "__name__", "") == "<lambda>":
        found.__name__ = name  # its derivative is looked for by it
    return found


def _instead(module: ModuleType, found: Any, how: str, part: str) -> str:
    """What is near, or what there is."""
    if how == "[]":
        there = list(map(str, found)) if isinstance(found, dict) else []
    else:
        there = [
            k
            for k, v in vars(module).items()
            if callable(v) and getattr(v, "__module__", "") == module.__name__
        ]
    close = difflib.get_close_matches(part, there, 1)
    return f"; did you mean {close[0]}?" if close else f"; it has {', '.join(there) or 'no classes'}"


def _import_module(name: str) -> ModuleType:
    if (here := str(Path.cwd())) not in sys.path:
        sys.path.insert(0, here)
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name and (name == error.name or name.startswith(f"{error.name}.")):
            raise TargetError(f"no module named {name!r}; for a file write path/to/file.py:Name") from None
        raise


def import_file(path: Path) -> ModuleType:
    """The module in that file, in its package if it has one.

    A module that it imports and that is not found is looked for in the folders above the file, and in the
    working directory: many a file imports its siblings from where it was started.
    """
    if not path.is_file():
        raise TargetError(f"no file {path}")
    path = path.resolve()
    for _ in range(MOST_FOLDERS):
        try:
            return _import_file(path)
        except ModuleNotFoundError as error:
            folder = _holding((error.name or "").partition(".")[0], path)
            if folder is None or str(folder) in sys.path:
                raise
            _on_path(folder, first=False)
    return _import_file(path)


def _holding(package: str, path: Path) -> Path | None:
    """The nearest folder above the file that has this module or package."""
    folders = [*path.parents[:DEPTH], Path.cwd()] if package else []
    there = [f for f in folders if (f / package).is_dir() or (f / f"{package}.py").is_file()]
    return there[0] if there else None


def _import_file(path: Path) -> ModuleType:
    root, parts = path.parent, [path.stem]
    while (root / "__init__.py").is_file():
        parts.insert(0, root.name)
        root = root.parent
    _on_path(root, first=True)
    if len(parts) > 1:
        _on_path(path.parent, first=False)  # siblings may also be imported by their bare names
        return _import_in_package(root, parts)
    try:
        return _import_alone(path)
    except ImportError as error:
        if "relative import" not in str(error):
            raise
    return _import_beside(path)


@contextlib.contextmanager
def _without_bytecode() -> Iterator[None]:
    """Leave no bytecode beside people's files: it would be taken for a text of the same second and size."""
    before, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        yield
    finally:
        sys.dont_write_bytecode = before


class _FromSource(importlib.machinery.SourceFileLoader):
    """Reads the file itself: bytecode counts as fresh for a file of the same size and the same second."""

    def path_stats(self, path: Any) -> Any:
        raise OSError


def _import_alone(path: Path) -> ModuleType:
    """A module by its file; under a name of ours where its own is taken (a `random.py`, say)."""
    taken = path.stem in sys.stdlib_module_names or path.stem in sys.modules
    same = getattr(sys.modules.get(path.stem), "__file__", None)
    if same is not None and Path(same) == path:
        return sys.modules[path.stem]
    name = f"_target_{path.stem}" if taken else path.stem
    spec = importlib.util.spec_from_file_location(name, path, loader=_FromSource(name, str(path)))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _import_in_package(root: Path, parts: list[str]) -> ModuleType:
    top = sys.modules.get(parts[0])
    if top is not None and str(root / parts[0]) not in getattr(top, "__path__", []):
        for name in [n for n in sys.modules if n == parts[0] or n.startswith(f"{parts[0]}.")]:
            del sys.modules[name]  # another package of the same name
    return importlib.import_module(".".join(parts))


def _import_beside(path: Path) -> ModuleType:
    """Relative imports without an `__init__.py`: the folders above become packages, as many as it needs."""
    error = ImportError()
    for depth in range(1, min(4, len(path.parents))):
        folders = list(reversed(path.parents[:depth]))
        names = [".".join(folder.name for folder in folders[: i + 1]) for i in range(depth)]
        for name in [n for n in sys.modules if n == names[0] or n.startswith(f"{names[0]}.")]:
            del sys.modules[name]
        for name, folder in zip(names, folders, strict=True):
            package = ModuleType(name)
            package.__path__ = [str(folder)]
            sys.modules[name] = package
        try:
            return importlib.import_module(f"{names[-1]}.{path.stem}")
        except ImportError as tried:
            error = tried
            if "relative import" not in str(tried):
                break
    raise error


def _on_path(folder: Path, first: bool) -> None:
    """Put it first, wherever it was, or last, unless it is there already."""
    name = str(folder)
    if first:
        sys.path[:] = [name, *(other for other in sys.path if other != name)]
    elif name not in sys.path:
        sys.path.append(name)
