"""Write tables: CSV to read anywhere, Parquet to keep the types, each written whole or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from scratchcnn.files import atomic_write


def write_tables(folder: Path, tables: Mapping[str, pd.DataFrame]) -> list[Path]:
    """Write each non-empty table as <name>.csv and <name>.parquet; the folder is made if it is missing."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, table in tables.items():
        if not table.empty:
            for suffix, write in ((".csv", table.to_csv), (".parquet", table.to_parquet)):
                with atomic_write(folder / f"{name}{suffix}") as temporary:
                    write(temporary, index=False)
                written.append(folder / f"{name}{suffix}")
    return written
