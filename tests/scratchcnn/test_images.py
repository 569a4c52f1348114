"""Pictures from files, and nearest-neighbour resizing."""

import numpy as np
import pytest
import torch
from PIL import Image

from scratchcnn.data import load
from scratchcnn.imagenet import preprocess
from scratchcnn.images import is_blank, light_background, read_image, resize

rng = np.random.default_rng(0)


def save(path, array, mode=None, **options):
    image = Image.fromarray(array)
    (image.convert(mode) if mode else image).save(path, **options)
    return path


# -- reading -------------------------------------------------------------------------------------
def test_a_picture_of_the_right_size_is_not_touched(tmp_path):
    data = load(normalize=False)
    path = save(tmp_path / "a.png", data.x_test[0, 0])
    x = read_image(path)
    assert (x.shape, x.dtype) == ((1, 1, 28, 28), np.float32)
    assert np.array_equal(x[0], load().x_test[0])


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "LA", "P", "1"])
def test_every_kind_of_black_and_white_reads_the_same(tmp_path, mode):
    array = (rng.random((5, 7)) < 0.3).astype(np.uint8) * 255
    path = save(tmp_path / "a.png", array, mode)
    assert read_image(path, (1, 5, 7), invert=False)[0, 0] == pytest.approx(array / 255)


def test_colours_become_gray_by_luma_and_gray_becomes_three_channels(tmp_path):
    array = rng.integers(0, 256, (5, 7, 3), dtype=np.uint8)
    colour = read_image(save(tmp_path / "a.png", array), (3, 5, 7), invert=False)
    gray = read_image(tmp_path / "a.png", (1, 5, 7), invert=False)
    assert np.array_equal(colour[0], (array / 255).astype(np.float32).transpose(2, 0, 1))
    assert gray[0, 0] == pytest.approx((array / 255) @ [0.299, 0.587, 0.114], abs=1e-6)
    three = read_image(save(tmp_path / "g.png", array[:, :, 0]), (3, 5, 7), invert=False)
    assert np.array_equal(three[0, 1], three[0, 2])


def test_16_bits_are_kept(tmp_path):
    array = rng.integers(0, 65536, (5, 7), dtype=np.uint16)
    path = save(tmp_path / "a.png", array)
    assert read_image(path, (1, 5, 7), invert=False)[0, 0] == pytest.approx(array / 65535, abs=1e-7)


@pytest.mark.parametrize("kind", ["RGBA", "LA", "palette", "gray with a key"])
def test_transparency_shows_white(tmp_path, kind):
    path = tmp_path / "a.png"
    if kind == "palette":
        save(path, np.zeros((5, 7), np.uint8), "P", transparency=0)
    elif kind == "gray with a key":
        save(path, np.full((5, 7), 9, np.uint8), transparency=9)
    else:
        Image.new(kind, (7, 5), 0).save(path)
    assert (read_image(path, (1, 5, 7), invert=False) == 1).all()


def test_half_transparent_is_mixed_with_white(tmp_path):
    Image.new("RGBA", (7, 5), (0, 0, 0, 51)).save(tmp_path / "a.png")
    assert read_image(tmp_path / "a.png", (3, 5, 7), invert=False) == pytest.approx(0.8)


def test_the_orientation_of_the_camera_is_obeyed(tmp_path):
    array = np.zeros((16, 32), np.uint8)
    array[:8] = 255
    exif = Image.Exif()
    exif[0x0112] = 6  # shown turned by 90 degrees, clockwise
    Image.fromarray(array).save(tmp_path / "a.jpg", exif=exif, quality=95)
    x = read_image(tmp_path / "a.jpg", (1, 32, 16), invert=False)[0, 0]
    assert x[:, :8].max() < 0.1 < 0.9 < x[:, 8:].min()


