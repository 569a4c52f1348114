"""Bugs of the hinge loss of several classes: whose margins count, and what the right class gets."""

from __future__ import annotations

from typing import Any

import numpy as np

from parity.faults.fault import Family
from scratchcnn.layers import MultiClassHingeLoss
from scratchcnn.typing import Array

fault = Family()
KIND = "multiclass_hinge_loss"


class Open(MultiClassHingeLoss):
    """The right loss, with its parts to be replaced; t is numbers of classes inside."""

    def margins(self, x: Array, right: Array, t: Array) -> Array:
        """Of all classes, the right one's still to be set to 0."""
        return np.maximum(0, x - right + 1)

    def of_right(self, margins: Array, t: Array) -> Array:
        margins[np.arange(len(t)), t] = 0
        return margins

    def total(self, margins: Array) -> Any:
        return margins.sum() / margins.dtype.type(len(margins))

    def slopes(self, margins: Array, t: Array) -> Array:
        """Of the sum."""
        dx = (margins > 0).astype(margins.dtype)
        dx[np.arange(len(t)), t] = 0
        dx[np.arange(len(t)), t] = -dx.sum(axis=1)
        return dx

    def mean(self, slopes: Array) -> Array:
        return slopes / slopes.dtype.type(len(slopes))

    def forward(self, x: Array, t: Any) -> Any:  # type: ignore[override]
        x, t = self.check(x, t)
        t = t if t.ndim == 1 else t.argmax(axis=1)
        margins = self.margins(x, x[np.arange(len(x)), t][:, None], t).astype(x.dtype)
        margins = self.of_right(margins, t)
        self.remember(margins.copy(), t.copy())
        return self.total(margins)

    def backward(self, dout: Any = 1) -> Array:
        margins, t = self.recall()
        return self.mean(self.slopes(margins, t)) * margins.dtype.type(dout)


@fault("svm-right-class-counted", KIND, "a margin of 1 for the right class, too")
class RightClassCounted(Open):
    """margins[np.arange(N), y] = 0 is forgotten, and each row costs 1 more."""

    def of_right(self, margins: Array, t: Array) -> Array:
        return margins


@fault("svm-without-margin", KIND, "max(0, x[c] - x[t]) without the 1")
class WithoutMargin(Open):
    """The margin of 1 is left out, and right scores that hardly lead cost nothing."""

    def margins(self, x: Array, right: Array, t: Array) -> Array:
        return np.maximum(0, x - right)


@fault("svm-differences-reversed", KIND, "x[t] - x[c] for x[c] - x[t]")
class Reversed(Open):
    """The right class's score is not taken off but taken from."""

    def margins(self, x: Array, right: Array, t: Array) -> Array:
        return np.maximum(0, right - x + 1)


@fault("svm-without-maximum", KIND, "differences below 0, too")
class WithoutMaximum(Open):
    """The maximum with 0 is forgotten, and classes far behind pay back."""

    def margins(self, x: Array, right: Array, t: Array) -> Array:
        return x - right + 1


@fault("svm-squared", KIND, "the squares of the margins")
class Squared(Open):
    """The squared hinge stands in forward, with the slope of the plain one."""

    def total(self, margins: Array) -> Any:
        return (margins**2).sum() / margins.dtype.type(len(margins))


@fault("svm-largest-margin", KIND, "the largest margin of each row alone")
class Largest(Open):
    """np.max over the classes is taken for their sum, and the gradient is that of the sum."""

    def total(self, margins: Array) -> Any:
        return margins.max(axis=1).mean()


@fault("svm-loss-not-divided", KIND, "the sum over the rows, with the gradient of the mean")
class LossNotDivided(Open):
    """The division by N is forgotten in forward alone."""

    def total(self, margins: Array) -> Any:
        return margins.sum()


@fault("svm-last-row", KIND, "the loss of the last row alone")
class LastRow(Open):
    """The loss is assigned in the loop over the rows, where it should be added to."""

    def total(self, margins: Array) -> Any:
        return margins[-1].sum() / margins.dtype.type(len(margins))


