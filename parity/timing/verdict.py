"""The verdict on the calls that are timed, on the timed batch itself: `predict`, and `gradient` twice.

`parity check` looks at every layer and at training steps as well, which takes minutes for a large network.
Here the scores and every gradient are held against PyTorch's float64 run by the precision gate, in the
same way as its `as called` records.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from parity.checks.as_called import Call, Sides, check_as_called, differentiated, predicted
from parity.comparison.records import GRADIENT, PREDICT, Place
from parity.reference.model_pair import Images, moves, torch_like, ulp_runs
from parity.reference.trace import draw_masks, dropout_shapes
from scratchcnn.networks import Network
from scratchcnn.typing import Array

LEAST = 2  # images of a gradient: that of a single one hangs on single kinks in float32


def right_as_timed(name: str, network: Network, x: Array, t: Array, seed: int) -> bool:
    """Whether scores and gradients are PyTorch's. The gradients of one image are those of LEAST instead.

    Where a kink was crossed that PyTorch's runs did not cross, further ones say how far one goes.
    """
    if network.dtype != np.float32:
        return _right(name, network, x, t, seed, ())
    first, *further = moves(network)
    return any(_right(name, network, x, t, seed, moved) for moved in (first[-1:], *further))


def _right(name: str, network: Network, x: Array, t: Array, seed: int, moved: Sequence[int]) -> bool:
    """The same, against PyTorch's plain float32 run and those whose weights are `moved` by so many ulps."""
    wide = network.astype(np.float64) if network.dtype != np.float64 else network
    exact = torch_like(name, wide, "cpu")
    del wide
    runs = ulp_runs(name, network, "cpu", moved) if moved else []
    sides, place = Sides(network, exact, runs), Place(name, network.dtype.name, "cpu")
    scores = Call(PREDICT, lambda n: predicted(n, x), sides.scores(x), shown=False)
    ok = all(record.ok for record in check_as_called(place, network, [scores]))
    if len(x) < LEAST:
        x, t = Images(network, LEAST, seed).batch()
        x = x.astype(network.dtype)
    masks = draw_masks(dropout_shapes(network), len(x), np.random.default_rng([seed, 2]))
    gradients = sides.gradients(x, t, masks)
    call = Call(GRADIENT, lambda n: differentiated(n, x, t, masks), gradients, shown=False)
    return ok and all(record.ok for record in check_as_called(place, network, [call]))
