"""One input to try. Needs NumPy alone, so that a process without PyTorch can read it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Tensors = dict[str, Array]
Rng = np.random.Generator
JOINT = "+"  # in the name of a kind that is a layer and the activation built into it


@dataclass(frozen=True)
class Probe:
    """One input to try, float64 numbers that float32 holds exactly.

    args    the constructor's or function's arguments, arrays among them (W, b, stride, ...)
    inputs  what the call gets: x and dout, and t, mask or grads where the kind has them
    needs   features that an implementation may lack: "pad", "pairs", "dilation", "groups", ...
    """

    kind: str
    id: str
    args: dict[str, Any] = field(default_factory=dict)
    inputs: dict[str, Any] = field(default_factory=dict)
    needs: frozenset[str] = frozenset()

    @cached_property
    def known(self) -> dict[str, Any]:
        """What has been computed for this probe already, of the code under test too."""
        return {}

    @cached_property
    def judged(self) -> dict[Any, Any]:
        """What has been computed from its numbers alone, whatever code is asked; its copies share it."""
        return {}

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of its floating-point inputs; float64 where there are none."""
        floating = [a for a in self.inputs.values() if isinstance(a, np.ndarray) and a.dtype.kind == "f"]
        return floating[0].dtype if floating else np.dtype(np.float64)

    def cast(self, dtype: Any) -> Probe:
        """The same numbers in another floating-point dtype."""

        def convert(a: Array) -> Array:
            return a.astype(dtype) if a.dtype.kind == "f" else a.copy()

        return Probe(self.kind, self.id, _each(self.args, convert), _each(self.inputs, convert), self.needs)

    def copy(self) -> Probe:
        """The same with arrays of its own; what has been computed from them is not computed again."""
        args, inputs = _each(self.args, np.copy), _each(self.inputs, np.copy)
        other = Probe(self.kind, self.id, args, inputs, self.needs)
        vars(other)["judged"] = self.judged
        return other


def _each(value: Any, change: Callable[[Array], Array]) -> Any:
    """With every array in dicts and lists changed."""
    if isinstance(value, dict):
        return {k: _each(v, change) for k, v in value.items()}
    if isinstance(value, list):
        return [_each(v, change) for v in value]
    return change(value) if isinstance(value, np.ndarray) else value


def normal(rng: Rng, *shape: int, scale: float = 1.0) -> Array:
    """Normal numbers, `scale` times."""
    return scale * rng.standard_normal(shape)


def integers(rng: Rng, low: int, high: int, *shape: int) -> Array:
    """Whole numbers from `low` to `high - 1`, as float64: they tie, and products of them are exact."""
    return rng.integers(low, high, shape).astype(np.float64)


def quarters(rng: Rng, *shape: int) -> Array:
    """Normal numbers rounded to quarters: float64 holds their products and sums exactly."""
    return np.round(4 * rng.standard_normal(shape, dtype=np.float32)).astype(np.float64) / 4


def needs(**present: bool) -> frozenset[str]:
    """The features of a probe, by name, that are present."""
    return frozenset(name for name, there in present.items() if there)


@lru_cache(maxsize=64)
def function(text: str) -> Callable[..., Any]:
    """The function that a probe gives as a text, `lambda x: (x**2).sum()`. Only for texts of ours."""
    found: Callable[..., Any] = eval(text, {})
    return found
