"""Another published form than PyTorch's: NAdam with one momentum or the paper's m, Adadelta without a rate.

PyTorch's momentum follows a schedule, which the paper leaves open. A form must give every result, with
PyTorch's eps or one that people write; its class is that of the catalogue.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np

from parity.checks.layer import judge
from parity.faults import FAULTS
from parity.kinds import Probe, kind_of
from parity.kinds.numpy_reference import judged_by
from parity.verification.other_eps import CONSTANTS, Results
from scratchcnn.typing import Array

CONSTANT = "its momentum is beta1 at every step, PyTorch's follows a schedule (momentum_decay)"
UNRATED = "its learning rate changes nothing, as in the paper, which has none"
FORMS = {  # the class of the catalogue -> what is said of it
    "adadelta": {"adadelta-rate-ignored": UNRATED},
    "nadam": {
        "nadam-constant-momentum": CONSTANT,
        "nadam-corrected-alike": f"{CONSTANT}; m is corrected by 1 - beta1**t",
        "nadam-averages-by-the-momentum": "m decays by the scheduled momentum, PyTorch's by beta1",
    },
}
KINDS = tuple(FORMS)


def form_of(kind: str, results: Iterable[Results]) -> str:
    """What is to be said of the form that gives all of these results; "" where none does."""
    left = [(name, eps) for name in FORMS[kind] for eps in (None, *CONSTANTS)]
    for probe, dtype, found in results:
        left = [(name, eps) for name, eps in left if _gives(name, eps, probe, dtype, found)]
        if not left:
            return ""
    name, eps = left[0]
    return FORMS[kind][name] + (f"; and its eps is {eps:g}" if eps is not None else "")


def _gives(name: str, eps: float | None, probe: Probe, dtype: str, found: Mapping[str, Array]) -> bool:
    kind = replace(kind_of(probe.kind), ours=FAULTS[name].make)
    own = {} if eps is None else {"eps": eps}
    given = probe.known.setdefault(f"{name} {eps}", replace(probe, args={**probe.args, **own}))
    with judged_by("numpy"), np.errstate(all="ignore"):
        judged = judge(given, dict(found), dtype, keep=True, kind=kind)
    return all(judged[one].ok for one in found)
