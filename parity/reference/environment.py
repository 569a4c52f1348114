"""What a result was made on: versions, machine, threads, BLAS, the GPU's modes, the seed and the command."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import torch

from parity.reference import devices, machine
from scratchcnn.files import atomic_write


def environment(device: str = "cpu", **more: Any) -> dict[str, Any]:
    """All of it as one flat dict; `more` is what the caller adds, the seed for one."""
    command = " ".join(["python -m parity", *sys.argv[1:]])
    return {
        "command": command,
        **machine.describe(torch.get_num_threads()),
        **devices.settings(device),
        **more,
    }


def write_environment(folder: Path, device: str = "cpu", **more: Any) -> Path:
    """environment.json in the folder, written whole; what an earlier part of a run wrote is replaced."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "environment.json"
    with atomic_write(path) as temporary:
        temporary.write_text(json.dumps(environment(device, **more), indent=2) + "\n", encoding="utf-8")
    return path
