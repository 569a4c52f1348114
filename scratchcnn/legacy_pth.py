"""PyTorch's files before 1.6: a row of pickles, followed by the storages.

    magic number, version, about the machine, the object, the storages' keys      five pickles
    for each key: the count of its numbers (int64), then the numbers

torchvision's VGG-16 is such a file. `torch.save(..., _use_new_zipfile_serialization=False)` writes it still.
"""

from __future__ import annotations

import mmap
import os
from typing import Any

import numpy as np

from scratchcnn.safe_pickle import Refused, SafeUnpickler
from scratchcnn.torch_pickle import Dtype, TensorUnpickler
from scratchcnn.typing import PathLike

MAGIC = bytes.fromhex("6cfc9c46f9206aa85019")  # the number 0x1950a86a20f9469cfc6c as a pickle holds it
VERSION = 1001
COUNT_BYTES = 8


def is_legacy(path: PathLike) -> bool:
    """Whether the file begins with a pickle of the format's magic number."""
    if not os.path.isfile(path):
        return False
    with open(path, "rb") as file:
        start = file.read(32)
    return start[:1] == b"\x80" and MAGIC in start


def read_legacy(path: PathLike, limit: int) -> Any:
    """The object in the file, its tensors as arrays of `limit` bytes together.

    The object is read twice, first to learn what the storages hold, which lie after it. Raises Refused for
    what is no state dict, and any of `DAMAGE` (files.py) for a damaged file.
    """
    with open(path, "rb") as file:
        data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    _plain(data)  # the magic number
    if (version := _plain(data)) != VERSION:
        raise Refused(f"its format has version {version}, expected {VERSION}")
    if not _plain(data)["little_endian"]:
        raise Refused("its numbers are big-endian")
    start = data.tell()
    survey = _Survey(data, limit)
    survey.load()
    places = _places(data, _plain(data), survey.storages)
    data.seek(start)
    return _Reader(data, limit, places).load()


def _plain(data: mmap.mmap) -> Any:
    return SafeUnpickler(data, {}).load()


def _places(data: mmap.mmap, keys: Any, storages: dict[str, tuple[Dtype, int]]) -> dict[str, slice]:
    """Where in the file the numbers of each storage lie."""
    places, position = {}, data.tell()
    for key in map(str, keys):
        if key not in storages:
            raise Refused(f"storage {key} belongs to no tensor")
        dtype, expected = storages[key]
        count = int.from_bytes(data[position : position + COUNT_BYTES], "little")
        if count != expected:
            raise Refused(f"storage {key} has {count:,} numbers, expected {expected:,}")
        position += COUNT_BYTES
        places[key] = slice(position, position + count * dtype.itemsize)
        position = places[key].stop
    if position > len(data):
        raise Refused(f"it is not whole: it should have {position:,} bytes and has {len(data):,}")
    if missing := storages.keys() - places.keys():
        raise Refused(f"the numbers of storage {min(missing)} are not in it")
    return places


class _Survey(TensorUnpickler):
    """Learns the dtype and the count of every storage, and makes empty tensors."""

    def __init__(self, data: mmap.mmap, limit: int):
        super().__init__(data, limit)
        self.storages: dict[str, tuple[Dtype, int]] = {}

    def read_storage(self, key: str, dtype: Dtype, count: int) -> bytes:
        if self.storages.setdefault(key, (dtype, count)) != (dtype, count):
            raise Refused(f"storage {key} has two sizes")
        return b""

    def rebuild_tensor(self, *_: Any) -> Any:
        return np.empty(0)


class _Reader(TensorUnpickler):
    def __init__(self, data: mmap.mmap, limit: int, places: dict[str, slice]):
        super().__init__(data, limit)
        self.bytes, self.places = np.frombuffer(data, np.uint8), places

    def read_storage(self, key: str, dtype: Dtype, count: int) -> Any:
        return self.bytes[self.places[key]]
