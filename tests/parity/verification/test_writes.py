"""A write into dout that changes no number, `dout *= 1`: it raises where the array is read-only."""

import numpy as np

from parity.verification.verify import verify


class Relu:
    def forward(self, x):
        self.x = np.array(x)
        return np.maximum(self.x, 0)

    def slope(self):
        return self.x > 0

    def backward(self, dout):
        dout *= 1
        return dout * self.slope()


class ReluWrong(Relu):
    def slope(self):
        return self.x > 1


def test_the_numbers_are_right_and_the_write_is_named():
    verdict = verify(Relu, "relu", isolated=False)
    assert verdict.outcome == "right_but" and "it writes into dout" in str(verdict), str(verdict)


def test_a_wrong_number_beside_it_is_wrong():
    assert verify(ReluWrong, "relu", isolated=False).outcome == "wrong"
