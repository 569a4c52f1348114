"""CONTRIBUTING.md shows code that is there, files that exist, and a layer that has all that it says."""

import re
from pathlib import Path

import pytest

import scratchcnn as sc
from parity.faults import faults_of
from parity.kinds import KINDS, kind_of_layer
from scratchcnn import naive

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "CONTRIBUTING.md").read_text()
BLOCKS = re.findall(r"```python\n# (\S+)\n(.*?)```", TEXT, flags=re.S)


@pytest.mark.parametrize(("path", "code"), BLOCKS, ids=[f"{i} {path}" for i, (path, _) in enumerate(BLOCKS)])
def test_the_code_shown_is_the_files(path, code):
    assert code.strip("\n") in (ROOT / path).read_text()


def test_every_block_of_python_names_its_file():
    assert len(BLOCKS) == TEXT.count("```python") >= 6


def test_every_path_exists():
    paths = re.findall(r"`((?:scratchcnn|parity|tests)/[\w/.]*)`", TEXT)
    assert len(paths) > 15 and [path for path in paths if not (ROOT / path).exists()] == []


def test_every_target_of_make_exists():
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"make (\w+)  ", TEXT))
    assert targets and all(re.search(rf"^{target}:", makefile, re.M) for target in targets)


def test_the_worked_example_has_its_four_pieces():
    assert kind_of_layer(sc.SiLU()) is KINDS["silu"]
    assert callable(naive.silu_forward) and callable(naive.silu_backward)
    assert len(faults_of("silu")) >= 10
