"""Bugs of pooling: padding that wins, ties, overlaps, divisors."""

from __future__ import annotations

from typing import Any

import numpy as np

from parity.faults.catalogue.windows import scatter
from parity.faults.fault import Family, fit
from scratchcnn.im2col import col2im, im2col, output_size
from scratchcnn.layers import Pooling
from scratchcnn.typing import Array

fault = Family(max_pooling={"mode": "max"}, average_pooling={"mode": "average"}, min_pooling={"mode": "min"})


class Open(Pooling):
    """The right layer, cut into the pieces that the bugs below replace.

    For "min" the windows hold -x, so that the winner is the largest in both modes.
    """

    padding = -np.inf  # what a padded cell holds, in the sense of the mode ("average": 0)

    def _frame_size(self, x_shape: tuple[int, ...]) -> tuple[int, int]:
        OH, OW = self._output_size(x_shape)
        return (OH - 1) * self.stride[0] + self.pool_h, (OW - 1) * self.stride[1] + self.pool_w

    def frame(self, x: Array) -> Array:
        """x with its border, as large as the windows reach."""
        (N, C, H, W), (ph, pw) = x.shape, self.pad
        frame = np.full(
            (N, C, *self._frame_size(x.shape)), 0 if self.mode == "average" else self.padding, x.dtype
        )
        inside = frame[:, :, ph : ph + H, pw : pw + W]
        inside[...] = x[:, :, : inside.shape[2], : inside.shape[3]]
        return frame

    def columns(self, frame: Array) -> Array:
        """-> (N*OH*OW*C, pool_h*pool_w)"""
        return im2col(frame, self.pool_h, self.pool_w, self.stride).reshape(-1, self.pool_h * self.pool_w)

    def shares(self, col: Array) -> Array:
        """How much of its window's gradient each cell gets: max and min."""
        return np.arange(col.shape[1]) == col.argmax(axis=1)[:, None]

    def total(self, col: Array) -> Array:
        return col.sum(axis=1) if self.mode == "average" else col.max(axis=1)

    def divisor(self, x: Array) -> Any:
        return self._divisor(x.shape, x.dtype)

    def divisor_back(self, x: Array) -> Any:
        return self.divisor(x)

    def arrange(self, out: Array, N: int, C: int, OH: int, OW: int) -> Array:
        return out.reshape(N, OH, OW, C).transpose(0, 3, 1, 2)

    def rows(self, dout: Array) -> Array:
        return dout.transpose(0, 2, 3, 1).ravel()  # (N, C, OH, OW) -> (N*OH*OW*C,)

    def fold(self, dcol: Array, shape: tuple[int, ...]) -> Array:
        """(N, OH, OW, C, pool_h, pool_w) -> `shape`, the frame's"""
        return scatter(dcol, shape, self.stride, (0, 0))

    def forward(self, x: Array) -> Array:
        col = self.columns(self.frame(-x if self.mode == "min" else x))
        self.remember(x.copy(), col)
        N, C = x.shape[:2]
        out = self.arrange(self.total(col), N, C, *self._output_size(x.shape))
        if self.mode == "average":
            return out / self.divisor(x)
        return -out if self.mode == "min" else out

    def backward(self, dout: Array) -> Array:
        x, col = self.recall()
        (N, C, H, W), (ph, pw), (OH, OW) = x.shape, self.pad, self._output_size(x.shape)
        dout = fit(dout, (N, C, OH, OW))
        if self.mode == "average":
            dout = dout / self.divisor_back(x)
            dcol = np.repeat(self.rows(dout)[:, None], self.pool_h * self.pool_w, axis=1)
        else:
            dcol = np.where(shares := self.shares(col), self.rows(dout)[:, None] * shares, dout.dtype.type(0))
        dcol = dcol.reshape(N, OH, OW, C, self.pool_h, self.pool_w)
        dframe = self.fold(dcol, (N, C, *self._frame_size(x.shape)))
        return fit(dframe[:, :, ph : ph + H, pw : pw + W], x.shape)