@fault("svm-first-class-right", KIND, "class 0 taken for the right one")
class FirstClass(Open):
    """scores[:, y] was mended to scores[:, 0] when its shape did not fit."""

    def margins(self, x: Array, right: Array, t: Array) -> Array:
        return np.maximum(0, x - x[:, :1] + 1)


@fault("svm-gradient-not-divided", KIND, "dx not divided by N")
class NotDivided(Open):
    """The loss is a mean, and backward returns the slope of the sum."""

    def mean(self, slopes: Array) -> Array:
        return slopes


@fault("svm-gradient-divided-twice", KIND, "dx divided by N twice")
class DividedTwice(Open):
    """The division by N is made for the mean and once more for the gradient."""

    def mean(self, slopes: Array) -> Array:
        return slopes / slopes.dtype.type(len(slopes)) ** 2


@fault("svm-gradient-divided-by-classes", KIND, "dx divided by C for N")
class DividedByClasses(Open):
    """x.shape[1] is written for x.shape[0]."""

    def mean(self, slopes: Array) -> Array:
        return slopes / slopes.dtype.type(slopes.shape[1])


@fault("svm-gradient-sign", KIND, "dx with the sign flipped")
class Sign(Open):
    """The slopes of the two scores are exchanged."""

    def slopes(self, margins: Array, t: Array) -> Array:
        return -super().slopes(margins, t)


@fault("svm-gradient-without-right-class", KIND, "dx of the right class 0")
class WithoutRightClass(Open):
    """The right class's score is in every margin, and its gradient is forgotten."""

    def slopes(self, margins: Array, t: Array) -> Array:
        dx = super().slopes(margins, t)
        dx[np.arange(len(t)), t] = 0
        return dx


@fault("svm-gradient-right-class-once", KIND, "dx of the right class -1 whatever the number of margins")
class RightClassOnce(Open):
    """The right class gets -1, as in a cross entropy, and not one for each class within the margin."""

    def slopes(self, margins: Array, t: Array) -> Array:
        dx = super().slopes(margins, t)
        dx[np.arange(len(t)), t] = -1
        return dx


@fault("svm-gradient-right-class-all", KIND, "dx of the right class -(C - 1) whatever the margins")
class RightClassAll(Open):
    """All classes but one are counted, also those beyond the margin."""

    def slopes(self, margins: Array, t: Array) -> Array:
        dx = super().slopes(margins, t)
        dx[np.arange(len(t)), t] = 1 - margins.shape[1]
        return dx


@fault("svm-gradient-right-class-counted", KIND, "dx of the right class one less")
class OneTooMany(Open):
    """The right class's own entry of the mask, which is 1, is counted as well."""

    def slopes(self, margins: Array, t: Array) -> Array:
        dx = super().slopes(margins, t)
        dx[np.arange(len(t)), t] -= 1
        return dx


@fault("svm-gradient-of-margins", KIND, "dx as the margins for 1 where they are above 0")
class Margins(Open):
    """The margins are returned as they are, where their signs are the slope."""

    def slopes(self, margins: Array, t: Array) -> Array:
        dx = margins.copy()
        dx[np.arange(len(t)), t] = 0
        dx[np.arange(len(t)), t] = -dx.sum(axis=1)
        return dx


@fault("svm-gradient-everywhere", KIND, "dx as 1 beyond the margin, too")
class Everywhere(Open):
    """The mask of the margins is left out in backward."""

    def slopes(self, margins: Array, t: Array) -> Array:
        return super().slopes(np.ones_like(margins), t)


@fault("svm-gradient-of-softmax", KIND, "dx as softmax - onehot")
class OfSoftmax(Open):
    """The backward of the softmax loss below in the file is called."""

    def forward(self, x: Array, t: Any) -> Any:  # type: ignore[override]
        loss = super().forward(x, t)
        e = np.exp(x - x.max(axis=1, keepdims=True))
        self.y = e / e.sum(axis=1, keepdims=True)
        return loss

    def slopes(self, margins: Array, t: Array) -> Array:
        dx = self.y.copy()
        dx[np.arange(len(t)), t] -= 1
        return dx.astype(margins.dtype)
