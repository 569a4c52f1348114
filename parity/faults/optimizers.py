"""Bugs of the optimizers: where eps stands, what the first step is, how weight decay enters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.faults.base import Family
from scratchcnn.optim import SGD, AdaGrad, Adam, AdamW, Momentum, Nesterov, Optimizer, RMSProp

fault = Family()

Arrays = Mapping[str, NDArray]


# -- every rule -----------------------------------------------------------------------------------
def _with(decay: Any, *rules: type[Optimizer]) -> Any:
    """The rules with `decay(self, p, g)` for the gradient with its penalty."""

    def decayed(rule: type[Optimizer]) -> type[Optimizer]:
        def step(self: Any, p: NDArray, g: NDArray, *state: NDArray) -> None:
            rule.step(self, p, decay(self, p, g) if self.weight_decay else g, *state)

        return type(rule.__name__, (rule,), {"decoupled": True, "step": step, "__doc__": decay.__doc__})

    return [decayed(rule) for rule in rules]


def weight_decay_sign(self: Any, p: NDArray, g: NDArray) -> NDArray:
    """The penalty is subtracted with the gradient's own minus in mind, and the weights grow."""
    return g - self.weight_decay * p


def weight_decay_doubled(self: Any, p: NDArray, g: NDArray) -> NDArray:
    """The derivative of weight_decay * w**2 is taken, or the penalty is in the loss and in the optimizer."""
    return g + 2 * self.weight_decay * p


def weight_decay_ignored(self: Any, p: NDArray, g: NDArray) -> NDArray:
    """The argument is accepted and never used."""
    return g


def weight_decay_absolute(self: Any, p: NDArray, g: NDArray) -> NDArray:
    """L1 is used for L2."""
    return g + self.weight_decay * np.sign(p)


for _decay, _says in (
    (weight_decay_sign, "weight decay with the sign flipped"),
    (weight_decay_doubled, "weight decay counted twice"),
    (weight_decay_ignored, "no weight decay"),
    (weight_decay_absolute, "the sign of the weights in weight decay"),
):
    for _rule in _with(_decay, SGD, Momentum, Nesterov, AdaGrad, RMSProp, Adam):
        _kind = _rule.__name__.lower()
        fault(f"{_kind}-{_decay.__name__.replace('_', '-')}", _kind, _says, needs={"weight_decay"})(_rule)


# -- SGD ------------------------------------------------------------------------------------------
@fault("sgd-ascends", "sgd", "a step uphill")
class Ascends(SGD):
    """p += lr * g is written."""

    def step(self, p: NDArray, g: NDArray, *state: NDArray) -> None:
        p += self.lr * g


@fault("sgd-lr-forgotten", "sgd", "a learning rate of 1")
class RateForgotten(SGD):
    """The rate is kept as an attribute and not multiplied in."""

    def step(self, p: NDArray, g: NDArray, *state: NDArray) -> None:
        p -= g


@fault("sgd-rate-decays", "sgd", "a learning rate divided by the number of the step")
class RateDecays(SGD):
    """A 1/t schedule is built into the rule."""

    def step(self, p: NDArray, g: NDArray, *state: NDArray) -> None:
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

    def step(self, p: NDArray, g: NDArray, *state: NDArray) -> None:
        p -= self.lr * g / (np.sqrt((g * g).sum()) + 1e-12)


@fault("sgd-decoupled-weight-decay", "sgd", "decoupled weight decay",
       equivalent="for plain SGD, shrinking p by 1 - lr * weight_decay and adding the penalty to g are the same sum")  # fmt: skip
class SGDDecoupled(SGD):
    """AdamW's line is put into every rule."""

    decoupled = True

    def step(self, p: NDArray, g: NDArray, *state: NDArray) -> None:
        p *= 1 - self.lr * self.weight_decay
        super().step(p, g)


@fault("sgd-weight-decay-without-lr", "sgd", "weight decay not multiplied by the rate", needs={"weight_decay"})
class DecayWithoutRate(SGD):
    """p *= 1 - weight_decay is written as a step of its own."""

    decoupled = True

    def step(self, p: NDArray, g: NDArray, *state: NDArray) -> None:
        p *= 1 - self.weight_decay
        super().step(p, g)


