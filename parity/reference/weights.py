"""Weights both ways, audited: every tensor accounted for, shapes exact, read back and compared bit for bit.

    copy_to_torch(network, module)      ours -> theirs
    copy_from_torch(module, network)    theirs -> ours

Nothing is copied unless everything fits, and nothing is believed until it was read back.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch
from torch import nn

from parity.kinds.kind import to_numpy
from parity.reference.layer_modules import names
from scratchcnn.layers import Layer
from scratchcnn.networks import Network
from scratchcnn.typing import Array
from scratchcnn.weights import WeightMismatch

# PyTorch counts batches in an integer of its own that no formula of ours uses.
NOT_COMPARED = ("num_batches_tracked",)


class TensorMismatch(WeightMismatch):
    """The weights of the two sides do not fit; `problems` holds one line per tensor."""

    def __init__(self, problems: list[str]):
        self.problems = problems
        ValueError.__init__(self, "the weights do not fit:\n  " + "\n  ".join(problems))


class Link(NamedTuple):
    """One of our arrays, where it lives in torch, and whether the axes are swapped."""

    ours: str
    array: Array
    theirs: str
    transposed: bool

    def out(self) -> Array:
        """Our array as torch shapes it."""
        return self.array.T if self.transposed else self.array


def links(ours: Network | Layer) -> list[Link]:
    """Every parameter and buffer of ours with its torch name.

    The hand-written torch networks carry our layers' names in lower case (the book writes "Conv1"), or
    those of `torch_path`.
    """
    if isinstance(ours, Layer):
        arrays = {**ours.params, **ours.buffers}
        return [Link(key, arrays[key], *name) for key, name in names(ours).items()]
    by_path = {path: key for key, path in ours._paths.items()}
    found = []
    for path, layer in ours.layers.leaves():
        arrays, theirs = {**layer.params, **layer.buffers}, ours.torch_path(path).lower()
        for key, name in names(layer).items():
            full = f"{path}.{key}"
            link = Link(by_path.get(full, full), arrays[key], f"{theirs}.{name.theirs}", name.transposed)
            found.append(link)
    return found


def named_tensors(module: nn.Module) -> dict[str, torch.Tensor]:
    """The module's parameters and persistent buffers, less what has no counterpart by design."""
    return {k: v for k, v in module.state_dict(keep_vars=True).items() if not k.endswith(NOT_COMPARED)}


def audit(pairs: list[Link], tensors: dict[str, torch.Tensor]) -> None:
    """Raise TensorMismatch listing every missing, surplus, wrongly shaped or wrongly typed tensor."""
    problems = []
    claimed = [link.theirs for link in pairs]
    problems += [f"{name}: claimed twice" for name in sorted({n for n in claimed if claimed.count(n) > 1})]
    for link in pairs:
        if link.theirs not in tensors:
            problems.append(f"{link.ours}: torch has no {link.theirs}")
            continue
        tensor = tensors[link.theirs]
        if tuple(tensor.shape) != link.out().shape:
            problems.append(
                f"{link.ours}: shape {link.array.shape} does not fit {link.theirs} of {tuple(tensor.shape)}"
                + (" (transposed on copy)" if link.transposed else "")
            )
        if str(tensor.dtype).removeprefix("torch.") != link.array.dtype.name:
            problems.append(f"{link.ours}: {link.array.dtype} here, {link.theirs} is {tensor.dtype}")
    problems += [
        f"{name}: in torch, but nothing of ours maps to it" for name in tensors if name not in claimed
    ]
    if problems:
        raise TensorMismatch(problems)


def same_bits(a: Array, b: Array) -> bool:
    """Equal shape, dtype and bits; NaN equals NaN, and 0 is not -0."""
    if a.shape != b.shape or a.dtype != b.dtype:
        return False
    return bool((_bits(a) == _bits(b)).all())


def _bits(a: Array) -> Array:
    return np.ascontiguousarray(a).view(f"u{a.itemsize}")


def copy_to_torch(ours: Network | Layer, module: nn.Module) -> list[str]:
    """Copy every weight into the module and read it back. Returns the names that were copied.

    Raises TensorMismatch, before anything is written, when the two do not fit.
    """
    pairs, tensors = links(ours), named_tensors(module)
    audit(pairs, tensors)
    with torch.no_grad():
        for link in pairs:
            tensors[link.theirs].copy_(torch.from_numpy(np.ascontiguousarray(link.out())))
    _read_back(pairs, tensors)
    return [link.ours for link in pairs]


def copy_from_torch(module: nn.Module, ours: Network | Layer) -> list[str]:
    """Copy every weight of the module into ours and read it back. Returns the names that were copied.

    Raises TensorMismatch, before anything is written, when the two do not fit.
    """
    pairs, tensors = links(ours), named_tensors(module)
    audit(pairs, tensors)
    for link in pairs:
        theirs = to_numpy(tensors[link.theirs])
        link.array[...] = theirs.T if link.transposed else theirs
    _read_back(pairs, tensors)
    return [link.ours for link in pairs]


def _read_back(pairs: list[Link], tensors: dict[str, Any]) -> None:
    wrong = [
        f"{link.ours}: reads back different bits"
        for link in pairs
        if not same_bits(link.out(), to_numpy(tensors[link.theirs]))
    ]
    if wrong:
        raise TensorMismatch(wrong)
