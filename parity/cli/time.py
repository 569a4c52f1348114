"""`python -m parity time`: ours beside PyTorch's, with the verdict of the same code in every row."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import pandas as pd
import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from parity.timing.measure import Setup

WIDTH = 200  # of the table where it is not written to a terminal
console = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else WIDTH)

DEFAULT = ("simple_conv_net", "lenet", "alexnet")
BATCHES = {"simple_conv_net": (100, 1), "lenet": (100, 1), "lenet5": (100, 1), "alexnet": (32, 1)}
OTHER_BATCHES = (8, 1)
QUICK_ROUNDS = 3


class Dtype(StrEnum):
    float32 = "float32"
    float64 = "float64"


class Device(StrEnum):
    cpu = "cpu"
    cuda = "cuda"


def time(
    names: Annotated[
        list[str] | None, typer.Argument(help="Networks or layers.", show_default=" ".join(DEFAULT))
    ] = None,
    batch_size: Annotated[
        list[int] | None,
        typer.Option(help="Images in a batch; repeat it for several.", show_default="by network", min=1),
    ] = None,
    dtype: Annotated[Dtype, typer.Option(help="Of ours and of PyTorch's.")] = Dtype.float32,
    device: Annotated[Device, typer.Option(help="Where PyTorch runs.")] = Device.cpu,
    threads: Annotated[
        int | None, typer.Option(help="For both, PyTorch and NumPy.", show_default="all cores", min=1)
    ] = None,
    rounds: Annotated[int, typer.Option(help="Turns that everyone gets.", min=1)] = 11,
    seed: Annotated[int, typer.Option(help="Draws weights and images.", min=0)] = 0,
    layers: Annotated[
        bool, typer.Option("--layers", help="Every layer of a network by itself too.")
    ] = False,
    scaling: Annotated[
        bool, typer.Option("--scaling", help="Cost against images and image size too.")
    ] = False,
    quick: Annotated[
        bool, typer.Option("--quick", help=f"{QUICK_ROUNDS} rounds, without the lower rungs.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option(help="Folder for the tables, CSV and Parquet.", show_default="none")
    ] = None,
) -> None:  # fmt: skip
    """Time forward, backward, a training step and prediction, interleaved, on equal threads."""
    from parity.cli import options
    from parity.reference import machine
    from parity.timing.measure import Setup
    from parity.timing.scaling import scaling as fitted

    networks, kinds = _names(names)
    options.set_device(options.Device(device.value))
    count = threads or machine.cores()
    tables: dict[str, pd.DataFrame] = {"speed": pd.DataFrame(), "scaling": pd.DataFrame()}
    interrupted = False
    with machine.equal_threads(count), Progress(console=console, transient=True) as bar:
        task = bar.add_task("measuring the machine", total=None)

        def progress(text: str, done: int, total: int) -> None:
            bar.update(task, description=text, completed=done, total=total or None)

        peaks = machine.measured_peaks(count)
        about = machine.describe(count) | peaks._asdict()
        tables["machine"] = pd.DataFrame([about | _cuda(device.value)])
        setup = Setup(dtype.value, device.value, count, QUICK_ROUNDS if quick else rounds, seed, peaks,
                      rungs=not quick, layers=layers)  # fmt: skip
        try:
            for row in _measured(networks, kinds, batch_size, setup, progress):
                tables["speed"] = pd.concat([tables["speed"], row], ignore_index=True)
            if scaling:
                tables["scaling"] = fitted((networks or ["simple_conv_net"])[0], setup, progress)
        except KeyboardInterrupt:  # what was measured is kept
            interrupted = True
    _finish(tables, out, interrupted)


def _measured(
    networks: list[str], kinds: list[str], batch_sizes: list[int] | None, setup: Setup, progress: Any
) -> Iterator[pd.DataFrame]:
    """A frame a network or layer and batch size."""
    from parity.timing.measure import time_layer, time_network

    for name in networks:
        for n in batch_sizes or BATCHES.get(name, OTHER_BATCHES):
            yield time_network(name, n, setup, progress)
    for kind in kinds:
        for n in batch_sizes or OTHER_BATCHES:
            yield time_layer(kind, n, setup, progress)


def _names(names: list[str] | None) -> tuple[list[str], list[str]]:
    """Networks and layers among the names."""
    from parity.cli import options
    from parity.timing.layer_sizes import LAYERS

    networks, kinds = options.split_names(list(names or DEFAULT))
    if unknown := [kind for kind in kinds if kind not in LAYERS]:
        raise options.Misuse(
            f"{', '.join(unknown)} cannot be timed alone; layers that can: {', '.join(LAYERS)}"
        )
    return networks, kinds


def _cuda(device: str) -> dict[str, object]:
    from parity.reference.devices import settings

    return {key: value for key, value in settings(device).items() if key not in ("torch", "threads")}


def _finish(tables: dict[str, pd.DataFrame], out: Path | None, interrupted: bool) -> None:
    """Write, print, and leave with the status: 1 when a row's code failed its check, 130 after Ctrl-C."""
    from parity.comparison.tables import write_tables
    from scratchcnn.files import atomic_write

    if out is not None:
        for path in write_tables(out, tables):
            console.print(f"wrote {path}")
        if not tables["speed"].empty:
            with atomic_write(out / "speed.md") as temporary:
                temporary.write_text(markdown(tables))
            console.print(f"wrote {out / 'speed.md'}")
    table = tables["speed"]
    console.print(heading(tables["machine"]))
    if interrupted:
        print("interrupted; what was measured until then is above", file=sys.stderr)
    if not table.empty:
        console.print(as_people_read(table))
        for note in dict.fromkeys(f"{r.network} N={r.batch_size} {r.implementation}: {r.note}"
                                  for r in table[table["note"] != ""].itertuples()):  # fmt: skip
            console.print(note, markup=False)
        for text in summary(table):
            console.print(text)
    if not tables["scaling"].empty:
        console.print(exponents(tables["scaling"]))
    failed = not table.empty and bool((table["ok"] == False).fillna(False).any())  # noqa: E712
    raise typer.Exit(130 if interrupted else 1 if failed else 0)


