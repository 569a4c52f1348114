"""Shapes that public repositories have, right and with one bug each: every verdict is true."""

from pathlib import Path

import pytest

from parity.verification.verify import verify

WILD = Path(__file__).parent / "wild"
LOSS = "softmax_with_loss"
# file, name, kind, outcome, a part of the verdict
CASES = [
    ("blog_cnn", "Conv3x3", "convolution", "right", "weights in .filters (FN, FH, FW)"),
    ("blog_cnn", "MaxPool2", "max_pooling", "right", "images (H, W, C), one at a time"),
    ("blog_cnn", "Conv3x3Wrong", "convolution", "wrong", "backward, dW"),
    ("blog_cnn", "MaxPool2Wrong", "max_pooling", "wrong", "backward, dx"),
    ("assignment", "affine_forward,affine_backward", "affine", "right", "gradients in returned[1]"),
    ("assignment", "relu_forward,relu_backward", "relu", "right", ""),
    (
        "assignment",
        "max_pool_forward_naive,max_pool_backward_naive",
        "max_pooling",
        "right",
        "(x, pool_param)",
    ),
    ("assignment", "softmax_loss", LOSS, "right", "dx in returned[1]"),
    ("assignment", "softmax_loss_wrong", LOSS, "wrong", "[loss-gradient-not-divided]"),
    ("assignment", "batchnorm_forward,batchnorm_backward", "batch_norm", "right_but", "biased-variance"),
    ("specialization", "pool_forward,pool_backward", "max_pooling", "wrong", "'ties"),
    ("specialization", "linear_forward,linear_backward", "affine", "wrong", "rows (F, N)"),
    ("specialization", "sigmoid", "sigmoid", "right", "sigmoid_backward(dA, cache)"),
    ("specialization", "relu", "relu", "right", "relu_backward(dA, cache)"),
    ("specialization", "relu_wrong", "relu", "wrong", "backward, dx"),
    ("module_clone", "Linear", "affine", "right_but", "set to zero by zero_grad()"),
    ("module_clone", "LinearWrong", "affine", "wrong", "backward, dx"),
    ("module_clone", "Conv2d", "convolution", "right_but", "weights in .weight.data (FN, C, FH, FW)"),
    ("module_clone", "Conv2dTurned", "convolution", "wrong", "backward, dx"),
    ("module_clone", "ReLU", "relu", "right", ""),
    ("module_clone", "Dropout", "dropout", "right", "mask in ._saved"),
    ("module_clone", "BatchNorm1d", "batch_norm", "right_but", "set to zero by zero_grad()"),
    ("module_clone", "CrossEntropyLoss", LOSS, "right", ""),
    ("module_clone", "Flatten", "flatten", "right", ""),
    ("module_clone", "SGD", "sgd", "right", "the parameters come to the constructor"),
    ("module_clone", "Adam", "adam", "right", "the parameters come to the constructor"),
    ("keras_clone", "Dense", "affine", "right", "after a first forward"),
    ("keras_clone", "DenseWrong", "affine", "wrong", "[affine-dw-mean]"),
    ("keras_clone", "Conv2D", "convolution", "right", "Conv2D(filters, kernel_size, strides, padding)"),
    ("keras_clone", "MaxPooling2D", "max_pooling", "right", "MaxPooling2D(pool_size, strides)"),
    ("keras_clone", "GlobalAveragePooling2D", "global_average_pooling", "right", "images (N, H, W, C)"),
    ("documented", "FullyConnected", "affine", "right_but", "set to zero by flush_gradients()"),
    ("documented", "Sigmoid", "sigmoid", "right", "grad(x), times dout"),
    ("documented", "ReLU", "relu", "right", "grad(x), times dout"),
    ("documented", "TanhWrong", "tanh", "wrong", "backward, dx"),
    ("documented", "CrossEntropy", LOSS, "right_but", "the loss is the sum over the rows"),
    ("joel", "Linear", "affine", "right", 'weights in .params["w"] (in, out)'),
    ("joel", "LinearWrong", "affine", "wrong", "[affine-db-mean]"),
    ("joel", "tanh", "tanh", "right", "tanh_prime(x), times dout"),
    ("joel", "Tanh", "tanh", "right", ""),
    ("joel", "Sigmoid", "sigmoid", "right", ""),
    ("joel", "SigmoidWrong", "sigmoid", "wrong", "[sigmoid-derivative-of-x]"),
    ("joel", "softmax", "softmax", "right", "as softmax(z)"),
    ("joel", "Softmax", "softmax", "right", ""),
    ("joel", "SoftmaxWrong", "softmax", "wrong", "backward, dx"),
    ("contexts", "ReLU", "relu", "right_but", "at x = 0"),
    ("contexts", "Sigmoid", "sigmoid", "right", "forward(ctx, input), backward(ctx, grad_output)"),
    ("hand_made", "AvgPool", "average_pooling", "right", "AvgPool(size, stride)"),
    ("hand_made", "AvgPoolWrong", "average_pooling", "wrong", "backward, dx"),
    ("hand_made", "FullyConnectedLayer", "affine", "right", "rows (F, 1), one at a time"),
    ("hand_made", "BatchNormalization", "batch_norm", "right", "images (N, H, W, C)"),
    ("hand_made", "SoftmaxCrossEntropyLoss", LOSS, "right_but", "it overflows at inputs of 1000"),
    ("hand_made", "sgd", "sgd", "right", "lists of arrays and the learning rate"),
    ("hand_made", "Momentum", "momentum", "right", "lists of arrays"),
]


@pytest.mark.parametrize(
    ("file", "name", "kind", "outcome", "part"), CASES, ids=[f"{c[0]} {c[1].split(',')[0]}" for c in CASES]
)
def test_a_true_verdict_in_the_shape_of_others(file, name, kind, outcome, part):
    verdict = verify(f"{WILD / file}.py:{name}", kind, isolated=False)
    assert verdict.outcome == outcome and part in str(verdict), str(verdict)
    assert len(verdict.findings) >= 10
