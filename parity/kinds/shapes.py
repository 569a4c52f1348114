"""Inputs that several families share: images and rows of the sizes that networks have, and scores."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from parity.kinds.probe import Array, Probe, Rng, needs, normal, quarters

IMAGES = ((7, 6, 28, 28), (32, 16, 10, 10), (1, 64, 56, 57), (2, 512, 7, 7), (100, 30, 12, 12), (100, 4096))
ROWS = ((3, 1), (4, 2), (5, 3), (6, 11), (7, 10), (32, 10), (100, 10), (7, 100), (32, 1000))


def of_shapes(kind: str, *shapes: tuple[int, ...], asked: bool = False) -> Callable[[Rng], Iterator[Probe]]:
    """A probe per shape of x, for a kind without arguments.

    With `asked`, images are a feature: an implementation may take rows alone.
    """

    def build(rng: Rng) -> Iterator[Probe]:
        for shape in shapes:
            feature = needs(images=asked and len(shape) > 2)
            yield Probe(kind, "x".join(map(str, shape)), {}, {"x": quarters(rng, *shape)}, feature)

    return build


def logits(rng: Rng) -> Iterator[tuple[str, Array]]:
    """A name and scores (N, classes): equal, far apart, saturated, and ordinary ones."""
    yield "2x3", normal(rng, 2, 3)
    yield "one row", normal(rng, 1, 4)
    yield "10 classes", normal(rng, 5, 10)
    yield "equal logits", np.zeros((2, 4))
    yield "logits of +-1e3", 1e3 * np.sign(normal(rng, 4, 5))
    yield "rows far apart", normal(rng, 3, 4) + np.array([[0.0], [900.0], [-900.0]])
    yield "confident logits", normal(rng, 4, 5, scale=30.0)
