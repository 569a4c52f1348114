"""What p is of a dropout: the share that is dropped, as in PyTorch, or that is kept, as in CS231n."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from parity.adapters.arguments import plain
from parity.adapters.convention import Convention
from parity.adapters.trial.attempt import Trial
from parity.adapters.trial.results import out_at
from parity.kinds.probe import Probe

EITHER = ("p", "prob", "probability", "threshold", "pdropout")  # names that say neither
OTHER = {
    "ratio": "keep",
    "keep": "ratio",
    "{mode:mode;p:keep}": "{mode:mode;p:ratio}",
    "{mode:mode;p:ratio}": "{mode:mode;p:keep}",
}
SHAPE = (60, 80)  # the share of zeros is then known to 0.04


def as_it_drops(trial: Trial, c: Convention, probe: Probe) -> Convention:
    """The convention with the other meaning of p, where fewer numbers are dropped when more are to be.

    Nothing but the share of zeros is looked at, never the scale, and not whether it is the share that was
    asked for: what is drawn with another chance, or is scaled for the other meaning, stays wrong.
    """
    other = replace(c, constructor=_turned(c.constructor), forward_args=_turned(c.forward_args) or ())
    if other == c:
        return c
    few, many = (_dropped(trial, c, probe, ratio) for ratio in (0.25, 0.75))
    return other if many < few - 0.05 else c


def _dropped(trial: Trial, c: Convention, probe: Probe, ratio: float) -> float:
    """The share of zeros that come out of ones; NaN where nothing comes."""
    ones = {"x": np.ones(SHAPE), "dout": np.ones(SHAPE)}
    asked = replace(probe, args={**probe.args, "dropout_ratio": ratio}, inputs=ones)
    return out_at(trial, c, asked, "zeros")


def _turned(pairs: Sequence[Sequence[str]] | None) -> Any:
    """The arguments with the other meaning of what is called p."""
    return pairs and tuple(
        (name, OTHER.get(meaning, meaning) if plain(name) in EITHER or meaning[0] == "{" else meaning)
        for name, meaning in pairs
    )
