"""A comparison of trainings in one safetensors file, from which both sides go on bit for bit.

ours.* buffer.* optim.*    arrays of our network and its optimizer
torch.* adam.*             arrays of PyTorch's network and its optimizer
losses                     both losses of every step
left                       the images that the epoch under way has still to see
metadata                   JSON: plan, scalars of our optimizer, generator, seconds, rows
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from parity.checks.training import Training
from parity.kinds.kind import to_numpy
from scratchcnn.files import DAMAGE
from scratchcnn.optim import Adam
from scratchcnn.typing import Array
from scratchcnn.weights import WeightMismatch, read_safetensors, write_safetensors

FORMAT = "parity training 1"
METADATA = ("plan", "optimizer", "rng", "seconds", "rows")
ADAM = ("step", "exp_avg", "exp_avg_sq")  # what PyTorch's Adam keeps of each parameter


def save(training: Training, path: Path) -> None:
    """Write the run to `path`, whole or not at all."""
    state = training.optimizer.state_dict()
    tensors = {
        **_arrays_of(training),
        **_named("optim", state["arrays"]),
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

    Raises FileNotFoundError when there is none, ValueError when it is not a checkpoint, is damaged, or is not
    of this plan; nothing is changed then.
    """
    tensors, metadata = read_safetensors(path)
    if metadata.get("format") != FORMAT:
        raise ValueError(f"{path} is not a checkpoint of `parity train`")
    try:
        there = {key: json.loads(metadata[key]) for key in METADATA}
        differences = [
            f"{k}: {there['plan'].get(k)} there, {v} here"
            for k, v in _plan(training).items()
            if there["plan"].get(k) != v
        ]
    except DAMAGE as error:
        raise _damaged(path, error) from error
    if differences:
        raise ValueError(f"{path} belongs to another run ({'; '.join(differences)})")
    if problems := list(_unlike(_arrays_of(training), tensors)):
        raise WeightMismatch(path, type(training.network).__name__, problems)
    try:
        state = _read(training, tensors, there)
    except DAMAGE as error:
        raise _damaged(path, error) from error
    training.network.params.update(_part("ours", tensors))
    training.network.buffers.update(_part("buffer", tensors))
    vars(training.optimizer).update(vars(state.optimizer))
    training.module.load_state_dict({k: torch.from_numpy(a) for k, a in _part("torch", tensors).items()})
    _load_adam(training, state.adam)
    training.rng.bit_generator.state = state.rng
    training.left, training.seconds = state.left, state.seconds
    training.rows, training.losses = state.rows, state.losses


class _State(NamedTuple):
    """What a checkpoint holds besides the arrays of the two networks, as the training keeps it."""

    optimizer: Adam
    adam: dict[str, Array]
    rng: Any
    left: list[Array]
    seconds: Array
    rows: list[dict[str, Any]]
    losses: list[tuple[float, float]]


def _read(training: Training, tensors: Mapping[str, Array], there: Mapping[str, Any]) -> _State:
    """The state in the file, tried on copies; raises any of DAMAGE if something in it makes no sense."""
    optimizer = copy.copy(training.optimizer)
    optimizer.load_state_dict({"scalars": there["optimizer"], "arrays": _part("optim", tensors)})
    optimizer.check_state(training.network.params)
    adam, parameters = _part("adam", tensors), dict(training.module.named_parameters())
    if adam and adam.keys() != {f"{name}/{entry}" for name in parameters for entry in ADAM}:
        raise ValueError("the state of PyTorch's Adam is of other parameters")
    for key, array in adam.items():
        name, entry = key.rsplit("/", 1)
        if array.shape != (() if entry == "step" else tuple(parameters[name].shape)):
            raise ValueError(f"{key} of PyTorch's Adam is of another shape")
    rng = type(training.rng.bit_generator)()
    rng.state = there["rng"]
    left, size, images = tensors["left"], training.plan.batch_size, len(training.data.x_train)
    if left.ndim != 1 or left.dtype != np.int64 or not ((left >= 0) & (left < images)).all():
        raise ValueError("the images to come are not training images")
    seconds, rows, losses = np.array(there["seconds"], np.float64), there["rows"], tensors["losses"]
    if seconds.shape != (2,) or losses.ndim != 2 or losses.shape[1] != 2:
        raise ValueError("it does not hold the seconds and the losses of two sides")
    if not isinstance(rows, list) or not all(isinstance(row["epoch"], int) for row in rows):
        raise ValueError("the rows are not of epochs")
    batches = [left[i : i + size] for i in range(0, len(left), size)]
    pairs = [(float(a), float(b)) for a, b in losses]
    return _State(optimizer, adam, rng.state, batches, seconds, rows, pairs)


def _arrays_of(training: Training) -> dict[str, Array]:
    """The arrays of both networks by their names in the file."""
    return {
        **_named("ours", training.network.params),
        **_named("buffer", training.network.buffers),
        **_named("torch", {k: to_numpy(v) for k, v in training.module.state_dict().items()}),
    }


def _unlike(arrays: Mapping[str, Array], tensors: Mapping[str, Array]) -> Iterator[str]:
    """Every array that the file lacks, has besides, or has in another shape or dtype."""
    stored = {k: a for k, a in tensors.items() if k.startswith(("ours.", "buffer.", "torch."))}
    yield from (f"{name}: surplus in the file" for name in sorted(stored.keys() - arrays.keys()))
    for name, array in arrays.items():
        if name not in stored:
            yield f"{name}: missing from the file"
        elif (found := stored[name]).shape != array.shape or found.dtype != array.dtype:
            expected = f"{array.dtype} of shape {array.shape}"
            yield f"{name}: expected {expected}, the file has {found.dtype} of shape {found.shape}"


def _damaged(path: Path, error: Exception) -> ValueError:
    return ValueError(f"{path} is a damaged checkpoint ({type(error).__name__}: {error})")


def _plan(training: Training) -> dict[str, Any]:
    """What has to be the same for a run to go on; where the images lie may change."""
    return {k: v for k, v in asdict(training.plan).items() if k != "data_dir"} | {"lr": training.plan.rate}


def _named(prefix: str, arrays: Any) -> dict[str, Array]:
    return {f"{prefix}.{name}": array for name, array in arrays.items()}


def _part(prefix: str, tensors: Mapping[str, Array]) -> dict[str, Array]:
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
