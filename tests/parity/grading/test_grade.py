"""Grades of honest submissions are the true ones; what is written for a class holds them."""

import json
import os
import random
import re
import shutil
import zipfile
from itertools import islice
from pathlib import Path

import pandas as pd
import pytest
from honest import every

from parity.adapters.load import TargetError
from parity.grading import run
from parity.grading.assignment import EXAMPLE, AssignmentError, read_assignment
from parity.grading.gradebook import safe
from parity.grading.similar import nearly_the_same
from parity.grading.submissions import UNREADABLE as REFUSED
from parity.grading.submissions import left_out, stage, submissions_in
from parity.sandbox.cell import remove
from parity.sandbox.protection import Protection
from parity.verification.listing import listed

POINTS = "{ forward = 4, dx = 3, dW = 2, db = 1 }"
WORTH = {"forward": 4, "dx": 3, "dW": 2, "db": 1}
RELU = """import numpy as np
class Relu:
    def forward(self, x):
        self.mask = x > 0
        return np.where(self.mask, x, 0)
    def backward(self, dout):
        return np.where(self.mask, dout, 0)
"""
LEAKY = RELU.replace("x, 0)", "x, 0.01 * x)").replace("dout, 0)", "dout, 0.01 * dout)")
OF_RELU = '[[task]]\nkind = "relu"\npoints = { forward = 2, dx = 2, contracts = 1 }\n'


@pytest.fixture
def assignment(tmp_path):
    def written(text=OF_RELU):
        (tmp_path / "assignment.toml").write_text(text)
        return read_assignment(tmp_path / "assignment.toml")

    return written


@pytest.fixture
def folder(tmp_path):
    """folder(anna=RELU, ben=LEAKY): a folder with these submissions."""

    def made(**sources):
        (tmp_path / "submissions").mkdir(exist_ok=True)
        for name, source in sources.items():
            (tmp_path / "submissions" / f"{name}.py").write_text(source)
        return tmp_path / "submissions"

    return made


def graded_as(honest, tmp_path, assignment, workers=1):
    """Those whose grade is not the true one."""
    wrong = []
    for kind in ("convolution", "affine"):
        asked = assignment(f'[[task]]\nkind = "{kind}"\npoints = {POINTS}\n')
        truth = {}
        (tmp_path / kind).mkdir()
        for title, source, of, broken in honest:
            if of == kind:
                (tmp_path / kind / f"{title}.py").write_text(source)
                truth[title] = sum(worth for check, worth in WORTH.items() if check not in broken)
        found, _ = run.grade_all(submissions_in(tmp_path / kind), asked, tmp_path / f"{kind}, out", workers)
        wrong += [
            (g["student"], g["points"], g["tasks"]) for g in found if g["points"] != truth[g["student"]]
        ]
        assert len(found) == len(truth) > 0
    return wrong


def test_honest_submissions_get_their_true_grades(tmp_path, assignment):
    honest = [one for i, one in enumerate(islice(every(), 55)) if i % 9 in (0, 4)]
    assert len(honest) >= 12 and {one[2] for one in honest} == {"convolution", "affine"}
    assert graded_as(honest, tmp_path, assignment) == []


@pytest.mark.exhaustive
def test_two_hundred_of_them(tmp_path, assignment):
    honest = list(islice(every(), 200))
    assert len(honest) == 200
    assert graded_as(honest, tmp_path, assignment, workers=2) == []


# -- what is written --------------------------------------------------------------------------------
@pytest.fixture
def graded(folder, assignment, tmp_path, parity):
    """The grades of two honest students and of one who imports PyTorch, and the folder they are in."""
    submissions = folder(anna=RELU, ben=LEAKY, eve="import torch\n" + RELU)
    assignment()
    ended = parity(
        *("grade", submissions, "--assignment", tmp_path / "assignment.toml", "--workers", 1),
        *("--out", tmp_path / "grades"),
    )
    return ended, tmp_path / "grades"


