"""Optimizers: the update written with coefficients, of which one is another than it should be.

Every rule here is p <- p - rate * step(g, m, v, p, t). `Rule` has a field for each coefficient and choice;
the search changes one of them, or two.
"""

# A probe holds arrays as Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from parity.adapters.rule_constants import EPS
from parity.explain import newer_updates
from parity.kinds import Probe
from scratchcnn.typing import Array


@dataclass(frozen=True)
class Rule:
    """One way to write an optimizer; the defaults are PyTorch's.

    decay    how weight decay enters: coupled (into g), none, minus, twice, absolute, decoupled, without rate,
             last, both
    rate     lr, one, minus, over t
    velocity momentum's v: sum, average, first scaled, dampened, old, none, minus
    look     Nesterov's step: yes, no, squared, without g
    square   what is accumulated: square, magnitude, of m
    grow     how: own (the kind's), sum, average, reversed, last, old
    root     sqrt(h) + eps, inside: sqrt(h + eps), none: h + eps, uncorrected: eps beside the uncorrected root
    eps      None for the kind's own
    start    what h starts at
    correct  of Adam: both, neither, m, v, without root, kept, nadam
    time     of Adam: plus an offset; "still", "per parameter"
    exchanged, reset, shared, half   beta1 and beta2; the moments at every step; one state for arrays of one
             shape; moments in float16
    only_first, normalised   only the first parameter is updated; g is divided by its norm
    climb    what maximize turns: own (g), with decay, nothing
    damp     what is dampened: own, first too, without momentum, nothing, factor, velocity, not decay
    center   what centered subtracts: own, nothing, inside, old, from g, not kept
    carry    RMSProp's momentum: own, none, average, of g, ahead
    largest  what amsgrad keeps: own, nothing, corrected, uncorrected, square, as v, smallest, of two
    twist    what else is written in Adadelta, Adamax and NAdam (`newer_updates`)
    """

    decay: str = "coupled"
    rate: str = "lr"
    velocity: str = "sum"
    look: str = "own"
    square: str = "square"
    grow: str = "own"
    root: str = "outside"
    eps: float | None = None
    start: float = 0.0
    correct: str = "own"
    time: Any = 0
    flags: frozenset[str] = field(default_factory=frozenset)
    climb: str = "own"
    damp: str = "own"
    center: str = "own"
    carry: str = "own"
    largest: str = "own"
    twist: str = "own"


