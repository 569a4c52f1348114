"""Branches side by side, as in GoogLeNet's modules: each thread takes whole branches.

Where a batch is not split over the threads (a single image, or batch normalization in training), the threads
share every product and every large pass of a branch, a fork for each. Here one fork serves all of a module's
branches: their products are not cut, and what is too small to be shared (padding, Relu) runs on all threads.
The branches differ in size, so the threads do not end together; where they would be too uneven, the layers
share their own work as everywhere else.

Which thread takes a branch follows from the weights alone, and dx is summed in the order of the branches: the
same numbers every time for a given number of threads.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np

from scratchcnn.fast import threads
from scratchcnn.fast.dispatch import enabled, is_replaced
from scratchcnn.layers import (
    BatchNormalization,
    Concat,
    Container,
    Convolution,
    Layer,
    LocalResponseNormalization,
    Pooling,
    Relu,
    Residual,
    Sequential,
    Sigmoid,
    Tanh,
)
from scratchcnn.typing import Array

R = TypeVar("R")

# Classes whose forward and backward touch nothing but the layer itself. A subclass may do anything.
ALONE = frozenset(
    {
        BatchNormalization,
        Concat,
        Convolution,
        LocalResponseNormalization,
        Pooling,
        Relu,
        Residual,
        Sequential,
        Sigmoid,
        Tanh,
    }
)
MIN_PRODUCTS = 1 << 22  # multiplications of a module; below, a fork costs more than it saves
MAX_UNEVEN = 1.6  # times the mean that the thread with the most multiplications may have
MAX_BRANCHES = 8


class SideBySide(Concat):
    """A `Concat` whose branches run side by side, over the same layers, for one forward and backward."""

    def __init__(self, layer: Concat):
        vars(self).update(vars(layer), _memory=None)

    def forward(self, x: Array) -> Array:
        outs = each_branch(self, lambda branch: branch.forward(x), x)
        if outs is None or len({out.shape[:1] + out.shape[2:] for out in outs}) > 1:
            return super().forward(x)
        self.remember([out.shape[1] for out in outs])
        return np.concatenate(outs, axis=1)

    def backward(self, dout: Array) -> Array:
        (channels,) = self.recall()
        if dout.shape[1] != sum(channels):
            return super().backward(dout)  # which says what is wrong
        parts = np.split(dout, np.cumsum(channels)[:-1], axis=1)
        own = {id(branch): part for branch, part in zip(self.values(), parts, strict=True)}
        dxs = each_branch(self, lambda branch: branch.backward(own[id(branch)]), dout)
        if dxs is None:
            return super().backward(dout)
        dx: Array = dxs[0].copy()
        for other in dxs[1:]:
            dx += other
        return dx


def side_by_side(layer: Layer) -> Layer:
    """The layer, or the same with its branches side by side, where it has such as may be."""
    if type(layer) is not Concat or is_replaced(layer) or not 2 <= len(layer) <= MAX_BRANCHES:
        return layer
    return SideBySide(layer) if may_run_side_by_side(layer) else layer


def may_run_side_by_side(layer: Concat) -> bool:
    """Whether no two branches have anything in common, and each runs the code of its class."""
    inside = list(_inside(layer))
    return len({id(one) for one in inside}) == len(inside) and all(
        type(one) in ALONE and not is_replaced(one) for one in inside
    )


def each_branch(layer: Concat, call: Callable[[Layer], R], x: Array) -> list[R] | None:
    """[call(branch) for each branch of the layer], shared by the threads; None where that is not worth it.
    x is any array of the layer's images: how many pixels there are."""
    if threads.is_worker() or not enabled():
        return None
    branches = list(layer.values())
    weights = [
        sum(one.params["W"].size for one in _inside(branch) if "W" in one.params) for branch in branches
    ]
    if sum(weights) * (x.size // max(1, x.shape[1])) < MIN_PRODUCTS:
        return None
    with threads.team() as members:
        if members == 1:
            return None
        teams = evenly(weights, members)
        heaviest = max(sum(weights[i] for i in some) for some in teams)
        if heaviest * members > MAX_UNEVEN * sum(weights):
            return None
        found = threads.each(lambda some: [call(branches[i]) for i in some], teams)
    order = list(itertools.chain.from_iterable(teams))
    results = dict(zip(order, itertools.chain.from_iterable(found), strict=True))
    return [results[i] for i in range(len(branches))]


def evenly(weights: Sequence[int], members: int) -> list[list[int]]:
    """Indices in as many groups: the heaviest first, each to the group that has least so far."""
    groups: list[list[int]] = [[] for _ in range(members)]
    for i in sorted(range(len(weights)), key=lambda i: -weights[i]):
        min(groups, key=lambda group: sum(weights[j] for j in group)).append(i)
    return groups


def _inside(layer: Layer) -> list[Layer]:
    """The layer and all that it contains."""
    if not isinstance(layer, Container):
        return [layer]
    return [layer, *itertools.chain.from_iterable(_inside(child) for _, child in layer.children())]
