"""Pooling by im2col (book, section 7.4.4), and the trainable subsampling of LeNet-5."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from scratchcnn.fast import pooling as fast
from scratchcnn.im2col import OnRemainder, Pair, col2im, im2col, output_size, pair
from scratchcnn.layers.base import Layer, param

Mode = Literal["max", "average", "min"]


class Pooling(Layer):
    """(N, C, H, W) -> (N, C, OH, OW): the book's layer; `torch.nn.MaxPool2d` and `AvgPool2d`.

    mode              "max", "average" or "min"
    stride, pad       ints or (height, width) pairs; pad at most half the window, as PyTorch
    ceil_mode         round the output size up; a last window that would start behind the image is dropped
    count_include_pad average only: whether padded cells count in the divisor (those beyond the
                      padding, which ceil_mode can reach, never do)

    Padding never wins: it is -inf for max and +inf for min. (The book ignores `pad` in its output size
    and pads with 0, which wins over negative inputs.) Among equals the first in row-major order gets
    the gradient, as in PyTorch.
    """

    has_fast = by_image = True

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
    ):
        super().__init__()
        if mode not in ("max", "average", "min"):
            raise ValueError(f'Pooling: mode must be "max", "average" or "min", got {mode!r}')
        self.pool_h, self.pool_w = pair((pool_h, pool_w), "the pooling window", 1)
        self.stride, self.pad = pair(stride, "stride", 1), pair(pad, "pad", 0)
        if 2 * self.pad[0] > pool_h or 2 * self.pad[1] > pool_w:
            raise ValueError(f"Pooling: pad {self.pad} must be at most half the window ({pool_h}, {pool_w})")
        self.mode, self.ceil_mode = mode, ceil_mode
        self.count_include_pad, self.on_remainder = count_include_pad, on_remainder

    def forward(self, x: NDArray) -> NDArray:
        x = self.check_input(x)
        if x.ndim != 4:
            raise ValueError(f"{self.label}: expected x of shape (N, C, H, W), got {x.shape}")
        N, C = x.shape[:2]
        OH, OW = self._output_size(x.shape)
        if self.is_fast() and (out := self._fast_forward(x)) is not None:
            return out
        col = self._windows(-x if self.mode == "min" else x)  # (N*OH*OW*C, pool_h*pool_w)
        if self.mode == "average":
            self.remember(x.shape, None)
            out = col.sum(axis=1)
        else:
            arg = self._first_largest(col, x.shape)
            self.remember(x.shape, arg)
            out = col[np.arange(len(col)), arg]
        # (N*OH*OW*C,) -> (N, OH, OW, C) -> (N, C, OH, OW)
        out = out.reshape(N, OH, OW, C).transpose(0, 3, 1, 2)
        if self.mode == "average":
            return out / self._divisor(x.shape, x.dtype)
        return -out if self.mode == "min" else out

    def backward(self, dout: NDArray) -> NDArray:
        """max: dout goes to the winner of its window; average: to every pixel, divided by the divisor."""
        x_shape, arg = self.recall()
        N, C, H, W = x_shape
        OH, OW = self._output_size(x_shape)
        dout = self.check_dout(dout, (N, C, OH, OW))
        if self.mode == "average":
            dout = dout / self._divisor(x_shape, dout.dtype)
        if self.is_fast() and (arg is None or arg.ndim == 4):
            dframe = fast.spread(fast.inside(dout), arg, *self._grid, (C, *self._frame_size(x_shape), N))
            return fast.undo_frame(dframe, x_shape, self.pad)

        flat = dout.transpose(0, 2, 3, 1).ravel()  # (N, C, OH, OW) -> (N*OH*OW*C,)
        dcol = np.zeros((flat.size, self.pool_h * self.pool_w), dtype=dout.dtype)
        if self.mode == "average":
            dcol += flat[:, None]
        else:
            dcol[np.arange(flat.size), arg] = flat
        frame = (N, C, *self._frame_size(x_shape))
        dcol = dcol.reshape(N * OH * OW, C * self.pool_h * self.pool_w)
        dframe = col2im(dcol, frame, self.pool_h, self.pool_w, self.stride)
        dx = np.zeros(x_shape, dtype=dout.dtype)
        inside = dframe[:, :, self.pad[0] : self.pad[0] + H, self.pad[1] : self.pad[1] + W]
        dx[:, :, : inside.shape[2], : inside.shape[3]] = inside
        return dx

    # -- the fast rung ---------------------------------------------------------------------------
    @property
    def takes_max(self) -> bool:
        """Whether a Relu before it may as well come behind it (see scratchcnn.fast.blocks)."""
        return self.mode == "max"

    @property
    def _grid(self) -> tuple[tuple[int, int], tuple[int, int]]:
        return (self.pool_h, self.pool_w), self.stride

    def _fast_forward(self, x: NDArray) -> NDArray | None:
        """None where a window holds NaN, or nothing but -inf: then the places need the textbook's care."""
        size, frame = self._output_size(x.shape), self._frame_size(x.shape)
        if self.mode == "average":
            out = fast.total(fast.frame(x, self.pad, frame, 0), *self._grid, size)
            self.remember(x.shape, None)
            return fast.outside(out) / self._divisor(x.shape, x.dtype)
        a = fast.frame(-x if self.mode == "min" else x, self.pad, frame, -np.inf)
        out, place = fast.largest(a, *self._grid, size, places=self.recording)
        if not out.min(initial=np.inf) > -np.inf:
            return None
        self.remember(x.shape, place)
        return fast.outside(-out if self.mode == "min" else out)

    # -- geometry: the windows cover a frame that starts at (-pad_h, -pad_w) and ends with the last window
    def _output_size(self, x_shape: tuple[int, ...]) -> tuple[int, int]:
        (_, _, H, W), (sh, sw), (ph, pw) = x_shape, self.stride, self.pad
        OH = output_size(H, self.pool_h, sh, ph, 1, self.ceil_mode, self.on_remainder)
        OW = output_size(W, self.pool_w, sw, pw, 1, self.ceil_mode, self.on_remainder)
        return OH, OW

    def _frame_size(self, x_shape: tuple[int, ...]) -> tuple[int, int]:
        OH, OW = self._output_size(x_shape)
        return (OH - 1) * self.stride[0] + self.pool_h, (OW - 1) * self.stride[1] + self.pool_w

    def _windows(self, x: NDArray) -> NDArray:
        """Every window as a row, padded so that padding cannot win: -> (N*OH*OW*C, pool_h*pool_w)."""
        N, C, H, W = x.shape
        FH, FW = self._frame_size(x.shape)
        ph, pw = self.pad
        frame = np.full((N, C, FH, FW), 0 if self.mode == "average" else -np.inf, dtype=x.dtype)
        inside = frame[:, :, ph : ph + H, pw : pw + W]
        inside[...] = x[:, :, : inside.shape[2], : inside.shape[3]]
        col = im2col(frame, self.pool_h, self.pool_w, self.stride)
        return col.reshape(-1, self.pool_h * self.pool_w)

    def _first_largest(self, col: NDArray, x_shape: tuple[int, ...]) -> NDArray:
        """Index of the first largest value of each row, never that of a padded cell."""
        arg = col.argmax(axis=1)
        if self._frame_size(x_shape) == x_shape[2:]:
            return arg
        # Where a window holds nothing above -inf, argmax may have named the padding.
        lowest = np.flatnonzero(col[np.arange(len(col)), arg] == -np.inf)
        if lowest.size:
            is_pixel = np.isfinite(self._windows(np.zeros(x_shape, dtype=col.dtype)))
            arg[lowest] = is_pixel[lowest].argmax(axis=1)
        return arg

    def _divisor(self, x_shape: tuple[int, ...], dtype: np.dtype) -> NDArray:
        """How many cells each window averages over: -> (OH, OW), or () where all have the same."""
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
        return text + ("" if self.count_include_pad else ", count_include_pad=False")


