"""Sliding windows with one thing changed: stride, padding, dilation, size, the order in a window, the sum.

`gather` is what a forward pass does with an image, `scatter` what a backward pass does with the windows'
gradients. A `Geometry` holds all that they need; `changes` are the small changes that people make to it.
"""

# A probe holds arrays as Any; pairs are made axis by axis.
# mypy: disable-error-code="no-any-return, arg-type, union-attr"

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from parity.kinds.probe import Probe
from parity.kinds.same_padding import SAME, same_pads
from parity.kinds.windows import pair
from scratchcnn.typing import Array

KINDS = (
    "convolution",
    "partial_convolution",
    "im2col",
    "col2im",
    "max_pooling",
    "min_pooling",
    "average_pooling",
    "max_pooling_options",
    "average_pooling_options",
)
DIVISORS = {
    "one": "one: the sum, not the mean",
    "window": "the window's size everywhere",
    "inside": "the number of the window's cells inside the image",
    "padded": "the number of the window's cells inside the image and its padding",
    "stride": "the product of the strides",
    "outputs": "the number of windows",
    "magnitude": "the magnitude of divisor_override",
    "counted": "the number of cells, for divisor_override",
    "twice": "the number of cells and by divisor_override too",
    "whole": "divisor_override in whole windows alone",
    "first": "nothing: all of it goes to the first cell of the window",
}
WINNERS = {
    "last": "the gradient given to the last of several equal winners",
    "all": "the whole gradient given to each of several equal winners",
    "split": "the gradient divided among several equal winners",
    "column": "the gradient given to the first of several equal winners down the columns",
    "spread": "the gradient spread over the whole window",
    "each": "the whole gradient given to every cell of the window",
    "other": "the gradient given to the smallest for the largest (or the reverse)",
}
Overlap = Literal["added", "overwritten", "winner overwritten", "first kept", "averaged"]


