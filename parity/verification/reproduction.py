"""Five lines to paste: the smallest input on which an implementation is wrong, and both answers.

For the book's protocol they are plain NumPy, with the input written out. Where the finding needs a longer
scenario (or an adapter) they call `replay`, which runs that one probe again and prints what came out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from parity.adapters.convention import Convention
from parity.adapters.load import load
from parity.adapters.subject import AUTO, adapter_name, subject_here
from parity.checks.contracts import AFTER_ANOTHER, KEPT
from parity.checks.layer import check_kind
from parity.explain.exact import PHASE, certify
from parity.kinds import Probe, Tensors, kind_of
from parity.kinds.probes import probes
from parity.kinds.random_geometry import probe_named
from parity.kinds.real_sizes import real_sizes
from scratchcnn.typing import Array

LIMIT = 400  # numbers written out at most
CALLS = {
    "arguments unchanged": "layer.forward({x}); layer.backward({dout})",
    "same call, same answer": "layer.forward({x}); layer.backward({dout}); {both}",
    "backward twice": "out = layer.forward({x}); layer.backward({dout}); dx = layer.backward({dout})",
    "the last forward counts": "layer.forward(np.roll(-x, 1, axis=-1)); {both}",
    "buffers may be reused": "out = layer.forward(x).copy(); x[...] = 7; "
    "dx = layer.backward(dout); dout[...] = 7",
    KEPT: "out = layer.forward({x}); kept = [out.copy()]; dx = layer.backward({dout}); kept += [dx.copy()]; "
    "layer.forward({x}[::-1].copy()); layer.backward({dout}[::-1].copy())",
}


def reproduction(
    factory: Any,
    adapter: Any,
    probe: Probe,
    dtype: str,
    phase: str,
    tensor: str,
    seed: int,
    cut: int | None = None,
) -> str:
    """The lines, ready to run where the checked file can be found from.

    cut  which of the `simpler` ones the probe is, if it is one; it has the id of the whole one
    """
    found = isinstance(adapter, Convention)
    adapter = AUTO if found else adapter
    book = not found and adapter_name(adapter) == "book"
    if book and size(probe) <= LIMIT:
        lines = _plain(factory, probe.cast(dtype), dtype, phase, tensor)
        if lines and all(lines):
            return "\n".join(lines)
    target = repr(factory) if isinstance(factory, str) else name_of(factory)
    used = (
        ""
        if book
        else f", adapter={adapter!r}"
        if isinstance(adapter, str)
        else f", adapter={name_of(adapter)}"
    )
    of = "" if cut is None else f", cut={cut}"
    lines = [
        "" if isinstance(factory, str) else import_line(factory),
        "from parity.verification.reproduction import replay",
        f"case, tensor, phase = {probe.id!r}, {tensor!r}, {phase!r}",
        f"replay({target}, {probe.kind!r}, case, {dtype!r}, phase, tensor, seed={seed}{used}{of})",
    ]
    return "\n".join(filter(None, lines))


def replay(
    factory: Any,
    kind: str,
    case: str,
    dtype: str,
    phase: str,
    tensor: str,
    seed: int = 0,
    adapter: Any = None,
    cut: int | None = None,
) -> None:
    """Run one probe again, in this process, and print what it gives beside PyTorch's.

    With `cut` it is that one of the probes which are `simpler` than the one named.
    """
    known = [*probes(kind, seed), *real_sizes(kind)]
    cases = [probe for probe in known if probe.id == case] or [probe_named(kind, case)]
    factory = load(factory) if isinstance(factory, str) else factory
    values: dict[str, Tensors] = {}
    subject = subject_here(factory, kind, adapter)
    if subject.convention is not None:
        cases = [subject.convention.fitted(probe) for probe in cases]
    if cut is not None:
        cases = [simpler(cases[0])[cut]]
        case = f"{case}, cut down"
        cases[0] = replace(cases[0], id=case)
    if phase == PHASE:
        for row in certify(subject, kind, cases)[1]:
            print(f"{kind}, {phase}, {row.tensor} on {case!r}: {row.why}")
        return
    for row in check_kind(kind, dtype, "cpu", seed, subject, None, cases, values, lives=True):
        if row.tensor == tensor and row.phase == phase:
            found = "right" if row.ok else row.why or f"off by {row.max_abs:.3g}"
            print(f"{kind}, {phase}, {tensor} on {case!r}: {found}")
    if tensor in values.get(case, {}):
        print(values[case][tensor], "PyTorch:", kind_of(kind).reference(cases[0])[tensor], sep="\n")


# -- plain lines ----------------------------------------------------------------------------------
def _plain(factory: Any, probe: Probe, dtype: str, phase: str, tensor: str) -> list[str]:
    """The five lines for the book's protocol; none where they would not show the whole finding."""
    inputs, args = probe.inputs, dict(probe.args)
    imports = "import numpy as np"
    if isinstance(factory, str):
        made, imports = f"load({factory!r})", f"{imports}; from parity.adapters.load import load"
    else:
        made, imports = name_of(factory), f"{imports}; {line}" if (line := import_line(factory)) else imports
    expected = f'"PyTorch:", {_literal(_reference(probe, dtype, tensor, phase))}'
    if kind_of(probe.kind).role == "optimizer":
        return _optimizer(imports, made, probe, phase, tensor, expected)
    if kind_of(probe.kind).role == "function":
        if phase != "forward":
            return []
        return _function(imports, made, probe, expected)
    if probe.kind == "dropout" or args.get("training") is False:
        return []
    data = [name for name in ("x", "t", "dout") if name in inputs]
    line = f"{', '.join(data)} = {', '.join(_literal(inputs[name]) for name in data)}"
    build = f"layer = {made}({_arguments(args, kind_of(probe.kind).order)})"
    calls = "" if tensor.endswith(AFTER_ANOTHER) else _calls(probe, phase)
    return [imports, line, build, calls, _print(probe, phase, tensor, expected)] if calls else []


