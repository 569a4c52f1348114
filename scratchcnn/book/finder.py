"""How `from common.layers import Convolution` finds the modules of this package."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

PACKAGES = ("common", "dataset")  # ours go first
NETWORKS = ("simple_convnet", "deep_convnet")  # the reader's go first
HERE = "scratchcnn.book"


class _Alias(Loader):
    """Gives one of this package's modules a second name."""

    def __init__(self, name: str):
        self.name = name
        self._spec: Any = None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        module = importlib.import_module(self.name)
        self._spec = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        module.__spec__ = self._spec  # importing by another name has replaced it


class Finder(MetaPathFinder):
    """Finds `names` and their submodules here; a submodule that is not here, in the reader's folders."""

    def __init__(self, names: Sequence[str]):
        self.names = names

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        package, _, module = fullname.partition(".")
        if package not in self.names:
            return None
        if find_spec(f"{HERE}.{fullname}") is not None:
            return ModuleSpec(fullname, _Alias(f"{HERE}.{fullname}"), is_package=not module)
        folders = [str(Path(folder) / package) for folder in sys.path]
        return PathFinder.find_spec(fullname, folders)


def install() -> None:
    """Add the finders to Python's, once."""
    if not any(isinstance(finder, Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, Finder(PACKAGES))
        sys.meta_path.append(Finder(NETWORKS))
