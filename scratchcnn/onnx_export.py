"""Export of a network to ONNX, so that any runtime for the format computes what `predict` computes.

    export_onnx(network, "lenet.onnx")      x (N, C, H, W) -> scores (N, classes), for any N

The form of each layer is in `scratchcnn.onnx_rules`; the containers and the file are here. The network is
written in inference mode: dropout is the identity, batch normalization uses its running statistics, and
auxiliary heads are left out. Pooling is written with explicit padding instead of `ceil_mode`, since runtimes
disagree about its last window.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from scratchcnn.fast.batch_split import replica
from scratchcnn.files import atomic_write
from scratchcnn.layers import (
    Concat,
    Container,
    Dropout,
    Layer,
    Loss,
    PenaltyLoss,
    Residual,
    Sequential,
    SideHead,
    SoftmaxWithLoss,
)
from scratchcnn.networks import Network
from scratchcnn.onnx_rules import RULES, Graph
from scratchcnn.typing import PathLike

__all__ = ["export_onnx", "onnx_model"]

OPSET, IR = 18, 8  # of 2022, which all later runtimes read
MAX_WEIGHT_BYTES = 2**31 - 2**20  # bytes of weights; the format allows 2 GiB per file


def export_onnx(network: Network, path: PathLike, loss: bool = False) -> None:
    """Write the network to an `.onnx` file, whole or not at all: input `x`, output `scores`.

    The number of images is free; all numbers have the network's dtype. With `loss` the file has a further
    input, labels `t` (N,) int64, and a further output `loss`, the mean over the images.

    Raises TypeError naming a layer that has no ONNX form, ValueError for another suffix or weights beyond
    2 GiB, ModuleNotFoundError with what to install if onnx is missing.
    """
    if Path(path).suffix.lower() != ".onnx":
        raise ValueError(f"expected a file name ending in .onnx, got {os.fspath(path)}")
    model = onnx_model(network, loss)
    with atomic_write(path) as unfinished:
        unfinished.write_bytes(model.SerializeToString())


def onnx_model(network: Network, loss: bool = False) -> Any:
    """The network as an `onnx.ModelProto`; otherwise as `export_onnx`."""
    helper = import_onnx().helper
    size = sum(array.nbytes for array in (*network.params.values(), *network.buffers.values()))
    if size > MAX_WEIGHT_BYTES:
        raise ValueError(f"the weights are {size:,} bytes, and an ONNX file holds at most 2 GiB")
    graph = Graph(network.dtype, {path: name for name, path in network._paths.items()})
    out, shape = add_layer(graph, network.layers, "", "x", tuple(network.input_dim))
    outputs = [("scores", network.dtype, ["N", *shape])]
    inputs = [("x", network.dtype, ["N", *network.input_dim])]
    write_scores(graph, network, out, shape)
    if loss:
        write_loss(graph, network.last_layer, out)
        inputs.append(("t", np.dtype(np.int64), ["N"]))
        outputs.append(("loss", network.dtype, []))
    infos = [
        [
            helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(dtype), dims)
            for name, dtype, dims in ports
        ]
        for ports in (inputs, outputs)
    ]
    name = type(network).__name__
    body = helper.make_graph(graph.nodes, name, *infos, initializer=graph.weights)
    return helper.make_model(
        body, producer_name="scratchcnn", opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR
    )


def import_onnx() -> Any:
    """The onnx package. Raises ModuleNotFoundError with what to install."""
    try:
        import onnx
    except ImportError:
        raise ModuleNotFoundError(
            "writing ONNX needs the package onnx, which is not installed: pip install 'scratchcnn[onnx]' "
            "(in a clone: pip install '.[onnx]')"
        ) from None
    return onnx


Shape = tuple[int, ...]  # of one image


def add_layer(graph: Graph, layer: Layer, path: str, x: str, shape: Shape) -> tuple[str, Shape]:
    """Add a layer's nodes to the graph: name and shape of its input -> name and shape of its output."""
    kind = type(layer)  # exactly this class: a subclass may compute something else
    if kind in RULES:
        return RULES[kind](graph, layer, path, x, shape), shape_after(layer, shape, graph.dtype)
    if kind in (SideHead, Dropout):  # the identity in inference
        return x, shape
    if kind not in (Sequential, Concat, Residual):
        raise no_form(layer, path)
    assert isinstance(layer, Container)
    if kind is Concat:
        outs = [add_layer(graph, inner, join_path(path, key), x, shape) for key, inner in layer.children()]
        joined = graph.node("Concat", [name for name, _ in outs], path, axis=1)
        return joined, (sum(one[0] for _, one in outs), *outs[0][1][1:])
    if kind is Residual:
        parts = {
            key: add_layer(graph, inner, join_path(path, key), x, shape) for key, inner in layer.children()
        }
        body, body_shape = parts["body"]
        side, _ = parts.get("shortcut", (x, shape))
        return graph.node("Add", [body, side], path), body_shape
    for key, inner in layer.children():
        x, shape = add_layer(graph, inner, join_path(path, key), x, shape)
    return x, shape


def join_path(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def no_form(layer: Layer, path: str) -> TypeError:
    return TypeError(
        f"{path or 'the layer'} ({type(layer).__name__}) has no ONNX form; add a rule to "
        "scratchcnn.onnx_rules.RULES"
    )


def shape_after(layer: Layer, shape: Shape, dtype: Any) -> Shape:
    """The output shape of a layer for one image, found by running a copy of it on zeros."""
    probe = replica(layer)
    probe.training, probe.recording = False, False
    return probe.forward(np.zeros((1, *shape), dtype)).shape[1:]


def write_scores(graph: Graph, network: Network, out: str, shape: Shape) -> None:
    """Add the scores: the last layer's output, or for penalties its negative, as `predict` returns."""
    sample = np.arange(1.0, 1 + np.prod(shape)).reshape(1, *shape)
    scores = network.scores(sample)
    if np.array_equal(scores, sample):
        graph.node("Identity", [out], "scores", output="scores")
    elif np.array_equal(scores, -sample):
        graph.node("Neg", [out], "scores", output="scores")
    else:
        raise TypeError(
            f"{type(network).__name__}.scores has no ONNX form: it returns neither its input nor the negative"
        )


def write_loss(graph: Graph, layer: Loss, out: str) -> None:
    """Add the loss for labels `t`, the mean over the images."""
    if type(layer) is SoftmaxWithLoss:
        scores = graph.node("LogSoftmax", [out], "loss", axis=1)
        graph.node("NegativeLogLikelihoodLoss", [scores, "t"], "loss", output="loss", reduction="mean")
        return
    if type(layer) is not PenaltyLoss:
        raise no_form(layer, "loss")
    assert isinstance(layer, PenaltyLoss)
    column = graph.constant("loss.column", np.array([1]))
    labels = graph.node("Unsqueeze", ["t", column], "loss")
    right = graph.node("GatherElements", [out, labels], "loss", axis=1)  # (N, 1)
    rubbish = graph.constant("loss.j", np.asarray(-layer.j))
    negative = graph.node("Neg", [out], "loss")
    widths = graph.constant("loss.widths", np.array([0, 0, 0, 1]))  # one more column after the penalties
    padded = graph.node("Pad", [negative, widths, rubbish], "loss")
    others = graph.node("ReduceLogSumExp", [padded, column], "loss", keepdims=1)  # (N, 1)
    both = graph.node("Add", [right, others], "loss")
    graph.node("ReduceMean", [both], "loss", output="loss", keepdims=0)