def _function(imports: str, made: str, probe: Probe, expected: str) -> list[str]:
    kind, (name, array) = kind_of(probe.kind), next(iter(probe.inputs.items()))
    texts = {k: v if k in kind.functions else _literal(v) for k, v in probe.args.items()} | {name: name}
    leading = kind.order[: kind.order.index(name) + 1]
    given = [*(texts.pop(k) for k in leading), *(f"{k}={text}" for k, text in texts.items())]
    return [
        imports,
        f"{name} = {_literal(array)}",
        f"out = {made}({', '.join(given)})",
        f"print(out, {expected})",
    ]


def _calls(probe: Probe, phase: str) -> str:
    """What is called; a contract has calls of its own."""
    x, dout = ("x, t", "") if kind_of(probe.kind).role == "loss" else ("x", "dout")
    both = f"out = layer.forward({x}); dx = layer.backward({dout})"
    if phase == "forward":
        return f"out = layer.forward({x})"
    if phase in ("backward", "calls", "contracts"):
        return both
    if phase not in CALLS or (
        kind_of(probe.kind).role == "loss"
        and phase in ("the last forward counts", "buffers may be reused", KEPT)
    ):
        return ""
    before = "before = [a.copy() for a in (x, dout)]; " if phase == "arguments unchanged" and dout else ""
    return before + CALLS[phase].format(x=x, dout=dout, both=both)


def _print(probe: Probe, phase: str, tensor: str, expected: str) -> str:
    if phase == "arguments unchanged":
        name = tensor.removesuffix(" unchanged")
        return (
            f'print("{name} before and after:", before[{int(name == "dout")}], {name})'
            if name in ("x", "dout")
            else ""
        )
    if phase in ("calls", "contracts"):
        return "print(out, dx)"
    if phase == KEPT:
        name = tensor.split(" ")[0]
        return f'print("{name} before and after:", kept[{int(name == "dx")}], {name})'
    shown = "out" if tensor in ("out", "loss") else tensor if tensor == "dx" else f"layer.{tensor}"
    return f"print({shown}, {expected})"


def _optimizer(imports: str, made: str, probe: Probe, phase: str, tensor: str, expected: str) -> list[str]:
    if phase not in ("forward", "backward"):
        return []
    name, _, step = tensor.split(" ")
    made = f"{made}({_arguments(probe.args, ())})"
    return [
        imports,
        f"params = {_literals(probe.inputs['params'])}",
        f"steps = [{', '.join(map(_literals, probe.inputs['grads'][: int(step)]))}]",
        f"optimizer = {made}; [optimizer.update(params, grads) for grads in steps]",
        f"print(params[{name!r}], {expected})",
    ]


def _literals(arrays: dict[str, Array]) -> str:
    return "{" + ", ".join(f"{name!r}: {_literal(a)}" for name, a in arrays.items()) + "}"


def _reference(probe: Probe, dtype: str, tensor: str, phase: str) -> Any:
    return kind_of(probe.kind).reference(probe, dtype).get(tensor)


def _arguments(args: dict[str, Any], order: tuple[str, ...]) -> str:
    """W and b (or the window, or the size) by position as the book writes them, the rest by name."""
    leading = [name for name in order[:2] if name in args]
    texts = [_literal(args[name]) for name in leading]
    return ", ".join(texts + [f"{k}={_literal(v)}" for k, v in args.items() if k not in leading])


