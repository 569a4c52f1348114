"""A small constant inside a loss's logarithm: log(y + 1e-12) for log(y), or y cut off at 1e-12.

It keeps log(0) away, changes the loss by as little as it is small, and caps it: at 27.6 for 1e-12. The
mathematics is right. The constant is read off: it must give every loss, and be one that people write.
log(y + 1e-7) is the book's, which has its name in the catalogue.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from parity.kinds import Probe
from scratchcnn.layers import softmax
from scratchcnn.typing import Array

KINDS = ("softmax_with_loss",)
EPS = tuple(float(np.finfo(dtype).eps) for dtype in (np.float32, np.float64))
TINY = tuple(float(np.finfo(dtype).tiny) for dtype in (np.float32, np.float64))
CONSTANTS = (
    *(float(f"1e-{k}") for k in (*range(5, 21), 30, 32, 40, 50, 64, 100, 200, 300)),
    *EPS,
    *TINY,
)
IN_CATALOGUE = ("-log(y + {})", 1e-7)
FORMS: dict[str, Callable[[Array, float], Array]] = {
    "-log(y + {})": lambda y, small: y + y.dtype.type(small),
    "-log(y), y cut off below {}": lambda y, small: np.maximum(y, y.dtype.type(small)),
    "-log(y), y cut off below {0} and above 1 - {0}": lambda y, small: np.clip(
        y, y.dtype.type(small), y.dtype.type(1 - small)
    ),
}
CLOSE = {"float64": 1e-12, "float32": 2e-5}


def constant_inside(losses: Iterable[tuple[Probe, str, Array]]) -> str:
    """What gives all of these losses, each with its input and dtype, as `-log(y + 1e-12)`; "" if nothing."""
    left = [(form, small) for form in FORMS for small in CONSTANTS if (form, small) != IN_CATALOGUE]
    for probe, dtype, loss in losses:
        y = _of_labels(probe, dtype)
        left = [one for one in left if y is not None and _gives(one, y, float(loss), CLOSE[dtype])]
    return left[0][0].format(f"{left[0][1]:.3g}") if left else ""


def _of_labels(probe: Probe, dtype: str) -> Array | None:
    """The probability of each row's label, (N,); None where a row has several."""
    x, t = probe.inputs["x"].astype(dtype), np.asarray(probe.inputs["t"])
    if t.ndim == x.ndim:
        if not np.array_equal(t.sum(axis=1), np.ones(len(t))) or not np.isin(t, (0, 1)).all():
            return None
        t = t.argmax(axis=1)
    found: Array = softmax(x)[np.arange(len(t)), t]
    return found


def _gives(one: tuple[str, float], y: Array, loss: float, close: float) -> bool:
    form, small = one
    with np.errstate(divide="ignore"):
        made = float(-np.log(FORMS[form](y, small)).mean())
    return bool(np.isfinite(made) and abs(made - loss) <= close * max(1.0, abs(loss)))
