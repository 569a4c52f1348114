"""Bugs of layer normalization: which axes, which variance, eps and its place; the three terms of dx."""

from __future__ import annotations

from typing import Any

import numpy as np

from parity.faults.catalogue.contracts import Accumulates, Stale, callers_arrays
from parity.faults.catalogue.dtypes import DoublesOutput
from parity.faults.catalogue.stale_weights import Copied
from parity.faults.fault import Family, before
from scratchcnn.layers import LayerNorm
from scratchcnn.typing import Array

fault = Family()


class Open(LayerNorm):
    """The right layer, cut into the pieces that the bugs below replace."""

    def statistics_axes(self, x: Array) -> tuple[int, ...]:
        return self._axes(x)

    def average(self, a: Array) -> Array:
        """The mean over a row, in a shape that stands beside x."""
        return a.mean(axis=self.statistics_axes(a), keepdims=True)

    def variance(self, x: Array, centred: Array) -> Array:
        return self.average(centred**2)

    def std(self, var: Array) -> Array:
        return np.sqrt(var + self.eps)

    def scaled(self, z: Array) -> Array:
        out = z.copy() if self.gamma is None else self.gamma * z
        return out if self.beta is None else out + self.beta

    def input_gradient(self, dz: Array, z: Array, std: Array) -> Array:
        """From dz, the gradient of the normalised x."""
        return (dz - self.average(dz) - z * self.average(dz * z)) / std

    def weight_gradients(self, dout: Array, z: Array, x: Array, std: Array) -> tuple[Array, Array]:
        return self.over_rows(dout * z), self.over_rows(dout)

    def over_rows(self, a: Array) -> Array:
        return a.sum(axis=tuple(range(a.ndim - self.gamma.ndim)))

    def forward(self, x: Array) -> Array:
        x = self.check_input(x, like=self.gamma)
        self._axes(x)
        centred = x - self.average(x)
        std = self.std(self.variance(x, centred))
        z = centred / std
        self.remember(z, std, x.copy())
        return self.scaled(z)

    def backward(self, dout: Array) -> Array:
        z, std, x = self.recall()
        dz = self.check_dout(dout, z.shape)
        if self.gamma is not None:
            self.grads["gamma"], self.grads["beta"] = self.weight_gradients(dout, z, x, std)
            dz = dz * self.gamma
        return self.input_gradient(dz, z, std)


# -- which numbers belong together -----------------------------------------------------------------
@fault("layer-norm-over-the-batch", "layer_norm", "mean and variance over the batch")
class OverTheBatch(Open):
    """axis=0 is what batch normalization has, from which the code was copied."""

    def statistics_axes(self, x: Array) -> tuple[int, ...]:
        return (0,)


@fault("layer-norm-one-mean-for-all", "layer_norm", "one mean and variance for all rows")
class OneForAll(Open):
    """x.mean() lacks its axis."""

    def statistics_axes(self, x: Array) -> tuple[int, ...]:
        return tuple(range(x.ndim))


@fault("layer-norm-over-all-but-the-batch", "layer_norm", "one mean for each sequence", needs={"sequences"})
class OverTheSequence(Open):
    """All axes but the first are normalised together, as Keras' example for images has it."""

    def statistics_axes(self, x: Array) -> tuple[int, ...]:
        return tuple(range(1, x.ndim))


@fault("layer-norm-axis-1", "layer_norm", "mean and variance along axis 1", needs={"sequences"})
class AxisOne(Open):
    """axis=1 was the last one as long as there were rows alone."""

    def statistics_axes(self, x: Array) -> tuple[int, ...]:
        return (1,)


@fault("layer-norm-mean-of-all", "layer_norm", "the mean of all rows, each with its own variance")
class MeanOfAll(Open):
    """np.mean(x) lacks the axis that np.var(x, axis=-1) has."""

    def forward(self, x: Array) -> Array:
        x = self.check_input(x, like=self.gamma)
        std = self.std(x.var(axis=self._axes(x), keepdims=True))
        z = (x - x.mean()) / std
        self.remember(z, std, x.copy())
        return self.scaled(z)


# -- the deviation ---------------------------------------------------------------------------------
@fault("layer-norm-eps-outside-the-root", "layer_norm", "sqrt(var) + eps for sqrt(var + eps)")
class EpsOutside(Open):
    """x.std() + eps needs no root of its own."""

    def std(self, var: Array) -> Array:
        return np.sqrt(var) + self.eps


