"""Methods that are not called, and classes called as functions: such a line raises whatever is given."""

import pytest

from parity.verification.verify import verify

RELU = """
import numpy as np

class Relu:
    def forward(self, x):
        self.mask = x <= 0
        out = x.copyCALL
        out[self.mask] = 0
        return out

    def backward(self, dout):
        dout = dout.copy()
        dout[self.mask] = 0
        return dout
"""
SIGMOID = """
import numpy as np

class NAME:
    def forward(self, Z):
        self.Z = Z
        return sigmoid(Z)

    def backward(self, dA):
        s = sigmoid(self.Z)
        return dA * s * (1 - s)
"""
FUNCTION = "\ndef sigmoid(z):\n    return 1 / (1 + np.exp(-z))\n"


def judged(tmp_path, name, source):
    file = tmp_path / "layers.py"
    file.write_text(source)
    return verify(f"{file}:{name}", name.lower())


def test_a_method_that_is_not_called(tmp_path):
    verdict = judged(tmp_path, "Relu", RELU.replace("CALL", ""))
    assert verdict.outcome == "wrong" and "() of the call are missing" in verdict.always, str(verdict)
    assert judged(tmp_path, "Relu", RELU.replace("CALL", "()")).ok


def test_a_class_where_a_function_is_meant(tmp_path):
    verdict = judged(tmp_path, "sigmoid", SIGMOID.replace("NAME", "sigmoid"))
    assert verdict.outcome == "wrong" and "a class of the file" in verdict.always, str(verdict)
    built = SIGMOID.replace("NAME:", "sigmoid:\n    def __init__(self):\n        self.Z = None\n")
    assert judged(tmp_path, "sigmoid", built).outcome == "wrong"
    assert judged(tmp_path, "Sigmoid", SIGMOID.replace("NAME", "Sigmoid") + FUNCTION).ok


@pytest.mark.parametrize("other", ["sigmoid = np.tanh\n", "def sigmoid(z):\n    return z\n"])
def test_another_meaning_of_the_name_is_not_held_against_it(tmp_path, other):
    source = SIGMOID.replace("NAME", "Sigmoid").replace("sigmoid(Z)", "1 / (1 + np.exp(-Z))", 1)
    source += f"\nclass sigmoid:\n    pass\n\nkept = sigmoid\n{other}"
    verdict = judged(tmp_path, "Sigmoid", source)
    assert "bug)" not in str(verdict), str(verdict)
