"""A constructor with `**kwargs` gets the names that it reads, and a step its state that it has returned."""

import pytest

from parity.adapters.arguments import signature, under_its_names
from parity.verification.verify import verify


class Named:
    def __init__(self, *args, **kwargs):
        self.name = kwargs.get("name")


class Descent(Named):
    def __init__(self, learning_rate=0.01, momentum=0.0, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.learning_rate, self.momentum = learning_rate, momentum

    def apply_gradients(self, var, grad, **kwargs):
        if not self.momentum:
            var -= self.learning_rate * grad
            return kwargs
        velocity = self.momentum * self.before(kwargs) - self.learning_rate * grad
        var += velocity
        return kwargs | {"velocity": velocity}

    def before(self, state):
        return state.get("velocity", 0)


class DescentRaises(Descent):
    """A velocity that is an array is neither true nor false: the second step raises."""

    def before(self, state):
        return state.get("velocity") or 0


class DescentForgets(Descent):
    def before(self, state):
        return 0


class Any(Named):
    def __init__(self, learning_rate=0.01, **kwargs):
        super().__init__(**kwargs)
        self.options = kwargs


@pytest.mark.parametrize(
    ("cls", "kind", "outcome"),
    [(Descent, "sgd", "right"), (DescentRaises, "momentum", "wrong"), (DescentForgets, "momentum", "wrong")],
)
def test_a_step_is_given_the_state_that_it_has_returned(cls, kind, outcome):
    verdict = verify(cls, "sgd", isolated=False)
    assert (verdict.outcome, verdict.kind) == (outcome, kind), str(verdict)
    if outcome == "right":
        assert "momentum: checked as momentum too" in verdict.remarks and not verdict.not_checked
    else:
        assert ("raised ValueError" in str(verdict)) == (cls is DescentRaises)


def test_the_names_that_are_read():
    assert [*signature(Descent)] == ["learning_rate", "momentum", "args", "name"]
    assert signature(Any) is None
    assert under_its_names(Any, {"lr": 1, "eps": 2}) == {"learning_rate": 1, "eps": 2}
