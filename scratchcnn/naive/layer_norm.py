"""Layer normalization: every row of the last axes by its own mean and variance."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from scratchcnn.naive.windows import Index, as_float64, indices
from scratchcnn.typing import Array


def layer_norm_forward(
    x: Array,
    gamma: Array | None = None,
    beta: Array | None = None,
    eps: float = 1e-5,
    normalized_shape: Sequence[int] | None = None,
) -> Array:
    """(..., D) -> the same shape; gamma and beta are of the last axes' shape, or missing.

        out = gamma * (x - mean) / sqrt(var + eps) + beta          (Ba, Kiros and Hinton 2016)

    mean and var are those of one row, var divided by its count. A row is all numbers of the last axes: of
    those that gamma has, else of `normalized_shape`, else of the last one.
    """
    x64, cells = _rows(x, gamma, normalized_shape)
    gamma64, beta64 = _scale(gamma, 1.0, cells), _scale(beta, 0.0, cells)
    out = np.zeros(x64.shape)
    for row in indices(*x64.shape[: x64.ndim - len(cells[0])]):
        mean, var = _statistics(x64, row, cells)
        for cell in cells:
            out[row + cell] = gamma64[cell] * (x64[row + cell] - mean) / math.sqrt(var + eps) + beta64[cell]
    return out.astype(x.dtype)


def layer_norm_backward(
    dout: Array,
    x: Array,
    gamma: Array | None = None,
    eps: float = 1e-5,
    normalized_shape: Sequence[int] | None = None,
) -> tuple[Array, Array, Array]:
    """dout -> dx, dgamma, dbeta. Each x also acts through the var and the mean of its row:

    dvar  = sum over the row of dout * gamma * (x - mean) * -1/2 * (var + eps)**(-3/2)
    dmean = sum over the row of dout * gamma * -1 / sqrt(var + eps)
    dx    = dout * gamma / sqrt(var + eps) + dvar * 2 * (x - mean) / count + dmean / count
    """
    x64, cells = _rows(x, gamma, normalized_shape)
    dout64, gamma64 = as_float64(dout, "dout", *x64.shape), _scale(gamma, 1.0, cells)
    dx, dgamma, dbeta = np.zeros(x64.shape), np.zeros(gamma64.shape), np.zeros(gamma64.shape)
    for row in indices(*x64.shape[: x64.ndim - len(cells[0])]):
        mean, var = _statistics(x64, row, cells)
        std, dvar, dmean = math.sqrt(var + eps), 0.0, 0.0
        for cell in cells:
            d, centred = dout64[row + cell], x64[row + cell] - mean
            dgamma[cell] += d * centred / std
            dbeta[cell] += d
            dvar += d * gamma64[cell] * centred * -0.5 / std**3
            dmean += d * gamma64[cell] * -1 / std
            dx[row + cell] += d * gamma64[cell] / std
        for cell in cells:
            dx[row + cell] += dvar * 2 * (x64[row + cell] - mean) / len(cells) + dmean / len(cells)
    return dx.astype(x.dtype), dgamma.astype(x.dtype), dbeta.astype(x.dtype)


def _rows(x: Array, gamma: Array | None, shape: Sequence[int] | None) -> tuple[Array, list[Index]]:
    """x in float64, and the indices of the numbers of one row."""
    sizes = np.shape(gamma) if gamma is not None else tuple(shape or np.shape(x)[-1:])
    x64 = as_float64(x, "x", *np.shape(x)[: np.ndim(x) - len(sizes)], *sizes)
    return x64, list(indices(*sizes))


def _scale(given: Array | None, default: float, cells: list[Index]) -> Array:
    """gamma or beta in float64, `default` everywhere where there is none."""
    shape = tuple(last + 1 for last in cells[-1])
    return np.full(shape, default) if given is None else as_float64(given, "gamma or beta", *shape)


def _statistics(x: Array, row: Index, cells: list[Index]) -> tuple[float, float]:
    """Mean and (biased) variance of a row."""
    mean = var = 0.0
    for cell in cells:
        mean += x[row + cell] / len(cells)
    for cell in cells:
        var += (x[row + cell] - mean) ** 2 / len(cells)
    return mean, var
