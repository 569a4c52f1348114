"""A warning about images that were not divided by 255, or were divided twice.

Such images go through a network like any others. The scores of trained weights are then useless, and
training is slow or fails, without any error.
"""

from __future__ import annotations

import os
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["PixelRangeWarning"]

HERE = str(Path(__file__).parent) + os.sep
BRIGHT = 16.0  # above what images hold after any of the usual normalizations, and below most bytes
DARK = 1.001 / 255  # the brightest of images that were divided by 255 twice


class PixelRangeWarning(UserWarning):
    """Images look as if they were not divided by 255, or twice."""


def warn_of_pixel_range(x: Any, who: str) -> None:
    """Warn with PixelRangeWarning if no number of x is negative and the largest is above 16, or is above 0
    and at most 1/255. Python shows such a warning once per line of the caller.

    One image that is not so suffices for silence; the first decides whether the others are looked at.
    """
    if not len(x) or not (mend := _mend(x[:1])) or _mend(x) != mend:
        return
    depth, frame = 1, sys._getframe()
    while frame.f_code.co_filename.startswith(HERE) and frame.f_back is not None:
        depth, frame = depth + 1, frame.f_back
    warnings.warn(f"{who}: {mend}", PixelRangeWarning, stacklevel=depth)


def _mend(x: Any) -> str:
    """What is odd about the numbers of x, and what to do about it; empty if nothing is."""
    x = np.asarray(x)
    if not x.size or x.dtype.kind not in "fiu" or not x.min() >= 0:
        return ""
    high = float(x.max())
    if BRIGHT < high < np.inf:
        return "the images look like bytes of 0 to 255; networks expect 0 to 1, so divide them by 255"
    if 0 < high <= DARK:
        return "the images lie between 0 and 1/255; were they divided by 255 twice?"
    return ""
