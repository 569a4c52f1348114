"""A plain `pip install scratchcnn`, with the packages that it depends on and no others: no PyTorch."""

import os
import shutil
from functools import partial
from importlib import metadata
from pathlib import Path

import pytest
from helpers import execute, python
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]


def needed(requirements, known=()):
    """The names of the packages that these need, and of those that they need in turn."""
    for line in requirements:
        found = Requirement(line)
        if found.name not in known and (found.marker is None or found.marker.evaluate({"extra": ""})):
            known = needed(metadata.requires(found.name) or (), {*known, found.name})
    return known


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A new environment's folder of programs: the wheel is installed, what it needs is linked into it."""
    folder = tmp_path_factory.mktemp("plain")
    for name in ("scratchcnn", "parity"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder)
    built = python("-c", "from setuptools.build_meta import build_wheel as b; b('dist')", cwd=folder)
    (wheel,) = (folder / "dist").glob("*.whl")
    assert built.returncode == 0, built.stderr
    assert python("-m", "venv", "--without-pip", folder / "venv").returncode == 0
    own = folder / "venv" / "bin" / "python"
    done = python("-m", "pip", "--python", own, "install", "--no-index", "--no-deps", wheel)
    assert done.returncode == 0, done.stderr
    (site,) = (folder / "venv" / "lib").glob("python*/site-packages")
    (about,) = metadata.distributions(name="scratchcnn", path=[str(site)])
    for name in needed(about.requires):
        for file in metadata.files(name):
            if file.parts[0] not in ("..", "__pycache__") and not (site / file.parts[0]).exists():
                (site / file.parts[0]).symlink_to(metadata.distribution(name).locate_file(file.parts[0]))
    return own.parent


@pytest.fixture
def run(tmp_path):
    """Run a program in an empty folder, with nothing of this environment in its path."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "COVERAGE"))}
    return partial(execute, cwd=tmp_path, env=own)


@pytest.mark.slow
def test_scratchcnn_works(installed, run):
    code = "import scratchcnn as sc; print(sc.__file__, sc.LeNet().num_params, len(sc.data.load().t_test))"
    done = run(installed / "python", "-c", code)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(str(installed.parent)) and done.stdout.endswith(" 61706 1000\n")
    for program in ([installed / "python", "-m", "scratchcnn"], [installed / "scratchcnn"]):
        done = run(*program, "summary", "lenet")
        assert (done.returncode, done.stderr) == (0, "") and "61,706" in done.stdout


@pytest.mark.slow
def test_parity_names_the_extra_that_it_needs(installed, run):
    for program in ([installed / "python", "-m", "parity"], [installed / "parity"]):
        done = run(*program, "check", "lenet")
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
        assert done.stderr.startswith("error: parity needs ") and "'scratchcnn[parity]'" in done.stderr


@pytest.mark.slow
def test_with_numpy_alone_both_commands_name_what_they_need(installed, run):
    """`pip install --no-deps scratchcnn numpy`: the library works, the commands say what is missing."""
    hidden = "import sys; sys.modules['typer'] = None; from {}.cli import main; sys.exit(main())"
    for command in ("scratchcnn", "parity"):
        done = run(installed / "python", "-c", hidden.format(command))
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1), done.stderr
        assert done.stderr.endswith("which is not installed: pip install typer\n")


@pytest.mark.slow
def test_a_layer_is_verified_without_pytorch_and_pandas(installed, run, tmp_path):
    (tmp_path / "mine.py").write_text(
        "import numpy as np\nclass Relu:\n"
        "    def forward(self, x):\n        self.on = x > 0\n        return np.where(self.on, x, 0)\n"
        "    def backward(self, dout):\n        return np.where(self.on, dout, 0)\n"
    )
    for words in (["kinds", "adam_options"], ["verify", "mine.py:Relu", "--judge", "numpy"], ["-h"]):
        done = run(installed / "parity", *words)
        assert (done.returncode, done.stderr) == (0, ""), done.stderr
