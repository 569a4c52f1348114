"""Images one pixel high or wide: refused on purpose they are not checked, and nothing else is excused."""

import numpy as np
import pytest

from parity.verification.verify import verify
from scratchcnn.layers import Convolution


class RefusesThin(Convolution):
    def forward(self, x):
        if 1 in x.shape[2:]:
            raise ValueError("both axes of an image must be longer than one pixel")
        return super().forward(x)


class RefusesThinAndIsWrong(RefusesThin):
    def backward(self, dout):
        return 2 * super().backward(dout)


class CrashesOnThin(Convolution):
    def forward(self, x):
        self.corner = x[0, 0, 1, 1]
        return super().forward(x)


def test_a_refusal_is_no_mistake():
    verdict = verify(RefusesThin, "convolution", isolated=False)
    assert verdict.outcome == "right", str(verdict)
    assert "images one pixel high or wide" in verdict.not_checked


@pytest.mark.parametrize("code", [RefusesThinAndIsWrong, CrashesOnThin])
def test_what_is_wrong_stays_so(code):
    assert verify(code, "convolution", isolated=False).outcome == "wrong"


class SoftmaxOnce:
    """Overflows, and a second backward gives other numbers."""

    def forward(self, x):
        e = np.exp(x)
        self.y = e / e.sum(axis=-1, keepdims=True)
        return self.y

    def backward(self, dout):
        y, self.y = self.y, self.y / 2
        return y * (dout - (dout * y).sum(axis=1, keepdims=True))


def test_what_comes_first_is_what_is_wrong_and_not_what_stands_beside():
    verdict = verify(SoftmaxOnce, "softmax", isolated=False)
    assert verdict.outcome == "wrong" and verdict.first.record.phase == "backward twice"
    assert "besides, it overflows at inputs of 901" in verdict.culprit.sentence
