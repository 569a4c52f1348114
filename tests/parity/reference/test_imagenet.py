"""Preprocessing is torchvision's evaluation transform; predict prints what PyTorch's network would say."""

import numpy as np
import pytest
import torch
from PIL import Image
from torch_images import antialiased, evaluation_transform

import scratchcnn as sc
from parity.reference.googlenet import GoogLeNet
from parity.reference.vgg_resnet import ResNet
from scratchcnn.imagenet import MEAN, STD, preprocess, resized

SIZES = [(224, 224), (640, 427), (427, 640), (301, 300), (257, 999), (100, 80), (256, 256), (2000, 300)]


def picture(path, width, height, seed=0, mode="RGB"):
    """Smooth colours, edges and noise: something that shows a wrong filter or a shifted crop."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width]
    waves = np.stack([np.sin(x / 9), np.cos(y / 7), np.sin((x + y) / 23)], axis=2) * 60 + 128
    pixels = np.clip(
        waves + 80 * ((x // 17 + y // 13) % 2)[:, :, None] + rng.normal(0, 10, waves.shape), 0, 255
    )
    image = Image.fromarray(pixels.astype(np.uint8)).convert(mode)
    image.save(path)
    return Image.open(path).convert("RGB")


@pytest.mark.parametrize("size", SIZES, ids=lambda s: f"{s[0]}x{s[1]}")
def test_is_the_evaluation_transform(size, tmp_path):
    image = picture(tmp_path / "p.png", *size)
    ours, theirs = preprocess(tmp_path / "p.png"), evaluation_transform(image).numpy()
    assert ours.shape == (1, 3, 224, 224) and ours.dtype == np.float32 and ours.flags.c_contiguous
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=5e-7)


@pytest.mark.parametrize("size", SIZES, ids=lambda s: f"{s[0]}x{s[1]}")
def test_pillows_filter_is_torchs_antialiased_one(size, tmp_path):
    image = picture(tmp_path / "p.png", *size)
    levels = (preprocess(tmp_path / "p.png") * np.reshape(STD, (3, 1, 1)) + np.reshape(MEAN, (3, 1, 1))) * 255
    assert np.abs(levels - antialiased(image).numpy()).max() < 1.1  # Pillow rounds to grey levels twice


@pytest.mark.parametrize("mode", ["L", "RGBA", "P", "LA"])
def test_other_modes_become_rgb(mode, tmp_path):
    image = picture(tmp_path / "p.png", 300, 260, mode=mode)
    np.testing.assert_allclose(preprocess(tmp_path / "p.png"), evaluation_transform(image).numpy(), atol=5e-7)


def test_camera_orientation_is_obeyed(tmp_path):
    image = picture(tmp_path / "p.png", 300, 260)
    exif = Image.Exif()
    exif[0x0112] = 6  # rotate by 270 to see it upright
    image.save(tmp_path / "turned.png", exif=exif)
    wanted = evaluation_transform(image.transpose(Image.Transpose.ROTATE_270)).numpy()
    np.testing.assert_allclose(preprocess(tmp_path / "turned.png"), wanted, atol=5e-7)


def test_other_sizes_and_scales(tmp_path):
    image = picture(tmp_path / "p.png", 400, 300)
    ours = preprocess(tmp_path / "p.png", 112, mean=(0.5,) * 3, std=(0.25,) * 3)
    wanted = evaluation_transform(image, 112, 128, (0.5,) * 3, (0.25,) * 3).numpy()
    np.testing.assert_allclose(ours, wanted, atol=5e-7)
    assert resized(300, 400, 256) == (256, 341) and resized(400, 300, 256) == (341, 256)


def test_what_cannot_be_prepared(tmp_path):
    (tmp_path / "text.jpg").write_text("hello")
    with pytest.raises(FileNotFoundError, match=r"there is no file .*none\.jpg"):
        preprocess(tmp_path / "none.jpg")
    with pytest.raises(ValueError, match=r"text\.jpg is not a picture; convert it to one of"):
        preprocess(tmp_path / "text.jpg")
    with pytest.raises(ValueError, match="expected 0 < size <= resize, got size 224 and resize 200"):
        preprocess(tmp_path / "text.jpg", 224, 200)


# -- predict --------------------------------------------------------------------------------------
@pytest.fixture
def photo(tmp_path):
    return picture(tmp_path / "photo.png", 320, 250), tmp_path / "photo.png"


def spread(module):
    """Random weights whose logits differ enough for a ranking."""
    torch.manual_seed(1)
    with torch.no_grad():
        module.fc.weight.normal_(0, 1)
        for name, buffer in module.named_buffers():
            if "running_var" in name:
                buffer.mul_(0.5)
    return module.eval()


def wanted_lines(module, x):
    with torch.no_grad():
        top = torch.softmax(module(x).double(), 1)[0].topk(5)
    return [f"  {p:7.2%}  {i:4}" for p, i in zip(top.values.tolist(), top.indices.tolist(), strict=True)]


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_predict_prints_what_pytorch_says(suffix, photo, tmp_path, scratchcnn):
    import safetensors.torch

    module, file = spread(ResNet(18)), tmp_path / f"weights{suffix}"
    if suffix == ".pth":
        torch.save(module.state_dict(), file)
    else:
        safetensors.torch.save_file(module.state_dict(), file)
    status, out, err = scratchcnn("predict", "resnet18", "--weights", file, photo[1])
    assert (status, err) == (0, "")
    assert out.splitlines() == [f"{photo[1]}:", *wanted_lines(module, evaluation_transform(photo[0]))]


@pytest.mark.parametrize(
    ("name", "options", "side", "note"),
    [
        ("resnet50-11ad3fa6.pth", (), 232, "photographs are resized to 232 pixels, as torchvision does"),
        ("resnet50-0676ba61.pth", (), 256, None),
        ("w.pth", (), 256, "photographs are resized to 256 pixels; IMAGENET1K_V2 needs --resize 232"),
        ("w.pth", ("--resize", "240"), 240, None),
    ],
)
def test_predict_resizes_as_the_weights_were_trained(name, options, side, note, photo, tmp_path, scratchcnn):
    network = sc.NETWORKS["resnet50"](output_size=7, rng=0)
    sc.save_torch_weights(network, tmp_path / name)
    status, out, _ = scratchcnn("predict", "resnet50", "--weights", tmp_path / name, photo[1], *options)
    wanted = network.predict(preprocess(photo[1], resize=side))[0]
    lines = out.splitlines()
    assert status == 0 and int(lines[-5].split()[1]) == wanted.argmax()
    top = 1 / np.exp(wanted - wanted.max()).sum()
    assert lines[-5].split()[0] == f"{top:.2%}"
    assert [line for line in lines if line.startswith("photographs")] == ([note] if note else [])


def test_predict_names_the_classes_of_a_labels_file(photo, tmp_path, scratchcnn):
    module = spread(ResNet(18))
    torch.save(module.state_dict(), tmp_path / "w.pth")
    (tmp_path / "names.txt").write_text("".join(f"class {i}\n" for i in range(1000)))
    _, out, _ = scratchcnn(
        "predict", "resnet18", "--weights", tmp_path / "w.pth", "--labels", tmp_path / "names.txt", photo[1]
    )
    lines = wanted_lines(module, evaluation_transform(photo[0]))
    assert out.splitlines()[1:] == [f"{line}  class {int(line.split()[1])}" for line in lines]
    (tmp_path / "names.txt").write_text("cat\ndog\n")
    status, _, err = scratchcnn(
        "predict", "resnet18", "--weights", tmp_path / "w.pth", "--labels", tmp_path / "names.txt", photo[1]
    )
    assert status == 2 and "names.txt has 2 lines, expected 1000, one for each class" in err


@pytest.mark.parametrize("aux", [True, False], ids=["with heads", "without heads"])
def test_torchvisions_googlenet_gets_numbers_from_minus_one_to_one(aux, photo, tmp_path, scratchcnn):
    module = spread(GoogLeNet(True, aux))
    torch.save(module.state_dict(), tmp_path / "g.pth")
    _, out, _ = scratchcnn("predict", "googlenet-bn", "--weights", tmp_path / "g.pth", photo[1])
    x = evaluation_transform(photo[0], mean=(0.5,) * 3, std=(0.5,) * 3)
    assert out.splitlines()[1:] == wanted_lines(module, x)


def test_a_head_of_another_size_is_that_of_the_file(photo, tmp_path, scratchcnn):
    module = spread(ResNet(18, 7))
    torch.save(module.state_dict(), tmp_path / "seven.pth")
    status, out, err = scratchcnn("predict", "resnet18", "--weights", tmp_path / "seven.pth", photo[1])
    note = "7 classes, as in the file of weights (resnet18 has 1,000 by default)"
    assert (status, err, out.splitlines()[0]) == (0, "", note)
    assert out.splitlines()[2:] == wanted_lines(module, evaluation_transform(photo[0]))


def test_misuse_of_predict_is_one_sentence(photo, tmp_path, scratchcnn):
    small, resnet18 = tmp_path / "small.pth", tmp_path / "resnet18.safetensors"
    torch.save(ResNet(18, 5, width=8).state_dict(), small)
    sc.save_torch_weights(sc.NETWORKS["resnet18"](rng=0), resnet18)
    cases = {
        ("resnet18", "--weights", small, photo[1]): "does not fit ResNet18, nothing was loaded",
        ("resnet20", "--weights", small, photo[1]): "there is no network 'resnet20'",
        ("resnet18", "--weights", tmp_path / "none.pth", photo[1]): "there is no file",
        ("resnet18", "--weights", resnet18, "--invert", photo[1]): "resnet18 takes photographs as they are",
    }
    for arguments, message in cases.items():
        status, out, err = scratchcnn("predict", *arguments)
        assert (status, out) == (2, "") and message in err, arguments
