"""`parity faults`: every known bug caught, correct code left alone, and exit 1 as soon as one of it fails."""

import pandas as pd
import pytest

import scratchcnn as sc
from parity.adapters.process_pool import processes
from parity.checks.long_life import LIVES
from parity.checks.other_operands import OTHER_OPERANDS
from parity.checks.used_twice import USED_TWICE
from parity.faults import FAULTS
from parity.faults import kill_matrix as kill
from parity.faults.common_practices import PRACTICES
from parity.faults.fault import Fault
from parity.faults.inject import all_injections
from parity.faults.kill_summary import by_kind, failures, figures, totals
from parity.kinds import kind_of
from parity.kinds.probes import probes
from parity.kinds.real_sizes import real_sizes

EMPTY = pd.DataFrame()


@pytest.fixture(scope="module")
def matrix():
    return kill.kill_matrix(kinds=("rbf", "sgd"))


def plant(monkeypatch, kind, make, equivalent=""):
    fault = Fault("planted", kind, "A story.", make, "a planted difference", equivalent)
    monkeypatch.setitem(FAULTS, "planted", fault)


def test_the_matrix_has_a_row_a_fault_that_says_what_killed_it(matrix):
    assert list(matrix["fault"]) == [f.name for f in FAULTS.values() if f.kind in ("rbf", "sgd")]
    living = matrix[matrix["equivalent"] == ""]
    assert living["killed"].all() and living["named"].all() and not matrix["misnamed"].any()
    assert (living["checks_failed"] > 0).all() and (living["killed_by"] != "").all()
    row = matrix.set_index("fault").loc["sgd-lr-forgotten"]
    assert (row["killed_by"], row["case"], row["tensor"]) == ("float64 forward", "one step", "W step 1")
    assert set(PRACTICES) <= set(matrix.columns)


@pytest.mark.slow
def test_two_processes_find_what_one_finds(matrix):
    with processes(2) as spread:
        again = kill.kill_matrix(kinds=("rbf", "sgd"), spread=spread)
        alarms, compared = kill.false_alarms(9, kinds=("relu", "im2col"), spread=spread)
    pd.testing.assert_frame_equal(matrix, again)
    here, count = kill.false_alarms(9, kinds=("relu", "im2col"))
    assert alarms.empty and here.empty and compared == count


def test_a_survivor_fails(monkeypatch, matrix):
    plant(monkeypatch, "rbf", kind_of("rbf").ours)
    table = kill.kill_matrix(kinds=("rbf",))
    assert [line for line in failures(table, kill.injection_frame([]), EMPTY) if "planted" in line] == [
        "SURVIVED planted: A story."
    ]


def test_one_that_is_declared_equivalent_and_is_not_fails(monkeypatch):
    plant(monkeypatch, "rbf", FAULTS["rbf-mean"].make, equivalent="it is said to be")
    lines = failures(kill.kill_matrix(kinds=("rbf",)), kill.injection_frame([]), EMPTY)
    assert "ACCUSED though equivalent: planted" in lines


def test_a_wrong_name_a_misplaced_and_an_uncaught_one_and_a_false_alarm_fail(matrix):
    injections = pd.DataFrame(
        [
            ("lenet", "training", "C1", "a", "convolution", False, "", False),
            ("lenet", "training", "C3", "b", "wiring", True, "F6", False),
        ],
        columns=kill.injection_frame([]).columns,
    )
    wrong = matrix.assign(misnamed=[True] + [False] * (len(matrix) - 1), diagnosis="another")
    alarm = pd.DataFrame(
        [{"layer": "relu", "case": "2x3", "phase": "forward", "tensor": "out", "dtype": "float32"}]
    )
    lines = failures(wrong, injections, alarm)
    assert f"MISNAMED {matrix['fault'][0]} as another" in lines
    assert "NOT CAUGHT: a in lenet C1" in lines and "MISPLACED, named F6: b in lenet C3" in lines
    assert "FALSE ALARM relu 2x3 forward out float32" in lines
    few = matrix.assign(named=False)
    assert any(
        "90% is the mark" in line for line in failures(few, injections[:0].astype({"right": bool}), EMPTY)
    )


