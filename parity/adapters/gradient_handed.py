"""Networks that are handed a gradient of their outputs: their loss is the sum of it times the outputs.

Needs NumPy alone.
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.adapters.arguments import plain
from parity.adapters.container_parts import asked_of
from parity.adapters.handed_layers import gradient_of
from parity.adapters.logarithms import definition_of
from parity.adapters.network_calls import Call
from parity.adapters.network_data import Data
from parity.adapters.network_words import gives_gradients, meanings_of_call

Array = NDArray[Any]
DOUT = "a gradient of its outputs"
OF_LABELS = re.compile("true|target|label")


@dataclass(frozen=True)
class Given(Data):
    """A batch with a gradient of the outputs in place of labels."""

    make: Callable[[int], Any] | None = None  # the inputs of a case

    def __str__(self) -> str:
        return f"x {np.shape(self.x)} ({self.form}), dout {np.shape(self.t)}"

    def of_case(self, case: int, few: int = 0) -> Data:
        """Another batch of the same form."""
        assert self.make is not None
        return replace(self, x=self.make(case), t=dout_of(np.shape(self.t), case))


def dout_of(shape: tuple[int, ...], case: int) -> Array:
    return np.random.default_rng([case, 5]).standard_normal(shape)


def summed() -> Call:
    """The loss whose gradient by the outputs is t."""

    def number(out: Any, t: Any) -> float:
        return float((np.asarray(out) * t).sum())

    return Call("the sum of dout times its output", (("out", "out"), ("t", "t")), number)


def call_of_dout(network: Any, name: str) -> Call | None:
    """The call of a method that hands its one argument to the last layer's backward."""
    function = getattr(network, name)
    node, asked = definition_of(function), asked_of(function)
    if not isinstance(node, ast.FunctionDef) or not asked or not gives_gradients(name):
        return None
    douts = gradient_of(node)
    given: list[tuple[str, str]] = []
    for p, meaning in zip(asked, meanings_of_call([p.name for p in asked]), strict=True):
        if p.name in douts and not OF_LABELS.search(plain(p.name)):
            given.append((p.name, "t"))
        elif meaning in ("lr", "epochs", "quiet", "training"):
            given.append((p.name, meaning))
        else:
            return None
    if [meaning for _, meaning in given].count("t") != 1:
        return None
    names = [p.name for p in asked]
    optional = [p.name for p in inspect.signature(function).parameters.values() if p.name not in names]
    given += [
        (one, "lr")
        for one, meaning in zip(optional, meanings_of_call(optional), strict=True)
        if meaning == "lr"
    ]
    return Call(name, tuple(given))
