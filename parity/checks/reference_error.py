"""Is the reference itself right? PyTorch's results on a device against its own float64 results on the CPU.

What ours is allowed in float32 grows with PyTorch's own error. So that error has a limit too: C times the
rounding floor sqrt(K) * u * (|a| . |b|), where u is float32's unit roundoff, or TF32's where the products are
rounded to it. In float64 the logic gate is asked. A device, a mode or a kernel that computes something else
fails here, where no result of ours takes part.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from parity.comparison.gates import UNIT, logic_gate, precision_gate
from parity.comparison.records import Place, Record, record
from parity.kinds import KINDS
from parity.kinds.probes import probes

PHASE = "reference"
TF32_UNIT = 2.0**-11  # unit roundoff of TF32: 10 bits after the leading one
PRODUCTS = ("convolution", "partial_convolution", "affine")  # what is computed in TF32 where that is on


def check_reference(
    kind: str, dtype: str = "float64", device: str = "cpu", seed: int = 0, tf32: bool = False
) -> Iterator[Record]:
    """Yield a record for every result of PyTorch's function on every probe of the kind.

    kind  a layer, function or loss, in a dtype of its own (an optimizer is the same on every device)
    tf32  products on the device are rounded to TF32
    """
    if kind not in KINDS or dtype not in KINDS[kind].dtypes:
        return
    rule, place = KINDS[kind], Place("", dtype, device)
    unit = TF32_UNIT / UNIT["float32"] if tf32 and dtype == "float32" and kind in PRODUCTS else 1.0
    for probe in probes(kind, seed):
        exact, found = rule.reference(probe), rule.reference(probe, dtype, device)
        floors = rule.floors(probe, exact, dtype)
        for tensor, wanted in exact.items():
            if dtype == "float64":
                comparison = logic_gate(found[tensor], wanted, floor=floors[tensor])
            else:
                rounded = wanted.astype(np.float32)
                comparison = precision_gate(found[tensor], rounded, wanted, unit * floors[tensor])
            yield record(place, kind, PHASE, tensor, comparison, probe.id)
