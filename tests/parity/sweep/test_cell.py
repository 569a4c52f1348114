"""What one cell gives, and what becomes of cells that do not behave."""

import io
import os
import textwrap
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from helpers import TIMING

from parity.adapters.load import load
from parity.sweep.cell import NOTHING, CannotRun, _probes, run_cell
from parity.sweep.cells import Cell, expand, version_of
from parity.sweep.plan import make_plan
from parity.sweep.store import ROW_COLUMNS, encode
from parity.sweep.worker import Runner
from parity.sweep.worker_process import run_cells
from scratchcnn.layers import Relu

CELLS = f"{Path(__file__).parent}/cells.py:rude"
RELU = Cell("p", "probe", "relu", "images", "float64", seed=3)


@pytest.mark.parametrize(
    "cell",
    [
        RELU,
        Cell("p", "geometry", "convolution", "2", "float32", seed=5),
        Cell("p", "contracts", "affine", "", "float64"),
        Cell("p", "network", "simple_conv_net", "", "float64", options=(("steps", 1), ("batch_size", 2))),
        Cell("p", "fault", "relu", fault="relu-leaky"),
    ],
    ids=lambda cell: cell.what,
)
def test_our_own_cells_match_and_repeat(cell):
    rows = run_cell(cell)
    assert rows and all(row["ok"] and row["status"] == "match" for row in rows)
    assert all(set(row) == set(ROW_COLUMNS) and row["cell"] == cell.id for row in rows)

    def told(rows):
        return repr([{k: v for k, v in row.items() if k not in TIMING} for row in rows])

    assert told(rows) == told(run_cell(cell))


def test_a_mismatch_has_a_culprit_and_a_diagnosis(as_ours):
    class Leaky(Relu):
        def forward(self, x):
            return super().forward(x) + 0.01 * np.minimum(x, 0)

        def backward(self, dout):
            dx = super().backward(dout)
            return np.where(dx == 0, 0.01 * dout, dx)

    as_ours("relu", Leaky)
    row = run_cell(RELU)[0]
    assert (row["status"], row["culprit"], row["diagnosis"]) == (
        "mismatch",
        "relu, forward, out",
        "relu-leaky",
    )


def test_a_known_bug_that_survives_is_a_mismatch(monkeypatch):
    from parity.faults import FAULTS

    blind = replace(FAULTS["relu-leaky"], make=Relu)
    monkeypatch.setitem(FAULTS, "relu-leaky", blind)
    (row,) = run_cell(Cell("p", "fault", "relu", fault="relu-leaky"))
    assert (row["status"], row["why"]) == ("mismatch", "survived every check")
    assert row["culprit"] == "the checker, on relu"


def test_an_exception_is_a_row(monkeypatch):
    monkeypatch.setattr("parity.checks.network.check_network", lambda *_: 1 / 0)
    (row,) = run_cell(Cell("p", "network", "lenet", "", "float64"))
    assert (row["status"], row["why"]) == ("raised", "raised ZeroDivisionError: division by zero")
    assert row["network"] == "lenet" and not row["ok"] and np.isnan(row["margin"])


def test_no_rows_are_no_pass(monkeypatch):
    monkeypatch.setattr("parity.checks.network.check_network", lambda *_: iter(()))
    (row,) = run_cell(Cell("p", "network", "lenet", "", "float64"))
    assert not row["ok"] and row["why"] == "nothing was compared"


RIGHT = """
import numpy as np
class Relu:
    def forward(self, x):
        self.mask = x > 0
        return np.where(self.mask, x, 0).astype(x.dtype)
    def backward(self, dout):
        return np.where(self.mask, dout, 0).astype(dout.dtype)
"""
LEAKY = RIGHT.replace("x, 0", "x, 0.01 * x").replace("dout, 0", "dout, 0.01 * dout")


def test_other_peoples_files_are_verified(tmp_path):
    (tmp_path / "ann.py").write_text(RIGHT)
    (tmp_path / "bob.py").write_text(LEAKY)
    ann, bob = (run_cell(cell) for cell in expand(make_plan({"part": [{"folder": "."}]}, tmp_path)))
    assert ann and all(row["ok"] and row["target"] == "ann.py:Relu" for row in ann)
    failed = [row for row in bob if not row["ok"]]
    assert failed and {row["diagnosis"] for row in failed} == {"relu-leaky"}
    assert {row["culprit"] for row in failed} == {"relu, forward, out"}
    assert {row["status"] for row in failed} == {"mismatch"}  # nothing was raised


def test_right_numbers_pass_with_what_is_not_right(tmp_path):
    (tmp_path / "ann.py").write_text(RIGHT.replace(".astype(x.dtype)", ".astype(float)"))
    (rows,) = (run_cell(cell) for cell in expand(make_plan({"part": [{"folder": "."}]}, tmp_path)))
    assert all(row["ok"] for row in rows)
    noted = [row for row in rows if row["status"] == "right_but"]
    assert {row["why"] for row in noted} == {"right, but float64 comes out of float32 (out)"}


def test_what_could_not_be_checked_is_not_called_a_mismatch(tmp_path):
    (tmp_path / "ann.py").write_text(RIGHT.replace("return np.where(self.mask, dout", "return [][0] + (dout"))
    (ann,) = (run_cell(cell) for cell in expand(make_plan({"part": [{"folder": "."}]}, tmp_path)))
    failed = [row for row in ann if not row["ok"]]
    assert failed and {row["status"] for row in failed} == {"unchecked"}
    assert {row["culprit"] for row in failed} == {"could not be checked"}
    assert "backward raised IndexError" in failed[0]["diagnosis"]


