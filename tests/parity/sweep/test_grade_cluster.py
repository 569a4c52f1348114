"""Submissions on a real Dask cluster: the same grades as here, whoever is killed."""

import zipfile

import pytest

from parity.grading import cluster as grading
from parity.grading import run
from parity.grading.assignment import read_assignment
from parity.grading.submissions import submissions_in

RELU = """import numpy as np
class Relu:
    def forward(self, x):
        self.mask = x > 0
        return np.where(self.mask, x, 0)
    def backward(self, dout):
        return np.where(self.mask, dout, 0)
"""
LEAKY = RELU.replace("x, 0)", "x, 0.01 * x)").replace("dout, 0)", "dout, 0.01 * dout)")


@pytest.fixture
def submissions(tmp_path):
    """A file, a folder, a zip, and one that is none."""
    folder = tmp_path / "in"
    (folder / "ben" / "part").mkdir(parents=True)
    (folder / "anna.py").write_text(RELU)
    (folder / "ben" / "layers.py").write_text("from part.leaky import Relu\n")
    (folder / "ben" / "part" / "leaky.py").write_text(LEAKY)
    with zipfile.ZipFile(folder / "carl.zip", "w") as archive:
        archive.writestr("layers.py", RELU)
    (folder / "eve.zip").write_bytes(b"PK none")
    text = '[[task]]\nkind = "relu"\npoints = { forward = 2, dx = 2 }\n'
    (tmp_path / "assignment.toml").write_text(text)
    return submissions_in(folder)


def told(found):
    names = ("student", "points", "most", "tasks", "findings", "submitted")
    return [{name: one[name] for name in names} for one in found]


def test_a_cluster_gives_the_grades_of_this_machine(cluster, submissions, tmp_path, parity):
    asked = read_assignment(tmp_path / "assignment.toml")
    here, _ = run.grade_all(submissions, asked, tmp_path / "here")
    options = ("--assignment", tmp_path / "assignment.toml", "--scheduler", cluster.address)
    status, out, _ = parity("grade", tmp_path / "in", *options, "--out", tmp_path / "there")
    assert status == 2 and "eve: 0 of 4; could not be read" in out
    there = [run.read_grade(tmp_path / "there" / "results" / f"{one.student}.json") for one in submissions]
    assert told(there) == told(here) and [one["points"] for one in here] == [4, 0, 4, 0]
    assert {one["student"]: one["points"] for one in there}["carl"] == 4


def test_a_killed_worker_loses_nothing_and_what_is_there_is_not_sent(
    cluster, submissions, tmp_path, monkeypatch
):
    asked, done = read_assignment(tmp_path / "assignment.toml"), []

    def each(one):
        if not done:
            cluster.workers[0].kill()
            cluster.workers[0].wait()
        done.append(one["student"])

    found, _ = run.grade_all(submissions, asked, tmp_path / "out", each=each, scheduler=cluster.address)
    assert [one["points"] for one in found] == [4, 0, 4, 0] and sorted(done) == ["anna", "ben", "carl", "eve"]
    monkeypatch.setattr(grading, "parcel", None)
    again, _ = run.grade_all(submissions, asked, tmp_path / "out", scheduler=cluster.address)
    assert told(again) == told(found)


def test_no_scheduler_is_misuse_and_so_are_both(submissions, tmp_path, parity, monkeypatch):
    monkeypatch.setattr("parity.sweep.cluster.PATIENCE", 0.5)
    options = ("--assignment", tmp_path / "assignment.toml", "--out", tmp_path / "out")
    status, _, err = parity("grade", tmp_path / "in", *options, "--scheduler", "tcp://127.0.0.1:9")
    assert status == 2 and "no Dask scheduler answers" in err and "0 of 4 are graded" in err
    status, _, err = parity("grade", tmp_path / "in", *options, "--scheduler", "x", "--workers", 2)
    assert status == 2 and "give only one of them" in err
