"""A gradient that is off by a size is so many times that of the loss itself, where the loss is right."""

import numpy as np
import pytest

from parity.verification.verify import verify

BEFORE = ", right only where the layers before it divide by N themselves"


class CrossEntropy:
    def forward(self, x, t):
        e = np.exp(x - x.max(axis=1, keepdims=True))
        self.p, self.t = e / e.sum(axis=1, keepdims=True), np.eye(x.shape[1])[t]
        return self.loss()

    def loss(self):
        return -np.sum(self.t * np.log(self.p)) / len(self.t)

    def backward(self):
        return self.p - self.t


class TwiceTheLoss(CrossEntropy):
    def loss(self):
        return 2 * super().loss()


class NotDividedByColumns:
    def forward(self, y, t):
        self.difference = y - t
        return np.mean(self.difference**2)

    def backward(self):
        return 2 * self.difference / len(self.difference)


@pytest.mark.parametrize(
    ("factory", "kind", "says"),
    [
        (CrossEntropy, "softmax_with_loss", f"dx is N times the gradient of the loss that it gives{BEFORE}"),
        (TwiceTheLoss, "softmax_with_loss", "dx is PyTorch's multiplied by N"),
        (NotDividedByColumns, "mean_squared_error", "dx is C times the gradient of the loss that it gives"),
    ],
)
def test_why(factory, kind, says):
    verdict = verify(factory, kind, isolated=False)
    assert verdict.outcome == "wrong"
    assert f"why          {says}\n" in str(verdict), str(verdict)
