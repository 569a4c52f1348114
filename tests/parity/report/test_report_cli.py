"""`parity report`: parts, Ctrl-C, exit status, files."""

from dataclasses import replace

import pytest

from parity import cli
from parity.report import collect as collecting
from parity.report.collect import Findings, Request, collect


@pytest.fixture
def parity(capsys):
    def run(*arguments):
        with pytest.raises(SystemExit) as end:
            cli.main([str(a) for a in arguments])
        said = capsys.readouterr()
        return end.value.code, said.out, said.err

    return run


@pytest.fixture
def asked(monkeypatch, found):
    """The command collects the findings of the small run instead; what it asked for."""
    requests = []

    def instead(request, progress):
        requests.append(request)
        progress("a part", 1, 2)
        return found

    monkeypatch.setattr(collecting, "collect", instead)
    return requests


def test_a_quick_report(parity, asked, tmp_path):
    status, out, _ = parity("report", "--quick", "--skip", "speed", "--skip", "training", "--out", tmp_path)
    assert status == 0 and f"open {tmp_path / 'index.html'}" in out
    assert asked[0].parts == ("accuracy", "faults") and asked[0].quick and asked[0].epochs == 3
    assert (tmp_path / "index.html").stat().st_size < 2_000_000


def test_a_failure_is_1_and_said(parity, tmp_path, monkeypatch, found):
    wrong = replace(found, failures=found.failures | {"accuracy": ["lenet conv1 forward out float64"]})
    monkeypatch.setattr(collecting, "collect", lambda request, progress: wrong)
    status, out, _ = parity("report", "--out", tmp_path)
    assert status == 1 and "accuracy  FAIL" in out and "lenet conv1 forward out float64" in out


def test_ctrl_c_keeps_the_parts_that_were_done(monkeypatch):
    def faults(request, found, progress):
        raise KeyboardInterrupt

    monkeypatch.setattr(collecting, "faults", faults)
    found = collect(Request(networks=(), kinds=("relu",)))
    assert found.parts == ("accuracy",) and found.interrupted == "faults"
    assert set(found.tables) == {"accuracy"} and not found.failures["accuracy"]


def test_an_interrupted_report_does_not_replace_a_whole_one(parity, tmp_path, monkeypatch, found):
    out = tmp_path / "reports"
    some = replace(found, interrupted="speed", failures={"accuracy": []},
                   tables={"accuracy": found.tables["accuracy"]}, pictures=None)  # fmt: skip
    monkeypatch.setattr(collecting, "collect", lambda request, progress: some)
    status, _, err = parity("report", "--out", out)
    assert status == 130 and "interrupted during speed; accuracy are kept" in err
    (out / "index.html").write_text("whole")
    assert parity("report", "--out", out)[0] == 130
    assert (out / "index.html").read_text() == "whole"
    assert (tmp_path / "reports-interrupted" / "accuracy.parquet").exists()


def test_interrupted_before_anything_was_done(parity, tmp_path, monkeypatch):
    monkeypatch.setattr(collecting, "collect", lambda request, progress: Findings(interrupted="accuracy"))
    status, _, err = parity("report", "--out", tmp_path / "reports")
    assert status == 130 and "nothing was written" in err and not (tmp_path / "reports").exists()


def test_nothing_left_to_do_is_misuse(parity):
    skips = [word for part in collecting.PARTS for word in ("--skip", part)]
    status, _, err = parity("report", *skips)
    assert status == 2 and err == "error: --skip leaves nothing to do; leave at least one part\n"


def test_a_wrong_layer_fails_the_report(monkeypatch):
    import scratchcnn as sc
    from parity.implementations import OURS

    class Wrong(sc.Relu):
        def backward(self, dout):
            return dout

    monkeypatch.setitem(OURS, "relu", Wrong)
    found = collect(Request(parts=("accuracy",), networks=(), kinds=("relu",)))
    assert not found.ok and any("relu" in text and "dx" in text for text in found.failures["accuracy"])
