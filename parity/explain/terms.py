"""A result as a sum of terms of its formula: which term is missing, doubled, has another sign or factor.

The terms of each kind are those of the right formula and those that people put in their place. Of all sums of
at most three terms the first that gives every number is taken; with the right coefficients beside it.
"""

# A probe holds arrays as Any, and lambdas keep loop variables as defaults.
# mypy: disable-error-code="no-any-return, misc"

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from parity.explain import newer_activations
from parity.explain.functions import log_softmax, sigmoid, softmax
from parity.kinds import Probe, kind_of
from scratchcnn.typing import Array

Terms = dict[str, Array]
SAME = 1e-9
TOLERANT = {"batch_norm": 1e-8, "lrn": 1e-8, "softmax": 1e-8}


@dataclass(frozen=True)
class Combination:
    """The coefficients found, by term; `says` completes "dx is PyTorch's ..."."""

    name: str
    coefficients: dict[str, float]
    right: dict[str, float]

    @property
    def says(self) -> str:
        return f"{written(self.coefficients)}, where PyTorch's is {written(self.right)}"

    def size(self, probe: Probe) -> float:
        """The largest number of a term: what is left when terms cancel is rounded at that size."""
        known = terms(self.name, probe)
        sizes = [abs(c) * np.abs(known[t]).max(initial=0) for t, c in self.coefficients.items() if t in known]
        return float(max(sizes, default=0.0))

    def compute(self, probe: Probe) -> Array:
        known = terms(self.name, probe)
        parts = [c * known[term] for term, c in self.coefficients.items() if term in known]
        return np.asarray(sum(parts[1:], start=parts[0])) if parts else np.zeros(())


def written(coefficients: dict[str, float]) -> str:
    """`y*dout - 2*x`"""
    text = ""
    for term, c in coefficients.items():
        size = "" if abs(abs(c) - 1) < 1e-9 else f"{_number(abs(c))} * "
        sign = ("-" if c < 0 else "") if not text else (" - " if c < 0 else " + ")
        text += f"{sign}{size}({term})" if " where " in term else f"{sign}{size}{term}"
    return text or "0"


def _number(c: float) -> str:
    return (
        f"1/{round(1 / c)}"
        if c < 1 and abs(1 / c - round(1 / c)) < 1e-7 and round(1 / c) < 10
        else f"{c:.6g}"
    )


def combination(name: str, probes: Sequence[Probe], found: Sequence[Array]) -> Combination | None:
    """The sum of the fewest terms that gives every number, or None."""
    known = [terms(name, probe) for probe in probes]
    labels = list(dict.fromkeys(label for k in known for label in k))
    known = [
        {label: k.get(label, np.zeros_like(a)) for label in labels} for k, a in zip(known, found, strict=True)
    ]
    for rows, a in zip(known, found, strict=True):
        if a.dtype.kind != "f" or not np.isfinite(a).all() or any(t.shape != a.shape for t in rows.values()):
            return None
    scales = [
        max(float(np.abs(a).max()), *(float(np.abs(t).max()) for t in k.values())) or 1.0
        for a, k in zip(found, known, strict=True)
    ]
    columns = np.stack(
        [
            np.concatenate([(k[label] / s).ravel() for k, s in zip(known, scales, strict=True)])
            for label in labels
        ],
        1,
    )
    target = np.concatenate([(a / s).ravel() for a, s in zip(found, scales, strict=True)])
    if not np.isfinite(columns).all():
        return None
    right = _right(name, probes[0].kind)
    for count in (1, 2, 3):
        for chosen in combinations(range(len(labels)), count):
            part = columns[:, chosen]
            solved, *_ = np.linalg.lstsq(part, target, rcond=None)
            if np.abs(part @ solved - target).max() > 1e-7:
                continue
            if np.abs(solved).min() < 1e-6 or not all(map(_nice, solved)):
                continue
            sum_ = Combination(
                name, {labels[i]: _rounded(c) for i, c in zip(chosen, solved, strict=True)}, right
            )
            if all(_same(sum_.compute(p), a, p.kind) for p, a in zip(probes, found, strict=True)):
                return sum_
    return None


def _nice(c: float) -> bool:
    """Whether it is a number that somebody may have written."""
    return any(abs(v - round(v, 6)) < 1e-9 * max(1, abs(v)) for v in (c, 1 / c)) and 1e-6 < abs(c) < 1e6


def _rounded(c: float) -> float:
    return float(round(c, 6)) if abs(c - round(c, 6)) < 1e-9 * max(1, abs(c)) else float(1 / round(1 / c, 6))


def _same(a: Array, b: Array, kind: str) -> bool:
    scale = max(float(np.abs(b).max(initial=0)), 1e-300)
    return a.shape == b.shape and bool(np.abs(a - b).max(initial=0) <= TOLERANT.get(kind, SAME) * scale)