CHANGES: dict[str, dict[str, dict[Any, str]]] = {
    "": {
        "decay": {
            "none": "no weight decay",
            "minus": "weight decay subtracted from g, where it is added",
            "twice": "weight decay counted twice",
            "absolute": "the sign of the weights in weight decay, for the weights",
            "decoupled": "weight decay past the moments: p*(1 - lr*weight_decay)",
            "without rate": "weight decay not multiplied by the rate: p*(1 - weight_decay)",
            "last": "weight decay after the step, where it comes before",
            "both": "weight decay in g and in p as well",
            "coupled": "weight decay added to g, where it is to leave the moments alone",
            "outward": "weight decay with the sign flipped: p*(1 + lr*weight_decay)",
        },
        "rate": {
            "one": "a rate of 1 for lr",
            "minus": "a step uphill: + lr*g",
            "over t": "lr divided by the step count",
        },
        "flags": {
            "only first": "only the first parameter updated",
            "normalised": "g divided by its norm",
            "shared": "one state for parameters of the same shape",
            "half": "moments kept in float16",
        },
    },
    "momentum nesterov": {
        "velocity": {
            "average": "g multiplied by 1 - momentum in v",
            "first scaled": "the first g multiplied by 1 - momentum",
            "dampened": "every g but the first multiplied by 1 - momentum",
            "old": "the v of the step before",
            "none": "no v kept from step to step",
            "minus": "-momentum*v for momentum*v",
        },
        "look": {
            "yes": "Nesterov's step, g + momentum*v",
            "no": "the plain step, v",
            "squared": "momentum**2*v + (1 + momentum)*g, with v already updated",
            "without g": "momentum*v alone, without g",
        },
    },
    "adagrad rmsprop adadelta adam adamw adamax nadam": {
        "eps": {e: f"an eps of {e:g}" for e in (0.0, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-10, 1e-12, 1e-16)},
    },
    **newer_updates.FIELDS,
    "adagrad rmsprop adam adamw": {
        "square": {"magnitude": "|g| accumulated for g**2", "of m": "m**2 accumulated for g**2"},
        "grow": {
            "sum": "g**2 added whole",
            "average": "g**2 averaged for summed",
            "reversed": "the decay rate and 1 - the decay rate exchanged",
            "last": "h of the last g alone",
            "old": "the h of the step before",
        },
        "root": {
            "inside": "sqrt(h + eps) for sqrt(h) + eps",
            "none": "h + eps for sqrt(h) + eps",
            "uncorrected": "eps added to the root before v is corrected",
        },
        "start": {0.1: "h starting at 0.1", 1.0: "h starting at 1"},
    },
    "adam adamw rmsprop": {
        "correct": {
            "neither": "no correction of the first steps",
            "m": "the correction of m alone, v uncorrected",
            "v": "the correction of v alone, m uncorrected",
            "without root": "v's correction outside the root",
            "kept": "the corrected m and v kept as the state",
            "nadam": "NAdam's step",
        },
        "time": {
            -1: "steps counted from 0",
            1: "steps counted from 2",
            "still": "every step corrected like the first",
            "per parameter": "the step counted once per parameter",
        },
        "flags": {
            "exchanged": "beta1 and beta2 exchanged",
            "beta1 in v": "the second moment decayed by beta1",
            "beta2 in m": "the first moment decayed by beta2",
            "reset": "m and v starting at 0 in every step",
        },
    },
    "momentum_options rmsprop_options adam_options": {
        "climb": {
            "with decay": "weight decay's sign flipped with maximize",
            "nothing": "maximize ignored",
        },
    },
    "momentum_options": {
        "damp": {
            "first too": "the first g dampened too",
            "without momentum": "g dampened without momentum too",
            "nothing": "dampening ignored",
            "factor": "dampening*g for (1 - dampening)*g",
            "velocity": "momentum*v dampened, for g",
            "not decay": "weight decay added to v without dampening",
        },
    },
    "rmsprop_options": {
        "center": {
            "nothing": "centered ignored",
            "inside": "sqrt(h - mean**2 + eps) for sqrt(h - mean**2) + eps",
            "old": "the mean of the step before in h - mean**2",
            "from g": "the mean subtracted from g, and not its square from h",
            "not kept": "a mean that starts at 0 in every step",
        },
        "carry": {
            "none": "momentum ignored",
            "average": "the change multiplied by 1 - momentum in v",
            "of g": "v summing up g, and divided afterwards",
            "ahead": "Nesterov's step, change + momentum*v",
        },
    },
    "adam_options": {
        "largest": {
            "nothing": "amsgrad ignored",
            "corrected": "the largest corrected v for the largest v, corrected",
            "uncorrected": "no correction of the first steps with amsgrad",
            "square": "the largest g**2 for the largest v",
            "as v": "v itself replaced by the largest v",
            "smallest": "the smallest v for the largest",
            "of two": "the larger of the last two v for the largest of all",
        },
    },
}
OPTIONS = "_options"  # at the end of a kind's name: the same rule with more arguments


def own(kind: str) -> Rule:
    """PyTorch's rule of this kind."""
    kind = kind.removesuffix(OPTIONS)
    correct = "both" if kind in ("adam", "adamw") else "neither"
    return Rule(
        decay="decoupled" if kind == "adamw" else "coupled",
        look="yes" if kind == "nesterov" else "no",
        grow="sum" if kind == "adagrad" else "average",
        eps=EPS.get(kind),
        correct=correct,
    )