# -- Momentum and Nesterov ------------------------------------------------------------------------
@fault("momentum-averages", "momentum", "v as a running average of g")
class Averages(Momentum):
    """v = momentum * v + (1 - momentum) * g, as many courses teach it, makes the steps ten times smaller."""

    def step(self, p: NDArray, g: NDArray, *state: NDArray) -> None:
        super().step(p, (1 - self.momentum) * g, *state)


@fault("momentum-first-step-scaled", "momentum", "the first gradient scaled by 1 - momentum")
class FirstStepScaled(Momentum):
    """The velocity is begun as an average and goes on as a sum."""

    def step(self, p: NDArray, g: NDArray, *state: NDArray) -> None:
        super().step(p, (1 - self.momentum) * g if self.iter == 1 else g, *state)


@fault("momentum-dampened", "momentum", "every gradient but the first scaled by 1 - momentum")
class Dampened(Momentum):
    """PyTorch's dampening is set to the momentum, which spares the first step."""

    def step(self, p: NDArray, g: NDArray, *state: NDArray) -> None:
        super().step(p, g if self.iter == 1 else (1 - self.momentum) * g, *state)


@fault("momentum-rate-inside", "momentum", "the rate inside the velocity",
       equivalent="with a constant rate the path is the same; only after a change of lr do they part")  # fmt: skip
class RateInside(Momentum):
    """The book's form, v = momentum * v - lr * g and p += v."""

    def step(self, p: NDArray, g: NDArray, *state: NDArray) -> None:
        (v,) = state
        v *= self.momentum
        v -= self.lr * g
        p += v


@fault("momentum-old-velocity", "momentum", "the velocity of the step before")
class OldVelocity(Momentum):
    """The weights move before the velocity is updated."""

    def step(self, p: NDArray, g: NDArray, *state: NDArray) -> None:
        (v,) = state
        p -= self.lr * v
        v *= self.momentum
        v += g


@fault("momentum-never-kept", "momentum", "no velocity kept")
class NeverKept(Momentum):
    """The velocity is a local variable that begins at 0 in every update."""

    def step(self, p: NDArray, g: NDArray, *state: NDArray) -> None:
        p -= self.lr * g


@fault("momentum-velocity-subtracted", "momentum", "the velocity with the wrong sign")
class VelocitySubtracted(Momentum):
    """The book's minus before lr * g meets PyTorch's minus before v."""

    def step(self, p: NDArray, g: NDArray, *state: NDArray) -> None:
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

    def step(self, p: NDArray, g: NDArray, *state: NDArray) -> None:
        p *= 1 - self.lr * self.weight_decay
        super().step(p, g, *state)


@fault("nesterov-plain-momentum", "nesterov", "plain momentum")
class PlainMomentum(Momentum):
    """g + momentum * v is formed before v is updated, which gives the plain step again."""


@fault("nesterov-momentum-squared", "nesterov", "momentum**2 with the velocity already updated")
class NesterovSquared(Nesterov):
    """The closed form p += m*m*v - (1 + m)*lr*g wants the old v, and v is updated a line above."""

    def step(self, p: NDArray, g: NDArray, *state: NDArray) -> None:
        (v,) = state
        v *= self.momentum
        v += g
        p -= self.lr * (self.momentum**2 * v + (1 + self.momentum) * g)


@fault("nesterov-gradient-forgotten", "nesterov", "the look ahead without the gradient")
class NesterovWithout(Nesterov):
    """The step is momentum * v alone."""

    def step(self, p: NDArray, g: NDArray, *state: NDArray) -> None:
        (v,) = state
        v *= self.momentum
        v += g
        p -= self.lr * self.momentum * v


@fault("nesterov-averages", "nesterov", "v as a running average of g")
class NesterovAverages(Nesterov):
    """The velocity is an average, as in many courses' momentum."""

    def step(self, p: NDArray, g: NDArray, *state: NDArray) -> None:
        (v,) = state
        v *= self.momentum
        v += (1 - self.momentum) * g
        p -= self.lr * (g + self.momentum * v)


