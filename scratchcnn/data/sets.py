"""The data sets by name, read from a folder or else downloaded."""

from __future__ import annotations

import os
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from scratchcnn.data import forms
from scratchcnn.data.idx import read_set
from scratchcnn.typing import Array, PathLike

# The names of a set's four files, the same in both sets; each may be gzipped, with .gz after its name.
FILES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)
SAMPLE = "fashion-mnist-sample"
SAMPLE_FOLDER = Path(__file__).parent / "fashion_mnist_sample"
DATA_VARIABLE = "SCRATCHCNN_DATA"


@dataclass(frozen=True)
class Published:
    """A set as published: its classes, the addresses of its files and their SHA-256 (gzipped).

    `first_labels` distinguishes the sets, whose files have the same names and sizes.
    """

    class_names: tuple[str, ...]
    first_labels: tuple[int, ...]
    urls: tuple[str, ...]
    sha256: tuple[str, ...]


# The checksums of Fashion-MNIST belong to the files whose MD5 is in its README; those of MNIST to the files
# of the usual mirrors (MD5 f68b3c2d..., d53e105e..., 9fb629c4..., ec29112d...).
SETS = {
    "fashion-mnist": Published(
        class_names=(
            "T-shirt/top",
            "Trouser",
            "Pullover",
            "Dress",
            "Coat",
            "Sandal",
            "Shirt",
            "Sneaker",
            "Bag",
            "Ankle boot",
        ),
        first_labels=(9, 0, 0, 3, 0, 2, 7, 2, 5, 5),
        urls=(
            "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
            "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        ),
        sha256=(
            "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
            "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
            "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
            "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
        ),
    ),
    "mnist": Published(
        class_names=tuple("0123456789"),
        first_labels=(5, 0, 4, 1, 9, 2, 1, 3, 1, 4),
        urls=(
            "https://storage.googleapis.com/cvdf-datasets/mnist/",
            "https://ossci-datasets.s3.amazonaws.com/mnist/",
        ),
        sha256=(
            "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
            "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
            "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
            "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
        ),
    ),
}
NAMES = (SAMPLE, *SETS)
FORMS = "IDX files, an .npz with x_train, y_train, x_test and y_test, CSV, or a folder of pictures per class"
OTHER_FORMS = (".npz", ".csv", ".parquet", ".zip", ".tar", ".tgz", ".tar.gz", ".png", ".jpg", ".mat")
TORCHVISION = {"mnist": "MNIST", "fashion-mnist": "FashionMNIST"}  # its folders


@dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """Images and labels for training and for testing.

    x_train, x_test   (N, C, H, W) float32 in [0, 1]
    t_train, t_test   (N,) int64, indices into class_names
    note              how the images for testing were chosen, where the set came without any
    """

    x_train: Array
    t_train: NDArray[np.int64]
    x_test: Array
    t_test: NDArray[np.int64]
    class_names: tuple[str, ...]
    name: str
    note: str = ""

    def __repr__(self) -> str:
        shapes = f"x_train {self.x_train.shape}, x_test {self.x_test.shape}"
        return f"Dataset({self.name}: {shapes}, {self.x_train.dtype})"


def load(
    name: str = SAMPLE,
    data_dir: PathLike | None = None,
    flatten: bool = False,
    normalize: bool = True,
) -> Dataset:
    """A data set by name: "fashion-mnist-sample" (bundled), "fashion-mnist" or "mnist"; or one of your own by
    its path.

    The full sets are read from `data_dir`, else from the folder in the environment variable
    SCRATCHCNN_DATA: there, in a subfolder with the set's name, or where torchvision puts them, gzipped or
    not. Without either they are downloaded once into a cache and verified by their published checksums.

    A path names, and `data_dir` may hold, such a set in another form: IDX files, Keras's `.npz`, Kaggle's
    CSV, or a folder of pictures per class (forms.py).

    flatten      images as rows, (N, C*H*W), as the book's `load_mnist` does by default
    normalize    False: the bytes 0..255 as stored, uint8

    Raises ValueError for an unknown name and for files that are damaged or of another set,
    FileNotFoundError if the folder lacks a file, OSError if a download fails.
    """
    found, label = _find(name, data_dir)
    classes = found.class_names or _numbered(found)
    if name in NAMES:
        published = SETS["fashion-mnist" if name == SAMPLE else name]
        if len(classes) > len(published.class_names):
            raise ValueError(f"{label} has {len(classes)} classes, {name} has {len(published.class_names)}")
        if name != SAMPLE:
            _refuse_another_set(name, label, found.train.t)
        classes = published.class_names
    (x_train, t_train), (x_test, t_test) = (
        (_images(part.x, flatten, normalize), part.t) for part in (found.train, found.test)
    )
    return Dataset(x_train, t_train, x_test, t_test, classes, name, found.note)


def _find(name: str, data_dir: PathLike | None) -> tuple[forms.Found, str]:
    """The set, downloaded if necessary; and the file with its labels, for messages."""
    if name == SAMPLE:
        if data_dir is not None:
            raise ValueError(
                f"{SAMPLE} is bundled and not read from {os.fspath(data_dir)}; "
                f"name the set in that folder: {' or '.join(SETS)}"
            )
        return _from_idx(_in_folder(SAMPLE_FOLDER, name) or [])
    if name not in NAMES and (data_dir is not None or not os.path.exists(name)):
        raise ValueError(f"there is no data set {name!r}; there are {', '.join(NAMES)}, or name a path")
    place = _place(name if name not in NAMES else data_dir)
    if place is not None:
        if paths := _in_folder(place, name):
            return _from_idx(paths, 10 if name in NAMES else 256)
        explicit = data_dir is not None or name not in NAMES  # the variable's folder may hold anything
        for path in (place / name, place / f"{name}.npz", *([place] if explicit else [])):
            if found := forms.find(path, name):
                return found, str(path)
        if name not in NAMES:
            raise ValueError(f"{place} is no data set; expected {FORMS}{_near_miss(place)}")
        if data_dir is not None:
            raise FileNotFoundError(_not_there(place, name))
    from scratchcnn.data.download import fetch

    published = SETS[name]
    sums = {f"{file}.gz": sha256 for file, sha256 in zip(FILES, published.sha256, strict=True)}
    return _from_idx(fetch(name, published.urls, sums))


def _place(given: PathLike | None) -> Path | None:
    """Where to look: what was given, else the folder in the environment variable."""
    if given is not None:
        return Path(given).expanduser()
    if not (variable := os.environ.get(DATA_VARIABLE)):
        return None
    folder = Path(variable).expanduser()
    if not folder.is_dir():
        raise FileNotFoundError(f"{DATA_VARIABLE} is {folder}, but there is no such folder")
    return folder


def _from_idx(paths: list[Path], classes: int = 10) -> tuple[forms.Found, str]:
    train, test = read_set(paths[0], paths[1], classes), read_set(paths[2], paths[3], classes)
    if train[0].shape[1:] != test[0].shape[1:]:
        raise ValueError(
            f"{paths[0]} has images of {train[0].shape[1:]} pixels, {paths[2]} of {test[0].shape[1:]}; "
            "they do not belong together"
        )
    of_train, of_test = (forms.Part(x[:, None], t.astype(np.int64)) for x, t in (train, test))  # (N, 1, H, W)
    return forms.Found(of_train, of_test), str(paths[1])


def _numbered(found: forms.Found) -> tuple[str, ...]:
    """Names of the classes of which only the numbers are known."""
    return tuple(map(str, range(1 + int(max(found.train.t.max(), found.test.t.max())))))


def _images(x: NDArray[np.uint8], flatten: bool, normalize: bool) -> Array:
    """(N, C, H, W) -> the same, or (N, C*H*W)"""
    x = x.reshape(len(x), -1) if flatten else x
    return x / np.float32(255) if normalize else x.copy()


def _not_there(folder: Path, name: str) -> str:
    """The sentence about a folder without the set's files, with those in it that are of another form."""
    wanted = f"{', '.join(FILES)} (with or without .gz)"
    if not folder.is_dir():
        what = f"{folder} is no data set" if folder.exists() else f"there is no folder {folder}"
        return f"{what}; name the folder with {wanted}, or {FORMS.removeprefix('IDX files, ')}"
    others = sorted(path.name for path in folder.iterdir() if path.name.lower().endswith(OTHER_FORMS))
    hint = f"; files of another form are not read ({', '.join(others[:4])})" if others else ""
    return (
        f"there is no {name} in {folder}: expected {wanted} "
        f"there, in {folder / name} or in {folder / TORCHVISION[name] / 'raw'}{hint}{_near_miss(folder)}"
    )


def _near_miss(folder: Path) -> str:
    """The folder below this one that holds such files, or a file whose name is nearly right; for an error."""
    if not folder.is_dir():
        return ""
    for place in _folders_below(folder):
        if any(_file(place, file) for file in FILES):
            return f"; there are such files in {place}: name that folder"
    for path in sorted(folder.iterdir()):
        if near := get_close_matches(path.name.lower().removesuffix(".gz"), FILES, 1, 0.85):
            return f"; it holds {path.name}: should that be {near[0]}?"
    return ""


def _folders_below(folder: Path, depth: int = 3, most: int = 100) -> list[Path]:
    """The folders in this one, to that depth, the nearest first."""
    found, level = [], [folder]
    for _ in range(depth):
        level = [path for place in level for path in sorted(place.iterdir()) if path.is_dir()][:most]
        found += level
    return found


def _in_folder(folder: Path, name: str) -> list[Path] | None:
    """The set's four files in the folder or where torchvision puts them; None if it has none of them.

    Raises FileNotFoundError if only some of them are there.
    """
    raw = f"{TORCHVISION.get(name, name)}/raw"
    for place in (folder / name, folder, folder / raw, folder / "raw"):
        found = [_file(place, file) for file in FILES]
        if any(found):
            if missing := [file for file, path in zip(FILES, found, strict=True) if path is None]:
                raise FileNotFoundError(f"{place} lacks {', '.join(missing)} (with or without .gz)")
            return [path for path in found if path]
    return None


def _file(folder: Path, name: str) -> Path | None:
    """The file of that name, gzipped or not, with a dash or, as in older copies, a dot before "idx", in
    capitals or with underscores; also in a folder of its own name, as Kaggle's archive has it."""
    names = [f"{n}{suffix}" for n in (name, name.replace("-idx", ".idx")) for suffix in ("", ".gz")]
    places = [place for n in names for place in (folder / n, folder / n / n)]
    if found := next((place for place in places if place.is_file()), None):
        return found
    files = sorted(folder.iterdir()) if folder.is_dir() else []
    return next((path for path in files if _letters(path.name) == _letters(name) and path.is_file()), None)


def _letters(name: str) -> str:
    """Train_Images.IDX3_ubyte.gz -> trainimagesidx3ubyte"""
    return "".join(c for c in name.lower().removesuffix(".gz") if c.isalnum())


def _refuse_another_set(name: str, path: str, labels: NDArray[np.int64]) -> None:
    """Refuse the files of another set, which have the same names."""
    start = tuple(labels[:10].tolist())
    for other, published in SETS.items():
        if other != name and start == published.first_labels:
            raise ValueError(
                f"{path} holds the labels of {other}, not of {name}; ask for {other} or name another folder"
            )
