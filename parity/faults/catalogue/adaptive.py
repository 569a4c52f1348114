"""Bugs of AdaGrad, RMSProp and Adam: where eps stands, what is squared, how the first steps are corrected."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from parity.faults.fault import Family
from scratchcnn.optim import AdaGrad, Adam, AdamW, Optimizer, RMSProp
from scratchcnn.typing import Array

fault = Family()


# -- AdaGrad and RMSProp --------------------------------------------------------------------------
# A bug is a formula for h, the sum or average of squares, and one for what g is divided by.
Grow = Callable[[Any, Array, Array], Array]  # (rule, h, g) -> the next h
Divide = Callable[[Any, Array], Array]  # (rule, h) -> the divisor of g
Line = tuple[str, str, str, Grow, Divide]  # name, says, story, h, divisor


def summed(rule: Any, h: Array, g: Array) -> Array:
    return h + g * g


def averaged(rule: Any, h: Array, g: Array) -> Array:
    return h * rule.decay_rate + (1 - rule.decay_rate) * g * g


def root(rule: Any, h: Array) -> Array:
    return np.sqrt(h) + rule.eps


def root_inside(rule: Any, h: Array) -> Array:
    return np.sqrt(h + rule.eps)


def no_root(rule: Any, h: Array) -> Array:
    return h + rule.eps


def root_plus(eps: float) -> Divide:
    return lambda rule, h: np.sqrt(h) + eps


def root_of_sum_with(eps: float) -> Divide:
    return lambda rule, h: np.sqrt(h + eps)


ADAGRAD: tuple[Line, ...] = (
    (
        "eps-inside-the-root",
        "eps inside the root",
        "sqrt(h + eps) is safer at 0, and another number.",
        summed,
        root_inside,
    ),
    (
        "book-eps-inside-the-root",
        "an eps of 1e-7, inside the root",
        "The book's 1e-7 is put under the root.",
        summed,
        root_of_sum_with(1e-7),
    ),
    (
        "eps-of-1e-8-inside-the-root",
        "an eps of 1e-8, inside the root",
        "The overview that most posts copy has 1e-8 under the root.",
        summed,
        root_of_sum_with(1e-8),
    ),
    ("eps-of-1e-8", "an eps of 1e-8 for 1e-10", "Adam's eps is used in every rule.", summed, root_plus(1e-8)),
    (
        "not-squared",
        "the sum of magnitudes for the sum of squares",
        "h += abs(g) is written.",
        lambda rule, h, g: h + np.abs(g),
        root,
    ),
    ("no-root", "a division by h", "The root is forgotten.", summed, no_root),
    (
        "not-summed",
        "h of the last gradient alone",
        "h = g * g is written for h += g * g.",
        lambda rule, h, g: g * g,
        root,
    ),
    (
        "book-epsilon",
        "the book's eps of 1e-7 for 1e-10",
        "1e-7 is in the book's text; PyTorch's 1e-10 was chosen years later.",
        summed,
        root_plus(1e-7),
    ),
    ("no-eps", "no eps", "A weight whose gradient has been 0 so far becomes 0 / 0.", summed, root_plus(0.0)),
    (
        "starts-at-a-tenth",
        "h begun at 0.1",
        "TensorFlow's initial_accumulator_value is 0.1.",
        lambda rule, h, g: h + (g * g + (0.1 if rule.iter == 1 else 0)),
        root,
    ),
)
RMSPROP: tuple[Line, ...] = (
    (
        "eps-inside-the-root",
        "eps inside the root",
        "TensorFlow's RMSprop has eps under the root, and most ports have copied one or the other.",
        averaged,
        root_inside,
    ),
    (
        "decay-reversed",
        "decay_rate and 1 - decay_rate exchanged",
        "The decay is read as the share of the new gradient.",
        lambda rule, h, g: h * (1 - rule.decay_rate) + rule.decay_rate * g * g,
        root,
    ),
    (
        "sums",
        "g * g added whole",
        "AdaGrad's line is kept below the line with the decay.",
        lambda rule, h, g: h * rule.decay_rate + g * g,
        root,
    ),
    ("no-root", "a division by h", "The root is forgotten.", averaged, no_root),
    (
        "not-squared",
        "the average magnitude for the average square",
        "abs(g) is averaged and then rooted.",
        lambda rule, h, g: h * rule.decay_rate + (1 - rule.decay_rate) * np.abs(g),
        root,
    ),
    (
        "book-epsilon",
        "the book's eps of 1e-7 for 1e-8",
        "The book uses 1e-7 in every rule; PyTorch has 1e-8 here.",
        averaged,
        root_plus(1e-7),
    ),
    (
        "bias-corrected",
        "Adam's correction of the first steps",
        "It is written as Adam without momentum.",
        averaged,
        lambda rule, h: np.sqrt(h / (1 - rule.decay_rate**rule.iter)) + rule.eps,
    ),
    (
        "starts-at-one",
        "h begun at 1",
        "TensorFlow 1 begins its mean square with ones.",
        lambda rule, h, g: averaged(rule, h + (1.0 if rule.iter == 1 else 0.0), g),
        root,
    ),
)


def _broken(rule: type[Optimizer], story: str, grow: Grow, divide: Divide) -> type[Optimizer]:
    """The rule with other formulas for h and the divisor."""

    def step(self: Any, p: Array, g: Array, *state: Array) -> None:
        (h,) = state
        h[...] = grow(self, h, g)
        with np.errstate(invalid="ignore"):
            p -= self.lr * g / divide(self, h)

    return type(rule.__name__, (rule,), {"__doc__": story, "__module__": __name__, "step": step})


for _rule, _table in ((AdaGrad, ADAGRAD), (RMSProp, RMSPROP)):
    _kind = _rule.__name__.lower()
    for _name, _says, _story, _grow, _divide in _table:
        fault(f"{_kind}-{_name}", _kind, _says)(_broken(_rule, _story, _grow, _divide))


@fault("adagrad-old-sum", "adagrad", "the sum without the present gradient")
class AdaGradOld(AdaGrad):
    """The weights move before h is updated, and the first step divides by eps."""

    def step(self, p: Array, g: Array, *state: Array) -> None:
        (h,) = state
        p -= self.lr * g / (np.sqrt(h) + self.eps)
        h += g * g


# -- Adam and AdamW -------------------------------------------------------------------------------
class OpenAdam(Adam):
    """The right rule, cut into the pieces that the bugs below replace."""

    def time(self) -> int:
        return self.iter

    def correct(self, m: Array, v: Array) -> tuple[Array, Array]:
        i = self.time()
        return m / (1 - self.beta1**i), v / (1 - self.beta2**i)

    def second(self, g: Array, m: Array) -> Array:
        """What v averages."""
        return g * g

    def divisor(self, v: Array) -> Array:
        return np.sqrt(v) + self.eps

    def step(self, p: Array, g: Array, *state: Array) -> None:
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

    def divisor(self, v: Array) -> Array:
        return np.sqrt(v + self.eps)


@fault("adam-eps-before-correction", "adam", "eps added to the uncorrected root")
class AdamUncorrected(OpenAdam):
    """Both corrections are moved into lr, as in the book and in the paper's efficient form."""

    def divisor(self, v: Array) -> Array:
        return np.sqrt(v) + self.eps / np.sqrt(1 - self.beta2**self.iter)


