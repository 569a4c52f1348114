"""parity: is it the same function as PyTorch's? Checks, localises and times NumPy networks against twins."""

from __future__ import annotations

TYPE_CHECKING = False  # not from typing: a file of that name may lie where Python is started
if TYPE_CHECKING:
    from parity.explain.settle import settle as settle
    from parity.verification.items import parametrize as parametrize
    from parity.verification.verdict import Verdict as Verdict
    from parity.verification.verify import assert_parity as assert_parity
    from parity.verification.verify import verify as verify
    from parity.verification.whole import verify_all as verify_all

__all__ = ["Verdict", "assert_parity", "parametrize", "settle", "verify", "verify_all"]
_PLACES = {
    "Verdict": "verification.verdict",
    "assert_parity": "verification.verify",
    "parametrize": "verification.items",
    "settle": "explain.settle",
    "verify": "verification.verify",
    "verify_all": "verification.whole",
}


def __getattr__(name: str) -> object:
    """`parity.verify(...)` imports PyTorch when it is first asked for; `import parity` does not."""
    if name not in _PLACES:
        raise AttributeError(f"module 'parity' has no attribute {name!r}")
    import importlib

    globals()[name] = getattr(importlib.import_module(f"parity.{_PLACES[name]}"), name)
    return globals()[name]


def __dir__() -> list[str]:
    return __all__
