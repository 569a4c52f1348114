"""What tests of both packages share: numbers to try, how close is close enough, other processes."""

import subprocess
import sys
import time
from functools import partial
from typing import NamedTuple

import numpy as np
import psutil
import pytest

# What a row of a sweep says of its time and place: not the same twice, and no part of a comparison.
TIMING = ("seconds", "worker", "finished")


def draw(*shape, seed=0, dtype=np.float64):
    """Normally distributed numbers of this shape, the same for the same seed."""
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype, copy=False)


def close(found, wanted, tolerance=1e-12):
    """Assert one shape, one dtype, and no difference above `tolerance` times the largest number wanted.

    Numbers below 1 count as 1; NaN and infinities must be wanted where they are. `wanted` may be a tensor
    of PyTorch.
    """
    wanted = wanted if isinstance(wanted, np.ndarray | np.generic) else wanted.detach().numpy()
    scale = np.abs(wanted[np.isfinite(wanted)]).max(initial=1)
    np.testing.assert_allclose(found, wanted, rtol=0, atol=tolerance * scale, strict=True)


def failed(records):
    """Those of the records that are not ok; nothing compared at all is an error."""
    records = list(records)
    assert records, "nothing was compared"
    return [record for record in records if not record.ok]


def right_to_its_last_step(verdict, called, outcome="right"):
    """Assert that an optimizer is right, called in that way, in each of the 200 steps."""
    assert verdict.outcome == outcome and called in verdict.called, str(verdict)
    assert "W step 200" in set(verdict.findings["tensor"])


def wrong_first_at(verdict, tensor):
    """Assert that the verdict is wrong, and that this is its first wrong array."""
    assert verdict.outcome == "wrong" and verdict.first.record.tensor == tensor, str(verdict)


class Ended(NamedTuple):
    """How a command ended, and what it printed."""

    status: int
    out: str
    err: str


def execute(*command, **options):
    """Run a command: the finished process, its output as text."""
    return subprocess.run([*map(str, command)], capture_output=True, text=True, check=False, **options)


python = partial(execute, sys.executable)


def is_alive(pid):
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def wait_until(condition, *processes):
    """Wait for the condition, however long a busy machine takes; fail when one of the processes has ended.

    It gives up after ten minutes, so that a test that cannot pass comes to an end.
    """
    end = time.monotonic() + 600
    while not condition():
        assert all(process.poll() is None for process in processes), "a process has ended"
        assert time.monotonic() < end, "waited for ten minutes"
        time.sleep(0.01)


def one_in(step, items):
    """Parameters of a test: one item in `step` always, the others in `make exhaustive`."""
    return [
        item if i % step == 0 else pytest.param(item, marks=pytest.mark.exhaustive)
        for i, item in enumerate(items)
    ]
