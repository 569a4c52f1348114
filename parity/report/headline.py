"""The headlines of a report: what matches, by how much, how fast; each a figure and a sentence."""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd

from parity.comparison.gates import LOGIC
from parity.report.findings import Findings
from parity.timing.tables import geometric_mean

Numbers = dict[str, tuple[float, str]]  # figure: (its value, its meaning)


class Headline(NamedTuple):
    """name: the question; figure: the answer in large type; good: None where there is nothing to judge;
    numbers: every number in it, for the table `headlines`."""

    name: str
    figure: str
    sentence: str
    good: bool | None
    table: str  # that the numbers come from
    numbers: Numbers


DISTURBED = "training steps without a ratio, since other processes used the cores"


def headlines(found: Findings) -> list[Headline]:
    """The headlines of the parts that were run."""
    lines = []
    if "accuracy" in found.tables:
        lines += [_matches(found.tables["accuracy"]), _by_how_much(found.tables["accuracy"])]
    if "speed" in found.tables:
        lines.append(_how_fast(found.tables["speed"]))
    if "faults_summary" in found.tables:
        lines.append(_caught(found.tables["faults_summary"]))
    return lines


def headline_table(lines: list[Headline]) -> pd.DataFrame:
    """Their numbers as a table: question, figure, value, meaning."""
    rows = [(h.name, figure, *number) for h in lines for figure, number in h.numbers.items()]
    return pd.DataFrame(rows, columns=["question", "figure", "value", "meaning"])


def _matches(table: pd.DataFrame) -> Headline:
    wrong, networks = int((~table["ok"]).sum()), table.loc[table["network"] != "", "network"].nunique()
    kinds = table.loc[table["network"] == "", "layer"].nunique()
    return Headline(
        "What matches",
        "all match" if not wrong else f"{wrong:,} differ",
        f"{len(table) - wrong:,} of {len(table):,} tensors agree with PyTorch: outputs, losses, gradients "
        f"and training steps of {networks} networks and {kinds} layers, losses and optimizers.",
        not wrong,
        "accuracy",
        {
            "tensors": (len(table), "that were compared"),
            "differing": (wrong, "of these"),
            "networks": (networks, "that were compared"),
            "kinds": (kinds, "layers, losses and optimizers that were compared individually"),
        },
    )


def _by_how_much(table: pd.DataFrame) -> Headline:
    exact = table[(table["dtype"] == "float64") & ~table["exact"]]
    largest = exact["max_rel"].max() if len(exact) else 0.0
    used, bits = table.loc[table["dtype"] == "float32", "margin"].max(), table["exact"].mean()
    return Headline(
        "By how much",
        power(largest),
        "is the largest relative difference in float64 (the limit is 10⁻⁹). In float32 the worst tensor "
        f"uses {used:.0%} of what rounding allows; {bits:.0%} of all tensors have the same bits.",
        bool(table["ok"].all()),
        "accuracy",
        {
            "largest_difference_float64": (largest, "relative to the tensor's largest value"),
            "limit_float64": (LOGIC, "for that difference"),
            "largest_margin_float32": (used, "share of what is allowed that the worst tensor uses"),
            "same_bits": (bits, "share of all tensors"),
        },
    )


def steps(table: pd.DataFrame) -> pd.DataFrame:
    """The timed rows of whole training steps."""
    return table[(table["phase"] == "step") & (table["layer"] == "") & table["median_ms"].notna()]


def _how_fast(table: pd.DataFrame) -> Headline:
    timed = steps(table)[lambda t: t["implementation"] == "ours"]
    mine, threads = timed[timed["ratio_to_torch"].notna()], int(timed["threads"].iloc[0])
    lost = len(timed) - len(mine)
    if mine.empty:
        return Headline(
            "How fast",
            "not known",
            f"No ratio to PyTorch is reported: other processes used the cores during all {lost} training "
            "steps that were timed. Run it again on a quiet machine.",
            None,
            "speed",
            {"timed": (0, "training steps, each a network and batch size"), "disturbed": (lost, DISTURBED)},
        )
    ratios = mine["ratio_to_torch"]
    mean, low, high = geometric_mean(ratios), mine.loc[ratios.idxmin()], mine.loc[ratios.idxmax()]
    faster = int((ratios < 1).sum())
    on = _threads(threads)
    if "cuda" in set(table["device"]):
        on = f"{'one thread' if threads == 1 else f'{threads} threads'} of the CPU, PyTorch on the GPU"
    return Headline(
        "How fast",
        f"{1 / mean:.2f}× as fast",
        f"as PyTorch in a training step on {on}: a step takes {mean:.2f} times as long "
        f"(geometric mean of {len(mine)}), from {_case(low)} to {_case(high)}; "
        f"{faster} of {len(mine)} are faster than PyTorch's."
        + (f" {lost} more were disturbed by other processes and have no ratio." if lost else ""),
        None,
        "speed",
        {
            "mean_speed": (1 / mean, "relative to PyTorch in training steps: 1 / mean_ratio"),
            "mean_ratio": (mean, "geometric mean of the times of training steps, divided by PyTorch's"),
            "lowest_ratio": (low["ratio_to_torch"], f"{low['network']}, {_images(low)}"),
            "highest_ratio": (high["ratio_to_torch"], f"{high['network']}, {_images(high)}"),
            "faster": (faster, "training steps that are faster than PyTorch's"),
            "timed": (len(mine), "training steps, each a network and batch size"),
            "disturbed": (lost, DISTURBED),
            "threads": (threads, "the same for both"),
        },
    )


def _case(row: pd.Series) -> str:
    return f"{row['ratio_to_torch']:.2f} ({row['network']}, {_images(row)})"


def _images(row: pd.Series) -> str:
    return "1 image" if row["batch_size"] == 1 else f"{row['batch_size']} images"


def _threads(count: int) -> str:
    return "one thread each" if count == 1 else f"the same {count} threads"


def _caught(table: pd.DataFrame) -> Headline:
    rows = {row["figure"]: (int(row["count"]), int(row["out_of"])) for row in table.to_dict("records")}
    (killed, bugs), (alarms, compared) = rows["killed"], rows["false_alarms"]
    return Headline(
        "Why believe it",
        f"{killed} of {bugs}",
        f"known bugs were injected and caught; {alarms} false alarms in {compared:,} comparisons "
        "of correct code.",
        killed == bugs and not alarms,
        "faults",
        {
            "bugs": (bugs, "known ones that were injected"),
            "caught": (killed, "of these"),
            "comparisons": (compared, "of correct code"),
            "false_alarms": (alarms, "of these"),
        },
    )


def power(value: float) -> str:
    """1.2e-15 as 1.2·10⁻¹⁵."""
    if value == 0:
        return "0"
    mantissa, exponent = f"{value:.1e}".split("e")
    return f"{mantissa}·10{str(int(exponent)).translate(str.maketrans('-0123456789', '⁻⁰¹²³⁴⁵⁶⁷⁸⁹'))}"
