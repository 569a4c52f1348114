"""Processes that run foreign code: fresh ones by way of `worker.py`, and copies of this one.

A fresh interpreter has neither PyTorch nor the checker in it; one is kept warm for each thread, so that a
session costs a fork there and no start of Python. A copy is made where the code is an object of this process
(a class of a notebook or a test), which no other process could load.
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import sys
import threading
import time
import warnings
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from parity.adapters.bench import Bench
from parity.adapters.isolate import can_isolate
from parity.adapters.serve import die_with_parent, serve, settle
from parity.kinds import torch_ahead
from parity.sandbox.cell import Cell
from parity.sandbox.policy import Policy, in_force

WORKER = Path(__file__).with_name("worker.py")
ONE_THREAD = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL", "VECLIB_MAXIMUM", "NUMEXPR")}
AT_ONCE = 1 << 20  # bytes in a pipe
PATIENCE = 5.0  # seconds that the watching process may take to end a session


@dataclass
class Child:
    """A process that answers: this side's ends of its three pipes, how it died, and how to end it."""

    pid: int
    requests: int
    answers: int
    output: int
    died: Callable[[float], int | None]  # the wait status, waiting for it at most that many seconds
    end: Callable[[], None]

    def close(self) -> None:
        """End it, and everything that it started."""
        for fd in (self.requests, self.answers, self.output):
            os.close(fd)
        self.end()


def _pipes() -> tuple[tuple[int, int], tuple[int, int], tuple[int, int]]:
    """For requests, answers and output; the first two take a message of ordinary size at once."""
    pipes = os.pipe(), os.pipe(), os.pipe()
    with suppress(ImportError, AttributeError, OSError):  # only on Linux, and no more than the user may have
        import fcntl

        for reading, _ in pipes[:2]:
            fcntl.fcntl(reading, fcntl.F_SETPIPE_SZ, AT_ONCE)
    return pipes


# -- a copy of this process -----------------------------------------------------------------------
def copied_child(bench: Bench) -> Child:
    """A fork of this process that answers for `bench`."""
    torch_ahead.settle()
    (requests, to_it), (from_it, answers), (printed, output) = _pipes()
    sys.stdout.flush()
    sys.stderr.flush()
    parent = os.getpid()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Python warns of threads that hold locks; the child takes none
        child = os.fork()
    if child == 0:
        _be_copy(bench, parent, (requests, answers, output), (to_it, from_it, printed))
    for fd in (requests, answers, output):
        os.close(fd)
    os.set_blocking(to_it, False)
    status: list[int] = []
    return Child(
        child, to_it, from_it, printed, lambda wait: _waited(child, wait, status), lambda: _end(child, status)
    )


def _be_copy(bench: Bench, parent: int, own: tuple[int, int, int], others: tuple[int, int, int]) -> NoReturn:
    try:
        die_with_parent(parent)
        for fd in others:
            os.close(fd)
        requests, answers = settle(*own)
        if torch := sys.modules.get("torch"):
            torch.set_num_threads(1)  # a forked process must not wait for its parent's threads
        serve(bench, requests, answers)
    finally:
        os._exit(1)


def _waited(child: int, seconds: float, status: list[int]) -> int | None:
    deadline = time.monotonic() + seconds
    while not status:
        pid, found = os.waitpid(child, os.WNOHANG)
        if pid:
            status.append(found)
        elif time.monotonic() >= deadline:
            return None
        else:
            time.sleep(0.001)
    return status[0]


def _end(child: int, status: list[int]) -> None:
    for kill in (os.killpg, os.kill):
        with suppress(ProcessLookupError, PermissionError):
            kill(child, signal.SIGKILL)
    if not status:
        with suppress(ChildProcessError):
            os.waitpid(child, 0)