@dataclass(frozen=True)
class Geometry:
    """Windows over an image of (H, W): all pairs are (vertical, horizontal).

    before, after  rows and columns of padding on the two sides; `crop` where dx is cut out of its frame
    out     how many windows
    fill    what the padding holds: a number, or "edge" and "reflect" for the image's own pixels
    overlap what happens where windows overlap in `scatter`
    uncut   whether `scatter` leaves the padding on; minus_pad: whether it is cut off at [pad:-pad]
    ceil    whether the number of windows is rounded up
    same    whether the padding was given as "same"
    winner  which cell of a window gets the gradient of its maximum: "first", or one of WINNERS
    divisor what an average divides by: one of DIVISORS, or "own", the right one
    """

    image: tuple[int, int]
    window: tuple[int, int]
    stride: tuple[int, int]
    before: tuple[int, int]
    after: tuple[int, int]
    dilation: tuple[int, int]
    out: tuple[int, int]
    crop: tuple[int, int]
    fill: float | str = 0.0
    overlap: Overlap = "added"
    uncut: bool = False
    minus_pad: bool = False
    ceil: bool = False
    divisor: str = "own"
    winner: str = "first"
    same: bool = False

    def sized(self, ceil: bool | None = None) -> Geometry:
        """With as many windows as fit; one that hangs over the edge too in ceil mode."""
        ceil = self.ceil if ceil is None else ceil
        return replace(self, out=tuple(self._size(axis, ceil) for axis in (0, 1)))

    def _size(self, axis: int, ceil: bool) -> int:
        span = self.dilation[axis] * (self.window[axis] - 1) + 1
        room = self.image[axis] + self.before[axis] + self.after[axis] - span
        size = (-(-room // self.stride[axis]) if ceil else room // self.stride[axis]) + 1
        if ceil and (size - 1) * self.stride[axis] >= self.image[axis] + self.before[axis]:
            size -= 1
        return max(size, 0)


def _base(probe: Probe) -> str:
    """The kind, of which one with more options is another."""
    return probe.kind.removesuffix("_options")


def geometry(probe: Probe) -> Geometry:
    """That of a probe."""
    args, inputs = probe.args, probe.inputs
    if "W" in args:
        window = args["W"].shape[2:]
    elif "filter_h" in args:
        window = (args["filter_h"], args["filter_w"])
    else:
        window = (args["pool_h"], args["pool_w"])
    shape = args["input_shape"] if "input_shape" in args else inputs.get("x", inputs.get("input_data")).shape
    stride, dilation = pair(args.get("stride", 1)), pair(args.get("dilation", 1))
    if args.get("pad") == SAME:
        before, after = zip(*same_pads(shape[2:], window, stride, dilation), strict=True)
    else:
        before = after = pair(args.get("pad", 0))
    fill = {"max_pooling": -np.inf, "min_pooling": np.inf}.get(_base(probe), 0.0)
    ceil = bool(args.get("ceil_mode"))
    found = Geometry(
        tuple(shape[2:]), tuple(window), stride, before, after, dilation, (0, 0), before, fill, ceil=ceil
    )
    return replace(found, same=args.get("pad") == SAME).sized()


def gather(x: Array, g: Geometry) -> Array:
    """(N, C, H, W) -> (N, OH, OW, C, FH, FW)."""
    N, C, H, W = x.shape
    (FH, FW), (OH, OW), (sh, sw), (dh, dw) = g.window, g.out, g.stride, g.dilation
    height = max(g.before[0] + H + g.after[0], (OH - 1) * sh + dh * (FH - 1) + 1)
    width = max(g.before[1] + W + g.after[1], (OW - 1) * sw + dw * (FW - 1) + 1)
    borders = [
        (0, 0),
        (0, 0),
        (g.before[0], height - H - g.before[0]),
        (g.before[1], width - W - g.before[1]),
    ]
    if isinstance(g.fill, str):
        img = np.pad(x, borders, mode=g.fill)  # type: ignore[call-overload]
    else:
        img = np.pad(x, borders, constant_values=g.fill)
    found = np.empty((N, OH, OW, C, FH, FW), x.dtype)
    for y in range(FH):
        for z in range(FW):
            part = img[
                :, :, y * dh : y * dh + (OH - 1) * sh + 1 : sh, z * dw : z * dw + (OW - 1) * sw + 1 : sw
            ]
            found[..., y, z] = part.transpose(0, 2, 3, 1)
    return found


def scatter(windows: Array, g: Geometry) -> Array:
    """(N, OH, OW, C, FH, FW) -> (N, C, H, W)."""
    N, OH, OW, C, FH, FW = windows.shape
    (sh, sw), (dh, dw), (H, W) = g.stride, g.dilation, g.image
    height = max(g.before[0] + H + g.after[0], g.crop[0] + H, (OH - 1) * sh + dh * (FH - 1) + 1)
    width = max(g.before[1] + W + g.after[1], g.crop[1] + W, (OW - 1) * sw + dw * (FW - 1) + 1)
    frame, count = np.zeros((N, C, height, width)), np.zeros((height, width))
    places = np.ndindex(OH, OW)
    for oh, ow in reversed(list(places)) if g.overlap == "first kept" else places:
        rows = slice(oh * sh, oh * sh + dh * (FH - 1) + 1, dh)
        columns = slice(ow * sw, ow * sw + dw * (FW - 1) + 1, dw)
        count[rows, columns] += 1
        if g.overlap in ("overwritten", "first kept"):
            frame[:, :, rows, columns] = windows[:, oh, ow]
        elif g.overlap == "winner overwritten":
            np.copyto(frame[:, :, rows, columns], windows[:, oh, ow], where=windows[:, oh, ow] != 0)
        else:
            frame[:, :, rows, columns] += windows[:, oh, ow]
    if g.overlap == "averaged":
        frame /= np.maximum(count, 1)
    if g.uncut:
        return frame[:, :, : H + g.before[0] + g.after[0], : W + g.before[1] + g.after[1]]
    found = frame[:, :, g.crop[0] : g.crop[0] + H, g.crop[1] : g.crop[1] + W]
    return found[:, :, : None if g.crop[0] else 0, : None if g.crop[1] else 0] if g.minus_pad else found


def changes(g: Geometry) -> Iterator[tuple[str, Geometry]]:
    """The geometry with one thing changed, and what was changed."""

    def swap(value: Any) -> Any:
        return value[::-1]

    def keeping(**fields: Any) -> Geometry:
        return replace(g, **fields)

    def fitting(**fields: Any) -> Geometry:
        return replace(g, **fields).sized()

    zero, twice = (0, 0), tuple(a + b for a, b in zip(g.before, g.after, strict=True))
    yield "the padding left on", keeping(uncut=True)
    yield "the padding cut off from the wrong corner", keeping(crop=zero)
    yield "the padding cut off at [pad:-pad], which is nothing without padding", keeping(minus_pad=True)
    further = tuple(c + (c > 0) for c in g.crop)
    yield "the padding cut off one row and column too far", keeping(crop=further)
    yield "the padding cut off one row and column too far", keeping(crop=tuple(c + 1 for c in g.crop))
    for how, make in (("", fitting), (", the number of windows kept", keeping)):
        yield f"the two strides exchanged{how}", make(stride=swap(g.stride))
        yield f"a stride of 1 throughout{how}", make(stride=(1, 1))
        yield f"a stride of the window's size{how}", make(stride=g.window)
        yield (
            f"the two pads exchanged{how}",
            make(before=swap(g.before), after=swap(g.after), crop=swap(g.crop)),
        )
        yield f"no padding{how}", make(before=zero, after=zero, crop=zero)
        yield f"all padding at the right and bottom{how}", make(before=zero, after=twice, crop=zero)
        yield f"all padding at the left and top{how}", make(before=twice, after=zero, crop=twice)
        yield f"the two dilations exchanged{how}", make(dilation=swap(g.dilation))
        yield f"no dilation{how}", make(dilation=(1, 1))
        yield f"the window's height and width exchanged{how}", make(window=swap(g.window))
    yield "the number of windows rounded down", g.sized(False)
    yield "the number of windows rounded up", g.sized(True)
    rounded = (
        g
        if not g.ceil
        else replace(
            g,
            out=tuple(
                -(-(g.image[i] + g.before[i] + g.after[i] - g.window[i]) // g.stride[i]) + 1 for i in (0, 1)
            ),
        )
    )
    for divisor, says in DIVISORS.items():
        yield f"a division by {says}", keeping(divisor=divisor)
    yield "a last window that lies in the padding", rounded
    always = tuple(
        -(-(g.image[i] + g.before[i] + g.after[i] - g.window[i]) // g.stride[i]) + 1 for i in (0, 1)
    )
    yield "the number of windows rounded up always", replace(g, out=always)
    unpadded = replace(g, before=zero, after=zero).sized().out
    yield "a number of windows that ignores the padding", keeping(out=tuple(max(1, n) for n in unpadded))
    short = tuple(max(1, n - -(-2 * p // s)) for n, p, s in zip(g.out, g.before, g.stride, strict=True))
    yield "a number of windows that ignores the padding", keeping(out=short)
    undilated = replace(g, dilation=(1, 1)).sized().out
    yield "a number of windows that ignores dilation", keeping(out=undilated)
    yield "padding of zeros where dilated", keeping(fill=g.fill if g.dilation == (1, 1) else 0.0)
    for mode, says in (("edge", "the border repeated"), ("reflect", "the image reflected")):
        yield f"{says} for the padding's zeros", keeping(fill=mode)
    for value, says in ((0.0, "zeros"), (-np.inf, "minus infinity"), (np.inf, "infinity")):
        yield f"padding of {says}", keeping(fill=value)
    yield "one window overwriting another where they overlap: = for +=", keeping(overlap="overwritten")
    yield "a cell that wins twice given one gradient", keeping(overlap="winner overwritten")
    for winner, says in WINNERS.items():
        yield says, keeping(winner=winner)
    yield "the first of several windows kept where they overlap", keeping(overlap="first kept")
    yield "the mean of the windows where they overlap, for their sum", keeping(overlap="averaged")
    if g.same:  # at the end, since other inputs of the same layer have none
        yield from _changes_of_same(g)


def _changes_of_same(g: Geometry) -> Iterator[tuple[str, Geometry]]:
    """Of padding='same'."""
    total = tuple(d * (k - 1) for d, k in zip(g.dilation, g.window, strict=True))
    before = tuple(n // 2 for n in total)
    as_at_1 = {"before": before, "after": tuple(n - b for n, b in zip(total, before, strict=True))}
    for how in ("", ", the number of windows kept"):
        for says, fields in (
            ("the odd row or column of padding at the top and left", {"before": g.after, "after": g.before}),
            ("as much padding at the bottom and right as at the top and left", {"after": g.before}),
            ("as much padding at the top and left as at the bottom and right", {"before": g.after}),
            ("the padding of a stride of 1, (k - 1) in all, at every stride", as_at_1),
        ):
            changed = replace(g, **fields, crop=fields.get("before", g.crop))
            yield f"{says}{how}", changed if how else changed.sized()


# -- the kinds over windows -----------------------------------------------------------------------
def forward(probe: Probe, g: Geometry, divided: Geometry | None = None) -> Array:
    """out (or col) of the kind for this geometry; an average is divided as in `divided`."""
    args, x = probe.args, probe.inputs["x" if "x" in probe.inputs else "input_data"]
    windows = gather(x, g)  # (N, OH, OW, C, FH, FW)
    N, OH, OW = windows.shape[:3]
    if _base(probe) == "im2col":
        return windows.reshape(N * OH * OW, -1)
    if _base(probe) == "average_pooling":
        return (windows.sum((4, 5)) / divisors(probe, divided or g)).transpose(0, 3, 1, 2)
    if _base(probe) in ("max_pooling", "min_pooling"):
        choose = np.max if _base(probe) == "max_pooling" else np.min
        return choose(windows, axis=(4, 5)).transpose(0, 3, 1, 2)
    W, groups = _filters(probe), args.get("groups", 1)
    if windows.shape[4:] != W.shape[2:]:
        windows = windows.reshape(*windows.shape[:4], *W.shape[2:])
    split = windows.reshape(N, OH, OW, groups, -1, *W.shape[2:])
    filters = W.reshape(groups, -1, *W.shape[1:])
    out = np.einsum("nhwgcyx,gfcyx->ngfhw", split, filters, optimize=True).reshape(N, len(W), OH, OW)
    return out if args.get("b") is None else out + args["b"][:, None, None]


def divisors(probe: Probe, g: Geometry) -> Array:
    """What an average divides by, (OH, OW, 1): the cells of a window that count."""
    plain = {"one": 1, "window": g.window[0] * g.window[1], "stride": g.stride[0] * g.stride[1]}
    plain["outputs"] = g.out[0] * g.out[1]
    override, divisor = probe.args.get("divisor_override"), g.divisor
    if override is not None:
        plain |= {"own": override, "magnitude": abs(override)}
    elif divisor in ("magnitude", "counted", "twice", "whole"):
        divisor = "own"
    if divisor in plain:
        return np.full((*g.out, 1), plain[divisor], float)
    if divisor == "twice":
        return override * divisors(probe, replace(g, divisor="counted"))
    if divisor == "whole":
        counts = divisors(probe, replace(g, divisor="inside"))
        return np.where(counts == plain["window"], override, counts)
    inside = np.ones((1, 1, *g.image))
    if divisor == "padded" or (divisor in ("own", "counted") and _counts_padding(probe)):
        inside = np.ones((1, 1, g.image[0] + g.before[0] + g.after[0], g.image[1] + g.before[1] + g.after[1]))
        g = replace(g, image=inside.shape[2:], before=(0, 0), after=(0, 0))
    return np.maximum(gather(inside, replace(g, fill=0.0))[0].sum((3, 4)), 1)


def _counts_padding(probe: Probe) -> bool:
    return bool(probe.args.get("count_include_pad", True)) and probe.args.get("pad") != SAME


def backward(probe: Probe, g: Geometry, own: Geometry) -> Array:
    """dx (or img) for this geometry; `own` is the right one."""
    return scatter(shares(probe, replace(own, divisor=g.divisor, winner=g.winner)), g)


def shares(probe: Probe, g: Geometry) -> Array:
    """What each window hands back to the image, (N, OH, OW, C, FH, FW)."""
    args, (OH, OW), (FH, FW) = probe.args, g.out, g.window
    if _base(probe) == "col2im":
        N, C = args["input_shape"][:2]
        return probe.inputs["col"].reshape(N, OH, OW, C, FH, FW)
    dout = probe.inputs["dout"].transpose(0, 2, 3, 1)  # (N, OH, OW, C)
    if _base(probe) == "average_pooling":
        share = dout / divisors(probe, g)
        if g.divisor == "first":
            found = np.zeros((*share.shape, FH, FW))
            found[..., 0, 0] = dout
            return found
        return np.broadcast_to(share[..., None, None], (*share.shape, FH, FW)).copy()
    if _base(probe) in ("max_pooling", "min_pooling"):
        return winners(probe, g) * dout[..., None, None]
    W, groups = _filters(probe), args.get("groups", 1)
    N = len(dout)
    filters, split = W.reshape(groups, -1, *W.shape[1:]), dout.reshape(N, OH, OW, groups, -1)
    return np.einsum("nhwgf,gfcyx->nhwgcyx", split, filters, optimize=True).reshape(N, OH, OW, -1, FH, FW)


def winners(probe: Probe, g: Geometry) -> Array:
    """The share of its window's gradient that each cell gets: 1 for the first largest (or smallest)."""
    windows = gather(probe.inputs["x"], g)
    rows = windows.reshape(*windows.shape[:4], -1)
    if (_base(probe) == "min_pooling") != (g.winner == "other"):
        rows = -rows
    size, best = rows.shape[-1], rows.argmax(-1)
    equal = rows == rows.max(-1, keepdims=True)
    if g.winner in ("all", "split"):
        found = equal / equal.sum(-1, keepdims=True) if g.winner == "split" else equal
    elif g.winner in ("spread", "each"):
        found = np.full(rows.shape, 1 / size if g.winner == "spread" else 1.0)
    else:
        if g.winner == "last":
            best = size - 1 - rows[..., ::-1].argmax(-1)
        elif g.winner == "column":
            turned = rows.reshape(windows.shape).swapaxes(-1, -2).reshape(rows.shape)
            z, y = np.divmod(turned.argmax(-1), g.window[0])
            best = y * g.window[1] + z
        found = np.arange(size) == best[..., None]
    return found.reshape(windows.shape).astype(float)


def filter_gradient(probe: Probe, g: Geometry) -> Array:
    """dW of a convolution for this geometry."""
    dout, W, groups = probe.inputs["dout"], probe.args["W"], probe.args.get("groups", 1)
    windows = gather(probe.inputs["x"], g)
    N, OH, OW = windows.shape[:3]
    dout = fitted(dout, (N, len(W), OH, OW))
    split, rows = windows.reshape(N, OH, OW, groups, -1, *g.window), dout.reshape(N, groups, -1, OH, OW)
    found = np.einsum("nhwgcyx,ngfhw->gfcyx", split, rows, optimize=True).reshape(len(W), -1, *g.window)
    return (
        found.reshape(W.shape) * probe.args["connections"][:, :, None, None]
        if "connections" in probe.args
        else found.reshape(W.shape)
    )


def fitted(a: Array, shape: tuple[int, ...]) -> Array:
    """Cut or filled up with zeros."""
    if a.shape == shape:
        return a
    found = np.zeros(shape)
    common = tuple(slice(min(m, n)) for m, n in zip(a.shape, shape, strict=True))
    found[common] = a[common]
    return found


def _filters(probe: Probe) -> Array:
    W: Array = probe.args["W"]
    return W * probe.args["connections"][:, :, None, None] if "connections" in probe.args else W
