"""Run a network once, forward and backward, and keep what went in and out of every layer.

`trace_ours` and `trace_torch` return the same `Trace`, in our names, shapes and layout, so that the two
can be compared key by key.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import nn

from parity.kinds.kind import to_numpy
from parity.kinds.tensors import place
from parity.reference.weights import links, named_tensors
from scratchcnn.layers import Affine, Dropout, Layer, SideHead
from scratchcnn.networks import Network
from scratchcnn.typing import Array

Masks = dict[str, Array]
DropoutShapes = dict[str, tuple[tuple[int, ...], float]]


@dataclass
class Trace:
    """By layer path: inputs and outputs going forward, cotangents and dx coming back; grads by parameter.

    `dx` is the gradient for the images, which PyTorch's side has.
    """

    inputs: dict[str, Array] = field(default_factory=dict)
    outputs: dict[str, Array] = field(default_factory=dict)
    douts: dict[str, Array] = field(default_factory=dict)
    dxs: dict[str, Array] = field(default_factory=dict)
    grads: dict[str, Array] = field(default_factory=dict)
    loss: Any = None
    dx: Any = None


# -- ours -----------------------------------------------------------------------------------------
def trace_ours(
    network: Network, x: Array, t: Array, masks: Masks | None = None, trace: Trace | None = None
) -> Trace:
    """One `gradient` call of ours; `trace`, if given, is filled as far as the call gets."""
    trace = Trace() if trace is None else trace
    with injected(network, masks or {}), recording(network, trace):
        trace.grads = network.gradient(x, t)
    trace.loss = network.last_loss
    return trace


@contextmanager
def recording(network: Network, trace: Trace) -> Iterator[None]:
    """Every layer of the network notes what passes through it, inside the `with`."""
    last = _Last()
    with ExitStack() as stack:
        for path, layer in network.layers.leaves():
            stack.enter_context(_recorded(layer, path, trace, last))
        yield


class _Last:
    """The latest array that passed, so that what goes out of one layer and into the next is kept once."""

    def __init__(self) -> None:
        self.array: Array | None = None
        self.copy: Array | None = None

    def kept(self, array: Array) -> Array:
        if array is self.array and self.copy is not None and np.array_equal(array, self.copy):
            return self.copy
        self.array, self.copy = array, array.copy()
        return self.copy


@contextmanager
def _recorded(layer: Layer, path: str, trace: Trace, last: _Last) -> Iterator[None]:
    """The layer notes what passes through it while inside the `with`."""
    before: dict[str, Any] = {n: vars(layer)[n] for n in ("forward", "backward") if n in vars(layer)}
    forward, backward = layer.forward, layer.backward

    def recording_forward(x: Array, *args: Any) -> Array:
        trace.inputs[path] = last.kept(x)
        out = forward(x, *args)
        trace.outputs[path] = last.kept(out)
        return out

    def recording_backward(dout: Array) -> Array:
        trace.douts[path] = last.kept(dout)
        dx = backward(dout)
        trace.dxs[path] = last.kept(dx)
        return dx

    layer.forward, layer.backward = recording_forward, recording_backward  # type: ignore[method-assign]
    try:
        yield
    finally:
        del layer.forward, layer.backward
        vars(layer).update(before)


@contextmanager
def injected(network: Network, masks: Masks) -> Iterator[None]:
    """Our dropout layers use these masks inside the `with`."""
    layers: dict[str, Dropout] = {p: l for p, l in network.layers.leaves() if isinstance(l, Dropout)}
    for path, layer in layers.items():
        layer.inject(masks.get(path))
    try:
        yield
    finally:
        for layer in layers.values():
            layer.inject(None)


# -- torch ----------------------------------------------------------------------------------------
def module_at(module: nn.Module, path: str) -> nn.Module:
    """The torch module that carries our layer's name (hand-written networks write it in lower case).

    A module's `our_paths`, if it has them, say which names differ.
    """
    path = getattr(module, "our_paths", {}).get(path, path)
    for name in (path, path.lower()):
        with suppress(AttributeError):  # there is none of that name
            return module.get_submodule(name)
    there = sorted(name for name, _ in module.named_modules())
    raise KeyError(f"the torch network has no module named {path!r} or {path.lower()!r}; it has {there}")


def trace_torch(module: nn.Module, network: Network, x: Array, t: Array, masks: Masks | None = None) -> Trace:
    """One forward and backward of the torch network, in the names and shapes of `network`."""
    trace, handles = Trace(), []
    for path, _ in network.layers.leaves():
        target = module_at(module, path)
        handles += [
            target.register_forward_hook(_note_forward(trace, path)),
            target.register_full_backward_hook(_note_backward(trace, path)),
        ]
    device = next(module.parameters()).device
    try:
        with torch_injected(module, masks or {}):
            module.zero_grad(set_to_none=True)
            inputs = place(x, device).requires_grad_()
            loss = module.loss(module(inputs), torch.from_numpy(t).to(device))  # type: ignore[operator]
            loss.backward()
    finally:
        for handle in handles:
            handle.remove()
    trace.loss = to_numpy(loss)
    trace.dx = None if inputs.grad is None else to_numpy(inputs.grad)
    trace.grads = torch_gradients(module, network)
    _as_images(trace, network)
    return trace


def torch_gradients(module: nn.Module, network: Network | Layer) -> dict[str, Array]:
    """The module's gradients under our names, in our layout."""
    tensors, trained = named_tensors(module), network.params
    grads = {}
    for link in links(network):
        if link.ours in trained:
            grad = tensors[link.theirs].grad
            if grad is not None:
                grads[link.ours] = to_numpy(grad).T if link.transposed else to_numpy(grad)
    return grads


