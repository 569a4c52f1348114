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

    Float32 training steps do not count here, neither way: PyTorch's own float32 runs may differ by that much,
    since an input that falls on the other side of a kink moves a gradient by more than rounding.
    """
    proven: dict[str, bool] = {}
    for row in records:
        if is_float32_step(row.dtype, row.phase):
            continue
        name = " ".join(filter(None, [row.network, row.layer, row.tensor, row.dtype]))
        proven[name] = proven.get(name, False) or row.proves or not row.ok
    return [name for name, proves in proven.items() if not proves]


def is_float32_step(dtype: str, phase: str) -> bool:
    """Whether a record of that dtype and phase belongs to a training step in float32."""
    return dtype == "float32" and phase.startswith("step")


def frame(records: Iterable[Record]) -> pd.DataFrame:
    """The records as a tidy frame: names as categories, the shape as text, one row per tensor."""
    import pandas as pd

    table = pd.DataFrame([asdict(r) for r in records], columns=RECORD_COLUMNS)
    table["shape"] = table["shape"].map(lambda shape: "x".join(map(str, shape)) or "scalar")
    for column in CATEGORIES:
        table[column] = table[column].astype("category")
    return table.astype(dict.fromkeys(NUMBERS, float) | dict.fromkeys(FLAGS, bool) | {"why": str})
