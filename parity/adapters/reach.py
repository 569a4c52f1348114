"""Arrays inside somebody's objects: where they are, what they look like, how they are read and set.

A path is a list of steps, `[".", "weight"]` an attribute and `["[]", "W"]` an item. Needs NumPy alone.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from parity.adapters.arguments import plain

DEPTH, MOST = 6, 400  # steps of a path; arrays that are looked at
Step = tuple[str, Any]
Path = tuple[Step, ...]


def spelled(path: Any) -> str:
    """`.grads["W"]`"""
    return "".join(f".{name}" if how == "." else f"[{_key(name)}]" for how, name in path)


def parsed(text: str) -> Path:
    """The path that `spelled` gives as a text; a leading dot may be left out."""
    found = re.findall(r"""\.(\w+)|\[(?:"([^"]*)"|(-?\d+))\]""", f".{text.removeprefix('.')}")
    return tuple((".", name) if name else ("[]", int(at) if at else key) for name, key, at in found)


def _key(name: Any) -> str:
    return f'"{name}"' if isinstance(name, str) else repr(name)


def got(root: Any, path: Any) -> Any:
    """What lies there; None where nothing does."""
    for how, name in path:
        try:
            root = getattr(root, name) if how == "." else root[name]
        except (AttributeError, KeyError, IndexError, TypeError):
            return None
    return root


def put(root: Any, path: Any, value: Any) -> None:
    """Set what lies there. Raises what the object does."""
    *above, (how, name) = path
    box = got(root, above)
    if how == ".":
        setattr(box, _settable(box, name), value)
    elif isinstance(box, tuple):  # its items stay; what they hold is written over
        box[name][...] = value
    else:
        box[name] = value


def _settable(box: Any, name: str) -> str:
    """The attribute, or the property in front of it: setting `W` may do more than setting `_W` does."""
    shown = getattr(type(box), name.lstrip("_"), None) if name.startswith("_") else None
    return name.lstrip("_") if isinstance(shown, property) and shown.fset is not None else name


def walk(root: Any, depth: int = DEPTH) -> Iterator[tuple[Path, Any]]:
    """Every array, and every None, that can be reached from the object, the nearest first."""
    left: list[tuple[Path, Any]] = [((), root)]
    seen: set[int] = set()
    count = 0
    while left and count < MOST:
        path, value = left.pop(0)
        if isinstance(value, (np.ndarray, np.generic, float)) or value is None:
            count += 1
            yield path, value
            continue
        if id(value) in seen or len(path) >= depth:
            continue
        seen.add(id(value))
        left += [((*path, step), inner) for step, inner in _inside(value)]


def _inside(value: Any) -> list[tuple[Step, Any]]:
    if isinstance(value, dict):
        return [(("[]", k), v) for k, v in list(value.items())[:64] if isinstance(k, (str, int))]
    if isinstance(value, (list, tuple)):
        return [(("[]", i), v) for i, v in enumerate(value[:32])]
    if isinstance(value, type) or callable(getattr(value, "__code__", None)):
        return []
    found = dict(getattr(value, "__dict__", {}))
    for cls in type(value).__mro__:
        slots = cls.__dict__.get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            if name.startswith("__") and not name.endswith("__"):  # as Python keeps it
                name = f"_{cls.__name__.lstrip('_')}{name}"
            if hasattr(value, name):
                found.setdefault(name, getattr(value, name))
    plain = type(value).__module__ in ("builtins", "numpy", "random", "functools")
    return [] if plain else [((".", name), inner) for name, inner in found.items() if isinstance(name, str)]


def numbers(value: Any, dtype: Any = None) -> Any:
    """A list of numbers, or of such lists of one length, as an array; anything else as it is.

    Its dtype is that of NumPy's numbers in it. Python knows one alone, whatever came in: then it is `dtype`.
    """
    if not isinstance(value, list) or not value:
        return value
    rows = [numbers(one, dtype) if isinstance(one, list) else one for one in value]
    if all(isinstance(one, np.ndarray) for one in rows) and all(isinstance(one, list) for one in value):
        return np.stack(rows) if len({row.shape for row in rows}) == 1 else value
    if not all(isinstance(one, (int, float, np.number)) for one in rows):
        return value
    own = {one.dtype for one in rows if isinstance(one, np.floating)}
    return np.array(rows, dtype=np.result_type(*own) if own else dtype)


SMALL = 1024  # numbers


def described(root: Any) -> list[dict[str, Any]]:
    """Every array in it as plain data: its path, shape, dtype, and a checksum that shows whether it changed.

    "same" is the number of an earlier entry that is the very same array, "value" the mean of a small one,
    "square" that of its squares, and "zeros" its share of zeros.
    """
    found: list[dict[str, Any]] = []
    places: dict[int, int] = {}
    for path, value in walk(root):
        array = np.asarray(value) if value is not None else np.empty(0)
        if array.dtype.kind not in "fiub" or array.nbytes > 1 << 26:
            continue
        entry = _entry(path, array) | ({"shape": None} if value is None else {})
        entry["same"] = places.get(id(value), -1) if isinstance(value, np.ndarray) else -1
        places.setdefault(id(value), len(found))
        found.append(entry)
    return found


def lists_of_numbers(root: Any) -> list[dict[str, Any]]:
    """The same of lists of numbers among what was returned, and among masks that an object keeps."""
    at: dict[Path, Any] = {((".", name),): getattr(root, name, None) for name in ("out", "back")}
    own = getattr(getattr(root, "object", None), "__dict__", {})
    at |= {((".", "object"), (".", name)): a for name, a in own.items() if is_mask(name)}
    arrays = {path: numbers(value) for path, value in at.items() if isinstance(value, list)}
    return [
        _entry(path, array) | {"same": -1, "list": True}
        for path, array in arrays.items()
        if isinstance(array, np.ndarray)
    ]


def is_mask(name: str) -> bool:
    """Whether an attribute is named for a dropout's mask."""
    return any(word in plain(name) for word in ("mask", "drop", "keep"))


def checksum(array: Any) -> int:
    """A number that shows whether an array has changed."""
    return zlib.crc32(np.ascontiguousarray(array).tobytes())


def _entry(path: Path, array: Any) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "path": [list(step) for step in path],
        "shape": list(array.shape),
        "dtype": array.dtype.name,
        "sum": checksum(array),
    }
    if array.size and (array.ndim <= 2 or array.size <= SMALL):
        square = float(np.square(array, dtype=np.float64).mean())
        entry |= {"value": float(array.mean()), "zeros": float((array == 0).mean()), "square": square}
    return entry
