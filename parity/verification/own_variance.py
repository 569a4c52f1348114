"""A running variance that averages the batches' own variances, PyTorch's those times N / (N - 1).

The book's does, and so does most code that is written by hand: the variance that a batch is divided by is at
hand. It is the estimate of another textbook, not an error, where it is exactly that.
"""

from __future__ import annotations

from parity.kinds import Probe
from parity.verification import as_known
from scratchcnn.typing import Array

KINDS = ("batch_norm",)
TENSOR = "running_var"
NAME = "batch-norm-running-biased-variance"  # of the catalogue
SAYS = "its running variance averages the batches' own variances, PyTorch's those times N / (N - 1)"


def gives(probe: Probe, dtype: str, value: Array) -> bool:
    """Whether the batches' own variance, in the running one, gives this running variance of the probe."""
    return as_known.gives(NAME, probe, dtype, {TENSOR: value})
