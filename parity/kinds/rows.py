"""Rows of scores for softmax and the losses: equal, far apart, saturated, and ordinary ones."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from parity.kinds.probe import Array, Rng, normal


def logits(rng: Rng) -> Iterator[tuple[str, Array]]:
    """A name and scores (N, classes), one after another."""
    yield "2x3", normal(rng, 2, 3)
    yield "one row", normal(rng, 1, 4)
    yield "10 classes", normal(rng, 5, 10)
    yield "equal logits", np.zeros((2, 4))
    yield "logits of +-1e3", 1e3 * np.sign(normal(rng, 4, 5))
    yield "rows far apart", normal(rng, 3, 4) + np.array([[0.0], [900.0], [-900.0]])
    yield "confident logits", normal(rng, 4, 5, scale=30.0)
