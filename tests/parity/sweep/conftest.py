"""A small plan, and a Dask cluster of two real worker processes on 127.0.0.1."""

import json
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from parity.sweep.cell import TIMING
from parity.sweep.plan import make_plan
from parity.sweep.runner import Runners
from parity.sweep.store import COLUMNS, Store


@pytest.fixture
def plan():
    """40 cells a seed, of a few milliseconds each."""
    return make_plan({"part": [{"name": "small", "layers": ["relu", "affine", "softmax"], "seeds": 5}]})


class SharedRunners(Runners):
    """Whose processes outlive a sweep: starting one takes seconds, a whole test plan less."""

    def stop(self):
        pass

    def close(self):
        pass


@pytest.fixture(scope="session")
def shared_runners():
    runners = SharedRunners()
    yield runners
    Runners.stop(runners)
    Runners.close(runners)


@pytest.fixture(autouse=True)
def started_processes(shared_runners, monkeypatch):
    monkeypatch.setattr("parity.sweep.local.Runners", lambda: shared_runners)


@pytest.fixture
def rows_of():
    return comparable_rows


@pytest.fixture
def local_cluster():
    return started_cluster


@pytest.fixture
def slow_cells():
    """What to run in the place of `run_cell` to have the time to kill something."""
    return f"{Path(__file__).parent / 'cells.py'}:slow"


def comparable_rows(folder):
    """The rows of a sweep without when and where they were made, in an order of their own."""
    names = [name for name in COLUMNS if name not in TIMING]
    table = Store(folder).table(names).to_pandas()
    return table.sort_values(names, ignore_index=True)


class LocalCluster:
    """A scheduler and workers as processes of their own, each to be killed."""

    def __init__(self, folder):
        self.folder, self.workers = folder, []
        file = folder / "scheduler.json"
        self.scheduler = self._start("scheduler", "--port", "0", "--scheduler-file", str(file))
        deadline = time.monotonic() + 60
        while not (file.exists() and file.read_text().strip()):
            assert time.monotonic() < deadline and self.scheduler.poll() is None
            time.sleep(0.05)
        self.address = json.loads(file.read_text())["address"]

    def add_worker(self, *options):
        worker = self._start("worker", self.address, "--nthreads", "1", "--no-nanny", *options)
        self.workers.append(worker)
        return worker

    def _start(self, what, *options):
        command = [sys.executable, "-m", f"distributed.cli.dask_{what}", "--host", "127.0.0.1"]
        command += ["--no-dashboard", *options]
        with (self.folder / f"{what}.log").open("a") as log:
            return subprocess.Popen(command, stdout=log, stderr=log, cwd=self.folder)

    def close(self):
        for process in [*self.workers, self.scheduler]:
            process.kill()
            process.wait()


@contextmanager
def started_cluster(folder, workers=2):
    cluster = LocalCluster(folder)
    try:
        for _ in range(workers):
            cluster.add_worker()
        yield cluster
    finally:
        cluster.close()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    with started_cluster(tmp_path_factory.mktemp("cluster")) as running:
        yield running
