"""The fully connected layer (book, section 5.6), and the distances of LeNet-5's output layer."""

from __future__ import annotations

import numpy as np

from scratchcnn.naive.windows import as_float64, indices
from scratchcnn.typing import Array


def affine_forward(x: Array, W: Array, b: Array | None) -> Array:
    """(N, in) -> (N, out): out[n, o] = b[o] + sum over i of x[n, i] * W[i, o]; W (in, out), b (out,) or None.

    An x with more axes is flattened to (N, in), row by row.
    """
    x64, W64 = _rows(x, W)
    (N, IN), OUT = x64.shape, W64.shape[1]
    b64 = np.zeros(OUT) if b is None else as_float64(b, "b", OUT)
    out = np.zeros((N, OUT))
    for n, o in indices(N, OUT):
        out[n, o] = b64[o]
        for i in range(IN):
            out[n, o] += x64[n, i] * W64[i, o]
    return out.astype(x.dtype)


def affine_backward(dout: Array, x: Array, W: Array) -> tuple[Array, Array, Array]:
    """dout (N, out) -> dx (in the shape of x), dW, db."""
    x64, W64 = _rows(x, W)
    (N, IN), OUT = x64.shape, W64.shape[1]
    dout64 = as_float64(dout, "dout", N, OUT)
    dx, dW, db = np.zeros((N, IN)), np.zeros((IN, OUT)), np.zeros(OUT)
    for n, o in indices(N, OUT):
        db[o] += dout64[n, o]
        for i in range(IN):
            dx[n, i] += dout64[n, o] * W64[i, o]
            dW[i, o] += dout64[n, o] * x64[n, i]
    return dx.reshape(x.shape).astype(x.dtype), dW.astype(x.dtype), db.astype(x.dtype)


def _rows(x: Array, W: Array) -> tuple[Array, Array]:
    W64 = as_float64(W, "W", "in", "out")
    return as_float64(x.reshape(len(x), -1), "x", "N", len(W64)), W64


def linear_forward(x: Array, W: Array, b: Array | None) -> Array:
    """(..., in) -> (..., out): out[..., o] = b[o] + sum over i of x[..., i] * W[i, o]."""
    W64 = as_float64(W, "W", "in", "out")
    IN, OUT = W64.shape
    x64 = as_float64(x, "x", *x.shape[:-1], IN)
    b64 = np.zeros(OUT) if b is None else as_float64(b, "b", OUT)
    out = np.zeros((*x.shape[:-1], OUT))
    for *row, o in indices(*out.shape):
        out[*row, o] = b64[o]
        for i in range(IN):
            out[*row, o] += x64[*row, i] * W64[i, o]
    return out.astype(x.dtype)


def linear_backward(dout: Array, x: Array, W: Array) -> tuple[Array, Array, Array]:
    """dout (..., out) -> dx, dW, db; each row adds to dW and db."""
    W64 = as_float64(W, "W", "in", "out")
    IN, OUT = W64.shape
    x64, dout64 = as_float64(x, "x", *x.shape[:-1], IN), as_float64(dout, "dout", *x.shape[:-1], OUT)
    dx, dW, db = np.zeros(x.shape), np.zeros((IN, OUT)), np.zeros(OUT)
    for *row, o in indices(*dout64.shape):
        db[o] += dout64[*row, o]
        for i in range(IN):
            dx[*row, i] += dout64[*row, o] * W64[i, o]
            dW[i, o] += dout64[*row, o] * x64[*row, i]
    return dx.astype(x.dtype), dW.astype(x.dtype), db.astype(x.dtype)


def rbf_forward(x: Array, W: Array) -> Array:
    """(N, in) -> (N, out) with W (out, in) (LeCun et al. 1998, eq. 7):

    y[n, o] = sum over i of (x[n, i] - W[o, i])**2
    """
    W64 = as_float64(W, "W", "out", "in")
    x64 = as_float64(x, "x", "N", W64.shape[1])
    y = np.zeros((len(x64), len(W64)))
    for n, o in indices(*y.shape):
        for i in range(x64.shape[1]):
            y[n, o] += (x64[n, i] - W64[o, i]) ** 2
    return y.astype(x.dtype)


def rbf_backward(dout: Array, x: Array, W: Array) -> Array:
    """dout (N, out) -> dx; W is fixed."""
    W64 = as_float64(W, "W", "out", "in")
    x64 = as_float64(x, "x", "N", W64.shape[1])
    dout64, dx = as_float64(dout, "dout", len(x64), len(W64)), np.zeros(x64.shape)
    for n, o in indices(*dout64.shape):
        for i in range(x64.shape[1]):
            dx[n, i] += dout64[n, o] * 2 * (x64[n, i] - W64[o, i])
    return dx.astype(x.dtype)
