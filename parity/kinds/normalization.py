"""Local response normalization (AlexNet) and batch normalization."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

import scratchcnn as sc
from parity.kinds.kind import LAYER, Operation, Options
from parity.kinds.probe import Probe, Rng, needs, normal, quarters
from parity.kinds.torch_when_used import F
from parity.kinds.windows import images

if TYPE_CHECKING:
    from torch import Tensor


# -- PyTorch's functions ---------------------------------------------------------------------------
def lrn(a: dict[str, Tensor], o: Options) -> Tensor:
    size = o["size"]
    alpha = o["alpha"] * (size if o.get("paper_alpha") else 1)
    return F.local_response_norm(a["x"], size, alpha, o["beta"], o["k"])


def batch_norm(a: dict[str, Tensor], o: Options) -> Tensor:
    training = o.get("training", True)
    a["new_mean"], a["new_var"] = a["running_mean"].clone(), a["running_var"].clone()
    return F.batch_norm(
        a["x"],
        a["new_mean"],
        a["new_var"],
        a["gamma"],
        a["beta"],
        training,
        1 - o.get("momentum", 0.9),
        o.get("eps", 1e-5),
    )


def batch_norm_options(a: dict[str, Tensor], o: Options) -> Tensor:
    """momentum=None is the mean over all batches, as torch.nn.BatchNorm2d calls this function."""
    has = "running_mean" in a
    if has:
        a["new_mean"], a["new_var"] = a["running_mean"].clone(), a["running_var"].clone()
    momentum = o.get("momentum", 0.9)
    new = 1 / (o.get("batches", 0) + 1) if momentum is None else 1 - momentum
    training, eps = o.get("training", True) or not has, o.get("eps", 1e-5)
    mean, var = a.get("new_mean"), a.get("new_var")
    return F.batch_norm(a["x"], mean, var, a.get("gamma"), a.get("beta"), training, new, eps)


def _running_if_any(a: dict[str, Tensor], o: Options) -> dict[str, Tensor]:
    return _running(a, o) if "new_mean" in a else {}


def _running(a: dict[str, Tensor], o: Options) -> dict[str, Tensor]:
    return {"running_mean": a["new_mean"], "running_var": a["new_var"]}


def _batch_norm_sizes(probe: Probe) -> dict[str, float]:
    """dx is a difference of terms as large as gamma / std * dout, and may be far smaller than they are.

    dgamma and dbeta are sums over a channel that may cancel; dgamma's terms are rounded as (x - mean) / std.
    """
    x, dout, args = probe.inputs["x"], np.abs(probe.inputs["dout"]), probe.args
    axes, column = (0, *range(2, x.ndim)), (-1, *(1,) * (x.ndim - 2))
    training = args.get("training", True) or "running_mean" not in args
    mean = x.mean(axis=axes, dtype=np.float64) if training else args["running_mean"]
    var = x.var(axis=axes, dtype=np.float64) if training else args["running_var"]
    std = np.sqrt(var + args.get("eps", 1e-5))
    terms = dout * ((np.abs(x) + np.abs(mean).reshape(column)) / std.reshape(column))
    return {
        "dx": float(np.abs(args.get("gamma", 1.0) / std).max() * dout.max()),
        "dgamma": float(terms.sum(axis=axes).max()),
        "dbeta": float(dout.sum(axis=axes).max()),
    }


# -- inputs to try ---------------------------------------------------------------------------------
def _lrns(rng: Rng) -> Iterator[Probe]:
    for name, shape, size, alpha, beta, k, scale in (
        ("one channel", (1, 1, 2, 3), 3, 0.1, 0.75, 1.0, 1.0),
        ("AlexNet's constants", (2, 7, 2, 3), 5, 1e-4, 0.75, 2.0, 30.0),
        ("strong", (2, 6, 3, 2), 3, 0.5, 0.75, 1.0, 1.0),
        ("an even window", (2, 6, 2, 3), 4, 0.5, 0.75, 2.0, 1.0),
        ("a window wider than the channels", (2, 3, 2, 3), 7, 0.3, 0.5, 1.5, 1.0),
    ):
        args = {"size": size, "alpha": alpha, "beta": beta, "k": k}
        asked = needs(even_window=size % 2 == 0)
        yield Probe("lrn", name, args, {"x": normal(rng, *shape, scale=scale)}, asked)


def _batch_norms(rng: Rng) -> Iterator[Probe]:
    for name, shape, shift, scale in (
        ("two rows", (2, 3), 0.0, 1.0),
        ("5x4", (5, 4), 1.0, 2.0),
        ("images", (3, 2, 4, 5), 0.5, 1.0),
        ("one image", (1, 3, 2, 3), 0.0, 1.0),
        ("small values", (4, 3), 0.0, 2.0**-14),
    ):
        for training in (True, False):
            C = shape[1]
            args = {
                "gamma": normal(rng, C),
                "beta": normal(rng, C),
                "momentum": 0.8,
                "running_mean": normal(rng, C),
                "running_var": 0.5 + np.abs(normal(rng, C)),
            }
            if not training:
                args["training"] = False
            asked = needs(images=len(shape) > 2)
            x = normal(rng, *shape, scale=scale) + shift
            yield Probe("batch_norm", name if training else f"{name}, inference", args, {"x": x}, asked)


def _batch_norm_options(rng: Rng) -> Iterator[Probe]:
    for shape in ((4, 3), (2, 3, 2, 4)):
        C = shape[1]
        scaled = {"gamma": normal(rng, C), "beta": normal(rng, C)}
        running = {"running_mean": normal(rng, C), "running_var": 0.5 + np.abs(normal(rng, C))}
        mean = {"momentum": None, "batches": 3}
        for name, args in (
            ("the mean of all batches", scaled | running | mean),
            ("the first batch", scaled | running | {"momentum": None}),
            ("no gamma and beta", running | {"momentum": 0.8}),
            ("no gamma and beta, inference", running | {"momentum": 0.8, "training": False}),
            ("no running statistics", scaled),
            ("no running statistics, inference", scaled | {"training": False}),
            ("none of them", {}),
            ("all of them", scaled | running | {"momentum": 0.8}),
        ):
            plain = needs(images=len(shape) > 2, batches="batches" in args)
            x = 2 * normal(rng, *shape) + 0.5
            case = f"{name}, images" if len(shape) > 2 else name
            yield Probe("batch_norm_options", case, args, {"x": x}, plain)


def _real_lrns(rng: Rng) -> Iterator[Probe]:
    for shape, size in (
        ((2, 8, 5, 6), 5),
        ((7, 16, 8, 9), 3),
        ((2, 20, 5, 5), 8),
        ((2, 20, 5, 5), 11),
        ((1, 256, 13, 13), 5),
        ((32, 12, 4, 4), 5),
        ((1, 8, 55, 56), 5),
        ((100, 8, 4, 4), 5),
    ):
        args = {"size": size, "alpha": 0.125, "beta": 0.75, "k": 2.0}
        name = f"{'x'.join(map(str, shape))}, {size} channels wide"
        yield Probe("lrn", name, args, {"x": quarters(rng, *shape)}, needs(even_window=size % 2 == 0))


REAL_BATCHES: tuple[tuple[int, ...], ...] = (
    *((6, 5), (7, 100), (32, 256), (100, 64)),
    *((2, 2048, 3, 3), (7, 64, 8, 8), (32, 16, 14, 14), (100, 8, 7, 7), (1, 3, 56, 57)),
)


def _real_batch_norms(rng: Rng) -> Iterator[Probe]:
    for shape in REAL_BATCHES:
        for training in (True, False):
            C = shape[1]
            args = {
                "gamma": quarters(rng, C),
                "beta": quarters(rng, C),
                "momentum": 0.75,
                "running_mean": quarters(rng, C),
                "running_var": 0.5 + np.abs(quarters(rng, C)),
            }
            name = "x".join(map(str, shape)) + ("" if training else ", inference")
            args |= {} if training else {"training": False}
            x = quarters(rng, *shape) + 0.5
            yield Probe("batch_norm", name, args, {"x": x}, needs(images=len(shape) > 2))


def _real_batch_norm_options(rng: Rng) -> Iterator[Probe]:
    for shape in REAL_BATCHES:
        C = shape[1]
        scaled = {"gamma": quarters(rng, C), "beta": quarters(rng, C)}
        running = {"running_mean": quarters(rng, C), "running_var": 0.5 + np.abs(quarters(rng, C))}
        for name, args in (
            ("the mean of all batches", scaled | running | {"momentum": None, "batches": 3}),
            ("no running statistics, inference", {"training": False}),
        ):
            asked = needs(images=len(shape) > 2, batches="batches" in args)
            case = f"{'x'.join(map(str, shape))}, {name}"
            yield Probe("batch_norm_options", case, args, {"x": quarters(rng, *shape) + 0.5}, asked)


def _timed_lrn(rng: Rng, N: int, side: int) -> tuple[dict[str, Any], dict[str, Any]]:
    return {"size": 5, "alpha": 1e-4, "beta": 0.75, "k": 2.0}, images(rng, N, side)


def _timed_batch_norm(rng: Rng, N: int, side: int) -> tuple[dict[str, Any], dict[str, Any]]:
    arrays = {"gamma": normal(rng, 64), "beta": normal(rng, 64)}
    return arrays | {"running_mean": np.zeros(64), "running_var": np.ones(64)}, images(rng, N, side)


# -- kinds -----------------------------------------------------------------------------------------
LRN = Operation(
    name="lrn",
    formula=lrn,
    probes=_lrns,
    ours=sc.LocalResponseNormalization,
    call=f"cls(size, alpha, beta, k){LAYER}; alpha is divided by size, as in PyTorch",
    aliases=("localresponsenormalization", "localresponsenorm"),
    order=("size", "alpha", "beta", "k"),
    optional={"paper_alpha": False},
    real=_real_lrns,
    timed=_timed_lrn,
)
BATCH_NORM = Operation(
    name="batch_norm",
    formula=batch_norm,
    probes=_batch_norms,
    ours=sc.BatchNormalization,
    extra=_running,
    sizes=_batch_norm_sizes,
    switches=True,
    call="cls(gamma, beta, momentum, running_mean, running_var); forward(x, train_flg=True) -> out, "
    "backward(dout) -> dx; then .dgamma, .dbeta, .running_mean, .running_var",
    aliases=("batchnormalization", "batchnorm2d", "batchnorm1d", "batchnormalize", "bn", "bn1d", "bn2d"),
    order=("gamma", "beta", "momentum", "running_mean", "running_var"),
    optional={"eps": 1e-5},
    params=("gamma", "beta"),
    buffers=("running_mean", "running_var"),
    real=_real_batch_norms,
    timed=_timed_batch_norm,
)
BATCH_NORM_OPTIONS = Operation(
    name="batch_norm_options",
    formula=batch_norm_options,
    probes=_batch_norm_options,
    ours=sc.BatchNorm,
    extra=_running_if_any,
    sizes=_batch_norm_sizes,
    switches=True,
    call="cls(gamma=None, beta=None, momentum=0.9, running_mean=None, running_var=None, eps=1e-5, "
    "batches=0); forward(x, train_flg=True) -> out, backward(dout) -> dx; momentum=None: the mean of all "
    "batches",
    optional={
        "gamma": None,
        "beta": None,
        "momentum": 0.9,
        "running_mean": None,
        "running_var": None,
        "eps": 1e-5,
        "batches": 0,
    },
    params=("gamma", "beta"),
    buffers=("running_mean", "running_var"),
    real=_real_batch_norm_options,
)

KINDS = (LRN, BATCH_NORM, BATCH_NORM_OPTIONS)
