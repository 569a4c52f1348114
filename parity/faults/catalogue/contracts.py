"""Bugs that one call never shows: arrays written into or kept, gradients added up, caches gone stale.

Most of them come in the same few shapes, so each shape is written once, as a class to put in front of a
layer, and the story says how it gets into that layer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from parity.faults.catalogue.windows import padded
from parity.faults.fault import Entry, Family, before
from scratchcnn.im2col import pair
from scratchcnn.layers import (
    RBF,
    Affine,
    BatchNormalization,
    Convolution,
    Dropout,
    Flatten,
    Layer,
    LocalResponseNormalization,
    PartialConvolution,
    PenaltyLoss,
    Pooling,
    Relu,
    Sigmoid,
    Softmax,
    SoftmaxWithLoss,
    Subsampling,
    Tanh,
)
from scratchcnn.typing import Array

fault = Family(max_pooling={"mode": "max"}, average_pooling={"mode": "average"}, min_pooling={"mode": "min"})


# -- the shapes -----------------------------------------------------------------------------------
class Stale(Layer):
    """Keeps what the first forward remembered."""

    def remember(self, *values: Any) -> None:
        if self._memory is None:
            super().remember(*values)


class Accumulates(Layer):
    """Adds its gradients to those that are there."""

    def backward(self, dout: Array) -> Array:
        before = dict(self.grads)
        dx = super().backward(dout)
        for key, earlier in before.items():
            self.grads[key] = self.grads[key] + earlier
        return dx


class KeepsInput(Layer):
    """Keeps the caller's x itself and computes what backward needs from it only then."""

    kept: Array

    def forward(self, x: Array) -> Array:
        self.kept = x
        return super().forward(x)

    def backward(self, dout: Array) -> Array:
        super().forward(self.kept)
        return super().backward(dout)


class WritesInput(Layer):
    """Leaves something else in the caller's x; `spoil` says what."""

    def spoil(self, x: Array, out: Array) -> Array:
        return out

    def forward(self, x: Array, *others: Any) -> Array:
        out = super().forward(x, *others)
        x[...] = self.spoil(x, out)
        return out


class WritesCotangent(Layer):
    """Computes dx in the caller's dout."""

    def backward(self, dout: Array) -> Array:
        dout[...] = super().backward(dout)
        return dout.copy()


class NoWayBack(Layer):
    """Stays in inference once it has been there."""

    def train(self, mode: bool = True) -> Layer:
        return super().train(mode and self.training)


def _put(shape: type[Layer], says: str, *entries: Entry) -> None:
    """Register `shape` in front of each entry's layer."""
    for name, kind, layer, story in entries:
        fault(name, kind, says, shows="contract")(before(shape, layer, story))


def callers_arrays(
    family: Family, prefix: str, kind: str, layer: type[Layer], of_x: str, of_dout: str, of_kept: str
) -> None:
    """Register what goes wrong with the caller's x and dout in that layer, each with its story."""
    for shape, name, says, story in (
        (WritesInput, "writes-into-x", "a write into x", of_x),
        (WritesCotangent, "writes-into-dout", "a write into dout", of_dout),
        (KeepsInput, "keeps-x", "the caller's x kept without a copy", of_kept),
    ):
        family(f"{prefix}-{name}", kind, says, shows="contract")(before(shape, layer, story))


# -- stale caches ---------------------------------------------------------------------------------
_put(
    Stale,
    "what the first forward kept",
    (
        "conv-stale-col",
        "convolution",
        Convolution,
        'The matrix is cached by "if self.col is None" to save time.',
    ),
    (
        "partial-conv-stale-col",
        "partial_convolution",
        PartialConvolution,
        "The matrix of the first batch is kept, since the table of connections never changes either.",
    ),
    (
        "max-pool-stale-winners",
        "max_pooling",
        Pooling,
        "The winners are kept with the window's geometry, once a shape.",
    ),
    (
        "min-pool-stale-winners",
        "min_pooling",
        Pooling,
        "The winners are found once, where the padding is worked out.",
    ),
    ("subsampling-stale-sum", "subsampling", Subsampling, "The window's sum is made a cached property."),
    ("affine-stale-input", "affine", Affine, 'x is kept only "if self.x is None", as the shape was.'),
    ("rbf-stale-difference", "rbf", RBF, "The difference is cached beside the codes, which are fixed."),
    ("relu-stale-mask", "relu", Relu, "The mask is allocated at the first call and never filled again."),
    (
        "sigmoid-stale-output",
        "sigmoid",
        Sigmoid,
        "The output is cached for backward, and prediction fills the cache first.",
    ),
    ("tanh-stale-output", "tanh", Tanh, "The output is kept by functools.cached_property."),
    ("softmax-stale-output", "softmax", Softmax, "The output is kept by setdefault in a dict of caches."),
    (
        "loss-stale-softmax",
        "softmax_with_loss",
        SoftmaxWithLoss,
        "y is kept at the first batch for the accuracy's sake.",
    ),
    (
        "penalty-stale-shares",
        "penalty_loss",
        PenaltyLoss,
        "The shares are computed once and kept on the object.",
    ),
    (
        "lrn-stale-scale",
        "lrn",
        LocalResponseNormalization,
        "The divisor is kept from the first forward, as a constant.",
    ),
    (
        "batch-norm-stale-statistics",
        "batch_norm",
        BatchNormalization,
        "The normalised batch is kept once and not again.",
    ),
)

