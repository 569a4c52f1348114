"""A momentum whose velocity averages the gradients is right but for that; averaged by halves it is wrong."""

import numpy as np
import pytest

from parity.verification.averaged_velocity import SAYS
from parity.verification.verify import verify

NAME = "velocity-averages"


class Momentum:
    """v = momentum v + (1 - momentum) g."""

    def __init__(self, lr, momentum):
        self.lr, self.momentum, self.v = lr, momentum, {}

    def update(self, params, grads):
        for key, g in grads.items():
            old = self.v.get(key, np.zeros_like(g))
            self.v[key] = self.velocity(old, g, params[key], key not in self.v)
            params[key] -= self.step(self.v[key], g)

    def velocity(self, v, g, p, first):
        return self.momentum * v + (1 - self.momentum) * g

    def step(self, v, g):
        return self.lr * v


class RateInside(Momentum):
    """The book's form."""

    def velocity(self, v, g, p, first):
        return self.momentum * v + self.lr * (1 - self.momentum) * g

    def step(self, v, g):
        return v


class ByGamma(Momentum):
    def __init__(self, learning_rate=0.01, gamma=0.9):
        super().__init__(learning_rate, gamma)


class WithDecay(Momentum):
    def __init__(self, lr, momentum, weight_decay=0.0):
        super().__init__(lr, momentum)
        self.decay = weight_decay

    def velocity(self, v, g, p, first):
        return super().velocity(v, g + self.decay * p, p, first)


class WithDecayPastIt(WithDecay):
    """The penalty is not averaged."""

    def velocity(self, v, g, p, first):
        return Momentum.velocity(self, v, g, p, first) + self.decay * p


class FirstWhole(Momentum):
    """The average begins at the first gradient."""

    def velocity(self, v, g, p, first):
        return g if first else super().velocity(v, g, p, first)


class FirstAveraged(Momentum):
    """A sum after the first step."""

    def velocity(self, v, g, p, first):
        return super().velocity(v, g, p, first) if first else self.momentum * v + g


class NearlyAveraged(Momentum):
    def velocity(self, v, g, p, first):
        return self.momentum * v + 0.9999 * (1 - self.momentum) * g


class Forgets(Momentum):
    """The right step at first, and never a velocity."""

    def velocity(self, v, g, p, first):
        return super().velocity(0, g, p, first)


class FirstRate(Momentum):
    """The rate is bound when the optimizer is built."""

    def __init__(self, lr, momentum):
        super().__init__(lr, momentum)
        self.bound = [lr]

    def step(self, v, g):
        return self.bound[0] * v


class NewArrays(Momentum):
    def update(self, params, grads):
        copies = {key: p.copy() for key, p in params.items()}
        super().update(copies, grads)
        params.update(copies)


class Widens(Momentum):
    def update(self, params, grads):
        params |= {key: p.astype(float) for key, p in params.items()}
        super().update(params, grads)


class Nesterov(Momentum):
    def step(self, v, g):
        return self.lr * (self.momentum * v + (1 - self.momentum) * g)


class NesterovOfTheWholeGradient(Momentum):
    def step(self, v, g):
        return self.lr * (self.momentum * v + g)


def momentum_step(w, dw, v, lr, momentum):
    v = momentum * v + (1 - momentum) * dw
    return w - lr * v, v


def ask(factory, kind="momentum", **options):
    return verify(factory, kind, isolated=False, **options)


AVERAGED = [Momentum, RateInside, ByGamma, WithDecay, momentum_step]


@pytest.mark.parametrize("factory", AVERAGED, ids=lambda one: one.__name__)
def test_every_step_is_shorter_and_that_is_said(factory):
    verdict = ask(factory)
    assert verdict.outcome == "right_but" and verdict.buts == [SAYS], str(verdict)
    assert "the numbers are right, but its velocity averages" in verdict.headline
    assert "W step 200" in set(verdict.findings["tensor"]), "the real sizes were not tried"
    assert "[momentum-averages]" in str(verdict) and not ask(factory, strict=True).ok


def test_that_of_nesterov_is_as_long_as_its_velocity():
    verdict = ask(Nesterov, "nesterov")
    assert verdict.outcome == "right_but" and verdict.buts == [SAYS], str(verdict)
    assert ask(Nesterov, "nesterov", allow=[NAME]).declared == NAME


WRONG = [WithDecayPastIt, FirstWhole, FirstAveraged, NearlyAveraged, Forgets, FirstRate]


@pytest.mark.parametrize("factory", WRONG, ids=lambda one: one.__name__)
def test_another_bug_beside_it_or_instead_of_it_is_wrong(factory):
    assert ask(factory).outcome == "wrong", str(ask(factory))


def test_one_of_the_whole_gradient_is_wrong():
    verdict = ask(NesterovOfTheWholeGradient, "nesterov")
    assert verdict.outcome == "wrong" and verdict.diagnosis.fault == "nesterov-averages"


def test_new_arrays_are_said_beside_it():
    verdict = ask(NewArrays)
    assert verdict.outcome == "right_but" and len(verdict.buts) == 2 and SAYS in verdict.buts, str(verdict)


def test_a_wider_dtype_is_said_beside_it():
    verdict = ask(Widens)
    assert verdict.outcome == "right_but" and len(verdict.buts) == 3 and SAYS in verdict.buts, str(verdict)
    assert any("float64 comes out of float32" in one for one in verdict.buts)


@pytest.mark.parametrize("name", [NAME, "momentum-averages"])
def test_it_can_be_declared_by_either_name(name):
    assert ask(Momentum, allow=[name]).declared == name
    assert ask(FirstWhole, allow=[name]).outcome == "wrong"
    partly = ask(NewArrays, allow=[name])
    assert partly.declared == name and len(partly.buts) == 1, str(partly)


class SGD(Momentum):
    def __init__(self, lr=0.01, momentum=0.9):
        super().__init__(lr, momentum)


def test_an_sgd_with_a_momentum_is_asked_with_it():
    assert ask(SGD, "sgd").buts == [SAYS]
    assert ask(SGD, "sgd", allow=[NAME]).declared == NAME
    with pytest.raises(ValueError, match="no known difference"):
        ask(type("Plain", (), {"update": lambda self, params, grads: None}), "sgd", allow=[NAME])
