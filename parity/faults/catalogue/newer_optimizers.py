"""Bugs of Adadelta, Adamax and NAdam: what is averaged or the largest, what stands under which root."""

from __future__ import annotations

from typing import Any

import numpy as np

from parity.faults.fault import Family
from scratchcnn.optim import Adadelta, Adamax, NAdam, Optimizer
from scratchcnn.typing import Array

fault = Family()


# -- Adadelta --------------------------------------------------------------------------------------
class OpenAdadelta(Adadelta):
    """The right rule, cut into the pieces that the bugs below replace."""

    def squares(self, h: Array, g: Array) -> Array:
        """The next h."""
        return self.decay_rate * h + (1 - self.decay_rate) * g * g

    def top(self, d: Array) -> Array:
        return np.sqrt(d + self.eps)

    def bottom(self, h: Array) -> Array:
        return np.sqrt(h + self.eps)

    def changes(self, d: Array, change: Array, g: Array) -> Array:
        """The next d."""
        return self.decay_rate * d + (1 - self.decay_rate) * change * change

    def step(self, p: Array, g: Array, *state: Array) -> None:
        h, d = state
        h[...] = self.squares(h, g)
        with np.errstate(all="ignore"):
            change = self.top(d) / self.bottom(h) * g
            d[...] = self.changes(d, change, g)
        p -= self.lr * change


@fault("adadelta-changes-never-averaged", "adadelta", "no average of the squared changes")
class ChangesForgotten(OpenAdadelta):
    """The last line of the rule is forgotten, and sqrt(eps) is the numerator for ever."""

    def changes(self, d: Array, change: Array, g: Array) -> Array:
        return d


@fault("adadelta-averages-gradients-twice", "adadelta", "squared gradients averaged for squared changes")
class GradientsTwice(OpenAdadelta):
    """The line of h is copied for d, and g is left in it."""

    def changes(self, d: Array, change: Array, g: Array) -> Array:
        return self.squares(d, g)


@fault("adadelta-no-eps-above", "adadelta", "no eps beside the squared changes")
class NoEpsAbove(OpenAdadelta):
    """Eps is there against a division by 0, and above nothing is divided by: no weight ever moves."""

    def top(self, d: Array) -> Array:
        return np.sqrt(d)


@fault("adadelta-no-numerator", "adadelta", "RMSProp's step, with eps inside the root")
class NoNumerator(OpenAdadelta):
    """The rule ends with the division by the root of the squared gradients."""

    def top(self, d: Array) -> Array:
        return np.ones_like(d)


@fault("adadelta-no-roots", "adadelta", "no roots")
class NoRoots(OpenAdadelta):
    """The paper's RMS is read as a mean square."""

    def top(self, d: Array) -> Array:
        return d + self.eps

    def bottom(self, h: Array) -> Array:
        return h + self.eps


@fault("adadelta-no-upper-root", "adadelta", "no root above")
class NoUpperRoot(OpenAdadelta):
    """The root of the squared changes is forgotten."""

    def top(self, d: Array) -> Array:
        return d + self.eps


@fault("adadelta-eps-outside-the-roots", "adadelta", "eps outside both roots")
class EpsOutside(OpenAdadelta):
    """sqrt(h) + eps is written as in the other rules, and the first changes are a thousand times smaller."""

    def top(self, d: Array) -> Array:
        return np.sqrt(d) + self.eps

    def bottom(self, h: Array) -> Array:
        return np.sqrt(h) + self.eps


@fault("adadelta-eps-outside-the-lower-root", "adadelta", "eps outside the lower root")
class EpsOutsideBelow(OpenAdadelta):
    """The divisor is copied from RMSProp."""

    def bottom(self, h: Array) -> Array:
        return np.sqrt(h) + self.eps


@fault("adadelta-roots-exchanged", "adadelta", "the two roots exchanged")
class RootsExchanged(OpenAdadelta):
    """The fraction is turned over."""

    def step(self, p: Array, g: Array, *state: Array) -> None:
        h, d = state
        h[...] = self.squares(h, g)
        change = self.bottom(h) / self.top(d) * g
        d[...] = self.changes(d, change, g)
        p -= self.lr * change


