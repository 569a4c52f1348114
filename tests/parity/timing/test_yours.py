"""Anyone's layer on the clock: with its verdict, and with numbers that are compared again afterwards."""

import sys
from pathlib import Path

import pandas as pd
import pytest

HOMEWORK = Path(__file__).parents[1] / "homework"
COUNTS = """
import numpy as np
class Relu:
    calls = 0
    def forward(self, x):
        self.calls += 1
        self.mask = x > 0
        return x * self.mask {then}
    def backward(self, dout):
        return dout * self.mask
"""


@pytest.fixture
def time(parity, tmp_path, monkeypatch):
    """Run `parity time` briefly: the exit status, what it printed, and the table of times.

    It loads code into this process, which no other test is to find there.
    """
    monkeypatch.setattr(sys, "path", [*sys.path])
    known = {*sys.modules}

    def run(*arguments):
        quick = ("--rounds", 1, "--batch-size", 2, "--out", tmp_path / "out")
        ended = parity("time", *arguments, *quick)
        path = tmp_path / "out" / "speed.csv"
        return ended, pd.read_csv(path) if path.is_file() else None

    yield run
    for name in sys.modules.keys() - known:
        if str(getattr(sys.modules[name], "__file__", "")).startswith((str(tmp_path), str(HOMEWORK))):
            del sys.modules[name]


def test_beside_ours_and_pytorch_on_the_shapes_of_a_network(time):
    ended, speed = time(f"{HOMEWORK}/right.py:Convolution", "lenet")
    assert ended.status == 0, ended.out + ended.err
    assert "as convolution: right on what was checked" in ended.out.splitlines()[0]
    assert set(speed["implementation"]) == {"yours", "ours", "torch"}
    assert list(speed["layer"].unique()) == ["conv1", "conv2"] and set(speed["phase"]) == {
        "forward",
        "backward",
    }
    yours = speed[speed["implementation"] == "yours"]
    assert yours["ok"].all() and (yours["median_ms"] > 0).all() and "yours ms" in ended.out


def test_called_in_a_way_of_its_own_and_by_habits_of_the_book(time):
    ended, speed = time(f"{HOMEWORK}/wild.py:Conv2d", f"{HOMEWORK}/book/common/layers.py:SoftmaxWithLoss")
    assert ended.status == 0, ended.out + ended.err
    assert len(speed[speed["implementation"] == "yours"]) == 6


def test_a_wrong_one_is_timed_and_fails(time):
    ended, speed = time(f"{HOMEWORK}/wrong.py:ConvolutionMeanBias", "--as", "convolution")
    assert ended.status == 1 and "FAIL yours" in ended.out
    assert not speed[speed["implementation"] == "yours"]["ok"].any()


def test_numbers_that_turn_wrong_on_the_clock_are_found(time, tmp_path):
    (tmp_path / "mine.py").write_text(COUNTS.format(then="+ (self.calls > 12 and x.dtype == np.float32)"))
    ended, speed = time(f"{tmp_path}/mine.py:Relu")
    assert "right, the same function" in ended.out.splitlines()[0]  # a single call, or twelve, are right
    assert ended.status == 1 and "after the clock had stopped, wrong: out" in set(speed["note"])
    (tmp_path / "right.py").write_text(COUNTS.format(then=""))
    assert time(f"{tmp_path}/right.py:Relu")[0].status == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((f"{HOMEWORK}/rude.py:RaisesBack", "--as", "relu"), "is not timed, since it could not be checked"),
        ((f"{HOMEWORK}/rude.py:RaisesBack",), "does not say what it is; add --as convolution"),
        ((f"{HOMEWORK}/right.py:Relu", "relu"), "timed on the CPU and on the shapes of networks"),
    ],
    ids=["not checked", "no kind", "a kind beside it"],
)
def test_misuse_is_said_in_a_sentence(time, arguments, message):
    ended, speed = time(*arguments)
    assert ended.status == 2 and message in ended.err and speed is None