@pytest.mark.parametrize("margin", [0, 4])
@pytest.mark.parametrize("turned", [False, True], ids=["lying", "standing"])
def test_trimmed_scaled_centred_on_the_colour_of_the_border(tmp_path, turned, margin):
    array = np.full((140, 110, 3), (51, 60, 70), np.uint8)
    array[5, 5] = 60  # within 5 % of the border's colour
    array[30:50, 20:60, 0] = 255  # 20 x 40 pixels are left
    path = save(tmp_path / "a.png", array.swapaxes(0, 1) if turned else array)
    x = read_image(path, (3, 28, 28), False, margin)[0]
    x = x.swapaxes(1, 2) if turned else x
    h, w = (28 - 2 * margin) // 2, 28 - 2 * margin
    thing = np.zeros((28, 28), bool)
    thing[14 - h // 2 : 14 + h // 2, 14 - w // 2 : 14 + w // 2] = True
    assert np.allclose(x[:, thing].T, [1, 60 / 255, 70 / 255])
    assert np.allclose(x[:, ~thing].T, np.array([51, 60, 70]) / 255)


def test_a_picture_of_nothing_stays_what_it_is(tmp_path):
    assert (
        read_image(save(tmp_path / "a.png", np.full((50, 70), 51, np.uint8)), invert=False) == np.float32(0.2)
    ).all()


def test_the_background_is_judged_before_the_thing_fills_the_frame(tmp_path):
    array = np.full((100, 100), 255, np.uint8)
    array[20:80, 20:80] = 30
    path = save(tmp_path / "a.png", array)
    assert light_background(path) and read_image(path) == pytest.approx(225 / 255)


def test_shrinking_averages(tmp_path):
    array = np.indices((280, 280)).sum(axis=0).astype(np.uint8) % 2 * 255  # a fine chessboard
    assert read_image(save(tmp_path / "a.png", array), invert=False) == pytest.approx(0.5, abs=0.02)


INVERT = {
    "light": (None, 255, True),
    "dark": (None, 0, False),
    "asked for": (True, 0, True),
    "declined": (False, 255, False),
}


@pytest.mark.parametrize(("invert", "border", "inverted"), INVERT.values(), ids=INVERT)
def test_invert(tmp_path, invert, border, inverted):
    array = np.full((28, 28), border, np.uint8)
    array[8:20, 8:20] = 100
    path = save(tmp_path / "a.png", array)
    x = read_image(path, invert=invert)[0, 0]
    assert light_background(path) == (border == 255)
    assert x[10, 10] == pytest.approx(155 / 255 if inverted else 100 / 255)


def test_fashion_mnist_is_not_inverted(tmp_path):
    for i, image in enumerate(load(normalize=False).x_test[:50, 0]):
        assert not light_background(save(tmp_path / f"{i}.png", image))


@pytest.mark.parametrize("damage", ["cut", "text", "empty", "eps", "folder", "bits"])
def test_a_broken_picture_is_one_sentence(tmp_path, damage):
    path = save(tmp_path / "a.png", rng.integers(0, 256, (64, 64), dtype=np.uint8))
    whole = path.read_bytes()
    contents = {"cut": whole[:800], "text": b"hello", "empty": b"", "bits": whole[:100] + whole[900:]}
    if damage == "eps":  # Pillow would start another program for it
        Image.new("L", (5, 5)).save(path, format="EPS")
    elif damage == "folder":
        path = tmp_path
    else:
        path.write_bytes(contents[damage])
    with pytest.raises(
        ValueError,
        match=r"is not a picture; convert it to one of BMP|cannot be read as a picture|is a folder; name the",
    ) as error:
        read_image(path)
    assert str(path) in str(error.value) and "\n" not in str(error.value)


# -- both readers, every kind of file -------------------------------------------------------------
GRAY = (np.add.outer(np.arange(240), np.arange(300)) / 540 * 255).astype(np.uint8)
RGB = np.stack([GRAY, 255 - GRAY, GRAY // 2], axis=2)


def both(path):
    return preprocess(path), read_image(path, (3, 240, 300), invert=False)


DEEP = {
    "16 bits.png": GRAY.astype(np.uint16) * 257,
    "16 bits.tiff": GRAY.astype(np.uint16) * 257,
    "float.tiff": GRAY.astype(np.float32) / 255,
}


@pytest.mark.parametrize(("name", "array"), DEEP.items(), ids=DEEP)
def test_deep_gray_reads_as_its_8_bits(name, array, tmp_path):
    for deep, plain in zip(
        both(save(tmp_path / name, array)), both(save(tmp_path / "8.png", GRAY)), strict=True
    ):
        np.testing.assert_allclose(deep, plain, atol=1e-6)


@pytest.mark.parametrize("mode", ["LA", "RGBA", "P", "CMYK", "YCbCr", "RGBX"])
def test_every_mode_reads_as_its_colours(mode, tmp_path):
    image = Image.fromarray(GRAY if mode in ("LA", "P") else RGB).convert(mode)
    image.save(tmp_path / "other.tiff")
    image.convert("RGB").save(tmp_path / "plain.png")
    for other, plain in zip(both(tmp_path / "other.tiff"), both(tmp_path / "plain.png"), strict=True):
        np.testing.assert_allclose(other, plain, atol=1e-6)


# EXIF's orientation -> how a camera turned the upright picture before it stored it
TURNED = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,  # shown turned by 90 degrees clockwise
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


@pytest.mark.parametrize(("orientation", "turn"), TURNED.items(), ids=str)
def test_all_orientations_of_a_camera(orientation, turn, tmp_path):
    upright, exif = Image.fromarray(RGB), Image.Exif()
    exif[0x0112] = orientation
    (upright if turn is None else upright.transpose(turn)).save(tmp_path / "turned.png", exif=exif)
    upright.save(tmp_path / "upright.png")
    for turned, plain in zip(both(tmp_path / "turned.png"), both(tmp_path / "upright.png"), strict=True):
        np.testing.assert_array_equal(turned, plain)


@pytest.mark.parametrize("read", [preprocess, read_image])
@pytest.mark.parametrize(
    ("scale", "sentence"), [(255, "0 to 255, expected 0 to 1; divide them by 255"), (np.nan, "NaN")]
)
def test_floating_point_pixels_beyond_0_to_1_are_refused(read, scale, sentence, tmp_path):
    save(tmp_path / "a.tiff", np.linspace(0, 1, 35, dtype=np.float32).reshape(5, 7) * np.float32(scale))
    with pytest.raises(ValueError, match=f"cannot be read as a picture: it.*{sentence}"):
        read(tmp_path / "a.tiff")


def test_blank_pictures_are_known():
    assert is_blank(np.ones((1, 3, 5, 5)) * np.array([0.3, 0.5, 0.9]).reshape(3, 1, 1))
    assert not is_blank(np.linspace(0, 0.06, 25).reshape(1, 1, 5, 5))


def test_a_missing_picture_and_a_wrong_shape(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"there is no file .*nothing\.png"):
        read_image(tmp_path / "nothing.png")
    with pytest.raises(ValueError, match=r"expected a shape of 1 or 3 channels, got \(2, 28, 28\)"):
        read_image(tmp_path / "nothing.png", (2, 28, 28))
    with pytest.raises(
        ValueError, match="margin must be at least 0 and leave some of 28 x 28 pixels, got 14"
    ):
        read_image(tmp_path / "nothing.png", margin=14)


# -- resizing ------------------------------------------------------------------------------------
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.uint8], ids=lambda d: d.__name__)
@pytest.mark.parametrize("size", [(227, 227), (32, 28), (13, 7), (1, 1), (56, 5)], ids=str)
def test_resize_is_torchs_nearest_exact(size, dtype):
    x = rng.integers(0, 256, (2, 3, 28, 28)).astype(dtype)
    expected = torch.nn.functional.interpolate(torch.from_numpy(x), size, mode="nearest-exact").numpy()
    assert np.array_equal(resize(x, (3, *size)), expected)
    assert resize(x, (3, *size)).dtype == dtype


def test_resize_repeats_one_channel():
    x = rng.random((2, 1, 4, 5))
    out = resize(x, (3, 8, 10))
    assert out.shape == (2, 3, 8, 10) and np.array_equal(out[:, 0], out[:, 2])
    assert np.array_equal(out[0, 0, ::2, ::2], x[0, 0])


def test_resize_gives_back_what_fits():
    x = rng.random((2, 1, 4, 5))
    assert resize(x, (1, 4, 5)) is x
    assert resize(x[:0], (3, 8, 10)).shape == (0, 3, 8, 10)


REFUSED = [
    ((3, 4, 5), r"expected images of shape \(N, C, H, W\), got \(3, 4, 5\)"),
    ((2, 3, 0, 5), r"expected images of shape \(N, C, H, W\), got \(2, 3, 0, 5\)"),
    ((2, 3, 4, 5), r"cannot turn 3 channels into 1; only one channel can be repeated"),
]


@pytest.mark.parametrize(("shape", "sentence"), REFUSED, ids=str)
def test_resize_refuses(shape, sentence):
    with pytest.raises(ValueError, match=f"resize: {sentence}"):
        resize(np.zeros(shape), (1, 8, 8))
