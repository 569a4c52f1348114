"""Columns in other orders, losses that hand on what they know, methods that a constructor picks: how each is
called is found, and the wrong one beside it stays wrong."""

from pathlib import Path

import pytest

from parity.adapters.description import about
from parity.adapters.load import load
from parity.verification.listed_names import Listed
from parity.verification.listing import listed
from parity.verification.verify import verify

FOURTH = Path(__file__).parent / "wild" / "fourth.py"
# name, kind, outcome, a part of the verdict
CASES = [
    ("im2col", "im2col", "right", "columns (N, C*FH*FW, OH*OW)"),
    ("im2col_turned", "im2col", "wrong", "forward, col"),
    ("col2im", "col2im", "right", "strides other than 1"),
    ("col2im_overwrites", "col2im", "wrong", "forward, img"),
    ("im2col_last", "im2col", "right", "images (N, H, W, C); columns (N*OH*OW, FH*FW*C)"),
    ("im2col_last_turned", "im2col", "wrong", "forward, col"),
    ("col2im_last", "col2im", "right", "images (N, H, W, C)"),
    ("col2im_last_short", "col2im", "wrong", "forward, img"),
    ("Flatten", "flatten", "right", "rows (N, F), out (F, N)"),
    ("FlattenNotTurned", "flatten", "wrong", "backward, dx"),
    ("CrossEntropyLoss", "softmax_with_loss", "right", "backward() -> .model.grad"),
    ("CrossEntropyLossOfSum", "softmax_with_loss", "wrong", "backward, dx"),
    ("cross_entropy_with_probs", "softmax_with_loss", "right", "gradients"),
    ("cross_entropy_of_sum_with_probs", "softmax_with_loss", "wrong", "forward, loss"),
    ("cross_entropy_with_gradient", "softmax_with_loss", "wrong", "backward, dx"),
    ("cross_entropy_of_column", "softmax_with_loss", "right", "rows (F, 1), one at a time"),
    ("cross_entropy_of_column_log2", "softmax_with_loss", "wrong", "forward, loss"),
    ("batchnorm_forward,batchnorm_backward", "batch_norm", "right", "given running_mean (1, FN, 1, 1)"),
    ("batchnorm_mean_forward,batchnorm_mean_backward", "batch_norm", "wrong", "wrong: dbeta"),
    ("bn", "batch_norm", "right", "as bn(x, g, b)"),
    ("bn_unscaled", "batch_norm", "wrong", "forward, out"),
    ("BatchNorm2d", "batch_norm", "right", "forward(Z, eval)"),
    ("BatchNorm2dBiased", "batch_norm", "right_but", "[batch-norm-running-biased-variance]"),
    ("BatchNormWithoutWeights", "batch_norm", "not_checked", "no array of the shape of gamma, beta"),
    ("Dense", "affine", "right", "backward(output_gradient, learning_rate, adam_flag)"),
    ("DenseMean", "affine", "wrong", "wrong: dW"),
    ("Sigmoid", "sigmoid", "right", "backward(inputs, prev_dev)"),
    ("SigmoidOfHalf", "sigmoid", "wrong", "backward, dx"),
    ("avg_pool,avg_pool_backward", "average_pooling", "right", "strides other than the window"),
    ("avg_pool_sum,avg_pool_sum_backward", "average_pooling", "wrong", "backward, dx"),
]


@pytest.mark.parametrize(("name", "kind", "outcome", "part"), CASES, ids=[c[0] for c in CASES])
def test_the_style_and_the_verdict(name, kind, outcome, part):
    verdict = verify(f"{FOURTH}:{name}", kind, isolated=False)
    assert verdict.outcome == outcome and part in str(verdict), str(verdict)


def test_a_forward_whose_backward_is_still_to_be_written_is_alone():
    assert Listed("conv2d_forward", "convolution") in listed(FOURTH)
    functions = about(load(f"{FOURTH}:conv2d_forward"))["functions"]
    assert "conv2d_forward" in functions and "conv2d_backward" not in functions


def test_a_class_whose_constructor_picks_its_forward_is_a_layer(tmp_path):
    source = (
        "class FastConvolutional:\n"
        "    def __init__(self, W, b):\n"
        "        self.forward = self.forward_raw\n"
        "    def forward_raw(self, x): return x\n"
    )
    (tmp_path / "fast.py").write_text(source)
    assert listed(tmp_path / "fast.py") == [Listed("FastConvolutional", "convolution")]
