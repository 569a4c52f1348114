"""Bugs of Adadelta: which squares are averaged, what stands under which root."""

from __future__ import annotations

import numpy as np

from parity.faults.fault import Family
from scratchcnn.optim import Adadelta, Optimizer
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