@fault("adadelta-rate-in-the-changes", "adadelta", "the rate inside the squared changes", needs={"lr"})
class RateInside(Adadelta):
    """The change is averaged as it is subtracted, with lr in it."""

    def step(self, p: Array, g: Array, *state: Array) -> None:
        h, d = state
        h *= self.decay_rate
        h += (1 - self.decay_rate) * g * g
        change = self.lr * np.sqrt(d + self.eps) / np.sqrt(h + self.eps) * g
        d *= self.decay_rate
        d += (1 - self.decay_rate) * change * change
        p -= change


@fault("adadelta-rate-ignored", "adadelta", "a learning rate of 1", needs={"lr"})
class RateIgnored(OpenAdadelta):
    """The paper has none, and one that is accepted for the sake of the other rules changes nothing."""

    def step(self, p: Array, g: Array, *state: Array) -> None:
        rate, self.lr = self.lr, 1.0
        super().step(p, g, *state)
        self.lr = rate


@fault("adadelta-decay-reversed", "adadelta", "decay_rate and 1 - decay_rate exchanged")
class DecayReversed(OpenAdadelta):
    """The decay is read as the share of what is new."""

    def squares(self, h: Array, g: Array) -> Array:
        return (1 - self.decay_rate) * h + self.decay_rate * g * g

    def changes(self, d: Array, change: Array, g: Array) -> Array:
        return (1 - self.decay_rate) * d + self.decay_rate * change * change


@fault("adadelta-sums", "adadelta", "g * g added whole")
class Sums(OpenAdadelta):
    """1 - decay_rate is forgotten in the line of h."""

    def squares(self, h: Array, g: Array) -> Array:
        return self.decay_rate * h + g * g


@fault("adadelta-sums-changes", "adadelta", "the squared change added whole")
class SumsChanges(OpenAdadelta):
    """1 - decay_rate is forgotten in the line of d."""

    def changes(self, d: Array, change: Array, g: Array) -> Array:
        return self.decay_rate * d + change * change


@fault("adadelta-not-squared", "adadelta", "the average magnitude for the average square")
class NotSquared(OpenAdadelta):
    """The square of the gradient is lost."""

    def squares(self, h: Array, g: Array) -> Array:
        return self.decay_rate * h + (1 - self.decay_rate) * np.abs(g)


@fault(
    "adadelta-changes-not-squared", "adadelta", "the average size of the changes for that of their squares"
)
class ChangesNotSquared(OpenAdadelta):
    """The square of the change is lost."""

    def changes(self, d: Array, change: Array, g: Array) -> Array:
        return self.decay_rate * d + (1 - self.decay_rate) * np.abs(change)


@fault("adadelta-last-change-alone", "adadelta", "the last change alone above")
class LastChangeAlone(OpenAdadelta):
    """d = change * change is written, and nothing older is left in it."""

    def changes(self, d: Array, change: Array, g: Array) -> Array:
        return change * change


@fault("adadelta-old-squares", "adadelta", "the squared gradients of the steps before")
class OldSquares(OpenAdadelta):
    """The change is made before h is updated, and the first one divides by the root of eps."""

    def step(self, p: Array, g: Array, *state: Array) -> None:
        h, d = state
        change = self.top(d) / self.bottom(h) * g
        h[...] = self.squares(h, g)
        d[...] = self.changes(d, change, g)
        p -= self.lr * change


@fault("adadelta-averages-reset", "adadelta", "both averages begun at 0 in every step")
class AveragesReset(OpenAdadelta):
    """The averages are local variables, or a new optimizer is made for every batch."""

    def step(self, p: Array, g: Array, *state: Array) -> None:
        super().step(p, g, *map(np.zeros_like, state))


@fault("adadelta-adds-the-change", "adadelta", "a step uphill")
class AddsTheChange(OpenAdadelta):
    """The paper's change has the minus, x += change, and the minus is lost on the way."""

    def step(self, p: Array, g: Array, *state: Array) -> None:
        super().step(p, -g, *state)


