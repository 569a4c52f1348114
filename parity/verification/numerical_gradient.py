"""Is somebody's `numerical_gradient(f, x)` right? It is what people check their layers with.

f is a quadratic with cross terms, for which central differences are exact but for rounding, whatever h. With
integers the book's code cuts x + h back to x and answers 0; to refuse them is as good as a right answer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.adapters.isolate import Limits, Send, run_here, run_isolated
from parity.adapters.load import TargetError, load
from parity.checks.culprit import Culprit
from parity.comparison.gates import Comparison, largest, logic_gate, refused
from parity.comparison.records import Place, Record, record
from parity.faults.diagnose import UNKNOWN, Diagnosis
from parity.verification.reproduction import import_line, name_of
from parity.verification.verdict import First, Verdict

KIND = "numerical_gradient"
RTOL = 1e-6  # h down to 1e-9 of x leaves this much rounding
REFUSALS = (TypeError, ValueError)


@dataclass(frozen=True)
class Case:
    name: str
    x: NDArray

    def f(self, x: Any) -> float:
        """Sum of x_i**2 + i * x_i, and the product of the first two: no two numbers have equal slopes."""
        flat = np.asarray(x, dtype=np.float64).ravel()
        return float((flat**2 + np.arange(flat.size) * flat).sum() + flat[0] * flat[-1])

    @property
    def gradient(self) -> NDArray:
        flat = self.x.astype(np.float64).ravel()
        found = 2 * flat + np.arange(flat.size)
        found[0] += flat[-1]
        found[-1] += flat[0]
        return found.reshape(self.x.shape)


CASES = (
    Case("two numbers", np.array([3.0, 4.0])),
    Case("two whole numbers, as integers", np.array([3, 4])),
    Case("a matrix", np.array([[0.5, -1.25, 2.0], [1.5, 0.25, -3.0]])),
    Case("a 4-D array", np.linspace(-1, 2, 24).reshape(2, 3, 2, 2)),
)


def _differences(
    f: Callable[[NDArray], float], x: NDArray, above: float, below: float, divisor: float
) -> NDArray:
    """The book's loop, with its three numbers to be got wrong."""
    grad = np.zeros_like(x)
    for index in np.ndindex(x.shape):
        value = x[index]
        x[index] = value + above
        high = f(x)
        x[index] = value - below
        grad[index] = (high - f(x)) / divisor
        x[index] = value
    return grad


H = 1e-4
FAULTS: dict[str, tuple[str, Callable[..., NDArray]]] = {
    "numerical-gradient-integers": (
        "x + h cut back to x, in an array of integers",
        lambda f, x: _differences(f, x, H, H, 2 * H),
    ),
    "numerical-gradient-not-halved": (
        "a division by h for 2h",
        lambda f, x: _differences(f, x.astype(float), H, H, H),
    ),
    "numerical-gradient-one-sided": (
        "the one-sided difference",
        lambda f, x: _differences(f, x.astype(float), H, 0, H),
    ),
    "numerical-gradient-sign": (
        "the sign flipped",
        lambda f, x: _differences(f, x.astype(float), H, H, -2 * H),
    ),
}


def verify_gradient(factory: Any, limits: Limits, isolated: bool) -> Verdict:
    """The verdict on a function `numerical_gradient(f, x) -> df/dx`."""
    work = partial(_work, factory)
    outcome = run_isolated(work, limits) if isolated else run_here(work)
    records, values, ending = [], {}, outcome.ending
    for what, *rest in outcome.messages:
        if what == "misuse":
            raise rest[0](rest[1])
        if what == "ended":
            ending = rest[0]
        if what == "case":
            records += rest[1]
            values[rest[0]] = rest[2]
    if ending:
        records.append(_record("", "the call", refused(np.empty(0), ending)))
    verdict = Verdict(
        KIND, factory if isinstance(factory, str) else name_of(factory), all(r.ok for r in records), records
    )
    verdict.ending, verdict.output = ending, outcome.output
    if not verdict.ok:
        _explain(verdict, factory, values)
    return verdict


def _record(case: str, tensor: str, comparison: Comparison) -> Record:
    return record(Place("", "float64", "cpu"), KIND, "forward", tensor, comparison, case)


def _work(factory: Any, send: Send) -> None:
    try:
        function = load(factory) if isinstance(factory, str) else factory
    except TargetError as error:
        send(("misuse", TargetError, str(error)))
        return
    for case in CASES:
        comparisons, found = _tried(function, case)
        send(("case", case.name, [_record(case.name, n, c) for n, c in comparisons.items()], found))


def _tried(function: Callable[..., Any], case: Case) -> tuple[dict[str, Comparison], NDArray | None]:
    x = case.x.copy()
    try:
        found = function(case.f, x)
    except Exception as error:
        if x.dtype.kind == "i" and isinstance(error, REFUSALS):
            return {"grad": Comparison(x.shape, 0.0, 0.0, 0.0, 0.0, False, True)}, None
        return {"grad": refused(x, f"raised {type(error).__name__}: {error}")}, None
    same = np.array_equal(x, case.x)
    kept = Comparison(x.shape, 0.0, 0.0, 0.0, 0.0, True, True) if same else refused(x, "x was not restored")
    if not isinstance(found, np.ndarray):
        return {"grad": refused(x, f"expected an array, got {type(found).__name__}")}, None
    numbers = found.astype(np.float64) if found.dtype.kind in "iuf" else found
    return {"grad": logic_gate(numbers, case.gradient, RTOL), "x unchanged": kept}, found


def _explain(verdict: Verdict, factory: Any, values: dict[str, NDArray | None]) -> None:
    row = next(row for row in verdict.records if not row.ok)
    case = next((case for case in CASES if case.name == row.case), None)
    wrong = [r.case for r in verdict.records if not r.ok]
    verdict.culprit = Culprit(
        KIND, row.phase, row.tensor, f"{row.tensor} is wrong on: {', '.join(dict.fromkeys(wrong))}"
    )
    verdict.diagnosis = UNKNOWN if verdict.ending else _diagnosis(values)
    if case is None:
        verdict.first = First(row)
        return
    verdict.first = First(
        row, values.get(case.name), case.gradient, f"x = {case.x.tolist()} ({case.x.dtype})"
    )
    made = f"load({factory!r})" if isinstance(factory, str) else name_of(factory)
    imports = "from parity.adapters.load import load" if isinstance(factory, str) else import_line(factory)
    verdict.reproduction = "\n".join([
        "; ".join(filter(None, ["import numpy as np", imports])),
        f"x = np.array({case.x.tolist()})",
        "f = lambda x: float((x**2).sum() + (np.arange(x.size) * x.ravel()).sum() + x.flat[0] * x.flat[-1])",
        f"grad = {made}(f, x)",
        f'print(x, grad, "PyTorch:", np.array({case.gradient.tolist()}))',
    ])  # fmt: skip


def _diagnosis(values: dict[str, NDArray | None]) -> Diagnosis:
    """The bug that gives the same numbers on every case."""
    for name, (says, function) in FAULTS.items():
        worst = 0.0
        for case in CASES:
            ours, theirs = values.get(case.name), function(case.f, case.x.copy())
            if ours is None or ours.shape != theirs.shape or ours.dtype.kind != theirs.dtype.kind:
                break
            worst = max(worst, largest(ours - theirs) / (largest(theirs) or 1.0))
        else:
            if worst < RTOL:
                return Diagnosis(name, says, worst)
    return UNKNOWN
