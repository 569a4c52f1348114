"""A training run in one safetensors file, from which it continues bit for bit.

param.*, buffer.*, optim.*   arrays of the network and the optimizer
losses                       the loss of every step
order                        the images that the epoch under way has still to see
metadata                     JSON: config, place, optimizer, rngs, history
"""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from scratchcnn.typing import Array, PathLike
from scratchcnn.weights import WeightMismatch, read_safetensors, write_safetensors

if TYPE_CHECKING:
    from scratchcnn.trainer import Trainer

FORMAT = "scratchcnn checkpoint 1"


def save(trainer: Trainer, path: PathLike) -> None:
    """Write the trainer's run to `path`, whole or not at all; errors as `write_safetensors`."""
    state = trainer.optimizer.state_dict()
    begun = trainer.batches is not None
    tensors = {
        **_arrays_of(trainer.network),
        **{f"optim.{name}": array for name, array in state["arrays"].items()},
        "losses": np.array(trainer.train_loss_list, dtype=np.float64),
        "order": np.concatenate([np.zeros(0, np.int64), *(trainer.batches or [])]),
    }
    metadata = {
        "config": _config(trainer),
        "place": {"epoch": trainer.epoch, "begun": begun, "seconds": trainer.seconds},
        "optimizer": state["scalars"],
        "rngs": {name: rng.bit_generator.state for name, rng in _rngs(trainer).items()},
        "history": trainer.history,
    }
    texts = {key: json.dumps(value, default=np.ndarray.tolist) for key, value in metadata.items()}
    write_safetensors(path, tensors, {"format": FORMAT, **texts})


def load(trainer: Trainer, path: PathLike) -> None:
    """Put the trainer, its network, optimizer and generators where the checkpoint's run stood.

    Raises FileNotFoundError when there is none, ValueError when it is not a checkpoint or of another
    run; nothing was changed then.
    """
    tensors, metadata = read_safetensors(path)
    if metadata.get("format") != FORMAT:
        raise ValueError(
            f"{os.fspath(path)} is not a checkpoint of scratchcnn; weights alone cannot be resumed"
        )
    there = {key: json.loads(value) for key, value in metadata.items() if key != "format"}
    _refuse_another_run(trainer, path, there["config"])
    _load_arrays(trainer.network, path, tensors)
    arrays = {name.removeprefix("optim."): a for name, a in tensors.items() if name.startswith("optim.")}
    trainer.optimizer.load_state_dict({"scalars": there["optimizer"], "arrays": arrays})
    for name, rng in _rngs(trainer).items():
        rng.bit_generator.state = there["rngs"][name]
    order, size, place = tensors["order"], trainer.batch_size, there["place"]
    trainer.batches = [order[i : i + size] for i in range(0, len(order), size)] if place["begun"] else None
    trainer.epoch, trainer.seconds = place["epoch"], place["seconds"]
    trainer.history, trainer.train_loss_list = there["history"], tensors["losses"].tolist()


def _rngs(trainer: Trainer) -> dict[str, np.random.Generator]:
    """Every generator that the run draws from."""
    return {"order of the images": trainer.rng, **trainer.network.rngs()}


def _config(trainer: Trainer) -> dict[str, Any]:
    """What has to be the same when a run is resumed."""
    return {
        "network": type(trainer.network).__name__,
        "dtype": str(np.dtype(trainer.network.dtype)),
        "optimizer": type(trainer.optimizer).__name__,
        "batch_size": trainer.batch_size,
        "training images": len(trainer.x_train),
        "checksum of their labels": zlib.crc32(trainer.t_train.tobytes()),
        "generators": {name: type(rng.bit_generator).__name__ for name, rng in _rngs(trainer).items()},
    }


def _refuse_another_run(trainer: Trainer, path: PathLike, theirs: Mapping[str, Any]) -> None:
    ours = _config(trainer)
    differences = [f"{k}: {theirs.get(k)} there, {v} here" for k, v in ours.items() if theirs.get(k) != v]
    if differences:
        raise ValueError(f"{os.fspath(path)} belongs to another run ({'; '.join(differences)})")


def _arrays_of(network: Any) -> dict[str, Array]:
    """The network's own arrays, by the names that they have in the file."""
    params = {f"param.{name}": array for name, array in network.params.items()}
    return params | {f"buffer.{name}": array for name, array in network.buffers.items()}


def _load_arrays(network: Any, path: PathLike, tensors: Mapping[str, Array]) -> None:
    """Copy parameters and buffers into the network's arrays, all or none."""
    targets = _arrays_of(network)
    stored = {name for name in tensors if name.startswith(("param.", "buffer."))}
    problems = [f"{name}: surplus in the file" for name in sorted(stored - targets.keys())]
    for name, array in targets.items():
        if name not in stored:
            problems.append(f"{name}: missing from the file")
        elif tensors[name].shape != array.shape:
            problems.append(f"{name}: expected shape {array.shape}, the file has {tensors[name].shape}")
    if problems:
        raise WeightMismatch(path, type(network).__name__, problems)
    for name, array in targets.items():
        array[...] = tensors[name]
