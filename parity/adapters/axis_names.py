"""How images and kernels lie by the names of their axes in a source: `(m, n_H, n_W, n_C) = A_prev.shape`.

It decides nothing about how code is called: of the errors of all the ways that failed it shows the likeliest.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from parity.adapters.sources import tree_of_source

CHANNEL = {"c", "ch", "channels", "channel", "depth", "nc", "cin", "inc"}
HEIGHT = {"h", "height", "f", "fh", "kh", "hh", "k", "rows"}
LAST, FIRST = "images (N, H, W, C)", "given W (FH, FW, "  # in the words of a convention


def named_axes(code: Any) -> dict[str, str]:
    """The order of "images" (NCHW or NHWC) and of "kernels" (HWIO), of what shows in its source."""
    found: dict[str, str] = {}
    for what, layout in _all_named(code):
        found.setdefault(what, layout)
    return found


def images_of_file(code: Any) -> str:
    """The order of the axes of images that its whole file shows; "" where it shows none, or two."""
    module = sys.modules.get(getattr(code, "__module__", ""))
    found = {layout for what, layout in _all_named(module) if what == "images"}
    return found.pop() if len(found) == 1 else ""


def _all_named(code: Any) -> Iterator[tuple[str, str]]:
    tree = tree_of_source(code)
    for node in ast.walk(tree) if tree is not None else ():
        match node:
            case ast.Assign(targets=[ast.Tuple(elts=names)], value=ast.Attribute(attr="shape")):
                axes = [_words(name.id) for name in names if isinstance(name, ast.Name)]
                if len(axes) == 4 and (said := _layout(axes)):
                    yield said


def _layout(axes: list[set[str]]) -> tuple[str, str] | None:
    """Whose axes these are, and in which order."""
    if axes[0] == axes[1] or (axes[0] & HEIGHT and not axes[2] & HEIGHT):
        return "kernels", "HWIO"
    if axes[3] & CHANNEL and axes[1] & HEIGHT:
        return "images", "NHWC"
    if axes[1] & CHANNEL and axes[2] & HEIGHT:
        return "images", "NCHW"
    return None


def _words(name: str) -> set[str]:
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])|_", " ", name)
    return {word.lower() for word in spaced.split()} - {"n", "prev", "in", "out"}


def against(axes: Mapping[str, str], convention: str) -> int:
    """How many of these names speak against a way of calling, given as its words."""
    found = 0
    if "images" in axes:
        found += (LAST in convention) != (axes["images"] == "NHWC") or "one at a time" in convention
    if axes.get("kernels") == "HWIO":
        found += FIRST not in convention
    return found
