"""A network that makes its own layers: of a wrong gradient, the layer that it comes through."""

from __future__ import annotations

from dataclasses import replace

from parity.adapters.own_network_subject import OwnSubject, OwnWay
from parity.verification.verdict import Verdict

ELSEWHERE = (
    "the gradient that it is handed goes to another layer than the one that gives its outputs, so that its "
    "gradients cannot be held to these"
)
NOT_IN_A_ROW = "it has no method for its outputs, and does more than to call its layers one after another"


def with_its_layers(network: OwnSubject, way: OwnWay, verdict: Verdict, seed: int) -> None:
    """Take a wrong verdict away where the gradient that it is handed is none of its outputs; else name the
    layers whose own backward is wrong."""
    if not way.composed or verdict.outcome != "wrong" or verdict.culprit is None:
        return
    looked = network.looked(seed)
    if not looked.whole:
        verdict.records, verdict.first, verdict.culprit = [], None, None
        verdict.unchecked = ELSEWHERE if ", dout (" in way.called else NOT_IN_A_ROW
    elif looked.wrong:
        names = " and ".join(dict.fromkeys(looked.wrong))
        said = f"; through {names}, whose backward is not that of its forward"
        verdict.culprit = replace(verdict.culprit, sentence=verdict.culprit.sentence + said)
