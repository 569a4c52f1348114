"""Functions without classes: parameters in a tuple or a dict, one filter on one image, options in a dict."""

import numpy as np


def dense(params, x):
    w, b = params
    return x @ w + b


def dense_of_dict(params, inputs):
    return inputs @ params["w"] + params["b"]


def wrong_dense(params, x):
    w, b = params
    return x @ w - b


def filter2d(image, kernel):
    """(H, W) and (h, w) -> (H - h + 1, W - w + 1)."""
    h, w = kernel.shape
    out = np.zeros((image.shape[0] - h + 1, image.shape[1] - w + 1), image.dtype)
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            out[i, j] = (image[i : i + h, j : j + w] * kernel).sum()
    return out


def conv2d(x, w, b=None, stride=1, padding=0):
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    windows = np.lib.stride_tricks.sliding_window_view(x, w.shape[2:], (2, 3))[:, :, ::stride, ::stride]
    out = np.einsum("ncyxij,fcij->nfyx", windows, w)
    return out if b is None else out + b[:, None, None]


def conv2d_backward(dout, x, w, stride, padding):
    p, s = padding, stride
    padded = np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, w.shape[2:], (2, 3))[:, :, ::s, ::s]
    dw, dx = np.einsum("ncyxij,nfyx->fcij", windows, dout), np.zeros_like(padded)
    for i in range(dout.shape[2]):
        for j in range(dout.shape[3]):
            here = np.s_[:, :, i * s : i * s + w.shape[2], j * s : j * s + w.shape[3]]
            dx[here] += np.tensordot(dout[:, :, i, j], w, 1)
    return {
        "dx": dx[:, :, p : dx.shape[2] - p, p : dx.shape[3] - p],
        "dw": dw,
        "db": dout.sum(axis=(0, 2, 3)),
    }


def batchnorm_forward(x, gamma, beta, bn_param):
    eps, momentum = bn_param.get("eps", 1e-5), bn_param.get("momentum", 0.9)
    if bn_param["mode"] == "test":
        std = np.sqrt(bn_param["running_var"] + eps)
        y = (x - bn_param["running_mean"]) / std
        return gamma * y + beta, None
    mean, var, n = x.mean(axis=0), x.var(axis=0), len(x)
    bn_param["running_mean"] = momentum * bn_param["running_mean"] + (1 - momentum) * mean
    bn_param["running_var"] = momentum * bn_param["running_var"] + (1 - momentum) * var * n / (n - 1)
    std = np.sqrt(var + eps)
    y = (x - mean) / std
    return gamma * y + beta, (y, std, gamma)


def batchnorm_backward(dout, cache):
    y, std, gamma = cache
    dy = dout * gamma
    dx = (dy - dy.mean(axis=0) - y * (dy * y).mean(axis=0)) / std
    return dx, (dout * y).sum(axis=0), dout.sum(axis=0)
