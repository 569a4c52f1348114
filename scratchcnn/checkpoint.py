"""A training run in one safetensors file, from which it continues bit for bit.

param.*, buffer.*, optim.*   arrays of the network and the optimizer
losses                       the loss of each step
order                        the images still to come in the current epoch
metadata                     JSON: config, place, optimizer, rngs, history
"""

from __future__ import annotations

import copy
import json
import os
import zlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from scratchcnn.files import DAMAGE
from scratchcnn.optim import Optimizer
from scratchcnn.typing import Array, PathLike
from scratchcnn.weights import WeightMismatch, copy_all, mismatch, read_safetensors, write_safetensors

if TYPE_CHECKING:
    from scratchcnn.trainer import Trainer

FORMAT = "scratchcnn checkpoint 1"


def save(trainer: Trainer, path: PathLike) -> None:
    """Write the state of the trainer's run to `path`, whole or not at all; errors as `write_safetensors`."""
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
    """Set the trainer, its network, optimizer and generators to the state in the checkpoint.

    Raises FileNotFoundError if there is no file, ValueError if it is not a checkpoint, is damaged or
    belongs to another run; nothing is changed then.
    """
    tensors, metadata = read_safetensors(path)
    if metadata.get("format") != FORMAT:
        raise ValueError(
            f"{os.fspath(path)} is not a checkpoint of scratchcnn; weights alone cannot be resumed"
        )
    try:
        config = dict(json.loads(metadata["config"]))
    except DAMAGE as error:
        raise _damaged(path, error) from error
    _refuse_another_run(trainer, path, config)
    targets = _arrays_of(trainer.network)
    _refuse_another_shape(trainer.network, path, targets, tensors)
    try:
        state = _read(trainer, tensors, metadata)
    except DAMAGE as error:
        raise _damaged(path, error) from error
    copy_all(targets, tensors)
    vars(trainer.optimizer).update(vars(state.optimizer))
    for rng, stored in zip(_rngs(trainer).values(), state.rngs, strict=True):
        rng.bit_generator.state = stored
    trainer.batches, trainer.epoch, trainer.seconds = state.batches, state.epoch, state.seconds
    trainer.history, trainer.train_loss_list = state.history, state.losses


class _State(NamedTuple):
    """What a checkpoint holds besides the network's arrays, as the trainer keeps it."""

    optimizer: Optimizer
    rngs: list[Any]
    batches: list[Array] | None
    epoch: int
    seconds: float
    history: list[dict[str, Any]]
    losses: list[float]


def _read(trainer: Trainer, tensors: Mapping[str, Array], metadata: Mapping[str, str]) -> _State:
    """The state in the file, tried on copies; raises any of DAMAGE if something in it makes no sense."""
    place, scalars, rngs, history = (
        json.loads(metadata[key]) for key in ("place", "optimizer", "rngs", "history")
    )
    arrays = {name.removeprefix("optim."): a for name, a in tensors.items() if name.startswith("optim.")}
    optimizer = copy.copy(trainer.optimizer)
    optimizer.load_state_dict({"scalars": scalars, "arrays": arrays})
    if isinstance(optimizer, Optimizer):
        optimizer.check_state(trainer.network.params)
    states = []
    for name, rng in _rngs(trainer).items():
        trial = type(rng.bit_generator)()
        trial.state = rngs[name]
        states.append(trial.state)
    order, size = tensors["order"], trainer.batch_size
    if (
        order.ndim != 1
        or order.dtype != np.int64
        or not (order >= 0).all() & (order < len(trainer.x_train)).all()
    ):
        raise ValueError("the images to come are not training images")
    batches = [order[i : i + size] for i in range(0, len(order), size)] if place["begun"] else None
    losses = tensors["losses"]
    if losses.ndim != 1 or not all(isinstance(row["epoch"], int) for row in history):
        raise ValueError("the history does not consist of epochs")
    return _State(
        optimizer, states, batches, int(place["epoch"]), float(place["seconds"]), history, losses.tolist()
    )


def _damaged(path: PathLike, error: Exception) -> ValueError:
    return ValueError(f"{os.fspath(path)} is a damaged checkpoint ({type(error).__name__}: {error})")


def _rngs(trainer: Trainer) -> dict[str, np.random.Generator]:
    """The generators that the run draws from, by name."""
    own = trainer.network.rngs() if hasattr(trainer.network, "rngs") else {}
    return {"order of the images": trainer.rng, **own}


def _config(trainer: Trainer) -> dict[str, Any]:
    """What must be the same when a run is resumed."""
    return {
        "network": type(trainer.network).__name__,
        "dtype": str(next(iter(trainer.network.params.values())).dtype),
        "optimizer": type(trainer.optimizer).__name__,
        "batch_size": trainer.batch_size,
        "training images": len(trainer.x_train),
        "checksum of their labels": zlib.crc32(trainer.t_train.tobytes()),
        "generators": {name: type(rng.bit_generator).__name__ for name, rng in _rngs(trainer).items()},
    }


def _refuse_another_run(trainer: Trainer, path: PathLike, theirs: Mapping[str, Any]) -> None:
    ours = _config(trainer)
    differences = [
        f"{k}: {theirs.get(k)} in the file, {v} here" for k, v in ours.items() if theirs.get(k) != v
    ]
    if differences:
        raise ValueError(f"{os.fspath(path)} belongs to another run ({'; '.join(differences)})")


def _arrays_of(network: Any) -> dict[str, Array]:
    """The network's own arrays by their names in the file."""
    params = {f"param.{name}": array for name, array in network.params.items()}
    return params | {f"buffer.{name}": array for name, array in getattr(network, "buffers", {}).items()}


def _refuse_another_shape(
    network: Any, path: PathLike, targets: Mapping[str, Array], tensors: Mapping[str, Array]
) -> None:
    stored = {name: array for name, array in tensors.items() if name.startswith(("param.", "buffer."))}
    problems = [f"{name}: surplus in the file" for name in sorted(stored.keys() - targets.keys())]
    problems += [f"{name}: {p}" for name, a in targets.items() if (p := mismatch(stored.get(name), a))]
    if problems:
        raise WeightMismatch(path, type(network).__name__, problems)
