"""An activation that is built into a dense layer or a convolution, where its outputs show one.

The output is then that of PyTorch's layer followed by the activation, on every input. All of it is compared
with both together: see `parity.kinds.followed`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from parity.adapters.arguments import plain
from parity.adapters.convention import Convention
from parity.adapters.recipe import recipe
from parity.adapters.signatures import T
from parity.comparison.gates import logic_gate
from parity.comparison.records import Record
from parity.faults.diagnose import Observation
from parity.kinds import Probe, kind_of
from parity.kinds.followed import ACTIVATIONS, LAYERS, joined, parts_of
from scratchcnn.typing import Array

BEFORE = ("dz", "delta", "dscore", "dlogit", "dnet", "gradz")  # how a gradient before it is called


def with_built_in(seen: Observation, cases: Sequence[Probe]) -> str:
    """The kind that is the layer and the activation that explains every output; "" where none does."""
    if seen.kind not in LAYERS:
        return ""
    values = seen.values.get("float64", {})
    found = [(values[p.id]["out"], p) for p in cases if "out" in values.get(p.id, ())]
    if len(found) < 2:
        return ""
    pairs = [(out, kind_of(p.kind).reference(p)["out"]) for out, p in found]
    if all(logic_gate(out, right).ok for out, right in pairs):
        return ""
    for name in ACTIVATIONS:
        if all(out.shape == y.shape and logic_gate(out, _of(name, y)).ok for out, y in pairs):
            return joined(seen.kind, name)
    return ""


def _of(activation: str, y: Array) -> Array:
    kind = kind_of(activation)
    with np.errstate(over="ignore"):
        return kind.reference(Probe(activation, "", {}, {"x": y, "dout": np.zeros_like(y)}))["out"]


def takes_labels(c: Convention | None) -> bool:
    """Whether backward asks for labels, by the name of what it takes: it starts at the loss after it."""
    return any(name in T for name in _handed_back(c))


def goes_on_to_a_loss(c: Convention | None, rows: Sequence[Record]) -> bool:
    """Whether forward is right and backward asks for labels: its gradients are those of a loss after it.

    With an activation, which overflows where scores are large, forward is then looked at by itself.
    """
    outs = [row for row in rows if row.phase == "forward" and row.dtype == "float64"]
    layer, activation = parts_of(c.kind) if c is not None and c.dx is not None else ("", "")
    labels = layer in LAYERS and any(name in T - {"y"} for name in _handed_back(c))
    return labels and bool(outs) and (bool(activation) or all(row.ok for row in outs))


def starts_before(c: Convention | None, rows: Sequence[Record], both: str) -> bool:
    """Whether backward takes the gradient before the activation, and gives all others for it.

    `rows` are the results as those of the layer alone, `both` the kind with the activation.
    """
    gradients = gradients_of(rows)
    return may_start_before(c, both) and bool(gradients) and all(row.ok for row in gradients)


def may_start_before(c: Convention | None, both: str) -> bool:
    """Whether the name of its gradient says that; or its code sets a softmax apart, whose cross entropy is
    then in that gradient."""
    apart = c is not None and bool(c.backward) and c.softmax_apart and parts_of(both)[1] == "softmax"
    return apart or any(name.startswith(BEFORE) for name in _handed_back(c))


def gradients_of(rows: Sequence[Record]) -> list[Record]:
    """Those of them that are gradients."""
    return [row for row in rows if row.phase == "backward"]


def without_gradients(c: Convention) -> Convention:
    """That convention without its backward."""
    return replace(
        c, backward="", dx=None, grads={}, unseen=["dx", *(f"d{n}" for n in recipe(c.kind).params)]
    )


def _handed_back(c: Convention | None) -> list[str]:
    """The names under which backward takes its gradient."""
    return [plain(name.lstrip("*")) for name, meaning in (c.backward_args if c else ()) if meaning == "dout"]
