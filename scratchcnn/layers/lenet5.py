"""The layers of LeNet-5 that are its own (LeCun et al. 1998): partial connections, trainable subsampling,
distances to fixed codes, and the loss of those distances. Its squashing function is `Tanh`."""

from __future__ import annotations

from typing import Any

import numpy as np

from scratchcnn.arrays import require_array
from scratchcnn.fast import accelerated
from scratchcnn.im2col import DoesNotFit, Pair, pair
from scratchcnn.layers.base import Layer, grad, param
from scratchcnn.layers.basic import Loss
from scratchcnn.layers.convolution import Convolution
from scratchcnn.typing import Array


@accelerated
class PartialConvolution(Convolution):
    """A convolution in which filter f sees only the channels that a table allows (LeNet-5's C3).

    `connections` (FN, C) of booleans, LeCun et al. 1998, table I. Weights without a connection are
    held at 0: the layer keeps a copy of W that is zeroed there, and so is dW in every backward.
    """

    def __init__(self, W: Array, b: Array | None, connections: Array, stride: Pair = 1, pad: Pair = 0):
        require_array(W, f"{self.kind}: W")
        connections = np.array(connections, dtype=bool)
        if connections.shape != np.shape(W)[:2]:
            raise ValueError(
                f"PartialConvolution: expected connections of shape (FN, C) = {np.shape(W)[:2]}, "
                f"got {connections.shape}"
            )
        super().__init__(np.where(connections[:, :, None, None], W, W.dtype.type(0)), b, stride, pad)
        self.connections = connections

    def backward(self, dout: Array) -> Array:
        dx = super().backward(dout)
        self.grads["W"][~self.connections] = 0
        return dx

    @property
    def num_params(self) -> int:
        FN, _, FH, FW = self.W.shape
        return int(self.connections.sum() * FH * FW) + (0 if self.b is None else int(FN))


@accelerated
class Subsampling(Layer):
    """LeNet-5's S2 and S4: (N, C, H, W) -> (N, C, H // size, W // size) (LeCun et al. 1998, section II.B).

        out = coefficient[c] * (sum over a size x size window) + bias[c]

    The windows do not overlap; coefficient and bias, both (C,), are trained. Rows and columns that
    do not fill a window are left out.
    """

    coefficient, bias = param(), param()
    dcoefficient, dbias = grad("coefficient"), grad("bias")

    def __init__(self, coefficient: Array, bias: Array, size: int = 2):
        super().__init__({"coefficient": coefficient, "bias": bias})
        if coefficient.ndim != 1 or coefficient.shape != bias.shape:
            raise ValueError(
                "Subsampling: expected coefficient and bias of the same shape (C,), "
                f"got {np.shape(coefficient)} and {np.shape(bias)}"
            )
        (self.size, _) = pair(size, "size", 1)

    def forward(self, x: Array) -> Array:
        x = self.check_input(x, like=self.coefficient)
        C, s = len(self.coefficient), self.size
        if x.ndim != 4 or x.shape[1] != C:
            raise ValueError(f"{self.label}: expected x of shape (N, {C}, H, W), got {x.shape}")
        if (smaller := min(x.shape[2:])) < s:
            raise DoesNotFit(f"{self.label}: a window of {s} does not fit into an input of {smaller}")
        N, _, H, W = x.shape
        windows = x[:, :, : H // s * s, : W // s * s].reshape(N, C, H // s, s, W // s, s)
        total = windows.sum(axis=(3, 5))  # (N, C, OH, OW)
        self.remember(x.shape, total)
        out: Array = total * self.coefficient[:, None, None] + self.bias[:, None, None]
        return out

    def backward(self, dout: Array) -> Array:
        """dcoefficient = sum of dout * total,  dbias = sum of dout,  dx = dout * coefficient, repeated."""
        x_shape, total = self.recall()
        dout = self.check_dout(dout, total.shape)
        self.grads["coefficient"] = (dout * total).sum(axis=(0, 2, 3))
        self.grads["bias"] = dout.sum(axis=(0, 2, 3))
        dx = np.zeros(x_shape, dtype=dout.dtype)
        spread = (dout * self.coefficient[:, None, None]).repeat(self.size, axis=2).repeat(self.size, axis=3)
        dx[:, :, : spread.shape[2], : spread.shape[3]] = spread
        return dx

    def arguments(self) -> str:
        return f"{len(self.coefficient)}, size={self.size}"


@accelerated
class RBF(Layer):
    """LeNet-5's output: (N, in) -> (N, out), the squared distance to each class's code.

        out[n, i] = sum over j of (x[n, j] - W[i, j])**2          (LeCun et al. 1998, eq. 7)

    W (out, in) is fixed, not trained: it is a buffer.
    """

    W = param("buffers")

    def __init__(self, W: Array):
        super().__init__(buffers={"W": W})
        if W.ndim != 2:
            raise ValueError(f"RBF: expected W of shape (out, in), got {W.shape}")

    def forward(self, x: Array) -> Array:
        x = self.check_input(x, like=self.W)
        if x.ndim != 2 or x.shape[1] != self.W.shape[1]:
            raise ValueError(
                f"{self.label}: expected x of shape (N, {self.W.shape[1]}) because W is {self.W.shape}; "
                f"got {x.shape}"
            )
        difference = x[:, None, :] - self.W  # (N, out, in)
        self.remember(difference)
        out: Array = (difference**2).sum(axis=2)
        return out

    def backward(self, dout: Array) -> Array:
        """dx = sum over i of 2 * dout_i * (x - W_i)."""
        (difference,) = self.recall()
        dout = self.check_dout(dout, difference.shape[:2])
        dx: Array = 2 * (dout[:, :, None] * difference).sum(axis=1)
        return dx

    def arguments(self) -> str:
        return f"{self.W.shape[1]}, {self.W.shape[0]}"


class PenaltyLoss(Loss):
    """LeNet-5's criterion over the penalties of its RBF outputs (LeCun et al. 1998, eq. 9).

        loss = mean over n of  y[n, t] + log(exp(-j) + sum over i of exp(-y[n, i]))

    y (N, C) are penalties: the smaller, the likelier. `j` is the paper's positive constant, the penalty
    of a "rubbish" class, which keeps penalties that are already large from being pushed further; the
    paper leaves its value open.
    """

    def __init__(self, j: float = 10.0):
        super().__init__()
        if j <= 0:
            raise ValueError(f"PenaltyLoss: j must be positive, got {j}")
        self.j = float(j)

    def forward(self, x: Array, t: Any) -> Any:  # type: ignore[override]
        x, t = self.check(x, t)
        onehot = np.eye(x.shape[1], dtype=x.dtype)[t] if t.ndim == 1 else t.astype(x.dtype)
        lowest = np.minimum(x.min(axis=1, keepdims=True), x.dtype.type(self.j))
        e = np.exp(lowest - x)
        total = e.sum(axis=1, keepdims=True) + np.exp(lowest - self.j)
        self.remember(e / total, onehot)
        return ((x * onehot).sum(axis=1) + (np.log(total) - lowest)[:, 0]).mean()

    def backward(self, dout: Any = 1) -> Array:
        """dy_i = (1 where i is the label, minus exp(-y_i) / (exp(-j) + sum of exp(-y))) / N."""
        share, onehot = self.recall()
        dx: Array = (onehot - share) * share.dtype.type(dout) / len(share)
        return dx

    def arguments(self) -> str:
        return f"j={self.j:g}"
