"""The random search: so many geometries whatever the clock says, and an ending there is a finding as well."""

from pathlib import Path

import numpy as np
import pytest

from parity.adapters.isolate import Limits
from parity.checks.random_search import EXAMPLES
from parity.faults.diagnose import Observation
from parity.kinds import Probe
from parity.sweep.cell import run_cell
from parity.sweep.cells import Cell, version_of
from parity.verification.observe import TOO_SLOW, Seen, times_as_long
from parity.verification.verify import verify

HOMEWORK = Path(__file__).parents[1] / "homework"
THREE = """
import os, sys, time
sys.path.insert(0, {folder!r})
import right
class Mine(right.Convolution):
    def forward(self, x):
        if len(x) == 3:
            {line}
        return super().forward(x)
"""


def three_images(tmp_path, line):
    """Right but for batches of three images, which no fixed probe has."""
    path = tmp_path / "layers.py"
    path.write_text(THREE.format(folder=str(HOMEWORK), line=line))
    return f"{path}:Mine"


ENDINGS = {
    "crash": ("os._exit(7)", "left the process with exit status 7"),
    "hang": ("while True: time.sleep(0.01)", "hung: no answer within 2 s"),
}


@pytest.mark.parametrize(("line", "ending"), ENDINGS.values(), ids=ENDINGS)
def test_an_ending_in_the_random_search_is_a_finding(tmp_path, line, ending):
    verdict = verify(three_images(tmp_path, line), "convolution", timeout=2)
    assert verdict.outcome == "wrong" and verdict.ending == ending
    assert verdict.first.record.case.startswith("N=3, ") and "x (3, " in str(verdict)
    assert list(verdict.wrong["why"]) == [ending]


def test_an_exception_in_the_random_search_is_shrunk(tmp_path):
    verdict = verify(three_images(tmp_path, "raise ValueError('three images')"), "convolution")
    assert verdict.first.record.why == "raised ValueError: three images (layers.py, line 8)"
    assert "x (3, 1, 1, 1)" in str(verdict)


def test_the_number_of_random_sizes_is_told():
    verdict = verify(f"{HOMEWORK}/right.py:MaxPooling", "max_pooling")
    assert verdict.ok and verdict.sizes == EXAMPLES
    assert f"and {EXAMPLES} random sizes in float64" in str(verdict)


@pytest.fixture
def no_time(monkeypatch):
    monkeypatch.setattr(Limits, "total", 0.0)


def test_time_that_is_up_is_no_verdict(no_time, parity):
    target = f"{HOMEWORK}/right.py:Convolution"
    verdict = verify(target, "convolution")
    assert (verdict.ok, verdict.outcome) == (False, "not_checked") and verdict.findings["ok"].all()
    assert "could not be checked: it was not done after 0 s" in str(verdict)
    assert parity("verify", target).status == 2


def test_time_that_is_up_does_not_hide_what_is_wrong(monkeypatch):
    left = iter([60.0] * 20)
    monkeypatch.setattr(Limits, "total", property(lambda self: next(left, 0.0)))
    verdict = verify(f"{HOMEWORK}/wrong.py:ReluLeaky", "relu")
    assert verdict.outcome == "wrong" and "then it      was not done after 0 s" in str(verdict)


def test_time_that_is_up_is_a_row_of_a_sweep(no_time):
    path = HOMEWORK / "right.py"
    cell = Cell(
        "p", "file", "relu", target="right.py:Relu", version=version_of(path.read_bytes()), base=str(HOMEWORK)
    )
    last = run_cell(cell)[-1]
    assert (last["ok"], last["status"], last["why"]) == (False, "hung", "was not done after 0 s")


class Here:
    """A class of this module, and no file of its own."""

    def forward(self, x):
        np.seterr(all="raise")
        self.mask = x > 0
        return np.where(self.mask, x, 0)

    def backward(self, dout):
        return np.where(self.mask, dout, 0)


class WithoutGradients(Here):
    def forward(self, x):
        import torch

        torch.set_grad_enabled(False)
        torch.set_default_dtype(torch.float16)
        return super().forward(x)


@pytest.mark.parametrize("cls", [Here, WithoutGradients])
def test_what_the_code_switches_is_not_switched_for_the_checker(cls):
    import torch

    before = np.geterr()
    assert verify(cls, "relu", isolated=False).ok and verify(cls, "relu").ok
    assert np.geterr() == before and torch.is_grad_enabled() and torch.get_default_dtype() == torch.float32


def test_where_it_ran_is_told_unless_it_was_on_its_own():
    assert "it ran       in this process, without limits" in str(verify(Here, "relu", isolated=False))
    assert "it ran       in a copy of this process, where the checker is too" in str(verify(Here, "relu"))
    assert "it ran" not in str(verify(f"{HOMEWORK}/right.py:Relu", "relu"))


def test_a_loop_in_a_loop_is_slow_and_does_not_hang():
    seen = Seen(Observation("softmax", [], {}))
    large = Probe("softmax", "large", {}, {"x": np.zeros((32, 1000))})
    assert times_as_long(seen, large) == TOO_SLOW
    seen.sized.append(Probe("softmax", "small", {}, {"x": np.zeros((32, 100))}))
    assert times_as_long(seen, large) == 100


def test_a_loop_over_filters_and_channels_is_slow_and_does_not_hang():
    seen = Seen(Observation("convolution", [], {}))
    small, large = (
        Probe("convolution", "", {"W": np.zeros((filters, 8, 1, 1))}, {"x": np.zeros((2, 8, 4, 3))})
        for filters in (4, 40)
    )
    seen.sized.append(small)
    assert times_as_long(seen, small) == TOO_SLOW and times_as_long(seen, large) == 10 * TOO_SLOW
