"""A softmax along another axis than the one asked for, and sums and maxima over something else."""

# A probe holds arrays as Any, and lambdas keep loop variables as defaults.
# mypy: disable-error-code="no-any-return, misc"

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from parity.kinds import Probe
from scratchcnn.typing import Array

Reduce = Callable[[Probe, Array, Callable[..., Array]], "Array | None"]


def softmax_axis(name: str) -> Iterator[tuple[str, Callable[[Probe], Array | None]]]:
    """(what is different, the result) for out or dx."""
    if name == "out":
        for words, over in REDUCTIONS.items():
            yield f"the softmax {words}", lambda p, o=over: _softmax(p, o, o)
        for words, over in REDUCTIONS.items():
            yield f"the softmax with the maximum {words}", lambda p, o=over: _softmax(p, o, _asked)
        yield "the softmax without the shift by the maximum", lambda p: _softmax(p, _nothing, _asked)
        yield "the softmax with sums that lack keepdims", lambda p: _softmax(p, _asked, _bare)
    if name == "dx":
        for words, over in {"along the axis": _asked, **REDUCTIONS}.items():
            yield (
                f"what follows from its own out: y*(dout - sum(dout*y)), the sum {words}",
                lambda p, o=over: _gradient(p, o),
            )
        yield "what follows from its own out, with a sum that lacks keepdims", lambda p: _gradient(p, _bare)
        yield "dout*y*(1 - y), the diagonal of the Jacobian alone", _diagonal


def _over(axis: Callable[[Probe, Array], int | tuple[int, ...] | None]) -> Reduce:
    return lambda p, a, reduce: reduce(a, axis=axis(p, a), keepdims=True)


def _counted_without_batch(p: Probe, a: Array) -> int:
    axis: int = p.args["axis"]
    return (axis + 1) % a.ndim if axis >= 0 else axis


_asked = _over(lambda p, a: p.args["axis"])
REDUCTIONS: dict[str, Reduce] = {
    "along the second axis": _over(lambda p, a: 1),
    "along the last axis": _over(lambda p, a: a.ndim - 1),
    "along the first axis": _over(lambda p, a: 0),
    "along the axis counted without the batch": _over(_counted_without_batch),
    "along the axis without its sign": _over(lambda p, a: min(abs(p.args["axis"]), a.ndim - 1)),
    "over all numbers of an image": _over(lambda p, a: tuple(range(1, a.ndim))),
    "over everything": _over(lambda p, a: None),
}


def _bare(p: Probe, a: Array, reduce: Callable[..., Array]) -> Array | None:
    """Without keepdims, where NumPy broadcasts that along other axes."""
    found = reduce(a, axis=p.args["axis"])
    try:
        np.broadcast_to(found, a.shape)
    except ValueError:
        return reduce(a, axis=p.args["axis"], keepdims=True)
    return found


def _nothing(p: Probe, a: Array, reduce: Callable[..., Array]) -> Array:
    return np.zeros(())


def _softmax(p: Probe, top: Reduce, total: Reduce) -> Array | None:
    x = p.inputs["x"]
    e = np.exp(x - top(p, x, np.max))
    return e / total(p, e, np.sum)


def _gradient(p: Probe, total: Reduce) -> Array | None:
    y, dout = p.known["found"]["out"], p.inputs["dout"]
    found: Array = y * (dout - total(p, dout * y, np.sum))
    return found


def _diagonal(p: Probe) -> Array:
    y = p.known["found"]["out"]
    found: Array = p.inputs["dout"] * y * (1 - y)
    return found