def test_every_file_has_the_grades(graded):
    (status, out, _), grades = graded
    assert status == 0 and "2/3 ben: 1 of 5\n" in out and "protection: " in out
    assert "3/3 eve: 0 of 5; imports torch; imports what is not allowed" in out
    table = pd.read_parquet(grades / "grades.parquet")
    assert dict(zip(table["student"], table["points"], strict=True)) == {"anna": 5, "ben": 1, "eve": 0}
    assert list(table["1 relu bug"]) == ["", "relu-leaky", ""] and list(table["1 relu dx"]) == [2, 0, 0]
    text = (grades / "students" / "ben.txt").read_text()
    assert "not right  forward (2)" in text and "which      first wrong: forward, out" in text
    assert "0.01" not in text and "slope" not in text  # neither numbers nor what it is: not asked for
    assert "<strong>1 of 5 points</strong>" in (grades / "students" / "ben.html").read_text()
    page = (grades / "class.html").read_text()
    assert "LeakyReLU" in page and "anna and ben" not in page  # the bug's story; too short to be compared
    found = json.loads((grades / "exports" / "gradescope" / "ben" / "results.json").read_text())
    assert found["score"] == 1 and [t["score"] for t in found["tests"]] == [0, 0, 1]
    otter, nbgrader = (pd.read_csv(grades / "exports" / f"{name}.csv") for name in ("otter", "nbgrader"))
    assert list(otter["percent_correct"]) == [1, 0.2, 0] and list(nbgrader["score"]) == [5, 1, 0]
    assert ",".join(nbgrader) == (
        "assignment,duedate,timestamp,student_id,last_name,first_name,email,raw_score,late_submission_penalty,"
        "score,max_score"
    )
    assert {*found} <= GRADESCOPE and all({*test} <= GRADESCOPE_TEST for test in found["tests"])
    assert {test["status"] for test in found["tests"]} <= {"passed", "failed"}
    assert (grades / "exports" / "plain.csv").read_text() == "student,points\nanna,5\nben,1\neve,0\n"


# The fields that Gradescope's documentation of results.json names.
GRADESCOPE = {"score", "execution_time", "output", "output_format", "test_output_format", "test_name_format"}
GRADESCOPE |= {"visibility", "stdout_visibility", "extra_data", "tests", "leaderboard"}
GRADESCOPE_TEST = {"score", "max_score", "status", "name", "name_format", "number", "output", "output_format"}
GRADESCOPE_TEST |= {"tags", "visibility", "extra_data"}


def test_late_is_said_and_takes_no_points(folder, assignment, tmp_path):
    asked = assignment(f"due = 2027-01-31T23:59:00Z\n{OF_RELU}")
    for name, hours in (("anna", 0), ("ben", 3)):
        path = folder(**{name: RELU}) / f"{name}.py"
        os.utime(path, (asked.due.timestamp() + 3600 * hours,) * 2)
    found, _ = run.grade_all(submissions_in(folder()), asked, tmp_path / "grades")
    assert [one["points"] for one in found] == [5, 5]
    texts = [(tmp_path / "grades" / "students" / f"{name}.txt").read_text() for name in ("anna", "ben")]
    assert ["late by 3.0 hours" in text for text in texts] == [False, True]
    assert "late by 3.0 hours" in (tmp_path / "grades" / "students" / "ben.html").read_text()
    table = pd.read_csv(tmp_path / "grades" / "exports" / "nbgrader.csv")
    assert list(table["timestamp"]) == ["2027-01-31 23:59:00", "2027-02-01 02:59:00"]
    assert set(table["duedate"]) == {"2027-01-31 23:59:00"}
    assert list(pd.read_csv(tmp_path / "grades" / "grades.csv")["hours_late"]) == [0, 3]


def test_what_is_graded_is_not_graded_again(graded, assignment, folder, monkeypatch):
    """A kill in the middle loses nothing: what lies there counts, half a file does not."""
    _, grades = graded
    (grades / "results" / "ben.json").write_text('{"version": 1, "stud')
    (grades / "results" / "eve.json").unlink()
    asked, real = [], run.grade
    monkeypatch.setattr(run, "grade", lambda job: asked.append(job.submission.student) or real(job))
    found, _ = run.grade_all(submissions_in(folder()), assignment(), grades)
    assert asked == ["ben", "eve"] and [one["points"] for one in found] == [5, 1, 0]
    found, _ = run.grade_all(submissions_in(folder(ben=RELU)), assignment(), grades)
    assert asked == ["ben", "eve", "ben"] and found[1]["points"] == 5  # handed in anew
    run.grade_all(submissions_in(folder()), assignment(OF_RELU.replace("2", "3")), grades)
    assert asked[3:] == ["anna", "ben", "eve"]  # another assignment


def test_a_file_written_anew_in_the_same_moment_is_graded_again(assignment, folder, tmp_path):
    """As large as it was, at the time that it had."""
    wrong = RELU.replace("x, 0)", "x, 1)")
    points = []
    for source in (wrong, RELU):
        os.utime(folder(anna=source) / "anna.py", (1e9, 1e9))
        found, _ = run.grade_all(submissions_in(folder()), assignment(), tmp_path / "grades")
        points.append(found[0]["points"])
    assert len(wrong) == len(RELU) and points[0] < 5 == points[1]


