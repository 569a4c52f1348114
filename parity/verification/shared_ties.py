"""A max pooling in which equal maxima of a window share its gradient; with PyTorch the first has all of it.

Where several numbers are the maximum it has no one derivative, and their mean is as good as any. Every result
must be that. Who gives each of them the whole gradient, or shares it otherwise, has a bug.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from parity.checks.layer import judge
from parity.faults import FAULTS
from parity.kinds import Probe, kind_of
from parity.kinds.numpy_reference import judged_by
from scratchcnn.typing import Array

KINDS = {"max_pooling": "max-pool-ties-split"}  # and what does so in the catalogue
SAYS = (
    "where several numbers of a window are its maximum, they share its gradient evenly, and with PyTorch "
    "the first has all of it"
)
Results = tuple[Probe, str, Mapping[str, Array]]  # an input, a dtype, some of its results by name


def shares(results: Iterable[Results]) -> bool:
    """Whether all of these results are those of a pooling whose equal maxima share."""
    return all(_gives(probe, dtype, found) for probe, dtype, found in results)


def _gives(probe: Probe, dtype: str, found: Mapping[str, Array]) -> bool:
    fault = FAULTS[KINDS[probe.kind]]
    kind = replace(kind_of(probe.kind), name=fault.name, ours=fault.make)  # no loops have that name
    given = probe.known.setdefault("shared ties", replace(probe))
    with judged_by("numpy"):  # PyTorch has no such maximum
        judged = judge(given, dict(found), dtype, keep=True, kind=kind)
    return all(judged[name].ok for name in found)
