"""Tables to disk: CSV to read anywhere, Parquet to keep the types. Each file is written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pandas as pd


def write_whole(path: Path, write: Callable[[Path], object]) -> Path:
    """Let `write` fill a temporary file in the same folder, then move it to `path` in one step."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    os.close(handle)
    temporary = Path(name)
    try:
        write(temporary)
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    return path


def write_tables(folder: Path, tables: Mapping[str, pd.DataFrame]) -> list[Path]:
    """Each non-empty table as <name>.csv and <name>.parquet in the folder, which is made if need be."""
    written = []
    for name, table in tables.items():
        if table.empty:
            continue
        written.append(write_whole(folder / f"{name}.csv", lambda p, t=table: t.to_csv(p, index=False)))
        written.append(write_whole(folder / f"{name}.parquet", lambda p, t=table: t.to_parquet(p, index=False)))
    return written
