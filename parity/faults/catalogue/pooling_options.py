"""Bugs of pooling's options: which cells a dilated window reaches, and what an average is divided by."""

from __future__ import annotations

from typing import Any

import numpy as np

from parity.faults.fault import Family, fit
from scratchcnn.im2col import col2im, im2col
from scratchcnn.layers import Pooling
from scratchcnn.typing import Array

fault = Family(max_pooling_options={"mode": "max"}, average_pooling_options={"mode": "average"})
DILATED, DIVIDED = "max_pooling_options", "average_pooling_options"


# -- dilation -------------------------------------------------------------------------------------
class Dilated(Pooling):
    """The textbook's forward and backward, which the bugs below change."""

    def cells(self) -> tuple[int, int]:
        """The distances of the cells from which backward believes that the numbers came."""
        return self.dilation

    def forward(self, x: Array) -> Array:
        frame = self._frame(x)
        col = im2col(frame, self.pool_h, self.pool_w, self.stride, dilation=self.dilation)
        col = col.reshape(-1, self.pool_h * self.pool_w)
        self.remember(x.shape, frame.shape, col.argmax(axis=1))
        (N, C), (OH, OW) = x.shape[:2], self._output_size(x.shape)
        return col.max(axis=1).reshape(N, OH, OW, C).transpose(0, 3, 1, 2)

    def backward(self, dout: Array) -> Array:
        x_shape, frame_shape, arg = self.recall()
        (N, C, H, W), (OH, OW), (ph, pw) = x_shape, self._output_size(x_shape), self.pad
        flat = fit(dout, (N, C, OH, OW)).transpose(0, 2, 3, 1).ravel()
        dcol = np.zeros((flat.size, self.pool_h * self.pool_w), dtype=dout.dtype)
        dcol[np.arange(flat.size), arg] = flat
        return self.folded(dcol.reshape(N * OH * OW, -1), x_shape, frame_shape)[
            :, :, ph : ph + H, pw : pw + W
        ]

    def folded(self, dcol: Array, x_shape: tuple[int, ...], frame_shape: tuple[int, ...]) -> Array:
        N, C, H, W = x_shape
        (dh, dw), (sh, sw), (OH, OW) = self.cells(), self.stride, self._output_size(x_shape)
        reach = (OH - 1) * sh + dh * (self.pool_h - 1) + 1, (OW - 1) * sw + dw * (self.pool_w - 1) + 1
        image = col2im(dcol, (N, C, *reach), self.pool_h, self.pool_w, self.stride, dilation=(dh, dw))
        return fit(image, (N, C, max(frame_shape[2], H + self.pad[0]), max(frame_shape[3], W + self.pad[1])))


@fault("max-pool-dilation-forgotten", DILATED, "no dilation", needs={"dilation"})
class DilationForgotten(Pooling):
    """dilation is accepted, and the windows are those of a plain pooling."""

    def __init__(self, *args: Any, dilation: Any = 1, **options: Any):
        pad = options.pop("pad", 0)
        super().__init__(*args, **options)
        self.pad = (pad, pad) if isinstance(pad, int) else pad  # even where it is more than half the window

    def backward(self, dout: Array) -> Array:
        x_shape = self.recall()[0]
        return super().backward(fit(dout, (*x_shape[:2], *self._output_size(x_shape))))


@fault("max-pool-size-ignores-dilation", DILATED, "an output size that ignores dilation", needs={"dilation"})
class SizeIgnoresDilation(Dilated):
    """(H + 2 * pad - pool_h) // stride + 1 is left as it was, so that windows hang over the edge."""

    def _output_size(self, x_shape: tuple[int, ...]) -> tuple[int, int]:
        dilation, self.dilation = self.dilation, (1, 1)
        try:
            return super()._output_size(x_shape)
        finally:
            self.dilation = dilation


@fault("max-pool-dilations-exchanged", DILATED, "the two dilations exchanged", needs={"dilation", "pairs"})
class DilationsExchanged(Dilated):
    """The vertical dilation is used along the rows, and the output keeps its size."""

    def forward(self, x: Array) -> Array:
        size = self._output_size(x.shape)
        turned = Pooling(self.pool_h, self.pool_w, self.stride, (0, 0), dilation=self.dilation[::-1])
        (sh, sw), (dh, dw) = self.stride, turned.dilation
        reach = (
            (size[0] - 1) * sh + dh * (self.pool_h - 1) + 1,
            (size[1] - 1) * sw + dw * (self.pool_w - 1) + 1,
        )
        frame = self._frame(x)
        wide = np.full((*x.shape[:2], *reach), -np.inf, x.dtype)
        inside = wide[:, :, : frame.shape[2], : frame.shape[3]]
        inside[...] = frame[:, :, : inside.shape[2], : inside.shape[3]]
        self.turned = turned
        out = turned.forward(wide)
        self.remember(x.shape, frame.shape, None)
        return out

    def backward(self, dout: Array) -> Array:
        x_shape, _, _ = self.recall()
        (_, _, H, W), (ph, pw) = x_shape, self.pad
        wide = self.turned.backward(dout)
        return fit(wide[:, :, ph : ph + H, pw : pw + W], x_shape)


@fault("max-pool-dilation-not-in-backward", DILATED, "dx to neighbouring cells", needs={"dilation"})
class DilationNotInBackward(Dilated):
    """Only the im2col of forward was given the dilation, and not the col2im of backward."""

    def cells(self) -> tuple[int, int]:
        return 1, 1


