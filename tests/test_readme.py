"""README's blocks work: in their order, in one fresh folder that holds only what the blocks made before.

    <!-- file: layers.py -->      the block after it is a file of that name
    <!-- run -->                  commands after `$ `, each followed by what it prints
    <!-- run: exit status 1 -->   the same, where the commands exit with that status

Blocks in `sh` are commands, blocks in `python` are run one after another in one process, blocks in `text`
are not run. To write the outputs anew: README=write python -m pytest tests/test_readme.py -n 0
"""

import importlib.util
import os
import re
import shlex
import sys
import tomllib
from pathlib import Path

import pytest
from helpers import execute

from parity.cli import main as parity
from scratchcnn.cli import main as scratchcnn
from scratchcnn.learn.hunt import bugs

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
SECTION = re.compile(r"^## (.+?)\n(.*?)(?=^## |\Z)", re.M | re.S)
BLOCK = re.compile(r"(?:<!-- (file|run)(?:: (.+?))? -->\n)?```(\w*)\n(.*?)```", re.S)
# How exact a result is, which depends on the machine.
ROUNDING = re.compile(r"\b\d+(?:\.\d+)?e-\d+\b|\bexactly\b|to 0e\+00")

# README's command -> what is run in its place: minutes of work, downloads, a GPU, a cluster.
SHORTENED = {
    "make parity": f"make -n -C {ROOT} parity",
    "make test": f"make -n -C {ROOT} test",
    "source .venv/bin/activate": f"make -n -C {ROOT} setup",
}
SHORTENED_MODULES = {  # each after `python -m`
    "scratchcnn train lenet --out lenet.safetensors": (
        "scratchcnn train lenet --epochs 1 --out lenet.safetensors"
    ),
    "scratchcnn predict resnet50 photo.jpg --weights resnet50.pth --labels names.txt": (
        "scratchcnn predict lenet shoe.png --weights resnet50.pth --labels names.txt"
    ),
    "parity check": "parity check relu sgd --dtype float64",
    "parity check lenet --optimizer adam --steps 50 --out found": (
        "parity check lenet --optimizer adam --steps 2 --dtype float64 --out checked"
    ),
    "parity check alexnet --device cuda": "parity check lenet --steps 0 --dtype float64 --device cpu",
    "parity check lenet --against torch,jax,onnxruntime": (
        "parity check lenet --steps 0 --dtype float64 --against torch,jax,onnxruntime"
    ),
    "parity check resnet18 --against jax": "parity check lenet --dtype float64 --against jax",
    "parity faults": "parity faults rbf --seeds 1 --workers 1",
    "parity faults convolution adam": "parity faults sgd --seeds 1 --workers 1 --verbose",
    "parity time": "parity time relu --batch-size 1 --quick --threads 1",
    "parity time lenet --layers --threads 1 --out found": (
        "parity time relu --batch-size 1 --quick --layers --threads 1 --out timed"
    ),
    "parity report --out build/full": "parity report --quick --skip training --skip speed --out build/full",
    "parity report --quick": "parity report --quick --skip speed",
    "parity audit test_layers.py --of layers.py:Relu --no-source": "parity audit -h",
    "parity audit homework.ipynb --of homework.ipynb:Relu": "parity audit -h",
    "parity grade submissions/ --assignment assignment.toml --out grades": (
        "parity grade submissions/ --assignment relu.toml --out grades --workers 1"
    ),
    "parity train lenet --epochs 5": "parity train simple_conv_net --epochs 1",
    "parity diff reports build/report": "parity diff build/full build/report",
    "parity sweep plan.toml --dry-run": "parity sweep small.toml --dry-run",
    "parity sweep plan.toml --out found": "parity sweep small.toml --out found --workers 1",
    "parity sweep plan.toml --out found --scheduler tcp://127.0.0.1:8786": (
        "parity sweep small.toml --out found --workers 1"
    ),
}
SHORTENED |= {f"python -m {key}": f"python -m {value}" for key, value in SHORTENED_MODULES.items()}
# What `report --quick` runs here.
SMALL_REPORT = {
    "quick": True,
    "networks": ("simple_conv_net",),
    "kinds": ("relu",),
    "seeds": 1,
    "trained": (("simple_conv_net", 1),),
    "timed": (),
}
ANNA = """import numpy as np

class Relu:
    def forward(self, x):
        self.mask = x > 0
        return np.where(self.mask, x, 0)

    def backward(self, dout):
        return np.where(self.mask, dout, 0)
"""
SMALL_PLAN = '[[part]]\nlayers = "relu"\ndtypes = "float64"\n'
EXTRAS = {*tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]}


