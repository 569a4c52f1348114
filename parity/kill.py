"""The kill matrix: does the checker notice every known bug, and does it leave correct code alone?

A fault is killed when the ordinary check of its kind (the same for every implementation; it knows nothing
of the catalogue) has a record that fails. The first such record says which check killed it.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from typing import Any

import pandas as pd

from parity.check_kind import check_kind
from parity.diagnose import PLAIN, Observation, diagnose, observe
from parity.faults import FAULTS, Fault
from parity.geometry import WINDOWS, draw
from parity.implementations import OURS
from parity.injection import Injection
from parity.practices import PRACTICES, what_practices_say
from parity.probes import probes
from parity.records import Record, frame
from parity.registry import ALL_KINDS

Progress = Callable[[str], None]


def quiet(_: str) -> None:
    """No progress."""


def check_name(row: Record) -> str:
    """What a record's check is called in the matrix: a contract, or precision and direction."""
    if row.phase not in PLAIN:
        return row.phase
    if row.why.startswith("raised"):
        return "crash"
    return f"{row.dtype} {row.phase}"


def kill_matrix(progress: Progress = quiet, seed: int = 0) -> pd.DataFrame:
    """A row a fault: what killed it first, on which input, how it was diagnosed, and what practices say."""
    rows = []
    for fault in FAULTS.values():
        progress(fault.name)
        rows.append(_row(fault, observe(fault.kind, fault.make, seed=seed), seed))
    table = pd.DataFrame(rows)
    for column in ("kind", "killed_by", "tensor"):
        table[column] = table[column].astype("category")
    for practice in PRACTICES:
        table[practice] = table[practice].astype("boolean")
    return table


def _row(fault: Fault, seen: Observation, seed: int) -> dict[str, Any]:
    wrong = [row for row in seen.records if not row.ok]
    first = wrong[0] if wrong else None
    found = diagnose(seen, seed=seed)
    return {
        "fault": fault.name,
        "kind": fault.kind,
        "story": fault.story,
        "equivalent": fault.equivalent,
        "killed": bool(wrong),
        "killed_by": check_name(first) if first else "",
        "case": first.case if first else "",
        "tensor": first.tensor if first else "",
        "max_rel": first.max_rel if first else 0.0,
        "checks_failed": len(wrong),
        "checks": len(seen.records),
        "diagnosis": found.fault,
        "named": found.says == fault.says if found.fault else False,
        "misnamed": bool(found.fault) and found.says != fault.says,
        **what_practices_say(fault.kind, fault.make),
    }


def injection_frame(injections: list[Injection]) -> pd.DataFrame:
    """A row an injected fault: where it was put, what the checker named."""
    table = pd.DataFrame(
        [
            {
                "network": i.network, "layer": i.layer, "fault": i.fault, "family": i.family,
                "caught": i.caught, "culprit": "" if i.culprit is None else str(i.culprit), "right": i.right,
            }
            for i in injections
        ]
    )  # fmt: skip
    return table.astype({"network": "category", "family": "category"})


# -- false alarms ---------------------------------------------------------------------------------
def false_alarms(seeds: int, progress: Progress = quiet, workers: int = 2) -> tuple[pd.DataFrame, int]:
    """Every kind of ours on `seeds` seeds: the records that accuse it, and how many records there were.

    A seed takes two of a kind's fixed probes in turn, with fresh numbers, one random geometry where the
    kind has windows, in both precisions, and every eighth seed the contracts.
    """
    chunks = [range(start, min(start + 20, seeds)) for start in range(0, seeds, 20)]
    accused: list[Record] = []
    total = 0
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_one_thread) as pool:
        for records, count in pool.map(_accusations, chunks):
            accused += records
            total += count
            progress(f"{total:,} comparisons")
    return frame(accused), total


def _one_thread() -> None:
    import torch
    from threadpoolctl import threadpool_limits

    torch.set_num_threads(1)
    threadpool_limits(1)


def _accusations(seeds: range) -> tuple[list[Record], int]:
    accused, total = [], 0
    for seed in seeds:
        for row in correct_records(seed):
            total += 1
            if not row.ok:
                accused.append(row)
    return accused, total


