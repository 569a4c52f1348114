"""Batch normalization (book, section 6.3) and AlexNet's local response normalization."""

from __future__ import annotations

import numpy as np

from scratchcnn.arrays import require_array
from scratchcnn.fast import accelerated
from scratchcnn.layers.base import Layer, grad, param
from scratchcnn.typing import Array


@accelerated
class BatchNormalization(Layer):
    """(N, C) or (N, C, H, W) -> the same shape; `torch.nn.BatchNorm1d` and `BatchNorm2d`.

        out = gamma * (x - mean) / sqrt(var + eps) + beta          (Ioffe and Szegedy 2015)

    All four arrays are (C,): images are normalised per channel (the book does it per pixel). In
    training, mean and var are the batch's, and the running ones move towards them, by PyTorch's
    formula with the unbiased variance:

        running = momentum * running + (1 - momentum) * batch

    `momentum` is the book's, the share that is *kept*; PyTorch's is 1 minus it. In inference the
    running ones are used. `eps` is PyTorch's 1e-5 (the book has 1e-6, written 10e-7).

    Raises ValueError for an eps that is not positive, and for a training batch with a single value per
    channel, which has no variance.
    """

    gamma, beta = param(), param()
    dgamma, dbeta = grad("gamma"), grad("beta")
    running_mean, running_var = param("buffers"), param("buffers")

    def __init__(
        self,
        gamma: Array,
        beta: Array,
        momentum: float = 0.9,
        running_mean: Array | None = None,
        running_var: Array | None = None,
        eps: float = 1e-5,
    ):
        require_array(gamma, "BatchNormalization: gamma")
        running_mean = np.zeros_like(gamma) if running_mean is None else running_mean
        running_var = np.ones_like(gamma) if running_var is None else running_var
        arrays = {"gamma": gamma, "beta": beta, "running_mean": running_mean, "running_var": running_var}
        for key, array in arrays.items():
            if gamma.ndim != 1 or np.shape(array) != gamma.shape:
                raise ValueError(
                    f"BatchNormalization: expected {key} of shape (C,) = {gamma.shape}, got {np.shape(array)}"
                )
        if not len(gamma):
            raise ValueError("BatchNormalization: gamma must hold at least one channel, got shape (0,)")
        if not 0 < eps < np.inf:
            raise ValueError(f"BatchNormalization: eps must be positive and finite, got {eps!r}")
        super().__init__(
            {"gamma": gamma, "beta": beta}, {"running_mean": running_mean, "running_var": running_var}
        )
        self.momentum, self.eps = float(momentum), float(eps)

    def forward(self, x: Array) -> Array:
        x = self.check_input(x, like=self.gamma)
        C = len(self.gamma)
        if x.ndim not in (2, 4) or x.shape[1] != C:
            raise ValueError(f"{self.label}: expected x of shape (N, {C}) or (N, {C}, H, W), got {x.shape}")
        axes, column = self._axes(x.ndim)
        count = x.size // C
        if self.training:
            if count < 2:
                raise ValueError(
                    f"{self.label}: training needs more than one value per channel, got x of {x.shape}"
                )
            mean = x.mean(axis=axes)
            centred = x - mean.reshape(column)
            var = (centred**2).mean(axis=axes)
            self._update_running(mean, var * (count / (count - 1)))
        else:
            mean, var = self.running_mean, self.running_var
            centred = x - mean.reshape(column)
        std = np.sqrt(var + self.eps)
        normalised = centred / std.reshape(column)
        self.remember(normalised, std, self.training)
        out: Array = self.gamma.reshape(column) * normalised + self.beta.reshape(column)
        return out

    def backward(self, dout: Array) -> Array:
        """With z the normalised x and mean() over the batch:

        dgamma = sum of dout * z,  dbeta = sum of dout,
        dx = gamma / std * (dout - mean(dout) - z * mean(dout * z))     in training
        dx = gamma / std * dout                                         in inference
        """
        z, std, was_training = self.recall()
        dout = self.check_dout(dout, z.shape)
        axes, column = self._axes(z.ndim)
        dgamma, dbeta = (dout * z).sum(axis=axes), dout.sum(axis=axes)
        self.grads["gamma"], self.grads["beta"] = dgamma, dbeta
        if was_training:
            count = z.size // z.shape[1]
            dout = dout - (dbeta / count).reshape(column) - z * (dgamma / count).reshape(column)
        dx: Array = (self.gamma / std).reshape(column) * dout
        return dx

    def _update_running(self, mean: Array, unbiased_var: Array) -> None:
        for running, batch in ((self.running_mean, mean), (self.running_var, unbiased_var)):
            running *= self.momentum
            running += (1 - self.momentum) * batch

    @staticmethod
    def _axes(ndim: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """The axes that a channel's statistics run over, and the shape that puts (C,) beside x."""
        return ((0,), (1, -1)) if ndim == 2 else ((0, 2, 3), (1, -1, 1, 1))

    def arguments(self) -> str:
        return f"{len(self.gamma)}, momentum={self.momentum:g}, eps={self.eps:g}"


@accelerated
class LocalResponseNormalization(Layer):
    """(N, C, H, W) -> the same shape: each value divided by its neighbours' energy across channels.

        scale[c] = k + alpha / size * (sum over the window of x**2),    out = x * scale**-beta

    The window holds `size` channels around c: size // 2 before it and (size - 1) // 2 after it.
    That is `torch.nn.LocalResponseNorm`. Krizhevsky et al. 2012, section 3.3, does not divide alpha by
    size: `paper_alpha=True` gives that.
    """

    def __init__(
        self,
        size: int = 5,
        alpha: float = 1e-4,
        beta: float = 0.75,
        k: float = 1.0,
        paper_alpha: bool = False,
    ):
        super().__init__()
        if size < 1:
            raise ValueError(f"LocalResponseNormalization: size must be at least 1, got {size}")
        self.size, self.alpha, self.beta, self.k = size, float(alpha), float(beta), float(k)
        self.paper_alpha = paper_alpha

    def forward(self, x: Array) -> Array:
        x = self.check_input(x)
        if x.ndim < 3:
            raise ValueError(f"{self.label}: expected x of shape (N, C, H, W), got {x.shape}")
        scale = self.k + self._alpha * self._window_sum(x**2, self.size // 2, (self.size - 1) // 2)
        factor = scale**-self.beta
        self.remember(x.copy(), scale, factor)
        return x * factor

    def backward(self, dout: Array) -> Array:
        """dx = dout * scale**-beta - 2 * alpha * beta * x * (sum over the windows x is in of
        dout * x * scale**(-beta - 1))."""
        x, scale, factor = self.recall()
        dout = self.check_dout(dout, x.shape)
        # The windows that hold channel c are those around c - after .. c + before.
        cross = self._window_sum(dout * x * factor / scale, (self.size - 1) // 2, self.size // 2)
        dx: Array = dout * factor - (2 * self._alpha * self.beta) * x * cross
        return dx

    @property
    def _alpha(self) -> float:
        return self.alpha if self.paper_alpha else self.alpha / self.size

    @staticmethod
    def _window_sum(a: Array, before: int, after: int) -> Array:
        """out[:, c] = the sum of a[:, c - before .. c + after], cut at the ends."""
        C, total = a.shape[1], a.copy()
        for d in range(1, min(before, C - 1) + 1):
            total[:, d:] += a[:, : C - d]
        for d in range(1, min(after, C - 1) + 1):
            total[:, : C - d] += a[:, d:]
        return total

    def arguments(self) -> str:
        text = f"{self.size}, alpha={self.alpha:g}, beta={self.beta:g}, k={self.k:g}"
        return text + (", paper_alpha=True" if self.paper_alpha else "")