# -- the kinds ------------------------------------------------------------------------------------
def _relu(name: str, p: Probe) -> Terms:
    x = p.inputs["x"]
    if name == "out":
        return {
            "x where x > 0": x * (x > 0),
            "x where x < 0": x * (x < 0),
            "|x|": np.abs(x),
            "(x - 6) where x > 6": (x - 6) * (x > 6),
            "1 where x < 0": 1.0 * (x < 0),
        }
    dout = p.inputs["dout"]
    return {
        "dout where x > 0": dout * (x > 0),
        "dout where x < 0": dout * (x < 0),
        "dout where x = 0": dout * (x == 0),
        "dout where x > 6": dout * (x > 6),
        "dout where x >= 6": dout * (x >= 6),
        "dout": dout,
        "dout where dout > 0": dout * (dout > 0),
        "dout where dout > 0 and x > 0": dout * (dout > 0) * (x > 0),
        "dout * x where x > 0": dout * x * (x > 0),
    }


def _sigmoid_terms(name: str, p: Probe) -> Terms:
    x = p.inputs["x"]
    y = sigmoid(x)
    if name == "out":
        return {}
    d = p.inputs["dout"]
    s = sigmoid(y)
    return {
        "dout*y": d * y,
        "dout*y**2": d * y * y,
        "dout": d,
        "dout*x": d * x,
        "dout*x**2": d * x * x,
        "dout*sigmoid(y)*(1 - sigmoid(y))": d * s * (1 - s),
        "dout*y**3": d * y**3,
    }


def _tanh_terms(name: str, p: Probe) -> Terms:
    if name == "out":
        return {}
    x, d = p.inputs["x"], p.inputs["dout"]
    a, s = float(p.args.get("amplitude", 1)), float(p.args.get("slope", 1))
    t = np.tanh(s * x)
    found = {
        "amplitude*slope*dout": a * s * d,
        "amplitude*slope*dout*t**2": a * s * d * t * t,
        "dout": d,
        "amplitude*dout": a * d,
        "amplitude*dout*t**2": a * d * t * t,
        "slope*dout": s * d,
        "dout*y**2": d * (a * t) ** 2,
        "slope*dout*y**2": s * d * (a * t) ** 2,
        "amplitude*slope*dout*y**2": a * s * d * (a * t) ** 2,
        "slope*dout*t**2": s * d * t * t,
        "dout*x**2": d * x * x,
        "amplitude*slope*dout*x**2": a * s * d * x * x,
        "amplitude*slope*dout*(slope*x)**2": a * s * d * (s * x) ** 2,
        "dout*t": d * t,
        "amplitude*slope*dout*t": a * s * d * t,
        "amplitude*slope*dout*y": a * s * d * a * t,
    }
    return found


def _silu_terms(name: str, p: Probe) -> Terms:
    if name == "out":
        return {}
    x, d = p.inputs["x"], p.inputs["dout"]
    s = sigmoid(x)
    y = x * s
    sy = sigmoid(y)
    return {
        "dout*s": d * s,
        "dout*x*s*(1 - s)": d * x * s * (1 - s),
        "dout*s**2": d * s * s,
        "dout*y*(1 - y)": d * y * (1 - y),
        "dout*y": d * y,
        "dout*y**2": d * y * y,
        "dout where x > 0": d * (x > 0),
        "dout*sigmoid(y)": d * sy,
        "dout*y*sigmoid(y)*(1 - sigmoid(y))": d * y * sy * (1 - sy),
        "dout": d,
        "dout*x": d * x,
    }


def _softmax_terms(name: str, p: Probe) -> Terms:
    if name == "out":
        return {}
    d, y = p.inputs["dout"], kind_of("softmax").reference(p)["out"]
    dy = d * y
    return {
        "y*dout": dy,
        "y*sum(dout*y)": y * dy.sum(1, keepdims=True),
        "y*sum(dout*y) over the whole batch": y * dy.sum(),
        "y**2*dout": y * dy,
        "dout": d,
        "y": y,
        "sum(dout*y)": np.broadcast_to(dy.sum(1, keepdims=True), y.shape),
        "y*sum(dout)": y * d.sum(1, keepdims=True),
    }


