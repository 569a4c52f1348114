"""Losses by the short names that people give them, and those that are named for a sigmoid of their own."""

import numpy as np
import pytest

from parity.kinds.names import kind_by_words
from parity.verification.listing import listed
from parity.verification.verify import verify

SOFTMAX, BINARY = "softmax_with_loss", "binary_cross_entropy"


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        *(
            (name, SOFTMAX)
            for name in ("cce", "ce", "CELoss", "xent", "softmax_xent", "SoftmaxCE", "cross_ent")
        ),
        *(
            (name, BINARY)
            for name in ("SigmoidCrossEntropy", "sigmoid_cross_entropy_with_logits", "SigmoidCE")
        ),
        *((name, "mean_squared_error") for name in ("mean_squared_loss", "mean_sq_err", "sq_loss")),
        *((name, "mean_absolute_error") for name in ("AbsError", "abs_err")),
        *((name, "hinge_loss") for name in ("HingeLoss", "hinge")),
        *((name, None) for name in ("rmse", "root_mean_sq_err", "FocalCE", "smooth_ce")),
    ],
)
def test_names(name, kind):
    assert kind_by_words(name) == kind


def test_short_names_are_listed(tmp_path):
    file = tmp_path / "losses.py"
    file.write_text(
        "import numpy as np\n"
        "def cce(y_true, y_pred):\n    return np.mean(-np.sum(y_true * np.log(y_pred), axis=0))\n"
        "def cce_prime(y_true, y_pred):\n    return -y_true / y_pred\n"
        "def log_loss(y, p):\n    return -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))\n"
        "def logloss(y, p):\n    return -np.sum(y * np.log(p)) / len(y)\n"
    )
    assert [(one.name, one.kind) for one in listed(file)] == [
        ("cce", SOFTMAX),
        ("log_loss", BINARY),
        ("logloss", SOFTMAX),
    ]


class SigmoidCrossEntropy:
    def forward(self, x, t):
        self.p, self.t = self.probability(x), t
        return -np.mean(t * np.log(self.p) + (1 - t) * np.log(1 - self.p))

    def probability(self, x):
        return 1 / (1 + np.exp(-x))

    def backward(self):
        return (self.p - self.t) / self.t.size


class SigmoidCrossEntropyOfProbabilities(SigmoidCrossEntropy):
    """Its name promises a sigmoid that it leaves out."""

    def probability(self, x):
        return x


class SigmoidCrossEntropyOfNamedOnes(SigmoidCrossEntropyOfProbabilities):
    def forward(self, probs, t):
        return super().forward(probs, t)

    def backward(self):
        return (self.p - self.t) / (self.p * (1 - self.p)) / self.t.size


@pytest.mark.parametrize(
    ("factory", "outcome"),
    [
        (SigmoidCrossEntropy, ("right", "right_but")),
        (SigmoidCrossEntropyOfNamedOnes, ("right", "right_but")),
        (SigmoidCrossEntropyOfProbabilities, ("wrong",)),
    ],
)
def test_a_loss_named_for_a_sigmoid_takes_scores(factory, outcome):
    verdict = verify(factory, BINARY, isolated=False)
    assert verdict.outcome in outcome, str(verdict)
