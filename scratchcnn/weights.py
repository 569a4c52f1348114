"""Weights as safetensors: names, shapes, dtypes and numbers, and nothing that is run when they are read.

A file is written whole or not at all, and a network is loaded whole or not at all.
"""

from __future__ import annotations

import json
import operator
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from scratchcnn.files import atomic_write, mistaken_download
from scratchcnn.typing import Array, PathLike

__all__ = ["WeightMismatch", "load_weights", "read_safetensors", "save_weights", "write_safetensors"]

_KINDS = "biuf"  # booleans, integers, floats
BFLOAT16 = "BF16"
NUMPY_DTYPES = {"BOOL", *(f"{kind}{8 * size}" for kind in "IU" for size in (1, 2, 4, 8)), "F16", "F32", "F64"}


OTHER_FORMATS = (
    *(".pth", ".pt", ".ckpt", ".npz", ".npy", ".pkl", ".onnx", ".h5", ".zip"),
    *(".png", ".jpg", ".jpeg", ".gif", ".bmp", ".tif", ".tiff", ".webp"),
    *(".csv", ".parquet", ".json", ".toml", ".txt", ".md", ".py", ".ipynb"),
)


class WeightMismatch(ValueError):
    """A file does not fit a network; `problems` holds one line per tensor."""

    def __init__(self, path: PathLike, network: str, problems: list[str]):
        self.problems = problems
        lines = "\n".join(f"  {problem}" for problem in problems)
        super().__init__(f"{os.fspath(path)} does not fit {network}, nothing was loaded:\n{lines}")


def save_weights(network: Any, path: PathLike, metadata: Mapping[str, str] | None = None) -> None:
    """Write a network's parameters and buffers; the metadata also names the network's class.

    Errors as `write_safetensors`.
    """
    metadata = {"network": type(network).__name__, **(metadata or {})}
    write_safetensors(path, arrays_of(network), metadata)


def load_weights(network: Any, path: PathLike) -> dict[str, str]:
    """Copy a file's tensors *into* the network's parameters and buffers; returns the file's metadata.

    Any floating-point file fits: float64 values are rounded into a float32 network, float32 values
    widened into a float64 one. Integers and booleans are refused, as are values that become infinite
    when rounded.

    Raises WeightMismatch, which lists every tensor that is missing, surplus, or of the wrong shape or
    type; the network is then unchanged. Otherwise errors as `read_safetensors`.
    """
    stored, metadata = read_safetensors(path)
    copy_weights(network, stored, path)
    return metadata


def copy_weights(network: Any, stored: Mapping[str, Array], path: PathLike) -> None:
    """Copy tensors under our names into the network, all or none; the error names `path`."""
    targets = arrays_of(network)
    problems = [f"{name}: {p}" for name, array in targets.items() if (p := mismatch(stored.get(name), array))]
    problems += [f"{name}: surplus in the file" for name in stored if name not in targets]
    if problems:
        raise WeightMismatch(path, type(network).__name__, problems)
    copy_all(targets, stored)


def copy_all(targets: Mapping[str, Array], values: Mapping[str, Array]) -> None:
    """Copy arrays of the same names and shapes into the targets, all or none.

    Raises ValueError if a target is read-only.
    """
    if locked := [name for name, array in targets.items() if not array.flags.writeable]:
        raise ValueError(f"nothing was loaded: the network's {', '.join(locked)} are read-only")
    with np.errstate(all="ignore"):  # rounding may underflow
        rounded = {name: values[name].astype(array.dtype, copy=False) for name, array in targets.items()}
    for name, array in targets.items():
        array[...] = rounded[name]


def write_safetensors(
    path: PathLike, tensors: Mapping[str, Array], metadata: Mapping[str, str] | None = None
) -> None:
    """Write named arrays and text metadata to a safetensors file, whole or not at all.

    Arrays of any memory layout; booleans, integers and floats up to 64 bits. An existing file is
    replaced only once the new one is complete.

    Raises FileNotFoundError if the folder is missing, ValueError for a name that ends like another
    format's, TypeError for other dtypes and for metadata that is not text, OSError if the file cannot be
    written.
    """
    refuse_other_format(path)
    from safetensors import SafetensorError
    from safetensors.numpy import save_file

    arrays = {}
    for name, tensor in tensors.items():
        array = np.asarray(tensor, order="C")  # safetensors writes memory as it lies (0-d stays 0-d)
        if not isinstance(name, str) or array.dtype.kind not in _KINDS or array.dtype.itemsize > 8:
            raise TypeError(
                f"{name!r}: expected a name that is a str and booleans, integers or floats up to 64 bits, "
                f"got {array.dtype}"
            )
        arrays[name] = array
    for key, value in (metadata or {}).items():
        if not (isinstance(key, str) and isinstance(value, str)):
            raise TypeError(f"metadata must be text, got {key!r}: {value!r}; use str() or json.dumps()")
    with atomic_write(path) as unfinished:
        try:
            save_file(arrays, unfinished, dict(metadata or {}))
        except SafetensorError as error:  # such as a full disk
            raise OSError(f"cannot write {os.fspath(path)}: {error}") from error


