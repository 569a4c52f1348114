"""Bugs of what LeNet-5 alone has: the table of connections, subsampling, the distance layer."""

from __future__ import annotations

from typing import Any

import numpy as np

from parity.faults.fault import Family
from scratchcnn.layers import RBF, Convolution, PartialConvolution, Subsampling
from scratchcnn.typing import Array

fault = Family()


# -- the table of connections ---------------------------------------------------------------------
class OpenTable(PartialConvolution):
    """The right layer with another table in use than the one it was given."""

    def __init__(self, W: Array, b: Array | None, connections: Array, stride: Any = 1, pad: Any = 0):
        connections = np.asarray(connections, dtype=bool)
        self.used = self.table(connections)
        super().__init__(W.copy(), b, self.used, stride, pad)
        self.connections = connections

    def backward(self, dout: Array) -> Array:
        dx = Convolution.backward(self, dout)
        self.grads["W"][~self.used] = 0
        return dx

    def table(self, connections: Array) -> Array:
        return connections


@fault("partial-conv-table-ignored", "partial_convolution", "every filter connected to every channel")
class TableIgnored(OpenTable):
    """The table is stored for later and a plain convolution is made."""

    def table(self, connections: Array) -> Array:
        return np.ones_like(connections)


@fault("partial-conv-table-inverted", "partial_convolution", "the table of connections inverted")
class TableInverted(OpenTable):
    """True is read as "masked", as in numpy.ma."""

    def table(self, connections: Array) -> Array:
        return ~connections


@fault(
    "partial-conv-table-transposed", "partial_convolution", "the table of connections read down its columns"
)
class TableTransposed(OpenTable):
    """The paper prints the table with channels as rows and filters as columns."""

    def table(self, connections: Array) -> Array:
        return np.ascontiguousarray(connections.T).reshape(connections.shape)


@fault("partial-conv-table-off-by-one", "partial_convolution", "the table of connections one channel off")
class TableShifted(OpenTable):
    """The channels of the table are counted from 1."""

    def table(self, connections: Array) -> Array:
        return np.roll(connections, 1, axis=1)


@fault("partial-conv-dw-not-masked", "partial_convolution", "dW where there is no connection")
class GradientNotMasked(PartialConvolution):
    """W is zeroed once, and the first update brings the missing connections to life."""

    def backward(self, dout: Array) -> Array:
        dx = super().backward(dout)
        _, col = self.recall()
        rows = dout.transpose(0, 2, 3, 1).reshape(-1, dout.shape[1])
        self.grads["W"] = (rows.T @ col).reshape(self.W.shape)
        return dx


@fault("partial-conv-dx-not-masked", "partial_convolution", "dx through connections that do not exist")
class PassesBack(PartialConvolution):
    """Forward multiplies W by the table on the fly, and backward uses W as it is stored."""

    def __init__(self, W: Array, b: Array | None, connections: Array, stride: Any = 1, pad: Any = 0):
        super().__init__(W.copy(), b, connections, stride, pad)
        self.whole = W

    def backward(self, dout: Array) -> Array:
        super().backward(dout)
        whole = Convolution(self.whole, None, self.stride, self.pad)
        whole.remember(*self.recall())
        return whole.backward(dout)


@fault("partial-conv-rescaled", "partial_convolution", "the sum scaled up for the missing connections")
class Rescaled(PartialConvolution):
    """The missing channels are made up for, as in inverted dropout."""

    def forward(self, x: Array) -> Array:
        out, b = super().forward(x), 0 if self.b is None else self.b[:, None, None]
        share = self.connections.mean(axis=1, dtype=x.dtype)[:, None, None]
        return (out - b) / share + b


# -- subsampling ----------------------------------------------------------------------------------
@fault("subsampling-mean", "subsampling", "the mean of the window for its sum")
class SubsamplingMean(Subsampling):
    """It is taken for average pooling; the paper adds the four inputs."""

    def forward(self, x: Array) -> Array:
        return super().forward(x / self.size**2)

    def backward(self, dout: Array) -> Array:
        return super().backward(dout) / self.size**2


