"""`--template`: files that are filled in as far as known, and that work once they are."""

from pathlib import Path

import pytest

HOMEWORK = Path(__file__).parents[1] / "homework"
NET = f"{HOMEWORK}/nets.py:Net"


def test_an_adapter_that_works_when_it_is_filled_in(parity, tmp_path):
    (tmp_path / "mine.py").write_text(
        f"import sys; sys.path.insert(0, {str(HOMEWORK)!r})\n"
        "import right\n"
        "class Dense(right.Affine):\n"
        "    def __init__(self, secret, code): pass\n"
    )
    target = f"{tmp_path}/mine.py:Dense"
    assert (
        parity("verify", target, "--template", tmp_path / "new").out == f"wrote {tmp_path}/new/adapter.py\n"
    )
    path = tmp_path / "new" / "adapter.py"
    path.write_text(path.read_text().replace("factory(...)", "factory(1, 2)"))
    ended = parity("verify", target, "--adapter", f"{path}:Mine")
    assert ended.status == 0, ended.out + ended.err


def test_a_twin_and_its_names(parity, tmp_path):
    assert parity("verify", NET, "--as", "network", "--template", tmp_path).status == 0
    twin = (tmp_path / "twin.py").read_text()
    assert "nn.Conv2d(1, 3, (3, 3))" in twin and "nn.Linear(27, 5)" in twin
    forward = twin[twin.index("        x = ") : twin.index("        return x")]
    lines = (
        "        x = F.max_pool2d(F.relu(self.conv1(x)), 3, 2)\n"
        "        x = self.linear3(F.relu(self.linear2(x.flatten(1))))\n"
    )
    twin = twin.replace(forward, lines).replace("(3, 3))", "3, padding=1)")
    (tmp_path / "twin.py").write_text(twin)
    files = ("--twin", f"{tmp_path}/twin.py:Twin", "--names", tmp_path / "names.toml")
    ended = parity("verify", NET, "--as", "network", *files)
    assert ended.status == 0, ended.out + ended.err


def test_a_file_that_is_there_is_not_overwritten(parity, tmp_path):
    (tmp_path / "names.toml").write_text("mine")
    ended = parity("verify", NET, "--as", "network", "--template", tmp_path)
    assert ended.status == 2 and "names.toml exists already" in ended.err
    assert (tmp_path / "names.toml").read_text() == "mine" and not (tmp_path / "twin.py").exists()


@pytest.mark.parametrize("kind", ["softmax_with_loss", "adam", "dropout", "im2col"])
def test_it_is_python_for_every_sort_of_kind(parity, tmp_path, kind):
    target = f"{HOMEWORK}/right.py:Relu"
    assert parity("verify", target, "--as", kind, "--template", tmp_path).status == 0
    compile((tmp_path / "adapter.py").read_text(), "adapter.py", "exec")


def test_a_whole_file_has_no_template(parity, tmp_path):
    ended = parity("verify", HOMEWORK / "right.py", "--template", tmp_path)
    assert ended.status == 2 and "--template needs one layer or network" in ended.err
