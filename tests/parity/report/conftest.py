"""One small but real run, made once and shared by all test processes, and the report written from it."""

import fcntl
import pickle
from dataclasses import replace

import pytest

from parity.checks import training
from parity.report.collect import collect
from parity.report.request import QUICK, ReportRequest, Timed
from parity.report.write import write
from parity.timing import clock
from scratchcnn.data import load

SMALL = {
    **QUICK,
    "networks": ("lenet",),
    "kinds": ("relu", "max_pooling"),
    "seeds": 2,
    "trained": (("simple_conv_net", 2),),
    "timed": (Timed("lenet", 2, rounds=2, baselines=False, layers=True, memory=False),),
    "batches": (1, 2),
    "sides": (14, 28),
}


def small_run():
    data = load()
    few = replace(
        data,
        x_train=data.x_train[:800],
        t_train=data.t_train[:800],
        x_test=data.x_test[:150],
        t_test=data.t_test[:150],
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "load", lambda *args, **options: few)
        patch.setattr(clock, "others_seconds", lambda: 0.0)  # the times are not looked at
        patch.setattr(clock, "MORE_ROUNDS", 1)
        patch.setattr(clock, "APART", float("inf"))
        return collect(ReportRequest(**SMALL))


@pytest.fixture(scope="session")
def found(tmp_path_factory, worker_id):
    """Findings of the small run; with several test processes, one makes it and the others read it."""
    base = tmp_path_factory.getbasetemp()
    path = (base if worker_id == "master" else base.parent) / "findings.pickle"
    with open(f"{path}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            path.write_bytes(pickle.dumps(small_run()))
    return pickle.loads(path.read_bytes())


@pytest.fixture(scope="session")
def folder(found, tmp_path_factory):
    """The report of it on disk."""
    path = tmp_path_factory.mktemp("reports")
    write(found, path)
    return path