def changes(kind: str) -> Iterator[tuple[str, Rule]]:
    """The rule with one thing changed, then with two."""
    right, singles, base = own(kind), [], kind.removesuffix(OPTIONS)
    for kinds, fields in CHANGES.items():
        if kinds and not {kind, base} & set(kinds.split()):
            continue
        for name, values in fields.items():
            for value, says in values.items():
                changed: dict[str, Any] = {name: frozenset({value}) if name == "flags" else value}
                rule = replace(right, **changed)
                if rule != right:
                    singles.append((name, says, rule, changed))
    if base == "rmsprop":
        singles.append(
            ("correct", "Adam's correction of the first steps", replace(right, correct="v"), {"correct": "v"})
        )
    for _, says, rule, _ in singles:
        yield says, rule
    for i, (name, says, rule, _) in enumerate(singles):
        for other, more, _, changed in singles[i + 1 :]:
            if other != name:
                yield f"{says}, and {more}", replace(rule, **changed)


def simulate(kind: str, probe: Probe, rule: Rule) -> dict[str, Array]:
    """The parameters after each step, as the probes name them."""
    o, kind = probe.args, kind.removesuffix(OPTIONS)
    params = {k: p.copy() for k, p in probe.inputs["params"].items()}
    state: dict[Any, dict[str, Any]] = {}
    found: dict[str, Array] = {}
    ticks = 0
    for step, grads in enumerate(probe.inputs["grads"], start=1):
        for number, (key, p) in enumerate(params.items()):
            if "only first" in rule.flags and number:
                continue
            ticks += 1
            slot = p.shape if "shared" in rule.flags else key
            memory = state.setdefault(slot, {"first": True})
            t = {"still": 1, "per parameter": ticks}.get(
                rule.time, step + (rule.time if isinstance(rule.time, int) else 0)
            )
            params[key] = _updated(kind, p, grads[key], memory, t, step, rule, o)
        found |= {f"{key} step {step}": p.copy() for key, p in params.items()}
    return found


def _updated(
    kind: str, p: Array, g: Array, s: dict[str, Any], t: int, step: int, rule: Rule, o: dict[str, Any]
) -> Array:
    decay = o.get("weight_decay", 0.01 if kind == "adamw" else 0.0)
    rate = {"lr": o["lr"], "one": 1.0, "minus": -o["lr"], "over t": o["lr"] / max(t, 1)}[rule.rate]
    if o.get("maximize") and rule.climb != "nothing":
        g = -g
    whole = g
    if o.get("maximize") and rule.climb == "with decay":
        g = g - decay * p
    elif decay:
        if rule.decay in ("coupled", "both"):
            g = g + decay * p
        g = {"minus": g - decay * p, "twice": g + 2 * decay * p, "absolute": g + decay * np.sign(p)}.get(
            rule.decay, g
        )
        if rule.decay in ("decoupled", "both"):
            p = p * (1 - o["lr"] * decay)
        elif rule.decay == "without rate":
            p = p * (1 - decay)
        elif rule.decay == "outward":
            p = p * (1 + o["lr"] * decay)
    if "normalised" in rule.flags:
        g = g / (np.sqrt((g * g).sum()) + 1e-12)
    with np.errstate(all="ignore"):
        if kind in ("sgd", "momentum", "nesterov"):
            new = p - rate * _velocity(kind, g, g - whole, s, rule, o)
        elif kind in newer_updates.TWISTS:
            if "reset" in rule.flags:
                s = {"first": s["first"]}
            if "exchanged" in rule.flags:
                o = {**o, "beta1": o["beta2"], "beta2": o["beta1"]}
            new = p - newer_updates.change(kind, g, s, t, rate, rule.twist, rule.eps or 0.0, o)
        else:
            new = p - rate * _adaptive(kind, g, s, t, rule, o)
    if decay and rule.decay == "last":
        new = new * (1 - o["lr"] * decay)
    s["first"] = False
    return new


