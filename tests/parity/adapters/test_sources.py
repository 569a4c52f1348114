"""Sources are what `inspect` finds, of classes too, and of a file as it is now."""

import ast
import inspect
import sys
from pathlib import Path

import pytest

from parity.adapters.load import import_file
from parity.adapters.sources import source_of, tree_of_text

HOMEWORK = Path(__file__).parents[1] / "homework"
NESTED = """
def decorated(cls): return cls

@decorated
class A:  # first
    class B:
        def f(self): return 1

def make():
    class A:
        x = 2
    return A

if True:
    class C(A):
        '''said'''
"""


def test_the_source_of_a_class_is_that_of_inspect():
    module = import_file(HOMEWORK / "right.py")
    classes = [one for one in vars(module).values() if isinstance(one, type)]
    assert len(classes) > 5
    for one in [*classes, classes[0].forward, module]:
        assert source_of(one) == inspect.getsource(one)


def test_classes_in_others_and_in_functions(tmp_path):
    (tmp_path / "nested_ones.py").write_text(NESTED)
    module = import_file(tmp_path / "nested_ones.py")
    for one in (module.A, module.A.B, module.make(), module.C):
        assert source_of(one) == inspect.getsource(one)
    assert source_of(module.A).startswith("@decorated")


def test_a_class_without_a_source_has_none():
    space = {"__name__": "nowhere"}
    exec("class A: pass", space)
    for one in (space["A"], int):
        with pytest.raises((OSError, TypeError)):
            source_of(one)


def test_a_file_written_anew_is_read_anew(tmp_path):
    path = tmp_path / "anew.py"
    for text in ("class A:\n    x = 1\n", "y = 0\nclass A:\n    x = 22\n"):
        path.write_text(text)
        sys.modules.pop("anew", None)
        assert source_of(import_file(path).A) == text.removeprefix("y = 0\n")


def test_a_text_is_parsed_once():
    assert tree_of_text("x = 1") is tree_of_text("x = " + "1")
    assert isinstance(tree_of_text("x = 1"), ast.Module)
