"""Every kind that can be checked by itself: layers, functions, losses and optimizers."""

from __future__ import annotations

from parity.kinds.kind import KINDS, Kind
from parity.kinds.optimizers import OPTIMIZER_KINDS, OptimizerKind

ALL_KINDS: dict[str, Kind | OptimizerKind] = {**KINDS, **OPTIMIZER_KINDS}


def kind_of(name: str) -> Kind | OptimizerKind:
    """The kind of that name. Raises ValueError naming those there are."""
    if name not in ALL_KINDS:
        raise ValueError(f"no kind named {name!r}; there are {', '.join(ALL_KINDS)}")
    return ALL_KINDS[name]
