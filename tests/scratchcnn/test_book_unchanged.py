"""Scripts written like those of the book's chapters 4 to 8, with the book's imports, run unchanged."""

import runpy
import sys
from pathlib import Path
from unittest.mock import MagicMock

import numpy as np
import pytest
from helpers import close

import scratchcnn as sc
import scratchcnn.book
from scratchcnn.book import cast
from scratchcnn.book.common import layers
from scratchcnn.book.common.optimizer import SGD
from scratchcnn.book.common.trainer import Trainer
from scratchcnn.book.dataset import mnist
from scratchcnn.book.finder import Finder
from scratchcnn.cli import main
from scratchcnn.params_file import read_params

SCRIPTS = Path(__file__).parent / "book_scripts"
FINDERS = [finder for finder in sys.meta_path if isinstance(finder, Finder)]
for finder in FINDERS:  # other tests have a `common` of their own
    sys.meta_path.remove(finder)


@pytest.fixture(autouse=True)
def clean(monkeypatch, tmp_path):
    """A folder of its own, the book's seed, no screen, and none of the scripts' modules left over."""
    np.random.seed(0)  # noqa: NPY002  (the scripts draw from it)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(cast, "_said", False)
    monkeypatch.setattr(mnist, "_name", "fashion-mnist-sample")
    monkeypatch.setattr(sys, "meta_path", [FINDERS[0], *sys.meta_path, *FINDERS[1:]])
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(sys, "argv", [*sys.argv])
    plt = MagicMock()
    monkeypatch.setitem(sys.modules, "matplotlib", MagicMock(pyplot=plt))
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", plt)
    before = set(sys.modules)
    yield plt
    for name in set(sys.modules) - before:
        if name.partition(".")[0] in (*SCRIPT_MODULES, "common", "dataset", "simple_convnet", "deep_convnet"):
            del sys.modules[name]


SCRIPT_MODULES = ("two_layer_net", "my_convnet", "mine")


def run(script):
    path = SCRIPTS / script
    sys.path.insert(0, str(path.parent))
    return runpy.run_path(str(path), run_name="__main__")


def falls(losses):
    return np.mean(losses[-5:]) < 0.8 * np.mean(losses[:5])


def test_chapter_4():
    ran = run("ch04/train_neuralnet.py")
    assert falls(ran["losses"]) and ran["accuracy"] > 0.3
    assert ran["by_hand"].keys() == ran["by_differences"].keys()
    for key, grad in ran["by_hand"].items():
        np.testing.assert_allclose(grad, ran["by_differences"][key], atol=1e-6)


def test_chapter_5():
    assert falls(run("ch05/train_neuralnet.py")["losses"])


def test_chapter_6_optimizers():
    ends = run("ch06/optimizer_compare_naive.py")["ends"]
    assert list(ends) == ["SGD", "Momentum", "AdaGrad", "Adam"] and max(ends.values()) < 1


def test_chapter_6_regularization(capsys):
    ran = run("ch06/overfit.py")
    assert falls(ran["losses"]) and len(ran["smooth"]) == 20
    assert len(ran["trainer"].test_acc_list) == 5 and ran["trainer"].train_acc_list[-1] > 0.4
    assert capsys.readouterr().out.count("train loss:") == 30


def test_chapter_7_train_convnet(capsys, clean):
    ran = run("ch07/train_convnet.py")
    printed = capsys.readouterr().out
    assert printed.count("train loss:") == 30 and printed.count("=== epoch:") == 3
    assert "=============== Final Test Accuracy ===============" in printed
    assert falls(ran["trainer"].train_loss_list) and clean.plot.call_count == 2
    assert isinstance(ran["network"], sc.SimpleConvNet)
    assert list(read_params("params.pkl")) == ["W1", "b1", "W2", "b2", "W3", "b3"]


def test_a_network_that_a_reader_typed(capsys):
    ran = run("ch07/train_my_convnet.py")
    losses = ran["trainer"].train_loss_list
    assert falls(losses)
    x, t = ran["x_test"][:50], ran["t_test"][:50]
    close(ran["again"].predict(x), ran["network"].predict(x))
    ran["again"].params["W1"] += 1  # after load_params the layer still has the array of params
    assert not np.allclose(ran["again"].predict(x), ran["network"].predict(x))
    said = capsys.readouterr().err
    assert said.count("scratchcnn.book:") == 1 and "the images are float32 and the weights float64" in said
    assert ran["network"].accuracy(x, t, batch_size=10) > 0.2


def test_a_network_that_a_reader_typed_has_our_gradients():
    typed = run("ch07/my_convnet.py")["SimpleConvNet"](
        (1, 10, 10), dict(sc.networks.simple_conv_net.CONV_PARAM)
    )
    ours = sc.SimpleConvNet((1, 10, 10), dtype=np.float64)
    for key, p in typed.params.items():
        ours.params[key] = p
    x, t = np.random.rand(3, 1, 10, 10), np.array([1, 0, 9])  # noqa: NPY002
    wanted = ours.gradient(x, t)
    for key, grad in typed.gradient(x, t).items():
        close(grad, wanted[key])


def test_a_layer_alone():
    ran = run("ch07/apply_filter.py")
    np.testing.assert_allclose(ran["out"], ran["by_hand"], rtol=1e-5, atol=1e-7)
    assert ran["conv_layer"].x is ran["img"] and ran["dx"].shape == (1, 1, 12, 14)
    assert ran["back"].shape == ran["img"].shape and (ran["back"] >= ran["img"]).all()


