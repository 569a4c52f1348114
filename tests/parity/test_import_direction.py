"""A package of parity imports from itself and from those above it in ORDER, in functions as in modules."""

import ast
import re
from pathlib import Path

import pytest

import parity

ROOT = Path(parity.__file__).parent
ORDER = (
    "comparison",
    "kinds",
    "reference",
    "sandbox",
    "adapters",
    "checks",
    "faults",
    "explain",
    "verification",
    "timing",
    "referees",
    "report",
    "sweep",
    "grading",
    "audit",
    "cli",
)


def imported(tree: ast.AST) -> set[str]:
    """The packages of parity that any import statement in the tree names."""
    names = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    return {name.split(".")[1] for name in names if name.startswith("parity.")}


def test_every_package_has_its_place():
    assert {p.parent.name for p in ROOT.glob("*/__init__.py")} == set(ORDER)


def test_the_guide_names_the_packages_in_the_same_order():
    guide = (ROOT.parent / "CONTRIBUTING.md").read_text()
    row = guide.split("`parity/` is a row of packages: ")[1].split(". A package")[0]
    assert tuple(re.findall(r"`(\w+)`", row)) == ORDER


@pytest.mark.parametrize("package", ORDER)
def test_a_package_imports_none_below_it(package):
    below = ORDER[ORDER.index(package) + 1 :]
    wrong = {
        str(path.relative_to(ROOT)): sorted(found)
        for path in (ROOT / package).rglob("*.py")
        if (found := imported(ast.parse(path.read_text())) & set(below))
    }
    assert not wrong


def test_an_import_in_a_function_counts():
    assert imported(ast.parse("def f():\n    from parity.cli import main")) == {"cli"}
    assert imported(ast.parse("from parity import sweep\nimport parity.report.page")) == {"sweep", "report"}
