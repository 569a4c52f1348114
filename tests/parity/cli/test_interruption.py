"""How a command ends before its time: by SIGTERM as by Ctrl-C, and nothing of it runs on after a SIGKILL."""

import signal
import subprocess
import sys
from contextlib import suppress

import psutil
import pytest
from helpers import is_alive, wait_until

ENDLESS = """
class Relu:
    def forward(self, x):
        open("running", "w").close()
        while True:
            pass
    backward = forward
"""


def start(*arguments, cwd):
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen([sys.executable, "-m", "parity", *arguments], cwd=cwd, **quiet)


def below(process, words=""):
    """The ids of the processes that it has started, those whose command has these words in it."""
    found = []
    for child in psutil.Process(process.pid).children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            if words in " ".join(child.cmdline()):
                found.append(child.pid)
    return found


@pytest.fixture
def endless(tmp_path):
    """`verify` of a layer that never answers, while it runs, with the processes that it has started."""
    (tmp_path / "layer.py").write_text(ENDLESS)
    process = start("verify", "layer.py:Relu", cwd=tmp_path)
    wait_until((tmp_path / "running").exists, process)
    with process:
        yield process, below(process)
        process.kill()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_verify_and_what_it_runs_and_is_no_mismatch(number, endless):
    process, children = endless
    process.send_signal(number)
    assert process.wait() == 130 and "Traceback" not in process.stderr.read()
    wait_until(lambda: not any(map(is_alive, children)))


def test_nothing_runs_on_after_a_killed_verify(endless):
    process, children = endless
    assert children
    process.kill()
    wait_until(lambda: not any(map(is_alive, children)))


def test_nothing_runs_on_after_a_killed_pool_of_processes(tmp_path):
    process = start("faults", "relu", "--seeds", "100", "--workers", "2", cwd=tmp_path)
    wait_until(lambda: len(below(process, "spawn_main")) == 2, process)
    children = below(process)
    process.kill()
    process.communicate()
    wait_until(lambda: not any(map(is_alive, children)))


def test_nothing_runs_on_after_a_killed_sweep(tmp_path):
    (tmp_path / "subs").mkdir()
    (tmp_path / "subs" / "mine.py").write_text(ENDLESS)
    (tmp_path / "plan.toml").write_text('[[part]]\nfolder = "subs"\n')
    process = start("sweep", "plan.toml", "--out", "found", cwd=tmp_path)
    wait_until((tmp_path / "running").exists, process)
    children = below(process)
    process.kill()
    process.communicate()
    wait_until(lambda: not any(map(is_alive, children)))


def test_sigterm_keeps_what_train_has(tmp_path):
    process = start("train", "lenet", "--dtype", "float32", "--epochs", "50", "--out", "run", cwd=tmp_path)
    kept = tmp_path / "run" / "lenet-float32.safetensors"
    wait_until(kept.exists, process)  # the first epoch is over
    process.terminate()
    _, err = process.communicate()
    assert process.returncode == 130 and "saved in run/lenet-float32.safetensors" in err
    assert kept.exists()
