"""A layer that has an activation built in: `affine+relu` is a dense layer followed by ReLU.

Such a kind is made of two others when its name is asked for. Its inputs are the layer's, its reference is the
activation of what the layer gives, and the gradients are those of both together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from parity.kinds import numpy_reference
from parity.kinds.kind import Operation
from parity.kinds.probe import JOINT, Probe, Rng, Tensors, normal

LAYERS = {"affine": "a dense layer", "affine_last_axis": "a dense layer", "convolution": "a convolution"}
ACTIVATIONS = {  # those that people build in, and how they are written
    "relu": "ReLU",
    "sigmoid": "sigmoid",
    "tanh": "tanh",
    "softmax": "softmax",  # along the axis of the classes, or of the channels
    "leaky_relu": "leaky ReLU",
    "elu": "ELU",
    "selu": "SELU",
    "silu": "SiLU",
    "softplus": "softplus",
    "gelu": "GELU",
}
OFF_KINK = 1 / 64  # added to a bias of quarters: no sum of products of quarters is then 0
STEEP = 2.0  # no activation's slope is larger


def parts_of(kind: str) -> tuple[str, str]:
    """The layer and the activation after it; of any other kind itself and ""."""
    base, joint, after = kind.partition(JOINT)
    return (base, after) if joint and base in LAYERS and after in ACTIVATIONS else (kind, "")


def joined(layer: str, activation: str) -> str:
    """The name of the kind that both are together."""
    return f"{layer}{JOINT}{activation}"


def in_words(kind: str) -> str:
    """`a dense layer followed by ReLU`; any other kind by its name."""
    layer, activation = parts_of(kind)
    return f"{LAYERS[layer]} followed by {ACTIVATIONS[activation]}" if activation else kind


@dataclass(frozen=True, kw_only=True, eq=False)
class Followed(Operation):
    """Both as one kind.

    layer, after  the two
    """

    layer: Operation
    after: Operation

    def reference(self, probe: Probe, dtype: Any = np.float64, device: str = "cpu") -> Tensors:
        if numpy_reference.judge() != "numpy":
            return super().reference(probe, dtype, device)
        first = replace(probe, kind=self.layer.name)
        inner = {"x": self.layer.reference(first, dtype)["out"]}
        inner |= {name: a for name, a in probe.inputs.items() if name == "dout"}
        found = self.after.reference(Probe(self.after.name, probe.id, {}, inner), dtype)
        if "dx" in found:
            back = replace(first, inputs={**probe.inputs, "dout": found["dx"].astype(np.float64)})
            return self.layer.reference(back, dtype) | {"out": found["out"]}
        return {"out": found["out"]}

    def floors(self, probe: Probe, exact: Tensors, dtype: str = "float32") -> dict[str, float]:
        found = self.layer.floors(replace(probe, kind=self.layer.name), exact, dtype)
        return {name: STEEP * size for name, size in found.items()}


def followed(kind: str, kinds: Mapping[str, Operation]) -> Followed | None:
    """The kind of that name, of two among those; None where the name is not one of such a kind."""
    base, activation = parts_of(kind)
    if not activation:
        return None
    layer, after = kinds[base], kinds[activation]
    return Followed(
        name=kind,
        formula=lambda a, o: after.formula({"x": layer.formula(a, o)}, {}),
        probes=_renamed(kind, lambda rng: _probes(layer, rng)),
        ours=layer.ours,
        call=layer.call,
        order=layer.order,
        optional=layer.optional,
        params=layer.params,
        may_refuse=layer.may_refuse,
        real=None if layer.real is None else _renamed(kind, lambda rng: _real(layer, rng)),
        layer=layer,
        after=after,
    )


def _renamed(kind: str, build: Callable[[Rng], Iterator[Probe]]) -> Callable[[Rng], Iterator[Probe]]:
    return lambda rng: (replace(probe, kind=kind) for probe in build(rng))


def _probes(layer: Operation, rng: Rng) -> Iterator[Probe]:
    """The layer's own, rows enough for numbers on both sides of every kink, and scores for an exponential."""
    yield from layer.probes(rng)
    if layer.name == "affine":
        args = {"W": normal(rng, 4, 6), "b": normal(rng, 6)}
        yield Probe(layer.name, "7 rows, 4 to 6", args, {"x": normal(rng, 7, 4)})
        args = {"W": normal(rng, 4, 3, scale=8), "b": normal(rng, 3)}
        yield Probe(layer.name, "scores of hundreds", args, {"x": normal(rng, 3, 4, scale=64)})


def _real(layer: Operation, rng: Rng) -> Iterator[Probe]:
    """The layer's own, with weights as small as networks have, and no result at a kink."""
    assert layer.real is not None
    for probe in layer.real(rng):
        W, b = probe.args["W"], probe.args.get("b")
        terms = W[0].size if W.ndim == 4 else W.shape[-2]
        scale = 2.0 ** -round(np.log2(terms) / 2)
        args = {**probe.args, "W": W * scale}
        if isinstance(b, np.ndarray):
            args["b"] = (b + OFF_KINK) * scale
        yield replace(probe, args=args)
