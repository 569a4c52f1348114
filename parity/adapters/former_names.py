"""Names that Python or NumPy once had, lent to code that was written for them: `xrange`, `np.int`.

Without them it raises whatever it is given, though its mathematics may be right. Where the code runs in a
process of its own each of them is what replaced it, and every use is noted, to be said. Needs NumPy alone.
"""

from __future__ import annotations

import builtins
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from parity.adapters.wire import clean

OF_NUMPY: dict[str, tuple[str, Any]] = {  # name -> what replaced it, in words and itself
    "int": ("int", int),
    "float": ("float", float),
    "object": ("object", object),
    "str": ("str", str),
    "complex": ("complex", complex),
    "bool8": ("np.bool_", np.bool_),
    "int0": ("np.intp", np.intp),
    "float_": ("np.float64", np.float64),
    "complex_": ("np.complex128", np.complex128),
    "Inf": ("np.inf", np.inf),
    "Infinity": ("np.inf", np.inf),
    "infty": ("np.inf", np.inf),
    "NaN": ("np.nan", np.nan),
    "product": ("np.prod", np.prod),
    "cumproduct": ("np.cumprod", np.cumprod),
    "alltrue": ("np.all", np.all),
    "sometrue": ("np.any", np.any),
    "round_": ("np.round", np.round),
    "in1d": ("np.isin", np.isin),
    "asfarray": ("np.asarray(..., float)", lambda a, dtype=np.float64: np.asarray(a, dtype)),
    "asscalar": (".item()", lambda a: a.item()),
    "mat": ("np.asmatrix", np.asmatrix),
}
XRANGE = "xrange"
OF_PYTHON = (XRANGE, "unicode", "long", "basestring", "raw_input", "reduce", "unichr", "cmp", "file")
_used: dict[str, str] = {}  # what of it was used -> a sentence


def lend() -> None:
    """From now on this process has them."""
    if not hasattr(builtins, XRANGE):
        setattr(builtins, XRANGE, _xrange)
    np.__dict__["__getattr__"] = _lending(np.__dict__.get("__getattr__", _none))


def used() -> list[str]:
    """A sentence for each of them that was used."""
    return list(_used.values())


def _xrange(*sizes: Any) -> range:
    _note(XRANGE, "Python 3", "range")
    return range(*sizes)


def _lending(asked: Callable[[str], Any]) -> Callable[[str], Any]:
    def lent(name: str) -> Any:
        if name not in OF_NUMPY:
            return asked(name)
        words, value = OF_NUMPY[name]
        _note(f"np.{name}", "NumPy", words)
        return value

    return lent


def _none(name: str) -> Any:
    raise AttributeError(f"module 'numpy' has no attribute {name!r}")


def _note(name: str, whose: str, now: str) -> None:
    at = sys._getframe(2)  # the line that asks for it
    where = f"{clean(Path(at.f_code.co_filename).name, 80)}, line {at.f_lineno}"
    _used.setdefault(name, f"it uses {name}, which {whose} no longer has: {now} replaced it ({where})")
