"""Asking the code under test: the same requests whether it runs in a process of its own or in this one.

The checker waits for nothing without a limit, and believes nothing that it is sent: what is no answer to the
question that was asked ends the connection, and that is a finding.
"""

from __future__ import annotations

import os
import selectors
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Protocol

import numpy as np

from parity.adapters.answer_clock import TICK, AnswerClock
from parity.adapters.bench import Bench, Raised
from parity.adapters.children import Child
from parity.adapters.isolate import Limits
from parity.adapters.load import TargetError
from parity.adapters.wire import (
    HEADER,
    MAX_HEAD,
    NotAMessage,
    bytes_of,
    clean,
    decode,
    encode,
    laid_out_as,
    layout_of,
    lengths,
)
from parity.sandbox.processes import is_over

LEAST_ANSWER, TIMES_ANSWER = (
    1 << 26,
    16,
)  # bytes of an answer: so many, and so many times those of the request
LOUDEST = 32  # times the output that is kept: so much may be printed before an answer, as by a debug print
PATIENCE = 60.0  # seconds for the word of how a process ended that is gone
PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096


class Ended(Exception):
    """The process that runs the code gives no more answers; the message says how that came."""


class Unfinished(Ended):
    """Nothing went wrong, and yet the time was up."""


class Connection(Protocol):
    """Where the code under test is, and how to ask it."""

    where: str
    waited: float  # seconds, for answers, as the limit counts them

    def ask(self, what: str, /, **fields: Any) -> Any:
        """The answer of that method of `Bench`. Raises Raised, Ended or TargetError."""

    def busy(self) -> float:
        """Seconds of processor time that it has used so far."""

    def close(self) -> str:
        """End it; what the code printed."""


class Here:
    """The code runs in this process, without limits: for a debugger, and where nothing else can be had."""

    where = "in this process, without limits"
    waited = 0.0

    def __init__(self, bench: Bench):
        self.bench, self.theirs = bench, _Switches()

    def ask(self, what: str, /, **fields: Any) -> Any:
        with self.theirs.in_force():
            return getattr(self.bench, what)(**_copied(fields))

    def busy(self) -> float:
        return time.process_time()

    def close(self) -> str:
        return ""


class _Switches:
    """What the code sets for the whole process stays set for the code, and never for the checker."""

    def __init__(self) -> None:
        self.kept = self._now()

    @staticmethod
    def _now() -> tuple[dict[str, Any], Any, Any]:
        torch = sys.modules.get("torch")
        if torch is None or not hasattr(torch, "is_grad_enabled"):
            return dict(np.geterr()), None, None
        return dict(np.geterr()), torch.is_grad_enabled(), torch.get_default_dtype()

    @staticmethod
    def _set(switches: tuple[dict[str, Any], Any, Any]) -> None:
        errors, grad, dtype = switches
        np.seterr(**errors)
        torch = sys.modules.get("torch")
        if torch is not None and grad is not None:
            torch.set_grad_enabled(grad)
            torch.set_default_dtype(dtype)

    @contextmanager
    def in_force(self) -> Iterator[None]:
        ours = self._now()
        if self.kept != ours:
            self._set(self.kept)
        try:
            yield
        finally:
            self.kept = self._now()
            if self.kept != ours:
                self._set(ours)


def _copied(value: Any) -> Any:
    """The code gets arrays of its own, laid out as ours are."""
    if isinstance(value, np.ndarray):
        layout = layout_of(value)
        return laid_out_as(value.copy(), *layout) if layout else value.copy()
    if isinstance(value, dict):
        return {k: _copied(v) for k, v in value.items()}
    return type(value)(map(_copied, value)) if isinstance(value, (list, tuple)) else value


