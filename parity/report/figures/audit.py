"""Would these tests have noticed: the share of the bugs that test files notice, before and after one more."""

from __future__ import annotations

import pandas as pd

from parity.report.figures.figure import Figure
from parity.report.figures.rows import Bar, bars
from parity.report.figures.scales import Scale

COLUMNS = {"tests": "tests", "kind": "kind", "killed": "noticed", "survived": "unnoticed"}
RATES = {"before": "rate before", "after": "rate after"}


def figures(table: pd.DataFrame) -> list[Figure]:
    """A pair of bars per test file: the share that it notices, and with the suggested test."""
    rows = []
    for row in table.to_dict("records"):
        kind = str(row["kind"]).replace("_", " ")
        total = row["killed"] + row["survived"]
        noticed = round(row["after"] * total)
        rows.append(Bar(row["tests"], row["before"], f"{row['killed']} of {total}", "plain", kind))
        rows.append(Bar("with one more test", row["after"], f"{noticed} of {total}", "ours"))
    before, after = (f"{table[name].median():.0%}" for name in RATES)
    return [
        Figure(
            f"One more test: the median goes from {before} to {after}",
            "Each pair of bars is a test file: the share of the bugs that it notices as it is, and with the "
            "one test that parity audit prints for it.",
            bars("Share of the bugs noticed, by test file", rows, Scale(0, 1), 0.0),
        )
    ]


def summary(table: pd.DataFrame) -> pd.DataFrame:
    """The table of the section: counts, and the shares in percent."""
    shown = table[list(COLUMNS)].rename(columns=COLUMNS)
    shown["kind"] = shown["kind"].astype(str).str.replace("_", " ")
    return shown.assign(**{title: [f"{v:.0%}" for v in table[name]] for name, title in RATES.items()})
