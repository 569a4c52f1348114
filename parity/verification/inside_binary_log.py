"""A small constant in a binary cross entropy: log(y + 1e-8) for log(y), y*(1 - y) + 1e-8 under a fraction.

It keeps log(0) and a division by 0 away, and changes the results by as little as it is small. As in
`inside_log` it is read off, and must give every loss, or every dx. Probabilities that are cut off there need
nothing: those that are tried lie further from 0 and 1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from parity.kinds import Probe
from parity.kinds.elementwise_losses import divisor
from parity.verification.inside_log import CLOSE, CONSTANTS
from scratchcnn.typing import Array

KIND = "binary_cross_entropy"
Form = Callable[
    [Array, Array, float], Array
]  # (x, t, the constant) -> the loss, or the slope, of each output


def _logarithms(x: Array, t: Array, small: float) -> Array:
    losses: Array = -(t * np.log(x + small) + (1 - t) * np.log(1 - x + small))
    return losses


FORMS: dict[str, dict[str, Form]] = {
    "loss": {
        "-log(y + {})": _logarithms,
        "-log(y + {}) beside -log(1 - y)": lambda x, t, s: -(t * np.log(x + s) + (1 - t) * np.log1p(-x)),
    },
    "dx": {
        "(y - t) / (y*(1 - y) + {})": lambda x, t, s: (x - t) / (x * (1 - x) + s),
        "-t / (y + {0}) + (1 - t) / (1 - y + {0})": lambda x, t, s: -t / (x + s) + (1 - t) / (1 - x + s),
        "(y - t) / ((y + {0})*(1 - y + {0}))": lambda x, t, s: (x - t) / ((x + s) * (1 - x + s)),
    },
}


def constant_in(tensor: str, results: Iterable[tuple[Probe, str, Array]]) -> str:
    """What gives all of these results, each with its input and dtype, as `-log(y + 1e-08)`; "" if nothing."""
    left = [(form, small) for form in FORMS.get(tensor, ()) for small in CONSTANTS]
    for probe, dtype, found in results:
        left = [one for one in left if _gives(tensor, one, probe, found, CLOSE[dtype])]
    return left[0][0].format(f"{left[0][1]:.3g}") if left else ""


def _gives(tensor: str, one: tuple[str, float], probe: Probe, found: Array, close: float) -> bool:
    x, t = probe.inputs["x"], probe.inputs["t"]
    each = probe.args.get("factor", 1.0) * FORMS[tensor][one[0]](x, t, one[1])
    made = each / divisor(x, probe.args)
    if tensor == "loss" and probe.args.get("reduction") != "none":
        made = made.sum()
    if np.shape(made) != np.shape(found):
        return False
    return bool(np.abs(made - found).max() <= close * max(1.0, float(np.abs(made).max())))