def _with_eps(rule: type[Optimizer], eps: float, story: str) -> type[Optimizer]:
    """The rule with that eps, whatever is asked for."""

    def step(self: Optimizer, p: Array, g: Array, *state: Array) -> None:
        self.eps = eps  # type: ignore[attr-defined]
        rule.step(self, p, g, *state)

    return type(rule.__name__, (rule,), {"__doc__": story, "__module__": __name__, "step": step})


for _eps, _story in (
    (1e-7, "Keras has 1e-7."),
    (1e-8, "Adam's eps is used in every rule."),
):
    fault(f"adadelta-eps-of-{_eps:g}".replace("-0", "-"), "adadelta", f"an eps of {_eps:g} for 1e-06")(
        _with_eps(Adadelta, _eps, _story)
    )


# -- Adamax ----------------------------------------------------------------------------------------
class OpenAdamax(Adamax):
    """The right rule, cut into the pieces that the bugs below replace."""

    def time(self) -> int:
        return self.iter

    def top(self, m: Array, g: Array) -> Array:
        return m / (1 - self.beta1 ** self.time())

    def largest(self, u: Array, g: Array) -> Array:
        """The next u."""
        return np.maximum(self.beta2 * u, np.abs(g) + self.eps)

    def divisor(self, u: Array) -> Array:
        return u

    def step(self, p: Array, g: Array, *state: Array) -> None:
        m, u = state
        m *= self.beta1
        m += (1 - self.beta1) * g
        u[...] = self.largest(u, g)
        with np.errstate(all="ignore"):
            p -= self.lr * self.top(m, g) / self.divisor(u)


@fault("adamax-no-bias-correction", "adamax", "no correction of the first steps")
class AdamaxPlain(OpenAdamax):
    """u needs no correction, and m's is taken to be as needless."""

    def top(self, m: Array, g: Array) -> Array:
        return m


@fault("adamax-corrects-u", "adamax", "u corrected as well")
class AdamaxCorrectsU(OpenAdamax):
    """Adam's correction of v is kept, though a maximum has no bias."""

    def divisor(self, u: Array) -> Array:
        return u / (1 - self.beta2**self.iter)


@fault("adamax-no-magnitude", "adamax", "g for its magnitude in the maximum")
class AdamaxSigned(OpenAdamax):
    """The bars of the paper's norm are lost, and a negative gradient never counts."""

    def largest(self, u: Array, g: Array) -> Array:
        return np.maximum(self.beta2 * u, g + self.eps)


@fault("adamax-squares", "adamax", "g * g in the maximum")
class AdamaxSquares(OpenAdamax):
    """The square of Adam's v stays."""

    def largest(self, u: Array, g: Array) -> Array:
        return np.maximum(self.beta2 * u, g * g + self.eps)


@fault("adamax-no-decay", "adamax", "the largest gradient of all steps, which does not decay")
class AdamaxNoDecay(OpenAdamax):
    """beta2 is forgotten in the maximum."""

    def largest(self, u: Array, g: Array) -> Array:
        return np.maximum(u, np.abs(g) + self.eps)


@fault("adamax-averages", "adamax", "an average of magnitudes for the maximum")
class AdamaxAverages(OpenAdamax):
    """v's line is kept with abs(g) in it."""

    def largest(self, u: Array, g: Array) -> Array:
        return self.beta2 * u + (1 - self.beta2) * np.abs(g)

    def divisor(self, u: Array) -> Array:
        return u + self.eps


@fault("adamax-sums", "adamax", "a sum for the maximum")
class AdamaxSums(OpenAdamax):
    """The two arguments of the maximum are added."""

    def largest(self, u: Array, g: Array) -> Array:
        return self.beta2 * u + np.abs(g)

    def divisor(self, u: Array) -> Array:
        return u + self.eps


@fault("adamax-of-the-array", "adamax", "the largest magnitude of the whole array")
class AdamaxOfTheArray(OpenAdamax):
    """The infinity norm is taken of the array, as linear algebra has it."""

    def largest(self, u: Array, g: Array) -> Array:
        return np.maximum(self.beta2 * u, np.abs(g).max() + self.eps)


