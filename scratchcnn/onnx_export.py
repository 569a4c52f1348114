"""A network as an ONNX file, for every runtime that reads the format: what `predict` computes.

    export_onnx(network, "lenet.onnx")      x (N, C, H, W) -> scores (N, classes), for any N

The layers' own forms are in `scratchcnn.onnx_rules`; here are the containers and the file. The network is
written as it infers: dropout is the identity, batch normalization uses its running statistics, auxiliary
heads are left out. An average or a maximum is written with explicit padding, never with `ceil_mode`, about
whose last window runtimes differ.
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

OPSET, IR = 18, 8  # of 2022: what runtimes of the years since then read
LIMIT = 2**31 - 2**20  # bytes; the format's own is 2 GiB a file


def export_onnx(network: Network, path: PathLike, loss: bool = False) -> None:
    """Write the network to an `.onnx` file, whole or not at all: input `x`, output `scores`.

    The number of images is free; weights and numbers have the network's dtype. With `loss` the file also
    takes labels `t` (N,), int64, and gives `loss`, the mean over the images.

    Raises TypeError naming a layer that has no ONNX form, ValueError for another suffix or weights beyond
    2 GiB, ModuleNotFoundError with what to install where onnx is missing.
    """
    if Path(path).suffix.lower() != ".onnx":
        raise ValueError(f"expected a file that ends in .onnx, got {os.fspath(path)}")
    model = onnx_model(network, loss)
    with atomic_write(path) as unfinished:
        unfinished.write_bytes(model.SerializeToString())


def onnx_model(network: Network, loss: bool = False) -> Any:
    """The same as an `onnx.ModelProto`; errors as `export_onnx`."""
    helper = imported().helper
    size = sum(array.nbytes for array in (*network.params.values(), *network.buffers.values()))
    if size > LIMIT:
        raise ValueError(f"the weights are {size:,} bytes, and an ONNX file holds 2 GiB at most")
    graph = Graph(network.dtype, {path: name for name, path in network._paths.items()})
    out, shape = written(graph, network.layers, "", "x", tuple(network.input_dim))
    outputs = [("scores", network.dtype, ["N", *shape])]
    inputs = [("x", network.dtype, ["N", *network.input_dim])]
    write_scores(graph, network, out, shape)
    if loss:
        write_loss(graph, network.last_layer, out)
        inputs.append(("t", np.dtype(np.int64), ["N"]))
        outputs.append(("loss", network.dtype, []))
    infos = [
        [helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(dtype), dims)
         for name, dtype, dims in ports] for ports in (inputs, outputs)
    ]  # fmt: skip
    name = type(network).__name__
    body = helper.make_graph(graph.nodes, name, *infos, initializer=graph.weights)
    return helper.make_model(
        body, producer_name="scratchcnn", opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR
    )


def imported() -> Any:
    """The onnx package, or what to install."""
    try:
        import onnx
    except ImportError:
        raise ModuleNotFoundError(
            "writing ONNX needs the package onnx, which is not installed: pip install 'scratchcnn[onnx]' "
            "(in a clone: pip install '.[onnx]')"
        ) from None
    return onnx


Shape = tuple[int, ...]  # of one image


def written(graph: Graph, layer: Layer, path: str, x: str, shape: Shape) -> tuple[str, Shape]:
    """Add a layer's nodes, given the name and shape of what goes in -> those of what comes out."""
    kind = type(layer)  # a subclass may compute anything, so it does not inherit a form
    if kind in RULES:
        return RULES[kind](graph, layer, path, x, shape), shape_behind(layer, shape, graph.dtype)
    if kind in (SideHead, Dropout):  # in inference the identity
        return x, shape
    if kind not in (Sequential, Concat, Residual):
        raise no_form(layer, path)
    assert isinstance(layer, Container)
    if kind is Concat:
        outs = [written(graph, inner, below(path, key), x, shape) for key, inner in layer.children()]
        joined = graph.node("Concat", [name for name, _ in outs], path, axis=1)
        return joined, (sum(one[0] for _, one in outs), *outs[0][1][1:])
    if kind is Residual:
        parts = {key: written(graph, inner, below(path, key), x, shape) for key, inner in layer.children()}
        body, behind = parts["body"]
        side, _ = parts.get("shortcut", (x, shape))
        return graph.node("Add", [body, side], path), behind
    for key, inner in layer.children():
        x, shape = written(graph, inner, below(path, key), x, shape)
    return x, shape


def below(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def no_form(layer: Layer, path: str) -> TypeError:
    return TypeError(
        f"{path or 'the layer'} ({type(layer).__name__}) has no ONNX form; add a rule to "
        "scratchcnn.onnx_rules.RULES"
    )


def shape_behind(layer: Layer, shape: Shape, dtype: Any) -> Shape:
    """The shape of one image behind a layer, found by running a copy of it on zeros."""
    probe = replica(layer)
    probe.training, probe.recording = False, False
    return probe.forward(np.zeros((1, *shape), dtype)).shape[1:]


def write_scores(graph: Graph, network: Network, out: str, shape: Shape) -> None:
    """What `predict` makes of the last layer's output: itself, or, of penalties, their negative."""
    sample = np.arange(1.0, 1 + np.prod(shape)).reshape(1, *shape)
    scores = network.scores(sample)
    if np.array_equal(scores, sample):
        graph.node("Identity", [out], "scores", output="scores")
    elif np.array_equal(scores, -sample):
        graph.node("Neg", [out], "scores", output="scores")
    else:
        raise TypeError(
            f"{type(network).__name__}.scores has no ONNX form: it is neither its input nor the negative"
        )


def write_loss(graph: Graph, layer: Loss, out: str) -> None:
    """The loss of labels `t`: the mean over the images."""
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
    widths = graph.constant("loss.widths", np.array([0, 0, 0, 1]))  # a column behind the penalties
    padded = graph.node("Pad", [negative, widths, rubbish], "loss")
    others = graph.node("ReduceLogSumExp", [padded, column], "loss", keepdims=1)  # (N, 1)
    both = graph.node("Add", [right, others], "loss")
    graph.node("ReduceMean", [both], "loss", output="loss", keepdims=0)
