"""`export NETWORK --weights FILE --out lenet.onnx`: a network with its weights as an ONNX file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from scratchcnn.load_network import load_network
from scratchcnn.onnx_export import export_onnx
from scratchcnn.terminal import WEIGHTS, NetworkName, console


def export(
    network: NetworkName,
    weights: Annotated[Path, WEIGHTS],
    out: Annotated[
        Path, typer.Option(help="ONNX file to write (.onnx).", metavar="FILE", show_default=False)
    ],
) -> None:
    """Write a network with its weights to an ONNX file: `x` (N, C, H, W) in, `scores` (N, classes) out."""
    net = load_network(network, weights).network
    export_onnx(net, out)
    C, H, W = net.input_dim
    console().print(f"x (N, {C}, {H}, {W}) {net.dtype} -> scores (N, {net.output_size}), written to {out}")
