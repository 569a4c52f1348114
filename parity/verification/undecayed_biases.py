"""An optimizer whose weight decay leaves biases out, as many papers recommend; PyTorch's is for every array.

Each result of a bias is then held to PyTorch's without a decay, every other one to PyTorch's with it. That
must explain all that is wrong, beside what is right in its numbers for another reason.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from parity.checks.layer import judge
from parity.comparison.records import Place, Record, record
from parity.faults.diagnose import PLAIN, Observation
from parity.kinds import OPTIMIZER_KINDS, Probe, kind_of
from parity.verification.slight_names import UNDECAYED
from parity.verification.slight_readings import Slight, exact_of

SAYS = "its weight decay leaves biases out, PyTorch's is applied to every array"
DECAY = "weight_decay"
Ones = Callable[[Observation, Mapping[str, Probe]], list[Slight]]


@dataclass(frozen=True)
class Undecayed:
    """An observation whose results of biases are held to inputs without a decay, and those inputs by id;
    `old` has the record of each that was changed, by the id of the new one."""

    seen: Observation
    by_id: Mapping[str, Probe]
    old: Mapping[int, Record]


def with_undecayed_biases(
    seen: Observation, by_id: Mapping[str, Probe], done: set[int], ones_of: Ones
) -> list[Slight]:
    """All that differs, where biases without a decay explain what is left; else nothing.

    `done` are the records that are explained already, `ones_of` gives the others of an observation.
    """
    if seen.kind not in OPTIMIZER_KINDS or not _is_open(seen, by_id, done):
        return []
    other = _without_decay(seen, by_id)
    found = ones_of(other.seen, other.by_id)
    known = {id(one.row) for one in found}
    if not all(row.ok or id(row) in known for row in other.seen.records if row.phase in PLAIN):
        return []
    ones = [one if id(one.row) not in other.old else _of_before(one, other, by_id) for one in found]
    return ones + [
        Slight(row, UNDECAYED, exact_of(by_id[row.case], row), SAYS)
        for row in other.old.values()
        if not row.ok
    ]


def _is_open(seen: Observation, by_id: Mapping[str, Probe], done: set[int]) -> bool:
    """Whether a bias is wrong where there is a decay, and nothing has explained it."""
    return any(_is_decayed(row, by_id) and not row.ok and id(row) not in done for row in seen.records)


def _is_decayed(row: Record, by_id: Mapping[str, Probe]) -> bool:
    """Whether it is a single call's result of a bias under a decay."""
    probe = by_id.get(row.case)
    if probe is None or row.phase not in PLAIN:
        return False
    array = probe.inputs["params"].get(row.tensor.split(" ")[0])
    decay = probe.args.get(DECAY, kind_of(probe.kind).optional[DECAY])
    return bool(decay) and array is not None and array.ndim == 1


def _without_decay(seen: Observation, by_id: Mapping[str, Probe]) -> Undecayed:
    records, old, probes = [], {}, dict(by_id)
    values = {dtype: dict(found) for dtype, found in seen.values.items()}
    for row in seen.records:
        value = values.get(row.dtype, {}).get(row.case, {}).get(row.tensor)
        if value is None or not _is_decayed(row, by_id):
            records.append(row)
            continue
        probe = _undecayed(by_id[row.case])
        probes[probe.id] = probe
        compared = judge(probe, {row.tensor: value}, row.dtype, keep=True)[row.tensor]
        place = Place(row.network, row.dtype, row.device)
        records.append(record(place, row.layer, row.phase, row.tensor, compared, probe.id))
        old[id(records[-1])] = row
        values[row.dtype][row.case] = {
            n: a for n, a in values[row.dtype][row.case].items() if n != row.tensor
        }
        values[row.dtype][probe.id] = {**values[row.dtype].get(probe.id, {}), row.tensor: value}
    return Undecayed(replace(seen, records=records, values=values), probes, old)


def _undecayed(probe: Probe) -> Probe:
    """The same input without a decay; it is made once."""
    name, args = f"{probe.id}, none of biases", {**probe.args, DECAY: 0.0}
    found: Probe = probe.known.setdefault("undecayed", replace(probe, id=name, args=args))
    return found


def _of_before(one: Slight, other: Undecayed, by_id: Mapping[str, Probe]) -> Slight:
    """The same about the record that was changed."""
    row = other.old[id(one.row)]
    return replace(one, row=row, value=None if one.value is None else exact_of(by_id[row.case], row))
