"""`parity diff`: what counts as worse, and what does not."""

import json

import numpy as np
import pandas as pd
import pytest

from parity.report.diff import compare, read


def accuracy():
    rows = [
        ("lenet", "conv1", "forward", "out", "float64", 2e-16, 2e-7),
        ("lenet", "conv1", "forward", "out", "float32", 1e-7, 0.2),
        ("lenet", "loss", "forward", "loss", "float64", 1e-16, 1e-7),
        ("alexnet", "conv1.W", "step 1", "v", "float64", 1e-16, 1e-7),
    ]
    table = pd.DataFrame(rows, columns=["network", "layer", "phase", "tensor", "dtype", "max_rel", "margin"])
    return table.assign(case="", device="cpu", ok=True).astype({"network": "category"})


def faults():
    table = pd.DataFrame({"fault": ["no bias", "zero pad", "same"], "equivalent": ["", "", "for a reason"]})
    return table.assign(killed=[True, True, False], named=[True, False, False], misnamed=False)


def injections():
    places = [("lenet", "training", "conv1"), ("branched", "training", ""), ("branched", "inference", "")]
    table = pd.DataFrame(places, columns=["network", "mode", "layer"])
    return table.assign(fault="bias", caught=True, right=[True, True, False])


def speed():
    table = pd.DataFrame({"network": ["lenet", "alexnet"], "phase": "step", "batch_size": [100, 1]})
    table = table.assign(layer="", dtype="float32", device="cpu", threads=2, implementation="ours")
    table = table.assign(median_ms=1.0, rounds=5.0, pairs=5.0)
    return table.assign(ratio_to_torch=[0.9, 1.0], ratio_q1=[0.88, 0.9], ratio_q3=[0.92, 1.1])


def counts():
    table = pd.DataFrame({"network": "lenet", "phase": ["step", "predict"], "dtype": "float32"})
    table = table.assign(threads=2, batch_size=100, numpy_calls=[900, 300], allocated_bytes=[10**6, 0])
    return table.assign(moved_bytes=10**8, multiplications=10**7)


@pytest.fixture
def report(tmp_path):
    """Write a report folder: report(name, quick, cpu, accuracy=..., faults=..., speed=...)."""

    def write(name, quick=False, cpu="one", alarms=0, **tables):
        folder = tmp_path / name
        folder.mkdir()
        environment = {"quick": quick, "cpu": cpu, "threads": 2, "cores": 2}
        (folder / "environment.json").write_text(json.dumps(environment))
        tables = {
            "accuracy": accuracy(),
            "faults": faults(),
            "injections": injections(),
            "speed": speed(),
        } | tables
        tables["faults_summary"] = pd.DataFrame({"figure": ["false_alarms"], "count": [alarms]})
        for key, table in tables.items():
            if table is not None:
                table.to_parquet(folder / f"{key}.parquet", index=False)
        return folder

    return write


def changed(table, row, **values):
    table = table.copy()
    for column, value in values.items():
        table.loc[row, column] = value
    return table


def slower(row, ratio, q1, q3):
    return {"speed": changed(speed(), row, ratio_to_torch=ratio, ratio_q1=q1, ratio_q3=q3)}


def inexact(row, margin):
    return {"accuracy": changed(accuracy(), row, margin=margin)}


def and_one(table, **values):
    return pd.concat([table, table[:1].assign(**values)])


