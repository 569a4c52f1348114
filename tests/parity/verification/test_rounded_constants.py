"""A SELU with the constants that courses print is right but for their digits; other constants are wrong."""

import numpy as np
import pytest

from parity.verification.verify import verify


class Selu:
    scale, alpha = 1.0507, 1.67326

    def forward(self, x):
        self.x = x
        with np.errstate(over="ignore"):
            return self.scale * np.where(x > 0, x, self.alpha * (np.exp(x) - 1))

    def backward(self, dout):
        return dout * self.scale * np.where(self.x > 0, 1, self.alpha * np.exp(np.minimum(self.x, 0)))


class FewDigits(Selu):
    scale, alpha = 1.05, 1.67


class Exchanged(Selu):
    scale, alpha = 1.67326, 1.0507


class Another(Selu):
    alpha = 1.6


class TwiceScaled(Selu):
    def backward(self, dout):
        return super().backward(dout) * np.where(self.x > 0, 1, self.scale)


@pytest.mark.parametrize("layer", [Selu, FewDigits])
def test_right_but_for_the_digits(layer):
    verdict = verify(layer, "selu")
    assert verdict.outcome == "right_but", str(verdict)
    said = f"its constants are rounded: {layer.scale} and {layer.alpha}"
    assert said in verdict.buts, str(verdict)
    assert verify(layer, "selu", allow=["rounded-constants", "float64-from-float32"]).outcome == "right"


@pytest.mark.parametrize("layer", [Exchanged, Another, TwiceScaled])
def test_another_bug_is_wrong(layer):
    assert verify(layer, "selu").outcome == "wrong"
