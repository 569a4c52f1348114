"""The files of a network's `save_params` and `load_params` (book, ch07/simple_convnet.py).

    network.save_params("params.pkl")      the book's form: a pickled dict of NumPy arrays
    network.save_params("params.npz")      the same arrays in NumPy's own format
    network.save_params("params.safetensors")

A `.pkl` is written so that the book's scripts run unchanged and the book's code can read it. It is read
by a reader that accepts NumPy arrays and runs nothing in the file (safe_pickle.py). Arrays of another
network change nothing.
"""

from __future__ import annotations

import io
import math
import os
import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from scratchcnn.files import DAMAGE, atomic_write
from scratchcnn.safe_pickle import Refused, SafeUnpickler
from scratchcnn.typing import Array, PathLike
from scratchcnn.weights import arrays_of, copy_weights, read_safetensors, write_safetensors

Arrays = dict[str, Array]
SUFFIXES = (".pkl", ".npz", ".safetensors")
MAX_UNPACKED_BYTES = 2**26  # of a small compressed file; larger ones may grow to 100 times their size
_DAMAGE: tuple[type[Exception], ...] = (OSError, *DAMAGE)  # OSError: a place in the file that is not there


def save_params(network: Any, path: PathLike) -> None:
    """Write a network's parameters and buffers; errors as `write_params`."""
    write_params(path, arrays_of(network), type(network).__name__)


def load_params(network: Any, path: PathLike) -> None:
    """Copy a file's arrays *into* the network's parameters and buffers, all or none.

    Raises WeightMismatch, which lists every array that is missing, surplus or does not fit; otherwise
    errors as `read_params`.
    """
    copy_weights(network, read_params(path), path)


def write_params(path: PathLike, arrays: Mapping[str, Array], network: str = "") -> None:
    """Write named arrays to a `.pkl`, `.npz` or `.safetensors` file, whole or not at all.

    Raises ValueError for another suffix, FileNotFoundError if the folder is missing.
    """
    plain = {name: np.asarray(array, order="C") for name, array in arrays.items()}
    match _suffix(path):
        case ".safetensors":
            write_safetensors(path, plain, {"network": network} if network else None)
        case ".npz":
            with atomic_write(path) as unfinished, unfinished.open("wb") as file:
                np.savez(file, **plain)  # type: ignore[arg-type]
        case _:
            with atomic_write(path) as unfinished:
                unfinished.write_bytes(pickle.dumps(plain, protocol=4))


def read_params(path: PathLike) -> Arrays:
    """The arrays by name in a file that `write_params` or the book's `save_params` wrote.

    Raises FileNotFoundError if there is no file, ValueError for another suffix, for a file that is not
    whole, and for a pickle that holds anything but NumPy arrays.
    """
    suffix = _suffix(path)
    if not os.path.exists(path):
        raise FileNotFoundError(f"there is no file {os.fspath(path)}")
    if not os.path.isfile(path):
        raise ValueError(f"{os.fspath(path)} is not a file")
    if suffix == ".safetensors":
        return read_safetensors(path)[0]
    try:
        return _read_npz(path) if suffix == ".npz" else _read_pickle(path)
    except Refused as error:
        raise ValueError(f"{os.fspath(path)} was not read: {error}") from None
    except PermissionError:
        raise
    except _DAMAGE as error:
        raise ValueError(
            f"{os.fspath(path)} is not a whole {suffix} file ({type(error).__name__}: {error}); "
            "save or fetch it again"
        ) from error


def _suffix(path: PathLike) -> str:
    suffix = Path(path).suffix.lower()
    if suffix not in SUFFIXES:
        raise ValueError(f"expected a file name ending in {', '.join(SUFFIXES)}, got {os.fspath(path)}")
    return suffix


# -- .npz ----------------------------------------------------------------------------------------
def _read_npz(path: PathLike) -> Arrays:
    with zipfile.ZipFile(path) as archive:
        files = archive.infolist()
        claimed, size = sum(file.file_size for file in files), os.path.getsize(path)
        if claimed > max(MAX_UNPACKED_BYTES, 100 * size):
            raise ValueError(f"{claimed:,} bytes promised in a file of {size:,}")
        return {file.filename.removesuffix(".npy"): _read_npy(archive.read(file)) for file in files}


