"""Data sets in the other forms that people have them in: `.npz`, CSV, and a folder of pictures per class.

    mnist.npz                            x_train, y_train, x_test, y_test, as Keras has it
    mnist_train.csv, mnist_test.csv      a label and its pixels per line, as Kaggle has it
    train/cat/1.png ... test/dog/9.png   a folder of pictures per class

A set without images for testing keeps every seventh image for that (`HELD_OUT`).
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from scratchcnn.params_file import read_params
from scratchcnn.typing import Array

HELD_OUT = 7
PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp")
TRAIN, TEST = ("train", "training"), ("test", "testing", "val", "valid", "validation")
KEYS = (
    ("x_train", "y_train", "x_test", "y_test"),
    ("x_train", "t_train", "x_test", "t_test"),
    ("train_images", "train_labels", "test_images", "test_labels"),
)
Bytes = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Part:
    """Images as bytes (N, C, H, W) and their labels (N,)."""

    x: Bytes
    t: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Found:
    """A set as it was found.

    class_names   of a folder per class; empty where only the numbers of the classes are known
    note          how the images for testing were chosen, where the set has none
    """

    train: Part
    test: Part
    class_names: tuple[str, ...] = ()
    note: str = ""


def find(place: Path, name: str = "") -> Found | None:
    """The set in a file, or in a folder that holds one; None if there is none of these forms. Where a folder
    holds several, it is the one whose files begin with `name`.

    Raises ValueError, naming the file, for one that is damaged or no set of images.
    """
    if place.is_file():
        suffix = place.name.lower()
        if suffix.endswith(".npz"):
            return _from_npz(place)
        return _from_csv(place, None) if suffix.endswith((".csv", ".csv.gz")) else None
    if not place.is_dir():
        return None
    files = sorted(path for path in place.iterdir() if path.is_file())
    files = [path for path in files if path.name.lower().startswith(name)] or files
    if len(archives := [path for path in files if path.suffix.lower() == ".npz"]) == 1:
        return _from_npz(archives[0])
    tables = [path for path in files if path.name.lower().endswith((".csv", ".csv.gz"))]
    if train := [path for path in tables if "train" in path.name.lower()]:
        test = [path for path in tables if "test" in path.name.lower()]
        return _from_csv(train[0], test[0] if test else None)
    return _from_folders(place)


# -- .npz ------------------------------------------------------------------------------------------
def _from_npz(path: Path) -> Found:
    arrays = read_params(path)
    for keys in KEYS:
        if all(key in arrays for key in keys):
            x_train, t_train, x_test, t_test = (arrays[key] for key in keys)
            train = Part(_images(x_train, f"{path}: {keys[0]}"), _labels(t_train, f"{path}: {keys[1]}"))
            test = Part(_images(x_test, f"{path}: {keys[2]}"), _labels(t_test, f"{path}: {keys[3]}"))
            return _checked(path, train, test)
    raise ValueError(f"{path} holds {', '.join(arrays) or 'nothing'}; expected {', '.join(KEYS[0])}")


def _images(x: Array, name: str) -> Bytes:
    """(N, H, W), (N, H, W, C) or (N, C, H, W), C being 1 or 3 -> (N, C, H, W)"""
    if x.ndim == 3:
        x = x[:, None]
    elif x.ndim == 4 and x.shape[3] in (1, 3) and x.shape[1] not in (1, 3):
        x = x.transpose(0, 3, 1, 2)
    elif x.ndim != 4 or x.shape[1] not in (1, 3):
        raise ValueError(f"{name}: expected images (N, H, W) or (N, H, W, 3), got {x.shape}")
    return _as_bytes(x, name)


def _as_bytes(x: Array, name: str) -> Bytes:
    """Whole numbers from 0 to 255, or such numbers divided by 255."""
    if x.dtype == np.uint8 or not x.size:
        return x.astype(np.uint8)
    low, high = x.min(), x.max()
    scaled = x * 255 if x.dtype.kind == "f" and high <= 1 else x
    whole = np.rint(scaled) if x.dtype.kind == "f" else scaled
    if not (low >= 0 and scaled.max() <= 255.001 and np.abs(whole - scaled).max() < 1e-3):
        raise ValueError(
            f"{name}: expected bytes of 0 to 255, or these divided by 255; "
            f"got {x.dtype} from {low:g} to {high:g}"
        )
    return whole.astype(np.uint8)


def _labels(t: Array, name: str) -> NDArray[np.int64]:
    """(N,), the column (N, 1) or one-hot rows -> (N,)"""
    if t.ndim == 2:
        t = t[:, 0] if t.shape[1] == 1 else t.argmax(axis=1)
    if t.ndim != 1 or not np.array_equal(t, np.rint(t)) or (len(t) and t.min() < 0):
        raise ValueError(f"{name}: expected the number of its class for each image, got {t.dtype} {t.shape}")
    return t.astype(np.int64)


# -- CSV -------------------------------------------------------------------------------------------
def _from_csv(train: Path, test: Path | None) -> Found:
    parts = [_table(path) for path in (train, test) if path is not None]
    if parts[0] is None:
        raise ValueError(f"{train} has no column with labels, expected it first or called label")
    if len(parts) == 2 and parts[1] is not None:
        return _checked(train, parts[0], parts[1])
    return _hold_out(train, parts[0])


def _table(path: Path) -> Part | None:
    """The images and labels of a table; None if it has no labels, like Kaggle's own test.csv."""
    try:
        header = np.loadtxt(path, dtype=str, delimiter=",", max_rows=1, ndmin=1, comments=None)
        names = [name.strip().strip('"').lower() for name in header]
        numbers = all(name.isdigit() for name in names)
        rows = np.loadtxt(path, dtype=np.int16, delimiter=",", skiprows=0 if numbers else 1, ndmin=2)
    except (ValueError, OverflowError, EOFError, OSError) as error:
        raise ValueError(f"{path} is not a table of whole numbers: {error}") from None
    column = names.index("label") if "label" in names else 0
    if "label" not in names and _side(rows.shape[1]):
        return None
    side = _side(rows.shape[1] - 1)
    if not side or not len(rows):
        raise ValueError(
            f"{path} has {len(rows):,} rows of {rows.shape[1]} numbers, expected a label and the pixels of a "
            "square image in each, 785 for 28x28"
        )
    x = np.delete(rows, column, axis=1).reshape(len(rows), 1, side, side)
    return Part(_as_bytes(x, str(path)), _labels(rows[:, column], str(path)))


