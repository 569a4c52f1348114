"""The book's common/layers.py (chapters 5 to 7): its constructors, attributes and defaults, our layers.

A layer keeps the very arrays that it was given, as in the book: an optimizer that writes into `params["W1"]`
changes the layer. x is converted to the weights' dtype.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import scratchcnn as sc
from scratchcnn.book.cast import as_like, floating
from scratchcnn.typing import Array

__all__ = [
    "Affine",
    "BatchNormalization",
    "Convolution",
    "Dropout",
    "Pooling",
    "Relu",
    "Sigmoid",
    "SoftmaxWithLoss",
]


class Relu:
    """max(0, x) (section 5.5.1)."""

    def __init__(self) -> None:
        self.mask: Array | None = None  # True where the gradient is stopped
        self._layer = sc.Relu()

    def forward(self, x: Any) -> Array:
        x = floating(x)
        self.mask = x <= 0
        return self._layer.forward(x)

    def backward(self, dout: Any) -> Array:
        return self._layer.backward(floating(dout))


class Sigmoid:
    """1 / (1 + exp(-x)) (section 5.5.2)."""

    def __init__(self) -> None:
        self.out: Array | None = None
        self._layer = sc.Sigmoid()

    def forward(self, x: Any) -> Array:
        self.out = self._layer.forward(floating(x))
        return self.out

    def backward(self, dout: Any) -> Array:
        return self._layer.backward(floating(dout))


class _Weighted:
    """W and b as plain attributes, which may be replaced, and the layer of ours that computes with them."""

    def __init__(self, W: Array, b: Any):
        self.W, self.b = W, b
        self.x: Array | None = None
        self.dW: Array | None = None
        self.db: Array | None = None
        self._layer: Any = None

    def _make(self, W: Array, b: Array) -> Any:
        raise NotImplementedError

    def _current(self, length: int) -> Any:
        """The layer for W and b as they are now; `b` may be one number for all, as in `Convolution(w, 0)`."""
        if np.ndim(self.b) == 0:
            self.b = np.full(length, self.b, self.W.dtype)
        plain = np.ndim(self.b) == 1 and getattr(self.b, "dtype", None) == self.W.dtype
        b = self.b if plain else np.asarray(self.b, self.W.dtype).reshape(-1)
        if self._layer is None or self._layer.W is not self.W or self._layer.b is not b:
            self._layer = self._make(self.W, b)
        return self._layer

    def backward(self, dout: Any) -> Array:
        if self._layer is None:
            raise RuntimeError(f"{type(self).__name__}: backward needs a forward before it")
        dx: Array = self._layer.backward(np.asarray(dout, self.W.dtype))
        self.dW, self.db = self._layer.dW, self._layer.db
        return dx


class Affine(_Weighted):
    """x W + b, x (N, D) or images, which are flattened (section 5.6)."""

    def _make(self, W: Array, b: Array) -> Any:
        return sc.Affine(W, b)

    def forward(self, x: Any) -> Array:
        x = as_like(x, self.W)
        self.original_x_shape = x.shape
        self.x = x.reshape(len(x), -1)
        out: Array = self._current(self.W.shape[1]).forward(self.x)
        return out

    def backward(self, dout: Any) -> Array:
        return super().backward(dout).reshape(self.original_x_shape)


class Convolution(_Weighted):
    """(N, C, H, W) -> (N, FN, OH, OW) (section 7.4.3); after forward x, col and col_W, as in the book."""

    def __init__(self, W: Array, b: Any = 0, stride: Any = 1, pad: Any = 0):
        super().__init__(W, b)
        self.stride, self.pad = stride, pad

    def _make(self, W: Array, b: Array) -> Any:
        return sc.Convolution(W, b, self.stride, self.pad)

    def forward(self, x: Any) -> Array:
        self.x = as_like(x, self.W)
        out: Array = self._current(len(self.W)).forward(self.x)
        return out

    @property
    def col(self) -> Array | None:
        """im2col of the last x, (N*OH*OW, C*FH*FW); computed when it is read. None before forward."""
        if self.x is None:
            return None
        FH, FW = self.W.shape[2:]
        return sc.im2col(self.x, FH, FW, self.stride, self.pad)

    @property
    def col_W(self) -> Array | None:
        """The filters as columns, (C*FH*FW, FN). None before forward."""
        return None if self.x is None else self.W.reshape(len(self.W), -1).T


class Pooling:
    """The largest number of each window (section 7.4.4); after forward x and arg_max, as in the book."""

    def __init__(self, pool_h: int, pool_w: int, stride: Any = 1, pad: Any = 0):
        self.pool_h, self.pool_w, self.stride, self.pad = pool_h, pool_w, stride, pad
        self.x: Array | None = None
        self._layer = sc.Pooling(pool_h, pool_w, stride, pad)

    def forward(self, x: Any) -> Array:
        self.x = floating(x)
        return self._layer.forward(self.x)

    def backward(self, dout: Any) -> Array:
        return self._layer.backward(floating(dout))

    @property
    def arg_max(self) -> Array | None:
        """The cell of each window that was largest, (N*OH*OW*C,); computed when it is read."""
        if self.x is None:
            return None
        col = sc.im2col(self.x, self.pool_h, self.pool_w, self.stride, self.pad)
        return np.asarray(col.reshape(-1, self.pool_h * self.pool_w).argmax(axis=1))


class SoftmaxWithLoss:
    """Softmax and cross entropy, mean over the batch (section 5.6.3); after forward loss, y and t."""

    def __init__(self) -> None:
        self.loss: Any = None
        self.y: Array | None = None
        self.t: Array | None = None
        self._layer = sc.SoftmaxWithLoss()

    def forward(self, x: Any, t: Any) -> Any:
        t = np.asarray(t)
        if t.ndim == 2 and t.shape[1] == 1:  # the book's gradient_check.py has labels as a column
            t = t.reshape(-1)
        self.loss, self.t = self._layer.forward(floating(x), t), t
        self.y = self._layer.y
        return self.loss

    def backward(self, dout: Any = 1) -> Array:
        return self._layer.backward(dout)


class Dropout:
    """The book's (section 6.4.3): numbers are dropped in training and scaled by 1 - dropout_ratio when
    testing. (`scratchcnn.Dropout` and PyTorch scale in training instead.)"""

    def __init__(self, dropout_ratio: float = 0.5):
        self.dropout_ratio = dropout_ratio
        self.mask: Array | None = None

    def forward(self, x: Array, train_flg: bool = True) -> Array:
        if not train_flg:
            kept: Array = x * x.dtype.type(1.0 - self.dropout_ratio)
            return kept
        self.mask = np.random.rand(*x.shape) > self.dropout_ratio  # noqa: NPY002  (scripts seed this one)
        out: Array = x * self.mask
        return out

    def backward(self, dout: Array) -> Array:
        dx: Array = dout * self.mask
        return dx


class BatchNormalization:
    """Normalised over the batch, one mean per number of x (section 6.3); images are flattened first.

    The running variance is the unbiased one, as PyTorch's; the book's is not.
    """

    def __init__(
        self,
        gamma: Array,
        beta: Array,
        momentum: float = 0.9,
        running_mean: Array | None = None,
        running_var: Array | None = None,
    ):
        self.gamma, self.beta, self.momentum = gamma, beta, momentum
        self.running_mean, self.running_var = running_mean, running_var
        self.dgamma: Array | None = None
        self.dbeta: Array | None = None
        self._layer: Any = None

    def forward(self, x: Any, train_flg: bool = True) -> Array:
        self.input_shape = np.shape(x)
        if self._layer is None or self._layer.gamma is not self.gamma or self._layer.beta is not self.beta:
            running = {"running_mean": self.running_mean, "running_var": self.running_var}
            self._layer = sc.BatchNormalization(self.gamma, self.beta, self.momentum, **running, eps=10e-7)
        self._layer.train(train_flg)
        x = as_like(x, self.gamma)
        out: Array = self._layer.forward(x.reshape(len(x), -1)).reshape(self.input_shape)
        self.running_mean, self.running_var = self._layer.running_mean, self._layer.running_var
        return out

    def backward(self, dout: Any) -> Array:
        dout = np.asarray(dout, self.gamma.dtype)
        dx: Array = self._layer.backward(dout.reshape(len(dout), -1)).reshape(self.input_shape)
        self.dgamma, self.dbeta = self._layer.dgamma, self._layer.dbeta
        return dx
