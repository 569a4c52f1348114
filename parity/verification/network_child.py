"""What `verify_network` does in the child: both sides run on the same images, every tensor is judged."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from parity.adapters.isolate import Limits, Send
from parity.adapters.load import TargetError, load
from parity.checks.culprit import Culprit, localize
from parity.comparison.gates import UNIT, Comparison, difference, logic_gate, precision_gate
from parity.comparison.records import Place, Record, record
from parity.kinds import KINDS
from parity.kinds.kind import to_numpy
from parity.kinds.probes import probes
from parity.reference.model_pair import OVER_KINKS, nudged
from parity.reference.trace import Trace
from parity.reference.weights import named_tensors
from parity.verification.names_map import Names, fitted, guessed
from parity.verification.network_layers import check_alone, kind_by_class
from parity.verification.observe import Request, observe_target
from scratchcnn.typing import Array

KIND, BATCH = "network", 3


class NetworkMisuse(ValueError):
    """The network and the twin cannot be brought together as asked."""


def work_network(
    factory: Any, module: nn.Module, names: Names | None, shape: Any, seed: int, send: Send
) -> None:
    """Build, copy the weights, run both, judge; records are sent as they are made."""
    try:
        network = load(factory) if isinstance(factory, str) else factory
        network = network() if isinstance(network, type) else network
        params = _params(network)
        table = _copy_weights(params, module, names)
        x, t = _batch(network, module, shape, seed, next(iter(params.values())).dtype)
    except (TargetError, NetworkMisuse) as error:
        send(("misuse", type(error), str(error)))
        return
    layers = dict(_layers(network))
    trace = Trace()
    with ExitStack() as stack:
        for path, layer in layers.items():
            stack.enter_context(_recorded(layer, path, trace))
        trace.loss = network.loss(x.copy(), t.copy())
        trace.grads = network.gradient(x.copy(), t.copy())
    anchors = _anchors(layers, network.params, table)
    exact, runs = _reference(module, x, t, anchors, trace)
    place = Place(KIND, x.dtype.name, "cpu")
    rows = [*check_alone(place, layers, trace, t, send), *_whole(place, trace, exact, runs, table)]
    for row in rows:
        send(("record", row))
    for row in [row for row in rows if not row.ok and row.phase != "alone"][:3]:
        name = row.layer
        send(
            (
                "both",
                name,
                trace.loss if name == "loss" else trace.grads.get(name),
                _theirs(exact, table, name),
            )
        )
    culprit = localize(rows, trace, exact) if layers else localize(rows)
    if culprit is None:
        return
    culprit = _honest(culprit, rows, anchors, layers, table)
    send(("culprit", culprit))
    layer = layers.get(culprit.layer)
    kind = None if layer is None else kind_by_class(layer)
    if kind in KINDS and culprit.phase in ("forward", "backward"):
        request = Request(type(layer), kind, "book", probes(kind, 0))
        send(("of layer", observe_target(request, Limits(), isolated=False)))


def _params(network: Any) -> dict[str, Array]:
    missing = [name for name in ("params", "loss", "gradient") if not hasattr(network, name)]
    if missing:
        raise NetworkMisuse(
            f"a network has params, loss(x, t) and gradient(x, t); "
            f"{type(network).__name__} lacks {', '.join(missing)}"
        )
    params = dict(network.params)
    if not params or any(not isinstance(p, np.ndarray) or p.dtype.kind != "f" for p in params.values()):
        raise NetworkMisuse("params must be a dict of floating-point arrays")
    if len({p.dtype for p in params.values()}) > 1:
        raise NetworkMisuse("params are of more than one dtype")
    return params


def _copy_weights(params: Mapping[str, Array], module: nn.Module, names: Names | None) -> Names:
    tensors = {k: v for k, v in named_tensors(module).items() if isinstance(v, nn.Parameter)}
    ours, theirs = {k: p.shape for k, p in params.items()}, {k: tuple(v.shape) for k, v in tensors.items()}
    try:
        table = fitted(guessed(ours, theirs) if names is None else names, ours, theirs)
    except ValueError as error:
        raise NetworkMisuse(str(error)) from None
    with torch.no_grad():
        for name, entry in table.items():
            array = params[name].T if entry.transposed else params[name]
            tensors[entry.theirs].copy_(torch.from_numpy(np.ascontiguousarray(array, dtype=np.float64)))
    return table


def _batch(network: Any, module: nn.Module, shape: Any, seed: int, dtype: Any) -> tuple[Array, Array]:
    shape = shape or getattr(network, "input_dim", None)
    if shape is None:
        raise NetworkMisuse("one image's shape is not known: give input_shape=(1, 28, 28) (--input 1,28,28)")
    rng = np.random.default_rng([seed, 7])
    x = rng.standard_normal((BATCH, *shape)).astype(np.float32)
    try:
        with torch.no_grad():
            classes = copy.deepcopy(module)(torch.from_numpy(x.astype(np.float64))).shape[1]
    except (RuntimeError, IndexError) as error:
        raise NetworkMisuse(f"the twin does not take images of shape {tuple(shape)}: {error}") from None
    return x.astype(dtype), rng.integers(0, classes, BATCH)


def _layers(network: Any) -> Iterator[tuple[str, Any]]:
    """(name, layer) in the order of the computation, the loss last."""
    layers = getattr(network, "layers", None) or {}
    if hasattr(layers, "leaves"):
        yield from layers.leaves()
    elif isinstance(layers, Mapping):
        yield from layers.items()
    else:
        yield from ((f"{type(layer).__name__} {i}", layer) for i, layer in enumerate(layers, start=1))
    for name in ("last_layer", "lastLayer", "loss_layer"):
        if hasattr(network, name):
            yield "loss", getattr(network, name)
            return


@contextmanager
def _recorded(layer: Any, path: str, trace: Trace) -> Iterator[None]:
    """The layer notes what passes through it; one that cannot be patched is left alone."""
    forward, backward = layer.forward, layer.backward

    def recording_forward(x: Array, *args: Any, **options: Any) -> Any:
        trace.inputs[path] = np.array(x)
        out = forward(x, *args, **options)
        trace.outputs[path] = np.array(out)
        return out

    def recording_backward(*args: Any, **options: Any) -> Any:
        trace.douts[path] = np.array(args[0] if args else 1.0)
        dx = backward(*args, **options)
        trace.dxs[path] = np.array(dx)
        return dx

    with suppress(AttributeError):
        layer.forward, layer.backward = recording_forward, recording_backward
    try:
        yield
    finally:
        for name in ("forward", "backward"):
            vars(layer).pop(name, None)


def _anchors(layers: Mapping[str, Any], params: Mapping[str, Array], table: Names) -> dict[str, str]:
    """The layers that hold a parameter of the network, and the twin's module that holds its counterpart."""
    owners = {}
    for path, layer in layers.items():
        own = [*vars(layer).values(), *(getattr(layer, "params", None) or {}).values()]
        for name, array in params.items():
            if any(value is array for value in own):
                owners[path] = table[name].theirs.rpartition(".")[0]
    return owners


