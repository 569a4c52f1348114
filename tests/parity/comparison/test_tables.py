"""Tables to disk: whole or not at all, and the same back."""

import pandas as pd
import pytest

from parity.checks.layer import check_kind
from parity.comparison.records import frame
from parity.comparison.tables import write_tables


def table(rows=3):
    return pd.DataFrame(
        {"network": pd.Categorical(["lenet"] * rows), "margin": [0.1] * rows, "ok": [True] * rows}
    )


def test_both_formats_come_back(tmp_path):
    checked = frame(check_kind("affine"))
    written = write_tables(tmp_path / "new" / "folder", {"check": checked})
    assert [path.name for path in written] == ["check.csv", "check.parquet"]
    pd.testing.assert_frame_equal(pd.read_parquet(written[1]), checked, check_categorical=False)
    back = pd.read_csv(written[0], keep_default_na=False)
    assert list(back.columns) == list(checked.columns) and back["ok"].tolist() == checked["ok"].tolist()
    pd.testing.assert_series_equal(back["max_abs"], checked["max_abs"])


def test_nothing_else_is_left_and_old_files_are_replaced(tmp_path):
    write_tables(tmp_path, {"check": table(1)})
    write_tables(tmp_path, {"check": table(2), "training": table(0)})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["check.csv", "check.parquet"]
    assert len(pd.read_parquet(tmp_path / "check.parquet")) == len(pd.read_csv(tmp_path / "check.csv")) == 2


def test_a_failing_write_leaves_the_old_file(tmp_path, monkeypatch):
    write_tables(tmp_path, {"check": table(1)})

    def half(self, path, index):
        with open(path, "w") as file:
            file.write("half")
        raise OSError("no space left")

    monkeypatch.setattr(pd.DataFrame, "to_parquet", half)
    with pytest.raises(OSError, match="no space left"):
        write_tables(tmp_path, {"check": table(2)})
    assert len(pd.read_parquet(tmp_path / "check.parquet")) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["check.csv", "check.parquet"]


def test_a_folder_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "out").write_text("here already")
    with pytest.raises(OSError):
        write_tables(tmp_path / "out", {"check": table()})
