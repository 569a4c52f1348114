"""What to try next, where a failure looks like code of another shape than the adapter expects."""

from __future__ import annotations

from typing import Any

import numpy as np

from parity.comparison.records import Record

RETURNED = {"out": "forward", "loss": "forward", "dx": "backward"}


def hint(row: Record, ours: Any, theirs: Any, wrong: bool = True) -> str:
    """A sentence that helps, or nothing; `wrong`, where the numbers are."""
    for part, advice in (ADVICE | OF_ADAPTERS).items():
        if part in row.why:
            return advice
    if row.why == "missing":
        if row.tensor in RETURNED:
            return f"{RETURNED[row.tensor]} returned None"
        return (
            f"after backward there is no .{row.tensor}; are gradients in a dict? then --adapter params_grads"
        )
    if row.tensor == "dx" and row.why.startswith("shape") and 0 in getattr(ours, "shape", ()):
        return "a slice [pad:-pad] is empty for a pad of 0; write [pad:H + pad]"
    if wrong and row.why.startswith("shape") and (axis := _summed_over(ours, theirs)) is not None:
        return f"summed over its axis {axis} it is {row.tensor}: the samples are still to be added up"
    if row.why.startswith("shape") and _channels_last(ours, theirs):
        return "the shape is (N, H, W, C); if that is meant: --adapter channels_last"
    return ""


def hint_for_network(row: Record) -> str:
    """The same for a whole network, which is called without an adapter."""
    return next((advice for part, advice in ADVICE.items() if part in row.why), "")


OF_ADAPTERS = {
    "has no attribute 'backward'": "with no backward, forward alone is checked by --adapter forward_only",
    "got tuple": "for functions forward -> (out, cache) and backward(dout, cache) there is --adapter cs231n",
    "required positional argument": "`python -m parity kinds` shows how this kind is built and called",
    "unexpected keyword argument": "`python -m parity kinds` shows how this kind is built and called",
}
ADVICE = {
    "got Tensor": "arrays of NumPy are expected, not tensors of PyTorch",
    "expected a plain array": "np.asarray(...) makes a plain array of it",
    "got list": "an array of NumPy is expected: np.array(...)",
    "MemoryError": "what it may use is set by --memory",
    "MiB of memory": "what it may use is set by --memory",
    "hung: ": "how long it may take is set by --timeout",
}


OF_WEIGHTS = {"affine-dw-mean": "dW", "conv-dw-mean-over-images": "dW"}
MEANS = OF_WEIGHTS | {"affine-db-mean": "db", "conv-db-mean-over-images": "db"}


def mean_of_batch(fault: str) -> str:
    """What it means that gradients of weights are 1/N of PyTorch's, and nothing else is another; nothing for
    any other fault."""
    named = fault.split(" + ")
    if not set(named) <= MEANS.keys() or not set(named) & OF_WEIGHTS.keys():
        return ""
    those, are = (" and ".join(sorted({MEANS[name] for name in named})), "are" if len(named) > 1 else "is")
    return (
        f"{those} {are} 1/N of PyTorch's, and out and dx are PyTorch's: right where the gradient of the loss "
        "comes in without its 1/N, and divided twice where it comes in with it, as PyTorch's mean gives it"
    )


def _summed_over(ours: Any, theirs: Any) -> int | None:
    """The axis over which the sum of ours is theirs; None without one."""
    if not isinstance(ours, np.ndarray) or not isinstance(theirs, np.ndarray) or ours.ndim != theirs.ndim + 1:
        return None
    sums = {axis: ours.sum(axis=axis) for axis in range(ours.ndim)}
    fits = (
        axis for axis, total in sums.items() if total.shape == theirs.shape and np.allclose(total, theirs)
    )
    return next(fits, None)


def _channels_last(ours: Any, theirs: Any) -> bool:
    if getattr(ours, "ndim", 0) != 4 or getattr(theirs, "ndim", 0) != 4:
        return False
    N, C, H, W = theirs.shape
    return bool(ours.shape == (N, H, W, C))