# -- gradients that add up ------------------------------------------------------------------------
_put(
    Accumulates,
    "gradients added to the last ones",
    (
        "conv-gradients-accumulate",
        "convolution",
        Convolution,
        "self.dW += is written, as autograd packages do.",
    ),
    (
        "partial-conv-gradients-accumulate",
        "partial_convolution",
        PartialConvolution,
        "dW is allocated in the constructor and added to per filter.",
    ),
    (
        "subsampling-gradients-accumulate",
        "subsampling",
        Subsampling,
        "The gradients begin at zero in the constructor and are added to in the loop over the channels.",
    ),
    (
        "affine-gradients-accumulate",
        "affine",
        Affine,
        "PyTorch's backward accumulates, and nobody calls zero_grad here.",
    ),
    (
        "batch-norm-gradients-accumulate",
        "batch_norm",
        BatchNormalization,
        "dgamma += is kept from a loop over the batch.",
    ),
)

# -- the caller's arrays kept ---------------------------------------------------------------------
_put(
    KeepsInput,
    "the caller's x kept without a copy",
    (
        "conv-keeps-x",
        "convolution",
        Convolution,
        "x is kept to save the memory of col, and the caller loads the next batch into it.",
    ),
    (
        "max-pool-keeps-x",
        "max_pooling",
        Pooling,
        "The winners are looked for again in backward, in an x that is the caller's.",
    ),
    ("affine-keeps-x", "affine", Affine, "self.x = x.reshape(N, -1) is a view, not a copy."),
    ("relu-keeps-x", "relu", Relu, "x is kept for its sign, and the next layer works in place."),
    (
        "sigmoid-keeps-x",
        "sigmoid",
        Sigmoid,
        "x is kept and the output computed anew in backward, to save memory.",
    ),
    (
        "lrn-keeps-x",
        "lrn",
        LocalResponseNormalization,
        "self.x = x is enough as long as nobody reuses the buffer.",
    ),
    ("rbf-keeps-x", "rbf", RBF, "The difference is formed again in backward to save memory."),
)


@fault("flatten-dx-is-a-view", "flatten", "dx that is a view of dout", shows="contract")
class ViewBack(Flatten):
    """reshape returns a view, and whoever writes into dout later writes into dx."""

    def backward(self, dout: Array) -> Array:
        return dout.reshape(super().backward(dout).shape)


@fault("relu-dx-is-dout", "relu", "zeros written into dout, which is then returned", shows="contract")
class SameBack(Relu):
    """dout[self.mask] = 0 and dx = dout are the book's own lines."""

    def backward(self, dout: Array) -> Array:
        dx = super().backward(dout)
        np.copyto(dout, dx)
        return dout


@fault("im2col-view-of-the-image", "im2col", "a view of the image where no copy is needed", shows="contract")
def image_view(input_data: Array, filter_h: int, filter_w: int, stride: Any = 1, pad: Any = 0) -> Array:
    """Strided windows need no copy, and where a window is the whole image their reshape makes none either."""
    (sh, sw), img = pair(stride, "stride", 1), padded(input_data, pad) if np.any(pad) else input_data
    windows = sliding_window_view(img, (filter_h, filter_w), axis=(2, 3))[:, :, ::sh, ::sw]
    N, _, OH, OW = windows.shape[:4]
    return windows.transpose(0, 2, 3, 1, 4, 5).reshape(N * OH * OW, -1)


@fault("conv-dx-buffer-not-cleared", "convolution", "dx added to that of the last backward", shows="contract")
class BufferNotCleared(Convolution):
    """The array for dx is allocated once and added to by col2im, and no one sets it to zero."""

    buffer: Array | None = None

    def backward(self, dout: Array) -> Array:
        dx = super().backward(dout)
        if self.buffer is None or self.buffer.shape != dx.shape:
            self.buffer = np.zeros_like(dx)
        self.buffer += dx
        return self.buffer.copy()