@fault("adam-book-epsilon", "adam", "the book's eps of 1e-7, added to the uncorrected root")
class AdamBook(AdamUncorrected):
    """The book moves both corrections into lr and writes 1e-7 where PyTorch has 1e-8."""

    def divisor(self, v: Array) -> Array:
        return np.sqrt(v) + 1e-7 / np.sqrt(1 - self.beta2**self.iter)


@fault("adam-eps-of-1e-7", "adam", "an eps of 1e-7 for 1e-8")
class AdamKeras(OpenAdam):
    """Keras has 1e-7."""

    def divisor(self, v: Array) -> Array:
        return np.sqrt(v) + 1e-7


@fault("adam-moments-reset", "adam", "m and v begun at 0 in every step")
class AdamReset(OpenAdam):
    """m and v are local variables of update, or a new state is made for every batch."""

    def step(self, p: Array, g: Array, *state: Array) -> None:
        super().step(p, g, *map(np.zeros_like, state))


@fault("adam-no-bias-correction", "adam", "no correction of the first steps")
class AdamPlain(OpenAdam):
    """The correction seems to matter in the first steps alone."""

    def correct(self, m: Array, v: Array) -> tuple[Array, Array]:
        return m, v


@fault("adam-corrects-m-only", "adam", "no correction of v")
class AdamFirstOnly(OpenAdam):
    """One of the two corrections is lost when they are merged into lr."""

    def correct(self, m: Array, v: Array) -> tuple[Array, Array]:
        return super().correct(m, v)[0], v


@fault("adam-corrects-v-only", "adam", "no correction of m")
class AdamSecondOnly(OpenAdam):
    """The other of the two corrections is lost when they are merged into lr."""

    def correct(self, m: Array, v: Array) -> tuple[Array, Array]:
        return m, super().correct(m, v)[1]


@fault("adam-correction-without-root", "adam", "the correction of v outside the root")
class AdamRootLost(OpenAdam):
    """(1 - beta2**t) / (1 - beta1**t) is multiplied into lr without its root."""

    def divisor(self, v: Array) -> Array:
        share = 1 - self.beta2**self.iter
        return np.sqrt(v * share) / share + self.eps


