"""parity: is it the same function as PyTorch's? Checks, localises and times NumPy networks against twins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from parity.verification.verify import assert_parity as assert_parity
    from parity.verification.verify import verify as verify

LAZY = {"verify": "parity.verification.verify", "assert_parity": "parity.verification.verify"}


def __getattr__(name: str) -> Any:
    """`parity.verify(...)` imports PyTorch when it is first asked for; `import parity` does not."""
    if name not in LAZY:
        raise AttributeError(f"module 'parity' has no attribute {name!r}")
    import importlib

    globals()[name] = getattr(importlib.import_module(LAZY[name]), name)
    return globals()[name]
