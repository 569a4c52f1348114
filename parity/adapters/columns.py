"""im2col and col2im in the layouts that people give the columns. Needs NumPy alone.

A layout is a word of N (images), P (positions of the window, row by row) and K (the numbers of a window, in
the order C, FH, FW); letters in parentheses are one axis. The book's is (NP)K; K(PN) is CS231n's, whose
columns come position by position; without an N it is one image at a time. Of images (N, H, W, C) the numbers
of a window may come in the order FH, FW, C: an L. Positions may be the axes H and W, a window C, F (FH) and G
(FW); an S is FH, FW of one channel. Exchanging rows and columns of a window is no layout.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from parity.adapters.arguments import ALIASES, plain
from parity.adapters.convention import Convention, Place
from parity.adapters.meanings import ARRAY, BOTH_SIDES, meanings
from parity.adapters.reach import checksum
from parity.adapters.signatures import PAIRS
from parity.kinds.probe import Probe

BOOK = "(NP)K"
COLUMNS = (BOOK, "K(NP)", "K(PN)", "NKP", "NPK", "PK", "KP")
APART = ("NHWK", "NHWCFG", "NCFGHW", "NCHWFG")  # of im2col: OH, OW, C, FH, FW are axes of their own
APART_LAST = ("NHWL", "NHWFGC")  # of images (N, H, W, C)
OF_CHANNELS = ("(NCP)S", "(NPC)S")  # of im2col: each channel's windows apart, as a pooling wants them
ALONE = ("NKP", "NPK", "PK", "KP", *APART, *APART_LAST, *OF_CHANNELS)  # of a shape that no other has
TOGETHER = ("K(NP)", "K(PN)")  # of one shape
LAST = "L"  # FH, FW, C
FILTER_NAMES = (plain("W"), *ALIASES["W"])
FILTERS = [  # arrays that are asked for their sizes alone
    f"{ARRAY}{shape}"
    for shape in ("(FN,C,FH,FW)", "(FH,FW,C,FN)", "(FN,FH,FW,C)", "(C,FH,FW)", "(FH,FW,C)", "(FH,FW)")
]
SHAPES = ("inputshape", "xshape", "imageshape", "imgshape", "shape", "imshape", "outshape", "outputshape")


def given(col: Any, count: int, layout: str, channels: int = 1) -> list[Any]:
    """What is handed over, call by call, for columns of that many images in the book's layout."""
    if LAST in layout:
        windows = col.reshape(len(col), channels, -1)
        last = windows.transpose(0, 2, 1).reshape(col.shape)
        return given(last, count, layout.replace(LAST, "K"))
    whole = col.reshape(count, -1, col.shape[1])  # (N, P, K)
    if layout == BOOK:
        return [col]
    if "N" not in layout:
        return [one if layout == "PK" else one.T for one in whole]
    letters = layout.replace("(", "").replace(")", "")
    moved = whole.transpose(["NPK".index(c) for c in letters])
    return [np.ascontiguousarray(moved if "(" not in layout else moved.reshape(col.shape[1], -1))]


def taken(parts: list[Any], count: int, width: int, layout: str, channels: int = 1) -> Any:
    """Columns in the book's layout; what has another shape as it came."""
    if LAST in layout:
        last = taken(parts, count, width, layout.replace(LAST, "K"))
        if not isinstance(last, np.ndarray) or last.ndim != 2 or last.shape[1] != width:
            return last
        return last.reshape(len(last), -1, channels).transpose(0, 2, 1).reshape(last.shape)
    if layout in (*APART, *APART_LAST):
        return _together(parts[0], count, width, layout, channels)
    if layout in OF_CHANNELS:
        return _of_channels(parts[0], count, width, layout, channels)
    if layout == BOOK or not all(isinstance(part, np.ndarray) for part in parts):
        return parts[0]
    letters = layout.replace("(", "").replace(")", "")
    axes = {"N": count, "K": width, "P": -1}
    try:
        whole = np.stack(parts) if "N" not in letters else parts[0]
        letters = letters if "N" in letters else f"N{letters}"
        dims = 2 if "(" in layout else 3
        at = 0 if layout.startswith("K(") else letters.index("K")
        if whole.ndim != dims or whole.shape[at] != width:
            return parts[0]
        whole = whole.reshape([axes[c] for c in letters])
    except ValueError:
        return parts[0]
    return whole.transpose([letters.index(c) for c in "NPK"]).reshape(-1, width)