def _velocity(kind: str, g: Array, penalty: Array, s: dict[str, Any], rule: Rule, o: dict[str, Any]) -> Array:
    if kind == "sgd":
        return g
    m, old = o.get("momentum", 0.0), s.get("v", np.zeros_like(g))
    scaled = (1 - m) * g
    if rule.velocity == "average":
        v = m * old + scaled
    elif rule.velocity == "first scaled":
        v = m * old + (scaled if s["first"] else g)
    elif rule.velocity == "dampened":
        v = m * old + (g if s["first"] else scaled)
    elif rule.velocity == "none":
        v = g.copy()
    elif rule.velocity == "minus":
        v = -m * old + g
    else:
        v = _dampened(g, penalty, m * old, s["first"], rule, o)
    s["v"] = v
    used = old if rule.velocity == "old" else v
    if rule.look == "yes":
        return g + m * used
    if rule.look == "squared":
        return m * m * used + (1 + m) * g
    return m * used if rule.look == "without g" else used


def _dampened(g: Array, penalty: Array, left: Array, first: bool, rule: Rule, o: dict[str, Any]) -> Array:
    """The next velocity; `left` is what is left of the old one, `penalty` the part of g from weight decay."""
    d, m = o.get("dampening", 0.0), o.get("momentum", 0.0)
    if rule.damp == "velocity":
        return (1 - d) * left + g
    if rule.damp == "nothing" or (first and rule.damp != "first too"):
        return left + g
    if not m and rule.damp != "without momentum":
        return left + g
    if rule.damp == "not decay":
        return left + (1 - d) * (g - penalty) + penalty
    return left + (d if rule.damp == "factor" and d else 1 - d) * g


def _adaptive(kind: str, g: Array, s: dict[str, Any], t: int, rule: Rule, o: dict[str, Any]) -> Array:
    if "reset" in rule.flags:
        s.pop("h", None), s.pop("m", None)
    b1, b2 = o.get("beta1", 0.9), o.get("beta2", 0.999)
    if "exchanged" in rule.flags:
        b1, b2 = b2, b1
    if "beta1 in v" in rule.flags:
        b2 = b1
    if "beta2 in m" in rule.flags:
        b1 = b2
    if kind == "rmsprop":
        b2 = o.get("decay_rate", 0.99)
    if kind == "adagrad":
        b2 = 0.9
    h = s.get("h", np.full_like(g, rule.start))
    m = g
    if kind in ("adam", "adamw"):
        m = b1 * s.get("m", np.zeros_like(g)) + (1 - b1) * g
        s["m"] = m
    a = {"square": g * g, "magnitude": np.abs(g), "of m": m * m}[rule.square]
    before = h
    h = {
        "sum": (h if kind == "adagrad" else b2 * h) + a,
        "average": b2 * h + (1 - b2) * a,
        "reversed": (1 - b2) * h + b2 * a,
        "last": a,
        "old": h + a if kind == "adagrad" else b2 * h + (1 - b2) * a,
    }[rule.grow]
    if "half" in rule.flags:
        h = h.astype(np.float16).astype(float)
        if "m" in s:
            m = s["m"] = m.astype(np.float16).astype(float)
    s["h"] = h
    used = before if rule.grow == "old" else h
    eps = rule.eps or 0.0
    if o.get("amsgrad") and rule.largest != "nothing":
        found = _amsgrad(m, g, before, s, t, rule, b1, b2)
        if found is not None:
            return found / (np.sqrt(s["largest"]) + eps)
        used = s["largest"]
    if kind == "rmsprop" and (o.get("centered") or o.get("momentum")):
        return _graves(g, used, s, rule, o, eps)
    up, down = 1 - b1**t, 1 - b2**t
    if rule.correct == "nadam":
        m, used = (b1 * m / (1 - b1 ** (t + 1)) + (1 - b1) * g / up), used / down
    elif rule.correct == "kept":
        m, used = m / up, used / down
        s["m"], s["h"] = m, used
    if rule.correct in ("both", "m", "without root"):
        m = m / up
    if rule.correct in ("both", "v") and rule.root != "uncorrected":
        used = used / down
    if rule.correct == "without root":
        return m / (np.sqrt(used) / down + eps)
    if rule.root == "uncorrected":
        return m / ((np.sqrt(used) + eps) / np.sqrt(down))
    if rule.root == "inside":
        return m / np.sqrt(used + eps)
    return m / (used + eps) if rule.root == "none" else m / (np.sqrt(used) + eps)


