"""Help and refused requests answer at once: none of the large libraries is imported for them."""

import re

import pytest
from helpers import python

LARGE = ("torch", "jax", "pandas", "hypothesis", "distributed", "onnxruntime")
CODE = """
import sys
from parity.cli import main
try:
    main(sys.argv[1:])
finally:
    print("imported:", [name for name in {large} if name in sys.modules])
"""


def run(*arguments, cwd=None):
    return python("-c", CODE.format(large=LARGE), *arguments, cwd=cwd)


COMMANDS = (
    "verify",
    "check",
    "train",
    "time",
    "report",
    "diff",
    "compare",
    "settle",
    "audit",
    "grade",
    "kinds",
    "faults",
    "sweep",
)


@pytest.mark.parametrize("arguments", [(), ("convolution",), ("adam",), ("network",)], ids=" ".join)
def test_kinds_imports_no_large_library(arguments):
    done = run("kinds", *arguments)
    assert done.returncode == 0 and done.stdout.endswith("imported: []\n")


@pytest.mark.parametrize("command", [(), *((name,) for name in (*COMMANDS, "sweep-report"))], ids=" ".join)
def test_help_imports_no_large_library(command):
    done = run(*command, "-h")
    assert done.returncode == 0 and "Usage" in done.stdout
    assert done.stdout.endswith("imported: []\n"), done.stdout.splitlines()[-1]


def test_help_lists_the_commands_in_the_order_of_use():
    listed = re.findall(r"^│ ([a-z]\S+)", run("-h").stdout, re.M)
    assert listed == [*COMMANDS, "sweep-report"]


REFUSED = {
    "no such command": ("nonsense",),
    "no such option": ("check", "--nonsense"),
    "no such network": ("check", "resnet99"),
    "no such layer": ("time", "lenet", "relo"),
    "a layer to train": ("train", "relu"),
    "no such referee": ("check", "lenet", "--against", "caffe"),
    "no such kind": ("kinds", "pooling"),
    "not timed": ("time", "im2col"),
    "no such device": ("check", "lenet", "--device", "tpu"),
    "no such data": ("train", "lenet", "--data", "cifar"),
    "no such part": ("report", "--skip", "x"),
    "nothing left": ("report", *(f"--skip={p}" for p in ("accuracy", "faults", "training", "speed"))),
    "no kind to be seen": ("verify", "layers.py:Whatever"),
    "no such file": ("compare", "a.npz", "b.npz"),
    "no shape": ("verify", "nets.py:Net", "--as", "network", "--input", "a"),
    "no folder for a sweep": ("sweep", "plan.toml"),
    "no such plan": ("sweep", "plan.toml", "--out", "found"),
}


@pytest.mark.parametrize("arguments", REFUSED.values(), ids=REFUSED)
def test_a_refusal_imports_no_large_library(arguments, tmp_path):
    done = run(*arguments, cwd=tmp_path)
    assert done.returncode == 2 and done.stderr and "Traceback" not in done.stderr
    assert done.stdout == "imported: []\n"
