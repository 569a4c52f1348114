"""The kill matrix: which known bugs the checker catches, and which the usual ways of checking would."""

from __future__ import annotations

import pandas as pd
from markupsafe import Markup, escape

from parity.faults.common_practices import PRACTICES
from parity.report.figures.figure import Figure
from parity.report.figures.rows import Bar, bars
from parity.report.figures.scales import Scale


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
            shown = "parity" if name == "killed" else name.removeprefix("practice: ")
            rows.append(
                Bar(
                    shown,
                    share,
                    f"{row['count']} of {row['out_of']}",
                    "ours" if name == "killed" else "plain",
                )
            )
    return Figure(
        "Known bugs noticed",
        "The same bugs, checked in the usual ways: each bar is the share that this way of checking "
        "would have noticed, "
        "of those bugs that it can look at at all.",
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
        f"{len(living)} known bugs by the layer that they break: how many of them parity catches, how "
        "many it also names "
        "rightly, and how many each usual way of checking would have caught. The stronger the "
        "colour, the more; a dash means that the way has nothing to say there. The table has a row a bug.",
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
    """Bugs put into one place of a network: a row a network, a column a family of places."""
    families = [("in a layer", lambda t: t["layer"] != ""), *(
        (name, lambda t, name=name: t["family"] == name) for name in ("weights", "wiring"))]  # fmt: skip
    head = "".join(f'<th scope="col"><span>{escape(name)}: {what}</span></th>'
                   for name, _ in families for what in ("caught", "placed"))  # fmt: skip
    body = []
    for (network, mode), t in injections.groupby(["network", "mode"], observed=True, sort=False):
        cells = "".join(_cell(t[where(t)][c]) for _, where in families for c in ("caught", "right"))
        name = f"{network}{'' if mode == 'training' else f', {mode}'}"
        body.append(f'<tr><th scope="row">{escape(name)}</th>{cells}</tr>')
    return Figure(
        "In whole networks",
        f"{len(injections):,} times one bug is put into one place of a network: into a layer, between its "
        "weights and PyTorch's, or into the wiring. How often the checker fails (caught) and names that very "
        "place (placed).",
        Markup(
            f'<div class="scroll"><table class="heat"><thead><tr><td></td>{head}</tr></thead>'
            f"<tbody>{''.join(body)}</tbody></table></div>"
        ),
        "injections",
    )


def _title(column: str) -> str:
    return {"killed": "parity: caught", "named": "parity: named"}.get(column, column.replace("_", " "))


def _cell(column: pd.Series) -> str:
    said = column.dropna()
    if said.empty:
        return '<td class="none">–</td>'
    count, total = int(said.sum()), len(said)
    level = round(100 * count / total)
    return f'<td class="{"deep" if level > 55 else ""}" style="--level:{level}%">{count}/{total}</td>'