def test_a_file_that_crashes_is_a_row():
    homework = Path(__file__).parents[1] / "homework"
    cell = next(expand(make_plan({"part": [{"folder": "homework"}]}, homework.parent)))
    rude = replace(
        cell, name="relu", target="rude.py:Crashes", version=version_of((homework / "rude.py").read_bytes())
    )
    *before, last = run_cell(rude)
    assert (last["status"], last["why"]) == ("crashed", "crashed: SIGSEGV") and last[
        "target"
    ] == "rude.py:Crashes"
    assert not any(row["status"] == "crashed" for row in before)


def test_a_file_that_says_nothing_is_a_row(tmp_path):
    (tmp_path / "a.py").write_text("class (")
    (tmp_path / "b.py").write_text("x = 1\n")
    found = [run_cell(cell) for cell in expand(make_plan({"part": [{"folder": "."}]}, tmp_path))]
    assert [row["why"].split(":")[0] for (row,) in found] == ["raised SyntaxError", "raised LookupError"]


def test_odd_files_are_rows_and_stop_nothing(tmp_path):
    (tmp_path / "deep.py").write_text("x = " + "(" * 5000 + "1" + ")" * 5000)
    (tmp_path / "link.py").symlink_to(tmp_path / "nowhere.py")
    os.mkfifo(tmp_path / "pipe.py")
    (tmp_path / os.fsdecode(b"caf\xe9.py")).write_text(RIGHT)
    (tmp_path / "twice.py").write_text(LEAKY + RIGHT)
    (tmp_path / "under.py").write_text("if True:\n" + textwrap.indent(RIGHT, "    "))
    cells = list(expand(make_plan({"part": [{"folder": "."}]}, tmp_path)))
    found = {cell.target: run_cell(cell) for cell in cells}
    assert len(found) == len(cells) == 6
    assert all(row["ok"] for name in ("twice.py:Relu", "under.py:Relu") for row in found[name])
    for name in ("link.py:", "pipe.py:", "caf\\udce9.py:"):
        assert [row["why"][:31] for row in found[name]] == ["raised OSError: it cannot be re"], name
    (deep,) = found["deep.py:"]
    assert not deep["ok"] and deep["status"] in ("raised", "memory")


def test_a_file_that_is_not_there_or_another_is_not_a_finding(tmp_path):
    (tmp_path / "a.py").write_text("class Relu: pass\n")
    (cell,) = expand(make_plan({"part": [{"folder": "."}]}, tmp_path))
    (tmp_path / "a.py").write_text("class Relu: x = 1\n")
    with pytest.raises(CannotRun, match="has changed since the sweep was started"):
        run_cell(cell)
    (tmp_path / "a.py").unlink()
    with pytest.raises(CannotRun, match="there is no file"):
        run_cell(cell)


# -- cells that do not behave ---------------------------------------------------------------------
ENDINGS = {
    "crash": ("crashed", "crashed: SIGSEGV"),
    "hang": ("hung", "hung: no answer within 2 s"),
    "eat": ("memory", "raised MemoryError: Unable to allocate 2.00 GiB"),
    "leave": ("crashed", "called sys.exit(3)"),
    "vanish": ("crashed", "left the process with exit status 7"),
}


@pytest.mark.parametrize(("manner", "ending"), ENDINGS.items(), ids=ENDINGS)
def test_a_rude_cell_becomes_a_row_and_its_neighbours_are_as_ever(manner, ending):
    before, bad, after = RELU, replace(RELU, fault=manner), replace(RELU, seed=4)
    run_cell(before)  # here, so that its child has nothing to import
    rows = run_cells([before, bad, after], silence=2, memory=512, run=load(CELLS))
    assert [row["cell"] for row in rows] == 2 * [before.id] + [bad.id] + 2 * [after.id]
    assert (rows[2]["status"], rows[2]["ok"]) == (ending[0], False) and rows[2]["why"].startswith(ending[1])
    assert all(row["ok"] for i, row in enumerate(rows) if i != 2)
    assert {k: rows[2][k] for k in ("layer", "dtype", "case")} == {
        "layer": "relu",
        "dtype": "float64",
        "case": "images",
    }
    assert set(rows[2]) == set(ROW_COLUMNS) > set(NOTHING) and encode(rows)


def test_a_helper_that_dies_is_replaced_and_only_who_kills_it_each_time_has_a_row_for_it(
    tmp_path, monkeypatch
):
    monkeypatch.setattr("parity.sweep.worker.TRIES", 1)  # starting another takes seconds
    once = replace(RELU, fault="kill the helper once", target=str(tmp_path / "once"))
    guilty = replace(RELU, fault="kill the helper")
    with Runner(timeout=60, target=CELLS) as runner:
        rows = pd.read_parquet(io.BytesIO(runner.run([RELU, once, guilty]).data))
    assert list(rows["cell"]) == 2 * [RELU.id] + 2 * [once.id] + [guilty.id]
    assert list(rows["status"]) == 4 * ["match"] + ["crashed"] and (tmp_path / "once").exists()


def test_a_cells_rows_are_the_same_whatever_ran_before_it():
    cells = list(expand(make_plan({"part": [{"layers": ["relu", "affine", "sgd"]}]})))

    def told(found):
        return {
            c.id: repr([{k: v for k, v in r.items() if k not in TIMING} for r in rows]) for c, rows in found
        }

    together = told([(cell, run_cell(cell)) for cell in cells])
    for cell in reversed(cells):
        _probes.cache_clear()
        assert told([(cell, run_cell(cell))])[cell.id] == together[cell.id], cell


def test_a_gradient_that_almost_cancels_is_no_mismatch():
    assert all(row["ok"] for row in run_cell(Cell("p", "probe", "softmax", "2x3", "float32", seed=111)))
