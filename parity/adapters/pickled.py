"""Pickled messages between processes that run nothing but our own code: 8 bytes of length, then the pickle.

What comes from a process that ran foreign code is never unpickled: see `parity.adapters.wire`.
"""

from __future__ import annotations

import pickle
import struct
from collections.abc import Iterator
from typing import Any, BinaryIO

LENGTH = struct.Struct("<Q")


def packed(message: Any) -> bytes:
    data = pickle.dumps(message)
    return LENGTH.pack(len(data)) + data


def unpacked(pending: bytearray) -> Iterator[Any]:
    """The messages that are complete; they are taken out of `pending`."""
    while len(pending) >= LENGTH.size:
        end = LENGTH.size + LENGTH.unpack_from(pending)[0]
        if len(pending) < end:
            return
        message = pickle.loads(bytes(pending[LENGTH.size : end]))
        del pending[:end]
        yield message


def read_message(source: BinaryIO) -> Any:
    """The next message. Raises EOFError when the other side is gone."""
    head = source.read(LENGTH.size)
    if len(head) < LENGTH.size:
        raise EOFError
    (length,) = LENGTH.unpack(head)
    data = source.read(length)
    if len(data) < length:
        raise EOFError
    return pickle.loads(data)


def write_message(to: BinaryIO, message: Any) -> None:
    to.write(packed(message))
    to.flush()
