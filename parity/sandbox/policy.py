"""What one piece of foreign code may do, and the policy in force.

    with sandboxed(Policy("submissions/0042")):
        verify("submissions/0042/layers.py:Relu", "relu")

Needs the standard library alone: the process that runs the code imports it too.
"""

from __future__ import annotations

import importlib.util
import os
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

ALWAYS_REFUSED = ("torch", "jax", "jaxlib", "tensorflow", "scratchcnn", "parity")
ALLOWED = ("numpy",)


@dataclass(frozen=True)
class Policy:
    """folder   what the code may read besides Python itself; it runs there
    allowed  packages that it may import besides the standard library's
    scratch  MiB of temporary files
    memory   MiB that the process may add
    file     MiB that one file may have
    """

    folder: str
    allowed: tuple[str, ...] = ALLOWED
    scratch: int = 16
    memory: int = 1024
    file: int = 8

    def __post_init__(self) -> None:
        if refused := sorted({*self.allowed} & {*ALWAYS_REFUSED}):
            raise ValueError(f"no submission may import {', '.join(refused)}: the answers are in there")

    def data(self) -> dict[str, Any]:
        return asdict(self)

    @staticmethod
    def of(data: dict[str, Any]) -> Policy:
        return Policy(**{**data, "allowed": tuple(data["allowed"])})


_in_force: ContextVar[Policy | None] = ContextVar("policy", default=None)


def in_force() -> Policy | None:
    """The policy for foreign code that is started now; None outside `sandboxed`."""
    return _in_force.get()


@contextmanager
def sandboxed(policy: Policy | None) -> Iterator[None]:
    """Foreign code that is started inside runs under this policy."""
    token = _in_force.set(policy)
    try:
        yield
    finally:
        _in_force.reset(token)


# -- what has to be readable ------------------------------------------------------------------------
def package_paths(allowed: tuple[str, ...]) -> tuple[list[str], list[str]]:
    """Files and folders of these packages, and the folders in which Python finds them."""
    files: dict[str, None] = {}
    places: dict[str, None] = {}
    for name in ("numpy", *allowed):
        found = importlib.util.find_spec(name)
        if found is None or found.origin in (None, "built-in", "frozen"):
            continue
        where = Path(
            found.submodule_search_locations[0] if found.submodule_search_locations else found.origin
        )
        places[str(where.parent)] = None
        for path in (where, where.parent / f"{name}.libs"):
            if path.exists():
                files[str(path)] = None
    return list(files), list(places)


def python_paths() -> list[str]:
    """Files and folders of Python itself, without what is installed beside it."""
    found: list[str] = []
    for name in ("stdlib", "platstdlib"):
        folder = Path(sysconfig.get_paths()[name])
        if folder.is_dir() and folder.resolve().is_relative_to(Path(sys.base_prefix).resolve()):
            inside = (
                path for path in folder.iterdir() if path.name not in ("site-packages", "dist-packages")
            )
            found += [str(path.resolve()) for path in inside]
    found.append(str(Path(sys.executable).resolve()))
    libraries = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", f"{sys.base_prefix}/lib")
    for place in dict.fromkeys(os.path.realpath(name) for name in libraries):
        if os.path.isdir(place):
            found += [os.path.join(place, name) for name in os.listdir(place) if not _holds_python(name)]
    devices = ("/dev/null", "/dev/zero", "/dev/urandom", "/dev/random", "/etc/ld.so.cache", "/etc/localtime")
    return list(dict.fromkeys([*found, *filter(os.path.exists, devices)]))


def _holds_python(name: str) -> bool:
    """Whether a folder of libraries may hold Python's packages, those that are refused among them."""
    return name.startswith("python")
