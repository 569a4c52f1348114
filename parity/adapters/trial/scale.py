"""Layer normalizations without gamma and beta, or without beta."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from parity.adapters.convention import Convention

LAYER_NORM = "layer_norm"
SCALE = ("gamma", "beta")


def limits_of_scale(missing: Sequence[str]) -> dict[str, Any]:
    """What it does not take: gamma and beta, of which beta may be lacking alone."""
    return {f"no_{name}": True for name in missing}


def without_scale(c: Convention, missing: Sequence[str]) -> Iterator[Convention]:
    """A class that keeps neither gamma nor beta, or no beta: as elementwise_affine=False, or bias=False."""
    if c.kind == LAYER_NORM and tuple(missing) in (SCALE, SCALE[1:]):
        yield replace(c, limits={**c.limits, **limits_of_scale(missing)})
