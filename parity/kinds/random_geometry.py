"""Random geometry of the window operations: sizes that the fixed probes do not have.

A probe's id spells its geometry out, and `probe_named` makes the same probe from it again.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np

from parity.kinds import KINDS, Kind, kind_of
from parity.kinds.followed import parts_of
from parity.kinds.numpy_reference import judge
from parity.kinds.probe import Probe, normal
from parity.kinds.probes import with_cotangent
from parity.kinds.same_padding import SAME
from parity.kinds.windows import given, window_needs

WINDOWS = ("im2col", "col2im", "convolution", "max_pooling", "average_pooling", "min_pooling")
MANY = 100  # geometries whose numbers are drawn at a time
PAIRS = ("stride", "pad", "dilation")
Geometry = dict[str, Any]
Integers = Callable[[int, int], int]


def random_geometry(integer: Integers, kind: str) -> Geometry:
    """Sizes of one window operation that fit together; `integer(low, high)` draws each, small first."""
    FH, FW = integer(1, 4), integer(1, 4)
    dh, dw, groups = 1, 1, 1
    if kind == "convolution":
        dh, dw, groups = integer(1, 2), integer(1, 2), integer(1, 2)
    most_h, most_w = (FH // 2, FW // 2) if kind.endswith("pooling") else (2, 2)
    ph, pw = integer(0, most_h), integer(0, most_w)
    H = max(1, dh * (FH - 1) + 1 - 2 * ph) + integer(0, 5)
    W = max(1, dw * (FW - 1) + 1 - 2 * pw) + integer(0, 5)
    N, C, FN = integer(1, 3), groups * integer(1, 2), groups * integer(1, 3)
    stride = (integer(1, 3), integer(1, 3))
    ceil_mode = kind.endswith("pooling") and bool(integer(0, 1))
    if ceil_mode and not integer(0, 3):  # the one window may exceed the padded image by less than the stride
        H = max(1, FH - 2 * ph - integer(0, stride[0] - 1))
        W = max(1, FW - 2 * pw - integer(0, stride[1] - 1))
    count_include_pad = kind != "average_pooling" or not integer(0, 1)
    return {
        "N": N,
        "C": C,
        "FN": FN,
        "H": H,
        "W": W,
        "FH": FH,
        "FW": FW,
        "groups": groups,
        "stride": stride,
        "pad": (ph, pw),
        "dilation": (dh, dw),
        "ceil_mode": ceil_mode,
        "count_include_pad": count_include_pad,
    }


def integers_of(kind: str, rng: np.random.Generator) -> Integers:
    """The whole numbers that `rng` draws for one geometry of the kind after the other.

    Where each geometry draws from the same ranges, many are drawn at a time, which gives the same numbers.
    """
    if kind.endswith("pooling"):  # how far it may pad goes by its window
        return lambda low, high: int(rng.integers(low, high + 1))
    ranges: list[tuple[int, int]] = []

    def lowest(low: int, high: int) -> int:
        ranges.append((low, high))
        return low

    random_geometry(lowest, kind)
    low, high = np.tile(np.array(ranges), (MANY, 1)).T

    def drawn() -> Iterator[int]:
        while True:
            yield from rng.integers(low, high + 1).tolist()

    numbers = drawn()
    return lambda low, high: next(numbers)


def probe_named(kind: str, name: str, seed: int = 0) -> Probe:
    """The probe of that id again, from the geometry that the id spells out."""
    call = ast.parse(f"dict({name})", mode="eval").body
    assert isinstance(call, ast.Call)
    spelled = {str(word.arg): ast.literal_eval(word.value) for word in call.keywords}
    pairs = {k: (v, v) if isinstance(v, int) else v for k, v in spelled.items() if k in PAIRS}
    return probe_of(kind, spelled | pairs, seed)


def _plain(value: tuple[int, int] | str) -> Any:
    """`2` for `(2, 2)`, so that an implementation that takes ints only is asked what it can do."""
    if isinstance(value, str):  # a pad of "same"
        return value
    return value[0] if value[0] == value[1] else value


def needs_of(g: Geometry) -> frozenset[str]:
    """The features that a probe of that geometry needs."""
    stride, pad, dilation = _plain(g["stride"]), _plain(g["pad"]), _plain(g["dilation"])
    even = g["pad"] == SAME and not (g["FH"] % 2 and g["FW"] % 2)
    return _needs(stride, pad, dilation, g["groups"], g["ceil_mode"], not g["count_include_pad"], even)


@lru_cache(maxsize=2000)
def _needs(
    stride: Any, pad: Any, dilation: Any, groups: int, up: bool, without_pad: bool, even: bool
) -> frozenset[str]:
    options = {"ceil_mode": up, "count_include_pad": without_pad, "same_even": even}
    return window_needs(stride, pad, dilation, groups, **options)


def probe_of(kind: str, g: Geometry, seed: int = 0) -> Probe:
    """A probe of that geometry with random numbers; with an activation built in, the convolution's."""
    layer, activation = parts_of(kind)
    if activation:
        return replace(probe_of(layer, g, seed), kind=kind)
    rng = np.random.default_rng([seed, *kind.encode()])
    stride, pad, dilation = _plain(g["stride"]), _plain(g["pad"]), _plain(g["dilation"])
    name = ", ".join(f"{k}={v}" for k, v in g.items() if k not in PAIRS)
    name += f", stride={stride}, pad={pad!r}, dilation={dilation}"
    x = normal(rng, g["N"], g["C"], g["H"], g["W"])
    needs = needs_of(g)
    if kind == "convolution":
        args = {"W": normal(rng, g["FN"], g["C"] // g["groups"], g["FH"], g["FW"]), "b": normal(rng, g["FN"])}
        args |= given(stride=stride, pad=pad, dilation=dilation, groups=g["groups"])
        return with_cotangent(Probe(kind, name, args, {"x": x}, needs), seed)
    if kind in ("im2col", "col2im"):
        args = {"filter_h": g["FH"], "filter_w": g["FW"], **given(stride=stride, pad=pad)}
        image = Probe("im2col", name, args, {"input_data": x}, needs)
        if kind == "im2col":
            return with_cotangent(image, seed)
        col = normal(rng, *KINDS["im2col"].reference(image)["col"].shape)
        return with_cotangent(Probe(kind, name, {"input_shape": x.shape, **args}, {"col": col}, needs), seed)
    args = {"pool_h": g["FH"], "pool_w": g["FW"]}
    args |= given(stride=stride, pad=pad, ceil_mode=g["ceil_mode"], count_include_pad=g["count_include_pad"])
    return with_cotangent(Probe(kind, name, args, {"x": x}, needs), seed)


def shared_probe_of(kind: str, g: Geometry) -> Probe:
    """That probe, of which this process computes the reference once, however often it is asked for."""
    return _made(kind_of(kind), tuple(g.items()), judge()).copy()


@lru_cache(maxsize=1500)  # the geometries that a search tries, of each kind
def _made(kind: Kind, g: tuple[tuple[str, Any], ...], judge: str) -> Probe:
    return probe_of(kind.name, dict(g))


def draw(kind: str, seed: int) -> Probe:
    """One random probe of a window operation."""
    rng = np.random.default_rng([seed, 5])
    return probe_of(kind, random_geometry(lambda low, high: int(rng.integers(low, high + 1)), kind), seed)
