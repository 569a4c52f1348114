"""Bugs of padding: which pixel stands in the border, and what comes back from it."""

from __future__ import annotations

import numpy as np

from parity.faults.fault import Family, fit
from scratchcnn.layers import Pad
from scratchcnn.typing import Array

KIND = "image_padding"
NUMPY = {"reflect": "reflect", "replicate": "edge", "circular": "wrap", "zeros": "constant"}
fault = Family()


def copied(a: Array, pad: tuple[tuple[int, int], ...], mode: str) -> Array:
    """The image with its border, by np.pad."""
    return np.pad(a, ((0, 0), (0, 0), *pad), mode=NUMPY.get(mode, mode))  # type: ignore[call-overload]


class Inside(Pad):
    """Backward cuts the border off."""

    def backward(self, dout: Array) -> Array:
        (x_shape,) = self.recall()
        (_, _, H, W), ((top, _), (left, _)) = x_shape, self.pad
        return dout[:, :, top : top + H, left : left + W].copy()


@fault("pad-border-cut-off", KIND, "nothing for the pixels of the border", needs={"mode"})
class BorderCutOff(Inside):
    """Backward cuts the border off, which is right for zeros alone."""


@fault("pad-last-copy-counts", KIND, "the last copy's gradient for their sum", needs={"mode"})
class LastCopyCounts(Pad):
    """dx[:, :, rows, columns] += dout adds once to each pixel, however often it was copied."""

    def backward(self, dout: Array) -> Array:
        if self.mode == "zeros":
            return super().backward(dout)
        (x_shape,) = self.recall()
        rows, columns = self._sources(x_shape)
        dx = np.zeros(x_shape, dtype=dout.dtype)
        dx[:, :, rows[:, None], columns] += dout
        return dx


@fault("pad-mean-of-copies", KIND, "the mean of the copies' gradients for their sum", needs={"mode"})
class MeanOfCopies(Pad):
    """The gradients of a pixel's copies are averaged, so that no pixel weighs more than another."""

    def backward(self, dout: Array) -> Array:
        dx = super().backward(dout)
        return dx / super().backward(np.ones_like(dout))


@fault("pad-always-zeros", KIND, "zeros in every mode", needs={"mode"})
class AlwaysZeros(Inside):
    """padding_mode is accepted and never read."""

    def forward(self, x: Array) -> Array:
        self.remember(x.shape)
        return copied(x, self.pad, "zeros")


@fault("pad-symmetric-for-reflect", KIND, "the outermost pixel mirrored too", needs={"mode"})
class Symmetric(Pad):
    """np.pad's "symmetric" repeats the outermost pixel, where "reflect" starts with its neighbour."""

    def _sources(self, x_shape: tuple[int, ...]) -> tuple[Array, Array]:
        if self.mode != "reflect":
            return super()._sources(x_shape)
        rows, columns = (
            np.pad(np.arange(size), border, mode="symmetric")
            for size, border in zip(x_shape[2:], self.pad, strict=True)
        )
        return rows, columns


@fault("pad-circular-reversed", KIND, "the other end mirrored", needs={"mode"})
class CircularReversed(Pad):
    """The border of a torus is taken from the other end, and in the wrong order."""

    def _sources(self, x_shape: tuple[int, ...]) -> tuple[Array, Array]:
        rows, columns = super()._sources(x_shape)
        if self.mode == "circular":
            for at, size, (before, _) in zip((rows, columns), x_shape[2:], self.pad, strict=True):
                at[:before] = at[:before][::-1]
                at[before + size :] = at[before + size :][::-1]
        return rows, columns


@fault("pad-corners-empty", KIND, "zeros in the corners", needs={"mode"})
class CornersEmpty(Pad):
    """Four strips are copied to the four sides, and the corners stay as np.zeros left them."""

    def _mask(self, shape: tuple[int, ...]) -> Array:
        (top, bottom), (left, right) = self.pad
        mask = np.ones(shape[2:], bool)
        for rows in (slice(0, top), slice(shape[2] - bottom, shape[2])):
            for columns in (slice(0, left), slice(shape[3] - right, shape[3])):
                mask[rows, columns] = False
        return mask

    def forward(self, x: Array) -> Array:
        out = super().forward(x)
        return out * self._mask(out.shape)

    def backward(self, dout: Array) -> Array:
        return super().backward(dout * self._mask(dout.shape))


@fault("pad-sides-exchanged", KIND, "the one over at the left and top", needs={"pairs"})
class SidesExchanged(Pad):
    """The larger half of an uneven border comes first, as in TensorFlow's older ports."""

    def __init__(self, *args: object, **options: object):
        super().__init__(*args, **options)  # type: ignore[arg-type]
        (top, bottom), (left, right) = self.pad
        self.pad = (bottom, top), (right, left)


@fault("pad-axes-exchanged", KIND, "the width's border along the height", needs={"pairs"})
class AxesExchanged(Pad):
    """F.pad starts with the last axis, and its four numbers are read as top, bottom, left, right."""

    def forward(self, x: Array) -> Array:
        self.seen = x.shape
        largest = max(max(side) for side in self.pad)
        self.turned = Pad(self.pad[::-1], self.mode if min(x.shape[2:]) > largest else "replicate")
        return self.turned.forward(x)

    def backward(self, dout: Array) -> Array:
        (height, width), (N, C, H, W) = self.turned.pad, self.seen
        return self.turned.backward(fit(dout, (N, C, H + sum(height), W + sum(width))))


@fault("pad-replicate-for-reflect", KIND, "the outermost pixel for the mirrored image", needs={"mode"})
class ReplicateForReflect(Pad):
    """clip(index, 0, size - 1) is used in every mode."""

    def _sources(self, x_shape: tuple[int, ...]) -> tuple[Array, Array]:
        mode, self.mode = self.mode, "replicate"
        try:
            rows, columns = super()._sources(x_shape)
        finally:
            self.mode = mode
        return rows, columns
