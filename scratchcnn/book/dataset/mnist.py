"""The book's dataset/mnist.py (section 3.6.1)."""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path

import numpy as np

from scratchcnn.data import NAMES, Dataset, load
from scratchcnn.data.sets import SAMPLE
from scratchcnn.typing import Array

_name = ""  # the set that was asked for; "" stands for MNIST, or the bundled sample where it is not to be had


def use(name: str) -> None:
    """Let `load_mnist` return this data set instead of MNIST. Raises ValueError for an unknown name."""
    global _name
    if name and name not in NAMES:
        raise ValueError(f"there is no data set {name!r}; there are {', '.join(NAMES)}")
    _name = name


def load_mnist(
    normalize: bool = True, flatten: bool = True, one_hot_label: bool = False
) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    """((x_train, t_train), (x_test, t_test)): x (N, 784), or (N, 1, 28, 28) with `flatten=False`; float32 in
    [0, 1], or bytes with `normalize=False`; t (N,), or (N, 10) with `one_hot_label`.

    MNIST is read from the book's `dataset` folder if it lies in Python's path, else from the folder in
    SCRATCHCNN_DATA, else downloaded once. Where none of this works, the bundled Fashion-MNIST sample (5,000
    and 1,000 pictures of clothes) takes its place, and a line on stderr says so.
    """
    data = _dataset(_name)

    def picked(x: Array, t: Array) -> tuple[Array, Array]:
        x = x.reshape(len(x), -1) if flatten else x
        x = x if normalize else np.rint(x * 255).astype(np.uint8)
        return x, np.eye(10, dtype=int)[t] if one_hot_label else t

    return picked(data.x_train, data.t_train), picked(data.x_test, data.t_test)


@cache
def _dataset(name: str) -> Dataset:
    if name:
        return load(name)
    for folder in (Path(entry) / "dataset" for entry in sys.path):
        if any(folder.glob("train-images*")):
            return load("mnist", folder)
    try:
        return load("mnist")
    except OSError as error:
        print(
            f"scratchcnn.book: MNIST is not to be had ({_first_line(error)}); the bundled Fashion-MNIST "
            "sample is used instead: 5,000 training and 1,000 test images",
            file=sys.stderr,
        )
        return load(SAMPLE)


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__
