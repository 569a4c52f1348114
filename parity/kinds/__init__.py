"""What each layer, loss and optimizer must compute: formula, inputs to try, how it is called, its names.

One file per family; a kind is added there and to nothing else of this package.
"""

from __future__ import annotations

from functools import lru_cache

from parity.kinds import (
    activations,
    cross_entropy,
    dense,
    dropout,
    elementwise_losses,
    layer_norm,
    losses,
    newer_activations,
    normalization,
    numerical_gradient,
    optimizer_options,
    optimizers,
    padding,
    pooling,
    softmax_axis,
    windows,
)
from parity.kinds.followed import followed
from parity.kinds.kind import Kind, Operation
from parity.kinds.optimizers import OptimizerKind
from parity.kinds.probe import Probe, Tensors
from scratchcnn.layers import Layer
from scratchcnn.lookup import nearest

OPERATIONS = (
    windows,
    pooling,
    padding,
    dense,
    activations,
    newer_activations,
    softmax_axis,
    losses,
    cross_entropy,
    elementwise_losses,
    normalization,
    layer_norm,
    dropout,
    numerical_gradient,
)

KINDS: dict[str, Operation] = {kind.name: kind for family in OPERATIONS for kind in family.KINDS}
OPTIMIZER_KINDS: dict[str, OptimizerKind] = {
    kind.name: kind for family in (optimizers, optimizer_options) for kind in family.KINDS
}
ELEMENTWISE = tuple(  # one number in, one number out
    kind.name for kind in (*activations.KINDS, *newer_activations.KINDS) if kind is not activations.SOFTMAX
)
ALL_KINDS: dict[str, Kind] = {**KINDS, **OPTIMIZER_KINDS}


def kind_of(name: str) -> Kind:
    """The kind of that name, or of a layer and the activation built into it (`affine+relu`).

    Raises ValueError naming those there are.
    """
    found = ALL_KINDS.get(name) or _together(name)
    if found is None:
        near = nearest(name, ALL_KINDS)
        raise ValueError(f"no kind named {name!r}; there are {', '.join(ALL_KINDS)}{near}")
    return found


@lru_cache
def _together(name: str) -> Kind | None:
    return followed(name, KINDS)


def kind_of_layer(layer: Layer) -> Operation:
    """The kind of one of our layers, by its class or the nearest base that has one.

    Raises TypeError for a layer of no kind.
    """
    for cls in type(layer).__mro__:
        for kind in KINDS.values():
            if kind.fits(cls, layer):
                return kind
    raise TypeError(f"no kind is known for {type(layer).__name__}; add one to parity.kinds")


__all__ = [
    "ALL_KINDS",
    "ELEMENTWISE",
    "KINDS",
    "OPTIMIZER_KINDS",
    "Kind",
    "Operation",
    "OptimizerKind",
    "Probe",
    "Tensors",
    "kind_of",
    "kind_of_layer",
]
