"""The measured times as tables: for the terminal and for a page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from rich.table import Table
from rich.text import Text

from parity.timing.costs import TO_DEVICE, TO_HOST

BASELINES = ("yours", "torch_compile", "onnxruntime", "jax", "book", "naive")  # a column each, if timed


def display_table(speed: pd.DataFrame) -> Table:
    """One line per network or layer, batch size and phase; a ratio below 1 is faster than PyTorch eager."""
    others = [name for name in BASELINES if (speed["implementation"] == name).any()]
    shown = Table("", "N", "phase", box=None, header_style="bold")
    columns = (
        "ours ms",
        "torch ms",
        "x torch",
        "95 %",
        "mark 1",
        "GFLOP/s",
        "of peak",
        "MB ours",
        "MB torch",
    )
    for name in (*columns, *(f"{other} ms" for other in others), "verdict"):
        shown.add_column(name, justify="right")
    blank = [""] * (len(columns) + len(others))
    keys = ["network", "layer", "batch_size", "phase"]
    for (network, layer, n, phase), rows in speed.groupby(keys, sort=False, observed=True):
        by = {row["implementation"]: row for row in rows.to_dict("records")}
        if str(phase) in (TO_DEVICE, TO_HOST):
            name = f"{network} {layer}".strip()
            shown.add_row(name, str(n), str(phase), "", _number(by["torch"]["median_ms"]))
            continue
        if "ours" not in by:
            if "yours" in by:  # it could not be called on this shape
                shown.add_row(f"{network} {layer}".strip(), str(n), str(phase), *blank, _verdict(by.values()))
            continue
        ours, torch = by["ours"], by["torch"]
        cells = [f"{network} {layer}".strip(), str(n), str(phase)]
        cells += [_number(ours["median_ms"]), _number(torch["median_ms"])]
        cells += [
            _number(ours["ratio_to_torch"], 2),
            _range(ours["ratio_low"], ours["ratio_high"]),
            mark(ours),
        ]
        cells += [_number(ours["gflops"], 0), _number(100 * ours["gemm_share"], 0, " %")]
        cells += [_number(ours["peak_rss_mb"], 0), _number(torch["peak_rss_mb"], 0)]
        cells += [_number(by.get(other, {}).get("median_ms")) for other in others]
        shown.add_row(*cells, _verdict(by.values()))
    return shown


def mark(row: Mapping[Any, Any]) -> str:
    """Which side of PyTorch's time it is on; `disturbed` where it has no ratio."""
    if pd.isna(row["ratio_to_torch"]):
        return "" if pd.isna(row["median_ms"]) else "disturbed"
    if row["ratio_low"] <= 1 <= row["ratio_high"]:
        return "undecided"
    return "faster" if row["ratio_to_torch"] < 1 else "slower"


def count_table(counts: pd.DataFrame) -> Table:
    """`count_frame` for the terminal."""
    found = count_frame(counts)
    shown = Table(box=None, header_style="bold")
    for name in map(str, found):
        shown.add_column(name, justify="left" if name in ("network", "phase") else "right")
    for cells in found.itertuples(index=False):
        shown.add_row(*map(str, cells))
    return shown


def count_frame(counts: pd.DataFrame) -> pd.DataFrame:
    """One row of text per network, batch size and phase: what ours asks of NumPy, the same in every run."""
    rows = []
    for row in counts.to_dict("records"):
        least, products = row["least_bytes"], row["least_multiplications"]
        rows.append(
            {
                "network": row["network"],
                "N": row["batch_size"],
                "phase": row["phase"],
                "NumPy calls": f"{row['numpy_calls']:,}",
                "MB allocated": _number(row["allocated_bytes"] / 1e6),
                "MB moved": _number(row["moved_bytes"] / 1e6),
                "x least": f"{row['moved_bytes'] / least:.1f}",
                "1e6 multiplications": _number(row["multiplications"] / 1e6),
                "of least": f"{row['multiplications'] / products:.0%}" if products else "",
            }
        )
    return pd.DataFrame(rows)