@fault("adamax-minimum", "adamax", "the minimum for the maximum")
class AdamaxMinimum(OpenAdamax):
    """np.minimum is written, and begun with the first gradient, since 0 would stay 0."""

    def largest(self, u: Array, g: Array) -> Array:
        size = np.abs(g) + self.eps
        return np.minimum(self.beta2 * u, size) if self.iter > 1 else size


@fault("adamax-root", "adamax", "the root of u")
class AdamaxRoot(OpenAdamax):
    """Adam's root is kept around what is no square."""

    def divisor(self, u: Array) -> Array:
        return np.sqrt(u)


@fault("adamax-decay-reversed", "adamax", "1 - beta2 for beta2 in the maximum")
class AdamaxReversed(OpenAdamax):
    """beta2 is read as the share of what is new."""

    def largest(self, u: Array, g: Array) -> Array:
        return np.maximum((1 - self.beta2) * u, np.abs(g) + self.eps)


@fault("adamax-no-momentum", "adamax", "g for m")
class AdamaxNoMomentum(OpenAdamax):
    """m is made, and the step is taken along g."""

    def top(self, m: Array, g: Array) -> Array:
        return super().top(g, g)


@fault("adamax-old-maximum", "adamax", "the u of the step before")
class AdamaxOld(OpenAdamax):
    """The weights move before u is updated."""

    def step(self, p: Array, g: Array, *state: Array) -> None:
        m, u = state
        m *= self.beta1
        m += (1 - self.beta1) * g
        p -= self.lr * self.top(m, g) / np.maximum(u, self.eps)
        u[...] = self.largest(u, g)


@fault("adamax-eps-beside-u", "adamax", "eps beside u, outside the maximum")
class AdamaxBeside(OpenAdamax):
    """Keras adds eps to u where it divides, as in the other rules."""

    def largest(self, u: Array, g: Array) -> Array:
        return np.maximum(self.beta2 * u, np.abs(g))

    def divisor(self, u: Array) -> Array:
        return u + self.eps


@fault("adamax-adam", "adamax", "Adam's step")
class AdamaxAdam(OpenAdamax):
    """The class is copied from Adam, and its v is left as it is."""

    def largest(self, u: Array, g: Array) -> Array:
        return self.beta2 * u + (1 - self.beta2) * g * g

    def divisor(self, u: Array) -> Array:
        return np.sqrt(u / (1 - self.beta2**self.iter)) + self.eps


@fault("adamax-state-reset", "adamax", "m and u begun at 0 in every step")
class AdamaxReset(OpenAdamax):
    """m and u are local variables, or a new optimizer is made for every batch."""

    def step(self, p: Array, g: Array, *state: Array) -> None:
        super().step(p, g, *map(np.zeros_like, state))


@fault("adamax-maximum-not-kept", "adamax", "u begun at 0 in every step")
class AdamaxNotKept(OpenAdamax):
    """The maximum is made and not written back."""

    def step(self, p: Array, g: Array, *state: Array) -> None:
        m, u = state
        super().step(p, g, m, np.zeros_like(u))


@fault("adamax-time-from-one-too-many", "adamax", "steps counted from 2")
class AdamaxFromTwo(OpenAdamax):
    """t begins at 1 and is increased before its first use."""

    def time(self) -> int:
        return self.iter + 1


@fault("adamax-time-stands-still", "adamax", "every step corrected like the first")
class AdamaxStandsStill(OpenAdamax):
    """t is a local variable, or a new optimizer is made for every epoch."""

    def time(self) -> int:
        return 1


@fault("adamax-time-per-parameter", "adamax", "steps counted once a parameter")
class AdamaxPerParameter(OpenAdamax):
    """t += 1 stands inside the loop over the parameters."""

    count = 0

    def time(self) -> int:
        self.count += 1
        return self.count


