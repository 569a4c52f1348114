"""Building an instance, and finding the weights that it keeps."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from parity.adapters.convention import Convention, Place
from parity.adapters.gradients import place_of
from parity.adapters.layouts import (
    STORED,
    WEIGHTS,
)
from parity.adapters.setters import setters, weights_in
from parity.adapters.setups import setups
from parity.adapters.signatures import (
    forward_calls,
    handed_to_forward,
)
from parity.adapters.trial.attempt import BOOK, Trial
from parity.adapters.trial.constructors import constructors
from parity.adapters.trial.results import results_of
from parity.adapters.trial.scale import without_scale
from parity.adapters.trial.weights import passed_over, places_of, running_places
from parity.adapters.weight_names import BY_NAME, name_score
from parity.kinds.probe import Probe

USUAL = 2  # layouts that are tried where no shape shows one


def instances(trial: Trial, probe: Probe) -> Iterator[Convention]:
    """Conventions under which it is built, with the places of its weights where it keeps any."""
    params = [name for name in trial.how.params if probe.args.get(name) is not None]
    names = trial.about["name"]
    for constructor in constructors(trial):
        base = Convention(trial.kind, names, constructor)
        passed = {name: _default(probe.args[name]) for name in params if _is_given(name, constructor, trial)}
        if constructor is None:
            yield replace(base, passed={name: _default(probe.args[name]) for name in params})
            continue
        for setup in setups(trial.about["methods"], trial.kind):
            report = trial.attempt(replace(base, passed=passed, setup=setup), probe)
            if "built" not in report:
                continue
            own = passed_over(report["built"], probe, _optional(passed, constructor, trial))
            kept = {name: layout for name, layout in passed.items() if name not in own}
            stored = places_of(report["built"], probe, [p for p in params if p not in kept])
            convention = replace(base, passed=kept, stored=stored, setup=setup, ignored=own)
            convention = replace(convention, buffers=running_places(report["built"], probe, trial))
            missing = [name for name in params if name not in kept and name not in stored]
            if not missing:
                yield convention
            else:
                yield from _handed_over(trial, probe, convention, missing)
                trial.errors.append(
                    (str(convention), f"weights: no array of the shape of {', '.join(missing)}")
                )
                if "W" in missing:
                    yield from _one_more_row(trial, report["built"], probe, convention)
                if handed_to_forward(trial.about, trial.kind, missing):
                    yield replace(convention, passed={n: _default(probe.args[n]) for n in missing})
                if missing == ["b"]:
                    yield replace(convention, limits={"no_bias": True})
                yield replace(convention, lazy=True)
                unset = [_nowhere(name) for name in trial.about.get("unset", ())]
                yield from _still_none([*report["built"], *unset], probe, convention, missing)
                yield from without_scale(convention, missing)


def _is_given(name: str, constructor: Any, trial: Trial) -> bool:
    if constructor is BOOK:
        return True
    return constructor is not None and any(name in weights_in(meaning) for _, meaning in constructor)


def _optional(passed: Iterable[str], constructor: Any, trial: Trial) -> list[str]:
    """Those weights that its constructor is given and need not be."""
    required = {p["name"] for p in trial.about["signature"] or () if p["required"]}
    free = {meaning for name, meaning in constructor if name not in required}
    return [name for name in passed if name in free]


def _handed_over(trial: Trial, probe: Probe, c: Convention, missing: Sequence[str]) -> Iterator[Convention]:
    """Those weights are handed to a method after it was built."""
    passed = {**c.passed, **{name: _default(probe.args[name]) for name in missing}}
    for calls in setters(trial.about["methods"], trial.kind, missing):
        found = replace(c, passed=passed, setup=(*c.setup, *calls))
        if "built" in trial.attempt(found, probe):
            yield found


def _default(array: Any) -> str:
    return WEIGHTS.get(np.ndim(array), "")


def _nowhere(name: str) -> dict[str, Any]:
    """The entry of an attribute that is not there yet."""
    return {"path": [[".", "object"], [".", name]], "shape": None}


def _still_none(
    entries: Sequence[dict[str, Any]], probe: Probe, c: Convention, missing: Sequence[str]
) -> Iterator[Convention]:
    """Weights that its caller puts into attributes of their names, where there is nothing yet, or for those
    of a normalization the number that all channels begin with."""
    empty: tuple[Any, ...] = (None, []) if c.kind == "batch_norm" else (None,)
    found: dict[str, list[tuple[Any, ...]]] = {}
    for name in missing:
        paths = [e["path"] for e in entries if e["shape"] in empty and name_score(e["path"], name) == BY_NAME]
        found[name] = [tuple(map(tuple, path)) for path in paths if path[0][1] == "object"]
    if all(len(paths) == 1 for paths in found.values()):
        for layouts in itertools.product(*(STORED[probe.args[n].ndim][:USUAL] for n in missing)):
            own = {n: [Place(found[n][0], layout)] for n, layout in zip(missing, layouts, strict=True)}
            yield replace(c, stored={**c.stored, **own})


def _one_more_row(
    trial: Trial, entries: Sequence[dict[str, Any]], probe: Probe, c: Convention
) -> Iterator[Convention]:
    """A bias that is the last row of W, or the first: whichever row a forward of zeros shows."""
    W = probe.args.get("W")
    if not isinstance(W, np.ndarray) or W.ndim != 2:
        return
    rows, columns = W.shape[0] + 1, W.shape[1]
    for entry in entries:
        shape = tuple(entry["shape"] or ())
        if (
            shape in ((rows, columns), (columns, rows))
            and entry["same"] < 0
            and name_score(entry["path"], "W") >= 0
        ):
            layout = "IO" if shape == (rows, columns) else "OI"
            for whole in (f"{layout}+b", f"b+{layout}"):
                found = replace(c, stored={"W": [place_of(entry, whole)]})
                if _bias_is_there(trial, found, probe):
                    yield found


def _bias_is_there(trial: Trial, c: Convention, probe: Probe) -> bool:
    """Whether zeros give the bias: the row of ones among zeros is the one that is added."""
    zeros = {name: np.zeros_like(a) for name, a in probe.inputs.items()}
    args = {"W": np.zeros_like(probe.args["W"]), "b": np.ones_like(probe.args["b"])}
    asked = replace(probe, args=args, inputs=zeros)
    for forward, pairs, _, _ in forward_calls(trial.about, trial.kind, c):
        for rows in ("NF", "F"):  # some take one row and no more
            report = trial.attempt(replace(c, forward=forward, forward_args=pairs, rows=rows), asked)
            if "forward" in report:
                return any(e["value"] == 1 for e in results_of(report) if "value" in e)
    return False
