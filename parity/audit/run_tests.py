"""Somebody's tests, run once in a forked process, on the code as it is or with one change put into it.

pytest and unittest files are run by pytest, or one test of them (`test_conv.py::test_dx`); a script of plain
asserts and a notebook's cells are run as they stand. The change is made when the file under test is
imported, by whatever name the tests import it.
"""

from __future__ import annotations

import ast
import importlib.machinery
import os
import sys
import traceback
from collections.abc import Callable, Collection
from pathlib import Path
from types import ModuleType
from typing import Any

from parity.adapters.definitions import code_of, defined
from parity.adapters.isolate import Limits, Outcome, run_isolated

OURS = f"{Path(__file__).resolve().parents[2]}{os.sep}"
WHOLE = "the whole file"  # the one test of a script
Change = Callable[[ModuleType], None]


def of_file(tests: Path) -> tuple[Path, str]:
    """The file, and what follows it where one test of it is meant: `test_conv.py` and `::test_dx[3]`."""
    name, sep, node = str(tests).partition("::")
    return Path(name), sep + node


def is_pytest(path: Path) -> bool:
    """Whether the file defines tests, for pytest or unittest; else it is run as a script."""
    if path.suffix != ".py":
        return False
    nodes = ast.parse(path.read_bytes()).body
    return any(
        (isinstance(node, ast.FunctionDef) and node.name.startswith("test"))
        or (isinstance(node, ast.ClassDef) and ("Test" in node.name or "TestCase" in map(_name, node.bases)))
        for node in nodes
    )


def _name(node: ast.expr) -> str:
    return getattr(node, "attr", getattr(node, "id", ""))


def run_tests(
    tests: Path,
    under_test: Path,
    seconds: float,
    change: Change | None = None,
    source: str | None = None,
    killers: Collection[str] = (),
    problems: list[str] | None = None,
    only: str = "",
    name: str = "",
) -> Outcome:
    """The outcome's messages: ("test", id, passed, why) per test that ran, ("problem", text), ("odd", text).

    change   called with the module under test after its import
    source   what is run in the place of its own source
    problems  what the change found that it could not do, while the tests ran; it is sent as "odd"
    only     pytest's expression for the tests that are meant (its -k)
    name     the class, or functions with a comma, after whose definition a script that is itself under test
             is changed
    killers  tests that are known to fail for some change: they come last, and only if no other failed
    """

    tests, node = of_file(tests)
    problems = [] if problems is None else problems

    def work(send: Callable[[Any], None]) -> None:
        sys.path[:0] = [os.getcwd(), str(tests.parent)]
        sys.dont_write_bytecode = True
        _watch_imports(under_test, change, source, problems)
        if is_pytest(tests):
            _by_pytest([f"{tests}{node}", *(["-k", only] if only else [])], killers, send)
        else:
            own = tests.resolve() == under_test
            _as_script(tests, send, name.split(",") if own else [], change, source if own else None, problems)
        for text in dict.fromkeys(problems):
            send(("odd", text))

    return run_isolated(work, Limits(silence=seconds, memory=8192, output=1 << 20))


def _watch_imports(under_test: Path, change: Change | None, source: str | None, problems: list[str]) -> None:
    """Every import of that file, by any loader, is followed by the change."""
    from _pytest.assertion.rewrite import AssertionRewritingHook

    files = {n: os.path.realpath(getattr(m, "__file__", None) or "") for n, m in [*sys.modules.items()]}
    if str(under_test) in files.values():  # a layer of this project, which the tests are to import anew
        for name in [n for n, file in files.items() if file.startswith(OURS) and "site-packages" not in file]:
            del sys.modules[name]

    for loader in (importlib.machinery.SourceFileLoader, AssertionRewritingHook):
        own = loader.exec_module

        def exec_module(self: Any, module: ModuleType, own: Any = own) -> None:
            origin = getattr(module.__spec__, "origin", None)
            if origin is None or os.path.realpath(origin) != str(under_test):
                own(self, module)
                return
            if source is None:
                own(self, module)
            else:
                exec(compile(source, str(under_test), "exec"), module.__dict__)
            if change is not None:
                _put_in(change, module, problems)

        loader.exec_module = exec_module  # type: ignore[method-assign]