def _reference(
    module: nn.Module, x: Array, t: Array, anchors: dict[str, str], ours: Trace
) -> tuple[Trace, list[Trace]]:
    """PyTorch's run in float64, and in float32 those of the module and of its nudged copies."""
    exact = _run(module, x.astype(np.float64), t, anchors)
    for path in anchors:  # torch flattens before a Linear, the book's Affine by itself
        for mine, arrays in ((ours.inputs, exact.inputs), (ours.dxs, exact.dxs)):
            if path in mine and path in arrays and mine[path].size == arrays[path].size:
                arrays[path] = arrays[path].reshape(mine[path].shape)
    if x.dtype == np.float64:
        return exact, []
    modules = nudged([copy.deepcopy(module).float() for _ in (0, *OVER_KINKS)], OVER_KINKS)
    return exact, [_run(other, x, t, {}) for other in modules]


def _run(module: nn.Module, x: Array, t: Array, anchors: dict[str, str]) -> Trace:
    trace, found, handles = Trace(), dict(module.named_modules()), []
    for path, name in anchors.items():
        handles.append(found[name].register_forward_hook(_note(trace.inputs, trace.outputs, path)))
        handles.append(found[name].register_full_backward_hook(_note(trace.dxs, trace.douts, path)))
    module.zero_grad(set_to_none=True)
    logits = module(torch.from_numpy(x).requires_grad_())
    own: Any = getattr(module, "loss", None)
    loss = (own if callable(own) else F.cross_entropy)(logits, torch.from_numpy(t))
    loss.backward()
    for handle in handles:
        handle.remove()
    trace.loss = to_numpy(loss)
    trace.grads = {name: to_numpy(p.grad) for name, p in module.named_parameters() if p.grad is not None}
    return trace


def _note(first: dict[str, Array], second: dict[str, Array], path: str) -> Callable[..., None]:
    def hook(_: nn.Module, a: Any, b: Any) -> None:
        first[path] = to_numpy(a[0] if isinstance(a, tuple) else a)
        second[path] = to_numpy(b[0] if isinstance(b, tuple) else b)

    return hook


def _whole(place: Place, ours: Trace, exact: Trace, runs: list[Trace], table: Names) -> Iterator[Record]:
    """The loss and every gradient of the network as a whole."""
    loss = (
        ours.loss
        if isinstance(ours.loss, (np.ndarray, np.generic))
        else np.asarray(ours.loss, dtype=place.dtype)
    )
    yield record(
        place, "loss", "forward", "loss", _gate(np.asarray(loss), exact.loss, [run.loss for run in runs])
    )
    for name in table:
        theirs = [_theirs(run, table, name) for run in (exact, *runs)]
        grad = ours.grads.get(name) if isinstance(ours.grads, Mapping) else None
        yield record(place, name, "backward", "grad", _gate(grad, theirs[0], theirs[1:]))


def _theirs(run: Trace, table: Names, name: str) -> Array:
    """PyTorch's loss or gradient under our name, in our layout."""
    if name == "loss":
        loss: Array = run.loss
        return loss
    grad = run.grads[table[name].theirs]
    return grad.T if table[name].transposed else grad


def _honest(
    culprit: Culprit, rows: list[Record], anchors: dict[str, str], layers: Mapping[str, Any], table: Names
) -> Culprit:
    """No more said than was looked at: "every layer is right" only where every layer was checked."""
    if culprit.phase != "names":
        return culprit
    if not layers:
        sentence = f"the gradient of {culprit.layer} is wrong, and the network shows no layers to look at"
        return Culprit(culprit.layer, "backward", culprit.tensor, sentence)
    module = table[culprit.layer].theirs.rpartition(".")[0]
    owner = next((path for path, name in anchors.items() if name == module), None)
    if owner is None or any(row.layer == owner and row.phase == "alone" for row in rows):
        return culprit
    sentence = f"{owner} gets the right input and dout, and gives a wrong gradient of {culprit.layer}"
    return Culprit(owner, "backward", culprit.layer, sentence)


def _gate(ours: Any, exact: Array, runs: list[Array]) -> Comparison:
    if not runs:
        return logic_gate(ours, exact)
    return precision_gate(ours, runs[0], exact, UNIT["float32"], max(difference(run, exact) for run in runs))
