"""A loss of each sample in columns, log-probabilities, and what a backward of classes is given."""

import numpy as np
import pytest

from parity.kinds.names import kind_by_words
from parity.verification.listing import listed
from parity.verification.verify import verify

SOFTMAX = "softmax_with_loss"


class OfColumns:
    def loss(self, y, AL):
        return -np.sum(y * np.log(AL), axis=0, keepdims=True)

    def gradient(self, y, AL):
        return -y / AL


class OfScoresInColumns:
    def __call__(self, y, Z):
        return -np.sum(y * (Z - np.log(np.sum(np.exp(Z), axis=0))), axis=0)

    def gradient(self, y, Z):
        return np.exp(Z) / np.sum(np.exp(Z), axis=0) - y


class OfTheOtherSign(OfColumns):
    def gradient(self, y, AL):
        return y / AL


class NLLLoss:
    def forward(self, y, log_probs):
        self.y = y
        return -np.mean(np.sum(y * log_probs, axis=1))

    def backward(self):
        return -self.y / len(self.y)


class NLLOfNumbers(NLLLoss):
    def forward(self, log_probs, labels):
        self.y = np.eye(log_probs.shape[1], dtype=log_probs.dtype)[labels]
        return -log_probs[np.arange(len(labels)), labels].mean()


class NLLNotDivided(NLLLoss):
    def backward(self):
        return -self.y


class NLLOfTheOtherSign(NLLLoss):
    def forward(self, y, log_probs):
        return -super().forward(y, log_probs)


def nll_loss(probs, labels):
    return -np.log(probs[np.arange(len(labels)), labels]).mean()


def nll_loss_grad(probs, labels):
    dx = np.zeros_like(probs)
    dx[np.arange(len(labels)), labels] = -1 / probs[np.arange(len(labels)), labels]
    return dx / len(labels)


def crossentropy_forward(a, acap):
    return -np.log(acap[a])


def crossentropy_backward(a, acap, gb):
    dx = np.zeros_like(acap)
    dx[a] = -gb / acap[a]
    return dx


def ask(factory, kind=SOFTMAX):
    return verify(factory, kind, isolated=False)


@pytest.mark.parametrize(
    ("factory", "says"),
    [
        (OfColumns, "rows (F, N); takes probabilities, with their gradient per row"),
        (OfScoresInColumns, "rows (F, N)"),
        (NLLLoss, "takes log-probabilities, with their gradient"),
        (NLLOfNumbers, "takes log-probabilities"),
        ((nll_loss, nll_loss_grad), "takes probabilities, with their gradient"),
        ((crossentropy_forward, crossentropy_backward), "crossentropy_backward(a, acap, gb)"),
    ],
)
def test_right(factory, says):
    verdict = ask(factory)
    assert verdict.outcome in ("right", "right_but") and says in verdict.called, str(verdict)


@pytest.mark.parametrize("factory", [OfTheOtherSign, NLLNotDivided, NLLOfTheOtherSign])
def test_wrong(factory):
    assert ask(factory).outcome == "wrong"


class WithoutSelf:
    def forward(activations, label):
        return -np.sum(label * np.log(activations))

    def backward(activations, label):
        return activations - label


def test_methods_without_self():
    verdict = ask(WithoutSelf)
    assert verdict.outcome == "right" and "with the gradient of the scores" in verdict.called, str(verdict)


def softmax(b):
    return np.exp(b - b.max()) / np.exp(b - b.max()).sum()


def softmax_backward(dist, dL_ddist):
    return dist * (dL_ddist - np.dot(dL_ddist, dist))


def softmax_grad(s, ds):
    return np.dot(np.diag(s) - np.outer(s, s), ds)


def dsoftmax(dy, y):
    return y * (dy - np.dot(dy, y))


def softmax_derivative(x):
    s = x.reshape(-1, 1)
    return np.diagflat(s) - np.dot(s, s.T)


@pytest.mark.parametrize("backward", [softmax_backward, softmax_grad, dsoftmax, softmax_derivative])
def test_a_softmax_s_output_is_told_by_its_gradient(backward):
    verdict = ask((softmax, backward), "softmax")
    assert verdict.outcome == "right" and "gradients" not in verdict.not_checked, str(verdict)


def softmax_derivative_of_the_diagonal(x):
    return np.diagflat(x * (1 - x))


def test_a_softmax_s_derivative_in_terms_of_its_output_may_be_wrong():
    assert ask((softmax, softmax_derivative_of_the_diagonal), "softmax").outcome == "wrong"


FILE = """
import numpy as np
class MultiClassCrossEntropy:
    def loss(self, y, p): return -np.sum(y * np.log(p), axis=0)
    def gradient(self, y, p): return -y / p
class EuclideanLoss:
    def __init__(self, name): self.name = name
    def forward(self, input, target): return ((input - target) ** 2).sum() / (2 * len(input))
def nll(log_probs, labels): return -log_probs[range(len(labels)), labels].mean()
def negative_log_likelihood(params, data): return -np.sum(params[0] * data)
def cross_entropy_loss(p, t): return -np.sum(t * np.log(p), axis=1)
def dz_cross_entropy_loss(p, t): return p - t
class MSELoss:
    def forward(self, logits, t):
        p = self.softmax(logits)
        return np.mean((p - t) ** 2)
    def softmax(self, x): return np.exp(x) / np.exp(x).sum(axis=1, keepdims=True)
"""


def test_names(tmp_path):
    file = tmp_path / "losses.py"
    file.write_text(FILE)
    assert {one.name: one.kind for one in listed(file) if one.kind} == {
        "MultiClassCrossEntropy": SOFTMAX,
        "EuclideanLoss": "mean_squared_error",
        "nll": SOFTMAX,
        "cross_entropy_loss": SOFTMAX,
        "MSELoss.softmax": "softmax",
    }
    assert kind_by_words("NegativeLogLikelihood") == kind_by_words("NLLLoss") == SOFTMAX


def mse(y_hat, y_pred):
    return np.mean((y_pred - y_hat) ** 2)


def mse_prime(y_hat, y_pred):
    return 2 * (y_pred - y_hat) / y_hat.size


def test_of_two_outputs_the_predicted_one_is_it():
    verdict = ask((mse, mse_prime), "mean_squared_error")
    assert verdict.outcome == "right", str(verdict)


class OneNumberInAnArray:
    """The mean, and a gradient that is not divided: no loss of each row."""

    def forward(self, p, t):
        self.p, self.t = p, t
        return np.array([-np.mean(np.sum(t * np.log(p), axis=1))], p.dtype)

    def backward(self):
        return -self.t / self.p


class OfEachRow:
    def forward(self, z, t):
        e = np.exp(z - z.max(axis=1, keepdims=True))
        self.p, self.t = e / e.sum(axis=1, keepdims=True), t
        return -np.sum(t * np.log(self.p), axis=1)

    def backward(self):
        return self.p - self.t


class OfEachRowDivided(OfEachRow):
    def backward(self):
        return super().backward() / len(self.t)


def test_a_loss_of_each_row_has_the_gradient_of_each_or_of_their_mean():
    verdict = ask(OfEachRow)
    assert verdict.outcome in ("right", "right_but"), str(verdict)
    assert "the loss is that of each row, with its own gradient" in verdict.called
    assert ask(OfEachRowDivided).outcome in ("right", "right_but")
    assert ask(OneNumberInAnArray).outcome == "wrong"