OUT = "lenet conv1 forward out"
CHANGES = {
    "nothing": ({}, [], []),
    "a tensor fails": (
        {"accuracy": changed(accuracy(), 1, ok=False)},
        [f"{OUT} float32 cpu"],
        [],
    ),
    "float64 further off": (inexact(0, 1e-2), [f"{OUT} float64 cpu"], []),
    "still rounding": (inexact(0, 5e-4), [], []),
    "float32 further off": (inexact(1, 0.8), [f"{OUT} float32 cpu"], []),
    "float32 rounds otherwise": (inexact(1, 0.7), [], []),
    "a tensor is gone": ({"accuracy": accuracy().drop(2)}, ["lenet loss forward loss float64 cpu"], []),
    "a new tensor": ({"accuracy": and_one(accuracy(), layer="conv2")}, [], []),
    "a new tensor fails": (
        {"accuracy": and_one(accuracy(), layer="conv2", ok=False)},
        ["lenet conv2 forward out float64 cpu"],
        [],
    ),
    "a fault survives": (
        {"faults": changed(faults(), 0, killed=False, named=False)},
        ["no bias", "no bias"],
        [],
    ),
    "a fault is named": ({"faults": changed(faults(), 1, named=True)}, [], ["zero pad"]),
    "a fault is gone": ({"faults": faults()[1:]}, ["no bias"], []),
    "a fault is named wrongly": ({"faults": changed(faults(), 1, misnamed=True)}, ["zero pad"], []),
    "a new fault": ({"faults": and_one(faults(), fault="new")}, [], []),
    "a new fault survives": ({"faults": and_one(faults(), fault="new", killed=False)}, ["new"], []),
    "an injection is not caught": (
        {"injections": changed(injections(), 0, caught=False)},
        ["lenet training conv1 bias"],
        [],
    ),
    "a place is not found": (
        {"injections": changed(injections(), 1, right=False)},
        ["branched training bias"],
        [],
    ),
    "a place is found": (
        {"injections": changed(injections(), 2, right=True)},
        [],
        ["branched inference bias"],
    ),
    "an injection is gone": ({"injections": injections()[1:]}, ["lenet training conv1 bias"], []),
    "a false alarm": ({"alarms": 2}, ["false alarms"], []),
    "slower": (slower(0, 1.2, 1.1, 1.3), ["lenet step N=100"], []),
    "slower, within noise": (slower(1, 1.2, 1.05, 1.3), [], []),
    "slower by a little": (slower(0, 0.95, 0.93, 0.96), [], []),
    "a time is gone": ({"speed": speed()[:1]}, ["alexnet step N=1"], []),
    "faster": (slower(0, 0.5, 0.4, 0.6), [], ["lenet step N=100"]),
}


@pytest.mark.parametrize(("tables", "worse", "better"), CHANGES.values(), ids=CHANGES)
def test_what_is_worse_and_what_is_better(report, tables, worse, better):
    found = compare(read(report("old")), read(report("new", **tables)))
    assert [change.what for change in found.worse] == worse
    assert [change.what for change in found.better] == better


def test_the_way_back_is_better(report):
    slow = changed(speed(), 0, ratio_to_torch=1.2, ratio_q1=1.1, ratio_q3=1.3)
    failing = changed(accuracy(), 0, ok=False)
    found = compare(read(report("old", speed=slow, accuracy=failing, alarms=1)), read(report("new")))
    assert not found.worse and {c.part for c in found.better} == {"accuracy", "faults", "speed"}


def test_times_of_another_machine_are_not_judged(report):
    slow = changed(speed(), 0, ratio_to_torch=9.0, ratio_q1=8.0, ratio_q3=10.0)
    found = compare(read(report("old")), read(report("new", cpu="two", speed=slow)))
    assert not found.worse and found.notes == ["speed: not judged, since cpu was one and is two"]


def test_a_quick_report_may_leave_out_steps_injections_and_times(report):
    old = report("old")
    new = report("new", quick=True, accuracy=accuracy()[:3], injections=None, speed=speed()[:1])
    found = compare(read(old), read(new))
    assert not found.worse and found.notes == [
        f"accuracy: 1 rows of {old} are not in {new}, which is a quick report",
        f"injections: not compared, it is not in {new}",
        f"speed: 1 rows of {old} are not in {new}, which is a quick report",
    ]


def test_a_quick_report_may_not_leave_out_anything_else(report):
    lacking = accuracy()[1:]
    stepping = and_one(lacking, network="alexnet", phase="step 2")  # it makes steps, so step 1 is missing
    for table, gone in ((lacking, 0), (stepping.drop(3), 3)):
        new = report(f"new{gone}", quick=True, accuracy=table)
        worse = [c.what for c in compare(read(report(f"old{gone}")), read(new)).worse]
        assert f"{OUT} float64 cpu" in worse and len(worse) == (1 if not gone else 2)


def test_rows_that_only_the_new_one_has_are_told(report):
    new = report("new", accuracy=and_one(accuracy(), layer="conv2"), faults=and_one(faults(), fault="new"))
    found = compare(read(report("old")), read(new))
    assert not found.changes and [note.split(":")[0] for note in found.notes] == ["accuracy", "faults"]
    assert all(": 1 rows of" in note and "are new" in note for note in found.notes)


