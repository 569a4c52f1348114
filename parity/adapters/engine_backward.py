"""The method of an engine's node that goes back through all nodes, by its name. Needs nothing but Python."""

from __future__ import annotations

from collections.abc import Iterable

from parity.adapters.arguments import plain

BACKWARD = "backward"
NAMES = (  # as plain names, the likeliest first
    *(BACKWARD, "backprop", "backpropagate", "backpropagation", "backwards", "backwardall", "runbackward"),
    *("backwardpass", "backwardprop", "backpass", "bprop", "dobackward", "propagateback", "computegradients"),
    *("calculategradients", "computegrads"),
)


def backward_in(names: Iterable[str]) -> str:
    """The one of these methods that is it; "" for none."""
    public = {plain(name): name for name in names if not name.startswith("_")}
    return next((public[word] for word in NAMES if word in public), "")


def backward_of(cls: type) -> str:
    """The name of it in a class; "" for none."""
    return backward_in(name for name in dir(cls) if callable(getattr(cls, name, None)))