class Apart:
    """The code runs in another process; see `children.py`."""

    def __init__(self, child: Child, limits: Limits, where: str):
        self.child, self.limits, self.where = child, limits, where
        self.number, self.waited, self.least = 0, 0.0, LEAST_ANSWER
        self.over: Ended | None = None  # how it ended, which it does once
        self.pending, self.printed = bytearray(), bytearray()
        self.loud = 0  # bytes printed since the last request
        self.waiting = selectors.DefaultSelector()
        for fd in (child.answers, child.output):
            self.waiting.register(fd, selectors.EVENT_READ)
        self.memory, self.looked = _memory(child.pid), 0.0

    def busy(self) -> float:
        with suppress(OSError, ValueError, IndexError), open(f"/proc/{self.child.pid}/stat") as stat:
            user, system = stat.read().rpartition(")")[2].split()[11:13]
            return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")
        return time.monotonic()

    def ask(self, what: str, /, **fields: Any) -> Any:
        self.number += 1
        most = self.least + TIMES_ANSWER * bytes_of(fields)
        request = {"number": self.number, "ask": what, "fields": fields, "most": most}
        data = encode(request, layout=True)
        importing = what in ("open", "open_network", "open_own", "open_layer")
        seconds = self.limits.importing if importing else self.limits.silence
        if self.over is not None:
            raise self.over
        try:
            answer = self._exchange(data, most, seconds, importing)
            if not isinstance(answer, dict) or answer.get("number") != self.number:
                raise Ended(_NOTHING)
            if "ended" in answer:
                raise Ended(clean(answer["ended"]))
        except Ended as error:
            self.over = error
            raise
        if "raised" in answer:
            raise Raised(clean(answer["raised"]))
        if "misuse" in answer:
            raise TargetError(clean(answer["misuse"]))
        return answer.get("value")

    def _exchange(self, request: bytes, most: int, seconds: float, importing: bool) -> Any:
        """Send the request and read the answer. Raises Ended when none arrives in time."""
        if self.pending:
            raise Ended(_NOTHING)
        left, clock, self.loud = memoryview(request), AnswerClock(self.child.pid), 0
        self.waiting.register(self.child.requests, selectors.EVENT_WRITE)
        writing = True
        try:
            while (answer := self._taken(most)) is None:
                self._check(clock.seconds(), seconds, importing)
                for key, _ in self.waiting.select(min(TICK, seconds)):
                    if key.fd == self.child.requests:
                        left = self._sent(left)
                        if not left:
                            self.waiting.unregister(self.child.requests)
                            writing = False
                    elif key.fd == self.child.answers:
                        self._heard()
                    else:
                        self._read_output()
            return answer[0]
        finally:
            self.waited += 0.0 if importing else clock.seconds()
            if writing:
                self.waiting.unregister(self.child.requests)

    def _sent(self, left: memoryview) -> memoryview:
        try:
            return left[os.write(self.child.requests, left) :]
        except BlockingIOError:
            return left
        except OSError:  # it does not read any more; its end will be seen
            return left[:0]

    def _heard(self) -> None:
        data = os.read(self.child.answers, 1 << 20)
        if not data:
            raise Ended(self._death())
        self.pending += data

    def _taken(self, most: int) -> tuple[Any] | None:
        """The answer, when all of it has arrived."""
        if len(self.pending) < HEADER.size:
            return None
        try:
            head, body = lengths(bytes(self.pending[: HEADER.size]), most + MAX_HEAD)
            end = HEADER.size + head + body
            if len(self.pending) < end:
                return None
            data = bytes(self.pending[HEADER.size : end])
            del self.pending[:end]
            return (decode(data[:head], data[head:]),)
        except NotAMessage:
            raise Ended(_NOTHING) from None

    def _read_output(self) -> bool:
        """Whether there may be more."""
        data = os.read(self.child.output, 1 << 16)
        if not data:
            self.waiting.unregister(self.child.output)
            return False
        self.printed += data[: self.limits.output - len(self.printed)]
        self.loud += len(data)
        if self.loud > LOUDEST * self.limits.output:
            raise Ended(f"printed more than {LOUDEST * self.limits.output // 1000} kB before it answered")
        return True

    def _check(self, seconds: float, most: float, importing: bool) -> None:
        """Raises Ended when time or memory is used up."""
        if seconds >= most:
            hung = "its import was not done after" if importing else "no answer within"
            raise Ended(f"hung: {hung} {most:g} s")
        if not importing and self.waited + seconds >= self.limits.total:
            raise Unfinished(f"was not done after {self.limits.total:g} s")
        now = time.monotonic()
        if seconds >= TICK and now - self.looked >= TICK:
            self.looked = now
            if _memory(self.child.pid) - self.memory > self.limits.memory << 20:
                raise Ended(f"used more than {self.limits.memory} MiB of memory")

    def _death(self) -> str:
        status = self.child.died(2.0)
        if status is None and is_over(self.child.pid):  # nobody has had the time to say so
            status = self.child.died(PATIENCE)
        if status is None:
            return "closed its connection to the checker"
        code = os.waitstatus_to_exitcode(status)
        if code < 0:
            names = {number.value: number.name for number in signal.Signals}
            return f"crashed: {names.get(-code, f'signal {-code}')}"
        return f"left the process with exit status {code}"

    def close(self) -> str:
        os.set_blocking(self.child.output, False)
        with suppress(Ended, OSError):
            while self.child.output in self.waiting.get_map() and self._read_output():
                pass
        self.waiting.close()
        self.child.close()
        return bytes(self.printed).decode(errors="replace")


_NOTHING = "sent something that is not an answer"


def _memory(pid: int) -> int:
    """Bytes that the process and what it started hold, without files mapped into them; 0 if unknown."""
    held, left = 0, [pid]
    with suppress(OSError, ValueError, IndexError):
        while left:
            pid = left.pop()
            with open(f"/proc/{pid}/statm") as statm:
                fields = statm.read().split()
            held += (int(fields[1]) - int(fields[2])) * PAGE
            for task in os.listdir(f"/proc/{pid}/task"):
                with open(f"/proc/{pid}/task/{task}/children") as children:
                    left += map(int, children.read().split())
    return held
