"""Parameters of constructors whose names are in no table are read by the parts of the names."""

import numpy as np
import pytest

from parity.adapters.isolate import Limits
from parity.adapters.name_parts import meanings_of_parts
from parity.kinds.probes import probes
from parity.verification.observe import Request, observe_target


@pytest.mark.parametrize(
    ("name", "kind", "first"),
    [
        ("prev_nodes", "affine", "I"),
        ("numOfOutputNeurons", "affine", "O"),
        ("num_classes", "affine", "O"),
        ("layer_size", "affine", "O"),
        ("previous_layer_size", "affine", "I"),
        ("conv_in", "convolution", "C"),
        ("image_channels", "convolution", "C"),
        ("no_of_filters", "convolution", "FN"),
        ("k_size", "convolution", "kernel"),
        ("filter_dim", "convolution", "kernel"),
        ("filter_h", "convolution", "FH"),
        ("pool_stride", "max_pooling", "stride"),
        ("in_out", "affine", ""),
        ("input_noise", "affine", ""),
        ("kernel_initializer", "convolution", ""),
        ("output_size", "max_pooling", ""),
        ("in_size", "relu", ""),
    ],
)
def test_every_part_must_be_known(name, kind, first):
    assert (meanings_of_parts(name, kind) or ("",))[0] == first


class Dense:
    def __init__(self, d0, d1):
        self.W, self.b = np.zeros((d0, d1)), np.zeros(d1)

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, dout):
        self.dW, self.db = self.x.T @ dout, dout.sum(axis=0)
        return dout @ self.W.T


class Wrong(Dense):
    def backward(self, dout):
        dx = super().backward(dout)
        self.db = dout.mean(axis=0)
        return dx


class Backwards(Dense):
    """What goes out comes first, which the names do not say."""

    def __init__(self, d0, d1):
        super().__init__(d1, d0)


def seen(factory):
    request = Request(factory, "affine", "auto", probes("affine"), contracts=False, dtypes=("float64",))
    found = observe_target(request, Limits(), isolated=False)
    tried = {probe.id for probe in found.tried_of(request.cases)}
    return found, [row for row in found.observation.records if row.case in tried]


@pytest.mark.parametrize(("factory", "wrong"), [(Dense, set()), (Wrong, {"db"})], ids=["right", "wrong"])
def test_a_dense_layer_of_two_nameless_sizes_takes_in_and_out(factory, wrong):
    _, rows = seen(factory)
    assert len(rows) >= 16 and {row.tensor for row in rows if not row.ok} == wrong


def test_nameless_sizes_in_the_other_order_are_not_guessed():
    found, rows = seen(Backwards)
    assert not rows and "it takes (d0, d1), and its forward raised ValueError" in found.misfit
