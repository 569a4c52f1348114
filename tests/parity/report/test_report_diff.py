"""`parity diff` on a report as it is written, with one thing in it made worse; and the line that CI runs."""

import shlex
import shutil
from pathlib import Path

import pandas as pd
import pytest

from parity.report.schema import SCHEMAS, conform

CI = Path(__file__).parents[3] / ".ci" / "run"


@pytest.fixture
def diff(folder, tmp_path, parity):
    """What `parity diff` says of the report against itself after an edit: its status and output."""

    def run(name, edit, *options):
        edited = shutil.copytree(folder, tmp_path / "edited")
        edit(pd.read_parquet(edited / f"{name}.parquet")).to_parquet(edited / f"{name}.parquet", index=False)
        return parity("diff", folder, edited, *options)[:2]

    return run


def with_values(where, **values):
    """An edit: these values in the first row in which `where` holds."""

    def edit(table):
        row = table.query(where).index[0]
        for column, value in values.items():
            table.loc[row, column] = value
        return table

    return edit


SLOWER = {"ratio_to_torch": 99.0, "ratio_q1": 98.0, "ratio_q3": 100.0}
OURS = "implementation == 'ours' and phase == 'step'"
NOISE = {"ratio_to_torch": 99.0, "ratio_q1": 0.0, "ratio_q3": 100.0}
WORSE = {
    "a tensor fails": ("accuracy", with_values("network == 'lenet'", ok=False), "accuracy  lenet"),
    "a margin of float64": ("accuracy", with_values("dtype == 'float64'", margin=0.5), "0.5 of what"),
    "a margin of float32": ("accuracy", with_values("dtype == 'float32'", margin=0.9), "0.9 of what"),
    "a row is missing": ("accuracy", lambda t: t[1:], "compared -> not compared"),
    "a kill is lost": ("faults", with_values("killed", killed=False), "killed -> survives"),
    "a fault is missing": ("faults", lambda t: t[1:], "compared -> not compared"),
    "a false alarm": ("faults_summary", with_values("figure == 'false_alarms'", count=1), "   0 -> 1"),
    "slower": ("speed", with_values(OURS, **SLOWER), "-> 99.00 (98.00 to 100.00)"),
}


@pytest.mark.parametrize(("table", "edit", "said"), WORSE.values(), ids=WORSE)
def test_what_is_made_worse_is_told(diff, table, edit, said):
    status, out = diff(table, edit)
    assert status == 1 and said in out and "\n1 worse, 0 better; compared " in out


def test_every_row_is_compared(diff, found):
    status, out = diff("accuracy", lambda t: t)
    assert status == 0
    for name in ("accuracy", "faults", "speed"):
        assert f"{len(found.tables[name]):,} rows of {name}" in out


def test_a_slower_time_within_the_quartiles_is_noise(diff):
    assert diff("speed", with_values(OURS, **NOISE))[0] == 0


def test_no_table_repeats_a_key(found):
    for name, table in found.tables.items():
        assert not table.duplicated([*SCHEMAS[name].key]).any(), name


def test_a_report_that_would_repeat_a_key_is_refused(found):
    twice = pd.concat([found.tables["accuracy"], found.tables["accuracy"][:1]])
    with pytest.raises(ValueError, match="the table accuracy has 1 row with the same key as another row"):
        conform("accuracy", twice)


# -- what CI runs ---------------------------------------------------------------------------------
def ci_line():
    """The options of the line in .ci/run that compares the committed report with a new one."""
    lines = [line for line in CI.read_text().splitlines() if "parity diff" in line]
    assert len(lines) == 1 and "set -euo pipefail" in CI.read_text()  # a status of 1 ends it
    words = shlex.split(lines[0])
    assert words[words.index("diff") + 1 :][:2] == ["reports", "build/report"]
    return words[words.index("diff") + 3 :]


@pytest.mark.parametrize("case", ["a tensor fails", "a row is missing", "a kill is lost", "a false alarm"])
def test_ci_fails_on_accuracy_and_kills(diff, case):
    table, edit, said = WORSE[case]
    status, out = diff(table, edit, *ci_line())
    assert status == 1 and said in out


def test_ci_does_not_look_at_times(diff):
    table, edit, _ = WORSE["slower"]
    status, out = diff(table, edit, *ci_line())
    assert status == 0 and "speed" not in out
