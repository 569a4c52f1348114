"""Batch normalization and local response normalization: their terms, and their statistics with one change."""

# A probe holds arrays as Any, and lambdas keep loop variables as defaults.
# mypy: disable-error-code="no-any-return, misc"

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from parity.kinds import Probe
from scratchcnn.typing import Array

Terms = dict[str, Array]
Window = Callable[[int, int, int], tuple[int, int]]  # (channel, size, channels) -> first, end
Constants = Callable[[float, float, float, int], tuple[float, float, float]]  # -> alpha, beta, k


def _batch_norm(name: str, p: Probe) -> Terms:
    x, a = p.inputs["x"], p.args
    axes, shape = (0, *range(2, x.ndim)), (1, -1, *(1,) * (x.ndim - 2))
    eps = a.get("eps", 1e-5)
    mean, var, count = x.mean(axes), x.var(axes), x.size // x.shape[1]
    training = a.get("training", True)
    if name.startswith("running"):
        return {}
    use_mean, use_var = (mean, var) if training else (a["running_mean"], a["running_var"])
    std = np.sqrt(use_var + eps).reshape(shape)
    z = (x - use_mean.reshape(shape)) / std
    gamma, beta = a["gamma"].reshape(shape), a["beta"].reshape(shape)
    one = np.ones_like(x)
    if name == "out":
        return {
            "gamma*z": gamma * z,
            "beta": beta * one,
            "z": z,
            "gamma*beta": gamma * beta * one,
            "gamma": gamma * one,
            "gamma*eps": eps * gamma * one,
        }
    d = p.inputs["dout"]
    if name in ("dgamma", "dbeta"):
        centred = x - use_mean.reshape(shape)
        return {
            "sum(dout*z)": (d * z).sum(axes),
            "sum(dout)": d.sum(axes),
            "mean(dout*z)": (d * z).mean(axes),
            "mean(dout)": d.mean(axes),
            "sum(dout*x)": (d * x).sum(axes),
            "sum(dout*(x - mean))": (d * centred).sum(axes),
            "sum(dout*z) over the batch, averaged over the image": (d * z).sum(axes)
            / max(1, count // len(x)),
            "sum(dout*gamma*z)": (d * gamma * z).sum(axes),
        }
    if name != "dx":
        return {}
    dz = d * gamma
    if not training:
        bm, bv = mean.reshape(shape), var.reshape(shape)
        zb = (x - bm) / np.sqrt(bv + eps)
        s = np.sqrt(bv + eps)
        wrong = (dz - dz.mean(axes, keepdims=True) - z * (dz * z).mean(axes, keepdims=True)) / std
        other = (dz - dz.mean(axes, keepdims=True) - zb * (dz * zb).mean(axes, keepdims=True)) / s
        zero = 0 * one
        return {
            "dz/std": dz / std,
            "mean(dz)/std": zero,
            "z*mean(dz*z)/std": zero,
            "dout/std": d / std,
            "sum(dz)/std": zero,
            "z*sum(dz*z)/std": zero,
            "mean(dout)/std": zero,
            "z*mean(dout*z)/std": zero,
            "dz": dz,
            "dx as in training": wrong,
            "dx as in training, with the batch's statistics": other,
        }
    found = {}
    for word, part in (("dz", dz), ("dout", d)):
        found[f"{word}/std"] = part / std
        found[f"mean({word})/std"] = part.mean(axes, keepdims=True) / std * one
        found[f"z*mean({word}*z)/std"] = z * (part * z).mean(axes, keepdims=True) / std
        found[f"sum({word})/std"] = part.sum(axes, keepdims=True) / std * one
        found[f"z*sum({word}*z)/std"] = z * (part * z).sum(axes, keepdims=True) / std
    return found | {
        "dz": dz,
        "dx as in training": found["dz/std"] - found["mean(dz)/std"] - found["z*mean(dz*z)/std"],
    }


# -- statistics with one thing changed ------------------------------------------------------------
Rule = tuple[str, Callable[[Probe], tuple[Array, Array]]]  # words, (mean, std) for broadcasting


def _statistics() -> Iterator[Rule]:
    """The mean and the standard deviation that training divides by, with one change."""

    def rule(
        over: Callable[[Array], tuple[int, ...]], std: Callable[[Array, Array, float, int], Array]
    ) -> Callable[[Probe], tuple[Array, Array]]:
        def compute(p: Probe) -> tuple[Array, Array]:
            x, eps = p.inputs["x"], p.args.get("eps", 1e-5)
            axes = over(x)
            mean = x.mean(axes, keepdims=True)
            return mean, std(x, x.var(axes, keepdims=True), eps, x.size // mean.size)

        return compute

    def channels(x: Array) -> tuple[int, ...]:
        return (0, *range(2, x.ndim))

    yield "sqrt(var) + eps for sqrt(var + eps)", rule(channels, lambda x, v, e, n: np.sqrt(v) + e)
    yield "no eps", rule(channels, lambda x, v, e, n: np.sqrt(v))
    yield "a division by var + eps, without the root", rule(channels, lambda x, v, e, n: v + e)
    yield "the unbiased variance", rule(channels, lambda x, v, e, n: np.sqrt(v * n / max(n - 1, 1) + e))
    yield (
        "mean(x**2) for the variance",
        rule(channels, lambda x, v, e, n: np.sqrt((x**2).mean(channels(x), keepdims=True) + e)),
    )
    for eps in (1e-3, 1e-6, 1e-7, 1e-8, 1e-12, 10e-7):
        yield f"an eps of {eps:g}", rule(channels, lambda x, v, e, n, eps=eps: np.sqrt(v + eps))
    places: tuple[tuple[str, Callable[[Array], tuple[int, ...]]], ...] = (
        ("for each pixel", lambda x: (0,)),
        ("for each image", lambda x: tuple(range(1, x.ndim))),
        ("for each image and channel", lambda x: tuple(range(2, x.ndim)) or (1,)),
        ("for all channels together", lambda x: tuple(range(x.ndim))),
        ("for each row of an image", lambda x: (0, 2) if x.ndim == 4 else (0,)),
        ("for each row of an image", lambda x: (0, 3) if x.ndim == 4 else (0,)),
    )
    for words, over in places:
        yield f"mean and variance {words}", rule(over, lambda x, v, e, n: np.sqrt(v + e))


def batch_norm_candidates(
    name: str, inference: bool
) -> Iterator[tuple[str, Callable[[Probe], Array | None]]]:
    """out, dx, dgamma and the running statistics with other statistics in training (or in inference too)."""
    if name.startswith("running"):
        yield from _running(name)
    for words, rule in _statistics():
        for both in (False, True):
            for back in ("own", "right"):
                if name not in ("dx", "dgamma") and back == "right":
                    continue

                def compute(
                    p: Probe,
                    rule: Callable[[Probe], tuple[Array, Array]] = rule,
                    both: bool = both,
                    back: str = back,
                    words: str = words,
                ) -> Array | None:
                    return _with(name, p, rule, both, back)

                yield f"PyTorch's with {words}", compute
    yield (
        "PyTorch's with the batch's statistics in inference",
        lambda p: _with(name, p, _right_statistics, True, "own"),
    )


def _running(name: str) -> Iterator[tuple[str, Callable[[Probe], Array | None]]]:
    """The running statistics with other weights, or of another statistic."""

    def channels(x: Array) -> tuple[int, ...]:
        return (0, *range(2, x.ndim))

    def unbiased(x: Array) -> Array:
        n = x.size // x.shape[1]
        return x.var(channels(x)) * n / max(n - 1, 1)

    batch: dict[str, Callable[[Array], Array]] = (
        {"mean": lambda x: x.mean(channels(x))}
        if name == "running_mean"
        else {
            "unbiased var": unbiased,
            "var": lambda x: x.var(channels(x)),
            "std": lambda x: np.sqrt(unbiased(x)),
            "biased std": lambda x: np.sqrt(x.var(channels(x))),
            "mean of x**2": lambda x: (x**2).mean(channels(x)),
            "unbiased mean of x**2": lambda x: (
                (x**2).mean(channels(x)) * (n := x.size // x.shape[1]) / max(n - 1, 1)
            ),
        }
    )
    weights: dict[str, Callable[[float], tuple[float, float]]] = {
        "momentum*old + (1 - momentum)*{}": lambda m: (m, 1 - m),
        "(1 - momentum)*old + momentum*{}": lambda m: (1 - m, m),
        "{}": lambda m: (0.0, 1.0),
        "old: it never moves": lambda m: (1.0, 0.0),
        "momentum*old + {}": lambda m: (m, 1.0),
        "old + (1 - momentum)*{}": lambda m: (1.0, 1 - m),
    }
    for text, weight in weights.items():
        for word, value in batch.items():
            for always in (False, True):

                def compute(
                    p: Probe, weight: Any = weight, value: Any = value, always: bool = always
                ) -> Array:
                    a, b = weight(p.args.get("momentum", 0.9))
                    if p.args.get("training", True) or always:
                        return np.asarray(a * p.args[name] + b * value(p.inputs["x"]))
                    return np.asarray(p.args[name])

                yield text.format(word) + (", in inference too" if always else ""), compute


def _right_statistics(p: Probe) -> tuple[Array, Array]:
    x = p.inputs["x"]
    axes = (0, *range(2, x.ndim))
    return x.mean(axes, keepdims=True), np.sqrt(x.var(axes, keepdims=True) + p.args.get("eps", 1e-5))


def _with(
    name: str, p: Probe, rule: Callable[[Probe], tuple[Array, Array]], both: bool, back: str
) -> Array | None:
    x, a, training = p.inputs["x"], p.args, p.args.get("training", True)
    axes, shape = (0, *range(2, x.ndim)), (1, -1, *(1,) * (x.ndim - 2))
    if training or (both and rule is _right_statistics):
        mean, std = rule(p)
    else:
        mean = a["running_mean"].reshape(shape)
        var = a["running_var"].reshape(shape)
        std = _inferred(rule, p, var) if both else np.sqrt(var + a.get("eps", 1e-5))
    z = (x - mean) / std
    gamma, beta = a["gamma"].reshape(shape), a["beta"].reshape(shape)
    if name == "out":
        return gamma * z + beta
    d = p.inputs["dout"]
    if name == "dgamma":
        return (d * z).sum(axes)
    if name == "dbeta":
        return d.sum(axes)
    dz = d * gamma
    if name == "dx":
        if not training and not (both and rule is _right_statistics and back == "own"):
            return dz / std
        over = tuple(i for i in range(x.ndim) if mean.shape[i] == 1) if back == "own" else axes
        return (dz - dz.mean(over, keepdims=True) - z * (dz * z).mean(over, keepdims=True)) / std
    if name.startswith("running"):
        if not training:
            return a[name]
        m, count = a.get("momentum", 0.9), x.size // np.size(mean)
        if np.size(mean) == 1:
            mean = np.full(x.shape[1], mean.ravel()[0])
            var = np.full(x.shape[1], x.var())
        else:
            if mean.size != x.shape[1]:
                return None
            mean, var = mean.ravel(), x.var(axes)
        new = mean if name == "running_mean" else var * count / max(count - 1, 1)
        return m * a[name] + (1 - m) * new
    return None


def _inferred(rule: Callable[[Probe], tuple[Array, Array]], p: Probe, var: Array) -> Array:
    """The rule's divisor with the running variance in place of the batch's: read off two cases."""
    eps = p.args.get("eps", 1e-5)
    x = np.array([[-1.0], [1.0]])
    scaled = np.empty_like(var)
    for i, v in enumerate(var.ravel()):
        probe = Probe("batch_norm", "", {"eps": eps}, {"x": x * np.sqrt(v)})
        scaled.flat[i] = float(rule(probe)[1].ravel()[0])
    return scaled


# -- local response normalization -----------------------------------------------------------------
def lrn_candidates(name: str) -> Iterator[tuple[str, Callable[[Probe], Array | None]]]:
    """The sum over neighbouring channels with one thing changed, forward and backward or backward alone."""
    shapes: dict[str, Callable[[int, int, int], tuple[int, int]]] = {
        "": lambda c, n, C: (c - n // 2, c - n // 2 + n),
        "a window of n channels to either side": lambda c, n, C: (c - n, c + n + 1),
        "a window that starts at the channel itself": lambda c, n, C: (c, c + n),
        "a window that ends at the channel itself": lambda c, n, C: (c - n + 1, c + 1),
        "a window without its last channel": lambda c, n, C: (c - n // 2, c - n // 2 + n - 1),
        "an even window that leans the other way": lambda c, n, C: (c - (n - 1) // 2, c - (n - 1) // 2 + n),
        "a window without the channel itself at its end": lambda c, n, C: (c - n // 2, c + n // 2),
    }
    constants: dict[str, Callable[[float, float, float, int], tuple[float, float, float]]] = {
        "": lambda a, b, k, n: (a / n, b, k),
        "alpha for alpha / n": lambda a, b, k, n: (a, b, k),
        "alpha / n**2 for alpha / n": lambda a, b, k, n: (a / n**2, b, k),
        "k = 1 whatever was given": lambda a, b, k, n: (a / n, b, 1.0),
        "k = 2 whatever was given": lambda a, b, k, n: (a / n, b, 2.0),
        "beta = 1/2 whatever was given": lambda a, b, k, n: (a / n, 0.5, k),
        "beta = 1 whatever was given": lambda a, b, k, n: (a / n, 1.0, k),
    }
    crosses = ("", "none", "own", "mirrored", "one", "power", "alpha")
    energies = ("", "magnitudes", "wraps", "averaged", "rows")
    words = {
        "none": "no cross terms in dx",
        "own": "the channel's own cross term alone in dx",
        "mirrored": "forward's window in dx where it must be mirrored",
        "one": "cross terms without their factor 2 in dx",
        "power": "the power -beta for -beta - 1 in dx's cross terms",
        "alpha": "alpha for alpha / n in dx's cross terms",
        "magnitudes": "the sum of magnitudes for the sum of squares",
        "wraps": "a window that wraps around the channels",
        "averaged": "the energy averaged over the channels that exist",
        "rows": "a window along the image's rows instead of the channels",
    }
    options = [(s, "", "", "") for s in shapes] + [("", c, "", "") for c in constants if c]
    options += [("", "", x, "") for x in crosses if x] + [("", "", "", e) for e in energies if e]
    for shape, constant, cross, energy in options:
        says = shape or constant or words.get(cross or energy, "")
        if not says or (cross and name != "dx"):
            continue

        def compute(
            p: Probe, shape: str = shape, constant: str = constant, cross: str = cross, energy: str = energy
        ) -> Array:
            return _lrn(name, p, shapes[shape], constants[constant], cross, energy)

        yield f"PyTorch's with {says}", compute
        if name == "dx":

            def from_autograd(
                p: Probe, shape: str = shape, constant: str = constant, energy: str = energy
            ) -> Array:
                return _lrn("dx", p, shapes[shape], constants[constant], "", energy, True)

            yield f"PyTorch's with {says}, in forward alone", from_autograd


def _lrn(
    name: str,
    p: Probe,
    shape: Window,
    constant: Constants,
    cross: str,
    energy: str,
    forward_only: bool = False,
) -> Array:
    x, o = p.inputs["x"], p.args
    C, n = x.shape[1], o["size"]
    alpha, beta, k = constant(o["alpha"] * (n if o.get("paper_alpha") else 1), o["beta"], o["k"], n)
    M = _members(C, n, shape, energy)
    square = np.abs(x) if energy == "magnitudes" else x**2
    if energy == "rows":
        M = _members(x.shape[3], n, shape, "")
        total = np.einsum("ij,nchj->nchi", M, square)
    else:
        total = np.einsum("ij,njhw->nihw", M, square)
    if energy == "averaged":
        total = total * (n / M.sum(1))[:, None, None]
    s = k + alpha * total
    if name == "out":
        return x * s**-beta
    d = p.inputs["dout"]
    if forward_only:
        M, s = _members(C, n, lambda c, n, C: (c - n // 2, c - n // 2 + n), ""), s
    power = -beta if cross == "power" else -beta - 1
    inner = d * x * s**power
    if energy == "averaged":
        inner = inner * (n / M.sum(1))[:, None, None]
    if energy == "rows":
        back = np.einsum("ij,nchi->nchj", M, inner)
    else:
        mixed = {"none": np.zeros_like(M), "own": np.eye(C), "mirrored": M}.get(cross, M.T)
        back = np.einsum("ij,njhw->nihw", mixed, inner)
    factor = (1 if cross == "one" else 2) * (alpha * n if cross == "alpha" else alpha) * beta
    slope = np.sign(x) / 2 if energy == "magnitudes" else x
    return d * s**-beta - factor * slope * back


def _members(C: int, n: int, shape: Window, energy: str) -> Array:
    """1 where channel j is in the window of channel i."""
    found = np.zeros((C, C))
    for i in range(C):
        low, high = shape(i, n, C)
        for j in range(low, high):
            if energy == "wraps":
                found[i, j % C] += 1
            elif 0 <= j < C:
                found[i, j] = 1
    return found


OF_KINDS = {"batch_norm": _batch_norm}