def markdown(tables: dict[str, pd.DataFrame]) -> str:
    """The same table for a page: what it was measured on, a line a phase, and the summary."""
    shown = as_people_read(tables["speed"])
    cells = [[Text.from_markup(str(cell)).plain for cell in column.cells] for column in shown.columns]
    names = [str(column.header) or "network" for column in shown.columns]
    lines = [heading(tables["machine"]) + ".", "", f"| {' | '.join(names)} |", "|---" * len(names) + "|"]
    lines += [f"| {' | '.join(row)} |" for row in zip(*cells, strict=True)]
    return "\n".join([*lines, "", *(f"- {text}" for text in summary(tables["speed"]))]) + "\n"


def heading(machine: pd.DataFrame) -> str:
    m = machine.iloc[0]
    where = f", {m['gpu']}" if "gpu" in machine else ""
    return (
        f"{m['cpu']}{where}, {m['threads']} of {m['cores']} cores; numpy {m['numpy']} with {m['blas']}, "
        f"torch {m['torch']}; peak {m['gemm_gflops']:.0f} GFLOP/s in float32 matrix products, "
        f"{m['copy_gbytes_per_s']:.0f} GB/s copied"
    )


def as_people_read(table: pd.DataFrame) -> Table:
    """A line a network or layer, batch size and phase; a ratio below 1 is faster than PyTorch eager."""
    others = [name for name in ("torch_compile", "book", "naive") if (table["implementation"] == name).any()]
    shown = Table("", "N", "phase", box=None, header_style="bold")
    columns = ("ours ms", "torch ms", "x torch", "quartiles", "GFLOP/s", "of peak", "MB ours", "MB torch")
    for name in (*columns, *(f"{other} ms" for other in others), "verdict"):
        shown.add_column(name, justify="right")
    keys = ["network", "layer", "batch_size", "phase"]
    for (network, layer, n, phase), rows in table.groupby(keys, sort=False, observed=True):
        by = {row["implementation"]: row for row in rows.to_dict("records")}
        if "ours" not in by:
            continue
        ours, torch = by["ours"], by["torch"]
        shown.add_row(
            f"{network} {layer}".strip(), str(n), str(phase),
            _number(ours["median_ms"]), _number(torch["median_ms"]),
            _number(ours["ratio_to_torch"], 2), _range(ours["ratio_q1"], ours["ratio_q3"]),
            _number(ours["gflops"], 0), _number(100 * ours["gemm_share"], 0, " %"),
            _number(ours["peak_rss_mb"], 0), _number(torch["peak_rss_mb"], 0),
            *(_number(by.get(other, {}).get("median_ms")) for other in others), _verdict(by.values()),
        )  # fmt: skip
    return shown


def _verdict(rows: Iterable[Mapping[Any, Any]]) -> str:
    """ok when every implementation that was checked passed; the names of those that did not."""
    checked = {row["implementation"]: bool(row["ok"]) for row in rows if not pd.isna(row["ok"])}
    wrong = [name for name, ok in checked.items() if not ok]
    return f"[red]FAIL {' '.join(wrong)}[/red]" if wrong else "[green]ok[/green]" if checked else ""


def summary(table: pd.DataFrame) -> list[str]:
    """The steps in one figure: the geometric mean of their ratios, and against the book's style."""
    steps = table[(table["phase"] == "step") & table["median_ms"].notna()]
    mine = steps[steps["implementation"] == "ours"]
    if mine.empty:
        return []
    mean = float(np.exp(np.log(mine["ratio_to_torch"]).mean()))
    lines = [f"a training step takes {mean:.2f} times PyTorch's, geometric mean of {len(mine)}"]
    book = steps[steps["implementation"] == "book"].set_index(["network", "batch_size"])["median_ms"]
    for row in mine.to_dict("records"):
        key = row["network"], row["batch_size"]
        if key in book.index:
            times = float(book.loc[key]) / row["median_ms"]
            lines.append(f"{key[0]} N={key[1]}: {times:.1f} times as fast as the book's style")
    return lines


def exponents(table: pd.DataFrame) -> Table:
    shown = Table("cost against", "of", "phase", "by", box=None, header_style="bold")
    for name in ("exponent", "r2", "sizes"):
        shown.add_column(name, justify="right")
    keys = ["variable", "network", "layer", "phase", "implementation"]
    for (variable, network, layer, phase, by), rows in table.groupby(keys, sort=False):
        first, sizes = rows.iloc[0], ", ".join(map(str, rows["size"]))
        shown.add_row(str(variable), str(network or layer), str(phase), str(by), f"{first['exponent']:.2f}",
                      f"{first['r2']:.3f}", sizes)  # fmt: skip
    return shown


def _number(value: Any, digits: int | None = None, unit: str = "") -> str:
    """Three figures unless `digits` behind the point are asked for; empty where nothing was measured."""
    if value is None or pd.isna(value):
        return ""
    return (
        f"{value:,.{digits}f}" if digits is not None else f"{value:.3g}" if value < 1000 else f"{value:,.0f}"
    ) + unit


def _range(low: Any, high: Any) -> str:
    return "" if pd.isna(low) else f"{low:.2f} - {high:.2f}"
