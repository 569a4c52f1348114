"""What every layer promises, tried on every one: its gradients, the loops, PyTorch, and no surprises.

The inputs of the contracts are parity's probes: odd geometry, ties, extremes, in both dtypes.
"""

import inspect
from contextlib import nullcontext
from dataclasses import replace

import numpy as np
import pytest
import torch
from helpers import close, draw, failed

import scratchcnn as sc
from parity.adapters.book import BookAdapter
from parity.adapters.features import without
from parity.checks.layer import check_kind
from parity.faults import FAULTS
from parity.kinds import KINDS, kind_of
from parity.kinds.probes import probes
from scratchcnn import layers, naive

LAYER_KINDS = [name for name, kind in KINDS.items() if kind.role == "layer"]


# -- PyTorch --------------------------------------------------------------------------------------
@pytest.mark.parametrize(("kind", "dtype"), [(k.name, dtype) for k in KINDS.values() for dtype in k.dtypes])
def test_is_pytorchs_on_every_probe(kind, dtype):
    rows = [row for seed in range(4) for row in check_kind(kind, dtype, seed=seed)]
    assert rows
    assert failed(rows) == []


@pytest.mark.parametrize("order", [slice(None), slice(None, None, -1)], ids=["as it lies", "reversed"])
def test_relu_passes_the_gradient_at_nan_as_pytorch_does(order):
    x, dout = np.array([np.nan, -1.0, 0.0, 2.0, -np.inf, np.inf])[order], draw(6)
    tx = torch.tensor(x.copy(), requires_grad=True)
    (wanted,) = torch.autograd.grad(torch.relu(tx), tx, torch.tensor(dout))
    for rung in (nullcontext, sc.fast.textbook):
        with rung():
            layer = sc.Relu()
            np.testing.assert_array_equal(layer.forward(x), torch.relu(tx).detach().numpy())
            np.testing.assert_array_equal(layer.backward(dout), wanted.numpy())


def test_every_layer_has_a_kind():
    exported = {name for name in layers.__all__ if inspect.isclass(getattr(layers, name))}
    checked = {type(build(probes(kind)[0])).__name__ for kind in KINDS if KINDS[kind].role != "function"}
    assert exported - checked == {
        "Layer",
        "Loss",
        "ElementwiseLoss",
        "Container",
        "Sequential",
        "Concat",
        "Residual",
        "SideHead",
    }


# -- the loops ------------------------------------------------------------------------------------
def bn(training):
    def run(x, dout, W, v, m, s):
        layer = sc.BatchNormalization(W[0], v, 0.8, m.copy(), s.copy()).train(training)
        out, dx = layer.forward(x), layer.backward(dout)
        loops = naive.batch_norm_forward(x, W[0], v, m, s, 0.8, training=training)
        back = naive.batch_norm_backward(dout, x, W[0], m, s, training=training)
        return (out, layer.running_mean, layer.running_var, dx, layer.dgamma, layer.dbeta), (*loops, *back)

    return run


def layer_norm(scaled, shifted=True, last=()):
    def run(x, dout, W, v, m, s):
        gamma, beta = (np.resize(a, (*last, 3)) for a in (W[0], v))
        gamma, beta = gamma if scaled else None, beta if scaled and shifted else None
        layer = sc.LayerNorm(gamma, beta, 1e-3, (*last, 3))
        ours = layer.forward(x), layer.backward(dout), layer.dgamma, layer.dbeta
        back = naive.layer_norm_backward(dout, x, gamma, 1e-3, (*last, 3))
        loops = naive.layer_norm_forward(x, gamma, beta, 1e-3, (*last, 3)), *back
        pairs = [pair for pair in zip(ours, loops, strict=True) if pair[0] is not None]
        assert len(pairs) == 2 + scaled + (scaled and shifted)
        return tuple(zip(*pairs, strict=True))

    return run


def lrn(size, paper):
    def run(x, dout, W, v, m, s):
        settings = (size, 0.3, 0.75, 2.0, paper)
        layer = sc.LocalResponseNormalization(*settings)
        loops = naive.lrn_forward(x, *settings), naive.lrn_backward(dout, x, *settings)
        return (layer.forward(x), layer.backward(dout)), loops

    return run


