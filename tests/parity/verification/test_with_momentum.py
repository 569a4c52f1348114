"""An SGD whose constructor takes a momentum is checked as plain gradient descent and as momentum, and with a
flag as Nesterov's too."""

import pytest

from parity.verification.verify import verify


class SGD:
    def __init__(self, lr=0.01, momentum=0.9):
        self.lr, self.momentum, self.v = lr, momentum, {}

    def update(self, params, grads):
        for key, g in grads.items():
            self.v[key] = self.momentum * self.v.get(key, 0) - self.lr * g
            params[key] += self.v[key]


class OfZero(SGD):
    def __init__(self, lr=0.01, momentum=0.0):
        super().__init__(lr, momentum)


class Asked(SGD):
    def __init__(self, lr, mu):
        super().__init__(lr, mu)


class HalfWithMomentum(SGD):
    """Right without momentum, and half the step with it."""

    def update(self, params, grads):
        super().update(params, {key: g / 2 if self.momentum else g for key, g in grads.items()})


class Twice(SGD):
    """Wrong with every momentum."""

    def update(self, params, grads):
        super().update(params, {key: 2 * g for key, g in grads.items()})


class Averages(SGD):
    def update(self, params, grads):
        super().update(params, {key: (1 - self.momentum) * g for key, g in grads.items()})


class AveragesByBeta(Averages):
    def __init__(self, lr=0.01, beta=0.9):
        super().__init__(lr, beta)


class Nesterov:
    def __init__(self, lr=0.01, momentum=0.9, nesterov=True):
        self.lr, self.momentum, self.nesterov, self.v = lr, momentum, nesterov, {}

    def update(self, params, grads):
        for key, g in grads.items():
            v = self.v[key] = self.momentum * self.v.get(key, 0) + g
            params[key] -= self.lr * self.step_of(g, v)

    def step_of(self, g, v):
        return g + self.momentum * v if self.nesterov else v


class FlagOff(Nesterov):
    def __init__(self, lr=0.01, momentum=0.9, nesterov=False):
        super().__init__(lr, momentum, nesterov)


class FlagUnread(FlagOff):
    def step_of(self, g, v):
        return v


def ask(factory, kind="sgd", **options):
    return verify(factory, kind, isolated=False, **options)


@pytest.mark.parametrize("factory", [SGD, OfZero, Asked, Nesterov, FlagOff])
def test_right_with_and_without(factory):
    verdict = ask(factory)
    assert verdict.outcome == "right", str(verdict)
    assert {row.layer for row in verdict.records} >= {"sgd", "momentum"}
    assert not any("momentum" in text or "nesterov" in text for text in verdict.not_checked)
    assert not hasattr(factory(0.1, 0.9), "nesterov") or "nesterov" in {r.layer for r in verdict.records}


@pytest.mark.parametrize(
    ("factory", "kind", "part"),
    [
        (HalfWithMomentum, "momentum", ""),
        (Twice, "sgd", "sgd"),
        (FlagUnread, "nesterov", "[nesterov-plain-momentum]"),
    ],
)
def test_wrong_as_one_of_them(factory, kind, part):
    verdict = ask(factory)
    assert (verdict.outcome, verdict.kind) == ("wrong", kind), str(verdict)
    assert part in str(verdict) and not verdict.ok


@pytest.mark.parametrize("factory", [Averages, AveragesByBeta])
def test_an_average_is_said(factory):
    verdict = ask(factory)
    assert verdict.outcome == "right_but" and "averages the gradients" in verdict.buts[0], str(verdict)
    assert "[momentum-averages]" in str(verdict)
    assert ask(factory, allow=["momentum-averages"]).declared


def test_the_flag_of_a_momentum_is_set_by_its_kind():
    assert ask(Nesterov, "momentum").outcome == ask(FlagOff, "nesterov").outcome == "right"


def test_a_difference_that_it_cannot_have_is_refused():
    with pytest.raises(ValueError, match="no known difference"):
        ask(type("Plain", (), {"update": lambda self, params, grads: None}), allow=["momentum-averages"])
