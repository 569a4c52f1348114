"""An affine layer on the last of several axes: other sums, means for sums, rows in another order."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from parity.kinds import Probe
from scratchcnn.typing import Array


def last_axis(name: str) -> Iterator[tuple[str, Callable[[Probe], Array]]]:
    """(what is different, the result) for out, dW or db."""
    if name == "out":
        yield "PyTorch's with the bias added at the first position alone", _bias_once
        yield "PyTorch's with the rows in the order of the second axis", _other_order
    if name == "dW":
        yield "PyTorch's, of the last position alone", _weights_of_the_last
        yield "PyTorch's, averaged over the positions", lambda p: _weights(p) / _positions(p)
    if name == "db":
        yield "dout summed over the first axis alone", lambda p: p.inputs["dout"].sum(axis=0)
        yield "PyTorch's, averaged over the positions", lambda p: _bias(p) / _positions(p)


def _positions(p: Probe) -> int:
    """How many rows an image has."""
    return int(np.prod(p.inputs["x"].shape[1:-1]))


def _right(p: Probe) -> Array:
    b = p.args.get("b")
    out: Array = p.inputs["x"] @ p.args["W"]
    return out if b is None else out + b


def _bias_once(p: Probe) -> Array:
    out, b = _right(p), p.args.get("b")
    if b is not None and out.ndim > 2:
        out[:, 1:] -= b
    return out


def _other_order(p: Probe) -> Array:
    out = _right(p)
    return np.swapaxes(out, 0, 1).reshape(out.shape) if out.ndim > 2 else out


def _weights(p: Probe) -> Array:
    x, dout = p.inputs["x"], p.inputs["dout"]
    found: Array = x.reshape(-1, x.shape[-1]).T @ dout.reshape(-1, dout.shape[-1])
    return found


def _weights_of_the_last(p: Probe) -> Array:
    x, dout = p.inputs["x"], p.inputs["dout"]
    if x.ndim < 3:
        return _weights(p)
    x, dout = x[..., -1, :], dout[..., -1, :]
    found: Array = x.reshape(-1, x.shape[-1]).T @ dout.reshape(-1, dout.shape[-1])
    return found


def _bias(p: Probe) -> Array:
    dout = p.inputs["dout"]
    found: Array = dout.reshape(-1, dout.shape[-1]).sum(axis=0)
    return found
