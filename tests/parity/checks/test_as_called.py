"""What is checked is what runs: the unpatched calls, really split, are compared; their faults are seen."""

from contextlib import nullcontext

import numpy as np
import pytest

import scratchcnn as sc
from parity.checks.as_called import at_least_two_threads
from parity.checks.culprit import localize
from parity.checks.network import Case, check_network
from parity.comparison.records import AS_CALLED, BY_HAND, GRADIENT, PREDICT, TEXTBOOK
from scratchcnn.fast import batch_split, dispatch
from scratchcnn.fast import threads as workers
from scratchcnn.layers import Convolution


def rows_of(name="lenet", dtype="float64", phases=AS_CALLED):
    return [row for row in check_network(Case(name, dtype, steps=0)) if row.phase in phases]


def wrong(rows):
    return {(row.phase, row.layer, row.tensor) for row in rows if not row.ok}


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", ["simple_conv_net", "lenet5"])
def test_every_call_is_compared_with_pytorch(name, dtype, threads):
    rows, params = rows_of(name, dtype), sc.NETWORKS[name](rng=0).params
    assert wrong(rows) == set()
    gradient = {("loss", "loss"), ("x", "dx"), *((key, "grad") for key in params)}
    tensors = {phase: {(r.layer, r.tensor) for r in rows if r.phase == phase} for phase in AS_CALLED}
    assert tensors[GRADIENT] == gradient | {("batch", "parts")}
    assert tensors[PREDICT] == {("scores", "out"), ("batch", "parts")}
    assert tensors[BY_HAND] == gradient | {("layers", "code")}
    assert tensors[TEXTBOOK] == gradient | {("scores", "out"), ("layers", "code")}


def test_the_batch_is_split_in_uneven_parts_and_in_more_than_there_are_threads():
    parts = {row.phase: row.shape for row in rows_of() if row.tensor == "parts"}
    assert parts == {GRADIENT: (2,), PREDICT: (4,)}


def test_what_was_not_split_counts_as_not_compared(monkeypatch):
    monkeypatch.setattr(batch_split, "MIN_SPLIT_ELEMENTS", 1 << 40)
    rows = [row for row in rows_of() if not row.ok]
    assert {(row.phase, row.tensor) for row in rows} == {(GRADIENT, "parts"), (PREDICT, "parts")}
    assert all(row.why.startswith("not compared: the batch of") for row in rows)


def test_layers_that_are_never_split_count_as_not_compared(monkeypatch):
    monkeypatch.setattr(batch_split, "BY_IMAGE", batch_split.BY_IMAGE - {Convolution})
    assert wrong(rows_of()) == {(GRADIENT, "batch", "parts"), (PREDICT, "batch", "parts")}


def test_a_part_that_is_lost_shows_in_the_gradient_as_called_alone(monkeypatch):
    add = batch_split.add_gradients
    monkeypatch.setattr(batch_split, "add_gradients", lambda layer, copies: add(layer, copies[:1]))
    rows = list(check_network(Case("lenet", steps=0)))
    assert wrong(rows) == {(GRADIENT, f"conv{i}.{key}", "grad") for i in (1, 2) for key in "Wb"}
    found = localize(rows)
    assert str(found) == "network, gradient as called, conv1.W grad"
    assert "layer by layer all is right; conv1.W grad is wrong in `gradient`" in found.sentence


def test_a_textbook_that_is_not_run_counts_as_not_compared(monkeypatch):
    monkeypatch.setattr(sc.fast, "textbook", nullcontext)
    rows = [row for row in rows_of() if not row.ok]
    assert [(row.phase, row.tensor) for row in rows] == [(TEXTBOOK, "code")]
    assert rows[0].why == "not compared: the layers did not run the textbook's code"


def test_a_fast_implementation_that_is_not_run_counts_as_not_compared(monkeypatch):
    monkeypatch.setattr(dispatch, "_enabled", False)
    found = {(row.phase, row.tensor) for row in rows_of() if not row.ok}
    assert found == {(BY_HAND, "code"), (GRADIENT, "parts"), (PREDICT, "parts")}


def test_a_second_call_that_spoils_the_first_ones_gradients_is_seen(monkeypatch):
    gradient, kept = sc.Network.gradient, {}

    def reusing(self, x, t):
        for name, grad in gradient(self, x, t).items():
            kept.setdefault(name, np.empty_like(grad))[...] = 2 * grad if "again" in kept else grad
        kept["again"] = kept["again"] + 1 if "again" in kept else np.zeros(1)
        return {name: kept[name] for name in self.params}

    monkeypatch.setattr(sc.Network, "gradient", reusing)
    rows = [row for row in rows_of(phases=(GRADIENT,)) if not row.ok]
    assert {row.case for row in rows if row.layer == "conv1.W"} == {"", "second call"}


def test_a_wrong_textbook_is_seen_though_the_default_never_runs_it(monkeypatch):
    own = Convolution.forward.__wrapped__

    def forward(self, x):
        return 2 * own(self, x) if not sc.fast.enabled() else own(self, x)

    monkeypatch.setattr(Convolution, "forward", dispatch.faster(forward, lambda *_: None))
    assert {phase for phase, _, _ in wrong(rows_of())} == {TEXTBOOK}


def test_a_call_that_raises_is_a_record(monkeypatch):
    def refuses(*_):
        raise MemoryError("no room")

    monkeypatch.setattr(batch_split, "joined", refuses)
    rows = [row for row in rows_of() if not row.ok]
    assert {(row.phase, row.why) for row in rows} == {
        (phase, "raised MemoryError: no room") for phase in (PREDICT, GRADIENT)
    }


def test_two_threads_are_used_and_given_back(threads):
    with at_least_two_threads():
        assert workers.count() == 2
    assert workers.count() == threads


def test_two_threads_without_a_blas_that_can_be_told(monkeypatch):
    monkeypatch.setattr(workers, "blas", lambda: None)
    network, x = sc.LeNet(rng=0), np.zeros((21, 1, 28, 28), np.float32)
    with at_least_two_threads(), workers.team() as size:
        assert size == 2 and network.predict(x).shape == (21, 10)
    assert workers.count() == 1
