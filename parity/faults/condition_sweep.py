"""Every condition tried: is a layer that is right but for one size, one call or one layout found out?

A condition on a size is killed by the first input, small or of real size, that meets it and comes out wrong.
A condition on the life of an object (its third call, memory in columns, state on the class) is killed by the
scenarios of `parity.checks.long_life`. Only the inputs that meet a condition are run: on the others the layer
is ours.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from functools import cache, partial
from typing import Any

import numpy as np
import pandas as pd

from parity.adapters.process_pool import Spread
from parity.adapters.subject import subject_here
from parity.checks.contracts import check_contracts
from parity.checks.layer import check_kind, contract_cases, judge, run_probe
from parity.checks.long_life import LIVES
from parity.faults.conditions import Condition, conditions, life_conditions, sizes_of
from parity.kinds import ALL_KINDS, OPTIMIZER_KINDS, Probe
from parity.kinds.probes import probes
from parity.kinds.real_sizes import real_sizes

COLUMNS = ["kind", "condition", "spoils", "killed", "killed_by"]
Row = tuple[str, str, str, bool, str]


def condition_frame(
    progress: Callable[[str], None], seed: int = 0, kinds: Collection[str] = (), spread: Spread = map
) -> pd.DataFrame:
    """One row per condition: kind, condition, the result it spoils, whether and by what it was killed."""
    rows: list[Row] = []
    names = list(kinds or ALL_KINDS)
    for found in spread(partial(_swept, seed), names):
        rows += found
        progress(f"conditions: {sum(row[3] for row in rows):,} of {len(rows):,} killed")
    return pd.DataFrame(rows, columns=COLUMNS).astype({"killed": bool})


def condition_figure(conditions: pd.DataFrame) -> str:
    """`conditions 1,169 of 1,169: right layers made wrong under one condition`"""
    killed = int(conditions["killed"].sum())
    return f"conditions {killed:,} of {len(conditions):,} killed: right layers made wrong under one condition"


def surviving_conditions(conditions: pd.DataFrame) -> list[str]:
    """One sentence for each condition that no check noticed."""
    left = conditions[~conditions["killed"]]
    return [f"SURVIVED {row.kind}, wrong {row.condition} in {row.spoils}" for row in left.itertuples()]


def _swept(seed: int, kind: str) -> list[Row]:
    """The rows of one kind."""
    rows: list[Row] = []
    for condition in conditions(kind):
        case = killing_input(condition, seed)
        rows.append((kind, condition.name, condition.spoils, bool(case), case))
    for name, factory in life_conditions(kind):
        scenario = killing_scenario(kind, factory, seed)
        rows.append((kind, name, "a later call", bool(scenario), scenario))
    return rows


def killing_input(condition: Condition, seed: int = 0) -> str:
    """The id of the first input on which the spoiled layer is found wrong, or an empty string."""
    subject = subject_here(condition.factory(), condition.kind)
    for probe in _inputs(condition.kind, seed):
        if _may_meet(condition, probe):
            _, judged = run_probe(subject, probe, partial(judge, dtype="float64", keep=True), "float64")
            if not all(comparison.ok for comparison in judged.values()):
                return probe.id
    return ""


@cache
def _inputs(kind: str, seed: int) -> list[Probe]:
    """The small probes, then those of real size, which keep what was computed for them."""
    return [*probes(kind, seed), *real_sizes(kind)]


def _may_meet(condition: Condition, probe: Probe) -> bool:
    """Whether the condition can hold on this input; for an optimizer every input is run."""
    if "params" in probe.inputs:
        return True
    arrays = [a for name in ("input_data", "col", "x") if (a := probe.inputs.get(name)) is not None]
    return condition.holds(sizes_of(probe.args, arrays))


def killing_scenario(kind: str, factory: Callable[..., Any], seed: int = 0) -> str:
    """The scenario in which the layer is found wrong, a single call first; or an empty string."""
    if kind in OPTIMIZER_KINDS:
        rows: Iterator[Any] = check_kind(kind, "float64", seed=seed, factory=factory)
        return next((f"{row.phase} [{row.case}]" for row in rows if not row.ok), "")
    cases = contract_cases(probes(kind, seed), 1000)
    probe = max(cases, key=lambda probe: sum(np.size(a) for a in probe.inputs.values()))
    judged = partial(judge, dtype="float64", keep=True)
    subject = subject_here(factory, kind)
    if not all(comparison.ok for comparison in run_probe(subject, probe, judged, "float64")[1].values()):
        return "a single call"  # a penalty is never negative
    found = check_contracts(subject, probe, judged, LIVES)
    return next((scenario for scenario, _, comparison in found if not comparison.ok), "")
