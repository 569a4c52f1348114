"""Bugs of the convolution: kernels turned the wrong way, axes exchanged, sums over the wrong thing."""

from __future__ import annotations

from typing import Any

import numpy as np

from parity.faults.catalogue.windows import padded, scatter
from parity.faults.fault import Family, fit
from scratchcnn.im2col import col2im, im2col
from scratchcnn.layers import Convolution
from scratchcnn.typing import Array

fault = Family()


class Open(Convolution):
    """The right layer, cut into the pieces that the bugs below replace."""

    @property
    def window(self) -> tuple[int, int]:
        return self.W.shape[2], self.W.shape[3]

    def unfold(self, x: Array) -> Array:
        return im2col(x, *self.window, self.stride, self.pad, self.dilation)

    def fold(self, dcol: Array, x_shape: Any) -> Array:
        return col2im(dcol, x_shape, *self.window, self.stride, self.pad, self.dilation)

    def arrange(self, out: Array, N: int, OH: int, OW: int) -> Array:
        return out.reshape(N, OH, OW, -1).transpose(0, 3, 1, 2)  # (N*OH*OW, FN) -> (N, FN, OH, OW)

    def rows(self, dout: Array) -> Array:
        return dout.transpose(0, 2, 3, 1).reshape(-1, dout.shape[1])  # (N, FN, OH, OW) -> (N*OH*OW, FN)

    def kernel(self) -> Array:
        """W as forward uses it."""
        return self.W

    def kernel_back(self) -> Array:
        """W as dx uses it."""
        return self.kernel()

    def bias(self, dout: Array) -> Array:
        return dout.sum(axis=(0, 2, 3))

    def weights(self, dout: Array, col: Array) -> Array:
        rows, dW = self.rows(dout), np.empty_like(self.W)
        for filters, columns in self._groups():
            dW[filters] = (rows[:, filters].T @ col[:, columns]).reshape(self.W[filters].shape)
        return dW

    def forward(self, x: Array) -> Array:
        N, FN, OH, OW = self._output_shape(x.shape)
        col, W = self.unfold(x), self.kernel()
        out = np.zeros((len(col), FN), dtype=x.dtype)
        for filters, columns in self._groups():
            out[:, filters] = col[:, columns] @ W[filters].reshape(len(W[filters]), -1).T
        self.remember(x.shape, col)
        return self.arrange(out if self.b is None else out + self.b, N, OH, OW)

    def backward(self, dout: Array) -> Array:
        x_shape, col = self.recall()
        dout = fit(dout, self._output_shape(x_shape))
        self.grads["W"] = self.weights(dout, col)
        if self.b is not None:
            self.grads["b"] = self.bias(dout)
        return self.fold(self.back(dout, np.zeros_like(col)), x_shape)

    def back(self, dout: Array, dcol: Array) -> Array:
        rows, W = self.rows(dout), self.kernel_back()
        for filters, columns in self._groups():
            dcol[:, columns] = rows[:, filters] @ W[filters].reshape(len(W[filters]), -1)
        return dcol

    def windows(self, dcol: Array, x_shape: Any) -> Array:
        """dcol (N*OH*OW, C*FH*FW) -> (N, OH, OW, C, FH, FW), a dilated window filled up with zeros."""
        (N, _, OH, OW), (FH, FW), (dh, dw) = self._output_shape(x_shape), self.W.shape[2:], self.dilation
        wide = np.zeros((N, OH, OW, x_shape[1], dh * (FH - 1) + 1, dw * (FW - 1) + 1), dtype=dcol.dtype)
        wide[..., ::dh, ::dw] = dcol.reshape(N, OH, OW, x_shape[1], FH, FW)
        return wide


def _turn(W: Array) -> Array:
    return W[:, :, ::-1, ::-1]


