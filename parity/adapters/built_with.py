"""Constructors that take the input, the labels or both: `MeanSquaredError(y)`, whose forward takes x alone.

Such an object is made anew for each forward. Needs NumPy alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from parity.adapters.convention import Convention
from parity.adapters.layouts import labels_of, pieces
from parity.adapters.loss_arguments import meanings_of
from parity.kinds.probe import Probe


def first_inputs(c: Convention, probe: Probe) -> dict[str, Any]:
    """What a constructor is given of them at first: those of the first call."""
    if not c.built_with:
        return {}
    x, layout = probe.inputs["x"], c.x_layouts.get(probe.inputs["x"].ndim, "")
    parts = pieces(x, layout)
    return {"x": parts[0], "t": labels_of(probe.inputs.get("t"), len(parts), layout)[0]}


def labels_built_in(signature: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Parameter -> "t" or "x", of a loss whose constructor asks for labels, and for nothing but an output
    besides; nothing for any other."""
    names = [str(p["name"]) for p in signature if p["required"]]
    found = [meanings_of([name.lstrip("*")])[0] for name in names]  # none by what the other one is
    return dict(zip(names, found, strict=True)) if sorted(found) in (["t"], ["t", "x"]) else {}
