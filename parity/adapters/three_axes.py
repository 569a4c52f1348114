"""Whether code is written for inputs of three axes (N, T, D), by its own words. Needs NumPy alone."""

from __future__ import annotations

import re
from typing import Any

from parity.adapters.sources import source_of

BATCH = r"(?:n|b|bs|bsz|batch|batch_?size|n_?batch|num_?batches|\.\.\.|\*)"
BOTH = r"(?:ax[ei]s|rows|dims?) *= *[(\[] *0 *, *1 *[)\]]"  # what is summed over both
SHOWN = (
    rf"[(\[] *{BATCH} *, *\w+ *, *\w+ *[)\]]",  # (N, T, D), [batch, seq_len, d_model]
    r"[(\[] *(?:\.\.\.|\*) *, *\w+ *[)\]]",  # (..., D)
    r"\w+ *, *\w+ *, *\w+ *= *[\w.]+\.shape\b",  # B, T, C = x.shape
    BOTH,
)


def speaks_of_sequences(one: Any, functions: dict[str, Any]) -> bool:
    """Whether the source of a class, or of functions, names the axes of such an input or takes sums over
    two."""
    texts = [_source(part) for part in (one, *functions.values())]
    return any(re.search(pattern, text.lower()) for pattern in SHOWN for text in texts)


def sums_over_two(functions: dict[str, Any]) -> bool:
    """Whether a function or method sums over the first two axes by number, which rows have not to spare."""
    return any(re.search(BOTH, _source(part)) for part in functions.values())


def _source(one: Any) -> str:
    try:
        return source_of(one)
    except (OSError, TypeError):
        return ""
