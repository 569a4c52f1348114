"""What a layer owes its caller beyond the right numbers, and bugs that a single call never shows.

Each contract is one scenario on one probe; its outcome is a record like any other: the contract's name,
the tensor that was wrong, and why.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.adapters.book import Book
from parity.comparison.gates import Comparison, refused
from parity.kinds import Probe, Tensors, kind_of

Judge = Callable[[Probe, Tensors], dict[str, Comparison]]
Outcome = tuple[str, str, Comparison]  # contract, tensor, how it compared
GARBAGE = 7.0


def check_contracts(
    factory: Callable[..., Any], protocol: Book, probe: Probe, judge: Judge
) -> Iterator[Outcome]:
    """Every contract that applies to the probe's kind.

    `judge` compares results with PyTorch's on a probe. What a single call gets wrong is not repeated
    here: only tensors that a plain call has right are held to a contract.
    """
    plain = judge(probe, protocol.results(protocol.build(factory, probe), _copy(probe)))
    right = {tensor for tensor, comparison in plain.items() if comparison.ok}
    for name, scenario in CONTRACTS.items():
        for tensor, comparison in scenario(factory, protocol, probe, judge):
            if tensor not in plain or tensor in right:
                yield name, tensor, comparison


def check_optimizer_contracts(factory: Callable[..., Any], probe: Probe) -> Iterator[Outcome]:
    """`update` reads the gradients without writing into them, and changes the arrays of params in place."""
    optimizer = factory(**probe.args)
    params, steps = probe.cast(np.float64).inputs["params"], probe.cast(np.float64).inputs["grads"]
    arrays = dict(params)
    for grads in steps:
        optimizer.update(params, grads)
    pairs = zip(probe.inputs["grads"], steps, strict=True)  # a later update may write too
    for step, (given, grads) in enumerate(pairs, 1):
        for name in grads:
            comparison = _unchanged(given[name], grads[name])
            yield "arguments unchanged", f"gradient {name} of step {step} unchanged", comparison
    for name, array in arrays.items():
        same = params.get(name) is array
        comparison = (
            _unchanged(array, array) if same else refused(array, "was replaced, not changed in place")
        )
        yield "updated in place", f"{name} unchanged as an object", comparison


def _copy(probe: Probe) -> Probe:
    return probe.cast(probe.dtype)


def _unchanged(before: NDArray, after: NDArray) -> Comparison:
    """Bit for bit the same array contents."""
    same = np.array_equal(before, after, equal_nan=before.dtype.kind == "f")
    if same:
        return Comparison(before.shape, 0.0, 0.0, 0.0, 0.0, True, True)
    return refused(before, "was written into")


def unchanged(factory: Any, protocol: Book, probe: Probe, judge: Judge) -> Iterator[tuple[str, Comparison]]:
    """x, t, dout and the parameters hold after forward and backward what they held before."""
    used = _copy(probe)
    layer = protocol.build(factory, used, copy=False)
    protocol.results(layer, used)
    given = {**probe.inputs, **{k: v for k, v in probe.args.items() if not k.startswith("running")}}
    for name, before in given.items():
        if isinstance(before, np.ndarray):
            yield f"{name} unchanged", _unchanged(before, {**used.args, **used.inputs}[name])


def repeatable(factory: Any, protocol: Book, probe: Probe, judge: Judge) -> Iterator[tuple[str, Comparison]]:
    """The same call gives the same answer; gradients are fresh, not added to the last ones."""
    layer = protocol.build(factory, probe)
    protocol.results(layer, _copy(probe))
    again = protocol.results(layer, _copy(probe))
    yield from _but_running(judge(probe, again))


def backward_twice(
    factory: Any, protocol: Book, probe: Probe, judge: Judge
) -> Iterator[tuple[str, Comparison]]:
    """A second backward after one forward gives the same gradients."""
    if kind_of(probe.kind).role == "function":
        return
    layer = protocol.build(factory, probe)
    found = protocol.results(layer, _copy(probe))
    found["dx"] = protocol.backward(layer, _copy(probe))
    yield from _but_running(judge(probe, found | protocol.state(layer, probe)))


def last_forward_counts(
    factory: Any, protocol: Book, probe: Probe, judge: Judge
) -> Iterator[tuple[str, Comparison]]:
    """forward(other), forward(x), backward: the gradients are those of x."""
    if kind_of(probe.kind).role == "function":
        return
    layer = protocol.build(factory, probe)
    x = probe.inputs["x"]
    other = np.roll(-x, 1, axis=x.ndim - 1) if probe.kind != "penalty_loss" else np.roll(x, 1, axis=1)
    protocol.forward(layer, replace(probe, inputs={**_copy(probe).inputs, "x": other}))
    yield from _but_running(judge(probe, protocol.results(layer, _copy(probe))))


def input_may_be_reused(
    factory: Any, protocol: Book, probe: Probe, judge: Judge
) -> Iterator[tuple[str, Comparison]]:
    """The caller overwrites x after forward, and dout after backward: no result changes."""
    used = _copy(probe)
    layer = protocol.build(factory, used)
    first = protocol.forward(layer, used)
    kept = np.array(first)
    for name in ("x", "input_data", "col"):
        if name in used.inputs:
            used.inputs[name][...] = GARBAGE
    if kind_of(probe.kind).role == "function":
        yield from judge(probe, {_out(probe): np.asarray(first)}).items()
        return
    dx = protocol.backward(layer, used)
    if "dout" in used.inputs:
        used.inputs["dout"][...] = GARBAGE
    yield from _but_running(judge(probe, {_out(probe): kept, "dx": dx, **protocol.state(layer, probe)}))


def eval_then_train(
    factory: Any, protocol: Book, probe: Probe, judge: Judge
) -> Iterator[tuple[str, Comparison]]:
    """An inference call leaves nothing behind: training afterwards is as if it had not been."""
    if not kind_of(probe.kind).switches or probe.args.get("training") is False:
        return
    if "mask" not in probe.inputs and probe.kind == "dropout":
        return
    layer = protocol.build(factory, probe)
    protocol.infer(layer)
    protocol.forward(
        layer, replace(probe, inputs={k: v for k, v in _copy(probe).inputs.items() if k != "mask"})
    )
    protocol.learn(layer)
    yield from judge(probe, protocol.results(layer, _copy(probe))).items()


def drawn_masks(factory: Any, protocol: Book, probe: Probe, judge: Judge) -> Iterator[tuple[str, Comparison]]:
    """The masks that dropout draws itself: the right share, fresh each time, and backward uses the same.

    A share that is off by more than six standard deviations of a fair draw fails (once in 5e8).
    """
    if probe.kind != "dropout" or "mask" not in probe.inputs:
        return
    ratio, x = probe.args["dropout_ratio"], np.ones((100, 200), dtype=probe.dtype)
    layer = protocol.build(factory, probe)
    if not (hasattr(layer, "forward") and hasattr(layer, "backward")):  # an adapter's layer, or no backward
        return
    first = np.array(layer.forward(x))
    dx = np.asarray(layer.backward(x.copy()))
    again = np.array(layer.forward(x))
    sigma = np.sqrt(ratio * (1 - ratio) / x.size)
    share = float((first != 0).mean())
    yield (
        "share kept",
        _holds(x, abs(share - (1 - ratio)) <= 6 * sigma, f"kept {share:.3f}, expected {1 - ratio:.3f}"),
    )
    rows, columns = (first != 0).mean(axis=1), (first != 0).mean(axis=0)
    uneven = max(
        np.abs(rows - (1 - ratio)).max() * x.shape[1] ** 0.5,
        np.abs(columns - (1 - ratio)).max() * x.shape[0] ** 0.5,
    )
    yield (
        "one draw a number",
        _holds(x, uneven <= 6 * np.sqrt(ratio * (1 - ratio)), "rows or columns are dropped together"),
    )
    yield (
        "a fresh mask each time",
        _holds(x, not np.array_equal(first, again), "two forwards drew the same mask"),
    )
    yield (
        "backward's mask",
        _holds(x, np.array_equal(first != 0, dx != 0), "backward used another mask than forward"),
    )


def _holds(like: NDArray, ok: Any, why: str) -> Comparison:
    return Comparison(like.shape, 0.0, 0.0, 0.0, 0.0, False, True) if ok else refused(like, why)


def split_batch(factory: Any, protocol: Book, probe: Probe, judge: Judge) -> Iterator[tuple[str, Comparison]]:
    """Two half batches give the same outputs and dx, and gradients that add up."""
    x = probe.inputs.get("x")
    if x is None or len(x) < 2 or kind_of(probe.kind).role == "loss" or (
        probe.kind == "batch_norm" and probe.args.get("training", True)
    ):  # fmt: skip
        return
    halves = []
    for part in (slice(0, 1), slice(1, None)):
        inputs = {k: v[part].copy() if isinstance(v, np.ndarray) else v for k, v in probe.inputs.items()}
        half = replace(probe, inputs=inputs)
        halves.append(protocol.results(protocol.build(factory, half), half))
    joined: Tensors = {}
    for name in halves[0]:
        a, b = halves[0][name], halves[1][name]
        if a is not None and b is not None:
            joined[name] = np.concatenate([a, b]) if name in ("out", "dx") else np.asarray(a + b)
    yield from _but_running(judge(probe, joined))


def _out(probe: Probe) -> str:
    return kind_of(probe.kind).out


def _but_running(judged: dict[str, Comparison]) -> Iterator[tuple[str, Comparison]]:
    """Running statistics move with every forward, so only single calls are judged on them."""
    return ((tensor, c) for tensor, c in judged.items() if not tensor.startswith("running"))


CONTRACTS: dict[str, Callable[..., Iterator[tuple[str, Comparison]]]] = {
    "arguments unchanged": unchanged,
    "same call, same answer": repeatable,
    "backward twice": backward_twice,
    "the last forward counts": last_forward_counts,
    "buffers may be reused": input_may_be_reused,
    "eval, then train": eval_then_train,
    "two half batches": split_batch,
    "masks it draws": drawn_masks,
}
