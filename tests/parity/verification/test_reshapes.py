"""A `Reshape(input_shape, output_shape)` between images and dense layers is checked as a flatten."""

import pytest

from parity.verification.listing import listed
from parity.verification.verify import verify

CODE = '''
import numpy as np


class Reshape:
    """One image."""

    def __init__(self, input_shape, output_shape):
        self.input_shape, self.output_shape = input_shape, output_shape

    def forward(self, input):
        return np.reshape(input, self.output_shape)

    def backward(self, output_gradient, learning_rate):
        return np.reshape(output_gradient, self.input_shape)


class ReshapeLayer:
    """A batch; nothing is returned."""

    def __init__(self, input_shape: tuple, output_shape: int):
        self.input_shape, self.output_shape = input_shape, output_shape

    def forward(self, inputs):
        self.output = np.reshape(inputs, (len(inputs), self.output_shape))

    def backward(self, delta):
        self.dinputs = np.reshape(BACK, (len(delta), *self.input_shape))


class Reshaped:
    def __init__(self, input_shape, output_shape):
        self.shape = output_shape

    def forward(self, x):
        return x


class Node:
    def __init__(self, x, shape):
        self.x, self.shape = x, shape


Reshaping = Node
'''


def test_those_that_ask_for_both_shapes_are_listed(tmp_path):
    (tmp_path / "mine.py").write_text(CODE)
    found = {one.name: one.kind for one in listed(tmp_path / "mine.py")}
    assert found == {"Reshape": "flatten", "ReshapeLayer": "flatten", "Reshaped": "", "Node": ""}


@pytest.mark.parametrize(
    ("name", "back", "outcome"),
    [
        ("Reshape", "delta", "right"),
        ("ReshapeLayer", "delta", "right"),
        ("ReshapeLayer", "2 * delta", "wrong"),
    ],
)
def test_as_a_flatten(tmp_path, name, back, outcome):
    (tmp_path / "mine.py").write_text(CODE.replace("BACK", back))
    verdict = verify(f"{tmp_path}/mine.py:{name}", "flatten")
    assert verdict.outcome == outcome, str(verdict)
