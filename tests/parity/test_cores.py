"""The cores are counted in one place, and without PyTorch."""

import ast
import os
from pathlib import Path

import parity
from parity import cores
from parity.reference import machine

ROOT = Path(parity.__file__).parents[1]


def test_as_many_as_this_process_may_use(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 5, 7}, raising=False)
    assert cores.cores() == machine.cores() == 3
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert cores.cores() == 1


def test_it_is_the_only_place_that_counts_and_it_imports_os_alone():
    counting = {str(p.relative_to(ROOT)) for p in (ROOT / "parity").rglob("*.py") if counts(p)}
    assert counting == {"parity/cores.py"}
    tree = ast.parse((ROOT / "parity" / "cores.py").read_text())
    imported = [a.name for node in ast.walk(tree) if isinstance(node, ast.Import) for a in node.names]
    assert imported == ["os"]


def counts(path):
    return "sched_getaffinity" in path.read_text()
