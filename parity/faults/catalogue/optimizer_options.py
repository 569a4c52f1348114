"""Bugs of the optimizers' options: what is dampened, what is centered, which maximum counts, what climbs."""

from __future__ import annotations

from typing import Any

import numpy as np

from parity.faults.fault import Family
from scratchcnn.optim import Adam, Momentum, Optimizer, RMSProp
from scratchcnn.typing import Array

fault = Family()


# -- maximize, in every rule ----------------------------------------------------------------------
class FlipsDecay(Optimizer):
    """The penalty is added first and the sign of the whole flipped, so that the weights grow."""

    decoupled = True

    def step(self, p: Array, g: Array, *state: Array) -> None:
        if self.weight_decay:
            g = g - self.weight_decay * p if self.maximize else g + self.weight_decay * p
        super().step(p, g, *state)


class MaximizeForgotten(Optimizer):
    """maximize is accepted and never read."""

    def __init__(self, *args: Any, **settings: Any):
        super().__init__(*args, **settings)
        self.maximize = False


for _shape, _name, _says, _needs in (
    (FlipsDecay, "maximize-flips-weight-decay", "weight decay flipped with maximize", {"weight_decay"}),
    (MaximizeForgotten, "maximize-forgotten", "no maximize", set[str]()),
):
    for _rule, _kind in (
        (Momentum, "momentum_options"),
        (RMSProp, "rmsprop_options"),
        (Adam, "adam_options"),
    ):
        _broken = type(_shape.__name__, (_shape, _rule), {"__doc__": _shape.__doc__})
        fault(f"{_rule.__name__.lower()}-{_name}", _kind, _says, needs={"maximize", *_needs})(_broken)


# -- Momentum's dampening -------------------------------------------------------------------------
class Damped(Momentum):
    """The right rule, cut into the pieces that the bugs below replace."""

    def before(self, v: Array) -> Array:
        """What is left of the velocity."""
        return self.momentum * v

    def entering(self, g: Array, p: Array) -> Array:
        """What is added to it."""
        return g if self.iter == 1 or not self.momentum else (1 - self.dampening) * g

    def step(self, p: Array, g: Array, *state: Array) -> None:
        (v,) = state
        v[...] = self.before(v) + self.entering(g, p)
        p -= self.lr * v


@fault(
    "dampening-in-the-first-step",
    "momentum_options",
    "the first gradient dampened too",
    needs={"dampening"},
)
class FirstDamped(Damped):
    """v = momentum * v + (1 - dampening) * g holds from the second step on; the first takes g whole."""

    def entering(self, g: Array, p: Array) -> Array:
        return (1 - self.dampening) * g if self.momentum else g


@fault("dampening-without-momentum", "momentum_options", "dampening without momentum", needs={"dampening"})
class DampedWithoutMomentum(Damped):
    """Without momentum PyTorch skips the velocity, and with it the dampening."""

    def entering(self, g: Array, p: Array) -> Array:
        return g if self.iter == 1 else (1 - self.dampening) * g


@fault("dampening-forgotten", "momentum_options", "no dampening", needs={"dampening"})
class DampeningForgotten(Damped):
    """The argument is kept and never read."""

    def entering(self, g: Array, p: Array) -> Array:
        return g


@fault(
    "dampening-as-a-factor", "momentum_options", "dampening * g for (1 - dampening) * g", needs={"dampening"}
)
class DampeningIsTheFactor(Damped):
    """The gradient is multiplied by the dampening, as by a friction."""

    def entering(self, g: Array, p: Array) -> Array:
        return g if self.iter == 1 or not (self.momentum and self.dampening) else self.dampening * g


@fault("dampening-of-the-velocity", "momentum_options", "the velocity dampened", needs={"dampening"})
class VelocityDamped(Damped):
    """The name is taken for a friction, which slows what is moving."""

    def before(self, v: Array) -> Array:
        return self.momentum * (1 - self.dampening) * v

    def entering(self, g: Array, p: Array) -> Array:
        return g


@fault(
    "dampening-not-of-weight-decay",
    "momentum_options",
    "weight decay not dampened",
    needs={"dampening", "weight_decay"},
)
class DecayNotDamped(Damped):
    """The penalty is added to the velocity in a line of its own."""

    def entering(self, g: Array, p: Array) -> Array:
        penalty = self.weight_decay * p
        return super().entering(g - penalty, p) + penalty