def test_a_student_tries_at_home(folder, assignment, tmp_path, parity):
    submissions = folder(anna=RELU, ben=LEAKY)
    assignment(f'hints = ["which", "where", "what"]\n{OF_RELU}')
    options = ("--assignment", tmp_path / "assignment.toml")
    assert parity("grade", "--try", submissions / "anna.py", *options).status == 0
    status, out, _ = parity("grade", "--try", submissions / "ben.py", *options)
    assert status == 1 and "what       a slope of 0.01 below zero" in out
    assert not (tmp_path / "grades").exists()


def test_without_a_sandbox_nothing_is_run_unless_it_is_trusted(
    folder, assignment, tmp_path, parity, monkeypatch
):
    monkeypatch.setattr("parity.sandbox.protection.protection", Protection)
    monkeypatch.setattr("parity.grading.grade.protection", Protection)
    submissions, _ = folder(anna=RELU), assignment()
    options = ("--assignment", tmp_path / "assignment.toml")
    status, _, err = parity("grade", "--try", submissions / "anna.py", *options)
    assert status == 2 and "offers no sandbox" in err and "--trust" in err
    status, out, _ = parity("grade", "--try", submissions / "anna.py", *options, "--trust")
    assert status == 0 and "files and the network are open to it" in out


def test_the_example_is_an_assignment(tmp_path, parity):
    path = tmp_path / "example.toml"
    assert parity("grade", "--template", path).status == 0 and path.read_text() == EXAMPLE
    assert [task.kind for task in read_assignment(path).tasks] == ["relu", "affine"]
    assert parity("grade", "--template", path).status == 2


WRONG = {
    "title = 3": "title: 3 is not of the right type",
    "colour = 1": "no setting named colour",
    'allowed = ["torch"]': "allowed: torch has the answers in it",
    'hints = ["all"]': "expected some of which, where, what; got 'all'",
    "timeout = -1": "timeout: expected a number above 0",
    "= 3": "is no TOML",
}


@pytest.mark.parametrize(("line", "why"), WRONG.items(), ids=WRONG)
def test_what_is_no_assignment_is_named(assignment, line, why):
    with pytest.raises(AssignmentError, match=re.escape(why)):
        assignment(f"{line}\n{OF_RELU}")


@pytest.mark.parametrize(
    "text", ["", "task = 3", OF_RELU.replace("relu", "rely"), OF_RELU.replace("2", "-2")]
)
def test_tasks_have_a_kind_and_points(assignment, text):
    with pytest.raises(AssignmentError):
        assignment(text)


# -- what a submission may be -----------------------------------------------------------------------
def test_a_folder_a_zip_and_a_notebook_are_submissions(folder, assignment, tmp_path):
    submissions = folder(anna=RELU)
    (submissions / "ben").mkdir()
    shutil.move(submissions / "anna.py", submissions / "ben" / "layers.py")
    with zipfile.ZipFile(submissions / "carl.zip", "w") as archive:
        archive.writestr("homework/layers.py", RELU)
        archive.writestr("homework/notes.txt", "not Python")
    printed = [{"output_type": "stream", "name": "stdout", "text": "x" * (9 << 20)}]  # is not read
    cell = {"cell_type": "code", "source": RELU, "metadata": {}, "outputs": printed, "execution_count": None}
    (submissions / "dora.ipynb").write_text(json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4}))
    found, _ = run.grade_all(submissions_in(submissions), assignment(), tmp_path / "grades")
    assert {one["student"]: one["points"] for one in found} == {"ben": 5, "carl": 5, "dora": 5}


def test_a_package_and_a_notebook_of_commands_are_submissions(folder, assignment, tmp_path):
    """Nothing runs outside the sandbox: no magic command, no module that Python imports on its own."""
    submissions, mark = folder(), tmp_path / "ran"
    (submissions / "anna").mkdir()
    (submissions / "anna" / "__init__.py").touch()
    (submissions / "anna" / "base.py").write_text("class Base: pass\n")
    (submissions / "anna" / "layers.py").write_text(f"from .base import Base\n{RELU}")
    for name in ("numpy", "sitecustomize", "usercustomize", "conftest", "json", "torch", "setup"):
        (submissions / "anna" / f"{name}.py").write_text(f"open({str(mark)!r}, 'w')\n")
    (submissions / "anna" / "attack.pth").write_text(f"import os; os.system('touch {mark}')\n")
    cells = [f"!touch {mark}\n%matplotlib inline", f"%%bash\ntouch {mark}", RELU]
    found = [{"cell_type": "code", "source": text, "metadata": {}, "outputs": []} for text in cells]
    (submissions / "ben.ipynb").write_text(json.dumps({"cells": found, "metadata": {}, "nbformat": 4}))
    graded, _ = run.grade_all(submissions_in(submissions), assignment(), tmp_path / "grades")
    assert {one["student"]: one["points"] for one in graded} == {"anna": 5, "ben": 5}
    assert not mark.exists()


