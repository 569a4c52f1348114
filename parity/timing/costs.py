"""The least work of a layer: multiplications and additions, and bytes read from and written to memory.

Only matrix products and convolutions count as arithmetic, as is usual (a multiplication and an addition are
two operations). Bytes are the compulsory ones: every array that goes in or comes out, once. An implementation
may do more of both; its share of the machine's peak is computed from the least work.
"""

from __future__ import annotations

import math
from copy import deepcopy
from typing import NamedTuple

import numpy as np

from scratchcnn.layers import Affine, Convolution, Layer
from scratchcnn.networks import Network

FORWARD, BACKWARD, STEP, PREDICT = "forward", "backward", "step", "predict"
TO_DEVICE, TO_HOST = "host_to_device", "device_to_host"  # of a GPU, timed separately


class Cost(NamedTuple):
    """windowed: of the flops, those of convolutions with 3x3 windows, which can be made from fewer."""

    flops: int
    nbytes: int
    windowed: int = 0

    def __add__(self, other: object) -> Cost:
        assert isinstance(other, Cost)
        return Cost(*(a + b for a, b in zip(self, other, strict=True)))

    def fewest(self, saving: float) -> float:
        """The flops where those of 3x3 windows are divided by `saving`."""
        return self.flops - self.windowed * (1 - 1 / saving)


def layer_cost(
    layer: Layer, x_shape: tuple[int, ...], out_shape: tuple[int, ...], itemsize: int, phase: str
) -> Cost:
    """The cost of one phase. Backward computes two products where forward computes one: for dx and dW."""
    products, fewer = 0, False
    if isinstance(layer, Convolution):
        products = math.prod(out_shape) * math.prod(layer.W.shape[1:])
        fewer = layer.W.shape[2:] == (3, 3)
    elif isinstance(layer, Affine):
        products = out_shape[0] * layer.W.size
    params = sum(p.size for p in layer.params.values())
    nbytes = itemsize * (math.prod(x_shape) + math.prod(out_shape) + params)
    forward = Cost(2 * products, nbytes, 2 * products * fewer)
    if phase == FORWARD:
        return forward
    # dout and x go in, dx comes out; the weights go in, their gradients come out
    return Cost(
        4 * products,
        itemsize * (2 * math.prod(x_shape) + math.prod(out_shape) + (2 * params if params else 0)),
        4 * products * fewer,
    )


def network_costs(network: Network, batch_size: int) -> dict[tuple[str, str], Cost]:
    """(layer path, phase) -> cost; the path "" is the whole network.

    A step of SGD with momentum reads each parameter, its gradient and its state, and writes the parameter and
    the state. GoogLeNet's auxiliary heads belong to training alone.
    """
    from parity.reference.trace import Trace, recording  # imports PyTorch, which reports do without

    itemsize, trace = network.dtype.itemsize, Trace()
    costs: dict[tuple[str, str], Cost] = {}
    x = np.zeros((1, *network.input_dim), dtype=network.dtype)
    with recording(network, trace):
        network.predict(x)
    leaves = dict(network.layers.leaves())
    predicting = {path for path in leaves if path in trace.inputs}
    if len(predicting) < len(leaves):
        trained = deepcopy(network)  # whose running statistics may move
        with recording(trained, trace):
            trained.loss(x, np.zeros(1, dtype=int))
    total = {PREDICT: Cost(0, 0), FORWARD: Cost(0, 0), BACKWARD: Cost(0, 0)}
    for path, layer in leaves.items():
        x_shape = (batch_size, *trace.inputs[path].shape[1:])
        out_shape = (batch_size, *trace.outputs[path].shape[1:])
        for phase in (FORWARD, BACKWARD):
            costs[path, phase] = layer_cost(layer, x_shape, out_shape, itemsize, phase)
            total[phase] += costs[path, phase]
        if path in predicting:
            total[PREDICT] += costs[path, FORWARD]
    params = sum(p.size for p in network.params.values())
    total[STEP] = total[FORWARD] + total[BACKWARD] + Cost(0, 5 * itemsize * params)
    return costs | {("", phase): cost for phase, cost in total.items()}
