"""The individual layers that `parity time` can time, at a size where the time is spent in the layer.

Each is a probe of its kind (see parity.kinds.kind), shaped as in the middle of a small network; the batch
size is that of the command.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from parity.kinds import ALL_KINDS, Probe
from parity.kinds.probes import with_cotangent
from scratchcnn.layers import Convolution
from scratchcnn.networks import Network

SIDE = 28  # height and width of the images by default
LAYERS = {kind.name: kind.timed for kind in ALL_KINDS.values() if kind.timed is not None}


def layer_probe(kind: str, batch_size: int, seed: int, side: int = SIDE) -> Probe:
    """The probe of that kind. Raises ValueError naming the kinds that can be timed."""
    if kind not in LAYERS:
        raise ValueError(f"{kind} cannot be timed individually; layers that can: {', '.join(LAYERS)}")
    args, inputs = LAYERS[kind](np.random.default_rng([seed, *kind.encode()]), batch_size, side)
    return with_cotangent(Probe(kind, f"{batch_size} images", args, inputs), seed)


def convolution_probes(network: Network, batch_size: int, seed: int) -> Iterator[tuple[str, Probe]]:
    """(path, probe) of each convolution of the network on random numbers, every shape once."""
    from parity.checks.layer_in_network import as_probe  # these import PyTorch, which a refusal does without
    from parity.reference.trace import Trace, recording

    trace, seen = Trace(), set()
    with recording(network, trace):
        network.predict(np.zeros((1, *network.input_dim), network.dtype))
    for path, layer in network.layers.leaves():
        if not isinstance(layer, Convolution) or path not in trace.inputs:
            continue
        shape = trace.inputs[path].shape[1:]
        what = (shape, layer.W.shape, layer.stride, layer.pad, layer.dilation, layer.groups)
        if what in seen:
            continue
        seen.add(what)
        x = np.random.default_rng([seed, *path.encode()]).standard_normal((batch_size, *shape))
        yield path, with_cotangent(as_probe(layer, {"x": x}), seed)