# -- AdaGrad and RMSProp --------------------------------------------------------------------------
@fault("adagrad-eps-inside-the-root", "adagrad", "eps inside the root")
class AdaGradInside(AdaGrad):
    """sqrt(h + eps) is safer at 0, and another number."""

    def step(self, p: NDArray, g: NDArray, *state: NDArray) -> None:
        (h,) = state
        h += g * g
        p -= self.lr * g / np.sqrt(h + self.eps)


@fault("adagrad-not-squared", "adagrad", "the sum of magnitudes for the sum of squares")
class AdaGradNotSquared(AdaGrad):
    """h += abs(g) is written."""

    def step(self, p: NDArray, g: NDArray, *state: NDArray) -> None:
        (h,) = state
        h += np.abs(g)
        p -= self.lr * g / (np.sqrt(h) + self.eps)


@fault("adagrad-no-root", "adagrad", "a division by h")
class AdaGradNoRoot(AdaGrad):
    """The root is forgotten."""

    def step(self, p: NDArray, g: NDArray, *state: NDArray) -> None:
        (h,) = state
        h += g * g
        p -= self.lr * g / (h + self.eps)


@fault("adagrad-not-summed", "adagrad", "h of the last gradient alone")
class AdaGradNotSummed(AdaGrad):
    """h = g * g is written for h += g * g."""

    def step(self, p: NDArray, g: NDArray, *state: NDArray) -> None:
        (h,) = state
        h[...] = g * g
        p -= self.lr * g / (np.sqrt(h) + self.eps)


@fault("adagrad-no-eps", "adagrad", "no eps")
class AdaGradNoEps(AdaGrad):
    """A weight whose gradient has been 0 so far becomes 0 / 0."""

    def step(self, p: NDArray, g: NDArray, *state: NDArray) -> None:
        (h,) = state
        h += g * g
        with np.errstate(invalid="ignore"):
            p -= self.lr * g / np.sqrt(h)


@fault("adagrad-starts-at-a-tenth", "adagrad", "h begun at 0.1")
class AdaGradStart(AdaGrad):
    """TensorFlow's initial_accumulator_value is 0.1."""

    def step(self, p: NDArray, g: NDArray, *state: NDArray) -> None:
        (h,) = state
        h += g * g + (0.1 if self.iter == 1 else 0)
        p -= self.lr * g / (np.sqrt(h) + self.eps)


@fault("adagrad-old-sum", "adagrad", "the sum without the present gradient")
class AdaGradOld(AdaGrad):
    """The weights move before h is updated, and the first step divides by eps."""

    def step(self, p: NDArray, g: NDArray, *state: NDArray) -> None:
        (h,) = state
        p -= self.lr * g / (np.sqrt(h) + self.eps)
        h += g * g


@fault("rmsprop-eps-inside-the-root", "rmsprop", "eps inside the root")
class RMSPropInside(RMSProp):
    """TensorFlow's RMSprop has eps under the root, and most ports have copied one or the other."""

    def step(self, p: NDArray, g: NDArray, *state: NDArray) -> None:
        (h,) = state
        h *= self.decay_rate
        h += (1 - self.decay_rate) * g * g
        p -= self.lr * g / np.sqrt(h + self.eps)


@fault("rmsprop-decay-reversed", "rmsprop", "decay_rate and 1 - decay_rate exchanged")
class RMSPropReversed(RMSProp):
    """The decay is read as the share of the new gradient."""

    def step(self, p: NDArray, g: NDArray, *state: NDArray) -> None:
        (h,) = state
        h *= 1 - self.decay_rate
        h += self.decay_rate * g * g
        p -= self.lr * g / (np.sqrt(h) + self.eps)


@fault("rmsprop-sums", "rmsprop", "g * g added whole")
class RMSPropSums(RMSProp):
    """AdaGrad's line is kept below the line with the decay."""

    def step(self, p: NDArray, g: NDArray, *state: NDArray) -> None:
        (h,) = state
        h *= self.decay_rate
        h += g * g
        p -= self.lr * g / (np.sqrt(h) + self.eps)


