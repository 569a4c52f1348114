"""Another eps than PyTorch's, written into the code: sqrt(var + 1e-8) for sqrt(var + 1e-5).

It is there against a division by 0, and changes the results by as little as it is small. The mathematics is
right. The eps is read off: it must give every result, and be one that people write. The book's 1e-6, and
none at all, have names of their own in the catalogue.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from parity.checks.layer import judge
from parity.kinds import Probe
from scratchcnn.typing import Array

KINDS = {"batch_norm": 1e-5}  # PyTorch's
CONSTANTS = tuple(float(f"1e-{k}") for k in (8, 3, 7, 4, 9, 10, 11, 12, 2, 5))
WITHOUT = ("running_mean", "running_var")  # no eps is in them
Results = tuple[Probe, str, Mapping[str, Array]]  # an input, a dtype, some of its results by name


def eps_of(results: Iterable[Results]) -> float | None:
    """The eps that gives all of these results; None where none of CONSTANTS does."""
    left = list(CONSTANTS)
    for probe, dtype, found in results:
        left = [eps for eps in left if _gives(eps, probe, dtype, found)]
        if not left:
            return None
    return left[0] if left and left[0] != KINDS.get(probe.kind) else None


def with_eps(probe: Probe, eps: float) -> Probe:
    """The same input, judged with that eps."""
    return replace(probe, args={**probe.args, "eps": eps})


def _gives(eps: float, probe: Probe, dtype: str, found: Mapping[str, Array]) -> bool:
    judged = judge(with_eps(probe, eps), dict(found), dtype, keep=True)
    return all(judged[name].ok for name in found)
