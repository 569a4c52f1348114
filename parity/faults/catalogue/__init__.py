"""The catalogue of known bugs: each named, described in one sentence, and runnable.

The kill matrix runs them to see whether the checks notice; a diagnosis runs them as hypotheses. The checks
themselves know nothing of the catalogue.
"""

from __future__ import annotations

from parity.faults.catalogue import (
    activations,
    adaptive,
    adaptive_pooling,
    affine,
    batch_norm,
    contracts,
    convolution,
    cross_entropy,
    dropout,
    dtypes,
    elementwise_losses,
    layer_norm,
    lenet,
    linear,
    losses,
    lrn,
    multiclass_hinge,
    newer_activations,
    newer_optimizers,
    numerical_gradient,
    optimizer_options,
    optimizers,
    padding,
    pooling,
    pooling_options,
    smooth_activations,
    softmax_axis,
    stale_weights,
    step,
    windows,
)
from parity.faults.fault import Fault

FAMILIES = (
    windows,
    convolution,
    pooling,
    pooling_options,
    padding,
    adaptive_pooling,
    affine,
    linear,
    activations,
    newer_activations,
    smooth_activations,
    step,
    softmax_axis,
    losses,
    multiclass_hinge,
    cross_entropy,
    elementwise_losses,
    lrn,
    batch_norm,
    layer_norm,
    dropout,
    lenet,
    optimizers,
    adaptive,
    newer_optimizers,
    optimizer_options,
    numerical_gradient,
    contracts,
    stale_weights,
    dtypes,
)
FAULTS: dict[str, Fault] = {fault.name: fault for family in FAMILIES for fault in family.fault}


def faults_of(kind: str) -> list[Fault]:
    """The faults of a kind, in the catalogue's order; none for a kind that has none."""
    return [fault for fault in FAULTS.values() if fault.kind == kind]


__all__ = ["FAULTS", "Fault", "faults_of"]
