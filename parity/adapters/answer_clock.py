"""How long an answer takes, on a machine that has other work too."""

from __future__ import annotations

import time
from contextlib import suppress

TICK = 0.05  # seconds between two looks at the clock
TIMES = 6  # a second counts for a sixth of one at least, whatever else the machine does


class AnswerClock:
    """Seconds since it was made, for somebody who looks about every TICK.

    A second counts in which the process had a processor or wanted none, and in which this process was awake
    to look: on a busy machine code has as much time as on a quiet one. Where the system does not say how long
    a process stood in the queue, all of its seconds count.
    """

    def __init__(self, pid: int):
        self.pid, self.awake, self.stood = pid, 0.0, 0.0
        self.start = self.last = time.monotonic()
        self.before: float | None = None  # in the queue; most answers are there before anybody asks

    def seconds(self) -> float:
        now = time.monotonic()
        self.awake += min(now - self.last, 2 * TICK)
        self.last = now
        if now - self.start >= TICK:
            found = queued(self.pid)
            self.before = found if self.before is None else self.before
            self.stood = max(self.stood, found - self.before)
        return max(self.awake - self.stood, (now - self.start) / TIMES)


def queued(pid: int) -> float:
    """Seconds for which its main thread was ready to run and others ran; 0 where that is not known."""
    with suppress(OSError, ValueError, IndexError), open(f"/proc/{pid}/schedstat") as found:
        return int(found.read().split()[1]) / 1e9
    return 0.0