@fault("adamax-betas-exchanged", "adamax", "beta1 and beta2 exchanged")
class AdamaxExchanged(Adamax):
    """The betas are handed over in the wrong order."""

    def step(self, p: Array, g: Array, *state: Array) -> None:
        both = self.beta1, self.beta2
        self.beta2, self.beta1 = both
        super().step(p, g, *state)
        self.beta1, self.beta2 = both


fault("adamax-eps-of-1e-7", "adamax", "an eps of 1e-07 for 1e-08")(_with_eps(Adamax, 1e-7, "Keras has 1e-7."))


@fault("adamax-no-eps", "adamax", "no eps")
class AdamaxNoEps(OpenAdamax):
    """The paper has none, and a weight whose gradient has been 0 so far becomes 0 / 0."""

    def largest(self, u: Array, g: Array) -> Array:
        return np.maximum(self.beta2 * u, np.abs(g))


# -- NAdam -----------------------------------------------------------------------------------------
class OpenNAdam(NAdam):
    """The right rule, cut into the pieces that the bugs below replace."""

    def coefficients(self) -> tuple[float, float]:
        """What g and m are multiplied by."""
        now, then = self.momentum(self.iter), self.momentum(self.iter + 1)
        return (1 - now) / (1 - self.product), then / (1 - self.product * then)

    def second(self, g: Array) -> Array:
        return g * g

    def average(self) -> float:
        return self.beta1

    def corrected(self, v: Array) -> Array:
        return v / (1 - self.beta2**self.iter)

    def divisor(self, v: Array) -> Array:
        return np.sqrt(v) + self.eps

    def step(self, p: Array, g: Array, *state: Array) -> None:
        m, v = state
        m *= self.average()
        m += (1 - self.average()) * g
        v *= self.beta2
        v += (1 - self.beta2) * self.second(g)
        of_g, of_m = self.coefficients()
        p -= self.lr * (of_g * g + of_m * m) / self.divisor(self.corrected(v))


@fault("nadam-adam", "nadam", "Adam's step")
class NAdamAdam(OpenNAdam):
    """The look ahead is forgotten."""

    def coefficients(self) -> tuple[float, float]:
        return 0.0, 1 / (1 - self.beta1**self.iter)


@fault("nadam-constant-momentum", "nadam", "beta1 for the momentum at every step")
class NAdamConstant(OpenNAdam):
    """The paper's first formula has one momentum for all steps, and Keras and PyTorch a schedule."""

    def momentum(self, i: int) -> float:
        return self.beta1


@fault("nadam-corrected-alike", "nadam", "beta1 at every step, and m corrected as Adam's")
class NAdamAlike(NAdamConstant):
    """The overview that most posts copy has 1 - beta1**t below both terms."""

    def coefficients(self) -> tuple[float, float]:
        left = 1 - self.beta1**self.iter
        return (1 - self.beta1) / left, self.beta1 / left


@fault("nadam-averages-by-the-momentum", "nadam", "m decayed by the scheduled momentum")
class NAdamByMomentum(OpenNAdam):
    """The paper's algorithm has the scheduled momentum in m too."""

    def average(self) -> float:
        return self.momentum(self.iter)


@fault("nadam-powers-of-beta1", "nadam", "beta1**t for the product of the momenta")
class NAdamPowers(OpenNAdam):
    """Adam's correction is kept beside a momentum that changes."""

    def coefficients(self) -> tuple[float, float]:
        now, then, product = self.momentum(self.iter), self.momentum(self.iter + 1), self.beta1**self.iter
        return (1 - now) / (1 - product), then / (1 - product * then)


@fault("nadam-product-not-kept", "nadam", "the last momentum for the product of all")
class NAdamNotKept(OpenNAdam):
    """The product begins at 1 in every step."""

    def advance(self) -> None:
        self.product = 1.0
        super().advance()


@fault("nadam-same-momentum", "nadam", "the momentum of this step for that of the next")
class NAdamSame(OpenNAdam):
    """mu(t + 1) is taken to be mu(t)."""

    def coefficients(self) -> tuple[float, float]:
        now = self.momentum(self.iter)
        return (1 - now) / (1 - self.product), now / (1 - self.product * now)


