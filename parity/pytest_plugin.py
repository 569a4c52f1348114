"""`pytest --parity layers.py:Convolution`: a test of anyone's layer, without writing one.

    pytest --parity layers.py:Convolution                    its kind is known from its name
    pytest --parity layers.py:MyLayer=convolution            or is given; --parity-as gives it for all
    pytest --parity layers.py:Relu --parity layers.py:Adam   more than one
    pytest --parity layers.py                                everything in the file

Each kind of check (forward, backward, float32, every contract) is a test of its own. Nothing of ours is
imported unless the option is given.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from parity.verification.items import Check


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("parity", "is it the same function as PyTorch's?")
    group.addoption(
        "--parity",
        action="append",
        default=[],
        metavar="FILE.py[:NAME[=KIND]]",
        help="check this layer, function or optimizer against PyTorch, a test per kind of check",
    )
    group.addoption(
        "--parity-as",
        default=None,
        metavar="KIND",
        help="the kind of the targets without =KIND: convolution, ...",
    )
    group.addoption(
        "--parity-adapter",
        default=None,
        metavar="NAME",
        help="auto (the default), book, cs231n, channels_last, hwio, params_grads, forward_only, one_array",
    )
    group.addoption(
        "--parity-allow", action="append", default=[], metavar="NAME", help="a declared difference"
    )
    group.addoption(
        "--parity-strict",
        action="store_true",
        help="fail where the numbers are right and something else is not",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(
    session: pytest.Session, config: pytest.Config, items: list[pytest.Item]
) -> None:
    for text in config.getoption("--parity"):
        for target, kind in _targets(text, config.getoption("--parity-as")):
            items += _items(session, config, target, kind)


def _items(session: pytest.Session, config: pytest.Config, target: str, kind: str) -> list[pytest.Item]:
    """An item per kind of check of one target."""
    from parity.verification.items import checks

    options = {
        "adapter": config.getoption("--parity-adapter"),
        "allow": config.getoption("--parity-allow"),
        "strict": config.getoption("--parity-strict"),
    }
    return [
        ParityItem.from_parent(session, name=f"parity {target} as {kind}: {check}", check=check)
        for check in checks(target, kind, **options)
    ]


def _targets(text: str, given: str | None) -> list[tuple[str, str]]:
    """The targets that an option names, with their kinds; all of a file where it names none in it."""
    from parity.verification.listing import NETWORK, SUFFIXES, kind_of_target, listed

    target, _, kind = text.partition("=")
    if Path(target).suffix in SUFFIXES and not kind:
        if not Path(target).is_file():
            raise pytest.UsageError(f"--parity: no file {target}")
        found = [(f"{target}:{one.name}", given or one.kind) for one in listed(Path(target))]
        if found := [(name, kind) for name, kind in found if kind and kind != NETWORK]:
            return found
        raise pytest.UsageError(f"--parity: nothing in {target} has a name that shows what it is")
    kind = kind or given or kind_of_target(target) or ""
    if ":" not in target:
        raise pytest.UsageError(
            f"--parity: expected FILE.py, FILE.py:NAME or FILE.py:NAME=KIND, got {text!r}"
        )
    if not kind:
        raise pytest.UsageError(
            f"--parity: the name does not say what it is; write {target}=convolution, or another kind"
        )
    return [(target, kind)]


class Wrong(Exception):
    """What one check found, as its report."""


class ParityItem(pytest.Item):
    """One kind of check of one target; the first of them verifies it for all, and reports what is left."""

    def __init__(self, *, check: Check, **others: Any):
        super().__init__(**others)
        self.check = check

    def runtest(self) -> None:
        from parity.verification.items import CALLED, NotChecked

        try:
            verdict = self.check()
        except AssertionError as error:
            raise Wrong(str(error)) from None
        except NotChecked as error:
            pytest.skip(str(error))
        if self.check.name != CALLED:
            return
        self.add_report_section("call", "parity", str(verdict))
        if verdict.not_checked:
            self.user_properties.append(("not checked", ", ".join(verdict.not_checked)))
        if verdict.buts:
            self.user_properties.append(("but", verdict.headline))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> str:
        if isinstance(excinfo.value, (Wrong, ValueError)):
            return str(excinfo.value)
        return str(super().repr_failure(excinfo, style))

    def reportinfo(self) -> tuple[Any, int | None, str]:
        return self.path, None, self.name


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Report what a passing target lacks or is not, which would read as a full pass otherwise."""
    for report in terminalreporter.getreports("passed") if config.getoption("--parity") else []:
        for name, value in getattr(report, "user_properties", []):
            if name == "not checked":
                terminalreporter.write_line(
                    f"{report.nodeid}: right on what was checked; not checked: {value}"
                )
            if name == "but":
                terminalreporter.write_line(f"{report.nodeid}: {value}")