# -- padding --------------------------------------------------------------------------------------
@fault("max-pool-zero-padding", "max_pooling", "zero padding in max pooling", needs={"pad"})
@fault("min-pool-zero-padding", "min_pooling", "zero padding in min pooling", needs={"pad"})
class ZeroPadding(Open):
    """The padding is im2col's own, which is made for convolutions and wins over negative inputs."""

    padding = 0.0


@fault("min-pool-padded-with-minus-infinity", "min_pooling", "padding of -inf, which wins", needs={"pad"})
class WrongInfinity(Open):
    """The max pooling is copied with its -inf, and only max became min."""

    padding = np.inf

    def total(self, col: Array) -> Array:
        return col.max(axis=1)


@fault(
    "max-pool-finite-padding",
    "max_pooling",
    "padding with the lowest finite number",
    equivalent="no input but -inf lies below the lowest finite number",
)
class FinitePadding(Open):
    """np.finfo(x.dtype).min is used where -inf is meant."""

    def frame(self, x: Array) -> Array:
        return np.maximum(super().frame(x), np.finfo(x.dtype).min)


@fault("max-pool-size-ignores-pad", "max_pooling", "an output size that ignores pad", needs={"pad"})
@fault("average-pool-size-ignores-pad", "average_pooling", "an output size that ignores pad", needs={"pad"})
class SizeIgnoresPad(Open):
    """The book's Pooling has a pad argument, hands it to im2col and leaves it out of its size."""

    def forward(self, x: Array) -> Array:
        out, (ph, pw), (sh, sw) = super().forward(x), self.pad, self.stride
        OH, OW = out.shape[2:]
        return out[:, :, : max(1, OH - -(-2 * ph // sh)), : max(1, OW - -(-2 * pw // sw))]


@fault("max-pool-raises-with-pad", "max_pooling", "an exception for every pad but 0", needs={"pad"})
@fault("average-pool-raises-with-pad", "average_pooling", "an exception for every pad but 0", needs={"pad"})
class RaisesWithPad(Open):
    """The book's Pooling: im2col gets the pad, out_h and out_w do not, and the reshape to them fails."""

    def forward(self, x: Array) -> Array:
        if any(self.pad):
            raise ValueError("cannot reshape the windows of a padded image to the size of a plain one")
        return super().forward(x)


@fault("max-pool-pads-behind-only", "max_pooling", "all padding at the right and bottom", needs={"pad"})
@fault(
    "average-pool-pads-behind-only", "average_pooling", "all padding at the right and bottom", needs={"pad"}
)
class PadsBehind(Open):
    """TensorFlow's "SAME" is imitated by padding the right and the bottom alone."""

    def frame(self, x: Array) -> Array:
        return np.roll(super().frame(x), (-self.pad[0], -self.pad[1]), axis=(2, 3))

    def fold(self, dcol: Array, shape: tuple[int, ...]) -> Array:
        return np.roll(super().fold(dcol, shape), self.pad, axis=(2, 3))


# -- geometry -------------------------------------------------------------------------------------
@fault("max-pool-stride-axes-swapped", "max_pooling", "the two strides swapped", needs={"pairs"})
@fault("average-pool-stride-axes-swapped", "average_pooling", "the two strides swapped", needs={"pairs"})
@fault("min-pool-stride-axes-swapped", "min_pooling", "the two strides swapped", needs={"pairs"})
class StrideSwapped(Open):
    """The stride pair is unpacked as (x, y)."""

    def __init__(self, *args: Any, **options: Any):
        super().__init__(*args, **options)
        self.stride = self.stride[::-1]


@fault("max-pool-pad-axes-swapped", "max_pooling", "the two pads swapped", needs={"pairs", "pad"})
@fault("average-pool-pad-axes-swapped", "average_pooling", "the two pads swapped", needs={"pairs", "pad"})
class PadSwapped(Open):
    """The pad pair is unpacked as (left, top)."""

    def __init__(self, *args: Any, **options: Any):
        super().__init__(*args, **options)
        self.pad = self.pad[::-1]


@fault("max-pool-window-axes-swapped", "max_pooling", "pool_h and pool_w exchanged")
@fault("average-pool-window-axes-swapped", "average_pooling", "pool_h and pool_w exchanged")
class WindowSwapped(Open):
    """The window is given as (width, height), as image libraries do."""

    def __init__(self, pool_h: int, pool_w: int, *args: Any, **options: Any):
        super().__init__(pool_h, pool_w, *args, **options)
        self.pool_h, self.pool_w = pool_w, pool_h


@fault("max-pool-stride-defaults-to-window", "max_pooling", "a stride of the window's size for a stride of 1")
@fault(
    "average-pool-stride-defaults-to-window",
    "average_pooling",
    "a stride of the window's size for a stride of 1",
)
class StrideDefault(Open):
    """PyTorch's default stride is the window, the book's is 1."""

    def __init__(self, pool_h: int, pool_w: int, stride: Any = 1, *args: Any, **options: Any):
        super().__init__(pool_h, pool_w, (pool_h, pool_w) if stride == 1 else stride, *args, **options)


@fault("max-pool-ceil-mode-ignored", "max_pooling", "the output size rounded down", needs={"ceil_mode"})
@fault(
    "average-pool-ceil-mode-ignored", "average_pooling", "the output size rounded down", needs={"ceil_mode"}
)
class CeilIgnored(Open):
    """Caffe's models need ceil_mode, and the port has none."""

    def __init__(self, *args: Any, **options: Any):
        super().__init__(*args, **{**options, "ceil_mode": False})


@fault("max-pool-rounds-up", "max_pooling", "the output size rounded up", needs={"stride"})
@fault("min-pool-rounds-up", "min_pooling", "the output size rounded up", needs={"stride"})
class RoundsUp(Open):
    """The size is computed with ceil for every pooling, as in Caffe."""

    def __init__(self, *args: Any, **options: Any):
        super().__init__(*args, **{**options, "ceil_mode": True})


@fault(
    "max-pool-ceil-window-in-padding",
    "max_pooling",
    "a last window that lies in the padding",
    needs={"ceil_mode"},
)
class WindowInPadding(Open):
    """Rounding up is written without the rule that the last window must start inside the image."""

    def _output_size(self, x_shape: tuple[int, ...]) -> tuple[int, int]:
        if not self.ceil_mode:
            return super()._output_size(x_shape)
        (H, W), (sh, sw), (ph, pw) = x_shape[2:], self.stride, self.pad
        more_h, more_w = -(H + 2 * ph - self.pool_h) % sh, -(W + 2 * pw - self.pool_w) % sw
        OH = output_size(H + 2 * ph + more_h, self.pool_h, sh)
        return OH, output_size(W + 2 * pw + more_w, self.pool_w, sw)


# -- who gets the gradient ------------------------------------------------------------------------
@fault("max-pool-ties-to-all", "max_pooling", "the whole gradient to each of several equal winners")
@fault("min-pool-ties-to-all", "min_pooling", "the whole gradient to each of several equal winners")
class TiesToAll(Open):
    """The winners are found by x == max, which marks every one of them."""

    def shares(self, col: Array) -> Array:
        return col == col.max(axis=1, keepdims=True)


@fault("max-pool-ties-split", "max_pooling", "the gradient divided among equal winners")
class TiesSplit(Open):
    """The mask x == max is divided by its sum, as autograd packages define the gradient of max."""

    def shares(self, col: Array) -> Array:
        mask = col == col.max(axis=1, keepdims=True)
        return (mask / mask.sum(axis=1, keepdims=True)).astype(col.dtype)


@fault("max-pool-ties-to-last", "max_pooling", "the gradient to the last of several equal winners")
@fault("min-pool-ties-to-last", "min_pooling", "the gradient to the last of several equal winners")
class TiesToLast(Open):
    """The loop over the window compares with >= and so keeps the last."""

    def shares(self, col: Array) -> Array:
        last = col.shape[1] - 1 - col[:, ::-1].argmax(axis=1)
        return np.arange(col.shape[1]) == last[:, None]


@fault("max-pool-ties-column-first", "max_pooling", "the first of equal winners down the columns")
class TiesColumnFirst(Open):
    """The window is scanned x before y."""

    def shares(self, col: Array) -> Array:
        turned = col.reshape(-1, self.pool_h, self.pool_w).transpose(0, 2, 1).reshape(len(col), -1)
        x, y = np.divmod(turned.argmax(axis=1), self.pool_h)
        return np.arange(col.shape[1]) == (y * self.pool_w + x)[:, None]


@fault("max-pool-gradient-to-all", "max_pooling", "the gradient spread over the whole window")
class ToAll(Open):
    """The backward of average pooling is kept when max is put into forward."""

    def shares(self, col: Array) -> Array:
        return np.full(col.shape, 1 / col.shape[1], dtype=col.dtype)


@fault("max-pool-overlaps-overwritten", "max_pooling", "overlapping windows overwritten in dx")
@fault("average-pool-overlaps-overwritten", "average_pooling", "overlapping windows overwritten in dx")
class Overwritten(Open):
    """An = stands in the loop over the windows for +=, which is right until windows overlap."""

    def fold(self, dcol: Array, shape: tuple[int, ...]) -> Array:
        dx, (sh, sw) = np.zeros(shape, dtype=dcol.dtype), self.stride
        for oh, ow in np.ndindex(*dcol.shape[1:3]):
            dx[:, :, oh * sh : oh * sh + self.pool_h, ow * sw : ow * sw + self.pool_w] = dcol[:, oh, ow]
        return dx


@fault("max-pool-dx-ignores-stride", "max_pooling", "dx as if the stride were 1")
@fault("average-pool-dx-ignores-stride", "average_pooling", "dx as if the stride were 1")
class BackIgnoresStride(Open):
    """The loop of backward writes to [i : i + pool_h] for [i * stride : i * stride + pool_h]."""

    def fold(self, dcol: Array, shape: tuple[int, ...]) -> Array:
        dx = np.zeros(shape, dtype=dcol.dtype)
        for oh, ow in np.ndindex(*dcol.shape[1:3]):
            dx[:, :, oh : oh + self.pool_h, ow : ow + self.pool_w] += dcol[:, oh, ow]
        return dx


@fault("max-pool-winner-overwritten", "max_pooling", "a pixel that wins twice given one gradient")
class WinnerOverwritten(Open):
    """dx[winners] += dout adds once where an index occurs twice; np.add.at is needed."""

    def fold(self, dcol: Array, shape: tuple[int, ...]) -> Array:
        dx, (sh, sw) = np.zeros(shape, dtype=dcol.dtype), self.stride
        for oh, ow in np.ndindex(*dcol.shape[1:3]):
            place = dx[:, :, oh * sh : oh * sh + self.pool_h, ow * sw : ow * sw + self.pool_w]
            np.copyto(place, dcol[:, oh, ow], where=dcol[:, oh, ow] != 0)
        return dx


@fault("min-pool-gradient-sign", "min_pooling", "dx with the sign flipped")
class SignFlipped(Open):
    """Min is written as -max(-x), and the sign is taken back once too often in backward."""

    def backward(self, dout: Array) -> Array:
        return -super().backward(dout)


@fault("min-pool-sign-lost", "min_pooling", "the output with the sign flipped")
class SignLost(Open):
    """Min is written as max(-x), and the outer minus is forgotten."""

    def forward(self, x: Array) -> Array:
        return -super().forward(x)


@fault("min-pool-takes-max", "min_pooling", "the largest value for the smallest")
class TakesMax(Pooling):
    """The mode is stored, and a branch for it was never written."""

    def __init__(self, *args: Any, **options: Any):
        super().__init__(*args, **{**options, "mode": "max"})


# -- layouts --------------------------------------------------------------------------------------
@fault(
    "max-pool-output-reshape-for-transpose", "max_pooling", "the output reshaped where it must be transposed"
)
@fault(
    "average-pool-output-reshape-for-transpose",
    "average_pooling",
    "the output reshaped where it must be transposed",
)
class OutputReshaped(Open):
    """out.reshape(N, C, OH, OW) has the right shape at once."""

    def arrange(self, out: Array, N: int, C: int, OH: int, OW: int) -> Array:
        return out.reshape(N, C, OH, OW)


@fault("max-pool-dout-wrong-layout", "max_pooling", "dout flattened without its transpose")
@fault("average-pool-dout-wrong-layout", "average_pooling", "dout flattened without its transpose")
class CotangentFlattened(Open):
    """dout.flatten() forgets that the rows of im2col have the channel last."""

    def rows(self, dout: Array) -> Array:
        return dout.ravel()


@fault("max-pool-channels-mixed", "max_pooling", "channels mixed within a window")
class ChannelsMixed(Open):
    """im2col's row is reshaped to (pool_h*pool_w, C), although the channel comes first in it."""

    def columns(self, frame: Array) -> Array:
        col = super().columns(frame)
        C, size = frame.shape[1], col.shape[1]
        return col.reshape(-1, size, C).transpose(0, 2, 1).reshape(-1, size)


@fault("max-pool-largest-magnitude", "max_pooling", "the largest magnitude for the largest value")
class Magnitude(Open):
    """np.abs is left over from a test with saliency maps."""

    def forward(self, x: Array) -> Array:
        return super().forward(np.abs(x))


# -- averages -------------------------------------------------------------------------------------
@fault("average-pool-divides-by-window", "average_pooling", "a divisor of pool_h * pool_w everywhere")
class DividesByWindow(Open):
    """The mean over a window that ceil_mode lets hang over the edge is taken by col.mean()."""

    def divisor(self, x: Array) -> Any:
        return self.pool_h * self.pool_w


@fault(
    "average-pool-never-counts-padding", "average_pooling", "padding left out of the divisor", needs={"pad"}
)
class NeverCounts(Open):
    """Only real pixels are averaged, as TensorFlow does."""

    def __init__(self, *args: Any, **options: Any):
        super().__init__(*args, **{**options, "count_include_pad": False})


@fault(
    "average-pool-always-counts-padding",
    "average_pooling",
    "padding counted in the divisor",
    needs={"count_include_pad"},
)
class AlwaysCounts(Open):
    """The flag is accepted and not looked at."""

    def __init__(self, *args: Any, **options: Any):
        super().__init__(*args, **{**options, "count_include_pad": True})


@fault("average-pool-sum", "average_pooling", "the sum of the window for its mean")
class SumForMean(Open):
    """LeNet-5's subsampling adds, and its factor is forgotten."""

    def divisor(self, x: Array) -> Any:
        return 1


@fault("average-pool-gradient-not-divided", "average_pooling", "dx not divided by the window")
class NotDivided(Open):
    """Each pixel gets the window's gradient whole, as from a sum."""

    def divisor_back(self, x: Array) -> Any:
        return 1


@fault(
    "average-pool-gradient-counts-other-cells", "average_pooling", "dx divided by pool_h * pool_w everywhere"
)
class BackByWindow(Open):
    """Forward got its divisor right for padding and ceil_mode, and backward kept the simple one."""

    def divisor_back(self, x: Array) -> Any:
        return self.pool_h * self.pool_w


@fault("average-pool-divides-by-stride", "average_pooling", "a divisor of sh * sw")
class DividesByStride(Open):
    """Window and stride were the same number when it was written."""

    def divisor(self, x: Array) -> Any:
        return self.stride[0] * self.stride[1]


@fault("average-pool-gradient-to-one", "average_pooling", "the gradient to one pixel of the window")
class ToOne(Open):
    """The backward of max pooling is kept when the mean is put into forward."""

    def backward(self, dout: Array) -> Array:
        x, col = self.recall()
        (N, C, H, W), (ph, pw), (OH, OW) = x.shape, self.pad, self._output_size(x.shape)
        rows = self.rows(fit(dout, (N, C, OH, OW)))[:, None]
        dcol = (rows * self.shares(col)).reshape(N * OH * OW, -1)
        dframe = col2im(dcol, (N, C, *self._frame_size(x.shape)), self.pool_h, self.pool_w, self.stride)
        return fit(dframe[:, :, ph : ph + H, pw : pw + W], x.shape)
