"""A parameter that says what it is stands for nothing else, wherever it comes."""

import numpy as np
import pytest

from parity.adapters.arguments import bind
from parity.adapters.recipe import recipe
from parity.kinds import ALL_KINDS
from parity.verification.verify import verify

TELLING = (
    "data_format",
    "dataFormat",
    "ceil_mode",
    "return_indices",
    "weight_initializer",
    "name",
    "activation",
)


@pytest.mark.parametrize("kind", ALL_KINDS)
def test_no_kind_hands_an_argument_to_it(kind):
    order, optional = recipe(kind).order, recipe(kind).optional
    for at in range(len(order)):
        for name in {*TELLING} - {*order, *optional}:
            assert name not in bind([*order[:at], name], recipe(kind))


def test_names_that_say_nothing_go_by_their_place():
    assert bind(["first", "second", "third", "fourth"], recipe("max_pooling"))["fourth"] == ("pad",)


class MaxPooling:
    def __init__(self, pool_h, pool_w, stride, data_format="channels_first"):
        assert data_format in ("channels_first", "channels_last")
        self.pool_h, self.pool_w, self.stride = pool_h, pool_w, stride

    def forward(self, x):
        stride = self.stride if isinstance(self.stride, tuple) else (self.stride, self.stride)
        axes = {"axis": (2, 3)}
        views = np.lib.stride_tricks.sliding_window_view(x, (self.pool_h, self.pool_w), **axes)
        self.shape, self.steps = x.shape, stride
        windows = views[:, :, :: stride[0], :: stride[1]]
        windows = windows.reshape(*windows.shape[:4], -1)
        self.winners = windows.argmax(axis=-1)
        return windows.max(axis=-1)

    def backward(self, dout):
        dx = np.zeros(self.shape, dout.dtype)
        for (n, c, i, j), winner in np.ndenumerate(self.winners):
            row, column = divmod(winner, self.pool_w)
            dx[n, c, i * self.steps[0] + row, j * self.steps[1] + column] += self.sign * dout[n, c, i, j]
        return dx

    sign = 1


class Required(MaxPooling):
    def __init__(self, pool_h, pool_w, stride, data_format):
        super().__init__(pool_h, pool_w, stride, data_format)


class Negated(MaxPooling):
    sign = -1


@pytest.mark.parametrize("factory", [MaxPooling, Required])
def test_a_pad_is_not_handed_to_a_format(factory):
    verdict = verify(factory, "max_pooling", isolated=False)
    assert verdict.outcome == "right", str(verdict)
    assert {"pad", "data_format other than 'channels_first'"} <= {*verdict.not_checked}


def test_what_is_wrong_stays_wrong():
    assert verify(Negated, "max_pooling", isolated=False).outcome == "wrong"