# -- kernels --------------------------------------------------------------------------------------
@fault("conv-flipped-kernel", "convolution", "the kernel turned by 180 degrees (a true convolution)")
class TrueConvolution(Open):
    """The layer is written from the mathematical definition, or with scipy.signal.convolve2d."""

    def kernel(self) -> Array:
        return _turn(self.W)

    def weights(self, dout: Array, col: Array) -> Array:
        return _turn(super().weights(dout, col)).copy()


@fault("conv-no-dx", "convolution", "no dx returned")
class NoDx(Open):
    """The layer was first in its network, where nobody asked for dx, or the return is forgotten."""

    def backward(self, dout: Array) -> Any:
        super().backward(dout)


@fault("conv-dx-kernel-not-turned", "convolution", "the kernel turned the wrong way in dx")
class KernelBack(Open):
    """The backward convolution is written with the kernel as it is, or turned once too often."""

    def kernel_back(self) -> Array:
        return _turn(self.W)


@fault("conv-dx-kernel-transposed", "convolution", "FH and FW exchanged in dx's kernel")
class KernelTransposed(Open):
    """W is reshaped for dx with its last two axes exchanged."""

    def kernel_back(self) -> Array:
        return self.W.transpose(0, 1, 3, 2)


@fault("conv-dw-turned", "convolution", "dW turned by 180 degrees")
class FilterTurned(Open):
    """The rule that backward turns the kernel is applied to the kernel's gradient as well."""

    def weights(self, dout: Array, col: Array) -> Array:
        return _turn(super().weights(dout, col)).copy()


@fault("conv-dw-height-width-swapped", "convolution", "H and W transposed in dW")
class FilterTransposed(Open):
    """dW is reshaped to (FN, C, FW, FH) and transposed back."""

    def weights(self, dout: Array, col: Array) -> Array:
        dW = super().weights(dout, col)
        return dW.transpose(0, 1, 3, 2).reshape(dW.shape)


@fault("conv-dw-reshape-for-transpose", "convolution", "dW reshaped where it must be transposed")
class FilterReshaped(Open):
    """dW = dot(col.T, dout) is (C*FH*FW, FN), and the transpose before the reshape is forgotten."""

    def weights(self, dout: Array, col: Array) -> Array:
        dW = super().weights(dout, col)
        return dW.reshape(len(dW), -1).T.reshape(dW.shape)


@fault("conv-weights-reshape-for-transpose", "convolution", "W reshaped where it must be transposed")
class WeightsReshaped(Open):
    """W.reshape(-1, FN) has the shape that the product needs, and the .T is lost."""

    def kernel(self) -> Array:
        FN = len(self.W)
        return np.ascontiguousarray(self.W.reshape(-1, FN).T).reshape(self.W.shape)

    def kernel_back(self) -> Array:
        return self.W


# -- layouts --------------------------------------------------------------------------------------
@fault("conv-output-reshape-for-transpose", "convolution", "the output reshaped where it must be transposed")
class OutputReshaped(Open):
    """out.reshape(N, FN, OH, OW) has the right shape at once, so the transpose seems unnecessary."""

    def arrange(self, out: Array, N: int, OH: int, OW: int) -> Array:
        return out.reshape(N, -1, OH, OW)


@fault("conv-output-height-width-swapped", "convolution", "OH and OW exchanged in the output")
class OutputTransposed(Open):
    """transpose(0, 3, 2, 1) is typed for (0, 3, 1, 2), and square images hide it."""

    def arrange(self, out: Array, N: int, OH: int, OW: int) -> Array:
        return super().arrange(out, N, OH, OW).transpose(0, 1, 3, 2)


@fault("conv-dout-wrong-layout", "convolution", "dout reshaped where it must be transposed")
class CotangentReshaped(Open):
    """dout.reshape(-1, FN) runs without the transpose to channels last."""

    def rows(self, dout: Array) -> Array:
        return dout.reshape(-1, dout.shape[1])


