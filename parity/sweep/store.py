"""The folder of a sweep: its plan, and its rows as a partitioned Parquet dataset.

sweep.json                 the plan, the number of its cells, and how long it has run
environment.json           the machine and versions that it was started on
rows/part=NAME/ID.parquet  one file per batch, written whole or not at all

pandas.read_parquet("DIR/rows")        works at any time, even while the sweep runs
"""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from parity.comparison.records import CATEGORIES, FLAGS, NUMBERS
from parity.sweep.cell import Row
from parity.sweep.cells import Batch
from scratchcnn.files import atomic_write

TEXT, NUMBER, FLAG = pa.string(), pa.float64(), pa.bool_()
SCHEMA = pa.schema(
    [
        *[("cell", TEXT), ("what", TEXT), ("seed", pa.int64())],
        *[(name, TEXT) for name in ("fault", "target", "version", "status")],
        *[(name, TEXT) for name in (*CATEGORIES, "shape")],
        *[(name, NUMBER) for name in NUMBERS],
        *[(name, FLAG) for name in FLAGS],
        *[(name, TEXT) for name in ("why", "culprit", "diagnosis", "lacks")],
        *[("seconds", NUMBER), ("worker", TEXT), ("finished", TEXT)],
    ]
)
ROW_COLUMNS = SCHEMA.names
FACTS: dict[str, Any] = {"plan": dict, "cells": int, "seconds": (int, float), "workers": str}  # in sweep.json


class StoreError(ValueError):
    """The folder cannot be used for this sweep."""


def encode(rows: Iterable[Row]) -> bytes:
    """The rows as a Parquet file."""
    return _written(pa.Table.from_pylist(list(rows), SCHEMA))


def join(files: Iterable[bytes]) -> bytes:
    """Several Parquet files as one."""
    return _written(pa.concat_tables(pq.read_table(io.BytesIO(data)) for data in files))


def _written(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink, compression="zstd")
    return sink.getvalue()


class Store:
    """The folder of one sweep, which no other sweep can use while it is open."""

    def __init__(self, folder: Path):
        self.folder, self.rows = folder, folder / "rows"

    @contextmanager
    def opened(self, plan: dict[str, Any]) -> Iterator[Store]:
        """Make the folder or resume it. Raises StoreError if it belongs to another plan or is in use."""
        self.rows.mkdir(parents=True, exist_ok=True)
        with _open_lock(self.folder / ".lock") as lock:
            if not _locked(lock.fileno()):
                raise StoreError(
                    f"another sweep is writing to {self.folder}; wait for it or choose another --out"
                )
            for unfinished in self.rows.rglob(".*.tmp"):  # left by a sweep that was killed
                unfinished.unlink(missing_ok=True)
            known = self.about()
            if known and known.get("plan", {}) != plan:
                raise StoreError(
                    f"{self.folder} holds a sweep of another plan ({_differs(known.get('plan', {}), plan)}); "
                    "choose another --out"
                )
            yield self

    def about(self) -> dict[str, Any]:
        """The content of sweep.json; empty when there is none. Raises StoreError if it is damaged."""
        path = self.folder / "sweep.json"
        if not path.is_file():
            return {}
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
        except (ValueError, RecursionError) as error:
            raise StoreError(f"{path} is damaged ({error}); delete it and run the sweep again") from None
        if not isinstance(found, dict) or any(
            key in found and not isinstance(found[key], kind) for key, kind in FACTS.items()
        ):
            raise StoreError(f"{path} is no description of a sweep; delete it and run the sweep again")
        return found

    def note(self, **facts: Any) -> None:
        """Add facts to sweep.json."""
        facts = self.about() | facts
        with atomic_write(self.folder / "sweep.json") as temporary:
            temporary.write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")

    def write(self, batch: Batch, data: bytes) -> None:
        """Write one batch; a batch that is written twice is stored once."""
        folder = self.rows / f"part={batch.part}"
        folder.mkdir(parents=True, exist_ok=True)
        with atomic_write(folder / f"{batch.id}.parquet") as temporary:
            temporary.write_bytes(data)

    def files(self) -> list[Path]:
        return sorted(p for p in self.rows.glob("part=*/*.parquet") if not p.name.startswith("."))

    def finished(self) -> set[str]:
        """The ids of all cells that have rows."""
        found: set[str] = set()
        for path in self.files():
            found.update(_read(path, ["cell"]).column("cell").unique().to_pylist())
        return found

    def table(self, columns: list[str] | None = None) -> pa.Table:
        """All rows, with the part that each belongs to; of a cell that is in several files, those of one."""
        tables, seen = [], set[str]()
        columns = ROW_COLUMNS if columns is None else columns
        for path in self.files():
            rows, part = _read(path, [*columns, "cell"]), path.parent.name.removeprefix("part=")
            cells = set(rows.column("cell").unique().to_pylist())
            if again := cells & seen:
                rows = rows.filter(pc.invert(pc.is_in(rows.column("cell"), pa.array(sorted(again), TEXT))))
            seen |= cells
            rows = rows.select(columns)
            tables.append(rows.append_column("part", pa.repeat(pa.scalar(part), rows.num_rows)))
        return pa.concat_tables(tables) if tables else SCHEMA.empty_table().append_column("part", [[]])


def _read(path: Path, columns: list[str]) -> pa.Table:
    """These columns of one file of rows; raises StoreError, naming the file, if it is damaged."""
    columns = list(dict.fromkeys(columns))
    try:
        rows = pq.ParquetFile(path).read(columns=columns)
        wrong = [name for name in columns if rows.schema.field(name).type != SCHEMA.field(name).type]
    except (pa.ArrowException, OSError, KeyError) as error:
        raise StoreError(f"{path} is damaged ({error}); delete it and run the sweep again") from None
    if wrong:
        kinds = f"{rows.schema.field(wrong[0]).type}, expected {SCHEMA.field(wrong[0]).type}"
        raise StoreError(
            f"{path} is damaged (its column {wrong[0]} holds {kinds}); delete it and run the sweep again"
        )
    return rows


def _open_lock(path: Path) -> IO[str]:
    """The file to lock, its content left alone; raises StoreError if it is a link."""
    try:
        return os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o666), "r+")
    except OSError as error:
        if path.is_symlink():
            raise StoreError(f"{path} is a link; delete it, or choose another --out") from None
        raise error


def _locked(number: int) -> bool:
    """Whether the lock is ours, until this process ends in whatever way; assumed where there are no locks."""
    try:
        import fcntl
    except ImportError:
        return True
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    os.set_inheritable(number, False)
    return True


def _differs(a: Any, b: Any, at: str = "") -> str:
    """The first place where two plans differ: `parts.1.seeds.count: 10 there, 20 here`."""
    if isinstance(a, dict) and isinstance(b, dict):
        for key in sorted(a.keys() | b.keys()):
            if a.get(key) != b.get(key):
                return _differs(a.get(key), b.get(key), f"{at}.{key}")
    if isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        for i, (left, right) in enumerate(zip(a, b, strict=True), 1):
            if left != right:
                return _differs(left, right, f"{at}.{i}")
    return f"{at[1:]}: {str(a)[:60]} there, {str(b)[:60]} here"