@fault("max-pool-zeros-where-dilated", DILATED, "zero padding where dilated", needs={"dilation", "pad"})
class ZerosWhereDilated(Dilated):
    """Dilated windows take the path of the convolution, whose padding is 0."""

    def _frame(self, x: Array) -> Array:
        frame = super()._frame(x)
        return frame if self.dilation == (1, 1) else np.where(np.isneginf(frame), x.dtype.type(0), frame)


@fault("max-pool-image-thinned-out", DILATED, "the image thinned out first", needs={"dilation"})
class ImageThinnedOut(Pooling):
    """x[:, :, ::dilation, ::dilation] is pooled, so that most pixels are in no window."""

    def __init__(self, *args: Any, dilation: Any = 1, **options: Any):
        pad = options.pop("pad", 0)
        super().__init__(*args, **options)
        self.pad = (pad, pad) if isinstance(pad, int) else pad
        self.apart = (dilation, dilation) if isinstance(dilation, int) else dilation

    def forward(self, x: Array) -> Array:
        self.seen = x.shape
        height, width = self.apart
        thin = np.ascontiguousarray(x[:, :, ::height, ::width])
        grown = max(thin.shape[2], self.pool_h), max(thin.shape[3], self.pool_w)
        frame = np.full((*x.shape[:2], *grown), -np.inf, x.dtype)
        frame[:, :, : thin.shape[2], : thin.shape[3]] = thin
        self.thin = thin.shape
        return super().forward(frame)

    def backward(self, dout: Array) -> Array:
        height, width = self.apart
        dx = np.zeros(self.seen, dout.dtype)
        OH, OW = self._output_size(self.recall()[0])
        dthin = super().backward(fit(dout, (*dout.shape[:2], OH, OW)))
        dx[:, :, ::height, ::width] = dthin[:, :, : self.thin[2], : self.thin[3]]
        return dx


# -- divisor_override -----------------------------------------------------------------------------
class Divided(Pooling):
    """An average whose divisors in the two directions the bugs below change."""

    def own(self, x_shape: tuple[int, ...], dtype: Any) -> Array:
        """The divisor as if none had been given."""
        divisor, self.divisor_override = self.divisor_override, None
        try:
            return super()._divisor(x_shape, dtype)
        finally:
            self.divisor_override = divisor

    def right(self, x_shape: tuple[int, ...], dtype: Any) -> Array:
        return super()._divisor(x_shape, dtype)

    def there(self, x_shape: tuple[int, ...], dtype: Any) -> Array:
        """In forward."""
        return self.right(x_shape, dtype)

    def back(self, x_shape: tuple[int, ...], dtype: Any) -> Array:
        """In backward."""
        return self.there(x_shape, dtype)

    def forward(self, x: Array) -> Array:
        out = super().forward(x) * self.right(x.shape, x.dtype)
        self.seen = x.shape
        return out / self.there(x.shape, x.dtype)

    def backward(self, dout: Array) -> Array:
        scale = self.right(self.seen, dout.dtype) / self.back(self.seen, dout.dtype)
        return super().backward(dout * scale)


@fault("average-pool-divisor-forgotten", DIVIDED, "no divisor_override", needs={"divisor_override"})
class DivisorForgotten(Divided):
    """divisor_override is accepted, and np.mean is taken."""

    def there(self, x_shape: tuple[int, ...], dtype: Any) -> Array:
        return self.own(x_shape, dtype)


@fault(
    "average-pool-divisor-not-in-backward",
    DIVIDED,
    "dx divided by the window's size",
    needs={"divisor_override"},
)
class DivisorNotInBackward(Divided):
    """backward divides by pool_h * pool_w, as before there was a divisor."""

    def back(self, x_shape: tuple[int, ...], dtype: Any) -> Array:
        return self.own(x_shape, dtype)


@fault(
    "average-pool-divisor-in-backward-only",
    DIVIDED,
    "out divided by the window's size",
    needs={"divisor_override"},
)
class DivisorInBackwardOnly(DivisorForgotten):
    """forward is np.mean over the window, and only backward asks for the divisor."""

    def back(self, x_shape: tuple[int, ...], dtype: Any) -> Array:
        return self.right(x_shape, dtype)


@fault("average-pool-divided-twice", DIVIDED, "the mean divided once more", needs={"divisor_override"})
class DividedTwice(Divided):
    """The mean is taken, and then divided by divisor_override."""

    def there(self, x_shape: tuple[int, ...], dtype: Any) -> Array:
        right = self.right(x_shape, dtype)
        return right if self.divisor_override is None else right * self.own(x_shape, dtype)


@fault(
    "average-pool-divisor-of-whole-windows",
    DIVIDED,
    "divisor_override for whole windows alone",
    needs={"divisor_override"},
)
class DivisorOfWholeWindows(Divided):
    """Windows at the border are divided by the number of their pixels."""

    def there(self, x_shape: tuple[int, ...], dtype: Any) -> Array:
        counted, self.count_include_pad = self.count_include_pad, False
        own = self.own(x_shape, dtype)
        self.count_include_pad = counted
        whole = self.pool_h * self.pool_w
        if self.divisor_override is None:
            return self.right(x_shape, dtype)
        return np.where(own == whole, dtype.type(self.divisor_override), own).astype(dtype)


@fault(
    "average-pool-divisor-made-positive",
    DIVIDED,
    "the magnitude of divisor_override",
    needs={"divisor_override"},
)
class DivisorMadePositive(Divided):
    """A divisor below 1 is believed to be a mistake, and its sign is dropped."""

    def there(self, x_shape: tuple[int, ...], dtype: Any) -> Array:
        return np.abs(self.right(x_shape, dtype))
