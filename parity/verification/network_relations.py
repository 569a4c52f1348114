"""What a wrong number of a network is instead: PyTorch's times N, for other labels, transposed, ..."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from parity.checks.culprit import agree
from parity.comparison.gates import difference, largest
from parity.faults.diagnose import SAME
from parity.verification.network_checks import NetworkCheck
from scratchcnn.typing import Array


def relation_of_the_loss(check: NetworkCheck) -> str | None:
    """What else the loss is: PyTorch's for other labels, of other scores, or times the number of images."""
    found, same = check.trace.loss, SAME[check.place.dtype]
    if not isinstance(found, np.ndarray) or found.shape or not np.isfinite(found):
        return None
    for says, value in check.twin.other_losses(check.x.astype(np.float64), check.t, float(check.exact.loss)):
        if abs(float(found) - value) <= same * abs(value):
            return says
    factor, times = common_factor(check), float(found) / float(check.exact.loss)
    if factor is not None and abs(times / factor.times - 1) <= same:
        return f"{times:.6g} times PyTorch's, and so are all gradients"
    return None


def channels_last(check: NetworkCheck) -> tuple[str, float] | None:
    """The parameter whose rows in the order (H, W, C) give the scores, and how far off they then are."""
    found, _ = check.values.get("scores", (None, None))
    if not isinstance(found, np.ndarray):
        return None
    params = {name: check.network.array(name) for name in check.twin.names}
    for name, outputs in check.twin.with_channels_last(params, check.x.astype(np.float64)):
        if found.shape == outputs.shape:
            left = difference(found, outputs) / largest(outputs)
            if left <= SAME[check.place.dtype]:
                return name, left
    return None


def relation_of_gradient(check: NetworkCheck, name: str) -> str | None:
    """What one wrong gradient is instead; None where it is right, or wrong together with all others."""
    found, exact = check.trace.grads.get(name), check.exact.grads.get(name)
    if not isinstance(found, np.ndarray) or exact is None or common_factor(check) is not None:
        return None
    if name in check.zeros:
        row = next((r for r in check.records if r.layer == name and r.phase == "backward"), None)
        return "not 0, as PyTorch's is but for rounding" if row and not row.ok else None
    if found.ndim == 2 and found.shape != exact.shape and agree(found.T, exact):
        return "PyTorch's transposed"
    if found.shape != exact.shape or agree(found, exact):
        return None
    if not found.any():
        return "zero everywhere"
    same, weights = SAME[check.place.dtype], check.network.array(name)
    if (times := _multiple(found, exact, same)) is not None:
        return f"{times:.6g} times PyTorch's"
    if isinstance(weights, np.ndarray) and (times := _multiple(found - exact, weights, same)) is not None:
        return f"PyTorch's plus {times:.6g} times {name} (weight decay?)"
    return None


def _multiple(array: Array, of: Array, same: float) -> float | None:
    """The number that the one array is times the other, where it is."""
    scale = float((of * of).sum())
    times = float((array * of).sum()) / scale if scale else 0.0
    return times if times and difference(array, times * of) <= same * largest(array) else None


@dataclass(frozen=True)
class Factor:
    """What all gradients are multiplied by; `images` if it is the number of images."""

    sentence: str
    times: float
    residual: float
    images: bool


def common_factor(check: NetworkCheck) -> Factor | None:
    """The factor that makes all gradients right, where it is the same for all."""
    same, names = SAME[check.place.dtype], [name for name in check.exact.grads if name not in check.zeros]
    factors = list(_factors(check, names))
    if not factors or len(factors) < len(names):
        return None
    ratios, residual = [ratio for ratio, _ in factors], max(left for _, left in factors)
    if not residual <= same * abs(ratios[0]) or np.ptp(ratios) > same * abs(ratios[0]):
        return None
    ratio, images = ratios[0], len(check.x)
    if abs(ratio - 1) <= same or ratio == 0:
        return None
    sentence = f"all gradients are {ratio:.6g} times PyTorch's"
    if abs(ratio / images - 1) <= same:
        return Factor(f"{sentence}, and {images} is the number of images", ratio, residual, True)
    if abs(ratio * images - 1) <= same:
        sentence = f"all gradients are PyTorch's divided by {images}, and {images} is the number of images"
    return Factor(sentence, ratio, residual, False)


def _factors(check: NetworkCheck, names: Sequence[str]) -> Iterator[tuple[float, float]]:
    """Per gradient that has one: the best factor, and what is left then, of the tensor's scale."""
    for name in names:
        exact, found = check.exact.grads[name], check.trace.grads.get(name)
        scale = float((exact * exact).sum())
        if isinstance(found, np.ndarray) and found.shape == exact.shape and scale > 0:
            ratio = float((found * exact).sum()) / scale
            yield ratio, difference(found, ratio * exact) / largest(exact)
