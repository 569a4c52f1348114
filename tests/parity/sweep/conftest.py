"""A small plan, one of 5,100 cells, and a Dask cluster of two real worker processes on 127.0.0.1."""

import fcntl
import json
import signal
import subprocess
import sys
import time
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import psutil
import pytest
from distributed import Client
from helpers import TIMING

from parity.sweep.plan import load_plan, make_plan
from parity.sweep.run import sweep
from parity.sweep.store import COLUMNS, Store
from parity.sweep.worker import Runners


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


@dataclass
class Borrowed:
    """Whichever of them is free, in the place of a runner."""

    runners: SharedRunners

    def run(self, cells):
        return self.runners.run(cells, 60.0, 2048)


@pytest.fixture(scope="session")
def shared_runners():
    runners = SharedRunners()
    yield runners
    Runners.stop(runners)
    Runners.close(runners)


@pytest.fixture(scope="session", autouse=True)
def started_processes(shared_runners):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("parity.sweep.local.Runners", lambda: shared_runners)
        patch.setattr("parity.sweep.estimate.Runner", lambda *limits: nullcontext(Borrowed(shared_runners)))
        yield


THOUSANDS = """
[[part]]
name = "thousands"
layers = ["relu", "tanh", "softmax"]
contracts = false
seeds = 150
"""
CELLS = 5_100


@pytest.fixture
def thousands(tmp_path):
    """A plan of 5,100 cells, as a file."""
    path = tmp_path / "thousands.toml"
    path.write_text(THOUSANDS)
    return path


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory, worker_id):
    """The folder of that plan's sweep on two local processes; one test process makes it for all."""
    base = tmp_path_factory.getbasetemp()
    folder = (base if worker_id == "master" else base.parent) / "undisturbed"
    plan = folder.with_suffix(".toml")
    with open(f"{folder}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        plan.write_text(THOUSANDS)
        tally = sweep(load_plan(plan), folder, 2)
    assert tally.complete and tally.total == CELLS
    return folder


@pytest.fixture
def rows_of():
    return comparable_rows


@pytest.fixture
def sweep_process():
    return started_sweep


@pytest.fixture
def killed_in_the_middle():
    return killed_after


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
        self.folder, self.workers, self.scheduler = folder, [], None

    def mend(self, workers=2):
        """Start whoever is not there, or was killed."""
        if self.scheduler is None or self.scheduler.poll() is not None:
            self.close()
            self._start_scheduler()
        self.workers = [worker for worker in self.workers if worker.poll() is None]
        while len(self.workers) < workers:
            self.add_worker()
        with Client(self.address, set_as_default=False) as client:
            client.wait_for_workers(workers, timeout=60)
        return self

    def _start_scheduler(self):
        file = self.folder / "scheduler.json"
        file.unlink(missing_ok=True)
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
        for process in filter(None, [*self.workers, self.scheduler]):
            process.kill()
            process.wait()
        self.workers, self.scheduler = [], None


@contextmanager
def started_sweep(*arguments):
    """`parity sweep` as a process of its own, to be killed."""
    command = [sys.executable, "-m", "parity", "sweep", *map(str, arguments)]
    running = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield running
    finally:
        running.kill()
        running.wait()


def killed_after(running, folder, parts):
    """Kill the sweep in the middle; the cells that it had finished. What it had started ends as well."""
    deadline = time.monotonic() + 60
    while len(Store(folder).files()) < parts:
        assert time.monotonic() < deadline and running.poll() is None
        time.sleep(0.01)
    assert len(pd.read_parquet(folder / "rows")) > 0  # while it is being written
    helpers = psutil.Process(running.pid).children(recursive=True)
    running.kill()
    assert running.wait() == -signal.SIGKILL
    _, alive = psutil.wait_procs(helpers, timeout=30)
    assert not alive
    return Store(folder).finished()


@pytest.fixture(scope="session")
def standing_cluster(tmp_path_factory):
    running = LocalCluster(tmp_path_factory.mktemp("cluster"))
    yield running
    running.close()


@pytest.fixture
def cluster(standing_cluster):
    """Two workers and their scheduler, whoever the test before has killed."""
    return standing_cluster.mend()
