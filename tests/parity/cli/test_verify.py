"""The commands `verify` and `compare`: exit statuses, and what is printed and written."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from helpers import python

HOMEWORK = Path(__file__).parents[1] / "homework"


def test_right_is_0(parity):
    status, out, _ = parity("verify", f"{HOMEWORK}/right.py:Relu")
    assert status == 0 and "as relu: right, the same function as PyTorch's" in out


def test_wrong_is_1_and_explained(parity):
    status, out, _ = parity("verify", f"{HOMEWORK}/wrong.py:PoolingZeroPadded", "--as", "max-pooling")
    assert status == 1 and "WRONG" in out and "[max-pool-zero-padding]" in out and "reproduce\n" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["none.py:Relu"], "no file none.py"),
        ([f"{HOMEWORK}/right.py:Relo", "--as", "relu"], "has no 'Relo'; did you mean Relu?"),
        ([f"{HOMEWORK}/right.py:Relu", "--as", "rleu"], "no kind named 'rleu'"),
        ([f"{HOMEWORK}/wrong.py:MinForgetsTheSign"], "does not say what it is; add --as convolution"),
        ([f"{HOMEWORK}/right.py:Relu", "--allow", "x"], "no known difference named x for relu"),
        ([f"{HOMEWORK}/nets.py:Net", "--as", "network", "--input", "1,8,7"], "a network needs a twin"),
        (
            [
                f"{HOMEWORK}/nets.py:Net",
                "--as",
                "network",
                "--twin",
                f"{HOMEWORK}/twin.py:Twin",
                "--input",
                "a",
            ],
            "--input: expected",
        ),
    ],
    ids=["file", "name", "kind", "no kind", "difference", "twin", "input"],
)
def test_misuse_is_2_and_one_sentence(parity, arguments, message):
    status, out, err = parity("verify", *arguments)
    assert status == 2 and out == "" and err.startswith("error: ") and message in err


def test_a_declared_difference_is_0_and_said(parity):
    status, out, _ = parity(
        "verify",
        f"{HOMEWORK}/wrong.py:DropoutNotInverted",
        "--as",
        "dropout",
        "--allow",
        "dropout-not-inverted",
    )
    assert status == 0 and "exactly as declared (dropout-not-inverted)" in out


def test_two_functions_and_an_adapter(parity):
    status, out, _ = parity(
        "verify",
        f"{HOMEWORK}/cs231n.py:affine_forward,affine_backward",
        "--as",
        "affine",
        "--adapter",
        "cs231n",
    )
    assert status == 0, out


def test_a_network(parity):
    status, out, _ = parity(
        "verify",
        f"{HOMEWORK}/nets.py:NetOfWrongLayer",
        "--as",
        "network",
        "--twin",
        f"{HOMEWORK}/twin.py:Twin",
        "--names",
        HOMEWORK / "names.toml",
    )
    assert status == 1 and "Conv1 introduces the error in its backward pass: db" in out


def test_what_has_a_twin_is_a_network(parity):
    given = ("--twin", f"{HOMEWORK}/twin.py:Twin", "--names", HOMEWORK / "names.toml")
    status, out, _ = parity("verify", f"{HOMEWORK}/nets.py:Net", *given)
    assert status == 0 and "Net as network: right" in out


def test_the_findings_are_written(parity, tmp_path):
    parity("verify", f"{HOMEWORK}/wrong.py:ReluLeaky", "--as", "relu", "--out", tmp_path)
    assert not pd.read_csv(tmp_path / "findings.csv")["ok"].all()


def test_compare_right_wrong_and_misused(parity, tmp_path):
    np.savez(tmp_path / "a.npz", W=np.eye(3))
    np.savez(tmp_path / "b.npz", W=2 * np.eye(3))
    assert parity("compare", tmp_path / "a.npz", tmp_path / "a.npz")[0] == 0
    status, out, _ = parity("compare", tmp_path / "a.npz", tmp_path / "b.npz")
    assert status == 1 and "equal to theirs times 1/2" in out and "MISMATCH: 1 of 1 arrays" in out
    status, _, err = parity("compare", tmp_path / "a.npz", tmp_path / "c.npz")
    assert status == 2 and "error: there is no file or folder" in err


@pytest.mark.slow
def test_the_command_in_a_process_of_its_own():
    """The wrong one, diagnosis and PyTorch's import and all."""
    target = f"{HOMEWORK}/wrong.py:ConvolutionMeanBias"
    done = python("-m", "parity", "verify", target, "--as", "convolution")
    assert done.returncode == 1 and "conv-db-mean" in done.stdout


def test_import_parity_is_light():
    code = (
        "import sys, parity\n"
        "print('torch' in sys.modules, 'numpy' in sys.modules)\n"
        "parity.verify\n"
        "print(callable(parity.verify), callable(parity.assert_parity))"
    )
    done = python("-c", code)
    assert done.stdout == "False False\nTrue True\n", done.stderr
