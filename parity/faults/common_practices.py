"""What the common ways of checking would have said: replicas of practices, run on the same faults.

    sum loss           only `out.sum()` is compared, in float32, with assert_close's defaults
    ones as cotangent  outputs and gradients of `out.sum()`, i.e. dout = 1
    assert_close       outputs and gradients for a random dout, torch.testing.assert_close's defaults
    mean difference    the mean of (ours - theirs), signed, below 1e-6
    own differences    finite differences of one's own forward against one's own backward
    final loss         a small network trained with the layer ends within a tenth of the right one's loss

The first five look at one ordinary square case each (3x3 filter, stride 1, pad 1; 2x2 pooling, stride
2), as most tests do. A practice that has nothing to say about a kind gives None.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np

import scratchcnn as sc
from parity.adapters.book import BookAdapter
from parity.kinds import OPTIMIZER_KINDS, Probe, Tensors, kind_of
from parity.kinds.probe import normal
from parity.kinds.probes import probes, with_cotangent
from parity.kinds.torch_when_used import torch
from scratchcnn.typing import Array

Make = Callable[..., Any]
PRACTICES = (
    "sum loss",
    "ones as cotangent",
    "assert_close",
    "mean difference",
    "own differences",
    "final loss",
)


@cache
def square_case(kind: str) -> Probe:
    """The case that most tests look at."""
    rng = np.random.default_rng(1)
    x = normal(rng, 2, 3, 8, 8)
    if kind == "convolution":
        args = {"W": normal(rng, 4, 3, 3, 3), "b": normal(rng, 4), "stride": 1, "pad": 1}
        return with_cotangent(Probe(kind, "square", args, {"x": x}), 1)
    if kind.endswith("pooling"):
        return with_cotangent(Probe(kind, "square", {"pool_h": 2, "pool_w": 2, "stride": 2}, {"x": x}), 1)
    if kind == "im2col":
        return Probe(kind, "square", {"filter_h": 3, "filter_w": 3, "pad": 1}, {"input_data": x})
    if kind == "col2im":
        args = {"input_shape": (2, 3, 8, 8), "filter_h": 3, "filter_w": 3, "pad": 1}
        return Probe(kind, "square", args, {"col": normal(rng, 2 * 64, 27)})
    ordinary = [p for p in probes(kind, 1) if not p.needs and "inference" not in p.id]
    return ordinary[1] if len(ordinary) > 1 else ordinary[0]


def run(make: Make, probe: Probe, dtype: str) -> Tensors:
    cast, adapter = probe.cast(dtype), BookAdapter()
    with np.errstate(all="ignore"):
        return adapter.results(adapter.build(make, cast), cast)


def what_practices_say(kind: str, make: Make) -> dict[str, bool | None]:
    """Practice -> whether it would have noticed; a crash is noticed by all that run the case."""
    said: dict[str, bool | None] = dict.fromkeys(PRACTICES)
    if "float32" not in kind_of(kind).dtypes:
        return said
    for name, practice in CASES.items():
        try:
            said[name] = practice(kind, make)
        except Exception:
            said[name] = True
    said["final loss"] = final_loss_differs(kind, make)
    return said


def _close(ours: Any, theirs: Array) -> bool:
    """torch.testing.assert_close with its defaults for the dtype."""
    try:
        torch.testing.assert_close(torch.as_tensor(np.asarray(ours)), torch.as_tensor(np.asarray(theirs)))
    except AssertionError:
        return False
    return True


def _both(kind: str, make: Make, probe: Probe) -> list[tuple[Any, Array]]:
    theirs = kind_of(kind).reference(probe, np.float32)
    ours = run(make, probe, "float32")
    return [(ours.get(name), a) for name, a in theirs.items()]


def _sum_loss(kind: str, make: Make) -> bool | None:
    if kind_of(kind).role == "optimizer":
        return None
    ours, theirs = _both(kind, make, square_case(kind))[0]
    return ours is None or not _close(np.sum(ours), np.sum(theirs))


def _ones(kind: str, make: Make) -> bool | None:
    if kind_of(kind).role != "layer":
        return None
    probe = square_case(kind)
    probe = replace(probe, inputs={**probe.inputs, "dout": np.ones_like(probe.inputs["dout"])})
    return any(a is None or not _close(a, b) for a, b in _both(kind, make, probe))


def _assert_close(kind: str, make: Make) -> bool:
    return any(a is None or not _close(a, b) for a, b in _both(kind, make, square_case(kind)))


def _mean_difference(kind: str, make: Make) -> bool:
    pairs = _both(kind, make, square_case(kind))
    return any(a is None or not abs(float(np.mean(np.asarray(a) - b))) < 1e-6 for a, b in pairs)


def _own_differences(kind: str, make: Make) -> bool | None:
    """Central differences of one's own loss <out, dout> in x, against one's own dx."""
    if kind_of(kind).role in ("optimizer", "function"):
        return None
    probe = square_case(kind).cast(np.float64)
    found = run(make, probe, "float64")
    adapter, x = BookAdapter(), probe.inputs["x"].copy()
    layer = adapter.build(make, probe)
    weight = 1.0 if kind_of(kind).role == "loss" else probe.inputs["dout"]

    def loss(_: Array) -> float:
        return float(
            np.sum(adapter.forward(layer, replace(probe, inputs={**probe.inputs, "x": x.copy()})) * weight)
        )

    numeric = sc.numerical_gradient(loss, x)
    return found["dx"] is None or not np.allclose(numeric, found["dx"], rtol=1e-4, atol=1e-5)


CASES: dict[str, Callable[[str, Make], bool | None]] = {
    "sum loss": _sum_loss,
    "ones as cotangent": _ones,
    "assert_close": _assert_close,
    "mean difference": _mean_difference,
    "own differences": _own_differences,
}


# -- the final loss after training ----------------------------------------------------------------
# Kind -> the layer of the small network that a fault of the kind takes the place of.
ROLES = {
    "convolution": "conv1",
    "batch_norm": "bn1",
    "relu": "relu1",
    "max_pooling": "pool1",
    "lrn": "lrn1",
    "average_pooling": "pool2",
    "affine": "affine1",
    "sigmoid": "sigmoid1",
    "dropout": "dropout1",
    "softmax_with_loss": "loss",
}


def final_loss_differs(kind: str, make: Make) -> bool | None:
    """Whether the training loss of a small network distinguishes the faulty layer from the right one."""
    if kind not in ROLES and kind not in OPTIMIZER_KINDS:
        return None
    try:
        with np.errstate(all="ignore"):
            loss = trained_loss(kind, make)
    except Exception:
        return True
    right = trained_loss(kind, None)
    return not abs(loss - right) <= 0.1 * right


@cache
def _right_loss(optimizer: str) -> float:
    return _train(_network({}), _optimizer(optimizer, None))


def trained_loss(kind: str, make: Make | None) -> float:
    """The mean loss of the last ten of forty steps, with the fault in place (None: the right layer)."""
    optimizer = kind if kind_of(kind).role == "optimizer" else "momentum"
    if make is None:
        return _right_loss(optimizer)
    return _train(
        _network({} if kind_of(kind).role == "optimizer" else {ROLES[kind]: make}),
        _optimizer(optimizer, make if kind_of(kind).role == "optimizer" else None),
    )


def _optimizer(kind: str, make: Make | None) -> Any:
    from parity.kinds import kind_of

    lr = {
        "adam": 0.005,
        "adamw": 0.005,
        "rmsprop": 0.005,
        "adagrad": 0.02,
        "adadelta": 1.0,
        "adamax": 0.005,
        "nadam": 0.005,
    }.get(kind, 0.03)
    return (make or kind_of(kind).ours)(lr=lr)


def _network(put: dict[str, Make]) -> list[tuple[str, Any]]:
    rng = np.random.default_rng(3)
    conv = put.get("conv1", sc.Convolution)(rng.normal(0, 0.3, (4, 1, 3, 3)), np.zeros(4), 1, 1)
    layers = [
        ("conv1", conv),
        ("bn1", put.get("bn1", sc.BatchNormalization)(np.ones(4), np.zeros(4))),
        ("relu1", put.get("relu1", sc.Relu)()),
        ("pool1", put.get("pool1", sc.Pooling)(2, 2, stride=2)),
        ("lrn1", put.get("lrn1", sc.LocalResponseNormalization)(3, 0.1, 0.75, 1.0)),
        (
            "pool2",
            put["pool2"](2, 2, stride=2) if "pool2" in put else sc.Pooling(2, 2, stride=2, mode="average"),
        ),
        ("affine1", put.get("affine1", sc.Affine)(rng.normal(0, 0.3, (16, 16)), np.zeros(16))),
        ("sigmoid1", put.get("sigmoid1", sc.Sigmoid)()),
        ("dropout1", put.get("dropout1", sc.Dropout)(0.2)),
        ("affine2", sc.Affine(rng.normal(0, 0.3, (16, 3)), np.zeros(3))),
    ]
    dropout = dict(layers)["dropout1"]
    if hasattr(dropout, "rng"):
        dropout.rng = np.random.default_rng(4)
    return [*layers, ("loss", put.get("loss", sc.SoftmaxWithLoss)())]


def _train(layers: list[tuple[str, Any]], optimizer: Any) -> float:
    """Forty steps on noisy 8x8 pictures of three kinds."""
    rng, losses = np.random.default_rng(5), []
    kinds = rng.random((3, 1, 8, 8))
    params = {f"{n}.{k}": a for n, layer in layers for k, a in layer.params.items()}
    for _ in range(40):
        t = rng.integers(0, 3, 16)
        x = kinds[t] + 0.3 * rng.standard_normal((16, 1, 8, 8))
        for _, layer in layers[:-1]:
            x = layer.forward(x)
        losses.append(float(layers[-1][1].forward(x, t)))
        dout = layers[-1][1].backward()
        for _, layer in reversed(layers[:-1]):
            dout = layer.backward(dout)
        optimizer.update(params, {f"{n}.{k}": layer.grads[k] for n, layer in layers for k in layer.params})
    return float(np.mean(losses[-10:]))
