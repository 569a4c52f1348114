"""Bugs of SGD and momentum, and of weight decay in every rule: signs, first steps, old velocities."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from parity.faults.fault import Family, before
from scratchcnn.optim import (
    SGD,
    Adadelta,
    AdaGrad,
    Adam,
    Adamax,
    Momentum,
    NAdam,
    Nesterov,
    Optimizer,
    RMSProp,
)
from scratchcnn.typing import Array

fault = Family()

Arrays = Mapping[str, Array]


# -- every rule -----------------------------------------------------------------------------------
def _with(decay: Any, *rules: type[Optimizer]) -> Any:
    """The rules with `decay(self, p, g)` for the gradient with its penalty."""

    def decayed(rule: type[Optimizer]) -> type[Optimizer]:
        def step(self: Any, p: Array, g: Array, *state: Array) -> None:
            rule.step(self, p, decay(self, p, g) if self.weight_decay else g, *state)

        return type(rule.__name__, (rule,), {"decoupled": True, "step": step, "__doc__": decay.__doc__})

    return [decayed(rule) for rule in rules]


def weight_decay_sign(self: Any, p: Array, g: Array) -> Array:
    """The penalty is subtracted with the gradient's own minus in mind, and the weights grow."""
    return g - self.weight_decay * p


def weight_decay_doubled(self: Any, p: Array, g: Array) -> Array:
    """The derivative of weight_decay * w**2 is taken, or the penalty is in the loss and in the optimizer."""
    return g + 2 * self.weight_decay * p


def weight_decay_ignored(self: Any, p: Array, g: Array) -> Array:
    """The argument is accepted and never used."""
    return g


def weight_decay_absolute(self: Any, p: Array, g: Array) -> Array:
    """L1 is used for L2."""
    return g + self.weight_decay * np.sign(p)


for _decay, _says in (
    (weight_decay_sign, "weight decay with the sign flipped"),
    (weight_decay_doubled, "weight decay counted twice"),
    (weight_decay_ignored, "no weight decay"),
    (weight_decay_absolute, "the sign of the weights in weight decay"),
):
    for _rule in _with(_decay, SGD, Momentum, Nesterov, AdaGrad, RMSProp, Adadelta, Adam, Adamax, NAdam):
        _kind = _rule.__name__.lower()
        fault(f"{_kind}-{_decay.__name__.replace('_', '-')}", _kind, _says, needs={"weight_decay"})(_rule)


# -- SGD ------------------------------------------------------------------------------------------
@fault("sgd-ascends", "sgd", "a step uphill")
class Ascends(SGD):
    """p += lr * g is written."""

    def step(self, p: Array, g: Array, *state: Array) -> None:
        p += self.lr * g


@fault("sgd-lr-forgotten", "sgd", "a learning rate of 1")
class RateForgotten(SGD):
    """The rate is kept as an attribute and not multiplied in."""

    def step(self, p: Array, g: Array, *state: Array) -> None:
        p -= g


@fault("sgd-rate-decays", "sgd", "a learning rate divided by the number of the step")
class RateDecays(SGD):
    """A 1/t schedule is built into the rule."""

    def step(self, p: Array, g: Array, *state: Array) -> None:
        p -= self.lr / self.iter * g


@fault("sgd-first-parameter-only", "sgd", "the first parameter updated alone")
class FirstOnly(SGD):
    """A return stands inside the loop over the parameters."""

    def update(self, params: Arrays, grads: Arrays) -> None:
        first = next(iter(params))
        super().update({first: params[first]}, {first: grads[first]})


@fault("sgd-normalised-gradient", "sgd", "the gradient divided by its norm")
class Normalised(SGD):
    """Gradient clipping divides by the norm even where it is small."""

    def step(self, p: Array, g: Array, *state: Array) -> None:
        p -= self.lr * g / (np.sqrt((g * g).sum()) + 1e-12)


@fault(
    "sgd-decoupled-weight-decay",
    "sgd",
    "decoupled weight decay",
    equivalent="without a state, shrinking p and adding the penalty to g come to the same sum",
)
class SGDDecoupled(SGD):
    """AdamW's line is put into every rule."""

    decoupled = True

    def step(self, p: Array, g: Array, *state: Array) -> None:
        p *= 1 - self.lr * self.weight_decay
        super().step(p, g)


@fault(
    "sgd-weight-decay-without-lr", "sgd", "weight decay not multiplied by the rate", needs={"weight_decay"}
)
class DecayWithoutRate(SGD):
    """p *= 1 - weight_decay is written as a step of its own."""

    decoupled = True

    def step(self, p: Array, g: Array, *state: Array) -> None:
        p *= 1 - self.weight_decay
        super().step(p, g)


# -- Momentum and Nesterov ------------------------------------------------------------------------
@fault("momentum-averages", "momentum", "v as a running average of g")
class Averages(Momentum):
    """v = momentum * v + (1 - momentum) * g, as many courses teach it, makes the steps ten times smaller."""

    def step(self, p: Array, g: Array, *state: Array) -> None:
        super().step(p, (1 - self.momentum) * g, *state)


@fault("momentum-first-step-scaled", "momentum", "the first gradient scaled by 1 - momentum")
class FirstStepScaled(Momentum):
    """The velocity is begun as an average and goes on as a sum."""

    def step(self, p: Array, g: Array, *state: Array) -> None:
        super().step(p, (1 - self.momentum) * g if self.iter == 1 else g, *state)


