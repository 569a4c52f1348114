"""Anybody's layer beside ours and PyTorch's, on the shapes of a network's layers of its kind.

It is verified first, apart; then it runs in this process, through the adapter by which it was called, so
that all three have the same clock. When the clock has stopped, the very object that was timed is asked once
more and its numbers are compared with PyTorch's: what is timed is what was checked.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np
import pandas as pd

from parity.adapters.book import Adapter, BookAdapter
from parity.adapters.connection import Here
from parity.adapters.subject import Subject, subject_here
from parity.checks.layer import judge
from parity.checks.layer_in_network import each_probe
from parity.kinds import Probe, kind_of
from parity.kinds.kind import without_defaults
from parity.reference.model_pair import Images, build_pair, torch_like
from parity.reference.trace import draw_masks, dropout_shapes, trace_torch
from parity.timing import clock
from parity.timing.clock import Contestant
from parity.timing.contestants import our_kind, torch_kind
from parity.timing.costs import BACKWARD, FORWARD, layer_cost
from parity.timing.layer_sizes import layer_probe
from parity.timing.measure import ProgressCallback, Setup, frame, place_of, rows_of
from parity.verification.verdict import Verdict

YOURS = "yours"


@dataclass(frozen=True)
class Yours:
    """An implementation in this process, and how it is called."""

    subject: Subject
    factory: Any
    adapter: Adapter
    kind: str
    verdict: Verdict

    def takes(self, probe: Probe) -> Probe:
        """The probe as a plain class takes it: a number for equal pairs, no defaults but stride and pad."""
        optional = kind_of(self.kind).optional
        plain = {k: v[0] if isinstance(v, tuple) and v[0] == v[-1] else v for k, v in probe.args.items()}
        probe = replace(probe, args=without_defaults(plain, optional))
        return replace(probe, args=self.subject.args_of(probe))


def load_yours(target: str, verdict: Verdict, adapter: Any = None) -> Yours:
    """Load what was verified into this process. Raises what its import raises."""
    subject = subject_here(target, verdict.kind, adapter or "auto")
    factory, found = cast(Here, subject.connection).bench.parts
    return Yours(subject, factory, found, verdict.kind, verdict)


def time_yours(
    yours: Yours,
    network: str,
    batch_size: int,
    setup: Setup,
    progress: ProgressCallback = lambda *_: None,
) -> pd.DataFrame:
    """The frame of `parity.timing.measure`, a few rows per shape: yours, ours and PyTorch's.

    The shapes are those of the network's layers of the kind; where it has none, one that `parity time`
    uses for a single layer of that kind. Raises ValueError where there is neither.
    """
    probes = list(_probes(yours.kind, network, batch_size, setup))
    if not probes:
        probes = [("", yours.kind, layer_probe(yours.kind, batch_size, setup.seed).cast(setup.dtype))]
    rows: list[dict[str, Any]] = []
    for where, label, probe in probes:
        rows += _raced(yours, where, label, probe, setup, progress)
    return frame(rows, setup)


def _probes(kind: str, name: str, batch_size: int, setup: Setup) -> Iterator[tuple[str, str, Probe]]:
    """(network, layer, probe) of each of the network's layers of that kind, every shape once."""
    network, _ = build_pair(name, np.dtype(setup.dtype), "cpu", setup.seed)
    x, t = Images(network, batch_size, setup.seed).batch()
    x = x.astype(setup.dtype)
    masks = draw_masks(dropout_shapes(network), len(x), np.random.default_rng(setup.seed))
    trace = trace_torch(torch_like(name, network, "cpu"), network, x, t, masks)
    seen = set()
    for path, probe in each_probe(network, trace, t, masks):
        shape = tuple(np.shape(a) for a in (*probe.inputs.values(), *probe.args.values()))
        if probe.kind == kind and shape not in seen:
            seen.add(shape)
            yield name, path, probe.cast(setup.dtype)


def _raced(
    yours: Yours, where: str, label: str, probe: Probe, setup: Setup, progress: ProgressCallback
) -> list[dict[str, Any]]:
    contestants = [our_kind(probe), torch_kind(probe, "cpu")]
    place, given = place_of(where, label, probe), yours.takes(probe)
    try:
        with np.errstate(all="ignore"):
            layer = yours.adapter.build(yours.factory, given)
            yours.adapter.forward(layer, given)
            if yours.adapter.backward_too:
                yours.adapter.backward(layer, given)
    except Exception as error:
        note = f"raised {type(error).__name__}: {error}"
        return [{**place, "implementation": YOURS, "phase": FORWARD, "ok": False, "note": note}]
    contestants.append(_contestant(yours, layer, given))
    text = f"{where} {label}".strip()
    with np.errstate(all="ignore"):
        samples = clock.race(
            contestants, setup.rounds, lambda i, n: progress(text, i, n), setup.pause, setup.patience
        )
        why = _wrong_now(yours, layer, given, setup.dtype)
    x, dout = probe.inputs["x"], probe.inputs.get("dout")
    ours = BookAdapter().build(kind_of(probe.kind).ours, probe)
    shape = x.shape if dout is None else dout.shape
    costs = {p: layer_cost(ours, x.shape, shape, x.dtype.itemsize, p) for p in (FORWARD, BACKWARD)}
    rows = rows_of(place, samples, costs, setup)
    for row in rows:
        row["ok"] = None
        if row["implementation"] == YOURS:
            row |= {"ok": yours.verdict.ok and not why, "note": why or row["note"]}
    return rows


def _contestant(yours: Yours, layer: Any, probe: Probe) -> Contestant:
    using = yours.adapter
    lap: list[Any] = [(FORWARD, lambda: using.forward(layer, probe))]
    if using.backward_too:
        lap.append((BACKWARD, lambda: using.backward(layer, probe)))
    return Contestant(YOURS, [lap])


def _wrong_now(yours: Yours, layer: Any, probe: Probe, dtype: str) -> str:
    """What is wrong with the numbers of the object that was timed; nothing where they are right."""
    try:
        found = yours.adapter.attempt(layer, probe)
    except Exception as error:
        return f"after the clock had stopped it raised {type(error).__name__}: {error}"
    if yours.verdict.habits:  # differs by design, so it is compared with itself before the race
        fresh = yours.adapter.attempt(yours.adapter.build(yours.factory, probe), probe)
        changed = [name for name, value in found.items() if not np.array_equal(value, fresh[name])]
        return f"after the clock had stopped, not as before: {', '.join(changed)}" if changed else ""
    arrays = {
        name: value.astype(dtype) if isinstance(value, np.ndarray) and value.dtype.kind == "f" else value
        for name, value in found.items()
    }  # a wider dtype is the verdict's affair
    judged = judge(probe, {k: v for k, v in arrays.items() if not isinstance(v, Exception)}, dtype)
    wrong = [
        name
        for name, comparison in judged.items()
        if not comparison.ok and (yours.adapter.backward_too or not name.startswith("d"))
    ]
    return f"after the clock had stopped, wrong: {', '.join(wrong)}" if wrong else ""
