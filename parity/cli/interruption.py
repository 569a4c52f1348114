"""Ctrl-C, and SIGTERM as what a scheduler or a timeout sends: both end a command in the same way."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from scratchcnn.cli import CLOSED_PIPE, is_closed_pipe

INTERRUPTED = 130  # the exit status that a shell gives a command that Ctrl-C ended
USUAL = {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: signal.SIG_DFL}


@contextmanager
def interruptible() -> Iterator[None]:
    """Inside, SIGTERM raises KeyboardInterrupt as Ctrl-C does, so that a command keeps what it has.

    A command that does not say how it ended then exits with status 130: 1 would read as a mismatch.
    """
    stopped = False

    def stop(*_: Any) -> None:
        nonlocal stopped
        stopped = True
        raise KeyboardInterrupt

    main = threading.current_thread() is threading.main_thread()
    replaced = {s: handler for s, handler in USUAL.items() if main and signal.getsignal(s) is handler}
    for number in replaced:
        signal.signal(number, stop)
    try:
        yield
    except KeyboardInterrupt:
        _end()
    except SystemExit as ending:
        if stopped and ending.code == 1:  # typer's answer to an interruption
            _end()
        if is_closed_pipe(ending):  # typer's answer is status 1, which would read as a mismatch
            sys.exit(CLOSED_PIPE)
        raise
    finally:
        for number, handler in replaced.items():
            signal.signal(number, handler)


def _end() -> None:
    print("interrupted", file=sys.stderr)
    sys.exit(INTERRUPTED)
