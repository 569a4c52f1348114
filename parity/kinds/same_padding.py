"""padding='same': as much padding as makes the output ceil(H / stride) high, for a probe's pad of "same".

It is TensorFlow's definition: the pad of an axis is split evenly, and an odd row or column goes to the
bottom or the right. At stride 1 PyTorch's `padding='same'` is the same; a larger stride PyTorch refuses. The
cells of the padding are never a maximum, and never counted in a mean. Needs NumPy alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from parity.kinds.probe import Array, Probe, Tensors

SAME = "same"
Pads = tuple[tuple[int, int], tuple[int, int]]  # (top, bottom), (left, right)
FILL = {"max_pooling": -np.inf, "min_pooling": np.inf}


def same_pads(image: Sequence[int], window: Sequence[int], stride: Any = 1, dilation: Any = 1) -> Pads:
    """The padding before and after each axis of an image (H, W)."""
    return tuple(  # type: ignore[return-value]
        _split(*sizes) for sizes in zip(image, window, _both(stride), _both(dilation), strict=True)
    )


def _split(size: int, window: int, stride: int, dilation: int) -> tuple[int, int]:
    total = max((-(-size // stride) - 1) * stride + dilation * (window - 1) + 1 - size, 0)
    return total // 2, total - total // 2


def _both(value: Any) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else tuple(value)


def window_of(args: dict[str, Any]) -> tuple[int, int]:
    """The two sizes of a convolution's or a pooling's window, from its arguments."""
    if "pool_h" in args:
        return args["pool_h"], args["pool_w"]
    FH, FW = args["W"].shape[2:]
    return FH, FW


def pads_of(args: dict[str, Any], image: Sequence[int]) -> Pads:
    """Those of a probe whose pad is "same"."""
    return same_pads(image, window_of(args), args.get("stride", 1), args.get("dilation", 1))


def is_same(probe: Probe, every_stride: bool = False) -> bool:
    """Whether its pad is what padding='same' gives at stride 1, which is PyTorch's pad (k - 1) / 2; with
    `every_stride` also at larger strides, as some give that pad there too."""
    args, pad = probe.args, probe.args.get("pad", 0)
    if pad == SAME:
        return True
    x = probe.inputs.get("x")
    if not isinstance(x, np.ndarray) or x.ndim != 4:
        return False
    if _both(args.get("stride", 1)) != (1, 1) and not every_stride:
        return False
    if probe.kind == "average_pooling" and np.any(pad):  # PyTorch counts its zeros
        return False
    pads = pads_of(args | {"stride": 1}, x.shape[2:])
    return all(before == after == own for (before, after), own in zip(pads, _both(pad), strict=True))


def padded_explicitly(probe: Probe) -> tuple[Probe, Pads]:
    """The probe with its padding written into x, and pad 0."""
    pads = pads_of(probe.args, probe.inputs["x"].shape[2:])
    fill = FILL.get(probe.kind, 0.0)
    x = np.pad(probe.inputs["x"], ((0, 0), (0, 0), *pads), constant_values=fill)
    args = {name: value for name, value in probe.args.items() if name != "pad"}
    return Probe(probe.kind, probe.id, args, {**probe.inputs, "x": x}, probe.needs), pads


def counted_share(probe: Probe, shape: Sequence[int]) -> Array:
    """What a mean over whole windows is multiplied by, (OH, OW), so that it is one over the image's cells."""
    (top, bottom), (left, right) = pads_of(probe.args, probe.inputs["x"].shape[2:])
    FH, FW = window_of(probe.args)
    sh, sw = _both(probe.args.get("stride", 1))
    inside = np.pad(np.ones(probe.inputs["x"].shape[2:]), ((top, bottom), (left, right)))
    cells = [
        [inside[i * sh : i * sh + FH, j * sw : j * sw + FW].sum() for j in range(shape[1])]
        for i in range(shape[0])
    ]
    return FH * FW / np.array(cells)


def cut(found: Tensors, pads: Pads) -> Tensors:
    """The results with dx cut back to the image."""
    if "dx" not in found:
        return found
    (top, bottom), (left, right) = pads
    H, W = found["dx"].shape[2:]
    return found | {"dx": found["dx"][:, :, top : H - bottom, left : W - right]}
