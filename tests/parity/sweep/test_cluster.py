"""A real Dask cluster of two worker processes on 127.0.0.1: the same rows, whoever is killed."""

import os
import signal
import threading
import time

import pandas as pd
import pytest

from parity.cli import main
from parity.sweep import cluster as dask
from parity.sweep.cluster import Cluster, ClusterError
from parity.sweep.expand import expand
from parity.sweep.plan import make_plan
from parity.sweep.run import Tally, sweep
from parity.sweep.store import Store


def when_parts(store, count, action):
    """Do it as soon as so many parts are written."""

    def wait():
        while len(store.files()) < count:
            time.sleep(0.02)
        action()

    threading.Thread(target=wait, daemon=True).start()


def kill(process):
    os.kill(process.pid, signal.SIGKILL)
    process.wait()


def test_the_same_rows_as_here(plan, cluster, tmp_path, rows_of):
    sweep(plan, tmp_path / "here", 2)
    tally = sweep(plan, tmp_path / "there", 1, cluster.address, weight=15)
    assert tally.complete
    pd.testing.assert_frame_equal(rows_of(tmp_path / "here"), rows_of(tmp_path / "there"))
    assert Store(tmp_path / "there").table(["worker"]).column("worker").unique().to_pylist().__len__() == 2


def test_a_killed_worker_loses_and_doubles_nothing(plan, cluster, tmp_path, rows_of, slow_cells):
    store = Store(tmp_path / "killed")
    when_parts(store, 2, lambda: kill(cluster.workers[0]))
    tally = sweep(plan, store.folder, 1, cluster.address, weight=15, target=slow_cells)
    assert tally.complete and cluster.workers[0].returncode == -signal.SIGKILL
    cluster.workers[0] = cluster.workers.pop()
    sweep(plan, tmp_path / "here", 2)
    pd.testing.assert_frame_equal(rows_of(store.folder), rows_of(tmp_path / "here"))


def test_cells_for_a_gpu_wait_for_nobody_who_has_none(cluster, tmp_path):
    plan = make_plan({"part": [{"name": "gpu", "layers": ["relu"], "devices": ["cuda"]}]})
    with pytest.raises(ClusterError, match="needs a GPU and no worker announces one"):
        sweep(plan, tmp_path, 1, cluster.address)


def test_batches_for_a_gpu_go_to_the_worker_that_announces_one(plan, cluster):
    from parity.sweep.expand import Batch

    def runners():  # inside, so that it travels by value: a worker cannot import the tests
        from parity.sweep import cluster

        return len(cluster._runners.all)

    worker = cluster.add_worker("--resources", "GPU=1", "--name", "gpu")
    cells = tuple(expand(plan))[:6]
    with Cluster(cluster.address) as found:
        found.client.wait_for_workers(len(cluster.workers), timeout=60)
        deadline = time.monotonic() + 30
        while not found.has_gpu():  # what it announces comes after its name
            assert time.monotonic() < deadline
            time.sleep(0.1)
        (address,) = [a for a, w in found.workers().items() if w["resources"].get("GPU")]
        batches = [Batch("gpu", "cuda", (cell,)) for cell in cells]
        done = list(found.run(batches))
        served = found.client.run(runners, workers=[address])[address]
    kill(worker)
    cluster.workers.remove(worker)
    assert len(done) == 6 and served == 1


def test_the_scheduler_gone_is_an_error_and_what_was_finished_stays(
    plan, tmp_path, monkeypatch, local_cluster, slow_cells
):
    store, tally = Store(tmp_path / "out"), Tally()
    with local_cluster(tmp_path, workers=1) as own:
        when_parts(store, 2, own.scheduler.kill)
        with pytest.raises(ClusterError, match=r"the scheduler at tcp://127\.0\.0\.1:\d+ is gone"):
            sweep(plan, store.folder, 1, own.address, tally=tally, weight=15, target=slow_cells)
    assert 0 < tally.cells == len(store.finished()) < tally.total
    assert sweep(plan, store.folder, 2).complete


def test_no_scheduler_is_a_sentence(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(dask, "PATIENCE", 0.5)
    (tmp_path / "plan.toml").write_text("[[part]]\nlayers = ['relu']\n")
    with pytest.raises(SystemExit) as ended:
        main(
            [
                "sweep",
                str(tmp_path / "plan.toml"),
                "--out",
                str(tmp_path / "o"),
                "--scheduler",
                "tcp://127.0.0.1:1",
            ]
        )
    assert ended.value.code == 2
    assert "error: no Dask scheduler answers at tcp://127.0.0.1:1" in capsys.readouterr().err
