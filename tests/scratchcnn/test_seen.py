"""predict without weights, and what it shows of the picture that the network sees."""

import re

import numpy as np
import pytest
from PIL import Image, ImageDraw

from scratchcnn import predict_command
from scratchcnn.cli import main
from scratchcnn.data import load
from scratchcnn.images import stretched
from scratchcnn.load_network import load_network
from scratchcnn.seen import as_characters


@pytest.fixture
def shoe(tmp_path):
    path = tmp_path / "shoe.png"
    Image.fromarray(load(normalize=False).x_test[0, 0]).save(path)
    return path


def test_the_bundled_weights_are_as_good_as_they_say():
    data, sample = load(), "fashion-mnist-sample"
    loaded = load_network("lenet", predict_command.bundled_weights(sample))
    percent = re.search(r"([\d.]+)% of its 1,000", predict_command.BUNDLED[sample])[1]
    assert f"{loaded.network.accuracy(data.x_test, data.t_test):.1%}" == f"{percent}%"
    assert loaded.trained_on.class_names == list(data.class_names)


def test_predict_needs_no_weights_for_lenet(shoe, capsys):
    assert main(["predict", "lenet", str(shoe)]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("bundled weights, trained on the Fashion-MNIST sample")
    assert "Trouser" in printed.splitlines()[2]


@pytest.mark.parametrize(("light", "dark"), [(0.12, 0), (0.25, 90), (-0.25, 165), (0.75, 0)])
def test_a_picture_without_contrast_is_stretched(light, dark, tmp_path, capsys):
    pixels = load(normalize=False).x_test[6, 0]  # an ankle boot
    weak = (dark + light * pixels).astype(np.uint8)
    Image.fromarray(weak).save(tmp_path / "boot.png")
    assert main(["predict", "lenet", str(tmp_path / "boot.png"), "--show-in", str(tmp_path)]) == 0
    _, heading, _, likeliest, *_ = capsys.readouterr().out.splitlines()
    assert "contrast stretched from" in heading and "Ankle boot" in likeliest
    seen = np.asarray(Image.open(tmp_path / "boot.seen.png"), float)
    assert (seen.min(), seen.max()) == (0, 255) and np.abs(seen - pixels).max() <= 1 + 1 / abs(light)


def test_pictures_with_contrast_and_blank_ones_stay_as_they_are():
    x = np.stack([np.linspace(0, 0.85, 784), np.linspace(0.5, 0.54, 784)]).reshape(2, 1, 28, 28)
    assert np.array_equal(stretched(x), x)


def test_what_is_shown_is_not_stretched():
    gray = np.full((1, 2, 2), 0.5)
    assert as_characters(gray) == "\n".join(["++++"] * 2)


@pytest.mark.parametrize("digit", [0, 1, 4, 7])
def test_drawn_digits_are_recognised(digit, tmp_path, capsys):
    image = Image.new("L", (280, 280), 255)
    pen, dark = ImageDraw.Draw(image), {"fill": 0, "width": 24}
    lines = {
        1: [(140, 50, 140, 230)],
        4: [(90, 50, 80, 140), (80, 140, 200, 140), (180, 60, 180, 230)],
        7: [(80, 60, 200, 60), (200, 60, 130, 230)],
    }
    if digit == 0:
        pen.ellipse((80, 50, 200, 230), outline=0, width=24)
    for line in lines.get(digit, []):
        pen.line(line, **dark)
    image.save(tmp_path / "digit.png")
    assert main(["predict", "lenet", str(tmp_path / "digit.png"), "--trained-on", "mnist"]) == 0
    heading, _, likeliest = capsys.readouterr().out.splitlines()[:3]
    assert heading == "bundled weights, trained on MNIST: 98.75% of its 10,000 test images are right"
    assert likeliest.split()[1] == str(digit)


@pytest.mark.parametrize(
    "words, sentence",
    [
        (["lenet", "--trained-on", "minst"], "did you mean mnist?"),
        (
            ["lenet", "--trained-on", "mnist", "--weights", "own.safetensors"],
            "only LeNet has bundled weights",
        ),
        (["alexnet", "--trained-on", "mnist"], "only LeNet has bundled weights"),
    ],
)
def test_trained_on_is_refused(words, sentence, shoe, capsys):
    assert main(["predict", *words, str(shoe)]) == 2
    assert sentence in capsys.readouterr().err


def test_show_prints_and_writes_what_the_network_sees(shoe, tmp_path, capsys):
    assert main(["predict", "lenet", str(shoe), "--show", "--show-in", str(tmp_path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert sum("@" in line for line in lines) > 3 and max(map(len, lines[2:30])) <= 56
    seen = np.asarray(Image.open(tmp_path / "shoe.seen.png"))
    assert seen.shape == (28, 28) and seen.min() == 0 and seen.max() == 255


def test_a_picture_that_is_nothing_is_said_to_be_unsure(tmp_path, capsys, monkeypatch):
    noise = np.random.default_rng(0).integers(0, 255, (28, 28)).astype(np.uint8)
    Image.fromarray(noise).save(tmp_path / "noise.png")
    monkeypatch.setattr(predict_command, "UNSURE", 1.1)
    assert main(["predict", "lenet", str(tmp_path / "noise.png")]) == 0
    assert "  unsure: no class has 110% or more\n" in capsys.readouterr().out


def test_as_characters():
    assert as_characters(np.array([[[0.0, 1.0], [0.5, 0.0]]])) == "  @@\n++"
    assert as_characters(np.zeros((1, 2, 2))) == "\n"


def test_a_missing_folder_is_refused(shoe, capsys):
    assert main(["predict", "lenet", str(shoe), "--show-in", "nowhere"]) == 2
    assert "there is no folder" in capsys.readouterr().err
