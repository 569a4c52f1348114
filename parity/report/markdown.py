"""reports/README.md: the same figures as tables that read on a code host, and the schema of the files."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pandas as pd

from parity.report.findings import Findings
from parity.report.headline import headlines, steps
from parity.report.schema import LARGE, SCHEMAS
from parity.timing.costs import TO_DEVICE, TO_HOST


def readme(found: Findings, with_page: bool = True) -> str:
    """The whole file; `with_page` where index.html stands beside it."""
    on = f" on {found.environment['gpu']}" if "gpu" in found.environment else ""
    same = "; [index.html](index.html) is the same with pictures, in one file" if with_page else ""
    parts = [f"# Report{on}", "", f"Generated{same}."]
    parts += ["", f"`{found.environment['command']}`", ""]
    parts += [f"- **{h.name}**: **{h.figure}**{_goes_on(h.sentence)}" for h in headlines(found)]
    if found.skipped:
        parts += ["", "## Not run", "", *(f"- {text}" for text in found.skipped)]
    for title, table in summaries(found).items():
        parts += ["", f"## {title}", "", markdown(table)]
    parts += ["", "## Made on", "", markdown(environment_table(found))]
    return "\n".join([*parts, "", *_schema(found), ""])


def _goes_on(sentence: str) -> str:
    """Behind the figure: in the same sentence, or as one of its own."""
    return f"{' ' if sentence[0].islower() else '. '}{sentence}"


def summaries(found: Findings) -> dict[str, pd.DataFrame]:
    """The tables that people read, by title: the page shows them beside its figures."""
    makers = {
        "accuracy": ("Accuracy", accuracy),
        "speed": ("Speed of a training step", speed),
        "faults_summary": ("What the checker catches", checker),
        "training": ("Training", training),
        "cuda_tests": ("CUDA tests", cuda_tests),
        "cuda_steps": ("What was run", cuda_steps),
    }
    return {title: make(found.tables[name]) for name, (title, make) in makers.items() if name in found.tables}


def accuracy(table: pd.DataFrame) -> pd.DataFrame:
    """A row a network (or all layers by themselves) and dtype."""
    named = table.assign(what=table["network"].astype(str).replace("", "layers by themselves"))
    rows = []
    several = table["device"].nunique() > 1  # CUDA, and CUDA with TF32
    for (what, dtype, device), t in named.groupby(["what", "dtype", "device"], observed=True, sort=False):
        worst = t.iloc[int(t["margin"].argmax())]
        place = " ".join(
            filter(None, map(str, [worst["layer"], worst["case"], worst["phase"], worst["tensor"]]))
        )
        rows.append(
            {
                "": what, "dtype": dtype, **({"device": device} if several else {}),
                "tensors": len(t), "wrong": int((~t["ok"]).sum()),
                "same bits": int(t["exact"].sum()), "largest max_rel": f"{t['max_rel'].max():.1e}",
                "of what is allowed": f"{t['margin'].max():.2g}", "worst": place,
            }
        )  # fmt: skip
    return pd.DataFrame(rows)


def speed(table: pd.DataFrame) -> pd.DataFrame:
    """A row a network and batch size: medians in ms, and the ratio with its quartiles."""
    found = steps(table)
    rows = []
    for (network, n), t in found.groupby(["network", "batch_size"], observed=True, sort=False):
        by = t.set_index("implementation")
        row = {"network": network, "images": n}
        row |= {f"{name} ms": f"{by.loc[name, 'median_ms']:.3g}" for name in by.index}
        mine = by.loc["ours"]
        quartiles = f"{mine['ratio_q1']:.2f} to {mine['ratio_q3']:.2f}"
        row |= {"× torch": f"{mine['ratio_to_torch']:.2f}", "quartiles": quartiles}
        for phase, name in ((TO_DEVICE, "to the GPU ms"), (TO_HOST, "and back ms")):
            if phase in (moved := _moved(table, network, n)):
                row[name] = f"{moved[phase]:.3g}"
        row["of peak"] = "" if pd.isna(mine["gemm_share"]) else f"{mine['gemm_share']:.0%}"
        row["parity"] = "" if pd.isna(mine["ok"]) else "ok" if mine["ok"] else "FAIL"
        rows.append(row)
    names = list(dict.fromkeys(name for row in rows for name in row))
    names.sort(key=lambda name: 0 if name in ("network", "images") else 1 if name.endswith(" ms") else 2)
    return pd.DataFrame(rows, columns=names).fillna("")


def _moved(table: pd.DataFrame, network: object, n: object) -> dict[str, float]:
    """Milliseconds of a batch's way to the device and of its scores' way back, by phase."""
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
            "network": last["network"].astype(str), "dtype": last["dtype"].astype(str),
            "epochs": last["epoch"], "data": last["data"].astype(str),
            "accuracy NumPy": [f"{v:.2%}" for v in last["test_accuracy"]],
            "accuracy PyTorch": [f"{v:.2%}" for v in last["torch_test_accuracy"]],
            "same answers": [f"{v:.2%}" for v in last["same_predictions"]],
            "images/s NumPy": [f"{v:,.0f}" for v in last["images_per_s"]],
            "images/s PyTorch": [f"{v:,.0f}" for v in last["torch_images_per_s"]],
        }
    )  # fmt: skip


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
    """A table of texts; numbers to the right."""
    right = right_columns(table)
    lines = [_line(table.columns), _line("---:" if c in right else "---" for c in table.columns)]
    return "\n".join([*lines, *(_line(row) for row in table.itertuples(index=False))])


def right_columns(table: pd.DataFrame) -> list[str]:
    """The columns of numbers, which stand to the right."""
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
        'Tidy tables with typed columns: `pandas.read_parquet("accuracy.parquet")` is all it takes;',
        "the CSV files say the same. `environment.json` says what they were made on.",
    ]
    for name in found.tables:
        schema = SCHEMAS[name]
        files = f"{name}.parquet" if name in LARGE else f"{name}.csv, {name}.parquet"
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
