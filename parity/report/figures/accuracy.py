"""The error of every tensor against its allowance, and how the error drifts from layer to layer."""

from __future__ import annotations

import pandas as pd
from markupsafe import Markup

from parity.comparison.records import CATEGORIES
from parity.report.figures.figure import Figure, panels
from parity.report.figures.lines import Series, line_chart
from parity.report.figures.rows import strip
from parity.report.figures.scales import Scale, around
from parity.report.headline import power
from parity.report.markdown import percent

MARGINS = Scale(1e-9, 10.0, True)
SMALLEST_ERROR = 1e-16  # the least that the drift's axis shows


def figures(table: pd.DataFrame) -> list[Figure]:
    return [allowance(table), drift(table)]


def allowance(table: pd.DataFrame) -> Figure:
    named = table.assign(what=table["network"].astype(str).replace("", "individual layers"))
    rows = []
    several = table["device"].nunique() > 1  # CUDA, and CUDA with TF32
    for (dtype, what, device), t in named.groupby(["dtype", "what", "device"], observed=True, sort=False):
        used = t.loc[~t["exact"], "margin"]
        worst = percent(float(t["margin"].max()))
        name = f"{what} {dtype}{f' {device}' if several else ''}"
        where = {"network": str(t["network"].iloc[0]), "dtype": str(dtype), "device": str(device)}
        rows.append((name, "ours" if t["ok"].all() else "bad", used.tolist(), worst, where))
    exact = int(table["exact"].sum())
    return Figure(
        "Error against allowance",
        f"One tick for each of {len(table) - exact:,} compared tensors: the share of the allowed error that "
        "it uses, on a logarithmic axis; a tick is taller where several coincide. To the right of the line "
        f"at 1 would be a failure. The number on the right is the largest share; the pointer shows what a "
        f"tick stands for. {exact:,} more tensors have the same bits and no tick.",
        strip("Share of the allowed error used, by network and dtype", rows, MARGINS, 1.0, "fails"),
        "accuracy",
        (*CATEGORIES, "margin", "ok", "max_rel", "max_abs", "allowed", "shape", "why"),
        sort="-margin",
        open=True,
        says=_most(table),
    )


def _most(table: pd.DataFrame) -> str:
    failed = int((~table["ok"]).sum())
    if failed:
        return f"{failed:,} of {len(table):,} tensors fail"
    return f"no tensor uses more than {percent(float(table['margin'].max()))}"


def drift(table: pd.DataFrame) -> Figure:
    charts, titles = [], []
    running = table[(table["network"] != "") & table["phase"].isin(["forward", "backward"])]
    running = running[running["device"] == table["device"].iloc[0]]  # without TF32
    scale = _scale(running)
    for name, t in running.groupby("network", observed=True, sort=False):
        charts.append(_drift(str(name), t, scale))
        titles.append(str(name))
    most = running.loc[
        (running["dtype"] == "float64") & running["tensor"].isin(["out", "dx"]), "max_rel"
    ].max()
    return Figure(
        "Drift, layer by layer",
        "Both sides run from the same image; each point is the largest difference of one layer's output (or, "
        "backward, of its dx) from PyTorch's float64, relative to the tensor's largest value. Rounding grows "
        "slowly with depth; a bug would be a cliff. Layers whose result has the same bits have no point.",
        panels(*charts, titles=tuple(titles)),
        "accuracy",
        ("network", "layer", "phase", "tensor", "dtype", "max_rel", "margin"),
        where="phase=forward|backward",
        legend=(("ours", "forward, float32"), ("second", "forward, float64"), ("third", "backward, float64")),
        says=f"at most {power(float(most))} in float64" if pd.notna(most) else "",
    )


def _scale(table: pd.DataFrame) -> Scale:
    return around([SMALLEST_ERROR, *table.loc[table["max_rel"] > 0, "max_rel"].tolist()], log=True)


def _drift(name: str, table: pd.DataFrame, scale: Scale) -> Markup:
    layers = [str(v) for v in dict.fromkeys(table.loc[table["tensor"] == "out", "layer"])]
    series = []
    wanted = [
        ("forward", "float32", "out", "ours"),
        ("forward", "float64", "out", "second"),
        ("backward", "float64", "dx", "third"),
    ]
    for phase, dtype, tensor, css in wanted:
        rows = table[(table["phase"] == phase) & (table["dtype"] == dtype) & (table["tensor"] == tensor)]
        by = dict(zip(rows["layer"].astype(str), rows["max_rel"], strict=True))
        points = [(k, by[layer]) for k, layer in enumerate(layers) if by.get(layer, 0) > 0]
        series.append(Series(f"{phase} {dtype}", [p[0] for p in points], [p[1] for p in points], css, True))
    x = Scale(-0.3, max(len(layers) - 0.7, 0.7))
    title = f"Relative difference from PyTorch after each layer of {name}"
    return line_chart(title, series, "", "relative difference", scale, x, x_names=layers)
