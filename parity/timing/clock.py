"""A fair clock: contestants take turns, round by round, in one process.

Speed drifts (other processes, heat, caches), so no contestant is timed in one block. A round gives every
contestant one turn, each round in another order. A turn starts with a pause, in which the threads of the
previous one come to rest, and with one call that is not counted. The median over the rounds is reported with
its quartiles. A ratio is taken within each round; the median over the rounds is reported with its 95 %
interval (bootstrap over the rounds). Rounds are added until that interval is narrow, or time is up.

Other processes disturb most: threads that wait for each other lose whole time slices to them. A turn
during which others used part of the cores is therefore repeated; if they never stop, the least disturbed
turn is kept and counted as disturbed. A ratio is taken from rounds that were not disturbed alone; where
these are fewer than LEAST_PAIRS there is none. `Patience` limits how long all of that may take.

The kernel counts processor time in ticks, so that a turn of a few of them says little of it. Therefore each
side is also held against itself: where its median is more than APART times its own best lap of the race, it
waited for others most of the time, and there is no ratio either.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
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
LEAST_ROUNDS = 5  # of a race whose seconds are limited, however slow it is
LEAST_PAIRS = 3  # rounds in which neither side was disturbed, for a ratio
APART = 2.5  # times its own best lap of the race that a contestant's median may take
CLOSE = 0.05  # rounds are added until the interval of a ratio is no wider than this to either side
MORE_ROUNDS = 4  # times as many rounds, at most
MORE_S = 10.0  # seconds of added rounds in one race, at most
RESAMPLES = 1000
LONG_S = 0.25  # a lap as long as this needs neither repetition nor a call before it

# (phase, call) in order: forward, then its backward. A call of several phases names them all, and returns the
# readings of the clock between them.
Lap = Sequence[tuple[str | tuple[str, ...], Callable[[], object]]]
Laps = dict[str, list[float]]  # milliseconds by phase


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


class Ratio(NamedTuple):
    """Of the rounds' ratios: median, quartiles, the 95 % interval of the median, and how many there were."""

    median: float
    q1: float
    q3: float
    low: float
    high: float
    pairs: int


NAN = float("nan")
NO_RATIO = Ratio(NAN, NAN, NAN, NAN, NAN, 0)


def ratio(ours: Sequence[float], theirs: Sequence[float], counts: Sequence[bool] | None = None) -> Ratio:
    """Each round's ratio, of the rounds that count; NaN throughout where too few do.

    counts  whether neither side was disturbed, by round; without it all rounds count
    """
    rounds = min(len(ours), len(theirs))
    found = np.divide(ours[:rounds], theirs[:rounds])
    if counts is not None:
        found = found[np.asarray(counts[:rounds], dtype=bool)]
    if len(found) < max(1, min(LEAST_PAIRS, rounds)):
        return NO_RATIO._replace(pairs=len(found))
    drawn = np.random.default_rng(0).choice(found, (RESAMPLES, len(found)))
    low, high = np.percentile(np.median(drawn, axis=1), [2.5, 97.5])
    return Ratio(*quartiles(found.tolist()), float(low), float(high), len(found))


@dataclass
class Patience:
    """How long turns are repeated in total because other processes disturbed them.

    seconds   when so much was spent on repeated turns, none is repeated any more
    more      seconds of rounds that may still be added because a ratio is not known closely
    waiting   called with a sentence after each turn that was disturbed
    gave_up   called once, with a sentence, when the time is over
    """

    seconds: float = 60.0
    waiting: Callable[[str], None] = lambda text: None
    gave_up: Callable[[str], None] = lambda text: None
    spent: float = 0.0
    more: float = 120.0

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
    """(contestant, phase) -> milliseconds, one per round, whether that turn was quiet, and its shortest lap;
    contestant -> how many of its turns were disturbed."""

    times: dict[tuple[str, str], list[float]]
    disturbed: dict[str, int]
    quiet: dict[tuple[str, str], list[bool]]
    best: dict[tuple[str, str], float] = field(default_factory=dict)

    def ratio(self, name: str, other: str, phase: str) -> Ratio:
        """Of one contestant's time to another's. Its ratio to itself is 1, however disturbed."""
        quiet = zip(self.quiet[name, phase], self.quiet[other, phase], strict=False)
        steady = self.steady(name, phase) and self.steady(other, phase)
        counts = None if name == other else [steady and a and b for a, b in quiet]
        return ratio(self.times[name, phase], self.times[other, phase], counts)

    def steady(self, name: str, phase: str) -> bool:
        """Whether the median of its rounds is at most APART times its best lap."""
        best = self.best.get((name, phase), np.inf)
        return bool(np.median(self.times[name, phase]) <= APART * best)


