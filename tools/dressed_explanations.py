"""How many known bugs are explained in the clothes of other people's code: reports/dresses/.

python3 tools/dressed_explanations.py          all dresses; some minutes on two cores

Each fault that changes numbers is put into each dress of tests/dresses.py, how the dress is called is found
by trial, and what it gives is explained without the catalogue (parity/explain/leave_one_out.py).
"""

from __future__ import annotations

import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]
OUT = ROOT / "reports" / "dresses"
TEXT = """# Known bugs in other people's clothes, explained without the catalogue

Each known bug that changes the numbers of a call, in the conventions of other people's code
([tests/dresses.py](../../tests/dresses.py)): constructors and weights as in PyTorch; channels last; one image
at a time; gradient descent inside backward; a small autograd engine. How each is called was found by trial.
*Explained* are those for which sentences account for every wrong number, on fresh inputs too; *wrong* are
sentences that fail on further inputs. A bug that changes no number in a dress (one that needs a second image,
say, where there is one at a time) is not counted there. explanations.csv has every sentence.

{table}

{figure}

Written by `tools/dressed_explanations.py`.
"""


def rows_of(dress: str, kind: str) -> list[dict[str, Any]]:
    """A row for each fault of a kind that shows in a dress."""
    from dresses import DRESSES

    from parity.explain.leave_one_out import shown_in_values
    from parity.faults import FAULTS

    put_on, _ = DRESSES[dress]
    faults = [fault for fault in FAULTS.values() if fault.kind == kind and shown_in_values(fault)]
    found = [explained(put_on(fault.make, kind), fault) for fault in faults]
    return [{"dress": dress, **row} for row in found if row]


def explained(dressed: Any, fault: Any) -> dict[str, Any]:
    """The row of a dressed fault; empty where none of its numbers is wrong."""
    from parity.adapters.subject import subject_here
    from parity.explain.explanation import asker
    from parity.explain.leave_one_out import explained_numbers, row_of
    from parity.explain.search import reference, same
    from parity.faults.diagnose import lasting_probes

    with np.errstate(all="ignore"):
        subject = subject_here(dressed, fault.kind, "auto")
        if subject.misfit:
            return {}
        ask = asker(subject)
        seen = [(p, values) for p in lasting_probes(fault.kind, 0) if (values := ask(p))]
        if all(same(array, reference(p).get(n)) for p, values in seen for n, array in values.items()):
            return {}
        return row_of(fault, *explained_numbers(seen, ask))


def shares(table: pd.DataFrame) -> pd.DataFrame:
    """A row per dress, linear kinds and the others apart."""
    groups = table.groupby(["dress", "linear"], sort=False)
    return groups.agg(
        bugs=("fault", "size"), explained=("explained", "sum"), wrong=("wrong", "sum")
    ).reset_index()


def figure(table: pd.DataFrame) -> str:
    """The closing sentence."""
    parts = [
        (name, table[table["linear"] == linear])
        for name, linear in (("linear kinds", True), ("other kinds", False))
    ]
    said = [f"{part['explained'].mean():.0%} of {len(part)} in {name}" for name, part in parts]
    return f"In all {' and '.join(said)} are explained, {table['wrong'].sum()} wrongly."


def write(table: pd.DataFrame) -> None:
    from parity.comparison.tables import write_tables
    from scratchcnn.files import atomic_write

    OUT.mkdir(parents=True, exist_ok=True)
    write_tables(OUT, {"explanations": table})
    lines = [
        "| dress | kinds | bugs that show | explained | share | wrong |",
        "|---|---|---:|---:|---:|---:|",
    ]
    for row in shares(table).itertuples():
        kinds = "linear" if row.linear else "others"
        share = row.explained / row.bugs
        lines.append(f"| {row.dress} | {kinds} | {row.bugs} | {row.explained} | {share:.0%} | {row.wrong} |")
    with atomic_write(OUT / "README.md") as temporary:
        temporary.write_text(TEXT.format(table="\n".join(lines), figure=figure(table)), encoding="utf-8")


def main() -> None:
    from dresses import DRESSES

    worn = [(name, kind) for name, (_, kinds) in DRESSES.items() for kind in kinds]
    rows = []
    with ProcessPoolExecutor(2) as pool:
        for (name, kind), found in zip(worn, pool.map(rows_of, *zip(*worn, strict=True)), strict=True):
            rows += found
            print(f"{name} {kind}: {sum(row['explained'] for row in found)} of {len(found)}", flush=True)
    table = pd.DataFrame(rows)
    write(table)
    print(figure(table))


if __name__ == "__main__":
    main()
