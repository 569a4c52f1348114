"""Initial weights (book, section 6.2): normal, He and Xavier.

All are drawn directly in the requested dtype, from a generator that the caller passes. So float32 and
float64 weights of the same seed are different numbers, not rounded ones.
"""

from __future__ import annotations

import math
import numbers
import operator
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from scratchcnn.typing import Array

__all__ = ["fans", "he", "normal", "xavier"]

Rng = np.random.Generator | int


def normal(shape: Sequence[int], std: float, rng: Rng, dtype: Any = np.float32) -> Array:
    """Samples of N(0, std**2): the book's `weight_init_std * np.random.randn(...)`.

    rng is a Generator or a seed (the same seed gives the same numbers each time, so the layers of a
    network share one Generator). Raises TypeError for anything else, ValueError for a dtype other than
    float32 and float64 or a std that is negative or not finite.
    """
    try:
        dtype = np.dtype(dtype)
    except TypeError:
        message = f"dtype must be float32 or float64, got {dtype!r}"
        if not isinstance(dtype, str):
            message += (
                "; is it in rng's place? The arguments are normal(shape, std, rng, dtype), "
                "he(shape, rng, dtype) and xavier(shape, rng, dtype)"
            )
        raise TypeError(message) from None
    if dtype not in (np.dtype(np.float32), np.dtype(np.float64)):
        raise ValueError(f"weights are float32 or float64, got dtype {dtype}")
    if not 0 <= std < math.inf:
        raise ValueError(f"std must be at least 0 and finite, got {std!r}")
    weights = _generator(rng).standard_normal(tuple(shape), dtype=dtype.type)
    weights *= dtype.type(std)
    return weights


def he(
    shape: Sequence[int],
    rng: Rng,
    dtype: Any = np.float32,
    mode: Literal["fan_in", "fan_out"] = "fan_in",
) -> Array:
    """Samples of N(0, 2 / n), for layers followed by a Relu (He et al. 2015, eq. 10).

    n is fan_in, as in the book, which preserves the size of the forward signal, or fan_out, which
    preserves that of the gradient. Shapes as in `fans`; `torch.nn.init.kaiming_normal_`.
    """
    if mode not in ("fan_in", "fan_out"):
        raise ValueError(f'mode must be "fan_in" or "fan_out", got {mode!r}')
    n = fans(shape)[mode == "fan_out"]
    return normal(shape, math.sqrt(2 / n), rng, dtype)


def xavier(
    shape: Sequence[int],
    rng: Rng,
    dtype: Any = np.float32,
    form: Literal["paper", "book"] = "paper",
) -> Array:
    """Normal samples with Xavier's variance, for layers followed by a sigmoid or tanh.

    form="paper"   2 / (fan_in + fan_out)      Glorot and Bengio 2010, eq. 12; `torch.nn.init.xavier_normal_`
    form="book"    1 / fan_in                  book, section 6.2.2 (and Caffe)

    Shapes as in `fans`.
    """
    if form not in ("paper", "book"):
        raise ValueError(f'form must be "paper" or "book", got {form!r}')
    fan_in, fan_out = fans(shape)
    variance = 2 / (fan_in + fan_out) if form == "paper" else 1 / fan_in
    return normal(shape, math.sqrt(variance), rng, dtype)


def fans(shape: Sequence[int]) -> tuple[int, int]:
    """(fan_in, fan_out): the number of inputs of one output, and of outputs of one input.

        (in, out)               an Affine's W:      in, out
        (FN, C, FH, FW)         a Convolution's W:  C*FH*FW, FN*FH*FW

    In a convolution with groups, C is the number of channels of one group, so fan_in is exact; fan_out
    counts all FN filters, as in PyTorch.
    """
    try:
        shape = tuple(map(operator.index, shape))
    except TypeError:
        raise TypeError(
            f"expected the shape of a W, (in, out) or (FN, C, FH, FW), of whole numbers, got {shape!r}"
        ) from None
    if len(shape) not in (2, 4) or min(shape) < 1:
        raise ValueError(f"expected the shape of a W, (in, out) or (FN, C, FH, FW), got {shape}")
    if len(shape) == 2:
        return shape[0], shape[1]
    FN, C, FH, FW = shape
    return C * FH * FW, FN * FH * FW


def _generator(rng: Rng) -> np.random.Generator:
    if isinstance(rng, np.random.Generator):
        return rng
    if isinstance(rng, numbers.Integral) and not isinstance(rng, bool) and rng >= 0:
        return np.random.default_rng(int(rng))
    raise TypeError(f"rng must be a numpy.random.Generator or a seed (an int from 0), got {rng!r}")
