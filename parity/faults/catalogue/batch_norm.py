"""Bugs of batch normalization: which statistics, over which axes, kept how; the three terms of dx."""

from __future__ import annotations

from typing import Any

import numpy as np

from parity.faults.fault import Family
from scratchcnn.layers import BatchNorm, BatchNormalization
from scratchcnn.typing import Array

fault = Family()


class Open(BatchNormalization):
    """The right layer, cut into the pieces that the bugs below replace."""

    def column(self, a: Array, like: Array) -> Array:
        return a.reshape(self._axes(like.ndim)[1])

    def average(self, x: Array) -> Array:
        """The mean over the batch (and the image), in a shape that stands beside x."""
        return x.mean(axis=self._axes(x.ndim)[0], keepdims=True)

    def variance(self, centred: Array) -> Array:
        return self.average(centred**2)

    def std(self, var: Array) -> Array:
        return np.sqrt(var + self.eps)

    def unbiased(self, var: Array, count: int) -> Array:
        return var * (count / (count - 1))

    def running(self, x: Array) -> tuple[Array, Array]:
        return self.column(self.running_mean, x), self.column(self.running_var, x)

    def input_gradient(self, dz: Array, z: Array, std: Array) -> Array:
        """From dz, the gradient of the normalised x."""
        return (dz - self.average(dz) - z * self.average(dz * z)) / std

    def forward(self, x: Array) -> Array:
        if self.training:
            mean = self.average(x)
            var = self.variance(x - mean)
            self.move(mean, self.unbiased(var, x.size // len(self.gamma)))
        else:
            mean, var = self.running(x)
        std = self.std(var)
        z = (x - mean) / std
        self.remember(z, std, self.training, x.copy())
        return self.column(self.gamma, x) * z + self.column(self.beta, x)

    def move(self, mean: Array, var: Array) -> None:
        self._update_running(mean.ravel(), var.ravel())

    def backward(self, dout: Array) -> Array:
        z, std, was_training, x = self.recall()
        axes = self._axes(z.ndim)[0]
        self.grads["gamma"] = self.gamma_gradient(dout, z, std, x, axes)
        self.grads["beta"] = dout.sum(axis=axes)
        dz = dout * self.column(self.gamma, z)
        return self.input_gradient(dz, z, std) if was_training else dz / std

    def gamma_gradient(self, dout: Array, z: Array, std: Array, x: Array, axes: Any) -> Array:
        return (dout * z).sum(axis=axes)


@fault("batch-norm-eps-outside-the-root", "batch_norm", "sqrt(var) + eps for sqrt(var + eps)")
class EpsOutside(Open):
    """eps is put where Adam has it."""

    def std(self, var: Array) -> Array:
        return np.sqrt(var) + self.eps


@fault("batch-norm-eps-after-the-division", "batch_norm", "eps added after the division")
class EpsAfter(Open):
    """(x - mean) / sqrt(var) + eps lacks a pair of parentheses."""

    def forward(self, x: Array) -> Array:
        return super().forward(x) + self.eps * self.column(self.gamma, x)

    def std(self, var: Array) -> Array:
        return np.sqrt(var)


@fault("batch-norm-gamma-ignored", "batch_norm", "gamma ignored")
class GammaIgnored(Open):
    """gamma is kept as ones, as fix_gamma does, whatever it was set to."""

    def forward(self, x: Array) -> Array:
        out = super().forward(x)
        return out + (1 - self.column(self.gamma, x)) * self.recall()[0]

    def backward(self, dout: Array) -> Array:
        dx = super().backward(dout / self.column(self.gamma, dout))
        z, *_ = self.recall()
        axes = self._axes(z.ndim)[0]
        self.grads["gamma"], self.grads["beta"] = (dout * z).sum(axis=axes), dout.sum(axis=axes)
        return dx


@fault("batch-norm-no-eps", "batch_norm", "no eps")
class NoEps(Open):
    """eps seems too small to matter."""

    def std(self, var: Array) -> Array:
        return np.sqrt(var)


@fault("batch-norm-divides-by-variance", "batch_norm", "a division by the variance")
class DividesByVariance(Open):
    """The root is forgotten, which a batch of variance 1 forgives."""

    def std(self, var: Array) -> Array:
        return var + self.eps


@fault("batch-norm-normalises-with-unbiased-variance", "batch_norm", "the unbiased variance in the output")
class NormalisesUnbiased(Open):
    """np.var(ddof=1), or torch.var with its default, is used for the batch."""

    def variance(self, centred: Array) -> Array:
        var = super().variance(centred)
        count = centred.size // var.size
        return var * (count / (count - 1))

    def unbiased(self, var: Array, count: int) -> Array:
        return var


@fault("batch-norm-variance-not-centred", "batch_norm", "the mean square for the variance")
class NotCentred(Open):
    """mean(x**2) is computed before the mean was subtracted."""

    def forward(self, x: Array) -> Array:
        self.whole = x
        return super().forward(x)

    def variance(self, centred: Array) -> Array:
        return super().variance(self.whole)


@fault("batch-norm-running-biased-variance", "batch_norm", "the biased variance in the running one")
class RunningBiased(Open):
    """The variance of the batch is at hand, and PyTorch's docs mention the other one in passing."""

    def unbiased(self, var: Array, count: int) -> Array:
        return var


@fault("batch-norm-book", "batch_norm", "the book's eps of 1e-6 for 1e-5 and its biased running variance")
class TheBooks(RunningBiased):
    """The book writes 10e-7, which reads like 1e-7, and averages the variance that it divides by."""

    def std(self, var: Array) -> Array:
        return np.sqrt(var + 10e-7)


@fault("batch-norm-momentum-reversed", "batch_norm", "the running statistics' momentum reversed")
class MomentumReversed(Open):
    """PyTorch's momentum is the share of the new batch, the book's that of the old value."""

    def __init__(self, *args: Any, **options: Any):
        super().__init__(*args, **options)
        self.momentum = 1 - self.momentum


@fault("batch-norm-running-not-updated", "batch_norm", "running statistics that never move")
class NeverMoves(Open):
    """The update makes a local variable, and the layer's own array stays."""

    def move(self, mean: Array, var: Array) -> None:
        pass


@fault("batch-norm-running-is-the-last-batch", "batch_norm", "running statistics of the last batch alone")
class LastBatch(Open):
    """The attribute is assigned in every step."""

    def move(self, mean: Array, var: Array) -> None:
        self.running_mean, self.running_var = mean.ravel(), var.ravel()


@fault("batch-norm-running-not-used", "batch_norm", "the batch's statistics in inference")
class RunningNotUsed(Open):
    """The network is never switched to eval, or the layer does not look at the switch."""

    def running(self, x: Array) -> tuple[Array, Array]:
        mean = self.average(x)
        return mean, self.variance(x - mean)


@fault("batch-norm-running-moves-in-inference", "batch_norm", "running statistics that move in inference")
class MovesInInference(Open):
    """The update stands after the branch for training."""

    def forward(self, x: Array) -> Array:
        out = super().forward(x)
        if not self.training:
            mean = self.average(x)
            self.move(mean, self.unbiased(self.variance(x - mean), x.size // len(self.gamma)))
        return out


@fault("batch-norm-running-std", "batch_norm", "the standard deviation kept as running variance")
class RunningStd(Open):
    """running_std was renamed to running_var and its values were not squared."""

    def unbiased(self, var: Array, count: int) -> Array:
        return np.sqrt(super().unbiased(var, count))


@fault("batch-norm-per-pixel", "batch_norm", "statistics of each pixel", needs={"images"})
class PerPixel(Open):
    """The book flattens images and normalises each pixel over the batch."""

    def average(self, x: Array) -> Array:
        return x.mean(axis=0, keepdims=True)

    def move(self, mean: Array, var: Array) -> None:
        C = len(self.gamma)
        super().move(mean.reshape(C, -1).mean(axis=1), var.reshape(C, -1).mean(axis=1))


@fault("batch-norm-per-image", "batch_norm", "statistics of each image")
class PerImage(Open):
    """The axes are those of layer normalization."""

    def average(self, x: Array) -> Array:
        return x.mean(axis=tuple(range(1, x.ndim)), keepdims=True)

    def move(self, mean: Array, var: Array) -> None:
        shape = self.running_mean.shape
        super().move(np.full(shape, mean.mean(), mean.dtype), np.full(shape, var.mean(), var.dtype))


@fault("batch-norm-one-mean-for-all", "batch_norm", "one mean and variance for all channels")
class OneForAll(Open):
    """x.mean() lacks its axis."""

    def average(self, x: Array) -> Array:
        return x.mean(keepdims=True)

    def move(self, mean: Array, var: Array) -> None:
        shape = self.running_mean.shape
        super().move(np.full(shape, mean.item(), mean.dtype), np.full(shape, var.item(), var.dtype))


@fault(
    "batch-norm-one-mean-for-all-in-training",
    "batch_norm",
    "one mean and variance for all channels in the output",
)
class OneForAllInTraining(Open):
    """x.mean() lacks its axis where x is normalised; the running statistics are per channel."""

    def average(self, x: Array) -> Array:
        return x.mean(keepdims=True)

    def move(self, mean: Array, var: Array) -> None:
        super().move(self.channel_mean, self.channel_var)

    def forward(self, x: Array) -> Array:
        axes = self._axes(x.ndim)[0]
        if self.training:
            self.channel_mean, self.channel_var = x.mean(axis=axes), x.var(axis=axes, ddof=1)
        return super().forward(x)


@fault("batch-norm-rows-not-averaged", "batch_norm", "statistics of each image row", needs={"images"})
class PerRow(Open):
    """axis=(0, 3) is left of a tuple that was meant for another layout."""

    def average(self, x: Array) -> Array:
        return x.mean(axis=(0, 3) if x.ndim == 4 else 0, keepdims=True)

    def move(self, mean: Array, var: Array) -> None:
        C = len(self.gamma)
        super().move(mean.reshape(C, -1).mean(axis=1), var.reshape(C, -1).mean(axis=1))


@fault("batch-norm-dx-without-mean-term", "batch_norm", "dx without the mean's term")
class WithoutMeanTerm(Open):
    """The path through the mean is forgotten."""

    def input_gradient(self, dz: Array, z: Array, std: Array) -> Array:
        return (dz - z * self.average(dz * z)) / std


@fault("batch-norm-dx-without-variance-term", "batch_norm", "dx without the variance's term")
class WithoutVarianceTerm(Open):
    """The path through the variance is forgotten."""

    def input_gradient(self, dz: Array, z: Array, std: Array) -> Array:
        return (dz - self.average(dz)) / std


@fault("batch-norm-dx-as-in-inference", "batch_norm", "dx as if the statistics were constants")
class AsInInference(Open):
    """Backward is the derivative of a scaling and a shift."""

    def input_gradient(self, dz: Array, z: Array, std: Array) -> Array:
        return dz / std


@fault("batch-norm-dx-variance-term-sign", "batch_norm", "the variance's term added in dx")
class VarianceSign(Open):
    """The minus of d(1/std) is lost."""

    def input_gradient(self, dz: Array, z: Array, std: Array) -> Array:
        return (dz - self.average(dz) + z * self.average(dz * z)) / std


@fault("batch-norm-dx-sums-not-divided", "batch_norm", "sums for means in dx")
class SumsNotDivided(Open):
    """The factor N in front of dx in the paper's collected form is lost, so the sums are too large."""

    def input_gradient(self, dz: Array, z: Array, std: Array) -> Array:
        count = z.size // std.size
        return (dz - count * self.average(dz) - count * z * self.average(dz * z)) / std


@fault("batch-norm-dx-without-gamma", "batch_norm", "dx without gamma")
class WithoutGamma(Open):
    """dout is used where dout * gamma is meant, and gamma begins at 1."""

    def backward(self, dout: Array) -> Array:
        super().backward(dout)
        z, std, was_training, _ = self.recall()
        return self.input_gradient(dout, z, std) if was_training else dout / std


@fault("batch-norm-inference-backward-as-training", "batch_norm", "training's dx in inference")
class BackwardAsTraining(Open):
    """Frozen batch normalization is given the one backward there is."""

    def forward(self, x: Array) -> Array:
        out = super().forward(x)
        z, std, _, x = self.recall()
        self.remember(z, std, True, x)
        return out


@fault("batch-norm-dgamma-not-normalised", "batch_norm", "dgamma with x for the normalised x")
class GammaNotNormalised(Open):
    """gamma multiplies x in the mind of the writer."""

    def gamma_gradient(self, dout: Array, z: Array, std: Array, x: Array, axes: Any) -> Array:
        return (dout * x).sum(axis=axes)


@fault("batch-norm-dgamma-centred-only", "batch_norm", "dgamma not divided by the standard deviation")
class GammaCentred(Open):
    """x - mean is what forward kept."""

    def gamma_gradient(self, dout: Array, z: Array, std: Array, x: Array, axes: Any) -> Array:
        return (dout * z * std).sum(axis=axes)


@fault("batch-norm-dgamma-mean", "batch_norm", "the mean for the sum in dgamma")
class GammaMean(Open):
    """np.mean is written for np.sum."""

    def gamma_gradient(self, dout: Array, z: Array, std: Array, x: Array, axes: Any) -> Array:
        return (dout * z).mean(axis=axes)


@fault("batch-norm-dbeta-mean", "batch_norm", "the mean for the sum in dbeta")
class BetaMean(Open):
    """np.mean is written for np.sum."""

    def backward(self, dout: Array) -> Array:
        dx = super().backward(dout)
        self.grads["beta"] = dout.mean(axis=self._axes(dout.ndim)[0])
        return dx


@fault("batch-norm-beta-scaled", "batch_norm", "beta multiplied by gamma")
class BetaScaled(Open):
    """The brackets are set as gamma * (z + beta)."""

    def forward(self, x: Array) -> Array:
        return super().forward(x) + self.column((self.gamma - 1) * self.beta, x)


# -- options ---------------------------------------------------------------------------------------
@fault("batch-norm-mean-of-batches-off-by-one", "batch_norm_options", "one batch too few in the mean of all")
class CountsTooLate(BatchNorm):
    """The count of batches is raised after it was used, and the first batch divides by 1 all the same."""

    def forward(self, x: Array) -> Array:
        counted = self.batches
        self.batches = max(0, counted - 1)
        try:
            return super().forward(x)
        finally:
            self.batches = counted + (self.training and self.running_mean is not None)


@fault("batch-norm-momentum-none-is-the-default", "batch_norm_options", "momentum 0.9 for None")
class NoneIsDefault(BatchNorm):
    """None is read as "not given"."""

    def __init__(self, *args: Any, **options: Any):
        super().__init__(*args, **options)
        self.momentum = 0.9 if self.momentum is None else self.momentum


@fault("batch-norm-untracked-inference", "batch_norm_options", "mean 0 and variance 1 in inference")
class UntrackedInference(BatchNorm):
    """Without running statistics the initial ones are used, which were never moved."""

    def forward(self, x: Array) -> Array:
        if self.training or self.running_mean is not None:
            return super().forward(x)
        std = np.sqrt(np.ones(x.shape[1], x.dtype) + x.dtype.type(self.eps))
        z = x / self._beside(std, x)
        self.remember(z, std, False)
        return z if self.gamma is None else self._beside(self.gamma, x) * z + self._beside(self.beta, x)


@fault("batch-norm-untracked-backward", "batch_norm_options", "dx in inference as if of running statistics")
class UntrackedBackward(BatchNorm):
    """backward asks whether it trains, where it should ask whose statistics were used."""

    def backward(self, dout: Array) -> Array:
        z, std, of_batch = self.recall()
        self._memory = (z, std, of_batch and self.training)
        try:
            return super().backward(dout)
        finally:
            self._memory = (z, std, of_batch)


@fault("batch-norm-not-scaled-not-divided", "batch_norm_options", "no division where gamma is missing")
class NotDivided(BatchNorm):
    """The division is written together with gamma, as gamma / std, and goes with it."""

    def forward(self, x: Array) -> Array:
        out = super().forward(x)
        return out if self.gamma is not None else out * self._beside(self.recall()[1], x)
