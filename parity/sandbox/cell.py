"""The checker's side of a sandbox: how its process is started, and its folder for temporary files."""

from __future__ import annotations

import itertools
import json
import os
import secrets
import sys
import tempfile
from contextlib import suppress
from typing import Any, ClassVar

from parity.sandbox.policy import Policy, package_paths
from parity.sandbox.processes import outside
from parity.sandbox.protection import protection, readable, wrapped


class Cell:
    """What one process under a policy is given; `leave` takes its temporary files away."""

    ENVIRONMENT: ClassVar[dict[str, str]] = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}

    def __init__(self, policy: Policy):
        self.policy, self.numbers = policy, itertools.count()
        self.scratch = tempfile.mkdtemp(prefix="parity-scratch-")
        self.now = ""

    def command(self, worker: str) -> list[str]:
        """The command that runs the worker: Python without what is installed, NumPy's folder added."""
        places = json.dumps(package_paths((*self.policy.allowed, "landlockpy"))[1])
        python = [os.path.realpath(sys.executable), "-I", "-S", worker, places]
        parent = "0" if protection().bubblewrap else str(os.getpid())
        return wrapped([*python, parent, json.dumps(readable(self.policy))], self.policy, self.scratch)

    def session(self) -> dict[str, Any]:
        """What the worker is asked for: one session with a temporary folder of its own."""
        policy = self.policy
        self.now = os.path.join(self.scratch, str(next(self.numbers)))
        os.mkdir(self.now)
        guard = {
            **policy.data(),
            "code": os.path.realpath(policy.folder),
            "scratch": self.now,
            "most": policy.scratch << 20,
            "layers": protection().layers,
        }
        return {"folder": policy.folder, "path": [], "guard": guard}

    def outside(self, wrapper: int, pid: int) -> int:
        """The id that a process of the sandbox has out here, where `wrapper` is what it was started by."""
        found = protection()
        return outside(wrapper, pid) if found.bubblewrap and found.pids else pid

    def empty(self) -> None:
        """Nothing that the session wrote survives it."""
        remove(self.now)

    def leave(self) -> None:
        remove(self.scratch)


def remove(folder: str) -> None:
    """Remove a folder and all that code made in it, however deep it nests and whatever rights it has.

    Each folder is emptied into the one that is removed, so that no path grows longer than it.
    """
    numbers = itertools.count()
    prefix = os.path.join(folder, secrets.token_hex(8))

    def emptied(where: str) -> bool:
        """Remove the files, and move the folders to where the next round finds them."""
        folders = False
        with os.scandir(where) as entries:
            for entry in list(entries):
                if not entry.is_dir(follow_symlinks=False):
                    os.unlink(entry.path)
                    continue
                folders = True
                os.chmod(entry.path, 0o700)
                if where == folder:
                    emptied(entry.path)
                    os.rmdir(entry.path)
                else:
                    os.rename(entry.path, f"{prefix}{next(numbers)}")
        return folders

    with suppress(OSError):
        while emptied(folder):
            pass
        os.rmdir(folder)
