"""A fair clock: contestants take turns, round by round, in one process.

Time drifts (other processes, heat, caches), so nobody is timed all at once. A round gives every
contestant one turn, each time in another order; a turn starts with a pause in which the threads of the
one before come to rest, and with one call that is not counted. What is reported is the median over the
rounds with its quartiles, and a ratio of medians with the quartiles of the ratios within a round.

Other processes are the worst of it: threads that wait for each other lose whole time slices to them. So a
turn during which others took part of the cores is repeated, and where they never stop, the least disturbed
turn is kept and counted as disturbed.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

# PyTorch's and OpenBLAS's threads keep spinning for some milliseconds after their last task.
PAUSE_S = 0.02
TURN_S = 0.03  # a turn repeats a lap for about as long, so that short calls are timed many times
MOST_LAPS = 50
FOREIGN = 0.05  # share of the cores that others may take during a turn
TRIES, REST_S = 12, 0.1  # turns tried until one is quiet, and the pause after one that was not
RETRY_S = 2.0  # long turns are tried less often: about so long
SLOW_S, FEW = 6.0, 3  # who needs so long for all laps (the book's AlexNet) takes part in a few rounds
LONG_S = 0.25  # a lap as long needs neither a repetition nor a call before it

Lap = Sequence[tuple[str, Callable[[], object]]]  # (phase, call) in order: forward, then its backward


@dataclass(frozen=True)
class Contestant:
    """One implementation: its laps, each a row of calls that belong together and are timed one by one.

    most  how many rounds it takes part in; fewer where a single call takes seconds
    wait  called after each call, before the clock is read (a CUDA device works on by itself)
    """

    name: str
    laps: Sequence[Lap]
    most: int = 1000
    wait: Callable[[], None] = lambda: None


class Spread(NamedTuple):
    median: float
    q1: float
    q3: float


def spread(values: Sequence[float]) -> Spread:
    q1, median, q3 = np.percentile(np.asarray(values, dtype=float), [25, 50, 75])
    return Spread(float(median), float(q1), float(q3))


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> Spread:
    """The ratio of the medians, and the quartiles of the ratios of each round."""
    rounds = min(len(ours), len(theirs))
    paired = spread(np.divide(ours[:rounds], theirs[:rounds]).tolist())
    return Spread(spread(ours).median / spread(theirs).median, paired.q1, paired.q3)


@dataclass
class Samples:
    """(contestant, phase) -> milliseconds, one a round; contestant -> how many turns were disturbed."""

    times: dict[tuple[str, str], list[float]]
    disturbed: dict[str, int]


def race(
    contestants: Sequence[Contestant],
    rounds: int,
    progress: Callable[[int, int], None] = lambda done, total: None,
    pause: float = PAUSE_S,
) -> Samples:
    """Every contestant's time in every phase, one number a round: the median of its turn."""
    samples = Samples(
        {(c.name, phase): [] for c in contestants for lap in c.laps for phase, _ in lap},
        {c.name: 0 for c in contestants},
    )
    lengths = {c.name: [_seconds(lap, c.wait) for lap in c.laps] for c in contestants}  # also warms up
    most = {c.name: min(c.most, FEW if sum(lengths[c.name]) > SLOW_S else rounds) for c in contestants}
    for number in range(rounds):
        for place in range(len(contestants)):
            contestant = contestants[(number + place) % len(contestants)]
            if number >= most[contestant.name]:
                continue
            for lap, seconds in zip(contestant.laps, lengths[contestant.name], strict=True):
                time.sleep(pause)
                times, quiet = _quiet_turn(lap, seconds, contestant)
                samples.disturbed[contestant.name] += not quiet
                for phase, value in times.items():
                    samples.times[contestant.name, phase].append(value)
        progress(number + 1, rounds)
    return samples


def _quiet_turn(lap: Lap, seconds: float, contestant: Contestant) -> tuple[dict[str, float], bool]:
    """A turn that others did not disturb, or the least disturbed of some."""
    best: tuple[float, dict[str, float]] = (np.inf, {})
    for _ in range(min(TRIES, contestant.most, max(2, int(RETRY_S / max(seconds, 1e-9))))):
        before = _others_seconds()
        start = time.perf_counter()
        times = _turn(lap, seconds, contestant.wait)
        wall = time.perf_counter() - start
        share = max(0.0, _others_seconds() - before - TICK_S) / (wall * (os.cpu_count() or 1))
        best = min(best, (share, times), key=lambda pair: pair[0])
        if share <= FOREIGN:
            return times, True
        time.sleep(REST_S)
    return best[1], False


TICK_S = 0.02  # what the kernel's counters may be off by


def _others_seconds() -> float:
    """Processor time that others have used since the machine started; 0 where the system does not tell."""
    try:
        fields = Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]
    except OSError:
        return 0.0
    user, nice, system, _, _, irq, softirq, steal = (int(v) for v in fields[:8])
    ours = os.times()
    busy = (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")
    return busy - ours.user - ours.system


def _turn(lap: Lap, seconds: float, wait: Callable[[], None]) -> dict[str, float]:
    """The lap once uncounted, then as often as TURN_S asks: median milliseconds of each phase."""
    laps = int(np.clip(TURN_S / max(seconds, 1e-9), 1, MOST_LAPS))
    if seconds < LONG_S:
        _timed(lap, wait)
    timed = [_timed(lap, wait) for _ in range(laps)]
    return {phase: float(np.median([times[phase] for times in timed])) for phase, _ in lap}


def _timed(lap: Lap, wait: Callable[[], None]) -> dict[str, float]:
    times = {}
    for phase, call in lap:
        wait()
        start = time.perf_counter()
        call()
        wait()
        times[phase] = 1e3 * (time.perf_counter() - start)
    return times


def _seconds(lap: Lap, wait: Callable[[], None]) -> float:
    """How long a lap takes: of two, the second, unless the first was long."""
    total = sum(_timed(lap, wait).values()) / 1e3
    return total if total > LONG_S else sum(_timed(lap, wait).values()) / 1e3
