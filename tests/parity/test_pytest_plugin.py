"""`pytest --parity`: an item a target, its report, and nothing imported when it is not asked for."""

import os
from pathlib import Path

import pytest
from helpers import python

HOMEWORK = Path(__file__).parent / "homework"
ENVIRONMENT = os.environ | {"PYTEST_ADDOPTS": "", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}


def run(folder, *arguments):
    plugins = ("-p", "parity.pytest_plugin", "-p", "no:cacheprovider")
    done = python("-m", "pytest", *plugins, *arguments, cwd=folder, env=ENVIRONMENT)
    return done.returncode, done.stdout + done.stderr


def test_a_right_one_is_one_more_test_that_passes(tmp_path):
    (tmp_path / "test_own.py").write_text("def test_own(): pass")
    status, out = run(tmp_path, "--parity", f"{HOMEWORK}/right.py:Convolution")
    assert status == 0 and "2 passed" in out
    assert "right on what was checked; not checked: dilation, groups" in out


def test_a_wrong_one_fails_with_the_verdict(tmp_path):
    status, out = run(tmp_path, "--parity", f"{HOMEWORK}/wrong.py:ReluLeaky=relu")
    assert status == 1 and "1 failed" in out
    assert "as relu: WRONG" in out and "relu-leaky" in out and "Traceback" not in out


def test_a_folder_without_tests_and_a_kind_for_all(tmp_path):
    (tmp_path / "mine.py").write_text((HOMEWORK / "right.py").read_text().replace("class Relu", "class Mine"))
    status, out = run(tmp_path, "--parity", "mine.py:Mine", "--parity-as", "relu")
    assert status == 0 and "1 passed" in out, out


def test_in_a_test_of_theirs_the_report_stands_alone(tmp_path):
    (tmp_path / "test_own.py").write_text(
        f"import parity, sys\nsys.path.insert(0, {str(HOMEWORK)!r})\nimport right, wrong\n"
        "def test_right(): assert parity.assert_parity(right.Relu, 'relu').ok\n"
        "def test_wrong(): parity.assert_parity(wrong.ReluLeaky, 'relu')\n"
    )
    status, out = run(tmp_path)
    assert status == 1 and "1 failed, 1 passed" in out
    assert "relu-leaky" in out and "verification.py" not in out


def test_right_numbers_pass_with_a_line_unless_it_is_strict(tmp_path):
    target = f"{HOMEWORK}/wrong.py:ReluInPlace=relu"
    status, out = run(tmp_path, "--parity", target)
    assert status == 0 and "the numbers are right, but it writes into dout" in out
    status, out = run(tmp_path, "--parity", target, "--parity-strict")
    assert status == 1 and "1 failed" in out


def test_what_could_not_be_checked_fails(tmp_path):
    (tmp_path / "mine.py").write_text("import no_such_package\n")
    status, out = run(tmp_path, "--parity", "mine.py:Relu")
    assert status == 1 and "could not be checked: raised ModuleNotFoundError" in out


def test_a_declared_difference(tmp_path):
    status, out = run(
        tmp_path, "--parity", f"{HOMEWORK}/wrong.py:ReluLeaky=relu", "--parity-allow", "relu-leaky"
    )
    assert status == 0, out


@pytest.mark.parametrize(
    ("target", "message"),
    [("layers.py", "expected FILE.py:NAME"), ("layers.py:Frobnicator", "the name does not say what it is")],
)
def test_misuse_is_a_usage_error(tmp_path, target, message):
    status, out = run(tmp_path, "--parity", target)
    assert status == pytest.ExitCode.USAGE_ERROR and message in out


def test_it_is_registered_and_imports_nothing_heavy():
    code = (
        "import sys, importlib.metadata as m\n"
        "(e,) = [e for e in m.entry_points(group='pytest11') if e.name == 'parity']\n"
        "e.load()\n"
        "print(sorted({'torch', 'pandas', 'numpy', 'scratchcnn'} & set(sys.modules)))"
    )
    done = python("-c", code)
    assert done.stdout == "[]\n", done.stderr
