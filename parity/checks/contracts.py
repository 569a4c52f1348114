"""What a layer owes its caller beyond the right numbers, and bugs that a single call never shows.

Each contract is one scenario on one probe; its outcome is a record like any other: the contract's name,
the tensor that was wrong, and why.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from parity.adapters.bench import Raised
from parity.adapters.layouts import one_at_a_time
from parity.adapters.subject import Instance, Subject
from parity.adapters.wire import Odd
from parity.checks.changed_rate import CHANGED_RATE, changed_rate
from parity.checks.changed_weights import CHANGED, changed_weights
from parity.checks.long_life import LIVES, Scenario, but_running, down_the_batch
from parity.checks.loss_cotangent import DOUT, loss_cotangent
from parity.checks.one_row import ONE_ROW, one_row
from parity.comparison.gates import Comparison, refused
from parity.kinds import Probe, kind_of
from scratchcnn.typing import Array

Judge = Callable[[Probe, dict[str, Any]], dict[str, Comparison]]
Outcome = tuple[str, str, Comparison]  # contract, tensor, how it compared
GARBAGE = 7.0
KEPT, OVERWRITTEN = "results may be kept", "was written over"
AFTER_ANOTHER = "after another object's call"


def check_contracts(
    subject: Subject, probe: Probe, judge: Judge, scenarios: Mapping[str, Scenario] | None = None
) -> Iterator[Outcome]:
    """Every contract that applies to the probe's kind; other scenarios where they are given.

    `judge` compares results with PyTorch's on a probe. What a single call gets wrong is not repeated
    here: only tensors that a plain call has right are held to a contract.
    """
    plain = judge(probe, subject.results(probe))
    right = {tensor for tensor, comparison in plain.items() if comparison.ok}
    for name, scenario in (CONTRACTS if scenarios is None else scenarios).items():
        for tensor, comparison in scenario(subject, probe, judge):
            if tensor not in plain or tensor in right:
                yield name, tensor, comparison


def check_optimizer_contracts(subject: Subject, probe: Probe) -> Iterator[Outcome]:
    """`update` reads the gradients without writing into them, and changes the arrays of params in place.

    A learning rate that is set between two steps counts.
    """
    optimizer = subject.build(probe)
    optimizer.results()
    held = optimizer.held()
    steps, params = held["inputs"]["grads"], held["inputs"]["params"]
    pairs = zip(probe.inputs["grads"], steps, strict=True)  # a later update may write too
    for step, (given, grads) in enumerate(pairs, 1):
        for name in given:
            comparison = _unchanged(given[name], grads.get(name))
            yield "arguments unchanged", f"gradient {name} of step {step} unchanged", comparison
    for name, array in held["arrays"].items():
        same = _same(array, params.get(name))
        comparison = _holds(probe.inputs["params"][name], same, "was replaced, not changed in place")
        yield "updated in place", f"{name} unchanged as an object", comparison
    yield from ((CHANGED_RATE, name, comparison) for name, comparison in changed_rate(subject, probe))


def _same(a: Any, b: Any) -> bool:
    """Whether both are arrays of the same contents, bit for bit."""
    if not isinstance(a, np.ndarray) or not isinstance(b, np.ndarray):
        return False
    return a.dtype == b.dtype and np.array_equal(a, b, equal_nan=a.dtype.kind == "f")


def _unchanged(before: Array, after: Any) -> Comparison:
    """Bit for bit the same array contents."""
    if _same(before, after):
        return Comparison(before.shape, 0.0, 0.0, 0.0, 0.0, True, True)
    return refused(before, "was written into")


def unchanged(subject: Subject, probe: Probe, judge: Judge) -> Iterator[tuple[str, Comparison]]:
    """x, t, dout and the parameters hold after forward and backward what they held before."""
    layer = subject.build(probe, copy=False)
    layer.results()
    held = layer.held()
    now = {**held["args"], **held["inputs"]}
    given = {**probe.inputs, **{k: v for k, v in probe.args.items() if not k.startswith("running")}}
    for name, before in given.items():
        if isinstance(before, np.ndarray):
            yield f"{name} unchanged", _unchanged(before, now.get(name))


def repeatable(subject: Subject, probe: Probe, judge: Judge) -> Iterator[tuple[str, Comparison]]:
    """The same call gives the same answer; gradients are fresh, not added to the last ones."""
    layer = subject.build(probe)
    layer.results()
    yield from but_running(judge(probe, layer.results()))


def backward_twice(subject: Subject, probe: Probe, judge: Judge) -> Iterator[tuple[str, Comparison]]:
    """A second backward after one forward gives the same gradients, on x as it was: a write into it is told
    by the contract that asks for it."""
    if kind_of(probe.kind).role == "function":
        return
    layer = subject.build(probe)
    found = layer.results()
    x = probe.inputs.get("x")
    if isinstance(x, np.ndarray) and not _same(x, layer.held()["inputs"].get("x")):
        layer.overwrite("x", x)
    found["dx"] = layer.backward(probe.inputs)
    yield from but_running(judge(probe, found | layer.state()))


def last_forward_counts(subject: Subject, probe: Probe, judge: Judge) -> Iterator[tuple[str, Comparison]]:
    """forward(other), forward(x), backward: the gradients are those of x."""
    if kind_of(probe.kind).role == "function":
        return
    layer = subject.build(probe)
    x = probe.inputs["x"]
    other = np.roll(-x, 1, axis=x.ndim - 1) if probe.kind != "penalty_loss" else np.roll(x, 1, axis=1)
    layer.forward({**probe.inputs, "x": kind_of(probe.kind).inside(other)})
    yield from but_running(judge(probe, layer.results()))


def input_may_be_reused(subject: Subject, probe: Probe, judge: Judge) -> Iterator[tuple[str, Comparison]]:
    """The caller overwrites x after forward, and dout after backward: no result changes."""
    layer = subject.build(probe)
    kept = layer.forward()
    for name in ("x", "input_data", "col"):
        if name in probe.inputs:
            layer.overwrite(name, GARBAGE)
    if kind_of(probe.kind).role == "function":
        yield from judge(probe, {_out(probe): layer.returned("forward")}).items()
        return
    dx = layer.backward()
    if "dout" in probe.inputs:
        layer.overwrite("dout", GARBAGE)
        dx = dx if isinstance(dx, Odd) else layer.returned("backward")
    yield from but_running(judge(probe, {_out(probe): kept, "dx": dx, **layer.state()}))


def results_stay(subject: Subject, probe: Probe, judge: Judge) -> Iterator[tuple[str, Comparison]]:
    """What a call returned stays as it was: no later call, of this object or of another, writes into it."""
    name, turned = _out(probe), _turned(probe)
    if _takes_one_image(subject, probe):  # of several a new array is made
        probe, turned = replace(probe, inputs=_first(probe.inputs)), _first(turned)
    layer = subject.build(probe)
    if kind_of(probe.kind).role == "function":
        out = layer.forward()
        layer.forward(turned)
        yield f"{name} {AFTER_ANOTHER}", _kept(out, layer.returned("forward", before=True))
        return
    other = subject.build(replace(probe, inputs=turned))
    out = layer.forward()
    other.forward()
    out, now = layer.returned("forward"), out
    yield f"{name} {AFTER_ANOTHER}", _kept(now, out)
    dx = layer.backward()
    out, now = layer.returned("forward"), out
    yield f"{name} after backward", _kept(now, out)
    grads = _gradients(layer)
    other.backward()
    for gradient, after in _gradients(layer).items():
        yield f"{gradient} {AFTER_ANOTHER}", _kept(grads.get(gradient), after)
    dx, now = layer.returned("backward"), dx
    yield f"dx {AFTER_ANOTHER}", _kept(now, dx)
    layer.forward(turned)
    yield f"{name} after the next forward", _kept(out, layer.returned("forward", before=True))
    dx, now = layer.returned("backward"), dx
    yield "dx after the next forward", _kept(now, dx)
    layer.backward()
    yield "dx after the next backward", _kept(dx, layer.returned("backward", before=True))


def _takes_one_image(subject: Subject, probe: Probe) -> bool:
    """Whether a layer is handed image after image, or row after row."""
    x, c = probe.inputs.get("x"), subject.convention
    if not isinstance(x, np.ndarray) or c is None or kind_of(probe.kind).role != "layer" or c.by_number:
        return False
    return one_at_a_time(c.x_layouts.get(x.ndim, ""))


def _first(inputs: dict[str, Any]) -> dict[str, Any]:
    """The first image of each."""
    return {name: a[:1] if isinstance(a, np.ndarray) and a.ndim else a for name, a in inputs.items()}


def _turned(probe: Probe) -> dict[str, Any]:
    """Other inputs of the same shapes: the last image comes first, and dout has the other sign."""
    signs = {"x": 1, "dout": -1, "input_data": 1, "col": 1}
    return {
        name: signs[name] * a[::-1] if name in signs and isinstance(a, np.ndarray) and a.ndim else a
        for name, a in probe.inputs.items()
    }


def _gradients(layer: Instance) -> dict[str, Any]:
    return {name: value for name, value in layer.state().items() if name.startswith("d")}


def _kept(before: Any, now: Any) -> Comparison:
    """What is no array has been found by other checks."""
    if not isinstance(before, np.ndarray) or _same(before, now):
        return Comparison(np.shape(before), 0.0, 0.0, 0.0, 0.0, True, True)
    return refused(before, OVERWRITTEN)


def eval_then_train(subject: Subject, probe: Probe, judge: Judge) -> Iterator[tuple[str, Comparison]]:
    """An inference call leaves no trace: training afterwards is as if it had not been."""
    if not kind_of(probe.kind).switches or probe.args.get("training") is False:
        return
    if "mask" not in probe.inputs and probe.kind == "dropout":
        return
    if subject.convention is not None and subject.convention.limits.get("training"):
        return  # nothing switches it
    layer = subject.build(probe)
    layer.infer()
    layer.forward({k: v for k, v in probe.inputs.items() if k != "mask"})
    layer.learn()
    yield from judge(probe, layer.results()).items()


def drawn_masks(subject: Subject, probe: Probe, judge: Judge) -> Iterator[tuple[str, Comparison]]:
    """The masks that dropout draws itself: the right share, fresh each time, and backward uses the same.

    A share that is off by more than six standard deviations of a fair draw fails (once in 5e8).
    """
    if probe.kind != "dropout" or "mask" not in probe.inputs:
        return
    ratio, x = probe.args["dropout_ratio"], np.ones((100, 200), dtype=probe.dtype)
    if not subject.backward_too:
        yield from _drawn_forward_alone(subject, probe, x)
        return
    layer = subject.build(probe)
    first = layer.draw(x)
    if first is None:  # the adapter cannot say
        return
    dx = layer.backward({"x": x, "dout": x})
    again = layer.draw(x)
    for name, found in (("first mask", first), ("second mask", again), ("dx", dx)):
        if isinstance(found, Odd) or found is None or found.shape != x.shape:
            yield name, _holds(x, False, found.why if isinstance(found, Odd) else "is not of x's shape")
            return
    sigma = np.sqrt(ratio * (1 - ratio) / x.size)
    share = float((first != 0).mean())
    yield (
        "share kept",
        _holds(x, abs(share - (1 - ratio)) <= 6 * sigma, f"kept {share:.3f}, expected {1 - ratio:.3f}"),
    )
    yield "one draw a number", _drawn_apart(first, ratio)
    yield (
        "a fresh mask each time",
        _holds(x, not np.array_equal(first, again), "two forwards drew the same mask"),
    )
    yield (
        "backward's mask",
        _holds(x, np.array_equal(first != 0, dx != 0), "backward used another mask than forward"),
    )


def _drawn_forward_alone(subject: Subject, probe: Probe, x: Array) -> Iterator[tuple[str, Comparison]]:
    """Whether numbers are dropped apart, of a dropout whose mask shows in its output and nowhere else."""
    if subject.convention is None:
        return
    try:
        first = subject.build(probe).draw(x)
    except Raised:  # it takes no rows
        return
    if isinstance(first, np.ndarray) and first.shape == x.shape and 0 < (first != 0).mean() < 1:
        yield "one draw a number", _drawn_apart(first, probe.args["dropout_ratio"])


def _drawn_apart(out: Array, ratio: float) -> Comparison:
    """Whether no row and no column of the output for ones (100, 200) has far more zeros than its share."""
    kept = out != 0
    uneven = max(
        np.abs(kept.mean(axis=1) - (1 - ratio)).max() * out.shape[1] ** 0.5,
        np.abs(kept.mean(axis=0) - (1 - ratio)).max() * out.shape[0] ** 0.5,
    )
    same = np.array_equal(kept, np.broadcast_to(kept[0], kept.shape))
    why = "the same units are dropped in every row" if same else "rows or columns are dropped together"
    return _holds(out, uneven <= 6 * np.sqrt(ratio * (1 - ratio)), why)


def _holds(like: Array, ok: Any, why: str) -> Comparison:
    return Comparison(like.shape, 0.0, 0.0, 0.0, 0.0, False, True) if ok else refused(like, why)


def split_batch(subject: Subject, probe: Probe, judge: Judge) -> Iterator[tuple[str, Comparison]]:
    """Two half batches give the same outputs and dx, and gradients that add up."""
    x = probe.inputs.get("x")
    whole = probe.kind == "batch_norm" and probe.args.get("training", True)
    whole |= probe.kind == "batch_norm_options"  # without running statistics in inference too
    whole |= down_the_batch(probe)
    if x is None or len(x) < 2 or whole or kind_of(probe.kind).role != "layer":
        return
    halves = []
    for part in (slice(0, 1), slice(1, None)):
        inputs = {k: v[part].copy() if isinstance(v, np.ndarray) else v for k, v in probe.inputs.items()}
        halves.append(subject.results(replace(probe, inputs=inputs)))
    joined = {name: _joined(name, halves[0][name], halves[1].get(name)) for name in halves[0]}
    yield from but_running(judge(probe, {name: a for name, a in joined.items() if a is not None}))


def _joined(name: str, a: Any, b: Any) -> Any:
    """The result of the whole batch from those of its halves; None where there is none."""
    if not isinstance(a, np.ndarray) or not isinstance(b, np.ndarray):
        return None
    if name in ("out", "dx"):
        return np.concatenate([a, b]) if a.ndim and a.shape[1:] == b.shape[1:] else None
    return np.asarray(a + b) if a.shape == b.shape else None


def _out(probe: Probe) -> str:
    return kind_of(probe.kind).out


CONTRACTS: dict[str, Callable[..., Iterator[tuple[str, Comparison]]]] = {
    "arguments unchanged": unchanged,
    "same call, same answer": repeatable,
    "backward twice": backward_twice,
    "the last forward counts": last_forward_counts,
    "buffers may be reused": input_may_be_reused,
    KEPT: results_stay,
    "eval, then train": eval_then_train,
    "two half batches": split_batch,
    "masks it draws": drawn_masks,
    CHANGED: changed_weights,
    DOUT: loss_cotangent,
    ONE_ROW: one_row,
}
SCENARIOS = {**CONTRACTS, **LIVES}  # all that a layer is held to beyond single calls
