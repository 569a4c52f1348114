"""Compare two report folders: what got worse, what got better, and what could not be compared.

`parity.report.diff_rules` defines when a row is worse or better. In addition:

- A part, a table or a row that OLD has and NEW lacks is worse, unless only NEW is a quick report and a quick
  one leaves that row out (the training steps of AlexNet, injections into networks, some times).
- A row that only NEW has is reported; it is worse when it fails.
- Times are compared only on the same machine with the same number of threads; counts on any machine, with
  the same number of threads. Where neither report has counts, nothing is said of them.
- A report in which two rows have the same key is refused, since rows could not be matched up.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from parity.report.diff_rules import RETIRED, RULES, Change, name_of
from parity.report.schema import SCHEMAS, refuse_repeats

PARTS: dict[str, tuple[str, ...]] = {  # part: its tables
    "accuracy": ("accuracy",),
    "faults": ("faults", "injections", "faults_summary"),
    "speed": ("speed",),
    "counts": ("counts",),
}
NUMBERS = ("float64", "int64", "bool")
# part: what of the environment has to be the same for it to be compared
DEPENDS = {"speed": ("cpu", "threads", "cores", "gpu", "blas"), "counts": ("threads", "textbook")}


@dataclass
class Difference:
    changes: list[Change] = field(default_factory=list)
    compared: dict[str, int] = field(default_factory=dict)  # rows by table
    notes: list[str] = field(default_factory=list)

    @property
    def worse(self) -> list[Change]:
        return [change for change in self.changes if change.worse]

    @property
    def better(self) -> list[Change]:
        return [change for change in self.changes if not change.worse]


@dataclass(frozen=True)
class Report:
    """A report folder, as it was written."""

    folder: Path
    environment: dict[str, Any]
    tables: dict[str, pd.DataFrame]

    @property
    def quick(self) -> bool:
        return bool(self.environment.get("quick"))


def read(folder: Path) -> Report:
    """Read a report. Raises FileNotFoundError if the folder holds none, ValueError, naming the file, if one
    is damaged or repeats a key."""
    if not folder.is_dir():
        raise FileNotFoundError(f"there is no folder {folder}; name two folders that `parity report` wrote")
    names = [name for name in RULES if (folder / f"{name}.parquet").exists()]
    if not set(names) & set(PARTS) or not (folder / "environment.json").exists():
        raise FileNotFoundError(
            f"{folder} holds no report: expected environment.json and one of "
            f"{', '.join(f'{part}.parquet' for part in PARTS)}; `parity report --out {folder}` makes one"
        )
    environment = _environment(folder / "environment.json")
    tables = {name: _read_table(folder, name) for name in names}
    for name, table in tables.items():
        path, key = f"{folder / name}.parquet", SCHEMAS[name].key
        missing = [column for column in key if column not in table]
        if missing and table.duplicated([column for column in key if column in table]).any():
            raise ValueError(f"{path} lacks the column {', '.join(missing)}; run `parity report` again")
        refuse_repeats(table, [column for column in key if column in table], path)
    return Report(folder, environment, tables)


def _environment(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(found, dict):
            raise ValueError(f"expected an object, got {type(found).__name__}")
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path} is damaged ({error}); run `parity report` again") from None
    return found


def _read_table(folder: Path, name: str) -> pd.DataFrame:
    path = folder / f"{name}.parquet"
    if not path.is_file():
        raise ValueError(f"{path} is a folder, not a table; run `parity report` again")
    try:
        table = pd.read_parquet(path)
        numbers = [c.name for c in SCHEMAS[name].columns if c.type in NUMBERS and c.name in RULES[name][1]]
        for column in set(numbers) & set(table):
            pd.to_numeric(table[column])
    except (pa.ArrowException, OSError, ValueError, TypeError) as error:
        raise ValueError(f"{path} is damaged ({error}); run `parity report` again") from None
    return table


def compare(old: Report, new: Report, parts: tuple[str, ...] = tuple(PARTS)) -> Difference:
    """Compare every part; one that OLD has and NEW lacks is worse.

    Raises ValueError if the two have none in common.
    """
    found = Difference()
    for part in parts:
        if part == "counts" and not (part in old.tables or part in new.tables):
            continue
        if part not in old.tables or part not in new.tables:
            _whole_part(part, old, new, found)
        elif why := _not_comparable(part, old, new):
            found.notes.append(f"{part}: not judged, since {why}")
        else:
            for name in PARTS[part]:
                _table(part, name, old, new, found)
    if not any(found.compared.values()) and not found.worse:
        raise ValueError(
            f"{old.folder} and {new.folder} have nothing in common ({'; '.join(found.notes) or 'other rows'})"
        )
    return found


def _whole_part(part: str, old: Report, new: Report, found: Difference) -> None:
    """A part that one of the two lacks is worse if NEW lacks it, otherwise noted."""
    if part in old.tables:
        found.changes.append(Change(part, f"all of {part}", "compared", "not compared", True))
    else:
        lacking = [str(r.folder) for r in (old, new) if part not in r.tables]
        found.notes.append(f"{part}: not compared, it is not in {' and not in '.join(lacking)}")


def _not_comparable(part: str, old: Report, new: Report) -> str:
    """Why this part of two runs cannot be compared: another machine, other threads."""
    for key in DEPENDS.get(part, ()):
        was, now = old.environment.get(key), new.environment.get(key)
        if was != now:
            return f"{key} was {was} and is {now}"
    return ""


def _table(part: str, name: str, old: Report, new: Report, found: Difference) -> None:
    """Compare one table of both reports."""
    lacking = [r for r in (old, new) if name not in r.tables]
    if lacking:
        if lacking == [new] and not new.quick:
            found.changes.append(Change(part, f"all of {name}", "compared", "not compared", True))
        elif len(lacking) == 1:
            found.notes.append(f"{name}: not compared, it is not in {lacking[0].folder}")
        return
    rule, columns = RULES[name]
    both = _joined(name, [*columns], old, new, found)
    found.compared[name] = int((both["_merge"] == "both").sum())
    found.changes += rule(both)
    if name == "faults_summary":  # a quick report has fewer figures
        return
    if name == "speed":  # other implementations, such as torch_compile, may not run everywhere
        both = both[both["implementation"] == "ours"]
    _gone(part, name, both, old, new, found)
    if added := int((both["_merge"] == "right_only").sum()):
        found.notes.append(f"{name}: {added:,} rows of {new.folder} are new, not in {old.folder}")


def _joined(name: str, columns: list[str], old: Report, new: Report, found: Difference) -> pd.DataFrame:
    """Both tables joined on the key columns that both have."""
    tables = [old.tables[name], new.tables[name]]
    key = [k for k in SCHEMAS[name].key if all(k in table for table in tables)]
    for report, table in zip((old, new), tables, strict=True):
        if without := [c for c in (*SCHEMAS[name].key, *columns) if c not in table]:
            found.notes.append(
                f"{name}: {report.folder} has no column {', '.join(without)}, which is not compared"
            )
    first, second = (t.reindex(columns=[*key, *columns]).astype(dict.fromkeys(key, str)) for t in tables)
    return first.merge(second, "outer", key, suffixes=("_old", "_new"), indicator=True)


def _gone(part: str, name: str, both: pd.DataFrame, old: Report, new: Report, found: Difference) -> None:
    """Report the rows that OLD has and NEW lacks."""
    gone = both[both["_merge"] == "left_only"]
    if new.quick and not old.quick:
        left_out = _left_out(name, gone, new)
        if left_out.any():
            count = f"{left_out.sum():,} rows of {old.folder}"
            found.notes.append(f"{name}: {count} are not in {new.folder}, which is a quick report")
        gone = gone[~left_out]
    if "fault" in gone:
        retired = gone["fault"].isin(list(RETIRED))
        found.notes += [
            f"{name}: {fault} is no known bug any more: {RETIRED[fault]}"
            for fault in dict.fromkeys(gone.loc[retired, "fault"].astype(str))
        ]
        gone = gone[~retired]
    for row in gone.to_dict("records"):
        what = name_of({str(k): v for k, v in row.items()}, name)
        found.changes.append(Change(part, what, "compared", "not compared", True))


def _left_out(name: str, gone: pd.DataFrame, new: Report) -> pd.Series:
    """The rows that a quick report leaves out: times, injections, and the steps of some networks."""
    if name == "accuracy":
        made = new.tables[name]
        stepping = made[made["phase"].astype(str).str.startswith("step")]["network"].astype(str)
        return gone["phase"].str.startswith("step") & ~gone["network"].isin(stepping)
    return pd.Series(name in ("injections", "speed", "counts"), index=gone.index, dtype=bool)
