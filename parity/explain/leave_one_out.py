"""How many known bugs are explained without the catalogue: a row per fault, and the shares by kind.

The search never reads the catalogue, so each fault stands for a bug that nobody catalogued. It does hold
alternatives of its own, and some of those are formulas that people write, as the catalogue's are: the column
`by` separates what a map, a window, an option, a sum or the formula's own terms explain from what only such a
formula does.

A sentence is wrong if its map does not give the code's numbers on inputs that the search has not seen.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from parity.adapters.process_pool import Spread
from parity.adapters.subject import subject_here
from parity.explain.exact import COPIES, SUMS
from parity.explain.explanation import Explanation, asker, explain, fresh, holds
from parity.explain.search import Case, reference
from parity.explain.wiring import Ask
from parity.faults import FAULTS, Fault
from parity.faults.diagnose import BOOK, lasting_probes, single_call
from parity.kinds import Probe

Progress = Callable[[str], None]
LINEAR = tuple(kind for kind in (*SUMS, *COPIES) if kind != "rbf")
TARGETS = {"linear": 0.80, "others": 0.60}
CHUNK = 16


def shown_in_values(fault: Fault) -> bool:
    """Whether the fault changes numbers of a single call; contracts have sentences of their own."""
    return fault.shows == "values" and not fault.equivalent


def leave_one_out(
    progress: Progress = lambda _: None, seed: int = 0, kinds: Collection[str] = (), spread: Spread = map
) -> pd.DataFrame:
    """A row per fault that changes values: whether its numbers are explained, by what, and the sentences.

    linear     whether the kind is a linear map of its input
    explained  whether sentences account for every wrong result; wrong: whether one fails on further inputs
    by         the sorts of change that the sentences use
    """
    names = [f.name for f in FAULTS.values() if shown_in_values(f) and (not kinds or f.kind in kinds)]
    chunks = [names[i : i + CHUNK] for i in range(0, len(names), CHUNK)]
    rows: list[dict[str, Any]] = []
    for found in spread(partial(_rows, seed), chunks):
        rows += found
        progress(f"explanations: {len(rows)} of {len(names)} faults")
    columns = ["fault", "kind", "linear", "explained", "wrong", "by", "sentences"]
    return pd.DataFrame(rows, columns=columns).astype({"kind": "category", "explained": bool, "wrong": bool})


def _rows(seed: int, names: list[str]) -> list[dict[str, Any]]:
    return [row(FAULTS[name], seed) for name in names]


def row(fault: Fault, seed: int = 0) -> dict[str, Any]:
    """What the search makes of one fault."""
    return row_of(fault, *explained(fault, seed))


def row_of(fault: Fault, found: Explanation, wrong: bool) -> dict[str, Any]:
    """A row of the table for an explanation of a fault, and whether it fails on further inputs."""
    return {
        "fault": fault.name,
        "kind": fault.kind,
        "linear": fault.kind in LINEAR,
        "explained": found.complete,
        "wrong": wrong,
        "by": ", ".join(
            dict.fromkeys([*(one.by for one in found.findings), *("missing" for _ in found.missing)])
        ),
        "sentences": str(found),
    }


def explained(fault: Fault, seed: int = 0) -> tuple[Explanation, bool]:
    """The explanation of a fault, and whether it fails on inputs of another seed."""
    with np.errstate(all="ignore"):
        ask = asker(subject_here(fault.make, fault.kind, BOOK))
        seen = [
            (probe, values)
            for probe in lasting_probes(fault.kind, seed)
            if (values := single_call(fault, probe, "float64", BOOK))
        ]
        return explained_numbers(seen, ask, seed)


def explained_numbers(
    seen: Sequence[tuple[Probe, dict[str, Any]]], ask: Ask, seed: int = 0
) -> tuple[Explanation, bool]:
    """The explanation of what code gave for probes, and whether it fails when it is asked at another seed."""
    cases = [Case(probe, values, reference(probe)) for probe, values in seen]
    found = explain(cases, ask, seed)
    rng = np.random.default_rng([seed, 77])
    return found, not all(_right(found, fresh(case.probe, rng), ask) for case in cases)


def _right(found: Explanation, probe: Probe, ask: Ask) -> bool:
    results = ask(probe)
    probe.known["found"] = results
    return all(holds(finding, probe, results) for finding in found.findings)


def shares(table: pd.DataFrame) -> pd.DataFrame:
    """A row per kind, then linear kinds, the others and all: faults, explained, without a formula, wrong."""
    groups = [(str(kind), part) for kind, part in table.groupby("kind", observed=True, sort=False)]
    groups += [("linear", table[table["linear"]]), ("others", table[~table["linear"]]), ("all", table)]
    return pd.DataFrame(
        [
            {
                "kind": kind,
                "faults": len(part),
                "explained": int(part["explained"].sum()),
                "by_maps": int((part["explained"] & ~part["by"].str.contains("formula")).sum()),
                "wrong": int(part["wrong"].sum()),
            }
            for kind, part in groups
        ]
    )


def failures(table: pd.DataFrame, complete: bool = True) -> list[str]:
    """What makes `parity faults` fail: a wrong sentence; of the complete table, too few explained."""
    found = [f"WRONGLY EXPLAINED {r.fault}: {r.sentences}" for r in table[table["wrong"]].itertuples()]
    for name, part in (("linear", table[table["linear"]]), ("others", table[~table["linear"]])):
        if complete and len(part) and part["explained"].mean() < TARGETS[name]:
            found.append(
                f"only {part['explained'].mean():.1%} of the faults of {name} kinds were explained "
                f"without the catalogue, {TARGETS[name]:.0%} is the mark"
            )
    return found


def figure(table: pd.DataFrame) -> str:
    """The closing line."""

    def share(part: pd.DataFrame) -> str:
        return f"{int(part['explained'].sum())} of {len(part)}"

    linear, others = table[table["linear"]], table[~table["linear"]]
    return (
        f"why      without the catalogue {share(linear)} of linear kinds and {share(others)} of the others "
        f"explained, {int(table['wrong'].sum())} wrongly"
    )
