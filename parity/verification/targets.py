"""What `verify` can check: the kinds, how each is built and called, what it may lack, and the adapters."""

from __future__ import annotations

import inspect

import numpy as np

from parity.adapters.conventions import ADAPTERS
from parity.adapters.features import features, with_names
from parity.faults import faults_of
from parity.kinds import ALL_KINDS, kind_of
from parity.kinds.kind import LAYER
from parity.verification.slight_names import names_of

CALLS = {  # what can be checked in addition to the kinds
    "network": "object with params, loss(x, t), gradient(x, t) -> grads, and layers if there are any; "
    "needs --twin, a torch module",
}
TARGETS = (*ALL_KINDS, *CALLS)


def call_of(target: str) -> str:
    """How it is built and called, in one line; like our own class where the book has none."""
    if target in CALLS:
        return CALLS[target]
    kind = kind_of(target)
    return kind.call or f"cls({', '.join(inspect.signature(kind.ours).parameters)}){LAYER}"


def optional_features(target: str) -> list[str]:
    """The features that an implementation may lack, as `supports` names them."""
    if target not in ALL_KINDS:
        return []
    cases = kind_of(target).probes(np.random.default_rng(0))  # without cotangents, which need PyTorch
    return with_names(features(list(cases)))


def known_differences(target: str) -> dict[str, str]:
    """The differences that `allow` accepts: name -> description."""
    faults = {fault.name: fault.says for fault in faults_of(target) if not fault.equivalent}
    return faults | (names_of(target) if target in ALL_KINDS else {})


def adapters() -> dict[str, str]:
    """Name -> the first line of its documentation."""
    return {name: (inspect.getdoc(type(a)) or "").splitlines()[0] for name, a in ADAPTERS.items()}
