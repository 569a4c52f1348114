"""The kill matrix: does the checker notice every known bug, and does it leave correct code alone?

A fault is killed when the ordinary check of its kind (the same for every implementation; it knows nothing
of the catalogue) has a record that fails. The first such record says which check killed it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from functools import cache, partial
from typing import Any

import pandas as pd

from parity.adapters.process_pool import Spread
from parity.checks.layer import check_kind
from parity.comparison.records import Record, frame
from parity.faults import FAULTS, Fault
from parity.faults.common_practices import PRACTICES, what_practices_say
from parity.faults.diagnose import PLAIN, Observation, diagnose, lasting_probes, observe
from parity.faults.inject import Injection
from parity.faults.kill_summary import by_kind, failures, figures, totals
from parity.kinds import ALL_KINDS
from parity.kinds.probes import probes
from parity.kinds.random_geometry import WINDOWS, draw
from parity.kinds.real_sizes import real_sizes
from scratchcnn.lookup import nearest

__all__ = ["by_kind", "failures", "false_alarms", "figures", "injection_frame", "kill_matrix", "totals"]

Progress = Callable[[str], None]
CHUNK = 8  # faults, or seeds, that a process takes at a time


def known_kinds(names: Collection[str]) -> tuple[str, ...]:
    """The kinds of these names, dashes or underscores. Raises ValueError for one without faults."""
    kinds = tuple(name.replace("-", "_").lower() for name in names)
    there = {fault.kind for fault in FAULTS.values()}
    if unknown := [kind for kind in kinds if kind not in there]:
        near = nearest(unknown[0], there)
        raise ValueError(
            f"no faults of {', '.join(unknown)}; there are those of {', '.join(sorted(there))}{near}"
        )
    return kinds


def quiet(_: str) -> None:
    """No progress."""


def check_name(row: Record) -> str:
    """What a record's check is called in the matrix: a contract, or precision and direction."""
    if row.phase not in PLAIN:
        return row.phase
    if row.why.startswith("raised"):
        return "crash"
    return f"{row.dtype} {row.phase}"


def kill_matrix(
    progress: Progress = quiet, seed: int = 0, kinds: Collection[str] = (), spread: Spread = map
) -> pd.DataFrame:
    """A row a fault: what killed it first, on which input, how it was diagnosed, and what practices say.

    Of these kinds only, where some are named; spread over processes by `process_pool.processes`.

    killed         whether a record failed; killed_by, case, tensor and max_rel are of the first that did
    checks_failed  how many records failed, of `checks`
    diagnosis      the fault that explains all that was seen, empty for "unknown"
    named          it is this one; misnamed: it is another
    <practice>     whether that practice would have noticed, empty where it has nothing to look at
    """
    names = [fault.name for fault in FAULTS.values() if not kinds or fault.kind in kinds]
    chunks = [names[i : i + CHUNK] for i in range(0, len(names), CHUNK)]
    rows: list[dict[str, Any]] = []
    for found in spread(partial(_rows, seed), chunks):
        rows += found
        progress(f"kill matrix: {len(rows)} of {len(names)} faults")
    table = pd.DataFrame(rows)
    for column in ("kind", "killed_by", "tensor"):
        table[column] = table[column].astype("category")
    for practice in PRACTICES:
        table[practice] = table[practice].astype("boolean")
    return table


def _rows(seed: int, names: list[str]) -> list[dict[str, Any]]:
    return [_row(FAULTS[name], seed) for name in names]


def _row(fault: Fault, seed: int) -> dict[str, Any]:
    cases = lasting_probes(fault.kind, seed)
    seen: Observation = observe(fault.kind, fault.make, cases=cases, seed=seed)
    wrong = [row for row in seen.records if not row.ok]
    first = wrong[0] if wrong else None
    found = diagnose(seen, cases, seed)
    return {
        "fault": fault.name,
        "kind": fault.kind,
        "story": fault.story,
        "equivalent": fault.equivalent,
        "killed": bool(wrong),
        "killed_by": check_name(first) if first else "",
        "case": first.case if first else "",
        "tensor": first.tensor if first else "",
        "max_rel": first.max_rel if first else 0.0,
        "checks_failed": len(wrong),
        "checks": len(seen.records),
        "diagnosis": found.fault,
        "named": found.says == fault.says if found.fault else False,
        "misnamed": bool(found.fault) and found.says != fault.says,
        **what_practices_say(fault.kind, fault.make),
    }


def injection_frame(injections: list[Injection]) -> pd.DataFrame:
    """A row an injected fault.

    network, layer  where it was put; no layer for a fault of a network as a whole
    mode            whether the network was training or inferring
    fault, family   what was put there, and its kind ("weights", "wiring" or "fast" of a network as a whole)
    caught, right   whether a record failed, and whether the culprit is where it was put
    culprit         what the checker named
    """
    rows = [
        (
            i.network,
            i.mode,
            i.layer,
            i.fault,
            i.family,
            i.caught,
            "" if i.culprit is None else str(i.culprit),
            i.right,
        )
        for i in injections
    ]
    columns = ["network", "mode", "layer", "fault", "family", "caught", "culprit", "right"]
    table = pd.DataFrame(rows, columns=columns)
    return table.astype(
        {"network": "category", "mode": "category", "family": "category", "caught": bool, "right": bool}
    )


# -- false alarms ---------------------------------------------------------------------------------
def false_alarms(
    seeds: int, progress: Progress = quiet, kinds: Collection[str] = (), spread: Spread = map
) -> tuple[pd.DataFrame, int]:
    """Every kind of ours on `seeds` seeds: the records that accuse it, and how many records there were.

    A seed takes one of a kind's fixed probes in turn, with fresh numbers, one random geometry where the
    kind has windows, in both precisions, and every eighth seed the contracts and long lives. One kind in turn
    is run at all its real sizes.
    """
    chunks = [range(start, min(start + CHUNK, seeds)) for start in range(0, seeds, CHUNK)]
    accused: list[Record] = []
    total = 0
    for chunk, (records, count) in zip(
        chunks, spread(partial(_accusations, tuple(kinds)), chunks), strict=True
    ):
        accused += records
        total += count
        progress(f"false alarms: {total:,} comparisons on {chunk.stop:,} of {seeds:,} seeds")
    return frame(accused), total


def _accusations(kinds: tuple[str, ...], seeds: range) -> tuple[list[Record], int]:
    accused, total = [], 0
    for seed in seeds:
        for row in correct_records(seed, kinds):
            total += 1
            if not row.ok:
                accused.append(row)
    return accused, total


def correct_records(seed: int, kinds: Collection[str] = ()) -> Iterator[Record]:
    """What one seed compares of our own, correct implementations."""
    kinds = tuple(kinds or ALL_KINDS)
    large = kinds[seed % len(kinds)]
    yield from check_kind(large, cases=real_sizes(large, seed), contracts=False)
    for kind in kinds:
        turn = {seed % _count(kind)}
        cases = probes(kind, seed, turn.__contains__)
        cases += [draw(kind, seed)] if kind in WINDOWS else []
        contracts = (seed + seed // 8) % 8 == 0
        held = probes(kind, seed) if contracts else []
        for dtype in ("float64", "float32"):
            yield from check_kind(
                kind, dtype, "cpu", seed, cases=cases, contracts=contracts, lives=contracts, held=held
            )


@cache
def _count(kind: str) -> int:
    return len(probes(kind))
