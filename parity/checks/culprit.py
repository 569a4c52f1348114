"""Where a network goes wrong: the layer, the phase and the tensor, or the wiring between layers.

Each layer has two errors. The free-running one is what the whole network shows there: inherited. The one
of the layer alone, fed the reference's input and cotangent, is introduced by the layer itself. The culprit
is the first layer, in the order of the computation, whose introduced error fails.

Where every layer is right individually and the network is still wrong, the layers are not the cause:

    weights   a layer got the right input and gave a wrong output: its weights are not the reference's
    wiring    a layer's input is not its predecessor's output (or, backward, its cotangent not the next dx)
    names     the layer's gradient is right, but the network hands it out under another name
    loss      the logits are right and the loss or its gradient is not
    as called all of this is right, and what the network gives when nothing looks inside it is not
    optimizer all gradients are right and the parameters are wrong after a step
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from parity.comparison.gates import LOGIC, difference, largest
from parity.comparison.records import AS_CALLED, BY_HAND, GRADIENT, PREDICT, TEXTBOOK, Record
from scratchcnn.typing import Array

if TYPE_CHECKING:
    from parity.reference.trace import Trace

AGREE = {"float64": LOGIC, "float32": 1e-4}  # of a tensor's scale, after a few layers
HOW = {
    TEXTBOOK: "when the network runs the textbook's code",
    PREDICT: "in `predict`, which splits the batch over threads and remembers nothing",
    GRADIENT: "in `gradient`, which splits the batch over threads",
    BY_HAND: "in the book's loop, which runs the layers on the whole batch",
}


@dataclass(frozen=True)
class Culprit:
    """`conv2, backward, dx`, and in one sentence what was seen there."""

    layer: str
    phase: str
    tensor: str
    sentence: str

    def __str__(self) -> str:
        return f"{self.layer}, {self.phase}, {self.tensor}"


def localize(
    records: Sequence[Record],
    ours: Trace | None = None,
    exact: Trace | None = None,
    given: str = "with the reference's own input",
) -> Culprit | None:
    """The culprit of a network's records (one dtype), or None when nothing failed.

    With both traces, wiring is distinguished from weights. `given` says what the layers were checked on.
    """
    wrong = [row for row in records if not row.ok]
    if not wrong:
        return None
    alone = [row for row in wrong if row.phase == "alone"]
    if outs := [row for row in alone if not row.tensor.startswith("d")]:
        first = outs[0]
        return _of_layer(first, "forward", given)
    if backs := [row for row in alone if row.tensor.startswith("d")]:
        order = [row.layer for row in records if row.phase == "alone"]
        last = max(backs, key=lambda row: order.index(row.layer))  # backward runs from the end
        return _of_layer(next(row for row in backs if row.layer == last.layer), "backward", given)
    if ours is not None and exact is not None and (found := _between(ours, exact)):
        return found
    return _whole_network(records, wrong)


def agree(ours: Array | None, exact: Array) -> bool:
    """The same numbers, as far as ours can have them in its dtype."""
    if not isinstance(ours, np.ndarray) or ours.shape != exact.shape or ours.dtype.name not in AGREE:
        return False
    return bool(difference(ours, exact) <= AGREE[ours.dtype.name] * largest(exact))


def _of_layer(row: Record, phase: str, given: str) -> Culprit:
    what = row.why or f"off by {row.max_rel:.1e} of its scale, {given}"
    return Culprit(
        row.layer,
        phase,
        row.tensor,
        f"{row.layer} introduces the error in its {phase} pass: {row.tensor} {what}",
    )


def _between(ours: Trace, exact: Trace) -> Culprit | None:
    """The first place where the layers' own numbers are right and what passes between them is not."""
    order = list(exact.outputs)
    for i, path in enumerate(order):
        if path not in ours.outputs:
            return Culprit(path, "wiring", "out", f"{path} was never called in the forward pass")
        if not agree(ours.inputs.get(path), exact.inputs[path]):
            before = f"the output of {order[i - 1]}" if i else "the images"
            return Culprit(path, "wiring", "x", f"{path} does not get {before}")
        if not agree(ours.outputs.get(path), exact.outputs[path]):
            return Culprit(
                path, "weights", "out", f"{path} computes rightly from other weights than the reference's"
            )
    for path in reversed(order):
        following = order[order.index(path) + 1] if path != order[-1] else "the loss"
        if path not in ours.douts:
            return Culprit(path, "wiring", "dout", f"{path} was never called in the backward pass")
        if not agree(ours.douts.get(path), exact.douts[path]):
            if following == "the loss":
                return Culprit(
                    "loss", "backward", "dx", "the loss hands back a wrong gradient for right logits"
                )
            return Culprit(path, "wiring", "dout", f"{path} does not get the dx of {following}")
    return None


def _whole_network(records: Sequence[Record], wrong: Sequence[Record]) -> Culprit:
    """No more is said to be right than was compared."""
    first = wrong[0]
    if first.layer == "loss" and first.phase == "forward":
        seen = any(row.phase == "forward" and row.tensor == "out" for row in records)
        sentence = "the logits are right and the loss is not" if seen else "the loss is wrong"
        return Culprit("loss", "forward", "loss", sentence)
    if first.phase == "backward":
        sentence = f"the network hands out another array as {first.layer}"
        if any(row.phase == "alone" for row in records):
            sentence = f"every layer's gradients are right, but {sentence}"
        return Culprit(first.layer, "names", first.tensor, sentence)
    if first.phase in AS_CALLED:
        sentence = f"layer by layer all is right; {first.layer} {first.tensor} is wrong {HOW[first.phase]}"
        return Culprit("network", first.phase, f"{first.layer} {first.tensor}", sentence)
    if first.phase.startswith("step"):
        sentence = (
            f"gradients are right, {first.layer} is wrong after {first.phase}: the update rule or its state"
        )
        return Culprit("optimizer", first.phase, f"{first.layer} {first.tensor}", sentence)
    return Culprit(
        first.layer, first.phase, first.tensor, f"{first.layer} {first.tensor} differs in {first.phase}"
    )