# -- RMSProp's centered and momentum --------------------------------------------------------------
class OpenRMSProp(RMSProp):
    """The right rule, cut into the pieces that the bugs below replace."""

    def averaged(self, mean: Array, g: Array) -> Array:
        return self.decay_rate * mean + (1 - self.decay_rate) * g

    def variance(self, h: Array, mean: Array, before: Array) -> Array:
        """`mean` is the one of this step, `before` of the step before."""
        return np.maximum(h - mean * mean, 0)

    def divisor(self, square: Array) -> Array:
        return np.sqrt(square) + self.eps

    def shifted(self, g: Array, mean: Array) -> Array:
        """What is divided."""
        return g

    def moved(self, v: Array, change: Array) -> Array:
        return self.momentum * v + change

    def used(self, v: Array, change: Array) -> Array:
        return v

    def step(self, p: Array, g: Array, *state: Array) -> None:
        h, *further = state
        h *= self.decay_rate
        h += (1 - self.decay_rate) * g * g
        square = h
        if self.centered:
            before = further[0].copy()
            further[0][...] = self.averaged(before, g)
            square = self.variance(h, further[0], before)
            g = self.shifted(g, further[0])
        change = g / self.divisor(square)
        if self.momentum:
            further[-1][...] = self.moved(further[-1], change)
            change = self.used(further[-1], change)
        p -= self.lr * change


@fault("centered-forgotten", "rmsprop_options", "nothing centered", needs={"centered"})
class CenteredForgotten(OpenRMSProp):
    """The mean is kept and never subtracted."""

    def variance(self, h: Array, mean: Array, before: Array) -> Array:
        return h


@fault("centered-eps-inside-the-root", "rmsprop_options", "eps inside the centered root", needs={"centered"})
class CenteredInside(OpenRMSProp):
    """TensorFlow's centered rule has eps under the root, which also keeps it from a negative number."""

    def divisor(self, square: Array) -> Array:
        return np.sqrt(square + self.eps) if self.centered else super().divisor(square)


@fault(
    "centered-mean-of-the-step-before", "rmsprop_options", "the mean of the step before", needs={"centered"}
)
class CenteredOld(OpenRMSProp):
    """The variance is formed before the mean is updated."""

    def variance(self, h: Array, mean: Array, before: Array) -> Array:
        return super().variance(h, before, before)


@fault("centered-gradient", "rmsprop_options", "the mean subtracted from the gradient", needs={"centered"})
class CenteredGradient(OpenRMSProp):
    """Centered is taken to mean the gradient that is divided."""

    def variance(self, h: Array, mean: Array, before: Array) -> Array:
        return h

    def shifted(self, g: Array, mean: Array) -> Array:
        return g - mean


@fault("centered-mean-not-kept", "rmsprop_options", "the mean begun at 0 in every step", needs={"centered"})
class CenteredNotKept(OpenRMSProp):
    """The mean is a local variable of the step, where h is kept."""

    def averaged(self, mean: Array, g: Array) -> Array:
        return (1 - self.decay_rate) * g


@fault("rmsprop-momentum-forgotten", "rmsprop_options", "no momentum", needs={"momentum"})
class MomentumForgotten(OpenRMSProp):
    """momentum is accepted and left for later."""

    def moved(self, v: Array, change: Array) -> Array:
        return change


@fault(
    "rmsprop-momentum-averages", "rmsprop_options", "the velocity as a running average", needs={"momentum"}
)
class MomentumAverages(OpenRMSProp):
    """v = momentum * v + (1 - momentum) * change, as the squares are averaged a line above."""

    def moved(self, v: Array, change: Array) -> Array:
        return self.momentum * v + (1 - self.momentum) * change


@fault(
    "rmsprop-momentum-of-the-gradient", "rmsprop_options", "momentum before the division", needs={"momentum"}
)
class MomentumOfGradient(OpenRMSProp):
    """The velocity sums up gradients, and it is the velocity that is divided."""

    def step(self, p: Array, g: Array, *state: Array) -> None:
        if not self.momentum:
            return super().step(p, g, *state)
        h, *further = state
        h *= self.decay_rate
        h += (1 - self.decay_rate) * g * g
        square = h
        if self.centered:
            before = further[0].copy()
            further[0][...] = self.averaged(before, g)
            square = self.variance(h, further[0], before)
        further[-1][...] = self.momentum * further[-1] + g
        p -= self.lr * further[-1] / self.divisor(square)
        return None


