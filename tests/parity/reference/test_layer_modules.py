"""Every layer has a twin, and any nest of containers is the same function as its own, in float64."""

from functools import partial

import numpy as np
import pytest
import torch
from helpers import draw
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

import scratchcnn as sc
from parity.comparison.gates import logic_gate
from parity.kinds.kind import to_numpy
from parity.reference.layer_modules import RULES, rule_for, twin
from parity.reference.modules import Concat, Formula
from parity.reference.trace import torch_gradients
from parity.reference.weights import copy_to_torch, links, named_tensors


def conv(FN, C, *args, seed=0, FS=3, **options):
    return sc.Convolution(draw(FN, C, FS, FS, seed=seed), draw(FN, seed=seed + 1), *args, **options)


def bn(C, seed=0):
    rng = np.random.default_rng(seed)
    gamma, beta, mean, var = rng.standard_normal((4, C))
    return sc.BatchNormalization(gamma, beta, 0.7, mean, 0.5 + var**2)


def agrees(layer, x, seed=0):
    """Output, dx, every parameter gradient and every buffer afterwards are those of the twin."""
    module = twin(layer).double().train(layer.training)
    copy_to_torch(layer, module)
    tx = torch.tensor(x, requires_grad=True)
    theirs = module(tx)
    found = {"out": layer.forward(x)}
    dout = draw(*found["out"].shape, seed=seed)
    theirs.backward(torch.tensor(dout))
    found |= {"dx": layer.backward(dout), **layer.grads, **layer.buffers}
    tensors = named_tensors(module)
    wanted = {"out": to_numpy(theirs), "dx": to_numpy(tx.grad), **torch_gradients(module, layer)}
    wanted |= {
        link.ours: to_numpy(tensors[link.theirs]) for link in links(layer) if link.ours in layer.buffers
    }
    assert set(found) == set(wanted)
    wrong = {name: result for name, a in wanted.items() if not (result := logic_gate(found[name], a)).ok}
    assert not wrong, wrong


