"""PyTorch's `.pth` files, read and written without PyTorch and without running anything in them.

A `.pth` file is a zip archive: `data.pkl` (a pickle, torch_pickle.py) lists the tensors, and `data/0`,
`data/1`, ... hold their bytes. Files of PyTorch before 1.6 are read by legacy_pth.py.
"""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Mapping
from typing import Any

import numpy as np

from scratchcnn.files import DAMAGE, atomic_write, mistaken_download
from scratchcnn.legacy_pth import is_legacy, read_legacy
from scratchcnn.safe_pickle import Refused
from scratchcnn.torch_pickle import BFLOAT16, STORAGES, Dtype, TensorUnpickler
from scratchcnn.typing import Array, PathLike

STORAGE_NAMES = {np.dtype(t): n for n, t in STORAGES.items() if t != BFLOAT16}
MAX_UNPACKED_BYTES = 2**26  # of a small file; larger ones may grow to 20 times their size
# where training scripts put the state dict
STATE_DICT_KEYS = ("state_dict", "model_state_dict", "model", "net", "network")

_DAMAGE: tuple[type[Exception], ...] = (OSError, *DAMAGE)


def read_pth(path: PathLike) -> dict[str, Array]:
    """The tensors of a state dict written by `torch.save`, by name, as separate arrays.

    A training checkpoint is read too, if its state dict is under one of the usual keys ("state_dict",
    "model_state_dict", "model", "net", "network") or is its only dict of tensors, at any depth. bfloat16
    becomes float32.

    Raises FileNotFoundError if there is no file, ValueError if it is damaged or a whole model instead of
    its state dict, and for a pickle that names anything else.
    """
    return read_pth_noted(path)[0]


def read_pth_noted(path: PathLike) -> tuple[dict[str, Array], str]:
    """As `read_pth`, and where in a training checkpoint the tensors were; empty for a plain state dict."""
    if not os.path.exists(path):
        raise FileNotFoundError(f"there is no file {os.fspath(path)}")
    legacy = is_legacy(path)
    if not legacy and not zipfile.is_zipfile(path):
        raise ValueError(f"{os.fspath(path)} {_what_it_is(path)}")
    limit = max(MAX_UNPACKED_BYTES, 20 * os.path.getsize(path))
    try:
        found = read_legacy(path, limit) if legacy else _read_archive(path, limit)
    except Refused as error:
        raise ValueError(f"{os.fspath(path)} was not read: {error}") from None
    except _DAMAGE as error:
        raise ValueError(
            f"{os.fspath(path)} is damaged ({type(error).__name__}: {error}); fetch or save it again"
        ) from error
    return _tensors(found, path)


