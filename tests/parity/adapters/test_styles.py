"""Layers and optimizers in the styles of public repositories: a true verdict from the file alone."""

from pathlib import Path

import pytest

from parity.verification.verify import verify

WILD = Path(__file__).parent / "wild"
# file, name, kind, how it was called (a part of it), what it does not take
RIGHT = [
    ("nnfs_like", "LayerDense", "affine", "gradients in .dweights, .dbiases", "images"),
    ("nnfs_like", "ActivationReLU", "relu", "forward(inputs) -> .output, backward(dvalues) -> .dinputs", ""),
    ("nnfs_like", "ActivationSigmoid", "sigmoid", "-> .dinputs", ""),
    ("nnfs_like", "ActivationSoftmax", "softmax", "-> .dinputs", ""),
    ("nnfs_like", "LayerDropout", "dropout", "forward(inputs, training) -> .output", "gradients after"),
    (
        "torch_like",
        "Conv2d",
        "convolution",
        'gradients in .grads["weight"], .grads["bias"]',
        "dilation groups",
    ),
    ("torch_like", "Linear", "affine", "weights in .weight (out, in), .bias", "images"),
    ("torch_like", "MaxPool2d", "max_pooling", "", "ceil axis square"),
    ("torch_like", "BatchNorm2d", "batch_norm", "BatchNorm2d(num_features, momentum)", "rows"),
    (
        "channels_last",
        "ConvLayer",
        "convolution",
        "(FH, FW, C, FN), .bias (1, 1, 1, FN); images (N, H, W, C)",
        "",
    ),
    (
        "channels_last",
        "conv_forward",
        "convolution",
        "given W (FH, FW, C, FN), b (1, 1, 1, FN)",
        "dil gr bias",
    ),
    ("channels_last", "MaxPooling2D", "max_pooling", "images (N, H, W, C)", "ceil pad axis"),
    (
        "one_image",
        "Conv3x3",
        "convolution",
        "weights in .filters (FN, FH, FW)",
        "windows other than 3x3 bias dx",
    ),
    ("one_image", "MaxPool2", "max_pooling", "images (H, W, C), one at a time", "strides other than 2"),
    ("one_image", "Convolutional", "convolution", "gradients read from the change", "stride pad"),
    ("one_image", "conv_square", "convolution", "images (C, H, W), one at a time", "windows images"),
    ("one_image", "Dense", "affine", "rows (F, 1), one at a time", "images"),
    ("one_image", "Tanh", "tanh", "backward(output_gradient, learning_rate)", ""),
    ("lazy", "Conv2D", "convolution", 'weights in .parameters["W"] (FH, FW, C, FN)', ""),
    ("lazy", "Dense", "affine", "then set_input_shape(shape); then initialize(optimizer)", "images"),
    ("lazy", "Sigmoid", "sigmoid", "gradient(x), times dout", ""),
    ("functions", "sigmoid", "sigmoid", "sigmoid_prime(x), times dout", ""),
    ("functions", "relu", "relu", "relu(x, derivative), times dout", ""),
    ("functions", "tanh", "tanh", "tanh_backward(dA, z)", ""),
    ("functions", "linear_forward", "affine", "rows (F, N)", "images"),
    ("functions", "softmax_cross_entropy", "softmax_with_loss", "-> returned[0]", "one-hot"),
    ("engine", "Linear", "affine", "in Tensor; __call__(x) -> returned.data, backward() -> x.grad", "images"),
    ("engine", "ReLU", "relu", "in Tensor", ""),
    ("others", "FullyConnected", "affine", "gradients in .grads[0], .grads[1]", "images"),
    ("others", "DenseWithBiasRow", "affine", "weights in .W (in, out); ", "images"),
    ("others", "CrossEntropy", "softmax_with_loss", "loss(y_true, y_pred)", "numbers"),
    ("others", "Flatten", "flatten", "", ""),
    ("others", "Pool2D", "max_pooling", "Pool2D(size, mode)", "divide strides other than the window"),
    ("others", "Pool2D", "average_pooling", "Pool2D(size, mode)", "divide"),
    ("others", "SquareOnly", "convolution", "SquareOnly(in_ch, out_ch, k)", "images that are not square"),
    (
        "course_like",
        "Linear",
        "affine",
        "Linear(in_feature, out_feature, weight_init_fn, bias_init_fn)",
        "images",
    ),
    ("course_like", "Conv2d", "convolution", "weights in .W (FN, C, FH, FW), .b (FN,)", "pad square"),
    (
        "course_like",
        "convolution",
        "convolution",
        "convolution_backward(dconv_prev, conv_in, filt, s)",
        "square",
    ),
    (
        "course_like",
        "maxpool",
        "max_pooling",
        "maxpool_backward(dpool, orig, f, s)",
        "ceil_mode pad square",
    ),
    ("course_like", "Affine", "affine", "forward(x, w, b), backward(dout) -> returned[0]", "images"),
    ("course_like", "BatchNormalization", "batch_norm", "then set_input_shape(shape)", "images"),
    ("rules", "StochasticGradientDescent", "sgd", "update with one array and its gradient", ""),
    ("rules", "Adam", "adam", "update with one array and its gradient", ""),
    ("rules", "OptimizerSGD", "sgd", "update_params with a layer", ""),
    ("rules", "SGD", "sgd", "step with nothing: the parameters come to the constructor", ""),
    ("rules", "SGDOfDicts", "sgd", "step with dicts of arrays", ""),
    ("rules", "sgd", "sgd", "sgd with an array, its gradient and a dict of options", ""),
    (
        "losses",
        "SoftmaxCrossEntropy",
        "softmax_with_loss",
        "backward(dvalues, y_true) -> .dinputs",
        "one-hot",
    ),
    ("losses", "Softmax", "softmax", "rows (F, 1), one at a time", ""),
    ("losses", "sigmoid", "sigmoid", "sigmoid_derivative(a), times dout", ""),
    ("losses", "BatchNorm2d", "batch_norm", "weights in .gamma", "rows inference gradients"),
    ("functional", "dense", "affine", "dense(params, x)", "gradients"),
    ("functional", "dense_of_dict", "affine", "dense_of_dict(params, inputs)", "gradients"),
    (
        "functional",
        "filter2d",
        "convolution",
        "images (H, W), one at a time",
        "several channels several filters",
    ),
    ("functional", "conv2d", "convolution", 'gradients in returned["dw"], returned["db"]', "dilation groups"),
    ("functional", "batchnorm_forward", "batch_norm", "batchnorm_backward(dout, cache)", "images"),
    ("engine_flags", "Linear", "affine", "gradients in .weight.grad.data, .bias.grad.data", "images"),
    ("engine_functions", "Tanh", "tanh", "in Tensor; forward(input)", ""),
    ("engine_functions", "tanh", "tanh", "as tanh(tensor) -> returned.data", ""),
]
# file, name, kind, the first thing that is wrong
WRONG = [
    ("engine_functions", "sigmoid", "sigmoid", "backward dx"),
    ("nnfs_like", "LayerDenseWrong", "affine", "backward dW"),
    ("nnfs_like", "ActivationReLUWrong", "relu", "backward dx"),
    ("torch_like", "Conv2dWrong", "convolution", "forward out"),
    ("torch_like", "LinearWrong", "affine", "backward db"),
    ("channels_last", "ConvLayerWrong", "convolution", "backward db"),
    ("channels_last", "wrong_conv_forward", "convolution", "backward db"),
    ("one_image", "Conv3x3Wrong", "convolution", "backward dW"),
    ("one_image", "conv_square_wrong", "convolution", "forward out"),
    ("one_image", "DenseWrong", "affine", "backward dx"),
    ("lazy", "TanH", "tanh", "backward dx"),
    ("functions", "wrong_tanh", "tanh", "backward dx"),
    ("functions", "mean_linear_forward", "affine", "backward dW"),
    ("engine", "LinearWrong", "affine", "forward out"),
    ("rules", "AdamWrong", "adam", "forward W step 1"),
    ("functional", "wrong_dense", "affine", "forward out"),
]


