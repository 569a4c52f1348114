"""Layer normalization: each row by its own mean and variance, whatever else is in the batch."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from scratchcnn.layers.base import Layer, grad, param
from scratchcnn.typing import Array


class LayerNorm(Layer):
    """(..., D) -> the same shape; `torch.nn.LayerNorm`. Rows (N, D), sequences (N, T, D), images.

        out = gamma * (x - mean) / sqrt(var + eps) + beta          (Ba, Kiros and Hinton 2016)

    mean and var (divided by the count, not by count - 1) are taken over the last axes, those that gamma has:
    gamma (D,) normalises each row of (N, T, D), gamma (C, H, W) each image. A batch, its size and the mode
    (training or inference) change nothing.

    gamma, beta        arrays of the last axes' shape; beta None: nothing is added (PyTorch's bias=False);
                       both None: nothing is scaled either (elementwise_affine=False)
    eps                PyTorch's 1e-5
    normalized_shape   the sizes of those axes, needed where there is no gamma and more than the last is meant

    Raises ValueError for beta without gamma or of another shape, for a normalized_shape that is not gamma's,
    for an eps that is not positive, and for an x that does not end in those axes.
    """

    gamma, beta = param(), param()
    dgamma, dbeta = grad("gamma"), grad("beta")

    def __init__(
        self,
        gamma: Array | None = None,
        beta: Array | None = None,
        eps: float = 1e-5,
        normalized_shape: int | Sequence[int] | None = None,
    ):
        super().__init__({"gamma": gamma, "beta": beta})
        if self.gamma is None and self.beta is not None:
            raise ValueError("LayerNorm: give gamma too, or neither")
        shape = (normalized_shape,) if isinstance(normalized_shape, int) else normalized_shape
        if self.gamma is not None:
            self._refuse_other_shapes(None if shape is None else tuple(shape))
            shape = self.gamma.shape
        if not 0 < eps < np.inf:
            raise ValueError(f"LayerNorm: eps must be positive and finite, got {eps!r}")
        self.eps = float(eps)
        self.normalized_shape = None if shape is None else tuple(shape)

    def _refuse_other_shapes(self, shape: tuple[int, ...] | None) -> None:
        if not self.gamma.size:
            raise ValueError(f"LayerNorm: gamma must hold at least one number, got shape {self.gamma.shape}")
        if self.beta is not None and self.beta.shape != self.gamma.shape:
            raise ValueError(
                f"LayerNorm: expected beta of gamma's shape {self.gamma.shape}, got {self.beta.shape}"
            )
        if shape not in (None, self.gamma.shape):
            raise ValueError(f"LayerNorm: normalized_shape is {shape}, but gamma is {self.gamma.shape}")

    def forward(self, x: Array) -> Array:
        x = self.check_input(x, like=self.gamma)
        axes = self._axes(x)
        centred = x - x.mean(axis=axes, keepdims=True)
        var = (centred**2).mean(axis=axes, keepdims=True)
        std = np.sqrt(var + self.eps)
        z = centred / std
        self.remember(z, std, axes)
        out: Array = z.copy() if self.gamma is None else self.gamma * z
        if self.beta is not None:
            out = out + self.beta
        return out

    def backward(self, dout: Array) -> Array:
        """With z the normalised x, dz = dout * gamma and mean() over one row:

        dgamma = sum over the rows of dout * z,  dbeta = sum over the rows of dout,
        dx = (dz - mean(dz) - z * mean(dz * z)) / std
        """
        z, std, axes = self.recall()
        dz = self.check_dout(dout, z.shape)
        if self.gamma is not None:
            rows = tuple(range(z.ndim - len(axes)))
            self.grads["gamma"] = (dz * z).sum(axis=rows)
            if self.beta is not None:
                self.grads["beta"] = dz.sum(axis=rows)
            dz = dz * self.gamma
        along = (dz * z).mean(axis=axes, keepdims=True)
        dx: Array = (dz - dz.mean(axis=axes, keepdims=True) - z * along) / std
        return dx

    def _axes(self, x: Array) -> tuple[int, ...]:
        """The last axes, over which mean and variance run. Raises ValueError where x does not end in them."""
        shape = self.normalized_shape
        wanted = x.shape[-1:] if shape is None else shape
        if x.ndim < max(1, len(wanted)) or x.shape[-len(wanted) :] != wanted or 0 in wanted:
            ends = "..., D" if shape is None else ", ".join(map(str, ("...", *shape)))
            raise ValueError(f"{self.label}: expected x of shape ({ends}), got {x.shape}")
        return tuple(range(-len(wanted), 0))

    def arguments(self) -> str:
        shape = self.normalized_shape
        size = "the last axis" if shape is None else str(shape[0] if len(shape) == 1 else shape)
        text = "no gamma and beta, " if self.gamma is None else "no beta, " if self.beta is None else ""
        return f"{size}, {text}eps={self.eps:g}"