@fault("layer-norm-no-eps", "layer_norm", "no eps")
class NoEps(Open):
    """No row is constant, it seems."""

    def std(self, var: Array) -> Array:
        return np.sqrt(var)


@fault("layer-norm-eps-after-the-division", "layer_norm", "eps added after the division")
class EpsAfter(Open):
    """(x - mean) / sqrt(var) + eps lacks a pair of parentheses."""

    def std(self, var: Array) -> Array:
        return np.sqrt(var)

    def scaled(self, z: Array) -> Array:
        return super().scaled(z + z.dtype.type(self.eps))


@fault("layer-norm-unbiased-variance", "layer_norm", "the variance divided by D - 1")
class Unbiased(Open):
    """np.var(ddof=1), or a translation of torch.std, whose default that is."""

    def variance(self, x: Array, centred: Array) -> Array:
        count = x.shape[-1]
        return super().variance(x, centred) * (count / (count - 1))


@fault("layer-norm-divides-by-variance", "layer_norm", "a division by the variance")
class DividesByVariance(Open):
    """The root is forgotten, which a row of variance 1 forgives."""

    def std(self, var: Array) -> Array:
        return var + self.eps


@fault("layer-norm-std-under-the-root", "layer_norm", "the deviation for the variance under the root")
class RootTwice(Open):
    """np.std is called var, and its root is taken as that of a variance."""

    def std(self, var: Array) -> Array:
        return np.sqrt(np.sqrt(var) + self.eps)


@fault("layer-norm-variance-not-centred", "layer_norm", "the mean square for the variance")
class NotCentred(Open):
    """mean(x**2) is RMS normalization's, where no mean is subtracted either."""

    def variance(self, x: Array, centred: Array) -> Array:
        return self.average(x**2)


@fault("layer-norm-mean-not-subtracted", "layer_norm", "no mean subtracted")
class NotShifted(Open):
    """x is divided by its deviation alone."""

    def forward(self, x: Array) -> Array:
        x = self.check_input(x, like=self.gamma)
        std = self.std(x.var(axis=self._axes(x), keepdims=True))
        self.remember(x / std, std, x.copy())
        return self.scaled(x / std)


# -- gamma and beta --------------------------------------------------------------------------------
@fault("layer-norm-gamma-ignored", "layer_norm", "gamma ignored")
class GammaIgnored(Open):
    """gamma begins at 1, and what was written before it was added goes on working."""

    def scaled(self, z: Array) -> Array:
        return z.copy() if self.beta is None else z + self.beta


@fault("layer-norm-beta-ignored", "layer_norm", "beta ignored")
class BetaIgnored(Open):
    """beta begins at 0, and nothing shows that it is not added."""

    def scaled(self, z: Array) -> Array:
        return z.copy() if self.gamma is None else self.gamma * z


@fault("layer-norm-beta-scaled", "layer_norm", "beta multiplied by gamma")
class BetaScaled(Open):
    """The brackets are set as gamma * (z + beta)."""

    def scaled(self, z: Array) -> Array:
        return z.copy() if self.gamma is None else self.gamma * (z if self.beta is None else z + self.beta)


@fault("layer-norm-dgamma-not-normalised", "layer_norm", "dgamma with x for the normalised x")
class GammaNotNormalised(Open):
    """gamma multiplies x in the mind of the writer."""

    def weight_gradients(self, dout: Array, z: Array, x: Array, std: Array) -> tuple[Array, Array]:
        return self.over_rows(dout * x), self.over_rows(dout)


@fault("layer-norm-dgamma-centred-only", "layer_norm", "dgamma not divided by the standard deviation")
class GammaCentred(Open):
    """x - mean is what forward kept."""

    def weight_gradients(self, dout: Array, z: Array, x: Array, std: Array) -> tuple[Array, Array]:
        return self.over_rows(dout * z * std), self.over_rows(dout)


@fault("layer-norm-dgamma-with-out", "layer_norm", "dgamma with the output for the normalised x")
class GammaOfOutput(Open):
    """The output is kept, which is the normalised x while gamma is 1 and beta 0."""

    def weight_gradients(self, dout: Array, z: Array, x: Array, std: Array) -> tuple[Array, Array]:
        return self.over_rows(dout * self.scaled(z)), self.over_rows(dout)


