"""Networks of few weights that state no loss: one row at a time, and of which loss their gradients are.

One row shows whether its gradients follow from one gradient of its outputs. So few weights fit almost any, so
that it has to be that of a squared error or of a cross entropy; and the gradients of several rows have to be
the sum of those of each, or a share of it: the mean.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from parity.adapters.own_network_subject import OwnSubject, OwnWay
from parity.verification.own_chain import chain_of
from scratchcnn.typing import Array

SQUARES, ENTROPY = "squared error", "cross entropy of two classes"
SEVERAL = "several rows at once"
CLOSE = 1e-9
ALIKE = 1e-5
CASES = 2


def adds_up(network: OwnSubject, way: OwnWay, seed: int) -> bool:
    """Whether they do, by one factor; the network takes one row again afterwards."""
    factors = []
    for case in range(seed, seed + CASES):
        network.rows(0)
        together = _flat(network.gradients(case, False))
        added = np.zeros(len(together))
        for row in range(way.rows):
            network.rows(0, row)
            one = _flat(network.gradients(case, False))
            added = added + one if one.shape == added.shape else np.full(len(added), np.nan)
        size = float(added @ added)
        factor = float(together @ added) / size if size else np.nan
        if not np.abs(together - factor * added).max(initial=0.0) <= CLOSE * np.abs(together).max(
            initial=0.0
        ):
            factor = np.nan
        factors.append(factor)
    network.rows(1)
    return bool(factors[0] > 0) and abs(factors[0] - factors[1]) <= CLOSE * factors[0]


def known_loss(network: OwnSubject, way: OwnWay, seed: int) -> str:
    """The loss whose gradients these are up to one factor, in words; "" where it is none that is known."""
    outs, labels, slopes = [], [], []
    first = next(iter(way.params))
    for case in range(seed, seed + CASES):
        for row in range(way.rows):
            network.rows(0, row if way.rows > 1 else None)
            out = network.outputs(case, False, [(first, 0, 0.0)])[0]
            t, chain = (
                network.labels(case),
                chain_of(network, case, way.params, network.gradients(case, False)),
            )
            if t is None or t.size != out.size or chain.d.size != out.size:
                return ""
            outs.append(out)
            labels.append(t.ravel())
            slopes.append(chain.d)
    network.rows(1)
    o, t, d = (np.concatenate(one) for one in (outs, labels, slopes))
    if _is_share(d, o - t):
        return SQUARES
    within = bool((o > 0).all() and (o < 1).all())
    return ENTROPY if within and _is_share(d * o * (1 - o), o - t) else ""


def _is_share(one: Array, other: Array) -> bool:
    """Whether one is the other times a number above 0."""
    factor = float(one @ other) / float(other @ other)
    return factor > 0 and bool(np.abs(one - factor * other).max() <= ALIKE * np.abs(one).max())


def _flat(grads: dict[str, Any]) -> Any:
    """The numbers of all gradients in a row."""
    arrays = [grads[name] for name in sorted(grads)]
    if not arrays or not all(isinstance(one, np.ndarray) for one in arrays):
        return np.zeros(0)
    return np.concatenate([np.ravel(one) for one in arrays])
