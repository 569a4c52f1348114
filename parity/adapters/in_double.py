"""A module whose code asks for float32 runs in float64: slopes by differences need the digits.

Its name for NumPy then leads to a stand-in that has float64 in the place of float32. Needs NumPy alone.
"""

from __future__ import annotations

import inspect
import types
from typing import Any

import numpy as np

ASKED = "float32"


class _Double(types.ModuleType):
    """NumPy, but for its float32."""

    float32 = np.float64
    single = np.float64

    def __getattr__(self, name: str) -> Any:
        return getattr(np, name)


def in_double(cls: type) -> None:
    """From now on the module of the class asks for float64 where it says `np.float32`."""
    module = inspect.getmodule(cls)
    try:
        asks = module is not None and ASKED in inspect.getsource(module)
    except (OSError, TypeError):
        return
    if module is not None and asks:
        for name, value in list(vars(module).items()):
            if value is np:
                setattr(module, name, _Double("numpy"))
            elif value is np.float32:
                setattr(module, name, np.float64)
