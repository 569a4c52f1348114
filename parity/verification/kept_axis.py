"""Gradients of a bias, or of a scale, that keep an axis of the sum: (1, out) where the parameter has (out,).

Their numbers are right, and broadcasting hides the axis in `b = b - lr * db`; `b -= lr * db` raises.
"""

from __future__ import annotations

from scratchcnn.typing import Array

NAME = "gradient-keeps-an-axis"
KINDS = {  # and the gradients that are sums over axes
    **dict.fromkeys(("affine", "affine_last_axis", "convolution"), ("db",)),
    **dict.fromkeys(("batch_norm", "layer_norm"), ("dgamma", "dbeta")),
}
FAULTS = ("affine-db-two-dimensional",)  # of the catalogue


def says(tensor: str, value: Array, exact: Array) -> str:
    """The difference as a clause, where the shape has axes of one number more than it should; else ""."""
    without = [n for n in value.shape if n != 1]
    if value.ndim <= exact.ndim or without != [n for n in exact.shape if n != 1]:
        return ""
    more = value.ndim - exact.ndim
    return f"its {tensor} has {more} ax{'is' if more == 1 else 'es'} more than {tensor[1:]}, of length 1"
