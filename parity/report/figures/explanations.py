"""Why it is wrong, without the catalogue: how many bugs are explained, and which number met which."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup

from parity.adapters.subject import subject_here
from parity.explain import leave_one_out as unaided
from parity.explain.explanation import asker
from parity.explain.search import reference
from parity.explain.wiring import KINDS, Wiring, wiring
from parity.faults import FAULTS, Fault
from parity.faults.diagnose import BOOK, lasting_probes
from parity.report.figures.figure import Figure
from parity.report.figures.rows import Bar, bars
from parity.report.figures.scales import Scale

DRAWN = 4  # bugs per kind


def figures(table: pd.DataFrame) -> list[Figure]:
    pictures = list(drawn(table))
    return [shares(table), *([wirings(pictures)] if pictures else [])]


def shares(table: pd.DataFrame) -> Figure:
    """A bar per kind: the share of its bugs that sentences account for."""
    rows = [
        Bar(str(row["kind"]), row["explained"] / row["faults"], f"{row['explained']} of {row['faults']}")
        for row in unaided.shares(table).to_dict("records")
        if row["kind"] not in ("linear", "others", "all")
    ]
    rows.sort(key=lambda row: (-row.value, row.name))
    return Figure(
        f"{table['explained'].sum()} of {len(table)} known bugs are explained without the catalogue",
        "Each bug stands for one that nobody catalogued: the search reads the wrong numbers and looks for a "
        "sentence that gives all of them, exactly, on fresh inputs too. "
        f"{int(table['wrong'].sum())} sentences are wrong.",
        bars("Share of the known bugs explained without the catalogue, by kind", rows, Scale(0, 1), 0.0),
        "explanations",
    )


def wirings(pictures: list[tuple[str, str, Wiring]]) -> Figure:
    """Pictures of the first wrong entry, folded by kind."""
    body = []
    for number, kind in enumerate(dict.fromkeys(kind for kind, _, _ in pictures)):
        shown = Markup("").join(_picture(fault, met) for of, fault, met in pictures if of == kind)
        body.append(
            Markup('<details class="wiring"{}><summary>{}</summary>{}</details>').format(
                Markup("" if number else " open"), kind.replace("_", " "), shown
            )
        )
    return Figure(
        "Which number met which",
        "A linear map can be read off: unit vectors for the input, whole numbers for the weights. For the "
        "first wrong entry of a result, the cells that met there in PyTorch and in the wrong code; up to "
        f"{DRAWN} bugs per kind. parity verify --html draws the same for anybody's code.",
        Markup("").join(body),
    )


def drawn(table: pd.DataFrame) -> Iterator[tuple[str, str, Wiring]]:
    """(kind, fault, which number met which) of explained bugs of linear kinds, up to DRAWN per kind."""
    explained = table[table["explained"] & ~table["wrong"]]
    for kind in KINDS:
        left = DRAWN
        for name in explained["fault"][explained["kind"] == kind]:
            found = first_wiring(FAULTS[name]) if left and name in FAULTS else None
            if found is not None:
                left -= 1
                yield kind, str(name), found


def first_wiring(fault: Fault, seed: int = 0) -> Wiring | None:
    """Which number met which in a wrong entry of the bug, on the smallest input that shows one."""
    with np.errstate(all="ignore"):
        ask = asker(subject_here(fault.make, fault.kind, BOOK))
        for probe in sorted(lasting_probes(fault.kind, seed), key=_size):
            found = ask(probe)
            for name, right in reference(probe).items():
                if not _same(found.get(name), right) and (met := wiring(name, probe, ask)) is not None:
                    return met
    return None


def _size(probe: Any) -> int:
    return sum(array.size for array in probe.inputs.values())


def _same(ours: Any, right: Any) -> bool:
    return np.shape(ours) == np.shape(right) and bool(np.allclose(ours, right, rtol=1e-9, atol=1e-12))


def _picture(fault: str, met: Wiring) -> Markup:
    data = base64.b64encode(met.svg().encode()).decode()
    return Markup(
        '<h4>{}</h4><div class="scroll"><img src="data:image/svg+xml;base64,{}" alt="{}"></div>'
    ).format(fault, data, met.sentence)
