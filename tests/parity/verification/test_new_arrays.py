"""An optimizer that puts new arrays into params: its numbers are right, and that is said first."""

import pytest

from parity.verification.verify import verify


class SGD:
    def __init__(self, lr=0.01):
        self.lr = lr

    def update(self, params, grads):
        for key, g in grads.items():
            params[key] = params[key] - self.step(g)

    def step(self, g):
        return self.lr * g


class Momentum(SGD):
    def __init__(self, lr=0.01, momentum=0.9):
        self.lr, self.momentum, self.v = lr, momentum, {}

    def update(self, params, grads):
        for key, g in grads.items():
            self.v[key] = self.momentum * self.v.get(key, 0) + self.step(g)
            params[key] = params[key] - self.v[key]


class Uphill(SGD):
    def step(self, g):
        return -self.lr * g


@pytest.mark.parametrize(
    ("factory", "kind", "name"),
    [(SGD, "sgd", "sgd-new-arrays"), (Momentum, "momentum", "new-arrays-in-params")],
)
def test_the_numbers_are_right_and_the_arrays_new(factory, kind, name):
    verdict = verify(factory, kind, isolated=False)
    assert verdict.outcome == "right_but" and verdict.ok, str(verdict)
    assert f"[{name}]" in str(verdict) and "new arrays into params" in verdict.headline
    assert not verify(factory, kind, isolated=False, strict=True).ok
    for allowed in (name, "new-arrays-in-params"):
        assert verify(factory, kind, isolated=False, strict=True, allow=[allowed]).declared


def test_wrong_numbers_stay_wrong():
    verdict = verify(Uphill, "sgd", isolated=False)
    assert verdict.outcome == "wrong" and "sgd-ascends" in str(verdict), str(verdict)
