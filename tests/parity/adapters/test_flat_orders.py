"""A flatten in another order than PyTorch's: right in its own layout and where backward undoes it."""

import numpy as np
import pytest

from parity.verification.verify import verify


class Sized:
    """Images (N, H, W, C), as the sizes say that it is built of."""

    def __init__(self, height, width, channels):
        self.shape = height, width, channels

    def forward(self, x):
        return x.reshape(len(x), -1)

    def backward(self, dout):
        return dout.reshape(len(dout), *self.shape)


class SizedTurned(Sized):
    """The same, to PyTorch's order."""

    def forward(self, x):
        return x.transpose(0, 3, 1, 2).reshape(len(x), -1)

    def backward(self, dout):
        H, W, C = self.shape
        return dout.reshape(len(dout), C, H, W).transpose(0, 2, 3, 1)


class SizedNotUndone(Sized):
    def forward(self, x):
        return x.transpose(0, 3, 1, 2).reshape(len(x), -1)


class ChannelsLast:
    """Images (N, C, H, W), in the order of another framework."""

    def forward(self, x):
        self.shape = x.shape
        return x.transpose(0, 2, 3, 1).reshape(len(x), -1)

    def backward(self, dout):
        N, C, H, W = self.shape
        return dout.reshape(N, H, W, C).transpose(0, 3, 1, 2)


class ChannelsLastNotUndone(ChannelsLast):
    def backward(self, dout):
        return dout.reshape(self.shape)


class ColumnMajor(ChannelsLast):
    def forward(self, x):
        self.shape = x.shape
        return x.reshape(len(x), -1, order="F")

    def backward(self, dout):
        return dout.reshape(self.shape, order="F")


class Once(ChannelsLast):
    """The second dx has its images turned round."""

    calls = 0

    def backward(self, dout):
        self.calls += 1
        return super().backward(dout)[:: 1 if self.calls == 1 else -1]


class Mixed(ChannelsLast):
    """The images are mixed with each other."""

    def forward(self, x):
        self.shape = x.shape
        return x.reshape(-1, len(x)).T

    def backward(self, dout):
        return dout.T.reshape(self.shape)


CASES = [
    (Sized, "right", "each is flattened in the order (H, W, C)"),
    (SizedTurned, "right", "images (N, H, W, C)"),
    (SizedNotUndone, "wrong", "dx"),
    (ChannelsLast, "right_but", "it flattens an image in the order (H, W, C), PyTorch in (C, H, W)"),
    (ColumnMajor, "right_but", "it flattens an image in the order (W, H, C), PyTorch in (C, H, W)"),
    (ChannelsLastNotUndone, "wrong", "wrong: out, dx"),
    (Mixed, "wrong", "forward, out"),
]


@pytest.mark.parametrize(("factory", "outcome", "says"), CASES, ids=[case[0].__name__ for case in CASES])
def test_a_flatten_is_right_in_the_order_of_its_own_images_or_where_it_is_undone(factory, outcome, says):
    verdict = verify(factory, "flatten", isolated=False)
    assert verdict.outcome == outcome and says in str(verdict), str(verdict)


def test_in_another_order_it_is_held_to_all_the_rest():
    assert verify(Once, "flatten", isolated=False).outcome == "wrong"


CONVOLUTIONS = """
import numpy as np

class Pool:
    def forward(self, x):
        N, H, W, C = x.shape
        return x

class Flatten:
    def forward(self, x):
        self.shape = x.shape
        return np.moveaxis(x, -1, 1).reshape(len(x), -1)

    def backward(self, dout):
        N, a, b, c = self.shape
        return np.moveaxis(dout.reshape(N, c, a, b), 1, -1)
"""


@pytest.mark.parametrize(
    ("axes", "outcome", "says"),
    [
        ("N, H, W, C", "right", "images (N, H, W, C)"),
        ("N, C, H, W", "right_but", "it flattens an image in the order (W, C, H), PyTorch in (C, H, W)"),
    ],
)
def test_what_its_axes_are_is_read_off_the_names_in_its_file(tmp_path, axes, outcome, says):
    (tmp_path / "layers.py").write_text(CONVOLUTIONS.replace("N, H, W, C = x.shape", f"{axes} = x.shape"))
    verdict = verify(f"{tmp_path}/layers.py:Flatten", "flatten", isolated=False)
    assert verdict.outcome == outcome and says in str(verdict), str(verdict)


def test_an_adapter_that_was_kept_gives_the_same_verdict():
    """`--called` prints it."""
    space = {}
    exec(verify(ChannelsLast, "flatten", isolated=False).adapter, space)
    verdict = verify(ChannelsLast, "flatten", adapter=space["Mine"], isolated=False)
    assert verdict.outcome == "right_but" and "(H, W, C)" in verdict.buts[0], str(verdict)
    assert np.ndim(verdict.findings["ok"]) == 1 and verdict.findings["ok"].all()


def flatten(x):
    return np.transpose(x, (0, 2, 3, 1)).reshape(len(x), -1)


def flatten_by_channel(x):
    return np.transpose(x, (1, 0, 2, 3)).reshape(len(x), -1)


def flatten_turned(x):
    return np.transpose(x, (0, 1, 3, 2)).reshape(len(x), -1)


@pytest.mark.parametrize(
    ("function", "outcome"),
    [(flatten, "right_but"), (flatten_by_channel, "wrong"), (flatten_turned, "wrong")],
)
def test_channels_last_without_a_backward_is_an_order(function, outcome):
    verdict = verify(function, "flatten", isolated=False, adapter="auto")
    assert verdict.outcome == outcome, str(verdict)


class BuiltForABatch:
    """Is told the shape of a batch, and leaves its result in an attribute."""

    def build(self, input_shape):
        self.input_shape, self.length = input_shape, int(np.prod(input_shape[1:]))

    def forward(self, inputs, training):
        self.output = inputs.reshape(len(inputs), self.length)

    def backward(self, dvalues):
        self.dinputs = dvalues.reshape(self.input_shape)


class BuiltForABatchReversed(BuiltForABatch):
    def backward(self, dvalues):
        self.dinputs = dvalues[:, ::-1].reshape(self.input_shape)


@pytest.mark.parametrize(("cls", "outcome"), [(BuiltForABatch, "right"), (BuiltForABatchReversed, "wrong")])
def test_one_that_is_built_with_the_shape_of_a_batch(cls, outcome):
    verdict = verify(cls, "flatten", isolated=False)
    assert verdict.outcome == outcome and "build(input_shape)" in str(verdict), str(verdict)
