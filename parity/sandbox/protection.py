"""Which protection can be had on this machine: tried once, and said in a line."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from parity.sandbox.policy import Policy, package_paths, python_paths
from parity.sandbox.seccomp import can_filter

PATIENCE = 30.0  # seconds in which a trial has to end
PIDS = "--unshare-pid"  # refused in containers whose /proc is partly hidden
BWRAP = ("--unshare-net", "--unshare-ipc", "--unshare-uts", "--die-with-parent", "--dev", "/dev")
OPEN = "a process of its own with limits; files and the network are open to it (closed by --sandbox)"
LIMITS = "limits on time, memory, output, threads and the size of files"


@dataclass(frozen=True)
class Protection:
    """The layers that hold here, besides a process of its own with limits, which always hold.

    bubblewrap  the path of bwrap, "" where it cannot be used
    pids        whether a process under it sees no other process
    landlock    the version of the kernel's interface, 0 where there is none
    seccomp     whether system calls can be filtered
    """

    bubblewrap: str = ""
    landlock: int = 0
    seccomp: bool = False
    pids: bool = False

    @property
    def holds(self) -> bool:
        """Whether a stranger's code can be run: it reaches neither files, nor the network, nor processes."""
        files = bool(self.bubblewrap or self.landlock)
        return files and self.seccomp

    @property
    def layers(self) -> list[str]:
        """What the process that runs the code has to do itself."""
        return [name for name in ("landlock", "seccomp") if getattr(self, name)]

    def __str__(self) -> str:
        texts = []
        if self.bubblewrap:
            seen = "no other process to see" if self.pids else "names of other processes can be seen"
            texts.append(f"bubblewrap (no network, nothing else to read, {seen})")
        if self.landlock:
            texts.append(f"Landlock (its own folder to read, version {self.landlock})")
        if self.seccomp:
            texts.append("seccomp (no sockets, no new processes, no signals)")
        return ", ".join([*texts, "a process of its own", LIMITS])


@cache
def protection() -> Protection:
    """What this machine offers; each layer is tried once in a process of its own."""
    if not sys.platform.startswith("linux"):
        return Protection()
    path = shutil.which("bwrap") or ""
    pids = bool(path) and _wraps(path, PIDS)
    bubblewrap = path if pids or (path and _wraps(path)) else ""
    return Protection(bubblewrap, _landlock(), can_filter() and _runs(_FILTER), pids)


def _wraps(path: str, *more: str) -> bool:
    root, proc = ("--ro-bind", "/", "/"), ("--proc", "/proc", "--remount-ro", "/proc")
    return _runs_command([path, *root, *BWRAP, *more, *proc, "--", "/bin/true"])


_FILTER = "from parity.sandbox.seccomp import restrict_calls; restrict_calls()"


def _landlock() -> int:
    try:
        import landlockpy
    except ImportError:
        return 0
    try:
        return int(landlockpy.abi_version())
    except OSError:
        return 0


def _runs(code: str) -> bool:
    import parity

    top = os.path.dirname(os.path.dirname(os.path.abspath(parity.__file__)))
    text = f"import sys; sys.path.append({top!r}); sys.modules['parity'] = p = type(sys)('parity'); " + (
        f"p.__path__ = [{os.path.join(top, 'parity')!r}]; {code}"
    )
    return _runs_command([sys.executable, "-I", "-c", text])


def _runs_command(command: Sequence[str]) -> bool:
    nothing = subprocess.DEVNULL
    try:
        return (
            subprocess.run(
                command, stdin=nothing, stdout=nothing, stderr=nothing, timeout=PATIENCE
            ).returncode
            == 0
        )
    except (OSError, subprocess.TimeoutExpired):
        return False


# -- how the process is started ---------------------------------------------------------------------
def readable(policy: Policy) -> list[str]:
    """Files and folders that the code may read: its own, Python's, and those of the worker that runs it."""
    top = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    ours = [os.path.join(top, room) for room in ("adapters", "kinds", "sandbox")]
    return [os.path.realpath(policy.folder), *python_paths(), *package_paths(policy.allowed)[0], *ours]


def wrapped(command: Sequence[str], policy: Policy, scratch: str) -> list[str]:
    """The command inside bubblewrap, where that can be had, else as it is."""
    bubblewrap = protection().bubblewrap
    if not bubblewrap:
        return list(command)
    mounts = ["--proc", "/proc"]
    for path in ("/lib", "/lib64"):
        if os.path.islink(path):
            mounts += ["--symlink", os.readlink(path), path]
    for path in dict.fromkeys([*readable(policy), *package_paths(("landlockpy",))[0]]):
        if not path.startswith("/dev/"):
            mounts += ["--ro-bind", path, path]
    # /proc too: its settings of the kernel are files of root's, and root needs no capability to write them.
    mounts += ["--bind", scratch, scratch]
    mounts += [word for place in ("/", "/dev", "/proc") for word in ("--remount-ro", place)]
    pids = [PIDS] if protection().pids else []
    return [bubblewrap, *BWRAP, *pids, *mounts, "--", *command]
