"""One input to try. Needs NumPy alone, so that a process without PyTorch can read it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

Tensors = dict[str, NDArray]


@dataclass(frozen=True)
class Probe:
    """One input to try, float64 numbers that float32 holds exactly.

    args    the constructor's or function's arguments, arrays among them (W, b, stride, ...)
    inputs  what the call gets: x and dout, and t, mask or grads where the kind has them
    needs   features that an implementation may lack: "pad", "pairs", "dilation", "groups", ...
    """

    kind: str
    id: str
    args: dict[str, Any] = field(default_factory=dict)
    inputs: dict[str, Any] = field(default_factory=dict)
    needs: frozenset[str] = frozenset()

    @cached_property
    def known(self) -> dict[str, Any]:
        """What a judge has computed for this probe already."""
        return {}

    @property
    def dtype(self) -> np.dtype:
        return next(
            a.dtype for a in self.inputs.values() if isinstance(a, np.ndarray) and a.dtype.kind == "f"
        )

    def cast(self, dtype: Any) -> Probe:
        """The same numbers in another floating dtype."""

        def convert(value: Any) -> Any:
            if isinstance(value, dict):
                return {k: convert(v) for k, v in value.items()}
            if isinstance(value, list):
                return [convert(v) for v in value]
            if isinstance(value, np.ndarray):
                return value.astype(dtype) if value.dtype.kind == "f" else value.copy()
            return value

        return Probe(self.kind, self.id, convert(self.args), convert(self.inputs), self.needs)
