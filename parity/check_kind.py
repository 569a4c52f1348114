"""Is one layer, function or loss right by itself, on every probe of its kind?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from parity.compare import Comparison, logic_gate, precision_gate
from parity.implementations import OURS, Book
from parity.kinds import KINDS, Probe, Tensors
from parity.probes import probes
from parity.records import Place, Record, record


def check_kind(
    kind: str,
    dtype: str = "float64",
    device: str = "cpu",
    seed: int = 0,
    factory: Callable[..., Any] | None = None,
    protocol: Book | None = None,
) -> Iterator[Record]:
    """Yield a record for every result on every probe; `factory` is ours unless another is given."""
    factory, protocol = factory or OURS[kind], protocol or Book()
    place = Place("", dtype, device)
    for probe in probes(kind, seed):
        cast = probe.cast(dtype)
        found = protocol.results(protocol.build(factory, cast), cast)
        for tensor, comparison in judge(probe, found, dtype, device).items():
            yield record(place, kind, phase_of(tensor), tensor, comparison, probe.id)


def phase_of(tensor: str) -> str:
    return "backward" if tensor.startswith("d") else "forward"


def judge(probe: Probe, found: Tensors, dtype: str = "float64", device: str = "cpu") -> dict[str, Comparison]:
    """Each result of one probe through the gate of the dtype."""
    kind = KINDS[probe.kind]
    got = {name: np.asarray(a) if isinstance(a, np.generic) else a for name, a in found.items()}
    if dtype == "float64":
        return {n: logic_gate(got.get(n), r) for n, r in kind.reference(probe, dtype, device).items()}
    exact, theirs = kind.reference(probe), kind.reference(probe, dtype, device)
    floors = kind.floors(probe, exact)
    return {n: precision_gate(got.get(n), theirs[n], exact[n], floors[n]) for n in exact}
