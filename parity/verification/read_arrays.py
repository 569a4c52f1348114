"""Arrays as people save them: .npz, .npy, .pth, .safetensors, .csv, or a folder of them.

Nothing in a file is executed. A file of one array without a name calls it "array"; in a folder every array
carries the name of its file: `conv1.npy` is `conv1`, `layer.npz` holds `layer.W`.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.lib import format as npy

from scratchcnn.typing import Array

Arrays = dict[str, Array]
UNNAMED = "array"  # the array of a file that holds one without a name
TORCH_ENDINGS = (".pth", ".pt", ".bin", ".ckpt", ".tar", ".safetensors")
EXPECTED = ".npz, .npy, .csv, .pth or .safetensors, or a folder of them"


def read_arrays(path: str | Path) -> Arrays:
    """Every array of a file or folder, by name.

    Raises ValueError, in one sentence with the path, for a file that is damaged or holds no arrays.
    """
    path = Path(path)
    if path.is_dir():
        return _read_folder(path)
    return _reader(path)(path)


def _reader(path: Path) -> Callable[[Path], Arrays]:
    """By content where it can be seen, by the file's ending otherwise."""
    try:
        with open(path, "rb") as file:
            start = file.read(8)
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from None
    if start.startswith(npy.MAGIC_PREFIX):
        return _read_npy
    ending = path.suffix.lower()
    if ending in TORCH_ENDINGS or _holds_a_pickle(path):
        return _read_torch
    if zipfile.is_zipfile(path):
        return _read_npz
    if ending in (".csv", ".txt", ".tsv") and start:
        return _read_text
    raise ValueError(f"{path} is not an .npz file, nor {EXPECTED.removeprefix('.npz, ')}")


def _holds_a_pickle(path: Path) -> bool:
    """Whether it is a zip file as `torch.save` writes them, whatever it is called."""
    try:
        with zipfile.ZipFile(path) as archive:
            return any(name.endswith("/data.pkl") for name in archive.namelist())
    except (zipfile.BadZipFile, OSError, NotImplementedError, ValueError):
        return False


def _read_folder(folder: Path) -> Arrays:
    found: Arrays = {}
    for path in sorted(p for p in folder.iterdir() if p.is_file() and not p.name.startswith(".")):
        try:
            reader = _reader(path)
        except ValueError:
            continue  # a note or a script beside the arrays
        for name, array in reader(path).items():
            full = path.stem if name == UNNAMED else f"{path.stem}.{name}"
            if full in found:
                raise ValueError(f"{folder} holds two arrays that would be called {full}; rename one file")
            found[full] = array
    if not found:
        raise ValueError(
            f"{folder} holds no arrays; expected {EXPECTED.removesuffix(', or a folder of them')}"
        )
    return found


def _read_npz(path: Path) -> Arrays:
    try:
        with open(path, "rb") as opened, np.load(opened, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        OSError,
        KeyError,
        ValueError,
        NotImplementedError,
        RuntimeError,
        MemoryError,
        OverflowError,
    ) as error:
        raise ValueError(f"{path} cannot be read as .npz: {_plain(error)}") from None
    if others := [name for name, array in arrays.items() if not isinstance(array, np.ndarray)]:
        raise ValueError(
            f"{path} holds more than arrays ({', '.join(others[:3])}); save arrays alone by np.savez"
        )
    return arrays


def _read_npy(path: Path) -> Arrays:
    try:
        return {UNNAMED: np.load(path, allow_pickle=False)}
    except (EOFError, OSError, ValueError, MemoryError, OverflowError) as error:
        raise ValueError(f"{path} cannot be read as .npy: {_plain(error)}") from None


def _plain(error: Exception) -> str:
    if "allow_pickle" in str(error):
        return "it holds Python objects, which are not loaded; save arrays of numbers"
    return str(error) or type(error).__name__


def _read_torch(path: Path) -> Arrays:
    from scratchcnn.torch_weights import read_torch_weights

    return dict(read_torch_weights(path))


def _read_text(path: Path) -> Arrays:
    """Numbers separated by commas, semicolons, tabs or spaces; a first row of names is passed over."""
    try:
        lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
        separator = next((mark for mark in (",", ";", "\t") if lines and mark in lines[-1]), None)
        rows = lines[1:] if lines and not _is_row_of_numbers(lines[0], separator) else lines
        array = np.loadtxt(rows, delimiter=separator, ndmin=1, comments="#")
    except (UnicodeDecodeError, ValueError) as error:
        raise ValueError(f"{path} cannot be read as numbers: {error}") from None
    if not array.size:
        raise ValueError(f"{path} cannot be read as numbers: it holds none")
    return {UNNAMED: array}


def _is_row_of_numbers(line: str, separator: str | None) -> bool:
    try:
        return bool([float(word) for word in line.split(separator)])
    except ValueError:
        return False
