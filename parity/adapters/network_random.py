"""Calls of a network that draw the same random numbers each time, by copies of it. Needs NumPy alone."""

from __future__ import annotations

import copy
import random
from typing import Any

import numpy as np


def seed(number: int) -> None:
    np.random.seed(number)  # noqa: NPY002  (what the code under test draws from)
    random.seed(number)


def fresh(network: Any) -> Any:
    seed(0)
    return copy.deepcopy(network)


def generators(network: Any) -> list[Any]:
    held = [network, *getattr(network, "__dict__", {}).values()]
    for part in list(held[1:]):
        held += (
            list(part.values())
            if isinstance(part, dict)
            else list(part)
            if isinstance(part, (list, tuple))
            else []
        )
    held += [v for part in list(held) for v in getattr(part, "__dict__", {}).values()]
    found = [one for one in held if isinstance(one, (np.random.Generator, np.random.RandomState))]
    return list({id(one): one for one in found}.values())


def random_states(network: Any) -> list[Any]:
    return [
        one.bit_generator.state if isinstance(one, np.random.Generator) else one.get_state()
        for one in generators(network)
    ]


def restore(network: Any, states: list[Any]) -> None:
    for one, state in zip(generators(network), states, strict=False):
        if isinstance(one, np.random.Generator):
            one.bit_generator.state = state
        else:
            one.set_state(state)
