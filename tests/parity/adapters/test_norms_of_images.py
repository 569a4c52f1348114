"""A batch normalization that its name has for images is not judged by rows alone."""

import numpy as np
import pytest

from parity.verification.verify import verify


class Norm:
    """Of rows; of images it takes the statistics of each pixel."""

    axes = (0,)

    def __init__(self, num_features, eps=1e-5):
        self.eps, self.gamma, self.beta = eps, np.ones(num_features), np.zeros(num_features)

    def forward(self, x):
        mean, var = x.mean(axis=self.axes, keepdims=True), x.var(axis=self.axes, keepdims=True)
        shape = (1, -1, 1, 1) if len(self.axes) > 1 else (-1,)
        return self.gamma.reshape(shape) * (x - mean) / np.sqrt(var + self.eps) + self.beta.reshape(shape)


class BatchNorm(Norm):
    pass


class BatchNorm2d(Norm):
    pass


class SpatialBatchNorm(Norm):
    pass


class OfImages(Norm):
    axes = (0, 2, 3)


def test_of_rows_it_is_right():
    verdict = verify(BatchNorm, "batch_norm", isolated=False)
    assert verdict.ok and "images (4-D input)" in verdict.not_checked, str(verdict)


@pytest.mark.parametrize("layer", [BatchNorm2d, SpatialBatchNorm])
def test_of_images_it_is_not_right_by_its_rows(layer):
    assert not verify(layer, "batch_norm", isolated=False).ok


def test_one_of_images_is_right():
    named = type("BatchNorm2d", (OfImages,), {})
    verdict = verify(named, "batch_norm", isolated=False)
    assert verdict.ok and "rows (2-D input)" in verdict.not_checked, str(verdict)