@fault("adam-correction-kept", "adam", "the corrected m and v kept as the state")
class AdamKept(OpenAdam):
    """m /= 1 - beta1**t works on the state in place, so every step corrects it again."""

    def correct(self, m: Array, v: Array) -> tuple[Array, Array]:
        m /= 1 - self.beta1**self.iter
        v /= 1 - self.beta2**self.iter
        return m, v


@fault("adam-time-from-zero", "adam", "steps counted from 0")
class AdamFromZero(OpenAdam):
    """t is increased at the end of the update, and 1 - beta**0 is 0."""

    def time(self) -> int:
        return self.iter - 1

    def step(self, p: Array, g: Array, *state: Array) -> None:
        with np.errstate(divide="ignore", invalid="ignore"):
            super().step(p, g, *state)

    def correct(self, m: Array, v: Array) -> tuple[Array, Array]:
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

    def second(self, g: Array, m: Array) -> Array:
        return np.abs(g)


@fault("adam-squares-m", "adam", "m * m averaged in v")
class AdamSquaresM(OpenAdam):
    """v is built from the momentum that the line above has made."""

    def second(self, g: Array, m: Array) -> Array:
        return m * m


@fault("adam-no-root", "adam", "a division by v")
class AdamNoRoot(OpenAdam):
    """The root is forgotten."""

    def divisor(self, v: Array) -> Array:
        return v + self.eps


@fault("adam-looks-ahead", "adam", "NAdam's step")
class AdamLooksAhead(OpenAdam):
    """The present gradient is mixed into m once more, as Nesterov would."""

    def step(self, p: Array, g: Array, *state: Array) -> None:
        self.g = g
        super().step(p, g, *state)

    def correct(self, m: Array, v: Array) -> tuple[Array, Array]:
        return super().correct(self.beta1 * m + (1 - self.beta1) * self.g, v)


@fault("adam-decoupled-weight-decay", "adam", "decoupled weight decay", needs={"weight_decay"})
class AdamDecoupled(AdamW):
    """AdamW is meant where Adam is written."""

    def __init__(self, *args: Any, **settings: Any):
        super().__init__(*args, **{"weight_decay": 0.0, **settings})


@fault("adamw-coupled-weight-decay", "adamw", "weight decay in the gradient")
class AdamWCoupled(AdamW):
    """The penalty is added to g, where m and v see it."""

    decoupled = False

    def step(self, p: Array, g: Array, *state: Array) -> None:
        Adam.step(self, p, g, *state)


@fault("adamw-weight-decay-sign", "adamw", "weight decay with the sign flipped")
class AdamWSign(AdamW):
    """The weights are multiplied by 1 + lr * weight_decay."""

    def step(self, p: Array, g: Array, *state: Array) -> None:
        p *= 1 + self.lr * self.weight_decay
        Adam.step(self, p, g, *state)


@fault("adamw-weight-decay-without-lr", "adamw", "weight decay not multiplied by the rate")
class AdamWWithoutRate(AdamW):
    """The paper has its own schedule for the decay, PyTorch multiplies it by lr."""

    def step(self, p: Array, g: Array, *state: Array) -> None:
        p *= 1 - self.weight_decay
        Adam.step(self, p, g, *state)


@fault("adamw-weight-decay-twice", "adamw", "weight decay coupled and decoupled")
class AdamWTwice(AdamW):
    """AdamW is put where the gradient had its penalty already."""

    decoupled = False


@fault("adamw-decays-last", "adamw", "weight decay after the step")
class AdamWLast(AdamW):
    """The decay shrinks the weights that the step has just moved."""

    def step(self, p: Array, g: Array, *state: Array) -> None:
        Adam.step(self, p, g, *state)
        p *= 1 - self.lr * self.weight_decay


@fault("adamw-no-weight-decay", "adamw", "no weight decay")
class AdamWNone(AdamW):
    """The default of 0.01 was not known to exist."""

    def step(self, p: Array, g: Array, *state: Array) -> None:
        Adam.step(self, p, g, *state)


@fault("adam-half-precision-state", "adam", "m and v in float16")
class HalfState(OpenAdam):
    """The state is halved to save memory, and the square of a small gradient becomes 0."""

    def step(self, p: Array, g: Array, *state: Array) -> None:
        super().step(p, g, *state)
        for a in state:
            a[...] = a.astype(np.float16)


@fault("adam-one-state-for-all", "adam", "one state for parameters of the same shape")
class OneState(OpenAdam):
    """The state is kept by shape, or in a default argument that all share."""

    def update(self, params: Mapping[str, Array], grads: Mapping[str, Array]) -> None:
        if not self.m:
            for slot in (self.m, self.v):
                kept: dict[tuple[int, ...], Array] = {}
                slot.update({key: kept.setdefault(p.shape, np.zeros_like(p)) for key, p in params.items()})
        super().update(params, grads)
