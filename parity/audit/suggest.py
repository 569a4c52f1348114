"""A test to paste: one small input with PyTorch's answers, in the convention of the class under test."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from parity.adapters import columns
from parity.adapters.convention import Convention
from parity.adapters.layouts import BATCH, WEIGHTS, laid_out
from parity.adapters.meanings import value
from parity.adapters.reach import spelled
from parity.audit.batches import IN, OUT, as_called
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
    seen = set()
    if kind in ("dropout", "numerical_gradient"):
        return
    cls = cls.replace(" ", "")
    made = []
    for original in probes(kind):
        for probe in (*simpler(original), original):
            if size(probe) > LARGEST or probe.args.get("training") is False:
                continue
            for single in (False, True) if "x" in probe.inputs else (False,):
                text = _text(cls, _sevenths(probe) if single else probe, convention, single)
                if text and text not in seen:
                    seen.add(text)
                    made.append(Suggestion(_test_name(cls), text, size(probe) + single, original.id))
    yield from sorted(made, key=lambda one: one.numbers)


def joined(parts: Sequence[Suggestion]) -> str:
    """One test of several inputs, one after another."""
    (first, *others) = (one.text for one in parts)
    return first + "".join("\n" + text.split("\n", 1)[1] for text in others)


CHECKS = ("    np.testing.", "    assert ")


def checks_of(one: Suggestion) -> list[int]:
    """The lines of a test that compare something."""
    return [at for at, line in enumerate(one.text.splitlines()) if line.startswith(CHECKS)]


def with_checks(one: Suggestion, kept: Sequence[int]) -> Suggestion:
    """The test with these checks only, and without what follows the last of them."""
    lines = one.text.splitlines()[: max(kept) + 1]
    text = "\n".join(line for at, line in enumerate(lines) if at in kept or not line.startswith(CHECKS))
    return replace(one, text=f"{text}\n")


def _test_name(cls: str) -> str:
    first = cls.partition(",")[0].rpartition(".")[2]
    return f"test_{re.sub(r'(?<=[a-z])(?=[A-Z])', '_', first).lower()}_against_known_numbers"


def _sevenths(probe: Probe) -> Probe:
    """In float32, x divided by 7: numbers that float16 does not hold."""
    probe = probe.cast("float32")
    x = probe.inputs["x"] / np.float32(7)
    return replace(probe, inputs={**probe.inputs, "x": x.astype(np.float32)})


def _text(cls: str, probe: Probe, c: Convention | None, single: bool = False) -> str:
    try:
        reference = kind_of(probe.kind).reference(probe)  # in float64
        lines = _lines(cls, probe, reference, c)
    except (NotImplementedError, KeyError, ValueError):
        return ""
    if single and not any(line.startswith("out = ") for line in lines):
        return ""
    if single:
        whole = literal((probe.inputs["x"] * 7).round().astype(np.float32))
        at = next(i for i, line in enumerate(lines) if line.startswith("x = "))
        if c is not None and probe.inputs["x"].ndim in BATCH:
            whole = literal(as_called((probe.inputs["x"] * 7).round().astype(np.float32), c, IN))
        lines[at] = f"x = {whole} / 7"
        last = "out.dtype == dx.dtype" if any(line.startswith("dx =") for line in lines) else "out.dtype"
        lines.append(f"assert {last} == np.float32")
    body = "\n".join(f"    {line}" for line in lines)
    return f"def {_test_name(cls)}():\n{body}\n" if lines else ""


def _lines(cls: str, probe: Probe, reference: dict[str, Any], c: Convention | None) -> list[str]:
    role = kind_of(probe.kind).role
    if role == "optimizer" and c is not None and (c.numbers or c.order):
        return []
    if role == "optimizer":
        return _of_rule(cls, probe, reference, c.rule if c else "dicts", c.forward if c else "update")
    if role == "function":
        return _of_function(cls, probe, reference, c)
    if c is None or (c.as_in_the_book and (c.forward, c.backward) == ("forward", "backward")):
        return _of_book(cls, probe, reference)
    if c.constructor is None and not c.tensor:
        return _of_functions(probe, reference, c)
    return _of(cls, probe, reference, c)


def _equal(what: str, wanted: Any) -> str:
    return f"np.testing.assert_allclose({what}, {_numbers(wanted)}, rtol=1e-5, atol=1e-5)"


def _numbers(array: Any) -> str:
    text = literal(np.asarray(np.round(np.asarray(array, float), 6) + 0.0))
    return re.sub(r", float\)$", ")", text).removeprefix("np.array")[1:-1]


def _of_book(cls: str, probe: Probe, reference: dict[str, Any]) -> list[str]:
    inputs = [name for name in ("x", "t", "dout") if name in probe.inputs]
    loss = kind_of(probe.kind).role == "loss"
    lines = [f"{name} = {literal(probe.inputs[name])}" for name in inputs]
    results = {"out" if name == "loss" else name: wanted for name, wanted in reference.items()}
    lines.append(f"layer = {cls}({arguments(dict(probe.args), kind_of(probe.kind).order)})")
    lines.append(f"out = layer.forward({'x, t' if loss else 'x'})")
    lines += [_equal("out", results.pop("out"))] if "out" in results else []
    lines.append(f"dx = layer.backward({'' if loss else 'dout'})")
    for name, wanted in results.items():
        lines.append(_equal("dx" if name == "dx" else f"layer.{name}", wanted))
    return lines


def _of(cls: str, probe: Probe, reference: dict[str, Any], c: Convention) -> list[str]:
    """In a convention that was found; [] where it is not one of plain methods and attributes."""
    if c.tensor or c.lazy or c.setup or c.passed or c.constructor is None or c.derivative or c.probabilities:
        return []
    if not c.takes(probe) or len(c.out.path) > 1 or c.as_in_the_book:
        return []
    x = probe.inputs["x"]
    if c.by_number or (x.ndim in BATCH and "N" not in c.x_layouts[x.ndim] and len(x) > 1):
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
    lines += [f"x = {literal(as_called(x, c, IN))}"]
    call = "layer" if c.forward == "__call__" else f"layer.{c.forward}"
    lines.append(f"out = {call}(x)" if len(c.forward_args) == 1 else "")
    lines.append(_equal("out", as_called(np.asarray(reference["out"]), c, OUT)))
    if c.backward and c.dx is not None and len(c.dx.path) == 1:
        lines.append(f"dout = {literal(as_called(probe.inputs['dout'], c, OUT))}")
        texts = {"dout": "dout", "x": "x", "rate": str(RATE)}
        args = [texts.get(meaning, "") for _, meaning in c.backward_args]
        lines.append(f"dx = layer.{c.backward}({', '.join(args)})" if all(args) else "")
        lines.append(_equal("dx", as_called(np.asarray(reference["dx"]), c, IN)))
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


# -- optimizers -------------------------------------------------------------------------------------
NAMES_OF_OPTIONS = {"lr": "learning_rate"}  # in a dict of options
STEPS = {
    "dicts": ("optimizer = {cls}({args})", "optimizer.{method}(params, grads)"),
    "arrays": (
        "optimizers = {{name: {cls}({args}) for name in params}}",
        "for name, grad in grads.items():",
        "    new = optimizers[name].{method}(params[name], grad)",
        "    params[name] = params[name] if new is None else new",
    ),
    "lists": (
        "optimizer = {cls}({args})",
        "new = optimizer.{method}(list(params.values()), list(grads.values()))",
        "params = params if new is None else dict(zip(params, new))",
    ),
    "params": (
        "Held = type('Held', (), {{}})\n"
        "held = {{name: Held() for name in params}}\n"
        "for name, p in params.items():\n"
        "    held[name].data, held[name].grad = p, None\n"
        "optimizer = {cls}(list(held.values()), {args})",
        "for name, grad in grads.items():",
        "    held[name].grad = grad",
        "optimizer.{method}()",
        "params = {{name: p.data for name, p in held.items()}}",
    ),
    "config": (
        "configs = {{name: {options} for name in params}}",
        "for name, grad in grads.items():",
        "    params[name], configs[name] = {cls}(params[name], grad, configs[name])",
    ),
    "arrays+lr": (
        "lr = {lr}",
        "for name, grad in grads.items():",
        "    new = {cls}(params[name], grad, lr)",
        "    params[name] = params[name] if new is None else new",
    ),
}


def _of_rule(cls: str, probe: Probe, reference: dict[str, Any], rule: str, method: str) -> list[str]:
    """Steps of an optimizer, and the parameters after the last one; [] for a way that is not written out."""
    if rule not in STEPS:
        return []
    options = {NAMES_OF_OPTIONS.get(name, name): value for name, value in probe.args.items()}
    words = {"cls": cls, "method": method, "options": repr(options), "lr": repr(probe.args["lr"])}
    words["args"] = ", ".join(repr(probe.args[n]) for n in kind_of(probe.kind).order if n in probe.args)
    if "weight_decay" in probe.args:
        words["args"] += f", weight_decay={probe.args['weight_decay']!r}"
    start, *step = (line.format(**words) for line in STEPS[rule])
    steps = probe.inputs["grads"]
    lines = [f"params = {_dict(probe.inputs['params'])}", f"steps = [{', '.join(map(_dict, steps))}]"]
    lines += [*start.split("\n"), "for grads in steps:", *(f"    {line}" for line in step)]
    for name in probe.inputs["params"]:
        wanted = np.asarray(reference[f"{name} step {len(steps)}"], float).round(12).tolist()
        lines.append(f"np.testing.assert_allclose(params[{name!r}], {wanted}, rtol=1e-7, atol=1e-10)")
    return lines


def _dict(arrays: dict[str, Any]) -> str:
    return "{" + ", ".join(f"{name!r}: {literal(array)}" for name, array in arrays.items()) + "}"


# -- functions --------------------------------------------------------------------------------------
def _of_function(cls: str, probe: Probe, reference: dict[str, Any], c: Convention | None) -> list[str]:
    """im2col or col2im."""
    how = kind_of(probe.kind)
    (name, array), wanted = next(iter(probe.inputs.items())), reference[how.out]
    if c is None:
        rest = [f"{k}={literal(v)}" for k, v in probe.args.items()]
    else:
        if "N" not in c.columns or c.images != "NCHW" or len(c.out.path) > 1:
            return []
        rest = [f"{p}={value(meaning, probe)!r}" for p, meaning in c.forward_args if meaning != "x"]
        name = next(p for p, meaning in c.forward_args if meaning == "x")
        if probe.kind == "im2col":
            wanted = columns.given(wanted, len(array), c.columns)[0]
        else:
            array = columns.given(array, probe.args["input_shape"][0], c.columns)[0]
    return [f"out = {cls}({', '.join([f'{name}={literal(array)}', *rest])})", _equal("out", wanted)]


def _of_functions(probe: Probe, reference: dict[str, Any], c: Convention) -> list[str]:
    """A function of a layer or loss, and the one of its gradient; [] where they are called in odd ways."""
    if c.probabilities or c.derivative or c.mean or not c.takes(probe) or c.per_row:
        return []
    if any("N" not in layout for layout in (*c.x_layouts.values(), *c.out_layouts.values())):
        return []
    how = kind_of(probe.kind)
    texts = {name: literal(probe.inputs[name]) for name in ("t",) if name in probe.inputs}
    for name, layout in c.passed.items():
        array = probe.args.get(name)
        if array is None or "+" in layout:
            return []
        texts[name] = literal(np.array(laid_out(array, WEIGHTS.get(array.ndim, ""), layout)))

    def call(function: str, pairs: Any, own: dict[str, str]) -> str:
        given = []
        for parameter, meaning in pairs:
            text = own.get(meaning) or texts.get(meaning) or repr(value(meaning, probe))
            given.append(text if parameter.startswith("*") else f"{parameter}={text}")
        return f"{function.removeprefix('function ')}({', '.join(given)})"

    lines = [f"x = {literal(as_called(probe.inputs['x'], c, IN))}"]
    lines.append(f"returned = {call(c.forward, c.forward_args, {'x': 'x'})}")
    out = as_called(np.asarray(reference[how.out]), c, OUT)
    lines.append(_equal(f"returned{spelled(c.out.path[1:])}", out))
    if c.dx is not None and tuple(c.dx.path[0]) == (".", "out"):
        return [*lines, _equal(f"returned{spelled(c.dx.path[1:])}", reference["dx"])]
    if not c.backward or c.dx is None:
        return lines
    own = {"x": "x", "cache": "returned[1]"}
    if "dout" in probe.inputs:
        lines.append(f"dout = {literal(as_called(probe.inputs['dout'], c, OUT))}")
        own["dout"] = "dout"
    lines.append(f"back = {call(c.backward, c.backward_args, own)}")
    lines.append(_equal(f"back{spelled(c.dx.path[1:])}", as_called(np.asarray(reference["dx"]), c, IN)))
    for name, place in c.grads.items():
        wanted = reference[f"d{name}"]
        if tuple(place.path[0]) == (".", "back"):
            laid = laid_out(wanted, WEIGHTS.get(wanted.ndim, ""), place.layout)
            lines.append(_equal(f"back{spelled(place.path[1:])}", laid))
    return lines
