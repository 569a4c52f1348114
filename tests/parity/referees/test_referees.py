"""JAX and ONNX Runtime as referees: right networks agree, and who is wrong is named."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from small_networks import SMALL

import scratchcnn as sc
from parity.checks.network import Case
from parity.kinds.probes import probes
from parity.referees import jax_layers, load_referees
from parity.referees.base import NoAnswer, Referee
from parity.referees.compare_voices import compare_voices
from parity.referees.jax_referee import Jax
from parity.referees.onnx_referee import OnnxRuntime
from parity.referees.outcome import UNDECIDED, NotCompared, RefereeOutcome, TensorOutcome
from parity.referees.torch_referee import Torch
from parity.reference.networks import TORCH_NETWORKS
from scratchcnn import NETWORKS

ALL = ("torch", "jax", "onnxruntime")
SAMPLE = ("alexnet_torchvision", "vgg11_bn", "googlenet", "resnet18")


@pytest.fixture
def small(monkeypatch, request):
    """A small network and its PyTorch counterpart under a name of their own."""
    ours, theirs = SMALL[request.param]
    monkeypatch.setitem(NETWORKS, "small", ours)
    monkeypatch.setitem(TORCH_NETWORKS, "small", theirs)
    return request.param


def outcome(name, *referees, dtype="float64", seed=0):
    voices = [r if isinstance(r, Referee) else load_referees([r])[0] for r in referees]
    batch_size = 4 if name == "small" else None
    entries = list(compare_voices(Case(name, dtype, seed=seed, batch_size=batch_size), voices))
    found = RefereeOutcome(
        [entry for entry in entries if isinstance(entry, TensorOutcome)],
        [entry for entry in entries if isinstance(entry, NotCompared)],
    )
    assert len(found.tensors) + len(found.not_compared) == len(entries)
    return found


def missing(found):
    return {(entry.case, entry.voice, entry.what) for entry in found.not_compared}


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", ["simple_conv_net", "lenet", "lenet5"])
def test_all_agree(name, dtype):
    found = outcome(name, *ALL, dtype=dtype)
    assert found.ok and found.outliers == {} and found.unproven == []
    tensors = {finding.tensor: finding.voices for finding in found.tensors}
    gradients = ["x", *NETWORKS[name]().params] if dtype == "float64" else []
    assert list(tensors) == ["scores", "loss", *gradients]
    assert all(set(tensors[name]) == {"ours", *ALL} for name in ("scores", "loss"))
    assert all(tensors[name] == ["ours", "torch", "jax"] for name in gradients)
    for finding in found.tensors:
        for pair in finding.pairs:
            narrow = dtype == "float32" or "onnxruntime" in (pair.left, pair.right)
            assert pair.dtype == ("float32" if narrow else "float64")
            assert narrow or pair.comparison.margin < 1e-3


def test_what_was_not_compared_is_listed():
    assert missing(outcome("lenet", *ALL)) == {
        ("inference", "onnxruntime", "gradients"),
        ("inference", "onnxruntime", "float64"),
    }
    assert missing(outcome("lenet", *ALL, dtype="float32")) == {("inference", "all", "gradients")}


@pytest.mark.parametrize("small", SAMPLE, indirect=True)
def test_every_network_in_training_and_inference(small):
    found = outcome("small", *ALL)
    assert found.ok, (
        [entry for entry in found.not_compared if entry.fails] + list(found.outliers) + found.unproven
    )
    assert {finding.case for finding in found.tensors} == {"inference", "training"}
    assert ("training", "onnxruntime", "everything") in missing(found)
    assert {f.tensor for f in found.tensors if f.case == "training"} >= {
        "x",
        *NETWORKS["small"](rng=0).params,
    }


@pytest.mark.parametrize("small", ["resnet18"], indirect=True)
def test_float32_of_a_network_that_computes_something_else_in_training(small):
    assert outcome("small", *ALL, dtype="float32").ok


# -- ours is wrong --------------------------------------------------------------------------------
def test_ours_wrong_in_forward_is_the_outlier(monkeypatch):
    right = sc.Sigmoid.forward
    monkeypatch.setattr(sc.Sigmoid, "forward", lambda self, x: right(self, x) * (1 + 1e-3))
    found = outcome("lenet", *ALL)
    assert not found.ok and set(found.outliers) == {"ours"}
    assert {"scores", "loss", "conv1.W"} <= {finding.tensor for finding in found.outliers["ours"]}


def test_ours_wrong_in_one_gradient_is_the_outlier_only_there(monkeypatch):
    class Wrong(sc.LeNet):
        def gradient(self, x, t):
            grads = super().gradient(x, t)
            grads["affine2.b"] = grads["affine2.b"] * (1 + 1e-8)
            return grads

    monkeypatch.setitem(NETWORKS, "lenet", Wrong)
    found = outcome("lenet", "torch", "jax")
    assert {name: [f.tensor for f in fs] for name, fs in found.outliers.items()} == {"ours": ["affine2.b"]}


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda dW: None, "ours: missing"),
        (lambda dW: dW * np.nan, "ours: not finite"),
        (lambda dW: dW[:1], "ours: shape (1, 6, 5, 5), expected (16, 6, 5, 5)"),
        (lambda dW: dW.astype(np.float32), "ours: dtype float32, expected float64"),
    ],
    ids=["missing", "NaN", "shape", "dtype"],
)
def test_what_cannot_be_compared_never_passes(monkeypatch, spoil, why):
    class Wrong(sc.LeNet):
        def gradient(self, x, t):
            grads = super().gradient(x, t)
            return grads | {"conv2.W": spoil(grads["conv2.W"])}

    monkeypatch.setitem(NETWORKS, "lenet", Wrong)
    found = outcome("lenet", "torch", "jax")
    (finding,) = found.outliers["ours"]
    assert not found.ok and finding.tensor == "conv2.W"
    assert {pair.comparison.why for pair in finding.pairs} == {why, ""}


# -- a referee is wrong ---------------------------------------------------------------------------
def spoilt(cls, tensor, factor):
    class Wrong(cls):
        def answer(self, question):
            answer = dict(super().answer(question))
            if tensor in answer:
                answer[tensor] = answer[tensor] * answer[tensor].dtype.type(factor)
            return answer

    return Wrong()


@pytest.mark.parametrize(
    ("name", "cls", "tensor", "factor"),
    [
        ("torch", Torch, "conv1.W", 1 + 1e-8),
        ("torch", Torch, "loss", 1.01),
        ("jax", Jax, "x", -1),
        ("jax", Jax, "scores", 1 + 1e-8),
        ("onnxruntime", OnnxRuntime, "scores", 1 + 1e-4),
        ("onnxruntime", OnnxRuntime, "loss", np.nan),
    ],
)
def test_a_wrong_referee_is_the_outlier(name, cls, tensor, factor):
    voices = [spoilt(cls, tensor, factor) if other == name else other for other in ALL]
    found = outcome("lenet", *voices)
    assert {who: [f.tensor for f in fs] for who, fs in found.outliers.items()} == {name: [tensor]}


def test_a_float32_referee_is_no_alibi():
    """Off by less than float32 shows: onnxruntime agrees with all, and the float64 ones still tell."""
    found = outcome("lenet", "torch", spoilt(Jax, "scores", 1 + 1e-8), "onnxruntime")
    (finding,) = found.outliers["jax"]
    assert [(p.left, p.right) for p in finding.pairs if not p.comparison.ok] == [
        ("ours", "jax"),
        ("torch", "jax"),
    ]


def test_two_voices_are_undecided():
    found = outcome("lenet", spoilt(Jax, "loss", 1.01))
    assert not found.ok and set(found.outliers) == {UNDECIDED}


# -- no answer ----------------------------------------------------------------------------
def test_a_network_that_a_referee_cannot_run_is_no_pass(monkeypatch):
    class Net(sc.LeNet):
        def __init__(self, **options):
            super().__init__(**options)
            self.layers["sigmoid1"].__class__ = type("Mine", (sc.Sigmoid,), {})

    monkeypatch.setitem(NETWORKS, "lenet", Net)
    found = outcome("lenet", *ALL)
    (entry,) = [entry for entry in found.not_compared if entry.fails]
    assert entry.voice == "onnxruntime" and "sigmoid1 (Mine) has no ONNX form" in entry.why
    assert not found.ok and all(finding.ok for finding in found.tensors)


def test_a_layer_without_a_jax_form_is_named():
    with pytest.raises(NoAnswer, match="no JAX form is known for Layer; add a rule to"):
        jax_layers.rule_for(jax_layers.RULES, sc.Layer())


# -- JAX alone ------------------------------------------------------------------------------------
def test_jax_keeps_its_settings_for_others():
    outcome("lenet", "jax")
    assert jnp.zeros(1).dtype == jnp.float32 and not jax.config.jax_enable_x64


KINDS = [
    "convolution",
    "max_pooling",
    "min_pooling",
    "average_pooling",
    "adaptive_average_pooling",
    "lrn",
    "subsampling",
    "batch_norm",
    "layer_norm",
    "layer_norm_options",
    "softmax",
    "affine",
    "tanh",
    "leaky_relu",
    "elu",
    "selu",
    "softplus",
    "gelu",
    "relu6",
    "softsign",
]


@pytest.mark.parametrize("kind", KINDS)
def test_layers_on_their_probes(kind):
    """Odd geometry, that no network has: JAX's layer against ours, forward."""
    from parity.adapters.book import BookAdapter
    from parity.kinds import kind_of

    compared = 0
    for probe in probes(kind, 0):
        layer = BookAdapter().build(kind_of(kind).ours, probe.cast("float64"))
        x = np.asarray(probe.inputs["x"], np.float64)
        if not isinstance(layer, sc.Layer) or x.size == 0:
            continue
        training = bool(probe.args.get("training", True))
        layer.train(training)
        arrays = {key: a.copy() for key, a in {**layer.params, **layer.buffers}.items()}
        expected = layer.forward(x)
        with jax.enable_x64(True):
            mode = jax_layers.Mode(training, jnp.zeros(1))
            found = np.array(
                jax_layers.rule_for(jax_layers.RULES, layer)(layer, arrays, jnp.asarray(x), mode)
            )
        assert found.shape == expected.shape, probe.id
        np.testing.assert_allclose(
            found, expected, rtol=1e-12, atol=1e-12 * np.abs(expected).max(), err_msg=probe.id
        )
        compared += 1
    assert compared > 1


def test_cases_differ_by_seed():
    first, second = (outcome("lenet", "torch", seed=seed).tensors[1].pairs[0].comparison for seed in (0, 1))
    assert dataclasses.asdict(first) != dataclasses.asdict(second)
