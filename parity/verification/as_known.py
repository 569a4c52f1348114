"""Whether results are just those of a class of the catalogue, where it is a choice and no bug."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from parity.checks.layer import judge
from parity.faults import FAULTS
from parity.kinds import Probe, kind_of
from parity.kinds.numpy_reference import judged_by
from scratchcnn.typing import Array


def gives(name: str, probe: Probe, dtype: str, found: Mapping[str, Array]) -> bool:
    """Whether that fault's class gives all of these results of the probe; PyTorch has no such option."""
    fault = FAULTS[name]
    kind = replace(kind_of(probe.kind), name=name, ours=fault.make)  # no loops have that name
    given = probe.known.setdefault(name, replace(probe))  # judged apart: it keeps another reference
    with judged_by("numpy"):
        judged = judge(given, dict(found), dtype, keep=True, kind=kind)
    return all(judged[tensor].ok for tensor in found)
