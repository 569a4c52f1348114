"""Every reader of foreign files answers a damaged one with its documented error, in one sentence.

Valid files are cut, and bytes in them flipped, inserted, deleted and set to extremes, by a fixed seed.
"""

import base64
import io
import warnings

import numpy as np
import pytest
from PIL import Image

from scratchcnn import SimpleConvNet, Trainer, save_torch_weights, save_weights
from scratchcnn.data.idx import read_idx, write_idx
from scratchcnn.imagenet import preprocess
from scratchcnn.images import read_image
from scratchcnn.params_file import read_params
from scratchcnn.state_dict import read_pth
from scratchcnn.weights import read_safetensors

COUNT = 2000
EXTREMES = [b"\x00" * 4, b"\xff" * 4, b"\xff\xff\xff\x7f", b"\xff" * 8, b"\x00" * 8, b"9" * 12, b"-1"]


def mutated(data, rng):
    """One to three random changes; most near the start, where headers are."""
    for _ in range(rng.integers(1, 4)):
        reach = len(data) if rng.random() < 0.4 else min(len(data), 300)
        i = int(rng.integers(0, max(1, reach)))
        match rng.integers(0, 5):
            case 0:
                data = data[:i]
            case 1:
                data = (
                    data[:i] + bytes([data[i] ^ 1 << int(rng.integers(0, 8))]) + data[i + 1 :]
                    if data
                    else data
                )
            case 2:
                data = data[:i] + rng.bytes(int(rng.integers(1, 9))) + data[i:]
            case 3:
                data = data[:i] + data[i + int(rng.integers(1, 9)) :]
            case _:
                extreme = EXTREMES[rng.integers(0, len(EXTREMES))]
                data = data[:i] + extreme + data[i + len(extreme) :]
    return data


def network():
    return SimpleConvNet((1, 5, 5), {"filter_num": 2, "filter_size": 2}, 3, 2, rng=0)


def params(suffix):
    def make(path):
        network().save_params(path.with_suffix(suffix))
        return path.with_suffix(suffix).read_bytes()

    return make


def trainer():
    x, t = np.zeros((4, 1, 5, 5), np.float32), np.array([0, 1, 0, 1])
    return Trainer(network(), x, t, x, t, "Adam", 1, 2, rng=0)


def checkpoint(path):
    run = trainer()
    run.train()
    run.save_checkpoint(path)
    return path.read_bytes()


def saved(write):
    def make(path):
        write(path)
        return path.read_bytes()

    return make


def picture(kind, mode="RGB"):
    def make(path):
        image = Image.effect_mandelbrot((20, 16), (-2, -1, 1, 1), 50).convert(mode)
        image.save(buffer := io.BytesIO(), kind)
        return buffer.getvalue()

    return make


def idx(path):
    write_idx(path, np.arange(60, dtype=np.uint8).reshape(3, 4, 5))


LEGACY = """
gAKKCmz8nEb5IGqoUBkugAJN6QMugAJ9cQAoWBAAAABwcm90b2NvbF92ZXJzaW9ucQFN6QNYDQAAAGxpdHRsZV9lbmRpYW5x
AohYCgAAAHR5cGVfc2l6ZXNxA31xBChYBQAAAHNob3J0cQVLAlgDAAAAaW50cQZLBFgEAAAAbG9uZ3EHSwR1dS6AAn1xAChY
CAAAAGEud2VpZ2h0cQFjdG9yY2guX3V0aWxzCl9yZWJ1aWxkX3RlbnNvcl92MgpxAigoWAcAAABzdG9yYWdlcQNjdG9yY2gK
RmxvYXRTdG9yYWdlCnEEWA4AAAA5NDIwNzE4ODYxMTE1MnEFWAMAAABjcHVxBksETnRxB1FLAEsCSwKGcQhLAksBhnEJiWNj
b2xsZWN0aW9ucwpPcmRlcmVkRGljdApxCilScQt0cQxScQ1YBgAAAGEuYmlhc3EOaAIoKGgDaARYDgAAADk0MjA3MTAyMDc1
MDI0cQ9oBksCTnRxEFFLAEsChXERSwGFcRKJaAopUnETdHEUUnEVdS6AAl1xAChYDgAAADk0MjA3MTAyMDc1MDI0cQFYDgAA
ADk0MjA3MTg4NjExMTUycQJlLgIAAAAAAAAAAACAPwAAgD8EAAAAAAAAAAAAAAAAAIA/AAAAQAAAQEA=
"""


def legacy(path):
    """A small file as torch.save wrote it before 1.6: vectors of 4 and 2 numbers."""
    path.write_bytes(base64.b64decode(LEGACY))


READERS = {
    "pth": (".pth", saved(lambda path: save_torch_weights(network(), path)), read_pth),
    "pth before 1.6": (".pth", saved(legacy), read_pth),
    "safetensors": (".safetensors", saved(lambda path: save_weights(network(), path)), read_safetensors),
    "npz": (".npz", params(".npz"), read_params),
    "pickle": (".pkl", params(".pkl"), read_params),
    "checkpoint": (".run", checkpoint, lambda path: trainer().resume(path)),
    "idx": ("", saved(idx), lambda path: read_idx(path, 3)),
    "idx, gzipped": (".gz", saved(idx), lambda path: read_idx(path, 3)),
    "png": (".png", picture("PNG"), read_image),
    "png with a palette": (".png", picture("PNG", "P"), preprocess),
    "jpeg": (".jpg", picture("JPEG"), preprocess),
    "tiff": (".tiff", picture("TIFF", "L"), read_image),
    "gif": (".gif", picture("GIF", "P"), read_image),
}


@pytest.mark.slow
@pytest.mark.parametrize(("suffix", "make", "read"), READERS.values(), ids=READERS)
def test_a_damaged_file_is_one_sentence(suffix, make, read, tmp_path):
    rng, path = np.random.default_rng(0), tmp_path / f"file{suffix}"
    whole, refused = make(path), 0
    for i in range(COUNT):
        data = mutated(whole, rng)
        path.write_bytes(data)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # Pillow's, about odd metadata
                read(path)
        except (ValueError, OSError) as error:
            refused += 1
            first, *rest = str(error).splitlines()
            assert str(path) in first and (not rest or "does not fit" in first), (i, error)
    assert refused > COUNT / 10
