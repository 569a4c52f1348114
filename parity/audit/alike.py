"""Results of the class under test beside those of the right layer: in one layout, alike or not."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from parity.adapters.arguments import ALIASES
from parity.adapters.layouts import tokens

CLOSE = {"rtol": 1e-4, "atol": 1e-6}  # of the class's own result and the right layer's, float32 included


class NotApplied(Exception):
    """Why the bug cannot be put into this class."""


def to_book(a: Any, letters: str, layout: str) -> Any:
    """An array that lies in `layout`, in the order of `letters`. Raises NotApplied for axes that are one."""
    axes = tokens(layout)
    if any(len(axis) > 1 for axis in axes) or a.ndim != len(axes):
        raise NotApplied(f"the layout {layout} is not undone")
    kept = [i for i, axis in enumerate(axes) if axis != "1"]
    order = [axes[i] for i in kept]
    array = a.reshape([a.shape[i] for i in kept])
    array = array.transpose([order.index(c) for c in letters if c in order])
    return array[tuple(slice(None) if c in order else None for c in letters)]


def book_name(name: str, known: Iterable[str]) -> str:
    """Which of the known arguments the name stands for: kh is pool_h of pooling and filter_h of im2col."""
    if name in known:
        return name
    bare = name.lower().replace("_", "")
    return next((one for one in known if bare in ALIASES.get(one, ())), name)


def pair(value: Any) -> tuple[int, int]:
    return (value[0], value[1]) if isinstance(value, (tuple, list)) else (value, value)


def copies(given: dict[str, Any]) -> dict[str, Any]:
    return {k: v.copy() if isinstance(v, np.ndarray) else v for k, v in given.items()}


def alike(a: Any, b: Any) -> bool:
    a, b = np.asarray(a), np.asarray(b)
    return a.shape == b.shape and bool(np.allclose(a, b, **CLOSE, equal_nan=True))


def same(a: Any, b: Any) -> bool:
    """What two layers of ours gave: the same but for rounding, and of one dtype."""
    a, b = np.asarray(a), np.asarray(b)
    if a.shape != b.shape or a.dtype != b.dtype:
        return False
    rtol, atol = (1e-9, 1e-12) if a.dtype == np.float64 else (1e-5, 1e-6)
    sizes = np.abs(a[np.isfinite(a)])  # a sum of large terms may be next to zero, and is rounded as they are
    return bool(np.allclose(a, b, rtol=rtol, atol=atol * float(sizes.max(initial=1e-30)), equal_nan=True))


def typed(value: Any, like: Any, right: Any) -> Any:
    """The value in the dtype of what the class returned, unless the dtype is the bug."""
    value = np.asarray(value)
    dtype = getattr(like, "dtype", None) if value.dtype == np.asarray(right).dtype else None
    value = value.astype(dtype) if dtype is not None and dtype.kind == "f" else value
    return value if isinstance(like, np.ndarray) or value.ndim else value[()]
