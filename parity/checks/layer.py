"""Is one layer, function or loss right by itself? Every probe of its kind, then the contracts.

The order is fixed and the probes come smallest first, so the first record that fails is the simplest
input on which the implementation is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from parity.adapters.bench import Raised
from parity.adapters.subject import Arrays, Subject, subject_here
from parity.adapters.wire import Odd
from parity.checks.contracts import CONTRACTS, check_contracts, check_optimizer_contracts
from parity.checks.long_life import FLOAT64_ALONE, LIVES, Scenario
from parity.checks.rounded_inputs import naming_rounded
from parity.comparison.gates import Comparison, logic_gate, precision_gate, refused
from parity.comparison.records import Place, Record, record
from parity.kinds import OPTIMIZER_KINDS, Kind, OptimizerKind, Probe, Tensors, kind_of
from parity.kinds.probes import probes

REFUSALS = ("raised TypeError", "raised ValueError")


def check_kind(
    kind: str,
    dtype: str = "float64",
    device: str = "cpu",
    seed: int = 0,
    factory: Callable[..., Any] | Subject | None = None,
    adapter: Any = None,
    cases: Sequence[Probe] | None = None,
    keep: dict[str, Tensors] | None = None,
    contracts: bool = True,
    lives: bool = False,
    held: Sequence[Probe] | None = None,
    lives_in: str = "float64",
) -> Iterator[Record]:
    """Yield a record for every result on every probe, then (unless asked not to) for every contract.

    `factory` is ours unless another is given, or a subject that has been opened; `adapter` is how it is
    called. `cases` are the kind's probes unless others are. What was computed is put into `keep`, by the
    probe's id. With `lives` float64 is also held to what a longer life shows (`parity.checks.long_life`);
    code that computes in float32 is held to it there (`lives_in`), but for the scenarios of float64 alone.
    Contracts are tried on probes among `held`, where they are others than `cases`.
    """
    subject = (
        factory
        if isinstance(factory, Subject)
        else subject_here(factory or kind_of(kind).ours, kind, adapter)
    )
    if dtype not in kind_of(kind).dtypes:
        return
    cases = probes(kind, seed) if cases is None else cases
    place, judged = Place("", dtype, device), partial(judge, dtype=dtype, device=device, keep=True)
    for probe in cases:
        found, judged_found = run_probe(subject, probe, judged, dtype)
        if keep is not None:
            keep[probe.id] = {name: a for name, a in found.items() if isinstance(a, np.ndarray)}
        for tensor, comparison in judged_found.items():
            yield record(place, kind, phase_of(tensor), tensor, comparison, probe.id)
    scenarios: list[tuple[Probe, Mapping[str, Scenario]]] = []
    held = cases if held is None else held
    if contracts:
        scenarios = [(probe, CONTRACTS) for probe in contract_cases(held)]
    if lives and dtype == lives_in and kind not in OPTIMIZER_KINDS:
        own = {name: one for name, one in LIVES.items() if dtype == "float64" or name not in FLOAT64_ALONE}
        scenarios += [(probe, own) for probe in sorted(contract_cases(held, len(held)), key=_numbers)[-1:]]
    for probe, held_to in scenarios:
        outcomes: list[tuple[str, str, Comparison]] = []
        try:
            if kind in OPTIMIZER_KINDS:
                outcomes.extend(check_optimizer_contracts(subject, probe.cast(dtype)))
            else:
                named = naming_rounded(judged) if dtype == "float64" else judged
                outcomes.extend(check_contracts(subject, probe.cast(dtype), named, held_to))
        except Raised as error:
            why = refused(np.empty(0), f"raised {error}")
            outcomes = [*_failed(outcomes), ("contracts", "the calls", why)]
        for contract, tensor, comparison in outcomes:
            yield record(place, kind, contract, tensor, comparison, probe.id)


def _failed(outcomes: Sequence[tuple[str, str, Comparison]]) -> list[tuple[str, str, Comparison]]:
    """What was found wrong before the code raised, which is not to be lost."""
    return [outcome for outcome in outcomes if not outcome[2].ok]


def check_sizes(
    kind: str,
    subject: Subject,
    cases: Sequence[Probe],
    keep: dict[str, Tensors] | None = None,
    dtype: str = "float64",
) -> Iterator[Record]:
    """The records of inputs of real size until one is wrong; see `parity.kinds.real_sizes`."""
    for probe in cases:
        rows = list(check_kind(kind, dtype, factory=subject, cases=[probe], keep=keep, contracts=False))
        yield from rows
        if not all(row.ok for row in rows):
            return


def run_probe(
    subject: Subject, probe: Probe, judged: Callable[..., dict[str, Comparison]], dtype: str
) -> tuple[Arrays, dict[str, Comparison]]:
    """What one probe gives, and how it compares; an exception fails every result, in its own words.

    What right code may refuse (`Kind.may_refuse`) passes when it is refused.
    """
    try:
        found = subject.results(probe.cast(dtype))
    except Raised as error:
        kind, why = kind_of(probe.kind), f"raised {error}"
        reference = kind.reference(probe)
        if probe.needs & kind.may_refuse and why.startswith(REFUSALS):
            return {}, {name: Comparison(a.shape, 0, 0, 0, 0, False, True) for name, a in reference.items()}
        return {}, {name: refused(a, why) for name, a in reference.items()}
    return found, judged(probe, found)


def contract_cases(cases: Sequence[Probe], most: int = 2) -> list[Probe]:
    """A few probes of ordinary size: more than one image, nothing optional needed and none to be refused.

    Images are ordinary for all but the fully connected layer, and ignored labels for a loss that takes them.
    """

    def optional(probe: Probe) -> frozenset[str]:
        return probe.needs if probe.kind == "affine" else probe.needs - {"images", "ignore_index"}

    cases = [probe for probe in cases if not optional(probe) & kind_of(probe.kind).may_refuse]
    whole = [p for p in cases if all(len(a) > 1 for a in _arrays(p.inputs))]
    ordinary = [p for p in whole if not optional(p)]
    if ordinary and all(map(_changes_nothing, ordinary)):  # its stride is that of the window
        ordinary = [p for p in whole if optional(p) <= {"stride"} and not _changes_nothing(p)] + ordinary
    return (ordinary or cases)[:most]


def _changes_nothing(probe: Probe) -> bool:
    """Whether it is a pooling whose windows are single pixels."""
    return probe.args.get("pool_h") == probe.args.get("pool_w") == 1


def _numbers(probe: Probe) -> int:
    """How many numbers the call gets."""
    return sum(a.size for a in _arrays(probe.inputs))


def _arrays(values: dict[str, Any]) -> list[Any]:
    return [a for a in values.values() if isinstance(a, np.ndarray)]


def phase_of(tensor: str) -> str:
    return "backward" if tensor.startswith("d") else "forward"


def judge(
    probe: Probe,
    found: Mapping[str, Any],
    dtype: str = "float64",
    device: str = "cpu",
    keep: bool = False,
    kind: Kind | OptimizerKind | None = None,
) -> dict[str, Comparison]:
    """Each result of one probe through the gate of the dtype; what the kind does not define is refused.

    With `keep` the reference stays with the probe, for the next time that it is judged. The kind is the
    probe's own unless another with the same results is given.
    """
    got = {name: np.asarray(a) if isinstance(a, np.generic) else a for name, a in found.items()}
    odd = {name: a.why for name, a in got.items() if isinstance(a, Odd)}
    kind = kind or kind_of(probe.kind)
    theirs = _reference(kind, probe, dtype, device, keep)
    exact = theirs if dtype == "float64" else _reference(kind, probe, "float64", "cpu", keep)
    floors = _kept(probe, f"floors {dtype}", lambda: kind.floors(probe, exact, dtype), keep)

    def gate(name: str) -> Comparison:
        if name in odd:
            return refused(exact[name], odd[name])
        if dtype == "float64":
            return logic_gate(got.get(name), theirs[name], kind.rtol, floors[name])
        return precision_gate(got.get(name), theirs[name], exact[name], floors[name])

    def nothing_else(name: str) -> bool:
        return name in kind.zero and name in exact and not exact[name].any()

    found_of = {name: gate(name) for name in exact}
    return {n: replace(one, proves=True) if nothing_else(n) else one for n, one in found_of.items()}


def exact_results(probe: Probe) -> Tensors:
    """Its kind's results in float64, kept with the probe."""
    return _reference(kind_of(probe.kind), probe, "float64", "cpu", True)


def _reference(kind: Kind | OptimizerKind, probe: Probe, dtype: str, device: str, keep: bool) -> Tensors:
    kept: Tensors = _kept(probe, f"{dtype} {device}", lambda: kind.reference(probe, dtype, device), keep)
    return kept


def _kept(probe: Probe, name: str, compute: Callable[[], Any], keep: bool) -> Any:
    if not keep:
        return compute()
    if name not in probe.judged:
        probe.judged[name] = compute()
    return probe.judged[name]
