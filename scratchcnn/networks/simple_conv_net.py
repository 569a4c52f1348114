"""SimpleConvNet, the network that chapter 7 trains (book, section 7.5)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from scratchcnn.arrays import at_least
from scratchcnn.im2col import DoesNotFit
from scratchcnn.im2col import output_size as conv_output_size
from scratchcnn.init import normal
from scratchcnn.layers import Affine, Convolution, Pooling, Relu, Sequential
from scratchcnn.networks.base import Network, image_shape

CONV_PARAM = {"filter_num": 30, "filter_size": 5, "pad": 0, "stride": 1}


class SimpleConvNet(Network):
    """conv - relu - pool - affine - relu - affine - softmax, with the book's constructor and names.

    conv_param       {"filter_num", "filter_size", "pad", "stride"}
    weight_init_std  a number, or "he" / "relu" (sqrt(2 / n)), "xavier" / "sigmoid" (sqrt(1 / n))
    rng              a Generator or a seed; None draws fresh weights

    `params` are W1 b1 (convolution), W2 b2 (hidden), W3 b3 (output). float32 unless `dtype` says
    otherwise (the book's are float64).
    """

    param_names = {  # noqa: RUF012  (read only)
        "W1": "Conv1.W",
        "b1": "Conv1.b",
        "W2": "Affine1.W",
        "b2": "Affine1.b",
        "W3": "Affine2.W",
        "b3": "Affine2.b",
    }

    def __init__(
        self,
        input_dim: tuple[int, int, int] = (1, 28, 28),
        conv_param: Mapping[str, int] | None = None,
        hidden_size: int = 100,
        output_size: int = 10,
        weight_init_std: float | str = 0.01,
        *,
        rng: np.random.Generator | int | None = None,
        dtype: Any = np.float32,
    ):
        if not isinstance(conv_param, Mapping | None):
            raise TypeError(
                f"SimpleConvNet: conv_param must be a dict with {list(CONV_PARAM)}, got {conv_param!r}"
            )
        conv = {**CONV_PARAM, **(conv_param or {})}
        if unknown := sorted(set(conv) - set(CONV_PARAM)):
            raise ValueError(f"SimpleConvNet: conv_param has no {unknown}; it takes {list(CONV_PARAM)}")
        FN, FS, pad, stride = (conv[key] for key in CONV_PARAM)
        C, H, W = image_shape(input_dim)
        hidden_size = at_least(1, hidden_size, "hidden_size")
        output_size = at_least(1, output_size, "output_size")
        try:
            OH, OW = conv_output_size(H, FS, stride, pad), conv_output_size(W, FS, stride, pad)
            pooled = FN * conv_output_size(OH, 2, 2) * conv_output_size(OW, 2, 2)
        except DoesNotFit as error:
            least = max(1, FS - 2 * pad + stride)  # two positions of the filter, for the pooling window
            raise DoesNotFit(f"SimpleConvNet: {error}; images must be at least {least}x{least}") from None

        rng = np.random.default_rng(rng)
        std = _std(weight_init_std)
        w1 = normal((FN, C, FS, FS), std(C * FS * FS), rng, dtype)
        w2 = normal((pooled, hidden_size), std(pooled), rng, dtype)
        w3 = normal((hidden_size, output_size), std(hidden_size), rng, dtype)
        layers = Sequential(
            {  # (1, 28, 28)
                "Conv1": Convolution(w1, np.zeros(FN, dtype), stride, pad),  # (30, 24, 24)
                "Relu1": Relu(),
                "Pool1": Pooling(2, 2, stride=2),  # (30, 12, 12)
                "Affine1": Affine(w2, np.zeros(hidden_size, dtype)),  # (100,)
                "Relu2": Relu(),
                "Affine2": Affine(w3, np.zeros(output_size, dtype)),  # (10,)
            }
        )
        super().__init__(input_dim, output_size, layers)


def _std(weight_init_std: float | str) -> Any:
    """The standard deviation as a function of the number of inputs."""
    if isinstance(weight_init_std, str):
        gain = {"relu": 2.0, "he": 2.0, "sigmoid": 1.0, "xavier": 1.0}.get(weight_init_std.lower())
        if gain is None:
            raise ValueError(f'weight_init_std must be a number, "he" or "xavier", got {weight_init_std!r}')
        return lambda n: float(np.sqrt(gain / n))
    return lambda n: float(weight_init_std)
