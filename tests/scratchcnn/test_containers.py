"""Sequential, Concat and Residual: what passes through, whose parameters, their names, what they refuse."""

import copy

import numpy as np
import pytest
from helpers import draw

from scratchcnn import (
    Affine,
    BatchNormalization,
    Concat,
    Convolution,
    Dropout,
    Pooling,
    Relu,
    Residual,
    Sequential,
    check_layer,
)


def conv(FN, C, FS=3, pad=1, seed=0):
    return Convolution(draw(FN, C, FS, FS, seed=seed), draw(FN, seed=seed + 1), pad=pad)


def inception():
    branches = {
        "one": conv(2, 3, 1, 0),
        "three": Sequential({"reduce": conv(2, 3, 1, 0), "conv": conv(4, 2)}),
    }
    return Concat(branches | {"pool": Sequential({"pool": Pooling(3, 3, 1, 1), "proj": conv(1, 3, 1, 0)})})


def block(shortcut=None):
    return Residual(
        Sequential({"conv1": conv(3, 3), "bn": BatchNormalization(draw(3), draw(3)), "relu": Relu()}),
        shortcut,
    )


NESTED = {
    "sequential": lambda: Sequential({"conv": conv(4, 3), "relu": Relu()}),
    "concat": inception,
    "identity": block,
    "shortcut": lambda: block(conv(3, 3, 1, 0, seed=5)),
    "nested": lambda: Sequential({"block": block(), "mix": inception(), "out": conv(2, 7, 1, 0)}),
}


@pytest.mark.parametrize("make", NESTED.values(), ids=NESTED)
def test_gradients_are_numerical_ones(make):
    layer = make()
    checks = check_layer(layer, draw(2, 3, 4, 5, seed=9))
    assert set(checks) == {"x", *layer.params}
    assert all(checks.values()), {key: str(check) for key, check in checks.items() if not check}


@pytest.mark.parametrize("make", NESTED.values(), ids=NESTED)
def test_x_and_dout_are_left_alone_and_may_be_overwritten(make):
    x = draw(2, 3, 4, 5)
    layer, again = make(), make()
    dout = draw(*again.forward(x).shape)
    expected = again.backward(dout)
    mine, cotangent = x.copy(), dout.copy()
    out = layer.forward(mine)
    np.testing.assert_array_equal(mine, x)
    mine[...] = out[...] = np.nan
    np.testing.assert_array_equal(layer.backward(cotangent), expected)
    np.testing.assert_array_equal(cotangent, dout)


def test_concat_with_an_empty_branch_leaves_dout_alone():
    layer, dout = Concat({"nothing": Sequential(), "relu": Relu()}), draw(2, 6, 4, 5)
    layer.forward(np.abs(draw(2, 3, 4, 5)))
    before = dout.copy()
    np.testing.assert_array_equal(layer.backward(dout), before[:, :3] + before[:, 3:])
    np.testing.assert_array_equal(dout, before)


def test_concat_joins_channels_in_order_and_sums_dx():
    layer, x, dout = inception(), draw(2, 3, 4, 5), draw(2, 7, 4, 5)
    out = layer.forward(x)
    assert out.shape == (2, 7, 4, 5)
    np.testing.assert_array_equal(out[:, :2], layer["one"].forward(x))
    layer.forward(x)
    parts = np.split(dout, [2, 6], axis=1)
    alone = [branch.backward(part) for branch, part in zip(layer.values(), parts, strict=True)]
    np.testing.assert_allclose(layer.backward(dout), sum(alone), rtol=1e-13)


def test_residual_adds_its_input():
    layer, x = block(), draw(2, 3, 4, 5)
    out = layer.forward(x)
    np.testing.assert_allclose(out, layer["body"].forward(x) + x, rtol=1e-13)


# -- names and parameters -------------------------------------------------------------------------
def test_parameters_are_the_childrens_by_path():
    net = NESTED["nested"]()
    assert list(net.params)[:4] == [
        "block.body.conv1.W",
        "block.body.conv1.b",
        "block.body.bn.gamma",
        "block.body.bn.beta",
    ]
    assert list(net.buffers) == ["block.body.bn.running_mean", "block.body.bn.running_var"]
    assert net.params["mix.three.reduce.W"] is net["mix"]["three"]["reduce"].W
    assert net.num_params == sum(p.size for p in net.params.values())
    net.backward(np.zeros_like(net.forward(draw(2, 3, 4, 5))))
    assert list(net.grads) == list(net.params)