def test_columns_that_the_old_one_lacks_judge_nothing(report):
    old = report(
        "old",
        accuracy=accuracy().drop(columns=["margin", "case"]),
        injections=injections().drop(columns="mode")[:2],
    )
    failing = changed(changed(accuracy(), 0, margin=0.5), 1, ok=False)
    new = report("new", accuracy=failing, injections=injections().assign(right=True))
    found = compare(read(old), read(new))
    assert [change.what for change in found.worse] == [f"{OUT} float32 cpu"]
    assert f"accuracy: {old} has no column case, margin, which is not compared" in found.notes
    assert found.compared["injections"] == 3  # both modes beside the one row of before


@pytest.mark.parametrize("side", ["old", "new"])
def test_a_repeated_key_is_refused(report, parity, side):
    twice = report("twice", accuracy=and_one(accuracy()))
    folders = [twice, report("once")][:: 1 if side == "old" else -1]
    status, _, err = parity("diff", *folders)
    assert status == 2 and err == (
        f"error: {twice / 'accuracy'}.parquet has 1 row with the same key as another row, "
        "the first: network lenet, layer conv1, phase forward, tensor out, dtype float64, device cpu\n"
    )


@pytest.mark.parametrize("gone", ["accuracy", "faults", "injections", "speed"])
def test_what_is_gone_is_worse(gone, report, parity):
    old, new = report("old"), report("new", **{gone: None})
    status, out, _ = parity("diff", old, new)
    assert status == 1 and f"all of {gone}   compared -> not compared" in out
    assert parity("diff", new, old)[0] == 0
    others = {"accuracy", "faults", "speed"} - {gone, "faults" if gone == "injections" else gone}
    assert parity("diff", old, new, *(f"--only={part}" for part in others))[0] == 0


def test_a_bug_that_was_taken_out_of_the_catalogue_is_a_note(report):
    there = faults()
    there["fault"] = there["fault"].astype(object)
    retired = changed(there, 0, fault="global-pool-keeps-its-axes")
    found = compare(read(report("old", faults=retired)), read(report("new", faults=retired[1:])))
    assert not found.worse
    (note,) = found.notes
    assert note.startswith("faults: global-pool-keeps-its-axes is no known bug any more: out (N, C, 1, 1)")


def test_a_ratio_that_was_disturbed_is_no_news(report):
    timed = speed()
    disturbed = changed(timed, 0, ratio_to_torch=np.nan, ratio_q1=np.nan, ratio_q3=np.nan, pairs=1.0)
    found = compare(read(report("old", speed=timed)), read(report("new", speed=disturbed)))
    assert not found.changes
    lost = compare(read(report("was", speed=timed)), read(report("now", speed=disturbed.assign(pairs=5.0))))
    assert lost.worse


NULLS = [("accuracy", "ok"), ("accuracy", "margin"), ("faults", "killed"), ("faults", "named")]
NULLS += [("injections", "caught"), ("injections", "right"), ("speed", "ratio_q1")]


@pytest.mark.parametrize(("name", "column"), NULLS)
@pytest.mark.parametrize("missing", [None, float("nan")], ids=["null", "nan"])
def test_a_value_that_is_gone_is_worse(name, column, missing, report):
    table = {"accuracy": accuracy, "faults": faults, "injections": injections, "speed": speed}[name]()
    nulls = table.astype({column: object})
    nulls.loc[0, column] = missing
    nulls[column] = nulls[column].astype("Float64" if name == "speed" or column == "margin" else "boolean")
    found = compare(read(report("old")), read(report("new", **{name: nulls})))
    assert [(change.old.split()[0], change.new) for change in found.worse] == [(column, "no value")]
    added = compare(read(report("bare", **{name: table[1:]})), read(report("more", **{name: nulls})))
    assert len(added.worse) == (column in ("ok", "killed", "caught"))


DAMAGE = {
    "an empty table": ("accuracy.parquet", lambda path: path.write_bytes(b"")),
    "half a table": ("faults.parquet", lambda path: path.write_bytes(path.read_bytes()[:300])),
    "text for numbers": (
        "accuracy.parquet",
        lambda path: accuracy().assign(margin="a").to_parquet(path),
    ),
    "an empty environment": ("environment.json", lambda path: path.write_text("")),
    "a list": ("environment.json", lambda path: path.write_text("[1]")),
}


