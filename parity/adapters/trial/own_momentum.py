"""The momentum of a batch normalization's running statistics, where nothing asks for it.

An attribute that is named for it is set; else it is the one number of its code that can be it, and the
statistics are judged with that one. Both are read off the code: no statistic is looked at.
"""

from __future__ import annotations

from dataclasses import replace

from parity.adapters.convention import Convention
from parity.adapters.trial.attempt import Trial
from parity.kinds.probe import Probe

TAKEN = {"momentum", "left"}
MOST_NEW = 0.2  # of a running statistic, the share that a batch has
LEAST_NEW = 0.002  # above what is an eps


def own_momentum(trial: Trial, c: Convention, probe: Probe) -> Convention:
    """The convention with what sets its momentum, or with the number that it always has."""
    arguments = [*(c.constructor or ()), *c.forward_args, *(p for _, args in c.setup for p in args)]
    options = any(meaning.startswith("{") for _, meaning in arguments)
    if c.as_in_the_book or not c.buffers or options or TAKEN & {meaning for _, meaning in arguments}:
        return c
    found = trial.attempt(replace(c, forward="", backward=""), probe).get("momentum", ())
    if found:
        return replace(c, kept={"left" if found[1] < 0.5 else "momentum": found[0]})
    own = {max(v, 1 - v) for v in trial.about["literals"] if LEAST_NEW < min(v, 1 - v) <= MOST_NEW}
    own = {round(v, 9) for v in own}
    return replace(c, written={"momentum": own.pop()}) if len(own) == 1 else c