@fault("layer-norm-dgamma-mean", "layer_norm", "the mean for the sum in dgamma")
class GammaMean(Open):
    """np.mean is written for np.sum."""

    def weight_gradients(self, dout: Array, z: Array, x: Array, std: Array) -> tuple[Array, Array]:
        rows = z.size // z.shape[-1]
        return self.over_rows(dout * z) / rows, self.over_rows(dout)


@fault("layer-norm-dbeta-mean", "layer_norm", "the mean for the sum in dbeta")
class BetaMean(Open):
    """np.mean is written for np.sum."""

    def weight_gradients(self, dout: Array, z: Array, x: Array, std: Array) -> tuple[Array, Array]:
        rows = z.size // z.shape[-1]
        return self.over_rows(dout * z), self.over_rows(dout) / rows


@fault("layer-norm-gradients-averaged", "layer_norm", "dgamma and dbeta divided by the number of rows")
class Averaged(Open):
    """The loss has divided by the batch already, and it is done once more."""

    def weight_gradients(self, dout: Array, z: Array, x: Array, std: Array) -> tuple[Array, Array]:
        rows = z.size // z.shape[-1]
        return self.over_rows(dout * z) / rows, self.over_rows(dout) / rows


@fault("layer-norm-dbeta-with-gamma", "layer_norm", "dbeta multiplied by gamma")
class BetaWithGamma(Open):
    """dz = dout * gamma is what is summed."""

    def weight_gradients(self, dout: Array, z: Array, x: Array, std: Array) -> tuple[Array, Array]:
        return self.over_rows(dout * z), self.over_rows(dout * self.gamma)


@fault("layer-norm-dgamma-not-summed", "layer_norm", "dgamma and dbeta not summed over the batch")
class NotSummed(Open):
    """dout * z has the shape of x, and NumPy broadcasts it into every update."""

    def weight_gradients(self, dout: Array, z: Array, x: Array, std: Array) -> tuple[Array, Array]:
        return dout * z, dout.copy()


@fault(
    "layer-norm-dgamma-summed-over-the-batch-alone",
    "layer_norm",
    "dgamma and dbeta summed over the first axis alone",
    needs={"sequences"},
)
class SummedOnce(Open):
    """axis=0 is all there is to sum over as long as there are rows alone."""

    def over_rows(self, a: Array) -> Array:
        return a.sum(axis=0)


# -- dx --------------------------------------------------------------------------------------------
@fault("layer-norm-dx-without-mean-term", "layer_norm", "dx without the mean's term")
class WithoutMeanTerm(Open):
    """The path through the mean is forgotten."""

    def input_gradient(self, dz: Array, z: Array, std: Array) -> Array:
        return (dz - z * self.average(dz * z)) / std


@fault("layer-norm-dx-without-variance-term", "layer_norm", "dx without the variance's term")
class WithoutVarianceTerm(Open):
    """The path through the variance is forgotten."""

    def input_gradient(self, dz: Array, z: Array, std: Array) -> Array:
        return (dz - self.average(dz)) / std


@fault("layer-norm-dx-statistics-constant", "layer_norm", "dx as if mean and variance were constants")
class StatisticsConstant(Open):
    """Backward is the derivative of a scaling and a shift."""

    def input_gradient(self, dz: Array, z: Array, std: Array) -> Array:
        return dz / std


@fault("layer-norm-dx-variance-term-sign", "layer_norm", "the variance's term added in dx")
class VarianceSign(Open):
    """The minus of d(1/std) is lost."""

    def input_gradient(self, dz: Array, z: Array, std: Array) -> Array:
        return (dz - self.average(dz) + z * self.average(dz * z)) / std


@fault("layer-norm-dx-sums-not-divided", "layer_norm", "sums for means in dx")
class SumsNotDivided(Open):
    """The factor D in front of dx in the collected form is lost, so the sums are too large."""

    def input_gradient(self, dz: Array, z: Array, std: Array) -> Array:
        count = z.size // std.size
        return (dz - count * self.average(dz) - count * z * self.average(dz * z)) / std