def _loss_terms(name: str, p: Probe) -> Terms:
    x, t = p.inputs["x"], p.inputs["t"]
    N, C = x.shape
    hot = np.asarray(t, float) if t.ndim == 2 else np.eye(C)[t]
    y = softmax(x)
    if name == "loss":
        log = log_softmax(x)
        each = -(hot * log).sum(1)
        return {
            "mean of -log y[t]": np.array(each.mean()),
            "sum of -log y[t]": np.array(each.sum()),
            "-log y[t] of the last image": np.array(each[-1]),
            "-log y[t] of the first image": np.array(each[0]),
            "mean of -log y[t] over N*C": np.array(each.sum() / x.size),
            "mean of -log y over all classes": np.array(-log.mean()),
            "mean of -log2 y[t]": np.array(each.mean() / np.log(2)),
            "squared error of y": np.array(((y - hot) ** 2).sum() / N),
            "mean of -log y over all classes and images": np.array(-log.sum() / N),
        }
    return {
        "y/N": y / N,
        "onehot/N": hot / N,
        "y": y,
        "onehot": hot,
        "y/N**2": y / N**2,
        "onehot/N**2": hot / N**2,
        "y*onehot/N": y * hot / N,
        "1/(N*C)": np.full_like(y, 1 / N / C),
        "y/(N*C)": y / N / C,
        "onehot/(N*C)": hot / N / C,
        "1/N": np.full_like(y, 1 / N),
        "(images with each label)/N": np.broadcast_to(hot.sum(0) / N, y.shape).copy(),
        "(images with each label)/N**2": np.broadcast_to(hot.sum(0) / N**2, y.shape).copy(),
        "(1 at every label of the batch)/N": np.broadcast_to(hot.max(0) / N, y.shape).copy(),
    }


def _dropout_terms(name: str, p: Probe) -> Terms:
    a = p.inputs["x" if name == "out" else "dout"]
    letter = "x" if name == "out" else "dout"
    ratio, training = p.args["dropout_ratio"], "mask" in p.inputs
    mask = p.inputs.get("mask", np.ones(a.shape, bool))
    first = np.broadcast_to(mask[:1], mask.shape)
    whole = np.broadcast_to(mask[:, :, :1, :1], mask.shape) if mask.ndim == 4 else mask
    keep = 1 - ratio

    def pair(train: Array, infer: float = 1.0) -> Array:
        return train if training else a * infer

    return {
        f"{letter}*mask/keep": pair(a * mask / keep),
        f"{letter}*mask": pair(a * mask),
        f"{letter}*mask*keep": pair(a * mask * keep),
        f"{letter}*mask/keep, and {letter}*keep in inference": pair(a * mask / keep, keep),
        f"{letter}*mask, and {letter}*keep in inference": pair(a * mask, keep),
        f"{letter}*mask*keep, and {letter}*keep in inference": pair(a * mask * keep, keep),
        f"{letter}*mask/ratio": pair(a * mask / ratio),
        f"{letter}*(not mask)/keep": pair(a * ~mask / keep),
        f"{letter}*(not mask)": pair(a * ~mask),
        f"{letter}": pair(a),
        f"{letter}/keep": pair(a / keep),
        f"{letter}*(the first image's mask)/keep": pair(a * first / keep),
        f"{letter}*(the mask of each channel's first number)/keep": pair(a * whole / keep),
        f"{letter}*mask*(1/keep rounded to float16)": pair(a * mask * float(np.float16(1 / keep))),
    }


def _rbf_terms(name: str, p: Probe) -> Terms:
    x, W = p.inputs["x"], p.args["W"]
    d = x[:, None] - W
    if name == "out":
        return {
            "sum((x - W)**2)": (d**2).sum(2),
            "sqrt(sum((x - W)**2))": np.sqrt((d**2).sum(2)),
            "x @ W.T": x @ W.T,
            "mean((x - W)**2)": (d**2).mean(2),
            "sum(|x - W|)": np.abs(d).sum(2),
        }
    if name != "dx":
        return {}
    dout = p.inputs["dout"][..., None]
    far = np.sqrt((d**2).sum(2, keepdims=True))
    return {
        "sum(dout*(x - W))": (dout * d).sum(1),
        "dout @ W": p.inputs["dout"] @ W,
        "sum(dout*(x - W)/distance)": (dout * d / np.where(far, far, 1)).sum(1),
    }