def _put_in(change: Change, module: ModuleType, problems: list[str]) -> None:
    try:
        change(module)
    except Exception as error:
        problems.append(f"it could not be put in: {type(error).__name__}: {error}"[:200])


# -- pytest -----------------------------------------------------------------------------------------
class _Reporter:
    """Sends each result; tests that never failed come first, and the others only if none of those did."""

    def __init__(self, killers: Collection[str], send: Callable[[Any], None]):
        self.killers, self.send, self.failed = set(killers), send, False

    def pytest_collection_modifyitems(self, items: list[Any]) -> None:
        items.sort(key=lambda item: item.nodeid in self.killers)

    def pytest_runtest_protocol(self, item: Any) -> bool | None:
        if self.failed and item.nodeid in self.killers:
            item.session.shouldstop = "it is killed"
            return True
        return None

    def pytest_runtest_logreport(self, report: Any) -> None:
        if report.when == "call" or report.failed:
            if report.failed:
                self.failed = True
                if report.nodeid in self.killers:
                    self.killers.clear()
                    self.killers |= {"*"}
            why = str(getattr(report.longrepr, "reprcrash", None) or report.longrepr or "")[:400]
            self.send(("test", report.nodeid, not report.failed, why if report.failed else ""))

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        if "*" in self.killers:  # a known killer has killed: that is enough
            raise _Enough

    def pytest_collectreport(self, report: Any) -> None:
        if report.failed:
            self.send(("test", "collection", False, str(report.longrepr)[:400]))


class _Enough(KeyboardInterrupt):
    pass


def _by_pytest(tests: list[str], killers: Collection[str], send: Callable[[Any], None]) -> None:
    import pytest

    options = ["-q", "-p", "no:cacheprovider", "-p", "no:xdist", "-o", "addopts="]
    options += ["-W", "ignore::pytest.PytestAssertRewriteWarning"]  # plugins were imported before the fork
    for name in ("PYTEST_ADDOPTS", "PYTEST_XDIST_WORKER", "PYTEST_CURRENT_TEST"):
        os.environ.pop(name, None)
    status = pytest.main([*options, "--import-mode=importlib", *tests], [_Reporter(killers, send)])
    if int(status) in (3, 4):
        send(("problem", f"pytest ended with status {int(status)}"))


# -- scripts ----------------------------------------------------------------------------------------
def _as_script(
    tests: Path,
    send: Callable[[Any], None],
    names: Collection[str],
    change: Change | None,
    source: str | None,
    problems: list[str],
) -> None:
    """Run it as it stands; where it defines these names itself, what is after them sees the change."""
    try:
        body = ast.parse(code_of(tests) if source is None else source, str(tests)).body
        wanted = {name.strip().partition(".")[0] for name in names}
        ends = [at for at, node in enumerate(body, 1) if wanted & {one.name for one in defined([node])}]
        end = max(ends, default=0)
        futures = [node for node in body if isinstance(node, ast.ImportFrom) and node.module == "__future__"]
        module = ModuleType("__main__")
        module.__file__ = str(tests)
        sys.modules["__main__"] = module
        _execute(body[:end], tests, module)
        if change is not None and ends:
            _put_in(change, module, problems)
        _execute([*(futures if end else []), *body[end:]], tests, module)
        send(("test", WHOLE, True, ""))
    except SystemExit as error:
        send(("test", WHOLE, not error.code, f"exit status {error.code}" if error.code else ""))
    except BaseException as error:
        last = traceback.extract_tb(error.__traceback__)[-1]
        send(("test", WHOLE, False, f"{type(error).__name__}: {error} (line {last.lineno})"[:400]))


def _execute(nodes: list[ast.stmt], tests: Path, module: ModuleType) -> None:
    exec(compile(ast.Module(nodes, []), str(tests), "exec"), module.__dict__)
