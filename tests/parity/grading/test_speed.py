"""Points for speed: a ratio of interleaved medians; a disturbed machine costs none. Nothing is timed here."""

import json

import pytest
from honest import CORE, DRESSES

from parity.adapters.isolate import Limits
from parity.grading import run, speed
from parity.grading.assignment import AssignmentError, read_assignment
from parity.grading.speed import Speed, beside_the_textbook
from parity.grading.submissions import submissions_in

RELU = """import numpy as np
class Relu:
    def forward(self, x):
        self.mask = x > 0
        return np.where(self.mask, x, 0)
    def backward(self, dout):
        return np.where(self.mask, dout, 0)
"""
ASKED = 'speed_factor = 3\n[[task]]\nkind = "relu"\npoints = { forward = 2, dx = 1, speed = 2 }\n'


@pytest.fixture
def graded(tmp_path):
    """graded(anna=RELU): the grades, and the files' folder."""

    def made(**sources):
        (tmp_path / "assignment.toml").write_text(ASKED)
        (tmp_path / "in").mkdir(exist_ok=True)
        for name, source in sources.items():
            (tmp_path / "in" / f"{name}.py").write_text(source)
        asked = read_assignment(tmp_path / "assignment.toml")
        found, _ = run.grade_all(submissions_in(tmp_path / "in"), asked, tmp_path / "grades")
        return {one["student"]: one for one in found}

    return made


@pytest.fixture
def quiet(monkeypatch):
    """quiet(person, book): the machine is still and calls take so many seconds; other(share): it is not."""
    clock = {"others": 0.0, "step": 0.0}

    def others(*subjects):
        clock["others"] += clock["step"]
        return clock["others"]

    def taking(person, book, share=0.0):
        real = speed.lap
        clock["step"] = share
        monkeypatch.setattr(speed, "lap", lambda one, x: (seconds(one, person, book), real(one, x)[1]))

    def seconds(instance, person, book):
        return book if "copy" in instance.subject.where else person

    monkeypatch.setattr(speed, "others", others)
    monkeypatch.setattr(speed, "REST_S", 0.0)
    return taking


def test_as_fast_as_asked_has_the_points(graded, quiet, tmp_path):
    quiet(0.005, 0.002)
    one = graded(anna=RELU)["anna"]
    assert (one["points"], one["most"]) == (5, 5)
    text = (tmp_path / "grades" / "students" / "anna.txt").read_text()
    assert "right      speed (2)" in text and "2.5 times the textbook's time; up to 3 times" in text


def test_slower_has_not(graded, quiet, tmp_path):
    quiet(0.008, 0.002)
    one = graded(anna=RELU)["anna"]
    assert (one["points"], one["most"]) == (3, 5) and "4 times the textbook's" in one["tasks"][0]["speed"]
    assert "not right  speed (2)" in (tmp_path / "grades" / "students" / "anna.txt").read_text()


def test_a_disturbed_machine_costs_no_point(graded, quiet, tmp_path):
    quiet(0.008, 0.002, share=1e6)
    one = graded(anna=RELU)["anna"]
    assert (one["points"], one["most"]) == (3, 3)
    assert one["tasks"][0]["speed"].startswith("not judged: other processes used ")
    text = (tmp_path / "grades" / "students" / "anna.txt").read_text()
    assert "3 of 3 points" in text and "not judged speed (2)" in text
    page = (tmp_path / "grades" / "students" / "anna.html").read_text()
    assert '<td class="">not judged</td>' in page
    tests = json.loads((tmp_path / "grades/exports/gradescope/anna/results.json").read_text())["tests"]
    assert [t["name"] for t in tests] == ["relu: forward", "relu: dx"]
    assert "anna,3,3,0.0,3,2,1,," in (tmp_path / "grades" / "grades.csv").read_text()


def test_what_is_wrong_is_not_timed(graded, quiet, monkeypatch):
    monkeypatch.setattr(speed, "beside_the_textbook", None)
    one = graded(ben=RELU.replace("x, 0)", "x, 0.5 * x)"))["ben"]
    assert (
        one["points"] == 0 + 1 * one["tasks"][0]["checks"]["dx"]
        and one["tasks"][0]["checks"]["speed"] is False
    )
    assert one["tasks"][0]["speed"] == "not measured: its numbers are not all right"


def test_what_is_measured_is_kept_and_what_was_cut_off_is_measured_again(graded, monkeypatch):
    def cut(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(speed, "beside_the_textbook", cut)
    with pytest.raises(KeyboardInterrupt):
        graded(anna=RELU)
    asked = []
    monkeypatch.setattr(run, "grade", None)  # graded it is already
    monkeypatch.setattr(speed, "beside_the_textbook", lambda *args: asked.append(1) or Speed(1.0))
    assert graded()["anna"]["points"] == graded()["anna"]["points"] == 5 and asked == [1]


LATER = RELU.replace("x, 0)", "x, 0) if x.size < 9000 else x")
ENDS = RELU.replace(
    "self.mask = x > 0", "self.mask = x > 0\n        if x.size > 9000: import os; os._exit(0)"
)
CASES = {"wrong when it is timed": LATER, "gone when it is timed": ENDS}


@pytest.mark.parametrize("source", CASES.values(), ids=CASES)
def test_answers_are_compared_while_the_clock_runs(tmp_path, source):
    (tmp_path / "layers.py").write_text(source)
    found = beside_the_textbook(f"{tmp_path}/layers.py:Relu", "relu", Limits(), None)
    assert found.wrong and not found.unjudged


def test_any_convention_is_timed(tmp_path, quiet):
    quiet(0.004, 0.002)
    source = f"import numpy as np\n{CORE['affine']}{DRESSES['torch_like']('affine', 'Linear')}"
    (tmp_path / "layers.py").write_text(source)
    assert beside_the_textbook(f"{tmp_path}/layers.py:Linear", "affine", Limits(), None) == Speed(2.0)


def test_a_race_takes_turns():
    order = []

    class One:
        def __init__(self, name, seconds):
            self.name, self.seconds = name, seconds

    pair = One("a", 3.0), One("b", 2.0)
    real, speed.lap = speed.lap, lambda one, x: order.append(one.name) or (one.seconds, [x["x"]])
    try:
        assert speed.race(pair, speed.layer_probe("relu", 1, 0, 2)) == Speed(1.5)
    finally:
        speed.lap = real
    assert order[:4] == ["b", "a", "a", "b"] and len(order) == 2 * (speed.ROUNDS + 1)


def test_only_what_can_be_timed_may_have_points_for_speed(tmp_path):
    (tmp_path / "a.toml").write_text('[[task]]\nkind = "sgd"\npoints = { numbers = 1, speed = 1 }\n')
    with pytest.raises(AssignmentError, match="its speed is not measured"):
        read_assignment(tmp_path / "a.toml")
