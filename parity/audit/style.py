"""A suggested test in the style of the tests that are there: of pytest, of unittest, or a plain script."""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path

from parity.adapters.definitions import parsed
from parity.audit.run_tests import is_pytest, of_file


def in_style(text: str, tests: Path, under_test: Path, name: str) -> str:
    """The test function `text` as the file of the tests would have it, with the imports that it lacks.

    under_test  the file of the code
    name        the class, or functions with a comma, that the test calls
    """
    file, _ = of_file(tests)
    nodes = [node for _, tree in parsed(file) for node in tree.body]
    lines = _imports(nodes, under_test, name)
    if not is_pytest(file):
        function = text.partition("(")[0].removeprefix("def ")
        text = f"{text}\n\n{function}()\n"
    elif _is_unittest(nodes):
        title = "".join(word.capitalize() for word in text.partition("(")[0].removeprefix("def ").split("_"))
        lines += ["import unittest"] if "unittest" not in _bound(nodes) else []
        method = text.replace("():", "(self):", 1)
        text = f"class {title}(unittest.TestCase):\n{textwrap.indent(method, '    ')}"
    return "\n".join(
        [*sorted(lines, key=lambda line: line.startswith("from")), "", "", text] if lines else [text]
    )


def _is_unittest(nodes: Sequence[ast.stmt]) -> bool:
    """Whether its tests are methods of TestCases, and none is a function."""
    functions = [node for node in nodes if isinstance(node, ast.FunctionDef) and node.name.startswith("test")]
    bases = [ast.unparse(base) for node in nodes if isinstance(node, ast.ClassDef) for base in node.bases]
    return not functions and any(base.endswith("TestCase") for base in bases)


def _imports(nodes: Sequence[ast.stmt], under_test: Path, name: str) -> list[str]:
    """The lines that bind np and the code under test, where the file does not."""
    bound, lines = set(_bound(nodes)), []
    if "*" in bound:
        return []
    if "np" not in bound:
        lines.append("import numpy as np")
    wanted = {part.strip().partition(".")[0] for part in name.split(",")} - bound
    if wanted:
        lines.append(f"from {_module(nodes, under_test)} import {', '.join(sorted(wanted))}")
    return lines


def _module(nodes: Sequence[ast.stmt], under_test: Path) -> str:
    """The name by which the tests import the file."""
    names = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and not node.level and node.module:
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return next((found for found in names if found.split(".")[-1] == under_test.stem), under_test.stem)


def _bound(nodes: Sequence[ast.stmt]) -> Iterator[str]:
    """The names that the module has; "*" where it takes all of another one."""
    for node in nodes:
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            yield from (alias.asname or alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, (ast.ClassDef, ast.FunctionDef)):
            yield node.name
        elif isinstance(node, ast.Assign):
            yield from (target.id for target in node.targets if isinstance(target, ast.Name))
