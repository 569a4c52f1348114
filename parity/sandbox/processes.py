"""Which processes belong to which, as /proc shows it. Needs the standard library alone."""

from __future__ import annotations

import os
from contextlib import suppress


def children_of(pid: int | str = "self") -> list[int]:
    """The processes that this one started, or that came to it when their own parent was gone."""
    found: list[int] = []
    with suppress(OSError, ValueError):
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/children") as children:
                found += map(int, children.read().split())
    return found


def outside(wrapper: int, pid: int) -> int:
    """The descendant of `wrapper` that has the id `pid` in its own namespace; `wrapper` where it is gone."""
    left = children_of(wrapper)
    while left:
        now = left.pop()
        with suppress(OSError, ValueError), open(f"/proc/{now}/status") as status:
            ids = next((line.split()[1:] for line in status if line.startswith("NSpid:")), [])
            if len(ids) > 1 and int(ids[-1]) == pid:
                return now
        left += children_of(now)
    return wrapper


def is_over(pid: int) -> bool:
    """Whether /proc is there and shows the process as ended, or not at all."""
    if not os.path.isdir("/proc/self"):
        return False
    with suppress(OSError, IndexError), open(f"/proc/{pid}/stat") as stat:
        return stat.read().rpartition(")")[2].split()[0] in "ZX"
    return True
