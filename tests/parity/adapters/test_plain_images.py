"""Functions of images without channels: pooling, padding by words, kernels called K; and their names."""

import numpy as np
import pytest

from parity.verification.listing import listed
from parity.verification.verify import verify


def pool2d(X, pool_size, mode="max"):
    high, wide = pool_size
    out = np.zeros((X.shape[0] - high + 1, X.shape[1] - wide + 1), dtype=X.dtype)
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            window = X[i : i + high, j : j + wide]
            out[i, j] = window.max() if mode == "max" else window.mean()
    return out


def pool2d_of_a_corner(X, pool_size, mode="max"):
    """The last row of every window is left out."""
    return pool2d(X[:-1], (pool_size[0] - 1, pool_size[1]), mode)


def corr2d(X, K):
    return np.einsum("ijkl,kl->ij", np.lib.stride_tricks.sliding_window_view(X, K.shape), K)


def corr2d_of_channels(X, K):
    return sum(corr2d(x, k) for x, k in zip(X, K, strict=True))


def corr2d_of_the_first(X, K):
    return corr2d(X[0], K[0])


def convolve(x, k, mode="valid"):
    (h, w), same = k.shape, mode == "same"
    pads = (((h - 1) // 2, h // 2), ((w - 1) // 2, w // 2)) if same else ((0, 0), (0, 0))
    return corr2d(np.pad(x, pads), k)


def correlate_square(x, k):
    """The number of columns is taken from the height."""
    out = np.zeros((x.shape[0] - len(k) + 1,) * 2, dtype=x.dtype)
    for i, j in np.ndindex(*out.shape):
        out[i, j] = (x[i : i + len(k), j : j + len(k)] * k).sum()
    return out


def correlate_square_half(x, k):
    return correlate_square(x, k) / 2


def maxpool(x, field):
    """Windows side by side; no stride and no usual name for the window."""
    (h, w), (high, wide) = field, x.shape
    return x.reshape(high // h, h, wide // w, w).max(axis=(1, 3))


def maxpool_of_turned(x, field):
    """The two sides of the window are exchanged."""
    return maxpool(x, field[::-1])


CASES = [
    (correlate_square, "convolution", "right", "images that are not square"),
    (correlate_square_half, "convolution", "wrong", "images that are not square"),
    (maxpool, "max_pooling", "right", "strides other than the window"),
    (maxpool_of_turned, "max_pooling", "wrong", "as maxpool_of_turned(x, field)"),
    (pool2d, "max_pooling", "right", "images (H, W), one at a time"),
    (pool2d_of_a_corner, "max_pooling", "wrong", "images (H, W), one at a time"),
    (corr2d, "convolution", "right", "given W (FH, FW)"),
    (corr2d_of_channels, "convolution", "right", "given W (C, FH, FW)"),
    (corr2d_of_the_first, "convolution", "wrong", "given W (C, FH, FW)"),
    (convolve, "convolution", "right", "padding='same' as TensorFlow has it"),
]


@pytest.mark.parametrize(("function", "kind", "outcome", "part"), CASES)
def test_one_plane_at_a_time(function, kind, outcome, part):
    verdict = verify(function, kind, isolated=False, adapter="auto")
    assert verdict.outcome == outcome and part in str(verdict), str(verdict)


NAMES = {
    "convolution": "convolve2d convolve corr2d conv2d_im2col batch_conv2d conv2d_from_scratch conv_fwd",
    "max_pooling": "pool2d pooling2d max_pool_strided",
    "average_pooling": "mean_pool",
    "global_average_pooling": "global_avg_pool",
    "im2col": "im2col_strided fast_im2col im2col_sliding image_to_column",
    "": "get_im2col_indices conv_transpose im2col_backward conv_out",
}


def test_they_are_listed_by_such_names(tmp_path):
    for kind, names in NAMES.items():
        path = tmp_path / "names.py"
        path.write_text("".join(f"def {name}(x, w):\n    return x * w\n\n" for name in names.split()))
        assert [one.name for one in listed(path)] == (names.split() if kind else []), kind
        assert {one.kind for one in listed(path)} <= {kind}
    path.write_text("def global_average_pool(x):\n    return x.mean((2, 3))\n")
    assert [one.kind for one in listed(path)] == ["global_average_pooling"]
