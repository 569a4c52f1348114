"""Somebody's network without a twin: are its gradients those of its own loss?

No reference is needed: the loss that it computes is differentiated by central differences at random
weights, and each of its gradients is held to that. What it computes forward is compared with nothing, which
the verdict says.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from parity.adapters.isolate import Limits
from parity.adapters.network_builds import DECAY, RATE
from parity.adapters.own_network_subject import OwnSubject, OwnWay, own_apart, own_here
from parity.adapters.sure_errors import MARKED
from parity.checks.culprit import Culprit
from parity.comparison.records import Place, Record, record
from parity.verification.always import that_raises
from parity.verification.composed_networks import with_its_layers
from parity.verification.containers import check_container
from parity.verification.own_chain import SPARE, Chain, chain_of
from parity.verification.own_relations import common_factor, is_of_rows, of_times, relation
from parity.verification.own_rows import SEVERAL, adds_up, known_loss
from parity.verification.own_runs import asked, load
from parity.verification.own_slopes import NEARLY, Slopes, asked_of, slopes_of
from parity.verification.reproduction import name_of
from parity.verification.verdict import OWN_LOSS, RIGHT, First, Verdict

KIND = "network"
CASES = 3
OUTPUTS = "outputs (no twin)"
NO_TWIN = (
    "with the PyTorch module that it is meant to be, --twin file.py:Class, its outputs are compared as well"
)
BY_CHAIN = "all its gradients follow from one gradient of its outputs by the chain rule"
OF_NODES = "the gradients that its backward leaves are those of its outputs"
NO_LOSS = "its loss, which it does not state"
NO_KNOWN_LOSS = (
    "it states no loss, has few weights, and its gradients are neither those of a squared error nor those of "
    "a cross entropy"
)
FEW_WEIGHTS = "it states no loss, and has too few weights to compare its gradients with its outputs alone"
CLIPS = "it clips its gradients, which are then those of no loss"
UNSURE = "whose slopes differ from step to step"
DRAWS = "its loss differs from call to call for the same weights and data, also with the same random numbers"


def verify_own_loss(
    factory: Any, *, seed: int = 0, limits: Limits | None = None, isolated: bool = True
) -> Verdict:
    """The verdict on a network, a class or an object or "file.py:Name", by its own loss."""
    network = own_apart(factory, limits or Limits()) if isolated else own_here(factory)
    name = factory if isinstance(factory, str) else name_of(factory)
    verdict = Verdict(KIND, name, False, [], where=network.where, judge=OWN_LOSS)
    with asked(network, verdict):
        load(network, verdict, KIND)
        if verdict.unchecked:
            pass
        elif network.ways and network.is_container:
            check_container(network, verdict, seed, _check_either)
            if not verdict.records and not verdict.unchecked:
                verdict.unchecked = _no_way(network)
        elif not network.ways:
            bug = next((text for text in network.tried if MARKED.search(text)), "")
            verdict.unchecked = "" if bug else _no_way(network)
            if bug:
                that_raises(verdict, bug)
        else:
            way = network.use(0)
            _check_either(network, way, verdict, seed)
            with_its_layers(network, way, verdict, seed)
            if way.several and verdict.outcome in RIGHT:
                verdict.buts = [*verdict.buts, f"it takes one row at a time: of several {way.several}"]
    verdict.ok = verdict.outcome in RIGHT
    if verdict.outcome == "wrong":
        verdict.reproduction = _reproduction(factory, seed)
    return verdict


def _no_way(network: OwnSubject) -> str:
    """Why, and what was tried."""
    if network.unknown:
        return f"it is built with {', '.join(network.unknown)}, whose names say nothing; {NO_TWIN}"
    if len(network.tried) == 1:
        return f"{network.tried[0]}; {NO_TWIN}"
    tried = "; ".join(network.tried[:3])
    why = "no loss and no gradients of it were found that could be compared"
    return f"{why}{f' ({tried})' if tried else ''}; {NO_TWIN}"


def _check_either(network: OwnSubject, way: OwnWay, verdict: Verdict, seed: int) -> None:
    (_check_chain if way.of_outputs else _check)(network, way, verdict, seed)


def _not_found(names: Sequence[str]) -> str:
    return f"gradients of {', '.join(names)}, which were not found"


def _check(network: OwnSubject, way: OwnWay, verdict: Verdict, seed: int) -> None:
    verdict.called = way.called
    verdict.claim = OF_NODES if way.nodes else verdict.claim
    place, rows = Place(KIND, "float64", "cpu"), list[Slopes]()
    first = next(iter(way.params))
    twice = network.losses(seed, False, [(first, 0, 0.0), (first, 0, 0.0)])
    if not np.isfinite(twice).all() or twice[0] != twice[1]:
        verdict.unchecked = DRAWS if np.isfinite(twice).all() else "its loss is not finite for random weights"
        return
    weights: dict[str, Any] = {}
    most = asked_of(network, way.params)
    for case, decays in [*((seed + i, False) for i in range(CASES)), *([(seed, True)] if way.decays else [])]:
        grads = network.gradients(case, decays)
        found = slopes_of(network, case, decays, way.params, grads, most)
        named = f"random weights {case - seed + 1}" + (f", a weight decay of {DECAY}" if decays else "")
        for one in found:
            rows.append(one)
            verdict.records.append(record(place, KIND, "backward", one.name, one.comparison, named))
        if any(not one.ok for one in found):
            weights = weights or network.values(case, decays)
        if decays and any(not one.ok for one in found) and all(one.ok for one in rows[: -len(found)]):
            verdict.remarks = [*verdict.remarks, "without a weight decay its gradients are right"]
    missing = [name for name in way.params if name not in {one.name for one in rows}]
    sure = {one.name for one in rows if not one.ok or one.sure.any()}
    unsure = [name for name in way.params if name not in {*missing, *sure}]
    verdict.not_checked = [
        OUTPUTS,
        *([_not_found(missing)] if missing else []),
        *([f"gradients of {', '.join(unsure)}, {UNSURE}"] if unsure else []),
        *way.unseen,
    ]
    if rows and not sure:
        verdict.records, verdict.unchecked = [], f"its loss has too few digits: of its gradients, {UNSURE}"
        return
    _judge(network, way, verdict, rows, weights)


def _check_chain(network: OwnSubject, way: OwnWay, verdict: Verdict, seed: int) -> None:
    """Of one that states no loss: whether all gradients follow from one gradient of its outputs."""
    verdict.called, verdict.claim = way.called, BY_CHAIN
    found, records = _chains(network, way, seed, SPARE)
    unseen: list[str] = []
    if not any(chain.comparisons for chain in found):  # fewer rows than it takes at once
        network.rows(0)
        found, records = _chains(network, way, seed, SPARE)
    elif not all(chain.enough for chain in found) and way.rows > 1:
        network.rows(1)
        found, records = _chains(network, way, seed, 1)
        unseen = [] if adds_up(network, way, seed) else [SEVERAL]
        if all(chain.enough and not chain.wrong for chain in found):
            loss = known_loss(network, way, seed)
            verdict.remarks = [
                *verdict.remarks,
                *([f"they are those of a {loss}, up to a factor"] if loss else []),
            ]
            if not loss:
                verdict.records, verdict.unchecked = [], f"{NO_KNOWN_LOSS}; {NO_TWIN}"
                return
    verdict.records += records
    away = sum(_goes_away(network, way, seed + i, chain) for i, chain in enumerate(found))
    missing = [name for name in way.params if name not in found[0].comparisons]
    verdict.not_checked = [NO_LOSS, OUTPUTS, *([_not_found(missing)] if missing else []), *unseen]
    wrong = list(dict.fromkeys(name for chain in found for name in chain.wrong))
    if wrong and way.clips:
        verdict.records, verdict.unchecked = [], f"{CLIPS}; {NO_TWIN}"
    elif not all(chain.enough for chain in found):
        verdict.records, verdict.unchecked = [], f"{FEW_WEIGHTS}; {NO_TWIN}"
    elif wrong:
        right = [name for name in found[0].comparisons if name not in wrong]
        said = f"no gradient of a loss by its outputs gives all its gradients; wrong: {', '.join(wrong)}"
        said += f"; these fit each other: {', '.join(right)}" if right else ""
        said += "".join(f"; {block.name} is {block.why}" for block in found[0].blocks if block.why)
        row = next(r for r in verdict.records if not r.ok)
        line = network.line(row.tensor)
        verdict.first = First(row)
        verdict.culprit = Culprit(KIND, "backward", row.tensor, said + (f" ({line})" if line else ""))
    elif away == CASES:
        first = verdict.records[0]
        verdict.records[0] = replace(first, ok=False, why="the step goes away from the labels")
        verdict.first = First(verdict.records[0])
        said = "its steps take the outputs away from the labels: the sign of its steps or of its error"
        verdict.culprit = Culprit(KIND, "backward", first.tensor, said)


def _chains(network: OwnSubject, way: OwnWay, seed: int, spare: int) -> tuple[list[Chain], list[Record]]:
    """What each case shows, and its records."""
    place, found, records = Place(KIND, "float64", "cpu"), list[Chain](), list[Record]()
    most = asked_of(network, way.params)
    for case in range(seed, seed + CASES):
        chain = chain_of(network, case, way.params, network.gradients(case, False), most, spare)
        found.append(chain)
        named = f"random weights {case - seed + 1}"
        for name, one in chain.comparisons.items():
            records.append(record(place, KIND, "backward", name, one, named))
    return found, records


def _goes_away(network: OwnSubject, way: OwnWay, case: int, chain: Chain) -> bool:
    """Whether its step, where it makes one, takes the outputs away from the labels."""
    labels = network.labels(case)
    if way.source != "changed" or chain.wrong or labels is None or not chain.enough:
        return False
    out = network.outputs(case, False, [(next(iter(way.params)), 0, 0.0)])[0]
    return labels.size == out.size and float(chain.d @ (out - labels.ravel())) < 0


def _judge(
    network: OwnSubject, way: OwnWay, verdict: Verdict, rows: Sequence[Slopes], weights: dict[str, Any]
) -> None:
    """What it comes to: a factor that all have in common, a small constant, or wrong gradients."""
    wrong = [one for one in rows if not one.ok]
    if not wrong:
        return
    slight = [
        one for one in wrong if way.small and one.given is not None and one.comparison.max_rel <= NEARLY
    ]
    if len(slight) == len(wrong):
        worst = max(one.comparison.max_rel for one in wrong)
        constants = ", ".join(f"{one!r}" for one in way.small[:3])
        verdict.buts = [
            f"its gradients are those of its loss only up to {worst:.0e} of their size: small constants "
            f"stand in its source ({constants})"
        ]
        return
    wrong = [one for one in wrong if all(one is not other for other in slight)]
    times = common_factor(rows)
    if way.clips:
        verdict.records, verdict.unchecked = [], f"{CLIPS}; {NO_TWIN}"
        return
    if times is not None and times > 0 and way.source == "changed" and not way.rated:
        verdict.records = [replace(row, ok=True) for row in verdict.records]
        verdict.remarks = [*verdict.remarks, f"its steps have a rate of their own, {times * RATE:.6g}"]
        return
    by_rows = way.by_functions and times is not None and is_of_rows(times, way.rows)
    if times is not None and times > 0 and not way.paired and not by_rows:
        by = of_times(times, way.rows, way.outputs)
        verdict.buts = [f"all its gradients are {by} those of the loss that it reports"]
        return
    _explain(network, way, verdict, rows, wrong, times, weights)


def _explain(
    network: OwnSubject,
    way: OwnWay,
    verdict: Verdict,
    rows: Sequence[Slopes],
    wrong: Sequence[Slopes],
    times: float | None,
    weights: dict[str, Any],
) -> None:
    """The first wrong gradient with both values, which are wrong, and what they are instead."""
    first = wrong[0]
    row = next(r for r in verdict.records if r.tensor == first.name and not r.ok)
    if first.given is not None:
        at = int(np.argmax(np.where(first.sure, np.abs(first.given - first.numeric), -1)))
        where = tuple(map(int, np.unravel_index(int(first.at[at]), first.comparison.shape)))
        shown = f"shown at {where}" if where else ""
        verdict.first = First(row, np.asarray(first.given[at]), np.asarray(first.numeric[at]), shown)
    else:
        verdict.first = First(row)
    names = list(dict.fromkeys(one.name for one in wrong))
    right = [name for name in dict.fromkeys(one.name for one in rows) if name not in names]
    said = f"the gradients are not those of its own loss; wrong: {', '.join(names)}"
    said += f"; right: {', '.join(right)}" if right else ""
    if times is not None:
        said += f"; all are {of_times(times, way.rows, way.outputs)} those of its loss"
    else:
        each = ((one, relation(one, weights.get(one.name), way.rows, way.outputs)) for one in _firsts(wrong))
        said += "".join(f"; {one.name} is {text}" for one, text in each if text)
    line = network.line(first.name)
    verdict.culprit = Culprit(KIND, "backward", first.name, said + (f" ({line})" if line else ""))


def _firsts(wrong: Sequence[Slopes]) -> list[Slopes]:
    """Of each parameter the first."""
    return list({one.name: one for one in reversed(wrong)}.values())[::-1]


def _reproduction(factory: Any, seed: int) -> str:
    target = repr(factory) if isinstance(factory, str) else name_of(factory)
    return "\n".join(
        [
            "import parity",
            f"verdict = parity.verify({target}, 'network', seed={seed})",
            'print(verdict.wrong[["case", "tensor", "max_abs", "allowed", "why"]].to_string())',
        ]
    )
