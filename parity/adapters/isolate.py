"""Our own work in a forked child: it may hang, crash, print or eat memory, and we take note.

The child is forked, so that PyTorch is imported once. It has no input, its output is collected up to a
limit, and it sends back what it finds as it goes, so that a hang on the tenth cell of a sweep does not lose
the first nine. Foreign code does not run here but in the worker of `parity.adapters.worker`: what this child
sends is unpickled.
"""

from __future__ import annotations

import faulthandler
import os
import selectors
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, NoReturn

from parity.adapters.pickled import packed, unpacked
from parity.adapters.serve import die_with_parent
from parity.kinds import torch_ahead

Send = Callable[[Any], None]
DONE = "done"
TIMES = 6  # its silence is what all of it may last
_forking = threading.Lock()  # a child holds no other child's end of a pipe


@dataclass(frozen=True)
class Limits:
    """silence: seconds without an answer (six times that in all); memory: MiB it may add; output: bytes."""

    silence: float = 10.0
    memory: int = 1024
    output: int = 64_000

    @property
    def total(self) -> float:
        return TIMES * self.silence

    @property
    def importing(self) -> float:
        """Seconds that loading the code may take: an import of PyTorch or JAX is slow, and no hang."""
        return TIMES * self.silence


@dataclass
class Outcome:
    """What was sent, how it ended where it did not end by itself, and what was printed."""

    messages: list[Any] = field(default_factory=list)
    ending: str = ""
    output: str = ""


def can_isolate() -> bool:
    return hasattr(os, "fork")


def run_here(work: Callable[[Send], None]) -> Outcome:
    """The same without a process: for a debugger, and where there is no fork. Nothing is limited."""
    outcome = Outcome()
    try:
        work(outcome.messages.append)
    except Exception as error:
        outcome.ending = f"raised {type(error).__name__}: {error}"
    return outcome


def run_isolated(work: Callable[[Send], None], limits: Limits | None = None) -> Outcome:
    """Run `work(send)` in a child; what it sends arrives as `messages`, in order."""
    limits = limits or Limits()
    torch_ahead.settle()
    with _forking:
        (results, results_in), (output, output_in) = os.pipe(), os.pipe()
        sys.stdout.flush()
        sys.stderr.flush()
        with warnings.catch_warnings():
            # Python warns of threads that hold locks; the child takes none of them
            warnings.simplefilter("ignore")
            parent, child = os.getpid(), os.fork()
        if child == 0:
            globals()["_forking"] = threading.Lock()
            die_with_parent(parent)
            _be_child(work, results_in, output_in, limits)
        os.close(results_in)
        os.close(output_in)
    try:
        return _listen(child, results, output, limits)
    finally:
        os.close(results)
        os.close(output)
        _end(child)


# -- the parent -----------------------------------------------------------------------------------
def _listen(child: int, results: int, output: int, limits: Limits) -> Outcome:
    """Collect messages and output until the child is done, dead, silent or too loud."""
    outcome, pending, printed = Outcome(), bytearray(), bytearray()
    start = heard = time.monotonic()
    with selectors.DefaultSelector() as waiting:
        waiting.register(results, selectors.EVENT_READ)
        waiting.register(output, selectors.EVENT_READ)
        while not outcome.ending:
            now = time.monotonic()
            left = min(heard + limits.silence, start + limits.total) - now
            ready = waiting.select(max(left, 0))
            if left <= 0 and (not ready or now - start >= limits.total):  # else it spoke, and we were busy
                outcome.ending = _too_slow(now - start, limits)
            for key, _ in ready:
                data = os.read(key.fd, 1 << 16)
                if key.fd == output:
                    printed += data
                    if not data:
                        waiting.unregister(output)
                elif not data:
                    outcome.ending = _death(child)
                else:
                    pending += data
            messages = list(unpacked(pending))
            if messages:
                heard = time.monotonic()
            if messages and messages[-1] == DONE:
                outcome.messages += messages[:-1]
                break
            outcome.messages += messages
            if len(printed) > limits.output:
                outcome.ending = f"printed more than {limits.output // 1000} kB"
    outcome.output = bytes(printed[: limits.output]).decode(errors="replace")
    return outcome


def _too_slow(seconds: float, limits: Limits) -> str:
    if seconds >= limits.total:
        return f"was not done after {limits.total:g} s"
    return f"hung: no answer within {limits.silence:g} s"


def _death(child: int) -> str:
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if code < 0:
        return f"crashed: {signal.Signals(-code).name}"
    return f"left the process with exit status {code}"


def _end(child: int) -> None:
    """Whatever the child and its own children are doing, they stop now."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(child, signal.SIGKILL)
    with suppress(ProcessLookupError):
        os.kill(child, signal.SIGKILL)
    with suppress(ChildProcessError):
        os.waitpid(child, 0)


# -- the child ------------------------------------------------------------------------------------
def _be_child(work: Callable[[Send], None], results: int, output: int, limits: Limits) -> NoReturn:
    def send(message: Any) -> None:
        data = packed(message)
        while data:
            data = data[os.write(results, data) :]

    try:
        _settle(output, limits)
        work(send)
        send(DONE)
    except SystemExit as error:
        send(("ended", f"called sys.exit({error.code!r})"))
    except BaseException as error:
        send(("ended", f"raised {type(error).__name__}: {error}".rstrip(": ")))
    finally:
        with suppress(BaseException):
            sys.stdout.flush()
        os._exit(0)


def _settle(output: int, limits: Limits) -> None:
    """A session, a silence and a budget of its own."""
    os.setsid()
    faulthandler.disable()
    warnings.resetwarnings()
    warnings.simplefilter("ignore")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    sys.stdin = open(0, closefd=False)  # noqa: SIM115  (open as long as the child lives)
    sys.stdout = sys.stderr = open(1, "w", buffering=1, closefd=False)  # noqa: SIM115
    if torch := sys.modules.get("torch"):
        torch.set_num_threads(1)  # a forked process must not wait for the parent's threads
    _limit_memory(limits.memory)


def _limit_memory(mebibytes: int) -> None:
    """What the process has already, and so much more; not on systems that cannot say."""
    try:
        import resource

        with open("/proc/self/statm") as statm:
            have = int(statm.read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_AS, (have + (mebibytes << 20),) * 2)
    except (ImportError, OSError, ValueError):
        return
