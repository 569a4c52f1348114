"""A dense layer or convolution with an activation built in is compared with both together, gradients too."""

import numpy as np
import pytest

import scratchcnn as sc
from parity.kinds import kind_of
from parity.kinds.followed import ACTIVATIONS, in_words
from parity.kinds.numpy_reference import judged_by
from parity.kinds.probes import shared_probes
from parity.verification.verify import verify


class DenseRelu:
    def __init__(self, n_in, n_out):
        self.W, self.b = np.zeros((n_in, n_out)), np.zeros(n_out)

    def forward(self, x):
        self.x = x
        self.out = self.act(x @ self.W + self.b)
        return self.out

    def backward(self, dout):
        return self.of_scores(dout * (self.out > 0))

    def act(self, z):
        return np.maximum(z, 0)

    def of_scores(self, d):
        self.dW, self.db = self.x.T @ d, d.sum(axis=0)
        return d @ self.W.T


class DenseReluForgets(DenseRelu):
    """The gradient goes past the activation."""

    def backward(self, dout):
        return self.of_scores(dout)


class DenseReluOfX(DenseRelu):
    """The mask is of another array, which only a negative bias shows."""

    def forward(self, x):
        self.on = x @ self.W > 0
        return super().forward(x)

    def backward(self, dout):
        return self.of_scores(dout * self.on)


class DenseSoftmax(DenseRelu):
    def act(self, z):
        e = np.exp(z - z.max(axis=1, keepdims=True))
        return e / e.sum(axis=1, keepdims=True)

    def backward(self, dout):
        return self.of_scores(self.out * (dout - (dout * self.out).sum(axis=1, keepdims=True)))


class DenseSoftmaxDiagonal(DenseSoftmax):
    def backward(self, dout):
        return self.of_scores(dout * self.out * (1 - self.out))


class DenseSoftmaxBefore(DenseSoftmax):
    def backward(self, dz):
        return self.of_scores(dz)


class DenseSoftmaxBeforeTwice(DenseSoftmax):
    def backward(self, dz):
        return 2 * self.of_scores(dz)


class DenseSoftmaxOfLabels(DenseSoftmax):
    def backward(self, y_true):
        return self.of_scores(self.out - y_true)


class ConvolutionRelu(sc.Convolution):
    def forward(self, x):
        self.on = super().forward(x)
        return np.maximum(self.on, 0)

    def backward(self, dout):
        return super().backward(dout * (self.on > 0))


class ConvolutionReluForgets(ConvolutionRelu):
    def backward(self, dout):
        return sc.Convolution.backward(self, dout)


class DenseSoftmaxForgets(DenseSoftmax):
    def backward(self, dout):
        return self.of_scores(dout)


class DenseSoftmaxApart(DenseSoftmax):
    """Its cross entropy is already in the gradient that comes, as its code says."""

    activation = "softmax"

    def backward(self, dout):
        if self.activation != "softmax":
            raise NotImplementedError
        return self.of_scores(dout)


class DenseSoftmaxApartTwice(DenseSoftmaxApart):
    def of_scores(self, d):
        return 2 * super().of_scores(d)


RELU, SOFTMAX = "as a dense layer followed by ReLU", "as a dense layer followed by softmax"
CASES = [
    (DenseRelu, "right", RELU),
    (DenseReluForgets, "wrong", RELU),
    (DenseReluOfX, "wrong", RELU),
    (DenseSoftmax, "right", SOFTMAX),
    (DenseSoftmaxDiagonal, "wrong", SOFTMAX),
    (DenseSoftmaxBefore, "right_but", "its backward takes the gradient before the activation"),
    (DenseSoftmaxBeforeTwice, "wrong", "wrong: dx"),
    (DenseSoftmaxForgets, "wrong", SOFTMAX),
    (DenseSoftmaxApart, "right_but", "its backward takes the gradient before the activation"),
    (DenseSoftmaxApartTwice, "wrong", "wrong: dx"),
    (DenseSoftmaxOfLabels, "right", "not checked: images (4-D input), gradients"),
]


