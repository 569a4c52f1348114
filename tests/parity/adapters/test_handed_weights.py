"""Weights handed over after a layer was built or in one dict, and those under names that Python changes."""

import numpy as np
import pytest

from parity.adapters.arguments import plain
from parity.adapters.setters import setters, together
from parity.verification.verify import verify


class Layer:
    """An affine layer; those below say where its weights come from."""

    wrong = 1.0

    @property
    def weights(self):
        return self.W, self.b

    def forward(self, x):
        W, b = self.weights
        self.x = x
        return x @ W + b

    def backward(self, dout):
        self.dW, self.db = self.wrong * self.x.T @ dout, dout.sum(axis=0)
        return dout @ self.weights[0].T


class BySetter(Layer):
    def __init__(self):
        self.W = self.b = None

    def set_param(self, W, b):
        self.W, self.b = W, b


class BySetterOfSizes(Layer):
    def __init__(self, n_in, n_out):
        self.shape = n_in, n_out

    def load(self, weights, bias):
        assert weights.shape == self.shape
        self.W, self.b = weights.copy(), bias.copy()


class ByTwoSetters(Layer):
    def set_weights(self, w):
        self.W = w

    def set_bias(self, b):
        self.b = b


class BySetterOfDict(Layer):
    def set_params(self, params):
        self.W, self.b = params["weights"], params["bias"]


class BySetterOfPair(Layer):
    def set_weights(self, weights):
        self.W, self.b = weights


class OfDict(Layer):
    def __init__(self, params):
        self.params = params

    @property
    def weights(self):
        return self.params["W"], self.params["b"]


class OfDictSmall(OfDict):
    @property
    def weights(self):
        return self.params["w"], self.params["b"]


class ByAttributes(Layer):
    """They are put there by whoever makes the network."""

    def __init__(self):
        self.W, self.b = None, None


class Hidden(Layer):
    """Behind two underscores; what it shows are copies."""

    def __init__(self, n_in, n_out):
        self.__w = np.zeros((n_in, n_out))
        self.__b = np.zeros(n_out)

    def get_weights(self):
        return self.__w.copy()

    @property
    def weights(self):
        return self.__w.copy(), self.__b.copy()

    def backward(self, dout):
        self.__dw, self.__db = self.wrong * self.x.T @ dout, dout.sum(axis=0)
        return dout @ self.__w.T

    def get_gradients(self):
        return self.__dw.copy(), self.__db.copy()


class HiddenInSlots(Layer):
    __slots__ = ("__b", "__w", "dW", "db", "x")

    def __init__(self, n_in, n_out):
        self.__w, self.__b = np.zeros((n_in, n_out)), np.zeros(n_out)

    @property
    def weights(self):
        return self.__w, self.__b


LAYERS = {
    BySetter: "then set_param(W, b)",
    BySetterOfSizes: "then load(weights, bias)",
    ByTwoSetters: "then set_bias(b); then set_weights(w)",
    BySetterOfDict: "then set_params(params)",
    BySetterOfPair: "then set_weights(weights)",
    OfDict: "called as OfDict(params)",
    OfDictSmall: "called as OfDictSmall(params)",
    ByAttributes: "weights in .W (in, out), .b (FN,)",
    Hidden: "weights in ._Hidden__w (in, out), ._Hidden__b (FN,)",
    HiddenInSlots: "weights in ._HiddenInSlots__w (in, out), ._HiddenInSlots__b (FN,)",
}


@pytest.mark.parametrize(("layer", "called"), LAYERS.items(), ids=[one.__name__ for one in LAYERS])
def test_it_is_called_and_judged(layer, called):
    verdict = verify(layer, "affine", isolated=False)
    assert verdict.outcome == "right" and called in verdict.called, str(verdict)
    broken = type(layer.__name__, (layer,), {"wrong": 0.5})
    assert verify(broken, "affine", isolated=False).outcome == "wrong"


class Stale(BySetter):
    """It computes with what it made of the weights when it was handed them."""

    def set_param(self, W, b):
        self.W, self.b, self.turned = W, b, W.T.copy()

    def backward(self, dout):
        super().backward(dout)
        return dout @ self.turned


def test_weights_that_change_after_they_were_handed_over_are_tried():
    verdict = verify(Stale, "affine", isolated=False)
    assert verdict.outcome == "wrong", str(verdict)


def one(name, *parameters, optional=()):
    required = [{"name": p, "required": True, "default": ""} for p in parameters]
    return {name: required + [{"name": p, "required": False, "default": "None"} for p in optional]}


def test_what_hands_over_something_else_is_no_setter():
    for methods in (
        one("set_mode", "training"),
        one("load", "path"),
        one("set_weights", "W", "path"),
        one("update", "W", "b"),
        one("_set", "W", "b"),
    ):
        assert [*setters(methods, "affine", ("W", "b"))] == []
    (calls,) = setters(one("set", "W", optional=["b", "name"]), "affine", ("W", "b"))
    assert calls == (("set", (("W", "W"), ("b", "b"))),)


def test_forms_of_weights_in_one_argument():
    forms = together(("W", "b"))
    assert forms[:2] == ["[W:W;b:b]", "[w:W;b:b]"] and "[weights:W;bias:b]" in forms
    assert forms[-1] == "[W;b]"


@pytest.mark.parametrize(
    ("name", "expected"),
    [("_Dense__w", "w"), ("_My_Layer__dW", "dw"), ("__init__", "init"), ("_w", "w"), ("_a__b__", "ab")],
)
def test_names_that_python_changed(name, expected):
    assert plain(name) == expected
