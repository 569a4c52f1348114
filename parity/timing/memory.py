"""The peak memory of a few training steps, measured in a process of its own.

    python -m parity.timing.memory ours lenet 100 float32 2   ->   {"peak_rss_mb": 91.0, "rise_mb": 24.5}

`peak_rss_mb` is the largest resident set during the steps, libraries included; `rise_mb` is how far it rose
above that of the loaded library and network. Each process imports its own framework only. The memory used to
build the network does not count: the kernel's high-water mark is reset before the first step.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

STEPS = 3


def measure(implementation: str, network: str, batch_size: int, dtype: str, threads: int) -> dict[str, float]:
    """Peak memory of some training steps; an empty dict where the system has no /proc."""
    if not Path("/proc/self/status").exists():
        return {}
    command = [sys.executable, "-m", "parity.timing.memory", implementation, network]
    limits = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), str(threads))
    done = subprocess.run(
        [*command, str(batch_size), dtype, str(threads)],
        env=os.environ | limits,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
        raise RuntimeError(f"measuring the memory of {network} in {implementation} failed: {last}")
    found: dict[str, float] = json.loads(done.stdout)
    return found


def _status(key: str) -> float:
    """A value of /proc/self/status in MB: VmRSS is the current resident set, VmHWM its peak."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(key):
            return int(line.split()[1]) / 1024
    raise KeyError(key)


def _reset() -> float:
    """Reset the high-water mark, and return the current resident set in MB."""
    Path("/proc/self/clear_refs").write_text("5")
    return _status("VmRSS")


def _ours(name: str, batch_size: int, dtype: str) -> float:
    import numpy as np

    from scratchcnn import NETWORKS, Momentum

    network, rng = NETWORKS[name](rng=0, dtype=dtype), np.random.default_rng(0)
    before, optimizer = _reset(), Momentum(lr=1e-3)
    x = rng.random((batch_size, *network.input_dim), dtype=np.float32)
    t = rng.integers(0, network.output_size, batch_size)
    for _ in range(STEPS):
        optimizer.update(network.params, network.gradient(x, t))
    return before


def _torch(name: str, batch_size: int, dtype: str, threads: int) -> float:
    import torch

    from parity.reference.networks import TORCH_NETWORKS

    torch.set_num_threads(threads)
    module, (shape, classes) = TORCH_NETWORKS[name]().to(getattr(torch, dtype)).train(), _sizes(name)
    before, optimizer = _reset(), torch.optim.SGD(module.parameters(), lr=1e-3, momentum=0.9)
    x, t = torch.rand(batch_size, *shape).to(getattr(torch, dtype)), torch.randint(0, classes, (batch_size,))
    for _ in range(STEPS):
        optimizer.zero_grad(set_to_none=True)
        module.loss(module(x), t).backward()  # type: ignore[operator]
        optimizer.step()
    return before


def _sizes(name: str) -> tuple[tuple[int, ...], int]:
    """Input shape and number of classes from our signature: a network built here would count."""
    import inspect

    from scratchcnn import NETWORKS

    defaults = inspect.signature(NETWORKS[name]).parameters
    return defaults["input_dim"].default, defaults["output_size"].default


def main(implementation: str, network: str, batch_size: str, dtype: str, threads: str) -> None:
    if implementation == "ours":
        before = _ours(network, int(batch_size), dtype)
    else:
        before = _torch(network, int(batch_size), dtype, int(threads))
    peak = _status("VmHWM")
    print(json.dumps({"peak_rss_mb": peak, "rise_mb": peak - before}))


if __name__ == "__main__":
    main(*sys.argv[1:])
