"""Pooling: the largest, the mean or the smallest of a window, in windows of one size or adaptive ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

import scratchcnn as sc
from parity.kinds.kind import LAYER, Operation, Options
from parity.kinds.probe import Array, Probe, Rng, integers, needs, normal, quarters
from parity.kinds.same_padding import SAME
from parity.kinds.shapes import of_shapes
from parity.kinds.torch_when_used import F, torch
from parity.kinds.windows import defaults, given, images, padded, pair, window_needs

if TYPE_CHECKING:
    from torch import Tensor

POOL = ("pool_h", "pool_w", "stride", "pad")
CALL = f"cls(pool_h, pool_w, stride=1, pad=0){LAYER}"


# -- PyTorch's functions ---------------------------------------------------------------------------
def max_pooling(a: dict[str, Tensor], o: Options) -> Tensor:
    window, stride, dilation = (o["pool_h"], o["pool_w"]), o.get("stride", 1), o.get("dilation", 1)
    if o.get("pad") == SAME:
        return F.max_pool2d(padded(a["x"], window, o, -np.inf), window, stride, 0, dilation)
    pad = pair(o.get("pad", 0))
    return F.max_pool2d(a["x"], window, stride, pad, dilation, o.get("ceil_mode", False))


def min_pooling(a: dict[str, Tensor], o: Options) -> Tensor:
    return -max_pooling({"x": -a["x"]}, o)


def average_pooling(a: dict[str, Tensor], o: Options) -> Tensor:
    window, stride = (o["pool_h"], o["pool_w"]), o.get("stride", 1)
    if o.get("pad") == SAME:
        total, cells = (
            F.avg_pool2d(padded(image, window, o), window, stride, divisor_override=1)
            for image in (a["x"], torch.ones_like(a["x"]))
        )
        return total / cells
    pad = pair(o.get("pad", 0))
    counted = o.get("ceil_mode", False), o.get("count_include_pad", True), o.get("divisor_override")
    return F.avg_pool2d(a["x"], window, stride, pad, *counted)


def adaptive_average_pooling(a: dict[str, Tensor], o: Options) -> Tensor:
    return F.adaptive_avg_pool2d(a["x"], (o["out_h"], o["out_w"]))


def global_average_pooling(a: dict[str, Tensor], o: Options) -> Tensor:
    return F.adaptive_avg_pool2d(a["x"], 1).flatten(1)


def subsampling(a: dict[str, Tensor], o: Options) -> Tensor:
    total = F.avg_pool2d(a["x"], o.get("size", 2), divisor_override=1)
    return total * a["coefficient"][:, None, None] + a["bias"][:, None, None]


# -- inputs to try ---------------------------------------------------------------------------------
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
    ("ceil_mode, a window larger than the image", (2, 2, 3, 4), (4, 5), 3, 0, True, True),
    ("ceil_mode, a window larger than the padded image", (2, 2, 2, 7), (5, 3), (4, 2), 1, True, True),
]


def _poolings(kind: str) -> Callable[[Rng], Iterator[Probe]]:
    def build(rng: Rng) -> Iterator[Probe]:
        def probe(name: str, x: Array, window: Any, stride: Any, pad: Any, ceil: bool, count: bool) -> Probe:
            args = {"pool_h": window[0], "pool_w": window[1]}
            args |= given(stride=stride, pad=pad, ceil_mode=ceil, count_include_pad=count)
            asked = window_needs(stride, pad, ceil_mode=ceil, count_include_pad=not count)
            return Probe(kind, name, args, {"x": x}, asked)

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


# id, x shape, (pool_h, pool_w), stride, pad, dilation, ceil_mode
DILATED: list[tuple[str, tuple[int, ...], tuple[int, int], Any, Any, Any, bool]] = [
    ("one dilated window", (1, 1, 3, 5), (2, 3), 1, 0, 2, False),
    ("no dilation", (2, 2, 4, 5), (2, 3), 2, 1, 1, False),
    ("dilation 2", (2, 2, 6, 7), (2, 3), 1, 0, 2, False),
    ("dilation 3, stride 2", (2, 3, 8, 9), (2, 2), 2, 0, 3, False),
    ("dilation (1, 2), stride (2, 1)", (2, 2, 6, 8), (3, 2), (2, 1), 0, (1, 2), False),
    ("dilation (2, 1), pad (1, 0)", (2, 2, 6, 5), (2, 3), 1, (1, 0), (2, 1), False),
    ("dilation 2, pad 1", (2, 2, 6, 7), (3, 2), 2, 1, 2, False),
    ("dilation 2, 3x3, pad 1, stride (1, 2)", (2, 2, 7, 6), (3, 3), (1, 2), 1, 2, False),
    ("dilation 2, ceil_mode", (2, 2, 6, 8), (2, 3), 2, 0, 2, True),
    ("dilation (2, 3), ceil_mode, pad 1", (2, 2, 7, 8), (3, 2), 3, 1, (2, 3), True),
]


def _dilated(rng: Rng) -> Iterator[Probe]:
    kind = "max_pooling_options"

    def probe(name: str, x: Array, window: Any, stride: Any, pad: Any, dilation: Any, ceil: bool) -> Probe:
        args = {"pool_h": window[0], "pool_w": window[1]}
        args |= given(stride=stride, pad=pad, dilation=dilation, ceil_mode=ceil)
        asked = window_needs(stride, pad, dilation, ceil_mode=ceil)
        return Probe(kind, name, args, {"x": x}, asked | needs(pairs=isinstance(dilation, tuple)))

    for name, shape, *geometry in DILATED:
        yield probe(name, normal(rng, *shape), *geometry)
    negative = -1 - np.abs(normal(rng, 2, 2, 5, 6))
    yield probe("negative inputs under padding, dilation 2", negative, (3, 2), (2, 1), 1, 2, False)
    yield probe("ties, dilation 2", integers(rng, 0, 3, 2, 2, 6, 7), (3, 2), 1, 0, 2, False)


# id, x shape, (pool_h, pool_w), stride, pad, ceil_mode, count_include_pad, divisor_override
DIVIDED: list[tuple[str, tuple[int, ...], tuple[int, int], Any, Any, bool, bool, int | None]] = [
    ("one window, the sum", (1, 1, 2, 2), (2, 2), 1, 0, False, True, 1),
    ("no divisor", (2, 2, 4, 5), (2, 3), 2, 1, False, True, None),
    ("divided by 5", (2, 3, 4, 6), (2, 2), 2, 0, False, True, 5),
    ("divided by -3", (2, 2, 5, 6), (3, 2), (1, 2), 0, False, True, -3),
    ("divided by 7, pad 1", (2, 2, 4, 5), (2, 3), 2, 1, False, True, 7),
    ("divided by 7, padding not counted", (2, 2, 4, 5), (2, 3), 2, 1, False, False, 7),
    ("divided by 4, ceil_mode", (2, 2, 6, 7), (3, 2), 2, 0, True, True, 4),
    ("divided by 4, ceil_mode, pad (1, 0)", (2, 2, 6, 5), (3, 2), (2, 2), (1, 0), True, False, 4),
]


def _divided(rng: Rng) -> Iterator[Probe]:
    for name, shape, window, stride, pad, ceil, count, divisor in DIVIDED:
        args = {"pool_h": window[0], "pool_w": window[1]}
        args |= given(stride=stride, pad=pad, ceil_mode=ceil, count_include_pad=count)
        args |= {} if divisor is None else {"divisor_override": divisor}
        options = {"ceil_mode": ceil, "count_include_pad": not count, "divisor_override": divisor is not None}
        asked = window_needs(stride, pad, **options)
        yield Probe("average_pooling_options", name, args, {"x": normal(rng, *shape)}, asked)


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
        yield Probe("adaptive_average_pooling", name, args, {"x": normal(rng, *shape)}, needs(uneven=uneven))


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


# id, x shape, (pool_h, pool_w), stride, pad
REAL_POOLINGS: tuple[tuple[str, tuple[int, ...], tuple[int, int], Any, Any], ...] = (
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


def _real_poolings(kind: str, **option: int) -> Callable[[Rng], Iterator[Probe]]:
    """With an option of the kind, in all of them that it fits."""

    def build(rng: Rng) -> Iterator[Probe]:
        for name, shape, (pool_h, pool_w), stride, pad in REAL_POOLINGS:
            window = option.get("dilation", 1) * (max(pool_h, pool_w) - 1) + 1
            if window > min(shape[2:]):
                continue
            args = {"pool_h": pool_h, "pool_w": pool_w, **given(stride=stride, pad=pad), **option}
            asked = window_needs(stride, pad) | option.keys()
            yield Probe(kind, name, args, {"x": _distinct(rng, shape)}, asked)

    return build


def _distinct(rng: Rng, shape: tuple[int, ...]) -> Array:
    """Distinct whole numbers around 0, so that no window has a tie that hides which cell won."""
    size = int(np.prod(shape))
    return (rng.permutation(size) - size // 2).astype(np.float64).reshape(shape)


def _real_adaptives(rng: Rng) -> Iterator[Probe]:
    for shape, out in (((2, 512, 14, 14), 7), ((7, 256, 6, 6), 6), ((32, 16, 13, 9), 6), ((100, 8, 7, 7), 1)):
        name = f"{shape[2]}x{shape[3]} to {out}x{out}, N={shape[0]}, {shape[1]} channels"
        uneven = bool(shape[2] % out or shape[3] % out)
        args = {"out_h": out, "out_w": out}
        yield Probe(
            "adaptive_average_pooling", name, args, {"x": quarters(rng, *shape)}, needs(uneven=uneven)
        )


def _real_subsamplings(rng: Rng) -> Iterator[Probe]:
    for shape in ((1, 6, 28, 28), (7, 16, 10, 10), (100, 6, 28, 28)):
        args = {"coefficient": quarters(rng, shape[1]), "bias": quarters(rng, shape[1])}
        yield Probe("subsampling", "x".join(map(str, shape)), args, {"x": quarters(rng, *shape)})


def _timed(rng: Rng, N: int, side: int) -> tuple[dict[str, Any], dict[str, Any]]:
    return {"pool_h": 3, "pool_w": 3, "stride": 2}, images(rng, N, side)


# -- kinds -----------------------------------------------------------------------------------------
MAX_POOLING = Operation(
    name="max_pooling",
    formula=max_pooling,
    probes=_poolings("max_pooling"),
    ours=partial(sc.Pooling, mode="max"),
    call=CALL,
    aliases=(
        *("pooling", "maxpool", "maxpool2d", "maxpooling2d", "pool", "poolinglayer", "maxpoollayer"),
        *("pool2d", "pooling2d"),
    ),
    order=POOL,
    optional=defaults("stride", "pad", "ceil_mode", "dilation"),
    real=_real_poolings("max_pooling"),
    timed=_timed,
)
AVERAGE_POOLING = Operation(
    name="average_pooling",
    formula=average_pooling,
    probes=_poolings("average_pooling"),
    ours=partial(sc.Pooling, mode="average"),
    linear=True,
    call=CALL,
    aliases=(
        "avgpool",
        "avgpool2d",
        "averagepool",
        "avgpooling",
        "meanpooling",
        "averagepooling2d",
        "meanpool",
    ),
    order=POOL,
    optional=defaults("stride", "pad", "ceil_mode", "count_include_pad") | {"divisor_override": None},
    real=_real_poolings("average_pooling"),
    timed=_timed,
)
MIN_POOLING = Operation(
    name="min_pooling",
    formula=min_pooling,
    probes=_poolings("min_pooling"),
    ours=partial(sc.Pooling, mode="min"),
    call=CALL,
    aliases=("minpool", "minpool2d"),
    order=POOL,
    optional=defaults("stride", "pad", "ceil_mode", "dilation"),
    real=_real_poolings("min_pooling"),
)
MAX_POOLING_OPTIONS = Operation(
    name="max_pooling_options",
    formula=max_pooling,
    probes=_dilated,
    ours=partial(sc.Pooling, mode="max"),
    call=f"cls(pool_h, pool_w, stride=1, pad=0, dilation=1, ceil_mode=False){LAYER}",
    aliases=("dilatedmaxpool", "dilatedmaxpool2d", "dilatedmaxpooling"),
    order=POOL,
    optional=defaults("stride", "pad", "ceil_mode", "dilation"),
    real=_real_poolings("max_pooling_options", dilation=2),
)
AVERAGE_POOLING_OPTIONS = Operation(
    name="average_pooling_options",
    formula=average_pooling,
    probes=_divided,
    ours=partial(sc.Pooling, mode="average"),
    linear=True,
    call="cls(pool_h, pool_w, stride=1, pad=0, ceil_mode=False, count_include_pad=True, "
    f"divisor_override=None){LAYER}",
    order=POOL,
    optional=defaults("stride", "pad", "ceil_mode", "count_include_pad") | {"divisor_override": None},
    real=_real_poolings("average_pooling_options", divisor_override=7),
)
ADAPTIVE_AVERAGE_POOLING = Operation(
    name="adaptive_average_pooling",
    formula=adaptive_average_pooling,
    probes=_adaptives,
    ours=sc.AdaptiveAveragePooling,
    linear=True,
    call=f"cls(out_h, out_w){LAYER}",
    aliases=("adaptiveavgpool", "adaptiveavgpool2d", "adaptiveaveragepool"),
    order=("out_h", "out_w"),
    real=_real_adaptives,
)
GLOBAL_AVERAGE_POOLING = Operation(
    name="global_average_pooling",
    formula=global_average_pooling,
    probes=_globals,
    ours=sc.GlobalAveragePooling,
    linear=True,
    call=f"cls(){LAYER}; out is (N, C)",
    aliases=("globalavgpool", "globalavgpool2d", "globalaveragepool", "gap"),
    real=of_shapes("global_average_pooling", (7, 16, 8, 9), (2, 2048, 7, 7), (100, 8, 4, 4)),
)
SUBSAMPLING = Operation(
    name="subsampling",
    formula=subsampling,
    probes=_subsamplings,
    ours=sc.Subsampling,
    linear=True,
    order=("coefficient", "bias"),
    optional={"size": 2},
    params=("coefficient", "bias"),
    real=_real_subsamplings,
)

KINDS = (
    MAX_POOLING,
    AVERAGE_POOLING,
    MIN_POOLING,
    MAX_POOLING_OPTIONS,
    AVERAGE_POOLING_OPTIONS,
    ADAPTIVE_AVERAGE_POOLING,
    GLOBAL_AVERAGE_POOLING,
    SUBSAMPLING,
)
