"""Right layers made wrong under one condition: each is found out, and an unmet condition is reported."""

import numpy as np
import pytest

from parity.faults import condition_sweep as sweep
from parity.faults.conditions import Condition, conditions, life_conditions, sizes_of
from parity.kinds import ALL_KINDS


@pytest.mark.slow
@pytest.mark.parametrize(
    "kind", ["convolution", "max_pooling", "lrn", "softmax_with_loss", "batch_norm", "adam"]
)
def test_every_condition_of_a_kind_is_killed(kind):
    found = sweep.condition_frame(lambda text: None, kinds=(kind,))
    assert sweep.surviving_conditions(found) == [] and len(found) >= 9


def test_a_condition_that_no_input_meets_survives():
    never = Condition("relu", "N >= 1000", lambda sizes: sizes["N"] >= 1000, "forward")
    assert sweep.killing_input(never) == ""


def test_survivors_are_sentences():
    found = sweep.condition_frame(lambda text: None, kinds=("rbf",))
    found.loc[0, "killed"] = False
    (line,) = sweep.surviving_conditions(found)
    assert line.startswith("SURVIVED rbf, wrong N >= 4 in forward")
    assert sweep.condition_figure(found).startswith(f"conditions {len(found) - 1} of {len(found)} killed")


def test_every_kind_has_conditions():
    for kind in ALL_KINDS:
        assert [*conditions(kind), *life_conditions(kind)] or kind in ("sgd", "numerical_gradient"), kind


def test_sizes_are_read_off_a_call():
    W = np.zeros((6, 3, 5, 4))
    sizes = sizes_of({"W": W, "stride": (1, 2), "groups": 2}, [np.zeros((7, 6, 9, 8))])
    assert sizes == {"N": 7, "C": 6, "H": 9, "inputs": 432, "FN": 6, "kernel": 5, "stride": 2, "groups": 2}