def markdown(speed: pd.DataFrame, machine: pd.DataFrame, counts: pd.DataFrame | None = None) -> str:
    """The same tables in Markdown, under the machine that it was measured on and followed by the summary."""
    lines = [heading(machine) + ".", "", *_markdown(display_table(speed)), ""]
    if counts is not None and not counts.empty:
        lines += [*_markdown(count_table(counts)), ""]
    return "\n".join([*lines, *(f"- {text}" for text in summary(speed))]) + "\n"


def _markdown(shown: Table) -> list[str]:
    cells = [[Text.from_markup(str(cell)).plain for cell in column.cells] for column in shown.columns]
    names = [str(column.header) or "network" for column in shown.columns]
    lines = [f"| {' | '.join(names)} |", "|---" * len(names) + "|"]
    return lines + [f"| {' | '.join(row)} |" for row in zip(*cells, strict=True)]


def heading(machine: pd.DataFrame) -> str:
    """One sentence on the machine, its threads and its measured peaks."""
    m = machine.iloc[0]
    where = f", {m['gpu']}" if "gpu" in machine else ""
    return (
        f"{m['cpu']}{where}, {m['threads']} of {m['cores']} cores; numpy {m['numpy']} with {m['blas']}, "
        f"torch {m['torch']}; peak {m['gemm_gflops']:.0f} GFLOP/s in float32 matrix products, "
        f"{m['copy_gbytes_per_s']:.0f} GB/s copied"
    )


def notes(speed: pd.DataFrame) -> list[str]:
    """What a reader must know about single rows, each once: `lenet N=1 naive: not run: ...`"""
    noted = speed[speed["note"] != ""].to_dict("records")
    texts = (f"{r['network']} N={r['batch_size']} {r['implementation']}: {r['note']}" for r in noted)
    return list(dict.fromkeys(texts))


def summary(speed: pd.DataFrame) -> list[str]:
    """The geometric means of the ratios to PyTorch, and each step's ratio to the book's style."""
    whole = speed[(speed["layer"] == "") & speed["median_ms"].notna()]
    steps = whole[whole["phase"] == "step"]
    ours = steps[steps["implementation"] == "ours"]
    lines = _mean(ours, "a training step takes")
    predictions = whole[(whole["phase"] == "predict") & (whole["implementation"] == "ours")]
    lines += _mean(predictions, "a prediction takes")
    book = steps[steps["implementation"] == "book"].set_index(["network", "batch_size"])["median_ms"]
    for row in ours.to_dict("records"):
        key = row["network"], row["batch_size"]
        if key in book.index:
            times = float(book.loc[key]) / row["median_ms"]
            lines.append(f"{key[0]} N={key[1]}: {times:.1f} times as fast as the book's style")
    return lines


def all_cells(speed: pd.DataFrame) -> list[str]:
    """Sentences on everything that was timed: means by category and over all, sides of the mark, memory."""
    mine = speed[(speed["implementation"] == "ours") & speed["median_ms"].notna()]
    whole, in_step = mine["layer"] == "", mine["phase"].isin(["step", "predict"])
    categories = {
        "steps and predictions of networks": mine[whole & in_step],
        "convolutions of networks, forward and backward": mine[~whole & (mine["network"] != "")],
        "layers alone, forward and backward": mine[~whole & (mine["network"] == "")],
    }
    lines = [_sides(name, rows) for name, rows in categories.items() if len(rows)]
    if len(lines) > 1:
        lines.append(_sides("all of these", pd.concat(list(categories.values()))))
    for name in ("torch_compile", "onnxruntime", "jax"):
        rows = speed[(speed["implementation"] == name) & speed["ratio_to_torch"].notna()]
        for phase in ("step", "predict"):
            ratios = rows.loc[rows["phase"] == phase, "ratio_to_torch"]
            if len(ratios):
                mean = geometric_mean(ratios)
                lines.append(f"{name}, {phase}: {mean:.2f} times PyTorch's (geometric mean of {len(ratios)})")
    return lines + _memory(speed)


