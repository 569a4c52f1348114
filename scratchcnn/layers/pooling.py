"""Pooling by im2col (book, section 7.4.4)."""

from __future__ import annotations

import copy
from typing import Literal

import numpy as np

from scratchcnn.fast import accelerated
from scratchcnn.im2col import OnRemainder, Pair, col2im, im2col, output_size, pair
from scratchcnn.layers.base import Layer
from scratchcnn.typing import Array

Mode = Literal["max", "average", "min"]


@accelerated
class Pooling(Layer):
    """(N, C, H, W) -> (N, C, OH, OW): the book's layer; `torch.nn.MaxPool2d` and `AvgPool2d`.

    mode              "max", "average" or "min"
    stride, pad       ints or (height, width) pairs; pad at most half the window, as PyTorch
    ceil_mode         round the output size up; a last window that would start beyond the image is dropped
    count_include_pad average only: whether padded cells count in the divisor (those beyond the
                      padding, which ceil_mode can reach, never do)
    dilation          max and min only: the distance of a window's cells, an int or a (height, width) pair
    divisor_override  average only: every window's sum is divided by it, wherever the window lies

    Padding never wins: it is -inf for max and +inf for min. (The book ignores `pad` in its output size
    and pads with 0, which wins over negative inputs.) Among equals the first in row-major order gets
    the gradient, of several NaN the last, as in PyTorch.
    """

    def __init__(
        self,
        pool_h: int,
        pool_w: int,
        stride: Pair = 1,
        pad: Pair = 0,
        mode: Mode = "max",
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        on_remainder: OnRemainder = "floor",
        *,
        dilation: Pair = 1,
        divisor_override: int | None = None,
    ):
        super().__init__()
        if mode not in ("max", "average", "min"):
            raise ValueError(f'Pooling: mode must be "max", "average" or "min", got {mode!r}')
        self.pool_h, self.pool_w = pair((pool_h, pool_w), "the pooling window", 1)
        self.stride, self.pad = pair(stride, "stride", 1), pair(pad, "pad", 0)
        self.dilation, self.divisor_override = pair(dilation, "dilation", 1), divisor_override
        if mode == "average" and self.dilation != (1, 1):
            raise ValueError(f'Pooling: dilation {dilation} is for mode "max" or "min", not for "average"')
        if divisor_override is not None and mode != "average":
            raise ValueError(f'Pooling: divisor_override is for mode "average", not for "{mode}"')
        if divisor_override is not None and not (
            isinstance(divisor_override, (int, np.integer)) and divisor_override
        ):
            raise ValueError(
                f"Pooling: divisor_override must be a whole number other than 0, got {divisor_override!r}"
            )
        (dh, dw) = self.dilation
        self._window = window = dh * (self.pool_h - 1) + 1, dw * (self.pool_w - 1) + 1  # first cell to last
        if 2 * self.pad[0] > window[0] or 2 * self.pad[1] > window[1]:
            raise ValueError(f"Pooling: pad {self.pad} must be at most half the window {window}")
        self.mode, self.ceil_mode = mode, ceil_mode
        self.count_include_pad, self.on_remainder = count_include_pad, on_remainder

    def forward(self, x: Array) -> Array:
        x = self.check_input(x)
        OH, OW = self._output_size(x.shape)
        N, C, _, _ = x.shape

        frame = self._frame(-x if self.mode == "min" else x)
        col = im2col(frame, self.pool_h, self.pool_w, self.stride, dilation=self.dilation)
        col = col.reshape(-1, self.pool_h * self.pool_w)  # (N*OH*OW*C, pool_h*pool_w): a window per row
        out: Array
        if self.mode == "average":
            arg, out = None, col.sum(axis=1)
        else:
            arg = col.argmax(axis=1)
            if frame.shape != x.shape:
                arg = self._not_padding(arg, col, x.shape)
            out = col[np.arange(len(col)), arg]
            if np.isnan(out).any():
                arg = self._last_nan(arg, col)
        self.remember(x.shape, frame.shape, arg)

        # (N*OH*OW*C,) -> (N, OH, OW, C) -> (N, C, OH, OW)
        out = out.reshape(N, OH, OW, C).transpose(0, 3, 1, 2)
        if self.mode == "average":
            out = out / self._divisor(x.shape, x.dtype)
        return np.negative(out) if self.mode == "min" else out

    def backward(self, dout: Array) -> Array:
        """max: dout goes to the winner of its window; average: to every pixel, divided by the divisor."""
        x_shape, frame_shape, arg = self.recall()
        (N, C, H, W), (OH, OW) = x_shape, self._output_size(x_shape)
        dout = self.check_dout(dout, (N, C, OH, OW))
        if self.mode == "average":
            dout = dout / self._divisor(x_shape, dout.dtype)

        flat = dout.transpose(0, 2, 3, 1).ravel()  # (N, C, OH, OW) -> (N*OH*OW*C,)
        dcol = np.zeros((flat.size, self.pool_h * self.pool_w), dtype=dout.dtype)
        if self.mode == "average":
            dcol += flat[:, None]
        else:
            dcol[np.arange(flat.size), arg] = flat
        dcol = dcol.reshape(N * OH * OW, C * self.pool_h * self.pool_w)
        dframe = col2im(dcol, frame_shape, self.pool_h, self.pool_w, self.stride, dilation=self.dilation)

        ph, pw = self.pad
        dx = np.zeros(x_shape, dtype=dout.dtype)
        reached = dframe[:, :, ph : ph + H, pw : pw + W]
        dx[:, :, : reached.shape[2], : reached.shape[3]] = reached
        return dx

    def indices(self, x: Array) -> Array:
        """(N, C, H, W) -> (N, C, OH, OW) int64: where each maximum (or minimum) stands, as h * W + w.

        `return_indices` of `torch.nn.MaxPool2d`. Raises ValueError for an average, which has no place.
        """
        if self.mode == "average":
            raise ValueError(f'{self.label}: indices are of mode "max" or "min", not of "average"')
        alone = copy.copy(self).record()
        Pooling.forward.__wrapped__(alone, x)  # type: ignore[attr-defined]  # the textbook's, which keeps arg
        (N, C, _, W), _, arg = alone.recall()
        (sh, sw), (ph, pw), (dh, dw), (OH, OW) = (
            self.stride,
            self.pad,
            self.dilation,
            self._output_size(x.shape),
        )
        arg = arg.reshape(N, OH, OW, C).transpose(0, 3, 1, 2)  # the cell of each window, row by row
        h = np.arange(OH)[:, None] * sh + arg // self.pool_w * dh - ph
        w = np.arange(OW) * sw + arg % self.pool_w * dw - pw
        found: Array = (h * W + w).astype(np.int64)
        return found

    # -- geometry: the windows cover a frame that starts at (-pad_h, -pad_w) and ends with the last window
    def _output_size(self, x_shape: tuple[int, ...]) -> tuple[int, int]:
        if len(x_shape) != 4:
            raise ValueError(f"{self.label}: expected x of shape (N, C, H, W), got {x_shape}")
        (_, _, H, W), (sh, sw), (ph, pw), (dh, dw) = x_shape, self.stride, self.pad, self.dilation
        try:
            OH = output_size(H, self.pool_h, sh, ph, dh, self.ceil_mode, self.on_remainder)
            OW = output_size(W, self.pool_w, sw, pw, dw, self.ceil_mode, self.on_remainder)
        except ValueError as error:
            raise type(error)(f"{self.label}: {error}") from None
        return OH, OW

    def _frame(self, x: Array) -> Array:
        """The images as the windows see them, padded so that padding cannot win: (N, C, FH, FW)."""
        (N, C, H, W), (sh, sw), (ph, pw) = x.shape, self.stride, self.pad
        OH, OW = self._output_size(x.shape)
        window_h, window_w = self._window
        FH, FW = (OH - 1) * sh + window_h, (OW - 1) * sw + window_w
        frame = np.full((N, C, FH, FW), 0 if self.mode == "average" else -np.inf, dtype=x.dtype)
        reached = frame[:, :, ph : ph + H, pw : pw + W]
        reached[...] = x[:, :, : reached.shape[2], : reached.shape[3]]
        return frame

    def _not_padding(self, arg: Array, col: Array, x_shape: tuple[int, ...]) -> Array:
        """Where a window holds nothing above -inf, argmax may have named its padding: name a pixel."""
        lowest = np.flatnonzero(col[np.arange(len(col)), arg] == -np.inf)
        if lowest.size:
            frame = self._frame(np.zeros(x_shape, col.dtype))
            pixels = im2col(frame, self.pool_h, self.pool_w, self.stride, dilation=self.dilation)
            is_pixel = np.isfinite(pixels.reshape(col.shape))
            arg[lowest] = is_pixel[lowest].argmax(axis=1)
        return arg

    def _last_nan(self, arg: Array, col: Array) -> Array:
        """argmax names the first NaN of a window: name the last."""
        has_nan = np.isnan(col).any(axis=1)
        arg[has_nan] = col.shape[1] - 1 - np.isnan(col[has_nan, ::-1]).argmax(axis=1)
        return arg

    def _divisor(self, x_shape: tuple[int, ...], dtype: np.dtype) -> Array:
        """How many cells each window averages over: -> (OH, OW), or () where all have the same."""
        if self.divisor_override is not None:
            return np.array(self.divisor_override, dtype)
        if self.pad == (0, 0) and not self.ceil_mode:
            return np.array(self.pool_h * self.pool_w, dtype)
        counts = []
        for size, window, stride, pad, out in zip(
            x_shape[2:],
            (self.pool_h, self.pool_w),
            self.stride,
            self.pad,
            self._output_size(x_shape),
            strict=True,
        ):
            start = np.arange(out) * stride - pad
            if self.count_include_pad:
                counts.append(np.minimum(start + window, size + pad) - start)
            else:
                counts.append(np.minimum(start + window, size) - np.maximum(start, 0))
        return (counts[0][:, None] * counts[1]).astype(dtype)

    def arguments(self) -> str:
        text = f"{self.pool_h}, {self.pool_w}, stride={self.stride}, pad={self.pad}, mode={self.mode!r}"
        text += ", ceil_mode=True" if self.ceil_mode else ""
        text += "" if self.count_include_pad else ", count_include_pad=False"
        text += "" if self.dilation == (1, 1) else f", dilation={self.dilation}"
        return text + ("" if self.divisor_override is None else f", divisor_override={self.divisor_override}")
