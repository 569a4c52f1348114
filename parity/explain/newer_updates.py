"""The changes that Adadelta, Adamax and NAdam make, written out with one thing other than it should be."""

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
    "adamax": {
        "m uncorrected": "no correction of the first steps",
        "u corrected": "u divided by 1 - beta2**t as well",
        "no magnitude": "g for |g| in the maximum",
        "square": "g**2 for |g| in the maximum",
        "no decay": "u for beta2*u in the maximum",
        "average": "u averaged: beta2*u + (1 - beta2)*|g|",
        "sum": "beta2*u + |g| for the maximum",
        "of the array": "the largest |g| of the whole array for each element's own",
        "smaller": "the minimum for the maximum",
        "root": "a division by the root of u",
        "reversed": "1 - beta2 for beta2 in the maximum",
        "g": "g for m",
        "old": "the u of the step before, where it is larger than eps",
        "beside": "eps added to u, outside the maximum",
        "adam": "Adam's step",
        "not kept": "m and u starting at 0 in every step",
        "u not kept": "u starting at 0 in every step",
    },
    "nadam": {
        "adam": "Adam's step",
        "constant": "beta1 for the momentum at every step",
        "as far": "beta1*m/(1 - beta1**t) + (1 - beta1)*g/(1 - beta1**t)",
        "m by mu": "m decayed by the scheduled momentum, for beta1",
        "powers": "beta1**t for the product of the momenta",
        "last momentum": "the last momentum for the product of all",
        "same momentum": "the momentum of this step for that of the next",
        "g uncorrected": "the g that is added uncorrected",
        "m uncorrected": "m uncorrected",
        "v uncorrected": "v uncorrected",
        "neither": "no correction of the first steps",
        "no half": "1 - 0.96**(t*momentum_decay) in the momentum, without 1/2",
        "late": "the momenta of the step before",
        "inside": "sqrt(v + eps) for sqrt(v) + eps",
        "no root": "v + eps for sqrt(v) + eps",
        "magnitude": "|g| averaged for g**2",
        "g alone": "the look ahead without m",
        "m alone": "the look ahead without g",
        "whole g": "g for (1 - momentum)*g",
        "not kept": "m and v starting at 0 in every step",
    },
}


COUNTED: dict[Any, str] = {  # of Rule.time
    -1: "steps counted from 0",
    1: "steps counted from 2",
    "still": "every step corrected like the first",
    "per parameter": "the step counted once per parameter",
}
OF_ADAM: dict[str, dict[Any, str]] = {"time": COUNTED, "flags": {"exchanged": "beta1 and beta2 exchanged"}}
FIELDS: dict[str, dict[str, dict[Any, str]]] = {  # of Rule, for each kind
    kind: {"twist": twists, **({} if kind == "adadelta" else OF_ADAM)} for kind, twists in TWISTS.items()
}


def change(
    kind: str, g: Array, s: State, t: int, rate: float, twist: str, eps: float, o: dict[str, Any]
) -> Array:
    """What is subtracted from the parameter in the t-th step; its state s is changed."""
    return CHANGES[kind](g, s, t, rate, twist, eps, o)


def _adadelta(g: Array, s: State, t: int, rate: float, twist: str, eps: float, o: dict[str, Any]) -> Array:
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


def _adamax(g: Array, s: State, t: int, rate: float, twist: str, eps: float, o: dict[str, Any]) -> Array:
    b1, b2 = o["beta1"], o["beta2"]
    zeros = np.zeros_like(g)
    old, before = (zeros, zeros) if twist == "not kept" else (s.get("m", zeros), s.get("u", zeros))
    before = zeros if twist == "u not kept" else before
    m = s["m"] = b1 * old + (1 - b1) * g
    size = {"no magnitude": g, "square": g * g, "of the array": np.full_like(g, np.abs(g).max())}.get(
        twist, np.abs(g)
    )
    kept = {"no decay": 1.0, "reversed": 1 - b2}.get(twist, b2) * before
    entering = size if twist == "beside" else size + eps
    u = s["u"] = {
        "average": kept + (1 - b2) * np.abs(g),
        "sum": kept + np.abs(g),
        "smaller": np.minimum(kept, entering) if t > 1 else entering,
        "adam": kept + (1 - b2) * g * g,
    }.get(twist, np.maximum(kept, entering))
    divisor = {
        "average": u + eps,
        "sum": u + eps,
        "u corrected": u / (1 - b2**t),
        "root": np.sqrt(u),
        "beside": u + eps,
        "old": np.maximum(before, eps),
        "adam": np.sqrt(u / (1 - b2**t)) + eps,
    }.get(twist, u)
    top = g if twist == "g" else m
    change: Array = rate * top / (1.0 if twist == "m uncorrected" else 1 - b1**t) / divisor
    return change


def _nadam(g: Array, s: State, t: int, rate: float, twist: str, eps: float, o: dict[str, Any]) -> Array:
    b1, b2, decay = o["beta1"], o["beta2"], o.get("momentum_decay", 0.004)

    def momentum(i: int) -> float:
        if twist in ("constant", "as far"):
            return float(b1)
        share = 1.0 if twist == "no half" else 0.5
        return float(b1 * (1 - share * 0.96 ** ((i - (twist == "late")) * decay)))

    now, then = momentum(t), momentum(t + 1)
    product = s["product"] = s.get("product", 1.0) * now
    product = np.float64({"powers": b1**t, "last momentum": now}.get(twist, product))  # it may be 1
    then = now if twist == "same momentum" else then
    following = product if twist == "as far" else product * then
    zeros = np.zeros_like(g)
    old, before = (zeros, zeros) if twist == "not kept" else (s.get("m", zeros), s.get("v", zeros))
    kept = now if twist == "m by mu" else b1
    m = s["m"] = kept * old + (1 - kept) * g
    v = s["v"] = b2 * before + (1 - b2) * (np.abs(g) if twist == "magnitude" else g * g)
    uncorrected = {"neither": "gmv", "g uncorrected": "g", "m uncorrected": "m", "v uncorrected": "v"}.get(
        twist, ""
    )
    of_g = (1.0 if twist == "whole g" else 1 - now) / (1.0 if "g" in uncorrected else 1 - product) * g
    of_m = then / (1.0 if "m" in uncorrected else 1 - following) * m
    top = {"g alone": of_g, "m alone": of_m, "adam": m / (1 - b1**t)}.get(twist, of_g + of_m)
    v = v if "v" in uncorrected else v / (1 - b2**t)
    divisor = {"inside": np.sqrt(v + eps), "no root": v + eps}.get(twist, np.sqrt(v) + eps)
    change: Array = rate * top / divisor
    return change


CHANGES = {"adadelta": _adadelta, "adamax": _adamax, "nadam": _nadam}
