"""The scripts of the book's chapter 7 (tests/scratchcnn/ch07) run at every batch size, on one thread and on
two, fast and textbook."""

import contextlib
import runpy
import sys
from pathlib import Path
from unittest.mock import MagicMock

import numpy as np
import pytest
from helpers import close

from scratchcnn import LeNet, SimpleConvNet, fast
from scratchcnn.fast import batch_split
from scratchcnn.params_file import read_params

RUNGS = {"fast": contextlib.nullcontext, "textbook": fast.textbook}


@pytest.fixture(params=RUNGS)
def rung(request, threads):
    with RUNGS[request.param]():
        yield request.param


@pytest.fixture(params=[1, 21, 100], ids="N={}".format)
def N(request):
    return request.param


@pytest.fixture
def plt(monkeypatch):
    """What the scripts draw with, and nothing on the screen."""
    plt = MagicMock()
    monkeypatch.setitem(sys.modules, "matplotlib", MagicMock(pyplot=plt))
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", plt)
    return plt


def run(script, **given):
    return runpy.run_path(str(Path(__file__).parent / "ch07" / f"{script}.py"), given)


def test_train_convnet_and_visualize_filter(N, rung, plt, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ran = run("train_convnet", N=N)
    losses, trained = ran["trainer"].train_loss_list, ran["network"].params
    assert len(losses) == 6 and np.isfinite(losses).all()
    assert plt.plot.call_count == 2
    saved = read_params("params.pkl")
    assert sorted(saved) == sorted(trained)
    assert all(np.array_equal(saved[key], trained[key]) for key in trained)

    fresh = run("visualize_filter")["network"].params
    assert all(np.array_equal(fresh[key], trained[key]) for key in trained)
    shown = [call.args[0] for call in plt.figure().add_subplot().imshow.call_args_list]
    assert len(shown) == 60 and np.array_equal(shown[30:], trained["W1"][:, 0])


def test_gradient_check(N, rung, monkeypatch):
    monkeypatch.setattr(batch_split, "MIN_SPLIT_ELEMENTS", 1)
    np.random.seed(0)  # noqa: NPY002  (the script draws from it)
    errors = run("gradient_check", N=N)["errors"]
    assert list(errors) == ["W1", "b1", "W2", "b2", "W3", "b3"]
    assert max(errors.values()) < 1e-6  # gradient is float32


def batch(network, N):
    draw = np.random.default_rng(N)
    return draw.standard_normal((N, 1, 28, 28)), draw.integers(0, 10, N)


def test_hand_written_backward(N, rung):
    network = SimpleConvNet(weight_init_std="he", rng=0, dtype=np.float64)
    x, t = batch(network, N)
    network.gradient(*batch(network, N + 1))  # what came before it does not matter
    ran = run("hand_written_backward", network=network, x=x, t=t)
    by_hand, dx = {key: grad.copy() for key, grad in ran["grads"].items()}, ran["dout"]
    wanted = network.gradient(x, t)
    close(dx, network.dx)
    assert by_hand.keys() == wanted.keys()
    for key, grad in wanted.items():
        close(by_hand[key], grad)


def test_hand_written_backward_gives_the_textbooks_gradient(N, threads):
    network, same = LeNet(rng=0, dtype=np.float64), LeNet(rng=0, dtype=np.float64)
    x, t = batch(network, N)
    with fast.textbook():
        wanted = same.gradient(x, t)
    network.loss(x, t)
    network.layers.backward(network.last_layer.backward(1))
    for key, grad in wanted.items():
        close(network.layers.grads[key], grad)
