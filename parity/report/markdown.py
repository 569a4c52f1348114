"""The README.md of a report: the same results as tables that a code host shows, and the files' schema."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from parity.report.findings import Findings
from parity.report.headline import headlines, steps
from parity.report.schema import PARQUET_ONLY, SCHEMAS
from parity.timing.costs import TO_DEVICE, TO_HOST
from parity.timing.tables import count_frame, mark

NAMES = {  # of implementations, in headings
    "ours": "NumPy",
    "torch": "PyTorch",
    "torch_compile": "compiled PyTorch",
    "book": "book's style",
    "naive": "plain loops",
}


def readme(found: Findings, with_page: bool = True) -> str:
    """The content of the file; `with_page` links to the index.html next to it."""
    on = f" on {found.environment['gpu']}" if "gpu" in found.environment else ""
    same = ". [index.html](index.html) shows the same with figures, in one file" if with_page else ""
    parts = [f"# Report{on}", "", f"Generated{same}."]
    parts += ["", f"`{found.environment['command']}`", ""]
    parts += [f"- **{h.name}**: **{h.figure}**{_continued(h.sentence)}" for h in headlines(found)]
    if found.skipped:
        parts += ["", "## Not run", "", *(f"- {text}" for text in found.skipped)]
    for title, table in summaries(found).items():
        parts += ["", f"## {title}", "", markdown(table)]
    parts += ["", "## Made on", "", markdown(environment_table(found))]
    return "\n".join([*parts, "", *_schema(found), ""])


def _continued(sentence: str) -> str:
    """The sentence after its figure: as the rest of the same sentence, or as one of its own."""
    return f"{' ' if sentence[0].islower() else '. '}{sentence}"


def summaries(found: Findings) -> dict[str, pd.DataFrame]:
    """The summary tables by title; the page shows them next to its figures."""
    makers = {
        "accuracy": ("Accuracy", accuracy),
        "speed": ("Speed of a training step", speed),
        "counts": ("Counts, the same in every run", count_frame),
        "faults_summary": ("What the checker catches", checker),
        "explanations": ("Why it is wrong, without the catalogue", explanations),
        "training": ("Training", training),
        "cuda_tests": ("CUDA tests", cuda_tests),
        "cuda_steps": ("What was run", cuda_steps),
    }
    return {title: make(found.tables[name]) for name, (title, make) in makers.items() if name in found.tables}


def explanations(table: pd.DataFrame) -> pd.DataFrame:
    """One row per kind, then linear kinds, the others and all."""
    from parity.explain.leave_one_out import shares

    names = {"kind": "", "by_maps": "without a written-out formula"}
    return shares(table).rename(columns=names)


def accuracy(table: pd.DataFrame) -> pd.DataFrame:
    """One row per network (or all individual layers) and dtype."""
    named = table.assign(what=table["network"].astype(str).replace("", "individual layers"))
    rows: list[dict[str, Any]] = []
    several = table["device"].nunique() > 1  # CUDA, and CUDA with TF32
    for (what, dtype, device), t in named.groupby(["what", "dtype", "device"], observed=True, sort=False):
        worst = t.iloc[int(t["margin"].argmax())]
        names = [str(worst[column]) for column in ("layer", "case", "phase", "tensor")]
        row = {"": what, "dtype": dtype} | ({"device": device} if several else {})
        row |= {"tensors": len(t), "wrong": int((~t["ok"]).sum()), "same bits": int(t["exact"].sum())}
        row |= {"largest difference": f"{t['max_rel'].max():.1e}"}
        row |= {"most of the allowance": percent(float(t["margin"].max()))}
        rows.append(row | {"in": " ".join(filter(None, names))})
    return pd.DataFrame(rows)


def speed(table: pd.DataFrame) -> pd.DataFrame:
    """One row per network and batch size: medians in ms, and the ratio with its 95 % interval."""
    found = steps(table)
    rows: list[dict[str, Any]] = []
    for (network, n), t in found.groupby(["network", "batch_size"], observed=True, sort=False):
        by = t.set_index("implementation")
        row = {"network": network, "images": n}
        row |= {f"{NAMES.get(name, name)}, ms": milliseconds(by.loc[name, "median_ms"]) for name in by.index}
        mine = by.loc["ours"]
        if pd.isna(mine["ratio_to_torch"]):
            row |= {"NumPy / PyTorch": "disturbed", "95 % interval": ""}
        else:
            interval = f"{mine['ratio_low']:.2f} to {mine['ratio_high']:.2f}"
            row |= {"NumPy / PyTorch": f"{mine['ratio_to_torch']:.2f}", "95 % interval": interval}
        row["which is faster"] = {"faster": "NumPy", "slower": "PyTorch"}.get(mark(mine), mark(mine))
        for phase, name in ((TO_DEVICE, "to the GPU, ms"), (TO_HOST, "and back, ms")):
            if phase in (moved := _moved(table, network, n)):
                row[name] = milliseconds(moved[phase])
        row["of peak arithmetic"] = "" if pd.isna(mine["gemm_share"]) else f"{mine['gemm_share']:.0%}"
        row["parity"] = "" if pd.isna(mine["ok"]) else "ok" if mine["ok"] else "FAIL"
        rows.append(row)
    names = list(dict.fromkeys(name for row in rows for name in row))
    names.sort(key=lambda name: 0 if name in ("network", "images") else 1 if name.endswith(", ms") else 2)
    return pd.DataFrame(rows, columns=names).fillna("")


def milliseconds(value: float) -> str:
    """Three digits, without an exponent."""
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def percent(share: float) -> str:
    """Two digits, without an exponent: 54 %, 0.0016 %."""
    return f"{np.format_float_positional(100 * share, 2, fractional=False, trim='-')} %"


def _moved(table: pd.DataFrame, network: object, n: object) -> dict[str, float]:
    """Milliseconds to copy a batch to the device and its scores back, by phase."""
    rows = table[(table["network"] == network) & (table["batch_size"] == n) & (table["layer"] == "")]
    rows = rows[rows["phase"].isin([TO_DEVICE, TO_HOST]) & (rows["implementation"] == "torch")]
    return dict(zip(rows["phase"].astype(str), rows["median_ms"], strict=True))


def checker(table: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "": table["figure"].str.replace("practice: ", "would be noticed by: ").str.replace("_", " "),
            "count": [f"{n:,}" for n in table["count"]],
            "of": [f"{n:,}" for n in table["out_of"]],
        }
    )


def training(table: pd.DataFrame) -> pd.DataFrame:
    """The last epoch of each comparison."""
    last = table.groupby(["network", "dtype"], observed=True, sort=False).tail(1)
    return pd.DataFrame(
        {
            "network": last["network"].astype(str),
            "dtype": last["dtype"].astype(str),
            "epochs": last["epoch"],
            "data": last["data"].astype(str),
            "accuracy NumPy": [f"{v:.2%}" for v in last["test_accuracy"]],
            "accuracy PyTorch": [f"{v:.2%}" for v in last["torch_test_accuracy"]],
            "same answers": [f"{v:.2%}" for v in last["same_predictions"]],
            "images/s NumPy": [f"{v:,.0f}" for v in last["images_per_s"]],
            "images/s PyTorch": [f"{v:,.0f}" for v in last["torch_images_per_s"]],
        }
    )


def cuda_tests(table: pd.DataFrame) -> pd.DataFrame:
    """How many passed, failed and were skipped."""
    counts = table["outcome"].astype(str).value_counts()
    return pd.DataFrame({"outcome": counts.index, "tests": counts.to_numpy()})


def cuda_steps(table: pd.DataFrame) -> pd.DataFrame:
    """Every step with its outcome and seconds."""
    seconds = [f"{value:.1f}" for value in table["seconds"]]
    return pd.DataFrame(
        {
            "step": table["step"],
            "outcome": table["outcome"].astype(str),
            "seconds": seconds,
            "why": table["why"],
        }
    )


def environment_table(found: Findings) -> pd.DataFrame:
    rows = [(key.replace("_", " "), _plain(value)) for key, value in found.environment.items()]
    return pd.DataFrame(rows, columns=["", "value"])


def _plain(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def markdown(table: pd.DataFrame) -> str:
    """A table of texts in Markdown, numbers aligned to the right."""
    right = right_columns(table)
    lines = [_line(table.columns), _line("---:" if c in right else "---" for c in table.columns)]
    return "\n".join([*lines, *(_line(row) for row in table.itertuples(index=False))])


def right_columns(table: pd.DataFrame) -> list[str]:
    """The columns of numbers, which are aligned to the right."""
    return [c for c in table.columns if c != table.columns[0] and _numeric(table[c])]


def _numeric(column: Any) -> bool:
    texts = [str(v) for v in column if str(v)]
    return bool(texts) and all(t[0].isdigit() or t[0] in "-<" for t in texts)


def _line(cells: Iterable[Any]) -> str:
    return "| " + " | ".join(str(c).replace("|", "\\|").replace("\n", " ") for c in cells) + " |"


def _schema(found: Findings) -> list[str]:
    lines = [
        "## The files",
        "",
        'Tidy tables with typed columns, for `pandas.read_parquet("accuracy.parquet")`; the CSV files',
        "hold the same. `environment.json` describes the machine and the versions that they were made with.",
    ]
    for name in found.tables:
        schema = SCHEMAS[name]
        files = f"{name}.parquet" if name in PARQUET_ONLY else f"{name}.csv, {name}.parquet"
        lines += ["", f"### {name}", "", f"{files}: {len(found.tables[name]):,} rows, each {schema.row}.", ""]
        lines += [f"No two rows have the same {_listed(schema.key)}.", ""]
        table = pd.DataFrame(schema.columns, columns=["column", "type", "meaning"])
        table["column"] = [f"`{c}`" for c in table["column"]]
        lines.append(markdown(table))
    return lines


def _listed(names: tuple[str, ...]) -> str:
    """`a`, `b` and `c`."""
    quoted = [f"`{name}`" for name in names]
    return " and ".join([", ".join(quoted[:-1]), quoted[-1]] if len(quoted) > 1 else quoted)