def race(
    contestants: Sequence[Contestant],
    rounds: int,
    progress: Callable[[int, int], None] = lambda done, total: None,
    pause: float = PAUSE_S,
    patience: Patience | None = None,
    close: tuple[str, str] | None = None,
    seconds: float | None = None,
) -> Samples:
    """Every contestant's time in every phase, one number per round: the median of its turn.

    close    two contestants whose ratio is wanted closely: where it is not, they go on for some more rounds
    seconds  that the rounds may take, and half of that those which are added: there are fewer of them where
             they are slow, but LEAST_ROUNDS
    """
    patience = patience or Patience()
    phases = {(c.name, phase): 0 for c in contestants for lap in c.laps for phase in _phases(lap)}
    samples = Samples(
        {key: [] for key in phases}, {c.name: 0 for c in contestants}, {key: [] for key in phases}
    )
    lengths = {c.name: [_seconds(lap, c.wait) for lap in c.laps] for c in contestants}  # also warms up
    slow = FEW_ROUNDS
    if seconds is not None:
        one = sum(_turn_seconds(length) + pause for c in contestants for length in lengths[c.name])
        rounds = slow = min(rounds, max(LEAST_ROUNDS, int(seconds / one)))
    most = {c.name: min(c.most, slow if sum(lengths[c.name]) > SLOW_S else rounds) for c in contestants}

    def one_round(number: int, taking_part: Sequence[Contestant]) -> None:
        for place in range(len(taking_part)):
            contestant = taking_part[(number + place) % len(taking_part)]
            for lap, seconds in zip(contestant.laps, lengths[contestant.name], strict=True):
                time.sleep(pause)
                laps, undisturbed = _undisturbed_turn(lap, seconds, contestant, patience)
                samples.disturbed[contestant.name] += not undisturbed
                for phase, values in laps.items():
                    key = contestant.name, phase
                    samples.times[key].append(float(np.median(values)))
                    samples.quiet[key].append(undisturbed)
                    samples.best[key] = min(samples.best.get(key, np.inf), *values)

    for number in range(rounds):
        one_round(number, [c for c in contestants if number < most[c.name]])
        progress(number + 1, rounds)
    pair = [c for c in contestants if close and c.name in close and most[c.name] >= rounds]
    if close and len(pair) == len(close):
        left = min(MORE_S if seconds is None else seconds / 2, MORE_S, patience.more)
        _go_on(samples, close, pair, rounds, one_round, patience, left, progress)
    return samples


def _go_on(
    samples: Samples,
    close: tuple[str, str],
    pair: Sequence[Contestant],
    rounds: int,
    one_round: Callable[[int, Sequence[Contestant]], None],
    patience: Patience,
    left: float,
    progress: Callable[[int, int], None],
) -> None:
    """More rounds of two contestants, until their ratios are known closely or the seconds `left` are up."""
    start = time.perf_counter()
    for number in range(rounds, MORE_ROUNDS * rounds):
        used = time.perf_counter() - start
        if used + (used / (number - rounds) if number > rounds else 0.0) >= left or _known(samples, *close):
            break
        one_round(number, pair)
        progress(number + 1, number + 1)
    patience.more -= time.perf_counter() - start


def _known(samples: Samples, name: str, other: str) -> bool:
    """Whether the interval of every phase's ratio is close around its median."""
    found = [samples.ratio(name, other, phase) for who, phase in samples.times if who == name]
    return all(r.high <= (1 + CLOSE) * r.median and r.low >= (1 - CLOSE) * r.median for r in found)


def _undisturbed_turn(
    lap: Lap, seconds: float, contestant: Contestant, patience: Patience
) -> tuple[Laps, bool]:
    """A turn that other processes did not disturb, or the least disturbed of several."""
    best: tuple[float, Laps] = (np.inf, {})
    for _ in range(min(TRIES, contestant.most, max(2, int(RETRY_S / max(seconds, 1e-9))))):
        watch = Watch()
        laps = _turn(lap, seconds, contestant.wait)
        wall, share = watch.seconds(), watch.share()
        best = min(best, (share, laps), key=lambda pair: pair[0])
        if share <= FOREIGN:
            return laps, True
        if not patience.lost(wall + REST_S, share):
            break
        time.sleep(REST_S)
    return best[1], False


TICK_S = 0.02  # the kernel's counters may be off by this much


class Watch:
    """How long it is since this was made, and which share of the cores other processes have used since.

    others  the processor time of those that take no part, in seconds
    """

    def __init__(self, others: Callable[[], float] | None = None) -> None:
        self.others = others or others_seconds
        self.before, self.start = self.others(), time.perf_counter()

    def seconds(self) -> float:
        return time.perf_counter() - self.start

    def share(self) -> float:
        used = max(0.0, self.others() - self.before - TICK_S)
        return used / (self.seconds() * (os.cpu_count() or 1))


def others_seconds() -> float:
    """Processor time of other processes since the machine started; 0 where the system does not report it."""
    try:
        fields = Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]
    except OSError:
        return 0.0
    user, nice, system, _, _, irq, softirq, steal = (int(v) for v in fields[:8])
    ours = os.times()
    busy = (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")
    return busy - ours.user - ours.system


def _turn(lap: Lap, seconds: float, wait: Callable[[], None]) -> Laps:
    """Run the lap once uncounted, then for about TURN_S: milliseconds of each phase, lap by lap."""
    if seconds < LONG_S:
        _timed(lap, wait)
    timed = [_timed(lap, wait) for _ in range(_laps(seconds))]
    return {phase: [times[phase] for times in timed] for phase in timed[0]}


def _laps(seconds: float) -> int:
    """How often a turn runs a lap of that length."""
    return int(np.clip(TURN_S / max(seconds, 1e-9), 1, MOST_LAPS))


def _turn_seconds(seconds: float) -> float:
    """How long a turn of such laps takes."""
    return seconds * (_laps(seconds) + (seconds < LONG_S))


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