@fault("conv-dout-height-width-swapped", "convolution", "H and W transposed in dout")
class CotangentTransposed(Open):
    """dout.transpose(0, 3, 2, 1) is typed for (0, 2, 3, 1)."""

    def rows(self, dout: Array) -> Array:
        return dout.transpose(0, 3, 2, 1).reshape(-1, dout.shape[1])


# -- geometry -------------------------------------------------------------------------------------
@fault("conv-stride-axes-swapped", "convolution", "the two strides swapped", needs={"pairs"})
class StrideSwapped(Open):
    """The stride pair is unpacked as (x, y)."""

    def __init__(self, *args: Any, **options: Any):
        super().__init__(*args, **options)
        self.stride = self.stride[::-1]


@fault("conv-pad-axes-swapped", "convolution", "the two pads swapped", needs={"pairs", "pad"})
class PadSwapped(Open):
    """The pad pair is unpacked as (left, top)."""

    def __init__(self, *args: Any, **options: Any):
        super().__init__(*args, **options)
        self.pad = self.pad[::-1]


@fault("conv-dilation-axes-swapped", "convolution", "the two dilations swapped", needs={"dilation"})
class DilationSwapped(Open):
    """The dilation pair is unpacked as (x, y)."""

    def __init__(self, *args: Any, **options: Any):
        super().__init__(*args, **options)
        self.dilation = self.dilation[::-1]


@fault("conv-dilation-ignored", "convolution", "dilation ignored", needs={"dilation"})
class DilationIgnored(Open):
    """The argument is accepted and never handed on to im2col."""

    def __init__(self, *args: Any, **options: Any):
        super().__init__(*args, **options)
        self.dilation = (1, 1)