C_ = np.array([[1, 0, 1], [0, 1, 1]], bool)
LAYERS = {
    "convolution": (lambda: conv(4, 3, (2, 1), (1, 0), (1, 2)), (2, 3, 6, 7)),
    "convolution, groups": (lambda: conv(6, 2, groups=2), (2, 4, 5, 6)),
    "convolution, no bias": (lambda: sc.Convolution(draw(4, 3, 2, 3)), (2, 3, 4, 5)),
    "partial convolution": (
        lambda: sc.PartialConvolution(draw(2, 3, 3, 2), draw(2), C_, (1, 2), 1),
        (2, 3, 5, 6),
    ),
    "max pooling": (lambda: sc.Pooling(3, 2, (2, 1), (1, 0)), (2, 3, 6, 5)),
    "max pooling, ceil": (lambda: sc.Pooling(3, 3, 2, ceil_mode=True), (2, 3, 6, 8)),
    "min pooling": (lambda: sc.Pooling(2, 3, 2, 1, mode="min"), (2, 3, 6, 5)),
    "average pooling": (lambda: sc.Pooling(2, 3, 2, 1, mode="average"), (2, 3, 6, 5)),
    "average pooling, pixels only": (lambda: sc.Pooling(2, 3, 2, 1, "average", True, False), (2, 3, 6, 5)),
    "adaptive average pooling": (lambda: sc.AdaptiveAveragePooling(3, 2), (2, 3, 7, 5)),
    "global average pooling": (sc.GlobalAveragePooling, (2, 3, 4, 5)),
    "subsampling": (lambda: sc.Subsampling(draw(3), draw(3), 3), (2, 3, 7, 6)),
    "affine": (lambda: sc.Affine(draw(5, 5), draw(5)), (3, 5)),
    "affine, images, no bias": (lambda: sc.Affine(draw(12, 5)), (2, 3, 2, 2)),
    "linear": (lambda: sc.Linear(draw(5, 5), draw(5)), (2, 3, 5)),
    "linear, no bias": (lambda: sc.Linear(draw(4, 5)), (2, 3, 2, 4)),
    "softmax along the last axis": (lambda: sc.Softmax(-1), (2, 3, 4)),
    "dilated maxima": (lambda: sc.Pooling(3, 2, (2, 1), dilation=(2, 3)), (2, 3, 8, 7)),
    "a divisor of one's own": (
        lambda: sc.Pooling(2, 3, 2, 1, mode="average", divisor_override=5),
        (2, 3, 6, 5),
    ),
    **{
        f"{mode} border": (partial(sc.Pad, ((1, 2), (0, 3)), mode), (2, 3, 4, 5))
        for mode in ("zeros", "reflect", "replicate", "circular")
    },
    "flatten": (sc.Flatten, (2, 3, 2, 2)),
    "rbf": (lambda: sc.RBF(draw(3, 4)), (2, 4)),
    "relu": (sc.Relu, (3, 4)),
    "leaky relu": (lambda: sc.LeakyRelu(0.2), (3, 4)),
    "elu": (lambda: sc.ELU(0.5), (3, 4)),
    "gelu": (lambda: sc.GELU("tanh"), (3, 4)),
    "softplus": (sc.Softplus, (3, 4)),
    "sigmoid": (sc.Sigmoid, (3, 4)),
    "tanh": (lambda: sc.Tanh(1.7159, 2 / 3), (3, 4)),
    "softmax": (sc.Softmax, (2, 3, 2, 2)),
    "lrn": (lambda: sc.LocalResponseNormalization(5, 0.3, 0.75, 2), (2, 7, 2, 3)),
    "lrn, the paper's alpha": (lambda: sc.LocalResponseNormalization(4, 0.3, 0.75, 2, True), (2, 7, 2, 3)),
    "batch norm": (lambda: bn(3), (4, 3)),
    "batch norm, images": (lambda: bn(3), (2, 3, 4, 5)),
    "batch norm, inference": (lambda: bn(3).eval(), (2, 3, 4, 5)),
    "layer norm": (lambda: sc.LayerNorm(draw(4), draw(4), 1e-3), (2, 3, 4)),
    "layer norm, two axes": (lambda: sc.LayerNorm(draw(3, 4)), (2, 3, 4)),
    "layer norm, no gamma": (lambda: sc.LayerNorm(normalized_shape=(3, 4)), (2, 3, 4)),
    "layer norm of the last axis": (sc.LayerNorm, (2, 3, 4)),
    "dropout, inference": (lambda: sc.Dropout(0.4).eval(), (2, 3)),
}


@pytest.mark.parametrize(("make", "shape"), LAYERS.values(), ids=LAYERS)
def test_a_layer_and_its_twin(make, shape):
    agrees(make(), draw(*shape, seed=5))


LOSSES = {
    "softmax with loss": (sc.SoftmaxWithLoss, "labels"),
    "softmax with loss, one-hot": (sc.SoftmaxWithLoss, "rows"),
    "penalty": (sc.PenaltyLoss, "labels"),
    "penalty, one-hot": (sc.PenaltyLoss, "rows"),
}


@pytest.mark.parametrize(("make", "labels"), LOSSES.values(), ids=LOSSES)
def test_a_loss_and_its_twin(make, labels):
    layer, x, t = make(), np.abs(draw(3, 4)), np.array([3, 0, 2])
    t = np.eye(4)[t] if labels == "rows" else t
    tx = torch.tensor(x, requires_grad=True)
    theirs = twin(layer)(tx, torch.tensor(t))
    assert logic_gate(np.asarray(layer.forward(x, t)), to_numpy(theirs)).ok
    theirs.backward()
    assert logic_gate(layer.backward(), to_numpy(tx.grad)).ok


def test_every_rule_is_tried():
    tried = {type(make()) for make, _ in (*LAYERS.values(), *LOSSES.values())}
    assert set(RULES) <= tried  # what has no rule has its kind's formula as a twin


