"""Each layer individually: given the reference's input and cotangent, what error does it add?

In a network an error is handed on, so the layers after (and, going backward, before) a wrong one look
wrong too. Feeding each layer the reference's own numbers removes what is inherited; what is left was
introduced here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import numpy as np

import scratchcnn as sc
from parity.checks.layer import judge
from parity.checks.zero_gradients import Cancelled, zero_gate
from parity.comparison.gates import Comparison, refused
from parity.comparison.records import Place, Record, record
from parity.kinds import Probe, Tensors, kind_of_layer
from parity.reference.trace import Masks, Trace
from scratchcnn.layers import Layer, Loss
from scratchcnn.networks import Network
from scratchcnn.typing import Array

ONE_SIGN = "cotangent of one sign"


def check_alone(
    place: Place,
    network: Network,
    probes: Iterable[tuple[str, Probe]],
    zeros: Cancelled = MappingProxyType({}),
    keep: bool = False,
) -> Iterator[Record]:
    """A record for out, dx and each parameter's gradient of every layer, on the reference's numbers.

    `probes` are `each_probe(network, ...)`, or those of the right network where `network` may be a wrong one;
    weights are those of `network` in any case: a layer is right or wrong for the weights that it has. With
    `keep`, PyTorch's results stay with the probes.

    A gradient whose comparison proves nothing is compared once more with a cotangent of one sign: where a
    hundred thousand terms cancel, as in a bias's gradient at full size, the rounding that the precision
    gate has to grant is as large as what they come to.
    """
    layers: dict[str, Layer] = {**dict(network.layers.leaves()), "loss": network.last_layer}
    for path, probe in probes:
        if path not in layers:
            continue
        layer, weak = layers[path], []
        probe = _of_its_weights(layer, probe)
        for tensor, comparison in _judged(place, path, layer, probe, zeros, keep).items():
            if comparison.ok and not comparison.proves and tensor.startswith("d"):
                weak.append(tensor)
            yield record(place, path, "alone", tensor, comparison)
        if weak and "dout" in probe.inputs:
            again = replace(probe, inputs=probe.inputs | {"dout": np.abs(probe.inputs["dout"])})
            judged = _judged(place, path, layer, again)
            for tensor in weak:
                yield record(place, path, "alone", tensor, judged[tensor], ONE_SIGN)


def _judged(
    place: Place,
    path: str,
    layer: Layer,
    probe: Probe,
    zeros: Cancelled = MappingProxyType({}),
    keep: bool = False,
) -> dict[str, Comparison]:
    """Each result of one forward and backward; an exception fails the first of them, in its own words."""
    try:
        found = run_alone(layer, replace(probe, inputs={k: a.copy() for k, a in probe.inputs.items()}))
    except Exception as error:
        return {"out": refused(probe.inputs["x"], f"raised {type(error).__name__}: {error}")}
    finally:
        layer.forget()
    judged = judge(probe, found, place.dtype, place.device, keep)
    if "db" in judged and (zero := zeros.get(f"{path}.b")):
        judged["db"] = zero_gate(found["db"], judged["db"].shape, place.dtype, zero)
    return judged


def _of_its_weights(layer: Layer, probe: Probe) -> Probe:
    """The probe with the layer's own arrays; the very same where these are the probe's."""
    arrays = {k: a for k, a in {**layer.params, **layer.buffers}.items() if k in probe.args}
    if all(np.array_equal(array, probe.args[key]) for key, array in arrays.items()):
        return probe
    own = {key: array.copy() for key, array in arrays.items()}
    return replace(probe, args=probe.args | own)


def each_probe(
    network: Network, exact: Trace, t: Array, masks: Masks, training: bool = True
) -> Iterator[tuple[str, Probe]]:
    """Every layer, the loss last, on its input and cotangent of the reference's run, one after another,
    so that no more than one copy of large arrays lives.

    They are rounded to the dtype under test; both sides see the rounded ones. `training` is the mode
    that the reference ran in.
    """
    for path, layer in network.layers.leaves():
        inputs = {
            "x": exact.inputs[path].astype(network.dtype),
            "dout": exact.douts[path].astype(network.dtype),
        }
        probe = as_probe(layer, inputs | ({"mask": masks[path]} if path in masks else {}))
        if isinstance(layer, sc.BatchNormalization):
            probe.args["training"] = training
        yield path, probe
    logits = exact.outputs[path].astype(network.dtype)
    yield "loss", as_probe(network.last_layer, {"x": logits, "t": t})


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


def as_probe(layer: Layer, inputs: dict[str, Any]) -> Probe:
    """The layer's kind with its arguments and parameters as they are before the call, and what it gets."""
    kind = kind_of_layer(layer)
    return Probe(kind.name, layer.name, kind.arguments(layer), inputs)
