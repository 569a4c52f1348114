"""The individual layers that `parity time` can time, at a size where the time is spent in the layer.

Each is a probe of its kind (see parity.kinds.kind), shaped as in the middle of a small network; the batch
size is that of the command.
"""

from __future__ import annotations

import numpy as np

from parity.kinds import ALL_KINDS, Probe
from parity.kinds.probes import with_cotangent

SIDE = 28  # height and width of the images by default
LAYERS = {kind.name: kind.timed for kind in ALL_KINDS.values() if kind.timed is not None}


def layer_probe(kind: str, batch_size: int, seed: int, side: int = SIDE) -> Probe:
    """The probe of that kind. Raises ValueError naming the kinds that can be timed."""
    if kind not in LAYERS:
        raise ValueError(f"{kind} cannot be timed individually; layers that can: {', '.join(LAYERS)}")
    args, inputs = LAYERS[kind](np.random.default_rng([seed, *kind.encode()]), batch_size, side)
    return with_cotangent(Probe(kind, f"{batch_size} images", args, inputs), seed)
