"""Which of our networks a state dict belongs to, by the names of its tensors."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from functools import cache

from scratchcnn.networks import NETWORKS, Network
from scratchcnn.torch_weights import COUNTER, torch_state

SMALL = {"width": 8, "hidden_size": 8, "aux": False}  # arguments that leave the names unchanged


def network_of(names: Iterable[str]) -> str | None:
    """The network whose tensors in PyTorch have these names; None if there is none.

    Auxiliary heads and counters are ignored.
    """
    wanted = {n for n in names if not n.endswith(f".{COUNTER}") and not n.startswith(("aux1.", "aux2."))}
    return next((key for key, kind in NETWORKS.items() if wanted == set(names_of(kind))), None)


@cache
def names_of(kind: Callable[..., Network]) -> tuple[str, ...]:
    """PyTorch's names of the network's tensors, without auxiliary heads, by building a small one."""
    arguments = inspect.signature(kind).parameters
    small = {name: value for name, value in SMALL.items() if name in arguments}
    return tuple(torch_state(kind(rng=0, **small)))
