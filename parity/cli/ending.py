"""The end of a command, without taking the interpreter apart.

Python clears every module before it ends; with PyTorch's thousands that takes a third of a second, after the
last line is printed. What a program asked to be done at its end is done here, and the process ends.
"""

from __future__ import annotations

import atexit
import os
import sys
import threading
from typing import NoReturn


def is_watched() -> bool:
    """Whether a profiler, a debugger or a measurement of coverage looks on."""
    return sys.gettrace() is not None or sys.getprofile() is not None


def end(ending: SystemExit) -> NoReturn:
    """End the process with that status; raises it again where somebody looks on or something still runs."""
    status = 0 if ending.code is None else ending.code
    others = [thread for thread in threading.enumerate() if not thread.daemon]
    if is_watched() or not isinstance(status, int) or others != [threading.main_thread()]:
        if (ahead := sys.modules.get("parity.kinds.torch_ahead")) is not None:
            ahead.settle()
        raise ending
    if (children := sys.modules.get("parity.adapters.children")) is not None:
        children.let_go()
    atexit._run_exitfuncs()
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:  # nobody reads it any more: Python has words and a status for that
        raise ending from None
    os._exit(status)
