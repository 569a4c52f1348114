"""Weights that an optimizer changes between two calls: what goes on with the old ones is named, however it
keeps its weights, and what looks at them at each call is right."""

import numpy as np
import pytest

import scratchcnn as sc
from parity.checks.changed_weights import CHANGED
from parity.checks.layer import check_kind
from parity.verification.verify import verify


class Dense:
    """From sizes, weights in attributes."""

    def __init__(self, in_features, out_features):
        self.weight = np.ones((out_features, in_features))
        self.bias = np.zeros(out_features)

    def forward(self, x):
        self.x = x
        return x @ self.weight.T + self.bias

    def backward(self, dout):
        self.dweight, self.dbias = dout.T @ self.x, dout.sum(axis=0)
        return dout @ self.weight


class CachesInForward(Dense):
    kept = None

    def forward(self, x):
        self.kept = self.weight.T.copy() if self.kept is None else self.kept
        self.x = x
        return x @ self.kept + self.bias


class CachesInBackward(Dense):
    kept = None

    def backward(self, dout):
        self.kept = self.weight.copy() if self.kept is None else self.kept
        super().backward(dout)
        return dout @ self.kept


class InDict:
    def __init__(self, n_in, n_out):
        self.params = {"W": np.ones((n_in, n_out)), "b": np.zeros(n_out)}
        self.grads = {}

    def forward(self, x):
        self.x = x
        return x @ self.params["W"] + self.params["b"]

    def backward(self, dout):
        self.grads["W"], self.grads["b"] = self.x.T @ dout, dout.sum(axis=0)
        return dout @ self.params["W"].T


class InDictTurnedOnce(InDict):
    turned = None

    def backward(self, dout):
        self.turned = self.params["W"].T.copy() if self.turned is None else self.turned
        super().backward(dout)
        return dout @ self.turned


class UpdatesItself:
    def __init__(self, input_size, output_size):
        self.weights = np.ones((input_size, output_size))
        self.bias = np.zeros((1, output_size))

    def forward(self, x):
        self.x = x
        return x @ self.weights + self.bias

    def backward(self, dout, learning_rate):
        dx = dout @ self.weights.T
        self.weights = self.weights - learning_rate * self.x.T @ dout
        self.bias = self.bias - learning_rate * dout.sum(axis=0, keepdims=True)
        return dx


class UpdatesAnotherArray(UpdatesItself):
    used = None

    def forward(self, x):
        self.used = self.weights if self.used is None else self.used
        self.x = x
        return x @ self.used + self.bias


class Setter(Dense):
    """The copy is made anew when W is set, as `layer.W -= step` does."""

    def __init__(self, in_features, out_features):
        self.W, self.b = np.ones((in_features, out_features)), np.zeros(out_features)

    @property
    def W(self):
        return self._W

    @W.setter
    def W(self, value):
        self._W, self.WT = value, value.T.copy()

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, dout):
        self.dW, self.db = self.x.T @ dout, dout.sum(axis=0)
        return dout @ self.WT


class Tensor:
    """Of an engine with as much as a dense layer needs."""

    def __init__(self, data):
        self.data, self.grad, self.step = np.asarray(data), None, lambda: None

    def backward(self, grad):
        self.grad = grad
        self.step()


class OfAnEngine:
    def __init__(self, in_features, out_features):
        self.weight = Tensor(np.ones((in_features, out_features)))
        self.bias = Tensor(np.zeros(out_features))

    def forward(self, x):
        self.x = x
        return x @ self.weight.data + self.bias.data

    def backward(self, dout):
        self.weight.grad, self.bias.grad = self.x.T @ dout, dout.sum(axis=0)
        return dout @ self.weight.data.T


class OfAnEngineOnce(OfAnEngine):
    kept = None

    def forward(self, x):
        self.kept = self.weight.data.copy() if self.kept is None else self.kept
        self.x = x
        return x @ self.kept + self.bias.data


class TheBooks:
    def __init__(self, W, b):
        self.W, self.b = W, b

    def forward(self, x):
        self.shape, self.x = x.shape, x.reshape(len(x), -1).copy()
        return self.x @ self.W + self.b

    def backward(self, dout):
        self.dW, self.db = self.x.T @ dout, dout.sum(axis=0)
        return (dout @ self.W.T).reshape(self.shape)


class CopyOfItsOwn(TheBooks):
    def __init__(self, W, b):
        super().__init__(W.copy(), b.copy())


