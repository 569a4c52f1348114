"""The reference without PyTorch: `scratchcnn.naive` for small inputs, the textbook's layers for the others.

    with judged_by("numpy"):
        kind_of("convolution").reference(probe)       # PyTorch is not imported

In float64 `scratchcnn.naive` computes one number at a time from the definition; it has no part in common with
the layers. An input that would take its loops too long, and a kind that it lacks, are computed by the layer
as it stands in its class, without the fast implementation. float32 results, which only say how much rounding
is usual, are the layer's. The tests hold both equal to PyTorch on the same inputs.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from parity.kinds.probe import Array, Probe, Tensors, function
from parity.kinds.same_padding import SAME, counted_share, cut, padded_explicitly
from scratchcnn import fast, naive
from scratchcnn.layers import Pad

if TYPE_CHECKING:
    from parity.kinds.kind import Kind

JUDGES = ("torch", "numpy")
MAX_STEPS = 4000  # of the naive loops: about a hundredth of a second

_judge = "torch"


def judge() -> str:
    """Who computes references now: "torch" or "numpy"."""
    return _judge


@contextmanager
def judged_by(name: str) -> Iterator[None]:
    """Inside the `with`, references are computed by "torch" or "numpy", for the whole process.

    Raises ValueError for another name.
    """
    global _judge
    if name not in JUDGES:
        raise ValueError(f"no judge named {name!r}; there are {', '.join(JUDGES)}")
    before, _judge = _judge, name
    try:
        yield
    finally:
        _judge = before


def results(kind: Kind, probe: Probe, dtype: Any) -> Tensors:
    """Every result of the kind on this probe, under the names that PyTorch's have."""
    probe = probe.cast(dtype)
    if probe.args.get("pad") == SAME:
        return _padded_explicitly(kind, probe, dtype)
    loops = NAIVE.get(kind.name)
    if loops is not None and np.dtype(dtype) == np.float64 and _steps(probe) <= MAX_STEPS:
        return loops(probe.inputs, dict(probe.args))
    with fast.textbook():
        return _layer_results(kind, probe)


def _padded_explicitly(kind: Kind, probe: Probe, dtype: Any) -> Tensors:
    """padding='same': the same without padding, of an x that has it around."""
    wide, pads = padded_explicitly(probe)
    if kind.name != "average_pooling":
        return cut(results(kind, wide, dtype), pads)
    dout = wide.inputs.pop("dout", None)
    out = results(kind, wide, dtype)["out"]
    share = counted_share(probe, out.shape[2:]).astype(dtype)
    if dout is not None:
        wide.inputs["dout"] = dout * share
    return cut(results(kind, wide, dtype), pads) | {"out": out * share}


def numpy_output_shape(kind: Kind, probe: Probe) -> tuple[int, ...]:
    """The shape of the kind's output on this probe, from the fast layer."""
    return _layer_results(kind, probe.cast(np.float32))[kind.out].shape


# -- the layers -------------------------------------------------------------------------------------
def _layer_results(kind: Kind, probe: Probe) -> Tensors:
    args, inputs = dict(probe.args), probe.inputs
    if kind.role == "optimizer":
        return _steps_of(kind.ours(**args), inputs)
    if kind.role == "function":
        args |= {name: function(args[name]) for name in kind.functions}
        arrays = {k: np.asarray(v, float) if k in kind.borrows else v for k, v in inputs.items()}
        return {kind.out: np.asarray(kind.ours(**arrays, **args))}
    training = args.pop("training", True)
    layer = kind.ours(**args)
    if kind.name == "dropout":
        training = "mask" in inputs
        layer.inject(inputs.get("mask"))
    layer.train(training)
    labels = (inputs["t"],) if kind.role == "loss" else ()
    found = {kind.out: np.asarray(layer.forward(inputs["x"], *labels))}
    if kind.role == "loss":
        found["dx"] = layer.backward()
    elif "dout" in inputs:
        found["dx"] = layer.backward(inputs["dout"])
    found |= {f"d{name}": layer.grads[name] for name in kind.params if name in layer.grads}
    return found | {name: np.array(layer.buffers[name]) for name in kind.buffers if name in layer.buffers}


def _steps_of(optimizer: Any, inputs: dict[str, Any]) -> Tensors:
    params = {name: p.copy() for name, p in inputs["params"].items()}
    found: Tensors = {}
    for step, grads in enumerate(inputs["grads"], start=1):
        optimizer.update(params, grads)
        found |= {f"{name} step {step}": p.copy() for name, p in params.items()}
    return found


# -- the loops --------------------------------------------------------------------------------------
def _steps(probe: Probe) -> int:
    """About how many times the innermost loop runs."""
    x = next(value for value in probe.inputs.values() if isinstance(value, np.ndarray))
    window = probe.args.get("W", np.empty(0)).size if "W" in probe.args else 0
    if probe.kind.startswith("softmax"):  # each number of a column meets all of them
        window = x.shape[probe.args.get("axis", min(1, x.ndim - 1))]
    window = window or math.prod(probe.args.get(name, 1) for name in ("pool_h", "pool_w"))
    return int(x.size * max(window, 1))


def _convolution(inputs: dict[str, Any], args: dict[str, Any]) -> Tensors:
    x, dout, W, b = inputs["x"], inputs.get("dout"), args.pop("W"), args.pop("b")
    found = {"out": naive.conv_forward(x, W, b, **args)}
    if dout is not None:
        found["dx"], found["dW"], found["db"] = naive.conv_backward(dout, x, W, **args)
    return _without_b(found, b)


