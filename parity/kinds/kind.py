"""What can be checked by itself: each kind's definition in PyTorch, and which tensors it yields.

A kind is an operation with a contract (`convolution`, `max_pooling`, `softmax_with_loss`, ...). Its
reference is PyTorch's own function run on a probe's numbers, with autograd for the gradients. Nothing
here knows any implementation: ours, a user's and a deliberately broken one all meet the same kinds.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from parity.comparison.gates import UNIT, largest
from parity.kinds.probe import Probe as Probe
from parity.kinds.probe import Tensors as Tensors


@dataclass(frozen=True)
class Kind:
    """One operation.

    forward  PyTorch's function: (tensors, args) -> output; `tensors` holds the arrays of args and inputs
    wrt      which tensors have gradients; their results are called d<name>
    linear   whether |a| . |b| is the same function on absolute values (for the precision gate's floor)
    sizes    that floor's |a| . |b| where it is neither that nor the result's own largest value
    out      what the result is called
    extra    further results after the call, from the same tensors (batch norm's running statistics)
    """

    name: str
    forward: Callable[[dict[str, Tensor], dict[str, Any]], Tensor]
    wrt: tuple[str, ...] = ("x",)
    linear: bool = False
    out: str = "out"
    extra: Callable[[dict[str, Tensor], dict[str, Any]], dict[str, Tensor]] | None = None
    sizes: Callable[[Probe], dict[str, float]] | None = None

    def reference(self, probe: Probe, dtype: Any = np.float64, device: str = "cpu") -> Tensors:
        """Every result of the kind on this probe, computed by PyTorch in `dtype` on `device`."""
        probe = probe.cast(dtype)
        arrays = {k: v for k, v in {**probe.args, **probe.inputs}.items() if isinstance(v, np.ndarray)}
        tensors = {k: torch.from_numpy(np.ascontiguousarray(v)).to(device) for k, v in arrays.items()}
        leaves = [tensors[name].requires_grad_() for name in self.wrt if name in tensors]
        options = {k: v for k, v in probe.args.items() if k not in tensors}
        out = self.forward(tensors, options)
        results = {self.out: to_numpy(out)}
        if leaves:
            # a loss has no dout; the sum has the same gradients, and spares torch's import of sympy
            total = (out * tensors["dout"]).sum() if "dout" in tensors else out.sum()
            grads = torch.autograd.grad(total, leaves)
            present = [name for name in self.wrt if name in tensors]
            results |= {f"d{name}": to_numpy(g) for name, g in zip(present, grads, strict=True)}
        if self.extra is not None:
            results |= {name: to_numpy(value) for name, value in self.extra(tensors, options).items()}
        return results

    def floors(self, probe: Probe, exact: Tensors, dtype: str = "float32") -> dict[str, float]:
        """sqrt(K) * u * (|a| . |b|) a result: what rounding alone may cost in a dtype."""
        sizes = {name: largest(a) for name, a in exact.items()}
        if self.linear:
            positive = probe.cast(np.float64)
            for arrays in (positive.args, positive.inputs):
                arrays.update({k: np.abs(v) for k, v in arrays.items() if isinstance(v, np.ndarray)})
            sizes = {name: largest(a) for name, a in self.reference(positive).items()}
        if self.sizes is not None:
            sizes |= self.sizes(probe)
        work = sum(a.size for a in {**probe.args, **probe.inputs}.values() if isinstance(a, np.ndarray))
        return {
            name: math.sqrt(max(1, work // max(a.size, 1))) * UNIT[dtype] * sizes[name]
            for name, a in exact.items()
        }


def to_numpy(tensor: torch.Tensor) -> NDArray:
    return tensor.detach().cpu().numpy()


def _pair(value: Any) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else tuple(value)


# -- windows --------------------------------------------------------------------------------------
def _convolution(a: dict[str, Tensor], o: dict[str, Any]) -> Tensor:
    return F.conv2d(
        a["x"],
        a["W"],
        a.get("b"),
        o.get("stride", 1),
        _pair(o.get("pad", 0)),
        o.get("dilation", 1),
        o.get("groups", 1),
    )


def _partial_convolution(a: dict[str, Tensor], o: dict[str, Any]) -> Tensor:
    return _convolution(a | {"W": a["W"] * a["connections"][:, :, None, None]}, o)


def _max_pooling(a: dict[str, Tensor], o: dict[str, Any]) -> Tensor:
    window, stride, pad = (o["pool_h"], o["pool_w"]), o.get("stride", 1), _pair(o.get("pad", 0))
    return F.max_pool2d(a["x"], window, stride, pad, ceil_mode=o.get("ceil_mode", False))


def _min_pooling(a: dict[str, Tensor], o: dict[str, Any]) -> Tensor:
    return -_max_pooling({"x": -a["x"]}, o)


def _average_pooling(a: dict[str, Tensor], o: dict[str, Any]) -> Tensor:
    window, stride, pad = (o["pool_h"], o["pool_w"]), o.get("stride", 1), _pair(o.get("pad", 0))
    return F.avg_pool2d(
        a["x"], window, stride, pad, o.get("ceil_mode", False), o.get("count_include_pad", True)
    )


def _adaptive_average_pooling(a: dict[str, Tensor], o: dict[str, Any]) -> Tensor:
    return F.adaptive_avg_pool2d(a["x"], (o["out_h"], o["out_w"]))


def _subsampling(a: dict[str, Tensor], o: dict[str, Any]) -> Tensor:
    total = F.avg_pool2d(a["x"], o.get("size", 2), divisor_override=1)
    return total * a["coefficient"][:, None, None] + a["bias"][:, None, None]


def _im2col(a: dict[str, Tensor], o: dict[str, Any]) -> Tensor:
    window = (o["filter_h"], o["filter_w"])
    col = F.unfold(a["input_data"], window, 1, _pair(o.get("pad", 0)), o.get("stride", 1))
    return col.transpose(1, 2).flatten(0, 1)  # (N, C*FH*FW, L) -> (N*L, C*FH*FW)


def _col2im(a: dict[str, Tensor], o: dict[str, Any]) -> Tensor:
    N, _, H, W = o["input_shape"]
    col = a["col"].unflatten(0, (N, -1)).transpose(1, 2)  # (N*L, C*FH*FW) -> (N, C*FH*FW, L)
    window = (o["filter_h"], o["filter_w"])
    return F.fold(col, (H, W), window, 1, _pair(o.get("pad", 0)), o.get("stride", 1))


# -- numbers --------------------------------------------------------------------------------------
def _affine(a: dict[str, Tensor], o: dict[str, Any]) -> Tensor:
    out = a["x"].flatten(1) @ a["W"]
    return out + a["b"] if "b" in a else out


def _lrn(a: dict[str, Tensor], o: dict[str, Any]) -> Tensor:
    size = o["size"]
    alpha = o["alpha"] * (size if o.get("paper_alpha") else 1)
    return F.local_response_norm(a["x"], size, alpha, o["beta"], o["k"])


def _dropout(a: dict[str, Tensor], o: dict[str, Any]) -> Tensor:
    if "mask" not in a:  # inference
        return a["x"] * 1
    keep = 1 - o["dropout_ratio"]
    return a["x"] * a["mask"] / keep if keep else a["x"] * 0


def _batch_norm(a: dict[str, Tensor], o: dict[str, Any]) -> Tensor:
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


def _batch_norm_sizes(probe: Probe) -> dict[str, float]:
    """dx is a difference of terms as large as gamma / std * dout, and may be far smaller than they are.

    dgamma and dbeta are sums over a channel that may cancel; dgamma's terms are rounded as (x - mean) / std.
    """
    x, dout, args = probe.inputs["x"], np.abs(probe.inputs["dout"]), probe.args
    axes, column = (0, *range(2, x.ndim)), (-1, *(1,) * (x.ndim - 2))
    training = args.get("training", True)
    mean = x.mean(axis=axes, dtype=np.float64) if training else args["running_mean"]
    var = x.var(axis=axes, dtype=np.float64) if training else args["running_var"]
    std = np.sqrt(var + args.get("eps", 1e-5))
    terms = dout * ((np.abs(x) + np.abs(mean).reshape(column)) / std.reshape(column))
    return {
        "dx": float(np.abs(args["gamma"] / std).max() * dout.max()),
        "dgamma": float(terms.sum(axis=axes).max()),
        "dbeta": float(dout.sum(axis=axes).max()),
    }


def _running(a: dict[str, Tensor], o: dict[str, Any]) -> dict[str, Tensor]:
    return {"running_mean": a["new_mean"], "running_var": a["new_var"]}


def _cross_entropy(a: dict[str, Tensor], o: dict[str, Any]) -> Tensor:
    return F.cross_entropy(a["x"], a["t"])


def _penalty(a: dict[str, Tensor], o: dict[str, Any]) -> Tensor:
    rubbish = torch.full_like(a["x"][:, :1], -o.get("j", 10.0))
    right = a["x"].gather(1, a["t"][:, None])[:, 0]
    return (right + torch.logsumexp(torch.cat([-a["x"], rubbish], 1), 1)).mean()


def _softmax_sizes(probe: Probe) -> dict[str, float]:
    """dx = y * (dout - sum of dout * y): near a certain row its two terms cancel, and dx is far smaller."""
    y = F.softmax(torch.from_numpy(probe.inputs["x"]), dim=1).numpy()
    dout = np.abs(probe.inputs["dout"])
    return {"dx": float((y * (dout + (dout * y).sum(axis=1, keepdims=True))).max())}


def _tanh(a: dict[str, Tensor], o: dict[str, Any]) -> Tensor:
    return o.get("amplitude", 1.0) * torch.tanh(o.get("slope", 1.0) * a["x"])


KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("im2col", _im2col, wrt=(), out="col"),
        Kind("col2im", _col2im, wrt=(), linear=True, out="img"),
        Kind("convolution", _convolution, ("x", "W", "b"), linear=True),
        Kind("partial_convolution", _partial_convolution, ("x", "W", "b"), linear=True),
        Kind("max_pooling", _max_pooling),
        Kind("average_pooling", _average_pooling, linear=True),
        Kind("min_pooling", _min_pooling),
        Kind("adaptive_average_pooling", _adaptive_average_pooling, linear=True),
        Kind("global_average_pooling", lambda a, o: F.adaptive_avg_pool2d(a["x"], 1).flatten(1), linear=True),
        Kind("subsampling", _subsampling, ("x", "coefficient", "bias"), linear=True),
        Kind("affine", _affine, ("x", "W", "b"), linear=True),
        Kind("flatten", lambda a, o: a["x"].flatten(1) * 1),
        Kind("rbf", lambda a, o: ((a["x"][:, None] - a["W"]) ** 2).sum(2)),
        Kind("relu", lambda a, o: F.relu(a["x"])),
        Kind("sigmoid", lambda a, o: torch.sigmoid(a["x"])),
        Kind("tanh", _tanh),
        Kind("softmax", lambda a, o: F.softmax(a["x"], dim=1), sizes=_softmax_sizes),
        Kind("softmax_with_loss", _cross_entropy, out="loss"),
        Kind("penalty_loss", _penalty, out="loss"),
        Kind("lrn", _lrn),
        Kind("dropout", _dropout),
        Kind("batch_norm", _batch_norm, ("x", "gamma", "beta"), extra=_running, sizes=_batch_norm_sizes),
    )
}