def correct_records(seed: int) -> Iterator[Record]:
    """What one seed compares of our own, correct implementations."""
    for kind in ALL_KINDS:
        count = _count(kind)
        turn = {2 * seed % count, (2 * seed + 1) % count}
        cases = probes(kind, seed, turn.__contains__)
        cases += [draw(kind, seed)] if kind in WINDOWS else []
        for dtype in ("float64", "float32"):
            yield from check_kind(kind, dtype, "cpu", seed, OURS[kind], cases=cases, contracts=seed % 8 == 0)


@cache
def _count(kind: str) -> int:
    return len(probes(kind))


# -- figures --------------------------------------------------------------------------------------
def _living(matrix: pd.DataFrame) -> pd.DataFrame:
    return matrix[matrix["equivalent"] == ""]


def figures(
    matrix: pd.DataFrame, injections: pd.DataFrame, alarms: pd.DataFrame, compared: int, seeds: int
) -> Iterator[str]:
    """The closing lines: how many were caught, placed, named, and what the practices would have seen."""
    living = _living(matrix)
    named, misnamed, right = living["named"], matrix["misnamed"], injections["right"]
    yield (
        f"killed      {int(living['killed'].sum())} of {len(living)} faults; "
        f"{len(matrix) - len(living)} more are equivalent, for the reason given"
    )
    wrongly = int(misnamed.sum())
    yield f"named       {int(named.sum())} of {len(living)} ({named.mean():.1%}); {wrongly} wrongly"
    yield (
        f"placed      {int(right.sum())} of {len(right)} injections into networks ({right.mean():.1%}); "
        f"{int(injections['caught'].sum())} caught"
    )
    yield f"alarms      {len(alarms)} of {compared:,} comparisons of correct code, on {seeds} seeds"
    for practice in PRACTICES:
        said = living[practice].dropna()
        yield f"  {practice:18} would have noticed {int(said.sum())} of the {len(said)} it can look at"


def totals(
    matrix: pd.DataFrame, injections: pd.DataFrame, alarms: pd.DataFrame, compared: int, seeds: int
) -> pd.DataFrame:
    """The same figures as a table: figure, count, out_of."""
    living = _living(matrix)
    rows = [
        ("killed", int(living["killed"].sum()), len(living)),
        ("equivalent", len(matrix) - len(living), len(matrix)),
        ("named", int(living["named"].sum()), len(living)),
        ("misnamed", int(matrix["misnamed"].sum()), len(matrix)),
        ("injections_caught", int(injections["caught"].sum()), len(injections)),
        ("injections_placed", int(injections["right"].sum()), len(injections)),
        ("false_alarms", len(alarms), compared),
        ("seeds", seeds, seeds),
    ]
    rows += [
        (f"practice: {p}", int(living[p].dropna().sum()), int(living[p].notna().sum())) for p in PRACTICES
    ]
    return pd.DataFrame(rows, columns=["figure", "count", "out_of"])


def failures(matrix: pd.DataFrame, injections: pd.DataFrame, alarms: pd.DataFrame) -> list[str]:
    """What makes the command fail: a survivor, a wrong name, too few placed or named, a false alarm."""
    living = _living(matrix)
    found = [f"SURVIVED {row.fault}: {row.story}" for row in living[~living["killed"]].itertuples()]
    found += [
        f"ACCUSED though equivalent: {name}"
        for name in matrix[(matrix["equivalent"] != "") & matrix["killed"]]["fault"]
    ]
    found += [f"MISNAMED {row.fault} as {row.diagnosis}" for row in matrix[matrix["misnamed"]].itertuples()]
    found += [
        f"NOT CAUGHT {row.fault} in {row.network} {row.layer}"
        for row in injections[~injections["caught"]].itertuples()
    ]
    if injections["right"].mean() < 0.95:
        found.append(
            f"only {injections['right'].mean():.1%} of the injections were placed rightly, 95 % is the mark"
        )
    if living["named"].mean() < 0.9:
        found.append(f"only {living['named'].mean():.1%} of the faults were named, 90 % is the mark")
    found += [f"FALSE ALARM {r.layer} {r.case} {r.phase} {r.tensor} {r.dtype}" for r in alarms.itertuples()]
    return found
