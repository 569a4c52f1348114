"""The command line: train, summary, predict, what they print, and how they refuse."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from helpers import python
from PIL import Image

from scratchcnn import (
    NETWORKS,
    LeNet,
    LeNet5,
    SimpleConvNet,
    Trainer,
    load_weights,
    save_torch_weights,
    save_weights,
)
from scratchcnn.data import load
from scratchcnn.data.idx import write_idx
from scratchcnn.data.sets import FILES
from scratchcnn.images import read_image
from scratchcnn.load_network import load_network
from scratchcnn.optim import OPTIMIZERS
from scratchcnn.summary import summarize
from scratchcnn.train_command import LEARNING_RATES
from scratchcnn.weights import read_safetensors, write_safetensors


@pytest.fixture(autouse=True)
def as_in_a_pipe(monkeypatch):
    """pytest-xdist sets COLUMNS, to which tables are fitted."""
    monkeypatch.delenv("COLUMNS", raising=False)


@pytest.fixture
def folder(tmp_path):
    """A folder with a small "mnist": 60 training and 30 test images of the sample."""
    data, folder = load(normalize=False), tmp_path / "small"
    folder.mkdir()
    for n, (x, t) in enumerate(
        ((data.x_train[:60], data.t_train[:60]), (data.x_test[:30], data.t_test[:30]))
    ):
        write_idx(folder / FILES[2 * n], x[:, 0])
        write_idx(folder / FILES[2 * n + 1], t.astype(np.uint8))
    return folder


@pytest.fixture
def train(folder, scratchcnn):
    """Runs `train NETWORK --data mnist` on the small set; gives (status, stdout, stderr)."""

    def run(network, *options):
        return scratchcnn("train", network, "--data", "mnist", "--data-dir", folder, *options)

    return run


@pytest.fixture
def picture(tmp_path):
    """The first test image of the sample as a PNG file."""
    Image.fromarray(load(normalize=False).x_test[0, 0]).save(tmp_path / "picture.png")
    return tmp_path / "picture.png"


# -- train ---------------------------------------------------------------------------------------
@pytest.mark.parametrize("network", ["simple_conv_net", "Simple-Conv-Net", "lenet", "lenet5"])
def test_train_says_how_well_it_does(train, network):
    status, out, err = train(network, "--epochs", 2)
    lines = out.splitlines()
    assert (status, err, len(lines)) == (0, "", 4)
    assert re.match(r"\w+, [\d,]+ parameters, float32; mnist, 60 training images; Adam\(lr=", lines[0])
    assert re.match(
        r"epoch 2/2  loss \d+\.\d+  train \d+\.\d\d%  test \d+\.\d\d%  \d+\.\d s  [\d,]+ images/s", lines[2]
    )
    assert re.match(r"test accuracy (\d+\.\d\d)% \(\d+ of 30 images\)", lines[3])


def test_train_does_what_the_library_does(train, tmp_path, folder):
    options = {"optimizer": "momentum", "lr": 0.05, "weight-decay": 0.001, "seed": 4, "batch-size": 7}
    options |= {"dtype": "float64", "epochs": 1, "out": tmp_path / "w"}
    assert train("lenet", *(f"--{key}={value}" for key, value in options.items()))[0] == 0
    data = load("mnist", folder)
    net = LeNet(rng=4, dtype=np.float64)
    rule = OPTIMIZERS["momentum"](lr=0.05, weight_decay=0.001)
    Trainer(net, data.x_train, data.t_train, data.x_test, data.t_test, rule, 1, 7, rng=4).train()
    stored, metadata = read_safetensors(tmp_path / "w")
    assert all(
        np.array_equal(stored[name], p) and stored[name].dtype == np.float64 for name, p in net.params.items()
    )
    assert json.loads(metadata["class_names"]) == list("0123456789")
    assert (metadata["network"], metadata["input_dim"], metadata["data"]) == ("LeNet", "[1, 28, 28]", "mnist")


def test_a_colour_network_of_another_size_is_fed_too(train, monkeypatch, tmp_path, picture, scratchcnn):
    class Colour(SimpleConvNet):
        def __init__(self, input_dim=(3, 35, 40), **options):
            super().__init__(input_dim, **options)

    monkeypatch.setitem(NETWORKS, "colour", Colour)
    assert train("colour", "--epochs", 1, "--out", tmp_path / "w")[0] == 0
    status, out, _ = scratchcnn("predict", "colour", picture, "--weights", tmp_path / "w")
    assert status == 0 and len(out.splitlines()) == 6


def test_no_epochs_only_measure(train):
    status, out, _ = train("lenet", "--epochs", 0)
    assert status == 0 and out.splitlines()[1].startswith("test accuracy ")


def test_default_rates_name_networks_and_optimizers():
    assert set(NETWORKS) >= set(LEARNING_RATES)
    assert all(set(rates) <= set(OPTIMIZERS) for rates in LEARNING_RATES.values())


def test_the_default_run_learns(scratchcnn):
    status, out, _ = scratchcnn("train", "lenet5", "--epochs", 1)
    assert status == 0 and float(re.search(r"test accuracy ([\d.]+)%", out)[1]) > 60


def test_resumed_training_ends_with_the_same_weights(train, tmp_path):
    a, b, run = tmp_path / "a", tmp_path / "b", tmp_path / "run"
    train("lenet", "--epochs", 3, "--out", a)
    train("lenet", "--epochs", 1, "--checkpoint", run)
    status, out, _ = train("lenet", "--epochs", 3, "--resume", run, "--out", b)
    assert status == 0 and "epoch 1/" not in out and "epoch 2/3" in out
    (first, meta), (second, other_meta) = read_safetensors(a), read_safetensors(b)
    assert meta == other_meta and all(np.array_equal(first[name], second[name]) for name in first)
    assert len(read_safetensors(run)[0]["losses"]) == 9  # --resume goes on writing its file


def test_resume_keeps_the_learning_rate_unless_told(train, tmp_path):
    train("lenet", "--epochs", 1, "--checkpoint", tmp_path / "run", "--lr", 0.5)
    assert "Adam(lr=0.5," in train("lenet", "--resume", tmp_path / "run")[1]
    assert "Adam(lr=0.25," in train("lenet", "--resume", tmp_path / "run", "--lr", 0.25)[1]


def test_resuming_another_run_is_refused(train, tmp_path):
    train("lenet", "--epochs", 1, "--checkpoint", tmp_path / "run")
    status, _, err = train("lenet5", "--resume", tmp_path / "run")
    assert status == 2
    assert err == f"error: {tmp_path}/run belongs to another run (network: LeNet in the file, LeNet5 here)\n"


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_says_how_to_go_on(stop, folder, tmp_path):
    run = tmp_path / "a run"
    command = [sys.executable, "-u", "-m", "scratchcnn", "train", "lenet", "--data=mnist"]
    command += [f"--data-dir={folder}", "--epochs=100000", "--checkpoint", str(run)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while "epoch 2/" not in process.stdout.readline():
        assert process.poll() is None
    process.send_signal(stop)
    _, err = process.communicate()
    assert process.returncode == 130
    steps = len(read_safetensors(run)[0]["losses"])
    assert err.startswith(f"interrupted after {steps} steps; continue with: python -m scratchcnn train lenet")
    assert err.endswith(f"--checkpoint '{run}' --resume '{run}'\n") and steps >= 6


def test_ctrl_c_without_a_checkpoint(train, monkeypatch):
    def press(self, batches):
        raise KeyboardInterrupt

    monkeypatch.setattr(Trainer, "_step", press)
    status, _, err = train("lenet")
    assert status == 130
    assert err == "interrupted after 0 steps; nothing was kept; with --checkpoint FILE a run can be resumed\n"


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_diverging_run_is_one_sentence(train):
    status, _, err = train("simple_conv_net", "--optimizer", "sgd", "--lr", 1e30)
    assert status == 2 and re.fullmatch(
        r"error: the loss is \w+ at step 2 .*a smaller learning rate may help\n", err
    )


def full(only):
    """Files of that name cannot be written, as on a full disk."""
    from scratchcnn import weights

    write = weights.write_safetensors

    def refuse(path, *arguments):
        if Path(path).name == only:
            raise OSError(f"cannot write {path}: No space left on device")
        write(path, *arguments)

    return refuse


@pytest.mark.parametrize("option", ["--out", "--checkpoint"])
def test_after_a_full_disk_the_weights_are_kept_elsewhere(option, train, tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.setattr("scratchcnn.weights.write_safetensors", full("mine"))
    monkeypatch.setattr("scratchcnn.checkpoint.write_safetensors", full("mine"))
    status, _, err = train("lenet", "--epochs", 1, option, tmp_path / "mine")
    found = re.fullmatch(r"error: cannot write .*; the weights after 3 steps are in (.*)\n", err)
    assert status == 2 and found, err
    assert load_network("lenet", found[1]).trained_on.class_names == list("0123456789")
    assert not (tmp_path / "mine").exists()


@pytest.mark.parametrize("name", ["lenet.pth", "lenet.onnx"])
def test_out_is_not_given_the_name_of_another_format(name, train, tmp_path):
    status, _, err = train("lenet", "--out", tmp_path / name)
    assert status == 2 and "would hold safetensors: name the file lenet.safetensors" in err


# -- summary -------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("network", "parameters", "multiply_adds"),
    [
        ("simple_conv_net", "433,890", 30 * 25 * 24 * 24 + 4320 * 100 + 100 * 10),
        ("lenet", "61,706", 6 * 25 * 28 * 28 + 16 * 150 * 100 + 400 * 120 + 120 * 84 + 84 * 10),
        ("lenet5", "60,000", 6 * 25 * 28 * 28 + 60 * 25 * 100 + 400 * 120 + 120 * 84 + 84 * 10),
        ("alexnet", "60,965,224", 724_406_816),
    ],
)
def test_summary_counts(network, parameters, multiply_adds, scratchcnn):
    status, out, _ = scratchcnn("summary", network, "--batch", 2)
    assert status == 0 and f"parameters     {parameters} (" in out
    assert f"multiply-adds  {2 * multiply_adds:,} (forward)" in out


def test_summary_shows_a_line_a_layer(scratchcnn):
    status, out, _ = scratchcnn("summary", "lenet", "--batch", 7)
    lines = [re.split(r" {2,}", line.strip()) for line in out.splitlines()]
    assert (
        status == 0
        and [
            "conv2",
            "Convolution(6, 16, filter=5x5, stride=1, pad=0)",
            "(7, 16, 10, 10)",
            "2,416",
            "1,680,000",
        ]
        in lines
    )
    assert ["flatten", "Flatten()", "(7, 400)"] in lines


def test_summarize_leaves_the_network_as_it_was():
    net = LeNet(rng=0)
    rows = summarize(net)
    assert [row.name for row in rows] == list(net.layers)
    assert sum(row.params for row in rows) == net.num_params
    assert not any("forward" in vars(layer) for layer in net.layers.values())
    with pytest.raises(ValueError, match="batch_size must be at least 1, got 0"):
        summarize(net, 0)


# -- predict -------------------------------------------------------------------------------------
def test_predict_needs_nothing_but_the_weights(train, tmp_path, picture, scratchcnn):
    train("lenet", "--epochs", 1, "--out", tmp_path / "w")
    status, out, _ = scratchcnn("predict", "lenet", picture, picture, "--weights", tmp_path / "w")
    lines = out.splitlines()
    assert status == 0 and len(lines) == 12 and lines[:6] == lines[6:]
    assert lines[0] == f"{picture}: not inverted (dark background)"
    net = LeNet()
    load_weights(net, tmp_path / "w")
    scores = np.exp(net.predict(load().x_test[:1])[0].astype(float))
    expected = sorted(((p, str(i)) for i, p in enumerate(scores / scores.sum())), reverse=True)[:5]
    assert [(line.split()[0], line.split()[1]) for line in lines[1:6]] == [
        (f"{p:.2%}", name) for p, name in expected
    ]


def test_predict_inverts_light_pictures_unless_told(train, tmp_path, picture, scratchcnn):
    train("lenet5", "--epochs", 1, "--out", tmp_path / "w")
    negative = tmp_path / "negative.png"
    Image.fromarray(255 - np.asarray(Image.open(picture))).save(negative)
    outs = []
    for path, *options in ((picture,), (negative,), (negative, "--invert"), (picture, "--invert")):
        status, out, _ = scratchcnn("predict", "lenet5", path, "--weights", tmp_path / "w", *options)
        assert status == 0
        outs.append(out.splitlines())
    assert outs[1][0] == f"{negative}: inverted (light background)" and outs[2][0] == f"{negative}: inverted"
    assert outs[0][1:] == outs[1][1:] == outs[2][1:] != outs[3][1:]


def test_predict_on_a_jpeg(train, tmp_path, scratchcnn):
    train("simple_conv_net", "--epochs", 5, "--out", tmp_path / "w")
    x = np.full((280, 240), 250, np.uint8)
    x[80:160, 100:180] = 255 - np.kron(
        load(normalize=False).x_test[0, 0, 4:24, 4:24], np.ones((4, 4), np.uint8)
    )
    Image.fromarray(x).convert("RGB").save(tmp_path / "photo.jpg")
    arguments = (tmp_path / "photo.jpg", "--weights", tmp_path / "w")
    status, out, _ = scratchcnn("predict", "simple_conv_net", *arguments)
    lines = out.splitlines()
    assert status == 0 and lines[0] == f"{tmp_path}/photo.jpg: inverted (light background)"
    net = SimpleConvNet()
    load_weights(net, tmp_path / "w")
    scores = net.predict(read_image(tmp_path / "photo.jpg", margin=4))[0].astype(float)  # MNIST's margin
    assert lines[1].split() == [f"{(np.exp(scores) / np.exp(scores).sum()).max():.2%}", str(scores.argmax())]


def half_described(path):
    write_safetensors(path, {"a": np.ones(1)}, {"network": "LeNet", "class_names": "[]"})


REFUSED = {
    "missing": (lambda path: None, "there is no file {path}"),
    "text": (lambda path: path.write_text("hello"), "{path} is not a whole safetensors file"),
    "of another network": (
        lambda path: save_weights(LeNet5(), path),
        "{path} holds the weights of LeNet5, not of lenet",
    ),
    "half described": (half_described, "{path} does not describe its network (KeyError: 'image_shape')"),
}


@pytest.mark.parametrize(("write", "sentence"), REFUSED.values(), ids=REFUSED)
def test_predict_refuses_other_weights(write, sentence, tmp_path, picture, scratchcnn):
    path = tmp_path / "w.safetensors"
    write(path)
    status, _, err = scratchcnn("predict", "lenet", picture, "--weights", path)
    assert status == 2 and err.startswith(f"error: {sentence.format(path=path)}")


@pytest.mark.parametrize("write", [save_weights, save_torch_weights], ids=["our names", "PyTorch's"])
def test_predict_with_weights_alone_numbers_the_classes(write, tmp_path, picture, scratchcnn):
    net, path = LeNet(rng=1), tmp_path / "w.safetensors"
    write(net, path)
    status, out, _ = scratchcnn("predict", "lenet", picture, "--weights", path)
    lines = out.splitlines()
    assert status == 0 and lines[0] == f"{picture}: not inverted (dark background)"
    best = net.predict(load().x_test[:1])[0].argsort()[::-1][:5]
    assert [int(line.split()[1]) for line in lines[1:]] == best.tolist()


def test_a_blank_picture_is_classified_with_a_word_about_it(tmp_path, scratchcnn):
    save_weights(LeNet(rng=0), tmp_path / "w")
    Image.new("L", (50, 40), 128).save(tmp_path / "blank.png")
    out = scratchcnn("predict", "lenet", tmp_path / "blank.png", "--weights", tmp_path / "w").out
    assert out.splitlines()[0].endswith(" BLANK: all pixels are nearly equal")


def test_predict_without_weights_says_so(picture, scratchcnn):
    sentence = "predict needs --weights FILE, the file with the weights of resnet18"
    assert scratchcnn("predict", "resnet18", picture) == (2, "", f"error: {sentence}\n")


def test_weights_in_the_place_of_the_network_get_the_line_to_write(train, tmp_path, monkeypatch, scratchcnn):
    monkeypatch.chdir(tmp_path)
    train("lenet5", "--epochs", 0, "--out", "my net.safetensors")
    line = "scratchcnn predict lenet5 shoe.jpg --weights 'my net.safetensors'"
    sentence = f"my net.safetensors is a file, not a network; write: {line}"
    assert scratchcnn("predict", "my net.safetensors", "shoe.jpg") == (2, "", f"error: {sentence}\n")


def test_predict_reads_every_picture_before_it_answers(train, tmp_path, picture, scratchcnn):
    train("lenet", "--epochs", 0, "--out", tmp_path / "w")
    ended = scratchcnn("predict", "lenet", picture, tmp_path / "no.png", "--weights", tmp_path / "w")
    assert ended == (2, "", f"error: there is no file {tmp_path}/no.png\n")


# -- help and refusals ---------------------------------------------------------------------------
@pytest.mark.parametrize(
    "args", [[], ["-h"], ["--help"], ["train", "-h"], ["summary", "-h"], ["predict", "-h"]], ids=" ".join
)
def test_help(args, scratchcnn):
    status, out, err = scratchcnn(*args)
    assert (status, err) == (0, "") and "Usage: scratchcnn" in out


def test_help_shows_every_default(scratchcnn):
    out = scratchcnn("train", "-h").out
    options = re.findall(r"^\W*--([a-z-]+)", out, flags=re.M)
    assert {"data", "epochs", "optimizer", "lr", "seed", "out", "resume", "dtype"} <= set(options)
    assert out.count("[default:") == len(options) - 1  # --help has none


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        ("train foo", "there is no network 'foo'; there are simple_conv_net, lenet, lenet5, alexnet"),
        ("train lenet --data foo", "there is no data set 'foo'; there are fashion-mnist-sample, fashion-"),
        ("train lenet --optimizer foo", "there is no optimizer 'foo'; there are sgd, momentum, nesterov"),
        ("train lenet --dtype int8", "--dtype must be float32 or float64, got int8"),
        ("train lenet --lr -1", "Adam: lr must be at least 0 and finite, got -1.0"),
        (
            "train lenet --data mnist --data-dir no/where",
            "there is no folder no/where; name the folder with train-images",
        ),
        ("train lenet --data-dir .", "fashion-mnist-sample is bundled and not read from ."),
        ("train lenet --out no/where", "cannot write"),
        ("train lenet --out .", "cannot write"),
        ("train lenet --out same --checkpoint same", "--out and --checkpoint both name"),
        ("train lenet --resume nothing", "there is no file nothing"),
        ("train lenet --epochs x", "Invalid value for '--epochs'"),
        ("train lenet --batch-size 0", "Invalid value for '--batch-size'"),
        ("train", "Missing argument 'NETWORK'"),
        ("train lenet --foo", "No such option: --foo"),
        ("summary foo", "there is no network 'foo'"),
        ("summary lenet --batch 0", "Invalid value for '--batch'"),
        ("predict w", "Missing argument 'IMAGE...'"),
        ("foo", "No such command 'foo'"),
    ],
)
def test_misuse_is_one_sentence_and_status_2(args, sentence, scratchcnn, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    status, out, err = scratchcnn(*args.split())
    assert (status, out) == (2, "") and err.startswith(f"error: {sentence}") and err.count("\n") == 1


def test_weights_of_nan_predict_nothing(scratchcnn, tmp_path):
    network, picture = LeNet(rng=0), tmp_path / "a.png"
    network.params["conv1.W"][0] = np.nan
    save_weights(network, tmp_path / "w.safetensors")
    Image.effect_mandelbrot((28, 28), (-2, -1, 1, 1), 50).save(picture)
    status, out, err = scratchcnn("predict", "lenet", picture, "--weights", tmp_path / "w.safetensors")
    assert (status, out) == (2, "") and "w.safetensors holds NaN or infinity in conv1.W; train" in err


def test_module_runs():
    result = python("-m", "scratchcnn", "summary", "nope")
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith("error: there is no network 'nope'")


@pytest.mark.parametrize(
    ("module", "package", "args"),
    [
        ("typer", "typer", "-h"),
        ("safetensors", "safetensors", "train lenet --epochs 0 --out net.safetensors"),
    ],
)
def test_a_missing_package_is_one_sentence(module, package, args, tmp_path):
    without = "import sys; sys.modules[sys.argv[1]] = None; from scratchcnn import cli; "
    result = python("-c", without + "sys.exit(cli.main(sys.argv[2:]))", module, *args.split(), cwd=tmp_path)
    needed = f"error: the command line needs {package}, which is not installed: pip install {package}\n"
    assert (result.returncode, result.stderr) == (2, needed)


@pytest.mark.parametrize(
    ("typed", "offered"), [("scratchcnn tr", "train\n"), ("scratchcnn summary lenet", "lenet\nlenet5\n")]
)
def test_tab_completes_commands_and_networks(typed, offered):
    shell = {
        "_SCRATCHCNN_COMPLETE": "complete_bash",
        "COMP_WORDS": typed,
        "COMP_CWORD": str(typed.count(" ")),
    }
    assert python("-m", "scratchcnn", env=os.environ | shell).stdout == offered


def test_importing_the_package_imports_numpy_alone():
    code = "import sys, scratchcnn.data; print({m.split('.')[0] for m in sys.modules} & set(sys.argv))"
    heavy = ["typer", "rich", "pooch", "PIL", "safetensors", "torch", "requests", "pandas"]
    result = python("-c", code, *heavy)
    assert (result.returncode, result.stdout) == (0, "set()\n")


@pytest.mark.parametrize("words", [("scratchcnn", "summary", "lenet"), ("scratchcnn",), ("parity", "kinds")])
def test_a_reader_that_goes_away_ends_a_command_as_sigpipe_does(words):
    """As in `parity kinds | head -1` where `head` has ended: no traceback, and no status of ours."""
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as output:
        done = subprocess.run([sys.executable, "-m", *words], stdout=output, stderr=subprocess.PIPE)
    assert (done.returncode, done.stderr) == (141, b"")
