"""Further references beside PyTorch: JAX and ONNX Runtime, each asked the same question as ours.

    python -m parity check lenet --against torch,jax,onnxruntime

With three voices and more a disagreement has a culprit: `parity.referees.court` says who stands apart.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence

from parity.referees.base import Referee

# Name on the command line -> where its class is; imported when it is called.
WHERE = {
    "torch": ("parity.referees.torch_referee", "Torch"),
    "jax": ("parity.referees.jax_referee", "Jax"),
    "onnxruntime": ("parity.referees.onnx_referee", "OnnxRuntime"),
}


def split(text: str) -> list[str]:
    """The names in `torch,jax`, each once. Raises ValueError naming one that there is not."""
    names = list(dict.fromkeys(name.strip().lower() for name in text.split(",") if name.strip()))
    unknown = [name for name in names if name not in WHERE]
    if unknown or not names:
        what = ", ".join(unknown) or repr(text)
        raise ValueError(f"no referee named {what}; there are {', '.join(WHERE)}")
    return names


def called(names: Sequence[str]) -> list[Referee]:
    """The referees of those names. Raises ValueError, with the mend, for one whose packages are missing."""
    referees: list[Referee] = []
    for name in names:
        module, cls = WHERE[name]
        referee: Referee = getattr(importlib.import_module(module), cls)()
        if missing := referee.missing():
            raise ValueError(
                f"{name} cannot be asked, since {' and '.join(missing)} "
                f"{'is' if len(missing) == 1 else 'are'} not installed: pip install '.[referees]'"
            )
        referees.append(referee)
    return referees
