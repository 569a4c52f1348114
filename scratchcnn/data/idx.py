"""IDX, the file format of MNIST: a few bytes of header followed by the numbers, often gzipped.

    00 00 08 03   two zeros, the type (08: unsigned bytes), the number of dimensions
    00 00 ea 60   each dimension, 4 bytes, most significant first: 60000
    00 00 00 1c   28
    00 00 00 1c   28, followed by 60000 * 28 * 28 bytes

Reading is strict: a file that is damaged, truncated or of another format is refused.
"""

from __future__ import annotations

import gzip
import math
import os
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from scratchcnn.files import atomic_write
from scratchcnn.typing import PathLike

GZIP = b"\x1f\x8b"
UNSIGNED_BYTES = 0x08


def read_idx(path: PathLike, ndim: int) -> NDArray[np.uint8]:
    """The array in an IDX file of unsigned bytes with `ndim` dimensions, gzipped or not.

    Raises FileNotFoundError if there is no file, OSError if it cannot be opened, and ValueError, naming
    the file, for another format, type, number of dimensions or length.
    """
    data = _bytes_of(path)
    if len(data) < 4 or data[:2] != b"\0\0":
        raise ValueError(
            f"{path} is not an IDX file: expected it to begin with 00 00 08, got {data[:4].hex(' ')!r}"
        )
    kind, dimensions = data[2], data[3]
    if kind != UNSIGNED_BYTES:
        raise ValueError(f"{path}: expected unsigned bytes (IDX type 08), got IDX type {kind:02x}")
    if dimensions != ndim:
        what = {1: "labels", 3: "images"}.get(ndim, "an array")
        raise ValueError(f"{path}: expected {what} ({ndim} dimensions), got {dimensions} dimensions")
    start = 4 + 4 * ndim
    if len(data) < start:
        raise ValueError(f"{path} is truncated: its header needs {start} bytes, the file has {len(data)}")
    shape = tuple(int.from_bytes(data[i : i + 4], "big") for i in range(4, start, 4))
    got, size = len(data) - start, math.prod(shape)
    if got != size:
        what = "is truncated" if got < size else "has surplus bytes"
        raise ValueError(f"{path} {what}: its header {shape} promises {size:,} bytes, {got:,} follow")
    return np.frombuffer(data, np.uint8, offset=start).reshape(shape)


def read_set(images: PathLike, labels: PathLike, classes: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Images (N, H, W) and their labels (N,) from two files that belong together.

    Raises ValueError if the counts differ, if there is no image, or if a label is not below `classes`;
    otherwise errors as `read_idx`.
    """
    x, t = read_idx(images, 3), read_idx(labels, 1)
    if len(x) != len(t):
        raise ValueError(
            f"{images} has {len(x):,} images but {labels} has {len(t):,} labels; they do not belong together"
        )
    if not x.size:
        raise ValueError(f"{images} holds no pixels: its shape is {x.shape}")
    if t.max() >= classes:
        i = int((t >= classes).argmax())
        raise ValueError(f"{labels}: labels must lie in 0..{classes - 1}, label {i} is {t[i]}")
    return x, t


def write_idx(path: PathLike, array: NDArray[np.uint8]) -> None:
    """Write an array of unsigned bytes, gzipped if the name ends in .gz, whole or not at all.

    The same array gives the same bytes: the gzip header contains neither a time nor a name.

    Raises TypeError for another dtype, FileNotFoundError if the folder is missing.
    """
    if array.dtype != np.uint8:
        raise TypeError(f"{path}: expected an array of uint8, got {array.dtype}")
    header = bytes([0, 0, UNSIGNED_BYTES, array.ndim]) + b"".join(n.to_bytes(4, "big") for n in array.shape)
    data = header + array.tobytes()
    if os.fspath(path).endswith(".gz"):
        data = gzip.compress(data, compresslevel=9, mtime=0)
    with atomic_write(path) as unfinished:
        unfinished.write_bytes(data)


def _bytes_of(path: PathLike) -> bytes:
    """The content of the file, decompressed if it is gzipped (by its first bytes, not its name)."""
    try:
        data = Path(path).read_bytes()
    except FileNotFoundError:
        raise FileNotFoundError(f"there is no file {path}") from None
    except OSError as error:
        raise OSError(f"cannot read {path}: {error.strerror}") from error
    if data[:2] != GZIP:
        return data
    try:
        return gzip.decompress(data)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        what = "truncated" if isinstance(error, EOFError) else "damaged"
        raise ValueError(f"{path} is a {what} gzip file ({error}); fetch it again") from error