@fault("rmsprop-momentum-looks-ahead", "rmsprop_options", "Nesterov's step", needs={"momentum"})
class MomentumAhead(OpenRMSProp):
    """The velocity is used as Nesterov's rule has it."""

    def used(self, v: Array, change: Array) -> Array:
        return change + self.momentum * v


# -- Adam's amsgrad -------------------------------------------------------------------------------
class OpenAMSGrad(Adam):
    """The right rule, cut into the pieces that the bugs below replace."""

    def largest(self, v: Array, before: Array, g: Array) -> Array:
        """What is kept as the largest, from v, the largest so far and g."""
        return np.maximum(before, v)

    def corrected(self, m: Array, square: Array) -> tuple[Array, Array]:
        return m / (1 - self.beta1**self.iter), square / (1 - self.beta2**self.iter)

    def step(self, p: Array, g: Array, *state: Array) -> None:
        m, v, *kept = state
        m *= self.beta1
        m += (1 - self.beta1) * g
        v *= self.beta2
        v += (1 - self.beta2) * g * g
        square = v
        if self.amsgrad:
            kept[0][...] = self.largest(v, kept[0], g)
            square = kept[0]
        m, square = self.corrected(m, square)
        p -= self.lr * m / (np.sqrt(square) + self.eps)


@fault("amsgrad-forgotten", "adam_options", "no amsgrad", needs={"amsgrad"})
class AMSGradForgotten(OpenAMSGrad):
    """The largest v is kept, and v itself is used."""

    def largest(self, v: Array, before: Array, g: Array) -> Array:
        return v


@fault(
    "amsgrad-largest-after-correction",
    "adam_options",
    "the largest of the corrected v",
    needs={"amsgrad"},
)
class LargestCorrected(OpenAMSGrad):
    """v is corrected first, as in Adam, and the largest corrected v is kept, as Keras did."""

    def largest(self, v: Array, before: Array, g: Array) -> Array:
        return np.maximum(before, v / (1 - self.beta2**self.iter))

    def corrected(self, m: Array, square: Array) -> tuple[Array, Array]:
        m, whole = super().corrected(m, square)
        return m, square if self.amsgrad else whole


@fault("amsgrad-no-bias-correction", "adam_options", "amsgrad without bias correction", needs={"amsgrad"})
class AMSGradOfThePaper(OpenAMSGrad):
    """The paper's algorithm 2 has no correction of the first steps."""

    def corrected(self, m: Array, square: Array) -> tuple[Array, Array]:
        return (m, square) if self.amsgrad else super().corrected(m, square)


@fault("amsgrad-largest-square", "adam_options", "the largest g * g for the largest v", needs={"amsgrad"})
class LargestSquare(OpenAMSGrad):
    """The maximum is taken of the squares and not of their average."""

    def largest(self, v: Array, before: Array, g: Array) -> Array:
        return np.maximum(before, g * g)


@fault("amsgrad-kept-as-v", "adam_options", "the largest v averaged on", needs={"amsgrad"})
class LargestKeptAsV(OpenAMSGrad):
    """v = np.maximum(v_max, v) overwrites v, which the next step goes on from."""

    def largest(self, v: Array, before: Array, g: Array) -> Array:
        v[...] = np.maximum(before, v)
        return v


@fault("amsgrad-smallest", "adam_options", "the smallest v for the largest", needs={"amsgrad"})
class Smallest(OpenAMSGrad):
    """np.minimum is written, in the belief that the step is to stay large."""

    def largest(self, v: Array, before: Array, g: Array) -> Array:
        return v if self.iter == 1 else np.minimum(before, v)


@fault("amsgrad-largest-of-two", "adam_options", "the larger of the last two v", needs={"amsgrad"})
class LargestOfTwo(OpenAMSGrad):
    """The v of the step before is kept, and not the largest of all."""

    def step(self, p: Array, g: Array, *state: Array) -> None:
        self.before = state[1].copy()
        super().step(p, g, *state)

    def largest(self, v: Array, before: Array, g: Array) -> Array:
        return np.maximum(self.before, v)