# -- one array for several results ---------------------------------------------------------------
class ReusesOut(Layer):
    """Returns the same array at each call."""

    buffer: Array | None = None

    def forward(self, x: Array) -> Array:
        out = super().forward(x)
        if self.buffer is None or (self.buffer.shape, self.buffer.dtype) != (out.shape, out.dtype):
            self.buffer = np.empty_like(out)
        self.buffer[...] = out
        return self.buffer


class SharesOut(Layer):
    """Returns the same array as every other object whose output has that shape."""

    shared: ClassVar[dict[Any, Array]] = {}

    def forward(self, x: Array) -> Array:
        out = super().forward(x)
        kept = self.shared.setdefault((out.shape, out.dtype), out)
        kept[...] = out
        return kept


class SharesGradient(Layer):
    """Puts dW where every other object with weights of that shape puts it."""

    shared: ClassVar[dict[Any, Array]] = {}

    def backward(self, dout: Array) -> Array:
        dx = super().backward(dout)
        dW = self.grads["W"]
        kept = self.shared.setdefault((dW.shape, dW.dtype), dW)
        kept[...] = dW
        self.grads["W"] = kept
        return dx


_put(
    ReusesOut,
    "an output that the next forward writes over",
    ("relu-reuses-out", "relu", Relu, "out is allocated once, and np.maximum(x, 0, out=self.out) fills it."),
    (
        "conv-reuses-out",
        "convolution",
        Convolution,
        "The output is a workspace of the object, as the matrix of the windows is.",
    ),
)
_put(
    SharesOut,
    "an output that other objects write over",
    ("relu-shares-out", "relu", Relu, "The workspaces are kept in a dict of the module, by shape."),
    (
        "affine-shares-out",
        "affine",
        Affine,
        "A function that hands out arrays by shape is used for results, too.",
    ),
)
_put(
    SharesGradient,
    "dW that other objects write over",
    (
        "affine-shares-dw",
        "affine",
        Affine,
        "np.dot(x.T, dout, out=workspace(W.shape)) fills an array that belongs to no layer.",
    ),
    (
        "conv-shares-dw",
        "convolution",
        Convolution,
        "dW is a default argument that is an array, so that all layers of one size have the same.",
    ),
)


# -- arrays written into --------------------------------------------------------------------------
def _spoils(
    name: str, kind: str, layer: type[Layer], story: str, what: Callable[[Any, Array, Array], Array]
) -> None:
    spoiled = before(WritesInput, layer, story, spoil=what)
    fault(name, kind, "a write into x", shows="contract")(spoiled)


_spoils("relu-writes-into-x", "relu", Relu, "x[x < 0] = 0 needs no second array.", lambda self, x, out: out)
_spoils(
    "softmax-writes-into-x",
    "softmax",
    Softmax,
    "x -= x.max(axis=1) works in the caller's array.",
    lambda self, x, out: x - x.max(axis=1, keepdims=True),
)
_spoils(
    "loss-writes-into-x",
    "softmax_with_loss",
    SoftmaxWithLoss,
    "The logits are shifted by their maximum in place.",
    lambda self, x, out: x - x.max(axis=1, keepdims=True),
)
_spoils(
    "penalty-writes-into-x",
    "penalty_loss",
    PenaltyLoss,
    "The penalties are negated in place for the softmax.",
    lambda self, x, out: -x,
)
_spoils(
    "lrn-writes-into-x",
    "lrn",
    LocalResponseNormalization,
    "x *= factor saves an array of the first layer's size.",
    lambda self, x, out: out,
)
_spoils(
    "dropout-writes-into-x",
    "dropout",
    Dropout,
    "x *= mask is the in-place option of other frameworks.",
    lambda self, x, out: out,
)
_spoils(
    "batch-norm-writes-into-x",
    "batch_norm",
    BatchNormalization,
    "x -= mean centres the caller's batch.",
    lambda self, x, out: x - x.mean(axis=(0, *range(2, x.ndim)), keepdims=True),
)
_spoils(
    "max-pool-writes-into-x",
    "max_pooling",
    Pooling,
    "Each winner is set to -inf while the next one is looked for.",
    lambda self, x, out: np.where(x == x.max(), -np.inf, x),
)
_spoils(
    "affine-writes-into-x",
    "affine",
    Affine,
    "The images are scaled to a mean of 0 in the first layer, in place.",
    lambda self, x, out: x - x.mean(),
)

