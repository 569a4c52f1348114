"""Where PyTorch runs, and the switches that would change its results there."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch

TF32 = "tf32"


def prepare(device: str, tf32: bool = False) -> None:
    """Set what CUDA results depend on. Raises RuntimeError in one sentence where there is no such device.

    TF32 rounds float32 products to 10 bits, so it is off unless asked for; cuDNN is told to choose
    deterministic kernels and not to search for the fastest.
    """
    if device != "cuda":
        return
    if not torch.cuda.is_available():
        built = "this PyTorch has CUDA" if torch.backends.cuda.is_built() else "this PyTorch is a CPU build"
        raise RuntimeError(f"no CUDA device was found ({built}); leave out --device cuda to run on the CPU")
    torch.backends.cuda.matmul.allow_tf32 = tf32
    torch.backends.cudnn.allow_tf32 = tf32
    torch.backends.cudnn.deterministic = True
    torch.backends.cudnn.benchmark = False


def modes(device: str, dtypes: Iterable[str]) -> list[tuple[str, list[str]]]:
    """What to call each way of running there, and the dtypes it concerns.

    On CUDA, float32 runs twice: as it is, and with TF32, which PyTorch's own error grows with and so what
    is allowed.
    """
    found = [(device, list(dtypes))]
    if device == "cuda" and "float32" in dtypes:
        found.append((f"{device} {TF32}", ["float32"]))
    return found


def settings(device: str) -> dict[str, Any]:
    """The versions and switches that a report has to name."""
    found: dict[str, Any] = {"torch": torch.__version__, "device": device, "threads": torch.get_num_threads()}
    if device == "cuda":
        found |= {
            "gpu": torch.cuda.get_device_name(),
            "cuda": torch.version.cuda,
            "cudnn": torch.backends.cudnn.version(),
            "tf32_matmul": torch.backends.cuda.matmul.allow_tf32,
            "tf32_cudnn": torch.backends.cudnn.allow_tf32,
            "cudnn_deterministic": torch.backends.cudnn.deterministic,
            "cudnn_benchmark": torch.backends.cudnn.benchmark,
        }
    return found


def synchronize(device: str) -> None:
    """Wait until the device has done what it was given, so that a clock can be read."""
    if device == "cuda":
        torch.cuda.synchronize()
