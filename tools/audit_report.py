"""`parity audit` on common styles of tests, before and after the suggested test: reports/audit/.

python3 tools/audit_report.py              all eight; some ten minutes on two cores
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

Layers with tests in styles that are common ([tests/audit_samples.py](../../tests/audit_samples.py)). The
known bugs of its kind were put into each layer, with up to {most} small changes of its source, and the
layer's own tests ran on each. *Rate before* is the share that they noticed of all that shows on some input
that the class takes; *rate after* is the share with the one test that `parity audit` suggests.

The median is {before:.0%} before and {after:.0%} after.

{table}

Written by `tools/audit_report.py`.
"""


def write(rows: list[dict[str, Any]]) -> None:
    from parity.comparison.tables import write_tables
    from scratchcnn.files import atomic_write

    table = pd.DataFrame(rows)
    write_tables(OUT, {"audit": table})
    lines = [
        "| tests | kind | noticed | unnoticed | change nothing | not put in | rate before | rate after |",
        "|---|---|---:|---:|---:|---:|---:|---:|",
    ]
    for row in rows:
        numbers = [row[name] for name in ("killed", "survived", "equivalent", "not_applied")]
        rates = [f"{row[name]:.0%}" for name in ("before", "after")]
        lines.append(f"| {row['tests']} | {row['kind']} | {' | '.join(map(str, [*numbers, *rates]))} |")
    medians = {name: table[name].median() for name in ("before", "after")}
    with atomic_write(OUT / "README.md") as temporary:
        temporary.write_text(TEXT.format(most=MOST, table="\n".join(lines), **medians), encoding="utf-8")


def main() -> None:
    from audit_samples import SAMPLES
    from audit_samples import write as write_sample

    from parity.audit.audit import audit

    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for number, name in enumerate(SAMPLES):
            tests, target, kind = write_sample(Path(folder) / str(number), name)
            rows.append(audit(tests, target, kind, most=MOST).row(name))
            print(rows[-1], flush=True)
    OUT.mkdir(parents=True, exist_ok=True)
    write(rows)


if __name__ == "__main__":
    main()
