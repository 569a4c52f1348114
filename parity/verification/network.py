"""Somebody's whole network against a torch module: scores, loss, every gradient, and which layer is to blame.

The network has `params` (name -> array), `loss(x, t)` and `gradient(x, t) -> {name: array}`, and may have
`predict(x)`. Its weights, as they are, are copied into the twin by a map of names. When it exposes `layers`
(a dict or a list), every layer is also checked individually on the numbers that it got, and the culprit's
class is checked by its kind.

The network runs in a process of its own and answers one request at a time (see network_subject.py in
parity/adapters); the twin, every comparison and the verdict stay here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import PurePath
from typing import Any

import numpy as np

from parity.adapters.bench import Raised
from parity.adapters.connection import Ended, Unfinished
from parity.adapters.features import without
from parity.adapters.isolate import Limits
from parity.adapters.network_subject import ForeignNetwork, network_apart, network_here
from parity.adapters.wire import Odd
from parity.comparison.gates import UNIT, held
from parity.comparison.records import Place, Record, record
from parity.faults.diagnose import Diagnosis, Observation, diagnose
from parity.kinds import KINDS
from parity.kinds.probes import probes
from parity.kinds.protocols import NetworkLike
from parity.verification.names_map import Names, read_names
from parity.verification.network_checks import KIND, NetworkCheck
from parity.verification.network_contracts import BATCH
from parity.verification.network_culprit import culprit_of, named_bug, with_relations
from parity.verification.observe import Request, Seen, observe_subject
from parity.verification.reproduction import name_of
from parity.verification.twin import NetworkMisuse, Twin
from parity.verification.verdict import First, Verdict
from scratchcnn.typing import Array

MOST_LISTED = 12


def verify_network(
    factory: NetworkLike | type[NetworkLike] | str,
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
    theirs, table = Twin(twin), read_names(names)
    network = network_apart(factory, limits or Limits()) if isolated else network_here(factory)
    name = factory if isinstance(factory, str) else name_of(factory)
    verdict = Verdict(KIND, name, True, [], where=network.where)
    check: NetworkCheck | None = None
    try:
        check = _prepared(network, theirs, table, input_shape, seed)
        verdict.records = check.records
        check.run()
        _place(check, verdict)
    except Unfinished as error:
        verdict.unfinished = str(error)
    except (Ended, Raised) as error:
        verdict.ending = str(error) if isinstance(error, Ended) else f"raised {error}"
        verdict.records.append(_ending(check, verdict.ending))
    finally:
        verdict.output = network.close()
    verdict.not_checked = _not_checked(check, verdict)
    if check is not None:
        verdict.remarks = check.remarks
        verdict.largest = f"batch {check.largest or check.x.shape}"
        _widened(check, verdict)
    verdict.ok = bool(verdict.records) and not verdict.unfinished and all(row.ok for row in verdict.records)
    if not verdict.ok and any(not row.ok for row in verdict.records):
        _explain(verdict, check)
        verdict.reproduction = _reproduction(factory, twin, names, input_shape, seed)
    return verdict


def _prepared(
    network: ForeignNetwork, twin: Twin, names: Names | None, shape: Iterable[int] | None, seed: int
) -> NetworkCheck:
    """Both with the same weights, and a batch for them."""
    network.open()
    params = _params(network)
    twin.take(params, names)
    dtype = next(iter(params.values())).dtype
    size = tuple(shape) if shape is not None else network.input_dim
    if size is None:
        raise NetworkMisuse("one image's shape is not known: give input_shape=(1, 28, 28) (--input 1,28,28)")
    rng = np.random.default_rng([seed, 7])
    x = rng.standard_normal((BATCH, *size)).astype(np.float32)
    classes = twin.look_at(x.astype(np.float64))
    t = rng.integers(0, classes, BATCH)
    if (t == t[0]).all():  # a bug that keeps to one class must not be missed
        t[0] = (t[0] + 1) % classes
    return NetworkCheck(network, twin, x.astype(dtype), t, classes)


def _params(network: ForeignNetwork) -> dict[str, Array]:
    if network.lacks:
        raise NetworkMisuse(
            f"a network has params, loss(x, t) and gradient(x, t); "
            f"{network.name} lacks {', '.join(network.lacks)}"
        )
    dtypes = {name: found for name, found in network.shapes.items() if not isinstance(found, Odd)}
    if not dtypes or len(dtypes) < len(network.shapes) or any(d[:5] != "float" for d, _ in dtypes.values()):
        raise NetworkMisuse("params must be a dict of floating-point arrays")
    if len({dtype for dtype, _ in dtypes.values()}) > 1 or next(iter(dtypes.values()))[0] not in UNIT:
        each = ", ".join(f"{name} {dtype}" for name, (dtype, _) in dtypes.items())
        raise NetworkMisuse(f"params must be all float32 or all float64, got {each}")
    return network.params()


# -- the verdict ------------------------------------------------------------------------------------
def _ending(check: NetworkCheck | None, ending: str) -> Record:
    phase, tensor = ("calls", "the call") if check is not None else ("import", "the module")
    place = check.place if check is not None else Place(KIND, "float64", "cpu")
    return record(place, KIND, phase, tensor, held((), ending))


def _widened(check: NetworkCheck, verdict: Verdict) -> None:
    """float64 out of float32 is reported beside what was found of the numbers."""
    if check.widened:
        says = f"float64 comes out of float32 ({', '.join(check.widened)})"
        if all(row.ok for row in verdict.records):
            verdict.buts = [says]
        elif culprit := verdict.culprit:
            verdict.culprit = replace(culprit, sentence=f"{culprit.sentence}; besides, {says}")


def _not_checked(check: NetworkCheck | None, verdict: Verdict) -> list[str]:
    """What a reader could believe was compared, and was not."""
    found = list(check.unchecked) if check is not None else []
    if verdict.ending:
        return [*found, "everything after it stopped"]
    if check is not None and not any(row.phase.startswith("step") for row in verdict.records):
        found.append("contracts and training steps, which come when single calls are right")
    return found


def _place(check: NetworkCheck, verdict: Verdict) -> None:
    """The culprit, and what is wrong with its class where it is a layer of a known kind."""
    if all(row.ok for row in check.records):
        return
    verdict.culprit = culprit = culprit_of(check)
    run = check.layers.get(culprit.layer) if culprit else None
    if culprit and run and run.kind in KINDS and culprit.phase in ("forward", "backward"):
        subject = check.network.layer_subject(culprit.layer)
        seen = Seen(Observation(run.kind, [], {"float64": {}, "float32": {}}))
        observe_subject(Request(None, run.kind, None, probes(run.kind, 0)), subject, seen)
        verdict.diagnosis = _diagnosis(seen)
        if not verdict.diagnosis.fault:
            verdict.diagnosis = named_bug(check)
    elif culprit and culprit.phase in ("forward", "backward", "names"):
        verdict.diagnosis = named_bug(check)
    if culprit and not verdict.diagnosis.fault:
        verdict.culprit = with_relations(culprit, check)


def _diagnosis(seen: Seen) -> Diagnosis:
    """What is wrong with a layer's class, by its kind."""
    cases = probes(seen.observation.kind, 0)
    cases = without(cases, seen.lacking)
    ids = {probe.id for probe in cases}
    seen.observation.records[:] = [row for row in seen.observation.records if row.case in ids]
    for values in seen.observation.values.values():
        for case in values.keys() - ids:
            del values[case]
    return diagnose(seen.observation, cases)


