"""The defects of well-known teaching code: each found, placed and named."""

from pathlib import Path

import numpy as np
import pytest

from parity.faults import FAULTS
from parity.verification.verify import assert_parity, verify

WRONG = Path(__file__).parents[1] / "homework" / "wrong.py"
# what people know it as: (class, kind, phase, tensor, its name in the catalogue, seen only with)
DEFECTS = {
    "pooling with pad raises": (
        "PoolingThatRaises",
        "max_pooling",
        "forward",
        "out",
        "max-pool-raises-with-pad",
        "only with pad",
    ),
    "in-place Relu": (
        "ReluInPlace",
        "relu",
        "arguments unchanged",
        "dout unchanged",
        "relu-dx-is-dout",
        "arguments unchanged",
    ),
    "float64 im2col": ("im2col_float64", "im2col", "forward", "col", "im2col-float64", "only in float32"),
    "clamped loss": (
        "ClampedLoss",
        "softmax_with_loss",
        "forward",
        "loss",
        "loss-clamped-logarithm",
        "right: dx",
    ),
    "non-inverted dropout": (
        "DropoutNotInverted",
        "dropout",
        "forward",
        "out",
        "dropout-not-inverted",
        "wrong: out",
    ),
    "Adam's epsilon": ("AdamBook", "adam", "forward", "W step 1", "adam-book-epsilon", "wrong: W step 1"),
    "integer numerical gradient": (
        "gradient_of_integers",
        "numerical_gradient",
        "forward",
        "grad",
        "numerical-gradient-integers",
        "only with arrays of whole numbers",
    ),
    "max pooling padded by zero": (
        "PoolingZeroPadded",
        "max_pooling",
        "forward",
        "out",
        "max-pool-zero-padding",
        "wrong: out",
    ),
    "average pooling with swapped axes": (
        "AverageSwapped",
        "average_pooling",
        "forward",
        "out",
        "average-pool-window-axes-swapped",
        "wrong: out",
    ),
    "convolution that returns no dx": (
        "ConvolutionWithoutDx",
        "convolution",
        "backward",
        "dx",
        "conv-no-dx",
        "right: out, dW, db",
    ),
}


@pytest.mark.parametrize(("name", "kind", "phase", "tensor", "fault", "seen"), DEFECTS.values(), ids=DEFECTS)
def test_found_placed_and_named(name, kind, phase, tensor, fault, seen):
    verdict = verify(
        f"{WRONG.with_stem('wrong_rules') if kind == 'adam' else WRONG}:{name}", kind, strict=True
    )
    assert not verdict.ok
    assert (verdict.culprit.phase, verdict.culprit.tensor) == (phase, tensor)
    assert seen in verdict.culprit.sentence
    assert (
        verdict.diagnosis.fault == fault
        and FAULTS[fault].says in str(verdict)
        and f"[{fault}]" in str(verdict)
    )


def test_the_report_shows_both_values_on_a_small_input():
    verdict = verify(f"{WRONG}:ReluLeaky", "relu")
    text = str(verdict)
    assert "first wrong  forward, out, on the input '2x3' (float64)" in text
    assert verdict.first.ours.min() == pytest.approx(-0.01) and verdict.first.theirs.min() == 0
    assert np.array2string(verdict.first.theirs[0])[1:-1] in text and "-0.01" in text
    assert "reproduce\n    import numpy as np" in text


def test_the_smallest_failing_input_is_shown():
    verdict = verify(f"{WRONG}:ConvolutionMeanBias", "convolution")
    assert set(verdict.wrong["case"]) > {"1x1 filter"}
    assert verdict.first.record.case == "one image, one channel"


def test_the_input_is_cut_down_as_far_as_it_still_fails():
    verdict = verify(f"{WRONG}:PoolingZeroPadded", "max_pooling")
    assert "input        cut down to x (1, 1, 4, 5), dout (1, 1, 2, 3), pool_h 3" in str(verdict)
    mean_over_images = verify(f"{WRONG}:AffineMean", "affine")  # right on one image
    assert mean_over_images.first.inputs.startswith("cut down to x (2, 3)")


