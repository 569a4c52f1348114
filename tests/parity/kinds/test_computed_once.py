"""What is the same for whatever code is checked is computed once in a process, and nobody can spoil it."""

import numpy as np
import pytest

from parity.adapters.subject import subject_here
from parity.checks import random_search
from parity.checks.layer import check_sizes
from parity.kinds import ALL_KINDS
from parity.kinds.random_geometry import MANY, WINDOWS, integers_of, needs_of, random_geometry
from parity.kinds.real_sizes import real_sizes, shared_real_sizes


def test_a_reference_of_real_size_is_computed_once(monkeypatch):
    kind, asked = ALL_KINDS["tanh"], []
    own = type(kind).reference
    monkeypatch.setattr(type(kind), "reference", lambda *a, **k: asked.append(a[1].id) or own(*a, **k))
    counts = []
    for _ in range(2):
        subject = subject_here(kind.ours, "tanh")
        rows = list(check_sizes("tanh", subject, shared_real_sizes("tanh")[:2]))
        assert rows and all(row.ok for row in rows)
        counts.append(len(asked))
    assert counts[0] == counts[1] > 0


def test_who_writes_into_an_input_of_real_size_spoils_it_for_nobody():
    first = shared_real_sizes("relu")[0]
    first.inputs["x"][...] = 7
    fresh, again = real_sizes("relu")[0], shared_real_sizes("relu")[0]
    assert fresh.id == again.id == first.id
    np.testing.assert_array_equal(fresh.inputs["x"], again.inputs["x"])


@pytest.mark.parametrize("kind", WINDOWS)
def test_many_numbers_drawn_at_a_time_are_those_drawn_one_by_one(kind):
    single, ahead = (np.random.default_rng([*kind.encode(), 7]) for _ in range(2))
    integers = integers_of(kind, ahead)
    for _ in range(2 * MANY + 1):
        one = random_geometry(lambda low, high: int(single.integers(low, high + 1)), kind)
        assert random_geometry(integers, kind) == one


@pytest.mark.parametrize("kind", ["convolution", "average_pooling"])
def test_the_geometries_of_a_search_are_drawn_once_and_the_same(kind, monkeypatch):
    of = random_search._drawn(kind)
    found = [of(number) for number in (3, 0, 29)]
    rng = np.random.default_rng([*kind.encode(), 7])
    drawn = [random_geometry(lambda low, high: int(rng.integers(low, high + 1)), kind) for _ in range(30)]
    assert found == [(drawn[number], needs_of(drawn[number])) for number in (3, 0, 29)]
    monkeypatch.setattr(random_search, "random_geometry", None)
    assert random_search._drawn(kind)(29) == found[2]
