"""An exercise: a file with gaps, how it is judged, and the mistakes that people make in it."""

from __future__ import annotations

import re
import textwrap
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from scratchcnn.typing import Array

SOLUTIONS = Path(__file__).parent / "solutions"
GAP = re.compile(r"^( *)#<gap (\w+)\n(.*?)^ *#>\n", re.M | re.S)
Results = dict[str, Any]  # by name; an exception where the code raised it on the way to that result
Case = Callable[[Any], Results]


@dataclass(frozen=True)
class Mistake:
    """A typical wrong answer: `old` of the solution replaced by `new`; its hint has the text's `key`."""

    key: str
    old: str
    new: str


@dataclass(frozen=True)
class Exercise:
    """One file to fill in.

    number     of the lesson
    name       of the file, without .py
    target     the class or function that is judged
    cases      by name, what it is tried on: (the module's object) -> results by name
    mistakes   wrong answers that are known; what one gives on the cases is how it is recognised
    kind       what `parity.verify` takes it for; "" where the cases are the whole judge
    adapter    how `parity.verify` calls it
    """

    number: int
    name: str
    target: str
    cases: Mapping[str, Case]
    mistakes: tuple[Mistake, ...]
    kind: str = ""
    adapter: str | None = None

    @property
    def marked(self) -> str:
        """The solution with its marks."""
        return (SOLUTIONS / f"{self.number:02}_{self.name}.py").read_text(encoding="utf-8")

    @property
    def solution(self) -> str:
        """The textbook's code."""
        return GAP.sub(r"\3", self.marked)

    @property
    def gaps(self) -> list[str]:
        """The names of the gaps, in order."""
        return [found[2] for found in GAP.finditer(self.marked)]

    def with_gaps(self, texts: Mapping[str, str]) -> str:
        """The file to fill in; `texts` has what belongs into each gap."""

        def gap(found: re.Match[str]) -> str:
            indent, name = found[1], found[2]
            lines = textwrap.wrap(texts[name], 96 - len(indent))
            comment = "".join(f"{indent}# {line}\n" for line in lines)
            return f'{comment}{indent}raise NotImplementedError("{name}")\n'

        return GAP.sub(gap, self.marked)

    def wrong(self, mistake: Mistake) -> str:
        """The solution with a mistake in it."""
        if self.solution.count(mistake.old) != 1:
            raise ValueError(f"{self.name}: {mistake.old!r} is not once in the solution")
        return self.solution.replace(mistake.old, mistake.new)

    def object_of(self, source: str) -> Any:
        """The judged object of a source."""
        module = ModuleType(self.name)
        exec(compile(source, f"{self.name}.py", "exec"), vars(module))
        return module if self.target == "*" else getattr(module, self.target)

    def results(self, target: Any) -> dict[str, Results | Exception]:
        """What it gives on each case; the exception of a case that raises."""
        found: dict[str, Results | Exception] = {}
        with np.errstate(all="ignore"):
            for name, case in self.cases.items():
                try:
                    found[name] = case(target)
                except Exception as error:
                    found[name] = error
        return found


@dataclass(frozen=True)
class Difference:
    """The first result that is wrong: on which input, both values, and the error if it raised.

    line    where in the file it raised; 0 if nowhere in it
    """

    case: str
    tensor: str
    ours: Any
    wanted: Any
    error: Exception | None = None
    line: int = 0


def first_difference(
    found: Mapping[str, Results | Exception], wanted: Mapping[str, Results | Exception]
) -> Difference | None:
    """The first result that differs by more than rounding in float64; None if all are right."""
    for case, right in wanted.items():
        ours = found[case]
        if isinstance(right, Exception):
            raise RuntimeError(f"the solution raises on {case}") from right
        if isinstance(ours, Exception):
            return Difference(case, next(iter(right)), None, next(iter(right.values())), ours, _line_of(ours))
        for name, value in right.items():
            if isinstance(error := ours.get(name), Exception):
                return Difference(case, name, None, value, error, _line_of(error))
            if not _equal(ours.get(name), value):
                return Difference(case, name, ours.get(name), value)
    return None


def _line_of(error: Exception) -> int:
    """The last line of the exercise's file that the error went through; 0 if none."""
    frames = traceback.extract_tb(error.__traceback__)
    lines = [f.lineno for f in frames if Path(f.filename).name == f.filename and f.filename.endswith(".py")]
    return next((line for line in reversed(lines) if line), 0)


def alike(a: Mapping[str, Results | Exception], b: Mapping[str, Results | Exception]) -> bool:
    """Whether two answers give the same on every case, exceptions with one text included."""
    for case, left in a.items():
        right = b[case]
        if isinstance(left, Exception) or isinstance(right, Exception):
            if not _equal(left, right):
                return False
        elif left.keys() != right.keys() or not all(_equal(left[name], right[name]) for name in left):
            return False
    return True


def _equal(ours: Any, wanted: Any) -> bool:
    """Equal up to rounding in float64; a whole number equals only a whole number, an error the same error."""
    if isinstance(ours, Exception) or isinstance(wanted, Exception):
        return type(ours) is type(wanted) and str(ours) == str(wanted)
    if type(wanted) is int and not isinstance(ours, int | np.integer):
        return False
    try:
        a: Array = np.asarray(ours, dtype=float)
        b: Array = np.asarray(wanted, dtype=float)
    except (TypeError, ValueError):
        return False
    return a.shape == b.shape and bool(np.allclose(a, b, rtol=1e-9, atol=1e-9, equal_nan=True))