def _read_npy(data: bytes) -> Array:
    file = io.BytesIO(data)
    version = np.lib.format.read_magic(file)
    header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, fortran, dtype = header(file)
    return _array(data[file.tell() :], dtype, shape, "F" if fortran else "C")


def _array(data: bytes, dtype: np.dtype[Any], shape: Any, order: Any) -> Array:
    """An array of plain numbers from its bytes, in the machine's byte order."""
    if dtype.kind not in "biuf":
        raise Refused(f"it holds an array of {dtype}, expected plain numbers")
    if min(shape, default=1) < 0 or math.prod(shape) * dtype.itemsize != len(data):
        raise ValueError(f"an array of shape {shape} and {dtype} has {len(data):,} bytes")
    flat = np.frombuffer(data, dtype) if data else np.zeros(0, dtype)
    return flat.reshape(shape, order=order).astype(dtype.newbyteorder("="))


# -- .pkl ----------------------------------------------------------------------------------------
class _Dtype:
    """Stands for `numpy.dtype("f8")` until its byte order is known."""

    def __init__(self, code: str, *_: Any):
        self.dtype = np.dtype(code if code[1:].isdigit() else "O")

    def restore(self, state: Any) -> None:
        self.dtype = self.dtype.newbyteorder(state[1])


class _Array:
    """Stands for an array until its state arrives."""

    def __init__(self, rebuild: Callable[..., Array]):
        self.rebuild = rebuild
        self.array: Array | None = None

    def restore(self, state: Any) -> None:
        _, shape, dtype, fortran, data = state
        self.array = self.rebuild(data, dtype, shape, "F" if fortran else "C")


class _ArrayUnpickler(SafeUnpickler):
    """Knows what a pickle of NumPy arrays names, from NumPy 1 or 2, in protocol 2 or later."""

    purpose = "a dict of NumPy arrays"

    def __init__(self, data: bytes):
        names: dict[tuple[str, str], Any] = {
            ("collections", "OrderedDict"): OrderedDict,
            ("numpy", "ndarray"): "numpy.ndarray",
            ("numpy", "dtype"): _Dtype,
            ("_codecs", "encode"): self._encode,  # bytes in protocol 2
        }
        for core in ("numpy.core", "numpy._core"):
            names[f"{core}.multiarray", "_reconstruct"] = lambda *_: _Array(self._rebuild)
            names[f"{core}.numeric", "_frombuffer"] = self._rebuild
        super().__init__(data, names)
        self.encoded = self.rebuilt = 0  # bytes

    def _encode(self, text: str, encoding: str) -> bytes:
        self.encoded += len(text)
        if encoding != "latin1" or self.encoded > self.size:
            raise Refused("it unpacks more bytes than it holds")
        return text.encode("latin1")

    def _rebuild(self, data: Any, dtype: Any, shape: Any, order: Any) -> Array:
        if not isinstance(dtype, _Dtype) or not isinstance(data, (bytes, bytearray)):
            raise Refused("it holds an array of Python objects, expected plain numbers")
        self.rebuilt += len(data)
        if self.rebuilt > self.size:
            raise Refused("it unpacks more bytes than it holds")
        return _array(bytes(data), dtype.dtype, shape, order)


def _read_pickle(path: PathLike) -> Arrays:
    found = _ArrayUnpickler(Path(path).read_bytes()).load()
    if not isinstance(found, dict):
        raise Refused(f"it holds {type(found).__name__}, expected a dict of NumPy arrays")
    arrays: Arrays = {}
    for key, value in found.items():
        array = value.array if isinstance(value, _Array) else value
        if not isinstance(array, np.ndarray):
            raise Refused(f"it holds more than NumPy arrays: {key!r}")
        arrays[str(key)] = array
    return arrays
