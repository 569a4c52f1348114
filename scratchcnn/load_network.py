"""A network with its weights, from any file that we read: of `train --out`, `save_weights` or PyTorch."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from scratchcnn.lookup import key_of, lookup
from scratchcnn.networks import NETWORKS, Network
from scratchcnn.recognize import names_of, network_of
from scratchcnn.torch_weights import (
    head_of,
    load_state,
    own_names,
    read_weights_file,
    written_by_torch,
)
from scratchcnn.typing import Array, PathLike
from scratchcnn.weights import WeightMismatch, copy_weights

OF_SAVE_PARAMS = (".npz", ".pkl")


class TrainedOn(NamedTuple):
    """What `train --out` wrote about the images, besides the weights."""

    class_names: list[str]
    image_shape: tuple[int, int, int]  # (C, H, W) before the images were resized for the network
    margin: int  # pixels that they leave free on each side of what they show


class Loaded(NamedTuple):
    """A network with its weights; `trained_on` is None unless `train --out` wrote the file."""

    network: Network
    trained_on: TrainedOn | None = None
    note: str = ""  # what is unlike the network's defaults


def load_network(name: str, path: PathLike) -> Loaded:
    """Build the network of that name with the weights from the file, whatever wrote it.

    Input size, classes and dtype are those in the file of `train --out`; from PyTorch's weights follow
    the number of classes and, for GoogLeNet, whether there are auxiliary heads. `.npz` and `.pkl` are what
    `save_params` writes.

    Raises ValueError for an unknown name and for the file of another network, WeightMismatch (see
    `load_weights`) if a tensor does not fit; otherwise errors as `read_weights_file`.
    """
    kind: Any = lookup("network", name, NETWORKS)
    if os.fspath(path).lower().endswith(OF_SAVE_PARAMS) and not written_by_torch(path):
        network: Network = kind(rng=0)
        network.load_params(path)
        return Loaded(network)
    tensors, metadata = read_weights_file(path)
    if "network" not in metadata or metadata.get("format") == "pt":
        return _from_state(name, tensors, path, metadata.get("note", ""))
    if metadata["network"] != kind.__name__:
        raise ValueError(f"{os.fspath(path)} holds the weights of {metadata['network']}, not of {name}")
    options, trained_on = _description(path, tensors, metadata)
    network = kind(rng=0, **options)
    copy_weights(network, tensors, path)
    return Loaded(network, trained_on)


def _from_state(name: str, tensors: Mapping[str, Array], path: PathLike, about: str = "") -> Loaded:
    """With PyTorch's tensors; another network whose names they have is named in the error."""
    kind: Any = lookup("network", name, NETWORKS)
    plain, prefix, others = own_names(tensors, names_of(kind), path)
    network, note = build_for_state(name, plain)
    try:
        load_state(network, plain, path)
    except WeightMismatch:
        if (other := network_of(plain)) in (None, key_of(name)):
            raise
        raise ValueError(f"{os.fspath(path)} holds the weights of {other}, not of {name}") from None
    said = [note, about]
    if prefix:
        where = "begin with" if all(key.startswith(prefix) for key in tensors) else "hold"
        said.append(f"the names in the file {where} {prefix}, which is ignored")
    if others:
        more = f" and {len(others) - 3} more" if len(others) > 3 else ""
        said.append(f"not of the network and not read: {', '.join(others[:3])}{more}")
    return Loaded(network, note="; ".join(filter(None, said)))


def build_for_state(name: str, tensors: Mapping[str, Array]) -> tuple[Network, str]:
    """The network of that name for PyTorch's tensors, with their auxiliary heads and number of classes.

    The second value states a number of classes that is not the network's default.
    """
    kind: Any = lookup("network", name, NETWORKS)
    options = {"rng": 0}
    if key_of(name).startswith("googlenet"):
        options["aux"] = any(key.startswith("aux1.") for key in tensors)
    network: Network = kind(**options)
    head, usual = tensors.get(head_of(network)), network.output_size
    if head is None or head.ndim != 2 or len(head) in (0, usual):
        return network, ""
    note = f"{len(head):,} classes, as in the file of weights ({name} has {usual:,} by default)"
    return kind(output_size=len(head), **options), note


def _description(
    path: PathLike, tensors: Mapping[str, Array], metadata: Mapping[str, str]
) -> tuple[dict[str, Any], TrainedOn | None]:
    """The constructor's arguments in the metadata of a file of ours, and what it was trained on."""
    try:
        dtype = next(iter(tensors.values())).dtype
        options: dict[str, Any] = {"dtype": dtype} if dtype in (np.float32, np.float64) else {}
        if "class_names" not in metadata:  # save_weights without further metadata
            return options, None
        class_names = [str(name) for name in json.loads(metadata["class_names"])]
        C, H, W = map(int, json.loads(metadata["image_shape"]))
        options["input_dim"] = tuple(map(int, json.loads(metadata["input_dim"])))
        options["output_size"] = len(class_names)
        return options, TrainedOn(class_names, (C, H, W), int(metadata["margin"]))
    except (KeyError, ValueError, TypeError, StopIteration) as error:
        raise ValueError(
            f"{os.fspath(path)} does not describe its network ({type(error).__name__}: {error}); "
            "expected a file that train --out or save_weights wrote"
        ) from error
