"""A convolution of plain images that turns its kernel: the convolution of signal processing.

PyTorch's, as that of every network, is the cross-correlation. What takes one kernel, one channel and no bias,
and has no gradients, is no layer: if it turns the kernel by 180 degrees in every result, it is right by its
own name. A layer is held to PyTorch's: weights that are loaded would be turned.
"""

from __future__ import annotations

from collections.abc import Iterable

from parity.kinds import Probe
from parity.verification.as_known import gives
from parity.verification.other_eps import Results

KINDS = {"convolution": "conv-flipped-kernel"}  # and what does so in the catalogue
SAYS = (
    "it turns the kernel by 180 degrees, as a convolution by its definition does; PyTorch's, as every "
    "network's, is the cross-correlation, which does not"
)


def is_of_plain_images(probe: Probe, tensor: str) -> bool:
    """Whether it is the output of one channel and one kernel without a bias."""
    return tensor == "out" and probe.args["W"].shape[:2] == (1, 1) and probe.args.get("b") is None


def says(results: Iterable[Results]) -> str:
    """The difference as a clause, where all of these are results of a convolution that turns its kernel."""
    fits = all(gives(KINDS[probe.kind], probe, dtype, found) for probe, dtype, found in results)
    return SAYS if fits else ""
