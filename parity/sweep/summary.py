"""The results of a sweep, from its rows: totals, worst margins, failures by culprit, throughput."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from parity.comparison.records import CATEGORIES, GRADIENT_PHASES
from parity.comparison.wording import inconclusive
from parity.sweep.store import Store

TEXTS = [
    *("what", "target", "version", "status", "network", "layer", "phase", "tensor", "dtype", "device"),
    *("culprit", "diagnosis", "why", "fault", "case", "cell", "lacks", "worker", "part"),
]
OTHERS = ["seed", "margin", "exact", "ok", "proves", "seconds", "finished"]
NOT_OURS = ("file", "fault")


@dataclass
class Summary:
    """`rows` has every row that counts; the tables are made from it."""

    about: dict[str, Any]
    rows: pd.DataFrame = field(repr=False)

    @property
    def cells(self) -> int:
        return int(self.rows["cell"].nunique())

    @property
    def planned(self) -> int:
        return int(self.about.get("cells", self.cells))

    @property
    def failed(self) -> pd.DataFrame:
        return self.rows[~self.rows["ok"]]

    @property
    def failed_cells(self) -> int:
        return int(self.failed["cell"].nunique())

    @property
    def ok(self) -> bool:
        return bool(len(self.rows)) and self.failed.empty and self.cells >= self.planned and not self.unproven

    @property
    def unproven(self) -> list[str]:
        """Our tensors of which no comparison could have failed a wrong one, as `records.unproven` has it."""
        rows = self.rows[~self.rows["what"].isin(NOT_OURS) & (self.rows["tensor"] != "")]
        rows = rows[
            ~((rows["dtype"] == "float32") & rows["phase"].astype(str).str.startswith(GRADIENT_PHASES))
        ]
        keys = ["network", "layer", "tensor", "dtype"]
        proven = (rows["proves"] | ~rows["ok"]).groupby([rows[k] for k in keys], observed=True).any()
        return [" ".join(filter(None, map(str, place))) for place in proven[~proven].index]

    # -- tables -----------------------------------------------------------------------------------
    def totals(self) -> pd.DataFrame:
        """One row per part and sort of cell."""
        keys = ["part", "what", "dtype", "device"]
        rows = self.rows.assign(wrong=self.rows["cell"].astype(str).where(~self.rows["ok"]))
        groups = rows.groupby(keys, observed=True, sort=False)
        return groups.agg(
            cells=("cell", "nunique"),
            wrong_cells=("wrong", "nunique"),
            rows=("ok", "size"),
            bit_equal=("exact", "sum"),
            worst=("margin", "max"),
        ).reset_index()

    def worst(self, most: int = 15) -> pd.DataFrame:
        """The passing comparisons that used most of what is allowed, one per tensor."""
        passed = self.rows[self.rows["ok"] & (self.rows["margin"] > 0)]
        passed = passed.sort_values("margin", ascending=False)
        passed = passed.drop_duplicates(["network", "layer", "phase", "tensor", "dtype", "device", "target"])
        return passed.head(most)[[*CATEGORIES, "target", "seed", "margin"]]

    def failures(self) -> pd.DataFrame:
        """One row per status, culprit and diagnosis: the number of cells, the lowest seed, and one reason."""
        failed = self.failed.assign(culprit=self.failed["culprit"].astype(str))
        nameless = failed["culprit"] == ""
        place = failed["network"].astype(str).where(failed["network"] != "", failed["layer"].astype(str))
        failed["culprit"] = failed["culprit"].where(~nameless, place)
        groups = failed.groupby(["status", "target", "culprit", "diagnosis"], observed=True, sort=False)
        table = groups.agg(
            cells=("cell", "nunique"),
            rows=("ok", "size"),
            first_seed=("seed", "min"),
            why=("why", _first_text),
        ).reset_index()
        return table.sort_values(["cells", "status"], ascending=[False, True], kind="stable")

    def partial(self) -> pd.DataFrame:
        """What was not checked of other people's classes, since they lack it."""
        rows = self.rows[(self.rows["lacks"] != "")].drop_duplicates(["target", "lacks"])
        return rows[["target", "layer", "lacks"]]

    def right_but(self) -> pd.DataFrame:
        """What is not right of other people's classes although the numbers are."""
        rows = self.rows[self.rows["status"] == "right_but"].drop_duplicates(["target", "why"])
        return rows[["target", "layer", "why"]]

    def throughput(self) -> pd.DataFrame:
        """One row per worker: its cells, and the seconds that they took."""
        each = self.rows.drop_duplicates("cell")
        groups = each.groupby("worker", observed=True)
        table = groups.agg(cells=("cell", "size"), busy_seconds=("seconds", "sum")).reset_index()
        return table.assign(cells_per_busy_second=table["cells"] / table["busy_seconds"].clip(lower=1e-9))

    @property
    def rate(self) -> float:
        """Cells per second of elapsed time, over all runs of the sweep."""
        seconds = float(self.about.get("seconds", 0.0))
        return self.cells / seconds if seconds else float("nan")

    def lines(self) -> Iterator[str]:
        """The verdict, as lines for the terminal."""
        for row in self.failures().head(20).to_dict("records"):
            names = f"{row['target']} " if row["target"] else ""
            yield (
                f"{row['status']:9} {row['cells']:>6} cells  {names}{row['culprit']}: "
                f"{row['diagnosis'] or row['why']}"
            )
        for row in self.right_but().head(20).to_dict("records"):
            yield f"{row['target']}: {row['why']}"
        for row in self.partial().head(20).to_dict("records"):
            yield f"not checked in {row['target']}: {row['lacks']}"
        for name in self.unproven:
            yield inconclusive(name)
        if self.cells < self.planned:
            yield f"not finished: {self.planned - self.cells:,} of {self.planned:,} cells have no rows yet"
        counts = f"{self.cells:,} cells, {len(self.rows):,} rows"
        if self.failed_cells:
            yield f"MISMATCH: {self.failed_cells:,} of {counts}"
        elif self.ok:
            yield f"MATCH: {counts}"


def _first_text(values: pd.Series) -> str:
    return next((str(v) for v in values if v), "")


def summarize(store: Store) -> Summary:
    """Read the rows; if a file was changed in between, the version that was checked last counts."""
    table = store.table([name for name in [*TEXTS, *OTHERS] if name != "part"])
    for name in TEXTS:
        at = table.schema.get_field_index(name)
        table = table.set_column(at, name, table.column(at).combine_chunks().dictionary_encode())
    rows = table.to_pandas()
    files = rows[rows["what"] == "file"]
    if not files.empty:
        last = (
            files.sort_values("finished")
            .drop_duplicates("target", keep="last")
            .set_index("target")["version"]
        )
        newest = rows["target"].astype(str).map(last.astype(str).to_dict())
        rows = rows[(rows["what"] != "file") | (rows["version"].astype(str) == newest)]
    return Summary(store.about(), rows.reset_index(drop=True))