def affine(x, dout, W, v, m, s):
    layer = sc.Affine(W, v)
    ours = layer.forward(x), layer.backward(dout @ W), layer.dW, layer.db
    return ours, (naive.affine_forward(x, W, v), *naive.affine_backward(dout @ W, x, W))


def adaptive(out_h, out_w):
    def run(x, dout, W, v, m, s):
        layer, dout = sc.AdaptiveAveragePooling(out_h, out_w), draw(*x.shape[:2], out_h, out_w)
        loops = naive.adaptive_average_forward(x, out_h, out_w), naive.adaptive_average_backward(dout, x)
        return (layer.forward(x), layer.backward(dout)), loops

    return run


def global_average(x, dout, W, v, m, s):
    layer, dout = sc.GlobalAveragePooling(), dout[:, :, 0, 0]
    loops = naive.global_average_forward(x), naive.global_average_backward(dout, x)
    return (layer.forward(x), layer.backward(dout)), loops


def rbf(x, dout, W, v, m, s):
    layer = sc.RBF(np.sign(W))
    ours = layer.forward(x), layer.backward(dout @ W.T)
    return ours, (naive.rbf_forward(x, np.sign(W)), naive.rbf_backward(dout @ W.T, x, np.sign(W)))


def softmax(x, dout, W, v, m, s):
    layer = sc.Softmax()
    return (layer.forward(x), layer.backward(dout)), (
        naive.softmax_forward(x),
        naive.softmax_backward(dout, x),
    )


def activation(layer, name, *args):
    """A layer of single numbers, and the loops of that name."""

    def run(x, dout, W, v, m, s):
        forward, backward = getattr(naive, f"{name}_forward"), getattr(naive, f"{name}_backward")
        return (layer.forward(x), layer.backward(dout)), (forward(x, *args), backward(dout, x, *args))

    return run


LOOPS = {
    "adaptive average, even": (adaptive(2, 3), (2, 3, 4, 6)),
    "adaptive average, overlapping": (adaptive(3, 4), (2, 3, 7, 5)),
    "adaptive average, larger than the image": (adaptive(5, 4), (1, 2, 3, 3)),
    "adaptive average, the image's size": (adaptive(3, 2), (2, 1, 3, 2)),
    "global average": (global_average, (2, 3, 4, 5)),
    "affine": (affine, (4, 3)),
    "affine, N=1": (affine, (1, 3)),
    "rbf": (rbf, (4, 3)),
    "silu": (activation(sc.SiLU(), "silu"), (4, 3)),
    "leaky relu": (activation(sc.LeakyRelu(0.2), "leaky_relu", 0.2), (4, 3)),
    "elu": (activation(sc.ELU(0.5), "elu", 0.5), (4, 3)),
    "selu": (activation(sc.SELU(), "selu"), (4, 3)),
    "softplus": (activation(sc.Softplus(), "softplus"), (4, 3)),
    "gelu": (activation(sc.GELU(), "gelu"), (4, 3)),
    "gelu, tanh": (activation(sc.GELU("tanh"), "gelu", "tanh"), (4, 3)),
    "relu6": (activation(sc.Relu6(), "relu6"), (4, 3)),
    "softsign": (activation(sc.Softsign(), "softsign"), (4, 3)),
    "step": (activation(sc.Step(), "step_function"), (4, 3)),
    "step, 1 at 0": (activation(sc.Step(1), "step_function", 1.0), (4, 3)),
    "identity": (activation(sc.Identity(), "identity"), (4, 3)),
    "softmax": (softmax, (4, 3)),
    "batch norm": (bn(True), (4, 3)),
    "batch norm, images": (bn(True), (2, 3, 4, 5)),
    "batch norm, N=1": (bn(True), (1, 3, 2, 3)),
    "batch norm, inference": (bn(False), (2, 3, 4, 5)),
    "layer norm": (layer_norm(True), (4, 3)),
    "layer norm, sequences": (layer_norm(True), (2, 4, 3)),
    "layer norm, two axes": (layer_norm(True, last=(4,)), (2, 4, 3)),
    "layer norm, no beta": (layer_norm(True, False), (2, 4, 3)),
    "layer norm, no gamma and beta": (layer_norm(False), (2, 4, 3)),
    "lrn": (lrn(5, False), (2, 7, 3, 2)),
    "lrn, even window": (lrn(4, False), (2, 7, 3, 2)),
    "lrn, the paper's alpha": (lrn(5, True), (2, 7, 3, 2)),
    "lrn, C=1": (lrn(3, True), (1, 1, 3, 2)),
    "lrn, window beyond the channels": (lrn(9, True), (2, 3, 3, 2)),
}


