"""Batch normalization (book, section 6.3) and local response normalization."""

from __future__ import annotations

import math

import numpy as np

from scratchcnn.naive.windows import Index, as_float64, indices
from scratchcnn.typing import Array


def lrn_forward(x: Array, size: int, alpha: float, beta: float, k: float, paper_alpha: bool = False) -> Array:
    """(N, C, H, W) -> the same shape: out[c] = x[c] * scale[c]**-beta at every pixel, with

        scale[c] = k + alpha / size * (sum of x**2 over the channels c - size // 2 .. c + (size - 1) // 2)

    This is `torch.nn.functional.local_response_norm`; `paper_alpha` omits the "/ size", as do
    Krizhevsky et al. 2012, section 3.3.
    """
    x64 = as_float64(x, "x", "N", "C", "H", "W")
    a, out = alpha if paper_alpha else alpha / size, np.zeros(x64.shape)
    for n, c, h, w in indices(*x64.shape):
        out[n, c, h, w] = x64[n, c, h, w] * _scale(x64, n, c, h, w, size, a, k) ** -beta
    return out.astype(x.dtype)


def lrn_backward(
    dout: Array, x: Array, size: int, alpha: float, beta: float, k: float, paper_alpha: bool = False
) -> Array:
    """Each out[c] passes its dout on to its own x[c] and, through scale, to each x[j] of its window:

    d out[c] / d x[j] = (scale**-beta if j == c) - beta * x[c] * scale**(-beta - 1) * 2 * a * x[j]
    """
    x64 = as_float64(x, "x", "N", "C", "H", "W")
    dout64, dx = as_float64(dout, "dout", *x64.shape), np.zeros(x64.shape)
    a = alpha if paper_alpha else alpha / size
    for n, c, h, w in indices(*x64.shape):
        d, scale = dout64[n, c, h, w], _scale(x64, n, c, h, w, size, a, k)
        dx[n, c, h, w] += d * scale**-beta
        for j in _window(c, size, x64.shape[1]):
            dx[n, j, h, w] -= d * beta * x64[n, c, h, w] * scale ** (-beta - 1) * 2 * a * x64[n, j, h, w]
    return dx.astype(x.dtype)


