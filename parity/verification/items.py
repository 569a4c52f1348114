"""One implementation as separate tests: an item per kind of check, as scikit-learn has them for estimators.

    @parity.parametrize(Relu, (MyConv, "convolution"), "layers.py:Adam")
    def test_my_layers(layer, check):
        check(layer)

The code is verified once; each item then looks at its own part of the verdict. The plugin (`pytest --parity`)
makes the same items.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from parity.checks.changed_rate import CHANGED_RATE
from parity.checks.changed_weights import CHANGED
from parity.checks.contracts import SCENARIOS
from parity.checks.loss_cotangent import DOUT
from parity.checks.one_row import KINDS, ONE_ROW
from parity.checks.other_operands import OTHER_OPERANDS
from parity.checks.used_twice import USED_TWICE
from parity.comparison.records import Record
from parity.comparison.wording import excess
from parity.faults.diagnose import PLAIN
from parity.kinds import kind_of
from parity.kinds.kind import Operation
from parity.verification.listing import kind_of_target
from parity.verification.own_listed import OWN_LAYER
from parity.verification.reproduction import name_of
from parity.verification.verdict import Verdict
from parity.verification.verify import NETWORK, verify

CALLED, FORWARD, BACKWARD, FLOAT32 = "can be called", "forward", "backward", "float32"
OF_OPTIMIZERS = ("arguments unchanged", "updated in place", CHANGED_RATE)
MOST_ROWS = 5


class NotChecked(Exception):
    """Nothing of this item was compared: the code could not be called, which fails as `CALLED`, or the check
    does not apply to it, or comes only when single calls are right."""


def checks_of(kind: str) -> list[str]:
    """The names of a kind's checks, in the order in which they are made."""
    if kind == NETWORK:
        return [CALLED, NETWORK]
    if kind == OWN_LAYER:
        return [CALLED, BACKWARD]
    known = kind_of(kind)
    names = [CALLED, FORWARD]
    if known.role == "optimizer":
        return [*names, FLOAT32, *OF_OPTIMIZERS]
    if isinstance(known, Operation) and known.wrt:
        names.append(BACKWARD)
    contracts = dict(SCENARIOS)
    if known.role == "function":
        left_out = {"backward twice", "the last forward counts", "two instances at once", "two half batches"}
        contracts = {name: scenario for name, scenario in contracts.items() if name not in left_out}
    if not known.switches:
        contracts.pop("eval, then train")
    if kind != "dropout":
        contracts.pop("masks it draws")
    if not known.params:
        contracts.pop(CHANGED)
    if known.role != "loss":
        contracts.pop(DOUT)
    if kind not in KINDS:
        contracts.pop(ONE_ROW)
    contracts.pop(USED_TWICE)  # of autograd engines alone
    contracts.pop(OTHER_OPERANDS)
    contracts.pop("buffers may be reused")  # PyTorch does not keep it either: a remark
    return [*names, *([FLOAT32] if "float32" in known.dtypes else []), *contracts]


def check_of(row: Record, kind: str) -> str:
    """The name of the check that a result belongs to."""
    if row.phase in ("calls", "import", "contracts"):
        return CALLED
    if kind == NETWORK:
        return NETWORK
    if row.phase not in PLAIN:
        return row.phase
    return FLOAT32 if row.dtype == "float32" else row.phase


@dataclass(frozen=True)
class Verified:
    """An implementation that is verified when the first of its checks asks for it."""

    factory: Any
    kind: str
    options: dict[str, Any] = field(default_factory=dict)
    kept: list[Verdict] = field(default_factory=list, repr=False)

    @property
    def verdict(self) -> Verdict:
        if not self.kept:
            self.kept.append(verify(self.factory, self.kind, **self.options))
        return self.kept[0]


@dataclass(frozen=True)
class Check:
    """One kind of check of one implementation; calling it raises AssertionError with what is wrong."""

    name: str
    of: Verified

    def __call__(self, layer: Any = None) -> Verdict:
        """The whole verdict, where this check has nothing against it. Raises NotChecked as well."""
        __tracebackhide__ = True
        verdict = self.of.verdict
        mine = [row for row in verdict.records if check_of(row, self.of.kind) == self.name]
        if not mine and self.name != CALLED and verdict.outcome != "not_checked":
            raise NotChecked(f"{self.name}: not tried on it")
        if verdict.ok:
            return verdict
        if verdict.outcome == "not_checked" or verdict.complaint:
            if self.name == CALLED:
                raise AssertionError(str(verdict))
            raise NotChecked(verdict.headline)
        wrong = [row for row in mine if not row.ok]
        if self.name == CALLED:
            others = checks_of(self.of.kind)
            wrong += [r for r in verdict.records if not r.ok and check_of(r, self.of.kind) not in others]
        if wrong:
            raise AssertionError(self._report(verdict, wrong))
        return verdict

    def _report(self, verdict: Verdict, wrong: Sequence[Record]) -> str:
        """All of it where this check found the first wrong result, else what this check found."""
        first = verdict.first
        if self.name == CALLED or (first and check_of(first.record, self.of.kind) == self.name):
            return str(verdict)
        lines = [f"{verdict.name} as {verdict.kind}, {self.name}: {len(wrong)} results are wrong"]
        for row in wrong[:MOST_ROWS]:
            what = row.why or excess(row.max_abs, row.allowed)
            lines.append(f"    {row.tensor}, on the input {row.case!r} ({row.dtype}): {what}")
        return "\n".join(lines)

    def __str__(self) -> str:
        return self.name


def checks(factory: Any, kind: str | None = None, **options: Any) -> list[Check]:
    """The checks of one implementation. Raises ValueError where its name does not show its kind."""
    name = factory if isinstance(factory, str) else f":{name_of(factory)}"
    kind = (kind or kind_of_target(name) or "").replace("-", "_").lower()
    if not kind:
        raise ValueError(f"{name.removeprefix(':')} does not say what it is; give (layer, 'convolution')")
    of = Verified(factory, kind, options)
    return [Check(name, of) for name in checks_of(kind)]


def parametrize(*layers: Any, **options: Any) -> Any:
    """A mark that calls a test with (layer, check) for every check of every layer.

    layers   classes, functions, "file.py:Name", or pairs of one and its kind
    options  as those of `parity.verify`
    """
    import pytest

    found = []
    for layer in layers:
        pair = isinstance(layer, tuple) and len(layer) == 2 and isinstance(layer[1], str)
        factory, kind = layer if pair else (layer, None)
        shown = factory.rpartition(":")[2] if isinstance(factory, str) else name_of(factory)
        found += [
            pytest.param(factory, check, id=f"{shown}-{check.name}")
            for check in checks(factory, kind, **options)
        ]
    return pytest.mark.parametrize(("layer", "check"), found)


def _skipping(check: Check) -> Any:
    """The check, which skips its test where nothing was compared."""
    import pytest

    def run(layer: Any = None) -> Verdict:
        __tracebackhide__ = True
        try:
            return check(layer)
        except NotChecked as error:
            pytest.skip(str(error))

    return run