def _sides(name: str, rows: pd.DataFrame) -> str:
    marks = [mark(row) for row in rows.to_dict("records")]
    counts = [f"{marks.count(side)} {side}" for side in ("faster", "undecided", "slower", "disturbed")]
    ratios = rows["ratio_to_torch"].dropna()
    mean = f"{geometric_mean(ratios):.2f} times PyTorch's" if len(ratios) else "no ratio"
    return f"{name}: {mean} (geometric mean of {len(ratios)}); {', '.join(counts)}"


def _memory(speed: pd.DataFrame) -> list[str]:
    """In how many steps the peak memory is at most PyTorch's, and where it is not."""
    steps = speed[(speed["phase"] == "step") & speed["peak_rss_mb"].notna()]
    wide = steps.pivot_table("peak_rss_mb", ["network", "batch_size"], "implementation", observed=True)
    if not {"ours", "torch"} <= set(wide):
        return []
    more = wide[wide["ours"] > wide["torch"]]
    where = [
        f"{row['network']} N={row['batch_size']} {row['ours']:,.0f} MB to {row['torch']:,.0f}"
        for row in more.reset_index().to_dict("records")
    ]
    text = f"peak memory of a step: at most PyTorch's in {len(wide) - len(more)} of {len(wide)}"
    return [f"{text}; more in {', '.join(where)}" if where else text]


def geometric_mean(ratios: pd.Series) -> float:
    return float(np.exp(np.log(ratios).mean()))


def _mean(ours: pd.DataFrame, what: str) -> list[str]:
    """The sentence on the geometric mean, and on the rows that have no ratio because they were disturbed."""
    ratios = ours["ratio_to_torch"].dropna()
    lost = len(ours) - len(ratios)
    left_out = f"; {lost} left out, since other processes disturbed them" if lost else ""
    if ours.empty:
        return []
    if ratios.empty:
        return [f"{what}: no ratio to PyTorch's, since other processes disturbed all of {lost}"]
    mean = geometric_mean(ratios)
    return [f"{what} {mean:.2f} times as long as PyTorch's (geometric mean of {len(ratios)}{left_out})"]


def exponent_table(scaling: pd.DataFrame) -> Table:
    """One line per series: the exponent of the fitted power law, and how well it fits."""
    shown = Table("cost against", "of", "phase", "by", box=None, header_style="bold")
    for name in ("exponent", "r2", "sizes"):
        shown.add_column(name, justify="right")
    keys = ["variable", "network", "layer", "phase", "implementation"]
    for (variable, network, layer, phase, by), rows in scaling.groupby(keys, sort=False, observed=True):
        fitted, sizes = rows.iloc[0], ", ".join(map(str, rows["size"]))
        names = map(str, (variable, network or layer, phase, by))
        shown.add_row(*names, f"{fitted['exponent']:.2f}", f"{fitted['r2']:.3f}", sizes)
    return shown


def failed(speed: pd.DataFrame) -> bool:
    """Whether the code of any row failed its check."""
    return not speed.empty and not bool(speed["ok"].fillna(True).all())


def _verdict(rows: Iterable[Mapping[Any, Any]]) -> str:
    """ok when every implementation that was checked passed, otherwise the names of those that did not."""
    checked = {row["implementation"]: bool(row["ok"]) for row in rows if not pd.isna(row["ok"])}
    wrong = [name for name, ok in checked.items() if not ok]
    return f"[red]FAIL {' '.join(wrong)}[/red]" if wrong else "[green]ok[/green]" if checked else ""


def _number(value: Any, decimals: int | None = None, unit: str = "") -> str:
    """Three figures unless a number of `decimals` is given; empty where nothing was measured."""
    if value is None or pd.isna(value):
        return ""
    if decimals is not None:
        return f"{value:,.{decimals}f}{unit}"
    return f"{value:.3g}{unit}" if value < 1000 else f"{value:,.0f}{unit}"


def _range(low: Any, high: Any) -> str:
    return "" if pd.isna(low) else f"{low:.2f} - {high:.2f}"
