"""Further references in addition to PyTorch: JAX and ONNX Runtime, each asked the same question as ours.

    python -m parity check lenet --against torch,jax,onnxruntime

With three or more voices a disagreement can be attributed: `parity.referees.outcome` finds the outlier.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from parity.referees.base import Referee

# Name on the command line -> module and class, which is imported when it is needed.
CLASSES = {
    "torch": ("parity.referees.torch_referee", "Torch"),
    "jax": ("parity.referees.jax_referee", "Jax"),
    "onnxruntime": ("parity.referees.onnx_referee", "OnnxRuntime"),
}


def parse_names(text: str) -> list[str]:
    """The names in `torch,jax`, without repetitions. Raises ValueError naming any that does not exist."""
    names = list(dict.fromkeys(name.strip().lower() for name in text.split(",") if name.strip()))
    unknown = [name for name in names if name not in CLASSES]
    if unknown or not names:
        what = ", ".join(unknown) or repr(text)
        raise ValueError(f"no referee is named {what}; there are {', '.join(CLASSES)}")
    return names


def load_referees(names: Sequence[str]) -> list[Referee]:
    """The referees of those names. Raises ValueError saying what to install for one that lacks a package."""
    referees: list[Referee] = []
    for name in names:
        module, cls = CLASSES[name]
        referee: Referee = getattr(importlib.import_module(module), cls)()
        if missing := referee.missing():
            raise ValueError(
                f"{name} cannot be used, since {' and '.join(missing)} "
                f"{'is' if len(missing) == 1 else 'are'} not installed: pip install '.[referees]'"
            )
        referees.append(referee)
    return referees
