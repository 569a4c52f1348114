"""The interpreter in which foreign code runs: NumPy and a few files of this folder, no PyTorch and no judge.

    python -I worker.py PATHS PARENT [READABLE]

as `children.py` starts it; its input is a socket. PARENT is 0 where a tool of the sandbox stands between the
two, and READABLE lists the files and folders that code in a sandbox may read.

It imports NumPy once and then keeps watch: for each session that it is asked for it forks a child, which runs
the code, and reports how that child ended. Nothing outlives a session: on Linux whatever the code started
comes back to this process when its own parent is gone, and is ended here.

`import parity` in the code under test gives a stand-in with the adapters to subclass and nothing to judge by.
"""

from __future__ import annotations

import json
import math
import os
import selectors
import signal
import socket
import stat
import sys
import time
from contextlib import suppress
from types import ModuleType
from typing import Any, NoReturn

PR_SET_CHILD_SUBREAPER = 36  # of Linux: orphans among the descendants become this process's children
PATIENCE = 2.0  # seconds in which everything that was killed has to be gone
LOOK = 0.05  # seconds between two looks at the temporary files of a sandbox
BLOCK = 4096
DEEPEST = 16  # folders in each other


def stand_in() -> None:
    """Modules of our names: those that need NumPy alone can be imported, `parity.verify` cannot be called."""
    top = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    for name in ("parity", "parity.adapters", "parity.kinds", "parity.sandbox"):
        module = ModuleType(name)
        module.__path__ = [os.path.join(top, *name.split(".")[1:])]
        sys.modules[name] = module
    from parity.adapters import book, called, convention

    parity, adapters = sys.modules["parity"], sys.modules["parity.adapters"]
    parity.__dict__.update(adapters=adapters, verify=_not_here, assert_parity=_not_here)
    adapters.__dict__.update(Adapter=book.Adapter, BookAdapter=book.BookAdapter)
    adapters.__dict__.update(Called=called.Called, Convention=convention.Convention, Place=convention.Place)
    sys.modules["parity.implementations"] = book  # where earlier versions had it


def _not_here(*_: Any, **__: Any) -> NoReturn:
    raise RuntimeError("this file is being verified already; call parity under `if __name__ == '__main__':`")


def main() -> NoReturn:
    sys.path += [path for path in json.loads(sys.argv[1]) if path not in sys.path]
    stand_in()
    import numpy.random  # noqa: F401  what a child needs is imported once

    import parity.sandbox.processes  # noqa: F401
    from parity.adapters.serve import die_with_parent

    watch = socket.socket(fileno=0)
    signal.signal(signal.SIGTERM, lambda *_: _leave())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    die_with_parent(int(sys.argv[2]) or os.getppid(), signal.SIGTERM)
    wake, waking = os.pipe()
    os.set_blocking(waking, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(waking)
    with suppress(OSError):
        while session := _asked(watch):
            _session(watch, wake, *session)
    _leave()


def _asked(watch: socket.socket) -> tuple[dict[str, Any], list[int]] | None:
    """What the session is to be like, and its three descriptors; None when nothing more will be asked."""
    data, fds, _, _ = socket.recv_fds(watch, 1 << 16, 3)
    return (json.loads(data), fds) if len(fds) == 3 else None


def _session(watch: socket.socket, wake: int, how: dict[str, Any], fds: list[int]) -> None:
    """One child from its start until the checker says that it is over."""
    mine, child = os.getpid(), os.fork()
    if child == 0:
        _be_child(mine, how, fds)
    for fd in fds:
        os.close(fd)
    _say(watch, {"pid": child})
    status, guard = None, how.get("guard")
    with selectors.DefaultSelector() as waiting:
        waiting.register(watch, selectors.EVENT_READ)
        waiting.register(wake, selectors.EVENT_READ)
        while True:
            ready = {key.fileobj for key, _ in waiting.select(LOOK if guard else None)}
            if guard and status is None and _holds(guard["scratch"]) + _removed(child) > guard["most"]:
                os.kill(child, signal.SIGKILL)
            if wake in ready:
                os.read(wake, 1 << 10)
            if status is None and (status := _status(child)) is not None:
                _say(watch, {"status": status})
            if watch in ready:
                over = watch.recv(1 << 10)
                _end_all(child)
                if over:
                    _say(watch, {"over": True})
                    return
                _leave()


def _holds(folder: str) -> float:
    """Bytes of all that is in it; each entry counts for a block, so that empty ones count too.

    What is nested too deeply to be counted is more than anything.
    """
    held, left = 0, [(folder, 0)]
    while left:
        where, depth = left.pop()
        if depth > DEEPEST:
            return math.inf
        with suppress(OSError), os.scandir(where) as entries:
            for entry in entries:
                held += BLOCK
                with suppress(OSError):
                    if entry.is_dir(follow_symlinks=False):
                        left.append((entry.path, depth + 1))
                    else:
                        held += entry.stat(follow_symlinks=False).st_size
    return held


def _removed(pid: int) -> int:
    """Bytes of the files that a process holds open and has removed."""
    held, folder = 0, f"/proc/{pid}/fd"
    with suppress(OSError):
        for name in os.listdir(folder):
            with suppress(OSError):
                found = os.stat(os.path.join(folder, name))
                held += found.st_size if stat.S_ISREG(found.st_mode) and not found.st_nlink else 0
    return held


def _say(watch: socket.socket, message: dict[str, Any]) -> None:
    watch.sendall(json.dumps(message).encode() + b"\n")


def _status(child: int) -> int | None:
    with suppress(ChildProcessError):
        pid, status = os.waitpid(child, os.WNOHANG)
        return status if pid else None
    return 0


def _be_child(parent: int, how: dict[str, Any], fds: list[int]) -> NoReturn:
    from parity.adapters.former_names import lend
    from parity.adapters.network_bench import NetworkBench
    from parity.adapters.serve import close_all_but, die_with_parent, serve, settle

    signal.set_wakeup_fd(-1)
    die_with_parent(parent)
    requests, answers = settle(*fds)
    close_all_but(requests, answers)
    with suppress(OSError):
        os.chdir(how["folder"])
    sys.path += [path for path in how["path"] if path not in sys.path]
    if guard := how.get("guard"):
        from parity.sandbox.contain import contain

        contain(guard, json.loads(sys.argv[3]))
    sys.argv = [""]
    lend()
    serve(NetworkBench(), requests, answers)


# -- the end of everything ------------------------------------------------------------------------
def _end_all(child: int) -> None:
    """The child, its group, and all that came back to this process."""
    from parity.sandbox.processes import children_of

    deadline = time.monotonic() + PATIENCE
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(child, signal.SIGKILL)
    while time.monotonic() < deadline:
        for pid in children_of():
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        try:
            os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        time.sleep(0.001)


def _leave() -> NoReturn:
    from parity.sandbox.processes import children_of

    for pid in children_of():
        _end_all(pid)
    os._exit(0)


if __name__ == "__main__":
    main()
