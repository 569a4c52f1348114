"""Every layer by itself: given the reference's input and cotangent, what error does it add?

In a network an error is handed on, so the layers behind (and, going backward, before) a wrong one look
wrong too. Feeding each layer the reference's own numbers removes what is inherited; what is left was
introduced here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

import scratchcnn as sc
from parity.check_kind import judge
from parity.kinds import Probe, Tensors
from parity.records import Place, Record, record
from parity.trace import Masks, Trace
from scratchcnn.layers import Layer
from scratchcnn.networks import Network


def check_alone(place: Place, network: Network, exact: Trace, masks: Masks) -> Iterator[Record]:
    """A record for out, dx and each parameter's gradient of every layer, on the reference's numbers."""
    for path, layer in network.layers.leaves():
        # The reference's numbers, rounded to the dtype under test; both sides see the rounded ones.
        x, dout = exact.inputs[path].astype(network.dtype), exact.douts[path].astype(network.dtype)
        probe = as_probe(layer, x, dout, masks.get(path))
        found = run_layer(layer, x, dout, masks.get(path))
        for tensor, comparison in judge(probe, found, place.dtype, place.device).items():
            yield record(place, path, "alone", tensor, comparison)


def run_layer(layer: Layer, x: NDArray, dout: NDArray, mask: NDArray | None = None) -> Tensors:
    """out, dx, every d<parameter> and every buffer of one forward and backward of ours."""
    if isinstance(layer, sc.Dropout):
        layer.inject(mask)
    try:
        out, dx = layer.forward(x), layer.backward(dout)
    finally:
        if isinstance(layer, sc.Dropout):
            layer.inject(None)
    grads = {f"d{key}": layer.grads.get(key) for key in layer.params}
    return {"out": out, "dx": dx, **grads, **layer.buffers}  # type: ignore[dict-item]


def _pooling(layer: sc.Pooling) -> dict[str, Any]:
    names = ("pool_h", "pool_w", "stride", "pad", "ceil_mode")
    names += ("count_include_pad",) if layer.mode == "average" else ()
    return {name: getattr(layer, name) for name in names}


def _attributes(*names: str) -> Callable[[Any], dict[str, Any]]:
    return lambda layer: {name: getattr(layer, name) for name in names}


# Our layer's class -> its kind, and the kind's arguments read off the layer (its parameters come besides).
KIND_OF: dict[type[Layer], tuple[str | Callable[[Any], str], Callable[[Any], dict[str, Any]]]] = {
    sc.Convolution: ("convolution", _attributes("stride", "pad", "dilation", "groups")),
    sc.PartialConvolution: ("partial_convolution", _attributes("stride", "pad", "connections")),
    sc.Pooling: (lambda layer: f"{layer.mode}_pooling", _pooling),
    sc.Subsampling: ("subsampling", _attributes("size")),
    sc.Affine: ("affine", _attributes()),
    sc.Flatten: ("flatten", _attributes()),
    sc.RBF: ("rbf", _attributes()),
    sc.Relu: ("relu", _attributes()),
    sc.Sigmoid: ("sigmoid", _attributes()),
    sc.Tanh: ("tanh", _attributes("amplitude", "slope")),
    sc.Softmax: ("softmax", _attributes()),
    sc.LocalResponseNormalization: ("lrn", _attributes("size", "alpha", "beta", "k", "paper_alpha")),
    sc.Dropout: ("dropout", _attributes("dropout_ratio")),
    sc.BatchNormalization: ("batch_norm", _attributes("momentum", "eps", "training")),
}


def as_probe(layer: Layer, x: NDArray, dout: NDArray, mask: NDArray | None = None) -> Probe:
    """The layer's kind, its arguments and parameters, and one input, as they are before the call."""
    for cls in type(layer).__mro__:
        if cls in KIND_OF:
            kind, read = KIND_OF[cls]
            break
    else:
        raise TypeError(f"no kind is known for {type(layer).__name__}; add one to parity.alone.KIND_OF")
    arrays = {key: array.copy() for key, array in {**layer.params, **layer.buffers}.items()}
    inputs = {"x": x, "dout": dout} | ({} if mask is None else {"mask": mask})
    return Probe(kind if isinstance(kind, str) else kind(layer), layer.name, arrays | read(layer), inputs)
