"""How a layer may be built that is none of the kinds, by the names of its constructor's parameters.

Needs NumPy alone.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from typing import Any

import numpy as np

from parity.adapters.arguments import plain
from parity.adapters.network_builds import RATE, I, O
from parity.adapters.optimizer_names import RATES
from parity.adapters.own_layer_inputs import Form
from parity.adapters.own_layer_words import DERIVATIVES, FUNCTIONS, NUMBERS

NUMBER = 0.3
OTHER = 0.6  # for a default between 0 and 1
FREE = {
    *(
        "alpha",
        "slope",
        "negativeslope",
        "beta",
        "keepprob",
        "p",
        "prob",
        "dropoutrate",
        "droprate",
        "dropout",
    ),
    *("lam", "lambd", "lambda", "delta", "scale", "leak", "leakage", "gain", "temperature", "tau", "gamma"),
    *("ratio", "dropoutratio", "l2", "l1", "reg", "lambda", "lamda", "strength", "coef", "coefficient"),
}
ACROSS = re.compile("(input|in)(put)?shapes?|shape|xshape|shapein")
OUT_SHAPE = re.compile("(output|out|new|target)?shape|(output|out)(put)?shape")
ONES = {
    2: re.compile(
        "(num|n)?groups?|(num|n)?heads?|(up|down)?(scale|sampl(e|ing))?factor|upscale(factor)?|blocksize|repeats?|r"
        "|numlayers"
    ),
    3: re.compile("kernel(size)?|filter(size)?|ksize|size|windowsize|k"),
    1: re.compile("strides?|pad(ding)?|padsize|padwidth|axis|dilation|s|p"),
}
WIDTHS = re.compile(
    "(num|n|in|input|hidden|embed(ding)?|model|d|feature|channel|norm)?(features?|dims?|size|channels?|units|"
    "neurons|in|inputs?|model|embed(ding)?|width|nin|dmodel|planes|filters|c|nodes)(in|size|dim|num)?"
    "|d|dim|normalizedshape|cin|nin|fanin|indim|inunits|infeatures|innodes|c|din"
)
OUTPUTS = re.compile(
    "(num|n)?out(put)?s?(features?|dims?|size|channels?|units|neurons|planes)?|cout|nout|fanout|units|dout"
    "|numfilters|nfilters|filters|numunits|numneurons|outputsize|outputdim|outplanes"
)


class Curve:
    """The tanh that an activation of two functions is built with."""

    @staticmethod
    def value(x: Any) -> Any:
        return np.tanh(x)

    @staticmethod
    def slope(x: Any, dout: Any = 1.0) -> Any:
        return dout * (1 - np.tanh(x) ** 2)


def built_with(cls: type, form: Form) -> Iterator[tuple[dict[str, Any], str]]:
    """The arguments of each way to build it, and how they are shown; none where a name says nothing."""
    try:
        parameters = [*inspect.signature(cls).parameters.values()]
    except (TypeError, ValueError):
        return
    asked = [
        p for p in parameters if p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
    ]
    names = {plain(p.name) for p in asked}
    seen = []
    for outputs, windows in ((O, False), (I, False), (O, True)):
        kwargs: dict[str, Any] = {}
        for p in asked:
            value = value_by_name(plain(p.name), names, form, outputs)
            if value is None:
                return
            of_window = windows and ONES[3].fullmatch(plain(p.name))
            kwargs[p.name] = (value, value) if of_window else value
        words = ", ".join(f"{name}={_short(value)}" for name, value in kwargs.items())
        if words not in seen:
            seen.append(words)
            yield kwargs, words


def hands_one_function(cls: type) -> bool:
    """Whether it is built with an activation whose derivative it finds itself: it may know no other."""
    try:
        asked = [plain(p.name) for p in inspect.signature(cls).parameters.values() if p.default is p.empty]
    except (TypeError, ValueError):
        return False
    return any(map(FUNCTIONS.fullmatch, asked)) and not any(map(DERIVATIVES.fullmatch, asked))


def other_numbers(function: Any) -> dict[str, float]:
    """Numbers other than its defaults for those parameters for which any number will do: a slope, a share."""
    try:
        parameters = [*inspect.signature(function).parameters.values()]
    except (TypeError, ValueError):
        return {}
    return {
        p.name: OTHER if 0 <= p.default <= 1 else 1.5 * p.default
        for p in parameters
        if plain(p.name) in FREE and isinstance(p.default, (int, float)) and not isinstance(p.default, bool)
    }


def unknown(cls: type) -> list[str]:
    """The parameters that it asks for and whose names say nothing."""
    parameters = inspect.signature(cls).parameters.values()
    asked = [
        p.name for p in parameters if p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
    ]
    names = {*map(plain, asked)}
    return [name for name in asked if value_by_name(plain(name), names, Form("", (1,), ()), O) is None]


def value_by_name(word: str, names: set[str], form: Form, outputs: int) -> Any:
    if word in ("name", "label"):
        return "layer"
    if DERIVATIVES.fullmatch(word) and any(FUNCTIONS.fullmatch(one) for one in names - {word}):
        return Curve.slope
    if FUNCTIONS.fullmatch(word):
        return Curve.value
    if word in ("gamma", "beta") and {"gamma", "beta"} <= names:
        return np.ones(I) if word == "gamma" else np.zeros(I)
    if word in ("w", "weight", "weights", "kernel"):
        return np.random.default_rng(1).standard_normal((I, outputs))
    if word in ("b", "bias"):
        return np.random.default_rng(2).standard_normal(outputs)
    if word in ("outputshape", "outshape", "newshape", "targetshape"):
        return _one(form)[::-1] or (1,)
    if ACROSS.fullmatch(word):
        return _one(form) or (1,)
    if word in RATES and word != "alpha":
        return RATE
    if OUTPUTS.fullmatch(word):
        return outputs
    for number, pattern in ONES.items():
        if pattern.fullmatch(word):
            return number
    if word in NUMBERS:
        return NUMBER
    return I if WIDTHS.fullmatch(word) else None


def _one(form: Form) -> tuple[int, ...]:
    """The shape of one sample."""
    return form.shape if form.single else form.shape[1:]


def _short(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"array {value.shape}"
    return (
        {Curve.value: "tanh", Curve.slope: "its derivative"}.get(value, "") or repr(value)
        if callable(value)
        else repr(value)
    )
