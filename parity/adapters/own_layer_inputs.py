"""The inputs with which a layer is tried that is none of the kinds: their shapes and their values.

Needs NumPy alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.adapters.network_builds import I

Array = NDArray[Any]
SCALES = (1.0, 3.0, 8.0)  # of the cases in turn: so far out that a bend at 6 is passed as well
ANY, POSITIVE, BETWEEN, ROWS = "any", "positive", "between 0 and 1", "rows that sum to 1"


@dataclass(frozen=True)
class Form:
    """The shape of an input; `channels` are the shapes that one number per channel may have."""

    name: str
    shape: tuple[int, ...]
    channels: tuple[tuple[int, ...], ...]
    single: bool = False  # of one sample alone

    @property
    def cases(self) -> int:
        return 3 if self.shape else 12


FORMS = (
    Form("rows (N, D)", (5, I), ((I,), (1, I))),
    Form("images (N, C, H, W)", (2, I, 4, 6), ((1, I, 1, 1), (I,), (I, 1, 1))),
    Form("sequences (N, T, D)", (3, 5, I), ((I,),)),
    Form("signals (N, C, L)", (3, I, 8), ((I,), (1, I, 1))),
    Form("images (N, H, W, C)", (2, 4, 6, I), ((I,), (1, 1, 1, I))),
    Form("a square (D, D)", (I, I), ((I,),)),
    Form("columns (D, N)", (I, 5), ((I, 1),)),
    Form("an image (C, H, W)", (I, 4, 6), ((I,), (I, 1, 1)), True),
    Form("a vector (D,)", (I,), ((I,),), True),
    Form("a column (D, 1)", (I, 1), ((I, 1),), True),
    Form("a row (1, D)", (1, I), ((1, I), (I,)), True),
    Form("a number", (), ((),), True),
)


def drawn(shape: tuple[int, ...], domain: str, case: int, which: int, steady: bool = False) -> Array | float:
    """Numbers of that shape for the input of that place; of a case of its own scale, unless `steady`."""
    rng = np.random.default_rng([case, which, 11])
    if domain == ANY:
        found = rng.standard_normal(shape) * (1.0 if steady else SCALES[case % len(SCALES)])
    elif domain == POSITIVE:
        found = rng.uniform(0.2, 2.0, shape)
    else:
        found = rng.uniform(0.1, 0.9, shape)
    if domain == ROWS and np.ndim(found):
        found = found / found.sum(axis=-1, keepdims=True)
    return found if shape else float(found)
