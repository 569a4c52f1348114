"""What a newcomer reads first: what matches, by how much, how fast; a figure and a sentence each."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from parity.report.findings import Findings


class Headline(NamedTuple):
    """name: which of the questions; figure: what stands large; good: None where there is nothing to judge."""

    name: str
    figure: str
    sentence: str
    good: bool | None
    table: str  # where the numbers are


def headlines(found: Findings) -> list[Headline]:
    """Those that the parts which were run can answer."""
    lines = []
    if "accuracy" in found.tables:
        lines += [_matches(found.tables["accuracy"]), _by_how_much(found.tables["accuracy"])]
    if "speed" in found.tables:
        lines.append(_how_fast(found.tables["speed"]))
    if "faults_summary" in found.tables:
        lines.append(_caught(found.tables["faults_summary"]))
    return lines


def _matches(table: pd.DataFrame) -> Headline:
    wrong, networks = int((~table["ok"]).sum()), [n for n in table["network"].cat.categories if n]
    kinds = table.loc[table["network"] == "", "layer"].nunique()
    figure = "all match" if not wrong else f"{wrong:,} differ"
    return Headline(
        "What matches",
        figure,
        f"{len(table) - wrong:,} of {len(table):,} tensors agree with PyTorch: outputs, losses, "
        "gradients and "
        f"training steps of {len(networks)} networks and {kinds} layers, losses and optimizers.",
        not wrong,
        "accuracy",
    )


def _by_how_much(table: pd.DataFrame) -> Headline:
    exact = table[(table["dtype"] == "float64") & ~table["exact"]]
    worst = exact.iloc[int(exact["max_rel"].argmax())] if len(exact) else None
    single = table[table["dtype"] == "float32"]
    used = single["margin"].max() if len(single) else float("nan")
    bits = table["exact"].mean()
    figure = power(worst["max_rel"]) if worst is not None else "0"
    return Headline(
        "By how much",
        figure,
        "is the largest relative difference in float64 (the limit is 10⁻⁹). In float32 the worst "
        "tensor uses "
        f"{used:.0%} of what rounding allows; {bits:.0%} of all tensors are the same bits.",
        bool(table["ok"].all()),
        "accuracy",
    )


def steps(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of whole training steps that were timed."""
    return table[(table["phase"] == "step") & (table["layer"] == "") & table["median_ms"].notna()]


def geometric_mean(ratios: pd.Series) -> float:
    return float(np.exp(np.log(ratios).mean()))


def _how_fast(table: pd.DataFrame) -> Headline:
    mine = steps(table)[lambda t: t["implementation"] == "ours"]
    mean = geometric_mean(mine["ratio_to_torch"])
    low, high = mine.loc[mine["ratio_to_torch"].idxmin()], mine.loc[mine["ratio_to_torch"].idxmax()]
    faster = int((mine["ratio_to_torch"] < 1).sum())
    return Headline(
        "How fast",
        f"{mean:.2f}×",
        f"PyTorch's time for a training step on the same {int(mine['threads'].iloc[0])} threads "
        "(geometric mean; "
        f"below 1 is faster): from {low['ratio_to_torch']:.2f} ({low['network']}, {low['batch_size']} "
        "images) to "
        f"{high['ratio_to_torch']:.2f} ({high['network']}, {high['batch_size']}); faster in {faster} "
        f"of {len(mine)}.",
        None,
        "speed",
    )


def _caught(table: pd.DataFrame) -> Headline:
    rows = table.set_index("figure")
    killed, alarms = rows.loc["killed"], rows.loc["false_alarms"]
    return Headline(
        "Why believe it",
        f"{killed['count']} of {killed['out_of']}",
        f"known bugs were put in and caught; {alarms['count']} false alarms in {alarms['out_of']:,} "
        "comparisons of "
        "correct code.",
        bool(killed["count"] == killed["out_of"] and not alarms["count"]),
        "faults",
    )


def power(value: float) -> str:
    """1.2e-15 as 1.2·10⁻¹⁵."""
    if value == 0:
        return "0"
    mantissa, exponent = f"{value:.1e}".split("e")
    return f"{mantissa}·10{str(int(exponent)).translate(str.maketrans('-0123456789', '⁻⁰¹²³⁴⁵⁶⁷⁸⁹'))}"