@fault("rmsprop-no-root", "rmsprop", "a division by h")
class RMSPropNoRoot(RMSProp):
    """The root is forgotten."""

    def step(self, p: NDArray, g: NDArray, *state: NDArray) -> None:
        (h,) = state
        h *= self.decay_rate
        h += (1 - self.decay_rate) * g * g
        p -= self.lr * g / (h + self.eps)


@fault("rmsprop-not-squared", "rmsprop", "the average magnitude for the average square")
class RMSPropNotSquared(RMSProp):
    """abs(g) is averaged and then rooted."""

    def step(self, p: NDArray, g: NDArray, *state: NDArray) -> None:
        (h,) = state
        h *= self.decay_rate
        h += (1 - self.decay_rate) * np.abs(g)
        p -= self.lr * g / (np.sqrt(h) + self.eps)


@fault("rmsprop-bias-corrected", "rmsprop", "Adam's correction of the first steps")
class RMSPropCorrected(RMSProp):
    """It is written as Adam without momentum."""

    def step(self, p: NDArray, g: NDArray, *state: NDArray) -> None:
        (h,) = state
        h *= self.decay_rate
        h += (1 - self.decay_rate) * g * g
        p -= self.lr * g / (np.sqrt(h / (1 - self.decay_rate**self.iter)) + self.eps)


@fault("rmsprop-starts-at-one", "rmsprop", "h begun at 1")
class RMSPropStart(RMSProp):
    """TensorFlow 1 begins its mean square with ones."""

    def step(self, p: NDArray, g: NDArray, *state: NDArray) -> None:
        (h,) = state
        h += 1.0 if self.iter == 1 else 0.0
        super().step(p, g, h)


# -- Adam and AdamW -------------------------------------------------------------------------------
class OpenAdam(Adam):
    """The right rule, cut into the pieces that the bugs below replace."""

    def time(self) -> int:
        return self.iter

    def correct(self, m: NDArray, v: NDArray) -> tuple[NDArray, NDArray]:
        i = self.time()
        return m / (1 - self.beta1**i), v / (1 - self.beta2**i)

    def second(self, g: NDArray, m: NDArray) -> NDArray:
        """What v averages."""
        return g * g

    def divisor(self, v: NDArray) -> NDArray:
        return np.sqrt(v) + self.eps

    def step(self, p: NDArray, g: NDArray, *state: NDArray) -> None:
        m, v = state
        m *= self.beta1
        m += (1 - self.beta1) * g
        v *= self.beta2
        v += (1 - self.beta2) * self.second(g, m)
        m, v = self.correct(m, v)
        p -= self.lr * m / self.divisor(v)


@fault("adam-eps-inside-the-root", "adam", "eps inside the root")
class AdamInside(OpenAdam):
    """sqrt(v + eps) is read off the paper's formula."""

    def divisor(self, v: NDArray) -> NDArray:
        return np.sqrt(v + self.eps)


@fault("adam-eps-before-correction", "adam", "eps added to the uncorrected root")
class AdamUncorrected(OpenAdam):
    """Both corrections are moved into lr, as in the book and in the paper's efficient form."""

    def divisor(self, v: NDArray) -> NDArray:
        return np.sqrt(v) + self.eps / np.sqrt(1 - self.beta2**self.iter)


@fault("adam-no-bias-correction", "adam", "no correction of the first steps")
class AdamPlain(OpenAdam):
    """The correction seems to matter in the first steps alone."""

    def correct(self, m: NDArray, v: NDArray) -> tuple[NDArray, NDArray]:
        return m, v


@fault("adam-corrects-m-only", "adam", "no correction of v")
class AdamFirstOnly(OpenAdam):
    """One of the two corrections is lost when they are merged into lr."""

    def correct(self, m: NDArray, v: NDArray) -> tuple[NDArray, NDArray]:
        return super().correct(m, v)[0], v