def write_pth(path: PathLike, tensors: Mapping[str, Array]) -> None:
    """Write named arrays so that `torch.load` (weights only) returns a state dict of tensors.

    The file is written whole or not at all. Raises TypeError for dtypes that PyTorch does not have,
    FileNotFoundError if the folder is missing.
    """
    arrays = {}
    for name, tensor in tensors.items():
        array = np.asarray(tensor, order="C")
        little = array.dtype.newbyteorder("<")
        if little not in STORAGE_NAMES:
            raise TypeError(f"{name}: PyTorch's files cannot hold {array.dtype}")
        arrays[name] = array.astype(little, copy=False)
    with atomic_write(path) as unfinished, zipfile.ZipFile(unfinished, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("archive/data.pkl", _pickled(arrays))
        archive.writestr("archive/byteorder", "little")
        for key, array in enumerate(arrays.values()):
            with archive.open(f"archive/data/{key}", "w", force_zip64=True) as file:
                file.write(array.reshape(-1).view(np.uint8).data)
        archive.writestr("archive/version", "3\n")


# -- reading --------------------------------------------------------------------------------------
def _read_archive(path: PathLike, limit: int) -> Any:
    with zipfile.ZipFile(path) as archive:
        folder = _folder(archive)
        if sum(file.file_size for file in archive.infolist()) > limit:
            raise Refused("it unpacks to many times its size")
        return _Reader(archive, folder, limit).load()


class _Reader(TensorUnpickler):
    """Reads the bytes of the storages from the archive."""

    def __init__(self, archive: zipfile.ZipFile, folder: str, limit: int):
        super().__init__(archive.read(f"{folder}/data.pkl"), limit)
        self.archive, self.folder = archive, folder
        if f"{folder}/byteorder" in archive.namelist() and archive.read(f"{folder}/byteorder") == b"big":
            raise Refused("its numbers are big-endian")

    def read_storage(self, key: str, dtype: Dtype, count: int) -> bytes:
        data = self.archive.read(f"{self.folder}/data/{key}")
        if len(data) < count * dtype.itemsize:
            raise Refused(f"storage {key} has {len(data)} bytes, expected {count * dtype.itemsize}")
        return data[: count * dtype.itemsize]


def _folder(archive: zipfile.ZipFile) -> str:
    """The archive's only folder, named after the file it was first saved to."""
    names = archive.namelist()
    found, script = [name for name in names if name.endswith("/data.pkl")], "constants.pkl"
    if len(found) == 1 and not any(script in name for name in names):
        return found[0].removesuffix("/data.pkl")
    kind = "a TorchScript archive" if any(script in name for name in names) else "a zip file"
    raise Refused(
        f"it is {kind} and not a state dict; expected what torch.save(model.state_dict(), ...) wrote"
    )


def _tensors(found: Any, path: PathLike) -> tuple[dict[str, Array], str]:
    """The state dict, also where a training script put it beside other things; and a note on that."""
    where: list[Any] = []
    others: list[str] = []
    while isinstance(found, dict) and (inner := _state_dict_in(found)):
        key, others = inner
        where.append(key)
        found = found[key]
    if not isinstance(found, dict) or not found:
        raise ValueError(f"{os.fspath(path)} holds {type(found).__name__}, expected a state dict of tensors")
    if several := [str(key) for key, value in found.items() if _of_tensors(value)]:
        raise ValueError(
            f"{os.fspath(path)} holds several state dicts ({', '.join(several[:5])}); save one of them alone"
        )
    if rest := [str(key) for key, value in found.items() if not isinstance(value, np.ndarray)]:
        raise ValueError(
            f"{os.fspath(path)} holds more than tensors ({', '.join(rest[:5])}); "
            "save model.state_dict() alone"
        )
    note = f"the weights are those under {'.'.join(where)} in the file" if where else ""
    note += f", not those under {' and '.join(others)}" if others else ""
    return {str(key): array for key, array in found.items()}, note


def _state_dict_in(found: dict[Any, Any]) -> tuple[Any, list[str]] | None:
    """The key of the entry under one of the usual names, or of the only one that holds a state dict; and the
    keys of the other state dicts."""
    keys = [key for key, value in found.items() if _holds_state_dict(value)]
    usual = [key for key in STATE_DICT_KEYS if key in keys]
    more = [key for key in STATE_DICT_KEYS if isinstance(found.get(key), dict) and found[key]]
    if chosen := usual[:1] or (keys if len(keys) == 1 else [] if keys else more[:1]):
        return chosen[0], [str(key) for key in keys if key != chosen[0]]
    return None


def _of_tensors(value: Any) -> bool:
    """Whether it is a dict of nothing but tensors."""
    return isinstance(value, dict) and bool(value) and all(isinstance(a, np.ndarray) for a in value.values())


def _holds_state_dict(value: Any, depth: int = 4) -> bool:
    """Whether it is one, or has one in it; an optimizer's tensors have no names with dots."""
    if _of_tensors(value):
        return True
    return isinstance(value, dict) and depth > 0 and any(_named_tensors(v, depth - 1) for v in value.values())


def _named_tensors(value: Any, depth: int) -> bool:
    if _of_tensors(value):
        return any("." in str(name) for name in value)
    return isinstance(value, dict) and depth > 0 and any(_named_tensors(v, depth - 1) for v in value.values())


def _what_it_is(path: PathLike) -> str:
    """Why a file that is not a zip archive cannot be read."""
    if not os.path.isfile(path):
        return "is a folder; name the file of weights in it, or the index (.json) of several"
    with open(path, "rb") as file:
        start = file.read(512)
    if not start:
        return "is empty"
    if start[:2] in (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05"):
        return "is a pickle that torch.save did not write"
    if found := mistaken_download(start):
        return f"is {found}"
    return "is neither a .pth of PyTorch nor whole; fetch or save it again"


# -- writing --------------------------------------------------------------------------------------
def _pickled(arrays: Mapping[str, Array]) -> bytes:
    """data.pkl of a state dict, opcode by opcode (protocol 2), since the real classes are PyTorch's."""
    ordered_dict = _global("collections", "OrderedDict") + b")R"
    out = io.BytesIO()
    out.write(b"\x80\x02" + ordered_dict + b"(")  # an empty dict, then its items
    for key, (name, array) in enumerate(arrays.items()):
        dtype = _global("torch", STORAGE_NAMES[array.dtype])
        storage = (b"(", _text("storage"), dtype, _text(str(key)), _text("cpu"), _int(array.size), b"tQ")
        strides = [s // array.itemsize for s in array.strides]
        numbers = (_int(0), _ints(array.shape), _ints(strides))  # offset, size, stride
        requires_grad = b"\x89"
        out.write(_text(name) + _global("torch._utils", "_rebuild_tensor_v2"))
        out.write(b"(" + b"".join((*storage, *numbers, requires_grad, ordered_dict)) + b"tR")
    out.write(b"u.")
    return out.getvalue()


def _global(module: str, name: str) -> bytes:
    return b"c" + module.encode() + b"\n" + name.encode() + b"\n"


def _text(text: str) -> bytes:
    data = text.encode()
    return b"X" + len(data).to_bytes(4, "little") + data


def _int(number: int) -> bytes:
    """LONG1: any size."""
    data = number.to_bytes(number.bit_length() // 8 + 1, "little", signed=True)
    return b"\x8a" + bytes([len(data)]) + data


def _ints(numbers: Any) -> bytes:
    return b"(" + b"".join(_int(int(n)) for n in numbers) + b"t"