def _amsgrad(
    m: Array, g: Array, before: Array, s: dict[str, Any], t: int, rule: Rule, b1: float, b2: float
) -> Array | None:
    """Keeps the largest v in the state; and m, where nothing is left to be corrected."""
    h, kept = s["h"], s.get("largest", np.zeros_like(g))
    s["largest"] = {
        "corrected": np.maximum(kept, h / (1 - b2**t)),
        "square": np.maximum(kept, g * g),
        "smallest": h if s["first"] else np.minimum(kept, h),
        "of two": np.maximum(before, h),
    }.get(rule.largest, np.maximum(kept, h))
    if rule.largest == "as v":
        s["h"] = s["largest"]
    if rule.largest == "corrected":
        return m / (1 - b1**t)
    return m if rule.largest == "uncorrected" else None


def _graves(g: Array, h: Array, s: dict[str, Any], rule: Rule, o: dict[str, Any], eps: float) -> Array:
    """RMSProp's change where it is centered or has a momentum."""
    a, m, top, square = o.get("decay_rate", 0.99), o.get("momentum", 0.0), g, h
    if o.get("centered") and rule.center != "nothing":
        old = s.get("mean", np.zeros_like(g))
        mean = s["mean"] = (0 if rule.center == "not kept" else a * old) + (1 - a) * g
        top = g - mean if rule.center == "from g" else g
        mean = old if rule.center == "old" else mean
        square = h if rule.center == "from g" else np.maximum(h - mean * mean, 0)
    inside = rule.root == "inside" or (rule.center == "inside" and o.get("centered"))
    divisor = (
        np.sqrt(square + eps) if inside else square + eps if rule.root == "none" else np.sqrt(square) + eps
    )
    if not m or rule.carry == "none":
        return top / divisor
    share = 1 - m if rule.carry == "average" else 1
    entering = top if rule.carry == "of g" else top / divisor
    s["moving"] = m * s.get("moving", np.zeros_like(g)) + share * entering
    if rule.carry == "of g":
        return s["moving"] / divisor
    return top / divisor + m * s["moving"] if rule.carry == "ahead" else s["moving"]


def explain_updates(
    kind: str, probes: Sequence[Probe], found: Sequence[dict[str, Array]]
) -> tuple[str, Rule] | None:
    """The first rule that gives every parameter after every step of every run."""
    order = sorted(range(len(probes)), key=lambda i: len(probes[i].inputs["grads"]))
    for says, rule in changes(kind):
        if all(_gives(kind, probes[i], found[i], rule) for i in order):
            return says, rule
    return None


def _gives(kind: str, probe: Probe, found: dict[str, Array], rule: Rule) -> bool:
    made = simulate(kind, probe, rule)
    for name, a in found.items():
        b = made.get(name)
        if b is None or a.shape != b.shape:
            return False
        finite = np.isfinite(a)
        if not np.array_equal(finite, np.isfinite(b)):
            return False
        scale = max(float(np.abs(a[finite]).max(initial=0)), 1e-300)
        if finite.any() and np.abs(a[finite] - b[finite]).max() > 1e-9 * scale:
            return False
    return True
