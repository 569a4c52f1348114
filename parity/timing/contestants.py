"""The contestants of the race: every implementation of a network, or of one layer, as laps of calls.

    forward   the loss of a batch, with what backward needs (for a layer: its output); of ours, the part of
              `gradient` until the loss is known
    backward  every gradient after that forward (for a layer: also dx)
    step      forward, loss, backward and SGD with momentum: one training step
    predict   the scores, in inference, keeping nothing

Where PyTorch runs on a GPU the batch is there already, and two more phases are timed separately:

    host_to_device   the images and labels of a batch, from NumPy's arrays
    device_to_host   the scores of a batch, into NumPy's array

Each implementation runs what its user would write: PyTorch eager with `zero_grad(set_to_none=True)` and
`torch.optim.SGD`, ours with `gradient` and `Momentum.update`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
from torch import nn

from parity.adapters.book import BookAdapter
from parity.kinds import KINDS, Probe, kind_of
from parity.kinds.tensors import place
from parity.reference.devices import synchronize
from parity.timing.baselines import BookMomentum
from parity.timing.clock import Contestant, Lap
from parity.timing.costs import BACKWARD, FORWARD, PREDICT, STEP, TO_DEVICE, TO_HOST
from scratchcnn.networks import Network
from scratchcnn.optim import Momentum
from scratchcnn.typing import Array

LR, MOMENTUM = 1e-3, 0.9
NAIVE_ROUNDS = 1  # the loops take seconds per call


def ours(name: str, network: Network, x: Array, t: Array) -> Contestant:
    """Our network, or a baseline in its place."""
    rule: Any = BookMomentum if name == "book" else Momentum
    optimizer = rule(lr=LR, momentum=MOMENTUM)

    def step() -> None:
        optimizer.update(network.params, network.gradient(x, t))

    laps: list[Lap] = [
        [((FORWARD, BACKWARD), lambda: [_until_the_loss(network, x, t)])],
        [(STEP, step)],
        [(PREDICT, lambda: network.predict(x))],
    ]
    if name == "naive":  # seconds per call, so only the step is timed
        return Contestant(name, [[(STEP, step)]], most=NAIVE_ROUNDS)
    return Contestant(name, laps)


def _until_the_loss(network: Network, x: Array, t: Array) -> float:
    """Run `gradient`; the clock's reading when the loss was known."""
    loss, read = network.last_layer, 0.0

    def forward(scores: Array, t: Array) -> Array:
        nonlocal read
        out: Array = type(loss).forward(loss, scores, t)
        read = time.perf_counter()
        return out

    with patch.object(loss, "forward", forward):
        network.gradient(x, t)
    return read


def torchs(
    name: str, module: nn.Module, x: Array, t: Array, device: str, transfers: bool = False
) -> Contestant:
    """PyTorch's network, eager or compiled; `transfers` adds a batch's way to the device and back."""
    dtype = next(module.parameters()).dtype
    inputs, labels = place(x, device, dtype), place(t, device)
    optimizer = torch.optim.SGD(module.parameters(), lr=LR, momentum=MOMENTUM)
    run: Any = torch.compile(module) if name == "torch_compile" else module
    loss: list[torch.Tensor] = []

    def forward() -> None:
        optimizer.zero_grad(set_to_none=True)
        loss[:] = [module.loss(run(inputs), labels)]  # type: ignore[operator]

    def backward() -> None:
        loss.pop().backward()  # type: ignore[no-untyped-call]

    def step() -> None:
        forward()
        backward()
        optimizer.step()

    def predict() -> None:
        module.eval()
        with torch.inference_mode():
            run(inputs)
        module.train()

    laps: list[Lap] = [[(FORWARD, forward), (BACKWARD, backward)], [(STEP, step)], [(PREDICT, predict)]]
    if transfers:
        with torch.inference_mode():
            scores = module.eval()(inputs)
        module.train()
        laps += [
            [(TO_DEVICE, lambda: (place(x, device, dtype), place(t, device)))],
            [(TO_HOST, lambda: scores.cpu().numpy())],
        ]
    return Contestant(name, laps, wait=lambda: synchronize(device))


def compiled(module: nn.Module, x: Array, t: Array, device: str) -> tuple[Contestant | None, str]:
    """The compiled network after a first run, or None and the first line of the error."""
    try:
        contestant = torchs("torch_compile", module, x, t, device)
        for lap in contestant.laps:
            for _, call in lap:
                call()
    except Exception as error:  # no C++ compiler, a version without dynamo, ...
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        return None, f"torch.compile does not run here: {type(error).__name__}: {reason}"
    return contestant, ""


# -- one layer ------------------------------------------------------------------------------------
def our_kind(probe: Probe) -> Contestant:
    """Our layer on a probe."""
    book = BookAdapter()
    layer = book.build(kind_of(probe.kind).ours, probe)
    forward: Callable[[], object] = lambda: book.forward(layer, probe)  # noqa: E731
    if probe.kind not in ("dropout", "softmax_with_loss", "penalty_loss"):
        forward = lambda: layer.forward(probe.inputs["x"])  # noqa: E731
    return Contestant("ours", [[(FORWARD, forward), (BACKWARD, lambda: book.backward(layer, probe))]])


def torch_kind(probe: Probe, device: str) -> Contestant:
    """PyTorch's function of the same kind, with autograd."""
    kind = KINDS[probe.kind]
    arrays = {k: v for k, v in {**probe.args, **probe.inputs}.items() if isinstance(v, np.ndarray)}
    tensors = {k: place(np.ascontiguousarray(v), device) for k, v in arrays.items()}
    leaves = [tensors[name].requires_grad_() for name in kind.wrt if name in tensors]
    options = {k: v for k, v in probe.args.items() if k not in tensors}
    dout = tensors.get("dout")
    out: list[torch.Tensor] = []

    def forward() -> None:
        out[:] = [kind.formula(tensors, options)]

    def backward() -> None:
        for leaf in leaves:
            leaf.grad = None
        out.pop().backward(dout)  # type: ignore[no-untyped-call]

    return Contestant("torch", [[(FORWARD, forward), (BACKWARD, backward)]], wait=lambda: synchronize(device))
