"""im2col and col2im in the layouts that people give the columns. Needs NumPy alone.

A layout is a word of N (images), P (positions of the window, row by row) and K (the numbers of a window, in
the order C, FH, FW); letters in parentheses are one axis. The book's is (NP)K; K(PN) is CS231n's, whose
columns come position by position; without an N it is one image at a time. Exchanging rows and columns of a
window is no layout.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np

from parity.adapters.arguments import plain
from parity.adapters.convention import Convention
from parity.adapters.meanings import meanings
from parity.adapters.signatures import PAIRS
from parity.kinds.probe import Probe

BOOK = "(NP)K"
COLUMNS = (BOOK, "K(NP)", "K(PN)", "NKP", "NPK", "PK", "KP")
SHAPES = ("inputshape", "xshape", "imageshape", "imgshape", "shape", "imshape", "outshape", "outputshape")


def given(col: Any, count: int, layout: str) -> list[Any]:
    """What is handed over, call by call, for columns of that many images in the book's layout."""
    whole = col.reshape(count, -1, col.shape[1])  # (N, P, K)
    if layout == BOOK:
        return [col]
    if "N" not in layout:
        return [one if layout == "PK" else one.T for one in whole]
    letters = layout.replace("(", "").replace(")", "")
    moved = whole.transpose(["NPK".index(c) for c in letters])
    return [np.ascontiguousarray(moved if "(" not in layout else moved.reshape(col.shape[1], -1))]


def taken(parts: list[Any], count: int, width: int, layout: str) -> Any:
    """Columns in the book's layout; what has another shape as it came."""
    if layout == BOOK or not all(isinstance(part, np.ndarray) for part in parts):
        return parts[0]
    letters = layout.replace("(", "").replace(")", "")
    axes = {"N": count, "K": width, "P": -1}
    try:
        whole = np.stack(parts) if "N" not in letters else parts[0]
        letters = letters if "N" in letters else f"N{letters}"
        dims = 2 if "(" in layout else 3
        if whole.ndim != dims or width not in whole.shape:
            return parts[0]
        whole = whole.reshape([axes[c] for c in letters])
    except ValueError:
        return parts[0]
    return whole.transpose([letters.index(c) for c in "NPK"]).reshape(-1, width)


def ways(about: dict[str, Any], kind: str) -> Iterator[Convention]:
    """The ways in which a function may be called, by the names of its parameters."""
    options: list[list[tuple[str, str] | None]] = []
    for number, p in enumerate(about["signature"] or ()):
        word = plain(p["name"])
        if number == 0:
            found = ["x"]
        elif word in SHAPES:
            found = ["input_shape", "(C,H,W)"]
        else:
            found = [m for m in meanings(p["name"], kind) if m != "input_shape"]
            if p["default"].startswith(("(", "[")):
                found = [PAIRS.get(m, m) for m in found]
        if not found and p["required"]:
            return
        options.append([(p["name"], m) for m in found] or [None])
    name = about["names"][0]
    for pairs in itertools.islice(itertools.product(*options), 8):
        args = tuple(pair for pair in pairs if pair is not None)
        for layout in COLUMNS:
            images = "NCHW" if "N" in layout else "CHW"
            yield Convention(
                kind,
                about["name"],
                None,
                forward=f"function {name}",
                forward_args=args,
                images=images,
                images_out=images,
                columns=layout,
                limits={"one_pad": True} if {"(SH,SW)", "pad"} <= {m for _, m in args} else {},
            )


def probe_of(kind: str) -> Probe:
    """Two images, and columns of one window, next to windows that do not overlap: all sizes differ."""
    args: dict[str, Any] = {"filter_h": 2, "filter_w": 2, "stride": 2}
    if kind == "im2col":
        x = np.ones((2, 3, 6, 10)) * np.array([1.0, 2.0])[:, None, None, None]
        return Probe(kind, "a trial", args, {"input_data": x})
    col = np.zeros((2 * 15, 12))
    col[15 + 7] = 1  # of the second image, the window at (2, 4)
    return Probe(kind, "a trial", {"input_shape": (2, 3, 6, 10), **args}, {"col": col})


def shows_the_layout(kind: str, found: Any) -> bool:
    """Whether each image's numbers came where that image's belong; what they are is not looked at."""
    if not isinstance(found, np.ndarray):
        return False
    if kind == "im2col":
        wanted = np.repeat([1.0, 2.0], 15)
        return found.shape == (30, 12) and bool((found == wanted[:, None]).all())
    window = np.zeros((2, 3, 6, 10), bool)
    window[1, :, 2:4, 4:6] = True
    return found.shape == window.shape and np.array_equal(found != 0, window)
