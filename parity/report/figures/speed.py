"""Times relative to PyTorch's, how they grow, and the share of what the machine can do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from parity.report.figures.figure import OURS_AND_TORCH, Figure, panels
from parity.report.figures.lines import Series, line_chart
from parity.report.figures.rows import Bar, bars
from parity.report.figures.scales import Scale, around
from parity.report.markdown import milliseconds

FASTER = (("ours", "NumPy is faster"), ("torch", "PyTorch is faster"))
RATIO_COLUMNS = (
    *("network", "layer", "batch_size", "phase", "implementation", "median_ms", "q1_ms", "q3_ms"),
    *("ratio_to_torch", "ratio_low", "ratio_high", "pairs", "rounds", "ok", "note"),
)


def figures(
    speed: pd.DataFrame, scaling: pd.DataFrame | None, counts: pd.DataFrame | None = None
) -> list[Figure]:
    found = [ratios(speed)]
    if (speed["layer"] != "").any():
        found.append(layers(speed))
    if scaling is not None and not scaling.empty:
        found.append(growth(scaling))
    if speed["gemm_share"].notna().any():
        found.append(limits(speed))
    if counts is not None:
        found.append(counted(counts))
    return found


def _scale(rows: pd.DataFrame) -> Scale:
    values = [v for name in ("ratio_to_torch", "ratio_low", "ratio_high") for v in rows[name].dropna()]
    return around([0.5, 2.0, *values], log=True, whole=False)


def ratios(speed: pd.DataFrame) -> Figure:
    mine = speed[(speed["implementation"] == "ours") & (speed["layer"] == "")]
    rows, scale = [], _scale(mine)
    for row in mine.to_dict("records"):
        images = "1 image" if row["batch_size"] == 1 else f"{row['batch_size']} images"
        rows.append(_bar(row, f"{row['network']} {row['phase']}", images))
    return Figure(
        "Time against PyTorch's",
        "Our time divided by PyTorch eager's, taking turns on the same number of threads: the median of the "
        "rounds' ratios, and as a thin line its 95 % interval: one that crosses the line at 1 is undecided, "
        "and one that other processes disturbed has no bar. To the left of the line at 1 ours is faster. "
        "The axis is logarithmic. A step may take less time than forward and backward together, since each "
        "is timed as called: our step keeps intermediate results in the cache from one to the other, and "
        "does not compute the gradient of the images.",
        bars("Ratio of our time to PyTorch's, by network and phase", rows, scale, 1.0, "PyTorch = 1"),
        "speed",
        RATIO_COLUMNS,
        where="layer=",
        open=True,
        legend=FASTER,
        says=_won(mine),
    )


def _won(mine: pd.DataFrame) -> str:
    """How many of the measured times are shorter than PyTorch's, and longer, beyond their interval."""
    timed = mine[mine["ratio_to_torch"].notna()]
    faster = int((timed["ratio_high"].fillna(timed["ratio_to_torch"]) < 1).sum())
    slower = int((timed["ratio_low"].fillna(timed["ratio_to_torch"]) > 1).sum())
    return f"NumPy is faster in {faster} of {len(timed)}, slower in {slower}"


def layers(speed: pd.DataFrame) -> Figure:
    mine = speed[(speed["implementation"] == "ours") & (speed["layer"] != "")]
    scale, charts, titles = _scale(mine), [], []
    largest = mine.groupby("network", observed=True)["batch_size"].transform("max")
    for network, t in mine[mine["batch_size"] == largest].groupby("network", observed=True, sort=False):
        rows = [
            _bar(r, f"{r['layer']} {r['phase']}", f"{milliseconds(r['median_ms'])} ms")
            for r in t.to_dict("records")
        ]
        charts.append(bars(f"Ratio of our time to PyTorch's, layers of {network}", rows, scale, 1.0))
        titles.append(f"{network}, {t['batch_size'].iloc[0]} images")
    return Figure(
        "Layer by layer",
        "The same for every layer individually, on the input that it gets inside the network. A layer that "
        "takes microseconds may lose by a large factor at no cost; the milliseconds are below its name. "
        "Individually timed, our layers can be slower than PyTorch's while the whole step is faster: alone, "
        "each takes and gives whole batches in the order (N, C, H, W) and computes dx, while in a step a "
        "part of the batch goes through several layers in one thread's cache, in the memory order that "
        "suits them.",
        panels(*charts, titles=tuple(titles)),
        "speed",
        RATIO_COLUMNS,
        where="layer!=",
        sort="-median_ms",
        legend=FASTER,
        says=_won(mine),
    )