def test_folders_in_each_other_and_odd_names_stop_nobody(folder, assignment, tmp_path):
    submissions = folder(**{"\U0001f600" * 62: RELU})
    Path(os.fsdecode(os.fsencode(submissions) + b"/\xff\xfe.py")).write_text(RELU)
    deep, top = submissions / "eve", Path.cwd()
    deep.mkdir()
    try:
        os.chdir(deep)
        for _ in range(1200):
            os.mkdir("d")
            os.chdir("d")
    finally:
        os.chdir(top)
    found, _ = run.grade_all(submissions_in(submissions), assignment(), tmp_path / "grades")
    assert sorted(one["points"] for one in found) == [0, 5, 5]
    assert all(0 < len(one["student"].encode()) < 180 for one in found)
    remove(str(deep))  # which pytest could not


ZIPPED = {  # files of a zip -> what is said of it
    "an absolute path": ({"/etc/layers.py": RELU}, "a file outside its folder"),
    "up and out": ({"a/../../layers.py": RELU}, "a file outside its folder"),
    "folders without end": ({"d/" * 1500 + "layers.py": RELU}, "no zip that can be read"),
    "a name without end": ({"n" * 300 + ".py": RELU}, "File name too long"),
    "a file that is a folder": ({"a.py": RELU, "a.py/b.py": RELU}, "Not a directory"),
    "files without end": ({f"{n}.py": "" for n in range(2100)}, "the zip holds more than"),
}