@pytest.mark.parametrize(("run", "shape"), LOOPS.values(), ids=LOOPS)
def test_is_the_loops(run, shape):
    W, v, mean, var = draw(3, 3, seed=2), draw(3, seed=3), draw(3, seed=4), 0.5 + np.abs(draw(3, seed=5))
    ours, loops = run(draw(*shape) + 0.5, draw(*shape, seed=1), W, v, mean, var)
    for mine, theirs in zip(ours, loops, strict=True):
        close(mine, theirs)


# -- numerical gradients --------------------------------------------------------------------------
def dropout():
    layer = sc.Dropout(0.3)
    layer.inject(draw(4, 5) > 0)
    return layer


def inference():
    return sc.BatchNormalization(draw(3), draw(3), 0.9, draw(3), np.full(3, 2.0)).eval()


C_ = np.array([[1, 0], [1, 1], [0, 1]], bool)
LAYERS = {
    "convolution": (lambda: sc.Convolution(draw(4, 2, 3, 2), draw(4), (1, 2), 1, (2, 1), 2), (2, 4, 6, 5)),
    "partial convolution": (lambda: sc.PartialConvolution(draw(3, 2, 2, 3), draw(3), C_, 1, 1), (2, 2, 4, 5)),
    "max pooling": (lambda: sc.Pooling(3, 2, (2, 1), 1), (2, 3, 6, 5)),
    "min pooling, ceil": (lambda: sc.Pooling(3, 2, 2, mode="min", ceil_mode=True), (2, 3, 6, 5)),
    "average pooling, ceil": (lambda: sc.Pooling(3, 2, 2, 1, "average", True, False), (2, 3, 6, 5)),
    "adaptive average": (lambda: sc.AdaptiveAveragePooling(3, 2), (2, 3, 7, 5)),
    "global average": (sc.GlobalAveragePooling, (2, 3, 4, 5)),
    "subsampling": (lambda: sc.Subsampling(draw(3), draw(3)), (2, 3, 5, 4)),
    "affine": (lambda: sc.Affine(draw(12, 3), draw(3)), (2, 3, 2, 2)),
    "flatten": (sc.Flatten, (2, 3, 2, 2)),
    "rbf": (lambda: sc.RBF(np.sign(draw(3, 4))), (2, 4)),
    "relu": (sc.Relu, (4, 5)),
    "sigmoid": (sc.Sigmoid, (4, 5)),
    "scaled tanh": (lambda: sc.Tanh(1.7159, 2 / 3), (4, 5)),
    "softmax": (sc.Softmax, (2, 4, 3, 2)),
    "lrn": (lambda: sc.LocalResponseNormalization(4, 0.5, 0.75, 2.0), (2, 6, 3, 2)),
    "batch norm": (lambda: sc.BatchNormalization(draw(3), draw(3)), (3, 3, 2, 4)),
    "batch norm, inference": (inference, (3, 3, 2, 4)),
    "layer norm": (lambda: sc.LayerNorm(draw(5), draw(5)), (3, 4, 5)),
    "layer norm, images": (lambda: sc.LayerNorm(draw(3, 2, 4), draw(3, 2, 4)), (3, 3, 2, 4)),
    "dropout": (dropout, (4, 5)),
}


