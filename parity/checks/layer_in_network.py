"""Every layer by itself: given the reference's input and cotangent, what error does it add?

In a network an error is handed on, so the layers behind (and, going backward, before) a wrong one look
wrong too. Feeding each layer the reference's own numbers removes what is inherited; what is left was
introduced here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

import scratchcnn as sc
from parity.checks.layer import judge
from parity.checks.zero_gradients import Cancelled, zero_gate
from parity.comparison.records import Place, Record, record
from parity.kinds.kind import Probe, Tensors
from parity.reference.trace import Masks, Trace
from scratchcnn.layers import Layer, Loss
from scratchcnn.networks import Network

ONE_SIGN = "cotangent of one sign"


def check_alone(
    place: Place,
    network: Network,
    exact: Trace,
    t: NDArray,
    masks: Masks,
    zeros: Cancelled = MappingProxyType({}),
) -> Iterator[Record]:
    """A record for out, dx and each parameter's gradient of every layer, on the reference's numbers.

    A gradient whose comparison proves nothing is compared once more with a cotangent of one sign: where a
    hundred thousand terms cancel, as in a bias's gradient at full size, the rounding that the precision
    gate has to grant is as large as what they come to.
    """
    for path, layer, probe in each_alone(network, exact, t, masks):
        found = run_alone(layer, probe)
        layer.forget()
        weak = []
        for tensor, comparison in judge(probe, found, place.dtype, place.device).items():
            if tensor == "db" and f"{path}.b" in zeros:
                comparison = zero_gate(found["db"], comparison.shape, place.dtype, zeros[f"{path}.b"])
            if comparison.ok and not comparison.proves and tensor.startswith("d"):
                weak.append(tensor)
            yield record(place, path, "alone", tensor, comparison)
        if weak and "dout" in probe.inputs:
            again = replace(probe, inputs=probe.inputs | {"dout": np.abs(probe.inputs["dout"])})
            found = run_alone(layer, again)
            layer.forget()
            judged = judge(again, found, place.dtype, place.device)
            for tensor in weak:
                yield record(place, path, "alone", tensor, judged[tensor], ONE_SIGN)


def alone_probes(
    network: Network, exact: Trace, t: NDArray, masks: Masks, training: bool = True
) -> dict[str, tuple[Layer, Probe]]:
    """Every layer, the loss last, with its input and cotangent of the reference's run.

    They are rounded to the dtype under test; both sides see the rounded ones. `training` is the mode
    that the reference ran in.
    """
    found = each_alone(network, exact, t, masks, training)
    return {path: (layer, probe) for path, layer, probe in found}


def each_alone(
    network: Network, exact: Trace, t: NDArray, masks: Masks, training: bool = True
) -> Iterator[tuple[str, Layer, Probe]]:
    """The same one after another, so that no more than one copy of large arrays lives."""
    for path, layer in network.layers.leaves():
        inputs = {
            "x": exact.inputs[path].astype(network.dtype),
            "dout": exact.douts[path].astype(network.dtype),
        }
        probe = as_probe(layer, inputs | ({"mask": masks[path]} if path in masks else {}))
        if isinstance(layer, sc.BatchNormalization):
            probe.args["training"] = training
        yield path, layer, probe
    logits = exact.outputs[path].astype(network.dtype)
    yield "loss", network.last_layer, as_probe(network.last_layer, {"x": logits, "t": t})


def run_alone(layer: Layer, probe: Probe) -> Tensors:
    """out, dx, every d<parameter> and every buffer of one forward and backward of ours."""
    if isinstance(layer, Loss):
        return {"loss": layer.forward(probe.inputs["x"], probe.inputs["t"]), "dx": layer.backward()}
    if isinstance(layer, sc.Dropout):
        layer.inject(probe.inputs.get("mask"))
    try:
        out, dx = layer.forward(probe.inputs["x"]), layer.backward(probe.inputs["dout"])
    finally:
        if isinstance(layer, sc.Dropout):
            layer.inject(None)
    grads = {f"d{key}": layer.grads.get(key) for key in layer.params}
    return {"out": out, "dx": dx, **grads, **layer.buffers}  # type: ignore[dict-item]


def _pooling(layer: sc.Pooling) -> dict[str, Any]:
    names = ["pool_h", "pool_w", "stride", "pad", "ceil_mode"]
    names += ["count_include_pad"] if layer.mode == "average" else []
    return {name: getattr(layer, name) for name in names}


def _attributes(*names: str) -> Callable[[Any], dict[str, Any]]:
    return lambda layer: {name: getattr(layer, name) for name in names}


# Our layer's class -> its kind, and the kind's arguments read off the layer (its parameters come besides).
KIND_OF: dict[type[Layer], tuple[str | Callable[[Any], str], Callable[[Any], dict[str, Any]]]] = {
    sc.Convolution: ("convolution", _attributes("stride", "pad", "dilation", "groups")),
    sc.PartialConvolution: ("partial_convolution", _attributes("stride", "pad", "connections")),
    sc.Pooling: (lambda layer: f"{layer.mode}_pooling", _pooling),
    sc.AdaptiveAveragePooling: ("adaptive_average_pooling", _attributes("out_h", "out_w")),
    sc.GlobalAveragePooling: ("global_average_pooling", _attributes()),
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
    sc.BatchNormalization: ("batch_norm", _attributes("momentum", "eps")),
    sc.SoftmaxWithLoss: ("softmax_with_loss", _attributes()),
    sc.PenaltyLoss: ("penalty_loss", _attributes("j")),
}


def as_probe(layer: Layer, inputs: dict[str, Any]) -> Probe:
    """The layer's kind with its arguments and parameters as they are before the call, and what it gets."""
    for cls in type(layer).__mro__:
        if cls in KIND_OF:
            kind, read = KIND_OF[cls]
            break
    else:
        raise TypeError(
            f"no kind is known for {type(layer).__name__}; add one to parity.checks.layer_in_network.KIND_OF"
        )
    arrays = {key: array.copy() for key, array in {**layer.params, **layer.buffers}.items()}
    return Probe(kind if isinstance(kind, str) else kind(layer), layer.name, arrays | read(layer), inputs)