@pytest.mark.parametrize(("cls", "outcome", "part"), CASES, ids=[c[0].__name__ for c in CASES])
def test_both_are_compared_together(cls, outcome, part):
    verdict = verify(cls, "affine", isolated=False)
    assert verdict.outcome == outcome and part in str(verdict), str(verdict)
    if outcome == "right" and cls is not DenseSoftmaxOfLabels:
        assert {"dx", "dW", "db"} <= {row.tensor for row in verdict.records}


@pytest.mark.parametrize(("cls", "outcome"), [(ConvolutionRelu, "right"), (ConvolutionReluForgets, "wrong")])
def test_a_convolution_too(cls, outcome):
    verdict = verify(cls, "convolution", isolated=False)
    assert verdict.outcome == outcome and "as a convolution followed by ReLU" in str(verdict), str(verdict)


def test_a_softmax_that_is_set_apart_is_right_but_for_that_as_both_too():
    assert verify(DenseSoftmaxApart, "affine+softmax", isolated=False, adapter="auto").outcome == "right_but"
    assert verify(DenseSoftmaxForgets, "affine+softmax", isolated=False, adapter="auto").outcome == "wrong"


def test_it_can_be_asked_for_by_its_name():
    assert verify(DenseRelu, "affine+relu", isolated=False).outcome == "right"
    assert verify(DenseRelu, "affine+tanh", isolated=False).outcome == "wrong"
    assert in_words("affine+relu") == "a dense layer followed by ReLU" and in_words("relu") == "relu"
    with pytest.raises(ValueError, match="no kind named 'affine\\+dropout'"):
        verify(DenseRelu, "affine+dropout", isolated=False)


def test_the_judge_in_numpy_says_the_same():
    assert verify(DenseRelu, "affine", isolated=False, judge="numpy").outcome == "right"
    assert verify(DenseReluForgets, "affine", isolated=False, judge="numpy").outcome == "wrong"


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("layer", ["affine", "convolution", "affine_last_axis"])
def test_both_references_agree(layer, activation):
    kind = kind_of(f"{layer}+{activation}")
    for probe in shared_probes(kind.name):
        theirs = kind.reference(probe)
        with judged_by("numpy"):
            ours = kind.reference(probe)
        assert theirs.keys() == ours.keys()
        for name, array in theirs.items():
            np.testing.assert_allclose(ours[name], array, rtol=1e-9, atol=1e-12)


def test_no_real_size_lies_at_a_kink():
    kind = kind_of("affine+relu")
    for probe in kind.real(np.random.default_rng(0)):
        if probe.args["W"].size < 20_000:
            assert np.all(
                probe.inputs["x"].reshape(len(probe.inputs["x"]), -1) @ probe.args["W"] + probe.args["b"]
            )


BY_NAME = {
    "sigmoid": (lambda z: 1 / (1 + np.exp(-z)), lambda a: a * (1 - a)),
    "none": (lambda z: z, lambda a: 1.0),
}


class DenseNamed(DenseRelu):
    """The activation has a name, and is sigmoid by default; the weights come with build."""

    known = ("sigmoid",)

    def __init__(self, units, activation="sigmoid", weights_initializer="he"):
        if activation not in self.known or weights_initializer != "he":
            raise ValueError(f"unknown: {activation}, {weights_initializer}")
        self.units, self.pair = units, BY_NAME[activation]

    def build(self, input_size, rng):
        self.W, self.b = rng.normal(size=(input_size, self.units)), np.zeros((1, self.units))

    def act(self, z):
        return self.pair[0](z)

    def backward(self, dout):
        d = dout * self.pair[1](self.out)
        self.dW, self.db = self.x.T @ d, d.sum(axis=0, keepdims=True)
        return d @ self.W.T


class DenseNamedForgets(DenseNamed):
    def backward(self, dout):
        self.pair = (None, lambda a: 1.0)
        return super().backward(dout)


