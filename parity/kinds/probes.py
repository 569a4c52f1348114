"""The inputs that are tried, kind by kind, smallest first.

A wrong layer is often right on easy inputs: square images, stride 1, ones as the cotangent. So the
geometries are asymmetric (H != W, sh != sw, ph != pw, overlap, gaps, sizes that do not divide, N = 1,
C = 1, 1x1), the cotangents random, and the values go where the formulas bend: integer ties, negative
inputs under padding, zeros at kinks, logits of +-1e3, rows far apart, tiny and huge scales.

Every number is drawn in float32 and kept as float64, so that both precisions see the same inputs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.kinds.kind import Probe
from parity.kinds.optimizers import OPTIMIZER_KINDS, optimizer_probes
from parity.kinds.registry import kind_of

Rng = np.random.Generator


def probes(kind: str, seed: int = 0, only: Callable[[int], bool] = lambda i: True) -> list[Probe]:
    """The probes of a kind for one seed, those whose place in the list `only` accepts.

    Raises ValueError for a kind that does not exist.
    """
    kind_of(kind)  # says which kinds there are
    rng = np.random.default_rng([seed, *kind.encode()])
    return [with_cotangent(probe, seed) for i, probe in enumerate(BUILDERS[kind](rng)) if only(i)]


def with_cotangent(probe: Probe, seed: int) -> Probe:
    """The probe rounded to float32, with a random dout of the output's shape where its kind takes one."""
    probe = probe.cast(np.float32).cast(np.float64)
    kind = kind_of(probe.kind)
    if kind.out != "out":
        return probe
    rng = np.random.default_rng([seed, *probe.id.encode()])
    shape = kind.reference(probe)["out"].shape
    dout = normal(rng, *shape).astype(np.float32).astype(np.float64)
    return replace(probe, inputs={**probe.inputs, "dout": dout})


def normal(rng: Rng, *shape: int, scale: float = 1.0) -> NDArray:
    return scale * rng.standard_normal(shape)


def integers(rng: Rng, low: int, high: int, *shape: int) -> NDArray:
    return rng.integers(low, high, shape).astype(np.float64)


# -- windows --------------------------------------------------------------------------------------
# id, x shape, (FN, FH, FW), stride, pad, dilation, groups
CONVOLUTIONS: list[tuple[str, tuple[int, ...], tuple[int, int, int], Any, Any, Any, int]] = [
    ("one pixel, one filter", (1, 1, 1, 1), (1, 1, 1), 1, 0, 1, 1),
    ("1x1 filter", (2, 3, 2, 3), (4, 1, 1), 1, 0, 1, 1),
    ("a filter the size of the image", (2, 2, 3, 4), (3, 3, 4), 1, 0, 1, 1),
    ("2x3 filter", (2, 3, 4, 5), (4, 2, 3), 1, 0, 1, 1),
    ("one image, one channel", (1, 1, 4, 5), (2, 2, 2), 1, 0, 1, 1),
    ("pad 1", (2, 2, 4, 3), (3, 3, 2), 1, 1, 1, 1),
    ("stride 2 over an even size", (2, 2, 4, 6), (3, 2, 2), 2, 0, 1, 1),
    ("stride 2 that leaves a pixel over", (2, 2, 6, 7), (3, 3, 2), 2, 0, 1, 1),
    ("stride larger than the filter", (2, 2, 7, 8), (3, 2, 2), 3, 0, 1, 1),
    ("the book's 5x5 with pad 2", (2, 3, 7, 6), (4, 5, 5), 1, 2, 1, 1),
    ("pad 2, stride 2", (2, 3, 7, 6), (4, 3, 3), 2, 2, 1, 1),
    ("stride (2, 1)", (2, 3, 7, 6), (4, 3, 2), (2, 1), 0, 1, 1),
    ("stride (1, 3), pad (2, 1)", (2, 3, 6, 8), (4, 3, 2), (1, 3), (2, 1), 1, 1),
    ("pad (0, 2)", (2, 2, 5, 4), (3, 2, 3), 1, (0, 2), 1, 1),
    ("dilation 2", (2, 2, 7, 8), (3, 3, 2), 1, 0, 2, 1),
    ("dilation (1, 2), stride 2, pad 1", (2, 2, 6, 9), (3, 2, 3), 2, 1, (1, 2), 1),
    ("2 groups", (2, 4, 5, 4), (6, 2, 3), 1, 1, 1, 2),
    ("a group a channel", (2, 3, 4, 5), (6, 3, 2), (1, 2), (1, 0), 1, 3),
]


