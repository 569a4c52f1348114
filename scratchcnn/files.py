"""Files that are written whole or not at all, and what reading a damaged one may raise."""

from __future__ import annotations

import os
import pickle
import secrets
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from scratchcnn.typing import PathLike

DAMAGE: tuple[type[Exception], ...] = (
    *(EOFError, LookupError, TypeError, ValueError, AttributeError, OverflowError, MemoryError),
    *(struct.error, zlib.error, zipfile.BadZipFile, pickle.UnpicklingError),
    *(NotImplementedError, RuntimeError),  # zipfile, for encryption and compressions it does not know
)


def mistaken_download(start: bytes) -> str:
    """What was saved in a file's place, by its first bytes: "an HTML page; ...", else ""."""
    text = start.lstrip().lower()
    if text.startswith((b"<!doctype html", b"<html")):
        return "an HTML page; the address was that of a page: download the file itself"
    if text.startswith(b"version https://git-lfs."):
        return "a Git LFS pointer; `git lfs pull` fetches the file in its place"
    return ""


@contextmanager
def atomic_write(path: PathLike) -> Iterator[Path]:
    """Yield a temporary path in the same folder; it replaces `path` when the `with` block succeeds.

    If the block fails, `path` is unchanged and the temporary file is removed.

    Raises FileNotFoundError if the folder is missing, ValueError if `path` exists and is not a file.
    """
    target = Path(os.path.realpath(path))  # a link stays a link
    if not target.parent.is_dir():
        raise FileNotFoundError(
            f"cannot write {os.fspath(path)}: there is no folder {target.parent}; make it first"
        )
    if target.exists() and not target.is_file():
        raise ValueError(f"cannot write {os.fspath(path)}: it exists and is not a file")
    unfinished = target.parent / f".{target.name}.{secrets.token_hex(4)}.tmp"
    try:
        unfinished.touch(exist_ok=False)
        mode = unfinished.stat().st_mode
        yield unfinished
        unfinished.chmod(mode)  # that of any new file; safetensors makes its files private
        with unfinished.open("rb+") as file:
            os.fsync(file.fileno())
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)
