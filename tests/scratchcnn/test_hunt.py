"""The bug hunt: each file has the catalogue's bug, its tests pass all the same, and its mend is right."""

import ast
import subprocess
import sys

import numpy as np
import pytest
from helpers import one_in

from parity.faults import FAULTS
from parity.faults.kill_matrix import diagnose, lasting_probes, observe
from parity.kinds.numpy_reference import judged_by
from scratchcnn.cli import main
from scratchcnn.learn import hunt
from scratchcnn.learn.hunt import bugs, choose, hunt_file, passing_tests, right_source, still_wrong, target_of

KINDS = list(dict.fromkeys(bug.kind for bug in bugs()))
OPTIONS = {"pairs", "dilation", "groups", "ceil_mode", "count_include_pad", "no_bias"}
each = pytest.mark.parametrize("bug", one_in(23, bugs()), ids=lambda bug: bug.fault)


def seen(kind, source):
    """What the checker sees of a source, on inputs that need no option which it lacks."""
    room = {"np": np}
    exec(source, room)
    left_out = OPTIONS | ({"integers"} if source != right_source(kind) else set())  # refused by all but one
    if source.find("raise TypeError") < 0:
        left_out = OPTIONS
    cases = [p for p in lasting_probes(kind, 0) if not p.needs & left_out and "amplitude" not in p.args]
    target = room[source.split("(", 1)[0].split(":", 1)[0].split()[1]]
    with judged_by("numpy"), np.errstate(all="ignore"):
        found = observe(kind, target, cases=cases, seed=0)
        return found, diagnose(found, cases, 0)


def test_there_are_many():
    assert len(bugs()) >= 300 and len(KINDS) == 26
    assert [bug.number for bug in bugs()] == list(range(1, len(bugs()) + 1))
    assert all(FAULTS[bug.fault].kind == bug.kind for bug in bugs())
    assert len({bug.fault for bug in bugs()}) == len(bugs())


@each
def test_it_is_the_bug_of_the_catalogue(bug):
    found, diagnosis = seen(bug.kind, bug.source)
    assert not found.ok and diagnosis.fault == bug.fault


@pytest.mark.parametrize("kind", KINDS)
def test_the_mend_is_right(kind):
    found, _ = seen(kind, right_source(kind))
    assert found.ok and found.records


@pytest.mark.parametrize("kind", KINDS)
def test_the_usual_tests_pass_on_right_code(kind):
    assert all(hunt._passes(right_source(kind), test) for test in hunt.usual_tests(kind))


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_is_short_and_has_a_test_that_passes(kind):
    for bug in [bug for bug in bugs() if bug.kind == kind]:
        text = hunt_file(bug)
        assert len(text.splitlines()) <= 80 and passing_tests(bug), bug.fault
        assert bug.source != right_source(kind)
        nodes = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Import | ast.ImportFrom)]
        assert [ast.unparse(node) for node in nodes] == ["import numpy as np"]


def test_a_file_runs_by_itself(tmp_path):
    (tmp_path / "bug.py").write_text(hunt_file(choose("convolution", seed=0), "ko"), encoding="utf-8")
    done = subprocess.run([sys.executable, tmp_path / "bug.py"], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "ok\n", "")


def test_a_hunt_that_was_begun_is_left_as_it_is(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "hunt" / "bug3.py"
    assert main(["learn", "--hunt", "3"]) == 0
    path.write_text("mine")
    assert main(["learn", "--hunt", "3"]) == 0
    assert path.read_text() == "mine" and "was left as it is" in capsys.readouterr().out
    assert main(["learn", "--hunt", "3", "--solution"]) == 2
    assert "a hunt has no --hint and no --solution" in capsys.readouterr().err


def test_the_way_through_a_hunt(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["learn", "--hunt", "affine", "--seed", "1"]) == 0
    bug = choose("affine", seed=1)
    path, number = tmp_path / "hunt" / f"bug{bug.number}.py", str(bug.number)
    assert str(bug.number) in capsys.readouterr().out and bug.fault not in path.read_text()
    assert main(["learn", "--hunt", number, "--check"]) == 1
    assert capsys.readouterr().out == "The bug is still there.\n"
    other = next(b for b in bugs() if b.fault == "affine-db-mean" and b != bug)
    path.write_text(path.read_text().replace(bug.source, other.source))
    assert main(["learn", "--hunt", number, "--check"]) == 1
    assert "the mean of dout for its sum in db" in capsys.readouterr().out
    path.write_text(path.read_text().replace(other.source, right_source("affine")))
    assert main(["learn", "--hunt", number, "--check"]) == 0
    assert FAULTS[bug.fault].story in capsys.readouterr().out


def test_a_seed_gives_the_same_bug():
    assert choose(seed=3) == choose(seed=3) and len({choose(seed=n).kind for n in range(20)}) > 5
    assert target_of(choose("average-pooling")) == "AveragePooling"


@pytest.mark.parametrize(
    "args, sentence",
    [
        (["rope"], "there are no bugs of 'rope' to hunt; there are some of sgd, "),
        (["9999", "--check"], "there is no bug 9999; there are 1 to "),
        (["--check"], "which bug? Give its number"),
        (["1", "--check"], "bug1.py; write one with: python -m scratchcnn learn --hunt"),
    ],
)
def test_the_command_refuses(args, sentence, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["learn", "--hunt", *args]) == 2
    assert sentence in capsys.readouterr().err


def test_a_kind_with_a_slip_and_a_negative_seed_are_refused(scratchcnn):
    with pytest.raises(ValueError, match=r"did you mean convolution\?$"):
        choose("convolutoin")
    status, _, err = scratchcnn("learn", "--hunt", "--seed", -1)
    assert status == 2 and "'--seed': Input should be greater than or equal to 0" in err


def test_another_bug_is_told_in_words(tmp_path):
    first, second = [bug for bug in bugs() if bug.kind == "relu"][:2]
    (tmp_path / "bug.py").write_text(hunt_file(second), encoding="utf-8")
    wrong, says = still_wrong(first, tmp_path / "bug.py", isolated=False)
    assert wrong and " " in says and says != second.fault
    assert still_wrong(second, tmp_path / "bug.py", isolated=False) == (True, second.fault)