def _features(
    stride: Any = 1, pad: Any = 0, dilation: Any = 1, groups: int = 1, **others: bool
) -> frozenset[str]:
    needs = {name for name, present in others.items() if present}
    needs |= {"pairs"} if isinstance(stride, tuple) or isinstance(pad, tuple) else set()
    needs |= {"pad"} if np.any(pad) else set()
    needs |= {"stride"} if np.any(np.not_equal(stride, 1)) else set()
    needs |= {"dilation"} if np.any(np.not_equal(dilation, 1)) else set()
    return frozenset(needs | ({"groups"} if groups > 1 else set()))


def _given(**options: Any) -> dict[str, Any]:
    """Only what differs from the default, so that an implementation without an option can be built."""
    defaults = {
        "stride": 1,
        "pad": 0,
        "dilation": 1,
        "groups": 1,
        "ceil_mode": False,
        "count_include_pad": True,
    }
    return {name: value for name, value in options.items() if value != defaults.get(name)}


def _convolutions(rng: Rng) -> Iterator[Probe]:
    for name, shape, (FN, FH, FW), stride, pad, dilation, groups in CONVOLUTIONS:
        args = {"W": normal(rng, FN, shape[1] // groups, FH, FW), "b": normal(rng, FN)}
        args |= _given(stride=stride, pad=pad, dilation=dilation, groups=groups)
        needs = _features(stride, pad, dilation, groups)
        yield Probe("convolution", name, args, {"x": normal(rng, *shape)}, needs)
    W = normal(rng, 3, 2, 2, 3)
    yield Probe(
        "convolution", "no bias", {"W": W, "b": None}, {"x": normal(rng, 2, 2, 4, 5)}, frozenset({"no_bias"})
    )
    for name, scale in (("tiny values", 2.0**-20), ("huge values", 2.0**20)):
        args = {"W": normal(rng, 3, 2, 2, 3), "b": normal(rng, 3, scale=scale)}
        yield Probe("convolution", name, args, {"x": normal(rng, 2, 2, 4, 5, scale=scale)})


def _partial_convolutions(rng: Rng) -> Iterator[Probe]:
    for name, shape, (FN, FH, FW), pad in (
        ("2 of 3 channels", (2, 3, 4, 5), (3, 2, 3), 0),
        ("with padding", (2, 4, 5, 4), (5, 3, 3), 1),
    ):
        connections = rng.random((FN, shape[1])) < 0.6
        connections[0], connections[-1] = True, np.arange(shape[1]) == 0
        args = {"W": normal(rng, FN, shape[1], FH, FW), "b": normal(rng, FN), "connections": connections}
        yield Probe("partial_convolution", name, args | _given(pad=pad), {"x": normal(rng, *shape)})


# id, x shape, (pool_h, pool_w), stride, pad, ceil_mode, count_include_pad
POOLINGS: list[tuple[str, tuple[int, ...], tuple[int, int], Any, Any, bool, bool]] = [
    ("one window", (1, 1, 2, 2), (2, 2), 1, 0, False, True),
    ("2x2 stride 2", (2, 3, 4, 6), (2, 2), 2, 0, False, True),
    ("2x3 window", (2, 2, 4, 5), (2, 3), 1, 0, False, True),
    ("3x2 window, stride 2, a pixel over", (2, 2, 6, 7), (3, 2), 2, 0, False, True),
    ("AlexNet's overlap: 3x3 stride 2", (2, 2, 7, 5), (3, 3), 2, 0, False, True),
    ("stride larger than the window", (2, 2, 7, 8), (2, 2), 3, 0, False, True),
    ("1x1 window", (2, 3, 2, 3), (1, 1), 1, 0, False, True),
    ("one image, one channel", (1, 1, 5, 4), (2, 2), 2, 0, False, True),
    ("pad 1", (2, 2, 4, 5), (2, 3), 2, 1, False, True),
    ("stride (2, 1)", (2, 2, 6, 5), (2, 3), (2, 1), 0, False, True),
    ("stride (1, 3), pad (0, 1)", (2, 2, 5, 7), (2, 3), (1, 3), (0, 1), False, True),
    ("ceil_mode", (2, 2, 6, 7), (3, 2), 2, 0, True, True),
    ("ceil_mode with pad 1", (2, 2, 6, 5), (3, 2), (2, 2), (1, 1), True, True),
]


def _poolings(kind: str) -> Callable[[Rng], Iterator[Probe]]:
    def build(rng: Rng) -> Iterator[Probe]:
        def probe(
            name: str, x: NDArray, window: Any, stride: Any, pad: Any, ceil: bool, count: bool
        ) -> Probe:
            args = {"pool_h": window[0], "pool_w": window[1]}
            args |= _given(stride=stride, pad=pad, ceil_mode=ceil, count_include_pad=count)
            needs = _features(stride, pad, ceil_mode=ceil, count_include_pad=not count)
            return Probe(kind, name, args, {"x": x}, needs)

        for name, shape, *geometry in POOLINGS:
            yield probe(name, normal(rng, *shape), *geometry)
        negative = -1 - np.abs(normal(rng, 2, 2, 4, 5))
        yield probe("negative inputs under padding", negative, (2, 3), (2, 1), (1, 1), False, True)
        yield probe("positive inputs under padding", -negative, (2, 3), (2, 1), (1, 1), False, True)
        yield probe("negative inputs, pad 1", negative, (3, 3), 2, 1, False, True)
        yield probe("positive inputs, pad 1", -negative, (3, 3), 2, 1, False, True)
        yield probe("ties: small integers", integers(rng, 0, 3, 2, 2, 6, 5), (2, 2), 2, 0, False, True)
        yield probe(
            "ties in overlapping windows", integers(rng, 0, 2, 2, 2, 6, 7), (3, 2), (1, 2), 0, False, True
        )
        yield probe("ties: all equal", np.ones((2, 2, 4, 4)), (2, 2), 2, 0, False, True)
        if kind == "average_pooling":
            yield probe("padding not counted", normal(rng, 2, 2, 4, 5), (2, 3), 2, 1, False, False)
            yield probe("ceil_mode, padding not counted", normal(rng, 2, 2, 6, 5), (3, 2), 2, 1, True, False)

    return build


# id, x shape, out_h, out_w
ADAPTIVES: list[tuple[str, tuple[int, ...], int, int]] = [
    ("one cell", (1, 1, 1, 1), 1, 1),
    ("windows of one size", (2, 3, 4, 6), 2, 3),
    ("the image's own size", (2, 2, 3, 4), 3, 4),
    ("to one pixel", (2, 3, 4, 5), 1, 1),
    ("7 rows to 3, 5 columns to 2: windows overlap", (2, 2, 7, 5), 3, 2),
    ("windows of several sizes", (2, 3, 5, 7), 2, 5),
    ("more cells than pixels", (2, 2, 3, 2), 5, 4),
]


def _adaptives(rng: Rng) -> Iterator[Probe]:
    for name, shape, out_h, out_w in ADAPTIVES:
        args = {"out_h": out_h, "out_w": out_w}
        uneven = bool(shape[2] % out_h or shape[3] % out_w)
        yield Probe(
            "adaptive_average_pooling", name, args, {"x": normal(rng, *shape)}, _features(uneven=uneven)
        )


def _globals(rng: Rng) -> Iterator[Probe]:
    for name, shape in (("one pixel", (1, 1, 1, 1)), ("images", (2, 3, 4, 5)), ("one row", (3, 2, 1, 6))):
        yield Probe("global_average_pooling", name, {}, {"x": normal(rng, *shape)})
    large = normal(rng, 2, 2, 3, 4) + 1000.0
    yield Probe("global_average_pooling", "far from zero", {}, {"x": large})


def _subsamplings(rng: Rng) -> Iterator[Probe]:
    for name, shape in (
        ("one window", (1, 1, 2, 2)),
        ("3 channels", (2, 3, 4, 6)),
        ("rows over", (2, 2, 5, 7)),
    ):
        args = {"coefficient": normal(rng, shape[1]), "bias": normal(rng, shape[1])}
        yield Probe("subsampling", name, args, {"x": normal(rng, *shape)})


def _im2cols(rng: Rng) -> Iterator[Probe]:
    for name, shape, (_, FH, FW), stride, pad, dilation, groups in CONVOLUTIONS:
        if dilation == 1 and groups == 1:
            args = {"filter_h": FH, "filter_w": FW, **_given(stride=stride, pad=pad)}
            yield Probe("im2col", name, args, {"input_data": normal(rng, *shape)}, _features(stride, pad))


def _col2ims(rng: Rng) -> Iterator[Probe]:
    for image in _im2cols(rng):
        shape = image.inputs["input_data"].shape
        col = kind_of("im2col").reference(image)["col"]
        args = {"input_shape": shape, **image.args}
        yield Probe("col2im", image.id, args, {"col": normal(rng, *col.shape)}, image.needs)


# -- numbers --------------------------------------------------------------------------------------
def _affines(rng: Rng) -> Iterator[Probe]:
    for name, shape, out in (
        ("one number", (1, 1), 1),
        ("3 to 2", (2, 3), 2),
        ("square W", (2, 3), 3),
        ("one image", (1, 4), 3),
        ("images", (2, 2, 3, 2), 4),
    ):
        size = int(np.prod(shape[1:]))
        args = {"W": normal(rng, size, out), "b": normal(rng, out)}
        yield Probe("affine", name, args, {"x": normal(rng, *shape)}, _features(images=len(shape) > 2))


def _elementwise(kind: str, kinks: bool = False, **args: Any) -> Callable[[Rng], Iterator[Probe]]:
    def build(rng: Rng) -> Iterator[Probe]:
        yield Probe(kind, "2x3", args, {"x": normal(rng, 2, 3)})
        yield Probe(kind, "images", args, {"x": normal(rng, 2, 3, 4, 5)})
        if kinks:
            yield Probe(kind, "zeros at the kink", args, {"x": integers(rng, -1, 2, 3, 4)})
        yield Probe(kind, "tiny values", args, {"x": normal(rng, 3, 4, scale=2.0**-20)})
        large = normal(rng, 3, 4, scale=1e3)
        large[0, 0] = 0.5  # where all saturate, dx is nothing but rounding
        yield Probe(kind, "large values of both signs", args, {"x": large})

    return build


def _tanhs(rng: Rng) -> Iterator[Probe]:
    yield from _elementwise("tanh")(rng)
    lenet = {"amplitude": 1.7159, "slope": 2 / 3}
    yield Probe(
        "tanh", "LeNet's amplitude and slope", lenet, {"x": normal(rng, 3, 4)}, frozenset({"amplitude"})
    )


def _logits(rng: Rng) -> Iterator[tuple[str, NDArray]]:
    yield "2x3", normal(rng, 2, 3)
    yield "one row", normal(rng, 1, 4)
    yield "10 classes", normal(rng, 5, 10)
    yield "equal logits", np.zeros((2, 4))
    yield "logits of +-1e3", 1e3 * np.sign(normal(rng, 4, 5))
    yield "rows far apart", normal(rng, 3, 4) + np.array([[0.0], [900.0], [-900.0]])
    yield "confident logits", normal(rng, 4, 5, scale=30.0)


def _softmaxes(rng: Rng) -> Iterator[Probe]:
    for name, x in _logits(rng):
        yield Probe("softmax", name, {}, {"x": x})


def _losses(kind: str) -> Callable[[Rng], Iterator[Probe]]:
    def build(rng: Rng) -> Iterator[Probe]:
        for name, x in _logits(rng):
            x = np.abs(x) if kind == "penalty_loss" else x
            t = rng.integers(0, x.shape[1], len(x))
            yield Probe(kind, name, {}, {"x": x, "t": t})
            if kind == "softmax_with_loss":
                onehot = np.eye(x.shape[1])[t]
                yield Probe(kind, f"{name}, one-hot", {}, {"x": x, "t": onehot}, frozenset({"one_hot"}))
        x = normal(rng, 3, 4, scale=30.0)
        worst = x.argmax(axis=1) if kind == "penalty_loss" else x.argmin(axis=1)
        yield Probe(
            kind, "confident and wrong", {}, {"x": np.abs(x) if kind == "penalty_loss" else x, "t": worst}
        )
        # N = C: labels read as rows, or rows as labels, stay in range here and nowhere else.
        x = np.abs(normal(rng, 4, 4))
        yield Probe(kind, "as many images as classes", {}, {"x": x, "t": np.array([2, 0, 0, 1])})

    return build


def _flattens(rng: Rng) -> Iterator[Probe]:
    yield Probe("flatten", "images", {}, {"x": normal(rng, 2, 3, 4, 5)})
    yield Probe("flatten", "rows", {}, {"x": normal(rng, 3, 4)})


def _rbfs(rng: Rng) -> Iterator[Probe]:
    for name, shape, out in (("one code", (1, 2), 1), ("3 codes", (2, 4), 3)):
        yield Probe("rbf", name, {"W": np.sign(normal(rng, out, shape[1]))}, {"x": normal(rng, *shape)})
    code = np.sign(normal(rng, 1, 4))
    yield Probe("rbf", "near the code", {"W": code}, {"x": code + normal(rng, 2, 4, scale=2.0**-10)})


def _lrns(rng: Rng) -> Iterator[Probe]:
    for name, shape, size, alpha, beta, k, scale in (
        ("one channel", (1, 1, 2, 3), 3, 0.1, 0.75, 1.0, 1.0),
        ("AlexNet's constants", (2, 7, 2, 3), 5, 1e-4, 0.75, 2.0, 30.0),
        ("strong", (2, 6, 3, 2), 3, 0.5, 0.75, 1.0, 1.0),
        ("an even window", (2, 6, 2, 3), 4, 0.5, 0.75, 2.0, 1.0),
        ("a window wider than the channels", (2, 3, 2, 3), 7, 0.3, 0.5, 1.5, 1.0),
    ):
        args = {"size": size, "alpha": alpha, "beta": beta, "k": k}
        needs = _features(even_window=size % 2 == 0)
        yield Probe("lrn", name, args, {"x": normal(rng, *shape, scale=scale)}, needs)


def _dropouts(rng: Rng) -> Iterator[Probe]:
    # A ratio of 0.5 cannot show which share is meant, so it does not come first.
    for name, shape, ratio in (
        ("2x3", (2, 3), 0.3),
        ("ratio 0.5", (3, 5), 0.5),
        ("images", (2, 3, 4, 5), 0.25),
    ):
        mask = rng.random(shape) >= ratio
        mask.flat[0], mask.flat[-1] = True, False
        args = {"dropout_ratio": ratio}
        yield Probe("dropout", name, args, {"x": normal(rng, *shape), "mask": mask})
        yield Probe("dropout", f"{name}, inference", args, {"x": normal(rng, *shape)})


def _batch_norms(rng: Rng) -> Iterator[Probe]:
    for name, shape, shift, scale in (
        ("two rows", (2, 3), 0.0, 1.0),
        ("5x4", (5, 4), 1.0, 2.0),
        ("images", (3, 2, 4, 5), 0.5, 1.0),
        ("one image", (1, 3, 2, 3), 0.0, 1.0),
        ("small values", (4, 3), 0.0, 2.0**-8),
    ):
        for training in (True, False):
            C = shape[1]
            args = {
                "gamma": normal(rng, C),
                "beta": normal(rng, C),
                "momentum": 0.8,
                "running_mean": normal(rng, C),
                "running_var": 0.5 + np.abs(normal(rng, C)),
            }
            if not training:
                args["training"] = False
            needs = _features(images=len(shape) > 2)
            x = normal(rng, *shape, scale=scale) + shift
            yield Probe("batch_norm", name if training else f"{name}, inference", args, {"x": x}, needs)


BUILDERS: dict[str, Callable[[Rng], Iterator[Probe]]] = {
    "im2col": _im2cols,
    "col2im": _col2ims,
    "convolution": _convolutions,
    "partial_convolution": _partial_convolutions,
    "max_pooling": _poolings("max_pooling"),
    "average_pooling": _poolings("average_pooling"),
    "min_pooling": _poolings("min_pooling"),
    "adaptive_average_pooling": _adaptives,
    "global_average_pooling": _globals,
    "subsampling": _subsamplings,
    "affine": _affines,
    "flatten": _flattens,
    "rbf": _rbfs,
    "relu": _elementwise("relu", kinks=True),
    "sigmoid": _elementwise("sigmoid"),
    "tanh": _tanhs,
    "softmax": _softmaxes,
    "softmax_with_loss": _losses("softmax_with_loss"),
    "penalty_loss": _losses("penalty_loss"),
    "lrn": _lrns,
    "dropout": _dropouts,
    "batch_norm": _batch_norms,
    **{name: optimizer_probes(name) for name in OPTIMIZER_KINDS},
}
