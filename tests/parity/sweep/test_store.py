"""The folder of a sweep as it may be found: damaged, with a file twice, with a link for the lock."""

import json
import shutil

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from parity.sweep.store import SCHEMA, Store, StoreError, encode

PLAN = {"parts": []}


def rows_of(*cells):
    return [{name: None for name in SCHEMA.names} | {"cell": cell, "max_abs": 0.5} for cell in cells]


@pytest.fixture
def store(tmp_path):
    """A finished sweep of three cells; its one file is `store.file`."""
    store = Store(tmp_path)
    with store.opened(PLAN):
        store.note(plan=PLAN, cells=3, seconds=1.5)
    store.file = store.rows / "part=one" / "a.parquet"
    store.file.parent.mkdir()
    store.file.write_bytes(encode(rows_of("x", "x", "y")))
    return store


def retyped(file):
    table = pq.read_table(file)
    at = table.schema.get_field_index("max_abs")
    pq.write_table(table.set_column(at, "max_abs", pa.array(["a"] * len(table))), file)


DAMAGE = {
    "empty": (lambda file: file.write_bytes(b""), "Parquet file size is 0 bytes"),
    "half": (lambda file: file.write_bytes(file.read_bytes()[:500]), "Parquet magic bytes not found"),
    "text": (lambda file: file.write_text("hello" * 99), "Parquet magic bytes not found"),
    "no cells": (lambda file: pq.write_table(pq.read_table(file).drop(["cell"]), file), "cell"),
    "text for numbers": (retyped, "its column max_abs holds string, expected double"),
}


@pytest.mark.parametrize(("damage", "why"), DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_file_of_rows_is_named(damage, why, store):
    damage(store.file)
    with pytest.raises(
        StoreError, match=r"a\.parquet is damaged \(.*; delete it and run the sweep"
    ) as caught:
        store.table()
    assert str(store.file) in str(caught.value) and why in str(caught.value)
    if why != DAMAGE["text for numbers"][1]:
        with pytest.raises(StoreError, match=r"a\.parquet is damaged"):
            store.finished()


@pytest.mark.parametrize(
    "text", ["", "{", "[1]", "3", '{"plan": 3}', '{"cells": "x"}', '{"seconds": []}', "[" * 10**5, "\x00"]
)
def test_a_damaged_description_is_named(text, store):
    (store.folder / "sweep.json").write_text(text)
    with pytest.raises(StoreError, match=r"sweep\.json is .*; delete it and run the sweep again"):
        store.about()


def test_a_description_without_a_plan_is_of_another_one(store):
    (store.folder / "sweep.json").write_text(json.dumps({"cells": 3}))
    with pytest.raises(StoreError, match="holds a sweep of another plan"), store.opened(PLAN):
        pass


def test_a_cell_that_is_in_two_files_counts_once(store):
    before = store.table()
    shutil.copy(store.file, store.file.with_name("copy.parquet"))
    store.file.with_name("more.parquet").write_bytes(encode(rows_of("y", "z")))
    cells = store.table(["cell"]).column("cell").to_pylist()
    assert sorted(cells) == ["x", "x", "y", "z"] and len(before) == 3
    assert store.table(["max_abs"]).column_names == ["max_abs", "part"]


def test_a_lock_that_is_a_link_is_refused_and_its_target_kept(store, tmp_path):
    (tmp_path / "precious").write_text("precious")
    (tmp_path / ".lock").unlink()
    (tmp_path / ".lock").symlink_to(tmp_path / "precious")
    with pytest.raises(StoreError, match=r"\.lock is a link; delete it"), store.opened(PLAN):
        pass
    assert (tmp_path / "precious").read_text() == "precious"


def test_the_lock_of_an_open_sweep_is_respected(store):
    with store.opened(PLAN), pytest.raises(StoreError, match="another sweep is writing to"):  # noqa: SIM117
        with Store(store.folder).opened(PLAN):
            pass
