"""A weight decay that leaves biases out is right but for that; a second bug beside it is wrong."""

import numpy as np
import pytest

from parity.verification.averaged_velocity import SAYS as AVERAGES
from parity.verification.undecayed_biases import SAYS
from parity.verification.verify import verify

NAME = "decay-leaves-biases-out"


class OfLayers:
    """The penalty is added to a layer's dW alone; every array has a moment."""

    def __init__(self, lr, momentum, weight_decay=0.0):
        self.lr, self.momentum, self.decay, self.v = lr, momentum, weight_decay, {}

    def update(self, layers):
        for layer in layers:
            own = self.v.setdefault(layer, {"W": np.zeros_like(layer.W), "b": np.zeros_like(layer.b)})
            own["W"] = self.velocity(own["W"], layer.dW + self.penalty(layer.W))
            own["b"] = self.velocity(own["b"], layer.db + self.penalty_of_bias(layer.b))
            layer.W = layer.W - self.lr * own["W"]
            layer.b = layer.b - self.lr * own["b"]

    def penalty(self, w):
        return self.decay * w

    def penalty_of_bias(self, b):
        return 0

    def velocity(self, v, g):
        return self.momentum * v + g


class Averaging(OfLayers):
    def velocity(self, v, g):
        return self.momentum * v + (1 - self.momentum) * g


class ByShape:
    """A dict of arrays, of which those with more than one axis are decayed."""

    EPS = 0.0

    def __init__(self, lr, decay_rate, weight_decay=0.0):
        self.lr, self.rho, self.decay, self.s = lr, decay_rate, weight_decay, {}

    def update(self, params, grads):
        for key, w in params.items():
            g = grads[key] + (self.decay * w if w.ndim > 1 else 0)
            self.s[key] = self.rho * self.s.get(key, 0) + (1 - self.rho) * g * g
            w -= self.lr * g / (np.sqrt(self.s[key] + self.EPS) + 1e-8)


class EpsInside(ByShape):
    EPS = 1e-7

    def update(self, params, grads):
        for key, w in params.items():
            g = grads[key] + (self.decay * w if w.ndim > 1 else 0)
            self.s[key] = self.rho * self.s.get(key, 0) + (1 - self.rho) * g * g
            w -= self.lr * g / np.sqrt(self.s[key] + self.EPS)


class Decoupled:
    def __init__(self, lr, beta1, beta2, weight_decay=0.01):
        self.lr, self.beta1, self.beta2, self.decay = lr, beta1, beta2, weight_decay
        self.m, self.v, self.t = {}, {}, 0

    def update(self, params, grads):
        self.t += 1
        for key, w in params.items():
            if "b" not in key:
                w *= 1 - self.lr * self.decay
            self.m[key] = self.beta1 * self.m.get(key, 0) + (1 - self.beta1) * grads[key]
            self.v[key] = self.beta2 * self.v.get(key, 0) + (1 - self.beta2) * grads[key] ** 2
            m, v = self.m[key] / (1 - self.beta1**self.t), self.v[key] / (1 - self.beta2**self.t)
            w -= self.lr * m / (np.sqrt(v) + 1e-8)


class HalfForBiases(OfLayers):
    def penalty_of_bias(self, b):
        return self.decay * b / 2


class Never(OfLayers):
    """The penalty is taken and not used."""

    def penalty(self, w):
        return 0


class HalfForWeights(OfLayers):
    def penalty(self, w):
        return self.decay * w / 2


class TooSlow(OfLayers):
    def velocity(self, v, g):
        return self.momentum * v + 0.99 * g


class NoVelocityOfBiases(OfLayers):
    def update(self, layers):
        for layer in layers:
            own = self.v.setdefault(layer, {"W": np.zeros_like(layer.W)})
            own["W"] = self.velocity(own["W"], layer.dW + self.penalty(layer.W))
            layer.W = layer.W - self.lr * own["W"]
            layer.b = layer.b - self.lr * layer.db


class OnlyTheFirst(ByShape):
    """The penalty is added to one array of weights."""

    def update(self, params, grads):
        first = next(iter(params))
        own = {key: grads[key] + (self.decay * w if key == first else 0) for key, w in params.items()}
        for key, w in params.items():
            self.s[key] = self.rho * self.s.get(key, 0) + (1 - self.rho) * own[key] ** 2
            w -= self.lr * own[key] / (np.sqrt(self.s[key]) + 1e-8)


def ask(factory, kind="momentum", **options):
    return verify(factory, kind, isolated=False, **options)


LEFT_OUT = [
    (OfLayers, "momentum", [SAYS]),
    (Averaging, "momentum", [AVERAGES, SAYS]),
    (ByShape, "rmsprop", [SAYS]),
    (Decoupled, "adamw", [SAYS]),
]


@pytest.mark.parametrize(("factory", "kind", "buts"), LEFT_OUT, ids=lambda one: getattr(one, "__name__", ""))
def test_biases_without_decay_are_said_alone_and_beside_another_difference(factory, kind, buts):
    verdict = ask(factory, kind)
    assert verdict.outcome == "right_but" and verdict.buts == buts, str(verdict)
    assert "step 200" in " ".join(set(verdict.findings["tensor"])), "the real sizes were not tried"
    assert not ask(factory, kind, strict=True).ok


def test_another_eps_is_said_beside_it():
    verdict = ask(EpsInside, "rmsprop")
    assert verdict.outcome == "right_but" and len(verdict.buts) == 2 and SAYS in verdict.buts, str(verdict)


WRONG = [HalfForBiases, Never, HalfForWeights, TooSlow, NoVelocityOfBiases]


@pytest.mark.parametrize("factory", WRONG, ids=lambda one: one.__name__)
def test_another_bug_beside_it_or_instead_of_it_is_wrong(factory):
    assert ask(factory).outcome == "wrong", str(ask(factory))


def test_a_decay_of_one_array_of_weights_alone_is_wrong():
    assert ask(OnlyTheFirst, "rmsprop").outcome == "wrong"


def test_it_can_be_declared():
    assert ask(OfLayers, allow=[NAME]).declared == NAME
    assert ask(TooSlow, allow=[NAME]).outcome == "wrong"
    both = ask(Averaging, allow=[NAME])
    assert both.declared == NAME and both.buts == [AVERAGES], str(both)