class Subsampling(Layer):
    """LeNet-5's S2 and S4: (N, C, H, W) -> (N, C, H // size, W // size) (LeCun et al. 1998, section II.B).

        out = coefficient[c] * (sum over a size x size window) + bias[c]

    The windows do not overlap; coefficient and bias, both (C,), are trained. Rows and columns that
    do not fill a window are left out.
    """

    by_image = True

    coefficient, bias = param("params", "coefficient"), param("params", "bias")
    dcoefficient, dbias = param("grads", "coefficient"), param("grads", "bias")

    def __init__(self, coefficient: NDArray, bias: NDArray, size: int = 2):
        if np.ndim(coefficient) != 1 or np.shape(coefficient) != np.shape(bias):
            raise ValueError(
                "Subsampling: expected coefficient and bias of the same shape (C,), "
                f"got {np.shape(coefficient)} and {np.shape(bias)}"
            )
        super().__init__({"coefficient": coefficient, "bias": bias})
        (self.size, _) = pair(size, "size", 1)

    def forward(self, x: NDArray) -> NDArray:
        x = self.check_input(x, like=self.coefficient)
        C, s = len(self.coefficient), self.size
        if x.ndim != 4 or x.shape[1] != C or min(x.shape[2:]) < s:
            raise ValueError(
                f"{self.label}: expected x of shape (N, {C}, H, W) with H and W at least {s}; got {x.shape}"
            )
        N, _, H, W = x.shape
        windows = x[:, :, : H // s * s, : W // s * s].reshape(N, C, H // s, s, W // s, s)
        total = windows.sum(axis=(3, 5))  # (N, C, OH, OW)
        self.remember(x.shape, total)
        return total * self.coefficient[:, None, None] + self.bias[:, None, None]

    def backward(self, dout: NDArray) -> NDArray:
        """dcoefficient = sum of dout * total,  dbias = sum of dout,  dx = dout * coefficient, repeated."""
        x_shape, total = self.recall()
        dout = self.check_dout(dout, total.shape)
        self.grads["coefficient"] = (dout * total).sum(axis=(0, 2, 3))
        self.grads["bias"] = dout.sum(axis=(0, 2, 3))
        dx = np.zeros(x_shape, dtype=dout.dtype)
        spread = (dout * self.coefficient[:, None, None]).repeat(self.size, axis=2).repeat(self.size, axis=3)
        dx[:, :, : spread.shape[2], : spread.shape[3]] = spread
        return dx

    def arguments(self) -> str:
        return f"{len(self.coefficient)}, size={self.size}"
