"""Where weights and running statistics lie: by shape, and by name where several arrays share a shape."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from parity.adapters.arguments import plain
from parity.adapters.convention import Convention, Place
from parity.adapters.gradients import place_of
from parity.adapters.layouts import (
    STORED,
    WEIGHTS,
    shape_in,
)
from parity.adapters.trial.attempt import Trial
from parity.adapters.weight_names import BY_NAME, HOLDERS, NAMES, name_score
from parity.kinds.probe import Probe

RUNNING = ("run", "mov", "avg", "overall", "global", "pop", "test", "ema")


RUNNING_LETTERS = {"running_mean": "runningm", "running_var": "runningv"}


def places_of(
    entries: Sequence[dict[str, Any]], probe: Probe, params: Sequence[str]
) -> dict[str, list[Place]]:
    """Where each weight lies, by its shape, and by its name where several have that shape."""
    found: dict[str, list[Place]] = {}
    taken: set[int] = set()
    for name in params:
        weight = probe.args[name]
        letters = WEIGHTS[weight.ndim]
        fitting: list[tuple[int, int, str, int]] = []
        for layout_rank, layout in enumerate(STORED[weight.ndim]):
            shape = shape_in(weight.shape, letters, layout)
            for i, entry in enumerate(entries):
                if entry["shape"] is None or tuple(entry["shape"]) != shape or i in taken:
                    continue
                if entry["path"][0][1] not in ("object",) or entry["same"] >= 0:
                    continue
                score = name_score(entry["path"], name)
                others = max(
                    (name_score(entry["path"], o) for o in NAMES if o != name and o in params), default=-9
                )
                if score > -1 and not (others > score):
                    fitting.append((-score, len(entry["path"]) * 100 + layout_rank, layout, i))
        if fitting:
            _, _, layout, at = min(fitting)
            same = [at] + [i for i, e in enumerate(entries) if e["same"] == at]
            taken |= set(same)
            found[name] = [place_of(entries[i], layout) for i in same]
    if "b" in params and "b" not in found and "W" in found:
        found |= _bias_of_any_name(entries, probe.args["b"], taken)
    if "b" in params and "b" not in found and "W" in found and "dout" in probe.inputs:
        found |= _bias_per_pixel(entries, probe)
    return found


def passed_over(entries: Sequence[dict[str, Any]], probe: Probe, given: Sequence[str]) -> list[str]:
    """Those of the weights that it was given of which it keeps no number: it has made others of that name."""
    arrays = [e for e in entries if "square" in e and e["path"][0][1] == "object"]
    return [name for name in given if _is_passed_over(arrays, probe.args[name], name)]


def _is_passed_over(arrays: Sequence[dict[str, Any]], weight: Any, name: str) -> bool:
    sizes = {shape_in(weight.shape, WEIGHTS[weight.ndim], layout) for layout in STORED[weight.ndim]}
    alike = [e for e in arrays if tuple(e["shape"]) in sizes]
    about_it = np.array([weight.mean(), np.square(weight, dtype=np.float64).mean()])
    kept = any(np.allclose(about_it, [e["value"], e["square"]], rtol=1e-3) for e in alike)
    return not kept and any(name_score(e["path"], name) == BY_NAME for e in alike)


def _bias_per_pixel(entries: Sequence[dict[str, Any]], probe: Probe) -> dict[str, list[Place]]:
    """A bias for each number of an image's result, named for one: all of a channel are set alike."""
    shape = probe.inputs["dout"].shape[1:]
    if len(shape) != 3:
        return {}
    shapes = {shape: "OHW", (*shape[1:], shape[0]): "HWO"}
    named = [
        (place_of(e, shapes[tuple(e["shape"])]))
        for e in entries
        if e["shape"] is not None
        and tuple(e["shape"]) in shapes
        and e["same"] < 0
        and name_score(e["path"], "b") >= 2
    ]
    return {"b": named} if len(named) == 1 else {}


def _bias_of_any_name(
    entries: Sequence[dict[str, Any]], bias: Any, taken: set[int]
) -> dict[str, list[Place]]:
    """The only array of a bias's shape that is not named for something else."""
    shapes = {shape_in(bias.shape, "O", layout): layout for layout in STORED[1]}
    left = [
        (i, entry)
        for i, entry in enumerate(entries)
        if entry["shape"] is not None
        and tuple(entry["shape"]) in shapes
        and i not in taken
        and entry["same"] < 0
        and name_score(entry["path"], "b") >= 0
    ]
    return {"b": [place_of(e, shapes[tuple(e["shape"])]) for _, e in left]} if len(left) == 1 else {}


def running_places(entries: Sequence[dict[str, Any]], probe: Probe, trial: Trial) -> dict[str, list[Place]]:
    found: dict[str, list[Place]] = {}
    for name in trial.how.buffers:
        if name not in probe.args:
            continue
        for layout, entry in itertools.product(STORED[1], entries):
            shape = shape_in(probe.args[name].shape, "O", layout)
            names = [plain(str(step)) for _, step in entry["path"]]
            last = next((word for word in reversed(names) if word not in HOLDERS), "")
            running = any(word in last for word in RUNNING) and any(alias in last for alias in NAMES[name])
            running = running or last == RUNNING_LETTERS[name]
            if (
                running
                and name not in found
                and entry["shape"] is not None
                and tuple(entry["shape"]) == shape
            ):
                found[name] = [place_of(entry, layout)]
    return found


def found_late(
    entries: Sequence[dict[str, Any]], probe: Probe, c: Convention, trial: Trial
) -> Convention | None:
    """The weights of a layer that makes them when it sees its first input; it may have no bias."""
    params = [n for n in trial.how.params if probe.args.get(n) is not None and n not in c.passed]
    stored = places_of(entries, probe, params)
    missing = set(params) - stored.keys()
    if missing and not (missing == {"b"} and "W" in stored):
        return None
    c = replace(c, limits={**c.limits, "no_bias": True}) if missing else c
    return replace(c, stored=stored, buffers=c.buffers or running_places(entries, probe, trial))
