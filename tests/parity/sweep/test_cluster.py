"""A real Dask cluster of two worker processes on 127.0.0.1: the same rows, whoever is killed."""

import signal
from contextlib import nullcontext
from itertools import count
from types import SimpleNamespace

import pandas as pd
import pytest
from helpers import wait_until

from parity.sweep import cluster as dask
from parity.sweep.cells import expand
from parity.sweep.cluster import Cluster, ClusterError
from parity.sweep.plan import make_plan
from parity.sweep.run import sweep
from parity.sweep.speed import measure
from parity.sweep.store import Store


@pytest.fixture
def after_parts(monkeypatch):
    """after_parts(count, action): do it as soon as so many more parts are written."""

    def plan(number, action):
        write, numbers = Store.write, count(1)

        def counted(self, *part):
            write(self, *part)
            if next(numbers) == number:
                action()

        monkeypatch.setattr(Store, "write", counted)

    return plan


def kill(process):
    process.kill()
    process.wait()


def test_5700_cells_give_the_same_rows_as_here(thousands, cluster, tmp_path, undisturbed, rows_of, parity):
    out = tmp_path / "there"
    assert parity("sweep", thousands, "--out", out, "--scheduler", cluster.address).status == 0
    pd.testing.assert_frame_equal(rows_of(out), rows_of(undisturbed))
    assert len(Store(out).table(["worker"]).column("worker").unique()) == 2


def test_a_killed_worker_loses_and_doubles_nothing(
    thousands, cluster, tmp_path, undisturbed, rows_of, parity, after_parts
):
    out, worker = tmp_path / "killed", cluster.workers[0]
    after_parts(4, lambda: kill(worker))
    assert parity("sweep", thousands, "--out", out, "--scheduler", cluster.address).status == 0
    assert worker.returncode == -signal.SIGKILL
    pd.testing.assert_frame_equal(rows_of(out), rows_of(undisturbed))


def test_a_killed_client_and_a_killed_scheduler_leave_what_was_finished(
    thousands, cluster, tmp_path, undisturbed, rows_of, killed_sweep, after_parts, monkeypatch, parity
):
    store, there = Store(tmp_path / "out"), ("--scheduler", cluster.address)
    finished = killed_sweep(4, store.folder, thousands, *there)

    def kill_the_scheduler():
        kill(cluster.scheduler)
        monkeypatch.setattr(Cluster, "patience", property(lambda self: 3.0), raising=False)

    after_parts(4, kill_the_scheduler)
    status, out, err = parity("sweep", thousands, "--out", store.folder, *there)
    assert status == 2
    assert f"error: the scheduler at {cluster.address} is gone; what is finished is kept" in err
    assert f" cells, {len(finished):,} finished before, of 5,700" in out
    assert finished < store.finished() and len(store.finished()) < 5_700
    assert parity("sweep", thousands, "--out", store.folder, "--workers", 2).status == 0
    pd.testing.assert_frame_equal(rows_of(store.folder), rows_of(undisturbed))


def test_a_result_that_is_lost_with_its_scheduler_names_the_scheduler():
    class Lost:
        def result(self, timeout):
            raise RuntimeError("scheduler-connection-lost")

    there = object.__new__(Cluster)
    there.address, there.patience, there.client = "tcp://here", 0.0, SimpleNamespace(status="connecting")
    with pytest.raises(ClusterError, match="the scheduler at tcp://here is gone"):
        there._result(Lost())


def test_cells_for_a_gpu_wait_for_nobody_who_has_none(cluster, tmp_path):
    plan = make_plan({"part": [{"name": "gpu", "layers": ["relu"], "devices": ["cuda"]}]})
    with pytest.raises(ClusterError, match="needs a GPU and no worker announces one"):
        sweep(plan, tmp_path, 1, cluster.address)


def test_batches_for_a_gpu_go_to_the_worker_that_announces_one(plan, cluster):
    from parity.sweep.cells import Batch

    def runners():  # inside, so that it travels by value: a worker cannot import the tests
        from parity.sweep import cluster

        return len(cluster._runners.all)

    cells = tuple(expand(plan))[:6]
    with cluster.another_worker("--resources", "GPU=1") as worker, Cluster(cluster.address) as found:
        wait_until(found.has_gpu, worker)
        (address,) = [a for a, w in found.workers().items() if w["resources"].get("GPU")]
        batches = [Batch("gpu", "cuda", (cell,)) for cell in cells]
        done = list(found.run(batches))
        served = found.client.run(runners, workers=[address])[address]
    assert len(done) == 6 and served == 1


def test_a_dry_run_counts_the_threads_of_the_cluster(thousands, cluster, parity):
    status, out, _ = parity("sweep", thousands, "--dry-run", "--scheduler", cluster.address)
    assert status == 0 and "with the cluster's 2 threads, if they are as fast as this machine" in out


def test_every_way_is_measured(monkeypatch, cluster):
    monkeypatch.setattr("parity.sweep.speed.WORKERS", (1,))
    monkeypatch.setattr("parity.sweep.speed.started", lambda workers: nullcontext(cluster.address))
    found = measure(seeds=10, runs=1, weight=40)
    ways = [f"{where}, 1 worker" for where in ("here", "Dask")]
    assert [s.where for s in found.speeds] == [f"{w}, {c}" for w in ways for c in ("cheap cells", "nothing")]
    assert all(s.cells > 0 and s.rows >= s.cells for s in found.speeds) and found.rows_per_cell == 2
    assert all(s.overhead > 0 for s in found.speeds if s.where.endswith("nothing"))


def test_no_scheduler_is_a_sentence(tmp_path, parity, monkeypatch):
    monkeypatch.setattr(dask, "PATIENCE", 0.5)
    (tmp_path / "plan.toml").write_text("[[part]]\nlayers = ['relu']\n")
    arguments = [tmp_path / "plan.toml", "--out", tmp_path / "o", "--scheduler", "tcp://127.0.0.1:1"]
    status, _, err = parity("sweep", *arguments)
    assert status == 2 and "error: no Dask scheduler answers at tcp://127.0.0.1:1" in err
