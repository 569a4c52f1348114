"""A small plan, one of 5,700 cells, and a Dask cluster of two real worker processes on 127.0.0.1."""

import fcntl
import json
import signal
import subprocess
import sys
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest
from distributed import Client
from helpers import TIMING, is_alive, python, wait_until

from parity.sweep.plan import load_plan, make_plan
from parity.sweep.run import sweep
from parity.sweep.store import ROW_COLUMNS, Store
from parity.sweep.worker import Runners


@pytest.fixture
def plan():
    """40 cells per seed, of a few milliseconds each."""
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
CELLS = 5_700


@pytest.fixture
def thousands(tmp_path):
    """A plan of 5,700 cells, as a file."""
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
def killed_sweep():
    return killed_after


def comparable_rows(folder):
    """The rows of a sweep without when and where they were made, in an order of their own."""
    names = [name for name in ROW_COLUMNS if name not in TIMING]
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
            self.wait_for(client, workers)
        return self

    def wait_for(self, client, workers):
        """Until the scheduler knows so many workers: who was killed has left, who was started has come."""

        def known():
            return len(client.scheduler_info(n_workers=-1)["workers"])

        wait_until(lambda: known() == workers, self.scheduler, *self.workers)

    def _start_scheduler(self):
        file = self.folder / "scheduler.json"
        file.unlink(missing_ok=True)
        self.scheduler = self._start("scheduler", "--port", "0", "--scheduler-file", str(file))
        wait_until(lambda: file.exists() and file.read_text().strip(), self.scheduler)
        self.address = json.loads(file.read_text())["address"]

    def add_worker(self, *options):
        worker = self._start("worker", self.address, "--nthreads", "1", "--no-nanny", *options)
        self.workers.append(worker)
        return worker

    @contextmanager
    def another_worker(self, *options):
        worker = self.add_worker(*options)
        try:
            yield worker
        finally:
            worker.kill()
            worker.wait()
            self.workers.remove(worker)

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


def killed_after(parts, folder, *arguments):
    """`parity sweep` into the folder, killed when it has written so many parts: the cells that it finished.

    What it had started ends as well.
    """
    script = Path(__file__).parent / "killed_sweep.py"
    done = python(script, parts + 1, *arguments, "--out", folder)
    assert done.returncode == -signal.SIGKILL, done.stderr
    started = [int(pid) for pid in done.stdout.splitlines()[-1].split()]
    assert bool(started) == ("--workers" in arguments)
    wait_until(lambda: not any(map(is_alive, started)))
    assert len(Store(folder).files()) == parts and len(list(folder.rglob(".*.tmp"))) == 1
    assert len(pd.read_parquet(folder / "rows")) > 0  # any reader passes over the unfinished part
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
