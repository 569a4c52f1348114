"""The entry point: what it says where a package is missing, and the version."""

import os
import re
import tomllib
from pathlib import Path

import pytest
from helpers import python

from parity.cli import EXTRAS, needed
from scratchcnn import __version__

PROJECT = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text())["project"]
BLOCKED = """
import sys
blocked = {blocked}

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in blocked:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Refuse())
from parity.cli import main
main({arguments})
"""


def run_without(*blocked, arguments):
    code = BLOCKED.format(blocked=blocked, arguments=arguments)
    return python("-c", code)


@pytest.mark.parametrize("missing", ["pandas", "torch"])
def test_a_missing_package_is_one_sentence_with_the_extra(missing):
    done = run_without(missing, arguments=["check", "relu", "--dtype", "float64"])
    sentence = (
        "which is not installed: pip install 'scratchcnn[parity]' (in a clone: pip install '.[parity]')"
    )
    without = "; a layer can be verified without it: --judge numpy" if missing == "torch" else ""
    assert (done.returncode, done.stderr) == (2, f"error: parity needs {missing}, {sentence}{without}\n")


def test_a_wrong_layer_is_found_without_hypothesis():
    """Only the wrong input is not cut down then."""
    target = Path(__file__).parents[1] / "homework" / "wrong.py"
    done = run_without("hypothesis", arguments=["verify", f"{target}:AffineMean", "--as", "affine"])
    assert done.returncode == 1 and "WRONG" in done.stdout, done.stderr


def test_reports_are_read_and_compared_without_pytorch():
    reports = Path(__file__).parents[3] / "reports"
    done = run_without("torch", "dask", "distributed", arguments=["diff", str(reports), str(reports)])
    assert (done.returncode, done.stderr) == (0, "") and "0 worse, 0 better; compared" in done.stdout


def test_after_a_plain_install_parity_names_the_extra():
    """None of the extras' packages is there."""
    done = run_without(*EXTRAS, arguments=["-h"])
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert re.match(r"error: parity needs \w+, .* pip install 'scratchcnn\[parity\]'", done.stderr)


def test_a_package_of_every_install_is_one_sentence_too():
    done = run_without("typer", arguments=["-h"])
    sentence = "error: parity needs typer, which is not installed: pip install typer\n"
    assert (done.returncode, done.stderr) == (2, sentence)


def test_any_other_module_is_a_bug_and_stays_a_traceback():
    with pytest.raises(ModuleNotFoundError):
        needed(ModuleNotFoundError("No module named 'parity.nonsense'", name="parity.nonsense"))


@pytest.mark.parametrize("extra", ["parity", "onnx", "referees", "sweep", "audit"])
def test_the_extras_are_those_of_the_project(extra):
    listed = {re.match(r"[\w-]+", line)[0] for line in PROJECT["optional-dependencies"][extra]} - {
        "scratchcnn"
    }
    assert listed <= {module for module, where in EXTRAS.items() if where == extra}


def test_both_commands_print_the_version(parity, scratchcnn):
    assert parity("--version") == (0, f"parity of scratchcnn {__version__}\n", "")
    assert scratchcnn("--version") == (0, f"scratchcnn {__version__}\n", "")


def test_the_version_stands_in_one_place():
    assert "version" in PROJECT["dynamic"] and "version" not in PROJECT


@pytest.mark.parametrize(
    "command", [("parity", "-h"), ("parity", "kinds"), ("scratchcnn", "summary", "lenet")]
)
def test_no_columns_is_no_width(command):
    done = python("-m", *command, env=os.environ | {"COLUMNS": "0"})
    assert done.returncode == 0 and len(done.stdout.split()) > 20


@pytest.mark.parametrize("words", [["sweep", "none.toml", "--out", "found"], ["grade", "none"]], ids=str)
def test_a_file_that_is_not_there_is_named_without_the_number_of_the_error(
    words, parity, monkeypatch, tmp_path
):
    monkeypatch.chdir(tmp_path)
    done = parity(*words)
    assert done.status == 2 and done.err.startswith("error: there is no file or folder "), done.err
    assert ".toml" in done.err and "Errno" not in done.err
