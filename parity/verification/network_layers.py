"""The layers of somebody's network, each individually: what its class is meant to be, and what it adds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from parity.adapters.network_subject import ForeignNetwork, LayerView
from parity.adapters.wire import Odd
from parity.checks.layer import judge
from parity.comparison.gates import refused
from parity.comparison.records import Place, Record, record
from parity.kinds import KINDS, Probe
from parity.kinds.names import kind_by_name
from parity.reference.trace import Trace
from scratchcnn.typing import Array

# PartialConvolution -> partial_convolution, and the others that nobody else's code is asked for
OURS_ALONE = {
    kind.ours.__name__: name for name, kind in KINDS.items() if not kind.call and isinstance(kind.ours, type)
}


@dataclass
class LayerRun:
    """A layer, what it is meant to be, and what it holds after a run: its arguments and its gradients.

    labels  what a loss got beside the scores; None where that was not seen
    seen    whether its calls were noted
    """

    view: LayerView
    kind: str | None
    attributes: dict[str, Any]
    labels: Any = None
    seen: bool = True


def kind_by_class(view: LayerView) -> str | None:
    """What the layer is meant to be, by the name of its class or of the nearest base that says it."""
    kind = next((kind for kind in map(_kind_of_class, view.classes) if kind), None)
    modes = {"average": "average_pooling", "min": "min_pooling"}
    return modes.get(view.mode, kind) if kind == "max_pooling" else kind


def _kind_of_class(name: str) -> str | None:
    """The kind of that name; a kind that only our own networks have needs the very name of our class."""
    return kind_by_name(name) or OURS_ALONE.get(name)


def narrow(value: Array) -> Array:
    """In float32; what is too large for it is infinite."""
    with np.errstate(over="ignore"):
        return value.astype(np.float32)


def read_layers(network: ForeignNetwork, trace: Trace, dtype: Any) -> Iterator[LayerRun]:
    """Every layer after `network.trace`; what passed through it is put into the trace.

    In a float32 network everything is taken in float32; that float64 came out of it is reported of the whole.
    """
    for view in network.layers:
        kind = kind_by_class(view)
        names: tuple[str, ...] = ()
        if kind in KINDS:
            known = KINDS[kind]
            names = (*known.order, *known.optional, *(f"d{name}" for name in known.params))
        passed, attributes, seen = network.passed(view.path, names)
        if dtype == np.float32:
            passed, attributes = ({k: _narrowed(v) for k, v in d.items()} for d in (passed, attributes))
        places = {"x": trace.inputs, "out": trace.outputs, "dout": trace.douts, "dx": trace.dxs}
        for name, arrays in places.items():
            if isinstance(passed.get(name), np.ndarray):
                arrays[view.path] = passed[name]
        yield LayerRun(view, kind, attributes, passed.get("t"), seen)


def _narrowed(value: Any) -> Any:
    return narrow(value) if isinstance(value, np.ndarray) and value.dtype == np.float64 else value


def check_layers(
    place: Place, runs: Mapping[str, LayerRun], trace: Trace, t: Array, unchecked: list[str]
) -> Iterator[Record]:
    """Every layer whose kind is known, on the input and cotangent that it got: the error that it adds."""
    for path, run in runs.items():
        probe = _as_probe(run, trace, t)
        if probe is not None and probe.inputs.get("t") is t and not _same_labels(run.labels, t):
            unchecked.append(f"{path} individually ({run.view.classes[0]}, which got other labels)")
            continue
        if probe is None:
            unchecked.append(f"{path} individually ({run.view.classes[0]})")
            continue
        kind = KINDS[probe.kind]
        found: dict[str, Any] = {kind.out: trace.outputs.get(path), "dx": trace.dxs.get(path)}
        grads = [f"d{name}" for name in kind.params if name in probe.args]
        found |= {grad: run.attributes.get(grad) for grad in grads}
        hidden = {grad for grad in grads if found[grad] is None}  # wherever it keeps them
        try:
            judged = judge(probe, found, place.dtype)
        except (RuntimeError, ValueError, TypeError, IndexError) as error:
            why = f"PyTorch does not take this input: {error}".splitlines()[0]
            judged = {kind.out: refused(probe.inputs["x"], why)}
        for tensor in [tensor for tensor in judged if tensor not in hidden]:
            comparison = judged[tensor]
            yield record(place, path, "alone", tensor, comparison)


def _same_labels(got: Any, t: Array) -> bool:
    """Whether a loss got the network's labels, as class numbers or as rows; what was not seen is believed."""
    if not isinstance(got, np.ndarray):
        return True
    got, t = (a.argmax(axis=1) if a.ndim == 2 and a.shape[1] > 1 else a.ravel() for a in (got, t))
    return np.array_equal(got, t)


def _as_probe(run: LayerRun, trace: Trace, t: Array) -> Probe | None:
    """The layer's kind with the arguments that it holds; None where the call cannot be made again from them.

    What a layer lacks has its default. A layer that does something else in inference (dropout, batch
    normalization) has a state that its attributes do not show.
    """
    kind, path = KINDS.get(run.kind or ""), run.view.path
    if kind is None or kind.switches or path not in trace.inputs or path not in trace.douts:
        return None
    wanted = dict.fromkeys((*kind.order, *kind.optional))
    args = {name: run.attributes[name] for name in wanted if name in run.attributes}
    if any(isinstance(value, Odd) for value in args.values()):
        return None
    if not set(kind.order) - kind.optional.keys() <= args.keys():
        return None
    inputs = {"x": trace.inputs[path], **({"t": t} if kind.role == "loss" else {"dout": trace.douts[path]})}
    return Probe(kind.name, path, args, inputs)
