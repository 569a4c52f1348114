"""Where PyTorch runs, and the switches that would change its results there.

A place is named by the device, and on CUDA by a mode after it; reports say the same names:

    cuda                   float32 products in float32, cuDNN's deterministic kernels, no search among them
    cuda tf32              float32 products rounded to TF32's 10 bits
    cuda channels_last     images and filters in the memory format channels last
    cuda cudnn_benchmark   cuDNN searches for its fastest kernel for every shape; any kernel, also one whose
                           sums come in another order each time
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterable
from typing import Any

import torch

from parity.kinds import tensors

TF32, CHANNELS_LAST, BENCHMARK = "tf32", "channels_last", "cudnn_benchmark"
MODES = (TF32, CHANNELS_LAST, BENCHMARK)
PLACES = ("cpu", "cuda", *(f"cuda {mode}" for mode in MODES))


def prepare(place: str) -> str:
    """Set what results depend on in that place; the device's name, as PyTorch has it.

    Raises RuntimeError in one sentence where there is no such device, ValueError for an unknown mode.
    """
    device, _, mode = place.partition(" ")
    if mode and mode not in MODES:
        raise ValueError(f"{place!r} is no place to run; there are {', '.join(PLACES)}")
    if device == "cuda" and not torch.cuda.is_available():
        built = "this PyTorch has CUDA" if torch.backends.cuda.is_built() else "this PyTorch is a CPU build"
        raise RuntimeError(f"no CUDA device was found ({built}); leave out --device cuda to run on the CPU")
    tensors.set_channels_last(mode == CHANNELS_LAST)
    if device == "cuda":
        set_cudnn(allow_tf32=mode == TF32, deterministic=mode != BENCHMARK, benchmark=mode == BENCHMARK)
        torch.backends.cuda.matmul.allow_tf32 = mode == TF32
    return device


def set_cudnn(*, allow_tf32: bool, deterministic: bool, benchmark: bool) -> None:
    """Set cuDNN's switches, also where `torch.backends.disable_global_flags()` was called.

    PyTorch's own test modules call it at import, and assignments such as `cudnn.benchmark = True` raise from
    then on; `set_flags` does not.
    """
    torch.backends.cudnn.set_flags(_allow_tf32=allow_tf32, _deterministic=deterministic, _benchmark=benchmark)


def modes(device: str, dtypes: Iterable[str]) -> list[tuple[str, list[str]]]:
    """What to call each way of running there, and the dtypes it concerns.

    On CUDA: as it is, with TF32 (float32 alone; PyTorch's own error grows, and what is allowed with it), in
    channels last, and with cuDNN's search.
    """
    found = [(device, list(dtypes))]
    if device == "cuda":
        wanted = {TF32: [d for d in found[0][1] if d == "float32"]}
        found += [(f"{device} {mode}", wanted.get(mode, found[0][1])) for mode in MODES]
    return [(place, names) for place, names in found if names]


def settings(device: str) -> dict[str, Any]:
    """The versions and switches that a report has to name."""
    found: dict[str, Any] = {"torch": torch.__version__, "device": device, "threads": torch.get_num_threads()}
    if device == "cuda":
        card = torch.cuda.get_device_properties(torch.cuda.current_device())
        found |= {
            "gpu": card.name,
            "gpu_memory_gib": round(card.total_memory / 2**30, 1),
            "compute_capability": f"{card.major}.{card.minor}",
            "driver": driver(),
            "cuda": torch.version.cuda,
            "cudnn": torch.backends.cudnn.version(),
            "tf32_matmul": torch.backends.cuda.matmul.allow_tf32,
            "tf32_cudnn": torch.backends.cudnn.allow_tf32,
            "cudnn_deterministic": torch.backends.cudnn.deterministic,
            "cudnn_benchmark": torch.backends.cudnn.benchmark,
            "channels_last": tensors.channels_last(),
        }
    return found


def driver() -> str:
    """The version of NVIDIA's driver, as nvidia-smi gives it; "?" where that program is missing or fails."""
    if (program := shutil.which("nvidia-smi")) is None:
        return "?"
    command = [program, "--query-gpu=driver_version", "--format=csv,noheader"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return "?"
    lines = done.stdout.split() if done.returncode == 0 else []
    return lines[0] if lines else "?"


def synchronize(device: str) -> None:
    """Wait until the device has done what it was given, so that a clock can be read."""
    if device == "cuda":
        torch.cuda.synchronize()