_put(
    WritesCotangent,
    "a write into dout",
    (
        "relu-writes-into-dout",
        "relu",
        Relu,
        "dout[self.mask] = 0 comes before a copy that is made to be safe.",
    ),
    ("sigmoid-writes-into-dout", "sigmoid", Sigmoid, "dout *= y * (1 - y) needs no second array."),
    ("tanh-writes-into-dout", "tanh", Tanh, "dout *= 1 - y * y needs no second array."),
    ("softmax-writes-into-dout", "softmax", Softmax, "dout is multiplied by y in place and then corrected."),
    (
        "lrn-writes-into-dout",
        "lrn",
        LocalResponseNormalization,
        "dout *= factor is followed by the cross terms in place.",
    ),
    ("dropout-writes-into-dout", "dropout", Dropout, "dout *= mask is written for dout * mask."),
    (
        "batch-norm-writes-into-dout",
        "batch_norm",
        BatchNormalization,
        "dout *= gamma is the first line of backward.",
    ),
)


@fault("average-pool-divides-dout-in-place", "average_pooling", "a write into dout", shows="contract")
class DividesInPlace(Pooling):
    """dout /= pool_h * pool_w divides the caller's array once more at every use."""

    def backward(self, dout: Array) -> Array:
        dx = super().backward(dout)
        dout /= dout.dtype.type(self.pool_h * self.pool_w + (self.pool_h * self.pool_w == 1))
        return dx


@fault("conv-turns-w-in-place", "convolution", "W left turned after backward", shows="contract")
class TurnsInPlace(Convolution):
    """The kernel is turned for dx in the array that holds the weights, and stays turned."""

    def backward(self, dout: Array) -> Array:
        dx = super().backward(dout)
        self.W[...] = self.W[:, :, ::-1, ::-1].copy()
        return dx


@fault("affine-divides-w-in-place", "affine", "W scaled in place", shows="contract")
class ScalesInPlace(Affine):
    """Weight normalisation divides the stored weights instead of a copy of them."""

    def backward(self, dout: Array) -> Array:
        dx = super().backward(dout)
        self.W[...] /= np.sqrt((self.W**2).sum())
        return dx


@fault(
    "batch-norm-gamma-in-place",
    "batch_norm",
    "gamma divided by the standard deviation in place",
    shows="contract",
)
class FoldsInPlace(BatchNormalization):
    """gamma is folded with the deviation for inference in the array that is trained."""

    def forward(self, x: Array) -> Array:
        out = super().forward(x)
        self.scale = self.recall()[1]
        return out

    def backward(self, dout: Array) -> Array:
        dx = super().backward(dout)
        self.gamma[...] /= self.scale
        return dx


@fault("loss-spoils-its-softmax", "softmax_with_loss", "y spoiled by backward", shows="contract")
class SpoilsSoftmax(SoftmaxWithLoss):
    """dx = self.y makes no copy, so the 1 that is subtracted stays subtracted."""

    def backward(self, dout: Any = 1) -> Array:
        dx = super().backward(dout)
        y, _ = self.recall()
        y[...] = dx * len(y)
        return dx


@fault("rbf-spoils-its-difference", "rbf", "the kept difference spoiled by backward", shows="contract")
class SpoilsDifference(RBF):
    """difference *= 2 * dout works in the array that forward kept."""

    def backward(self, dout: Array) -> Array:
        dx = super().backward(dout)
        (difference,) = self.recall()
        difference *= 2 * dout[:, :, None]
        return dx


# -- training and inference -----------------------------------------------------------------------
_put(
    NoWayBack,
    "a layer that stays in inference",
    (
        "dropout-stays-in-inference",
        "dropout",
        Dropout,
        "eval() sets a flag that train() was never written to clear.",
    ),
    (
        "batch-norm-stays-in-inference",
        "batch_norm",
        BatchNormalization,
        "eval() freezes the statistics, and train() does not thaw them.",
    ),
)


@fault("dropout-mask-drawn-once", "dropout", "one mask for ever", shows="contract")
class DrawnOnce(Dropout):
    """The mask is drawn in the constructor or kept from the first batch of its size."""

    def forward(self, x: Array, train_flg: bool | None = None) -> Array:
        self.rng = np.random.default_rng(0)
        return super().forward(x, train_flg)


@fault("dropout-share-swapped", "dropout", "the share that is dropped kept", shows="contract")
class ShareSwapped(Dropout):
    """rng.random(x.shape) < ratio is drawn for the mask of what stays, and an injected mask hides it."""

    def forward(self, x: Array, train_flg: bool | None = None) -> Array:
        ratio, training = self.dropout_ratio, self.training if train_flg is None else train_flg
        if self._injected is not None or not training:
            return super().forward(x, train_flg)
        self._injected = self.rng.random(x.shape) < ratio
        out = super().forward(x, train_flg)
        self._injected = None
        return out
