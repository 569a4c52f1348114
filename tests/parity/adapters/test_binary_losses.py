"""Binary cross entropies and absolute errors in the forms that people give them."""

from pathlib import Path

import numpy as np
import pytest

from parity.kinds import kind_of
from parity.kinds.names import kind_by_words
from parity.verification.listing import kind_of_target, listed
from parity.verification.verify import verify

FILE = Path(__file__).parent / "wild" / "binary_losses.py"
# name, outcome, a part of the verdict
CASES = [
    (
        "binary_cross_entropy",
        "right",
        "as binary_cross_entropy(y_true, y_pred), binary_cross_entropy_prime(y_true, y_pred)",
    ),
    ("BCELoss", "wrong", "right: loss; only with more than one output per row"),
    ("BinaryCrossEntropy", "right", "that of each output; loss(y, p), gradient(y, p)"),
    ("log_loss", "right", "rows (1, F), one at a time"),
    ("Loss_BinaryCrossentropy", "right", "as one number per row; forward"),
    ("bce", "right_but", "the loss is -log(y + 1e-08), which caps it; dx is (y - t) / (y*(1 - y) + 1e-08)"),
    ("bce_loss", "wrong", "dx not divided, though the loss is: the gradient of the sum"),
    ("BinaryCrossEntropyLoss", "right", "takes scores, of which it takes the sigmoid itself"),
    (
        "BCECost",
        "wrong",
        "dx is x - t (the gradient of the scores before the sigmoid, not of the probabilities",
    ),
    ("SigmoidLogLoss", "right", "dx is the gradient of the scores before the sigmoid"),
    ("binary_crossentropy", "wrong", "bce-ones-alone"),
    ("mae", "wrong", "mae-gradient-minus-one-where-met"),
    ("L1Loss", "right", "the mean over all outputs"),
    ("CrossEntropyLoss", "right", "rows (F, N); takes probabilities, with the gradient of the scores"),
    ("CrossEntropy", "wrong", "rows (F, N); takes probabilities, with their gradient"),
]


@pytest.mark.parametrize(("name", "outcome", "part"), CASES, ids=[c[0] for c in CASES])
def test_it_is_called_read_and_judged(name, outcome, part):
    verdict = verify(f"{FILE}:{name}", kind_of_target(f"{FILE}:{name}"), isolated=False)
    assert verdict.outcome == outcome and part in str(verdict), str(verdict)


def test_a_file_shows_them():
    assert {one.name for one in listed(FILE)} == {name for name, _, _ in CASES}


def test_the_words_of_a_name():
    for name in ("BCE", "BinaryCrossEntropyCost", "loss_bce", "LogLoss", "BCEWithLogitsLoss"):
        assert kind_by_words(name) == "binary_cross_entropy", name
    for name in ("BinaryConv2d", "BCENetwork", "categorical_cross_entropy"):
        assert kind_by_words(name) != "binary_cross_entropy", name
    assert kind_by_words("MAELossFunction") == "mean_absolute_error"
    assert kind_by_words("spatial_batchnorm") == "batch_norm" and kind_by_words("layernorm") == "layer_norm"


def test_what_lies_beside_the_probabilities_is_folded_in():
    inside = kind_of("binary_cross_entropy").inside
    x = np.array([-3.0, -0.1, 0.02, 0.5, 0.98, 1.1, 7.0])
    found = inside(x)
    assert ((found >= 0.02) & (found <= 0.98)).all()
    np.testing.assert_array_equal(found[2:5], x[2:5])
    np.testing.assert_array_equal(kind_of("mean_squared_error").inside(x), x)


def clipped(eps):
    class BinaryCrossEntropy:
        def forward(self, y, t):
            self.y, self.t = np.clip(y, eps, 1 - eps), t
            return -np.mean(t * np.log(self.y) + (1 - t) * np.log(1 - self.y))

        def backward(self):
            return (self.y - self.t) / (self.y * (1 - self.y)) / self.y.size

    return BinaryCrossEntropy


@pytest.mark.parametrize("eps", [1e-2, 1e-3, 1e-4])
def test_a_clip_that_caps_ordinary_losses_is_wrong(eps):
    verdict = verify(clipped(eps), "binary_cross_entropy", isolated=False)
    assert verdict.outcome == "wrong"
    assert ("probabilities clipped to" in str(verdict)) == (eps > 1e-4)


@pytest.mark.parametrize("eps", [1e-5, 1e-7, 1e-12, 1e-15])
def test_a_clip_against_the_logarithm_of_0_is_none(eps):
    verdict = verify(clipped(eps), "binary_cross_entropy", isolated=False)
    assert verdict.outcome == "right"
    assert "probabilities next to 0 or 1" in verdict.not_checked
