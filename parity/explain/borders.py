"""Padding with another border, or with another gradient for the pixels that stand in it."""

# Lambdas keep loop variables as defaults.
# mypy: disable-error-code="misc"

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from parity.kinds import Probe
from parity.kinds.padding import sides
from scratchcnn.typing import Array

Border = tuple[tuple[int, int], tuple[int, int]]
NUMPY = {"zeros": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}


def borders(name: str) -> Iterator[tuple[str, Callable[[Probe], Array]]]:
    """(what is different, the result) for out or dx."""
    places: dict[str, Callable[[Probe], Array]] = {
        "zeros in every mode": lambda p: _places(p, mode="zeros"),
        "the outermost pixel repeated in every mode": lambda p: _places(p, replicate=True),
        "the outermost pixel mirrored too": lambda p: _places(p, reflect="symmetric"),
        "the larger side of an uneven border first": lambda p: _places(p, turn=True),
        "zeros in the corners": _without_corners,
        "the border from the other end mirrored": _reversed,
    }
    if name == "out":
        for says, find in places.items():
            yield f"PyTorch's with {says}", lambda p, find=find: _taken(p.inputs["x"], find(p))
    if name == "dx":
        cut = "PyTorch's without what comes back from the border"
        yield cut, lambda p: _given_back(p, _places(p, mode="zeros"))
        for says, find in places.items():
            yield f"PyTorch's with {says}", lambda p, find=find: _given_back(p, find(p))
        for how, says in (("last", "the last copy's gradient"), ("mean", "the mean over the copies")):
            yield (
                f"PyTorch's with {says} for the sum over all",
                lambda p, how=how: _given_back(p, _places(p), how),
            )


def _places(
    p: Probe, mode: str = "", reflect: str = "reflect", replicate: bool = False, turn: bool = False
) -> Array:
    """The place of x, row by row, that each place of out is copied from; -1 for a zero."""
    H, W = p.inputs["x"].shape[2:]
    (top, bottom), (left, right) = sides(p.args["pad"])
    border: Border = ((bottom, top), (right, left)) if turn else ((top, bottom), (left, right))
    mode = mode or p.args.get("mode", "zeros")
    if replicate and mode != "zeros":
        mode = "replicate"
    at = np.arange(H * W).reshape(H, W)
    if mode == "zeros":
        return np.pad(at, border, constant_values=-1)
    found: Array = np.pad(at, border, mode=reflect if mode == "reflect" else NUMPY[mode])  # type: ignore[call-overload]
    return found


def _without_corners(p: Probe) -> Array:
    at, zeros = _places(p), _places(p, mode="zeros") < 0
    rows, columns = zeros.all(axis=1, keepdims=True), zeros.all(axis=0, keepdims=True)
    return np.where(rows & columns, -1, at)


def _reversed(p: Probe) -> Array:
    at = _places(p)
    if p.args.get("mode") == "circular":
        (top, bottom), (left, right) = sides(p.args["pad"])
        H, W = at.shape
        rows, columns = np.arange(H), np.arange(W)
        for order, before, after in ((rows, top, bottom), (columns, left, right)):
            order[:before] = order[:before][::-1].copy()
            order[len(order) - after :] = order[len(order) - after :][::-1].copy()
        at = at[rows[:, None], columns]
    return at


def _taken(x: Array, at: Array) -> Array:
    flat = x.reshape(*x.shape[:2], -1)
    found: Array = np.where(at < 0, 0.0, flat[:, :, np.maximum(at, 0)])
    return found


def _given_back(p: Probe, at: Array, how: str = "sum") -> Array:
    x, dout = p.inputs["x"], p.inputs["dout"]
    N, C, H, W = x.shape
    dx, counts = np.zeros((H * W, N, C)), np.zeros(H * W)
    kept, values = at[at >= 0], dout.transpose(2, 3, 0, 1)[at >= 0]
    if how == "last":
        dx[kept] = values
    else:
        np.add.at(dx, kept, values)
        np.add.at(counts, kept, 1)
    if how == "mean":
        dx /= counts[:, None, None]
    return dx.transpose(1, 2, 0).reshape(N, C, H, W)