@fault("adam-corrects-v-only", "adam", "no correction of m")
class AdamSecondOnly(OpenAdam):
    """The other of the two corrections is lost when they are merged into lr."""

    def correct(self, m: NDArray, v: NDArray) -> tuple[NDArray, NDArray]:
        return m, super().correct(m, v)[1]


@fault("adam-correction-without-root", "adam", "the correction of v outside the root")
class AdamRootLost(OpenAdam):
    """(1 - beta2**t) / (1 - beta1**t) is multiplied into lr without its root."""

    def divisor(self, v: NDArray) -> NDArray:
        share = 1 - self.beta2**self.iter
        return np.sqrt(v * share) / share + self.eps


@fault("adam-correction-kept", "adam", "the corrected m and v kept as the state")
class AdamKept(OpenAdam):
    """m /= 1 - beta1**t works on the state in place, so every step corrects it again."""

    def correct(self, m: NDArray, v: NDArray) -> tuple[NDArray, NDArray]:
        m /= 1 - self.beta1**self.iter
        v /= 1 - self.beta2**self.iter
        return m, v


@fault("adam-time-from-zero", "adam", "steps counted from 0")
class AdamFromZero(OpenAdam):
    """t is increased at the end of the update, and 1 - beta**0 is 0."""

    def time(self) -> int:
        return self.iter - 1

    def step(self, p: NDArray, g: NDArray, *state: NDArray) -> None:
        with np.errstate(divide="ignore", invalid="ignore"):
            super().step(p, g, *state)

    def correct(self, m: NDArray, v: NDArray) -> tuple[NDArray, NDArray]:
        i = self.time()
        return np.divide(m, 1 - self.beta1**i), np.divide(v, 1 - self.beta2**i)


@fault("adam-time-from-one-too-many", "adam", "steps counted from 2")
class AdamFromTwo(OpenAdam):
    """t begins at 1 and is increased before its first use."""

    def time(self) -> int:
        return self.iter + 1


@fault("adam-time-stands-still", "adam", "every step corrected like the first")
class AdamStandsStill(OpenAdam):
    """t is a local variable, or a new optimizer is made for every epoch."""

    def time(self) -> int:
        return 1


@fault("adam-time-per-parameter", "adam", "steps counted once a parameter")
class AdamPerParameter(OpenAdam):
    """t += 1 stands inside the loop over the parameters."""

    count = 0

    def time(self) -> int:
        self.count += 1
        return self.count


@fault("adam-betas-exchanged", "adam", "beta1 and beta2 exchanged")
class AdamExchanged(Adam):
    """The betas are handed over in the wrong order."""

    def __init__(self, *args: Any, **settings: Any):
        super().__init__(*args, **settings)
        self.beta1, self.beta2 = self.beta2, self.beta1


@fault("adam-not-squared", "adam", "the average magnitude in v")
class AdamNotSquared(OpenAdam):
    """The square is lost."""

    def second(self, g: NDArray, m: NDArray) -> NDArray:
        return np.abs(g)


@fault("adam-squares-m", "adam", "m * m averaged in v")
class AdamSquaresM(OpenAdam):
    """v is built from the momentum that the line above has made."""

    def second(self, g: NDArray, m: NDArray) -> NDArray:
        return m * m


@fault("adam-no-root", "adam", "a division by v")
class AdamNoRoot(OpenAdam):
    """The root is forgotten."""

    def divisor(self, v: NDArray) -> NDArray:
        return v + self.eps


@fault("adam-looks-ahead", "adam", "NAdam's step")
class AdamLooksAhead(OpenAdam):
    """The present gradient is mixed into m once more, as Nesterov would."""

    def step(self, p: NDArray, g: NDArray, *state: NDArray) -> None:
        self.g = g
        super().step(p, g, *state)

    def correct(self, m: NDArray, v: NDArray) -> tuple[NDArray, NDArray]:
        return super().correct(self.beta1 * m + (1 - self.beta1) * self.g, v)


@fault("adam-decoupled-weight-decay", "adam", "decoupled weight decay", needs={"weight_decay"})
class AdamDecoupled(AdamW):
    """AdamW is meant where Adam is written."""

    def __init__(self, *args: Any, weight_decay: float = 0.0, **settings: Any):
        super().__init__(*args, weight_decay=weight_decay, **settings)


