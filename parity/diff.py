"""Two report folders: what got worse, what got better, and what could not be compared.

    accuracy  worse: a tensor that passed fails; or, in float64, is 100 times further off than it was
    faults    worse: a bug that was caught survives, one that was named is not, or correct code is accused
    speed     worse: the quartiles of the ratio to PyTorch lie apart, and the median grew by a tenth

Times say something only on the same machine with the same threads; elsewhere they are not judged. A
comparison that OLD has and NEW lacks is worse too, unless NEW is a quick report and OLD is not.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

PARTS = ("accuracy", "faults", "speed")
KEYS = {
    "accuracy": ["network", "layer", "case", "phase", "tensor", "dtype", "device"],
    "faults": ["fault"],
    "speed": ["network", "layer", "phase", "dtype", "device", "threads", "batch_size", "implementation"],
}
FURTHER = 100.0  # times the old difference in float64, ...
ROUNDING = 1e-12  # ... unless it is still rounding
TENTH = 1.1


@dataclass(frozen=True)
class Change:
    """One thing that is not as it was."""

    part: str
    what: str
    old: str
    new: str
    worse: bool


@dataclass
class Difference:
    changes: list[Change] = field(default_factory=list)
    compared: dict[str, int] = field(default_factory=dict)  # rows by part
    notes: list[str] = field(default_factory=list)

    @property
    def worse(self) -> list[Change]:
        return [change for change in self.changes if change.worse]

    @property
    def better(self) -> list[Change]:
        return [change for change in self.changes if not change.worse]


@dataclass(frozen=True)
class Report:
    """A report folder as it was written."""

    folder: Path
    environment: dict[str, Any]
    tables: dict[str, pd.DataFrame]

    @property
    def quick(self) -> bool:
        return bool(self.environment.get("quick"))


def read(folder: Path) -> Report:
    """Raises FileNotFoundError for a folder that holds no report."""
    if not folder.is_dir():
        raise FileNotFoundError(f"there is no folder {folder}; name two folders that `parity report` wrote")
    names = [name for name in (*PARTS, "faults_summary") if (folder / f"{name}.parquet").exists()]
    if not names or not (folder / "environment.json").exists():
        raise FileNotFoundError(
            f"{folder} holds no report: expected environment.json and one of "
            f"{', '.join(f'{part}.parquet' for part in PARTS)}; `parity report --out {folder}` makes one"
        )
    environment = json.loads((folder / "environment.json").read_text(encoding="utf-8"))
    return Report(folder, environment, {name: pd.read_parquet(folder / f"{name}.parquet") for name in names})


def compare(old: Report, new: Report, parts: tuple[str, ...] = PARTS) -> Difference:
    """Every part that both have. Raises ValueError when there is none."""
    found = Difference()
    for part in parts:
        if part not in old.tables or part not in new.tables:
            lacking = [str(r.folder) for r in (old, new) if part not in r.tables]
            found.notes.append(f"{part}: not compared, it is not in {' and not in '.join(lacking)}")
            continue
        if part == "speed" and (why := _other_machine(old, new)):
            found.notes.append(f"speed: not judged, {why}")
            continue
        both = _joined(old.tables[part], new.tables[part], KEYS[part])
        found.compared[part] = int((both["_merge"] == "both").sum())
        found.changes += {"accuracy": _accuracy, "faults": _faults, "speed": _speed}[part](both)
        _missing(part, both, old, new, found)
        if part == "faults":
            found.changes += _alarms(old, new)
    if not any(found.compared.values()):
        raise ValueError(
            f"{old.folder} and {new.folder} have nothing in common ({'; '.join(found.notes) or 'other rows'})"
        )
    return found


def _joined(old: pd.DataFrame, new: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Both tables side by side, columns with _old and _new behind their names."""
    texts = dict.fromkeys(keys, str)
    first, second = (t.astype(texts).drop_duplicates(keys) for t in (old, new))
    return first.merge(second, "outer", keys, suffixes=("_old", "_new"), indicator=True)


def _name(row: dict[str, Any], part: str) -> str:
    parts = [str(row[key]) for key in KEYS[part]]
    if part == "speed":
        network, layer, phase, _, _, _, images, by = parts
        return " ".join(filter(None, [network, layer, phase, f"N={images}", by if by != "ours" else ""]))
    return " ".join(filter(None, parts))