@pytest.mark.parametrize(("make", "shape"), LAYERS.values(), ids=LAYERS)
def test_gradients_are_numerical_ones(make, shape):
    where = {"W": C_[:, :, None, None]} if isinstance(make(), sc.PartialConvolution) else None
    checks = sc.check_layer(make(), draw(*shape, seed=7), where=where)
    assert set(checks) == {"x", *make().params}
    assert all(checks.values()), {key: str(check) for key, check in checks.items()}


# -- contracts ------------------------------------------------------------------------------------
def build(probe):
    return BookAdapter().build(kind_of(probe.kind).ours, probe)


def results(layer, probe):
    """What one forward and one backward give (db is None where there is no b)."""
    return {name: a for name, a in BookAdapter().results(layer, probe).items() if a is not None}


def every_case():
    """(probe, dtype) over all kinds of layers and losses."""
    return [
        pytest.param(kind.name, np.dtype(d), id=f"{kind.name}-{d}")
        for kind in KINDS.values()
        for d in kind.dtypes
    ]


def call(kind, contract):
    """The contract on every probe of the kind that is not there to be refused."""
    for probe in without(probes(kind, seed=11), KINDS[kind].may_refuse):
        contract(probe)


def same(a, b, text):
    assert list(a) == list(b), text
    for name in a:
        np.testing.assert_array_equal(a[name], b[name], err_msg=f"{text}: {name}")


@pytest.mark.parametrize(("kind", "dtype"), every_case())
def test_nothing_of_the_callers_is_changed_and_the_dtype_kept(kind, dtype):
    def contract(probe):
        probe = probe.cast(dtype)
        layer = build(probe)
        params = {k: v.copy() for k, v in getattr(layer, "params", {}).items()}
        before = probe.cast(dtype).inputs
        found = results(layer, probe)
        same(probe.inputs, before, probe.id)
        same(getattr(layer, "params", {}), params, probe.id)
        assert {name: a.dtype for name, a in found.items() if a.dtype != dtype} == {}, probe.id

    call(kind, contract)


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_call_twice_gives_the_same_answer(kind):
    def contract(probe):
        layer, again = build(probe), build(probe)
        expected = results(again, probe)
        if not kind.startswith("batch_norm"):  # whose running statistics have to move
            for _ in range(2):  # of one object: what it kept of the first call is gone
                same(results(layer, probe), expected, probe.id)
        same(results(build(probe), probe), expected, probe.id)

    call(kind, contract)


@pytest.mark.parametrize("kind", LAYER_KINDS)
def test_overwritten_buffers_do_no_harm(kind):
    """The caller reuses x, the output and dout; what backward needs is the layer's own."""

    def contract(probe):
        expected = results(build(probe), probe)
        layer, mine = build(probe), probe.cast(np.float64)
        out = BookAdapter().forward(layer, mine)
        mine.inputs["x"][...] = np.nan
        out[...] = np.nan
        dx = layer.backward(mine.inputs["dout"])
        assert not np.shares_memory(out, mine.inputs["x"]), probe.id
        mine.inputs["dout"][...] = np.nan
        expected.pop("out")
        found = {"dx": dx} | BookAdapter().state(layer, mine)
        same({name: found[name] for name in expected}, expected, probe.id)

    call(kind, contract)


@pytest.mark.parametrize("kind", LAYER_KINDS)
def test_results_stay_as_they_were_when_a_layer_runs_again(kind):
    """No later call writes into a result: of the layer itself into out or dx, of another into a gradient."""

    def contract(probe):
        layer, turned = build(probe), probe.cast(np.float64)
        turned.inputs["x"] = turned.inputs["x"][::-1]
        turned.inputs["dout"] = -turned.inputs["dout"][::-1]
        kept = results(layer, probe)
        before = {name: a.copy() for name, a in kept.items()}
        results(build(turned), turned)
        same(kept, before, f"{probe.id}, another layer")
        results(layer, turned)
        for name in ("out", "dx"):
            np.testing.assert_array_equal(kept[name], before[name], err_msg=f"{probe.id}: {name}")

    call(kind, contract)


