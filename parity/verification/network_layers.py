"""The layers of somebody's network, each by itself: what its class is meant to be, and what it adds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from parity.adapters.isolate import Send
from parity.checks.layer import judge
from parity.comparison.gates import refused
from parity.comparison.records import Place, Record, record
from parity.kinds import KINDS, Probe
from parity.kinds.names import kind_by_name
from parity.reference.trace import Trace
from scratchcnn.typing import Array


def kind_by_class(layer: Any) -> str | None:
    """What the layer is meant to be, by the name of its class or of the nearest base that says it."""
    names = [cls.__name__ for cls in type(layer).__mro__]
    kind = next((kind for kind in map(kind_by_name, names) if kind), None)
    modes = {"average": "average_pooling", "min": "min_pooling"}
    return modes.get(getattr(layer, "mode", ""), kind) if kind == "max_pooling" else kind


def check_alone(
    place: Place, layers: Mapping[str, Any], trace: Trace, t: Array, send: Send
) -> Iterator[Record]:
    """Every layer whose kind is known, on the input and cotangent that it got: what it adds by itself."""
    for path, layer in layers.items():
        probe = _as_probe(layer, path, trace, t)
        if probe is None:
            send(("unchecked", f"{path} by itself ({type(layer).__name__})"))
            continue
        kind = KINDS[probe.kind]
        out = kind.out
        found = {out: trace.outputs.get(path), "dx": trace.dxs.get(path)}
        found |= {f"d{name}": getattr(layer, f"d{name}", None) for name in kind.params if name in probe.args}
        try:
            judged = judge(probe, found, place.dtype)
        except (RuntimeError, ValueError, TypeError, IndexError) as error:
            judged = {
                out: refused(probe.inputs["x"], f"PyTorch does not take this input: {error}".splitlines()[0])
            }
        for tensor, comparison in judged.items():
            yield record(place, path, "alone", tensor, comparison)


def _as_probe(layer: Any, path: str, trace: Trace, t: Array) -> Probe | None:
    """The layer's kind with the arguments that it holds; None where the call cannot be made again from them.

    What a layer lacks has its default. A layer that does something else in inference (dropout, batch
    normalization) has a state that its attributes do not tell.
    """
    name = kind_by_class(layer)
    kind = KINDS.get(name or "")
    if kind is None or kind.switches or path not in trace.inputs or path not in trace.douts:
        return None
    held = {**(getattr(layer, "params", None) or {})}
    wanted = dict.fromkeys((*kind.order, *kind.optional))
    args = {n: held.get(n, getattr(layer, n, None)) for n in wanted if n in held or hasattr(layer, n)}
    if not set(kind.order) - kind.optional.keys() <= args.keys():
        return None
    inputs = {"x": trace.inputs[path], **({"t": t} if kind.role == "loss" else {"dout": trace.douts[path]})}
    return Probe(kind.name, path, args, inputs)
