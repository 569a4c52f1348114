"""What people call the parameters of an optimizer, as plain names, and the number of its first step.

Needs NumPy alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from parity.adapters.arguments import plain

TOGETHER = (  # all arrays
    *("params", "parameters", "weights", "variables", "modelparams", "modelparameters"),
    *("trainables", "trainableparams", "trainablevariables", "trainableweights", "parms", "paramlist"),
)
ONE = ("w", "param", "parameter", "theta", "weight", "p")  # one array at a time
SLOPES = ("grads", "gradients", "dparams", "gradientsdict", "gradparams", "dweights")  # of all arrays
SLOPE = ("dw", "grad", "gradient", "g", "dtheta", "dparam", "dx", "dp", "gw", "gtheta", "dweight")  # of one
BATCH = ("batchsize", "minibatchsize", "nsamples", "numsamples", "numexamples")  # gradients are sums over it
RATES = (
    *("lr", "learningrate", "learnrate", "alpha", "eta", "stepsize", "rate", "lrate", "initlr", "initiallr"),
    *(
        "baselr",
        "initlearningrate",
        "initiallearningrate",
        "baselearningrate",
        "lr0",
        "startlr",
        "eta0",
        "alpha0",
    ),
)
EPSILON = ("eps", "epsilon")
SMALL = (*EPSILON, "damping", "jitter", "fudge", "fudgefactor")  # beside a root
DECAYS = ("weightdecay", "wd", "weightdecayrate")
COUNTS = (
    "t",
    "step",
    "timestep",
    "iteration",
    "iter",
    "counter",
    "adamcounter",
    "nstep",
    "iters",
    "epoch",
    "itr",
    "globalstep",
    "stepnum",
)  # of steps
MOMENTS = (  # 0 at first
    *("cache", "velocity", "velocities", "v", "s", "m", "r", "h", "u", "moment", "moments", "mom"),
    *("momentums", "squares", "squaredgrads", "accumulator", "firstmoment", "secondmoment", "m1", "m2"),
    *("vdw", "sdw", "mdw", "momentum1", "momentum2", "moment1", "moment2", "mprev", "vprev", "mt", "vt"),
)
OPTIONS = ("config", "optimconfig", "optimparam")  # a dict of them, which keeps the state too


def rate_of(names: Iterable[str]) -> str:
    """Which of these parameters of plain gradient descent is the learning rate; "" for none."""
    known = [name for name in names if plain(name) in RATES]
    return next(iter(known or [name for name in names if plain(name) in EPSILON]), "")


def decay_of(names: Iterable[str]) -> str:
    """Which of these parameters is the weight decay; "" for none."""
    return next((name for name in names if plain(name) in DECAYS), "")


def first_step(step: Callable[[int], Any]) -> int:
    """The number of the first step: 0 where that step divides by no 0, else 1: 1 - beta ** 0 is 0.

    `step` takes the number and gives the arrays, in any nesting, that it has made of copies.
    """
    try:
        with np.errstate(all="ignore", divide="raise", invalid="raise"):
            found = step(0)
    except Exception:
        return 1
    return 0 if all(np.isfinite(array).all() for array in _arrays(found)) else 1


def _arrays(found: Any) -> Iterable[Any]:
    if isinstance(found, Mapping):
        found = list(found.values())
    if isinstance(found, (list, tuple)):
        return [array for part in found for array in _arrays(part)]
    return [found] if isinstance(found, (np.ndarray, np.generic)) else []
