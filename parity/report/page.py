"""The index.html of a report: everything in one self-contained file."""

from __future__ import annotations

import json
import math
from importlib.resources import files
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from parity.report.demos import demos
from parity.report.figures.figure import Figure
from parity.report.findings import Findings
from parity.report.headline import headlines
from parity.report.markdown import environment_table, right_columns, summaries
from parity.report.schema import BOOL, CATEGORY, FLOAT, MAYBE, SCHEMAS


class Section(NamedTuple):
    id: str
    title: str
    text: str
    summary: pd.DataFrame | None
    figures: list[Figure]


def templates_of(package: str) -> Environment:
    """The templates of a package: text is escaped, and a name that is missing is an error."""
    return Environment(
        loader=PackageLoader(package),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def page(found: Findings, audited: pd.DataFrame | None = None) -> str:
    """The page as text. `audited` has a row per test file that `parity audit` judged."""
    from parity.report.sidebyside import side_by_side  # imports PyTorch, which a sweep's page does without

    env = templates_of("parity.report")
    return env.get_template("page.html.j2").render(
        found=found,
        verdict=verdict(found),
        headlines=headlines(found),
        sections=sections(found) + ([] if audited is None else [audit_section(audited)]),
        demos=demos(),
        entries=side_by_side(),
        environment=environment_table(found).to_dict("split")["data"],
        right=right_columns,
        schemas={name: SCHEMAS[name] for name in found.tables},
        data=Markup(embedded(found.tables)),
        style=Markup(asset("style.css")),
        script=Markup(asset("page.js")),
    )


def asset(name: str) -> str:
    return (files("parity.report") / "templates" / name).read_text(encoding="utf-8")


def verdict(found: Findings) -> tuple[str, str]:
    """(CSS class, sentence)."""
    failed = [f"{part}: {text}" for part, texts in found.failures.items() for text in texts]
    if failed:
        return "bad", f"{len(failed)} failed. The first: {failed[0]}"
    if found.interrupted:
        return "open", f"Interrupted during {found.interrupted}; without {'; '.join(found.left)}."
    if found.skipped:
        return (
            "open",
            f"All that was compared matches; {len(found.skipped)} not run. First: {found.skipped[0]}",
        )
    if "accuracy" in found.parts:
        return "good", "NumPy and PyTorch are the same functions on everything that was compared."
    return "open", f"Nothing was compared in this run; it holds {', '.join(found.parts)}."


def sections(found: Findings) -> list[Section]:
    from parity.report.figures import accuracy, faults, speed, training

    tables, short = found.tables, summaries(found)
    out = []
    if "accuracy" in tables:
        text = (
            "In float64 a tensor passes if it is within 1e-9 of its scale: this is what catches bugs. In "
            "float32 both sides are compared with the float64 result, and ours may be off by a small "
            "multiple of PyTorch's own rounding. A difference is relative to the largest value of its "
            "tensor. In float32 that may be much where the tensor is itself the small difference of large "
            "numbers; how much of the allowance was used is what counts. Of the names, v, m and h are the "
            "state of an optimizer; dx, dW and db are gradients."
        )
        out.append(
            Section("accuracy", "What matches", text, short["Accuracy"], accuracy.figures(tables["accuracy"]))
        )
    if "speed" in tables:
        text = (
            "Times are medians; both frameworks take turns on the same number of threads, so that drift "
            "affects both. A ratio is the median of the rounds' ratios, and stands beside its 95 % interval "
            "(by bootstrap). Rounds during which other processes used the cores are left out of it; where "
            "fewer than three are left, a median is more than 2.5 times its own best, or a rate beyond the "
            "machine's peak, there is no ratio."
        )
        made = speed.figures(tables["speed"], tables.get("scaling"), tables.get("counts"))
        out.append(Section("speed", "How fast", text, short["Speed of a training step"], made))
    if {"faults", "faults_summary"} <= tables.keys():
        text = (
            "A checker that never fails proves nothing. So bugs that people really write are injected, "
            "one by one."
        )
        made = faults.figures(tables["faults"], tables["faults_summary"], tables.get("injections"))
        if "explanations" in tables:
            from parity.report.figures import explanations  # asks PyTorch, to draw

            made += explanations.figures(tables["explanations"])
        out.append(Section("faults", "What a pass means", text, None, made))
    if {"training", "training_steps", "predictions"} <= tables.keys():
        text = (
            "Both frameworks start from the same weights and see the same batches. They use Adam, with a "
            "learning rate that falls to 0."
        )
        made = training.figures(
            tables["training"], tables["training_steps"], tables["predictions"], found.pictures
        )
        out.append(Section("training", "Trained side by side", text, short["Training"], made))
    return out


def audit_section(table: pd.DataFrame) -> Section:
    """Would these tests have noticed: what `parity audit` found."""
    from parity.report.figures import audit

    text = (
        "Tests can pass on a wrong layer too. The known bugs of its kind were put into each of these layers, "
        "with small changes of its source, and the layer's own tests ran on each."
    )
    return Section("audit", "Audit", text, audit.summary(table), audit.figures(table))


def embedded(tables: dict[str, pd.DataFrame]) -> str:
    """The tables as JSON by columns: categories and booleans as numbers, floats with four digits."""
    out = {}
    for name, table in tables.items():
        columns = []
        for column in SCHEMAS[name].columns:
            values, extra = _encoded(table[column.name], column.type)
            columns.append(
                {"name": column.name, "type": column.type, "title": column.meaning, "values": values, **extra}
            )
        out[name] = {"rows": len(table), "columns": columns}
    return json.dumps(out, separators=(",", ":"), allow_nan=False).replace("</", "<\\/")


def _encoded(column: pd.Series, kind: str) -> tuple[list[Any], dict[str, Any]]:
    if kind == CATEGORY:
        return column.cat.codes.tolist(), {"names": [str(c) for c in column.cat.categories]}
    if kind in (BOOL, MAYBE):
        return [None if pd.isna(v) else int(v) for v in column], {}
    if kind == FLOAT:
        return [_number(v) for v in column], {}
    return column.tolist(), {}


def _number(value: float) -> float | None:
    if not math.isfinite(value):
        return None
    return float(np.format_float_scientific(value, precision=3)) if value else 0
