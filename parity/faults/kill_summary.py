"""What the kill matrix, the injections and the false alarms come to: tables, sentences, failures."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from parity.faults.common_practices import PRACTICES
from parity.faults.fault import OF_NETWORKS

NAMED, PLACED = 0.90, 0.95  # the least share of the faults that has to be named, and placed


def _living(matrix: pd.DataFrame) -> pd.DataFrame:
    """Those that differ from the right thing."""
    return matrix[matrix["equivalent"] == ""]


def by_kind(matrix: pd.DataFrame, injections: pd.DataFrame) -> pd.DataFrame:
    """A row per kind, and one each for the faults of weights, of wiring and of `scratchcnn.fast`.

    kind      what the faults are of
    faults    how many, without the equivalent ones; killed and named of them
    injected  how often they were put into a network; placed of those
    <practice>  how many that practice would have noticed, -1 where it can look at none
    """
    rows = []
    for kind, found in _living(matrix).groupby("kind", observed=True, sort=False):
        row = {"kind": str(kind), "faults": len(found), **_counts(found, "killed", "named")}
        row |= _placed(injections[injections["family"] == kind])
        row |= {p: int(found[p].sum()) if found[p].notna().any() else -1 for p in PRACTICES}
        rows.append(row)
    for family in OF_NETWORKS:
        found = injections[injections["family"] == family]
        if len(found):
            faults = found.groupby("fault")["caught"].all()
            counts = {"faults": len(faults), "killed": int(faults.sum()), "named": 0}
            rows.append({"kind": family, **counts, **_placed(found), **dict.fromkeys(PRACTICES, -1)})
    return pd.DataFrame(rows)


def _counts(table: pd.DataFrame, *columns: str) -> dict[str, int]:
    return {column: int(table[column].sum()) for column in columns}


def _placed(injections: pd.DataFrame) -> dict[str, int]:
    return {"injected": len(injections), "placed": int(injections["right"].sum())}


def figures(
    matrix: pd.DataFrame, injections: pd.DataFrame, alarms: pd.DataFrame, compared: int, seeds: int
) -> Iterator[str]:
    """The closing lines: how many were caught, placed, named, and what the practices would have seen."""
    living = _living(matrix)
    named, right = living["named"], injections["right"]
    yield f"killed   {int(living['killed'].sum())} of {len(living)} faults"
    wrongly = int(matrix["misnamed"].sum())
    yield f"named    {int(named.sum())} of {len(living)}{_share(named)}, {wrongly} wrongly"
    yield (
        f"placed   {int(right.sum())} of {len(right)}{_share(right)} injections into networks, "
        f"{int(injections['caught'].sum())} caught"
    )
    yield f"alarms   {len(alarms)} in {compared:,} comparisons of correct code on {seeds:,} seeds"
    for practice in PRACTICES:
        said = living[practice].dropna()
        if len(said):
            noticed = f"{int(said.sum())} of the {len(said)} it can look at{_share(said)}"
            yield f"         {practice:18} would have noticed {noticed}"
    for row in matrix[matrix["equivalent"] != ""].itertuples():
        yield f"equivalent, so not killed: {row.fault}: {row.equivalent}"


def _share(flags: pd.Series) -> str:
    return f" ({flags.astype(float).mean():.1%})" if len(flags) else ""


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
    for row in injections[~injections["right"]].itertuples():
        said = f"MISPLACED, named {row.culprit}" if row.caught else "NOT CAUGHT"
        line = f"{said}: {row.fault} in {f'{row.network} {row.layer}'.strip()}"
        if not row.caught or injections["right"].mean() < PLACED:
            found.append(line)
    if injections["right"].mean() < PLACED:
        found.append(
            f"only {injections['right'].mean():.1%} of the injections were placed rightly, "
            f"{PLACED:.0%} is the mark"
        )
    if living["named"].mean() < NAMED:
        found.append(f"only {living['named'].mean():.1%} of the faults were named, {NAMED:.0%} is the mark")
    found += [f"FALSE ALARM {r.layer} {r.case} {r.phase} {r.tensor} {r.dtype}" for r in alarms.itertuples()]
    return found
