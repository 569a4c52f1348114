"""Write a report: tables, environment, README and page, each file whole or not at all."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd

from parity.report.findings import Findings
from parity.report.markdown import readme
from parity.report.schema import PARQUET_ONLY, SCHEMAS
from scratchcnn.files import atomic_write


def write(found: Findings, folder: Path, with_page: bool = True) -> list[Path]:
    """Write everything of one run, and return the paths.

    Tables of an earlier run that this one did not make are removed, so the folder describes one run.
    A table of `parity audit` in the folder audit/ stays, and is a section of the page.
    `with_page` also writes index.html, which needs jinja2, markupsafe and pygments.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, table in found.tables.items():
        suffixes = {".parquet": table.to_parquet} | ({} if name in PARQUET_ONLY else {".csv": table.to_csv})
        for suffix, save in suffixes.items():
            path = folder / f"{name}{suffix}"
            with atomic_write(path) as temporary:
                save(temporary, index=False)
            written.append(path)
    texts = {
        "environment.json": json.dumps(found.environment, indent=2) + "\n",
        "README.md": readme(found, with_page),
    }
    if with_page:
        from parity.report.page import page

        texts["index.html"] = page(found, _audited(folder))
    for name, text in texts.items():
        with atomic_write(folder / name) as temporary:
            temporary.write_text(text, encoding="utf-8")
        written.append(folder / name)
    for name in SCHEMAS:
        for path in (folder / f"{name}.csv", folder / f"{name}.parquet"):
            if path not in written:
                path.unlink(missing_ok=True)
    return written


def _audited(folder: Path) -> pd.DataFrame | None:
    """The table of audits that lies in the report's folder, if there is one."""
    path = folder / "audit" / "audit.parquet"
    return pd.read_parquet(path) if path.is_file() else None
