"""Sizes that an implementation takes, where it takes few: one window only, square ones, a single channel."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from parity.adapters.convention import Convention
from parity.adapters.features import STRIDED
from parity.adapters.trial.probes import OF_CLASSES
from parity.kinds.followed import parts_of
from parity.kinds.probe import Probe
from parity.kinds.probes import shared_probes, with_cotangent
from parity.kinds.random_geometry import Geometry, probe_of, random_geometry
from parity.kinds.same_padding import SAME

KINDS = ("convolution", "max_pooling", "average_pooling", "min_pooling")
EXTRA = 12
VALID = "valid"  # padding that may be asked for by that word alone
# (H, W), (FH, FW), stride, dilation of inputs for padding='same': the first three are PyTorch's too.
SAME_SIZES = (
    ((4, 5), (3, 3), (1, 1), (1, 1)),
    ((5, 4), (3, 5), (1, 1), (1, 1)),
    ((6, 7), (3, 3), (1, 1), (2, 2)),
    ((4, 5), (2, 2), (1, 1), (1, 1)),
    ((5, 6), (4, 2), (1, 1), (1, 1)),
    ((6, 8), (3, 3), (2, 2), (1, 1)),
    ((7, 5), (3, 3), (2, 2), (1, 1)),
    ((5, 7), (2, 2), (2, 2), (1, 1)),
    ((7, 8), (2, 2), (3, 3), (1, 1)),
    ((6, 7), (5, 5), (2, 2), (1, 1)),
    ((8, 7), (3, 2), (2, 1), (1, 1)),
)


def fitting(convention: Convention | None, lacking: set[str]) -> Callable[[Geometry], Geometry]:
    """A function that brings a random geometry to sizes that are taken; none changes for the book's way."""
    if convention is None:
        return lambda g: g
    return lambda g: _fitted(g, convention, lacking)


def extra_probes(kind: str, convention: Convention, lacking: set[str]) -> list[Probe]:
    """Inputs of such sizes, where the limits leave few of the kind's own."""
    classes = convention.limits.get("sizes", {}).get("I", 1)
    if kind in OF_CLASSES and classes > 1:
        return [convention.fitted(with_classes(probe, classes)) for probe in shared_probes(kind)]
    layer = parts_of(kind)[0]
    if layer not in KINDS:
        return []
    if not convention.padding and not convention.limits.keys() & {"sizes", "square", "stride"}:
        return []
    rng, fit = np.random.default_rng([*kind.encode(), 11]), fitting(convention, lacking)
    found = [
        fit(random_geometry(lambda low, high: int(rng.integers(low, high + 1)), layer)) for _ in range(EXTRA)
    ]
    if convention.padding not in ("", VALID):
        found += [fit(same_geometry(layer, *sizes)) for sizes in SAME_SIZES]
    probes = {probe.id: convention.fitted(probe) for probe in (probe_of(kind, g) for g in found)}
    return list(probes.values())


def with_classes(probe: Probe, classes: int) -> Probe:
    """The probe with rows of so many numbers: its own, and once more those of other rows."""
    inputs = {name: a for name, a in probe.inputs.items() if name != "dout"}
    for name, a in inputs.items():
        if a.ndim == 2 and name == "t" and probe.kind == "softmax_with_loss":
            inputs[name] = np.eye(classes)[a.argmax(axis=1) % classes]
        elif a.ndim == 2:
            parts = [np.roll(a, number, axis=0) for number in range(-(-classes // a.shape[1]))]
            inputs[name] = np.concatenate(parts, axis=1)[:, :classes]
        else:
            inputs[name] = a % classes
    return with_cotangent(replace(probe, id=f"{probe.id}, of {classes}", inputs=inputs), 0)


def same_geometry(
    kind: str, image: tuple[int, int], window: tuple[int, int], stride: Any, dilation: Any
) -> Geometry:
    """Two images of three channels under padding='same'."""
    g = random_geometry(lambda low, high: low, kind)
    (H, W), (FH, FW) = image, window
    g |= {"N": 2, "C": 3, "FN": 4, "H": H, "W": W, "FH": FH, "FW": FW, "groups": 1}
    own = dilation if kind == "convolution" else (1, 1)
    return g | {"stride": stride, "dilation": own, "pad": SAME}


def _padded_by_word(g: Geometry, padding: str, every_stride: bool) -> Geometry:
    """What padding is given as 'valid' or 'same', by a padding that is "words", "same" or "fixed"."""
    if padding == VALID or (padding == "words" and g["pad"] == (0, 0)):
        return {"pad": (0, 0)}
    found: Geometry = {"pad": SAME, "ceil_mode": False, "count_include_pad": True}
    if np.any(np.not_equal(g["stride"], 1)):  # TensorFlow takes no dilation with a stride
        found["dilation"] = (1, 1)
    if every_stride and np.any(np.not_equal(g["stride"], 1)):
        FH, FW = g["FH"] | 1, g["FW"] | 1
        found |= {"FH": FH, "FW": FW, "pad": ((FH - 1) // 2, (FW - 1) // 2)}
    if padding == "fixed":
        found |= {"stride": (1, 1), "FH": g["FH"] | 1, "FW": g["FW"] | 1}
    return found


def _fitted(g: Geometry, convention: Convention, lacking: set[str]) -> Geometry:
    limits, g = convention.limits, dict(g)
    if convention.padding:
        g |= _padded_by_word(g, convention.padding, convention.every_stride)
        if g["pad"] == SAME and "same_even" in limits:
            g |= {"FH": g["FH"] | 1, "FW": g["FW"] | 1}
    sizes, stride = limits.get("sizes", {}), limits.get("stride")
    g["groups"] = 1 if "groups" in lacking or "C" in sizes else g["groups"]
    g |= {name: size for name, size in sizes.items() if name in g}
    strided = stride is not None or bool(np.any(np.not_equal(g["stride"], 1)))
    one_size = "kernel" in {meaning for _, meaning in convention.constructor or ()}
    if one_size or "rectangular" in lacking or (strided and STRIDED in lacking):
        g["FW"] = g["FH"]
    for name, least in (("stride", 1), ("pad", 0), ("dilation", 1)):
        if name in lacking:
            g[name] = (least, least)
        elif "pairs" in lacking and g[name] != SAME:
            g[name] = (g[name][0], g[name][0])
    if convention.kind.endswith("pooling") and g["pad"] != SAME:  # more than half a window PyTorch refuses
        g["pad"] = tuple(min(pad, g[window] // 2) for pad, window in zip(g["pad"], ("FH", "FW"), strict=True))
    if stride is not None:
        g["stride"] = (g["FH"], g["FW"]) if stride == "window" else (stride, stride)
    if "other_stride" in lacking:
        g["stride"] = (g["FH"], g["FW"])
    if "ceil_mode" in lacking:
        g["ceil_mode"] = False
    if "count_include_pad" in lacking:
        g["count_include_pad"] = True
    for side, window, at in (("H", "FH", 0), ("W", "FW", 1)):
        span = g["dilation"][at] * (g[window] - 1) + 1 - 2 * g["pad"][at] if g["pad"] != SAME else 1
        g[side] = max(g[side], span, 1)
        if "pixels_over" in lacking and g["pad"] != SAME:
            g[side] += -(g[side] - span) % g["stride"][at]
    if limits.get("square"):
        g["W"] = g["H"] = max(g["H"], g["W"])
    return g
