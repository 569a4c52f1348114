"""A fair clock: contestants take turns, round by round, in one process.

Speed drifts (other processes, heat, caches), so no contestant is timed in one block. A round gives every
contestant one turn, each round in another order. A turn starts with a pause, in which the threads of the
previous one come to rest, and with one call that is not counted. The median over the rounds is reported with
its quartiles; a ratio is taken within each round, and its median and quartiles over the rounds are reported.

Other processes disturb most: threads that wait for each other lose whole time slices to them. A turn
during which others used part of the cores is therefore repeated; if they never stop, the least disturbed
turn is kept and counted as disturbed. `Patience` limits how long all of that may take.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, cast

import numpy as np

# PyTorch's and OpenBLAS's threads keep spinning for some milliseconds after their last task.
PAUSE_S = 0.02
TURN_S = 0.03  # a turn repeats a lap for about this long, so that short calls are timed many times
MOST_LAPS = 50
FOREIGN = 0.05  # share of the cores that others may use during a turn
TRIES, REST_S = 12, 0.1  # turns tried until one is undisturbed, and the pause after one that was not
RETRY_S = 2.0  # long turns are repeated less often: for about this long
SLOW_S, FEW_ROUNDS = 6.0, 3  # a contestant as slow as this (the book's AlexNet) gets only a few rounds
LONG_S = 0.25  # a lap as long as this needs neither repetition nor a call before it

# (phase, call) in order: forward, then its backward. A call of several phases names them all, and returns the
# readings of the clock between them.
Lap = Sequence[tuple[str | tuple[str, ...], Callable[[], object]]]


@dataclass(frozen=True)
class Contestant:
    """One implementation: its laps, each a sequence of calls that belong together and are timed one by one.

    most  number of rounds it takes part in, at most; few where a single call takes seconds
    wait  called after each call, before the clock is read (a CUDA device works asynchronously)
    """

    name: str
    laps: Sequence[Lap]
    most: int = 1000
    wait: Callable[[], None] = lambda: None


class Quartiles(NamedTuple):
    median: float
    q1: float
    q3: float


def quartiles(values: Sequence[float]) -> Quartiles:
    q1, median, q3 = np.percentile(np.asarray(values, dtype=float), [25, 50, 75])
    return Quartiles(float(median), float(q1), float(q3))


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> Quartiles:
    """The median and the quartiles of each round's ratio."""
    rounds = min(len(ours), len(theirs))
    return quartiles(np.divide(ours[:rounds], theirs[:rounds]).tolist())


@dataclass
class Patience:
    """How long turns are repeated in total because other processes disturbed them.

    seconds   when so much was spent on repeated turns, none is repeated any more
    waiting   called with a sentence after each turn that was disturbed
    gave_up   called once, with a sentence, when the time is over
    """

    seconds: float = 60.0
    waiting: Callable[[str], None] = lambda text: None
    gave_up: Callable[[str], None] = lambda text: None
    spent: float = 0.0

    def lost(self, seconds: float, share: float) -> bool:
        """Count a turn during which others used this share of the cores; returns whether to try again."""
        if self.spent >= self.seconds:
            return False
        self.spent += seconds
        if self.spent >= self.seconds:
            self.gave_up(
                f"other processes use {share:.0%} of the cores; after {self.spent:.0f} s of waiting for them "
                "the times are taken as they are, and counted as disturbed"
            )
            return False
        self.waiting(f"waiting for other processes, which use {share:.0%} of the cores")
        return True


@dataclass
class Samples:
    """(contestant, phase) -> milliseconds, one per round; contestant -> how many turns were disturbed."""

    times: dict[tuple[str, str], list[float]]
    disturbed: dict[str, int]


def race(
    contestants: Sequence[Contestant],
    rounds: int,
    progress: Callable[[int, int], None] = lambda done, total: None,
    pause: float = PAUSE_S,
    patience: Patience | None = None,
) -> Samples:
    """Every contestant's time in every phase, one number per round: the median of its turn."""
    patience = patience or Patience()
    samples = Samples(
        {(c.name, phase): [] for c in contestants for lap in c.laps for phase in _phases(lap)},
        {c.name: 0 for c in contestants},
    )
    lengths = {c.name: [_seconds(lap, c.wait) for lap in c.laps] for c in contestants}  # also warms up
    most = {c.name: min(c.most, FEW_ROUNDS if sum(lengths[c.name]) > SLOW_S else rounds) for c in contestants}
    for number in range(rounds):
        for place in range(len(contestants)):
            contestant = contestants[(number + place) % len(contestants)]
            if number >= most[contestant.name]:
                continue
            for lap, seconds in zip(contestant.laps, lengths[contestant.name], strict=True):
                time.sleep(pause)
                times, undisturbed = _undisturbed_turn(lap, seconds, contestant, patience)
                samples.disturbed[contestant.name] += not undisturbed
                for phase, value in times.items():
                    samples.times[contestant.name, phase].append(value)
        progress(number + 1, rounds)
    return samples


def _undisturbed_turn(
    lap: Lap, seconds: float, contestant: Contestant, patience: Patience
) -> tuple[dict[str, float], bool]:
    """A turn that other processes did not disturb, or the least disturbed of several."""
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
        if not patience.lost(wall + REST_S, share):
            break
        time.sleep(REST_S)
    return best[1], False


TICK_S = 0.02  # the kernel's counters may be off by this much


def _others_seconds() -> float:
    """Processor time of other processes since the machine started; 0 where the system does not report it."""
    try:
        fields = Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]
    except OSError:
        return 0.0
    user, nice, system, _, _, irq, softirq, steal = (int(v) for v in fields[:8])
    ours = os.times()
    busy = (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")
    return busy - ours.user - ours.system


def _turn(lap: Lap, seconds: float, wait: Callable[[], None]) -> dict[str, float]:
    """Run the lap once uncounted, then for about TURN_S: median milliseconds of each phase."""
    laps = int(np.clip(TURN_S / max(seconds, 1e-9), 1, MOST_LAPS))
    if seconds < LONG_S:
        _timed(lap, wait)
    timed = [_timed(lap, wait) for _ in range(laps)]
    return {phase: float(np.median([times[phase] for times in timed])) for phase in timed[0]}


def _phases(lap: Lap) -> list[str]:
    return [phase for phases, _ in lap for phase in ([phases] if isinstance(phases, str) else phases)]


def _timed(lap: Lap, wait: Callable[[], None]) -> dict[str, float]:
    times = {}
    for phases, call in lap:
        wait()
        start = time.perf_counter()
        returned = call()
        wait()
        end = time.perf_counter()
        if isinstance(phases, str):
            times[phases] = 1e3 * (end - start)
        else:
            readings = [start, *cast("Sequence[float]", returned), end]
            spans = 1e3 * np.diff(readings)
            times |= dict(zip(phases, spans.tolist(), strict=True))
    return times


def _seconds(lap: Lap, wait: Callable[[], None]) -> float:
    """How long a lap takes: the second of two, unless the first was long."""
    total = sum(_timed(lap, wait).values()) / 1e3
    return total if total > LONG_S else sum(_timed(lap, wait).values()) / 1e3