def _window(c: int, size: int, C: int) -> list[int]:
    return [j for j in range(c - size // 2, c + (size - 1) // 2 + 1) if 0 <= j < C]


def _scale(x: Array, n: int, c: int, h: int, w: int, size: int, a: float, k: float) -> float:
    total = 0.0
    for j in _window(c, size, x.shape[1]):
        total += x[n, j, h, w] ** 2
    return k + a * total


def batch_norm_forward(
    x: Array,
    gamma: Array,
    beta: Array,
    running_mean: Array,
    running_var: Array,
    momentum: float = 0.9,
    eps: float = 1e-5,
    training: bool = True,
) -> tuple[Array, Array, Array]:
    """(N, C) or (N, C, H, W) -> out, new running_mean, new running_var; the other arrays are (C,).

        out = gamma * (x - mean) / sqrt(var + eps) + beta          (Ioffe and Szegedy 2015, algorithm 1)

    In training, mean and var are those of the batch, over all numbers of a channel, with var divided by
    their count; running = momentum * running + (1 - momentum) * batch, where var is divided by count - 1.
    So momentum is the share that is kept, as in the book; PyTorch's is 1 minus that. In inference, mean
    and var are the running ones.
    """
    x64, C = _images(x)
    gamma64, beta64 = as_float64(gamma, "gamma", C), as_float64(beta, "beta", C)
    new_mean, new_var = as_float64(running_mean, "running_mean", C), as_float64(running_var, "running_var", C)
    out = np.zeros(x64.shape)
    for c in range(C):
        mean, var = new_mean[c], new_var[c]
        cells = _channel(x64.shape, c)
        if training:
            mean, var = _statistics(x64, cells)
            new_mean[c] = momentum * new_mean[c] + (1 - momentum) * mean
            new_var[c] = momentum * new_var[c] + (1 - momentum) * var * len(cells) / (len(cells) - 1)
        for cell in cells:
            out[cell] = gamma64[c] * (x64[cell] - mean) / math.sqrt(var + eps) + beta64[c]
    return out.astype(x.dtype), new_mean.astype(x.dtype), new_var.astype(x.dtype)


def batch_norm_backward(
    dout: Array,
    x: Array,
    gamma: Array,
    running_mean: Array,
    running_var: Array,
    eps: float = 1e-5,
    training: bool = True,
) -> tuple[Array, Array, Array]:
    """dout -> dx, dgamma, dbeta. In training, x also acts through var and mean:

    dvar  = sum of dout * gamma * (x - mean) * -1/2 * (var + eps)**(-3/2)
    dmean = sum of dout * gamma * -1 / sqrt(var + eps)
    dx    = dout * gamma / sqrt(var + eps) + dvar * 2 * (x - mean) / count + dmean / count
    """
    x64, C = _images(x)
    dout64, gamma64 = as_float64(dout, "dout", *x64.shape), as_float64(gamma, "gamma", C)
    mean64, var64 = as_float64(running_mean, "running_mean", C), as_float64(running_var, "running_var", C)
    dx, dgamma, dbeta = np.zeros(x64.shape), np.zeros(C), np.zeros(C)
    for c in range(C):
        cells = _channel(x64.shape, c)
        mean, var = _statistics(x64, cells) if training else (mean64[c], var64[c])
        std, dvar, dmean = math.sqrt(var + eps), 0.0, 0.0
        for cell in cells:
            d, centred = dout64[cell], x64[cell] - mean
            dgamma[c] += d * centred / std
            dbeta[c] += d
            dvar += d * gamma64[c] * centred * -0.5 / std**3
            dmean += d * gamma64[c] * -1 / std
            dx[cell] += d * gamma64[c] / std
        for cell in cells if training else []:
            dx[cell] += dvar * 2 * (x64[cell] - mean) / len(cells) + dmean / len(cells)
    return dx.astype(x.dtype), dgamma.astype(x.dtype), dbeta.astype(x.dtype)


def batch_norm_options_forward(
    x: Array,
    gamma: Array | None = None,
    beta: Array | None = None,
    momentum: float | None = 0.9,
    running_mean: Array | None = None,
    running_var: Array | None = None,
    eps: float = 1e-5,
    batches: int = 0,
    training: bool = True,
) -> tuple[Array, Array, Array]:
    """`batch_norm_forward` where arrays may be missing: without gamma and beta nothing is scaled, and without
    running statistics those of the batch are used in inference too (the two that are returned are then the
    batch's). momentum=None makes the running ones the mean of `batches` earlier batches and this one.
    """
    C, tracked = x.shape[1], running_mean is not None and running_var is not None
    keep = batches / (batches + 1) if momentum is None else momentum
    return batch_norm_forward(
        x,
        np.ones(C, x.dtype) if gamma is None else gamma,
        np.zeros(C, x.dtype) if beta is None else beta,
        running_mean if running_mean is not None else np.zeros(C, x.dtype),
        running_var if running_var is not None else np.ones(C, x.dtype),
        keep if tracked else 0.0,
        eps,
        training or not tracked,
    )


def _images(x: Array) -> tuple[Array, int]:
    letters = ("N", "C") if np.ndim(x) == 2 else ("N", "C", "H", "W")
    return as_float64(x, "x", *letters), x.shape[1]


def _channel(shape: Index, c: int) -> list[Index]:
    """The indices of all numbers of channel c."""
    N, _, *image = shape
    return [(n, c, *place) for n, *place in indices(N, *image)]


def _statistics(x: Array, cells: list[Index]) -> tuple[float, float]:
    """Mean and (biased) variance of a channel."""
    if len(cells) < 2:
        raise ValueError(f"training needs more than one value per channel, got x of shape {x.shape}")
    mean = var = 0.0
    for cell in cells:
        mean += x[cell] / len(cells)
    for cell in cells:
        var += (x[cell] - mean) ** 2 / len(cells)
    return mean, var