def _note_forward(trace: Trace, path: str) -> Callable[..., None]:
    def hook(_: nn.Module, inputs: tuple[torch.Tensor, ...], output: torch.Tensor) -> None:
        trace.inputs[path] = to_numpy(inputs[0])
        trace.outputs[path] = to_numpy(output)

    return hook


def _note_backward(trace: Trace, path: str) -> Callable[..., None]:
    def hook(_: nn.Module, grad_inputs: tuple[Any, ...], grad_outputs: tuple[Any, ...]) -> None:
        trace.douts[path] = to_numpy(grad_outputs[0])
        trace.dxs[path] = to_numpy(grad_inputs[0])

    return hook


def _as_images(trace: Trace, network: Network) -> None:
    """The book's Affine takes images and gives their dx; torch's Linear comes after a flatten of its own."""
    shape = network.input_dim
    for path, layer in network.layers.leaves():
        if path not in trace.outputs:  # a head that inference leaves out
            continue
        if isinstance(layer, Affine) and len(shape) > 1:
            for arrays in (trace.inputs, trace.dxs):
                arrays[path] = arrays[path].reshape(-1, *shape)
        shape = trace.outputs[path].shape[1:]


@contextmanager
def torch_injected(module: nn.Module, masks: Masks) -> Iterator[None]:
    """torch's dropout modules use these masks inside the `with`."""
    patched = []
    for path, mask in masks.items():
        dropout = module_at(module, path)
        if not isinstance(dropout, nn.Dropout):
            raise TypeError(
                f"{path}: expected nn.Dropout in the torch network, found {type(dropout).__name__}"
            )
        dropout.forward = _masked(dropout.p, mask)  # type: ignore[method-assign, assignment]
        patched.append(dropout)
    try:
        yield
    finally:
        for dropout in patched:
            del dropout.forward


def _masked(p: float, mask: Array) -> Callable[[torch.Tensor], torch.Tensor]:
    def forward(x: torch.Tensor) -> torch.Tensor:
        keep = torch.from_numpy(mask).to(x.device, x.dtype)
        return x * keep / (1 - p)

    return forward


def draw_masks(dropouts: DropoutShapes, batch_size: int, rng: np.random.Generator) -> Masks:
    """A mask for every dropout layer, drawn here so that both sides get the same."""
    return {path: rng.random((batch_size, *shape)) >= ratio for path, (shape, ratio) in dropouts.items()}


def dropout_shapes(network: Network) -> DropoutShapes:
    """For each dropout layer the shape of one image's activations, and its ratio."""
    dropouts = {p: l for p, l in network.layers.leaves() if isinstance(l, Dropout)}
    if not dropouts:
        return {}
    trace = Trace()
    with recording(network, trace), network.inference():
        for layer in network.layers.values():  # inference would leave them out
            layer.training = isinstance(layer, SideHead)
        network.layers.forward(np.zeros((1, *network.input_dim), dtype=network.dtype))
    return {p: (trace.inputs[p].shape[1:], l.dropout_ratio) for p, l in dropouts.items()}
