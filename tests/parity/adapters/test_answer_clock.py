"""On a busy machine code has as much time for an answer as on a quiet one."""

import os
import signal
import subprocess
import sys
from types import SimpleNamespace

import pytest

from parity.adapters import answer_clock
from parity.adapters.answer_clock import TICK, TIMES, AnswerClock
from parity.sandbox.processes import is_over
from parity.verification.verify import verify


@pytest.fixture
def at(monkeypatch):
    """at(seconds, in the queue): what the clock and the system say from now on."""
    said = [0.0, 0.0]
    monkeypatch.setattr(answer_clock, "time", SimpleNamespace(monotonic=lambda: said[0]))
    monkeypatch.setattr(answer_clock, "queued", lambda pid: said[1])
    return lambda *now: said.__setitem__(slice(None), now)


def look_until(clock, at, end, share):
    """Look at it every TICK, while the process stands in the queue for that share of the time."""
    now = 0.0
    while now < end:
        now += TICK
        at(now, 7 + share * now)
        found = clock.seconds()
    return found


def test_on_a_quiet_machine_all_seconds_count(at):
    assert look_until(AnswerClock(1), at, 3, share=0.0) == pytest.approx(3, abs=2 * TICK)


def test_seconds_without_a_processor_do_not_count(at):
    assert look_until(AnswerClock(1), at, 4, share=0.75) == pytest.approx(1, abs=2 * TICK)


def test_each_second_counts_for_something(at):
    assert look_until(AnswerClock(1), at, 60, share=1.0) == pytest.approx(60 / TIMES, abs=2 * TICK)


def test_seconds_in_which_nobody_could_look_do_not_count(at):
    clock = AnswerClock(1)
    at(5.0, 0.0)
    assert clock.seconds() == pytest.approx(5 / TIMES)


def test_who_is_gone_has_stood_as_long_as_was_seen(at):
    clock = AnswerClock(1)
    look_until(clock, at, 2, share=0.5)
    at(2 + 2 * TICK, 0.0)
    assert clock.seconds() == pytest.approx(1, abs=3 * TICK)


SLOW = """
import time
import numpy as np
slow = [0.9]
class Relu:
    def forward(self, x):
        time.sleep(slow.pop() if x.ndim == 4 and slow else 0)
        self.mask = x > 0
        return np.where(self.mask, x, 0)
    def backward(self, dout):
        return np.where(self.mask, dout, 0)
"""


def test_code_that_had_no_processor_has_not_hung(tmp_path, monkeypatch):
    (tmp_path / "mine.py").write_text(SLOW)
    verdict = verify(f"{tmp_path}/mine.py:Relu", "relu", timeout=0.3)
    assert verdict.ending == "hung: no answer within 0.3 s"
    monkeypatch.setattr(AnswerClock, "seconds", lambda clock: 0.0)
    assert verify(f"{tmp_path}/mine.py:Relu", "relu", timeout=0.3).outcome == "right"


def test_a_process_that_is_gone_is_over():
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    assert not is_over(process.pid)
    process.send_signal(signal.SIGKILL)
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert is_over(process.pid)  # and nobody has been told
    process.communicate()
    assert is_over(process.pid)
