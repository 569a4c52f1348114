"""`parity diff`: what counts as worse, and what does not."""

import json

import pandas as pd
import pytest

from parity import cli
from parity.diff import compare, read


def accuracy():
    rows = [
        ("lenet", "conv1", "forward", "out", "float64", 2e-16),
        ("lenet", "conv1", "forward", "out", "float32", 1e-7),
        ("lenet", "loss", "forward", "loss", "float64", 1e-16),
    ]
    table = pd.DataFrame(rows, columns=["network", "layer", "phase", "tensor", "dtype", "max_rel"])
    return table.assign(case="", device="cpu", ok=True).astype({"network": "category"})


def faults():
    table = pd.DataFrame({"fault": ["no bias", "zero pad", "same"], "equivalent": ["", "", "for a reason"]})
    return table.assign(killed=[True, True, False], named=[True, False, False])


def speed():
    table = pd.DataFrame({"network": ["lenet", "alexnet"], "phase": "step", "batch_size": [100, 1]})
    table = table.assign(layer="", dtype="float32", device="cpu", threads=2, implementation="ours")
    return table.assign(ratio_to_torch=[0.9, 1.0], ratio_q1=[0.88, 0.9], ratio_q3=[0.92, 1.1])


@pytest.fixture
def report(tmp_path):
    """Write a report folder: report(name, quick, cpu, accuracy=..., faults=..., speed=...)."""

    def write(name, quick=False, cpu="one", alarms=0, **tables):
        folder = tmp_path / name
        folder.mkdir()
        environment = {"quick": quick, "cpu": cpu, "threads": 2, "cores": 2}
        (folder / "environment.json").write_text(json.dumps(environment))
        tables = {"accuracy": accuracy(), "faults": faults(), "speed": speed()} | tables
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


def inexact(row, max_rel):
    return {"accuracy": changed(accuracy(), row, max_rel=max_rel)}


NEW = pd.concat([faults(), faults()[:1].assign(fault="new", killed=False)])
CHANGES = {
    "nothing": ({}, [], []),
    "a tensor fails": (
        {"accuracy": changed(accuracy(), 1, ok=False)},
        ["lenet conv1 forward out float32 cpu"],
        [],
    ),
    "float64 further off": (inexact(0, 1e-11), ["lenet conv1 forward out float64 cpu"], []),
    "still rounding": (inexact(0, 5e-13), [], []),
    "float32 rounds otherwise": (inexact(1, 1e-5), [], []),
    "a tensor is gone": ({"accuracy": accuracy()[:2]}, ["lenet loss forward loss float64 cpu"], []),
    "a fault survives": (
        {"faults": changed(faults(), 0, killed=False, named=False)},
        ["no bias", "no bias"],
        [],
    ),
    "a fault is named": ({"faults": changed(faults(), 1, named=True)}, [], ["zero pad"]),
    "a fault is gone": ({"faults": faults()[1:]}, ["no bias"], []),
    "a new fault survives": ({"faults": NEW}, ["new"], []),
    "a false alarm": ({"alarms": 2}, ["false alarms"], []),
    "slower": (slower(0, 1.2, 1.1, 1.3), ["lenet step N=100"], []),
    "slower, within noise": (slower(1, 1.2, 1.05, 1.3), [], []),
    "slower by a little": (slower(0, 0.95, 0.93, 0.96), [], []),
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
    assert not found.worse and found.notes == ["speed: not judged, cpu is one there and two here"]


def test_a_quick_report_may_compare_less(report):
    new = report("new", quick=True, accuracy=accuracy()[:2], speed=None)
    found = compare(read(report("old")), read(new))
    assert not found.worse and len(found.notes) == 2
    assert f"accuracy: 1 rows of {read(new).folder.parent / 'old'} are not in {new}" in found.notes


# -- the command ----------------------------------------------------------------------------------
@pytest.fixture
def parity(capsys):
    def run(*arguments):
        with pytest.raises(SystemExit) as end:
            cli.main([str(a) for a in arguments])
        said = capsys.readouterr()
        return end.value.code, said.out, said.err

    return run


def test_exit_statuses(report, parity):
    old, same = report("old"), report("same")
    new = report("new", accuracy=changed(accuracy(), 1, ok=False))
    status, out, _ = parity("diff", old, same)
    assert status == 0 and "0 worse, 0 better; compared 3 rows of accuracy, 3 rows of faults" in out
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
    status, _, err = parity("diff", old, bare, "--only", "speed")
    assert status == 2 and "have nothing in common" in err