def _rows(both: pd.DataFrame) -> Iterator[dict[str, Any]]:
    for row in both[both["_merge"] == "both"].to_dict("records"):
        yield {str(key): value for key, value in row.items()}


def _accuracy(both: pd.DataFrame) -> Iterator[Change]:
    for row in _rows(both):
        what, was, now = _name(row, "accuracy"), row["max_rel_old"], row["max_rel_new"]
        if row["ok_old"] != row["ok_new"]:
            told = [
                f"{'ok' if row[f'ok_{s}'] else 'FAIL'}, {row[f'max_rel_{s}']:.1e}" for s in ("old", "new")
            ]
            yield Change("accuracy", what, told[0], told[1], not row["ok_new"])
        elif row["dtype"] == "float64" and row["ok_new"]:
            if now > FURTHER * was and now > ROUNDING:
                yield Change("accuracy", what, f"{was:.1e}", f"{now:.1e}", True)
            elif was > FURTHER * now and was > ROUNDING:
                yield Change("accuracy", what, f"{was:.1e}", f"{now:.1e}", False)


def _faults(both: pd.DataFrame) -> Iterator[Change]:
    for row in both.to_dict("records"):
        what = str(row["fault"])
        if row["_merge"] == "right_only":
            if not row["killed_new"] and not row["equivalent_new"]:
                yield Change("faults", what, "not in it", "survives", True)
        elif row["_merge"] == "both":
            for state, no in (("killed", "survives"), ("named", "not named")):
                if row[f"{state}_old"] != row[f"{state}_new"]:
                    told = [state if row[f"{state}_{s}"] else no for s in ("old", "new")]
                    yield Change("faults", what, told[0], told[1], not row[f"{state}_new"])


def _alarms(old: Report, new: Report) -> Iterator[Change]:
    if "faults_summary" not in old.tables or "faults_summary" not in new.tables:
        return
    counts = [
        r.tables["faults_summary"].set_index("figure")["count"].get("false_alarms", 0) for r in (old, new)
    ]
    if (counts[0] > 0) != (counts[1] > 0):
        yield Change("faults", "false alarms", str(counts[0]), str(counts[1]), bool(counts[1] > 0))


def _other_machine(old: Report, new: Report) -> str:
    for key in ("cpu", "threads", "cores", "gpu"):
        was, now = old.environment.get(key), new.environment.get(key)
        if was != now:
            return f"{key} is {was} there and {now} here"
    return ""


def _speed(both: pd.DataFrame) -> Iterator[Change]:
    for row in _rows(both[both["implementation"] == "ours"]):
        if pd.isna(row["ratio_to_torch_old"]) or pd.isna(row["ratio_to_torch_new"]):
            continue
        slower, faster = _apart(row, "old", "new"), _apart(row, "new", "old")
        if slower or faster:
            told = [_ratio(row, s) for s in ("old", "new")]
            yield Change("speed", _name(row, "speed"), told[0], told[1], slower)


def _ratio(row: dict[str, Any], side: str) -> str:
    low, high = row[f"ratio_q1_{side}"], row[f"ratio_q3_{side}"]
    return f"{row[f'ratio_to_torch_{side}']:.2f} ({low:.2f} to {high:.2f})"


def _apart(row: dict[str, Any], low: str, high: str) -> bool:
    """Whether `high` is slower by more than noise: quartiles apart, medians by a tenth."""
    disjoint = row[f"ratio_q1_{high}"] > row[f"ratio_q3_{low}"]
    return bool(disjoint and row[f"ratio_to_torch_{high}"] > TENTH * row[f"ratio_to_torch_{low}"])


def _missing(part: str, both: pd.DataFrame, old: Report, new: Report, found: Difference) -> None:
    """What OLD has and NEW has not."""
    gone = both[both["_merge"] == "left_only"]
    if gone.empty:
        return
    less = new.quick and not old.quick and part != "faults"
    if less or part == "speed":
        found.notes.append(f"{part}: {len(gone):,} rows of {old.folder} are not in {new.folder}")
        return
    names = [_name({str(k): v for k, v in row.items()}, part) for row in gone.to_dict("records")]
    found.changes += [Change(part, name, "compared", "not compared", True) for name in names]
