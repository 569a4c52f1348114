"""In the process that will run a stranger's code: give up every right that the code has no use for.

Each layer holds without the others. What the kernel does not offer is left out; `sandbox.protection` says
so before anything is run. Needs the standard library, and landlockpy for the files.
"""

from __future__ import annotations

import ctypes
import os
import site
import sys
import tempfile
from contextlib import suppress
from typing import Any

from parity.sandbox.policy import ALWAYS_REFUSED
from parity.sandbox.seccomp import restrict_calls

VERSION_3 = 0x20080522  # of the capabilities' structure
OPEN_FILES, STACK = 64, 8 << 20
MAX_WHY = 80
# What looks into or alters the code that asks and answers; no layer has a use for it.
PRYING = ("sys.settrace", "sys.setprofile", "gc.get_objects", "gc.get_referrers", "gc.get_referents")


class RefusedImport(ImportError):
    """The code imports what it may not."""


def contain(how: dict[str, Any], readable: list[str]) -> None:
    """All layers that `how` names, for the rest of this process's life.

    how       scratch: the one folder to write to; layers: "landlock", "seccomp"; allowed: packages;
              code: the folder of the code; memory, file: MiB
    readable  files and folders
    """
    site.setquit()  # `exit()` is there for everyone
    os.environ["TMPDIR"] = os.environ["HOME"] = tempfile.tempdir = how["scratch"]
    sys.dont_write_bytecode = True
    _limit(how)
    if "landlock" in how["layers"]:
        _restrict_files(readable, how["scratch"])
    _drop_capabilities()
    if "seccomp" in how["layers"]:
        restrict_calls()
    refuse_imports(how["allowed"], how["code"])


def _limit(how: dict[str, Any]) -> None:
    import resource

    with open("/proc/self/statm") as statm:
        have = int(statm.read().split()[0]) * resource.getpagesize()
    size = how["file"] << 20
    for what, most in (
        (resource.RLIMIT_AS, have + (2 * how["memory"] << 20)),
        (resource.RLIMIT_FSIZE, size),
        (resource.RLIMIT_NOFILE, OPEN_FILES),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_STACK, STACK),
    ):
        resource.setrlimit(what, (most, most))


def _drop_capabilities() -> None:
    """Root is nobody in particular from here on: it cannot raise a limit again, nor mount, nor trace."""
    header = (ctypes.c_uint32 * 2)(VERSION_3, 0)
    with suppress(AttributeError):
        ctypes.CDLL(None).capset(header, (ctypes.c_uint32 * 6)())


def _restrict_files(readable: list[str], scratch: str) -> None:
    from landlockpy import AccessFS, Ruleset, Scope

    read = AccessFS.READ_FILE | AccessFS.READ_DIR
    write = read | AccessFS.WRITE_FILE | AccessFS.TRUNCATE | AccessFS.REMOVE_DIR | AccessFS.REMOVE_FILE
    write |= AccessFS.MAKE_DIR | AccessFS.MAKE_REG
    with Ruleset(scoped=Scope.ABSTRACT_UNIX_SOCKET | Scope.SIGNAL) as rules:
        for path in readable:
            if os.path.exists(path):
                rules.allow_path(path, read if os.path.isdir(path) else AccessFS.READ_FILE)
        rules.allow_path(os.devnull, AccessFS.READ_FILE | AccessFS.WRITE_FILE)
        rules.allow_path(scratch, write)
        rules.restrict()


def refuse_imports(allowed: list[str], code: str) -> None:
    """An import of anything but the standard library, `allowed` and the code's own folder raises.

    So does what PRYING names.

    It is an audit hook, which cannot be taken away again.
    """
    free = {*allowed, "numpy", *sys.stdlib_module_names}
    own = {name.partition(".")[0] for name in sys.modules} - {*ALWAYS_REFUSED}

    def hook(event: str, args: tuple[Any, ...]) -> None:
        if event in PRYING:
            raise PermissionError(f"{event} is not allowed here")
        if event != "import" or not args or not isinstance(args[0], str):
            return
        top = args[0].partition(".")[0]
        if top in free or (top in own and top != "__main__") or _ours(args[0]):
            return
        if top not in ALWAYS_REFUSED and _lies_in(code, top):
            return
        name = "".join(c for c in top[:MAX_WHY] if c.isprintable())
        raise RefusedImport(f"imports {name}, which is not allowed here", name=top)

    sys.addaudithook(hook)


def _ours(name: str) -> bool:
    """A module of the worker itself, imported late; none of them judges."""
    return name.startswith(("parity.adapters.", "parity.kinds."))


def _lies_in(folder: str, name: str) -> bool:
    """Whether the code brings a module or package of that name, somewhere in its folder."""
    for where, folders, files in os.walk(folder):
        if name in folders or any(file.partition(".")[0] == name for file in files):
            return True
        if where.count(os.sep) - folder.count(os.sep) > 6:
            folders.clear()
    return False
