"""README's figures, from the tables of the committed report.

python3 tools/readme_figures.py            writes them into README.md
python3 tools/readme_figures.py --check    exits with 1 if README.md says something else
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import numpy as np
import pandas as pd

from parity.timing.tables import geometric_mean

ROOT = Path(__file__).resolve().parent.parent
REPORTS = ROOT / "reports"
CHAPTER = (
    *(("simple_conv_net", 100), ("simple_conv_net", 1), ("lenet", 100), ("lenet", 1)),
    *(("alexnet", 32), ("alexnet", 1)),
)
LATER = (("vgg11", 1), ("googlenet", 1), ("resnet18", 1), ("resnet18", 8), ("resnet50", 1))
PRACTICES = {  # the start of a row in README, and the figure's
    "| `assert_close` with its defaults, random cotangent |": "practice: assert_close",
    "| ones as cotangent (`out.sum().backward()`) |": "practice: ones as cotangent",
    "| mean of the difference below 1e-6 |": "practice: mean",
    "| finite differences of one's own forward |": "practice: own",
    "| the sum of the outputs |": "practice: sum loss",
    "| final loss after training |": "practice: final",
}


def written(text: str) -> str:
    """README's text with the figures of reports/."""
    return _speed(_catches(text))


def _put(text: str, start: str, rest: str) -> str:
    """The one line that begins with `start`, with another rest."""
    found, count = re.subn(rf"^{re.escape(start)}.*$", lambda _: start + rest, text, flags=re.M)
    if count != 1:
        raise ValueError(f"README.md has {count} lines that begin with {start!r}, expected one")
    return found


def _catches(text: str) -> str:
    """What the checker catches."""
    summary = pd.read_csv(REPORTS / "faults_summary.csv").set_index("figure")
    conditions = pd.read_csv(REPORTS / "conditions.csv")
    why = pd.read_csv(REPORTS / "explanations.csv")
    dressed = pd.read_csv(REPORTS / "dresses" / "explanations.csv")

    def of(name: str) -> tuple[int, int]:
        [row] = [row for figure, row in summary.iterrows() if str(figure).startswith(name)]
        return int(row["count"]), int(row["out_of"])

    def none(wrong: int) -> str:
        return f"{wrong} wrongly" if wrong else "none wrongly"

    def explained(table: pd.DataFrame) -> list[tuple[int, int]]:
        parts = (table[table["linear"]], table[~table["linear"]])
        return [(int(part["explained"].sum()), len(part)) for part in parts]

    equivalent, total = of("equivalent")
    text = re.sub(r"This injects \d+ known bugs", f"This injects {total} known bugs", text)
    named, out_of = of("named")
    same = f"{equivalent} more cannot be distinguished from correct code and are listed with the reason |"
    text = _put(text, "| killed |", f" {of('killed')[0]} of {of('killed')[1]}; {same}")
    elsewhere = '(bugs outside the catalogue are "unknown": `tests/parity/faults/test_diagnose.py`) |'
    text = _put(text, "| named |", f" {named} of {out_of}, {none(of('misnamed')[0])} {elsewhere}")
    placed, injected = of("injections_placed")
    where = "injections into the layers and the wiring of five networks |"
    text = _put(text, "| placed |", f" {placed:,} of {injected:,} {where}")
    (a, b), (c, d) = explained(why)
    rest = f" {a} of {b} of linear kinds, {c} of {d} of the others, {none(int(why['wrong'].sum()))} |"
    text = _put(text, "| explained without the catalogue |", rest)
    (a, b), (c, d) = explained(dressed)
    rest = (
        f" {a / b:.0%} of {b} and {c / d:.0%} of {d}, {none(int(dressed['wrong'].sum()))}: five conventions, "
        "each found by trial ([table](reports/dresses/README.md)) |"
    )
    text = _put(text, "| the same in other people's clothes |", rest)
    rest = (
        f" {int(conditions['killed'].sum()):,} of {len(conditions):,}: a right layer made wrong for N, C, "
        "FN, a kernel, a stride, a pad, a call or a layout of memory alone |"
    )
    text = _put(text, "| under one condition |", rest)
    alarms, compared = of("false_alarms")
    seeds = int(summary.loc["seeds", "count"])
    rest = f" {alarms} in {compared:,} comparisons of correct code on {seeds:,} seeds |"
    text = _put(text, "| false alarms |", rest)
    for start, figure in PRACTICES.items():
        text = _put(text, start, " {} | {} |".format(*of(figure)))
    return text


def _speed(text: str) -> str:
    """The training steps beside PyTorch's."""
    table = pd.read_csv(REPORTS / "speed.csv")
    steps = table[(table["phase"] == "step") & table["layer"].isna()]
    by = {(r["network"], r["batch_size"], r["implementation"]): r for r in steps.to_dict("records")}

    def cells(name: str, cases: tuple[tuple[str, int], ...]) -> str:
        values = [by[*case, "ours"][name] for case in cases]
        return "".join(" disturbed |" if np.isnan(v) else f" {v:.2f} |" for v in values)

    mean = geometric_mean(pd.Series([by[*case, "ours"]["ratio_to_torch"] for case in CHAPTER]))
    text = re.sub(r"the geometric mean is \d\.\d+:", f"the geometric mean is {mean:.2f}:", text)
    text = _put(text, "| time relative to PyTorch |", cells("ratio_to_torch", CHAPTER))
    text = _put(text, "| time of the networks of section 8.2 |", cells("ratio_to_torch", LATER))
    book, memory = "", ""
    for case in CHAPTER:
        ours, torch = by[*case, "ours"], by[*case, "torch"]
        slow = by.get((*case, "book"), {}).get("median_ms", np.nan)
        book += "  |" if np.isnan(slow) else f" {slow / ours['median_ms']:.1f} |"
        memory += f" {ours['peak_rss_mb']:,.0f} ({torch['peak_rss_mb']:,.0f}) |"
    text = _put(text, "| times as fast as the book's style |", book)
    return _put(text, "| peak memory, MB (PyTorch's) |", memory)


def main(arguments: list[str]) -> int:
    path = ROOT / "README.md"
    before = path.read_text(encoding="utf-8")
    after = written(before)
    if "--check" in arguments:
        if before != after:
            print("README.md does not say what reports/ says; run: python tools/readme_figures.py")
        return int(before != after)
    sys.path[:0] = [str(ROOT)]
    from scratchcnn.files import atomic_write

    with atomic_write(path) as temporary:
        temporary.write_text(after, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
