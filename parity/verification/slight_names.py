"""The names of what is not right although the numbers are: float64 out of float32, a write into dout, an
overflow, a small constant inside a logarithm, another eps, the batches' own variance in the running one, the
other slope at a kink, float32 whatever comes in, a second backward that raises or differs, new arrays from
an optimizer, a velocity that averages, a weight decay that leaves biases out, a kernel that is turned,
a gradient that keeps an axis of its sum,
an input that is cut off, a dx of images that comes back flat, constants that are rounded."""

from __future__ import annotations

from parity.faults.diagnose_dtypes import NAME as WIDENED_NAME
from parity.kinds import kind_of
from parity.kinds.followed import parts_of
from parity.kinds.kinks import OF_KIND
from parity.verification import (
    averaged_velocity,
    beside_sum,
    beside_sum_of_loss,
    clipped_input,
    clipped_labels,
    flat_dx,
    inside_binary_log,
    inside_log,
    kept_axis,
    other_eps,
    own_variance,
    published_forms,
    rounded_constants,
    shared_ties,
    turned_kernel,
)

UNCHANGED, AGAIN, IN_PLACE = "arguments unchanged", "backward twice", "updated in place"  # contracts
OVERFLOW = "overflow-at-large-inputs"
INSIDE_LOG = "small-constant-inside-the-logarithm"
OTHER_EPS = "another-eps"
OWN_VARIANCE = own_variance.NAME
HIDING = (OVERFLOW, INSIDE_LOG, OTHER_EPS)  # what it would have been is not known: it speaks for no bug
WRITES = {"dout": "writes-into-dout", "x": "writes-into-x", "t": "writes-into-t"}
WRITES_GRADIENTS = "writes-into-grads"
RAISES_AGAIN = "second-backward-raises"
SPOILS = "second-backward-differs"
NEW_ARRAYS = "new-arrays-in-params"
AT_KINK = "other-slope-at-the-kink"
SINGLE = "float32-from-float64"
AVERAGES = "velocity-averages"
PUBLISHED = "published-form"
UNDECAYED = "decay-leaves-biases-out"
REUSES = "reuses-its-results"
TURNED = "true-convolution"
KEEPS_AXIS = kept_axis.NAME
CLIPS = clipped_input.NAME
FLAT = flat_dx.NAME
ROUNDS = rounded_constants.NAME
NAMES = {  # as `--allow` takes them -> what a diagnosis calls each
    WIDENED_NAME: "float64 from float32",
    **{name: f"a write into {what}" for what, name in WRITES.items()},
    WRITES_GRADIENTS: "a write into the gradients",
    REUSES: "results that are written over by its own next call",
    OVERFLOW: "an overflow at large inputs",
    INSIDE_LOG: "a small constant inside the logarithm",
    OTHER_EPS: "another eps",
    OWN_VARIANCE: "the biased variance in the running one",
    RAISES_AGAIN: "a second backward that raises",
    SPOILS: "a second backward that differs",
    NEW_ARRAYS: "new arrays in params",
    AT_KINK: "the other slope at the kink",
    SINGLE: "float32 from float64",
    AVERAGES: "a velocity that averages the gradients",
    PUBLISHED: "another published form",
    UNDECAYED: "a weight decay that leaves biases out",
    TURNED: "a kernel that is turned",
    KEEPS_AXIS: "a gradient that keeps an axis",
    CLIPS: "an input that is cut off",
    FLAT: "a dx of images that comes back flat",
    ROUNDS: "constants that are rounded",
}
LOSSES = ("softmax_with_loss", "weighted_cross_entropy")
SATURATING = (
    "sigmoid",
    "tanh",
    "silu",
    "elu",
    "selu",
    "softplus",
    "softmax",
    *LOSSES,
)  # kinds with an exponential


def names_of(kind: str) -> dict[str, str]:
    """Those of NAMES that an implementation of the kind can have."""
    known = kind_of(kind)
    there = dict.fromkeys((WIDENED_NAME, SINGLE), "float32" in known.dtypes)
    there[OVERFLOW] = (parts_of(kind)[1] or kind) in SATURATING
    there[SINGLE] &= known.role != "optimizer"
    there[INSIDE_LOG] = kind in (*inside_log.KINDS, inside_binary_log.KIND)
    there[OTHER_EPS] = kind in (*other_eps.KINDS, *beside_sum.KINDS, *beside_sum_of_loss.KINDS)
    there[AVERAGES] = kind in averaged_velocity.KINDS
    there[PUBLISHED] = kind in published_forms.KINDS
    there[OWN_VARIANCE] = kind in own_variance.KINDS
    there[AT_KINK] = kind in (*OF_KIND, *shared_ties.KINDS)
    there |= dict.fromkeys(WRITES.values(), known.role in ("layer", "loss"))
    there |= {WRITES["t"]: known.role == "loss", WRITES["dout"]: known.role == "layer"}
    there[RAISES_AGAIN] = known.role in ("layer", "loss")
    there[SPOILS] = known.role == "loss"
    there |= dict.fromkeys((WRITES_GRADIENTS, NEW_ARRAYS, UNDECAYED), known.role == "optimizer")
    there[TURNED] = kind in turned_kernel.KINDS
    there[CLIPS] = kind in (*clipped_input.KINDS, clipped_labels.KIND)
    there[KEEPS_AXIS] = parts_of(kind)[0] in kept_axis.KINDS
    there[ROUNDS] = kind in rounded_constants.KINDS
    there[FLAT] = parts_of(kind)[0] in flat_dx.KINDS
    there[REUSES] = known.role in ("layer", "loss")
    return {name: says for name, says in NAMES.items() if there[name]}


def besides_names(text: str) -> list[str]:
    """The names of what a diagnosis says besides."""
    return [name for name, says in NAMES.items() if says in text]
