"""What a parameter stands for by the parts of its name, where the whole name is in no table.

`prev_nodes` is the size of what comes in, `no_of_filters` the number of filters, `k_size` the window. Every
part must be known; one that is not leaves the name without a meaning.
"""

from __future__ import annotations

import re

from parity.adapters.options import pools_windows

ARTICLES = {"the", "a", "an", "my", "our"}
IN = {"in", "input", "inputs", "inp", "prev", "previous"}
OUT = {"out", "output", "outputs", "next", "classes"}
COUNT = {"num", "n", "no", "of", "nb", "number", "count", "amount"}
SIZE = {"size", "dim", "dims", "dimension", "dimensions", "len", "length"}
CHANNEL = {
    "c",
    "ch",
    "nc",
    "chn",
    "chs",
    "chan",
    "channel",
    "channels",
    "plane",
    "planes",
    "map",
    "maps",
    "image",
    "img",
    "conv",
}
UNIT = {"node", "nodes", "neuron", "neurons", "unit", "units", "feature", "features", "layer", "fc", "dense"}
WINDOW = {"kernel", "kernels", "kernal", "kernals", "filter", "filters", "k", "window", "pool", "pooling"}
HEIGHT, WIDTH = {"h", "height", "rows"}, {"w", "width", "cols"}
STRIDE, PAD = {"stride", "strides", "step", "s"}, {"pad", "padding", "paddings", "zero"}


def parts(name: str) -> list[str]:
    """`prevNodes` and `prev_nodes` -> ["prev", "nodes"]."""
    return [part.lower() for part in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)]


def meanings_of_parts(name: str, kind: str) -> tuple[str, ...]:
    """The meanings of such a name in a dense layer, a convolution or a pooling; nothing for other kinds."""
    found = {*parts(name)} - ARTICLES
    if kind == "affine":
        own = found & {"layer", "size"} and found <= {"layer", "own", *SIZE, *COUNT}
        own = own or (found & UNIT and found & COUNT and found <= {*UNIT, *COUNT})  # amount_of_neurons
        return ("O",) if own else _directed(found, ("I", "(I,)"), ("O",))
    if kind == "convolution" or pools_windows(kind):
        if shape := _of_a_window(found, kind == "convolution"):
            return shape
        return _directed(found, ("C",), ("FN",)) if kind == "convolution" else ()
    return ()


def _directed(found: set[str], inner: tuple[str, ...], outer: tuple[str, ...]) -> tuple[str, ...]:
    """By what says in or out; channels alone are those that come in."""
    if found - IN - OUT - COUNT - SIZE - CHANNEL - UNIT:
        return ()
    if bool(found & IN) != bool(found & OUT):
        return inner if found & IN else outer
    return inner if inner == ("C",) and found & {"channel", "channels"} and not found & (IN | OUT) else ()


def _of_a_window(found: set[str], filters: bool) -> tuple[str, ...]:
    where = found - {"conv", "pool", "pooling"}
    for named, meaning in ((STRIDE, "stride"), (PAD, "pad")):
        if where & named and not where - named - SIZE:
            return (meaning,)
    if not found & WINDOW:
        return ()
    rest = found - WINDOW - {"conv"}
    if rest & COUNT and not rest - COUNT:
        return ("FN",) if filters else ()
    for named, meaning in ((HEIGHT, "FH"), (WIDTH, "FW")):
        if rest & named and not rest - named:
            return (meaning,)
    return ("kernel", "(FH,FW)") if rest and rest <= {*SIZE, "f", "of"} else ()