def test_a_layer_without_a_rule_is_named_and_a_subclass_has_its_bases():
    class Swish(sc.Layer):
        pass

    class OurRelu(sc.Relu):
        pass

    with pytest.raises(
        TypeError, match=r"no twin is known for Swish; add its kind to parity\.kinds, or a rule"
    ):
        twin(sc.Sequential({"act": Swish()}))
    assert rule_for(OurRelu()) is RULES[sc.Relu]


@pytest.mark.parametrize("name", [name for name in LAYERS if "norm" not in name and "dropout" not in name])
def test_a_layer_whose_class_has_no_rule_is_its_kinds_formula(monkeypatch, name):
    make, shape = LAYERS[name]
    for cls in type(make()).__mro__:
        monkeypatch.delitem(RULES, cls, raising=False)
    assert isinstance(twin(make()), Formula)
    agrees(make(), draw(*shape, seed=5))


def test_a_layer_that_is_more_than_a_formula_needs_a_rule(monkeypatch):
    monkeypatch.delitem(RULES, sc.Dropout)
    with pytest.raises(TypeError, match=r"for Dropout, which is more than a formula; add a rule to"):
        twin(sc.Dropout())


def test_the_twins_structure_is_plain_torch():
    module = twin(
        sc.Sequential({"conv": conv(4, 3, 2, 1), "mix": sc.Concat({"a": conv(2, 4), "b": sc.Relu()})})
    )
    assert isinstance(module, nn.Sequential) and isinstance(module.mix, Concat)
    assert repr(module.conv) == "Conv2d(3, 4, kernel_size=(3, 3), stride=(2, 2), padding=(1, 1))"
    assert [name for name, _ in module.named_children()] == ["conv", "mix"]


# -- any nest -------------------------------------------------------------------------------------
# Every piece takes (2, 4, 5, 6) and gives that shape back. Max pooling is tried above and not here: two
# windows that hold the same numbers tie, and rounding may then choose differently in the two frameworks.
# Batch normalization infers: in training it takes out what a layer before it adds to a channel, and that
# layer's gradient is 0 but for rounding, which no relative gate can judge.
PIECES = {
    "conv": lambda seed: conv(4, 4, pad=1, seed=seed),
    "grouped": lambda seed: conv(4, 2, pad=1, groups=2, seed=seed),
    "bn": lambda seed: bn(4, seed),
    "relu": lambda seed: sc.Relu(),
    "tanh": lambda seed: sc.Tanh(),
    "average": lambda seed: sc.Pooling(3, 3, 1, 1, "average"),
    "lrn": lambda seed: sc.LocalResponseNormalization(3, 0.1, 0.75, 1),
}
NESTS = st.recursive(
    st.sampled_from(sorted(PIECES)),
    lambda inner: st.one_of(
        st.tuples(st.just("sequential"), inner, inner),
        st.tuples(st.just("concat"), inner, inner),
        st.tuples(st.just("residual"), inner),
        st.tuples(st.just("shortcut"), inner, inner),
    ),
    max_leaves=6,
)


def grow(nest, seeds):
    if isinstance(nest, str):
        return PIECES[nest](next(seeds))
    kind, *inner = nest
    parts = [grow(part, seeds) for part in inner]
    if kind == "sequential":
        return sc.Sequential(*parts)
    if kind == "concat":
        branches = sc.Concat({"left": parts[0], "right": parts[1]})
        return sc.Sequential({"branches": branches, "join": conv(4, 8, FS=1, seed=next(seeds))})
    return sc.Residual(*parts)


@given(NESTS, st.integers(0, 100))
@settings(max_examples=40, deadline=None, derandomize=True)
def test_any_nest_and_its_twin(nest, seed):
    layer = sc.Sequential({"nest": grow(nest, iter(range(seed, seed + 50)))})
    agrees(layer.eval(), draw(2, 4, 5, 6, seed=seed), seed)