def _product(
    forward: Callable[..., Any], backward: Callable[..., Any]
) -> Callable[[dict[str, Any], dict[str, Any]], Tensors]:
    def loops(inputs: dict[str, Any], args: dict[str, Any]) -> Tensors:
        x, dout, W, b = inputs["x"], inputs.get("dout"), args["W"], args["b"]
        found = {"out": forward(x, W, b)}
        if dout is not None:
            found["dx"], found["dW"], found["db"] = backward(dout, x, W)
        return _without_b(found, b)

    return loops


def _without_b(found: Tensors, b: Any) -> Tensors:
    return found if b is not None else {name: a for name, a in found.items() if name != "db"}


def _pooling(mode: str) -> Callable[[dict[str, Any], dict[str, Any]], Tensors]:
    def loops(inputs: dict[str, Any], args: dict[str, Any]) -> Tensors:
        x, dout, args = inputs["x"], inputs.get("dout"), {**args, "mode": mode}
        found = {"out": naive.pool_forward(x, **args)}
        return found if dout is None else found | {"dx": naive.pool_backward(dout, x, **args)}

    return loops


def _elementwise(
    forward: Callable[..., Any], backward: Callable[..., Any]
) -> Callable[[dict[str, Any], dict[str, Any]], Tensors]:
    """Loops over rows, given the numbers of any shape as one row."""

    def loops(inputs: dict[str, Any], args: dict[str, Any]) -> Tensors:
        x, dout = inputs["x"], inputs.get("dout")
        found = {"out": forward(x.reshape(1, -1), **args).reshape(x.shape)}
        if dout is not None:
            found["dx"] = backward(dout.reshape(1, -1), x.reshape(1, -1), **args).reshape(x.shape)
        return found

    return loops


def _softmax(inputs: dict[str, Any], args: dict[str, Any]) -> Tensors:
    x, dout = inputs["x"], inputs.get("dout")
    found = {"out": naive.softmax_forward(x, **args)}
    return found if dout is None else found | {"dx": naive.softmax_backward(dout, x, **args)}


def _softmax_with_loss(inputs: dict[str, Any], args: dict[str, Any]) -> Tensors:
    x, t = inputs["x"], inputs["t"]
    loss = naive.softmax_cross_entropy(x, t)
    return {"loss": np.asarray(loss), "dx": naive.softmax_cross_entropy_backward(x, t)}


def _of_outputs(
    forward: Callable[..., Any], backward: Callable[..., Array]
) -> Callable[[dict[str, Any], dict[str, Any]], Tensors]:
    def loops(inputs: dict[str, Any], args: dict[str, Any]) -> Tensors:
        x, t = inputs["x"], inputs["t"]
        return {"loss": np.asarray(forward(x, t, **args)), "dx": backward(x, t, **args)}

    return loops


def _im2col(inputs: dict[str, Any], args: dict[str, Any]) -> Tensors:
    return {"col": naive.im2col(**inputs, **args)}


def _col2im(inputs: dict[str, Any], args: dict[str, Any]) -> Tensors:
    return {"img": naive.col2im(**inputs, **args)}


def _pad(inputs: dict[str, Any], args: dict[str, Any]) -> Tensors:
    x, dout, sides = inputs["x"], inputs.get("dout"), Pad(args["pad"]).pad
    mode = args.get("mode", "zeros")
    found = {"out": naive.pad_forward(x, sides, mode)}
    return found if dout is None else found | {"dx": naive.pad_backward(dout, x.shape, sides, mode)}


NAIVE: dict[str, Callable[[dict[str, Any], dict[str, Any]], Tensors]] = {
    "convolution": _convolution,
    "affine": _product(naive.affine_forward, naive.affine_backward),
    "affine_last_axis": _product(naive.linear_forward, naive.linear_backward),
    **{
        name: _elementwise(getattr(naive, f"{name}_forward"), getattr(naive, f"{name}_backward"))
        for name in (
            "silu",
            "leaky_relu",
            "elu",
            "selu",
            "softplus",
            "gelu",
            "relu6",
            "softsign",
            "identity",
            "step_function",
        )
    },
    "softmax": _softmax,
    "softmax_axis": _softmax,
    "max_pooling": _pooling("max"),
    "min_pooling": _pooling("min"),
    "average_pooling": _pooling("average"),
    "max_pooling_options": _pooling("max"),
    "average_pooling_options": _pooling("average"),
    "image_padding": _pad,
    "softmax_with_loss": _softmax_with_loss,
    "multiclass_hinge_loss": _of_outputs(naive.multiclass_hinge, naive.multiclass_hinge_backward),
    "mean_absolute_error": _of_outputs(naive.absolute_error, naive.absolute_error_backward),
    "binary_cross_entropy": _of_outputs(naive.binary_cross_entropy, naive.binary_cross_entropy_backward),
    "hinge_loss": _of_outputs(naive.hinge_error, naive.hinge_error_backward),
    "huber_loss": _of_outputs(naive.huber_error, naive.huber_error_backward),
    "mean_squared_error": _of_outputs(naive.squared_error, naive.squared_error_backward),
    "im2col": _im2col,
    "col2im": _col2im,
}