@fault("adamw-coupled-weight-decay", "adamw", "weight decay in the gradient")
class AdamWCoupled(AdamW):
    """The penalty is added to g, where m and v see it."""

    decoupled = False

    def step(self, p: NDArray, g: NDArray, *state: NDArray) -> None:
        Adam.step(self, p, g, *state)


@fault("adamw-weight-decay-sign", "adamw", "weight decay with the sign flipped")
class AdamWSign(AdamW):
    """The weights are multiplied by 1 + lr * weight_decay."""

    def step(self, p: NDArray, g: NDArray, *state: NDArray) -> None:
        p *= 1 + self.lr * self.weight_decay
        Adam.step(self, p, g, *state)


@fault("adamw-weight-decay-without-lr", "adamw", "weight decay not multiplied by the rate")
class AdamWWithoutRate(AdamW):
    """The paper has its own schedule for the decay, PyTorch multiplies it by lr."""

    def step(self, p: NDArray, g: NDArray, *state: NDArray) -> None:
        p *= 1 - self.weight_decay
        Adam.step(self, p, g, *state)


@fault("adamw-weight-decay-twice", "adamw", "weight decay coupled and decoupled")
class AdamWTwice(AdamW):
    """AdamW is put where the gradient had its penalty already."""

    decoupled = False


@fault("adamw-decays-last", "adamw", "weight decay after the step")
class AdamWLast(AdamW):
    """The decay shrinks the weights that the step has just moved."""

    def step(self, p: NDArray, g: NDArray, *state: NDArray) -> None:
        Adam.step(self, p, g, *state)
        p *= 1 - self.lr * self.weight_decay


@fault("adamw-no-weight-decay", "adamw", "no weight decay")
class AdamWNone(AdamW):
    """The default of 0.01 was not known to exist."""

    def step(self, p: NDArray, g: NDArray, *state: NDArray) -> None:
        Adam.step(self, p, g, *state)


# -- what an update owes its caller ---------------------------------------------------------------
@fault("sgd-new-arrays", "sgd", "new arrays in params instead of new values in the old ones", shows="contract")
class NewArrays(SGD):
    """params[key] = params[key] - lr * g leaves the layers with their old arrays."""

    def update(self, params: Arrays, grads: Arrays) -> None:
        copies = {key: p.copy() for key, p in params.items()}
        super().update(copies, grads)
        dict.update(params, copies)  # type: ignore[arg-type]


@fault("sgd-writes-into-grads", "sgd", "a write into grads", shows="contract")
class WritesIntoGradients(SGD):
    """g *= lr saves an array and spoils the caller's."""

    def step(self, p: NDArray, g: NDArray, *state: NDArray) -> None:
        g *= self.lr
        p -= g


@fault("momentum-keeps-the-gradient", "momentum", "the first gradient's array kept as the velocity", shows="contract")
class KeepsTheGradient(Momentum):
    """v[key] = g in the first update holds the caller's array, which the next update writes into."""

    def update(self, params: Arrays, grads: Arrays) -> None:
        first = not self.v
        super().update(params, grads)
        if first and not self.weight_decay:
            self.v = dict(grads)


@fault("adam-half-precision-state", "adam", "m and v in float16")
class HalfState(OpenAdam):
    """The state is halved to save memory, and the square of a small gradient becomes 0."""

    def step(self, p: NDArray, g: NDArray, *state: NDArray) -> None:
        super().step(p, g, *state)
        for a in state:
            a[...] = a.astype(np.float16)


@fault("adam-one-state-for-all", "adam", "one state for parameters of the same shape")
class OneState(OpenAdam):
    """The state is kept by shape, or in a default argument that all share."""

    def update(self, params: Arrays, grads: Arrays) -> None:
        if not self.m:
            for slot in (self.m, self.v):
                kept: dict[tuple[int, ...], NDArray] = {}
                slot.update({key: kept.setdefault(p.shape, np.zeros_like(p)) for key, p in params.items()})
        super().update(params, grads)
