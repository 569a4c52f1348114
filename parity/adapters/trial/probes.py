"""The inputs of a trial: all sizes differ, so that the shape of a result shows what its axes are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np

from parity.kinds.probe import Probe
from parity.kinds.probes import with_cotangent
from parity.kinds.same_padding import SAME

WINDOWS = (
    *("max_pooling", "average_pooling", "min_pooling"),
    *("max_pooling_options", "average_pooling_options"),
)


def trial_probes(kind: str, oblong: bool = False, window: int = 0) -> Iterator[tuple[Probe, dict[str, Any]]]:
    """Probes for a kind, the ordinary one first, each with the limits that it stands for.

    `oblong` asks for a window of two sizes, `window` for one of that size that moves by itself.
    """
    yield from _probes(kind, oblong, window)


OF_CLASSES = (
    *("softmax_with_loss", "softmax"),
    *("mean_squared_error", "mean_absolute_error", "binary_cross_entropy"),
)


@lru_cache(maxsize=256)
def probes_of_classes(kind: str, classes: int) -> tuple[tuple[Probe, dict[str, Any]], ...]:
    """Those of a kind of rows, with rows of so many numbers; of a cross entropy such as have a logarithm."""
    rng = np.random.default_rng([*kind.encode(), classes])
    N = 6 if classes != 6 else 7
    x, t = rng.standard_normal((N, classes)), np.arange(N) * 5 % classes
    inputs: list[dict[str, Any]] = [{"x": x}]
    if kind == "softmax_with_loss":
        inputs = [{"x": 0.1 + np.abs(x), "t": labels} for labels in (t, np.eye(classes)[t])]
    elif kind == "binary_cross_entropy":
        at = np.arange(N * classes).reshape(N, classes)
        inputs = [{"x": 0.1 + 0.8 * rng.random((N, classes)), "t": at * 7 % 3 % 2 * 1.0}]
    elif kind != "softmax":
        inputs = [{"x": x, "t": rng.standard_normal((N, classes))}]
    found = [with_cotangent(Probe(kind, "a trial", {}, given), 0) for given in inputs]
    columns = [probe for probe in found if probe.kind == "softmax_with_loss" and probe.inputs["t"].ndim == 1]
    return (*((probe, {}) for probe in found), *((probe, {"labels": "column"}) for probe in columns))


@lru_cache(maxsize=256)
def _probes(kind: str, oblong: bool, window: int) -> tuple[tuple[Probe, dict[str, Any]], ...]:
    return tuple((with_cotangent(probe, 0), limits) for probe, limits in _drawn(kind, oblong, window))


def as_same(probe: Probe, **args: Any) -> Probe:
    """The probe with padding='same', and with these arguments."""
    inputs = {name: array for name, array in probe.inputs.items() if name != "dout"}
    return with_cotangent(replace(probe, args={**probe.args, "pad": SAME, **args}, inputs=inputs), 0)


def _drawn(kind: str, oblong: bool, window: int) -> Iterator[tuple[Probe, dict[str, Any]]]:
    rng = np.random.default_rng(list(kind.encode()))

    def normal(*shape: int) -> Any:
        return rng.standard_normal(shape)

    def probe(args: dict[str, Any], **inputs: Any) -> Probe:
        return Probe(kind, "a trial", args, inputs)

    if kind == "convolution":

        def images(*kernels: tuple[int, int]) -> Iterator[tuple[Probe, dict[str, Any]]]:
            for FH, FW in kernels:
                for C, OH, OW in ((6, 6, 7), (1, 6, 7), (6, 7, 7), (1, 7, 7)):
                    own: dict[str, Any] = {"sizes": {"C": 1}} if C == 1 else {}
                    own |= {"square": True} if OH == OW else {}
                    args = {"W": normal(8, C, FH, FW), "b": normal(8)}
                    yield probe(args, x=normal(2, C, OH + FH - 1, OW + FW - 1)), own

        if oblong:
            yield from images((3, 2))
            return
        first, *others = images((3, 3))
        yield first
        strided = {"W": normal(8, 6, 3, 3), "b": normal(8), "stride": 2}
        yield probe(strided, x=normal(2, 6, 11, 16)), {"stride": 2}
        yield from others
        for C, W in ((1, 9), (6, 9), (1, 8), (6, 8)):  # one filter, whose result has no channels
            args = {"W": normal(1, C, 3, 3), "b": normal(1)}
            own = {"sizes": {"C": 1, "FN": 1} if C == 1 else {"FN": 1}} | ({"square": True} if W == 8 else {})
            yield probe(args, x=normal(2, C, 8, W)), own
        yield from images((5, 5))
        for C, H, W in ((6, 9, 7), (1, 9, 7), (6, 9, 9)):
            limits: dict[str, Any] = {"pad": SAME} | ({"sizes": {"C": 1}} if C == 1 else {})
            limits |= {"square": True} if H == W else {}
            yield probe({"W": normal(8, C, 3, 3), "b": normal(8), "pad": SAME}, x=normal(2, C, H, W)), limits
        for C, sizes in ((1, {"C": 1, "FN": 1}), (6, {"FN": 1})):  # one filter
            args = {"W": normal(1, C, 3, 3), "b": normal(1), "pad": SAME}
            yield probe(args, x=normal(2, C, 9, 7)), {"pad": SAME, "sizes": sizes}
        yield from images((2, 2), (4, 4))  # those with a pad of (k - 1) // 2 leave 2x2 without any
        for FH in (3, 5):  # those of colours alone
            args = {"W": normal(8, 3, FH, FH), "b": normal(8)}
            yield probe(args, x=normal(2, 3, FH + 5, FH + 6)), {"sizes": {"C": 3}}
    elif kind in WINDOWS:
        if oblong:
            yield probe({"pool_h": 2, "pool_w": 3, "stride": 2}, x=normal(2, 3, 8, 11)), {}
        elif window:
            yield probe({"pool_h": 3, "pool_w": 3, "stride": 3}, x=normal(2, 4, 15, 21)), {}
        else:
            yield probe({"pool_h": 2, "pool_w": 2, "stride": 2}, x=normal(2, 3, 8, 10)), {}
            yield probe({"pool_h": 2, "pool_w": 2}, x=normal(2, 3, 8, 10)), {}
            yield probe({"pool_h": 2, "pool_w": 2, "stride": 2}, x=normal(2, 3, 8, 8)), {"square": True}
            yield probe({"pool_h": 3, "pool_w": 3, "stride": 3}, x=normal(2, 4, 15, 21)), {}
            yield probe({"pool_h": 3, "pool_w": 3, "stride": 2}, x=normal(2, 4, 11, 13)), {}
            args = {"pool_h": 3, "pool_w": 3, "pad": SAME}
            for stride in () if kind.endswith("_options") else (2, 1):
                yield probe({**args, "stride": stride}, x=normal(2, 4, 11, 13)), {"pad": SAME}
            for grey in ({"stride": 2}, {}):  # one channel, that has no axis
                args = {"pool_h": 2, "pool_w": 2, **grey}
                yield probe(args, x=normal(2, 1, 8, 10)), {"sizes": {"C": 1}}
    elif kind in ("affine", "affine_last_axis"):
        yield probe({"W": normal(4, 3), "b": normal(3)}, x=normal(6, 4)), {}
    elif kind == "softmax_axis":
        yield probe({"axis": 1}, x=normal(6, 4)), {}
    elif kind == "batch_norm":
        for shape in ((6, 4), (6, 4, 3, 5)):
            args = {"gamma": normal(4), "beta": normal(4), "momentum": 0.8}
            args |= {"running_mean": normal(4), "running_var": 0.5 + np.abs(normal(4))}
            yield probe(args, x=normal(*shape)), {}
    elif kind == "layer_norm":
        yield probe({"gamma": normal(4), "beta": normal(4)}, x=normal(6, 4)), {}
        args = {"gamma": normal(4), "beta": normal(4)}
        yield probe(args, x=normal(5, 3, 4)), {"sequences_only": True}
    elif kind == "weighted_cross_entropy":
        yield probe({"label_smoothing": 0.25}, x=normal(6, 4), t=np.array([0, 3, 1, 2, 3, 0])), {}
    elif kind in ("softmax_with_loss", "multiclass_hinge_loss"):
        t = np.array([0, 3, 1, 2, 3, 0])
        yield probe({}, x=normal(6, 4), t=t), {}
        yield probe({}, x=normal(6, 4), t=np.eye(4)[t]), {}
        yield probe({}, x=normal(6, 4), t=t), {"labels": "column"}
    elif kind in ("mean_squared_error", "mean_absolute_error", "huber_loss"):
        yield probe({}, x=normal(6, 4), t=normal(6, 4)), {}
        yield probe({}, x=normal(6, 1), t=normal(6, 1)), {"sizes": {"I": 1}}  # labels may be (N,)
    elif kind == "hinge_loss":
        t = 2.0 * (np.arange(24).reshape(6, 4) * 7 % 3 % 2) - 1
        x = normal(6, 4)
        yield probe({}, x=x, t=t), {}
        yield probe({}, x=x[:, :1].copy(), t=t[:, :1].copy()), {"sizes": {"I": 1}}
    elif kind == "binary_cross_entropy":
        t = np.arange(24).reshape(6, 4) * 7 % 3 % 2 * 1.0
        x = 0.1 + 0.8 * rng.random((6, 4))
        yield probe({}, x=x, t=t), {}
        x, t = x[:, :1].copy(), t[:, :1].copy()  # of two classes by one number
        yield probe({}, x=x, t=t), {"sizes": {"I": 1}}
    elif kind == "dropout":
        yield probe({"dropout_ratio": 0.3}, x=normal(6, 4), mask=rng.random((6, 4)) > 0.3), {}
    elif kind == "lrn":
        yield probe({"size": 3, "alpha": 0.5, "beta": 0.75, "k": 1.0}, x=normal(2, 6, 3, 5)), {}
    elif kind == "adaptive_average_pooling":
        yield probe({"out_h": 2, "out_w": 3}, x=normal(5, 4, 6, 9)), {}
    elif kind in ("flatten", "global_average_pooling"):
        yield probe({}, x=normal(2, 3, 4, 5)), {}
    else:
        yield probe({}, x=normal(6, 4)), {}