@pytest.mark.parametrize("kind", LAYER_KINDS)
def test_a_prediction_between_forward_and_backward_does_no_harm(kind):
    def contract(probe):
        expected = results(build(probe), probe)["dx"]
        layer = build(probe)
        mode = layer.training
        BookAdapter().forward(layer, probe)
        layer.eval().record(False)
        layer.forward(probe.inputs["x"] * 3 + 1)
        layer.train(mode).record(True)
        np.testing.assert_array_equal(layer.backward(probe.inputs["dout"]), expected, err_msg=probe.id)

    call(kind, contract)


@pytest.mark.parametrize("kind", LAYER_KINDS)
def test_forward_twice_then_backward_is_that_of_the_second(kind):
    def contract(probe):
        expected = results(build(probe), probe)["dx"]
        layer = build(probe)
        if "mask" not in probe.inputs:
            layer.forward(np.concatenate([probe.inputs["x"]] * 2) + 1)
        BookAdapter().forward(layer, probe)
        np.testing.assert_array_equal(layer.backward(probe.inputs["dout"]), expected, err_msg=probe.id)

    call(kind, contract)


@pytest.mark.parametrize("kind", [kind for kind in LAYER_KINDS if KINDS[kind].params])
def test_weights_that_are_written_into_are_used(kind):
    def contract(probe):
        layer = build(probe)
        results(layer, probe)
        weights = {key: 2 * p for key, p in layer.params.items()}
        for key, p in layer.params.items():
            p[...] = weights[key]
        found = results(layer, probe)
        other = replace(probe, args={**probe.args, **weights})
        for name, expected in results(build(other), other).items():
            if not name.startswith("running"):
                np.testing.assert_array_equal(found[name], expected, err_msg=f"{probe.id}: {name}")

    call(kind, contract)


OF_CONTRACTS = [
    fault
    for fault in FAULTS.values()
    if fault.kind in ("relu", "sigmoid", "affine", "convolution")
    and fault.shows == "contract"
    and not fault.equivalent
]


@pytest.mark.parametrize("fault", OF_CONTRACTS, ids=lambda fault: fault.name)
def test_known_bugs_that_no_single_call_shows_are_noticed_above(fault, monkeypatch):
    monkeypatch.setitem(globals(), "build", lambda probe: BookAdapter().build(fault.make, probe))
    with pytest.raises((AssertionError, ValueError)):
        test_nothing_of_the_callers_is_changed_and_the_dtype_kept(fault.kind, np.float64)
        test_the_same_call_twice_gives_the_same_answer(fault.kind)
        test_overwritten_buffers_do_no_harm(fault.kind)
        test_results_stay_as_they_were_when_a_layer_runs_again(fault.kind)
        test_forward_twice_then_backward_is_that_of_the_second(fault.kind)
        test_weights_that_are_written_into_are_used(fault.kind)


@pytest.mark.parametrize("kind", LAYER_KINDS)
def test_any_memory_layout_gives_the_same(kind):
    def contract(probe):
        expected = results(build(probe), probe)
        mine = probe.cast(np.float64)
        for key in ("x", "dout"):
            mine.inputs[key] = np.asfortranarray(mine.inputs[key])
        for name, a in results(build(mine), mine).items():
            np.testing.assert_allclose(
                a, expected[name], rtol=1e-12, atol=1e-12, err_msg=f"{probe.id}: {name}"
            )

    call(kind, contract)


@pytest.mark.parametrize("kind", LAYER_KINDS)
def test_what_no_layer_takes(kind):
    probe = probes(kind)[0]
    layer, x = build(probe), probe.inputs["x"]
    with pytest.raises(RuntimeError, match=rf"^{layer.kind}: backward needs a forward before it"):
        layer.backward(probe.inputs["dout"])
    out = layer.forward(x)
    with pytest.raises(
        ValueError, match=rf"^{layer.kind}: expected dout of the output's shape .*, got \(1, 1, 1, 1, 1\)"
    ):
        layer.backward(np.zeros((1, 1, 1, 1, 1)))
    with pytest.raises(TypeError, match=rf"^{layer.kind}: dout must be floating-point .* got int64"):
        layer.backward(np.zeros(out.shape, int))
    with pytest.raises(TypeError, match=rf"^{layer.kind}: x must be floating-point .* got int64"):
        layer.forward(x.astype(int))


