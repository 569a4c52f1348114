"""When is a row of a report worse than the same row of an earlier one, and when better?

    accuracy    worse: a tensor that passed fails, or a new one fails; or the share of the allowed error that
                it uses (the margin) grew by more than rounding can explain: see GROWN
    faults      worse: a bug that was caught survives; one that was named is no longer named, or wrongly
    injections  worse: a bug injected into a network is no longer caught, or its place no longer found
    speed       worse: the quartiles of the ratio to PyTorch do not overlap, and the median grew by a tenth;
                a ratio that is missing because other processes disturbed it is no news
    counts      worse: calls of NumPy, bytes allocated or moved, or multiplications grew by more than a
                fiftieth (MORE); they are the same in every run, on every machine

A rule gets the two tables joined, with columns ending in _old and _new, and `_merge` as pandas writes it.
Where OLD lacks a value that a rule needs, nothing is judged; where NEW lacks one that OLD has, that is worse.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pandas as pd

from parity.report.schema import SCHEMAS

# dtype: (factor, least). A margin is worse when it is more than `factor` times the old one and above `least`.
# Rounding differs between machines; it uses millionths of what is allowed in float64, up to half in float32.
GROWN = {"float64": (100.0, 1e-3), "float32": (2.0, 0.75)}
TENTH = 1.1
MORE = 1.02
COUNTED = {
    "numpy_calls": "calls of NumPy",
    "allocated_bytes": "bytes allocated",
    "moved_bytes": "bytes moved",
    "multiplications": "multiplications",
}
# Known bugs that were taken out of the catalogue, and why; a report that lacks one is not worse for it.
RETIRED = {"global-pool-keeps-its-axes": "out (N, C, 1, 1) is a layout, PyTorch's own"}
Row = dict[str, Any]


@dataclass(frozen=True)
class Change:
    """One difference between the two reports."""

    part: str
    what: str
    old: str
    new: str
    worse: bool


def name_of(row: Row, table: str) -> str:
    """The name of a row, from its key: `lenet conv1 forward out float64 cpu`."""
    key = {name: str(row[name]) for name in SCHEMAS[table].key if name in row}
    if table == "speed":
        by = key["implementation"]
        names = [key["network"], key["layer"], key["phase"], f"N={key['batch_size']}"]
        return " ".join(filter(None, [*names, "" if by == "ours" else by]))
    if table == "counts":
        return f"{key['network']} {key['phase']} N={key['batch_size']}"
    return " ".join(filter(None, key.values()))


def rows(both: pd.DataFrame, *where: str) -> Iterator[Row]:
    """The rows of both reports, or with `right_only` those of NEW alone."""
    for row in both[both["_merge"].isin(where or ("both",))].to_dict("records"):
        yield {str(key): value for key, value in row.items()}


def known(row: Row, *names: str) -> bool:
    """Whether both reports have values in these columns."""
    return not any(pd.isna(row[f"{name}_{side}"]) for name in names for side in ("old", "new"))


def holds(value: Any) -> bool:
    """Whether a flag is true; a missing one is not."""
    return not pd.isna(value) and bool(value)


def lost(row: Row, table: str, part: str, *names: str) -> Iterator[Change]:
    """The values that OLD has and NEW lacks: what would not be judged."""
    for name in names:
        if not pd.isna(row[f"{name}_old"]) and pd.isna(row[f"{name}_new"]):
            yield Change(part, name_of(row, table), f"{name} {row[f'{name}_old']}", "no value", True)


def accuracy(both: pd.DataFrame) -> Iterator[Change]:
    for row in rows(both):
        what = name_of(row, "accuracy")
        yield from lost(row, "accuracy", "accuracy", "ok", "margin")
        if known(row, "ok") and row["ok_old"] != row["ok_new"]:
            yield Change("accuracy", what, _passed(row, "old"), _passed(row, "new"), not row["ok_new"])
        elif holds(row["ok_new"]) and known(row, "margin"):
            was, now = row["margin_old"], row["margin_new"]
            if _grown(was, now, row["dtype"]) or _grown(now, was, row["dtype"]):
                yield Change("accuracy", what, _used(was), _used(now), now > was)
    for row in rows(both, "right_only"):
        if not holds(row["ok_new"]):
            yield Change("accuracy", name_of(row, "accuracy"), "absent", _passed(row, "new"), True)


def _passed(row: Row, side: str) -> str:
    return f"{'ok' if holds(row[f'ok_{side}']) else 'FAIL'}, {row[f'max_rel_{side}']:.1e}"


def _used(margin: float) -> str:
    return f"{margin:.2g} of what is allowed"


def _grown(low: float, high: float, dtype: str) -> bool:
    """Whether a margin is larger by more than rounding can explain."""
    times, least = GROWN.get(dtype, GROWN["float32"])
    return bool(high > times * low and high > least)


def faults(both: pd.DataFrame) -> Iterator[Change]:
    for row in rows(both, "right_only"):
        if not holds(row["killed_new"]) and not row["equivalent_new"]:
            yield Change("faults", row["fault"], "absent", "survives", True)
    for row in rows(both):
        yield from _states(row, "faults", {"killed": "survives", "named": "not named"})
        if known(row, "misnamed") and row["misnamed_old"] != row["misnamed_new"]:
            texts = ["named wrongly" if row[f"misnamed_{s}"] else "not named wrongly" for s in ("old", "new")]
            yield Change("faults", row["fault"], texts[0], texts[1], bool(row["misnamed_new"]))


def injections(both: pd.DataFrame) -> Iterator[Change]:
    for row in rows(both, "right_only"):
        if not holds(row["caught_new"]):
            yield Change("faults", name_of(row, "injections"), "absent", "not caught", True)
    for row in rows(both):
        yield from _states(row, "injections", {"caught": "not caught", "right": "place not found"})


def _states(row: Row, table: str, states: dict[str, str]) -> Iterator[Change]:
    """The changes of columns that are true when all is well, each with its text for false."""
    yield from lost(row, table, "faults", *states)
    for state, no in states.items():
        if known(row, state) and row[f"{state}_old"] != row[f"{state}_new"]:
            yes = {"right": "place found"}.get(state, state)
            texts = [yes if row[f"{state}_{s}"] else no for s in ("old", "new")]
            yield Change("faults", name_of(row, table), texts[0], texts[1], not row[f"{state}_new"])


def summary(both: pd.DataFrame) -> Iterator[Change]:
    """False alarms on correct code."""
    for row in rows(both):
        if row["figure"] == "false_alarms":
            yield from lost(row, "faults_summary", "faults", "count")
        was, now = row["count_old"], row["count_new"]
        if row["figure"] == "false_alarms" and (was > 0) != (now > 0):
            yield Change("faults", "false alarms", f"{was:.0f}", f"{now:.0f}", now > 0)


def speed(both: pd.DataFrame) -> Iterator[Change]:
    for row in rows(both[both["implementation"] == "ours"]):
        yield from lost(row, "speed", "speed", "median_ms")
        if (
            known(row, "median_ms")
            and pd.isna(row["ratio_to_torch_new"])
            and row["pairs_new"] < row["rounds_new"]
        ):
            continue
        yield from lost(row, "speed", "speed", "ratio_to_torch", "ratio_q1", "ratio_q3")
        if not known(row, "ratio_to_torch", "ratio_q1", "ratio_q3"):
            continue
        slower, faster = _apart(row, "old", "new"), _apart(row, "new", "old")
        if slower or faster:
            yield Change("speed", name_of(row, "speed"), _ratio(row, "old"), _ratio(row, "new"), slower)


def counts(both: pd.DataFrame) -> Iterator[Change]:
    for row in rows(both):
        yield from lost(row, "counts", "counts", *COUNTED)
        for name, said in COUNTED.items():
            was, now = row[f"{name}_old"], row[f"{name}_new"]
            if known(row, name) and (now > MORE * was or was > MORE * now):
                by = f" ({abs(now / was - 1):.0%} {'more' if now > was else 'fewer'})" if was else ""
                yield Change(
                    "counts", f"{name_of(row, 'counts')}: {said}", f"{was:,.0f}", f"{now:,.0f}{by}", now > was
                )


def _ratio(row: Row, side: str) -> str:
    low, high = row[f"ratio_q1_{side}"], row[f"ratio_q3_{side}"]
    return f"{row[f'ratio_to_torch_{side}']:.2f} ({low:.2f} to {high:.2f})"


def _apart(row: Row, low: str, high: str) -> bool:
    """Whether `high` is slower by more than noise: disjoint quartiles, medians a tenth apart."""
    disjoint = row[f"ratio_q1_{high}"] > row[f"ratio_q3_{low}"]
    return bool(disjoint and row[f"ratio_to_torch_{high}"] > TENTH * row[f"ratio_to_torch_{low}"])


DiffRule = Callable[[pd.DataFrame], Iterator[Change]]
# table: its rule, and the columns that the rule reads in addition to the key
RULES: dict[str, tuple[DiffRule, tuple[str, ...]]] = {
    "accuracy": (accuracy, ("ok", "max_rel", "margin")),
    "faults": (faults, ("equivalent", "killed", "named", "misnamed")),
    "injections": (injections, ("caught", "right")),
    "faults_summary": (summary, ("count",)),
    "speed": (speed, ("median_ms", "ratio_to_torch", "ratio_q1", "ratio_q3", "pairs", "rounds")),
    "counts": (counts, tuple(COUNTED)),
}
