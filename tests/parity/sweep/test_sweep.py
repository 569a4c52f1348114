"""A sweep on this machine: its rows, what a killed one leaves, what the report says, and the command."""

import re
from contextlib import nullcontext
from dataclasses import replace

import pandas as pd
import pytest
import torch

from parity.sweep.cell import ended, timed
from parity.sweep.cells import expand
from parity.sweep.estimate import estimate
from parity.sweep.local import run_local
from parity.sweep.plan import make_plan
from parity.sweep.report import page
from parity.sweep.run import Tally, sweep
from parity.sweep.store import Store, StoreError, encode
from parity.sweep.summary import summarize
from parity.sweep.worker import Result

PLAN = """
[[part]]
name = "small"
layers = ["relu", "affine"]
seeds = 3
"""


@pytest.fixture
def planned(tmp_path):
    (tmp_path / "plan.toml").write_text(PLAN)
    return tmp_path / "plan.toml", tmp_path / "out"


def test_the_command_writes_rows_that_any_reader_opens(planned, parity):
    plan, out = planned
    status, said, _ = parity("sweep", plan, "--out", out, "--workers", 2)
    rows = pd.read_parquet(out / "rows")
    cells = list(expand(make_plan({"part": [{"name": "small", "layers": ["relu", "affine"], "seeds": 3}]})))
    assert set(rows["cell"]) == {cell.id for cell in cells} and set(rows["part"]) == {"small"}
    assert status == 0 and rows["ok"].all() and f"MATCH: {len(cells)} cells" in said
    parts = {path: path.stat().st_mtime_ns for path in (out / "rows").rglob("*.parquet")}
    assert parity("sweep", plan, "--out", out).status == 0  # nothing is left to do
    assert {path: path.stat().st_mtime_ns for path in (out / "rows").rglob("*.parquet")} == parts
    assert parity("sweep-report", out).status == 0
    assert "All 78 cells match PyTorch" in (out / "report.html").read_text()


def test_one_and_two_workers_give_the_same_rows(plan, tmp_path, rows_of):
    sweep(plan, tmp_path / "one", 1, weight=30)
    sweep(plan, tmp_path / "two", 2, weight=17)
    pd.testing.assert_frame_equal(rows_of(tmp_path / "one"), rows_of(tmp_path / "two"))


def test_a_killed_sweep_goes_on_and_repeats_nothing(
    thousands, tmp_path, undisturbed, rows_of, killed_sweep, parity
):
    out = tmp_path / "killed"
    finished = killed_sweep(4, out, thousands, "--workers", 2)
    kept = {path: path.stat().st_mtime_ns for path in Store(out).files()}
    assert 0 < len(finished) < 5_700 and Store(out).about()["seconds"] > 0
    status, said, _ = parity("sweep", thousands, "--out", out, "--workers", 2)
    left = f"{5_700 - len(finished):,} cells, {len(finished):,} finished before, of 5,700"
    assert status == 0 and left in said
    assert not list(out.rglob(".*.tmp"))
    assert kept.items() <= {path: path.stat().st_mtime_ns for path in Store(out).files()}.items()
    pd.testing.assert_frame_equal(rows_of(out), rows_of(undisturbed))


def test_a_folder_of_another_plan_or_in_use_is_refused(plan, tmp_path):
    with Store(tmp_path).opened(plan.as_data()) as store:
        store.note(plan=plan.as_data())
        with pytest.raises(StoreError, match="another sweep is writing to"), store.opened(plan.as_data()):
            pass
    other = replace(plan, parts=(replace(plan.parts[0], seeds=range(9)),))
    with (
        pytest.raises(StoreError, match=r"another plan \(parts.1.seeds.count: 5 there, 9 here\)"),
        Store(tmp_path).opened(other.as_data()),
    ):
        pass


def test_what_came_before_ctrl_c_is_kept(plan, tmp_path, monkeypatch):
    def interrupted(*arguments):
        found = run_local(*arguments)
        yield next(found)
        found.close()
        raise KeyboardInterrupt

    monkeypatch.setattr("parity.sweep.run.run_local", interrupted)
    tally = Tally()
    with pytest.raises(KeyboardInterrupt):
        sweep(plan, tmp_path, 1, tally=tally, weight=20)
    assert 0 < tally.cells == len(Store(tmp_path).finished()) < tally.total
    assert not summarize(Store(tmp_path)).ok


def test_the_estimate_counts_every_cell_and_times_each_sort():
    plan = make_plan({"part": [{"name": "a", "layers": ["relu"], "seeds": 4, "faults": ["relu-leaky"]}]})
    found = estimate(plan)
    assert found.total == len(list(expand(plan)))
    assert found.cells["a", "fault"] == 4 and found.cells["a", "contracts"] == 8
    assert found.start > 0 and set(found.seconds) == set(found.cells) and min(found.seconds.values()) > 0


TAKE = {"probe": 0.002, "contracts": 0.5, "fault": 3.0}


class Clockwork:
    """A runner and its clock: TAKE for a cell, 0.12 s more for a batch's first, 0.12 s around a batch."""

    now = 0.0

    def perf_counter(self):
        return self.now

    def run(self, cells):
        seconds = [TAKE[cell.what] for cell in cells]
        seconds[0] += 0.12
        self.now += sum(seconds) + 0.12
        rows = [row for cell, s in zip(cells, seconds, strict=True) for row in timed(ended(cell, ""), s)]
        return Result(encode(rows), len(rows))


