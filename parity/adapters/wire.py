"""Messages between the checker and the process that runs foreign code: JSON, then the bytes of plain arrays.

    8 bytes   length of the head, length of the body
    head      JSON: {"value": ..., "arrays": [[dtype, shape, layout or null], ...]}
    body      the arrays' bytes, one after the other

In `value` an array is {"a": its number}, a tuple {"t": [...]}, a dict {"d": {...}}, and what is no array but
stands where one was expected {"odd": what is wrong with it}. Nothing is pickled: what arrives is data and
cannot become code. `decode` trusts nothing; whatever it cannot read raises NotAMessage. Needs NumPy alone.
"""

from __future__ import annotations

import json
import math
import re
import struct
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

HEADER = struct.Struct("<IQ")
MAX_HEAD = 1 << 20  # bytes of JSON
MAX_TEXT = 500  # characters of one foreign text
DTYPES = re.compile(r"[<>|=]?[fiub]\d{1,2}")


class NotAMessage(ValueError):
    """What arrived is no message of this form."""


@dataclass(frozen=True)
class Odd:
    """What stands where an array was expected: `why` it cannot be one."""

    why: str


def clean(text: Any, most: int = MAX_TEXT) -> str:
    """Foreign text as one printable line: no control characters, no halves of characters, not too long."""
    plain = "".join(c if c.isprintable() else " " for c in str(text)[: 4 * most])
    plain = " ".join(plain.encode("utf-8", "replace").decode().split())
    return plain if len(plain) <= most else f"{plain[: most - 3]}..."


# -- writing --------------------------------------------------------------------------------------
def bytes_of(value: Any) -> int:
    """Of all arrays in it."""
    if isinstance(value, dict):
        return sum(map(bytes_of, value.values()))
    return sum(map(bytes_of, value)) if isinstance(value, (list, tuple)) else getattr(value, "nbytes", 0)


def encode(value: Any, layout: bool = False) -> bytes:
    """The message for a value of numbers, texts, plain arrays, and lists, tuples and dicts of them.

    With `layout` the arrays will lie in memory there as they do here, and be read-only where they are here.
    """
    arrays: list[NDArray[Any]] = []
    coded = _coded(value, arrays)
    described = [[a.dtype.str, a.shape, layout_of(a) if layout else None] for a in arrays]
    head = json.dumps({"value": coded, "arrays": described}).encode()
    bodies = [a.tobytes() for a in arrays]
    return b"".join([HEADER.pack(len(head), sum(map(len, bodies))), head, *bodies])


def _coded(value: Any, arrays: list[NDArray[Any]]) -> Any:
    if isinstance(value, np.ndarray):
        arrays.append(value)
        return {"a": len(arrays) - 1}
    if isinstance(value, Odd):
        return {"odd": value.why}
    if isinstance(value, dict):
        return {"d": {str(k): _coded(v, arrays) for k, v in value.items()}}
    if isinstance(value, (list, tuple)):
        items = [_coded(v, arrays) for v in value]
        return {"t": items} if isinstance(value, tuple) else items
    return value.item() if isinstance(value, np.generic) else value


def layout_of(a: NDArray[Any]) -> tuple[list[int], bool] | None:
    """Strides, in numbers, and whether it may be written to; None for an ordinary array."""
    if a.flags.c_contiguous and a.flags.writeable:
        return None
    return [s // a.itemsize for s in a.strides], bool(a.flags.writeable)


# -- reading --------------------------------------------------------------------------------------
def lengths(header: bytes, most: float = math.inf) -> tuple[int, int]:
    """The lengths of head and body. Raises NotAMessage where they are more than is taken."""
    head, body = HEADER.unpack(header)
    if head > MAX_HEAD or body > most:
        raise NotAMessage("larger than any answer")
    return head, body


def decode(head: bytes, body: bytes, layout: bool = False) -> Any:
    """The value of a message, with `layout` as it lay in memory. Raises NotAMessage for what is none."""
    try:
        found = json.loads(head)
        arrays = _arrays(found["arrays"], body, layout)
        return _decoded(found["value"], arrays)
    except NotAMessage:
        raise
    except (ValueError, TypeError, KeyError, IndexError, RecursionError, OverflowError, MemoryError) as error:
        raise NotAMessage(f"{type(error).__name__}") from None


def _arrays(described: Any, body: bytes, layout: bool) -> list[NDArray[Any]]:
    found, at = [], 0
    for dtype, shape, laid_out in described:
        if not (isinstance(dtype, str) and DTYPES.fullmatch(dtype)):
            raise NotAMessage("an array of no numbers")
        if not all(type(n) is int and n >= 0 for n in shape):
            raise NotAMessage("a shape that is none")
        count, kind = math.prod(shape), np.dtype(dtype)
        size = count * kind.itemsize
        if len(shape) > 32 or size > len(body) - at:
            raise NotAMessage("fewer bytes than its shape says")
        a = np.frombuffer(body, kind, count, at).reshape(shape).copy() if count else np.empty(shape, kind)
        found.append(laid_out_as(a, *laid_out) if layout and laid_out else a)
        at += size
    if at != len(body):
        raise NotAMessage("more bytes than its arrays have")
    return found


def laid_out_as(a: NDArray[Any], strides: list[int], writable: bool) -> NDArray[Any]:
    """The same numbers as they lay in memory on the other side: transposed, with gaps, backwards."""
    if a.size:
        reach = [(n - 1) * s for n, s in zip(a.shape, strides, strict=True)]
        first = -sum(r for r in reach if r < 0)
        memory = np.zeros(first + sum(r for r in reach if r > 0) + 1, a.dtype)
        steps = [s * a.itemsize for s in strides]
        view = np.lib.stride_tricks.as_strided(memory[first:], a.shape, steps)
        view[...] = a
        a = view
    if not writable:
        a.flags.writeable = False
    return a


def _decoded(value: Any, arrays: list[NDArray[Any]]) -> Any:
    if isinstance(value, list):
        return [_decoded(v, arrays) for v in value]
    if not isinstance(value, dict):
        return value
    ((kind, inner),) = value.items()
    if kind == "a" and type(inner) is int and inner >= 0:
        return arrays[inner]
    if kind == "odd":
        return Odd(clean(inner))
    if kind == "t":
        return tuple(_decoded(v, arrays) for v in inner)
    if kind == "d":
        return {k: _decoded(v, arrays) for k, v in inner.items()}
    raise NotAMessage(f"a value of kind {clean(kind)!r}")
