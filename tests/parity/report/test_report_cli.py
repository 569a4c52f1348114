"""`parity report`: parts, Ctrl-C, exit status, files."""

import re
from dataclasses import replace

import pandas as pd
import pytest

from parity.report import collect as collecting
from parity.report.collect import collect
from parity.report.findings import Findings
from parity.report.request import PARTS, ReportRequest, Timed


@pytest.fixture
def asked(monkeypatch, found):
    """The command collects the findings of the small run instead; what it asked for."""
    requests = []

    def instead(request, progress):
        requests.append(request)
        progress.part_started("accuracy", ("faults",))
        progress.update("checking relu", 1, 2)
        progress.part_finished("accuracy", 3.2, [])
        return found

    monkeypatch.setattr(collecting, "collect", instead)
    return requests


def test_a_quick_report(parity, asked, tmp_path):
    status, out, _ = parity("report", "--quick", "--skip", "speed", "--skip", "training", "--out", tmp_path)
    assert status == 0 and f"open {tmp_path / 'index.html'}" in out
    assert out.startswith("accuracy, faults: about 1 minute on two quiet cores")
    assert "1/2 accuracy  ok, 3 s" in out
    assert (
        asked[0].parts == ("accuracy", "faults") and asked[0].quick and dict(asked[0].trained)["lenet"] == 3
    )
    assert (tmp_path / "index.html").stat().st_size < 2_000_000


def test_a_failure_is_1_and_said(parity, tmp_path, monkeypatch, found):
    wrong = replace(found, failures=found.failures | {"accuracy": ["lenet conv1 forward out float64"]})
    monkeypatch.setattr(collecting, "collect", lambda request, progress: wrong)
    status, out, _ = parity("report", "--out", tmp_path)
    assert status == 1 and "accuracy  FAIL" in out and "lenet conv1 forward out float64" in out


def interrupt(*args, **options):
    raise KeyboardInterrupt


def test_ctrl_c_keeps_the_parts_that_were_done(monkeypatch):
    monkeypatch.setattr(collecting.parts, "faults", interrupt)
    found = collect(ReportRequest(networks=(), kinds=("relu",)))
    assert found.parts == ("accuracy",) and found.interrupted == "faults"
    assert set(found.tables) == {"headlines", "accuracy"} and not found.failures["accuracy"]
    assert found.left == ["faults", "training", "speed"] and found.environment["interrupted"] == "faults"


def test_ctrl_c_keeps_the_networks_that_were_timed(monkeypatch, tmp_path):
    from parity.report.write import write
    from parity.timing import clock
    from parity.timing import measure as timing

    def second_is_interrupted(name, n, *rest):
        return interrupt() if n == 2 else once(name, n, *rest)

    once = timing.time_network
    monkeypatch.setattr(timing, "time_network", second_is_interrupted)
    monkeypatch.setattr(clock, "TRIES", 1)
    some = [Timed("lenet", n, rounds=1, baselines=False, memory=False) for n in (1, 2, 3)]
    found = collect(ReportRequest(parts=("speed",), timed=tuple(some)))
    assert set(found.tables["speed"]["batch_size"]) == {1} and not found.parts
    assert found.left == ["speed (lenet N=2, lenet N=3, the cost against batch and image size)"]
    write(found, tmp_path)
    assert "Interrupted during speed" in (tmp_path / "index.html").read_text()
    assert (tmp_path / "speed.parquet").exists()


def test_a_part_that_breaks_down_fails_and_the_next_are_run(monkeypatch):
    monkeypatch.setattr(collecting.parts, "accuracy", lambda *_: 1 / 0)
    monkeypatch.setattr(collecting.parts, "faults", lambda *_: [])
    found = collect(ReportRequest(parts=("accuracy", "faults")))
    assert found.failures == {"accuracy": ["failed with ZeroDivisionError: division by zero"], "faults": []}
    assert not found.ok


def test_a_table_that_repeats_a_key_fails_its_part_and_is_left_out(monkeypatch):
    def twice(request, found, progress):
        found.tables["faults_summary"] = pd.DataFrame({"figure": ["killed"] * 2, "count": 1, "out_of": 1})
        return []

    monkeypatch.setattr(collecting.parts, "faults", twice)
    found = collect(ReportRequest(parts=("faults",)))
    assert found.failures == {
        "faults": [
            "the table faults_summary has 1 row with the same key as another row, the first: figure killed"
        ]
    }
    assert not found.tables and not found.ok


