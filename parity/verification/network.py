"""Somebody's whole network against a torch module: loss, every gradient, and which layer is to blame.

The network has `params` (name -> array), `loss(x, t)` and `gradient(x, t) -> {name: array}`. Its weights, as
they are, are copied into the twin by a map of names. When it exposes `layers` (a dict or a list), every layer
is also checked by itself on the numbers that it got, and the culprit's class is checked by its kind.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable
from functools import partial
from pathlib import PurePath
from typing import Any

import numpy as np
from torch import nn

from parity.adapters.features import without
from parity.adapters.isolate import Limits, Outcome, run_here, run_isolated
from parity.adapters.load import load
from parity.checks.culprit import localize
from parity.comparison.gates import refused
from parity.comparison.records import Place, record
from parity.faults.diagnose import Diagnosis, diagnose
from parity.kinds.probes import probes
from parity.verification.names_map import read_names
from parity.verification.network_child import KIND, NetworkMisuse, work_network
from parity.verification.observe import Seen
from parity.verification.reproduction import name_of
from parity.verification.verdict import First, Verdict


def verify_network(
    factory: Any,
    *,
    twin: Any = None,
    names: Any = None,
    input_shape: Iterable[int] | None = None,
    seed: int = 0,
    limits: Limits | None = None,
    isolated: bool = True,
) -> Verdict:
    """The verdict on a network (an object, a class, or "file.py:Name").

    twin         a torch module, its class, or "file.py:Class"; its `loss(logits, t)` is used where it has
                 one, else cross entropy
    names        our parameter -> theirs: a dict, a TOML file, or nothing where it cannot be otherwise
    input_shape  one image's shape, unless the network has `input_dim`

    Raises ValueError when the two do not fit together.
    """
    if twin is None:
        raise NetworkMisuse(
            "a network needs a twin: the torch module that it is meant to be (--twin file.py:Class)"
        )
    module = _module(twin)
    work = partial(
        work_network,
        factory,
        module,
        read_names(names),
        None if input_shape is None else tuple(input_shape),
        seed,
    )
    outcome = run_isolated(work, limits) if isolated else run_here(work)
    name = factory if isinstance(factory, str) else name_of(factory)
    return _verdict(name, factory, twin, names, input_shape, seed, outcome)


def _module(twin: Any) -> nn.Module:
    built = load(twin) if isinstance(twin, str) else twin
    built = copy.deepcopy(built) if isinstance(built, nn.Module) else built()
    if not isinstance(built, nn.Module):
        raise NetworkMisuse(f"the twin must be a torch module, got {type(built).__name__}")
    if any(isinstance(m, nn.Dropout) and m.p > 0 for m in built.modules()):
        raise NetworkMisuse(
            "the twin drops at random, and both sides would draw their own masks: build both with ratio 0"
        )
    return built.double().train()


# -- in the parent --------------------------------------------------------------------------------
def _verdict(
    name: str, factory: Any, twin: Any, names: Any, shape: Any, seed: int, outcome: Outcome
) -> Verdict:
    verdict = Verdict(KIND, name, True, [], ending=outcome.ending, output=outcome.output)
    of_layer: Seen | None = None
    unchecked, both = [], {}
    for what, *rest in outcome.messages:
        if what == "misuse":
            raise rest[0](rest[1])
        if what == "record":
            verdict.records.append(rest[0])
        elif what == "both":
            both[rest[0]] = rest[1], rest[2]
        elif what == "culprit":
            verdict.culprit = rest[0]
        elif what == "unchecked":
            unchecked.append(rest[0])
        elif what == "of layer":
            of_layer = rest[0]
        elif what == "ended":
            verdict.ending = rest[0]
    if verdict.ending:
        verdict.records.append(
            record(
                Place(KIND, "float64", "cpu"), KIND, "calls", "the call", refused(np.empty(0), verdict.ending)
            )
        )
    verdict.ok = bool(verdict.records) and all(row.ok for row in verdict.records)
    verdict.not_checked = unchecked + (["whatever would have come after it ended"] if verdict.ending else [])
    if not verdict.ok:
        wrong = [row for row in verdict.records if not row.ok]
        verdict.culprit = verdict.culprit or localize(wrong)
        culprit = verdict.culprit
        blamed = [
            row for row in wrong if culprit and (row.layer, row.tensor) == (culprit.layer, culprit.tensor)
        ]
        row = (blamed or wrong)[0]
        ours, theirs = both.get(row.layer, (None, None)) if row.phase != "alone" else (None, None)
        verdict.first = First(row, ours, theirs)
        if of_layer is not None:
            verdict.diagnosis = _diagnosis(of_layer)
        verdict.reproduction = _reproduction(factory, twin, names, shape, seed)
    return verdict


def _diagnosis(seen: Seen) -> Diagnosis:
    """What is wrong with the culprit's class, by its kind."""
    cases = probes(seen.observation.kind, 0)
    cases = without(cases, seen.lacking)
    ids = {probe.id for probe in cases}
    seen.observation.records[:] = [row for row in seen.observation.records if row.case in ids]
    for values in seen.observation.values.values():
        for case in values.keys() - ids:
            del values[case]
    return diagnose(seen.observation, cases)


def _reproduction(factory: Any, twin: Any, names: Any, shape: Any, seed: int) -> str:
    given = f"twin={_said(twin)}, names=names, input_shape=shape, seed={seed}"
    return "\n".join(
        [
            "import parity",
            f"names, shape = {_said(names)}, {None if shape is None else tuple(shape)}",
            f"verdict = parity.verify({_said(factory)}, 'network', {given})",
            'print(verdict.wrong[["layer", "phase", "tensor", "max_rel", "why"]].to_string())',
        ]
    )


def _said(value: Any) -> str:
    """How to type it."""
    if value is None or isinstance(value, (str, dict)):
        return repr(value)
    return repr(str(value)) if isinstance(value, PurePath) else name_of(value)
