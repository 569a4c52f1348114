"""Sizes that an implementation takes, where it takes few: one window only, square ones, a single channel."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from parity.adapters.convention import Convention
from parity.kinds.probe import Probe
from parity.kinds.random_geometry import Geometry, probe_of, random_geometry

KINDS = ("convolution", "max_pooling", "average_pooling", "min_pooling")
EXTRA = 12


def fitting(convention: Convention | None, lacking: set[str]) -> Callable[[Geometry], Geometry]:
    """A function that brings a random geometry to sizes that are taken; none changes for the book's way."""
    if convention is None:
        return lambda g: g
    return lambda g: _fitted(g, convention, lacking)


def extra_probes(kind: str, convention: Convention, lacking: set[str]) -> list[Probe]:
    """Inputs of such sizes, where the limits leave few of the kind's own."""
    if kind not in KINDS or not convention.limits.keys() & {"sizes", "square", "stride"}:
        return []
    rng, fit = np.random.default_rng([*kind.encode(), 11]), fitting(convention, lacking)
    found = [
        fit(random_geometry(lambda low, high: int(rng.integers(low, high + 1)), kind)) for _ in range(EXTRA)
    ]
    probes = {probe.id: convention.fitted(probe) for probe in (probe_of(kind, g) for g in found)}
    return list(probes.values())


def _fitted(g: Geometry, convention: Convention, lacking: set[str]) -> Geometry:
    limits, g = convention.limits, dict(g)
    sizes, stride = limits.get("sizes", {}), limits.get("stride")
    g["groups"] = 1 if "groups" in lacking or "C" in sizes else g["groups"]
    g |= {name: size for name, size in sizes.items() if name in g}
    if "rectangular" in lacking or "kernel" in {meaning for _, meaning in convention.constructor or ()}:
        g["FW"] = g["FH"]
    for name, least in (("stride", 1), ("pad", 0), ("dilation", 1)):
        if name in lacking:
            g[name] = (least, least)
        elif "pairs" in lacking:
            g[name] = (g[name][0], g[name][0])
    if stride is not None:
        g["stride"] = (g["FH"], g["FW"]) if stride == "window" else (stride, stride)
    if "ceil_mode" in lacking:
        g["ceil_mode"] = False
    if "count_include_pad" in lacking:
        g["count_include_pad"] = True
    for side, window, at in (("H", "FH", 0), ("W", "FW", 1)):
        span = g["dilation"][at] * (g[window] - 1) + 1 - 2 * g["pad"][at]
        g[side] = max(g[side], span, 1)
        if "pixels_over" in lacking:
            g[side] += -(g[side] - span) % g["stride"][at]
    if limits.get("square"):
        g["W"] = g["H"] = max(g["H"], g["W"])
    return g
