"""A dense layer that flattens images and gives their dx back flat: (N, C*H*W) where x has (N, C, H, W).

Its numbers are right. The layer before it has to give them the shape of its output again, as many do.
"""

from __future__ import annotations

from scratchcnn.typing import Array

NAME = "dx-comes-back-flat"
KINDS = ("affine",)
FAULTS = ("affine-dx-not-reshaped",)  # of the catalogue
SAYS = "dx of images comes back flat, (N, C*H*W): the layer before it has to give it its shape again"


def is_flat(value: Array, exact: Array) -> bool:
    """Whether it has the numbers of images in one row each."""
    return exact.ndim == 4 and value.shape == (len(exact), exact[0].size)
