"""What can be checked, how each kind is built and called, and what it may lack: told in a line each."""

from __future__ import annotations

import inspect

from parity.adapters.conventions import ADAPTERS
from parity.adapters.features import features, in_words
from parity.faults import faults_of
from parity.kinds import ALL_KINDS, kind_of
from parity.kinds.kind import LAYER
from parity.kinds.probes import probes
from parity.verification.numerical_gradient import KIND as GRADIENT

NETWORK = "network"
CALLS = {
    GRADIENT: "numerical_gradient(f, x) -> df/dx, of x's shape",
    NETWORK: "object with params, loss(x, t), gradient(x, t) -> grads, and layers if there are any; "
    "needs --twin, a torch module",
}


def protocol_of(kind: str) -> str:
    """The line on a kind; for one that the book does not have, as ours is called."""
    if kind in CALLS:
        return CALLS[kind]
    if call := kind_of(kind).call:
        return call
    names = ", ".join(inspect.signature(kind_of(kind).ours).parameters)
    return f"cls({names}){LAYER}"


def kinds() -> list[str]:
    return [*ALL_KINDS, GRADIENT, NETWORK]


def optional(kind: str) -> list[str]:
    """The features that an implementation may lack, as `supports` names them."""
    return in_words(features(probes(kind))) if kind in ALL_KINDS else []


def differences(kind: str) -> dict[str, str]:
    """What may be declared by `allow`: name -> what is different."""
    return {fault.name: fault.says for fault in faults_of(kind) if not fault.equivalent}


def adapters() -> dict[str, str]:
    """Name -> the first line of its documentation."""
    return {name: (inspect.getdoc(type(a)) or "").splitlines()[0] for name, a in ADAPTERS.items()}