def _subsampling_terms(name: str, p: Probe) -> Terms:
    size, x = p.args.get("size", 2), p.inputs["x"]
    c, b = p.args["coefficient"][:, None, None], p.args["bias"][:, None, None]
    if name == "out":
        cut = x[:, :, : x.shape[2] // size * size, : x.shape[3] // size * size]
        total = cut.reshape(*x.shape[:2], cut.shape[2] // size, size, -1, size).sum((3, 5))
        return {
            "coefficient*sum": c * total,
            "bias": np.broadcast_to(b, total.shape),
            "coefficient*bias": np.broadcast_to(c * b, total.shape),
            "coefficient*mean": c * total / size**2,
            "sum": total,
            "coefficient[0]*sum": c[0] * total,
            "coefficient": np.broadcast_to(c, total.shape),
        }
    if name == "dx":
        d = p.inputs["dout"]

        def spread(a: Array) -> Array:
            found = np.zeros_like(x)
            found[:, :, : a.shape[2], : a.shape[3]] = a
            return found

        wide = d.repeat(size, 2).repeat(size, 3)
        tiled = np.tile(d, (1, 1, size, size))
        return {
            "coefficient*dout, repeated": spread(c * wide),
            "dout, repeated": spread(wide),
            "coefficient*dout, tiled": spread(c * tiled),
            "coefficient[0]*dout, repeated": spread(c[0] * wide),
            "dout, tiled": spread(tiled),
        }
    return {}


def _averaged(name: str, p: Probe) -> Terms:
    """Whole images to single numbers."""
    x = p.inputs["x"]
    if name == "out":
        return {
            "mean(x)": x.mean((2, 3)),
            "sum(x)": x.sum((2, 3)),
            "max(x)": x.max((2, 3)),
            "mean(x) over the batch too": np.broadcast_to(x.mean((0, 2, 3)), x.shape[:2]).copy(),
            "x[0, 0]": x[:, :, 0, 0],
        }
    d = p.inputs["dout"][..., None, None]
    H, W = x.shape[2:]
    corner = np.zeros_like(x)
    corner[:, :, 0, 0] = p.inputs["dout"]
    return {
        "dout/(H*W)": d / H / W + 0 * x,
        "dout": d + 0 * x,
        "dout/H**2": d / H**2 + 0 * x,
        "dout/W**2": d / W**2 + 0 * x,
        "dout at the first pixel": corner,
        "dout/(H*W) at the first pixel": corner / H / W,
        "dout/H": d / H + 0 * x,
        "dout/W": d / W + 0 * x,
    }


OF_KINDS: dict[str, Callable[[str, Probe], Terms]] = {
    "relu": _relu,
    "sigmoid": _sigmoid_terms,
    "tanh": _tanh_terms,
    "silu": _silu_terms,
    "softmax": _softmax_terms,
    "softmax_with_loss": _loss_terms,
    "dropout": _dropout_terms,
    "rbf": _rbf_terms,
    "subsampling": _subsampling_terms,
    "global_average_pooling": _averaged,
}


def terms(name: str, probe: Probe) -> Terms:
    """The terms of a result, by name; none for a kind that has no list."""
    key = f"terms {name}"
    if key not in probe.known:
        make = _all().get(probe.kind)
        with np.errstate(all="ignore"):
            probe.known[key] = make(name, probe) if make else {}
    found: Terms = probe.known[key]
    return found


def _all() -> dict[str, Callable[[str, Probe], Terms]]:
    from parity.explain.normalization import OF_KINDS as NORMALIZATION

    return OF_KINDS | newer_activations.OF_KINDS | NORMALIZATION


def _right(name: str, kind: str) -> dict[str, float]:
    return (RIGHT | newer_activations.RIGHT).get((kind, name), {})


RIGHT: dict[tuple[str, str], dict[str, float]] = {
    ("relu", "out"): {"x where x > 0": 1},
    ("relu", "dx"): {"dout where x > 0": 1},
    ("sigmoid", "dx"): {"dout*y": 1, "dout*y**2": -1},
    ("tanh", "dx"): {"amplitude*slope*dout": 1, "amplitude*slope*dout*t**2": -1},
    ("silu", "dx"): {"dout*s": 1, "dout*x*s*(1 - s)": 1},
    ("softmax", "dx"): {"y*dout": 1, "y*sum(dout*y)": -1},
    ("softmax_with_loss", "loss"): {"mean of -log y[t]": 1},
    ("softmax_with_loss", "dx"): {"y/N": 1, "onehot/N": -1},
    ("dropout", "out"): {"x*mask/keep": 1},
    ("dropout", "dx"): {"dout*mask/keep": 1},
    ("rbf", "out"): {"sum((x - W)**2)": 1},
    ("rbf", "dx"): {"sum(dout*(x - W))": 2},
    ("subsampling", "out"): {"coefficient*sum": 1, "bias": 1},
    ("subsampling", "dx"): {"coefficient*dout, repeated": 1},
    ("global_average_pooling", "out"): {"mean(x)": 1},
    ("global_average_pooling", "dx"): {"dout/(H*W)": 1},
    ("batch_norm", "out"): {"gamma*z": 1, "beta": 1},
    ("batch_norm", "dx"): {"dz/std": 1, "mean(dz)/std": -1, "z*mean(dz*z)/std": -1},
    ("batch_norm", "dgamma"): {"sum(dout*z)": 1},
    ("batch_norm", "dbeta"): {"sum(dout)": 1},
}
