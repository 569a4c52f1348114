"""How many cores this process may use, without an import of PyTorch."""

from __future__ import annotations

import os


def cores() -> int:
    """The cores that the process may run on, where the system says it; else all of the machine's."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