def _side(count: int) -> int:
    """The side of a square of that many pixels, 0 if there is none."""
    side: int = round(max(count, 0) ** 0.5)
    return side if side > 1 and side * side == count else 0


# -- a folder per class ----------------------------------------------------------------------------
def _from_folders(place: Path) -> Found | None:
    folders = {path.name.lower(): path for path in sorted(place.iterdir()) if path.is_dir()}
    train = next((folders[name] for name in TRAIN if name in folders), None)
    if train is None:
        names = _classes(place)
        return _hold_out(place, _pictures(place, names), names) if len(names) > 1 else None
    names, test = _classes(train), next((folders[name] for name in TEST if name in folders), None)
    if not names:
        return None
    if test is None:
        return _hold_out(train, _pictures(train, names), names)
    if (there := _classes(test)) != names:
        raise ValueError(f"{train} has folders for {', '.join(names)}, but {test} for {', '.join(there)}")
    return _checked(place, _pictures(train, names), _pictures(test, names), names)


def _classes(folder: Path) -> tuple[str, ...]:
    """The names of the folders with pictures; numbers are in the order of their values."""
    names = [path.name for path in folder.iterdir() if path.is_dir() and _pictures_in(path)]
    numbers = all(name.isdigit() for name in names)
    return tuple(sorted(names, key=(lambda name: (int(name), name)) if numbers else None))


def _pictures_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in PICTURES)


def _pictures(folder: Path, names: Sequence[str]) -> Part:
    """The pictures of a folder per class, class by class; in colour if one of them is."""
    from scratchcnn.images import as_pixels

    paths = [(i, path) for i, name in enumerate(names) for path in _pictures_in(folder / name)]
    pictures: list[Bytes] = []
    for _, path in paths:
        picture = np.rint(as_pixels(path) * 255).astype(np.uint8)  # (H, W, 1) or (H, W, 3)
        if pictures and picture.shape[:2] != pictures[0].shape[:2]:
            (H0, W0), (H, W) = pictures[0].shape[:2], picture.shape[:2]
            raise ValueError(
                f"{path} has {H}x{W} pixels, {paths[0][1]} {H0}x{W0}; give all pictures the same size"
            )
        pictures.append(picture)
    channels = max(picture.shape[2] for picture in pictures)
    x = np.stack([np.broadcast_to(p, (*p.shape[:2], channels)).transpose(2, 0, 1) for p in pictures])
    return Part(x, np.array([i for i, _ in paths]))


# -- all of them -----------------------------------------------------------------------------------
def _hold_out(path: Path, whole: Part, class_names: tuple[str, ...] = ()) -> Found:
    """A set without images for testing: every seventh is kept for that."""
    if len(whole.x) < HELD_OUT:
        raise ValueError(
            f"{path} has {len(whole.x)} images, expected at least {HELD_OUT}: some are for testing"
        )
    test = np.arange(len(whole.x)) % HELD_OUT == HELD_OUT - 1
    train, held = Part(whole.x[~test], whole.t[~test]), Part(whole.x[test], whole.t[test])
    return _checked(path, train, held, class_names, f"every seventh image of {path.name} is for testing")


def _checked(path: Path, train: Part, test: Part, class_names: tuple[str, ...] = (), note: str = "") -> Found:
    for name, part in (("training", train), ("test", test)):
        if len(part.x) != len(part.t) or not part.x.size:
            raise ValueError(
                f"{path}: expected as many labels as {name} images and at least one, "
                f"got {len(part.t):,} and {len(part.x):,}"
            )
    if train.x.shape[1:] != test.x.shape[1:]:
        raise ValueError(
            f"{os.fspath(path)}: its training images have shape {train.x.shape[1:]}, its test images "
            f"{test.x.shape[1:]}; they do not belong together"
        )
    return Found(train, test, class_names, note)
