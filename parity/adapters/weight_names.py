"""What people call weights: how well the path of an array is named for one. Needs NumPy alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from parity.adapters.arguments import plain

HOLDERS = ("data", "value", "val", "array")  # of an array in a parameter that is an object
ABROAD = {  # in Spanish, Portuguese, French, German, Italian and in pinyin
    "W": ("pesos", "peso", "poids", "gewichte", "gewicht", "pesi", "filtros", "nucleos", "quanzhong"),
    "b": ("sesgo", "sesgos", "vies", "vieses", "biais", "umbral", "umbrales", "schwelle", "pianzhi"),
}
NAMES = {
    "W": ("w", "weight", "weights", "kernel", "kernels", "filter", "filters", "wt", "params", *ABROAD["W"]),
    "b": ("b", "bias", "biases", "intercept", *ABROAD["b"]),
    "gamma": ("gamma", "g", "scale", "weight", "weights", "w", "gain", "alpha", "a"),
    "beta": ("beta", "shift", "bias", "b", "offset", "biases"),
    "running_mean": ("mean", "mu", "ave", "avg"),
    "running_var": ("var", "variance", "std2", "sigma2"),
}
NOT_WEIGHTS = (
    "d",
    "grad",
    "v",
    "m",
    "s",
    "cache",
    "mom",
    "vel",
    "prev",
    "old",
    "opt",
    "delta",
    "running",
    "moving",
)
BY_NAME = 3  # the score of a name that is one of those
STATISTICS = ("mean", "var", "std", "mu", "sigma", "hat", "norm", "inv", "cent")  # in a normalization


def name_score(path: Sequence[Sequence[Any]], name: str) -> int:
    """How well a path is named for a weight; below zero where it says that it is something else."""
    words = [plain(str(step)) for how, step in path[1:] if not isinstance(step, int)]
    words = [w for w in words if w not in (*HOLDERS, "params", "parameters", "weightsdict")]
    last = words[-1] if words else ""
    if any("grad" in word for word in words):
        return -2
    if last.rstrip("0123456789") in NAMES[name] or last in NAMES[name]:
        return BY_NAME
    if any(last.startswith(alias) or last.endswith(alias) for alias in NAMES[name] if len(alias) > 2):
        return 2 if not last.startswith(NOT_WEIGHTS) or last.startswith("weight") else -1
    statistic = name in ("gamma", "beta") and any(word in last for word in STATISTICS)
    return -1 if statistic or last.startswith(NOT_WEIGHTS) else 0