def test_chapter_8(capsys):
    ran = run("ch08/misclassified_mnist.py")
    assert ran["classified_ids"].shape == (100,) and 0 <= ran["acc"] <= 1
    assert list(ran["network"].params) == [f"{key}{i}" for i in range(1, 9) for key in "Wb"]
    x = ran["x_test"][:4]
    assert np.array_equal(ran["network"].predict(x).argmax(axis=1), ran["classified_ids"][:4])


def test_seed_decides_the_weights():
    from scratchcnn.book.simple_convnet import SimpleConvNet

    np.random.seed(7)  # noqa: NPY002
    first = SimpleConvNet().params["W1"]
    np.random.seed(7)  # noqa: NPY002
    assert np.array_equal(first, SimpleConvNet().params["W1"])


def test_pooling_keeps_what_the_book_keeps():
    x = np.arange(16.0).reshape(1, 1, 4, 4)
    pool = layers.Pooling(2, 2, stride=2)
    assert np.array_equal(pool.forward(x), [[[[5, 7], [13, 15]]]])
    assert pool.x is x and list(pool.arg_max) == [3, 3, 3, 3]


def test_dropout_is_the_books():
    x, drop = np.ones((50, 50)), layers.Dropout(0.4)
    out = drop.forward(x)
    assert set(np.unique(out)) == {0, 1} and 0.5 < out.mean() < 0.7
    assert np.array_equal(drop.backward(x), out)
    assert np.allclose(drop.forward(x, train_flg=False), 0.6)


def test_labels_as_a_column():
    x, t = np.random.rand(4, 10), np.arange(4)  # noqa: NPY002
    assert layers.SoftmaxWithLoss().forward(x, t.reshape(4, 1)) == layers.SoftmaxWithLoss().forward(x, t)


def test_weights_may_be_replaced():
    conv = layers.Convolution(np.ones((1, 1, 2, 2)), np.zeros(1))
    x = np.ones((1, 1, 3, 3))
    assert conv.forward(x)[0, 0, 0, 0] == 4
    conv.W = 2 * conv.W
    assert conv.forward(x)[0, 0, 0, 0] == 8


def test_trainer_refuses_an_unknown_optimizer():
    with pytest.raises(ValueError, match="no optimizer 'Newton'; there are sgd, "):
        Trainer(None, [0], [0], [0], [0], optimizer="Newton")


def test_optimizers_take_gradients_of_another_type():
    params = {"W": np.ones(2, np.float32)}
    SGD(lr=0.5).update(params, {"W": np.ones(2)})
    assert params["W"].dtype == np.float32 and np.array_equal(params["W"], [0.5, 0.5])


def test_load_mnist_takes_the_books_arguments():
    (x, t), (x_test, _) = mnist.load_mnist()
    assert x.shape == (5000, 784) and x.dtype == np.float32 and x.max() == 1 and t.shape == (5000,)
    (pixels, rows), _ = mnist.load_mnist(normalize=False, flatten=False, one_hot_label=True)
    assert pixels.shape == (5000, 1, 28, 28) and pixels.dtype == np.uint8 and pixels.max() == 255
    assert rows.shape == (5000, 10) and np.array_equal(rows.argmax(axis=1), t) and x_test.shape == (1000, 784)


def test_without_mnist_the_sample_and_a_line(monkeypatch, capsys):
    def load(name, data_dir=None):
        if name == "mnist":
            raise OSError("no network")
        return sc.data.load(name)

    monkeypatch.setattr(mnist, "load", load)
    mnist._dataset.cache_clear()
    assert mnist._dataset("").name == "fashion-mnist-sample"
    assert "MNIST is not to be had (no network)" in capsys.readouterr().err
    mnist._dataset.cache_clear()


def test_the_command_runs_a_script(capsys, tmp_path):
    (tmp_path / "owned.py").write_text("VALUE = 3\n")
    (tmp_path / "script.py").write_text(
        "import sys\nfrom common.util import im2col\nfrom owned import VALUE\nprint(VALUE, sys.argv[1:])\n"
    )
    assert main(["book", "--data", "fashion-mnist-sample", "script.py", "--epochs", "2"]) == 0
    assert capsys.readouterr().out == "3 ['--epochs', '2']\n"


def test_the_command_shows_where_a_script_fails(capsys, tmp_path):
    (tmp_path / "script.py").write_text("import common.layers\nx = 1\nraise ValueError('no luck')\n")
    assert main(["book", "script.py"]) == 1
    lines = capsys.readouterr().err.splitlines()
    assert lines[-1] == "ValueError: no luck" and 'script.py", line 3' in lines[1] and "runpy" not in lines[1]


@pytest.mark.parametrize(
    "args, sentence",
    [
        (["nothing.py"], "there is no file nothing.py"),
        (["--data", "cifar", "here.py"], "no data set 'cifar'"),
    ],
)
def test_the_command_refuses(args, sentence, capsys, tmp_path):
    (tmp_path / "here.py").write_text("")
    assert main(["book", *args]) == 2
    assert sentence in capsys.readouterr().err


def test_readers_own_modules_are_found(tmp_path, monkeypatch):
    (tmp_path / "common").mkdir()
    (tmp_path / "common" / "own_words.py").write_text("WORD = 'own'\n")
    (tmp_path / "common" / "layers.py").write_text("raise RuntimeError('not this one')\n")
    (tmp_path / "simple_convnet.py").write_text("class SimpleConvNet: pass\n")
    monkeypatch.syspath_prepend(tmp_path)
    import common.layers
    import simple_convnet
    from common.own_words import WORD

    assert WORD == "own" and common.layers is layers
    assert not issubclass(simple_convnet.SimpleConvNet, sc.SimpleConvNet)
    assert scratchcnn.book.finder.install() is None
    assert sum(type(f).__name__ == "Finder" for f in sys.meta_path) == 2
