"""Another eps than PyTorch's, written into the code: sqrt(var + 1e-8) for sqrt(var + 1e-5), sqrt(v + eps) for
sqrt(v) + eps.

It is there against a division by 0, and changes the results by as little as it is small. The mathematics is
right. The eps and its place are read off: they must give every result, and the eps must be one that people
write. None at all has a name of its own in the catalogue, and is a bug: 0 / 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from parity.adapters.rule_constants import EPS
from parity.checks.layer import judge
from parity.faults import FAULTS
from parity.kinds import Probe, kind_of
from parity.kinds.numpy_reference import judged_by
from scratchcnn.typing import Array

KINDS = {"batch_norm": 1e-5, "layer_norm": 1e-5, **EPS}  # PyTorch's
CONSTANTS = (
    *(float(f"1e-{k}") for k in (8, 7, 10, 6, 5, 3, 4, 9, 11, 12, 2, 15, 16)),
    *(float(np.finfo(dtype).eps) for dtype in (np.float64, np.float32)),
)
NEAR = {"float64": 1e-9, "float32": 1e-5}  # of the largest number
NO_EPS = "it has no eps, as in the paper: 0 / 0 until a gradient is not 0"
LEFT_OUT = "left out"  # the place of one that the paper does not have
# Where else it may stand, and the class of the catalogue that has it there.
PLACES = {
    "batch_norm": {"outside the root": "batch-norm-eps-outside-the-root"},
    "layer_norm": {"outside the root": "layer-norm-eps-outside-the-root"},
    "adagrad": {"inside the root": "adagrad-eps-inside-the-root"},
    "rmsprop": {"inside the root": "rmsprop-eps-inside-the-root"},
    "adadelta": {
        "outside both roots": "adadelta-eps-outside-the-roots",
        "outside the lower root": "adadelta-eps-outside-the-lower-root",
    },
    "adamax": {"beside u, outside the maximum": "adamax-eps-beside-u", LEFT_OUT: "adamax-no-eps"},
    "nadam": {"inside the root": "nadam-eps-inside-the-root"},
    "adam": {
        "inside the root": "adam-eps-inside-the-root",
        "beside the uncorrected root": "adam-eps-before-correction",
    },
}
NOWHERE = "nowhere"  # the place of one that is not there at all
NONE = {  # the class of the catalogue that has none, where none may pass for one
    "batch_norm": "batch-norm-no-eps",
    "layer_norm": "layer-norm-no-eps",
    "adadelta": "adadelta-no-eps-above",
}
WITHOUT = ("running_mean", "running_var")  # no eps is in them
Results = tuple[Probe, str, Mapping[str, Array]]  # an input, a dtype, some of its results by name


@dataclass(frozen=True)
class Eps:
    """A small constant, and where it stands; "" where PyTorch has it."""

    value: float
    place: str = ""

    def says(self, kind: str) -> str:
        """`its eps is 1e-08, PyTorch's 1e-05`, and where it stands if that is another place."""
        usual = KINDS[kind]
        if self.place == LEFT_OUT:
            return NO_EPS
        number = f"its eps is {self.value:g}, PyTorch's {usual:g}" if self.value != usual else "its eps"
        joined = ", and stands " if self.value != usual else " stands "
        return number + (f"{joined}{self.place}" if self.place else "")


def eps_of(kind: str, results: Iterable[Results]) -> Eps | None:
    """The eps that gives all of these results; None where none of CONSTANTS does in any place, and where they
    show no eps at all."""
    usual, nowhere = Eps(KINDS[kind]), Eps(KINDS[kind], NOWHERE)
    left = [Eps(value, place) for place in ("", *PLACES.get(kind, ())) for value in CONSTANTS]
    left = [eps for eps in left if eps != usual] + [nowhere] * (kind in NONE)
    for probe, dtype, found in results:
        left = [eps for eps in left if gives(eps, probe, dtype, found)]
        if not left:
            return None
    return left[0] if left and nowhere not in left else None


def gives(eps: Eps, probe: Probe, dtype: str, found: Mapping[str, Array]) -> bool:
    """Whether that eps gives these results of the probe."""
    kind = kind_of(probe.kind)
    if eps.place:
        fault = NONE[probe.kind] if eps.place == NOWHERE else PLACES[probe.kind][eps.place]
        kind = replace(kind, ours=FAULTS[fault].make)
    given = probe.known.setdefault(str(eps), replace(probe, args={**probe.args, "eps": eps.value}))
    with judged_by("numpy"), np.errstate(all="ignore"):  # PyTorch has it in one place alone
        if eps.place == LEFT_OUT:
            return _same_where_finite(dict(found), kind.reference(given, dtype), dtype)
        judged = judge(given, dict(found), dtype, keep=True, kind=kind)
    return all(judged[name].ok for name in found)


def _same_where_finite(found: Mapping[str, Array], right: Mapping[str, Array], dtype: str) -> bool:
    """Whether the two have the same numbers, and none at the same places: 0 / 0 cannot be judged."""
    for name, a in found.items():
        there = np.isfinite(right[name])
        if a.shape != there.shape or not np.array_equal(np.isfinite(a), there):
            return False
        b = right[name][there]
        if b.size and np.abs(a[there] - b).max() > NEAR[dtype] * np.abs(b).max():
            return False
    return True


def given_eps(cases: Iterable[Probe], eps: float) -> list[Probe]:
    """The inputs with that eps as an argument: known bugs are asked on them, and have it."""
    return [replace(probe, args={**probe.args, "eps": eps}) for probe in cases]
