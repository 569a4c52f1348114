"""Arrays as PyTorch's tensors: on which device, and in which memory format images and filters lie there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from parity.kinds.torch_when_used import torch
from scratchcnn.typing import Array

if TYPE_CHECKING:
    from torch import Tensor
    from torch import dtype as Dtype

_channels_last = False


def set_channels_last(wanted: bool) -> None:
    """Whether `place` gives tensors of four axes the memory format channels last."""
    global _channels_last
    _channels_last = wanted


def channels_last() -> bool:
    """Whether `place` does."""
    return _channels_last


def place(array: Array, device: Any, dtype: Dtype | None = None) -> Tensor:
    """The array's numbers on the device, in `dtype` where one is given, in the memory format that is set.

    Channels last keeps the shape (N, C, H, W) and changes the strides alone.
    """
    tensor = torch.from_numpy(array).to(device=device, dtype=dtype)
    if _channels_last and tensor.dim() == 4:
        return tensor.contiguous(memory_format=torch.channels_last)
    return tensor