def test_leaves_are_named_by_path_and_so_are_errors():
    net = NESTED["nested"]()
    assert [path for path, _ in net.leaves()][:3] == ["block.body.conv1", "block.body.bn", "block.body.relu"]
    assert all(layer.name == path for path, layer in net.leaves())
    with pytest.raises(
        ValueError, match=r"^block.body.conv1 \(Convolution\): expected x of shape \(N, 3, H, W\)"
    ):
        net.forward(draw(2, 4, 5, 6))


def test_reads_like_the_books_ordered_dict():
    net = Sequential({"Conv1": conv(4, 3), "Relu1": Relu()})
    assert list(net) == list(net.keys()) == ["Conv1", "Relu1"] and len(net) == 2 and "Relu1" in net
    assert [type(layer).__name__ for layer in net.values()] == ["Convolution", "Relu"]
    assert dict(net.items())["Conv1"] is net["Conv1"]
    with pytest.raises(KeyError, match="no layer named 'Conv2'; there are Conv1, Relu1"):
        net["Conv2"]


def test_layers_without_names_are_numbered():
    net = Sequential(conv(4, 3), Relu())
    assert list(net.params) == ["0.W", "0.b"]


def test_repr_is_indented():
    net = Sequential({"a": Relu(), "b": Residual(Relu())})
    assert repr(net) == "Sequential(\n  a: Relu()\n  b: Residual(\n    body: Relu()\n  )\n)"


# -- switches and copies --------------------------------------------------------------------------
def test_train_eval_record_and_cast_reach_every_layer():
    net = Sequential({"block": block(), "drop": Dropout(0.5)})
    inner = [layer for _, layer in net.leaves()]
    net.eval().record(False)
    assert not any(layer.training or layer.recording for layer in inner)
    net.train().record()
    assert all(layer.training and layer.recording for layer in inner)
    net.cast(np.float32)
    assert {a.dtype.name for a in (*net.params.values(), *net.buffers.values())} == {"float32"}


def test_a_deep_copy_keeps_a_shared_layer_shared():
    shared = Affine(draw(3, 3), draw(3))
    net = copy.deepcopy(Sequential({"first": shared, "relu": Relu(), "second": shared}))
    assert net["first"] is net["second"]


# -- refusals -------------------------------------------------------------------------------------
def forward(layer, *shape):
    return lambda: layer.forward(draw(*shape))


REFUSED = {
    "no layer": (lambda: Sequential({"a": np.tanh}), TypeError, "Sequential: 'a' must be a Layer, got ufunc"),
    "dots": (
        lambda: Sequential({"a.b": Relu()}),
        ValueError,
        "a layer's name must be new, not empty and without dots, got 'a.b'",
    ),
    "twice": (lambda: Sequential({"a": Relu()}).add("a", Relu()), ValueError, "must be new"),
    "no branch": (lambda: Concat({}), ValueError, "Concat: expected at least one branch, got none"),
    "branches of two sizes": (
        forward(Sequential({"mix": Concat({"a": conv(2, 3), "b": conv(2, 3, pad=0)})}), 1, 3, 4, 5),
        ValueError,
        r"mix \(Concat\): branches must agree in all but the channels; the first .* b gives \(1, 2, 2, 3\)",
    ),
    "body of another shape": (
        forward(Residual(conv(4, 3)), 1, 3, 4, 5),
        ValueError,
        r"Residual: body gives \(1, 4, 4, 5\), the shortcut \(1, 3, 4, 5\); a shortcut layer must match them",
    ),
    "broadcastable body": (
        forward(Residual(conv(1, 3)), 1, 3, 4, 5),
        ValueError,
        r"body gives \(1, 1, 4, 5\)",
    ),
}


@pytest.mark.parametrize(("call", "error", "text"), REFUSED.values(), ids=REFUSED)
def test_refused(call, error, text):
    with pytest.raises(error, match=text):
        call()


def test_concat_refuses_a_dout_with_other_channels():
    layer = inception()
    with pytest.raises(RuntimeError, match="Concat: backward needs a forward before it"):
        layer.backward(draw(2, 7, 4, 5))
    layer.forward(draw(2, 3, 4, 5))
    with pytest.raises(ValueError, match=r"Concat: expected dout with 7 channels, got \(2, 8, 4, 5\)"):
        layer.backward(draw(2, 8, 4, 5))