def refuse_other_format(path: PathLike) -> None:
    """Raise ValueError if the name ends like a file of another format than safetensors."""
    name = Path(path)
    if name.suffix.lower() in OTHER_FORMATS:
        mend = "; save_torch_weights writes .pth" if name.suffix.lower() in (".pth", ".pt") else ""
        raise ValueError(
            f"{os.fspath(path)} would hold safetensors: name the file {name.stem}.safetensors{mend}"
        )


def read_safetensors(path: PathLike) -> tuple[dict[str, Array], dict[str, str]]:
    """Read a safetensors file -> (arrays by name, metadata).

    bfloat16 becomes float32, without a loss.

    Raises FileNotFoundError if there is no file, ValueError if it is truncated, damaged, of another
    format, or holds numbers that NumPy cannot hold (float8).
    """
    from safetensors import SafetensorError, safe_open

    if not os.path.exists(path):
        raise FileNotFoundError(f"there is no file {os.fspath(path)}")
    if not os.path.isfile(path):
        raise ValueError(f"{os.fspath(path)} is not a file")
    try:
        with safe_open(path, framework="np") as file:
            metadata = dict(file.metadata() or {})
            dtypes = {name: file.get_slice(name).get_dtype() for name in file.keys()}  # noqa: SIM118
            if unknown := sorted(set(dtypes.values()) - NUMPY_DTYPES - {BFLOAT16}):
                raise ValueError(
                    f"{os.fspath(path)} holds {', '.join(unknown)}, numbers that NumPy cannot hold; "
                    "convert it to float32 where it was made"
                )
            plain = {name: file.get_tensor(name) for name, d in dtypes.items() if d != BFLOAT16}
        return {**plain, **_bfloat16(path, dtypes)}, metadata
    except SafetensorError as error:
        raise ValueError(
            f"{os.fspath(path)} is not a whole safetensors file ({_what_is_wrong(path) or error}); "
            "fetch or save it again"
        ) from error


def _bfloat16(path: PathLike, dtypes: Mapping[str, str]) -> dict[str, Array]:
    """The tensors of bfloat16 as float32, whose upper half has their bits."""
    if BFLOAT16 not in dtypes.values():
        return {}
    import safetensors

    deserialize: Any = safetensors.deserialize  # untyped

    with open(path, "rb") as file:
        entries = deserialize(file.read())
    found = {name: entry for name, entry in entries if entry["dtype"] == BFLOAT16}
    return {name: widened(np.frombuffer(e["data"], "<u2").reshape(e["shape"])) for name, e in found.items()}


def widened(bits: Array) -> Array:
    """bfloat16, given as uint16, as float32."""
    return (bits.astype(np.uint32) << 16).view(np.float32)


def arrays_of(network: Any) -> dict[str, Array]:
    """A network's parameters and buffers by name: its own arrays, not copies."""
    if twice := sorted(network.params.keys() & network.buffers.keys()):
        raise ValueError(f"{type(network).__name__}: parameter and buffer share a name: {', '.join(twice)}")
    return {**network.params, **network.buffers}


def mismatch(stored: Array | None, array: Array) -> str | None:
    """Why the stored tensor cannot be copied into the network's array; None if it can."""
    if stored is None:
        return "missing from the file"
    if stored.shape != array.shape:
        return f"expected shape {array.shape}, the file has {stored.shape}"
    if stored.dtype.kind != "f":
        return f"expected floating-point numbers, the file has {stored.dtype}"
    if stored.dtype.itemsize > array.dtype.itemsize:
        largest = np.abs(stored[np.isfinite(stored)]).max(initial=0)
        if largest > np.finfo(array.dtype).max:
            return f"the file's {stored.dtype} values reach {largest:.3g}, too large for {array.dtype}"
    return None


def _what_is_wrong(path: PathLike) -> str | None:
    """The common kinds of damage in plain words. A file is 8 bytes n, n bytes of JSON, then the numbers."""
    size = os.path.getsize(path)
    if size == 0:
        return "it is empty"
    with open(path, "rb") as file:
        start = file.read(8)
        length = int.from_bytes(start, "little")
        header = file.read(min(length, 100_000_000))  # the format allows no more
    if header[:1] != b"{" or length > 100_000_000:
        if found := mistaken_download(start + header[:100]):
            return f"it is {found}"
        torch = start[:2] in (b"PK", b"\x80\x02")  # as torch.save writes now, and did before 1.6
        return "it is of another format" + ("; load_torch_weights reads PyTorch's files" if torch else "")
    try:
        entries = [entry for key, entry in json.loads(header).items() if key != "__metadata__"]
        promised = (
            8 + length + max((operator.index(entry["data_offsets"][1]) for entry in entries), default=0)
        )
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
        return "its header is truncated or damaged"
    return f"it should have {promised:,} bytes and has {size:,}" if promised != size else None
