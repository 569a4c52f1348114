"""What could not be called as the kind that its name says, and is held to its own forward instead.

`MeanSquaredError` of one vector, `L1` of weights, a `LogCosh` that is taken for a network: no number of it
was compared, and yet its backward may be the gradient of its own forward.
"""

from __future__ import annotations

import ast
from dataclasses import replace
from pathlib import Path
from typing import Any

from parity.adapters.definitions import parsed, with_lambdas
from parity.adapters.isolate import Limits
from parity.kinds import kind_of
from parity.kinds.followed import in_words
from parity.verification.listed_names import ACTIVATIONS
from parity.verification.own_listed import OWN_LAYER, goes_both_ways, with_partner
from parity.verification.unchecked import ENDED, compared
from parity.verification.verdict import Verdict

COMPUTES = "what its forward computes"
NO_ARRAYS = "it holds no arrays"  # how a network's verdict begins that is a loss


def held_to_its_forward(verdict: Verdict, target: str, options: dict[str, Any]) -> Verdict:
    """The verdict by its own forward, where there is one and none as that kind; else that one."""
    if not _may_be_other(verdict) or not _goes_both_ways(target):
        return verdict
    from parity.verification.own_layer import FORWARD, verify_own_layer

    limits = Limits(options.get("timeout", 10.0), options.get("memory", 1024))
    seed, isolated = options.get("seed", 0), options.get("isolated") is not False
    found = verify_own_layer(target, seed=seed, limits=limits, isolated=isolated)
    if found.outcome == "not_checked" or found.always:
        return verdict
    why = verdict.unchecked.partition(";")[0]
    unseen = [COMPUTES if text == FORWARD else text for text in found.not_checked]
    whether = f"whether it is {_with_article(in_words(verdict.kind))} ({why})"
    return replace(found, not_checked=[*unseen, whether])


def _may_be_other(verdict: Verdict) -> bool:
    """Whether not one number was compared, and the code itself could be loaded and did not hang."""
    if verdict.outcome != "not_checked" or verdict.ending or verdict.unfinished or verdict.kind == OWN_LAYER:
        return False
    if verdict.kind == "network":
        if not verdict.unchecked.startswith(NO_ARRAYS):
            return False
    elif verdict.kind not in ACTIVATIONS and kind_of(verdict.kind).role != "loss":
        return False  # a layer's shapes are much of it
    return not any(row.phase in ENDED or compared(row) for row in verdict.records)


def _goes_both_ways(target: str) -> bool:
    """Whether the target is a class that goes forward and back, or a function beside its derivative."""
    where, _, name = target.rpartition(":")
    path = Path(where.removesuffix(":"))
    if not path.is_file():
        return False
    nodes = {node.name: node for _, tree in parsed(path) for node in with_lambdas(tree.body)}
    classes = {name: node for name, node in nodes.items() if isinstance(node, ast.ClassDef)}
    if name in classes:
        return goes_both_ways(classes[name], classes)
    return "," in with_partner(target).rpartition(":")[2]


def _with_article(kind: str) -> str:
    text = kind.replace("_", " ")
    return text if text.startswith(("a ", "an ")) else f"a{'n' if text[0] in 'aeiou' else ''} {text}"
