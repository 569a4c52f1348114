"""A `Reshape(input_shape, output_shape)` between images and dense layers, which flattens with such shapes."""

from __future__ import annotations

from collections.abc import Sequence

from parity.adapters.arguments import plain

NAMES = ("reshape", "reshapelayer", "reshaping", "reshapinglayer")
INNER = ("inputshape", "inshape", "inputdim", "inputsize", "shapein")
OUTER = ("outputshape", "outshape", "outputdim", "outputsize", "shapeout")


def flattens_by_shapes(name: str, asked: Sequence[str]) -> bool:
    """Whether a class of that name asks for the shape that comes in and the one that goes out."""
    words = [plain(one) for one in asked]
    return plain(name) in NAMES and len(words) == 2 and words[0] in INNER and words[1] in OUTER
