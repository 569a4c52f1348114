"""The first layer of a network, whose backward says `return None`: nobody wants the gradient of its input."""

import pytest

from parity.verification.verify import verify

CONV = """
import numpy as np

class Conv3x3:
    def __init__(self, num_filters, input_depth):
        self.num_filters = num_filters
        self.filters = np.random.randn(num_filters, 3, 3, input_depth) / 9

    def patches(self, image):
        for i in range(image.shape[0] - 2):
            for j in range(image.shape[1] - 2):
                yield i, j, image[i : i + 3, j : j + 3]

    def forward(self, input):
        self.last_input = input
        output = np.zeros((input.shape[0] - 2, input.shape[1] - 2, self.num_filters))
        for i, j, patch in self.patches(input):
            output[i, j] = np.sum(patch * self.filters, axis=(1, 2, 3))
        return output

    def backprop(self, d_L_d_out, learn_rate):
        slopes = np.zeros(self.filters.shape)
        for i, j, patch in self.patches(self.last_input):
            for f in range(self.num_filters):
                slopes[f] += d_L_d_out[i, j, f] * patch
        self.filters -= learn_rate * slopes
        LAST
"""


def judged(tmp_path, last, slopes="slopes"):
    file = tmp_path / "layers.py"
    file.write_text(CONV.replace("LAST", last).replace("learn_rate * slopes", f"learn_rate * {slopes}"))
    return verify(f"{file}:Conv3x3", "convolution")


def test_dx_is_not_checked_where_none_is_returned_in_so_many_words(tmp_path):
    verdict = judged(tmp_path, "return None")
    assert verdict.ok and "dx" in " ".join(verdict.not_checked), str(verdict)


def test_its_weights_are_still_held_to_pytorch(tmp_path):
    assert judged(tmp_path, "return None", "slopes / 2").outcome == "wrong"


@pytest.mark.parametrize("last", ["pass", "return"])
def test_a_backward_that_returns_nothing_without_a_word_lacks_its_dx(tmp_path, last):
    verdict = judged(tmp_path, last)
    assert verdict.outcome == "wrong" and "dx is missing" in str(verdict), str(verdict)