@fault("momentum-dampened", "momentum", "every gradient but the first scaled by 1 - momentum")
class Dampened(Momentum):
    """PyTorch's dampening is set to the momentum, which spares the first step."""

    def step(self, p: Array, g: Array, *state: Array) -> None:
        super().step(p, g if self.iter == 1 else (1 - self.momentum) * g, *state)


@fault(
    "momentum-rate-inside",
    "momentum",
    "the rate inside the velocity",
    equivalent="with a constant rate the path is the same; only after a change of lr do they part",
)
class RateInside(Momentum):
    """The book's form, v = momentum * v - lr * g and p += v."""

    def step(self, p: Array, g: Array, *state: Array) -> None:
        (v,) = state
        v *= self.momentum
        v -= self.lr * g
        p += v


@fault("momentum-old-velocity", "momentum", "the velocity of the step before")
class OldVelocity(Momentum):
    """The weights move before the velocity is updated."""

    def step(self, p: Array, g: Array, *state: Array) -> None:
        (v,) = state
        p -= self.lr * v
        v *= self.momentum
        v += g


@fault("momentum-never-kept", "momentum", "no velocity kept")
class NeverKept(Momentum):
    """The velocity is a local variable that begins at 0 in every update."""

    def step(self, p: Array, g: Array, *state: Array) -> None:
        p -= self.lr * g


@fault("momentum-velocity-subtracted", "momentum", "the velocity with the wrong sign")
class VelocitySubtracted(Momentum):
    """The book's minus before lr * g meets PyTorch's minus before v."""

    def step(self, p: Array, g: Array, *state: Array) -> None:
        (v,) = state
        v *= -self.momentum
        v += g
        p -= self.lr * v


@fault("momentum-looks-ahead", "momentum", "Nesterov's step")
class LooksAhead(Nesterov):
    """nesterov=True is left in the reference's configuration."""


@fault("momentum-decoupled-weight-decay", "momentum", "decoupled weight decay", needs={"weight_decay"})
class MomentumDecoupled(Momentum):
    """The penalty goes past the velocity, as in SGDW."""

    decoupled = True

    def step(self, p: Array, g: Array, *state: Array) -> None:
        p *= 1 - self.lr * self.weight_decay
        super().step(p, g, *state)


@fault("nesterov-plain-momentum", "nesterov", "plain momentum")
class PlainMomentum(Momentum):
    """g + momentum * v is formed before v is updated, which gives the plain step again."""


@fault("nesterov-momentum-squared", "nesterov", "momentum**2 with the velocity already updated")
class NesterovSquared(Nesterov):
    """The closed form p += m*m*v - (1 + m)*lr*g wants the old v, and v is updated a line above."""

    def step(self, p: Array, g: Array, *state: Array) -> None:
        (v,) = state
        v *= self.momentum
        v += g
        p -= self.lr * (self.momentum**2 * v + (1 + self.momentum) * g)


@fault("nesterov-gradient-forgotten", "nesterov", "the look ahead without the gradient")
class NesterovWithout(Nesterov):
    """The step is momentum * v alone."""

    def step(self, p: Array, g: Array, *state: Array) -> None:
        (v,) = state
        v *= self.momentum
        v += g
        p -= self.lr * self.momentum * v


@fault("nesterov-averages", "nesterov", "v as a running average of g")
class NesterovAverages(Nesterov):
    """The velocity is an average, as in many courses' momentum."""

    def step(self, p: Array, g: Array, *state: Array) -> None:
        (v,) = state
        v *= self.momentum
        v += (1 - self.momentum) * g
        p -= self.lr * (g + self.momentum * v)


# -- what an update owes its caller ---------------------------------------------------------------
@fault(
    "sgd-new-arrays", "sgd", "new arrays in params instead of new values in the old ones", shows="contract"
)
class NewArrays(SGD):
    """params[key] = params[key] - lr * g leaves the layers with their old arrays."""

    def update(self, params: Arrays, grads: Arrays) -> None:
        copies = {key: p.copy() for key, p in params.items()}
        super().update(copies, grads)
        dict.update(params, copies)


@fault("sgd-writes-into-grads", "sgd", "a write into grads", shows="contract")
class WritesIntoGradients(SGD):
    """g *= lr saves an array and spoils the caller's."""

    def step(self, p: Array, g: Array, *state: Array) -> None:
        g *= self.lr
        p -= g


@fault(
    "momentum-keeps-the-gradient",
    "momentum",
    "the first gradient's array kept as the velocity",
    shows="contract",
)
class KeepsTheGradient(Momentum):
    """v[key] = g in the first update holds the caller's array, which the next update writes into."""

    def update(self, params: Arrays, grads: Arrays) -> None:
        first = not self.v
        super().update(params, grads)
        if first and not self.weight_decay:
            self.v = dict(grads)


# -- the rate -------------------------------------------------------------------------------------
class FirstRate(Optimizer):
    """Keeps the rate of its first step."""

    first: float | None = None

    def update(self, params: Arrays, grads: Arrays) -> None:
        now = self.lr
        self.first = now if self.first is None else self.first
        self.lr = self.first
        super().update(params, grads)
        self.lr = now


for _rule, _story in (
    (SGD, "-lr is computed in the constructor, and a schedule that sets lr changes nothing."),
    (Momentum, "The rate is bound in a closure when the optimizer is built."),
    (Adam, "The corrected rate is computed from a copy of lr that the first step makes."),
):
    _kind = _rule.__name__.lower()
    fault(f"{_kind}-first-rate-kept", _kind, "the rate of the first step for ever", shows="contract")(
        before(FirstRate, _rule, _story)
    )
