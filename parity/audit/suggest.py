"""A test to paste: one small input with PyTorch's answers, in the convention of the class under test."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from parity.adapters.convention import Convention
from parity.adapters.layouts import BATCH, WEIGHTS, laid_out
from parity.adapters.meanings import value
from parity.adapters.reach import spelled
from parity.kinds import Probe, kind_of
from parity.kinds.probes import probes
from parity.verification.reproduction import _arguments as arguments
from parity.verification.reproduction import _literal as literal
from parity.verification.reproduction import simpler, size

LARGEST = 260  # numbers written out
RATE = 0.5  # of a layer that updates itself


@dataclass(frozen=True)
class Suggestion:
    """A test function, how many numbers are written out in it, and the probe that it is made of."""

    name: str
    text: str
    numbers: int
    case: str


def suggestions(cls: str, kind: str, convention: Convention | None) -> Iterator[Suggestion]:
    """Tests of the kind's own inputs, cut down to small whole numbers, the shortest first."""
    role, seen = kind_of(kind).role, set()
    if role not in ("layer", "loss") or kind == "dropout":
        return
    made = []
    for original in probes(kind):
        for probe in (*simpler(original), original):
            if size(probe) > LARGEST or probe.args.get("training") is False:
                continue
            for single in (False, True):
                text = _text(cls, _sevenths(probe) if single else probe, convention, single)
                if text and text not in seen:
                    seen.add(text)
                    made.append(Suggestion(_test_name(cls), text, size(probe) + single, original.id))
    yield from sorted(made, key=lambda one: one.numbers)


def joined(parts: Sequence[Suggestion]) -> str:
    """One test of several inputs, one after another."""
    (first, *others) = (one.text for one in parts)
    return first + "".join("\n" + text.split("\n", 1)[1] for text in others)


def _test_name(cls: str) -> str:
    return f"test_{re.sub(r'(?<=[a-z])(?=[A-Z])', '_', cls).lower()}_against_known_numbers"


def _sevenths(probe: Probe) -> Probe:
    """In float32, x divided by 7: numbers that float16 does not hold."""
    probe = probe.cast("float32")
    x = probe.inputs["x"] / np.float32(7)
    return replace(probe, inputs={**probe.inputs, "x": x.astype(np.float32)})


def _text(cls: str, probe: Probe, c: Convention | None, single: bool = False) -> str:
    try:
        reference = kind_of(probe.kind).reference(probe)  # in float64
        lines = _of_book(cls, probe, reference) if c is None else _of(cls, probe, reference, c)
    except (NotImplementedError, KeyError, ValueError):
        return ""
    if single and lines:
        whole = literal((probe.inputs["x"] * 7).round().astype(np.float32))
        at = next(i for i, line in enumerate(lines) if line.startswith("x = "))
        if c is not None and probe.inputs["x"].ndim in BATCH:
            whole = literal(_images((probe.inputs["x"] * 7).round().astype(np.float32), c.x_layouts))
        lines[at] = f"x = {whole} / 7"
        last = "out.dtype == dx.dtype" if any(line.startswith("dx =") for line in lines) else "out.dtype"
        lines.append(f"assert {last} == np.float32")
    body = "\n".join(f"    {line}" for line in lines)
    return f"def {_test_name(cls)}():\n{body}\n" if lines else ""


def _equal(what: str, wanted: Any) -> str:
    return f"np.testing.assert_allclose({what}, {_numbers(wanted)}, rtol=1e-5, atol=1e-5)"


def _numbers(array: Any) -> str:
    return re.sub(r", float\)$", ")", literal(np.round(np.asarray(array, float), 6) + 0.0)).removeprefix(
        "np.array"
    )[1:-1]


def _of_book(cls: str, probe: Probe, reference: dict[str, Any]) -> list[str]:
    inputs = [name for name in ("x", "t", "dout") if name in probe.inputs]
    loss = kind_of(probe.kind).role == "loss"
    lines = [f"{name} = {literal(probe.inputs[name])}" for name in inputs]
    lines += [
        f"layer = {cls}({arguments(dict(probe.args), kind_of(probe.kind).order)})",
        f"out = layer.forward({'x, t' if loss else 'x'})",
        f"dx = layer.backward({'' if loss else 'dout'})",
    ]
    for name, wanted in reference.items():
        where = "out" if name in ("out", "loss") else "dx" if name == "dx" else f"layer.{name}"
        lines.append(_equal(where, wanted))
    return lines


def _of(cls: str, probe: Probe, reference: dict[str, Any], c: Convention) -> list[str]:
    """In a convention that was found; [] where it is not one of plain methods and attributes."""
    if c.tensor or c.lazy or c.setup or c.passed or c.constructor is None or c.derivative or c.probabilities:
        return []
    if not c.takes(probe) or len(c.out.path) > 1 or c.as_in_the_book:
        return []
    x = probe.inputs["x"]
    if x.ndim in BATCH and "N" not in c.x_layouts[x.ndim] and len(x) > 1:
        return []
    given = []
    for name, meaning in c.constructor:
        text = repr(value(meaning, probe))
        given.append(text if name.startswith("*") else f"{name}={text}")
    lines = [f"layer = {cls}({', '.join(given)})"]
    for name, places in c.stored.items():
        array = probe.args.get(name)
        if array is None:
            return []
        for place in places:
            laid = laid_out(array, WEIGHTS.get(array.ndim, ""), place.layout)
            lines.append(f"layer{spelled(place.path[1:])} = {literal(np.array(laid))}")
    lines += [f"x = {literal(_images(x, c.x_layouts))}"]
    call = "layer" if c.forward == "__call__" else f"layer.{c.forward}"
    lines.append(f"out = {call}(x)" if len(c.forward_args) == 1 else "")
    lines.append(_equal("out", _images(np.asarray(reference["out"]), c.out_layouts)))
    if c.backward and c.dx is not None and len(c.dx.path) == 1:
        lines.append(f"dout = {literal(_images(probe.inputs['dout'], c.out_layouts))}")
        texts = {"dout": "dout", "x": "x", "rate": str(RATE)}
        args = [texts.get(meaning, "") for _, meaning in c.backward_args]
        lines.append(f"dx = layer.{c.backward}({', '.join(args)})" if all(args) else "")
        lines.append(_equal("dx", _images(np.asarray(reference["dx"]), c.x_layouts)))
        for name, place in c.grads.items():
            gradient = laid_out(
                reference[f"d{name}"], WEIGHTS.get(reference[f"d{name}"].ndim, ""), place.layout
            )
            if c.change:
                stored = c.stored[name][0]
                start = laid_out(probe.args[name], WEIGHTS.get(gradient.ndim, ""), stored.layout)
                lines.append(
                    _equal(
                        f"layer{spelled(stored.path[1:])}",
                        np.asarray(start, float) - RATE * np.asarray(gradient, float),
                    )
                )
            elif place.path[0] == (".", "object"):
                lines.append(_equal(f"layer{spelled(place.path[1:])}", gradient))
    return lines if all(lines) else []


def _images(a: Any, layouts: dict[int, str]) -> Any:
    letters = BATCH.get(a.ndim, "")
    if not letters:
        return a
    layout = layouts[a.ndim]
    return np.array(laid_out(a, letters, layout) if "N" in layout else laid_out(a[0], letters[1:], layout))
