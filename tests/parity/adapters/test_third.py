"""What a style does not have is listed, what its names mean is found, and what is wrong stays wrong."""

from pathlib import Path

import pytest

from parity.verification.verify import verify

THIRD = Path(__file__).parent / "wild" / "third.py"
# name, kind, outcome, a part of the verdict
CASES = [
    ("DropoutAlways", "dropout", "right", "not checked: inference"),
    ("BatchNorm2D", "batch_norm", "right", "rows (2-D input), gradients"),
    ("BatchNorm2DBiased", "batch_norm", "right_but", "[batch-norm-running-biased-variance]"),
    ("Tanh", "tanh", "right", "backward(x), times dout"),
    ("TanhWrong", "tanh", "wrong", "backward, dx"),
    ("TanhOfGradient", "tanh", "right", "the same function as PyTorch's"),
    ("FullyConected", "affine", "right", "backward(dl, batch_size)"),
    ("LossWithProbabilities", "softmax_with_loss", "right_but", "forward(logits, labels) -> returned[0]"),
    ("im2col_indices", "im2col", "right", "columns (C*FH*FW, OH*OW*N)"),
    ("Conv2D", "convolution", "right", "a pad of two numbers"),
    ("DenseWithReLU", "affine", "right", "right on what was checked as a dense layer followed by ReLU"),
    ("DenseThatClips", "affine", "wrong", "forward, out"),
    ("NotInverted", "dropout", "right_but", "scales in inference instead of in training"),
    ("NeverScaled", "dropout", "wrong", "wrong: out, dx"),
    ("FCLayer", "affine", "right", "FCLayer(layer_info)"),
    ("FCLayerMean", "affine", "wrong", "wrong: dW"),
    ("Conv2DSliced", "convolution", "wrong", "[pad:-pad] is empty for a pad of 0"),
]


@pytest.mark.parametrize(("name", "kind", "outcome", "part"), CASES, ids=[c[0] for c in CASES])
def test_the_style_and_the_verdict(name, kind, outcome, part):
    verdict = verify(f"{THIRD}:{name}", kind, isolated=False)
    assert verdict.outcome == outcome and part in str(verdict), str(verdict)
