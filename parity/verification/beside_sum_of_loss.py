"""A loss with a softmax of its own that adds a small constant to the sum that this divides by, or whose
gradient is made of the probabilities that its logarithm was given: cut off, or with a constant added.

As in `beside_sum` and `inside_log` the constants are read off: one reading must give every loss and every dx.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from parity.kinds import Probe
from parity.verification import beside_sum, inside_log
from parity.verification.other_eps import Results
from scratchcnn.typing import Array

KINDS = ("softmax_with_loss",)
LEAST, MOST = 1e-12, 1e-5  # of a constant that shows in dx


@dataclass(frozen=True)
class Reading:
    """What is added to the sum, what is done in the logarithm and by which constant, and whether dx is made
    of that too."""

    beside: float
    form: str = ""
    small: float = 0.0
    in_dx: bool = False

    @property
    def largest(self) -> float:
        """The larger of its constants."""
        return max(self.beside, self.small)

    def says(self) -> str:
        found = [f"its softmax adds {self.beside:g} to the sum that it divides by"] if self.beside else []
        found += [f"the loss is {self.form.format(f'{self.small:.3g}')}"] if self.form and self.beside else []
        found += ["its gradient is made of the probabilities that its logarithm takes"] if self.in_dx else []
        return ", and ".join(found)


def reading_of(results: Iterable[Results]) -> Reading | None:
    """The reading that gives all of these losses and gradients; None where there is none.

    A constant beside the sum must show: what the same reading without it gives too says nothing of one.
    """
    given = list(results)
    plain = [_Asked.of(0.0, *result) for result in given]
    for beside in (0.0, *beside_sum.CONSTANTS):
        asked = [_Asked.of(beside, *result) for result in given]
        for in_dx in (False, True):
            for form, small in _in_dx() if in_dx else _in_the_loss(beside):
                one = Reading(beside, form, small, in_dx)
                if not (in_dx or all(result.has_dx(one) for result in asked)):
                    break  # it is the same for all of them
                if _gives_all(one, asked) and not (beside and _gives_all(replace(one, beside=0.0), plain)):
                    return one
    return None


def _gives_all(one: Reading, asked: Iterable[_Asked]) -> bool:
    return all(result.has_dx(one) and result.has_loss(one) for result in asked)


def _in_the_loss(beside: float) -> list[tuple[str, float]]:
    """What the logarithm may be of; where nothing is added to the sum, `inside_log` has spoken of it."""
    return [("", 0.0), *itertools.product(inside_log.FORMS, inside_log.CONSTANTS)] if beside else []


def _in_dx() -> list[tuple[str, float]]:
    """The same where dx shows it."""
    shown = [small for small in inside_log.CONSTANTS if LEAST < small <= MOST]
    return [*itertools.product(inside_log.FORMS, shown)]


@dataclass(frozen=True)
class _Asked:
    """One result beside the probabilities of a softmax that adds something to its sum, (N, F), the logarithms
    of these as they are without a division, and the labels as one-hot rows."""

    y: Array
    logs: Array
    t: Array
    close: float
    found: Mapping[str, Array]

    @classmethod
    def of(cls, beside: float, probe: Probe, dtype: str, found: Mapping[str, Array]) -> _Asked:
        x, t = probe.inputs["x"].astype(dtype), np.asarray(probe.inputs["t"])
        z = x - x.max(axis=1, keepdims=True)
        e = np.exp(z)
        total = e.sum(axis=1, keepdims=True) + x.dtype.type(beside)
        hot = t if t.ndim == 2 else np.eye(x.shape[1])[t]
        return cls(e / total, z - np.log(total), hot, inside_log.CLOSE[dtype], found)

    def has_dx(self, one: Reading) -> bool:
        """Whether its dx is that of the reading, if it has one."""
        dx = self.found.get("dx")
        if dx is None:
            return True
        made = ((_in_logarithm(one, self.y) if one.in_dx else self.y) - self.t) / len(self.t)
        return dx.shape == made.shape and bool(np.abs(made - dx).max() <= self.close)

    def has_loss(self, one: Reading) -> bool:
        """Whether its loss is that of the reading, if it has one."""
        if "loss" not in self.found:
            return True
        if np.shape(self.found["loss"]) != ():
            return False
        loss, right = float(self.found["loss"]), self.t > 0
        with np.errstate(divide="ignore"):
            made = [np.log(_in_logarithm(one, self.y)[right])]
        made += [] if one.form else [self.logs[right]]
        losses = [float(-logs.sum() / len(self.t)) for logs in made]
        near = self.close * max(1.0, abs(loss))
        return any(np.isfinite(own) and abs(own - loss) <= near for own in losses)


def _in_logarithm(one: Reading, y: Array) -> Array:
    return inside_log.FORMS[one.form](y, one.small) if one.form else y
