"""Derivatives that take the output, under a name that may also mean the input."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from parity.adapters.arguments import plain
from parity.adapters.convention import Convention
from parity.adapters.signatures import ACTIVATED, DOUT, OF_OUTPUT, OUT, may_be_output
from parity.adapters.trial.attempt import Trial
from parity.kinds import ELEMENTWISE
from parity.kinds.probe import Probe

Call = tuple[str, tuple[tuple[str, str], ...], bool]  # what is called, with what, and whether it gives f'
FAR, BOUND = 32.0, 8.0
SIGNS = ("relu", "leaky_relu")  # go by the sign, which is that of the output too


def may_be_derivative(about: dict[str, Any], kind: str) -> bool:
    """Whether a backward takes nothing but x or the output by its name: `backward(self, x)` may be f'(x)."""
    params = [p for p in about["methods"].get("backward") or () if p is not None and p["required"]]
    word = plain(params[0]["name"]) if len(params) == 1 else ""
    return kind in ELEMENTWISE and (word in ("x", "z") or names_the_output(kind, word))


def names_the_output(kind: str, word: str) -> bool:
    """Whether a parameter of that name is the output, where a derivative may be written in terms of it."""
    return kind in (*OF_OUTPUT, *SIGNS) and word in OUT - {"a", "s"}


def beside_the_function(kind: str, c: Convention, call: Call) -> Call:
    """That call of a function beside an activation: one of x or of the output alone gives the derivative.

    A function keeps nothing, and has nothing else to go by: an argument of a name that is no gradient's, or
    that the function calls its own input by, is one of the two, the output where the name says so.
    """
    name, args, derivative = call
    if c.constructor is not None or kind not in (*ELEMENTWISE, "softmax"):
        return call
    if len(args) == 1 and (_is_unknown(*args[0]) or (args[0][0], "x") in {*map(tuple, c.forward_args)}):
        args = ((args[0][0], "out" if _is_output_of(kind, plain(args[0][0])) else "x"),)
    return name, args, derivative or [meaning for _, meaning in args] in (["x"], ["out"])


def _is_unknown(name: str, meaning: str) -> bool:
    """Whether an argument is dout only because its name says nothing else."""
    word = plain(name)
    return meaning == "dout" and word not in DOUT and not word.startswith(("d", "grad", "err", "upstream"))


def _is_output_of(kind: str, word: str) -> bool:
    """Whether a name is the output's by the function's name: sigmoid_output, tanh_value, sigmoid_x,
    relu_output."""
    rest = word.removeprefix(plain(kind))
    if rest != word and rest in ("out", "output", "outputs"):
        return True
    return kind in OF_OUTPUT and rest != word and rest in ACTIVATED | {"", "x", "z", "value", "values"}


def is_derivative(trial: Trial, c: Convention, probe: Probe) -> bool:
    """Whether what backward gives for twice its argument is not twice as much, as a gradient's is."""

    def mean(dout: Any) -> list[float]:
        report = trial.attempt(c, replace(probe, inputs={**probe.inputs, "dout": dout}))
        return [e.get("value", 0.0) for e in report.get("backward", ()) if e["path"][0][1] == "back"]

    dout = np.abs(probe.inputs["dout"]) + 0.5
    once, twice = mean(dout), mean(2 * dout)
    return bool(once) and len(once) == len(twice) and not np.allclose(twice, np.multiply(2, once))


def of_output(trial: Trial, c: Convention, probe: Probe) -> Convention:
    """Whether a derivative that takes `x` means the output by it: `x * (1 - x)` and `1 - x**2` do.

    The derivatives of sigmoid, tanh and softmax are bounded in x and polynomials in the output, so that one
    value far out tells which of them was written, be it right or wrong. ELU's and SELU's are so on their
    negative side. Names that say it are not asked.
    """
    asked = [n for n, meaning in c.backward_args if meaning == "x" and may_be_output(trial.kind, n)]
    if not asked:
        return c
    x = np.full_like(probe.inputs["x"], -FAR if trial.kind in ("elu", "selu") else FAR)
    report = trial.attempt(c, replace(probe, inputs={**probe.inputs, "x": x, "dout": np.ones_like(x)}))
    values = [e.get("value", 0.0) for e in report.get("backward", ()) if e["path"][0][1] == "back"]
    if not any(np.isfinite(value) and abs(value) > BOUND for value in values):
        return c
    pairs = tuple((n, "out" if n in asked else meaning) for n, meaning in c.backward_args)
    return replace(c, backward_args=pairs)
