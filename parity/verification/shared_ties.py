"""A max pooling in which equal maxima of a window share its gradient; with PyTorch the first has all of it.

Where several numbers are the maximum it has no one derivative, and their mean is as good as any. Every result
must be that. Who gives each of them the whole gradient, or shares it otherwise, has a bug.
"""

from __future__ import annotations

from collections.abc import Iterable

from parity.verification.as_known import gives
from parity.verification.other_eps import Results

KINDS = {"max_pooling": "max-pool-ties-split"}  # and what does so in the catalogue
SAYS = (
    "where several numbers of a window are its maximum, they share its gradient evenly, and with PyTorch "
    "the first has all of it"
)


def says(results: Iterable[Results]) -> str:
    """The difference as a clause, where all of these are results of a pooling whose equal maxima share."""
    fits = all(gives(KINDS[probe.kind], probe, dtype, found) for probe, dtype, found in results)
    return SAYS if fits else ""
