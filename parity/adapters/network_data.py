"""The data on which a network is tried: few rows of random numbers in several forms, and labels for them.

Needs NumPy alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.adapters.network_arrays import Place, put
from parity.adapters.network_builds import Build, I, N, O
from parity.adapters.network_lists import takes_label_last

Array = NDArray[Any]
ROWS, COLUMNS, ROW, COLUMN, VECTOR = "rows", "columns", "one row", "one column", "one vector"
IMAGES, NUMBERS = "images", "a number per row"
LIST, LABELLED = "a list", "a list with its class last"
LISTS = (LIST, LABELLED)
SINGLE = (ROW, COLUMN, VECTOR, *LISTS)
FEW = 2  # rows
FORMS = (ROWS, COLUMNS, ROW, COLUMN, VECTOR)


Width = int | tuple[int, ...]  # of an image its shape


@dataclass(frozen=True)
class Data:
    """One batch: which form it has, how the labels are given, how wide both are, and the arrays."""

    form: str
    labels: str
    width: Width
    outputs: int
    x: Any
    t: Any

    def __str__(self) -> str:
        return f"x {np.shape(self.x)} ({self.form}), labels {np.shape(self.t)} ({self.labels})"

    @property
    def rows(self) -> int:
        return N if self.form in (ROWS, COLUMNS, IMAGES, NUMBERS) else 1

    def of_case(self, case: int, few: int = 0) -> Data:
        """Another batch of the same form; `few`: of so many rows where it has more."""
        t = next(
            t
            for name, t in labels_of(self.form, self.outputs, case)
            if name == self.labels and np.shape(t) == np.shape(self.t)
        )
        x = inputs_of(self.form, self.width, case)
        found = Data(self.form, self.labels, self.width, self.outputs, x, t)
        return found.of_rows(slice(few)) if few and self.rows > few else found

    def of_rows(self, which: slice) -> Data:
        """Those rows of it alone."""
        at = (..., which) if self.form == COLUMNS else which
        return replace(self, x=self.x[at].copy(), t=self.t[at].copy())


def inputs_of(form: str, width: Width, case: int) -> Array:
    """The rows, in that form; one in a list is no array."""
    rng = np.random.default_rng([case, *np.atleast_1d(width), 1])
    if form == IMAGES:
        return rng.standard_normal((N, *np.atleast_1d(width)))
    rows = rng.standard_normal((N, width))  # type: ignore[arg-type]
    if form in LISTS:
        label = [1] * (form == LABELLED)  # the class that `labels_of` gives a single row
        return rows[0].tolist() + label  # type: ignore[no-any-return]
    forms = {ROWS: rows, COLUMNS: rows.T.copy(), ROW: rows[:1], COLUMN: rows[:1].T.copy(), VECTOR: rows[0]}
    return np.asarray(forms[form] if form != NUMBERS else rows[:, 0])


def labels_of(form: str, outputs: int, case: int, out: Any = None) -> list[tuple[str, Any]]:
    """Labels of so many outputs, those of the outputs' own shape first."""
    rng = np.random.default_rng([case, outputs, 2])
    classes = rng.integers(0, max(outputs, 2), N)
    classes[:2] = [0, outputs - 1 if outputs > O else 1]  # both are there; of many classes the last one
    rows = np.eye(outputs)[classes] if outputs > 1 else classes[:, None].astype(np.float64)
    if form in SINGLE:
        rows, classes = rows[1:2], classes[1:2]
    turned = form in (COLUMNS, COLUMN)
    name = "one-hot" if outputs > 1 else "0 and 1"
    flat = classes if outputs > 1 else classes.astype(np.float64)
    if form == NUMBERS:
        return [(name, flat)]
    first = rows.T.copy() if turned else rows[0] if form == VECTOR else rows
    if form in LISTS:
        return [(name, rows[0].tolist())]
    found: list[tuple[str, Any]] = [(name, first)]
    if form != VECTOR:
        found.append(("numbers of classes" if outputs > 1 else "0 and 1", flat))
    elif outputs > 1:
        found.append(("number of a class", int(classes[0])))
    if out is not None and np.shape(out) == np.shape(flat) != np.shape(first):
        found.reverse()
    return found


def width_of(a: Any, form: str) -> int:
    shape = np.shape(a)
    return int(shape[0] if form in (COLUMNS, COLUMN, VECTOR, *LISTS) else shape[1])


def forms_of(network: Any, params: dict[Place, Any]) -> tuple[str, ...]:
    """The forms of x that are tried: images where the network says how large they are, lists where its
    weights are in lists, else its own."""
    if own := getattr(type(network), "forms_tried", ()):
        return tuple(own)
    if not any(isinstance(value, np.ndarray) for value in params.values()):
        numbers = (NUMBERS,) if all(isinstance(value, float) for value in params.values()) else ()
        return (LABELLED if takes_label_last(type(network)) else LIST, *numbers)  # numbers: w * x + b
    return (IMAGES,) if isinstance(getattr(network, "input_dim", None), tuple) else FORMS


def widths_of(network: Any, params: dict[Place, Any], build: Build) -> list[Width]:
    """How wide its input may be: as it was built, else by its first weights."""
    if isinstance(shape := getattr(network, "input_dim", None), tuple):
        return [shape]
    if any(
        (isinstance(v, int) and v == I) or isinstance(v, list) for v in [*build.args, *build.kwargs.values()]
    ):
        return [I]
    matrices = [np.shape(value) for value in params.values() if np.ndim(value) == 2]
    return list(dict.fromkeys(n for shape in matrices[:1] for n in shape)) or [I]


def outputs_of(build: Build, params: dict[Place, Any], out: Any, form: str) -> list[int]:
    if isinstance(out, np.ndarray):
        if out.ndim == 2:
            return [width_of(out, form)]
        if out.ndim == 1:
            return [len(out)] if form in (VECTOR, *LISTS) else [1]
    if build.outputs is not None:
        return [build.outputs]
    matrices = [np.shape(value) for value in params.values() if np.ndim(value) == 2]
    return list(dict.fromkeys(n for shape in matrices[-1:] for n in reversed(shape))) or [1]


def filled(network: Any, params: dict[Place, Any], case: int) -> None:
    """Give every parameter random numbers of a size at which nothing saturates."""
    rng = np.random.default_rng([case, 3])
    for place, value in params.items():
        shape = np.shape(value)
        near = 1.0 if isinstance(place[-1], str) and "gamma" in place[-1].lower() else 0.0
        size = min(0.5, 1.6 / np.sqrt(max(shape, default=1)))
        put(network, place, near + size * rng.standard_normal(shape))