def _explain(verdict: Verdict, check: NetworkCheck | None) -> None:
    """The first wrong result with both values, and every wrong one."""
    wrong = [row for row in verdict.records if not row.ok]
    culprit = verdict.culprit
    blamed = [row for row in wrong if culprit and (row.layer, row.tensor) == (culprit.layer, culprit.tensor)]
    row = (blamed or wrong)[0]
    ours, theirs = None, None
    if check is not None and row.phase in ("forward", "backward"):
        ours, theirs = check.values.get(row.layer, (None, None))
    verdict.first = First(row, ours, theirs)
    verdict.listed = _listed(wrong)


def _listed(wrong: Sequence[Record]) -> list[str]:
    """All that is wrong, the largest first; what cannot be compared at all is the largest."""
    ordered = sorted(wrong, key=lambda row: -row.max_rel if np.isfinite(row.max_rel) else -np.inf)
    lines = []
    for row in ordered[:MOST_LISTED]:
        of = f"{row.max_rel:.1e} of its scale" if not row.why else row.why
        lines.append(f"{row.layer} {row.tensor} ({row.phase}): {of}")
    if len(ordered) > MOST_LISTED:
        lines.append(f"and {len(ordered) - MOST_LISTED} more")
    return lines if len(wrong) > 1 else []


def _reproduction(factory: Any, twin: Any, names: Any, shape: Any, seed: int) -> str:
    given = f"twin={_typed(twin)}, names=names, input_shape=shape, seed={seed}"
    return "\n".join(
        [
            "import parity",
            f"names, shape = {_typed(names)}, {None if shape is None else tuple(shape)}",
            f"verdict = parity.verify({_typed(factory)}, 'network', {given})",
            'print(verdict.wrong[["layer", "phase", "tensor", "max_rel", "why"]].to_string())',
        ]
    )


def _typed(value: Any) -> str:
    """How to type it."""
    if value is None or isinstance(value, (str, dict)):
        return repr(value)
    return repr(str(value)) if isinstance(value, PurePath) else name_of(value)
