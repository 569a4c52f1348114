"""What `import parity` shows, and that files which lie about are not taken for ours."""

from pathlib import Path

import pytest
from helpers import python

import parity

HOMEWORK = Path(__file__).parent / "homework"


def test_the_public_names_are_those_that_dir_shows():
    names = ["Verdict", "assert_parity", "parametrize", "settle", "verify", "verify_all"]
    assert dir(parity) == sorted(parity.__all__) == names
    assert isinstance(parity.verify(f"{HOMEWORK}/right.py:Relu", "relu"), parity.Verdict)
    with pytest.raises(AttributeError, match="module 'parity' has no attribute 'veryfy'"):
        parity.veryfy  # noqa: B018


@pytest.fixture
def folder(tmp_path):
    """A layer, and beside it files called like modules that Python, NumPy, PyTorch and we import."""
    names = ("hypothesis", "typer", "random", "typing", "json", "pandas", "torch", "numpy", "rich", "parity_")
    for name in names:
        (tmp_path / f"{name}.py").write_text(f"raise SystemExit('{name}.py of that folder was imported')\n")
    (tmp_path / "layers.py").write_text((HOMEWORK / "right.py").read_text())
    return tmp_path


def test_files_beside_the_layer_are_not_taken_for_ours(folder):
    done = python("-m", "parity", "verify", "layers.py:Convolution", cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "right on what was checked" in done.stdout


def test_a_module_of_the_current_folder_is_found(folder):
    done = python("-m", "parity", "verify", "layers:Relu", cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_forked_pool_answers_after_pytorch_has_used_its_threads(tmp_path):
    (tmp_path / "run.py").write_text(
        "import multiprocessing, sys, torch, parity\n"
        "torch.set_num_threads(4)\n"
        "a = torch.rand(600, 600); (a @ a).relu_().sum(); torch.rand(1 << 22).exp().sum()\n"
        "def one(name): return parity.verify(name, 'convolution').ok\n"
        "if __name__ == '__main__':\n"
        f"    target = '{HOMEWORK}/right.py:Convolution'\n"
        "    assert parity.verify(target, 'convolution').ok\n"
        "    with multiprocessing.get_context('fork').Pool(2) as pool:\n"
        "        print([r.get(200) for r in [pool.apply_async(one, (target,)) for _ in range(2)]])\n"
    )
    done = python("run.py", cwd=tmp_path)
    assert done.stdout == "[True, True]\n", done.stdout + done.stderr
