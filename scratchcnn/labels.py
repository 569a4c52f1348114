"""The forms in which labels come: class numbers, the book's column of them, one-hot rows."""

from __future__ import annotations

import numpy as np

from scratchcnn.typing import Array


def class_numbers(t: Array, classes: int) -> Array:
    """The class of each image as (N,): t is (N,), the book's column (N, 1), or one-hot rows (N, classes).

    An array of any other shape comes back flat, so its length is not the number of images.
    """
    t = np.asarray(t)
    one_hot = t.ndim == 2 and t.shape[1] == classes > 1
    return np.asarray(t.argmax(axis=1)) if one_hot else t.reshape(-1)
