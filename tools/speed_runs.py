"""Hold two runs of `parity time --all --out FOLDER` side by side, and write their tables in Markdown.

    python tools/speed_runs.py build/time1 build/time2 [--out reports/speed_runs.md]

Prints the geometric means of both runs over the same cells with their ratio, what each cell's ratio to
PyTorch is in both, and what is above PyTorch's time. A cell is one network (or layer), batch size and phase
of ours; cells that other processes disturbed in either run are named and left out.

Exit status: 0 the means agree within 5 %, 1 they do not, 2 misuse.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import pandas as pd

from parity.timing.scaling import rises
from parity.timing.tables import all_cells, geometric_mean, heading, mark
from scratchcnn.files import atomic_write

AGREE = 0.05
KEY = ["network", "layer", "batch_size", "phase"]
CATEGORIES = {
    "steps of networks": "layer == '' and phase == 'step'",
    "predictions of networks": "layer == '' and phase == 'predict'",
    "convolutions of networks": "layer != '' and network != ''",
    "layers alone": "network == ''",
}
MACHINE = ("cpu", "threads", "blas", "torch", "numpy")


def read(folder: Path) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Our rows of the cells with PyTorch's milliseconds, everything, and the machine."""
    speed, machine = pd.read_parquet(folder / "speed.parquet"), pd.read_csv(folder / "machine.csv")
    speed = speed.astype({"network": str, "layer": str, "phase": str, "implementation": str})
    mine = speed[(speed["implementation"] == "ours") & speed["median_ms"].notna()].set_index(KEY)
    theirs = speed[speed["implementation"] == "torch"].set_index(KEY)["median_ms"].rename("torch_ms")
    cells = mine.join(theirs).query("layer != '' or phase in ('step', 'predict')")
    return cells, speed, machine


def means(first: pd.DataFrame, second: pd.DataFrame) -> list[tuple[str, int, float, float]]:
    """(category, cells, mean of each run) over the cells that both runs have a ratio of."""
    columns = {"first": first["ratio_to_torch"], "second": second["ratio_to_torch"]}
    both = pd.concat(columns, axis=1).rename_axis(KEY).dropna()
    found = []
    for name, where in {"all cells": "first > 0", **CATEGORIES}.items():
        rows = both.query(where)
        if len(rows):
            pair = (geometric_mean(rows[column]) for column in rows)
            found.append((name, len(rows), *pair))
    return found  # type: ignore[return-value]


def report(runs: list[tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]]) -> tuple[str, bool]:
    """The Markdown text, and whether the means of all cells agree."""
    (first, _, machine), (second, _, other) = runs
    lines = [heading(machine) + ".", ""]
    differing = [name for name in MACHINE if machine[name].iloc[0] != other[name].iloc[0]]
    if differing:
        raise ValueError(f"the runs differ in {', '.join(differing)}; run both on the same machine")
    found = means(first, second)
    if not found:
        raise ValueError("the runs have no cell with a ratio in common")
    lines += ["| geometric mean of | cells | run 1 | run 2 | run 2 / run 1 |", "|---|---|---|---|---|"]
    lines += [f"| {name} | {n} | {a:.3f} | {b:.3f} | {b / a:.3f} |" for name, n, a, b in found]
    lines += ["", "| cell | N | phase | ours ms | torch ms | run 1 | 95 % | run 2 | 95 % | |"]
    lines += ["|---" * 10 + "|"]
    for key in first.index.union(second.index, sort=False):
        rows = [run.loc[key] if key in run.index else None for run in (first, second)]
        network, layer, n, phase = key
        shown = next(row for row in rows if row is not None)
        cells = [f"{network} {layer}".strip(), n, phase, _ms(shown["median_ms"]), _ms(shown["torch_ms"])]
        for row in rows:
            cells += ["not timed", ""] if row is None else [_ratio(row), _interval(row)]
        marks = dict.fromkeys(mark(dict(row)) for row in rows if row is not None)
        lines.append(f"| {' | '.join(map(str, [*cells, ' / '.join(marks)]))} |")
    for number, (run, speed, _) in enumerate(runs, start=1):
        disturbed = sorted({_name(key) for key, row in run.iterrows() if pd.isna(row["ratio_to_torch"])})
        lines += ["", f"Run {number}:", "", *(f"- {text}" for text in all_cells(speed))]
        if disturbed:
            lines.append(f"- disturbed by other processes, without a ratio: {', '.join(disturbed)}")
    _, _, a, b = found[0]
    agree = abs(b / a - 1) <= AGREE
    lines += ["", f"The means of both runs {'agree' if agree else 'do not agree'} within {AGREE:.0%}."]
    return "\n".join(lines) + "\n", agree


def _name(key: Any) -> str:
    network, layer, n, phase = key
    return f"{' '.join(filter(None, (network, layer)))} N={n} {phase}"


def _ms(value: float) -> str:
    return f"{value:.3g}" if value < 1000 else f"{value:,.0f}"


def _ratio(row: pd.Series) -> str:
    return "disturbed" if pd.isna(row["ratio_to_torch"]) else f"{row['ratio_to_torch']:.2f}"


def _interval(row: pd.Series) -> str:
    return "" if pd.isna(row["ratio_low"]) else f"{row['ratio_low']:.2f} - {row['ratio_high']:.2f}"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("first", type=Path, help="folder of the first run")
    parser.add_argument("second", type=Path, help="folder of the second run")
    parser.add_argument("--out", type=Path, help="Markdown file to write")
    options = parser.parse_args(arguments)
    try:
        runs = [read(folder) for folder in (options.first, options.second)]
        text, agree = report(runs)
    except (OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    for folder in (options.first, options.second):
        if (folder / "scaling.csv").exists():
            lines = rises(pd.read_csv(folder / "scaling.csv"))
            text += "".join(f"\n{folder.name}: {line}\n" for line in lines)
    print(text, end="")
    if options.out:
        with atomic_write(options.out) as temporary:
            temporary.write_text(text, encoding="utf-8")
    return 0 if agree else 1


if __name__ == "__main__":
    sys.exit(main())
