"""Every adapter on an implementation in its style, right and wrong; what a style cannot show is told."""

from pathlib import Path

import pytest

from parity.adapters.book import BookAdapter
from parity.adapters.conventions import ADAPTERS, adapter_of
from parity.verification.verify import verify

HOMEWORK = Path(__file__).parents[1] / "homework"
RIGHT = [
    ("right.py:Convolution", "convolution", "book"),
    ("others.py:Conv", "convolution", "book"),
    ("others.py:KeptMaskDropout", "dropout", "book"),
    ("others.py:PythonFloatLoss", "softmax_with_loss", "book"),
    ("cs231n.py:conv_forward,conv_backward", "convolution", "cs231n"),
    ("cs231n.py:max_pool_forward,max_pool_backward", "max_pooling", "cs231n"),
    ("cs231n.py:affine_forward,affine_backward", "affine", "cs231n"),
    ("cs231n.py:relu_forward,relu_backward", "relu", "cs231n"),
    ("cs231n.py:softmax_loss", "softmax_with_loss", "cs231n"),
    ("cs231n.py:batchnorm_forward,batchnorm_backward", "batch_norm", "cs231n"),
    ("others.py:ConvolutionNHWC", "convolution", "channels_last"),
    ("others.py:ConvolutionHWIO", "convolution", "hwio"),
    ("others.py:AffineDict", "affine", "params_grads"),
    ("others.py:MaxPoolingForward", "max_pooling", "forward_only"),
    ("others.py:convolve", "convolution", "forward_only"),
]
# target, kind, adapter, culprit, diagnosis
WRONG = [
    (
        "cs231n.py:conv_forward,conv_backward_wrong",
        "convolution",
        "cs231n",
        "backward db",
        "conv-db-mean-over-images",
    ),
    ("others.py:ConvolutionNHWCWrong", "convolution", "channels_last", "backward dx", ""),
    ("others.py:AffineDictWrong", "affine", "params_grads", "backward db", ""),
    (
        "others.py:MaxPoolingForwardWrong",
        "max_pooling",
        "forward_only",
        "forward out",
        "max-pool-zero-padding",
    ),
    ("others.py:AffineDict", "affine", "book", "backward dW", ""),
    ("others.py:ConvolutionNHWC", "convolution", "book", "forward out", ""),
]


@pytest.mark.parametrize(("target", "kind", "adapter"), RIGHT, ids=lambda text: text.rpartition(":")[2])
def test_a_right_one_in_this_style_passes(target, kind, adapter):
    verdict = verify(f"{HOMEWORK}/{target}", kind, adapter=adapter)
    assert verdict.ok, str(verdict)
    assert len(verdict.findings) >= 10


@pytest.mark.parametrize(
    ("target", "kind", "adapter", "culprit", "fault"), WRONG, ids=lambda text: text.rpartition(":")[2]
)
def test_a_wrong_one_in_this_style_fails(target, kind, adapter, culprit, fault):
    verdict = verify(f"{HOMEWORK}/{target}", kind, adapter=adapter)
    assert not verdict.ok
    assert f"{verdict.culprit.phase} {verdict.culprit.tensor}" == culprit, str(verdict)
    assert verdict.diagnosis.fault == fault, str(verdict)


def test_a_reproduction_through_an_adapter_runs(capsys):
    target = f"{HOMEWORK}/cs231n.py:conv_forward,conv_backward_wrong"
    verdict = verify(target, "convolution", adapter="cs231n")
    assert "adapter='cs231n'" in verdict.reproduction
    exec(verdict.reproduction, {})
    assert "convolution, backward, db on '1x1 filter, cut down': off by" in capsys.readouterr().out


def test_forward_only_never_reads_as_a_full_pass():
    verdict = verify(f"{HOMEWORK}/others.py:MaxPoolingForward", "max_pooling", adapter="forward-only")
    assert "gradients" in verdict.not_checked
    assert "right on what was checked; not checked: " in str(verdict)
    assert not verdict.findings["tensor"].astype(str).str.startswith("d").any()


@pytest.mark.parametrize(
    ("module", "base"),
    [
        ("parity.adapters", "BookAdapter"),
        ("parity.adapters.book", "Book"),
        ("parity.implementations", "Book"),
    ],
    ids=["now", "a name of before", "a module of before"],
)
def test_an_adapter_of_their_own(tmp_path, module, base):
    (tmp_path / "mine.py").write_text(
        f"from {module} import {base}\n"
        f"class Mine({base}):\n"
        "    def forward(self, layer, probe): return layer.f(probe.inputs['x'])\n"
        "    def backward(self, layer, probe): return layer.b(probe.inputs['dout'])\n"
        "class R:\n"
        "    def f(self, x):\n        self.m = x > 0\n        return x * self.m\n"
        "    def b(self, d): return d * self.m\n"
    )
    assert verify(f"{tmp_path}/mine.py:R", "relu", adapter=f"{tmp_path}/mine.py:Mine").ok


@pytest.mark.parametrize(
    "given",
    [None, "book", "Book", BookAdapter, BookAdapter()],
    ids=["none", "name", "Name", "class", "instance"],
)
def test_adapters_may_be_named_in_many_ways(given):
    assert type(adapter_of(given)) is BookAdapter


def test_adapters_are_short():
    import inspect

    for name, adapter in ADAPTERS.items():
        methods = [m for m in vars(type(adapter)).values() if inspect.isfunction(m)]
        assert (
            name == "book" or max((len(inspect.getsource(m).splitlines()) for m in methods), default=0) <= 11
        )


# -- features -------------------------------------------------------------------------------------
def test_what_the_signature_has_no_room_for_is_told():
    verdict = verify(f"{HOMEWORK}/right.py:Convolution", "convolution")
    per_axis = "a stride or pad of its own for each axis"
    assert verdict.not_checked == ["dilation", "groups", "a bias of None", per_axis]
    assert str(verdict).startswith(
        f"{verdict.name} as convolution: right on what was checked; not checked: dilation"
    )


def test_whoever_claims_a_feature_is_held_to_it():
    verdict = verify(f"{HOMEWORK}/right.py:Convolution", "convolution", supports=["pad", "stride", "pairs"])
    assert not verdict.ok and "only with a stride or pad of its own for each axis" in verdict.culprit.sentence


def test_supports_leaves_out_what_is_not_in_it():
    verdict = verify(f"{HOMEWORK}/wrong.py:PoolingZeroPadded", "max_pooling", supports=["stride"])
    assert verdict.ok and "pad" in verdict.not_checked


def test_a_pad_that_raises_is_a_bug_and_no_missing_feature():
    assert "pad" not in verify(f"{HOMEWORK}/wrong.py:PoolingThatRaises", "max_pooling").not_checked
