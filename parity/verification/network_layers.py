"""The layers of somebody's network, each by itself: what its class is meant to be, and what it adds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from numpy.typing import NDArray

from parity.adapters.isolate import Send
from parity.checks.layer import judge
from parity.comparison.gates import refused
from parity.comparison.records import Place, Record, record
from parity.kinds.kind import Probe
from parity.kinds.names import guess_kind
from parity.reference.trace import Trace

# Which attributes of a layer are the arguments of its kind; what a layer lacks has its default.
ATTRIBUTES: dict[str, tuple[str, ...]] = {
    "convolution": ("W", "b", "stride", "pad", "dilation", "groups"),
    "affine": ("W", "b"),
    "max_pooling": ("pool_h", "pool_w", "stride", "pad"),
    "average_pooling": ("pool_h", "pool_w", "stride", "pad"),
    "relu": (), "sigmoid": (), "tanh": (), "softmax": (), "softmax_with_loss": (),
    "lrn": ("size", "alpha", "beta", "k"),
}  # fmt: skip
NEEDED = {"convolution": {"W"}, "affine": {"W"}, "max_pooling": {"pool_h", "pool_w"},
          "average_pooling": {"pool_h", "pool_w"}, "lrn": {"size", "alpha", "beta", "k"}}  # fmt: skip


def kind_of_layer(layer: Any) -> str | None:
    """What the layer is meant to be, by the name of its class or of the nearest base that says it."""
    names = [cls.__name__ for cls in type(layer).__mro__]
    kind = next((kind for kind in map(guess_kind, names) if kind), None)
    modes = {"average": "average_pooling", "min": "min_pooling"}
    return modes.get(getattr(layer, "mode", ""), kind) if kind == "max_pooling" else kind


def check_alone(
    place: Place, layers: Mapping[str, Any], trace: Trace, t: NDArray, send: Send
) -> Iterator[Record]:
    """Every layer whose kind is known, on the input and cotangent that it got: what it adds by itself."""
    for path, layer in layers.items():
        probe = _as_probe(layer, path, trace, t)
        if probe is None:
            send(("unchecked", f"{path} by itself ({type(layer).__name__})"))
            continue
        out = "loss" if probe.kind == "softmax_with_loss" else "out"
        found = {out: trace.outputs.get(path), "dx": trace.dxs.get(path)}
        found |= {f"d{name}": getattr(layer, f"d{name}", None) for name in ("W", "b") if name in probe.args}
        try:
            judged = judge(probe, found, place.dtype)  # type: ignore[arg-type]
        except (RuntimeError, ValueError, TypeError, IndexError) as error:
            judged = {
                out: refused(probe.inputs["x"], f"PyTorch does not take this input: {error}".splitlines()[0])
            }
        for tensor, comparison in judged.items():
            yield record(place, path, "alone", tensor, comparison)


def _as_probe(layer: Any, path: str, trace: Trace, t: NDArray) -> Probe | None:
    kind = kind_of_layer(layer)
    if kind not in ATTRIBUTES or path not in trace.inputs or path not in trace.douts:
        return None
    held = {**(getattr(layer, "params", None) or {})}
    args = {
        n: held.get(n, getattr(layer, n, None)) for n in ATTRIBUTES[kind] if n in held or hasattr(layer, n)
    }
    if not NEEDED.get(kind, set()) <= args.keys():
        return None
    inputs = {"x": trace.inputs[path], "t": t} if kind == "softmax_with_loss" else {
        "x": trace.inputs[path], "dout": trace.douts[path]}  # fmt: skip
    return Probe(kind, path, args, inputs)
