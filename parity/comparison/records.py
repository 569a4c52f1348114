"""The results of a check: one Record per tensor, and the tidy DataFrame of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from parity.comparison.gates import Comparison

if TYPE_CHECKING:
    import pandas as pd

# `margin` is the share of what is allowed that was used; more than 1 fails.
CATEGORIES = ["network", "layer", "case", "phase", "tensor", "dtype", "device"]
NUMBERS = ["max_abs", "max_rel", "allowed", "margin"]
FLAGS = ["exact", "ok", "proves"]
RECORD_COLUMNS = [*CATEGORIES, "shape", *NUMBERS, *FLAGS, "why"]

# The phases in which a network is run as a user runs it (see parity.checks.as_called).
TEXTBOOK, PREDICT, GRADIENT, BY_HAND = AS_CALLED = (
    "textbook",
    "predict as called",
    "gradient as called",
    "backward by hand",
)
# How the phases begin in which a whole network's gradient is compared, or what an optimizer makes of it.
GRADIENT_PHASES = ("step", GRADIENT, BY_HAND, TEXTBOOK)


@dataclass(frozen=True)
class Place:
    """Where a comparison was made."""

    network: str
    dtype: str
    device: str


@dataclass(frozen=True)
class Record:
    """One tensor of one layer in one phase, and how it compared.

    network  empty for a layer that was checked individually
    case     the probe's name, for a layer that was checked individually
    """

    network: str
    layer: str
    phase: str
    tensor: str
    dtype: str
    device: str
    shape: tuple[int, ...]
    max_abs: float
    max_rel: float
    allowed: float
    margin: float
    exact: bool
    ok: bool
    why: str = ""
    proves: bool = True
    case: str = ""


def record(
    place: Place, layer: str, phase: str, tensor: str, comparison: Comparison, case: str = ""
) -> Record:
    return Record(layer=layer, phase=phase, tensor=tensor, case=case, **vars(place), **vars(comparison))


def unproven(records: Iterable[Record]) -> list[str]:
    """Tensors of which no comparison could have failed a wrong one: for those a pass means nothing.

    Float32 gradients of whole networks do not count here, neither way: PyTorch's own float32 runs may differ
    by that much, since an input on the other side of a kink moves a gradient by more than rounding.
    """
    proven: dict[str, bool] = {}
    for row in records:
        if crosses_kinks(row.dtype, row.phase):
            continue
        name = " ".join(filter(None, [row.network, row.layer, row.tensor, row.dtype]))
        proven[name] = proven.get(name, False) or row.proves or not row.ok
    return [name for name, proves in proven.items() if not proves]


def crosses_kinks(dtype: str, phase: str) -> bool:
    """Whether such a record is of a whole network's float32 gradient, or of what an optimizer made of it."""
    return dtype == "float32" and phase.startswith(GRADIENT_PHASES)


def frame(records: Iterable[Record]) -> pd.DataFrame:
    """The records as a tidy frame: names as categories, the shape as text, one row per tensor."""
    import pandas as pd

    table = pd.DataFrame([asdict(r) for r in records], columns=RECORD_COLUMNS)
    table["shape"] = table["shape"].map(lambda shape: "x".join(map(str, shape)) or "scalar")
    for column in CATEGORIES:
        table[column] = table[column].astype("category")
    return table.astype(dict.fromkeys(NUMBERS, float) | dict.fromkeys(FLAGS, bool) | {"why": str})
