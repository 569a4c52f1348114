"""`export NETWORK --weights FILE --out lenet.onnx`: trained weights as an ONNX file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from scratchcnn.networks import NETWORKS, Network
from scratchcnn.onnx_export import export_onnx
from scratchcnn.predict_command import build_for_state
from scratchcnn.terminal import NetworkName, console, lookup
from scratchcnn.torch_weights import load_state, read_torch_weights, suffix_of
from scratchcnn.trained import load_trained
from scratchcnn.weights import load_weights, read_safetensors


def export(
    network: NetworkName,
    weights: Annotated[
        Path,
        typer.Option(
            help="What train --out wrote, or PyTorch's weights (.pth, .safetensors).",
            metavar="FILE",
            show_default=False,
        ),
    ],
    out: Annotated[Path, typer.Option(help="The file to write, .onnx.", metavar="FILE", show_default=False)],
) -> None:
    """Write a network with its weights as an ONNX file: images `x` (any number) in, `scores` out."""
    net = with_weights(network, weights)
    export_onnx(net, out)
    C, H, W = net.input_dim
    console().print(f"x (N, {C}, {H}, {W}) {net.dtype} -> scores (N, {net.output_size}), written to {out}")


def with_weights(name: str, weights: Path) -> Network:
    """The network of that name with the weights of a file in it, whichever of the two kinds it is.

    Raises ValueError when the file is of another network; errors as `load_trained` and `load_torch_weights`.
    """
    lookup("network", name, NETWORKS)  # no such network is the first thing to say
    if suffix_of(weights) == ".safetensors":
        stored, metadata = read_safetensors(weights)
        if "network" in metadata and metadata.get("format") != "pt":
            return _with_own(name, weights, metadata)
    else:
        stored = read_torch_weights(weights)
    net = build_for_state(name, stored)
    load_state(net, stored, weights)
    return net


def _with_own(name: str, weights: Path, metadata: Mapping[str, str]) -> Network:
    """From a file with our names: of `train --out`, which knows the sizes, or of `save_weights`."""
    kind: Any = lookup("network", name, NETWORKS)
    if metadata["network"] != kind.__name__:
        raise ValueError(f"{weights} holds the weights of {metadata['network']}, not of {name}")
    if "class_names" in metadata:
        return load_trained(weights)[0]
    net: Network = kind(rng=0)
    load_weights(net, weights)
    return net