def test_on_cuda_float32_is_checked_with_tf32_too(monkeypatch, tmp_path):
    from parity.reference import devices
    from parity.report.write import write

    prepared = []
    modes = [("cpu", ["float64", "float32"]), ("cpu tf32", ["float32"])]
    monkeypatch.setattr(devices, "modes", lambda device, dtypes: modes)
    monkeypatch.setattr(devices, "prepare", prepared.append)
    seen = collect(ReportRequest(parts=("accuracy",), networks=("simple_conv_net",), kinds=("relu",)))
    by = seen.tables["accuracy"].groupby("device", observed=True)["dtype"].unique()
    assert [*by["cpu tf32"]] == ["float32"] and sorted(by["cpu"]) == ["float32", "float64"]
    assert prepared == ["cpu"] * 4 + ["cpu tf32"] * 2 + ["cpu"]  # and as it was
    write(seen, tmp_path)
    assert "simple_conv_net float32 cpu tf32" in re.sub("<wbr>", "", (tmp_path / "index.html").read_text())
    assert "| simple_conv_net | float32 | cpu tf32 |" in (tmp_path / "README.md").read_text()


def test_a_listener_hears_of_everything_in_order():
    class Listener:
        def __init__(self):
            self.heard = []

        def part_started(self, part, remaining):
            self.heard.append((part, remaining))

        def update(self, text, done, total):
            self.heard.append((text, done, total))

        def part_finished(self, part, seconds, failed):
            self.heard.append((part, failed))

    listener = Listener()
    collect(ReportRequest(parts=("accuracy",), networks=(), kinds=("relu", "tanh")), listener)
    kinds = [f"checking {kind} {dtype}" for dtype in ("float64", "float32") for kind in ("relu", "tanh")]
    updates = [(text, k, 4) for k, text in enumerate(kinds)]
    assert listener.heard == [("accuracy", ()), *updates, ("accuracy", [])]


def test_an_interrupted_report_does_not_replace_a_whole_one(parity, tmp_path, monkeypatch, found):
    out = tmp_path / "reports"
    some = replace(
        found,
        interrupted="speed",
        failures={"accuracy": []},
        left=["speed (lenet N=1)"],
        tables={"accuracy": found.tables["accuracy"]},
        pictures=None,
    )
    monkeypatch.setattr(collecting, "collect", lambda request, progress: some)
    status, _, err = parity("report", "--out", out)
    assert status == 130 and err == f"interrupted during speed; {out} lacks speed (lenet N=1)\n"
    (out / "index.html").write_text("whole")
    assert parity("report", "--out", out)[0] == 130
    assert (out / "index.html").read_text() == "whole"
    assert (tmp_path / "reports-interrupted" / "accuracy.parquet").exists()


def test_more_threads_than_cores_are_misuse(parity):
    status, _, err = parity("report", "--threads", 100_000)
    assert status == 2 and err.startswith("error: --threads must lie in 1..")


def test_interrupted_before_anything_was_done(parity, tmp_path, monkeypatch):
    monkeypatch.setattr(collecting, "collect", lambda request, progress: Findings(interrupted="accuracy"))
    status, _, err = parity("report", "--out", tmp_path / "reports")
    assert status == 130 and "nothing was written" in err and not (tmp_path / "reports").exists()


def test_nothing_left_to_do_is_misuse(parity):
    skips = [word for part in PARTS for word in ("--skip", part)]
    status, _, err = parity("report", *skips)
    assert status == 2 and err == "error: --skip leaves nothing to do; keep at least one part\n"


def test_a_wrong_layer_fails_the_report(as_ours):
    import scratchcnn as sc

    class Wrong(sc.Relu):
        def backward(self, dout):
            return dout

    as_ours("relu", Wrong)
    found = collect(ReportRequest(parts=("accuracy",), networks=(), kinds=("relu",)))
    assert not found.ok and any("relu" in text and "dx" in text for text in found.failures["accuracy"])