# -- a fresh interpreter --------------------------------------------------------------------------
class Watch:
    """The process of `worker.py`: asked for one session after the other."""

    def __init__(self, policy: Policy | None = None) -> None:
        ours, theirs = socket.socketpair()
        self.socket, self.heard, self.parent = ours, b"", os.getpid()
        self.cell = None if policy is None else Cell(policy)
        nothing = os.open(os.devnull, os.O_RDWR)
        arguments = [sys.executable, "-I", str(WORKER), json.dumps(_paths()), str(os.getpid())]
        environment = os.environ | ONE_THREAD
        if self.cell is not None:
            arguments, environment = self.cell.command(str(WORKER)), self.cell.ENVIRONMENT | ONE_THREAD
        actions = [(os.POSIX_SPAWN_DUP2, theirs.fileno(), 0)]
        actions += [(os.POSIX_SPAWN_DUP2, nothing, 1), (os.POSIX_SPAWN_DUP2, nothing, 2)]
        self.pid = os.posix_spawn(arguments[0], arguments, environment, file_actions=actions, setsid=True)
        theirs.close()
        os.close(nothing)

    def session(self) -> Child:
        """A child that has loaded nothing yet. Raises OSError when this process is gone."""
        (requests, to_it), (from_it, answers), (printed, output) = _pipes()
        asked = {"folder": os.getcwd(), "path": _paths()} if self.cell is None else self.cell.session()
        how = json.dumps(asked).encode()
        try:
            socket.send_fds(self.socket, [how], [requests, answers, output])
            pid = int(self._next("pid", 60.0))
            pid = pid if self.cell is None else self.cell.outside(self.pid, pid)
        except OSError:
            for fd in (to_it, from_it, printed):
                os.close(fd)
            raise
        finally:
            for fd in (requests, answers, output):
                os.close(fd)
        os.set_blocking(to_it, False)
        return Child(pid, to_it, from_it, printed, self._died, lambda: self._over(pid))

    def _next(self, what: str, seconds: float) -> Any:
        """The next message that has this. Raises OSError when there is none in that time."""
        deadline = time.monotonic() + seconds
        while True:
            line, end, rest = self.heard.partition(b"\n")
            if end:
                self.heard = rest
                if what in (message := json.loads(line)):
                    return message[what]
                continue
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.socket], [], [], left)[0]:
                raise TimeoutError(f"no {what} within {seconds:g} s")
            data = self.socket.recv(1 << 12)
            if not data:
                raise BrokenPipeError("the watching process is gone")
            self.heard += data

    def _died(self, seconds: float) -> int | None:
        try:
            return int(self._next("status", seconds))
        except OSError:
            return None

    def _over(self, pid: int) -> None:
        """End the session; where the watching process does not do it, it is ended with it."""
        try:
            self.socket.sendall(b"over")
            self._next("over", PATIENCE)
            if self.cell is not None:
                self.cell.empty()
            _idle().append(self)
        except (OSError, ValueError):
            for kill, number in ((os.killpg, pid), (os.kill, pid), (os.killpg, self.pid)):
                with suppress(ProcessLookupError, PermissionError):
                    kill(number, signal.SIGKILL)
            self.leave()

    def leave(self) -> None:
        """The process ends when its socket is closed."""
        self.socket.close()
        with suppress(ChildProcessError):
            os.waitpid(self.pid, 0)
        if self.cell is not None:
            self.cell.leave()

    def __del__(self) -> None:
        if self.parent == os.getpid():
            self.leave()
        self.socket.close()


_kept = threading.local()  # a thread that ends takes with it the processes that it started


def _idle() -> list[Watch]:
    """The warm processes of this thread of this process."""
    if getattr(_kept, "process", None) != os.getpid():
        _kept.process, _kept.idle = os.getpid(), []
    idle: list[Watch] = _kept.idle
    return idle


def fresh_child() -> Child:
    """A child of a fresh interpreter, under the sandbox's policy where one is in force."""
    policy = in_force()
    while fitting := [w for w in _idle() if (w.cell and w.cell.policy) == policy]:
        watch = fitting[-1]
        _idle().remove(watch)
        try:
            return watch.session()
        except OSError:  # it was ended from outside
            watch.leave()
    if policy is not None:  # of one policy at a time a process is kept
        _idle()[:] = [w for w in _idle() if w.cell is None]
    return Watch(policy).session()


def warm_up() -> None:
    """Start the interpreter that the first session will need, beside whatever else there is to import."""
    if can_isolate() and in_force() is None and not _idle():
        _idle().append(Watch())


def let_go() -> None:
    """End the warm processes of this thread, which nothing will ask any more."""
    _idle().clear()


def _paths() -> list[str]:
    """Where this process finds its modules; the fresh one looks there after its own places."""
    return [os.path.abspath(path) for path in sys.path if path]
