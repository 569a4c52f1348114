"""What the twin shows of a layer of somebody's network: whether its numbers are the right ones after all."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from parity.checks.culprit import agree
from parity.comparison.records import Record
from scratchcnn.typing import Array

if TYPE_CHECKING:
    from parity.verification.network_checks import NetworkCheck


def borne_out(check: NetworkCheck, row: Record) -> bool:
    """Whether what failed individually is the twin's number all the same.

    Then the layer is not the kind that its name suggests (a PartialConvolution that is judged as its base, an
    Affine that takes W the other way round), and it is right. True only where the twin shows it: at the layer
    itself, or at the next one that holds parameters and is reached by handing on the numbers.
    """
    order, path = list(check.layers), row.layer
    ours, exact = check.trace, check.exact
    if row.tensor.startswith("d") and row.tensor != "dx":
        held = [name for name in check.layers[path].view.holds if name in exact.grads]
        return all(agree(ours.grads.get(name), exact.grads[name]) for name in held or exact.grads)
    if row.tensor == "dx":
        if path in exact.dxs:
            return agree(ours.dxs.get(path), exact.dxs[path])
        before = list(reversed(order[: order.index(path)]))
        return _reaches(path, before, ours.dxs, ours.douts, exact.douts)
    if path in exact.outputs:
        return agree(ours.outputs.get(path), exact.outputs[path])
    if path == "loss":
        return bool((loss := row_of(check, "loss")) and loss.ok)
    after = [name for name in order[order.index(path) + 1 :] if name != "loss"]
    if any(name in exact.inputs for name in after):
        return _reaches(path, after, ours.outputs, ours.inputs, exact.inputs)
    scores = row_of(check, "scores")
    return bool(scores and scores.ok) and _chain([path, *after], ours.outputs, ours.inputs)


def _reaches(
    path: str, others: Sequence[str], gives: dict[str, Array], gets: dict[str, Array], exact: dict[str, Array]
) -> bool:
    """Whether the first of the others that the twin has gets the twin's numbers, handed on from `path`."""
    to = next((i for i, name in enumerate(others) if name in exact), None)
    if to is None or not agree(gets.get(others[to]), exact[others[to]]):
        return False
    return _chain([path, *others[: to + 1]], gives, gets)


def _chain(paths: Sequence[str], gives: dict[str, Array], gets: dict[str, Array]) -> bool:
    """Whether each gets what the one before it gives."""
    return all(handed_on(gives.get(a), gets.get(b)) for a, b in pairwise(paths))


def handed_on(handed: Array | None, given: Array | None) -> bool:
    """The same numbers, whatever their shape is."""
    if handed is None or given is None:
        return False
    return handed.size == given.size and bool(np.array_equal(handed.ravel(), given.ravel(), equal_nan=True))


def row_of(check: NetworkCheck, layer: str) -> Record | None:
    """What the scores or the loss came to."""
    return next((r for r in check.records if r.layer == layer and r.phase == "forward"), None)