def _literal(value: Any) -> str:
    """What to type for it; whole numbers without their .0."""
    if not isinstance(value, np.ndarray):
        return repr(value)
    if value.dtype.kind == "f" and np.all(np.abs(value) < 1e6) and np.array_equal(value, np.round(value)):
        dtype = "float" if value.dtype == np.float64 else f"np.{value.dtype}"
        return f"np.array({value.astype(int).tolist()}, {dtype})"
    dtype = "" if value.dtype in (np.float64, np.int64, np.bool_) else f", np.{value.dtype}"
    return f"np.array({value.tolist()}{dtype})"


def size(probe: Probe) -> int:
    def count(value: Any) -> int:
        if isinstance(value, dict):
            return sum(map(count, value.values()))
        if isinstance(value, list):
            return sum(map(count, value))
        return value.size if isinstance(value, np.ndarray) else 0

    return count(probe.args) + count(probe.inputs)


# -- names ----------------------------------------------------------------------------------------
def name_of(factory: Any) -> str:
    """How the code that was passed calls it."""
    if isinstance(factory, tuple):
        return f"({', '.join(map(name_of, factory))})"
    if isinstance(factory, partial):
        options = "".join(f", {k}={v!r}" for k, v in factory.keywords.items())
        return f"partial({name_of(factory.func)}{options})"
    return getattr(factory, "__qualname__", type(factory).__name__).split("<locals>.")[-1]


def import_line(factory: Any) -> str:
    """`from module import Name`; nothing for what was defined in the session itself."""
    if isinstance(factory, tuple):
        return "; ".join(filter(None, map(import_line, factory)))
    if isinstance(factory, partial):
        return "; ".join(filter(None, ["from functools import partial", import_line(factory.func)]))
    module, name = getattr(factory, "__module__", "__main__"), getattr(factory, "__qualname__", "")
    if module == "__main__" or "<locals>" in name or not name:
        return ""
    return f"from {module} import {name.split('.')[0]}"


# -- simpler inputs -------------------------------------------------------------------------------
WINDOWS = (
    *("convolution", "max_pooling", "average_pooling", "min_pooling"),
    *("max_pooling_options", "average_pooling_options"),
)


def simpler(probe: Probe) -> list[Probe]:
    """The same probe with small whole numbers, on one channel of one image if that makes sense.

    The simplest first; whether it still fails in the same way is for the caller to try. The ids differ.
    """
    small = [probe]
    if "x" in probe.inputs and not probe.kind.startswith("batch_norm"):
        small.insert(0, _one_image(probe))
    if probe.kind in WINDOWS and probe.args.get("groups", 1) == 1:
        small.insert(0, _one_channel(small[0]))
    if kind_of(probe.kind).within is not None:
        return [replace(_mapped(p, _to_eighths), id=f"{probe.id} #{i}") for i, p in enumerate(small)]
    return [replace(_mapped(p, _round), id=f"{probe.id} #{i}") for i, p in enumerate(small)]


def _one_image(probe: Probe) -> Probe:
    arrays = {k: a[:1] if isinstance(a, np.ndarray) else a for k, a in probe.inputs.items()}
    return replace(probe, inputs=arrays)


def _one_channel(probe: Probe) -> Probe:
    """One input channel and one filter."""
    args = dict(probe.args)
    for name, part in (("W", np.s_[:1, :1]), ("b", np.s_[:1])):
        if isinstance(args.get(name), np.ndarray):
            args[name] = args[name][part]
    return replace(probe, args=args, inputs={k: a[:, :1] for k, a in probe.inputs.items()})


def _mapped(probe: Probe, change: Callable[[Array], Array]) -> Probe:
    """Every array of floats changed."""

    def changed(value: Any) -> Any:
        if isinstance(value, dict):
            return {k: changed(v) for k, v in value.items()}
        if isinstance(value, list):
            return [changed(v) for v in value]
        return change(value) if isinstance(value, np.ndarray) and value.dtype.kind == "f" else value

    return replace(probe, args=changed(probe.args), inputs=changed(probe.inputs))


def _to_eighths(a: Array) -> Array:
    """Of probabilities."""
    return a if np.isin(a, (0, 1)).all() else np.round(8 * a).clip(1, 7) / 8


def _round(a: Array) -> Array:
    if np.isin(a, (0, 1)).all():  # one-hot labels
        return a
    return np.round(2 * a if np.abs(a).max(initial=0) < 8 else a) + 0.0