def _bar(row: Mapping[Any, Any], name: str, detail: str) -> Bar:
    ratio = row["ratio_to_torch"]
    if pd.isna(ratio):
        return Bar(name, 1.0, "disturbed", "slow", detail)
    interval = None if pd.isna(row["ratio_low"]) else (row["ratio_low"], row["ratio_high"])
    return Bar(name, ratio, f"{ratio:.2f}×", "fast" if ratio <= 1 else "slow", detail, interval)


def growth(scaling: pd.DataFrame) -> Figure:
    charts, titles = [], []
    for (variable, phase), t in scaling.groupby(["variable", "phase"], observed=True, sort=False):
        what = str(t["network"].iloc[0] or t["layer"].iloc[0])
        label = "images per batch" if variable == "images" else "pixels along a side"
        x = around(t["size"].tolist(), log=True, whole=False)
        y = around(t["median_ms"].tolist(), log=True)
        series = [
            Series(str(by), r["size"].tolist(), r["median_ms"].tolist(), str(by), True)
            for by, r in t.groupby("implementation", observed=True, sort=False)
        ]
        title = f"{what} {phase}: milliseconds against {label}"
        charts.append(line_chart(title, series, label, "ms", y, x))
        fitted = [
            f"{variable}^{r['exponent'].iloc[0]:.2f} ({'NumPy' if by == 'ours' else 'PyTorch'})"
            for by, r in t.groupby("implementation", observed=True, sort=False)
        ]
        titles.append(f"{what} {phase}: time grows with {', '.join(fitted)}")
    return Figure(
        "How the cost grows",
        "Milliseconds against the number of images per batch and against their size; both axes are "
        "logarithmic. The powers are fitted to the points: 1 of the images, or 2 of the side, "
        "means that every pixel costs the same.",
        panels(*charts, titles=tuple(titles)),
        "scaling",
        legend=OURS_AND_TORCH,
    )


def limits(speed: pd.DataFrame) -> Figure:
    both = speed[
        speed["implementation"].isin(["ours", "torch"]) & (speed["phase"] == "step") & (speed["layer"] == "")
    ]
    both, rows = both[both["gemm_share"].notna()], []  # a GPU has another limit
    for row in both.to_dict("records"):
        images = "1 image" if row["batch_size"] == 1 else f"{row['batch_size']} images"
        share = row["gemm_share"]
        detail = f"{images}, {row['gflops']:.0f} GFLOP/s, {row['gbytes_per_s']:.1f} GB/s"
        who = "NumPy" if row["implementation"] == "ours" else "PyTorch"
        rows.append(Bar(f"{row['network']} {who}", share, f"{share:.0%}", row["implementation"], detail))
    top = max([1.0, *(float(v) for v in both["gemm_share"].dropna())])
    return Figure(
        "Share of the machine's limit",
        "The multiplications and additions that a training step needs, divided by its time, as a share of "
        "this machine's fastest float32 matrix product. Small networks are limited by memory and overhead, "
        "not by arithmetic.",
        bars("Share of the machine's peak arithmetic, by network and framework", rows, Scale(0, top), 0.0),
        "speed",
        (
            *("network", "batch_size", "phase", "implementation", "median_ms", "gflops", "gemm_share"),
            *("gbytes_per_s", "copy_share", "peak_rss_mb", "rss_rise_mb"),
        ),
        where="phase=step layer=",
        legend=OURS_AND_TORCH,
        says=f"NumPy reaches up to {both.loc[both['implementation'] == 'ours', 'gemm_share'].max():.0%}",
    )


def counted(counts: pd.DataFrame) -> Figure:
    steps, rows = counts[counts["phase"] == "step"], []
    for row in steps.to_dict("records"):
        images = "1 image" if row["batch_size"] == 1 else f"{row['batch_size']} images"
        moved, made = row["moved_bytes"] / 1e6, row["allocated_bytes"] / 1e6
        detail = f"{images}, {moved:,.0f} MB moved, {made:,.1f} MB allocated"
        rows.append(Bar(str(row["network"]), row["numpy_calls"], f"{row['numpy_calls']:,}", "ours", detail))
    most = int(steps["numpy_calls"].max())
    return Figure(
        "Calls of NumPy",
        "How often a training step of ours calls NumPy, with the bytes that go into these calls and come out "
        "of them. Counted, not timed: the same in every run and on every machine.",
        bars("Calls of NumPy in a training step, by network", rows, Scale(0, most), 0.0),
        "counts",
        tuple(counts.columns),
        where="phase=step",
        says=f"at most {most:,} in a step",
    )
