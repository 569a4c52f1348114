"""Inputs of the sizes that networks have: a layer may be right on small ones and wrong on these.

The shapes are those of the layers of SimpleConvNet, LeNet, AlexNet, VGG and ResNet, at batches of 1, 7, 32
and 100 images. Where a layer would take seconds only because two of its sizes are large at once (AlexNet's
second convolution on 27x27 images), one of them is smaller: each size on its own reaches the network's.

They are run in float64, the cheapest first, after the small probes. Code that loops in Python may need too
long for the larger ones; the verdict says up to which size it was checked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from parity.kinds import Operation, kind_of
from parity.kinds.probe import Array, Probe, Rng, needs, normal
from parity.kinds.torch_when_used import torch
from parity.kinds.windows import given, window_needs

Shape = tuple[int, ...]
Build = Callable[[Rng, str], Iterator[Probe]]


def real_sizes(kind: str, seed: int = 0) -> list[Probe]:
    """The kind's probes of real size, the cheapest first, with their cotangents; none for some kinds.

    Numbers are whole or quarters, small enough that float64 holds every product and sum of a linear kind.
    """
    rng = np.random.default_rng([seed, *kind.encode(), 1])
    return [_with_cotangent(probe, seed) for probe in BUILDERS[kind](rng, kind)] if kind in BUILDERS else []


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
    arrays = {k: v for k, v in {**probe.args, **probe.inputs}.items() if isinstance(v, np.ndarray)}
    options = {k: v for k, v in probe.args.items() if k not in arrays}
    described = {
        k: torch.empty(v.shape, dtype=getattr(torch, v.dtype.name), device="meta") for k, v in arrays.items()
    }
    shape = kind.formula(described, options).shape  # nothing is computed
    dout = _numbers(np.random.default_rng([seed, *probe.id.encode()]), *shape)
    return replace(probe, inputs={**probe.inputs, "dout": dout})


def _numbers(rng: Rng, *shape: int) -> Array:
    """Normal numbers rounded to quarters."""
    return np.round(4 * rng.standard_normal(shape, dtype=np.float32)).astype(np.float64) / 4


# -- windows ---------------------------------------------------------------------------------------
# id, x shape, (FN, FH, FW), stride, pad, dilation, groups
CONVOLUTIONS: tuple[tuple[str, Shape, Shape, Any, Any, Any, int], ...] = (
    ("AlexNet's 11x11, stride 4", (1, 3, 51, 55), (4, 11, 11), 4, 0, 1, 1),
    ("LeNet's first, N=1", (1, 1, 28, 28), (6, 5, 5), 1, 0, 1, 1),
    ("LeNet's second, N=7", (7, 6, 14, 14), (16, 5, 5), 1, 0, 1, 1),
    ("ResNet's stem: 7x7, stride 2, pad 3", (2, 3, 30, 33), (64, 7, 7), 2, 3, 1, 1),
    ("32 groups", (2, 64, 7, 7), (64, 3, 3), 1, 1, 1, 32),
    ("4 groups", (2, 16, 8, 8), (8, 3, 3), 1, 1, 1, 4),
    ("depthwise, 96 channels", (2, 96, 8, 9), (96, 3, 3), 1, 1, 1, 96),
    ("dilation 4", (1, 8, 20, 21), (8, 3, 3), 1, 4, 4, 1),
    ("1x1, stride 2, 512 to 2,048 channels", (1, 512, 7, 7), (2048, 1, 1), 2, 0, 1, 1),
    ("1x1, 2,048 to 512 channels", (2, 2048, 4, 3), (512, 1, 1), 1, 0, 1, 1),
    ("AlexNet's third: 3x3 on 256 channels", (7, 256, 6, 6), (384, 3, 3), 1, 1, 1, 1),
    ("AlexNet's second: 5x5, pad 2", (1, 96, 13, 13), (256, 5, 5), 1, 2, 1, 1),
    ("a 224x224 image", (1, 1, 224, 227), (3, 3, 3), 1, 1, 1, 1),
    ("LeNet's first, N=32", (32, 1, 28, 28), (6, 5, 5), 1, 0, 1, 1),
    ("SimpleConvNet's, N=100", (100, 1, 28, 28), (30, 5, 5), 1, 0, 1, 1),
)


def _convolutions(rng: Rng, kind: str) -> Iterator[Probe]:
    for name, shape, (FN, FH, FW), stride, pad, dilation, groups in CONVOLUTIONS:
        args = {"W": _numbers(rng, FN, shape[1] // groups, FH, FW), "b": _numbers(rng, FN)}
        args |= given(stride=stride, pad=pad, dilation=dilation, groups=groups)
        asked = window_needs(stride, pad, dilation, groups)
        yield Probe(kind, name, args, {"x": _numbers(rng, *shape)}, asked)


def _partial_convolutions(rng: Rng, kind: str) -> Iterator[Probe]:
    for N in (1, 100):
        connections = rng.random((16, 6)) < 0.6
        args = {"W": _numbers(rng, 16, 6, 5, 5), "b": _numbers(rng, 16), "connections": connections}
        yield Probe(kind, f"LeNet-5's C3, N={N}", args, {"x": _numbers(rng, N, 6, 14, 14)})


def _im2cols(rng: Rng, kind: str) -> Iterator[Probe]:
    for name, shape, (_, FH, FW), stride, pad, dilation, groups in CONVOLUTIONS:
        if dilation == groups == 1 and shape[1] <= 512:
            args = {"filter_h": FH, "filter_w": FW, **given(stride=stride, pad=pad)}
            image = {"input_data": _numbers(rng, *shape)}
            yield Probe(kind, name, args, image, window_needs(stride, pad))


def _col2ims(rng: Rng, kind: str) -> Iterator[Probe]:
    for probe in _im2cols(rng, "im2col"):
        N, C, H, W = shape = probe.inputs["input_data"].shape
        (FH, FW), s = (probe.args["filter_h"], probe.args["filter_w"]), probe.args.get("stride", 1)
        p = probe.args.get("pad", 0)
        OH, OW = (H + 2 * p - FH) // s + 1, (W + 2 * p - FW) // s + 1
        col = _numbers(rng, N * OH * OW, C * FH * FW)
        yield Probe(kind, probe.id, {"input_shape": shape, **probe.args}, {"col": col}, probe.needs)


# id, x shape, (pool_h, pool_w), stride, pad
POOLINGS: tuple[tuple[str, Shape, Shape, Any, Any], ...] = (
    ("one channel, several images", (3, 1, 9, 8), (2, 3), 2, 0),
    ("a window of 7, pad 3", (2, 4, 13, 12), (7, 6), 2, 3),
    ("a window of 7", (2, 512, 7, 7), (7, 7), 7, 0),
    ("a window of 5 and 11", (2, 9, 23, 24), (5, 11), 4, 2),
    ("AlexNet's overlap on 256 channels", (2, 256, 13, 13), (3, 3), 2, 0),
    ("LeNet's, N=7", (7, 6, 28, 28), (2, 2), 2, 0),
    ("LeNet's, N=32", (32, 16, 10, 10), (2, 2), 2, 0),
    ("ResNet's, pad 1", (1, 64, 56, 57), (3, 3), 2, 1),
    ("a 224x224 image", (1, 1, 224, 227), (2, 2), 2, 0),
    ("SimpleConvNet's, N=100", (100, 30, 24, 24), (2, 2), 2, 0),
)


def _poolings(rng: Rng, kind: str) -> Iterator[Probe]:
    for name, shape, (pool_h, pool_w), stride, pad in POOLINGS:
        args = {"pool_h": pool_h, "pool_w": pool_w, **given(stride=stride, pad=pad)}
        yield Probe(kind, name, args, {"x": _distinct(rng, shape)}, window_needs(stride, pad))


def _distinct(rng: Rng, shape: Shape) -> Array:
    """Distinct whole numbers around 0, so that no window has a tie that hides which cell won."""
    size = int(np.prod(shape))
    return (rng.permutation(size) - size // 2).astype(np.float64).reshape(shape)


def _adaptives(rng: Rng, kind: str) -> Iterator[Probe]:
    for shape, out in (((2, 512, 14, 14), 7), ((7, 256, 6, 6), 6), ((32, 16, 13, 9), 6), ((100, 8, 7, 7), 1)):
        name = f"{shape[2]}x{shape[3]} to {out}x{out}, N={shape[0]}, {shape[1]} channels"
        uneven = bool(shape[2] % out or shape[3] % out)
        args = {"out_h": out, "out_w": out}
        yield Probe(kind, name, args, {"x": _numbers(rng, *shape)}, needs(uneven=uneven))


def _images(*shapes: Shape) -> Build:
    def build(rng: Rng, kind: str) -> Iterator[Probe]:
        for shape in shapes:
            yield Probe(kind, "x".join(map(str, shape)), {}, {"x": _numbers(rng, *shape)})

    return build


def _subsamplings(rng: Rng, kind: str) -> Iterator[Probe]:
    for shape in ((1, 6, 28, 28), (7, 16, 10, 10), (100, 6, 28, 28)):
        args = {"coefficient": _numbers(rng, shape[1]), "bias": _numbers(rng, shape[1])}
        yield Probe(kind, "x".join(map(str, shape)), args, {"x": _numbers(rng, *shape)})


# -- rows ------------------------------------------------------------------------------------------
def _affines(rng: Rng, kind: str) -> Iterator[Probe]:
    for shape, out in (
        ((3, 13), 7),
        ((7, 84), 10),
        ((100, 120), 84),
        ((32, 400), 120),
        ((2, 512), 1000),
        ((7, 16, 5, 5), 120),
        ((1, 9216), 64),
        ((1, 64), 4096),
        ((2, 25088), 16),
        ((100, 4320), 100),
    ):
        size = int(np.prod(shape[1:]))
        args = {"W": _numbers(rng, size, out), "b": _numbers(rng, out)}
        name = f"{size:,} to {out:,}, N={shape[0]}"
        yield Probe(kind, name, args, {"x": _numbers(rng, *shape)}, needs(images=len(shape) > 2))


def _rbfs(rng: Rng, kind: str) -> Iterator[Probe]:
    for N in (1, 7, 100):
        args = {"W": np.sign(normal(rng, 10, 84))}
        yield Probe(kind, f"LeNet-5's output, N={N}", args, {"x": _numbers(rng, N, 84)})


ROWS: tuple[Shape, ...] = (
    (3, 1),
    (4, 2),
    (5, 3),
    (6, 11),
    (7, 10),
    (32, 10),
    (100, 10),
    (7, 100),
    (32, 1000),
)


def _softmaxes(rng: Rng, kind: str) -> Iterator[Probe]:
    for shape in ROWS:
        yield Probe(kind, f"{shape[0]} rows of {shape[1]}", {}, {"x": _numbers(rng, *shape)})


def _losses(rng: Rng, kind: str) -> Iterator[Probe]:
    for N, classes in ROWS:
        x, t = np.abs(_numbers(rng, N, classes)), rng.integers(0, classes, N)
        name = f"{N} rows of {classes}" if classes > 1 else f"{N} rows of 1 class"
        yield Probe(kind, name, {}, {"x": x, "t": t})
        if kind == "softmax_with_loss":
            asked = needs(one_hot=True)
            yield Probe(kind, f"{name}, one-hot", {}, {"x": x, "t": np.eye(classes)[t]}, asked)


def _dropouts(rng: Rng, kind: str) -> Iterator[Probe]:
    for shape, ratio in (((7, 10), 0.1), ((100, 50), 0.5), ((32, 1000), 0.75), ((7, 16, 5, 5), 0.9)):
        args, mask = {"dropout_ratio": ratio}, rng.random(shape) >= ratio
        name = f"ratio {ratio}, {'x'.join(map(str, shape))}"
        yield Probe(kind, name, args, {"x": _numbers(rng, *shape), "mask": mask})


# -- normalization ---------------------------------------------------------------------------------
def _lrns(rng: Rng, kind: str) -> Iterator[Probe]:
    for shape, size in (
        ((2, 8, 5, 6), 5),
        ((7, 16, 8, 9), 3),
        ((2, 20, 5, 5), 8),
        ((2, 20, 5, 5), 11),
        ((1, 256, 13, 13), 5),
        ((32, 12, 4, 4), 5),
        ((1, 8, 55, 56), 5),
        ((100, 8, 4, 4), 5),
    ):
        args = {"size": size, "alpha": 0.125, "beta": 0.75, "k": 2.0}
        name = f"{'x'.join(map(str, shape))}, {size} channels wide"
        yield Probe(kind, name, args, {"x": _numbers(rng, *shape)}, needs(even_window=size % 2 == 0))


def _batch_norms(rng: Rng, kind: str) -> Iterator[Probe]:
    for shape in ((6, 5), (7, 100), (32, 256), (100, 64), (2, 2048, 3, 3), (7, 64, 8, 8), (32, 16, 14, 14),
                  (100, 8, 7, 7), (1, 3, 56, 57)):  # fmt: skip
        for training in (True, False):
            C = shape[1]
            args = {
                "gamma": _numbers(rng, C),
                "beta": _numbers(rng, C),
                "momentum": 0.75,
                "running_mean": _numbers(rng, C),
                "running_var": 0.5 + np.abs(_numbers(rng, C)),
            }
            name = "x".join(map(str, shape)) + ("" if training else ", inference")
            args |= {} if training else {"training": False}
            x = _numbers(rng, *shape) + 0.5
            yield Probe(kind, name, args, {"x": x}, needs(images=len(shape) > 2))


# -- optimizers ------------------------------------------------------------------------------------
def _optimizers(rng: Rng, kind: str) -> Iterator[Probe]:
    """Two hundred steps of small arrays, then a few of AlexNet's and ResNet's."""
    args = {k: v for k, v in next(kind_of(kind).probes(np.random.default_rng(0))).args.items()}

    def probe(name: str, shapes: dict[str, Shape], steps: int) -> Probe:
        params = {key: _numbers(rng, *shape) for key, shape in shapes.items()}
        grads = [{key: _numbers(rng, *shape) for key, shape in shapes.items()} for _ in range(steps)]
        return Probe(kind, name, dict(args), {"params": params, "grads": grads})

    yield probe("200 steps", {"W": (3, 2), "b": (4,)}, 200)
    large = {"W1": (96, 3, 11, 11), "W2": (256, 256, 3, 3), "b": (4096,)}
    yield probe("2 steps of large arrays", large, 2)


IMAGES = ((7, 6, 28, 28), (32, 16, 10, 10), (1, 64, 56, 57), (2, 512, 7, 7), (100, 30, 12, 12), (100, 4096))
ACTIVATIONS = ("relu", "sigmoid", "tanh", "silu", "flatten")
POOLING_KINDS = ("max_pooling", "average_pooling", "min_pooling")
OPTIMIZERS = ("sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam", "adamw")
BUILDERS: dict[str, Build] = {
    "convolution": _convolutions,
    "partial_convolution": _partial_convolutions,
    "im2col": _im2cols,
    "col2im": _col2ims,
    "adaptive_average_pooling": _adaptives,
    "global_average_pooling": _images((7, 16, 8, 9), (2, 2048, 7, 7), (100, 8, 4, 4)),
    "subsampling": _subsamplings,
    "affine": _affines,
    "rbf": _rbfs,
    "softmax": _softmaxes,
    "softmax_with_loss": _losses,
    "penalty_loss": _losses,
    "lrn": _lrns,
    "dropout": _dropouts,
    "batch_norm": _batch_norms,
    **dict.fromkeys(ACTIVATIONS, _images(*IMAGES)),
    **dict.fromkeys(POOLING_KINDS, _poolings),
    **dict.fromkeys(OPTIMIZERS, _optimizers),
}
