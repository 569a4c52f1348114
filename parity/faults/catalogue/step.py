"""Bugs of the step function: another function, or a derivative that it does not have.

What it gives at exactly 0 is a convention and no bug.
"""

from __future__ import annotations

import numpy as np

from parity.faults.catalogue.contracts import WritesCotangent, WritesInput
from parity.faults.fault import Family, before
from scratchcnn.layers import Step
from scratchcnn.typing import Array

fault = Family()
STEP = "step_function"


@fault("step-straight-through", STEP, "dout passed through")
class StraightThrough(Step):
    """Backward hands dout on, as a straight-through estimator does, and the derivative is 0."""

    def backward(self, dout: Array) -> Array:
        super().backward(dout)
        return dout.copy()


class _Masked(Step):
    """Remembers x, for backwards that need it."""

    def forward(self, x: Array) -> Array:
        out = super().forward(x)
        self.remember(x.copy())
        return out


@fault("step-derivative-of-relu", STEP, "dout where x > 0")
class ReluBackward(_Masked):
    """The backward is copied from the ReLU above in the file."""

    def backward(self, dout: Array) -> Array:
        (x,) = self.recall()
        return np.where(x > 0, dout, dout.dtype.type(0))


@fault("step-derivative-of-sigmoid", STEP, "the derivative of a sigmoid")
class SigmoidBackward(_Masked):
    """The step replaces a sigmoid in forward, and its derivative stays."""

    def backward(self, dout: Array) -> Array:
        (x,) = self.recall()
        small = np.exp(-np.abs(x))
        return dout * small / (1 + small) ** 2


@fault("step-one-everywhere", STEP, "dx as ones")
class Ones(_Masked):
    """The derivative is taken for 1, and not multiplied by dout."""

    def backward(self, dout: Array) -> Array:
        (x,) = self.recall()
        return np.ones_like(x)


@fault("step-sign", STEP, "-1 for 0 below zero")
class Sign(Step):
    """np.sign is taken for the step."""

    def forward(self, x: Array) -> Array:
        super().forward(x)
        return np.where(x > 0, x.dtype.type(1), np.where(x < 0, x.dtype.type(-1), x.dtype.type(0)))


@fault("step-reversed", STEP, "1 below zero and 0 above")
class Reversed(Step):
    """The values of np.where are exchanged."""

    def forward(self, x: Array) -> Array:
        super().forward(x)
        return (x < 0).astype(x.dtype)


@fault("step-relu", STEP, "x where x > 0")
class TheRelu(Step):
    """The mask is multiplied with x, which makes it a ReLU."""

    def forward(self, x: Array) -> Array:
        return x * super().forward(x)


@fault("step-at-a-half", STEP, "1 where x > 0.5 alone")
class AtAHalf(Step):
    """The threshold of a probability is taken for that of a score."""

    def forward(self, x: Array) -> Array:
        super().forward(x)
        return (x > 0.5).astype(x.dtype)


@fault("step-one-for-all", STEP, "one value for the whole array")
class OneForAll(Step):
    """np.any makes one truth of all, where an `if` on an array would raise."""

    def forward(self, x: Array) -> Array:
        super().forward(x)
        return np.full_like(x, (x > 0).any())


for _shape, _name, _says, _story in (
    (WritesInput, "writes-into-x", "a write into x", "x[x > 0] = 1 and x[x <= 0] = 0 need no second array."),
    (WritesCotangent, "writes-into-dout", "a write into dout", "dout *= 0 needs no second array."),
):
    fault(f"step-{_name}", STEP, _says, shows="contract")(before(_shape, Step, _story))
