"""What a result was made on: versions, machine, threads, BLAS, the GPU's modes, the seed and the command."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch

import scratchcnn
from parity.reference import devices, machine
from scratchcnn.files import atomic_write


def environment(device: str = "cpu", **more: Any) -> dict[str, Any]:
    """All of it as one flat dict; `more` is what the caller adds, the seed for one."""
    command = " ".join(["python -m parity", *sys.argv[1:]])
    return {
        "command": command,
        "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "version": scratchcnn.__version__,
        "commit": commit(),
        **machine.describe(torch.get_num_threads()),
        **devices.settings(device),
        **more,
    }


def commit() -> str:
    """The commit of the clone that this code is run from, and whether files differ from it; empty outside of
    one."""
    folder = Path(scratchcnn.__file__).parent

    def git(*words: str) -> str:
        try:
            done = subprocess.run(["git", *words], cwd=folder, capture_output=True, text=True, timeout=10)
        except (OSError, subprocess.TimeoutExpired):
            return ""
        return done.stdout.strip() if done.returncode == 0 else ""

    if not git("ls-files", "__init__.py"):  # installed in an environment inside of another clone
        return ""
    changed = git("status", "--porcelain", "--untracked-files=no", "--", ":/scratchcnn", ":/parity")
    return git("rev-parse", "--short", "HEAD") + (" with changes" if changed else "")


def load_average() -> float | None:
    """How many processes wanted a core during the last minute; None where the system does not report it."""
    return round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None


def write_environment(folder: Path, device: str = "cpu", **more: Any) -> Path:
    """environment.json in the folder, written whole; what an earlier part of a run wrote is replaced."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "environment.json"
    with atomic_write(path) as temporary:
        temporary.write_text(json.dumps(environment(device, **more), indent=2) + "\n", encoding="utf-8")
    return path
