"""The kill matrix: the known bugs that the checker catches, and those that usual ways of checking would."""

from __future__ import annotations

import pandas as pd
from markupsafe import Markup, escape

from parity.faults.common_practices import PRACTICES
from parity.faults.fault import OF_NETWORKS
from parity.report.figures.figure import Figure
from parity.report.figures.rows import Bar, bars
from parity.report.figures.scales import Scale

IN_LAYER = "in a layer"
FAMILIES = (IN_LAYER, *OF_NETWORKS)  # of places in a network

TITLES = {  # of columns, and of the usual ways of checking
    "killed": "parity: caught",
    "named": "parity: named",
    "sum_loss": "gradients of the sum of the outputs",
    "ones_as_cotangent": "ones as cotangent",
    "assert_close": "torch.testing.assert_close",
    "mean_difference": "mean of the difference < 1e-6",
    "own_differences": "finite differences of one's own forward",
    "final_loss": "the loss after training",
}


def figures(
    faults: pd.DataFrame, summary: pd.DataFrame, injections: pd.DataFrame | None = None
) -> list[Figure]:
    found = [compared(summary), matrix(faults)]
    return found if injections is None else [*found, injected(injections)]


def compared(summary: pd.DataFrame) -> Figure:
    rows = []
    for row in summary.to_dict("records"):
        name = str(row["figure"])
        if name == "killed" or name.startswith("practice: "):
            share = row["count"] / max(1, row["out_of"])
            shown = (
                "parity" if name == "killed" else _title(name.removeprefix("practice: ").replace(" ", "_"))
            )
            css = "ours" if name == "killed" else "plain"
            rows.append(Bar(shown, share, f"{row['count']} of {row['out_of']}", css))
    return Figure(
        "Known bugs noticed",
        "The same bugs, checked in the usual ways: each bar is the share of bugs that this way of checking "
        "would have noticed, out of those to which it applies.",
        bars("Share of the known bugs noticed, by way of checking", rows, Scale(0, 1), 0.0),
        "faults_summary",
    )


def matrix(faults: pd.DataFrame) -> Figure:
    living = faults[faults["equivalent"] == ""]
    columns = ["killed", "named", *(p.replace(" ", "_") for p in PRACTICES)]
    columns = [c for c in columns if c in living]
    head = "".join(f'<th scope="col"><span>{escape(_title(c))}</span></th>' for c in columns)
    body = []
    for kind, t in living.groupby("kind", observed=True, sort=True):
        cells = "".join(_cell(t[c]) for c in columns)
        body.append(f'<tr><th scope="row">{escape(str(kind).replace("_", " "))}</th>{cells}</tr>')
    return Figure(
        "Kill matrix",
        f"{len(living)} known bugs by the layer that they break: how many parity catches, how many it also "
        "names correctly, and how many each usual way of checking would have caught. A stronger colour means "
        "more; a dash means that the way does not apply. The table has one row per bug.",
        Markup(
            f'<div class="scroll"><table class="heat"><thead><tr><td></td>{head}</tr></thead>'
            f"<tbody>{''.join(body)}</tbody></table></div>"
        ),
        "faults",
        (
            "fault",
            "kind",
            "killed_by",
            "case",
            "tensor",
            "max_rel",
            "named",
            *columns[2:],
            "story",
            "equivalent",
        ),
    )


def injected(injections: pd.DataFrame) -> Figure:
    """Bugs injected into one place of a network: one row per network, one column per family of places."""
    titles = [f"{family}: {result}" for family in FAMILIES for result in ("caught", "placed")]
    head = "".join(f'<th scope="col"><span>{escape(title)}</span></th>' for title in titles)
    body = []
    for (network, mode), t in injections.groupby(["network", "mode"], observed=True, sort=False):
        cells = "".join(_cell(_of(family, t)[c]) for family in FAMILIES for c in ("caught", "right"))
        name = f"{network}{'' if mode == 'training' else f', {mode}'}"
        body.append(f'<tr><th scope="row">{escape(name)}</th>{cells}</tr>')
    return Figure(
        "In whole networks",
        f"{len(injections):,} times, one bug is injected into one place of a network: into a layer, between "
        "its weights and PyTorch's, into the wiring, or into the fast implementations. The columns count how "
        "often the checker fails (caught) and how often it names the right place (placed).",
        Markup(
            f'<div class="scroll"><table class="heat"><thead><tr><td></td>{head}</tr></thead>'
            f"<tbody>{''.join(body)}</tbody></table></div>"
        ),
        "injections",
    )


def _of(family: str, injections: pd.DataFrame) -> pd.DataFrame:
    """The injections of one family of places."""
    return injections[injections["layer"] != "" if family == IN_LAYER else injections["family"] == family]


def _title(column: str) -> str:
    return TITLES.get(column, column.replace("_", " "))


def _cell(column: pd.Series) -> str:
    known = column.dropna()
    if known.empty:
        return '<td class="none">–</td>'
    count, total = int(known.sum()), len(known)
    level = round(100 * count / total)
    return f'<td class="{"deep" if level > 55 else ""}" style="--level:{level}%">{count}/<wbr>{total}</td>'
