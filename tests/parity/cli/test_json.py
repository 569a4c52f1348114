"""`--json`: one object on the output, with a version, that every reader of JSON takes."""

import json
from pathlib import Path

import numpy as np
import pytest

HOMEWORK = Path(__file__).parents[1] / "homework"
VERDICT = {
    *(
        "schema",
        "target",
        "kind",
        "outcome",
        "ok",
        "headline",
        "convention",
        "where",
        "always",
        "buts",
        "declared",
    ),
    *(
        "not_checked",
        "unchecked",
        "suggestion",
        "compared",
        "wrong",
        "findings",
        "culprit",
        "wrong_function",
        "gradient_of",
        "diagnosis",
    ),
    *("reproduction", "remarks", "judge", "certificate", "explanation"),
    "protection",
}


@pytest.fixture
def found(parity):
    """Run a command with --json: its status and the object that it printed."""

    def run(*arguments):
        ended = parity(*arguments, "--json")
        return ended.status, json.loads(ended.out, parse_constant=lambda text: pytest.fail(text))

    return run


def test_a_wrong_one_with_all_its_fields(found):
    status, verdict = found("verify", f"{HOMEWORK}/wrong.py:ReluLeaky", "--as", "relu")
    assert status == 1 and verdict.keys() == VERDICT and verdict["schema"] == 1
    assert (verdict["outcome"], verdict["ok"], verdict["kind"]) == ("wrong", False, "relu")
    assert len(verdict["findings"]) == verdict["compared"] > verdict["wrong"] > 0
    assert verdict["findings"][0]["tensor"] == "out" and verdict["findings"][0]["shape"] == [2, 3]
    assert verdict["culprit"]["phase"] == "forward" and verdict["diagnosis"]["fault"] == "relu-leaky"
    assert "load(" in verdict["reproduction"]


@pytest.mark.parametrize(
    ("target", "kind", "outcome", "status"),
    [
        ("right.py:Relu", "relu", "right", 0),
        ("wrong.py:ReluInPlace", "relu", "right_but", 0),
        ("rude.py:RaisesBack", "relu", "not_checked", 2),
    ],
)
def test_the_other_outcomes(found, target, kind, outcome, status):
    ended, verdict = found("verify", f"{HOMEWORK}/{target}", "--as", kind)
    assert (ended, verdict["outcome"], verdict["ok"]) == (status, outcome, status == 0)
    assert bool(verdict["buts"]) == (outcome == "right_but")
    assert bool(verdict["unchecked"]) == (outcome == "not_checked")


def test_a_whole_file(found, tmp_path):
    (tmp_path / "mine.py").write_text(
        "class Relu:\n"
        "    def forward(self, x):\n        self.x = x\n        return x * (x > 0)\n"
        "    def backward(self, dout): return dout * (self.x > 0)\n"
        "class Odd: pass\n"
    )
    status, sheet = found("verify", tmp_path / "mine.py")
    assert (status, sheet["outcome"], sheet["unknown"]) == (0, "right", ["Odd"])
    assert [verdict["target"] for verdict in sheet["verdicts"]] == ["Relu"]


def test_foreign_text_has_no_control_characters(found, tmp_path):
    (tmp_path / "mine.py").write_text("raise ValueError('\\x1b[31mred\\x07')")
    status, verdict = found("verify", f"{tmp_path}/mine.py:Relu")
    assert status == 2 and "red" in verdict["unchecked"]
    assert not [c for c in json.dumps(verdict, ensure_ascii=False) if not c.isprintable()]


def test_misuse_prints_no_object(parity):
    ended = parity("verify", "none.py:Relu", "--json")
    assert ended.status == 2 and ended.out == "" and ended.err.startswith("error: ")


def test_compare(found, tmp_path):
    np.savez(tmp_path / "a.npz", W=np.eye(3))
    np.savez(tmp_path / "b.npz", W=np.array([[np.nan]]))
    for theirs, outcome, status in (("a.npz", "match", 0), ("b.npz", "mismatch", 1)):
        ended, compared = found("compare", tmp_path / "a.npz", tmp_path / theirs)
        assert (ended, compared["outcome"], compared["schema"]) == (status, outcome, 1)
        assert [row["tensor"] for row in compared["arrays"]] == ["W"]


def test_check(found, as_ours):
    status, checked = found("check", "relu")
    assert (status, checked["outcome"], checked["training"]) == (0, "match", [])
    assert {row["dtype"] for row in checked["records"]} == {"float64", "float32"}
    from parity.faults import FAULTS

    as_ours("relu", FAULTS["relu-leaky"].make)
    status, checked = found("check", "relu")
    assert (status, checked["outcome"]) == (1, "mismatch")


def test_what_comes_after_it_is_printed_again(found, parity):
    found("verify", f"{HOMEWORK}/right.py:Relu")
    assert "right, the same function" in parity("verify", f"{HOMEWORK}/right.py:Relu").out