def test_a_correct_layer_that_is_not_raises_an_alarm(as_ours):
    class Off(sc.Relu):
        def forward(self, x):
            out = super().forward(x)
            return out * (1 + 1e-8) if len(x) == 3 else out

    as_ours("relu", Off)
    alarms, compared = kill.false_alarms(8, kinds=("relu",))
    assert 0 < len(alarms) < compared and set(alarms["tensor"]) == {"out"}


def test_eight_seeds_cover_every_kind_both_precisions_real_sizes_and_contracts():
    rows = [row for seed in range(8) for row in kill.correct_records(seed, ("convolution", "adam", "lrn"))]
    assert {(r.layer, r.dtype) for r in rows} == {
        (kind, dtype) for kind in ("convolution", "adam", "lrn") for dtype in ("float64", "float32")
    }
    assert {"forward", "backward", "backward twice", "updated in place"} <= {r.phase for r in rows}
    assert any(r.case.startswith("N=") for r in rows)
    of_engines = {USED_TWICE, OTHER_OPERANDS}
    assert {*LIVES} - of_engines <= {r.phase for r in rows}
    fixed, large = ({probe.id for probe in some} for some in (probes("lrn"), real_sizes("lrn")))
    assert len(fixed) == 5 and {r.case for r in rows if r.layer == "lrn"} == fixed | large


@pytest.mark.slow
def test_injections_of_one_kind_are_put_into_its_layers_alone():
    found = kill.injection_frame(all_injections(kinds=("lrn",)))
    assert set(found["network"]) == {"alexnet", "branched"} and set(found["family"]) == {"lrn"}
    assert found["right"].all() and len(found) >= 20


def test_the_summary_counts(matrix):
    injections = kill.injection_frame([])
    kinds = by_kind(matrix, injections).set_index("kind")
    assert kinds.loc["sgd", "faults"] == kinds.loc["sgd", "killed"] == kinds.loc["sgd", "named"] == 13
    assert kinds.loc["sgd", "sum loss"] == -1
    table = totals(matrix, injections, EMPTY, 10, 5).set_index("figure")
    assert table.loc["equivalent", "count"] == 1 and table.loc["killed", "out_of"] == 22
    text = "\n".join(figures(matrix, injections, EMPTY, 10, 5))
    assert "killed   22 of 22 faults" in text and "equivalent, so not killed: sgd-decoupled" in text


def test_the_command_ends_with_0_fits_80_columns_and_writes_its_tables(tmp_path, parity):
    status, out, _ = parity("faults", "rbf", "sgd", "--seeds", 4, "--workers", 1, "--out", tmp_path)
    assert status == 0 and "PASSED in" in out
    rows = [line for line in out.splitlines() if line.startswith(("kind", "rbf ", "sgd "))]
    assert len(rows) == 3 and all(len(line) <= 80 for line in rows)
    names = {path.name for path in tmp_path.iterdir()}
    assert {"faults.csv", "faults.parquet", "faults_summary.csv"} <= names
    assert len(pd.read_parquet(tmp_path / "faults.parquet")) == 23


def test_the_command_ends_with_1_for_a_survivor(monkeypatch, parity):
    plant(monkeypatch, "sgd", kind_of("sgd").ours)
    status, out, _ = parity("faults", "sgd", "--seeds", 0, "--workers", 1, "--verbose")
    assert status == 1 and "SURVIVED planted" in out and "FAILED in" in out and "sgd-ascends" in out


def test_a_kind_without_faults_is_misuse():
    with pytest.raises(ValueError, match="no faults of telepathy; there are those of adadelta, adagrad"):
        kill.known_kinds(["telepathy"])
    assert kill.known_kinds(["Max-Pooling"]) == ("max_pooling",)
