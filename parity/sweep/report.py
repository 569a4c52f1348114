"""The page of a sweep: one self-contained file, in light and dark."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from parity.comparison.wording import inconclusive
from parity.report.page import templates_of
from parity.sweep.summary import Summary
from scratchcnn.files import atomic_write

NAMES = {"first_seed", "seed"}  # numbers that are names


def write_report(summary: Summary, path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(path) as temporary:
        temporary.write_text(page(summary), encoding="utf-8")
    return path


def page(summary: Summary) -> str:
    env = templates_of("parity.sweep")
    env.filters["as_text"], env.filters["inconclusive"] = format_value, inconclusive
    env.tests["figures"] = pd.api.types.is_numeric_dtype
    return env.get_template("sweep.html.j2").render(
        summary=summary,
        good=summary.ok,
        verdict=verdict(summary),
        headlines=headlines(summary),
        sections=sections(summary),
        how=summary.about.get("workers", ""),
    )


def verdict(summary: Summary) -> str:
    if summary.failed_cells:
        return f"{summary.failed_cells:,} of {summary.cells:,} cells do not match"
    if summary.cells < summary.planned:
        return f"Nothing is wrong in the {summary.cells:,} of {summary.planned:,} cells that are finished"
    if summary.unproven:
        return f"Nothing differed, but {len(summary.unproven)} tensors were never really tested"
    return f"All {summary.cells:,} cells match PyTorch"


def headlines(summary: Summary) -> list[tuple[str, str, str]]:
    """(title, figure, explanation)."""
    worst = summary.worst(1)
    margin = float(worst["margin"].iloc[0]) if len(worst) else float("nan")
    seconds = float(summary.about.get("seconds", 0.0))
    rows = len(summary.rows) / max(seconds, 1e-9)
    share = f"of {summary.planned:,} planned; {len(summary.rows):,} rows"
    kinds = f"in {len(summary.failures())} groups" if summary.failed_cells else "no mismatch, crash or hang"
    return [
        ("Cells finished", f"{summary.cells:,}", share),
        ("Cells that failed", f"{summary.failed_cells:,}", kinds),
        ("Worst margin that passed", format_value(margin, "worst"), "of what is allowed"),
        (
            "Cells per second",
            format_value(summary.rate, "rate"),
            f"over {seconds:,.0f} s; {rows:,.0f} rows per second",
        ),
    ]


def sections(summary: Summary) -> list[tuple[str, str, str, pd.DataFrame]]:
    """(id, title, explanation, table without its empty columns)."""
    found = [
        (
            "totals",
            "Totals",
            "Each part of the plan. A row is a tensor, a contract or a known bug.",
            summary.totals(),
        ),
        (
            "failures",
            "Failures",
            "Grouped by culprit and diagnosis, each with the lowest seed that shows it.",
            summary.failures(),
        ),
        (
            "margins",
            "Worst margins",
            "The comparisons that came closest to failing: the share of what is allowed that was used.",
            summary.worst(),
        ),
        (
            "partial",
            "Not checked",
            "Features that other people's classes lack, and that were therefore not checked.",
            summary.partial(),
        ),
        (
            "throughput",
            "Throughput",
            "Seconds of work, by the process that ran the cells.",
            summary.throughput(),
        ),
    ]
    return [(id, title, text, _filled(table)) for id, title, text, table in found]


def _filled(table: pd.DataFrame) -> pd.DataFrame:
    return table.loc[:, [bool((table[name].astype(str) != "").any()) for name in table]]


def format_value(value: Any, column: str = "") -> str:
    """A value of a table as text: shares in percent, large numbers with commas, nothing for NaN."""
    if isinstance(value, float) and pd.isna(value):
        return ""
    if column in ("margin", "worst"):
        return f"{float(value):.2%}" if 1e-4 <= value < 1e4 or not value else f"{100 * float(value):.1e}%"
    if column in NAMES:
        return str(value)
    if isinstance(value, float):
        return f"{value:,.1f}" if abs(value) < 100 else f"{value:,.0f}"
    return f"{value:,}" if isinstance(value, int) else str(value)
