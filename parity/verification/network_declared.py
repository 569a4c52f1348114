"""Declared differences of a whole network: `--allow loss-clamped-logarithm`, `--allow float64-from-float32`.

The twin gets the declared loss, and everything else is compared as ever: the declaration loosens nothing. The
gradients of log(y + 1e-7) are those of the plain logarithm, as the book has them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch.nn import functional as F

from parity.faults import FAULTS
from parity.faults.diagnose import Diagnosis
from parity.verification.declared import JOINED
from parity.verification.slight import NAMES
from parity.verification.twin import Twin
from parity.verification.verdict import Verdict

CLAMPED = "loss-clamped-logarithm"
WIDENS = "float64 comes out of float32"  # how such a sentence of a verdict begins
SMALL = 1e-7


def declared_names(names: Sequence[str]) -> list[str]:
    """The names, `a + b` taken apart. Raises ValueError for one that no kind knows."""
    wanted = [part.strip().lower().replace("_", "-") for name in names for part in name.split(JOINED)]
    if unknown := [name for name in wanted if name not in FAULTS and name not in NAMES]:
        raise ValueError(
            f"no known difference named {', '.join(unknown)} for a network; "
            f"there are: {', '.join(NAMES)}, and those of its layers (`parity kinds NAME` lists them)"
        )
    return wanted


def clamped_loss(outputs: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
    """The mean of -log(y + 1e-7) over the images, with the gradient of the mean of -log(y)."""
    plain = F.cross_entropy(outputs, t)
    y = F.softmax(outputs, dim=1).gather(1, t[:, None])
    return plain + (-(y + SMALL).log().mean() - plain).detach()


def with_declared(plain: Verdict, run: Callable[[Any], Verdict], twin: Any, names: Sequence[str]) -> Verdict:
    """The verdict where these names are declared.

    `plain` is the verdict without them, `run` gives that on another twin.
    """
    if plain.outcome in ("right", "not_checked"):
        if plain.outcome == "right":
            plain.complaint = f"{', '.join(names)}: nothing differs from PyTorch; take the declaration away"
        return plain
    found, used = plain, []
    if CLAMPED in names and plain.outcome == "wrong" and not Twin(twin).own_loss():
        module = Twin(twin).module
        module.loss = clamped_loss  # type: ignore[assignment]
        found = run(module)
        used = [CLAMPED] if found.outcome in ("right", "right_but") else []
    found.reproduction = plain.reproduction
    widened = [text for text in found.buts if text.startswith(WIDENS)]
    if widened and any("float64" in name for name in names):
        found.buts = [text for text in found.buts if text not in widened]
        used.append(next(name for name in names if "float64" in name))
    if used and found.outcome in ("right", "right_but"):
        found.declared = " + ".join(used)
        found.diagnosis = Diagnosis(found.declared, _says(used), 0.0)
        return found
    plain.complaint = f"{', '.join(names)}: what it computes is not exactly that"
    return plain


def _says(names: Sequence[str]) -> str:
    return ", and ".join(NAMES.get(name) or FAULTS[name].says for name in names)
