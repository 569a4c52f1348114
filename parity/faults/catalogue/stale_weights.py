"""Weights that are copied once: right until the first step of an optimizer.

The copy is made in the constructor or at the first call, in another layout or because arrays are copied
everywhere, and is not made again when the weights have changed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from parity.faults.fault import Entry, Family, before
from scratchcnn.layers import (
    Affine,
    BatchNorm,
    BatchNormalization,
    Convolution,
    Layer,
    Linear,
    PartialConvolution,
    Subsampling,
)
from scratchcnn.typing import Array

fault = Family()


class Copied(Layer):
    """Computes with copies of its weights that the first forward made."""

    in_forward, in_backward = True, True
    copies: dict[str, Array] | None = None

    def forward(self, x: Array) -> Array:
        self.copies = self.copies or {key: p.copy() for key, p in self.params.items()}
        return self._on(self.copies if self.in_forward else {}, super().forward, x)

    def backward(self, dout: Array) -> Array:
        return self._on(self.copies or {} if self.in_backward else {}, super().backward, dout)

    def _on(self, weights: dict[str, Array], call: Callable[[Any], Array], array: Array) -> Array:
        """The call with these weights in the place of its own."""
        own = {key: self.params[key].copy() for key in weights}
        for key in weights:
            self.params[key][...] = weights[key]
        try:
            return call(array)
        finally:
            for key, kept in own.items():
                self.params[key][...] = kept


def _put(says: str, uses: dict[str, bool], *entries: Entry) -> None:
    """Register a copy that is used in these directions in front of each entry's layer."""
    for name, kind, layer, story in entries:
        fault(name, kind, f"weights copied once: {says} the old ones after an update", shows="contract")(
            before(Copied, layer, story, **uses)
        )


_put(
    "forward and backward use",
    {},
    ("affine-stale-weights", "affine", Affine, "The network's W is copied to be safe, and the copy used."),
    ("linear-stale-weights", "affine_last_axis", Linear, "W is cast once, which makes a copy of it."),
    (
        "conv-stale-weights",
        "convolution",
        Convolution,
        "The filters are flattened to columns once, since they were taken for a constant.",
    ),
    (
        "partial-conv-stale-weights",
        "partial_convolution",
        PartialConvolution,
        "The filters of the table's connections are picked once, which copies them.",
    ),
    (
        "subsampling-stale-weights",
        "subsampling",
        Subsampling,
        "The coefficients are repeated per channel once, for the broadcast.",
    ),
    (
        "batch-norm-stale-weights",
        "batch_norm",
        BatchNormalization,
        "gamma and beta are copied in the shape of images at the first call.",
    ),
    (
        "batch-norm-options-stale-weights",
        "batch_norm_options",
        BatchNorm,
        "gamma and beta are filled in at the first call where they are not given, and copied where they are.",
    ),
)
_put(
    "forward uses",
    {"in_backward": False},
    ("affine-stale-weights-forward", "affine", Affine, "W is made contiguous once, for the forward's speed."),
    (
        "conv-stale-weights-forward",
        "convolution",
        Convolution,
        "The matrix of the filters is made in the constructor, and backward makes its own.",
    ),
    (
        "batch-norm-stale-weights-forward",
        "batch_norm",
        BatchNormalization,
        "gamma and the deviation are folded into one factor, once.",
    ),
)
_put(
    "backward uses",
    {"in_forward": False},
    ("affine-stale-transpose", "affine", Affine, "self.WT = W.T.copy() stands in the constructor."),
    (
        "conv-stale-turned-filters",
        "convolution",
        Convolution,
        "The turned filters of the backward pass are made once, beside the weights.",
    ),
    (
        "batch-norm-stale-gamma-backward",
        "batch_norm",
        BatchNormalization,
        "gamma is kept by the first forward for backward, among what never changes.",
    ),
)