class ViewInTheConstructor(TheBooks):
    def __init__(self, W, b):
        super().__init__(W, b)
        self.WT = W.T

    def backward(self, dout):
        super().backward(dout)
        return (dout @ self.WT).reshape(self.shape)


class CopyInTheConstructor(ViewInTheConstructor):
    def __init__(self, W, b):
        super().__init__(W, b)
        self.WT = W.T.copy()


class OnlyTheTranspose:
    """No optimizer that holds W and its gradient changes what is used."""

    def __init__(self, W, b):
        self.WT, self.b = W.T.copy(), b

    def forward(self, x):
        self.shape, self.x = x.shape, x.reshape(len(x), -1).copy()
        return self.x @ self.WT.T + self.b

    def backward(self, dout):
        self.dW, self.db = self.x.T @ dout, dout.sum(axis=0)
        return (dout @ self.WT).reshape(self.shape)


class UpdatesTheTranspose(OnlyTheTranspose):
    def update(self, lr):
        self.WT -= lr * self.dW.T
        self.b -= lr * self.db


class KeepsItTurned:
    """It is handed W as (in, out), and keeps W and its gradient as (out, in)."""

    def __init__(self, W, b):
        self.weight, self.bias = W.T.copy(), b.copy()

    def forward(self, x):
        self.x = x
        return x @ self.weight.T + self.bias

    def backward(self, dout):
        self.grad_weight, self.grad_bias = dout.T @ self.x, dout.sum(axis=0)
        return dout @ self.weight


class KeepsItTurnedTwice(KeepsItTurned):
    def __init__(self, W, b):
        super().__init__(W, b)
        self.copy = self.weight.copy()

    def backward(self, dout):
        super().backward(dout)
        return dout @ self.copy


class TurnsTheGradientAlone(KeepsItTurned):
    def __init__(self, W, b):
        super().__init__(W.T, b)

    def forward(self, x):
        self.x = x
        return x @ self.weight + self.bias

    def backward(self, dout):
        super().backward(dout)
        return dout @ self.weight.T


STALE = {
    KeepsItTurnedTwice: {"dx"},
    CachesInForward: {"out"},
    CachesInBackward: {"dx"},
    InDictTurnedOnce: {"dx"},
    UpdatesAnotherArray: {"out"},
    OfAnEngineOnce: {"out"},
    CopyInTheConstructor: {"dx"},
    OnlyTheTranspose: {"out", "dx"},
}
RIGHT = [Dense, InDict, UpdatesItself, Setter, OfAnEngine, TheBooks, CopyOfItsOwn, ViewInTheConstructor]
RIGHT += [KeepsItTurned]


@pytest.mark.parametrize("layer", STALE, ids=lambda layer: layer.__name__)
def test_old_weights_are_found_and_named(layer):
    verdict = verify(layer, "affine", isolated=False)
    assert verdict.outcome == "wrong"
    wrong = [row for row in verdict.records if not row.ok]
    assert {(row.phase, row.tensor) for row in wrong if row.phase == CHANGED} == {
        (CHANGED, tensor) for tensor in STALE[layer]
    }
    assert all(row.why == "was computed with W as before the change" for row in wrong if row.phase == CHANGED)
    assert "weights copied once" in str(verdict)


@pytest.mark.parametrize("layer", RIGHT, ids=lambda layer: layer.__name__)
def test_what_looks_at_its_weights_at_each_call_is_right(layer):
    verdict = verify(layer, "affine", isolated=False)
    assert verdict.ok, str(verdict)
    assert any(row.phase == CHANGED for row in verdict.records)
    assert "weights that change" not in str(verdict)


def test_a_gradient_that_lies_otherwise_than_its_weight_is_wrong():
    assert verify(TurnsTheGradientAlone, "affine", isolated=False).outcome == "wrong"


def test_weights_that_it_changes_itself_alone_are_said_not_to_be_checked():
    verdict = verify(UpdatesTheTranspose, "affine", isolated=False)
    assert verdict.ok, str(verdict)
    assert "weights that change between two calls" in verdict.not_checked


class FoldedOnce(sc.BatchNormalization):
    folded = None

    def forward(self, x):
        self.folded = self.beta.copy() if self.folded is None else self.folded
        return super().forward(x) + (self.folded - self.beta).reshape(-1, *[1] * (x.ndim - 2))


def test_gamma_and_beta_count_too():
    rows = [row for row in check_kind("batch_norm", factory=FoldedOnce) if not row.ok]
    assert {(row.phase, row.tensor, row.why) for row in rows} == {
        (CHANGED, "out", "was computed with beta as before the change")
    }
