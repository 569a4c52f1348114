"""Adadelta's change of a parameter, written out with one thing that is another than it should be."""

from __future__ import annotations

from typing import Any

import numpy as np

from scratchcnn.typing import Array

State = dict[str, Any]  # of one parameter
TWISTS: dict[str, dict[Any, str]] = {
    "adadelta": {
        "changes kept 0": "no average of the squared changes",
        "g in changes": "g**2 averaged for change**2",
        "no eps above": "sqrt(d) for sqrt(d + eps)",
        "one above": "1 for sqrt(d + eps)",
        "no roots": "(d + eps)/(h + eps) without roots",
        "no root above": "d + eps for sqrt(d + eps)",
        "outside": "sqrt(d) + eps and sqrt(h) + eps for sqrt(d + eps) and sqrt(h + eps)",
        "outside below": "sqrt(h) + eps for sqrt(h + eps)",
        "turned": "sqrt(h + eps)/sqrt(d + eps), turned over",
        "rate in changes": "lr*change averaged for change",
        "reversed": "the decay rate and 1 - the decay rate exchanged",
        "sum": "g**2 added whole",
        "sum of changes": "change**2 added whole",
        "magnitude": "|g| averaged for g**2",
        "size of changes": "|change| averaged for change**2",
        "last change": "d of the last change alone",
        "old": "the h of the step before",
        "not kept": "h and d starting at 0 in every step",
    },
}


def change(kind: str, g: Array, s: State, rate: float, twist: str, eps: float, o: dict[str, Any]) -> Array:
    """What is subtracted from the parameter; its state s is changed."""
    return CHANGES[kind](g, s, rate, twist, eps, o)


def _adadelta(g: Array, s: State, rate: float, twist: str, eps: float, o: dict[str, Any]) -> Array:
    kept, share = o["decay_rate"], 1 - o["decay_rate"]
    if twist == "reversed":
        kept, share = share, kept
    zeros = np.zeros_like(g)
    old, d = (zeros, zeros) if twist == "not kept" else (s.get("h", zeros), s.get("d", zeros))
    squares = np.abs(g) if twist == "magnitude" else g * g
    h = s["h"] = kept * old + (1 if twist == "sum" else share) * squares
    used = old if twist == "old" else h
    above, below = np.sqrt(d + eps), np.sqrt(used + eps)
    above = {
        "no eps above": np.sqrt(d),
        "one above": np.ones_like(d),
        "no roots": d + eps,
        "no root above": d + eps,
        "outside": np.sqrt(d) + eps,
    }.get(twist, above)
    below = {
        "no roots": used + eps,
        "outside": np.sqrt(used) + eps,
        "outside below": np.sqrt(used) + eps,
    }.get(twist, below)
    step: Array = (below / above if twist == "turned" else above / below) * g
    entering = {
        "g in changes": g * g,
        "size of changes": np.abs(step),
        "rate in changes": (rate * step) ** 2,
    }.get(twist, step * step)
    if twist == "last change":
        kept, share = 0.0, 1.0
    s["d"] = (
        d if twist == "changes kept 0" else kept * d + (1 if twist == "sum of changes" else share) * entering
    )
    return rate * step


CHANGES = {"adadelta": _adadelta}
