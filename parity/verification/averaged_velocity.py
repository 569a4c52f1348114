"""A momentum whose velocity averages the gradients, v = momentum v + (1 - momentum) g, as many teach it.

Begun at 0 it is 1 - momentum times PyTorch's velocity at every step, with a weight decay among the gradients
too, and so is what the step adds to the arrays: the path is PyTorch's at that much of the learning rate.
Every result must be that. An average that is only begun, or only gone on with, is a bug with its own name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from parity.checks.layer import judge
from parity.kinds import Probe
from parity.verification.other_eps import Results
from scratchcnn.typing import Array

KINDS = ("momentum", "nesterov")
SAYS = (
    "its velocity averages the gradients (v = momentum v + (1 - momentum) g), "
    "so every step is 1 - momentum of PyTorch's"
)


def averages(results: Iterable[Results]) -> bool:
    """Whether all of these results are those of steps that are 1 - momentum of PyTorch's."""
    return all(_gives(probe, dtype, found) for probe, dtype, found in results)


def _gives(probe: Probe, dtype: str, found: Mapping[str, Array]) -> bool:
    args = {**probe.args, "lr": probe.args["lr"] * (1 - probe.args["momentum"])}
    shorter = probe.known.setdefault("averaged", replace(probe, args=args))
    judged = judge(shorter, dict(found), dtype, keep=True)
    return all(judged[name].ok for name in found)
