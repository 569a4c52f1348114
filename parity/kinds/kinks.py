"""Where an activation has a kink there is no one derivative: any slope from the left to the right one does.

PyTorch takes one of the two. Who writes x >= 0 for x > 0 takes the other, and who means well their mean; the
function is right everywhere, and so is every other dx. Relu's two are in the catalogue too, each with a name
of its own: they differ from PyTorch and are found, and a verdict says what they are. Needs NumPy alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from parity.kinds.probe import Array, Probe

SCALE, ALPHA = 1.0507009873554805, 1.6732632423543772  # of SELU
CLOSE = {"float64": 1e-9, "float32": 1e-5}
LEFT, RIGHT, MEAN = "the slope on the left", "the slope on the right", "the mean of both slopes"
ONE = "a slope where there is none"


@dataclass(frozen=True)
class Kink:
    """A kink at x, and the slopes beside it; `pytorch` is the one that PyTorch takes.

    Where the function `jumps` there is no slope: 0, as beside it, does, and so does 1.
    """

    x: float
    left: float
    right: float
    pytorch: str = LEFT
    jumps: bool = False

    @property
    def slopes(self) -> dict[str, float]:
        if self.jumps:
            return {LEFT: 0.0, ONE: 1.0}
        return {LEFT: self.left, RIGHT: self.right, MEAN: (self.left + self.right) / 2}

    def taken(self, probe: Probe, dx: Array) -> list[str]:
        """Which of the slopes dx may have there; all where no x of the probe is the kink."""
        at = probe.inputs["x"] == self.x
        dout, close = probe.inputs["dout"][at], CLOSE.get(str(dx.dtype), 0.0)  # whole numbers are exact
        return [
            name
            for name, slope in self.slopes.items()
            if np.all(np.abs(dx[at] - slope * dout) <= close * np.abs(dout))
        ]


OF_KIND: dict[str, Callable[[Mapping[str, Any]], tuple[Kink, ...]]] = {
    "relu": lambda args: (Kink(0, 0, 1),),
    "leaky_relu": lambda args: (Kink(0, float(args.get("negative_slope", 0.01)), 1),),
    "elu": lambda args: (Kink(0, float(args.get("alpha", 1.0)), 1),),
    "selu": lambda args: (Kink(0, SCALE * ALPHA, SCALE),),
    "relu6": lambda args: (Kink(0, 0, 1), Kink(6, 1, 0, RIGHT)),
    "step_function": lambda args: (Kink(0, 0, 0, jumps=True),),
}


def kinks_of(probe: Probe) -> tuple[Kink, ...]:
    """The kinks of the probe's function; none of another kind."""
    return OF_KIND[probe.kind](probe.args) if probe.kind in OF_KIND else ()


def as_pytorch(probe: Probe, dx: Array, exact: Array) -> Array:
    """dx with PyTorch's numbers at the kinks, whichever of the slopes it has there; else as it is."""
    kinks = kinks_of(probe)
    if not kinks or dx.shape != exact.shape or str(dx.dtype) not in CLOSE:
        return dx
    if not all(kink.taken(probe, dx) for kink in kinks):
        return dx
    at = np.isin(probe.inputs["x"], [kink.x for kink in kinks])
    return np.where(at, exact, dx).astype(dx.dtype)
