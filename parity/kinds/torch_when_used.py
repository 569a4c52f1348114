"""PyTorch, imported when a formula first runs: the names, call lines and probes of kinds do without it."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from parity.kinds import torch_ahead

if TYPE_CHECKING:
    import torch as torch
    import torch.nn.functional as F
else:

    class ImportedWhenUsed:
        """A module that is imported when its first attribute is read."""

        def __init__(self, name: str):
            self._name = name

        def __getattr__(self, name: str) -> Any:
            torch_ahead.settle()
            vars(self)[name] = getattr(importlib.import_module(self._name), name)
            return vars(self)[name]

    torch, F = ImportedWhenUsed("torch"), ImportedWhenUsed("torch.nn.functional")

__all__ = ["F", "torch"]
