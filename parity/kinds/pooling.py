"""Pooling: the largest, the mean or the smallest of a window, in windows of one size or adaptive ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

import scratchcnn as sc
from parity.kinds.kind import LAYER, Operation, Options
from parity.kinds.probe import Array, Probe, Rng, integers, needs, normal
from parity.kinds.torch_when_used import F
from parity.kinds.windows import defaults, given, images, pair, window_needs

if TYPE_CHECKING:
    from torch import Tensor

POOL = ("pool_h", "pool_w", "stride", "pad")
CALL = f"cls(pool_h, pool_w, stride=1, pad=0){LAYER}"


# -- PyTorch's functions ---------------------------------------------------------------------------
def max_pooling(a: dict[str, Tensor], o: Options) -> Tensor:
    window, stride, pad = (o["pool_h"], o["pool_w"]), o.get("stride", 1), pair(o.get("pad", 0))
    return F.max_pool2d(a["x"], window, stride, pad, ceil_mode=o.get("ceil_mode", False))


def min_pooling(a: dict[str, Tensor], o: Options) -> Tensor:
    return -max_pooling({"x": -a["x"]}, o)


def average_pooling(a: dict[str, Tensor], o: Options) -> Tensor:
    window, stride, pad = (o["pool_h"], o["pool_w"]), o.get("stride", 1), pair(o.get("pad", 0))
    return F.avg_pool2d(
        a["x"], window, stride, pad, o.get("ceil_mode", False), o.get("count_include_pad", True)
    )


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


def _timed(rng: Rng, N: int, side: int) -> tuple[dict[str, Any], dict[str, Any]]:
    return {"pool_h": 3, "pool_w": 3, "stride": 2}, images(rng, N, side)


# -- kinds -----------------------------------------------------------------------------------------
MAX_POOLING = Operation(
    name="max_pooling",
    formula=max_pooling,
    probes=_poolings("max_pooling"),
    ours=partial(sc.Pooling, mode="max"),
    call=CALL,
    aliases=("pooling", "maxpool", "maxpool2d", "maxpooling2d", "pool", "poolinglayer", "maxpoollayer"),
    order=POOL,
    optional=defaults("stride", "pad", "ceil_mode"),
    timed=_timed,
)
AVERAGE_POOLING = Operation(
    name="average_pooling",
    formula=average_pooling,
    probes=_poolings("average_pooling"),
    ours=partial(sc.Pooling, mode="average"),
    linear=True,
    call=CALL,
    aliases=("avgpool", "avgpool2d", "averagepool", "avgpooling", "meanpooling", "averagepooling2d"),
    order=POOL,
    optional=defaults("stride", "pad", "ceil_mode", "count_include_pad"),
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
    optional=defaults("stride", "pad", "ceil_mode"),
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
)
GLOBAL_AVERAGE_POOLING = Operation(
    name="global_average_pooling",
    formula=global_average_pooling,
    probes=_globals,
    ours=sc.GlobalAveragePooling,
    linear=True,
    call=f"cls(){LAYER}; out is (N, C)",
    aliases=("globalavgpool", "globalavgpool2d", "globalaveragepool", "gap"),
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
)

KINDS = (
    MAX_POOLING,
    AVERAGE_POOLING,
    MIN_POOLING,
    ADAPTIVE_AVERAGE_POOLING,
    GLOBAL_AVERAGE_POOLING,
    SUBSAMPLING,
)
