"""A dense layer whose gradients are 1/N of PyTorch's, where the network that it is part of is right so.

Whoever hands the gradient of a loss back without its 1/N divides by N where the weights' gradients are made:
`linear_backward` is then half of a right pair. The network of the same file, held to its own cost, shows it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from dataclasses import replace

from parity.adapters.function_groups import groups_of
from parity.verification.listed_names import Listed
from parity.verification.verdict import RIGHT, Verdict

DIVIDED = re.compile(r"(dW|db|dW and db|db and dW) (?:is|are) PyTorch's divided by N")
CALLED = re.compile(r"(\w+)\(")


def within_its_network(
    verdict: Verdict,
    one: Listed,
    checked: Sequence[tuple[Listed, Verdict]],
    body: Sequence[ast.stmt],
    strict: bool = False,
) -> Verdict:
    """The verdict on a layer written as functions, with what a right network of the same file says of it."""
    why = verdict.explanation
    if verdict.outcome != "wrong" or why is None or not why.complete:
        return verdict
    divided = [DIVIDED.fullmatch(sentence) for sentence in why.sentences]
    called = {re.split(r"[(,]", one.name.rpartition(",")[2])[0], *CALLED.findall(verdict.called)}
    right = {other.name for other, found in checked if found.outcome in RIGHT}
    used = {node.name for group in groups_of(body) if group.name in right for node in group.nodes}
    if not all(divided) or not called & used:
        return verdict
    names = " and ".join(match[1] for match in divided if match)
    said = (
        f"{names} {'are' if ' ' in names else 'is'} 1/N of PyTorch's: in its network the gradient of the loss"
    )
    but = f"{said} comes in without its 1/N, and the gradients of that network are right"
    found = replace(verdict, buts=[*verdict.buts, but], remarks=[], ok=not strict)
    return found if found.outcome == "right_but" else verdict