@pytest.mark.parametrize(
    ("file", "name", "kind", "called", "lacks"), RIGHT, ids=[f"{r[0]} {r[1]} {r[2]}" for r in RIGHT]
)
def test_right_in_the_style_of_others(file, name, kind, called, lacks):
    verdict = verify(f"{WILD / file}.py:{name}", kind)
    assert verdict.outcome in ("right", "right_but"), str(verdict)
    assert called in str(verdict) and len(verdict.findings) >= 10
    words = " ".join(verdict.not_checked)
    assert all(word in words for word in lacks.split()), verdict.not_checked


@pytest.mark.parametrize(
    ("file", "name", "kind", "culprit"), WRONG, ids=[f"{w[0]} {w[1]} {w[2]}" for w in WRONG]
)
def test_wrong_in_the_style_of_others(file, name, kind, culprit):
    verdict = verify(f"{WILD / file}.py:{name}", kind)
    assert verdict.outcome == "wrong", str(verdict)
    assert f"{verdict.culprit.phase} {verdict.culprit.tensor}" == culprit, str(verdict)


def test_a_loss_of_probabilities_is_not_judged_as_one_of_scores():
    verdict = verify(f"{WILD / 'losses'}.py:CrossEntropyOfProbabilities", "softmax_with_loss")
    assert verdict.outcome == "right" and "takes probabilities, without gradient" in verdict.called


KEPT = [
    ("one_image", "Conv3x3", "convolution"),
    ("rules", "OptimizerSGD", "sgd"),
    ("engine", "Linear", "affine"),
]


@pytest.mark.parametrize(("file", "name", "kind"), KEPT, ids=[k[1] for k in KEPT])
def test_how_it_was_called_can_be_kept_as_an_adapter(parity, tmp_path, file, name, kind):
    target = f"{WILD / file}.py:{name}"
    printed = parity("verify", target, "--as", kind, "--called")
    assert printed.status == 0 and printed.out.startswith("from parity.adapters import Called")
    (tmp_path / "mine.py").write_text(printed.out)
    verdict, found = verify(target, kind, adapter=f"{tmp_path}/mine.py:Mine"), verify(target, kind)
    assert verdict.outcome == "right" and verdict.called == found.called != ""
    assert list(verdict.not_checked) == list(found.not_checked)


@pytest.mark.parametrize(("file", "name", "kind"), [("nnfs_like", "LayerDense", "affine")])
def test_the_finding_is_shown_again_by_its_reproduction(capsys, file, name, kind):
    verdict = verify(f"{WILD / file}.py:{name}Wrong", kind)
    exec(verdict.reproduction, {})
    assert "affine, backward, dW on '3 to 2, cut down': off by" in capsys.readouterr().out
