"""`predict NETWORK --weights FILE photo.jpg`: the likeliest classes by weights that PyTorch trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from scratchcnn.imagenet import MEAN, PLAIN, STD, preprocess
from scratchcnn.layers import softmax
from scratchcnn.networks import NETWORKS, Network
from scratchcnn.terminal import console, lookup
from scratchcnn.torch_weights import load_state, read_torch_weights

TOP = 5


def predict_with(network: str, weights: Path, images: Sequence[Path], labels: Path | None) -> None:
    """Print the five likeliest classes of every picture: probability, index and, if known, name.

    Raises ValueError if the network does not take colour pictures; errors as `load_torch_weights`,
    `preprocess` and `read_labels`.
    """
    net = pretrained(network, weights)
    names = None if labels is None else read_labels(labels, net.output_size)
    mean, std = (PLAIN, PLAIN) if type(net).__name__ == "GoogLeNetBN" else (MEAN, STD)
    pictures = [preprocess(path, net.input_dim[1], mean=mean, std=std) for path in images]
    out = console()
    for path, x in zip(images, pictures, strict=True):
        out.print(f"{path}:")
        probabilities = softmax(net.predict(x).astype(np.float64))[0]
        for i in probabilities.argsort(kind="stable")[::-1][:TOP]:
            name = "" if names is None else f"  {names[i]}"
            out.print(f"  {probabilities[i]:7.2%}  {i:4}{name}")


def pretrained(name: str, weights: Path) -> Network:
    """The network with the weights of a file in it; GoogLeNet has heads if the file has them."""
    stored = read_torch_weights(weights)
    net = build_for_state(name, stored)
    if net.input_dim[0] != 3 or net.input_dim[1] != net.input_dim[2]:
        raise ValueError(
            f"{name} takes images of {net.input_dim}; --weights is for networks of colour pictures"
        )
    load_state(net, stored, weights)
    return net


def build_for_state(name: str, stored: Mapping[str, Any]) -> Network:
    """The network of that name for PyTorch's tensors: GoogLeNet with heads if there are any for them."""
    kind: Any = lookup("network", name, NETWORKS)
    options = {}
    if name.replace("-", "_").lower().startswith("googlenet"):
        options["aux"] = any(key.startswith("aux1.") for key in stored)
    return kind(rng=0, **options)


def read_labels(path: Path, count: int) -> list[str]:
    """The names of the classes, a line each in the order of the scores; as many as there are classes."""
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}")
    try:
        names = path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not a text file: {error}") from None
    if len(names) != count:
        raise ValueError(f"{path} has {len(names)} lines, expected {count}, one for each class")
    return names
