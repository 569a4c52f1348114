"""Inputs of the sizes that networks have: a layer may be right on small ones and wrong on these.

The shapes are those of the layers of SimpleConvNet, LeNet, AlexNet, VGG and ResNet, at batches of 1, 7, 32
and 100 images. Where a layer would take seconds only because two of its sizes are large at once (AlexNet's
second convolution on 27x27 images), one of them is smaller: each size on its own reaches the network's.

They are run in float64, the cheapest first, after the small probes. Code that loops in Python may need too
long for the larger ones; the verdict says up to which size it was checked. NumPy in a browser multiplies
matrices a hundred times more slowly (it has no BLAS), so the largest products are left out there.
"""

from __future__ import annotations

import math
import sys
from dataclasses import replace
from functools import lru_cache

import numpy as np

from parity.kinds import Kind, Operation, kind_of
from parity.kinds.numpy_reference import judge, numpy_output_shape
from parity.kinds.probe import Probe, quarters
from parity.kinds.torch_when_used import torch
from parity.kinds.windows import pair

MOST_PRODUCTS = 20_000_000  # multiplications of a forward pass in a browser


def in_browser() -> bool:
    """Whether this is Pyodide."""
    return sys.platform == "emscripten"


def real_sizes(kind: str, seed: int = 0) -> list[Probe]:
    """The kind's probes of real size, the cheapest first, with their cotangents; none for some kinds.

    Numbers are whole or quarters, small enough that float64 holds every product and sum of a linear kind.
    """
    rng, build = np.random.default_rng([seed, *kind.encode(), 1]), kind_of(kind).real
    cases = build(rng) if build else []
    return [_with_cotangent(p, seed) for p in cases if not in_browser() or products_of(p) <= MOST_PRODUCTS]


def shared_real_sizes(kind: str, seed: int = 0) -> list[Probe]:
    """Those probes, of which this process computes each reference once, however often they are asked for.

    They are large: those of a few kinds are kept, and none in a browser.
    """
    if in_browser():
        return real_sizes(kind, seed)
    return [probe.copy() for probe in _made(kind_of(kind), seed, judge())]


@lru_cache(maxsize=3)
def _made(kind: Kind, seed: int, judge: str) -> list[Probe]:
    return real_sizes(kind.name, seed)


def products_of(probe: Probe) -> int:
    """About how many multiplications a forward pass with weights takes; 0 without weights."""
    if "W" not in probe.args:
        return 0
    (N, _, *image), stride = probe.inputs["x"].shape, pair(probe.args.get("stride", 1))
    windows = math.prod(-(-size // s) for size, s in zip(image, stride, strict=False))
    return int(N * windows * probe.args["W"].size)


def size_of(probe: Probe) -> str:
    """`x (100, 1, 28, 28), W (30, 1, 5, 5)`: how a verdict names the size of a probe."""
    arrays = {**probe.inputs, **probe.args}
    if "params" in arrays:
        steps, shapes = len(arrays["grads"]), [p.shape for p in arrays["params"].values()]
        return f"{steps} steps, parameters of {max(shapes, key=np.prod)}"
    shown = [(name, arrays[name]) for name in ("input_data", "col", "x", "W") if name in arrays]
    return ", ".join(f"{name} {a.shape}" for name, a in shown)


def _with_cotangent(probe: Probe, seed: int) -> Probe:
    probe = probe.cast(np.float32).cast(np.float64)
    kind = kind_of(probe.kind)
    if kind.out != "out" or not isinstance(kind, Operation):
        return probe
    shape = numpy_output_shape(kind, probe) if judge() == "numpy" else _torch_output_shape(kind, probe)
    dout = quarters(np.random.default_rng([seed, *probe.id.encode()]), *shape)
    return replace(probe, inputs={**probe.inputs, "dout": dout})


def _torch_output_shape(kind: Operation, probe: Probe) -> tuple[int, ...]:
    arrays = {k: v for k, v in {**probe.args, **probe.inputs}.items() if isinstance(v, np.ndarray)}
    options = {k: v for k, v in probe.args.items() if k not in arrays}
    with torch.no_grad():  # only the shape is wanted; PyTorch's "meta" tensors would import SymPy for it
        return tuple(kind.formula({k: torch.zeros(v.shape) for k, v in arrays.items()}, options).shape)
