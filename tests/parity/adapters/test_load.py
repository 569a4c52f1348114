"""Targets: files with siblings, packages with relative imports, modules; what is said where nothing is."""

import ast
import os
import subprocess
import sys

import pytest

from parity.adapters.file_trees import tree_of
from parity.adapters.load import TargetError, load


@pytest.fixture(autouse=True)
def own_modules(monkeypatch):
    """What a test imports is forgotten after it."""
    before = dict(sys.modules)
    monkeypatch.setattr(sys, "path", [*sys.path])
    yield
    for name in set(sys.modules) - set(before):
        del sys.modules[name]
    sys.modules.update(before)


def write(folder, **files):
    for name, text in files.items():
        path = folder / (name.replace("__", "/") + ".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def test_a_file_with_a_sibling(tmp_path):
    write(tmp_path, layers="from helper import value\nclass A: number = value", helper="value = 3")
    assert load(f"{tmp_path}/layers.py:A").number == 3


def test_a_package_with_relative_imports(tmp_path):
    write(
        tmp_path,
        pkg__deep__layers="from ..helper import value\nclass A: number = value",
        pkg__helper="value = 4",
    )
    for folder in ("pkg", "pkg/deep"):
        (tmp_path / folder / "__init__.py").touch()
    assert load(f"{tmp_path}/pkg/deep/layers.py:A").number == 4


def test_relative_imports_without_an_init(tmp_path):
    write(
        tmp_path, nets__layers="from .helper import value\nclass A: number = value", nets__helper="value = 5"
    )
    assert load(f"{tmp_path}/nets/layers.py:A").number == 5


def test_relative_imports_two_folders_up_without_an_init(tmp_path):
    write(
        tmp_path,
        outer__inner__layers="from ..helper import value\nclass A: number = value",
        outer__helper="value = 6",
    )
    assert load(f"{tmp_path}/outer/inner/layers.py:A").number == 6


def test_the_book_s_folders(tmp_path):
    """common/layers.py imports common.util from the folder above."""
    write(
        tmp_path,
        common__layers="from common.util import value\nclass A: number = value",
        common__util="value = 7",
    )
    (tmp_path / "common" / "__init__.py").touch()
    assert load(f"{tmp_path}/common/layers.py:A").number == 7


def test_a_file_called_like_a_module_of_python(tmp_path):
    write(tmp_path, random="class A: number = 8")
    import random

    assert load(f"{tmp_path}/random.py:A").number == 8
    assert sys.modules["random"] is random


def test_another_package_of_the_same_name(tmp_path):
    for number in (1, 2):
        write(tmp_path / str(number), common__layers=f"class A: number = {number}")
        (tmp_path / str(number) / "common" / "__init__.py").touch()
    assert [load(f"{tmp_path}/{n}/common/layers.py:A").number for n in (1, 2)] == [1, 2]


def test_a_module_beside_us(tmp_path, monkeypatch):
    write(tmp_path, mylayers__conv="class Outer:\n  class A: number = 9")
    monkeypatch.chdir(tmp_path)
    assert load("mylayers.conv:Outer.A").number == 9


def test_two_names_make_a_pair(tmp_path):
    write(tmp_path, pair="def f(): return 1\ndef g(): return 2")
    assert [part() for part in load(f"{tmp_path}/pair.py:f,g")] == [1, 2]


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("layers.py", "expected path/to/layers.py:Name or module:Name, got 'layers.py'"),
        ("{}/none.py:A", "no file .*none.py"),
        ("{}/layers.py:Convolutoin", "layers.py has no 'Convolutoin'; did you mean Convolution?"),
        ("{}/layers.py:X", "layers.py has no 'X'; it has Convolution"),
        ("no_such_module:A", "no module named 'no_such_module'; for a file write path/to/file.py:Name"),
    ],
)
def test_what_is_not_there_is_said(tmp_path, target, message):
    write(tmp_path, layers="class Convolution: pass")
    with pytest.raises(TargetError, match=message):
        load(target.format(tmp_path))


def test_a_missing_import_of_theirs_is_theirs(tmp_path):
    write(tmp_path, layers="import no_such_thing_at_all")
    with pytest.raises(ModuleNotFoundError, match="no_such_thing_at_all"):
        load(f"{tmp_path}/layers.py:A")


@pytest.mark.parametrize("name", ["layer.py", "package/layer.py"])
def test_a_file_changed_in_the_same_second_is_read_again(tmp_path, name):
    file = tmp_path / name
    file.parent.mkdir(exist_ok=True)
    if file.parent != tmp_path:
        (file.parent / "__init__.py").touch()
    free = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    ask = "from parity.adapters.load import load; import sys; print(load(sys.argv[1])(1))"
    for text, answer in (("x + 1", "2"), ("x + 2", "3")):
        file.write_text(f"def f(x):\n    return {text}\n")
        os.utime(file, (10**9, 10**9))
        ran = subprocess.run(
            [sys.executable, "-c", ask, f"{file}:f"], capture_output=True, text=True, check=True, env=free
        )
        assert ran.stdout.strip() == answer
    assert not list(tmp_path.rglob("__pycache__"))


def test_the_tree_of_a_file_is_that_of_its_text_now(tmp_path):
    file = tmp_path / "layer.py"
    for number in (1, 22):  # of another size: a clock's tick may be longer than the time between the two
        file.write_text(f"x = {number}\n")
        assert ast.unparse(tree_of(str(file))) == f"x = {number}"