@pytest.mark.parametrize(("name", "damage"), DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_file_is_named(name, damage, report, parity):
    old, new = report("old"), report("new")
    damage(new / name)
    status, _, err = parity("diff", old, new)
    assert status == 2 and err.startswith(f"error: {new / name} is damaged (") and err.count("\n") == 1


def test_a_column_that_is_missing_and_a_folder_for_a_table_are_named(report, parity):
    old, new = report("old"), report("new")
    (new / "accuracy.parquet").unlink()
    and_one(accuracy()).drop(columns=["tensor"]).to_parquet(new / "accuracy.parquet")
    lacks = f"error: {new}/accuracy.parquet lacks the column tensor; run `parity report` again\n"
    assert parity("diff", old, new).err == lacks
    (new / "accuracy.parquet").unlink()
    (new / "accuracy.parquet").mkdir()
    done = parity("diff", old, new)
    assert done.status == 2 and "accuracy.parquet is a folder, not a table" in done.err


STEP = "lenet step N=100: "
COUNTED = {
    "within a fiftieth": ({"numpy_calls": 918}, "", ""),
    "more calls": ({"numpy_calls": 919}, "calls of NumPy", "919 (2% more)"),
    "more bytes": ({"allocated_bytes": 2 * 10**6}, "bytes allocated", "2,000,000 (100% more)"),
    "more traffic": ({"moved_bytes": 2 * 10**8}, "bytes moved", "200,000,000 (100% more)"),
    "more products": ({"multiplications": 2 * 10**7}, "multiplications", "20,000,000 (100% more)"),
    "fewer calls": ({"numpy_calls": 450}, "calls of NumPy", "450 (50% fewer)"),
}


@pytest.mark.parametrize(("values", "what", "new"), COUNTED.values(), ids=COUNTED)
def test_counts_are_gated_on_any_machine(report, values, what, new):
    old = report("old", counts=counts())
    found = compare(read(old), read(report("new", cpu="two", counts=changed(counts(), 0, **values))))
    expected = [(STEP + what, new, "fewer" not in new)] if what else []
    assert [(c.what, c.new, c.worse) for c in found.changes] == expected


def test_bytes_where_there_were_none_are_worse(report):
    more = changed(counts(), 1, allocated_bytes=8)
    (change,) = compare(read(report("old", counts=counts())), read(report("new", counts=more))).changes
    assert change.worse and (change.what, change.old, change.new) == (
        "lenet predict N=100: bytes allocated",
        "0",
        "8",
    )


def test_counts_that_one_report_lacks(report, parity):
    without, counted = report("without"), report("counted", counts=counts())
    assert compare(read(without), read(counted)).notes == [f"counts: not compared, it is not in {without}"]
    status, out, _ = parity("diff", counted, without)
    assert status == 1 and "all of counts   compared -> not compared" in out
    assert not compare(read(without), read(report("too"))).notes


def test_counts_of_other_threads_are_not_judged(report):
    old, new = (read(report(name, counts=counts().assign(threads=n))) for name, n in (("a", 2), ("b", 1)))
    new.environment["threads"] = 1
    found = compare(old, new)
    assert not found.changes and "counts: not judged, since threads was 2 and is 1" in found.notes


# -- the command ----------------------------------------------------------------------------------
def test_exit_statuses(report, parity):
    old, same = report("old"), report("same")
    new = report("new", accuracy=changed(accuracy(), 1, ok=False))
    status, out, _ = parity("diff", old, same)
    assert status == 0 and "0 worse, 0 better; compared 4 rows of accuracy, 3 rows of faults" in out
    status, out, _ = parity("diff", old, new)
    assert (
        status == 1 and "accuracy  lenet conv1 forward out float32 cpu   ok, 1.0e-07 -> FAIL, 1.0e-07" in out
    )
    assert parity("diff", old, new, "--only", "faults")[0] == 0


def test_misuse(report, parity, tmp_path):
    old = report("old")
    status, _, err = parity("diff", old, tmp_path / "none")
    assert status == 2 and err.startswith("error: there is no folder") and err.count("\n") == 1
    (tmp_path / "empty").mkdir()
    assert "holds no report" in parity("diff", old, tmp_path / "empty")[2]
    bare = report("bare", speed=None)
    status, _, err = parity("diff", bare, old, "--only", "speed")
    assert status == 2 and "have nothing in common" in err
