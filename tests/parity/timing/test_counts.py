"""The counts: what is counted, that wrapping changes nothing, and that two processes count the same."""

import numpy as np
import pytest

from parity.timing import counts
from parity.timing.counts import COUNTS, WRAPPERS, Counter, wrapped
from parity.timing.measure import COUNT_COLUMNS, Setup, count_network

A, B = np.arange(6.0).reshape(2, 3), np.ones((3, 4))


def run(source, **names):
    space = {"np": np, "a": A.copy(), "b": B.copy(), **WRAPPERS, **names}
    exec(wrapped(source, "lines"), space)
    return space


@pytest.mark.parametrize(
    ("source", "calls", "allocated", "moved", "multiplications"),
    [
        ("a + 1", 1, 48, 96, 0),
        ("a += 1", 1, 0, 48, 0),
        ("-a", 1, 48, 96, 0),
        ("a > 2", 1, 6, 54, 0),
        ("np.add(a, a, out=a)", 1, 0, 144, 0),
        ("np.add(a, 1, a)", 1, 0, 96, 0),
        ("np.copyto(a, 0)", 1, 0, 48, 0),
        ("a @ b", 1, 64, 48 + 96 + 64, 24),
        ("np.matmul(a, b)", 1, 64, 48 + 96 + 64, 24),
        ("a.sum()", 1, 0, 48, 0),
        ("np.add.reduce(a, axis=0)", 1, 24, 72, 0),
        ("np.concatenate([a, a])", 1, 96, 192, 0),
        ("a[:, 1:]", 1, 0, 0, 0),
        ("a[0] = 1", 1, 0, 24, 0),
        ("a[0] += a[1]", 2, 0, 48, 0),
        ("a.reshape(3, 2)", 1, 0, 0, 0),
        ("a.T.reshape(6)", 1, 48, 96, 0),
        ("np.empty((2, 3))", 1, 48, 0, 0),
        ("np.asarray(a)", 1, 0, 0, 0),
        ("[f(a) for f in (np.exp, len)]", 1, 48, 96, 0),
        ("1 + len([2, 3][1:])", 0, 0, 0, 0),
    ],
)
def test_what_is_counted(source, calls, allocated, moved, multiplications, monkeypatch):
    monkeypatch.setattr(counts, "count", Counter())
    run(source)
    assert tuple(counts.count.seen.values()) == (calls, allocated, moved, multiplications)


def test_wrapping_changes_no_result():
    source = """
from __future__ import annotations
class Base:
    def __init__(self, size: dict[str, int] = {'n': 3}) -> None:
        self.size: int = size['n']
class Deep(Base):
    def __init__(self):
        super().__init__()
        self.size -= 1
rows, d = [0, 1, 2, 3], {'k': [1]}
rows[1] = rows[-1]
rows[0] += 5 // 2
d['k'] += [2]
n = Deep().size
ok = 0 < n < 3 and not n is None
a[1, ::2] *= 2
c = a[..., None][:, 1:][a[:, 0] > 0]
"""
    plain, counted = {"a": A.copy()}, run(source)
    exec(source, plain)
    for name in ("rows", "d", "n", "ok"):
        assert counted[name] == plain[name], name
    np.testing.assert_array_equal(counted["a"], plain["a"])
    np.testing.assert_array_equal(counted["c"], plain["c"])


def test_two_processes_count_the_same():
    setup = Setup(threads=2)
    first, second = (count_network("lenet", 20, setup) for _ in range(2))
    assert first.equals(second) and first.columns.tolist() == COUNT_COLUMNS
    assert first["phase"].tolist() == ["forward", "backward", "step", "predict"]
    by = first.set_index("phase")
    assert (by[[*COUNTS]] > 0).all(axis=None)
    assert by.loc["step", "numpy_calls"] > by.loc[["forward", "backward"], "numpy_calls"].sum()
    least = by.loc["predict", "least_multiplications"]
    assert least <= by.loc["predict", "multiplications"] < 1.1 * least
    assert (by["moved_bytes"] > by["least_bytes"]).all()


def test_what_the_process_says_last_is_the_reason():
    with pytest.raises(RuntimeError, match=r"counting the NumPy calls of lenett failed: .*lenett"):
        counts.measure("lenett", 1, "float32", 1)
