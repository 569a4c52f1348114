"""A comparison of trainings in one safetensors file, from which both sides go on bit for bit.

ours.* buffer.* optim.*    arrays of our network and its optimizer
torch.* adam.*             arrays of PyTorch's network and its optimizer
losses                     both losses of every step
left                       the images that the epoch under way has still to see
metadata                   JSON: plan, scalars of our optimizer, generator, seconds, rows
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch

from parity.checks.training import Training
from parity.kinds.kind import to_numpy
from scratchcnn.typing import Array
from scratchcnn.weights import read_safetensors, write_safetensors

FORMAT = "parity training 1"


def save(training: Training, path: Path) -> None:
    """Write the run to `path`, whole or not at all."""
    state = training.optimizer.state_dict()
    tensors = {
        **_named("ours", training.network.params),
        **_named("buffer", training.network.buffers),
        **_named("optim", state["arrays"]),
        **_named("torch", {k: to_numpy(v) for k, v in training.module.state_dict().items()}),
        **_named("adam", _adam_arrays(training)),
        "losses": np.array(training.losses, np.float64).reshape(-1, 2),
        "left": np.concatenate([np.zeros(0, np.int64), *training.left]),
    }
    metadata = {
        "plan": _plan(training),
        "optimizer": state["scalars"],
        "rng": training.rng.bit_generator.state,
        "seconds": training.seconds.tolist(),
        "rows": training.rows,
    }
    texts = {key: json.dumps(value) for key, value in metadata.items()}
    write_safetensors(path, tensors, {"format": FORMAT, **texts})


def load(training: Training, path: Path) -> None:
    """Put a new `training` where the run in `path` stood.

    Raises FileNotFoundError when there is none, ValueError when it is not of this plan.
    """
    tensors, metadata = read_safetensors(path)
    if metadata.get("format") != FORMAT:
        raise ValueError(f"{path} is not a checkpoint of `parity train`")
    there = {key: json.loads(value) for key, value in metadata.items() if key != "format"}
    here = _plan(training)
    differences = [
        f"{k}: {there['plan'].get(k)} there, {v} here" for k, v in here.items() if there["plan"].get(k) != v
    ]
    if differences:
        raise ValueError(f"{path} belongs to another run ({'; '.join(differences)})")
    training.network.params.update(_part("ours", tensors))
    training.network.buffers.update(_part("buffer", tensors))
    state = {"scalars": there["optimizer"], "arrays": _part("optim", tensors)}
    training.optimizer.load_state_dict(state)
    training.module.load_state_dict({k: torch.from_numpy(a) for k, a in _part("torch", tensors).items()})
    _load_adam(training, _part("adam", tensors))
    training.rng.bit_generator.state = there["rng"]
    left, size = tensors["left"], training.plan.batch_size
    training.left = [left[i : i + size] for i in range(0, len(left), size)]
    training.seconds, training.rows = np.array(there["seconds"]), there["rows"]
    training.losses = [(float(a), float(b)) for a, b in tensors["losses"]]


def _plan(training: Training) -> dict[str, Any]:
    """What has to be the same for a run to go on; where the images lie may change."""
    return {k: v for k, v in asdict(training.plan).items() if k != "data_dir"} | {"lr": training.plan.rate}


def _named(prefix: str, arrays: Any) -> dict[str, Array]:
    return {f"{prefix}.{name}": array for name, array in arrays.items()}


def _part(prefix: str, tensors: dict[str, Array]) -> dict[str, Array]:
    return {k.removeprefix(f"{prefix}."): a for k, a in tensors.items() if k.startswith(f"{prefix}.")}


def _adam_arrays(training: Training) -> dict[str, Array]:
    """`<parameter>/<entry>`: step, exp_avg and exp_avg_sq, once there was a step."""
    return {
        f"{name}/{entry}": to_numpy(value)
        for name, p in training.module.named_parameters()
        for entry, value in training.twin.state.get(p, {}).items()
    }


def _load_adam(training: Training, arrays: dict[str, Array]) -> None:
    parameters = dict(training.module.named_parameters())
    for key, array in arrays.items():
        name, entry = key.rsplit("/", 1)
        value = torch.from_numpy(array)
        device = "cpu" if entry == "step" else parameters[name].device
        training.twin.state[parameters[name]][entry] = value.to(device)
