"""Arrays of one number that are a number, as NumPy's were until 2.4: `float(b)`, `out[i, j] = x @ w + b`.

Code that was written so raises today whatever it is given, though its mathematics may be right. Where that is
what it raises, it is handed arrays of this class, which are NumPy's in everything else. Needs NumPy alone.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np

REFUSED = "only 0-dimensional arrays can be converted to Python scalars"  # as NumPy has it
RAISED = re.compile(rf"{REFUSED}|setting an array element with a sequence\.(?! The)")
LINE = re.compile(r"\(([^()]*, line \d+)[^()]*\)$")


class FormerArray(np.ndarray[Any, Any]):
    """An array that Python may take for a number where it holds one."""

    def __array_wrap__(self, array: Any, context: Any = None, return_scalar: bool = False) -> Any:
        return array[()] if array.ndim == 0 else array.view(FormerArray)

    def __float__(self) -> float:
        return float(self._number())

    def __int__(self) -> int:
        return int(self._number())

    def _number(self) -> Any:
        if self.size != 1:
            raise TypeError(REFUSED)
        return self.item()


def former(value: Any) -> Any:
    """An array of numbers as one of those, which shares its memory; anything else as it is."""
    return value.view(FormerArray) if type(value) is np.ndarray and value.dtype.kind == "f" else value


def todays(value: Any) -> Any:
    """Such an array as one of NumPy's; a list or tuple of them as one of those; anything else as it is."""
    if type(value) is list or type(value) is tuple:
        return type(value)(todays(one) for one in value)
    return value.view(np.ndarray) if type(value) is FormerArray else value


def refused_at(error: str) -> str:
    """The line that raised since an array of one number is none any more; "" where it is not that."""
    found = LINE.search(error)
    return found[1] if RAISED.search(error) and found else ""
