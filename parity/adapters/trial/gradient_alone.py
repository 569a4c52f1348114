"""A gradient of a loss whose loss nobody wrote: `mse_prime(y, t)`, `grad_cross_entropy(p, t)`.

Nothing but itself says what its loss divides the sum by, and whether it goes through a softmax: it is held to
the reading that gives it on every trial, which is said; where none does, to the gradient of PyTorch's loss.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from parity.adapters.arguments import plain
from parity.adapters.convention import Convention, Place
from parity.adapters.conventions import NotCallable
from parity.adapters.layouts import one_at_a_time, shape_in
from parity.adapters.loss_arguments import by_divisor, meanings_of
from parity.adapters.members import is_derivative
from parity.adapters.recipe import is_reduced
from parity.adapters.signatures import BACKWARD, DOUT, FORWARD, gradient_calls, words_of_methods
from parity.adapters.trial.attempt import Trial
from parity.adapters.trial.building import instances
from parity.adapters.trial.own_constants import DELTA, own_delta_of_gradient
from parity.adapters.trial.results import number_at
from parity.kinds import kind_of
from parity.kinds.probe import Array, Probe

BACK = Place(((".", "back"),))
LAYOUTS = ("NF", "FN", "F", "F1")
CLOSE = 1e-3  # a small constant in it changes less
OF_SIGMOID = ("sigmoid", "logit")  # in the name of a gradient of scores
OTHER_SHAPE = "result: a gradient of shape"
Settings = Mapping[str, Any]  # of a convention


def is_alone(trial: Trial) -> bool:
    """Whether it is one function that is named for a gradient of a loss."""
    names = trial.about["names"]
    function = trial.about["what"] == "function" and len(names) == 1
    return trial.how.role == "loss" and function and is_derivative(names[0])


def gradient_alone(trial: Trial) -> Convention | None:
    """How it is called; None where it gives no array of its own, as `loss_and_grad` does not.

    Raises NotCallable where that is never of x's shape.
    """
    name = trial.about["names"][0]
    base = Convention(trial.kind, trial.about["name"], None, unseen=("loss",), dx=BACK)
    for probe, limits in trial.probes():
        if limits:
            continue
        for given in gradient_calls(trial.about, trial.kind, base):
            args = by_divisor(given, trial.about, name)
            c = replace(base, forward_args=args, backward=f"function {name}", backward_args=args)
            for layout in LAYOUTS:
                laid = replace(c, rows=layout, rows_out=layout)
                if _gives_dx(trial, laid, probe) and _takes_labels(trial, laid, probe):
                    laid = own_delta_of_gradient(trial, laid, probe)
                    return _with_labels(replace(laid, **_read_off(trial, laid, probe)), probe)
    if any(error.startswith(OTHER_SHAPE) for _, error in trial.errors):
        names = ", ".join(p["name"] for p in trial.about["signature"] or ())
        raise NotCallable(trial.about["name"], trial.kind, names, trial.errors)
    return None


def gradient_of_labels(trial: Trial) -> Convention | None:
    """A class whose forward gives the probabilities, and whose backward takes the labels; None for others."""
    if trial.about["what"] != "class" or trial.kind != "softmax_with_loss":
        return None
    forwards = [(name, given[0]) for name, given in _asked(trial, FORWARD) if len(given) == 1]
    forwards = [one for one in forwards if not _is_label(one[1])]
    backwards = [(name, args) for name, given in _asked(trial, BACKWARD) if (args := _of_labels(given))]
    if len(forwards) != 1 or len(backwards) != 1:
        return None
    (forward, x), (backward, args) = forwards[0], backwards[0]
    for probe, limits in trial.probes():
        for built in instances(trial, probe) if not limits else ():
            c = replace(built, forward=forward, forward_args=((x, "x"),), unseen=("loss",), dx=BACK)
            c = replace(c, backward=backward, backward_args=args)
            if _gives_dx(trial, c, probe) and _takes_labels(trial, c, probe):
                return _with_labels(replace(c, **_read_off(trial, c, probe)), probe)
    return None


def _asked(trial: Trial, usual: Collection[str]) -> list[tuple[str, list[str]]]:
    """The methods of those plain names, with what they ask for."""
    methods = trial.about["methods"]
    names = [name for name, word in words_of_methods(methods, trial.kind).items() if word in usual]
    asked = {name: [p["name"] for p in methods[name] or () if p and p["required"]] for name in names}
    return [(name, given) for name, given in asked.items() if name[0] != "_"]


def _of_labels(given: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """What such a backward is given: the labels, also after the probabilities; nothing for another one."""
    if len(given) == 1:
        return ((given[0], "t"),) if _is_label(given[0]) else ()
    both = meanings_of(given) if len(given) == 2 else []
    if sorted(both) != ["t", "x"] or any(plain(name) in DOUT for name in given):
        return ()
    return tuple((name, "out" if meaning == "x" else "t") for name, meaning in zip(given, both, strict=True))


def _is_label(name: str) -> bool:
    return meanings_of([name, "?"])[0] == "t" and plain(name) not in DOUT


def _takes_labels(trial: Trial, c: Convention, probe: Probe) -> bool:
    """Whether numbers of classes are indices to it: all are alike where all classes are equally likely."""
    if is_reduced(c.kind) or probe.inputs["t"].ndim == 2:
        return True
    N, classes = probe.inputs["x"].shape
    alike = probe.inputs | {"x": np.full((N, classes), 1 / classes)}
    labels = [*(np.full(N, label) for label in range(classes)), np.arange(N) % classes]
    found = [_moments(trial, c, replace(probe, inputs=alike | {"t": t})) for t in labels]
    return bool(np.isfinite(found).all() and np.allclose(found, found[0]))


def _with_labels(c: Convention, probe: Probe) -> Convention:
    """With one-hot labels alone, where numbers of classes did not go."""
    one_hot = not is_reduced(c.kind) and probe.inputs["t"].ndim == 2
    return replace(c, limits={**c.limits, "labels": "one_hot"}) if one_hot else c


def _gives_dx(trial: Trial, c: Convention, probe: Probe) -> bool:
    report = trial.attempt(c, probe)
    x = probe.inputs["x"]
    shape = shape_in(x.shape[1:], "F", c.rows) if one_at_a_time(c.rows) else shape_in(x.shape, "NF", c.rows)
    found = [e["shape"] for e in report.get("backward", ()) if e["path"] == [[".", "back"]]]
    if found and (found[0] is None or tuple(found[0]) != shape):
        trial.errors.append((str(c), f"{OTHER_SHAPE} {tuple(found[0] or ())}, x is {shape}"))
    return bool(found) and found[0] is not None and tuple(found[0]) == shape


def _read_off(trial: Trial, c: Convention, probe: Probe) -> Settings:
    """The first reading that gives the gradient of every trial; of PyTorch's loss where none does."""
    inputs = probe.inputs
    parts = [np.s_[:], np.s_[:3], np.s_[2:]]
    cases = [replace(probe, inputs={name: a[cut] for name, a in inputs.items()}) for cut in parts]
    if not is_reduced(trial.kind):
        cases = [replace(case, inputs=case.inputs | {"x": _shares(case.inputs["x"])}) for case in cases]
    found = [_moments(trial, c, case) for case in cases]
    readings = [list(_readings(trial, c, case)) for case in cases]
    for same in zip(*readings, strict=True):
        exact = [(dx.mean(), (dx**2).mean()) for _, dx in same]
        if np.allclose(found, exact, rtol=CLOSE, atol=1e-12):
            settings: Settings = same[0][0]
            return settings
    return {} if is_reduced(trial.kind) or c.forward else {"probabilities": _of_what(trial, c, probe)}


