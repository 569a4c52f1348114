"""Methods called between constructor and forward: set_input_shape, build, connect(size), compile(optimizer).

They are known by their names and by those of what they must be given. Needs nothing but Python.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

from parity.adapters.arguments import plain
from parity.adapters.options import pools_windows
from parity.adapters.updates import UPDATE, prepared

OF_SHAPES = ("setinputshape", "build")  # by one parameter of any name
OF_SIZES = (
    *("calculatesize", "calcsize", "setsize", "calculatesizes", "setinputsize", "setinput"),
    *("setinputdim", "setprevsize", "setpreviousize", "setnumberofinputs", "setninputs"),
)
BEGINNING = (
    *("initialize", "init", "initparams", "initparam", "initweights", "initializeweights", "initparameters"),
    *("compile", "setup", "connect", "initialise", "initialiseweights", "initializeparams", "initlayer"),
    *("initializeparameters", "initialiseparameters", "createweights", "makeweights", "buildweights"),
    *("generateweights", "setupweights", "initweight", "initializelayer", "initializeweight", "prepare"),
    *("initweightsandbias", "initweightsandbiases", "initializeweightsandbias", "resetparameters"),
)
IMAGES = ("(C,H,W)", "(H,W,C)", "(N,C,H,W)", "(N,H,W,C)")
Pairs = tuple[tuple[str, str], ...]


def setups(methods: dict[str, Any], kind: str) -> Iterator[tuple[Any, ...]]:
    """Calls of such methods, one of each, the likeliest first; none of them last."""
    found: list[list[tuple[str, Pairs]]] = []
    windows = kind == "convolution" or pools_windows(kind)
    shapes = IMAGES if windows else ("(I,)", "I") if kind == "affine" else ("shape",)
    for name in methods:
        if plain(name) in OF_SHAPES:
            params = _required(methods[name])
            if len(params) == 1:
                batch = ["(N,shape)"] if kind == "flatten" and plain(name) == "build" else []
                found.append([(name, ((params[0]["name"], way),)) for way in [*shapes, *batch]])
            elif ways := prepared(params, kind):
                found.append([(name, pairs) for pairs in ways])
    for name in methods:
        required = _required(methods[name])
        if plain(name) in OF_SIZES and len(required) == 1:
            found.append([(name, ((required[0]["name"], way),)) for way in shapes])
        if "opt" in plain(name) and plain(name) not in UPDATE and name[0] != "_":
            given = prepared(required, kind) if required else []
            own = [pairs for pairs in given if {meaning for _, meaning in pairs} == {"optimizer"}]
            found += [[(name, pairs) for pairs in own]] if own else []
    for name in methods:
        if plain(name) in BEGINNING and (ways := prepared(_required(methods[name]), kind)):
            found.append([(name, pairs) for pairs in ways])
    yield from itertools.islice(itertools.product(*found), 6)
    if found:
        yield ()


def _required(params: Any) -> list[dict[str, Any]]:
    return [p for p in params or () if p is not None and p["required"]]