def sections():
    """The sections whose outputs are compared: title and text."""
    found = SECTION.findall(README.read_text())
    return {title: text for title, text in found if "<!-- run" in text}


def produced(text, folder):
    """The section as it reads with the outputs that its commands give in this folder."""

    def block(match):
        what, detail, _, body = match.groups()
        if what == "file":
            (folder / detail).write_text(body)
        if what != "run":
            return match[0]
        commands = [line[2:] for line in body.splitlines() if line.startswith("$ ")]
        status = int(detail.removeprefix("exit status ")) if detail else 0
        ran = "".join(f"$ {command}\n{output(command, folder, status)}" for command in commands)
        return match[0].replace(body, ran)

    return BLOCK.sub(block, text)


def output(command, folder, status):
    assert command.startswith("python "), command
    done = run(command, folder)
    assert done.returncode == status, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


def run(command, folder):
    """Run a line in a process, with this Python, which finds the two packages from any folder."""
    words = [{"python": sys.executable}.get(word, word) for word in shlex.split(command)]
    if words[0] == "pytest":
        words = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *words[1:]]
    paths = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    return execute(*words, cwd=folder, env={**os.environ, "PYTHONPATH": paths, "COLUMNS": "120"})


@pytest.mark.slow
@pytest.mark.parametrize("title", sections())
def test_a_section_prints_what_its_commands_give(title, tmp_path):
    text = sections()[title]
    now = produced(text, tmp_path)
    if os.environ.get("README") == "write":
        README.write_text(README.read_text().replace(text, now))
    else:
        assert ROUNDING.sub("~", now) == ROUNDING.sub("~", text)


def test_the_section_on_ones_own_layer_is_among_them():
    assert sections()["Check your own layer"].count("\n$ python") == 2


# -- every block, in order ------------------------------------------------------------------------
def lines(body):
    """The commands of a block, without the comments after them."""
    return [line.split("  #")[0].strip() for line in body.splitlines() if line.strip()]


def commands():
    return [
        line for *_, kind, body in BLOCK.findall(README.read_text()) if kind == "sh" for line in lines(body)
    ]


def test_each_shortened_command_is_one_of_readme():
    assert set(SHORTENED) <= set(commands())


def test_each_block_says_what_it_is():
    kinds = {(what, kind) for what, _, kind, _ in BLOCK.findall(README.read_text())}
    assert kinds <= {*(("", kind) for kind in ("sh", "python", "text")), ("run", ""), *FILES}


FILES = {("file", "python"), ("file", "toml")}


@pytest.mark.parametrize("line", [line for line in commands() if line.startswith("pip ")])
def test_an_installation_names_an_extra_that_exists(line):
    pip, install, what = shlex.split(line)
    extra = re.fullmatch(r"\.(?:\[(\w+)\])?", what)
    assert (pip, install) == ("pip", "install") and extra and (extra[1] is None or extra[1] in EXTRAS)


def test_the_environment_to_activate_is_the_one_that_make_sets_up():
    assert re.search(r"^VENV +\?= \.venv$", (ROOT / "Makefile").read_text(), re.M)
    assert "source .venv/bin/activate" in commands()