def _moments(trial: Trial, c: Convention, probe: Probe) -> tuple[float, float]:
    """The mean of what it gives, and that of its squares."""
    report = trial.attempt(c, probe)
    return number_at(report, "backward", BACK), number_at(report, "backward", BACK, "square")


def _shares(x: Array) -> Array:
    e = np.exp(x - x.max(axis=1, keepdims=True))
    found: Array = e / e.sum(axis=1, keepdims=True)
    return found


def _readings(trial: Trial, c: Convention, probe: Probe) -> Iterator[tuple[Settings, Array]]:
    """What is set in the convention, and the gradient that it then stands for, as it was handed over."""
    x, t = probe.inputs["x"], probe.inputs["t"]
    if one_at_a_time(c.rows):
        x, t = x[:1], t[:1]
    N, C = x.shape
    if not is_reduced(trial.kind):
        hot = t if t.ndim == 2 else np.eye(C)[t]
        ways = {"": _shares(x) - hot}
        ways |= {} if c.forward else {"scores": x - hot, "own": -hot / x}
        for probabilities, dx in ways.items():
            settings: dict[str, Any] = {"probabilities": probabilities}
            yield settings, dx / N
            if not one_at_a_time(c.rows):
                yield settings | {"total": True}, dx
            yield settings | {"per_class": True}, dx / N / C
        return
    for probabilities, dx in _of_outputs(trial, c, x, t):
        for reduction, divisor in (("mean", N * C), ("batchmean", N), ("sum", 1)):
            for factor in (1.0, 0.5):
                settings = {"probabilities": probabilities, "reduction": reduction, "factor": factor}
                yield settings, factor * dx / divisor
        if c.rows == "NF":
            for factor in (1.0, 0.5):  # columns are the samples
                settings = {"probabilities": probabilities, "reduction": "batchmean", "factor": factor}
                yield settings | {"rows": "FN", "rows_out": "FN"}, factor * dx / C


def _of_outputs(trial: Trial, c: Convention, x: Array, t: Array) -> Iterator[tuple[str, Array]]:
    """The gradient of the sum over all outputs; of binary probabilities, or of the scores before them."""
    if kind_of(trial.kind).within is None:
        slopes = {"mean_squared_error": 2 * (x - t), "mean_absolute_error": np.sign(x - t)}
        slopes["hinge_loss"] = np.where(x * t < 1, -t, 0)
        delta = c.own.get(DELTA, 1.0)
        yield "", slopes.get(trial.kind, np.clip(x - t, -delta, delta))
        return
    name = plain(trial.about["name"])
    yield "", (x - t) / (x * (1 - x))
    if any(word in name for word in OF_SIGMOID):
        yield "logits", 1 / (1 + np.exp(-x)) - t
        yield "scores", x - t


def _of_what(trial: Trial, c: Convention, probe: Probe) -> str:
    """What a gradient of classes is of that no reading gives: of scores its numbers add up to 0 in a row."""
    mean, _ = _moments(trial, c, replace(probe, inputs=probe.inputs | {"x": _shares(probe.inputs["x"])}))
    return "own" if abs(mean) > 1e-9 else "" if "softmax" in plain(trial.about["name"]) else "scores"
