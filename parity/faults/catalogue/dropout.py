"""Bugs of dropout: which share is meant, when it is scaled, and with which mask it goes back.

They are seen with an injected mask, which each of these layers takes; the seed is fixed, so that a bug
that draws gives the same numbers again.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from parity.faults.fault import Family
from scratchcnn.layers import Dropout
from scratchcnn.typing import Array

fault = Family()


class Open(Dropout):
    """The right layer with a fixed seed, and its two scales to be replaced."""

    def __init__(self, dropout_ratio: float = 0.5, rng: Any = 0):
        super().__init__(dropout_ratio, rng)

    def scale(self) -> float:
        """The factor of a kept value in forward."""
        return 1 / (1 - self.dropout_ratio)

    def scale_back(self) -> float:
        return self.scale()

    def scale_in_inference(self) -> float:
        return 1.0

    def forward(self, x: Array, train_flg: bool | None = None) -> Array:
        super().forward(x, train_flg)
        mask = self.recall()[0]
        if mask is None:
            return x * x.dtype.type(self.scale_in_inference())
        return np.where(mask, x * x.dtype.type(self.scale()), x.dtype.type(0))

    def backward(self, dout: Array) -> Array:
        mask = self.recall()[0]
        if mask is None:
            return dout * dout.dtype.type(self.scale_in_inference())
        return np.where(mask, dout * dout.dtype.type(self.scale_back()), dout.dtype.type(0))


@fault("dropout-mask-inverted", "dropout", "the mask read as dropped for kept")
class MaskInverted(Open):
    """True means dropped in one line and kept in the next."""

    def inject(self, mask: Array | None) -> None:
        super().inject(None if mask is None else ~mask)


@fault("dropout-keep-and-drop-swapped", "dropout", "a scale of 1 / ratio")
class KeepForDrop(Open):
    """The ratio is taken for the probability of keeping, as TensorFlow's keep_prob was."""

    def scale(self) -> float:
        return 1 / self.dropout_ratio


@fault("dropout-not-inverted", "dropout", "the scaling in inference instead of in training")
class NotInverted(Open):
    """The book's dropout multiplies by 1 - ratio at test time."""

    def scale(self) -> float:
        return 1.0

    def scale_in_inference(self) -> float:
        return 1 - self.dropout_ratio


@fault("dropout-never-scaled", "dropout", "no scaling at all")
class NeverScaled(Open):
    """The mask is multiplied in and nothing else."""

    def scale(self) -> float:
        return 1.0


@fault("dropout-scaled-twice", "dropout", "the scaling in training and in inference")
class ScaledTwice(Open):
    """Inverted dropout is put into a network whose prediction still multiplies by 1 - ratio."""

    def scale_in_inference(self) -> float:
        return 1 - self.dropout_ratio


@fault("dropout-scale-multiplied", "dropout", "a multiplication by 1 - ratio in training")
class ScaleMultiplied(Open):
    """The scale is multiplied by where it must be divided by."""

    def scale(self) -> float:
        return 1 - self.dropout_ratio


@fault("dropout-backward-not-scaled", "dropout", "dx without the scale")
class BackwardNotScaled(Open):
    """Backward multiplies by the mask, and the scale stands in forward alone."""

    def scale_back(self) -> float:
        return 1.0


@fault("dropout-backward-not-masked", "dropout", "dx without the mask")
class BackwardNotMasked(Open):
    """Backward hands dout on."""

    def backward(self, dout: Array) -> Array:
        return dout.copy()


@fault("dropout-backward-draws-again", "dropout", "a new mask in backward")
class DrawsAgain(Open):
    """Backward calls the same function as forward, and it draws."""

    def backward(self, dout: Array) -> Array:
        if self.recall()[0] is not None:
            mask = np.random.default_rng(1).random(dout.shape) >= self.dropout_ratio
            self.remember(mask, dout.shape)
        return super().backward(dout)


@fault("dropout-active-in-inference", "dropout", "values dropped in inference")
class ActiveInInference(Open):
    """The layer does not look at the switch."""

    def forward(self, x: Array, train_flg: bool | None = None) -> Array:
        if not (self.training if train_flg is None else train_flg):
            self._injected = np.random.default_rng(2).random(x.shape) >= self.dropout_ratio
        return super().forward(x, True)


@fault("dropout-off-in-training", "dropout", "nothing dropped in training")
class OffInTraining(Open):
    """train_flg has the default False, and the network does not hand it on."""

    def forward(self, x: Array, train_flg: bool | None = None) -> Array:
        return super().forward(x, False)


@fault("dropout-one-mask-for-the-batch", "dropout", "the first image's mask for all")
class OneMask(Open):
    """The mask is drawn with x.shape[1:] and broadcasts over the batch."""

    def inject(self, mask: Array | None) -> None:
        super().inject(None if mask is None else np.broadcast_to(mask[:1], mask.shape))


@fault("dropout-whole-channels", "dropout", "whole channels dropped")
class WholeChannels(Open):
    """Dropout2d is used for Dropout."""

    def inject(self, mask: Array | None) -> None:
        if mask is not None and mask.ndim == 4:
            mask = np.broadcast_to(mask[:, :, :1, :1], mask.shape)
        super().inject(mask)


@fault("dropout-half-precision-scale", "dropout", "a scale rounded to float16")
class HalfScale(Open):
    """The mask is stored in float16 to save memory, and with it 1 / (1 - ratio)."""

    def scale(self) -> float:
        return float(np.float16(super().scale()))


@fault(
    "dropout-strictly-greater",
    "dropout",
    "a mask of random > ratio",
    equivalent="it differs only where the number drawn is the ratio itself",
)
class StrictlyGreater(Open):
    """The book draws with >, PyTorch's definition has the other side of a half-open interval."""

    def forward(self, x: Array, train_flg: bool | None = None) -> Array:
        training = self.training if train_flg is None else train_flg
        if not training or self._injected is not None:
            return super().forward(x, train_flg)
        self._injected = self.rng.random(x.shape, dtype=np.float32) > self.dropout_ratio
        out = super().forward(x, train_flg)
        self._injected = None
        return out
