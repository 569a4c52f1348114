"""Softmax and cross entropy (book, section 5.6.3), by log-sum-exp."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from scratchcnn.naive.windows import as_float64, indices
from scratchcnn.typing import Array


def softmax_forward(x: Array, axis: int = 1) -> Array:
    """(N, C) -> (N, C): y[n, c] = exp(x[n, c]) / (sum over k of exp(x[n, k])).

    x may have more axes; n stands for all of them but `axis`.
    """
    x64 = as_float64(x, "x", *(x.shape if x.ndim > 2 else ("N", "C")))
    return _unrolled(_softmax(_rows(x64, axis)), x, axis)


def softmax_backward(dout: Array, x: Array, axis: int = 1) -> Array:
    """dx[n, i] = sum over k of dout[n, k] * y[k] * ((1 if i == k) - y[i]): the Jacobian, written out."""
    y = _softmax(_rows(as_float64(x, "x", *x.shape), axis))
    dout64, dx = _rows(as_float64(dout, "dout", *x.shape), axis), np.zeros(y.shape)
    N, C = y.shape
    for n, i, k in indices(N, C, C):
        dx[n, i] += dout64[n, k] * y[n, k] * ((i == k) - y[n, i])
    return _unrolled(dx, x, axis)


def softmax_cross_entropy(x: Array, t: Array) -> Any:
    """(N, C) and labels -> the mean over n of  log(sum over k of exp(x[n, k])) - x[n, label].

    t holds integer labels (N,), or one distribution per row (N, C), which weights the classes.
    """
    x64 = as_float64(x, "x", "N", "C")
    shares, total = _shares(t, x64.shape), 0.0
    for n, c in indices(*x64.shape):
        largest, powers = _powers(x64, n)
        total += shares[n, c] * (math.log(sum(powers)) - (x64[n, c] - largest))
    return x.dtype.type(total / len(x64))


def softmax_cross_entropy_backward(x: Array, t: Array) -> Array:
    """dx[n, i] = (sum over c of share[n, c] * (y[n, i] - (1 if i == c))) / N"""
    x64 = as_float64(x, "x", "N", "C")
    N, C = x64.shape
    shares, y, dx = _shares(t, x64.shape), _softmax(x64), np.zeros((N, C))
    for n, i, c in indices(N, C, C):
        dx[n, i] += shares[n, c] * (y[n, i] - (i == c)) / N
    return dx.astype(x.dtype)


def multiclass_hinge(x: Array, t: Array) -> Any:
    """(N, C) and labels -> the mean over n of the sum over c != t[n] of  max(0, x[n, c] - x[n, t[n]] + 1)."""
    x64, labels, total = as_float64(x, "x", "N", "C"), _numbers(t), 0.0
    for n, c in indices(*x64.shape):
        if c != labels[n]:
            total += max(0.0, x64[n, c] - x64[n, labels[n]] + 1)
    return x.dtype.type(total / len(x64))


def multiclass_hinge_backward(x: Array, t: Array) -> Array:
    """dx[n, c] += 1 / N and dx[n, t[n]] -= 1 / N for each c != t[n] whose term is above 0"""
    x64, labels = as_float64(x, "x", "N", "C"), _numbers(t)
    dx = np.zeros(x64.shape)
    for n, c in indices(*x64.shape):
        if c != labels[n] and x64[n, c] - x64[n, labels[n]] + 1 > 0:
            dx[n, c] += 1 / len(x64)
            dx[n, labels[n]] -= 1 / len(x64)
    return dx.astype(x.dtype)


def _numbers(t: Array) -> list[int]:
    """The labels as numbers of classes; t may hold one-hot rows."""
    return [int(label) if np.ndim(label) == 0 else list(label).index(max(label)) for label in t]


def cross_entropy(
    x: Array,
    t: Array,
    weight: Array | None = None,
    ignore_index: int = -100,
    label_smoothing: float = 0.0,
    reduction: str = "mean",
) -> Any:
    """(N, C, ...) and labels (N, ...) or shares (N, C, ...) -> the losses' mean or sum, or each of them.

    The loss of one label is the sum over the classes c of  -q[c] * log y[c]  with y the softmax, where

        q[c] = weight[c] * ((1 - label_smoothing) * (1 if c is the label) + label_smoothing / C)

    and 0 for the label `ignore_index`. The mean divides by the weights of the labels that count; for shares,
    by their number. This is `torch.nn.functional.cross_entropy`.
    """
    x64, q, total = _weighted_shares(x, t, weight, ignore_index, label_smoothing)
    losses = np.zeros(len(x64))
    for n, c in indices(*x64.shape):
        largest, powers = _powers(x64, n)
        losses[n] += q[n, c] * (math.log(sum(powers)) - (x64[n, c] - largest))
    if reduction == "none":
        return losses.reshape(len(x), *x.shape[2:]).astype(x.dtype)
    return x.dtype.type(losses.sum() / (total if reduction == "mean" else 1))


def cross_entropy_backward(
    x: Array,
    t: Array,
    weight: Array | None = None,
    ignore_index: int = -100,
    label_smoothing: float = 0.0,
    reduction: str = "mean",
) -> Array:
    """d(sum of the result) / dx: of each row, the sum over c of q[c] * (y[i] - (1 if i == c)) / divisor."""
    x64, q, total = _weighted_shares(x, t, weight, ignore_index, label_smoothing)
    (rows, C), y, dx = x64.shape, _softmax(x64), np.zeros(x64.shape)
    ignored = np.ravel(t == ignore_index) if np.shape(t) != x.shape else np.zeros(rows, bool)
    for n, i, c in indices(rows, C, C):
        if not ignored[n]:
            dx[n, i] += q[n, c] * (y[n, i] - (i == c)) / (total if reduction == "mean" else 1)
    images = dx.reshape(len(x), *x.shape[2:], C)  # (N, ..., C) -> (N, C, ...)
    return np.moveaxis(images, -1, 1).astype(x.dtype)


def _weighted_shares(
    x: Array, t: Array, weight: Array | None, ignore_index: int, label_smoothing: float
) -> tuple[Array, Array, float]:
    """Scores (rows, C), q (rows, C), and the sum of what the rows count."""
    C, t = x.shape[1], np.asarray(t)
    x64 = np.moveaxis(x.astype(np.float64), 1, -1).reshape(-1, C)  # (N, C, ...) -> (N * ..., C)
    counts = [1.0] * C if weight is None else [float(w) for w in weight]
    q, total = np.zeros(x64.shape), 0.0
    shares = np.moveaxis(t, 1, -1).reshape(-1, C) if t.shape == x.shape else None
    labels = None if shares is not None else t.reshape(-1)
    for n in range(len(x64)):
        if labels is not None and labels[n] == ignore_index:
            continue
        total += 1 if labels is None else counts[labels[n]]
        for c in range(C):
            share = shares[n, c] if shares is not None else float(c == labels[n])  # type: ignore[index]
            q[n, c] = counts[c] * ((1 - label_smoothing) * share + label_smoothing / C)
    if label_smoothing and total == 0:  # the labels' own part is 0 / 0
        total = math.nan
    return x64, q, total


def _rows(x: Array, axis: int) -> Array:
    """Each column along the axis as a row: (N, C, H) along 1 -> (N * H, C)."""
    return np.moveaxis(x, axis, -1).reshape(-1, x.shape[axis])


def _unrolled(rows: Array, x: Array, axis: int) -> Array:
    """Such rows in the shape and dtype of x."""
    moved = np.moveaxis(x, axis, -1)
    return np.moveaxis(rows.reshape(moved.shape), -1, axis).astype(x.dtype)


def _softmax(x: Array) -> Array:
    y = np.zeros(x.shape)
    for n, c in indices(*x.shape):
        _, powers = _powers(x, n)
        y[n, c] = powers[c] / sum(powers)
    return y


def _powers(x: Array, n: int) -> tuple[float, list[float]]:
    """A row's largest value, and exp(value - largest) of each: without the shift exp(1000) overflows."""
    row = [float(x[n, k]) for k in range(x.shape[1])]
    return max(row), [math.exp(value - max(row)) for value in row]


def _shares(t: Array, shape: tuple[int, ...]) -> Array:
    """Labels (N,) -> one-hot (N, C); shares (N, C) unchanged."""
    t, (N, C) = np.asarray(t), shape
    if t.shape == shape:
        return t.astype(np.float64)
    if t.shape != (N,) or t.dtype.kind not in "iu":
        raise ValueError(
            f"expected t ({N},) with integer labels or {shape} with shares, got {t.dtype} {t.shape}"
        )
    shares = np.zeros(shape)
    for n in range(N):
        if not 0 <= t[n] < C:
            raise ValueError(f"labels must lie in 0..{C - 1}, got {t[n]}")
        shares[n, t[n]] = 1
    return shares
