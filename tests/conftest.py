"""One thread a test process: pytest runs several, and threads that wait for each other's cores spin.

What concerns threads asks for the fixture `threads` and runs with one and with two; what concerns the
command line asks for `scratchcnn` (or `parity`) and runs the command in this process.
"""

import os
import signal
import sys
from pathlib import Path

import pytest
from helpers import Ended
from threadpoolctl import threadpool_limits

HOMEWORK = str(Path(__file__).parent / "parity" / "homework")
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")
# JAX computes the same with machine code that is compiled in half the time: small networks run once.
os.environ.setdefault(
    "XLA_FLAGS", "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true"
)
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:  # as in the background of a shell: its children too
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(params=[1, 2], ids=["1 thread", "2 threads"])
def threads(request):
    """Run the test on one thread of NumPy's BLAS, hence of `scratchcnn.fast`, and again on two."""
    from scratchcnn.fast.threads import count

    with threadpool_limits(request.param, user_api="blas"):
        assert count() == request.param
        yield request.param


@pytest.fixture(autouse=True)
def no_modules_of_other_tests(tmp_path_factory):
    """A test's own `layers.py` or `mine.py` is not what the next test imports by that name."""
    before = set(sys.modules)
    yield
    theirs = str(tmp_path_factory.getbasetemp()), HOMEWORK
    for name in sys.modules.keys() - before:
        if (getattr(sys.modules[name], "__file__", None) or "").startswith(theirs):
            del sys.modules[name]
    sys.path[:] = [folder for folder in sys.path if not folder.startswith(theirs)]


@pytest.fixture
def scratchcnn(capsys):
    """Run the command `scratchcnn` with these arguments in this process, which is quick."""
    from scratchcnn.cli import main

    def run(*arguments):
        status = main([str(a) for a in arguments])
        return Ended(status, *capsys.readouterr())

    return run