def test_an_input_kept_without_a_copy_is_a_remark():
    """PyTorch keeps its inputs too, and so does every book."""

    class Affine:
        def __init__(self, W, b):
            self.W, self.b = W, b

        def forward(self, x):
            self.x = x
            return x @ self.W + self.b

        def backward(self, dout):
            self.dW, self.db = self.x.T @ dout, dout.sum(axis=0)
            return dout @ self.W.T

    verdict = verify(Affine, "affine")
    assert verdict.ok and verdict.findings["ok"].all()
    assert verdict.remarks == ["keeps x or dout without a copy, as PyTorch does; overwriting it changes dW"]
    assert f"remark       {verdict.remarks[0]}" in str(verdict)


def test_the_findings_are_a_frame_of_every_result():
    verdict = verify(f"{WRONG}:ConvolutionMeanBias", "convolution")
    table = verdict.findings
    assert set(table.loc[~table["ok"], "tensor"]) == {"db"} and table["ok"].sum() > 100
    assert list(verdict.wrong.columns) == list(table.columns)


def test_assert_parity_raises_the_whole_report():
    with pytest.raises(AssertionError, match=r"WRONG\nchecked .*\n(.*\n)*diagnosis .*relu-leaky"):
        assert_parity(f"{WRONG}:ReluLeaky", "relu")


def test_assert_parity_may_insist_on_everything():
    right = WRONG.with_name("right.py")
    assert assert_parity(f"{right}:Convolution", "convolution").not_checked
    with pytest.raises(AssertionError, match="right on what was checked; not checked: dilation, groups"):
        assert_parity(f"{right}:Convolution", "convolution", complete=True)


def test_a_live_class_of_a_test_is_checked_as_it_is():
    class Doubled:
        def forward(self, x):
            return 2 * x

        def backward(self, dout):
            return 2 * dout

    verdict = verify(Doubled, "relu")
    assert not verdict.ok and verdict.name.endswith("Doubled")
    assert "layer = Doubled()" in verdict.reproduction


def test_in_this_process_too():
    verdict = verify(f"{WRONG}:ReluLeaky", "relu", isolated=False)
    assert verdict.diagnosis.fault == "relu-leaky"


@pytest.mark.parametrize(
    ("kind", "options", "message"),
    [
        ("convolutoin", {}, r"no kind named 'convolutoin'; did you mean convolution\? There are im2col"),
        ("relu", {"adapter": "cs321n"}, "no adapter named 'cs321n'; there are book, cs231n"),
        (
            "convolution",
            {"supports": ["gruops"]},
            "convolution has no feature gruops; there are: dilation, groups",
        ),
        ("relu", {"allow": ["relu-laeky"]}, "no known difference named relu-laeky for relu; there are: "),
    ],
    ids=["kind", "adapter", "feature", "difference"],
)
def test_misuse_is_said_in_a_sentence(kind, options, message):
    with pytest.raises(ValueError, match=message):
        verify(f"{WRONG.with_name('right.py')}:Relu", kind, **options)


def test_only_a_network_takes_a_twin():
    with pytest.raises(TypeError, match="relu takes no twin; only a network does"):
        verify(f"{WRONG}:ReluLeaky", "relu", twin="x.py:Twin")


SHARED = """
class Relu:
    kept = {}

    def forward(self, x):
        self.kept["mask"] = x > 0
        return x * self.kept["mask"]

    def backward(self, dout):
        return dout * self.kept["mask"]
"""


def test_what_is_replayed_is_the_input_that_was_cut_down(tmp_path, capsys):
    (tmp_path / "mine.py").write_text(SHARED)
    verdict = verify(f"{tmp_path}/mine.py:Relu", "relu")
    assert verdict.first.inputs.startswith("cut down to") and "cut=1)" in verdict.reproduction
    exec(verdict.reproduction, {})
    row = verdict.first.record
    assert f"dx on 'images, cut down': off by {row.max_abs:.3g}\n" in capsys.readouterr().out
    assert row.max_abs == round(row.max_abs)  # of whole numbers, as the others are not
