"""Habits of small frameworks are found and named, and a reading that is not certain is no verdict."""

from pathlib import Path

import pytest

from parity.verification.verify import verify

HABITS = Path(__file__).parent / "wild" / "habits.py"
# name, kind, outcome, a part of the verdict
CASES = [
    ("Linear", "affine", "right", "fit(lr, decay); gradients read from the change"),
    ("LinearWrong", "affine", "wrong", "backward, db"),
    ("Augmented", "affine", "right", "rows (F), one at a time"),
    ("Adaptive", "affine", "right", "images (4-D input), dW, db"),
    ("Dense", "affine", "right", "gradients in .W.grad, .b.grad"),
    ("Tanh", "tanh", "right", "forward_propagate(Z, save_cache)"),
    ("TanhWrong", "tanh", "wrong", "backward, dx"),
    ("Softmax", "softmax", "right", "gradients"),
    ("SoftmaxEmpty", "softmax", "right", "gradients"),
    ("SoftmaxOfLabels", "softmax", "right", "gradients"),
    ("SoftmaxOfOne", "softmax", "right", "rows (F), one at a time"),
    ("SoftmaxForgets", "softmax", "wrong", "backward returned None"),
    ("Dropout", "dropout", "right", "as Dropout(p); forward(z, training)"),
    ("Flatten", "flatten", "right", "Flatten(in_shape, out_shape)"),
    ("Convolutional", "convolution", "right", ".biases (FN, FH, FW)"),
    ("ConvolutionalTurned", "convolution", "wrong", "forward, out"),
    ("correlate", "convolution", "right", "a stride or pad of its own for each axis"),
    ("correlate_padded_late", "convolution", "wrong", "forward, out"),
    ("Strided", "convolution", "right", "strides other than 2"),
    ("StridedFirst", "convolution", "wrong", "strides other than 2"),
    ("PoolSame", "max_pooling", "right", "padding other than 'same'"),
    ("PoolSameAtTop", "max_pooling", "wrong", "padding other than 'same'"),
    ("PoolSameOneSize", "max_pooling", "right", "padding other than 'same'"),
    ("PoolSameOneSizeAtTop", "max_pooling", "wrong", "padding other than 'same'"),
    ("MeanSame", "average_pooling", "right", "padding other than 'same'"),
    ("MeanSameOneSize", "average_pooling", "right", "padding other than 'same'"),
    ("MeanSameCounted", "average_pooling", "wrong", "padding other than 'same'"),
    ("ConvolutionalOfTheSame", "convolution", "not_checked", "it cannot be called"),
]


@pytest.mark.parametrize(("name", "kind", "outcome", "part"), CASES, ids=[c[0] for c in CASES])
def test_the_habit_and_the_verdict(name, kind, outcome, part):
    verdict = verify(f"{HABITS}:{name}", kind, isolated=False)
    assert verdict.outcome == outcome and part in str(verdict), str(verdict)
