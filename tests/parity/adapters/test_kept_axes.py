"""Global average pooling that keeps its axes, as AdaptiveAvgPool2d(1) does: a layout, no excuse."""

import numpy as np
import pytest

from parity.verification.verify import verify


class KeepsAxes:
    axes, factor, factor_back = (2, 3), 1, 1

    def forward(self, x):
        self.shape = x.shape
        return x.mean(axis=self.axes, keepdims=True) * x.dtype.type(self.factor)

    def backward(self, dout):
        assert dout.shape == tuple(1 if i in self.axes else n for i, n in enumerate(self.shape))
        share = dout * dout.dtype.type(self.factor_back / np.prod([self.shape[i] for i in self.axes]))
        return np.broadcast_to(share, self.shape).copy()


class ChannelsLast(KeepsAxes):
    axes = (1, 2)


class TwiceOut(KeepsAxes):
    factor = 2


class TwiceDx(KeepsAxes):
    factor_back = 2


class OverTheWidth(KeepsAxes):
    axes = (3,)


class ThinDx(KeepsAxes):
    def backward(self, dout):
        return dout / dout.dtype.type(self.shape[2] * self.shape[3])


LAID = {KeepsAxes: "out (N, C, 1, 1)", ChannelsLast: "images (N, H, W, C), out (N, 1, 1, C)"}


@pytest.mark.parametrize("code", LAID)
def test_kept_axes_are_a_layout(code):
    verdict = verify(code, "global_average_pooling", isolated=False)
    assert verdict.outcome == "right" and LAID[code] in str(verdict), str(verdict)


@pytest.mark.parametrize("code", [TwiceOut, TwiceDx, OverTheWidth, ThinDx])
def test_what_is_wrong_otherwise_stays_so(code):
    assert verify(code, "global_average_pooling", isolated=False).outcome == "wrong"


def test_dx_of_the_shape_of_out_is_what_is_blamed():
    verdict = verify(ThinDx, "global_average_pooling", isolated=False)
    assert set(verdict.wrong["tensor"]) == {"dx"}, str(verdict)