@fault("layer-norm-dx-means-over-the-batch", "layer_norm", "means over the batch in dx")
class BatchMeans(Open):
    """Backward is batch normalization's, which sums over axis 0."""

    def input_gradient(self, dz: Array, z: Array, std: Array) -> Array:
        along = (dz * z).mean(axis=0, keepdims=True)
        return (dz - dz.mean(axis=0, keepdims=True) - z * along) / std


@fault("layer-norm-dx-divided-by-the-batch", "layer_norm", "sums divided by N for D in dx")
class DividedByBatch(Open):
    """N = x.shape[0] is what batch normalization's formula divides by."""

    def input_gradient(self, dz: Array, z: Array, std: Array) -> Array:
        share = z.dtype.type(z.shape[-1] / len(z))
        return (dz - share * self.average(dz) - z * share * self.average(dz * z)) / std


@fault("layer-norm-dx-without-gamma", "layer_norm", "dx without gamma")
class WithoutGamma(Open):
    """dout is used where dout * gamma is meant, and gamma begins at 1."""

    def backward(self, dout: Array) -> Array:
        super().backward(dout)
        z, std, _ = self.recall()
        return self.input_gradient(dout, z, std)


@fault("layer-norm-dx-not-divided", "layer_norm", "dx not divided by the standard deviation")
class NotDivided(Open):
    """The factor in front of the bracket is forgotten, which rows of variance 1 forgive."""

    def input_gradient(self, dz: Array, z: Array, std: Array) -> Array:
        return super().input_gradient(dz, z, std) * std


@fault("layer-norm-dx-divided-by-variance", "layer_norm", "dx divided by the variance")
class DividedByVariance(Open):
    """std and var are one name in backward."""

    def input_gradient(self, dz: Array, z: Array, std: Array) -> Array:
        return super().input_gradient(dz, z, std) / std


# -- what one call never shows ---------------------------------------------------------------------
callers_arrays(
    fault,
    "layer-norm",
    "layer_norm",
    LayerNorm,
    "x -= mean centres the caller's rows.",
    "dout *= gamma is the first line of backward.",
    "x is kept, and normalised anew in backward to save memory.",
)
fault("layer-norm-stale-statistics", "layer_norm", "a cache from the first forward", shows="contract")(
    before(Stale, LayerNorm, "The normalised rows are kept once and not again.")
)
fault("layer-norm-gradients-accumulate", "layer_norm", "gradients added to the last ones", shows="contract")(
    before(Accumulates, LayerNorm, "dgamma += is kept from a loop over the steps of a sequence.")
)
fault(
    "layer-norm-stale-weights",
    "layer_norm",
    "weights copied once: forward and backward use the old ones after an update",
    shows="contract",
)(before(Copied, LayerNorm, "gamma and beta are reshaped to stand beside x at the first call."))
fault("layer-norm-float64-output", "layer_norm", "float64 from float32", shows="precision")(
    before(DoublesOutput, LayerNorm, "gamma is left at its np.ones(D), and multiplying by it promotes x.")
)


# -- options ---------------------------------------------------------------------------------------
@fault("layer-norm-last-axis-alone", "layer_norm_options", "the last axis alone of several")
class LastAxisAlone(Open):
    """axis=-1 is right for rows and sequences, and gamma fits images as well."""

    def statistics_axes(self, x: Array) -> tuple[int, ...]:
        return (-1,)


@fault("layer-norm-eps-fixed", "layer_norm_options", "an eps of 1e-5 whatever was given")
class EpsFixed(LayerNorm):
    """The argument is taken and not used."""

    def __init__(self, *args: Any, **options: Any):
        super().__init__(*args, **options)
        self.eps = 1e-5


@fault("layer-norm-not-scaled-not-divided", "layer_norm_options", "no division where gamma is missing")
class NotScaledNotDivided(Open):
    """The division is written together with gamma, as gamma / std, and goes with it."""

    def forward(self, x: Array) -> Array:
        out = super().forward(x)
        return out if self.gamma is not None else out * self.recall()[1]


@fault(
    "layer-norm-count-of-the-last-axis", "layer_norm_options", "the variance divided by the last axis alone"
)
class CountOfLastAxis(Open):
    """D = x.shape[-1] is how many numbers a row has, as long as it is one axis."""

    def variance(self, x: Array, centred: Array) -> Array:
        var = super().variance(x, centred)
        return var * centred.dtype.type(centred.size // var.size / x.shape[-1])