@pytest.mark.parametrize("kind", [k for k in LAYER_KINDS if KINDS[k].wrt != ("x",) or k == "rbf"])
def test_parameters_and_x_must_have_one_dtype(kind):
    probe = probes(kind)[0]
    with pytest.raises(TypeError, match="x is float32 but the parameters are float64; cast one of them"):
        build(probe).forward(probe.inputs["x"].astype(np.float32))


# -- the layer's own face -------------------------------------------------------------------------
def test_writing_params_writes_into_the_array_and_refuses_another_shape():
    layer = sc.Affine(draw(4, 3), draw(3))
    held = layer.W
    layer.W = np.ones((4, 3))
    layer.params["b"] = np.zeros(3)
    assert layer.W is held and (held == 1).all() and not layer.b.any()
    layer.params.update(W=np.full((4, 3), 2.0))
    assert (held == 2).all()
    with pytest.raises(ValueError, match=r"W: expected shape \(4, 3\), got \(3, 4\)"):
        layer.W = np.ones((3, 4))
    with pytest.raises(KeyError, match="no array named 'V'; there are W, b"):
        layer.params["V"] = np.ones(3)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (
            lambda: sc.Affine([[1.0]]),
            r"Affine: W must be a NumPy array, got list; np\.array\(\.\.\.\) makes one",
        ),
        (lambda: sc.Affine(torch.ones(1, 1)), r"got Tensor; a tensor has \.numpy\(\)"),
        (
            lambda: sc.Affine(np.ones((1, 1)), np.ones(1, "f")),
            "W is float64 but b is float32; cast one of them",
        ),
        (
            lambda: sc.BatchNormalization(np.ones(1), np.ones(1), eps=0),
            "eps must be positive and finite, got 0",
        ),
        (lambda: sc.BatchNormalization(np.ones(1), np.ones(1), eps=-1e-5), "eps must be positive and finite"),
        (lambda: sc.Dropout("0.5"), r"dropout_ratio must lie in \[0, 1\], got '0\.5'"),
        (lambda: sc.BatchNormalization(np.ones(0), np.ones(0)), "gamma must hold at least one channel"),
        (lambda: sc.LayerNorm(np.ones(0)), r"gamma must hold at least one number, got shape \(0,\)"),
        (lambda: sc.LayerNorm(beta=np.ones(2)), "LayerNorm: give gamma too, or neither"),
        (lambda: sc.LayerNorm(np.ones(2), eps=0), "LayerNorm: eps must be positive and finite, got 0"),
        (
            lambda: sc.LayerNorm(np.ones(2), normalized_shape=3),
            r"normalized_shape is \(3,\), but gamma is \(2,\)",
        ),
    ],
)
def test_arguments_that_make_no_layer_are_refused(make, sentence):
    with pytest.raises((TypeError, ValueError), match=sentence):
        make()


def test_integer_weights_are_refused():
    with pytest.raises(TypeError, match=r"Affine W must be floating-point \(float32 or float64\), got int64"):
        sc.Affine(np.ones((4, 3), int))


def test_cast_converts_everything_and_forgets():
    layer = sc.BatchNormalization(draw(3), draw(3))
    layer.forward(draw(4, 3))
    layer.cast(np.float32)
    assert {a.dtype.name for a in (*layer.params.values(), *layer.buffers.values())} == {"float32"}
    with pytest.raises(RuntimeError, match="backward needs a forward"):
        layer.backward(draw(4, 3).astype(np.float32))


def test_num_params_counts_what_is_trained():
    assert sc.Affine(draw(4, 3), draw(3)).num_params == 15
    assert sc.BatchNormalization(draw(3), draw(3)).num_params == 6
    assert sc.RBF(draw(3, 4)).num_params == sc.Relu().num_params == 0
