"""Batch normalization with the options of PyTorch's, which the book's does not have."""

from __future__ import annotations

import numpy as np

from scratchcnn.layers.base import Layer, grad, param
from scratchcnn.typing import Array


class BatchNorm(Layer):
    """`BatchNormalization` with options; `torch.nn.BatchNorm1d` and `BatchNorm2d`. (N, C) or (N, C, H, W).

    gamma, beta                 (C,); both None: nothing is scaled or shifted (PyTorch's affine=False)
    momentum                    the share of the running statistics that is kept (PyTorch's is 1 minus it);
                                None: they are the mean over all batches so far
    running_mean, running_var   (C,); both None: there are none, and inference uses the batch's statistics as
                                training does (PyTorch's track_running_stats=False)
    batches                     the number of batches that the running statistics hold already, for
                                momentum=None; an attribute, and not in files of weights

    Raises ValueError for one array of a pair without the other, shapes that do not fit, an eps that is not
    positive, and a batch with a single value per channel where its own statistics are used.
    """

    gamma, beta = param(), param()
    dgamma, dbeta = grad("gamma"), grad("beta")
    running_mean, running_var = param("buffers"), param("buffers")

    def __init__(
        self,
        gamma: Array | None = None,
        beta: Array | None = None,
        momentum: float | None = 0.9,
        running_mean: Array | None = None,
        running_var: Array | None = None,
        eps: float = 1e-5,
        batches: int = 0,
    ):
        super().__init__(
            {"gamma": gamma, "beta": beta}, {"running_mean": running_mean, "running_var": running_var}
        )
        for first, second in (("gamma", "beta"), ("running_mean", "running_var")):
            if (getattr(self, first) is None) != (getattr(self, second) is None):
                raise ValueError(f"BatchNorm: give both {first} and {second}, or neither")
        shapes = {key: array.shape for key, array in {**self.params, **self.buffers}.items()}
        if len(set(shapes.values())) > 1 or any(len(shape) != 1 for shape in shapes.values()):
            raise ValueError(f"BatchNorm: expected arrays of one shape (C,), got {shapes}")
        if not 0 < eps < np.inf:
            raise ValueError(f"BatchNorm: eps must be positive and finite, got {eps!r}")
        self.momentum, self.eps, self.batches = momentum, float(eps), batches

    def forward(self, x: Array) -> Array:
        like = next(iter({**self.params, **self.buffers}.values()), None)
        x = self.check_input(x, like=like)
        C = x.shape[1] if like is None and x.ndim > 1 else len(like) if like is not None else 0
        if x.ndim not in (2, 4) or x.shape[1] != C:
            raise ValueError(f"{self.label}: expected x of shape (N, C) or (N, C, H, W), got {x.shape}")
        of_batch = self.training or self.running_mean is None
        if of_batch:
            mean, var = self._batch_statistics(x)
        else:
            mean, var = self.running_mean, self.running_var
        std = np.sqrt(var + self.eps)
        z = (x - self._beside(mean, x)) / self._beside(std, x)
        self.remember(z, std, of_batch)
        if self.gamma is None:
            return z.copy()
        out: Array = self._beside(self.gamma, x) * z + self._beside(self.beta, x)
        return out

    def backward(self, dout: Array) -> Array:
        """As `BatchNormalization`; without gamma, dz is dout."""
        z, std, of_batch = self.recall()
        dz, axes = self.check_dout(dout, z.shape), self._axes(z)
        if self.gamma is not None:
            self.grads["gamma"], self.grads["beta"] = (dz * z).sum(axis=axes), dz.sum(axis=axes)
            dz = dz * self._beside(self.gamma, z)
        if of_batch:
            along = self._beside((dz * z).mean(axis=axes), z)
            dz = dz - self._beside(dz.mean(axis=axes), z) - z * along
        dx: Array = dz / self._beside(std, z)
        return dx

    def _batch_statistics(self, x: Array) -> tuple[Array, Array]:
        """Mean and (biased) variance of each channel; in training the running ones follow."""
        axes, count = self._axes(x), x.size // max(x.shape[1], 1)
        if count < 2:
            raise ValueError(
                f"{self.label}: a batch needs more than one value per channel, got x of {x.shape}"
            )
        mean = x.mean(axis=axes)
        var = ((x - self._beside(mean, x)) ** 2).mean(axis=axes)
        if self.training and self.running_mean is not None:
            self.batches += 1
            keep = 1 - 1 / self.batches if self.momentum is None else self.momentum
            for running, batch in (
                (self.running_mean, mean),
                (self.running_var, var * (count / (count - 1))),
            ):
                running *= keep
                running += (1 - keep) * batch
        return mean, var

    @staticmethod
    def _axes(x: Array) -> tuple[int, ...]:
        """The axes that a channel's statistics run over."""
        return (0, *range(2, x.ndim))

    @staticmethod
    def _beside(a: Array, x: Array) -> Array:
        """(C,) in a shape that stands beside x."""
        return a.reshape(1, -1, *(1,) * (x.ndim - 2))

    def arguments(self) -> str:
        text = "no gamma and beta, " if self.gamma is None else f"{len(self.gamma)}, "
        text += "no running statistics, " if self.running_mean is None else f"momentum={self.momentum}, "
        return text + f"eps={self.eps:g}"
