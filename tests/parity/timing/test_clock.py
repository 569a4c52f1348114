"""The clock: whose turn it is, what is counted, and what a ratio is. No time is asserted."""

import itertools

import numpy as np
import pytest

from parity.timing import clock
from parity.timing.clock import Contestant, quartiles, race, ratio


@pytest.fixture(autouse=True)
def quiet(monkeypatch):
    monkeypatch.setattr(clock, "others_seconds", lambda: 0.0)
    monkeypatch.setattr(clock, "TURN_S", 0.0)  # one lap a turn


def two(calls, **options):
    return [Contestant(n, [[("forward", lambda n=n: calls.append(n))]], **options) for n in "ab"]


def test_rounds_alternate_and_change_who_is_first():
    calls = []
    samples = race(two(calls), rounds=3, pause=0)
    warm, turns = calls[:4], calls[4:]
    assert warm == ["a", "a", "b", "b"]
    assert turns[::2] == turns[1::2] == ["a", "b", "b", "a", "a", "b"]  # one uncounted, one counted each
    assert [len(times) for times in samples.times.values()] == [3, 3]


def test_a_lap_keeps_its_order_and_each_phase_has_its_own_time():
    calls = []
    laps = [[("forward", lambda: calls.append("f")), ("backward", lambda: calls.append("b"))]]
    samples = race([Contestant("a", laps)], rounds=2, pause=0)
    assert "".join(calls) == "fb" * (len(calls) // 2)
    assert set(samples.times) == {("a", "forward"), ("a", "backward")}


def test_a_call_of_several_phases_reads_the_clock_between_them(monkeypatch):
    now = itertools.cycle([1.0, 1.5, 4.5])
    monkeypatch.setattr(clock.time, "perf_counter", lambda: next(now))
    found = clock._timed([(("forward", "backward"), lambda: [clock.time.perf_counter()])], lambda: None)
    assert found == {"forward": 500.0, "backward": 3000.0}


def test_a_slow_contestant_takes_part_in_fewer_rounds():
    calls = []
    slow, fast = two(calls)
    samples = race([Contestant("slow", slow.laps, most=1), fast], rounds=3, pause=0)
    assert [len(samples.times[name, "forward"]) for name in ("slow", "b")] == [1, 3]


def test_few_seconds_give_fewer_rounds_but_five(monkeypatch):
    monkeypatch.setattr(clock, "_seconds", lambda lap, wait: 1.0)
    for seconds, count in ((0.0, 5), (15.0, 7), (100.0, 11)):
        samples = race(two([]), rounds=11, pause=0, seconds=seconds)
        assert {len(times) for times in samples.times.values()} == {count}


def test_the_device_is_waited_for_before_each_reading():
    events = []
    race(
        [Contestant("a", [[("step", lambda: events.append("call"))]], wait=lambda: events.append("wait"))], 1
    )
    assert "".join(e[0] for e in events).replace("wcw", "") == ""


def test_a_disturbed_turn_is_repeated(monkeypatch):
    calls, clocks = [], iter([0.0, 1e6, 1e6, 1e6])  # the first turn: others took everything
    monkeypatch.setattr(clock, "others_seconds", lambda: next(clocks))
    monkeypatch.setattr(clock, "REST_S", 0)
    samples = race(two(calls)[:1], rounds=1, pause=0)
    assert samples.disturbed == {"a": 0} and next(clocks, None) is None
    assert len(samples.times["a", "forward"]) == 1


def test_turns_that_are_never_quiet_are_counted(monkeypatch):
    growing = iter(range(0, 10**9, 10**6))
    monkeypatch.setattr(clock, "others_seconds", lambda: float(next(growing)))
    monkeypatch.setattr(clock, "REST_S", 0)
    samples = race(two([])[:1], rounds=2, pause=0)
    assert samples.disturbed == {"a": 2} and len(samples.times["a", "forward"]) == 2


def test_quartiles_and_ratio():
    assert quartiles([4, 1, 2, 3, 5]) == (3, 2, 4)
    assert ratio([2, 4, 6, 1], [1, 4, 3])[:3] == (2, 1.5, 2)  # rounds 2, 1, 2; the medians' is 1


def test_a_ratio_has_an_interval():
    ours = [1.0, 1.1, 0.9, 1.0, 1.2, 0.8, 1.0]
    found = ratio(ours, [2.0] * 7)
    assert found.pairs == 7 and 0.4 <= found.low < found.median == 0.5 < found.high <= 0.6
    assert found == ratio(ours, [2.0] * 7)
    assert ratio([3.0] * 5, [1.0] * 5)[3:] == (3, 3, 5)


def test_a_ratio_is_taken_from_undisturbed_rounds_alone():
    ours, theirs = [1.0, 99.0, 1.0, 1.0], [2.0] * 4
    assert ratio(ours, theirs, [True, False, True, True]).median == 0.5
    assert np.isnan(ratio(ours, theirs, [True, False, False, True])[:5]).all()  # two are too few
    samples = clock.Samples(
        {(n, "step"): ours for n in "ab"},
        {"a": 2, "b": 0},
        {("a", "step"): [False] * 4, ("b", "step"): [True] * 4},
    )
    assert np.isnan(samples.ratio("a", "b", "step").median)
    assert samples.ratio("a", "a", "step").median == 1


def test_two_go_on_until_their_ratio_is_known(monkeypatch):
    known, calls = iter([False, False, True]), []
    monkeypatch.setattr(clock, "_known", lambda *_: next(known))
    three = [*two(calls), Contestant("c", [[("forward", lambda: calls.append("c"))]])]
    samples = race(three, rounds=3, pause=0, close=("a", "b"))
    assert [len(samples.times[n, "forward"]) for n in "abc"] == [5, 5, 3]


def test_added_rounds_end_when_their_time_is_up(monkeypatch):
    monkeypatch.setattr(clock, "_known", lambda *_: False)
    patience = clock.Patience(more=0.0)
    assert len(race(two([]), 3, pause=0, patience=patience, close=("a", "b")).times["a", "forward"]) == 3
    patience = clock.Patience(more=1e6)
    monkeypatch.setattr(clock, "MORE_S", 1e6)
    assert len(race(two([]), 3, pause=0, patience=patience, close=("a", "b")).times["a", "forward"]) == 12


def test_added_rounds_take_half_of_the_seconds_of_a_race(monkeypatch):
    monkeypatch.setattr(clock, "_known", lambda *_: False)
    given = []
    monkeypatch.setattr(clock, "_go_on", lambda *args: given.append(args[-2]))
    for seconds in (None, 4.0, 1000.0):
        race(two([]), 1, pause=0, close=("a", "b"), seconds=seconds)
    assert given == [clock.MORE_S, 2.0, clock.MORE_S]


def test_an_interval_is_close_or_not():
    def samples(times):
        keys = [("a", "step"), ("b", "step")]
        return clock.Samples(
            dict(zip(keys, (times, [1.0] * 5), strict=True)), {}, {k: [True] * 5 for k in keys}
        )

    assert clock._known(samples([1.0, 1.01, 0.99, 1.0, 1.0]), "a", "b")
    assert not clock._known(samples([1.0, 2.0, 0.5, 1.0, 1.5]), "a", "b")


def test_waiting_for_other_processes_ends_with_a_word(monkeypatch):
    growing, calls, texts, words = iter(range(0, 10**9, 10**6)), [], [], []
    monkeypatch.setattr(clock, "others_seconds", lambda: float(next(growing)))
    monkeypatch.setattr(clock, "REST_S", 1)
    monkeypatch.setattr(clock.time, "sleep", lambda seconds: None)
    patience = clock.Patience(2.5, texts.append, words.append)  # a turn that is repeated costs a second
    samples = race(two(calls)[:1], rounds=5, pause=0, patience=patience)
    assert len(texts) == 2 and len(words) == 1 and samples.disturbed == {"a": 5}
    assert texts[0].startswith("waiting for other processes, which use")
    assert "after 3 s of waiting for them the times are taken as they are" in words[0]
    assert len(calls) == 2 + 2 * (3 + 4)  # three turns in the first round, one in each of the others


def test_a_side_that_is_mostly_far_from_its_best_is_disturbed():
    """PyTorch's threads waited for each other in most laps: 50 ms, not 1, and each turn looked quiet."""
    times = {("ours", "predict"): [1.0] * 5, ("torch", "predict"): [50.0, 50.0, 1.0, 48.0, 52.0]}
    quiet = {key: [True] * 5 for key in times}

    def found(**best):
        return clock.Samples(times, {}, quiet, {(name, "predict"): b for name, b in best.items()}).ratio(
            "ours", "torch", "predict"
        )

    assert np.isnan(found(ours=1.0, torch=1.0).median) and found(ours=1.0, torch=1.0).pairs == 0
    assert np.isnan(found(ours=0.1, torch=40.0).median)
    assert found(ours=0.8, torch=40.0).median == 0.02


def test_the_best_lap_of_a_race_is_kept(monkeypatch):
    monkeypatch.setattr(clock, "TURN_S", 1.0)
    monkeypatch.setattr(clock, "_seconds", lambda lap, wait: 0.3)  # three laps a turn
    spans = iter([5.0, 2.0, 3.0, 4.0, 6.0, 7.0])
    monkeypatch.setattr(clock, "_timed", lambda lap, wait: {"forward": next(spans)})
    samples = race(two([])[:1], rounds=2, pause=0)
    assert samples.times["a", "forward"] == [3.0, 6.0] and samples.best == {("a", "forward"): 2.0}
