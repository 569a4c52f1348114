"""A stride or a pad in a dict of options that the code never reads: it takes none but the usual one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from parity.adapters.convention import Convention
from parity.adapters.trial.attempt import Trial
from parity.kinds.probe import Probe
from parity.kinds.probes import with_cotangent

ASKED: dict[str, tuple[int, Any]] = {"pad": (1, "valid"), "stride": (2, 1)}  # what shows it, and the limit


def as_options_are_read(trial: Trial, c: Convention, probe: Probe) -> Convention:
    """With those limits; nothing is run where no dict of options is handed over."""
    used = {meaning for _, meaning in (*(c.constructor or ()), *c.forward_args)}
    if trial.kind != "convolution" or c.padding or not any(meaning.startswith("{") for meaning in used):
        return c
    for name, (number, limit) in ASKED.items():
        inputs = {key: array for key, array in probe.inputs.items() if key != "dout"}
        asked = replace(probe, args={**probe.args, name: number}, inputs=inputs)
        report = trial.attempt(replace(c, backward=""), with_cotangent(asked, 0))
        if name in report.get("never_read", ()):
            c = replace(c, limits={**c.limits, name: limit})
    return c
