"""`parity audit` on common styles of tests, before and after the suggested test: reports/audit/.

python3 tools/audit_report.py                   all eight; some ten minutes on two cores
python3 tools/audit_report.py --public TABLE    enters a table that `parity audit --out` wrote of public files

Public test files are kept out of the repository: fetch them, audit each with `--out FOLDER`, and write in
the column `tests` where each is from.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

import pandas as pd

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]
OUT = ROOT / "reports" / "audit"
MOST = 12  # changes of the source
TEXT = """# Would these tests have noticed?

Known bugs of its kind were put into each layer, with small changes of its source (up to 40 in the public
files, up to {most} in the common styles), and the layer's own tests ran on each. *Rate before* is the share
that they noticed of all that shows on some input that the class takes; *rate after* is the share with the one
test that `parity audit` suggests.

## Test files of public repositories

Tests of NumPy layers as their authors wrote them, which are not kept here. The median is {public[before]:.0%}
before and {public[after]:.0%} after. CuPy was replaced by NumPy, `Relu` is the book's, and two helpers of
pooling that the stored copies lack were written again. `MaxPool2d` takes a `pad` and ignores it, so that
most bugs cannot be put beside it.

{public_table}

## Common styles

Layers with tests in styles that are common ([tests/audit_samples.py](../../tests/audit_samples.py)). The
median is {styles[before]:.0%} before and {styles[after]:.0%} after.

{table}

Written by `tools/audit_report.py`.
"""


def write(name: str, table: pd.DataFrame) -> None:
    """The table under this name, and the page of both."""
    from parity.comparison.tables import write_tables
    from scratchcnn.files import atomic_write

    write_tables(OUT, {name: table})
    styles, public = (pd.read_parquet(OUT / f"{name}.parquet") for name in ("audit", "public"))
    medians = {"styles": styles.median(numeric_only=True), "public": public.median(numeric_only=True)}
    text = TEXT.format(most=MOST, table=_lines(styles), public_table=_lines(public), **medians)
    with atomic_write(OUT / "README.md") as temporary:
        temporary.write_text(text, encoding="utf-8")


def _lines(table: pd.DataFrame) -> str:
    lines = [
        "| tests | kind | noticed | unnoticed | change nothing | not put in | rate before | rate after |",
        "|---|---|---:|---:|---:|---:|---:|---:|",
    ]
    for row in table.to_dict("records"):
        numbers = [str(row[name]) for name in ("killed", "survived", "equivalent", "not_applied")]
        rates = [f"{row[name]:.0%}" for name in ("before", "after")]
        lines.append(f"| {' | '.join([row['tests'], row['kind'], *numbers, *rates])} |")
    return "\n".join(lines)


def main() -> None:
    from audit_samples import SAMPLES
    from audit_samples import write as write_sample

    from parity.audit.audit import audit

    OUT.mkdir(parents=True, exist_ok=True)
    if sys.argv[1:2] == ["--public"]:
        write("public", pd.read_parquet(sys.argv[2]))
        return
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        for number, name in enumerate(SAMPLES):
            tests, target, kind = write_sample(Path(folder) / str(number), name)
            rows.append(audit(tests, target, kind, most=MOST).row(name))
            print(rows[-1], flush=True)
    write("audit", pd.DataFrame(rows))


if __name__ == "__main__":
    main()
