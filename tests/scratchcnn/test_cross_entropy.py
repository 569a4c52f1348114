"""CrossEntropy where no label counts: the loss is NaN, as PyTorch's, and ignored labels get no gradient."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from scratchcnn import CrossEntropy, naive


@pytest.mark.parametrize(
    ("labels", "smoothing"),
    [([-100, -100], 0.0), ([-100, -100], 0.1), ([0, -100], 0.0)],
    ids=["all ignored", "all ignored, smoothed", "one of weight 0, one ignored"],
)
def test_nothing_comes_back_from_ignored_labels_where_no_label_counts(labels, smoothing):
    x, t, weight = np.random.default_rng(0).standard_normal((2, 3)), np.array(labels), np.array([0.0, 1, 1])
    leaf = torch.tensor(x, requires_grad=True)
    loss = F.cross_entropy(leaf, torch.from_numpy(t), torch.from_numpy(weight), label_smoothing=smoothing)
    loss.backward()
    layer = CrossEntropy(weight, label_smoothing=smoothing)
    assert np.isnan(layer.forward(x, t)) and torch.isnan(loss)
    np.testing.assert_array_equal(layer.backward(), leaf.grad)
    with np.errstate(invalid="ignore"):
        loops = naive.cross_entropy_backward(x, t, weight, label_smoothing=smoothing)
    np.testing.assert_array_equal(loops, leaf.grad)


def test_labels_whose_weights_sum_to_0_with_smoothing_give_nan_as_in_pytorch():
    rng = np.random.default_rng(1)
    x, t, weight = rng.standard_normal((3, 4)), np.array([0, 1, 1]), np.array([0.0, 0, 1, 1])
    tx = torch.tensor(x, requires_grad=True)
    loss = F.cross_entropy(tx, torch.tensor(t), torch.tensor(weight), label_smoothing=0.1)
    layer = CrossEntropy(weight, label_smoothing=0.1)
    assert np.isnan(layer.forward(x, t)) and torch.isnan(loss)
    assert np.isnan(naive.cross_entropy(x, t, weight, label_smoothing=0.1))
    np.testing.assert_array_equal(layer.backward(), torch.autograd.grad(loss, tx)[0])
