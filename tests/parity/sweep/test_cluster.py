"""A real Dask cluster of two worker processes on 127.0.0.1: the same rows, whoever is killed."""

import signal
import threading
import time
from contextlib import nullcontext

import pandas as pd
import pytest

from parity.sweep import cluster as dask
from parity.sweep.cells import expand
from parity.sweep.cluster import Cluster, ClusterError
from parity.sweep.plan import make_plan
from parity.sweep.run import sweep
from parity.sweep.speed import measure
from parity.sweep.store import Store


def when_parts(store, count, action):
    """Do it as soon as so many parts are written."""

    def wait():
        while len(store.files()) < count:
            time.sleep(0.01)
        action()

    threading.Thread(target=wait, daemon=True).start()


def kill(process):
    process.kill()
    process.wait()


def test_5100_cells_give_the_same_rows_as_here(thousands, cluster, tmp_path, undisturbed, rows_of, parity):
    out = tmp_path / "there"
    assert parity("sweep", thousands, "--out", out, "--scheduler", cluster.address).status == 0
    pd.testing.assert_frame_equal(rows_of(out), rows_of(undisturbed))
    assert len(Store(out).table(["worker"]).column("worker").unique()) == 2


def test_a_killed_worker_loses_and_doubles_nothing(
    thousands, cluster, tmp_path, undisturbed, rows_of, parity
):
    store = Store(tmp_path / "killed")
    when_parts(store, 4, lambda: kill(cluster.workers[0]))
    assert parity("sweep", thousands, "--out", store.folder, "--scheduler", cluster.address).status == 0
    assert cluster.workers[0].returncode == -signal.SIGKILL
    pd.testing.assert_frame_equal(rows_of(store.folder), rows_of(undisturbed))


def test_a_killed_client_and_a_killed_scheduler_leave_what_was_finished(
    thousands,
    cluster,
    tmp_path,
    undisturbed,
    rows_of,
    sweep_process,
    killed_in_the_middle,
    monkeypatch,
    parity,
):
    monkeypatch.setattr(dask, "PATIENCE", 3.0)
    store = Store(tmp_path / "out")
    command = [thousands, "--out", store.folder, "--scheduler", cluster.address]
    with sweep_process(*command) as client:
        finished = killed_in_the_middle(client, store.folder, parts=4)
    when_parts(store, len(store.files()) + 4, cluster.scheduler.kill)
    status, out, err = parity("sweep", *command)
    assert status == 2
    assert f"error: the scheduler at {cluster.address} is gone; what is finished is kept" in err
    assert f" cells, {len(finished):,} finished before, of 5,100" in out
    assert finished < store.finished() and len(store.finished()) < 5_100
    assert parity("sweep", thousands, "--out", store.folder, "--workers", 2).status == 0
    pd.testing.assert_frame_equal(rows_of(store.folder), rows_of(undisturbed))


def test_cells_for_a_gpu_wait_for_nobody_who_has_none(cluster, tmp_path):
    plan = make_plan({"part": [{"name": "gpu", "layers": ["relu"], "devices": ["cuda"]}]})
    with pytest.raises(ClusterError, match="needs a GPU and no worker announces one"):
        sweep(plan, tmp_path, 1, cluster.address)


def test_batches_for_a_gpu_go_to_the_worker_that_announces_one(plan, cluster):
    from parity.sweep.cells import Batch

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


def test_a_dry_run_counts_the_threads_of_the_cluster(thousands, cluster, parity):
    status, out, _ = parity("sweep", thousands, "--dry-run", "--scheduler", cluster.address)
    assert status == 0 and "with the cluster's 2 threads, were they as fast as this machine" in out


def test_every_way_is_measured(monkeypatch, cluster):
    monkeypatch.setattr("parity.sweep.speed.WORKERS", (1,))
    monkeypatch.setattr("parity.sweep.speed.started", lambda workers: nullcontext(cluster.address))
    found = measure(seeds=10, runs=1, weight=40)
    ways = [f"{where}, 1 worker" for where in ("here", "Dask")]
    assert [s.where for s in found.speeds] == [f"{w}, {c}" for w in ways for c in ("cheap cells", "nothing")]
    assert all(s.cells > 0 and s.rows >= s.cells for s in found.speeds) and found.rows_a_cell == 2
    nothing = [s.overhead for s in found.speeds if s.where.endswith("nothing")]
    assert all(0 < us < 1e6 * found.direct * 10 for us in nothing)


def test_no_scheduler_is_a_sentence(tmp_path, parity, monkeypatch):
    monkeypatch.setattr(dask, "PATIENCE", 0.5)
    (tmp_path / "plan.toml").write_text("[[part]]\nlayers = ['relu']\n")
    arguments = [tmp_path / "plan.toml", "--out", tmp_path / "o", "--scheduler", "tcp://127.0.0.1:1"]
    status, _, err = parity("sweep", *arguments)
    assert status == 2 and "error: no Dask scheduler answers at tcp://127.0.0.1:1" in err
