"""In the process that runs foreign code: settle down, then answer requests until there are no more.

Needs NumPy alone.
"""

from __future__ import annotations

import ctypes
import faulthandler
import os
import signal
import sys
import warnings
from collections import deque
from contextlib import suppress
from typing import Any, NoReturn

from parity.adapters.bench import Bench, Raised
from parity.adapters.load import TargetError
from parity.adapters.wire import HEADER, Odd, bytes_of, clean, decode, encode, lengths

PR_SET_PDEATHSIG = 1  # of Linux: a signal when the parent is gone, however it went
RECENT, SMALL = 64, 1 << 16  # requests that are kept, and how many bytes each may have
STANDARD = 3  # descriptors below are input, output and errors


def die_with_parent(parent: int, number: int = signal.SIGKILL) -> None:
    """Nothing runs on after its parent: where the system can, this process then gets that signal."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(number), 0, 0, 0)
        if os.getppid() != parent:  # it went before the call
            os.kill(os.getpid(), number)


def settle(requests: int, answers: int, output: int) -> tuple[int, int]:
    """A session of its own, no input, its output collected; requests and answers as they are to be used."""
    os.setsid()
    pair = _above(requests), _above(answers)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for fd, standard in ((nothing, 0), (output, 1), (output, 2)):
        os.dup2(fd, standard)
    _quiet()
    return pair


def close_all_but(*kept: int) -> None:
    """Close every file above the standard ones: the code under test gets none that was open before."""
    low = STANDARD
    for fd in sorted(kept):
        os.closerange(low, fd)
        low = fd + 1
    os.closerange(low, 1 << 16)


def _above(fd: int) -> int:
    """The same file, not among the standard ones and not for programs that the code starts."""
    import fcntl  # not in a browser's Python, which starts no process

    return fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, STANDARD)


def _quiet() -> None:
    faulthandler.disable()
    warnings.resetwarnings()
    warnings.simplefilter("ignore")
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    sys.stdin = open(0, closefd=False)  # noqa: SIM115  (open as long as the process lives)
    sys.stdout = sys.stderr = open(1, "w", buffering=1, closefd=False)  # noqa: SIM115
    with suppress(ImportError, OSError, ValueError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def serve(bench: Bench, requests: int, answers: int) -> NoReturn:
    """Answer each request in turn; the process ends with the last one, or when the code ends it."""
    process, recent = os.getpid(), deque[dict[str, Any]](maxlen=RECENT)
    with suppress(OSError, EOFError):
        while True:
            request = _read(requests)
            if bytes_of(request) <= SMALL:  # the next one lies elsewhere in memory
                recent.append(request)
            answer, last = _answer(bench, request)
            if os.getpid() != process:  # the code has forked, and this is the copy
                os._exit(0)
            _write(answers, encode({"number": request["number"], **answer}))
            if last:
                break
    with suppress(BaseException):
        sys.stdout.flush()
    os._exit(0)


def _answer(bench: Bench, request: dict[str, Any]) -> tuple[dict[str, Any], bool]:
    """What the bench says, and whether this is the end of it."""
    try:
        value = getattr(bench, request["ask"])(**request["fields"])
        return {"value": _fitting(value, request["most"])}, False
    except Raised as error:
        return {"raised": str(error)}, False
    except TargetError as error:
        return {"misuse": str(error)}, True
    except SystemExit as error:
        return {"ended": f"called sys.exit({clean(repr(error.code), 80)})"}, True
    except BaseException as error:
        return {"ended": f"raised {type(error).__name__}: {clean(error)}".rstrip(": ")}, True


def _fitting(value: Any, most: int) -> Any:
    """The value without the arrays that are larger than any right answer."""
    if isinstance(value, dict):
        return {k: _fitting(v, most) for k, v in value.items()}
    nbytes = getattr(value, "nbytes", 0)
    return value if nbytes <= most else Odd(f"shape {value.shape}: larger than any right answer")


def _read(fd: int) -> dict[str, Any]:
    head, body = lengths(bytes(_bytes(fd, HEADER.size)))
    request: dict[str, Any] = decode(bytes(_bytes(fd, head)), bytes(_bytes(fd, body)), layout=True)
    return request


def _bytes(fd: int, count: int) -> bytearray:
    data = bytearray()
    while len(data) < count:
        part = os.read(fd, min(count - len(data), 1 << 20))
        if not part:
            raise EOFError
        data += part
    return data


def _write(fd: int, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[os.write(fd, left) :]