def test_the_figures_are_those_of_the_committed_report():
    spec = importlib.util.spec_from_file_location("figures", ROOT / "tools" / "readme_figures.py")
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    text = README.read_text(encoding="utf-8")
    assert tool.written(text) == text
    assert tool.written(text.replace("| killed | ", "| killed | 1")) == text


@pytest.mark.slow
def test_every_block_works_in_its_place(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr("parity.report.request.QUICK", SMALL_REPORT)
    (tmp_path / "small.toml").write_text(SMALL_PLAN)
    (tmp_path / "submissions" / "anna").mkdir(parents=True)
    (tmp_path / "submissions" / "anna" / "layers.py").write_text(ANNA)
    shared = {}
    for what, detail, kind, body in BLOCK.findall(README.read_text()):
        if what == "file":
            Path(detail).write_text(body)
        elif kind == "python":
            made_elsewhere(body)
            exec(compile(body.replace('"resnet50"', '"lenet"'), "README.md", "exec"), shared)
        elif kind == "sh":
            for line in lines(body):
                if not line.startswith("pip "):
                    follow(line, tmp_path, capsys)


def made_elsewhere(body):
    """PyTorch's file of weights, which a user has: LeNet's here, in place of ResNet-50's 100 MB."""
    if "resnet50.pth" in body:
        import torch

        from parity.reference.networks import TORCH_NETWORKS

        torch.save(TORCH_NETWORKS["lenet"]().state_dict(), "resnet50.pth")
        Path("names.txt").write_text("".join(f"name {k}\n" for k in range(10)))


def status_of(entry, words):
    try:
        return entry(words)
    except SystemExit as end:
        return end.code


def follow(line, folder, capsys):
    """Run the command or its shortened form: it exits with 0, and the files that it names as output exist."""
    command = SHORTENED.get(line, line)
    words = shlex.split(command)
    entry = {"parity": parity, "scratchcnn": scratchcnn}.get(words[2] if len(words) > 2 else "")
    if words[:2] == ["python", "-m"] and entry:  # in this process, since importing PyTorch takes seconds
        status = status_of(entry, words[3:])
        out, err = capsys.readouterr()
    else:
        done = run(command, folder)
        status, out, err = done.returncode, done.stdout, done.stderr
    assert not status, f"{line}\n{out}\n{err}"
    if "--out" in words:
        path = Path(words[words.index("--out") + 1])
        assert path.is_file() or any(path.iterdir()), line


# -- README.ko.md ---------------------------------------------------------------------------------
KOREAN = (ROOT / "README.ko.md").read_text(encoding="utf-8")
WRONG = ("--check", "verify layers.py:Affine", "--hint 1")  # what is judged here has gaps or a bug


@pytest.mark.slow
def test_the_blocks_of_the_korean_readme_work_in_their_order(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for what, detail, _, body in BLOCK.findall(KOREAN):
        if what == "file":
            Path(detail).write_text(body, encoding="utf-8")
        elif "ch07/train_convnet.py" not in body:  # a script of the reader's, run in test_book_scripts.py
            for line in lines(body):
                if line.startswith("python -m "):
                    judged(line, capsys)
    assert "보고서" in KOREAN and (tmp_path / "lesson5" / "convolution.py").is_file()


def judged(line, capsys):
    words = shlex.split(line)
    entry = {"parity": parity, "scratchcnn": scratchcnn}[words[2]]
    assert status_of(entry, words[3:]) == int(line.endswith(WRONG)), capsys.readouterr()


@pytest.mark.parametrize("path", re.findall(r"\]\((?!http|#)([^)]+)\)", KOREAN))
def test_the_korean_readme_links_to_what_is_there(path):
    assert (ROOT / path).exists()


def test_the_korean_readme_counts_the_bugs_as_the_english_does():
    [english] = re.findall(r"one of (\d+) known bugs", README.read_text())
    assert f"버그 {english}가지" in KOREAN and int(english) == len(bugs())
