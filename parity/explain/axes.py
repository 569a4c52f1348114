"""What the axes of each array of a kind are called, and the sizes by which results are wrongly scaled."""

from __future__ import annotations

import math

import numpy as np

from parity.explain.maps import View
from parity.explain.windows import KINDS as WINDOWS
from parity.explain.windows import geometry
from parity.kinds import Probe, kind_of
from scratchcnn.typing import Array

IMAGES = ("N", "C", "H", "W")
ROWS = ("N", "C")
OUT = ("N", "FN", "OH", "OW")


def views(probe: Probe, name: str, a: Array) -> list[View]:
    """The ways to see the array's axes: its own, and finer ones where groups or windows lie in an axis."""
    name = name.removeprefix("d") if name not in ("dout",) else name
    groups, found = probe.args.get("groups", 1), []
    if name in ("col",) and probe.kind in WINDOWS:
        g = geometry(probe)
        shape = probe.args.get("input_shape") or probe.inputs["input_data"].shape
        sizes = (shape[0], *g.out, shape[1], *g.window)
        return [View(sizes, ("N", "OH", "OW", "C", "FH", "FW"))] if a.size == math.prod(sizes) else []
    letters = _letters(probe, name, a.ndim)
    if len(letters) != a.ndim:
        return []
    found.append(View(a.shape, letters))
    if groups > 1 and a.ndim == 4:
        axis = 0 if name == "W" else 1
        if a.shape[axis] % groups == 0:
            sizes = (*a.shape[:axis], groups, a.shape[axis] // groups, *a.shape[axis + 1 :])
            found.append(
                View(sizes, (*letters[:axis], "groups", f"{letters[axis]}/groups", *letters[axis + 1 :]))
            )
    x = probe.inputs.get("x")
    if x is not None and x.ndim == 4:  # images that are flattened to rows
        if probe.kind == "affine" and name == "W":
            found.append(View((*x.shape[1:], a.shape[1]), ("C", "H", "W", "out")))
        if probe.kind == "flatten" and name in ("out", "dout"):
            found.append(View(x.shape, IMAGES))
    return found


def _letters(probe: Probe, name: str, ndim: int) -> tuple[str, ...]:
    if name in ("x", "input_data", "img", "mask"):
        return IMAGES if ndim == 4 else ROWS[:ndim]
    if name == "W":
        return {"affine": ("in", "out"), "rbf": ("out", "in")}.get(probe.kind, ("FN", "C", "FH", "FW"))
    if name == "connections":
        return ("FN", "C")
    if name in ("out", "dout"):
        if ndim != 4:
            return ("N", "out") if probe.kind in ("affine", "rbf") else ROWS[:ndim]
        return OUT if "W" in probe.args else ("N", "C", "OH", "OW") if "pool" in probe.kind else IMAGES
    if ndim == 1:
        return ("FN",) if "W" in probe.args and ndim == 1 and name == "b" else ("C",)
    return ("N", "C") if name == "t" and ndim == 2 else ()


def sizes(probe: Probe) -> dict[str, float]:
    """Sizes of the input by name, 1 and those that are the same as an earlier one among them."""
    found: dict[str, float] = {}
    x = probe.inputs.get("x", probe.inputs.get("input_data"))
    if x is None and "input_shape" in probe.args:
        x = np.empty(probe.args["input_shape"])
    if x is not None and x.ndim in (2, 4):
        found["N"] = len(x)
        found["C"] = x.shape[1]
        if x.ndim == 4:
            found |= {"H": x.shape[2], "W": x.shape[3], "H*W": x.shape[2] * x.shape[3]}
            found |= {"N*H*W": len(x) * found["H*W"], "C*H*W": x.shape[1] * found["H*W"]}
            found |= {"H/W": x.shape[2] / x.shape[3]}
        found["N*C"] = x.shape[0] * x.shape[1]
        found["N**2"] = len(x) ** 2
    if probe.kind == "affine":
        found |= {"in": probe.args["W"].shape[0], "out": probe.args["W"].shape[1]}
    if probe.kind in WINDOWS:
        g = geometry(probe)
        (OH, OW), (FH, FW) = g.out, g.window
        found |= {
            "OH*OW": OH * OW,
            "FH*FW": FH * FW,
            "OH": OH,
            "OW": OW,
            "FH": FH,
            "FW": FW,
            "sh*sw": g.stride[0] * g.stride[1],
        }
        if x is not None:
            found |= {"N*OH*OW": len(x) * OH * OW, "C*FH*FW": x.shape[1] * FH * FW}
    if "out_h" in probe.args:
        cells = probe.args["out_h"] * probe.args["out_w"]
        found |= {"out_h*out_w": cells}
        if "H*W" in found:
            found["H*W/(out_h*out_w)"] = found["H*W"] / cells
            found["out_h*out_w/(H*W)"] = cells / found["H*W"]
    if kind_of(probe.kind).name == "subsampling":
        found["size*size"] = probe.args.get("size", 2) ** 2
    for name in ("dropout_ratio",):
        if name in probe.args:
            ratio = probe.args[name]
            found |= {"ratio": ratio, "1 - ratio": 1 - ratio, "(1 - ratio)**2": (1 - ratio) ** 2}
            found |= {"(1 - ratio) / ratio": (1 - ratio) / ratio}
    for name in ("amplitude", "slope", "lr", "momentum", "weight_decay", "alpha", "beta", "k", "size"):
        if isinstance(probe.args.get(name), (int, float)):
            found[name] = probe.args[name]
            found.setdefault(f"1 - {name}", 1 - probe.args[name])
    return found