class DenseNamedNone(DenseNamed):
    known = ("sigmoid", "none")


class DenseNamedRequired(DenseNamed):
    def __init__(self, units, activation):
        super().__init__(units, activation)


SIGMOID = "as a dense layer followed by sigmoid"
NAMED = [
    (DenseNamed, "right", SIGMOID, "sigmoid"),
    (DenseNamedForgets, "wrong", SIGMOID, "sigmoid"),
    (DenseNamedNone, "right", "right on what was checked; ", "none"),
    (DenseNamedRequired, "right", SIGMOID, "sigmoid"),
]


@pytest.mark.parametrize(("cls", "outcome", "part", "given"), NAMED, ids=[c[0].__name__ for c in NAMED])
def test_the_activation_is_the_linear_one_that_it_knows_else_its_own(cls, outcome, part, given):
    verdict = verify(cls, "affine", isolated=False, adapter="auto")
    assert verdict.outcome == outcome and part in str(verdict), str(verdict)
    assert f"activation other than '{given}'" in verdict.not_checked


class Hidden(DenseRelu):
    """One sample at a time; backward starts before the tanh, and goes on through that of the layer before."""

    def __init__(self, n_in, n_out, activation_last_layer="tanh", activation="tanh", W=None, b=None):
        self.W, self.b, self.last = np.ones((n_in, n_out)), np.zeros(n_out), activation_last_layer

    def act(self, z):
        return np.tanh(z)

    def backward(self, delta):
        self.dW, self.db = np.outer(self.x, delta), delta
        return delta @ self.W.T * (1 - self.x**2) if self.last else delta


class HiddenTwice(Hidden):
    def backward(self, delta):
        dx = super().backward(delta)
        self.db = 2 * self.db
        return dx


class HiddenKeeps(Hidden):
    def __init__(self, n_in, n_out, activation_last_layer="tanh", activation="tanh", W=None, b=None):
        super().__init__(n_in, n_out, activation_last_layer)
        self.W, self.b = (self.W if W is None else W.T.copy().T), (self.b if b is None else b)


IGNORES = "its constructor ignores the W and b that it may be given"


@pytest.mark.parametrize("cls", [Hidden, HiddenTwice, HiddenKeeps])
def test_backward_may_go_on_through_the_layer_before(cls):
    verdict = verify(cls, "affine", isolated=False, adapter="auto")
    assert verdict.outcome == ("wrong" if cls is HiddenTwice else "right_but"), str(verdict)
    assert {"activation_last_layer other than None", "dx"} <= {*verdict.not_checked}
    assert cls is HiddenTwice or (IGNORES in verdict.buts) == (cls is Hidden)


class DenseSoftmaxOfALoss:
    """Of one sample; its backward takes the outputs and a label, and goes on to the cross entropy."""

    shift = 0.0

    def __init__(self, n_in, n_out):
        self.weights, self.biases = np.ones((n_in, n_out)), np.zeros(n_out)

    def forward(self, x):
        self.x = x.flatten()
        e = np.exp(self.x @ self.weights + self.biases + self.shift * self.x.sum())
        return e / np.sum(e + self.shift)

    def backprop(self, output, label, learn_rate):
        d = np.zeros(len(output))
        d[label] = -1 / output[label]
        d = output * (d - d @ output)
        dx = self.weights @ d
        self.weights -= learn_rate * np.outer(self.x, d)
        self.biases -= learn_rate * d
        return dx


class DenseSoftmaxShifted(DenseSoftmaxOfALoss):
    shift = 0.5


def test_with_a_softmax_whose_backward_takes_a_label_forward_is_judged_alone():
    verdict = verify(DenseSoftmaxOfALoss, "affine+softmax", isolated=False)
    assert verdict.outcome == "right_but" and "gradients" in verdict.not_checked, str(verdict)
    assert verify(DenseSoftmaxShifted, "affine+softmax", isolated=False).outcome == "wrong"
