"""`pytest --parity layers.py:Convolution`: a test of anyone's layer, without writing one.

    pytest --parity layers.py:Convolution                    its kind is known from its name
    pytest --parity layers.py:MyLayer=convolution            or is given; --parity-as gives it for all
    pytest --parity layers.py:Relu --parity layers.py:Adam   more than one

Nothing of ours is imported unless the option is given.
"""

from __future__ import annotations

from typing import Any

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("parity", "is it the same function as PyTorch's?")
    group.addoption(
        "--parity",
        action="append",
        default=[],
        metavar="FILE.py:NAME[=KIND]",
        help="check this layer, function or optimizer against PyTorch as one more test",
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
        help="book, cs231n, channels_last, hwio, params_grads, forward_only, one_array",
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
        target, kind = _split(text, config.getoption("--parity-as"))
        items.append(
            ParityItem.from_parent(session, name=f"parity {target} as {kind}", target=target, kind=kind)
        )


def _split(text: str, given: str | None) -> tuple[str, str]:
    from parity.kinds.names import kind_by_name

    target, _, kind = text.partition("=")
    kind = kind or given or kind_by_name(target) or ""
    if ":" not in target:
        raise pytest.UsageError(f"--parity: expected FILE.py:NAME or FILE.py:NAME=KIND, got {text!r}")
    if not kind:
        raise pytest.UsageError(
            f"--parity: the name does not say what it is; write {target}=convolution, or another kind"
        )
    return target, kind


class Wrong(Exception):
    """The verdict of a layer that is not right."""


class ParityItem(pytest.Item):
    """One target; it passes when the verdict is ok, and reports what was not checked."""

    def __init__(self, *, target: str, kind: str, **others: Any):
        super().__init__(**others)
        self.target, self.kind = target, kind

    def runtest(self) -> None:
        from parity.verification.verify import verify

        options = {
            "adapter": self.config.getoption("--parity-adapter"),
            "allow": self.config.getoption("--parity-allow"),
            "strict": self.config.getoption("--parity-strict"),
        }
        verdict = verify(self.target, self.kind, **options)
        self.add_report_section("call", "parity", str(verdict))
        if verdict.not_checked:
            self.user_properties.append(("not checked", ", ".join(verdict.not_checked)))
        if verdict.buts:
            self.user_properties.append(("but", "; ".join(verdict.buts)))
        if not verdict.ok:
            raise Wrong(str(verdict))

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
                terminalreporter.write_line(f"{report.nodeid}: the numbers are right, but {value}")
