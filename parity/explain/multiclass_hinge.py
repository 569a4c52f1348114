"""What people write for the hinge loss of several classes, and for its gradient."""

# mypy: disable-error-code="no-any-return, misc"

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from parity.explain.functions import softmax
from parity.kinds import Probe
from scratchcnn.typing import Array

Formula = Callable[[Probe], "Array | None"]


def _parts(p: Probe) -> tuple[Array, Array, Array]:
    """x, the right classes as one-hot rows, and x[c] - x[t] + 1."""
    x, t = p.inputs["x"], p.inputs["t"]
    hot = np.eye(x.shape[1])[t if t.ndim == 1 else t.argmax(axis=1)]
    return x, hot, x - (x * hot).sum(axis=1, keepdims=True) + 1


def _margins(p: Probe) -> Array:
    _, hot, d = _parts(p)
    return np.maximum(d, 0) * (1 - hot)


LOSSES: dict[str, Callable[[Probe], Array]] = {
    "max(0, x[c] - x[t] + 1)": _margins,
    "max(0, x[c] - x[t] + 1) with the right class's own": lambda p: np.maximum(_parts(p)[2], 0),
    "max(0, x[c] - x[t])": lambda p: np.maximum(_parts(p)[2] - 1, 0) * (1 - _parts(p)[1]),
    "max(0, x[t] - x[c] + 1)": lambda p: np.maximum(2 - _parts(p)[2], 0) * (1 - _parts(p)[1]),
    "x[c] - x[t] + 1, also below 0,": lambda p: _parts(p)[2] * (1 - _parts(p)[1]),
    "max(0, x[c] - x[t] + 1)**2": lambda p: _margins(p) ** 2,
    "the largest max(0, x[c] - x[t] + 1)": lambda p: _margins(p).max(axis=1, keepdims=True),
    "max(0, x[c] - x[t] + 1) of the last row": lambda p: _margins(p)[-1:],
    "max(0, x[c] - x[0] + 1)": lambda p: (
        np.maximum(p.inputs["x"] - p.inputs["x"][:, :1] + 1, 0) * (1 - _parts(p)[1])
    ),
}


def _with_right(
    of: Callable[[Array, Array], Array] = lambda mask, count: -count,
    margins: Callable[[Probe], Array] = _margins,
) -> Callable[[Probe], Array]:
    """The slopes with something else for the right class, of the mask of the margins and their number."""

    def slopes(p: Probe) -> Array:
        hot, mask = _parts(p)[1], 1.0 * (margins(p) > 0)
        return mask + hot * of(mask, mask.sum(axis=1, keepdims=True))

    return slopes


RIGHT = _with_right()


def _of_margins(p: Probe) -> Array:
    m = _margins(p)
    return m - _parts(p)[1] * m.sum(axis=1, keepdims=True)


def _everywhere(p: Probe) -> Array:
    hot = _parts(p)[1]
    return 1 - hot * hot.shape[1]


SLOPES: dict[str, Callable[[Probe], Array]] = {
    "1 within the margin, minus their number for the right class": RIGHT,
    "its negative": lambda p: -RIGHT(p),
    "the same where x[c] > x[t]": _with_right(margins=LOSSES["max(0, x[c] - x[t])"]),
    "the same where x[t] - x[c] + 1 > 0": _with_right(margins=LOSSES["max(0, x[t] - x[c] + 1)"]),
    "the same where x[c] - x[0] + 1 > 0": _with_right(margins=LOSSES["max(0, x[c] - x[0] + 1)"]),
    "0 for the right class": _with_right(lambda mask, count: 0 * count),
    "-1 for the right class": _with_right(lambda mask, count: 0 * count - 1),
    "-(C - 1) for the right class": _with_right(lambda mask, count: 0 * count + 1 - mask.shape[1]),
    "one less for the right class": _with_right(lambda mask, count: -count - 1),
    "the margins for their mask": _of_margins,
    "1 beyond the margin, too": _everywhere,
    "softmax(x) - onehot": lambda p: softmax(p.inputs["x"]) - _parts(p)[1],
}
DIVISORS: dict[str, Callable[[Probe], float]] = {
    "divided by N": lambda p: len(p.inputs["x"]),
    "not divided": lambda p: 1,
    "divided by C": lambda p: p.inputs["x"].shape[1],
    "divided by N*C": lambda p: p.inputs["x"].size,
    "divided by N twice": lambda p: len(p.inputs["x"]) ** 2,
}


def multiclass_hinges(name: str) -> Iterator[tuple[str, Formula]]:
    """(what is different, the result) for the loss or dx."""
    for words, of in (LOSSES if name == "loss" else SLOPES).items():
        for by, count in DIVISORS.items():
            if name == "loss":
                yield f"the sum of {words}, {by}", lambda p, o=of, c=count: np.array(o(p).sum() / c(p))
            else:
                yield f"{words}, {by}", lambda p, o=of, c=count: o(p) / c(p)