@pytest.mark.parametrize("what", ZIPPED)
def test_an_odd_zip_is_refused_in_a_sentence(folder, assignment, tmp_path, what):
    files, said = ZIPPED[what]
    with zipfile.ZipFile(folder() / "eve.zip", "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    found, _ = run.grade_all(submissions_in(folder()), assignment(), tmp_path / "grades")
    assert said in found[0]["problem"] and found[0]["points"] == 0
    assert not Path("/etc/layers.py").exists() and not (tmp_path / "layers.py").exists()


def test_links_and_paths_out_of_a_submission_are_not_followed(folder, tmp_path):
    submissions = folder(anna=RELU)
    (submissions / "eve").mkdir()
    (submissions / "eve" / "layers.py").symlink_to(submissions / "anna.py")
    assert stage(submissions / "eve", tmp_path / "staged", ()).files == []
    (submissions / "trudy.py").symlink_to(submissions / "anna.py")
    (submissions / "oscar").symlink_to(submissions / "eve")
    for name in ("trudy.py", "oscar"):
        with pytest.raises(TargetError, match="it is a link"):
            stage(submissions / name, tmp_path / "staged", ())
    with zipfile.ZipFile(submissions / "mallory.zip", "w") as archive:
        archive.writestr("../anna.py", LEAKY)
    with pytest.raises(ValueError, match="outside its folder"):
        stage(submissions / "mallory.zip", tmp_path / "staged", ())
    assert (submissions / "anna.py").read_text() == RELU


def test_what_a_course_site_makes_of_a_submission_is_found(folder, tmp_path):
    """A folder per student that holds a zip; names in capitals; a damaged notebook, and data."""
    submissions = folder()
    eve = submissions / "eve"
    (eve / "__MACOSX").mkdir(parents=True)
    for name, text in {"A.PY": RELU, "data.csv": "1, 2", "x.so": "", "bad.ipynb": "", "no.zip": ""}.items():
        (eve / name).write_text(text)
    (eve / "__MACOSX" / "b.py").write_text(RELU)
    with zipfile.ZipFile(eve / "hand in.zip", "w") as archive:
        archive.writestr("src/layers.py", RELU)
    (submissions / "report.pdf").touch()
    (submissions / "BEN.PY").write_text(RELU)
    assert [one.student for one in submissions_in(submissions)] == ["BEN", "eve"]
    assert left_out(submissions) == ["report.pdf"]
    staged = stage(eve, tmp_path / "staged", ())
    names = {p.relative_to(tmp_path / "staged").as_posix() for p in (tmp_path / "staged").rglob("*.*")}
    assert names == {"A.py", "bad.ipynb", "data.csv", "hand in/src/layers.py"}
    assert [p.suffix for p in staged.files] == [".py", ".ipynb", ".py"]


SAID_OF = {
    "no code": ({"notes.txt": "x"}, "it holds no Python file and no notebook"),
    "no notebook": ({"a.ipynb": "{"}, "could not be read: it is no notebook, since it is no JSON"),
    "UTF-16": ({"a.py": RELU.encode("utf-16")}, "a.py cannot be read: it is UTF-16, which Python does not"),
    "NumPy replaced": ({"a.py": "np.int = int\nnp.allclose = all\n"}, "replaces NumPy's allclose"),
}


@pytest.mark.parametrize("what", SAID_OF)
def test_what_is_odd_about_a_submission_is_said_in_a_sentence(folder, assignment, tmp_path, what):
    files, said = SAID_OF[what]
    (folder() / "eve").mkdir()
    for name, text in files.items():
        (folder() / "eve" / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    (found,), _ = run.grade_all(submissions_in(folder()), assignment(), tmp_path / "grades")
    texts = [*found["findings"], *filter(None, [found["problem"]])]
    assert len(texts) == 1 and texts[0].startswith(said) and found["points"] == 0


UNREADABLE = {
    "deep": "x = " + "(" * 5000 + ")" * 5000,
    "null": "\0",
    "half": "def f(:",
    "huge": "#" * (2 << 20),
    "long": "x = " + "-" * 100_000 + "1",
}


@pytest.mark.parametrize("text", UNREADABLE.values(), ids=UNREADABLE)
def test_what_cannot_be_read_is_no_points_and_no_crash(folder, assignment, tmp_path, text):
    found, _ = run.grade_all(submissions_in(folder(eve=text)), assignment(), tmp_path / "grades")
    assert found[0]["points"] == 0 and (found[0]["findings"] or found[0]["problem"])


def test_a_zip_that_is_none_is_a_problem_and_status_2(folder, assignment, tmp_path, parity):
    submissions, _ = folder(anna=RELU), assignment()
    (submissions / "eve.zip").write_bytes(b"PK not at all")
    options = ("--assignment", tmp_path / "assignment.toml", "--out", tmp_path / "grades", "--workers", 1)
    status, out, _ = parity("grade", submissions, *options)
    assert status == 2 and "1/2 anna: 5 of 5" in out and "2/2 eve: 0 of 5; could not be read" in out


def test_a_damaged_zip_is_refused_and_nothing_else(tmp_path):
    """Every error that zipfile, or zlib below it, raises for bytes that were changed is known."""
    with zipfile.ZipFile(tmp_path / "whole.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/layers.py", RELU * 9)
    whole, rng, refused = (tmp_path / "whole.zip").read_bytes(), random.Random(0), 0
    for number in range(200):
        data = bytearray(whole)
        for _ in range(rng.choice((1, 8))):
            data[rng.randrange(len(data))] = rng.randrange(256)
        (tmp_path / "eve.zip").write_bytes(data)
        try:
            stage(tmp_path / "eve.zip", tmp_path / str(number), ())
        except (TargetError, *REFUSED):
            refused += 1
    assert refused > 100


def test_a_zip_of_zeros_and_a_link_in_a_zip(tmp_path):
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("layers.py", bytes(300 << 20))
    with pytest.raises(TargetError, match="the zip holds more than"):
        stage(tmp_path / "bomb.zip", tmp_path / "bomb", ())
    (tmp_path / "secret.py").write_text("SECRET = 1\n")
    link = zipfile.ZipInfo("layers.py")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "link.zip", "w") as archive:
        archive.writestr(link, str(tmp_path / "secret.py"))
    (copy,) = stage(tmp_path / "link.zip", tmp_path / "link", ()).files
    assert not copy.is_symlink() and "SECRET" not in copy.read_text()


DEEP = {
    "attributes": "x" + ".a" * 20_000,
    "calls": "x" + "()" * 20_000,
    "sums": "1+" * 20_000 + "1",
    "powers": "1**" * 20_000 + "1",
    "lambdas": "lambda:" * 20_000 + "1",
    "choices": "1 if 1 else " * 20_000 + "1",
    "elifs": "if 1: pass\n" + "elif 1: pass\n" * 10_000,
    "patterns": "match 1:\n case " + "[" * 150 + "]" * 150 + ": pass",
}


@pytest.mark.parametrize("text", DEEP.values(), ids=DEEP)
def test_deep_code_is_read_or_refused(tmp_path, text):
    (tmp_path / "eve.py").write_text(text)
    try:
        for path in stage(tmp_path / "eve.py", tmp_path / "staged", ()).files:
            assert listed(path) == []
    except (TargetError, *REFUSED):
        pass


def test_no_cell_is_a_formula_and_no_name_is_markup(folder, assignment, tmp_path):
    submissions = folder(**{"=1+1": RELU, "<b>bold": RELU, "\x1b[2Jescape": RELU})
    run.grade_all(submissions_in(submissions), assignment(), tmp_path / "grades")
    for name in ("grades.csv", "exports/plain.csv", "exports/otter.csv", "exports/nbgrader.csv"):
        text = (tmp_path / "grades" / name).read_text()
        assert "'=1+1" in text and "\n=1+1" not in text and "\x1b" not in text
    assert "<b>" not in (tmp_path / "grades" / "class.html").read_text()
    assert list(safe(pd.DataFrame({"a": ["@x", "-1", "＝1", "x", 3]}))["a"]) == ["'@x", "'-1", "'＝1", "x", 3]


def test_a_renamed_copy_is_nearly_the_same(tmp_path):
    _, source, *_ = next(every())
    copy = re.sub(r"\bdout\b", "gradient", source).replace("xp", "padded") + "\n# my own work\n"
    other = next(one for kind, one, *_ in every() if "affine" in kind)
    shingles = {}
    for name, text in {"anna": source, "ben": copy, "carl": other}.items():
        (tmp_path / f"{name}.py").write_text(text)
        shingles[name] = sorted(stage(tmp_path / f"{name}.py", tmp_path / name, ()).shingles)
    ((a, b, share),) = nearly_the_same(shingles)
    assert {a, b} == {"anna", "ben"} and share > 0.95


# -- cheats -----------------------------------------------------------------------------------------
HALF = RELU.replace("x, 0)", "x, 0.5 * x)")


def instead(line):
    """A wrong Relu whose forward does this first."""
    return HALF.replace("self.mask = x > 0", f"self.mask = x > 0\n        {line}")


CHEATS = {
    "right on the first calls only": instead(
        "self.calls = getattr(self, 'calls', 0) + 1\n"
        "        if self.calls < 2: return np.where(self.mask, x, 0)"
    ),
    "right for small inputs only": instead("if x.size < 100: return np.where(self.mask, x, 0)"),
    "right in one layout only": instead("if x.flags.c_contiguous: return np.where(self.mask, x, 0)"),
    "right in float64 only": instead("if x.dtype == float: return np.where(self.mask, x, 0)"),
    "one answer for all instances": RELU.replace("self.mask", "Relu.mask"),
    "PyTorch, and no error": "try:\n    import torch\nexcept ImportError: pass\n" + HALF,
    "a patched judge": "np.subtract = lambda a, b, **_: np.zeros_like(a)\n" + HALF,
    "right at even moments": instead(
        "import time\n        if time.time_ns() % 2: return np.where(self.mask, x, 0)"
    ),
    "right for images only": instead("if x.ndim == 4: return np.where(self.mask, x, 0)"),
    "right in one of two objects": HALF.replace(
        "class Relu:",
        "class Relu:\n    made = 0\n    def __init__(self): Relu.made += 1; self.half = Relu.made % 2 / 2",
    ).replace("0.5 * x", "self.half * x"),
    "an object that makes arrays": instead(
        "return type('A', (), {'__array__': lambda s, *a, **k: np.where(x > 0, x, 0)})()"
    ),
    "an array of objects": instead("return np.where(self.mask, x, 0).astype(object)"),
    "everything is an instance": "import builtins\nbuiltins.isinstance = lambda a, b: True\n" + HALF,
    "a process that stops itself": instead("import os, signal; os.kill(os.getpid(), signal.SIGSTOP)"),
    "PyTorch in another encoding": "# coding: utf-7\n# +AAo-import torch+AAo-\n" + HALF.replace("+", "+-"),
    "an end in atexit": HALF + "import atexit, os\natexit.register(os._exit, 0)\n",
    "a class that lies about itself": HALF
    + "class M(type):\n    def __getattribute__(c, n): raise SystemExit(0)\n"
    + "class Relu(Relu, metaclass=M): pass\n",
    "what its callers hold": instead(
        "import sys\n        f = sys._getframe()\n        while f:\n"
        "            for v in f.f_locals.values():\n"
        "                if isinstance(v, dict) and 'out' in v: return v['out']\n            f = f.f_back"
    ),
    "an end in the middle": instead("import os; os._exit(0)"),
    "a forged answer": instead(
        "import os; [os.write(n, b'done') for n in range(3, 64) if WRITES(n)]"
    ).replace(
        "class",
        "import fcntl\ndef WRITES(n):\n    try: return fcntl.fcntl(n, fcntl.F_GETFL) & 3 == 1\n"
        "    except OSError: return False\nclass",
        1,
    ),
    "a thread that goes on": instead("import threading; threading.Thread(target=print, daemon=True).start()"),
    "a look for the answer": instead(
        "import gc; assert not [o for o in gc.get_objects() if type(o).__name__ "
        "in ('Kind', 'Record', 'Tensor')]"
    ),
}


@pytest.mark.parametrize("source", CHEATS.values(), ids=CHEATS)
def test_a_cheat_gets_less_than_full_marks(folder, assignment, tmp_path, source):
    folder(anna=RELU, eve=source)
    asked = assignment(f"timeout = 3\n{OF_RELU}")
    before = {p.name: p.read_bytes() for p in folder().iterdir()}
    (eve,) = (one for one in submissions_in(folder()) if one.student == "eve")
    found, _ = run.grade_all([eve], asked, tmp_path / "grades")
    assert found[0]["points"] < 5, found[0]["tasks"]
    assert {p.name: p.read_bytes() for p in folder().iterdir()} == before


LIAR = "class Liar(np.ndarray):\n    shape = property(lambda self: Liar.said, lambda self, value: None)\n"
ODD = {  # what it does -> its source, what the grade says
    "a lone surrogate in its name": (HALF + "Relu.__name__ = 'a\\udc80'\n", "surrogates not allowed"),
    "a lone surrogate in an error": (instead("raise ValueError('\\ud800')"), "raised ValueError"),
    "an error of 128 MB": (instead("raise ValueError('x' * (1 << 27))"), "raised ValueError: xxx"),
    "an error that cannot be printed": (
        instead("raise type('E', (Exception,), {'__str__': lambda s: 1 / 0})"),
        "its message cannot be printed",
    ),
    "an enormous head": (
        CHEATS["a forged answer"].replace("b'done'", "b'\\xff' * 16"),
        "sent something that is not an answer",
    ),
    "all descriptors closed": (instead("import os; os.closerange(0, 100)"), "left the process"),
    "answers closed at import": ("import os\nos.closerange(3, 100)\n" + RELU, "left the process"),
    "every answer twice": (
        HALF + "import sys\nm = sys.modules['parity.adapters.serve']\nown = m._write\n"
        "m._write = lambda fd, data: (own(fd, data), own(fd, data))\n",
        "sent something that is not an answer",
    ),
    "a shape that lies": (
        HALF.replace("class", LIAR + "class", 1).replace(
            "return np.where(self.mask, x, 0.5 * x)",
            "Liar.said = x.shape\n        return np.zeros(3).view(Liar)",
        ),
        "expected a plain array, got Liar",
    ),
    "a class that is an array": (
        HALF + "class Relu(Relu):\n    __class__ = property(lambda self: np.ndarray)\n",
        "first wrong: forward, out",
    ),
    "equal to everything": (
        HALF + "class L(np.ndarray):\n    __eq__ = lambda self, other: True\nown = Relu.forward\n"
        "Relu.forward = lambda self, x: own(self, x).view(L)\n",
        "expected a plain array, got L",
    ),
    "an array of 8 TB": (
        HALF.replace(
            "return np.where(self.mask, x, 0.5 * x)",
            "return np.lib.stride_tricks.as_strided(np.zeros(1), (1 << 40,), (0,))",
        ),
        "first wrong: forward, out",
    ),
    "markup and escapes": (instead("raise type('<b>\\x1b[2J', (Exception,), {})('=1')"), "raised <b>"),
    "a trace of the checker": (
        "import sys\nsys.settrace(print)\n" + RELU,
        "sys.settrace is not allowed here",
    ),
}


@pytest.mark.parametrize("what", ODD)
def test_what_is_odd_is_a_sentence(folder, assignment, tmp_path, what):
    source, said = ODD[what]
    found, _ = run.grade_all(submissions_in(folder(eve=source)), assignment(), tmp_path / "grades")
    assert said in found[0]["tasks"][0]["which"] and found[0]["points"] <= 3
    texts = {p: p.read_text() for p in (tmp_path / "grades").rglob("*.*") if p.suffix != ".parquet"}
    assert len(texts) > 5 and not any("\x1b" in text or "\\u001b" in text for text in texts.values())
    assert not any("<b>" in text for path, text in texts.items() if path.suffix == ".html")


def test_who_reaches_into_the_checker_is_named(folder, assignment, tmp_path):
    """It answers rightly for a class that is wrong, and that is found."""
    source = HALF + (
        "import sys\nsys.modules['parity.adapters.bench'].Bench.whole = lambda self, **asked: {\n"
        "    'out': np.maximum(asked['inputs']['x'], 0),\n"
        "    'dx': asked['inputs']['dout'] * (asked['inputs']['x'] > 0)}\n"
    )
    found, _ = run.grade_all(submissions_in(folder(eve=source)), assignment(), tmp_path / "grades")
    assert found[0]["findings"] == ["reaches for sys.modules, which a layer has no use for"]
    assert found[0]["points"] < 5 and found[0]["tasks"][0]["checks"]["contracts"] is False


def test_a_named_finding_for_what_it_tried(folder, assignment, tmp_path):
    sources = {
        "anna": "import socket\nsocket.create_connection(('127.0.0.1', 9))\n" + RELU,
        "ben": "import os\nos.fork()\n" + RELU,
        "carl": CHEATS["a forged answer"],
        "dora": "import scratchcnn\nRelu = scratchcnn.Relu\n",
    }
    found, _ = run.grade_all(submissions_in(folder(**sources)), assignment(), tmp_path / "grades")
    noticed = {one["student"]: one["findings"] for one in found}
    assert "tries what the sandbox forbids" in noticed["anna"] and "imports socket" in noticed["anna"][0]
    assert noticed["ben"] == ["tries what the sandbox forbids"] and noticed["carl"] == ["forges an answer"]
    assert "imports scratchcnn" in noticed["dora"]
    assert all(one["points"] == 0 for one in found)


def test_what_answers_otherwise_later_is_a_finding(folder, assignment, tmp_path):
    """Right on the first calls of each object, as many as single checks make."""
    source = RELU.replace("class Relu:", "class Relu:\n    calls = 0").replace(
        "x, 0)", "x, 0) if self.calls < 40 else x"
    )
    source = source.replace("        self.mask", "        self.calls += 1\n        self.mask", 1)
    (found,), _ = run.grade_all(submissions_in(folder(eve=source)), assignment(), tmp_path / "grades")
    assert found["points"] == 0 and found["findings"] == ["answers otherwise at a later call"]
    assert "a hundred calls" in found["tasks"][0]["which"]


ADDS_UP = """import numpy as np
class Affine:
    def __init__(self, W, b):
        self.W, self.b, self.dW, self.db = W, b, 0, 0
    def forward(self, x):
        self.x = x.copy()
        return x @ self.W + self.b
    def backward(self, dout):
        self.dW = self.dW + self.x.T @ dout
        self.db = self.db + dout.sum(axis=0)
        return dout @ self.W.T
"""
FIRST_MASK = RELU.replace("self.mask = x", "self.mask = self.mask if hasattr(self, 'mask') else x")


def test_an_honest_bug_of_the_second_call_costs_the_contracts_alone(folder, assignment, tmp_path):
    asked = assignment('[[task]]\nkind = "affine"\npoints = { forward = 2, dx = 2, dW = 2, contracts = 1 }\n')
    (found,), _ = run.grade_all(submissions_in(folder(ben=ADDS_UP)), asked, tmp_path / "grades")
    assert (found["points"], found["findings"]) == (6, [])
    other = tmp_path / "of Relu"
    other.mkdir()
    (other / "ben.py").write_text(FIRST_MASK)
    (found,), _ = run.grade_all(submissions_in(other), assignment(), tmp_path / "grades of Relu")
    assert (found["points"], found["findings"]) == (4, [])


RAISING = RELU.replace("return np.where(self.mask, dout, 0)", "raise ValueError('no <mask> yet')")


def test_the_text_of_an_error_is_shown_with_where(folder, assignment, tmp_path):
    sometimes = RAISING.replace("raise", "if (dout == 0).any(): raise") + RELU.splitlines(True)[-1]
    (found,), _ = run.grade_all(submissions_in(folder(ben=sometimes)), assignment(), tmp_path / "grades")
    assert "right: out; on " in found["tasks"][0]["where"] and found["points"] == 3
    students = tmp_path / "grades" / "students"
    assert "it raised ValueError: no <mask> yet (ben.py, line 7" in (students / "ben.txt").read_text()
    assert "it raised ValueError: no &lt;mask&gt; yet (ben.py" in (students / "ben.html").read_text()


def test_a_right_forward_has_its_points_where_backward_always_raises(folder, assignment, tmp_path):
    (found,), _ = run.grade_all(submissions_in(folder(ben=RAISING)), assignment(), tmp_path / "grades")
    assert found["points"] == 2 and found["tasks"][0]["checks"]["forward"]
    assert found["tasks"][0]["which"].endswith("(forward is right)")
    leaky = RAISING.replace("x, 0)", "x, 0.01 * x)")
    (found,), _ = run.grade_all(submissions_in(folder(ben=leaky)), assignment(), tmp_path / "grades")
    assert not found["tasks"][0]["checks"]["forward"] and found["points"] < 2


TOO_MUCH = {
    "starts more threads than it may": "import threading, time\n"
    "        for _ in range(5000): threading.Thread(target=time.sleep, args=(9,), daemon=True).start()",
    "uses too much memory": "np.ones(1 << 50)",
}


@pytest.mark.parametrize("finding", TOO_MUCH)
def test_too_much_of_something_is_a_finding(folder, assignment, tmp_path, finding):
    source = instead(TOO_MUCH[finding])
    (found,), _ = run.grade_all(submissions_in(folder(eve=source)), assignment(), tmp_path / "grades")
    assert found["findings"] == [finding] and found["points"] == 0
