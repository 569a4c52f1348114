"""How far a reader of one gradient has to walk: the figures that README states, measured again."""

import os
import re
from pathlib import Path

import pytest
from helpers import python

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")


@pytest.fixture(scope="module")
def measured():
    env = os.environ | {"OPENBLAS_NUM_THREADS": "2", "SCRATCHCNN_TEXTBOOK": "0"}
    done = python(ROOT / "tools" / "reader_path.py", env=env, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    lines = re.findall(r"^(textbook|fast): (\d+) files, (\d+) functions$", done.stdout, re.MULTILINE)
    return {rung: (int(files), int(functions)) for rung, files, functions in lines}


def stated(rung):
    found = re.search(rf"^\| ours, {rung} \| (\d+) \| (\d+) \|$", README, re.MULTILINE)
    assert found, f"README has no row for {rung}"
    return int(found[1]), int(found[2])


def test_the_textbooks_path_is_short(measured):
    assert measured["textbook"] == stated("textbook")
    files, functions = measured["textbook"]
    assert files <= 7 and functions <= 30


def test_readme_states_the_fast_rungs_path(measured):
    files, functions = stated("fast")
    assert measured["fast"][0] == files
    # from Python 3.12 on comprehensions are no functions of their own
    assert 0.75 * functions <= measured["fast"][1] <= functions
