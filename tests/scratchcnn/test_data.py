"""The data package: IDX files, the bundled sample, folders, downloads, batches."""

import gzip
import hashlib
import http.server
import os
import re
import threading
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from helpers import python

from scratchcnn.data import NAMES, load, minibatches, sets
from scratchcnn.data.download import cache_folder, fetch
from scratchcnn.data.idx import read_idx, read_set, write_idx
from scratchcnn.data.make_sample import choose, make_sample
from scratchcnn.data.sets import FILES, SAMPLE_FOLDER, SETS

FULL = os.environ.get("SCRATCHCNN_DATA")


@pytest.fixture(autouse=True)
def no_folder_from_outside(monkeypatch, tmp_path):
    monkeypatch.delenv("SCRATCHCNN_DATA", raising=False)
    monkeypatch.setenv("SCRATCHCNN_CACHE", str(tmp_path / "cache"))


def small_set(folder: Path, suffix: str = ".gz", n: int = 20) -> Path:
    """A set of n training and n test images of 3x4 pixels, in the four files."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    for images, labels in (FILES[:2], FILES[2:]):
        write_idx(folder / f"{images}{suffix}", rng.integers(0, 256, (n, 3, 4), dtype=np.uint8))
        write_idx(folder / f"{labels}{suffix}", np.arange(n, dtype=np.uint8) % 10)
    return folder


# -- the sample ----------------------------------------------------------------------------------
def test_sample_is_balanced_and_ready_to_use():
    data = load()
    assert (data.x_train.shape, data.x_test.shape) == ((5000, 1, 28, 28), (1000, 1, 28, 28))
    assert (data.x_train.dtype, data.t_train.dtype) == (np.float32, np.int64)
    assert (data.x_train.min(), data.x_train.max(), len(data.class_names)) == (0, 1, 10)
    assert np.bincount(data.t_train).tolist() == [500] * 10
    assert np.bincount(data.t_test).tolist() == [100] * 10
    assert "5000, 1, 28, 28" in repr(data)


def test_sample_mixes_the_classes():
    t = load().t_train
    counts = np.array([np.bincount(part, minlength=10) for part in np.split(t, 10)])  # (10 parts, 10 classes)
    assert 30 < counts.min() < counts.max() < 70


def test_sample_has_the_sums_of_its_readme():
    readme = (SAMPLE_FOLDER / "README.md").read_text(encoding="utf-8")
    for file in FILES:
        packed = (SAMPLE_FOLDER / f"{file}.gz").read_bytes()
        sums = (hashlib.sha256(data).hexdigest() for data in (packed, gzip.decompress(packed)))
        assert "| {} | {} | {} |".format(file, *sums) in readme
    assert "Zalando SE" in (SAMPLE_FOLDER / "LICENSE").read_text(encoding="utf-8")


def test_flatten_and_normalize():
    images, rows = load(), load(flatten=True, normalize=False)
    assert (rows.x_train.shape, rows.x_train.dtype) == ((5000, 784), np.uint8)
    assert np.array_equal(rows.x_test[7].reshape(28, 28) / np.float32(255), images.x_test[7, 0])
    rows.x_train[0] = 0  # writable, like any array


def test_sample_is_reproduced_from_the_whole_set(tmp_path):
    if not FULL:
        pytest.skip("needs Fashion-MNIST in full: name its folder in SCRATCHCNN_DATA")
    for path in make_sample(Path(FULL), tmp_path):
        bundled = SAMPLE_FOLDER / path.name
        assert gzip.decompress(path.read_bytes()) == gzip.decompress(bundled.read_bytes())


def test_choose_is_balanced_and_depends_on_the_split_alone():
    labels = np.repeat(np.arange(3), 50)
    chosen = choose(labels, "train", 7)
    assert np.bincount(labels[chosen]).tolist() == [7, 7, 7]
    assert chosen.tolist() == choose(labels, "train", 7).tolist() != choose(labels, "test", 7).tolist()
    with pytest.raises(ValueError, match=re.escape("test: expected 60 images of class 0, there are 50")):
        choose(labels, "test", 60)


def test_make_sample_says_what_is_wrong(tmp_path):
    result = python("-m", "scratchcnn.data.make_sample", tmp_path, tmp_path / "out")
    assert result.returncode == 2
    assert result.stderr.startswith(f"error: there is no fashion-mnist in {tmp_path}: expected train-images")


# -- IDX -----------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", ["a", "a.gz"])
def test_idx_reads_back_what_was_written(tmp_path, name):
    array = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    write_idx(tmp_path / name, array)
    assert np.array_equal(read_idx(tmp_path / name, 3), array)
    assert ((tmp_path / name).read_bytes()[:2] == b"\x1f\x8b") == (name == "a.gz")


def test_idx_gz_holds_neither_time_nor_name(tmp_path):
    write_idx(tmp_path / "a.gz", np.zeros(3, np.uint8))
    assert (tmp_path / "a.gz").read_bytes()[3:8] == bytes(5)  # no flags, so no name, and time 0


GOOD = bytes([0, 0, 8, 1, 0, 0, 0, 3, 7, 8, 9])
BROKEN = {
    "empty": (b"", r"is not an IDX file: expected it to begin with 00 00 08, got ''"),
    "another format": (b"\x89PNG" + bytes(20), r"is not an IDX file: .* got '89 50 4e 47'"),
    "type": (GOOD[:2] + b"\x0d" + GOOD[3:], r"expected unsigned bytes \(IDX type 08\), got IDX type 0d"),
    "dimensions": (GOOD[:3] + b"\x03" + GOOD[4:], r"expected labels \(1 dimensions\), got 3 dimensions"),
    "header cut": (GOOD[:6], r"is truncated: its header needs 8 bytes, the file has 6"),
    "short": (GOOD[:-1], r"is truncated: its header \(3,\) promises 3 bytes, 2 follow"),
    "huge": (GOOD[:4] + b"\xff" * 4 + GOOD[8:], r"is truncated: .* promises 4,294,967,295 bytes"),
    "trailing": (GOOD + b"\0", r"has surplus bytes: its header \(3,\) promises 3 bytes, 4 follow"),
    "gzip cut": (gzip.compress(GOOD)[:-9], r"is a truncated gzip file .*; fetch it again"),
    "gzip damaged": (gzip.compress(GOOD)[:-8] + bytes(8), r"is a damaged gzip file \(CRC check failed.*"),
    "gzip and more": (gzip.compress(GOOD) + b"more", r"is a damaged gzip file"),
}


@pytest.mark.parametrize(("content", "sentence"), BROKEN.values(), ids=BROKEN)
def test_broken_idx_is_refused(tmp_path, content, sentence):
    (tmp_path / "labels").write_bytes(content)
    with pytest.raises(ValueError, match=f"{re.escape(str(tmp_path / 'labels'))}:? {sentence}") as error:
        read_idx(tmp_path / "labels", 1)
    assert "\n" not in str(error.value)


def test_idx_that_cannot_be_read(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"there is no file .*nothing"):
        read_idx(tmp_path / "nothing", 1)
    with pytest.raises(OSError, match=r"cannot read .*: Is a directory"):
        read_idx(tmp_path, 1)


def test_images_and_labels_must_agree(tmp_path):
    x, t = tmp_path / "x", tmp_path / "t"
    write_idx(x, np.zeros((2, 3, 4), np.uint8))
    for labels, sentence in (
        ([1, 2, 3], "x has 2 images but .*t has 3 labels; they do not belong together"),
        ([1, 10], r"t: labels must lie in 0..9, label 1 is 10"),
    ):
        write_idx(t, np.array(labels, np.uint8))
        with pytest.raises(ValueError, match=sentence):
            read_set(x, t, classes=10)
    write_idx(x, np.zeros((0, 3, 4), np.uint8))
    write_idx(t, np.zeros(0, np.uint8))
    with pytest.raises(ValueError, match=r"x holds no pixels: its shape is \(0, 3, 4\)"):
        read_set(x, t, classes=10)


def test_write_idx_refuses_other_types_and_missing_folders(tmp_path):
    with pytest.raises(TypeError, match="expected an array of uint8, got float64"):
        write_idx(tmp_path / "a", np.zeros(3))
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        write_idx(tmp_path / "no" / "a", np.zeros(3, np.uint8))
    assert list(tmp_path.iterdir()) == []


# -- names and folders ---------------------------------------------------------------------------
def test_unknown_name_lists_the_known_ones():
    with pytest.raises(
        ValueError, match="no data set 'cifar'; there are fashion-mnist-sample, fashion-mnist, mnist"
    ):
        load("cifar")
    assert NAMES == ("fashion-mnist-sample", "fashion-mnist", "mnist")


@pytest.mark.parametrize("suffix", [".gz", ""], ids=["gzipped", "unpacked"])
@pytest.mark.parametrize("sub", ["", "mnist"], ids=["in the folder", "in a folder with its name"])
def test_folder_by_argument_and_by_variable(tmp_path, monkeypatch, suffix, sub):
    small_set(tmp_path / "d" / sub, suffix)
    data = load("mnist", data_dir=tmp_path / "d")
    assert (data.x_train.shape, data.class_names[3], data.name) == ((20, 1, 3, 4), "3", "mnist")
    monkeypatch.setenv("SCRATCHCNN_DATA", str(tmp_path / "d"))
    assert np.array_equal(load("mnist").x_test, data.x_test)


@pytest.mark.parametrize("place", ["MNIST/raw", "raw", "mnist"])
@pytest.mark.parametrize("dot", [False, True], ids=["dash", "dot"])
def test_folders_as_torchvision_and_older_copies_have_them(place, dot, tmp_path):
    folder = small_set(tmp_path / place, "")
    for file in FILES if dot else ():
        (folder / file).rename(folder / file.replace("-idx", ".idx"))
    assert load("mnist", tmp_path).x_train.shape == (20, 1, 3, 4)


def test_a_folder_for_each_file_as_kaggle_packs_them(tmp_path):
    folder = small_set(tmp_path, "")
    for file in FILES:
        (folder / file).rename(folder / "part")
        (folder / file).mkdir()
        (folder / "part").rename(folder / file / file)
    assert load("mnist", tmp_path).x_train.shape == (20, 1, 3, 4)


def test_names_in_capitals_and_with_underscores_are_read(tmp_path):
    for path in list(small_set(tmp_path).iterdir()):
        path.rename(path.with_name(path.name.replace("-", "_").upper()))
    assert len(load("mnist", tmp_path).t_train) == len(load(str(tmp_path)).t_train) == 20


def test_a_near_miss_is_named(tmp_path):
    small_set(tmp_path / "archive" / "mnist" / "files")
    wanted = r"there are such files in .*files: name that folder"
    for ask in (lambda: load(str(tmp_path)), lambda: load("mnist", tmp_path)):
        with pytest.raises((ValueError, FileNotFoundError), match=wanted):
            ask()
    (tmp_path / "wrong").mkdir()
    (tmp_path / "wrong" / "train-images-idx3-ubtye.gz").write_bytes(b"")
    with pytest.raises(
        ValueError, match=r"it holds train-images-idx3-ubtye\.gz: should that be train-images-idx3"
    ):
        load(str(tmp_path / "wrong"))


def test_a_copy_of_another_form_is_named(tmp_path):
    (tmp_path / "archive.zip").touch()
    with pytest.raises(FileNotFoundError, match=r"files of another form are not read \(archive.zip\)$"):
        load("mnist", tmp_path)
    with pytest.raises(FileNotFoundError, match=r"archive.zip is no data set; name the folder with train-"):
        load("mnist", tmp_path / "archive.zip")


def test_folders_that_lack_something(tmp_path, monkeypatch):
    with pytest.raises(
        FileNotFoundError, match=f"no mnist in {tmp_path}: expected train-images.*or in .*MNIST/raw"
    ):
        load("mnist", data_dir=tmp_path)
    (small_set(tmp_path) / f"{FILES[3]}.gz").unlink()
    with pytest.raises(FileNotFoundError, match=f"{tmp_path} lacks t10k-labels-idx1-ubyte "):
        load("mnist", data_dir=tmp_path)
    with pytest.raises(ValueError, match=r"sample is bundled and not read from .*fashion-mnist or mnist"):
        load(data_dir=tmp_path)
    monkeypatch.setenv("SCRATCHCNN_DATA", str(tmp_path / "no"))
    with pytest.raises(FileNotFoundError, match=r"SCRATCHCNN_DATA is .*no, but there is no such folder"):
        load("mnist")


@pytest.mark.parametrize(("wanted", "there"), [("mnist", "fashion-mnist"), ("fashion-mnist", "mnist")])
def test_the_other_set_is_not_taken_for_the_one_asked_for(tmp_path, wanted, there):
    small_set(tmp_path)
    labels = np.resize(np.array(SETS[there].first_labels, np.uint8), 20)
    write_idx(tmp_path / f"{FILES[1]}.gz", labels)
    assert load(there, data_dir=tmp_path).t_train[0] == labels[0]
    with pytest.raises(ValueError, match=f"holds the labels of {there}, not of {wanted}; ask for {there}"):
        load(wanted, data_dir=tmp_path)


def test_training_and_test_images_must_have_one_size(tmp_path):
    write_idx(small_set(tmp_path) / f"{FILES[2]}.gz", np.zeros((20, 5, 5), np.uint8))
    with pytest.raises(
        ValueError, match=r"has images of \(3, 4\) pixels, .* of \(5, 5\); they do not belong"
    ):
        load("mnist", data_dir=tmp_path)


# -- downloads -----------------------------------------------------------------------------------
class Handler(http.server.SimpleHTTPRequestHandler):
    asked: list[str] = []  # noqa: RUF012  (set anew by the fixture)

    def do_GET(self):
        type(self).asked.append(self.path)
        super().do_GET()

    def log_message(self, *args):
        pass


@pytest.fixture
def server(tmp_path):
    """(address, folder): what is in the folder can be downloaded from the address."""
    folder = small_set(tmp_path / "served")
    Handler.asked = []
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/", folder
        server.shutdown()
        thread.join()


def sums(folder: Path) -> dict[str, str]:
    return {f"{f}.gz": hashlib.sha256((folder / f"{f}.gz").read_bytes()).hexdigest() for f in FILES}


def test_load_downloads_once(server, monkeypatch, tmp_path):
    url, folder = server
    published = sets.Published(tuple("0123456789"), (), (url,), tuple(sums(folder).values()))
    monkeypatch.setitem(SETS, "mnist", published)
    assert load("mnist").x_train.shape == load("mnist").x_test.shape == (20, 1, 3, 4)
    assert sorted(Handler.asked) == sorted(f"/{file}.gz" for file in FILES)
    assert (cache_folder() / "mnist" / f"{FILES[0]}.gz").is_file()


def test_download_damaged_in_the_cache_is_fetched_again(server, tmp_path):
    url, folder = server
    (path, *_) = fetch("mnist", [url], sums(folder), tmp_path)
    path.write_bytes(b"damaged")
    fetch("mnist", [url], sums(folder), tmp_path)
    assert path.read_bytes() == (folder / path.name).read_bytes()


def test_download_takes_the_next_address(server, tmp_path):
    url, folder = server
    paths = fetch("mnist", [f"{url}nothing/", url], sums(folder), tmp_path)
    assert [path.parent for path in paths] == [tmp_path / "mnist"] * 4


def test_download_with_another_sum_is_not_kept(server, tmp_path):
    url, folder = server
    known = sums(folder)
    (folder / f"{FILES[0]}.gz").write_bytes(b"something else")
    with pytest.raises(OSError, match=f"{FILES[0]}.gz of mnist .{url} has a file with another SHA-256.; put"):
        fetch("mnist", [url], known, tmp_path)
    assert list((tmp_path / "mnist").iterdir()) == []


def test_failed_download_is_one_sentence_with_a_way_out(server, tmp_path):
    url, folder = server
    nobody = "http://127.0.0.1:1/"
    with pytest.raises(OSError, match="cannot download") as error:
        fetch("mnist", [f"{url}nothing/", nobody], sums(folder), tmp_path)
    assert f"({url}nothing/: HTTP status 404; {nobody}: no connection)" in str(error.value)
    assert str(error.value).endswith(
        "into a folder and name it with --data-dir (data_dir=) or in SCRATCHCNN_DATA"
    )


def test_cache_that_cannot_be_made(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(
        OSError, match=r"cannot make the cache folder .*; name another one in SCRATCHCNN_CACHE"
    ):
        fetch("mnist", ["http://127.0.0.1:1/"], {}, tmp_path / "file")


# -- batches -------------------------------------------------------------------------------------
@pytest.mark.parametrize(("drop_last", "lengths"), [(False, [4, 4, 2]), (True, [4, 4])])
def test_minibatches_visit_each_image_once(drop_last, lengths):
    batches = list(minibatches(10, 4, np.random.default_rng(3), drop_last))
    assert [len(batch) for batch in batches] == lengths
    assert len(set(np.concatenate(batches).tolist())) == sum(lengths)
    assert not np.array_equal(np.concatenate(batches), np.arange(sum(lengths)))


def test_minibatches_repeat_with_the_seed_and_differ_between_epochs():
    rng, same = np.random.default_rng(3), np.random.default_rng(3)
    first, second = (np.concatenate(list(minibatches(10, 4, rng))) for _ in range(2))
    assert np.array_equal(first, np.concatenate(list(minibatches(10, 4, same))))
    assert not np.array_equal(first, second)


@pytest.mark.parametrize("sizes", [(0, 4), (10, 0)])
def test_minibatches_refuse_sizes_below_one(sizes):
    with pytest.raises(ValueError, match=r"n and batch_size must be at least 1, got n=.* and batch_size="):
        minibatches(*sizes, np.random.default_rng())  # at the call, not at the first batch


def test_minibatches_refuse_to_drop_everything():
    with pytest.raises(ValueError, match="drop_last leaves no batch: there are 3 images and batch_size is 4"):
        minibatches(3, 4, np.random.default_rng(), drop_last=True)