@fault("subsampling-one-coefficient", "subsampling", "the first channel's coefficient for all")
class OneCoefficient(Subsampling):
    """The coefficient is thought of as one number a layer."""

    def forward(self, x: Array) -> Array:
        c, b = self.coefficient[:, None, None], self.bias[:, None, None]
        super().forward(x)
        return self.recall()[1] * c[:1] + b


@fault("subsampling-bias-inside", "subsampling", "the bias added before the coefficient")
class BiasInside(Subsampling):
    """The formula is read as coefficient * (sum + bias)."""

    def forward(self, x: Array) -> Array:
        c, b = self.coefficient[:, None, None], self.bias[:, None, None]
        return super().forward(x) + (c - 1) * b


@fault("subsampling-gradient-without-total", "subsampling", "dcoefficient without the window's sum")
class WithoutTotal(Subsampling):
    """The line for the bias is copied for the coefficient."""

    def backward(self, dout: Array) -> Array:
        dx = super().backward(dout)
        self.grads["coefficient"] = self.grads["bias"].copy()
        return dx


@fault("subsampling-gradient-without-coefficient", "subsampling", "dx without the coefficient")
class WithoutCoefficient(Subsampling):
    """dx spreads dout over the window as an average pooling's would, and the factor is forgotten."""

    def backward(self, dout: Array) -> Array:
        return super().backward(dout / self.coefficient[:, None, None])


@fault("subsampling-dx-divided", "subsampling", "dx divided by the window's size")
class DividedBack(Subsampling):
    """The backward of an average pooling is used under a forward that adds."""

    def backward(self, dout: Array) -> Array:
        return super().backward(dout) / self.size**2


@fault("subsampling-tile-for-repeat", "subsampling", "dout tiled where each value must be repeated")
class Tiled(Subsampling):
    """np.tile is used to blow dout up, which has the right shape."""

    def backward(self, dout: Array) -> Array:
        dx = super().backward(dout)
        wide = np.tile(dout * self.coefficient[:, None, None], (1, 1, self.size, self.size))
        dx[:, :, : wide.shape[2], : wide.shape[3]] = wide
        return dx


@fault("subsampling-dbias-mean", "subsampling", "the mean of dout for its sum in dbias")
class BiasMean(Subsampling):
    """np.mean is written for np.sum."""

    def backward(self, dout: Array) -> Array:
        dx = super().backward(dout)
        self.grads["bias"] = dout.mean(axis=(0, 2, 3))
        return dx


@fault("subsampling-dx-loses-the-rest", "subsampling", "dx without the rows that filled no window")
class LosesTheRest(Subsampling):
    """dx is made by blowing dout up, and is then smaller than x where the size does not divide."""

    def backward(self, dout: Array) -> Array:
        OH, OW = dout.shape[2:]
        return super().backward(dout)[:, :, : OH * self.size, : OW * self.size]


# -- the distance layer ---------------------------------------------------------------------------
@fault("rbf-factor-two", "rbf", "dx without the factor 2")
class FactorTwo(RBF):
    """The derivative of the square loses its 2, as a 1/2 in front of a loss would allow."""

    def backward(self, dout: Array) -> Array:
        return super().backward(dout) / 2


@fault("rbf-gradient-sign", "rbf", "dx with the sign flipped")
class DistanceSign(RBF):
    """The difference is W - x in forward, which the square forgives, and in backward, which does not."""

    def backward(self, dout: Array) -> Array:
        return -super().backward(dout)


@fault("rbf-euclidean", "rbf", "the distance for its square")
class Euclidean(RBF):
    """np.linalg.norm is at hand."""

    def forward(self, x: Array) -> Array:
        return np.sqrt(super().forward(x))


@fault("rbf-mean", "rbf", "the mean over the code for its sum")
class MeanDistance(RBF):
    """The mean squared error is used for the squared distance."""

    def forward(self, x: Array) -> Array:
        return super().forward(x) / x.shape[1]

    def backward(self, dout: Array) -> Array:
        return super().backward(dout) / self.W.shape[1]


@fault("rbf-inner-product", "rbf", "the inner product for the distance")
class InnerProduct(RBF):
    """The output layer is taken for an affine one."""

    def forward(self, x: Array) -> Array:
        super().forward(x)
        return x @ self.W.T
