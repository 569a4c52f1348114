"""A generator that follows `np.random.seed`, which the book's scripts call."""

import numpy as np


def generator() -> np.random.Generator:
    """A new generator, seeded by a draw from `np.random`."""
    return np.random.default_rng(np.random.randint(2**31))  # noqa: NPY002