def _of_channels(whole: Any, count: int, width: int, layout: str, channels: int) -> Any:
    """Columns in the book's layout of rows that hold the window of one channel; another shape as it came."""
    rows, size = count * channels, width // channels
    if not isinstance(whole, np.ndarray) or whole.ndim != 2 or whole.shape[1] != size or len(whole) % rows:
        return whole
    axes = {"N": count, "C": channels, "P": len(whole) // rows, "S": size}
    letters = layout.replace("(", "").replace(")", "")
    apart = whole.reshape([axes[c] for c in letters])
    return apart.transpose([letters.index(c) for c in "NPCS"]).reshape(-1, width)


def _together(whole: Any, count: int, width: int, layout: str, channels: int) -> Any:
    """Columns in the book's layout of an array with more axes; what has another shape as it came."""
    if not isinstance(whole, np.ndarray) or whole.ndim != len(layout):
        return whole
    sizes = dict(zip(layout, whole.shape, strict=True))
    window = math.prod(sizes[c] for c in "CFGK" if c in sizes)
    if sizes["N"] != count or window != width or sizes.get("C", channels) != channels:
        return whole
    return whole.transpose([layout.index(c) for c in "NHWCFGK" if c in layout]).reshape(-1, width)


def ways(about: dict[str, Any], kind: str) -> Iterator[Convention]:
    """The ways in which a function may be called, by the names of its parameters."""
    options: list[list[tuple[str, str] | None]] = []
    for number, p in enumerate(about["signature"] or ()):
        word = plain(p["name"])
        if number == 0:
            found = ["x"]
        elif word in SHAPES:
            found = ["input_shape", "(N,H,W,C)", "(C,H,W)"]
        else:
            found = [m for m in meanings(p["name"], kind) if m != "input_shape"]
            found += FILTERS if word in FILTER_NAMES else ()
            if p["default"].startswith(("((", "[(", "([", "[[")):
                found = [BOTH_SIDES if m == "pad" else m for m in found]
            elif p["default"].startswith(("(", "[")):
                found = [PAIRS.get(m, m) for m in found]
            elif p["required"]:
                found = [*dict.fromkeys([*found, *(PAIRS[m] for m in found if m in PAIRS)])]
                found += [BOTH_SIDES] if "pad" in found else []
        if not found and p["required"]:
            return
        options.append([(p["name"], m) for m in found] or [None])
    name = about["names"][0]
    for pairs in itertools.islice(itertools.product(*options), 24):
        args = tuple(pair for pair in pairs if pair is not None)
        used = {meaning for _, meaning in args}
        limits: dict[str, Any] = {"one_pad": True} if {"(SH,SW)", "pad"} <= used else {}
        limits |= {} if used & {"stride", "stride_h", "(SH,SW)"} else {"stride": 1}
        layouts = itertools.chain(_of_channels_first(used, kind), _of_channels_last(used, kind))
        for layout, images in layouts:
            yield Convention(
                kind,
                about["name"],
                None,
                forward=f"function {name}",
                forward_args=args,
                images=images,
                images_out=images,
                columns=layout,
                limits=limits,
            )


def _of_channels_first(used: set[str], kind: str) -> Iterator[tuple[str, str]]:
    known = (*COLUMNS, *APART, *OF_CHANNELS) if kind == "im2col" else COLUMNS
    for layout in () if "(N,H,W,C)" in used else known:
        yield layout, "NCHW" if "N" in layout else "CHW"


def _of_channels_last(used: set[str], kind: str) -> Iterator[tuple[str, str]]:
    """Columns of images (N, H, W, C), whose shape is given so where it is given."""
    if not used & {"input_shape", "(C,H,W)"}:
        for layout in (layout for layout in COLUMNS if "N" in layout):
            yield layout.replace("K", LAST), "NHWC"
            yield layout, "NHWC"
    if kind == "im2col":
        yield from ((layout, "NHWC") for layout in APART_LAST)


def layout_beside(
    ask: Callable[[Convention, Probe], dict[str, Any]], about: dict[str, Any]
) -> tuple[str, str]:
    """The im2col beside a col2im, by its name, and how it lays several images out; nothing where none shows.

    The two belong together: what one makes of images the other makes images of again.
    """
    name = about["names"][0].replace("col2im", "im2col")
    params = about["functions"].get(name)
    if name == about["names"][0] or not params:
        return "", ""
    for way in ways({**about, "name": name, "names": [name], "signature": params}, "im2col"):
        if way.columns not in COLUMNS or "N" not in way.columns or way.images != "NCHW":
            continue  # no other is made of the columns of a col2im
        stride = way.limits.get("stride", 2)
        probe = probe_of("im2col", stride)
        probe = replace(probe, inputs={"x": probe.inputs["input_data"]})
        way = replace(way, kind="col2im")  # as which the process that runs it knows the file
        report = ask(replace(way, out=Place(((".", "out"),))), probe)
        made = given(_columns_of_probe(stride), 2, way.columns)[0]
        out = [e for e in report.get("forward", ()) if e["path"][0][1] == "out"]
        if out and out[0]["shape"] == list(made.shape) and out[0]["sum"] == checksum(made):
            return name, way.columns
    return "", ""


def probe_of(kind: str, stride: int = 2) -> Probe:
    """Two images, and columns of one window, next to windows that do not overlap: all sizes differ.

    Each channel of an image has a number of its own.
    """
    args: dict[str, Any] = {"filter_h": 2, "filter_w": 2, "stride": stride}
    if kind == "im2col":
        x = np.ones((2, 3, 6, 10)) * np.array([10.0, 20.0])[:, None, None, None]
        return Probe(kind, "a trial", args, {"input_data": x + np.arange(3.0)[:, None, None]})
    count, at = (15, 7) if stride == 2 else (45, 2 * 9 + 4)
    col = np.zeros((2 * count, 12))
    col[count + at] = np.repeat([1.0, 2.0, 3.0], 4)  # of the second image, the window at (2, 4)
    return Probe(kind, "a trial", {"input_shape": (2, 3, 6, 10), **args}, {"col": col})


def has_the_shape(way: Convention, kind: str, found: Any) -> bool:
    """Whether the columns of `probe_of` have a shape that is that layout's alone, whatever is in them."""
    count = len(_columns_of_probe(way.limits.get("stride", 2)))
    alone = way.columns.replace(LAST, "K") in ALONE
    return kind == "im2col" and alone and np.shape(found) == (count, 12)


def _columns_of_probe(stride: int) -> Any:
    """The book's columns of the two images of `probe_of`."""
    return np.repeat([10.0, 20.0], 15 if stride == 2 else 45)[:, None] + np.repeat([0.0, 1.0, 2.0], 4)


def shows_the_layout(
    kind: str, found: Any, images: str = "NCHW", stride: int = 2, layout: str = BOOK
) -> bool:
    """Whether each image's numbers came where that image's belong, and with channels last or apart each
    channel's."""
    if not isinstance(found, np.ndarray):
        return False
    last = images == "NHWC" or layout in OF_CHANNELS
    if kind == "im2col":
        wanted = _columns_of_probe(stride)
        right = found.shape == wanted.shape and (found if last else found // 10 * 10) == (
            wanted if last else wanted // 10 * 10
        )
        return bool(np.all(right))
    window = np.zeros((2, 3, 6, 10))
    window[1, :, 2:4, 4:6] = np.array([1.0, 2.0, 3.0])[:, None, None]
    return found.shape == window.shape and bool(
        np.array_equal(found, window) if last else np.array_equal(found != 0, window != 0)
    )
