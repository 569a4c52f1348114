"""Another published form than PyTorch's: NAdam with one momentum or the paper's m, Adadelta without a rate, a
weight decay that shrinks the weights and goes past the state (Loshchilov and Hutter, "Decoupled Weight Decay
Regularization": SGDW, AdamW).

PyTorch's momentum follows a schedule, which the paper leaves open. A form must give every result, with
PyTorch's eps or one that people write; its class is that of the catalogue, or made of the rule.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np

from parity.checks.layer import judge
from parity.faults import FAULTS
from parity.kinds import Probe, kind_of
from parity.kinds.numpy_reference import judged_by
from parity.verification.other_eps import CONSTANTS, Results
from parity.verification.other_eps import KINDS as EPS_KINDS
from scratchcnn.typing import Array

CONSTANT = "its momentum is beta1 at every step, PyTorch's follows a schedule (momentum_decay)"
UNRATED = "its learning rate changes nothing, as in the paper, which has none"
FORMS: dict[str, dict[str, str]] = {  # a class of the catalogue, or DECOUPLED -> what is said of it
    "adadelta": {"adadelta-rate-ignored": UNRATED},
    "nadam": {
        "nadam-constant-momentum": CONSTANT,
        "nadam-corrected-alike": f"{CONSTANT}; m is corrected by 1 - beta1**t",
        "nadam-averages-by-the-momentum": "m decays by the scheduled momentum, PyTorch's by beta1",
    },
}
DECOUPLED = "decoupled"
SHRINKS = "its weight decay shrinks the weights and goes past the state, as in AdamW; PyTorch's is added to g"
for _kind in ("momentum", "nesterov", "adagrad", "rmsprop", "adadelta", "adam", "adamax", "nadam"):
    FORMS.setdefault(_kind, {})[DECOUPLED] = SHRINKS
KINDS = tuple(FORMS)
INSIDE = {"nadam": "nadam-eps-inside-the-root"}  # the class that has the eps there, as a form may besides


def form_of(kind: str, results: Iterable[Results]) -> str:
    """What is to be said of the form that gives all of these results; "" where none does."""
    insides = (False, True) if kind in INSIDE else (False,)
    constants = (None, *CONSTANTS) if kind in EPS_KINDS else (None,)
    left = [(name, eps, inside) for name in FORMS[kind] for inside in insides for eps in constants]
    for probe, dtype, found in results:
        left = [one for one in left if _gives(*one, probe, dtype, found)]
        if not left:
            return ""
    name, eps, inside = left[0]
    where = " stands inside the root" if inside else ""
    number = f" is {eps:g}" if eps is not None else ""
    both = " and".join(part for part in (number, where) if part)
    return FORMS[kind][name] + (f"; and its eps{both}" if both else "")


def _gives(
    name: str, eps: float | None, inside: bool, probe: Probe, dtype: str, found: Mapping[str, Array]
) -> bool:
    kind = replace(kind_of(probe.kind), ours=_made(probe.kind, name, inside))
    own = {} if eps is None else {"eps": eps}
    given = probe.known.setdefault(f"{name} {eps} {inside}", replace(probe, args={**probe.args, **own}))
    with judged_by("numpy"), np.errstate(all="ignore"):
        judged = judge(given, dict(found), dtype, keep=True, kind=kind)
    return all(judged[one].ok for one in found)


@cache
def _made(kind: str, name: str, inside: bool) -> Any:
    """The class of that form, with the eps inside the root where it has it there besides."""
    form: Any = _decoupled(kind_of(kind).ours) if name == DECOUPLED else FAULTS[name].make
    if not inside:
        return form
    return type("Inside", (FAULTS[INSIDE[kind]].make, form), {})  # type: ignore[arg-type]


def _decoupled(rule: Any) -> Any:
    """The rule with a weight decay that takes lr * weight_decay * p off the array and leaves g alone."""

    def step(self: Any, p: Array, g: Array, *state: Array) -> None:
        p *= 1 - self.lr * self.weight_decay
        rule.step(self, p, g, *state)

    return type(rule.__name__, (rule,), {"decoupled": True, "step": step})