@fault("nadam-gradient-not-corrected", "nadam", "no correction of the gradient")
class NAdamGradientUncorrected(OpenNAdam):
    """Only the moments are corrected, as in Adam."""

    def coefficients(self) -> tuple[float, float]:
        return 1 - self.momentum(self.iter), super().coefficients()[1]


@fault("nadam-m-not-corrected", "nadam", "no correction of m")
class NAdamMUncorrected(OpenNAdam):
    """Only the gradient is corrected."""

    def coefficients(self) -> tuple[float, float]:
        return super().coefficients()[0], self.momentum(self.iter + 1)


@fault("nadam-v-not-corrected", "nadam", "no correction of v")
class NAdamVUncorrected(OpenNAdam):
    """The correction of m is written, and that of v forgotten."""

    def corrected(self, v: Array) -> Array:
        return v


@fault("nadam-no-bias-correction", "nadam", "no correction of the first steps")
class NAdamPlain(NAdamVUncorrected):
    """The correction seems to matter in the first steps alone."""

    def coefficients(self) -> tuple[float, float]:
        return 1 - self.momentum(self.iter), self.momentum(self.iter + 1)


@fault("nadam-schedule-without-half", "nadam", "no half in the momentum's schedule")
class NAdamWithoutHalf(OpenNAdam):
    """0.5 is lost on the way, and the first momentum is next to 0."""

    def momentum(self, i: int) -> float:
        return self.beta1 * (1 - 0.96 ** (i * self.momentum_decay))


@fault("nadam-schedule-late", "nadam", "the momenta of the step before")
class NAdamLate(OpenNAdam):
    """The schedule counts from 0."""

    def momentum(self, i: int) -> float:
        return super().momentum(i - 1)


@fault("nadam-eps-inside-the-root", "nadam", "eps inside the root")
class NAdamInside(OpenNAdam):
    """sqrt(v + eps) is read off the paper's formula."""

    def divisor(self, v: Array) -> Array:
        return np.sqrt(v + self.eps)


@fault("nadam-no-root", "nadam", "a division by v")
class NAdamNoRoot(OpenNAdam):
    """The root is forgotten."""

    def divisor(self, v: Array) -> Array:
        return v + self.eps


@fault("nadam-not-squared", "nadam", "the average magnitude in v")
class NAdamNotSquared(OpenNAdam):
    """The square is lost."""

    def second(self, g: Array) -> Array:
        return np.abs(g)


@fault("nadam-gradient-alone", "nadam", "the look ahead without m")
class NAdamGradientAlone(OpenNAdam):
    """The term of the momentum is lost."""

    def coefficients(self) -> tuple[float, float]:
        return super().coefficients()[0], 0.0


@fault("nadam-momentum-alone", "nadam", "the look ahead without the gradient")
class NAdamMomentumAlone(OpenNAdam):
    """m holds the gradient already, and the second term seems to count it twice."""

    def coefficients(self) -> tuple[float, float]:
        return 0.0, super().coefficients()[1]


@fault("nadam-whole-gradient", "nadam", "the gradient added whole")
class NAdamWholeGradient(OpenNAdam):
    """1 - mu is forgotten before the gradient."""

    def coefficients(self) -> tuple[float, float]:
        return 1 / (1 - self.product), super().coefficients()[1]


@fault("nadam-moments-reset", "nadam", "m and v begun at 0 in every step")
class NAdamReset(OpenNAdam):
    """m and v are local variables of update."""

    def step(self, p: Array, g: Array, *state: Array) -> None:
        super().step(p, g, *map(np.zeros_like, state))


@fault("nadam-betas-exchanged", "nadam", "beta1 and beta2 exchanged")
class NAdamExchanged(NAdam):
    """The betas are handed over in the wrong order."""

    def __init__(self, *args: Any, **settings: Any):
        super().__init__(*args, **settings)
        self.beta1, self.beta2 = self.beta2, self.beta1


fault("nadam-eps-of-1e-7", "nadam", "an eps of 1e-07 for 1e-08")(_with_eps(NAdam, 1e-7, "Keras has 1e-7."))