@fault("conv-size-ignores-pad", "convolution", "an output size that ignores pad", needs={"pad"})
class SizeIgnoresPad(Open):
    """The formula (H - FH) / stride + 1 is kept when padding is added to the layer."""

    def forward(self, x: Array) -> Array:
        out, (ph, pw), (sh, sw) = super().forward(x), self.pad, self.stride
        OH, OW = out.shape[2:]
        return out[:, :, : max(1, OH - -(-2 * ph // sh)), : max(1, OW - -(-2 * pw // sw))]


@fault("conv-pads-behind-only", "convolution", "all padding at the right and bottom", needs={"pad"})
class PadsBehind(Open):
    """TensorFlow's "SAME" is imitated by padding the right and the bottom alone."""

    def unfold(self, x: Array) -> Array:
        img = padded(x, self.pad, both_sides=False)
        return im2col(img, *self.window, self.stride, 0, self.dilation)

    def fold(self, dcol: Array, x_shape: Any) -> Array:
        return scatter(self.windows(dcol, x_shape), x_shape, self.stride, (0, 0))


@fault("conv-edge-padding", "convolution", "the border repeated instead of zeros", needs={"pad"})
class EdgePadding(Open):
    """The image library's padding is used, which repeats the border."""

    def unfold(self, x: Array) -> Array:
        return im2col(padded(x, self.pad, "edge"), *self.window, self.stride, 0, self.dilation)


@fault("conv-dx-not-cropped", "convolution", "dx with its padding left on", needs={"pad"})
class NotCropped(Open):
    """Backward returns the gradient of the padded image."""

    def fold(self, dcol: Array, x_shape: Any) -> Array:
        (N, C, H, W), (ph, pw) = x_shape, self.pad
        frame = (N, C, H + 2 * ph, W + 2 * pw)
        return col2im(dcol, frame, *self.window, self.stride, 0, self.dilation)


@fault("conv-dx-crop-forgets-pad", "convolution", "dx moved by the pad", needs={"pad"})
class CropForgetsPad(Open):
    """The padded gradient is cut to size from its corner."""

    def fold(self, dcol: Array, x_shape: Any) -> Array:
        return scatter(self.windows(dcol, x_shape), x_shape, self.stride, (0, 0))


@fault("conv-dx-crop-off-by-one", "convolution", "dx moved by one pixel", needs={"pad"})
class CropOffByOne(Open):
    """The crop starts at pad + 1."""

    def fold(self, dcol: Array, x_shape: Any) -> Array:
        ph, pw = self.pad
        return scatter(self.windows(dcol, x_shape), x_shape, self.stride, (ph + (ph > 0), pw + (pw > 0)))


@fault("conv-dx-overwritten", "convolution", "overlapping windows overwritten in dx")
class Overwritten(Open):
    """The window's gradient is assigned in the loop, not added."""

    def fold(self, dcol: Array, x_shape: Any) -> Array:
        (ph, pw), (dh, dw), dx = self.pad, self.dilation, padded(np.zeros(x_shape, dcol.dtype), self.pad)
        (_, _, OH, OW), (sh, sw), (FH, FW) = self._output_shape(x_shape), self.stride, self.W.shape[2:]
        windows = dcol.reshape(x_shape[0], OH, OW, x_shape[1], FH, FW)
        for oh, ow in np.ndindex(OH, OW):
            rows = slice(oh * sh, oh * sh + dh * (FH - 1) + 1, dh)
            dx[:, :, rows, ow * sw : ow * sw + dw * (FW - 1) + 1 : dw] = windows[:, oh, ow]
        return dx[:, :, ph : ph + x_shape[2], pw : pw + x_shape[3]]


@fault("conv-dx-ignores-stride", "convolution", "dx as if the stride were 1", needs={"stride"})
class BackIgnoresStride(Open):
    """The backward convolution does not put stride - 1 zeros between the values of dout."""

    def fold(self, dcol: Array, x_shape: Any) -> Array:
        return scatter(self.windows(dcol, x_shape), x_shape, (1, 1), self.pad)


# -- sums -----------------------------------------------------------------------------------------
@fault("conv-bias-forgotten", "convolution", "no bias in the output")
class BiasForgotten(Open):
    """The bias is kept, given a gradient and never added."""

    def forward(self, x: Array) -> Array:
        out = super().forward(x)
        return out if self.b is None else out - self.b[:, None, None]


@fault("conv-db-mean", "convolution", "the mean of dout for its sum in db")
class BiasMean(Open):
    """np.mean over the batch and the positions looks as natural as the sum."""

    def bias(self, dout: Array) -> Array:
        return dout.mean(axis=(0, 2, 3))


@fault("conv-db-mean-over-images", "convolution", "the mean over images in db")
class BiasMeanOverImages(Open):
    """The batch mean is taken here although the loss has taken it already."""

    def bias(self, dout: Array) -> Array:
        return dout.sum(axis=(2, 3)).mean(axis=0)


@fault("conv-db-mean-over-positions", "convolution", "the mean over positions in db")
class BiasMeanOverPositions(Open):
    """The positions of the image are averaged before the images are added."""

    def bias(self, dout: Array) -> Array:
        return dout.mean(axis=(2, 3)).sum(axis=0)


@fault("conv-db-wrong-axes", "convolution", "db summed over the channels")
class BiasPerImage(Open):
    """The axes are counted from a layout with channels last, so that db has a number an image."""

    def bias(self, dout: Array) -> Array:
        return dout.sum(axis=(1, 2, 3))


@fault("conv-db-forgotten", "convolution", "db never set")
class NoBiasGradient(Open):
    """The bias was added to forward later, and backward was not touched."""

    def backward(self, dout: Array) -> Array:
        dx = super().backward(dout)
        self.grads.pop("b", None)
        return dx


@fault("conv-dw-last-image", "convolution", "dW of the last image alone")
class LastImage(Open):
    """dW is assigned in the loop over the batch, where it should be added to."""

    def weights(self, dout: Array, col: Array) -> Array:
        return super().weights(dout[-1:], col[-(len(col) // len(dout)) :])


@fault("conv-dw-mean-over-images", "convolution", "dW divided by N once more")
class FilterMean(Open):
    """The division by the batch size is made in the loss and in the layer."""

    def weights(self, dout: Array, col: Array) -> Array:
        return super().weights(dout, col) / len(dout)


# -- groups ---------------------------------------------------------------------------------------
@fault(
    "conv-group-channels-interleaved", "convolution", "each group's channels interleaved", needs={"groups"}
)
class ChannelsInterleaved(Open):
    """Group g is given the channels g, g + groups and so on by a reshape to (Cg, groups)."""

    def _groups(self) -> list[tuple[Any, Any]]:
        _, Cg, FH, FW = self.W.shape
        columns = np.arange(Cg * self.groups * FH * FW).reshape(Cg, self.groups, FH * FW)
        return [(filters, columns[:, g].ravel()) for g, (filters, _) in enumerate(super()._groups())]


@fault("conv-group-filters-interleaved", "convolution", "each group's filters interleaved", needs={"groups"})
class FiltersInterleaved(Open):
    """The groups' outputs are stacked on a new last axis and flattened, as in a channel shuffle."""

    def _groups(self) -> list[tuple[Any, Any]]:
        filters = np.arange(len(self.W)).reshape(-1, self.groups)
        return [(filters[:, g], columns) for g, (_, columns) in enumerate(super()._groups())]


@fault(
    "conv-groups-all-see-the-first",
    "convolution",
    "every group fed the first group's channels",
    needs={"groups"},
)
class FirstGroup(Open):
    """The slice of the input is taken with the size of a group and without its offset."""

    def _groups(self) -> list[tuple[Any, Any]]:
        return [(filters, slice(0, self.W[0].size)) for filters, _ in super()._groups()]


@fault("conv-dx-last-group", "convolution", "dx of the last group alone", needs={"groups"})
class LastGroup(Open):
    """The array for dx is made anew inside the loop over the groups."""

    def back(self, dout: Array, dcol: Array) -> Array:
        dcol = super().back(dout, dcol)
        dcol[:, : -self.W[0].size] = 0
        return dcol


# -- a part of the input alone --------------------------------------------------------------------
@fault("conv-dx-crop-by-minus-pad", "convolution", "dx[pad:-pad], which is empty without padding")
class CropByMinusPad(Open):
    """The slice pad:-pad of the padded dx is right until pad is 0 and it becomes 0:0."""

    def fold(self, dcol: Array, x_shape: Any) -> Array:
        dx, (ph, pw) = super().fold(dcol, x_shape), self.pad
        return dx[:, :, : None if ph else 0, : None if pw else 0]


@fault("conv-bias-inside-the-sum", "convolution", "the bias added to every term of the sum")
class BiasInside(Open):
    """The bias stands inside the loop over the window, so that it counts C*FH*FW times."""

    def forward(self, x: Array) -> Array:
        out = super().forward(x)
        return out if self.b is None else out + ((self.W[0].size - 1) * self.b)[:, None, None]


@fault("conv-first-image-only", "convolution", "the first image's windows for every image")
class FirstImageOnly(Open):
    """im2col is written for one image, and is given x[0] inside the loop over the batch."""

    def unfold(self, x: Array) -> Array:
        return np.tile(super().unfold(x[:1]), (len(x), 1))


@fault("conv-first-channel-only", "convolution", "the first channel alone")
class FirstChannelOnly(Open):
    """The layer was written for gray images, and W[:, 0] meets x[:, 0]."""

    def unfold(self, x: Array) -> Array:
        return super().unfold(_first_channel(x))

    def kernel(self) -> Array:
        return _first_channel(self.W) if self.groups == 1 else self.W


def _first_channel(a: Array) -> Array:
    """a, (., C, ., .), with zeros in all channels but the first."""
    first = np.zeros_like(a)
    first[:, 0] = a[:, 0]
    return first