def test_the_estimate_adds_to_each_cell_its_share_of_a_batch(monkeypatch):
    clockwork = Clockwork()
    monkeypatch.setattr("parity.sweep.estimate.time", clockwork)
    monkeypatch.setattr("parity.sweep.estimate.Runner", lambda *limits: nullcontext(clockwork))
    plan = make_plan({"part": [{"name": "a", "layers": ["relu"], "seeds": 4, "faults": ["relu-leaky"]}]})
    found = estimate(plan, weight=240)
    each = {what: found.seconds["a", what] / found.cells["a", what] for what in TAKE}
    shares = {"probe": 0.24 / 240, "contracts": 0.24 * 8 / 240, "fault": 0.24 * 60 / 240}
    assert each == pytest.approx({what: TAKE[what] + shares[what] for what in TAKE})
    assert found.work == pytest.approx(sum(found.seconds.values())) and found.taken(2) > found.work / 2


def test_a_dry_run_counts_and_estimates_and_writes_nothing(planned, parity):
    plan, out = planned
    plan.write_text(PLAN + "devices = ['cpu', 'cuda']\n")
    status, said, _ = parity("sweep", plan, "--out", out, "--workers", 2, "--dry-run")
    assert status == 0 and re.search(r"^small +probe +66 cells +\d+\.\d\d ms each$", said, re.M)
    assert re.search(r"^156 cells, \d+\.\d\d core hours; about [\d.]+ \w+ with 2 processes here", said, re.M)
    if not torch.cuda.is_available():
        assert re.search(r"^small +probe cuda +66 cells +not timed: ", said, re.M)
    assert not out.exists()


# -- the report -----------------------------------------------------------------------------------
def test_failures_are_grouped_and_nothing_wrong_passes(tmp_path):
    (tmp_path / "a.py").write_text("class Relu:\n    def forward(self, x):\n        return x\n")
    (tmp_path / "<b>.py").write_text("class (")
    plan = make_plan({"part": [{"name": "students", "folder": ".", "seeds": 2}]}, tmp_path)
    sweep(plan, tmp_path / "out", 1)
    summary = summarize(Store(tmp_path / "out"))
    failures = summary.failures().set_index("target")
    assert set(failures.loc[["a.py:Relu"], "cells"]) == {2}
    assert "SyntaxError" in failures.loc["<b>.py:", "why"] and not summary.ok
    html = page(summary)
    assert "4 of 4 cells do not match" in html and "&lt;b&gt;.py" in html and "<b>.py" not in html


def test_of_a_changed_file_the_last_version_counts(tmp_path):
    folder = tmp_path / "work"
    folder.mkdir()
    for text in ("class Relu: pass\n", "from scratchcnn.layers import Relu as R\nclass Relu(R): pass\n"):
        (folder / "a.py").write_text(text)
        sweep(make_plan({"part": [{"folder": "work"}]}, tmp_path), tmp_path / "out", 1)
    summary = summarize(Store(tmp_path / "out"))
    assert summary.ok and summary.cells == 1


def test_rows_that_prove_nothing_are_no_pass(plan, tmp_path):
    sweep(plan, tmp_path, 1)
    summary = summarize(Store(tmp_path))
    assert summary.ok
    summary.rows.loc[summary.rows["tensor"] == "dx", "proves"] = False
    assert not summary.ok and "inconclusive" in "\n".join(summary.lines())


def test_an_unfinished_sweep_is_no_pass(plan, tmp_path):
    sweep(plan, tmp_path, 1, weight=40)
    Store(tmp_path).files()[0].unlink()
    summary = summarize(Store(tmp_path))
    assert not summary.ok and summary.failed.empty
    assert any(line.startswith("not finished: ") for line in summary.lines())


# -- misuse ---------------------------------------------------------------------------------------
MISUSE = {
    "no folder": ([], "--out is missing"),
    "both": (["--out", "x", "--workers", 1, "--scheduler", "tcp://127.0.0.1:1"], "give only one of them"),
}


@pytest.mark.parametrize(("options", "why"), MISUSE.values(), ids=MISUSE)
def test_misuse_is_a_sentence(planned, parity, options, why):
    status, _, err = parity("sweep", planned[0], *options)
    assert status == 2 and why in err


def test_a_report_of_nothing_is_refused(tmp_path, parity):
    status, _, err = parity("sweep-report", tmp_path)
    assert status == 2 and "holds no rows of a sweep" in err


def test_a_batch_written_twice_is_there_once(plan, tmp_path):
    with Store(tmp_path).opened(plan.as_data()) as store:
        for batch, result in run_local(list(_batches(plan)), 1):
            assert isinstance(result, Result)
            store.write(batch, result.data)
            store.write(batch, result.data)
    rows = pd.read_parquet(tmp_path / "rows")
    assert not rows.duplicated(["cell", "case", "phase", "tensor"]).any()


def _batches(plan):
    from parity.sweep.cells import batches

    return batches(list(expand(plan))[:20])
