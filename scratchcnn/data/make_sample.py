"""How the bundled sample was chosen from Fashion-MNIST, so that anyone can reproduce it.

    python -m scratchcnn.data.make_sample FOLDER OUT

reads the four files of Fashion-MNIST in FOLDER and writes those of the sample to OUT. For each class it
keeps the 500 (test: 100) images with the smallest key, the SHA-256 of "train:<index>" or "test:<index>",
and sorts them by a second key, the SHA-256 of "train order:<index>" or "test order:<index>". So the classes
are of equal size and mixed, without depending on any random number generator.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from scratchcnn.data.idx import read_set, write_idx
from scratchcnn.data.sets import FILES, SETS, _in_folder
from scratchcnn.typing import Array

PER_CLASS = {"train": 500, "test": 100}


def choose(labels: Array, split: str, per_class: int) -> NDArray[np.int64]:
    """Indices of `per_class` images of each class among `labels` (N,), in the order of their second keys.

    Raises ValueError if a class has fewer images.
    """
    kept: list[int] = []
    for label in np.unique(labels):
        members = sorted(np.flatnonzero(labels == label).tolist(), key=_key(split))
        if len(members) < per_class:
            raise ValueError(
                f"{split}: expected {per_class} images of class {label}, there are {len(members)}"
            )
        kept += members[:per_class]
    return np.array(sorted(kept, key=_key(f"{split} order")))


def _key(text: str) -> Callable[[int], bytes]:
    return lambda i: hashlib.sha256(f"{text}:{i}".encode()).digest()


def make_sample(folder: Path, out: Path) -> list[Path]:
    """Write the sample's four files to the folder `out`; errors as `read_set` and `choose`."""
    paths = _in_folder(folder, "fashion-mnist")
    if paths is None:
        raise FileNotFoundError(f"there is no fashion-mnist in {folder}: expected {', '.join(FILES)}")
    out.mkdir(parents=True, exist_ok=True)
    written = []
    for i, (split, per_class) in enumerate(PER_CLASS.items()):
        arrays = read_set(paths[2 * i], paths[2 * i + 1], len(SETS["fashion-mnist"].class_names))
        chosen = choose(arrays[1], split, per_class)
        for array, file in zip(arrays, FILES[2 * i : 2 * i + 2], strict=True):
            written.append(out / f"{file}.gz")
            write_idx(written[-1], array[chosen])
    return written


def main() -> int:
    if len(sys.argv) != 3:
        print("usage: python -m scratchcnn.data.make_sample FOLDER OUT", file=sys.stderr)
        return 2
    try:
        for path in make_sample(Path(sys.argv[1]), Path(sys.argv[2])):
            print(hashlib.sha256(path.read_bytes()).hexdigest(), path)
    except (OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
